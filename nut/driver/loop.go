package driver

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Limits of the device task.
const (
	maxRequests = 32 // SETs and INSTCMDs that wait for the device; a person sends one at a time

	firstRetry = time.Second // from losing the device to the first try to open it again
	maxRetry   = 5 * time.Second
	// nagEvery is the time between two log lines about a device that stays away.
	nagEvery = 5 * time.Minute
	// leastPause is between two polls, whatever a Waker says.
	leastPause = 10 * time.Millisecond
)

// A runner is the device task and what it owns.
type runner struct {
	spec  Spec
	conf  *Conf
	ports transport.Ports
	st    *State
	hub   *hub
	trend trend

	requests *env.Inbox[request]
	signals  *env.Inbox[env.Signal] // nil until the program handles them
	debug    atomic.Int32           // level of debug messages
	reread   func(env.Env) (*Conf, error)
	note     func(e env.Env, known string) // keeps what is known of the device; nil: nowhere
	known    string                        // what was kept
	killing  bool                          // this is a kill-power run

	dev      Device      // nil while it is lost
	turned   env.Instant // when the last turn began
	next     env.Instant // when to poll, or to try to open the device again
	retry    time.Duration
	failed   int // polls in a row
	tries    int // to open a lost device
	nagged   env.Instant
	gone     bool        // the device was lost, and has not been read since
	lost     env.Instant // since when it is gone
	identity []string    // what the device said it was before it was lost
	status   string      // as last told in an event
	restart  bool        // a reload wants the program to end once its client is answered
	exitCode atomic.Int32
}

// run is the device task: polls when it is time, and obeys requests in between.
func (r *runner) run(e env.Env) error {
	for {
		if e.Now() >= r.due() {
			if err := r.turn(e); err != nil {
				return err
			}
		}
		req, err := r.requests.Get(e, r.due())
		switch {
		case err == nil:
			r.obey(e, req)
		case !errors.Is(err, env.ErrTimeout):
			return err
		}
	}
}

// due is when the device is to be polled next.
func (r *runner) due() env.Instant {
	if w, ok := r.dev.(Waker); ok {
		return min(r.next, max(w.Wake(), r.turned.Add(leastPause)))
	}
	return r.next
}

// turn polls the device, or tries to open it again. Its error is that of a stopped task, or of a
// device that is given up.
func (r *runner) turn(e env.Env) error {
	r.turned = e.Now()
	r.next = r.turned.Add(r.conf.Duration("pollinterval"))
	if r.dev != nil {
		return r.poll(e)
	}
	err := r.open(e)
	switch {
	case errors.Is(err, env.ErrStopped):
		return err
	case err == nil:
		r.say(e, "reconnect.updateinfo")
		return r.poll(e)
	}
	r.away(e, err)
	return nil
}

// away arranges for the next try to open a device that is still away.
func (r *runner) away(e env.Env, err error) {
	r.tries++
	r.retry = min(max(r.retry*2, firstRetry), maxRetry)
	r.next = e.Now().Add(r.retry)
	report := r.conf.Int("reconnect_report_freq")
	if report > 0 && r.tries%report == 0 || report == 0 && e.Now().Sub(r.nagged) >= nagEvery {
		r.nagged = e.Now()
		e.Log().Warn(fmt.Sprintf("%s%v (try %d)", r.name(), err, r.tries))
	}
	if most := r.conf.Int("reconnect_max_tries"); most >= 0 && r.tries >= most {
		e.Log().Error(fmt.Sprintf("%sgiving up after %d tries: %v", r.name(), r.tries, err))
		r.quit(1)
	}
}

// Variables about a device that is lost. They are there as long as it is.
const (
	lostSince = "driver.reconnect.since" // local time
	lostWhy   = "driver.reconnect.reason"
)

// identifying are the variables that tell one device from another.
var identifying = []string{"ups.mfr", "ups.model", "ups.serial"}

// back is for a lost device that was read again.
func (r *runner) back(e env.Env) {
	e.Log().Info(fmt.Sprintf("%sthe device is back after %v (try %d)", r.name(),
		e.Now().Sub(r.lost).Round(time.Second), r.tries+1))
	r.gone, r.tries, r.retry = false, 0, 0
	r.st.Delete(lostSince)
	r.st.Delete(lostWhy)
	r.say(e, "quiet")
	for i, name := range identifying {
		if now := r.st.Value(name); now != r.identity[i] {
			e.Log().Warn(fmt.Sprintf("%sthis is another device: %s was %q and is %q",
				r.name(), name, r.identity[i], now))
		}
	}
}

// quit ends the program with an exit code.
func (r *runner) quit(code int) {
	r.exitCode.Store(int32(code))
	if r.signals != nil {
		r.signals.Put(env.Terminate)
	}
}

// open opens the device.
func (r *runner) open(e env.Env) error {
	dev, err := r.spec.Open(e, Setup{Conf: r.conf, Ports: r.ports, State: r.st,
		Debug: r.debugf(e), Known: r.known, Killing: r.killing})
	if err != nil {
		return err
	}
	if k, ok := dev.(Knower); ok && r.note != nil {
		r.note(e, k.Known())
	}
	r.dev, r.failed = dev, 0
	e.Emit(env.Event{Kind: env.Port, UPS: r.conf.UPS, Value: "open"})
	return nil
}

