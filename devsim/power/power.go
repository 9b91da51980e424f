package power

import (
	"sync"
	"time"
)

// Changes are announced under these names; event streams use the same words.
const (
	Input    = "input"    // line|battery
	Low      = "low"      // yes|no
	Outlet   = "outlet"   // on|off
	Empty    = "empty"    // yes|no: nothing left, and no mains
	Test     = "test"     // yes|no: a battery test runs
	Shutdown = "shutdown" // yes|no: the off timer runs
	Timer    = "timer"    // Next has changed; no value
)

// A Change is one thing that became different.
type Change struct {
	At    time.Duration // since the start of the world
	Name  string        // Input, Low, ...
	Value string
	Why   string // in words
}

// A UPS is one unit. It is safe for concurrent use.
type UPS struct {
	spec      Spec
	capacity  int64 // uJ in a full battery
	charger   int64 // mW
	mu        sync.Mutex
	state     // guarded by mu, which is never held while an observer is called
	observers []func(Change)
	news      []Change      // to be announced when mu is released
	armed     time.Duration // what Next said when observers last heard of it
}

// state is what changes.
type state struct {
	now    time.Duration
	mains  int           // mV, as they are
	fault  int           // mV that last made the battery take over
	input  bool          // the mains are good enough to be used
	since  time.Duration // when input last became true
	energy int64         // uJ
	load   int           // percent
	low    bool
	stuck  bool // the low sensor says low whatever the battery does
	empty  bool
	outlet bool
	off    offTimer
	wake   wake
	test   testRun
	failed bool // the last battery test found it bad
	broken bool // the battery fails tests
	silent bool // beeper
	set    settings
}

// settings are what a Spec says at the start and a face may change.
type settings struct {
	low, restart time.Duration
	charge       int // RestartCharge
}

// offTimer is a shutdown that was ordered and has not happened.
type offTimer struct {
	set     bool
	at      time.Duration
	onAfter time.Duration
	restart bool
	blind   bool // the outlet comes on by time alone, mains or not
	edge    bool // the outlet comes on when the mains come back, not when they are there
}

// wake says what switches the outlet on again; meaningful while it is off.
type wake struct {
	byItself bool          // mains and time do; else only a command
	blind    bool          // time alone does
	edge     bool          // the next return of the mains does
	notUntil time.Duration // and not before this
}

// testRun is a battery test.
type testRun struct {
	on      bool
	bounded bool // ends at end; else when the battery is low
	end     time.Duration
}

// never is what next returns when nothing will change by itself.
const never = time.Duration(1<<63 - 1)

// New returns a UPS at time 0, on good mains, with a full battery and its outlet on. It panics
// when s does not pass Check.
func New(s Spec) *UPS {
	if err := s.Check(); err != nil {
		panic("power: " + err.Error())
	}
	s = s.withDefaults()
	u := &UPS{spec: s, armed: never}
	u.mains, u.input, u.outlet, u.load = s.Nominal, true, true, s.Load
	u.fault = s.TransferLow - s.Nominal/100
	u.set = settings{low: s.Low, restart: s.Restart, charge: s.RestartCharge}
	u.capacity = ms(s.Runtime) * u.draw()
	u.charger = max(1, u.capacity/ms(s.Recharge))
	u.energy = u.capacity
	return u
}

// Spec returns what New was given, with the defaults filled in.
func (u *UPS) Spec() Spec { return u.spec }

// OnChange registers an observer. It is called after each change, without any lock held, by
// whoever caused or discovered it; it may call the UPS.
func (u *UPS) OnChange(f func(Change)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.observers = append(u.observers, f)
}

// Advance lets everything happen that is due until now. An earlier time than the last changes
// nothing.
func (u *UPS) Advance(now time.Duration) { u.do(now, func() {}) }

// Next is the next instant at which something changes by itself. The owner calls Advance then.
func (u *UPS) Next() (time.Duration, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at := u.next()
	return at, at != never
}

// do is the frame of every call that takes a time: catch up, change, settle, announce.
func (u *UPS) do(now time.Duration, change func()) {
	u.mu.Lock()
	u.catchUp(now)
	change()
	u.settle()
	if at := u.next(); at != u.armed {
		u.armed = at
		u.tell(Timer, "", "")
	}
	news, observers := u.news, u.observers
	u.news = nil
	u.mu.Unlock()
	for _, c := range news {
		for _, f := range observers {
			f(c)
		}
	}
}

// tell notes a change for the observers.
func (u *UPS) tell(name, value, why string) {
	u.news = append(u.news, Change{At: u.now, Name: name, Value: value, Why: why})
}

// catchUp goes from event to event until now.
func (u *UPS) catchUp(now time.Duration) {
	for {
		at := u.next()
		if at > now {
			break
		}
		u.flow(at)
		u.settle()
	}
	u.flow(now)
}

// flow lets energy flow until t; nothing else changes on the way.
func (u *UPS) flow(t time.Duration) {
	if t <= u.now {
		return
	}
	d := ms(t) - ms(u.now)
	u.energy = min(max(u.energy+d*u.current(), 0), u.capacity)
	u.now = t
}

// current is what flows into the battery, in mW; negative when it is drawn from.
func (u *UPS) current() int64 {
	switch {
	case u.discharging():
		return -u.draw()
	case u.input && !u.test.on && u.energy < u.capacity:
		return u.charger
	}
	return 0
}

// discharging reports whether the battery carries the load.
func (u *UPS) discharging() bool { return u.outlet && (!u.input || u.test.on) }

// draw is what the load takes while the outlet is on, in mW.
func (u *UPS) draw() int64 { return int64(u.spec.Rated) * int64(u.load) / 100 }

func ms(d time.Duration) int64 { return int64(d / time.Millisecond) }

func (u *UPS) remaining() int64 { return u.energy / u.draw() }
