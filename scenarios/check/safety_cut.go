package check

import (
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// cut is S01: when the power of h falls below its need, h is neither up nor stopping.
type cut struct{ paths map[subject]*path }

func newCut() Oracle { return &cut{paths: map[subject]*path{}} }

func (o *cut) ID() string            { return "S01" }
func (o *cut) Due(*View) []Violation { return nil }

func (o *cut) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.Power, env.Fault, env.Link:
		o.follow(v)
	case env.Proc, env.Machine:
		if ev.Host != "" && !v.onlyItself(ev.Host) {
			o.follow(v)
		}
	case env.FSD:
		if ev.UPS != "" && ev.Prog == "upsd" && ev.Value == "set" && v.UPS(ev.UPS).FSDAt == v.Now {
			o.forced(v, v.UPS(ev.UPS))
		}
	case env.Fed:
		if ev.Host != "" && ev.Value == "no" {
			return o.judge(v, v.Host(ev.Host))
		}
	}
	return nil
}

// follow keeps the paths from every UPS to the hosts that it feeds.
func (o *cut) follow(v *View) {
	for _, u := range v.upses {
		for _, h := range u.Hosts {
			p := o.path(v, h, u)
			switch {
			case !u.OnBattery:
				p.battery.on = false
			case !p.battery.on:
				p.battery = begin(p.open, v.Now)
			}
			if open := v.passable(h, u); open != p.open {
				p.open, p.since = open, v.Now
				p.battery.turn(h, open, v.Now)
				p.fsd.turn(h, open, v.Now)
				if !open && p.fsd.on && p.fsd.known() == env.Never && p.broke == env.Never {
					p.broke = v.Now
				}
			}
		}
	}
}

func (o *cut) path(v *View, h *Host, u *UPS) *path {
	s := subject{h.Name, u.Name}
	p := o.paths[s]
	if p == nil {
		p = &path{open: v.passable(h, u), since: v.Now, broke: env.Never}
		o.paths[s] = p
	}
	return p
}

// forced begins the chances to know of an FSD.
func (o *cut) forced(v *View, u *UPS) {
	for _, h := range u.Hosts {
		p := o.path(v, h, u)
		p.fsd, p.atFSD, p.broke = begin(p.open, v.Now), "", env.Never
		if !p.open {
			p.broke = p.since
		}
		if w := h.Monitor.Watches(u.Name); w != nil {
			p.atFSD = w.Status
		}
	}
}

// lateCut reports that a host, its system halted, had told the UPS itself to switch the load off, and
// was about to tell another one: it has nothing to lose any more.
func lateCut(h *Host, u *UPS) bool {
	return h.Machine == Stopping && u.KilledBy == h.Name && u.KilledAt != env.Never &&
		u.KilledAt >= h.Since.Add(h.Declared("halt"))
}

func (o *cut) judge(v *View, h *Host) []Violation {
	v.judge("S01")
	if h.Machine != Up && h.Machine != Stopping {
		return nil
	}
	u, s := lastCut(h), subject{host: h.Name}
	if u != nil && lateCut(h, u) {
		return nil
	}
	cause := "no UPS is known to feed it"
	switch {
	case u != nil && u.Outlet:
		s.ups, cause = u.Name, "it hangs on "+u.Name
	case u != nil:
		s.ups = u.Name
		cause = fmt.Sprintf("the outlet of %s went off at %s (%s)",
			u.Name, stamp(u.OutletSince), u.OutletWhy)
	}
	x := wrong("S01", s, v.Now, "%s lost its power at %s while it was %s (machine %s since %s): %s",
		h.Name, stamp(v.Now), h.Machine, h.Machine, stamp(h.Since), cause)
	x.Excuse = o.excuse(v, h, u)
	return []Violation{x}
}

// lastCut is the UPS whose outlet went off last of those that feed h. The news of the outlet may
// come after that of its effect: then it is the UPS that was ordered to stop last, or one on
// battery.
func lastCut(h *Host) *UPS {
	var last *UPS
	for _, f := range h.Feeds {
		u := f.UPS
		switch {
		case last == nil:
			last = u
		case u.Outlet != last.Outlet:
			if !u.Outlet {
				last = u
			}
		case !u.Outlet && u.OutletSince >= last.OutletSince,
			u.Outlet && u.OnBattery && !last.OnBattery,
			u.Outlet && u.OnBattery == last.OnBattery && u.FSD && !last.FSD:
			last = u
		}
	}
	return last
}
