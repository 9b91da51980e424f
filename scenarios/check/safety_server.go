package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// probeTime is how long it takes until an independent client, which reads about once a second, has
// read a change and told it: one interval, and the way of the reply that was already under way.
const probeTime = 2 * time.Second

// served is a status that clients can read, and where that is known from.
type served struct{ by, status string }

// withoutFSD is a status that clients read of u and that lacks FSD. An error is no status, and what
// upsd served before the data went bad is not read any more.
func (u *UPS) withoutFSD() (s served, ok bool) {
	for _, s := range [...]served{{"served", u.Served}, {"probe status", u.Probe}} {
		unread := s.by == "served" && u.DataBad
		if s.status != "" && !isError(s.status) && !has(s.status, "FSD") && !unread {
			return s, true
		}
	}
	return served{}, false
}

func isError(reply string) bool { return strings.HasPrefix(reply, "ERR") }

// latch is S08: after FSD is set, every status served says FSD, until upsd starts anew or says
// that it has taken FSD back.
type latch struct{ shown promises }

func newLatch() Oracle { return &latch{} }

func (o *latch) ID() string              { return "S08" }
func (o *latch) Due(v *View) []Violation { return o.shown.late("S08", v) }

func (o *latch) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.FSD, env.Served, env.Probe, env.Proc, env.Machine, env.Data:
	default:
		return nil
	}
	if ev.Kind == env.FSD && ev.Prog == "upsd" && ev.Value == "set" {
		v.judge("S08")
	}
	for _, u := range v.upses {
		s := subject{u.Server, u.Name}
		bare, ok := u.withoutFSD()
		if !ok || !u.FSD || u.Server == "" || !v.Host(u.Server).Service("upsd").Works() {
			o.shown.drop(s)
			continue
		}
		o.shown.hold(s, latest(u.FSDAt, u.DataAt).Add(probeTime), func() string {
			return fmt.Sprintf("%s gives %q as the status of %s (%s) although FSD was set at %s "+
				"and nobody took it back", u.Server, bare.status, u.Name, bare.by, stamp(u.FSDAt))
		})
	}
	return nil
}

// fresh is S12: when a driver or its device has fallen silent for MAXAGE, one second and a poll, or
// has said that its data are stale, clients read an error. A driver may vouch for a silent device
// for as many failed polls as drivers forgive, which is longer when it polls seldom.
type fresh struct{ errors promises }

// failedPolls is how many polls it may take at most until a driver gives its device up: the fifth that
// fails, and the one that was just over.
const failedPolls = 6

// questionTime is what a driver may wait for the answer that a poll begins with.
const questionTime = 2 * time.Second

func newFresh() Oracle { return &fresh{} }

func (o *fresh) ID() string              { return "S12" }
func (o *fresh) Due(v *View) []Violation { return o.errors.late("S12", v) }

func (o *fresh) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.Probe, env.Proc, env.Machine, env.Fault, env.Data:
	default:
		return nil
	}
	for _, u := range v.upses {
		if u.Server != "" && u.Probe != "" {
			o.watch(v, u, v.Host(u.Server))
		}
	}
	return nil
}

// watch follows one UPS and the host that serves it.
func (o *fresh) watch(v *View, u *UPS, h *Host) {
	s := subject{h.Name, u.Name}
	by, since, why := u.errorBy(h)
	upsd := h.Service("upsd")
	if by == env.Never || isError(u.Probe) || u.Probe == "WAIT" || // no data yet
		!h.Running() || !upsd.Works() {
		o.errors.drop(s)
		return
	}
	if upsd.Since != env.Never { // a upsd that was itself away needs a moment
		by = max(by, upsd.Since.Add(probeTime))
	}
	if !o.errors.holds(s) {
		v.judge("S12")
	}
	o.errors.hold(s, by, func() string {
		return fmt.Sprintf("%s still gives %q as the status of %s (probe status at %s) "+
			"although %s since %s", h.Name, u.Probe, u.Name, stamp(u.ProbeAt), why, stamp(since))
	})
}

// errorBy is when clients must read an error instead of the data of u, and since when and why;
// Never while the data may be served.
func (u *UPS) errorBy(server *Host) (by, since env.Instant, why string) {
	by = env.Never
	if u.SilentSince != env.Never {
		poll := u.Driver.Duration("pollinterval")
		age := server.Server.Duration("MAXAGE") + time.Second + poll
		if u.speaks {
			age = max(age, failedPolls*(poll+questionTime))
		}
		by, since, why = u.SilentSince.Add(age).Add(probeTime), u.SilentSince, u.SilentWhy
	}
	if told := u.StaleSince; told != env.Never && told.Add(probeTime) < by {
		by, since, why = told.Add(probeTime), told, "its driver has called the data stale"
	}
	return by, since, why
}
