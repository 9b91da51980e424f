package check

import (
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// redundancy is S11: while UPSes that are fine, and from which word gets to a host, carry enough of
// its supplies, that host is not stopped. It goes by the electricity and the network, not by what
// the host was told; so it grants the time that good news take.
type redundancy struct {
	fine map[subject]env.Instant // since when; Never while not
}

func newRedundancy() Oracle { return &redundancy{fine: map[subject]env.Instant{}} }

func (o *redundancy) ID() string            { return "S11" }
func (o *redundancy) Due(*View) []Violation { return nil }

func (o *redundancy) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.Proc, env.Machine, env.Monitor:
		if v.onlyItself(ev.Host) {
			o.host(v, v.Host(ev.Host))
			break
		}
		o.all(v)
	case env.Power, env.Fault, env.Link, env.FSD, env.Wire:
		o.all(v)
	}
	h := v.beginning
	if h == nil {
		return nil
	}
	v.judge("S11")
	if h.Attempt.Operator {
		return nil
	}
	sum, names := int64(0), []string(nil)
	for _, w := range h.Monitor.Watched {
		since, known := o.fine[subject{h.Name, w.UPS}]
		if known && since != env.Never && v.Now.Sub(since) > newsTime(h, v.UPS(w.UPS))+v.Tolerance {
			sum += w.Power
			names = append(names, w.UPS+" is fine since "+stamp(since))
		}
	}
	need := h.Monitor.Settings.Number("MINSUPPLIES")
	if sum < need || need <= 0 {
		return nil
	}
	return []Violation{wrong("S11", subject{host: h.Name}, v.Now,
		"%s began its shutdown at %s (%s) although %s on good power and it needs %d: %s",
		h.Name, stamp(v.Now), h.Attempt.Sign, plural(sum, "supply is", "supplies are"), need,
		strings.Join(names, "; "))}
}

// newsTime is how long it may take at most until a monitor has heard that a UPS is fine: the
// driver finds its device, upsd its driver, the monitor its upsd.
func newsTime(h *Host, u *UPS) time.Duration {
	return reopenTime(u) + 2*h.Monitor.Settings.Poll() + clientTimeout
}

// all keeps since when each UPS is fine for each of its monitors.
func (o *redundancy) all(v *View) {
	for _, u := range v.upses {
		for _, h := range u.monitors {
			o.follow(v, h, u)
		}
	}
}

func (o *redundancy) host(v *View, h *Host) {
	for _, w := range h.Monitor.Watched {
		o.follow(v, h, v.UPS(w.UPS))
	}
}

func (o *redundancy) follow(v *View, h *Host, u *UPS) {
	s := subject{h.Name, u.Name}
	since, known := o.fine[s]
	_, modelled := u.Spec["runtime"]
	fine := (modelled || u.InputSince != env.Never) && u.Outlet && !u.FSD && !u.Empty && (!u.OnBattery || !u.Low)
	switch {
	case !fine || !v.Reachable(h, u) || !h.watching():
		o.fine[s] = env.Never
	case !known || since == env.Never:
		o.fine[s] = v.Now
	}
}
