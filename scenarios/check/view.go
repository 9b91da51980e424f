package check

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A View is the world as the events so far tell it. Oracles read it and change nothing.
type View struct {
	Now       env.Instant   // the latest time seen; it never goes back
	Tolerance time.Duration // by how much clocks and deadlines may be off on this rung
	Quiet     env.Instant   // when the quiesce phase began; env.Never before

	hosts     []*Host // in order of their first mention
	upses     []*UPS
	hostNamed map[string]*Host
	upsNamed  map[string]*UPS
	links     map[[2]string]*Link // from one host to another
	feeds     map[string]feedState
	ends      []env.Event // of faults that end by themselves

	trouble   map[string]bool // what a scenario broke and has not repaired
	calmSince env.Instant     // when trouble was last empty and the quiesce phase on; else Never
	beginning *Host           // the host whose shutdown began with the present event
	judged    map[string]int  // by oracle: how often it had something to judge
	secrets   []string        // that no event may have in it
}

func newView(tolerance time.Duration) *View {
	return &View{
		Now: 0, Tolerance: max(tolerance, 0), Quiet: env.Never, calmSince: env.Never,
		hostNamed: map[string]*Host{}, upsNamed: map[string]*UPS{}, links: map[[2]string]*Link{},
		feeds:   map[string]feedState{},
		trouble: map[string]bool{}, judged: map[string]int{},
	}
}

// Hosts are all hosts mentioned so far, in the order of their first mention.
func (v *View) Hosts() []*Host { return v.hosts }

// UPSes are all UPSes mentioned so far, in the order of their first mention.
func (v *View) UPSes() []*UPS { return v.upses }

// Host returns the host of that name, a new one when it was not mentioned before.
func (v *View) Host(name string) *Host {
	h := v.hostNamed[name]
	if h == nil {
		h = &Host{
			Name: name, Since: env.Never, LeftUp: env.Never, BootAt: env.Never, UpAt: env.Never, HaltedAt: env.Never,
			Spec:    map[string]int64{},
			Attempt: noAttempt, Server: Settings{},
			Monitor: Monitor{Started: env.Never, Settings: Settings{}},
		}
		v.hostNamed[name] = h
		v.hosts = append(v.hosts, h)
	}
	return h
}

// UPS returns the UPS of that name, a new one when it was not mentioned before.
func (v *View) UPS(name string) *UPS {
	u := v.upsNamed[name]
	if u == nil {
		u = &UPS{
			Name: name, Outlet: true, speaks: true, Spec: map[string]int64{}, Driver: Settings{},
			InputSince: env.Never, LowSince: env.Never, OutletSince: env.Never, FaultAt: env.Never,
			FSDAt: env.Never, DataAt: env.Never, ProbeAt: env.Never,
			KilledAt:    env.Never,
			SilentSince: env.Never, StaleSince: env.Never, ReadLogins: -1,
		}
		v.upsNamed[name] = u
		v.upses = append(v.upses, u)
	}
	return u
}

// Link returns the way from one host to another.
func (v *View) Link(from, to string) *Link {
	way := [2]string{from, to}
	l := v.links[way]
	if l == nil {
		l = &Link{CutAt: env.Never, HealedAt: env.Never}
		v.links[way] = l
	}
	return l
}

// Calm reports that the quiesce phase is on and that nothing a scenario broke is still broken, and
// since when.
func (v *View) Calm() (since env.Instant, ok bool) { return v.calmSince, v.calmSince != env.Never }

// Reachable reports whether word of u can get to h at all: the device answers, driver and upsd run,
// and the network between is whole. What nobody has mentioned is taken to be in order.
func (v *View) Reachable(h *Host, u *UPS) bool {
	if len(u.Faults) > 0 || u.Server == "" {
		return len(u.Faults) == 0
	}
	s := v.Host(u.Server)
	return s.Running() && s.Service("upsd").Works() && s.Service("driver:"+u.Name).Works() &&
		(s == h || !v.Link(s.Name, h.Name).Cut && !v.Link(h.Name, s.Name).Cut)
}

// roundTrip is the delay that a scenario has put on the way between two hosts, both ways.
func (v *View) roundTrip(a, b string) time.Duration {
	return v.Link(a, b).Slowest + v.Link(b, a).Slowest
}

// Phases of a machine's life, as machine events tell them.
const (
	Off      = "off"
	Booting  = "booting"
	Up       = "up"
	Stopping = "stopping"
	Halted   = "halted"
)

