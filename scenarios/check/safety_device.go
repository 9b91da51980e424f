package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// commandTime is how long a driver may take from giving its device a command to telling how that
// went: several tries, each with its time-out.
const commandTime = 20 * time.Second

// effects are what instant commands may do to a device, by the beginning of their names. A kill may
// be preceded by cancelling the one that is pending.
var effects = []struct {
	command string
	does    []string // the first is the one that counts
}{
	{"beeper.", []string{"beeper"}},
	{"load.on", []string{"cancel"}},
	{"load.off", []string{"kill", "cancel"}},
	{"shutdown.stop", []string{"cancel"}},
	{"shutdown.", []string{"kill", "cancel"}},
	{"driver.killpower", []string{"kill", "cancel"}},
	{"test.battery.stop", []string{"stop", "test"}}, // an APC has one key for both
	{"test.", []string{"test"}},
}

func effectsOf(command string) []string {
	for _, e := range effects {
		if strings.HasPrefix(strings.ToLower(command), e.command) {
			return e.does
		}
	}
	return nil
}

// unasked is S16: what a device is told to do, other than to answer, was asked for by a client or is
// the kill-power run. The driver tells of either when it is done. One that was killed on the way
// tells nothing.
type unasked struct {
	asked promises // by UPS and command: to be explained
}

func newUnasked() Oracle { return &unasked{} }

func (o *unasked) ID() string              { return "S16" }
func (o *unasked) Due(v *View) []Violation { return o.asked.late("S16", v) }

func (o *unasked) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Kind == env.Device && ev.UPS != "":
		v.judge("S16")
		at := v.Now
		o.asked.hold(subject{ev.Name, ev.UPS}, at.Add(commandTime), func() string {
			return fmt.Sprintf("%s was told to %s (%s) at %s and nobody had asked for it",
				ev.UPS, ev.Name, ev.Value, stamp(at))
		})
	case ev.Kind == env.Cmd && ev.UPS != "":
		o.explain(ev.UPS, effectsOf(ev.Name))
	case ev.Kind == env.LoadKill && ev.UPS != "":
		o.explain(ev.UPS, effectsOf("driver.killpower"))
	case ev.Kind == env.Proc && ev.Value != "start" && strings.HasPrefix(ev.Name, "driver"),
		ev.Kind == env.Machine && ev.Value != Up && ev.Value != Stopping:
		for _, s := range o.asked.subjects() {
			if v.UPS(s.ups).Server == ev.Host {
				o.asked.drop(s)
			}
		}
	}
	return nil
}

func (o *unasked) explain(ups string, does []string) {
	for _, what := range does {
		o.asked.drop(subject{what, ups})
	}
}

// effect is S17: an instant command that its driver reports as accepted has done its thing to the
// device, once; one that failed has done it once at most.
type effect struct {
	done map[string][]string // by UPS: what its device was told since the last command
}

func newEffect() Oracle { return &effect{done: map[string][]string{}} }

func (o *effect) ID() string            { return "S17" }
func (o *effect) Due(*View) []Violation { return nil }

func (o *effect) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.Device:
		o.done[ev.UPS] = append(o.done[ev.UPS], ev.Name)
	case env.LoadKill:
		delete(o.done, ev.UPS)
	case env.Cmd:
		defer delete(o.done, ev.UPS)
		return o.judge(v, ev)
	}
	return nil
}

func (o *effect) judge(v *View, ev env.Event) []Violation {
	does := effectsOf(ev.Name)
	_, modelled := v.UPS(ev.UPS).Spec["runtime"]
	if len(does) == 0 || !modelled || ev.Name == "shutdown.default" || ev.Name == "driver.killpower" {
		return nil // not a command of the device, or one that is repeated until it is obeyed
	}
	v.judge("S17")
	n, least := 0, 0
	for _, what := range o.done[ev.UPS] {
		if what == does[0] {
			n++
		}
	}
	if strings.HasPrefix(ev.Why, "accepted") {
		least = 1
	}
	if n <= 1 && n >= least {
		return nil
	}
	return []Violation{wrong("S17", subject{ev.Host, ev.UPS}, v.Now,
		"the driver of %s reported %s at %s as %s, and the device was told to %s %s",
		ev.UPS, ev.Name, stamp(v.Now), ev.Why, does[0], plural(int64(n), "time", "times"))}
}

// driverBack is L07: when nothing keeps a driver from its device any more, its data are fresh again
// within the time of a reconnect and a poll.
type driverBack struct{ fresh promises }

// Times of a driver that has lost its device: the longest pause between two tries to open it, and
// what one try may take, since a device that does not answer is asked several times.
const (
	reconnectTime = 5 * time.Second
	openTime      = 15 * time.Second
)

// reopenTime is what a driver may take to have fresh data once its device is back.
func reopenTime(u *UPS) time.Duration {
	return reconnectTime + openTime + u.Driver.Duration("pollinterval")
}

func newDriver() Oracle { return &driverBack{} }

func (o *driverBack) ID() string              { return "L07" }
func (o *driverBack) Due(v *View) []Violation { return o.fresh.late("L07", v) }

// driving are the kinds of events that change what L07 judges.
var driving = []env.Kind{env.Data, env.Fault, env.Proc, env.Machine, env.Power}

func (o *driverBack) Event(v *View, ev env.Event) []Violation {
	if !slices.Contains(driving, ev.Kind) {
		return nil
	}
	for _, u := range v.upses {
		s := subject{u.Server, u.Name}
		if u.StaleSince == env.Never || u.Server == "" || !v.driven(u) {
			o.fresh.drop(s)
			continue
		}
		if !o.fresh.holds(s) {
			v.judge("L07")
		}
		h := v.Host(u.Server)
		d := h.Service("driver:" + u.Name)
		since := latest(u.StaleSince, u.FaultAt, d.Since, d.FixedAt, u.InputSince, u.OutletSince)
		o.fresh.hold(s, since.Add(reopenTime(u)), func() string {
			return fmt.Sprintf("the driver of %s on %s still has no fresh data at %s although all is "+
				"in order since %s; they are stale since %s", u.Name, u.Server, stamp(v.Now),
				stamp(since), stamp(u.StaleSince))
		})
	}
	return nil
}

// driven reports that the driver of u runs and that its device answers.
func (v *View) driven(u *UPS) bool {
	h := v.Host(u.Server)
	d := h.Service("driver:" + u.Name)
	return len(u.Faults) == 0 && h.Machine == Up && d.Works() && d.State != "failed" &&
		(u.Outlet || !u.OnBattery)
}