// poll reads the device and publishes what it says, or judges its failure.
func (r *runner) poll(e env.Env) error {
	err := r.dev.Poll(e)
	switch {
	case err == nil:
		r.failed = 0
		if r.gone {
			r.back(e)
		}
		r.commit(e)
		r.fresh(e, "")
	case errors.Is(err, env.ErrStopped):
		return err
	default:
		r.failed++
		r.debugf(e)(1, "poll %d failed: %v", r.failed, err)
		if errors.Is(err, transport.ErrGone) || r.failed > r.spec.Tolerance {
			r.lose(e, err)
		}
	}
	return nil
}

// lose gives up an open device: its data is stale, and it is opened anew soon.
func (r *runner) lose(e env.Env, why error) {
	r.drop()
	r.st.Set(lostWhy, why.Error())
	if r.gone {
		r.away(e, why) // it could be opened and not be read
		r.say(e, "reconnect.trying")
		return
	}
	e.Log().Warn(fmt.Sprintf("%slost the device: %v", r.name(), why))
	r.gone, r.lost, r.nagged = true, e.Now(), e.Now()
	r.identity = nil
	for _, name := range identifying {
		r.identity = append(r.identity, r.st.Value(name))
	}
	r.st.Set(lostSince, e.Wall().Format(time.DateTime))
	r.tries, r.retry = 0, firstRetry
	r.next = e.Now().Add(firstRetry)
	e.Emit(env.Event{Kind: env.Port, UPS: r.conf.UPS, Value: "gone", Why: why.Error()})
	r.fresh(e, why.Error())
	r.say(e, "reconnect.trying")
}

// drop closes the device.
func (r *runner) drop() {
	if r.dev != nil {
		r.dev.Close() // the cable may be gone: there is nobody to complain to
		r.dev = nil
	}
}

// fresh tells whether the data is fresh; it is stale when there is a reason.
func (r *runner) fresh(e env.Env, stale string) {
	if !r.hub.setFresh(stale == "") {
		return
	}
	value := "fresh"
	if stale != "" {
		value = "stale"
	}
	e.Emit(env.Event{Kind: env.Data, UPS: r.conf.UPS, Value: value, Why: stale})
}

// say publishes what the driver is doing.
func (r *runner) say(e env.Env, doing string) {
	r.st.Set("driver.state", doing)
	r.commit(e)
}

// commit completes the State and publishes it.
func (r *runner) commit(e env.Env) {
	r.st.complete(r.conf.Flag("ignorelb"), r.spec.Verbatim, &r.trend)
	r.hub.publish(r.st.dev)
	if status := r.st.Value("ups.status"); status != r.status {
		r.status = status
		e.Emit(env.Event{Kind: env.Status, UPS: r.conf.UPS, Value: status})
	}
}

// name begins each log line.
func (r *runner) name() string { return r.conf.UPS + ": " }

// debugf returns the printer of debug messages of a task.
func (r *runner) debugf(e env.Env) func(int, string, ...any) {
	return func(level int, format string, args ...any) {
		if int(r.debug.Load()) >= level {
			e.Log().Info(fmt.Sprintf("[D%d] ", level) + r.name() + fmt.Sprintf(format, args...))
		}
	}
}

// introduce puts into the State what the core knows about itself and its options.
func (r *runner) introduce(version string) {
	s := r.st
	s.preset(r.conf.vars)
	s.Set("driver.name", r.conf.Program)
	s.Set("driver.version", version)
	s.Set("driver.version.internal", r.spec.Version)
	s.Set("driver.state", "init.starting")
	s.SetInt("driver.debug", int(r.debug.Load()))
	s.Writable("driver.debug", Form{})
	r.lock()
	s.Writable(killLock, Form{})
	r.parameters()
	s.Offer(coreCommands...)
}

// lock sets driver.flag.allow_killpower to what the configuration says.
func (r *runner) lock() {
	n := 0
	if r.conf.Flag("allow_killpower") {
		n = 1
	}
	r.st.SetInt(killLock, n)
}

// parameters publishes the options.
func (r *runner) parameters() {
	for _, o := range r.conf.options {
		given := r.conf.Given(o.Key) || o.Key == "pollinterval" || o.Key == "synchronous"
		switch {
		case o.hidden || o.Secret || !given:
		case o.Kind == Flag && r.conf.Flag(o.Key):
			r.st.Set("driver.flag."+o.Key, enabled)
		case o.Kind == Flag:
			r.st.Delete("driver.flag." + o.Key)
		default:
			r.st.Set("driver.parameter."+o.Key, r.conf.values[o.Key])
		}
	}
	for _, v := range r.conf.vars {
		prefix := prefixes[0].prefix
		if v.override {
			prefix = prefixes[1].prefix
		}
		r.st.Set("driver.parameter."+prefix+v.name, v.value)
	}
}

// sdCommands are the commands that switch the load off, in the order in which they are tried.
func (c *Conf) sdCommands() []string {
	var names []string
	for _, n := range strings.Split(c.Text("sdcommands"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	if len(names) == 0 {
		names = []string{"shutdown.default"}
	}
	return names
}