// A Host is one machine.
type Host struct {
	Name    string
	Machine string      // Off, Booting, Up, Stopping, Halted; "" when nobody said
	Since   env.Instant // of Machine
	LeftUp  env.Instant // when it last stopped being up
	Before  string      // what Machine was before
	BootAt  env.Instant // when it last began to boot
	UpAt    env.Instant // when it last came up
	// CutShort says that its monitor was killed while it was shutting down, in this boot.
	CutShort bool
	// HaltedAt is when it was last down in order.
	HaltedAt env.Instant
	// Interrupted says that a person rebooted it while it was shutting down for the power, in this
	// boot or the one before.
	Interrupted bool
	again       int // the boot in which that was
	rebooting   bool
	WasUp       bool             // at any time
	Boots       int              // how often it began to boot
	Spec        map[string]int64 // declared: boot, halt, min, ...
	Feeds       []Feed           // what feeds it
	Walls       []string         // mains feeds on which it hangs without a UPS
	Monitor     Monitor
	Attempt     Attempt // the shutdown of this boot
	Flag        Flag
	Server      Settings // of its upsd, as far as it tells them
	Wedged      bool     // a script said so
	Serves      bool     // the upsd of a UPS runs there

	services []*Service
}

// feedState is a line from the utility.
type feedState struct {
	on    bool
	since env.Instant
}

// A Feed is a UPS that feeds some supplies of a host.
type Feed struct {
	UPS      *UPS
	Supplies int64
}

// Running reports that the machine runs programs, as far as anybody said.
func (h *Host) Running() bool { return h.Machine == "" || h.Machine == Up || h.Machine == Stopping }

// watching reports that the machine runs and its monitor with it, as far as anybody said.
func (h *Host) watching() bool { return h.Running() && h.Service("upsmon").Works() && !h.Wedged }

// Declared returns a declared duration of the host, 0 when there is none.
func (h *Host) Declared(name string) time.Duration { return time.Duration(h.Spec[name]) }

// StopTime is how long the host needs at worst from its SHUTDOWN notification until it is down.
func (h *Host) StopTime() time.Duration {
	return h.Monitor.Settings.Duration("FINALDELAY") + h.Declared("halt")
}

// Service returns a service of the host: upsd, upsmon, driver:NAME, ...
func (h *Host) Service(name string) *Service {
	for _, s := range h.services {
		if s.Name == name {
			return s
		}
	}
	s := &Service{Name: name, Since: env.Never, BrokenAt: env.Never, FixedAt: env.Never}
	h.services = append(h.services, s)
	return s
}

// A Service is a program that a host is meant to run.
type Service struct {
	Name  string
	State string      // start (resumed too), failed, exit, kill or pause; "" when nobody said
	Since env.Instant // of State

	BrokenAt env.Instant // a scenario last killed or froze it
	FixedAt  env.Instant // and it ran again; Never while it does not
}

// Works reports that nobody has killed, ended or frozen the service, as far as anybody said. One
// that has failed to start by itself is to blame for what comes of it, so it counts as working.
func (s *Service) Works() bool { return s.State == "" || s.State == "start" || s.State == "failed" }

// frozenSince is for how long the service was kept from running after t, the last time.
func (s *Service) frozenSince(t env.Instant) time.Duration {
	if s.FixedAt == env.Never || s.FixedAt < t {
		return 0
	}
	return s.FixedAt.Sub(max(s.BrokenAt, t))
}

// Broken reports that a scenario has killed or frozen the service.
func (s *Service) Broken() bool { return s.State == "kill" || s.State == "pause" }

// A Monitor is the upsmon of a host.
type Monitor struct {
	Settings Settings
	Watched  []*Watched  // in the order of the file
	Started  env.Instant // when it last started; Never when nobody said

	life       int        // counts the monitors that have ended
	announcing bool       // settings are being told
	renewed    bool       // and the first of the lines
	former     []*Watched // the lines before the present announcement
}

// Watches returns the line for a UPS, nil when there is none.
func (m *Monitor) Watches(ups string) *Watched {
	for _, w := range m.Watched {
		if w.UPS == ups {
			return w
		}
	}
	return nil
}

// Primary reports whether the host is the primary of any UPS.
func (m *Monitor) Primary() bool {
	for _, w := range m.Watched {
		if w.Primary {
			return true
		}
	}
	return false
}

// A Watched is one MONITOR line and what the monitor was told about it.
type Watched struct {
	As      string // as written in MONITOR
	UPS     string // the name in ups.conf
	Primary bool
	Power   int64 // supplies

	Status   string // last accepted; "" when it never heard anything
	StatusAt env.Instant
	Comm     string // ok, lost or ""
	CommAt   env.Instant
	CommWhy  string

	quietFrom env.Instant // when lost: the earliest moment of the last good poll
	since     sinceWords
	old       bool // from before the monitor stood still for so long that it may not count
}

// sinceWords is when each word that has a time limit came into the accepted status; Never when it
// is not in it. Low means OB and LB together.
type sinceWords struct{ low, off, over env.Instant }

// An Attempt is a host on its way down. Instants are Never until they have come.
type Attempt struct {
	Began     env.Instant // the first sign
	Sign      string      // which one it was, in words
	Operator  bool        // a person ordered it
	Waiting   env.Instant // the primary began to wait for the others
	Announced env.Instant // SHUTDOWN was notified, the last time
	Commands  []env.Instant
	Stayed    env.Instant // until when its monitor ran after SHUTDOWNCMD
}

var noAttempt = Attempt{Began: env.Never, Waiting: env.Never, Announced: env.Never,
	Stayed: env.Never}

// A Flag is the POWERDOWNFLAG file of a host, which outlives boots.
type Flag struct {
	Known   bool // the feature is configured, as far as anybody said
	Foreign bool // somebody else's file: the feature is off
	Set     bool // the file exists
	At      env.Instant
	Boot    int // in which boot it was written
}

// A UPS is one device with its electricity, and what its upsd tells about it.
type UPS struct {
	Name        string
	OnBattery   bool
	InputSince  env.Instant
	Low         bool
	LowSince    env.Instant
	Empty       bool
	Outlet      bool // on
	OutletSince env.Instant
	OutletWhy   string
	Spec        map[string]int64 // declared: runtime, low, offdelay, ondelay
	Faults      []string         // active ones
	FaultAt     env.Instant      // when one last began or ended
	Hosts       []*Host          // those it feeds

	Server   string // the host whose upsd serves it
	Served   string // the status clients read
	ServedAt env.Instant
	Logins   int64
	FSD      bool
	FSDAt    env.Instant // when it was last set
	Probe    string      // what an independent client reads; "" when there is none
	ProbeAt  env.Instant
	// ReadLogins is the number of logins that it reads; negative when it reads none.
	ReadLogins int64

	SilentSince env.Instant // the device or its driver say nothing more
	SilentWhy   string
	StaleSince  env.Instant // the driver said its data are stale
	DataBad     bool        // upsd itself calls the data stale or lost
	DataAt      env.Instant // when it last said so, or that they are fresh

	KilledAt env.Instant // when a driver last told it to switch the load off
	KilledBy string      // the host of that driver
	Driver   Settings    // its driver's, as far as it tells them
	monitors []*Host     // those that ever had a MONITOR line for it
	speaks   bool        // its driver runs
}

// Declared returns a declared duration of the UPS, 0 when there is none.
func (u *UPS) Declared(name string) time.Duration { return time.Duration(u.Spec[name]) }

// Delay returns offdelay or ondelay: as declared, as its driver tells, or as is usual.
func (u *UPS) Delay(name string) time.Duration {
	if n, ok := u.Spec[name]; ok {
		return time.Duration(n)
	}
	return u.Driver.Duration(name)
}

// Exhausted reports whether the outlet went off because the battery was empty.
func (u *UPS) Exhausted() bool { return u.Empty || mentions(u.OutletWhy, "empty", "exhausted") }

// A Link is the way from one host to another. Slowest is the longest delay that it ever had: what
// was under way when a delay ended is late all the same.
type Link struct {
	Cut      bool
	CutAt    env.Instant
	HealedAt env.Instant
	Slowest  time.Duration
}

// Settings are directives as a program told them. Durations are in nanoseconds.
type Settings map[string]Setting

// A Setting is the value of a directive: a number, or text.
type Setting struct {
	N    int64
	Text string
}

// usual are the values of directives that nobody told.
var usual = map[string]time.Duration{
	"POLLFREQ":      5 * time.Second,
	"POLLFREQALERT": 5 * time.Second,
	"HOSTSYNC":      15 * time.Second,
	"DEADTIME":      15 * time.Second,
	"FINALDELAY":    5 * time.Second,
	"OFFDURATION":   30 * time.Second,
	"OBLBDURATION":  0,
	"OVERDURATION":  -1 * time.Second,
	"SHUTDOWNEXIT":  0,
	"MAXAGE":        15 * time.Second,
	"pollinterval":  2 * time.Second,
	"offdelay":      30 * time.Second,
	"ondelay":       3 * time.Minute,
	"MINSUPPLIES":   1, // a number
	"ALARMCRITICAL": 1, // a number
}

// Duration returns a directive, its usual value when nobody told it.
func (s Settings) Duration(name string) time.Duration {
	if x, ok := s[name]; ok {
		return time.Duration(x.N)
	}
	return usual[name]
}

// Number is Duration for directives that count.
func (s Settings) Number(name string) int64 { return int64(s.Duration(name)) }

// Poll is the longest regular interval between two polls.
func (s Settings) Poll() time.Duration {
	return max(s.Duration("POLLFREQ"), s.Duration("POLLFREQALERT"), 0)
}
