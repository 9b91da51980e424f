package check

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Names of the excuses of S01.
const (
	NoTime      = "no-time"     // the battery was empty before a shutdown could have been over
	Partitioned = "partitioned" // the host could not hear of the FSD and last saw line power
	Config      = "config"      // the declared numbers cannot work
	Wedged      = "wedged"      // the script froze or killed the host's monitor
)

// settling is what a repaired path needs beyond two polls before it counts as one by which a host
// could know.
const settling = time.Second

// cut is S01: when the power of h falls below its need, h is neither up nor stopping.
type cut struct {
	chances map[subject]*chance
	atFSD   map[subject]string // what the host had last accepted when FSD was set
}

// A chance is when a host could have known that its UPS is on battery.
type chance struct {
	since env.Instant // the way is open; Never while it is not
	first env.Instant // the beginning of the first opening long enough to be used; Never before
}

func newCut() Oracle { return &cut{chances: map[subject]*chance{}, atFSD: map[subject]string{}} }

func (o *cut) ID() string            { return "S01" }
func (o *cut) Due(*View) []Violation { return nil }

func (o *cut) Event(v *View, ev env.Event) []Violation {
	switch ev.Kind {
	case env.Power, env.Fault, env.Link:
		o.follow(v)
	case env.Proc, env.Machine:
		if ev.Host != "" && v.Host(ev.Host).Serves {
			o.follow(v)
		}
	case env.FSD:
		if ev.Prog == "upsd" && ev.Value == "set" {
			o.remember(v, v.UPS(ev.UPS))
		}
	case env.Fed:
		if ev.Host != "" && ev.Value == "no" {
			return o.judge(v, v.Host(ev.Host))
		}
	}
	return nil
}

// follow keeps the chances of all hosts whose UPS is on battery.
func (o *cut) follow(v *View) {
	for _, u := range v.upses {
		for _, h := range u.Hosts {
			s := subject{h.Name, u.Name}
			c := o.chances[s]
			switch {
			case !u.OnBattery:
				delete(o.chances, s)
				continue
			case c == nil:
				c = &chance{env.Never, env.Never}
				o.chances[s] = c
			}
			switch open := v.Reachable(h, u); {
			case open && c.since == env.Never:
				c.since = v.Now
			case !open && c.since != env.Never:
				useful := 2*h.Monitor.Settings.Poll() + settling
				if c.first == env.Never && v.Now.Sub(c.since) >= useful {
					c.first = c.since
				}
				c.since = env.Never
			}
		}
	}
}

func (o *cut) remember(v *View, u *UPS) {
	for _, h := range v.hosts {
		if w := h.Monitor.Watches(u.Name); w != nil {
			o.atFSD[subject{h.Name, u.Name}] = w.Status
		}
	}
}

func (o *cut) judge(v *View, h *Host) []Violation {
	v.judge("S01")
	if h.Machine != Up && h.Machine != Stopping {
		return nil
	}
	u, s := lastCut(h), subject{host: h.Name}
	cause := "none of its UPSes is known to be off"
	if u != nil {
		s.ups = u.Name
		cause = fmt.Sprintf("the outlet of %s went off at %s (%s)",
			u.Name, stamp(u.OutletSince), u.OutletWhy)
	}
	x := wrong("S01", s, v.Now, "%s lost its power at %s while it was %s (machine %s since %s): %s",
		h.Name, stamp(v.Now), h.Machine, h.Machine, stamp(h.Since), cause)
	x.Excuse = o.excuse(v, h, u)
	return []Violation{x}
}

// lastCut is the UPS whose outlet went off last of those that feed h, nil when all are on.
func lastCut(h *Host) *UPS {
	var last *UPS
	for _, f := range h.Feeds {
		if !f.UPS.Outlet && (last == nil || f.UPS.OutletSince >= last.OutletSince) {
			last = f.UPS
		}
	}
	return last
}

// excuse names the reason why nobody is to blame for the cut, "" when somebody is.
func (o *cut) excuse(v *View, h *Host, u *UPS) string {
	switch {
	case len(h.Feeds) == 0 || v.wallFailed(h, u):
		return Config
	case u == nil:
		return ""
	case unmonitored(h):
		return Config
	case wedged(v, h, u):
		return Wedged
	case o.partitioned(v, h, u):
		return Partitioned
	case u.Exhausted() && o.noTime(v, h, u):
		return NoTime
	case u.Exhausted() && u.Spec["low"] > 0 && u.Declared("low") < stopNeeds(v, h, u):
		return Config
	case !u.Exhausted() && tooSlow(v, h, u):
		return Config
	}
	return ""
}

// wallFailed reports that h hangs on the mains without a UPS, and that this is what failed last.
func (v *View) wallFailed(h *Host, u *UPS) bool {
	for _, name := range h.Walls {
		if f := v.feeds[name]; !f.on && (u == nil || f.since > u.OutletSince) {
			return true
		}
	}
	return false
}

// unmonitored reports that h has no monitor, or one that by its own numbers lives on what is left.
func unmonitored(h *Host) bool {
	m := &h.Monitor
	if len(m.Watched) == 0 {
		return h.Service("upsmon").State == ""
	}
	left := int64(0)
	for _, w := range m.Watched {
		if !fedBy(h, w.UPS) || outletOn(h, w.UPS) {
			left += w.Power
		}
	}
	return left >= m.Settings.Number("MINSUPPLIES")
}

func fedBy(h *Host, ups string) bool {
	for _, f := range h.Feeds {
		if f.UPS.Name == ups {
			return true
		}
	}
	return false
}

func outletOn(h *Host, ups string) bool {
	for _, f := range h.Feeds {
		if f.UPS.Name == ups {
			return f.UPS.Outlet
		}
	}
	return false
}

// stopNeeds is how long it takes at worst from the first sign of an outage until h is down.
func stopNeeds(v *View, h *Host, u *UPS) time.Duration {
	set := h.Monitor.Settings
	sync := set.Duration("HOSTSYNC")
	if p := primaryOf(v, u); p != nil {
		sync = max(sync, p.Monitor.Settings.Duration("HOSTSYNC"))
	}
	return h.StopTime() + sync + 2*set.Poll()
}

func primaryOf(v *View, u *UPS) *Host {
	for _, h := range v.hosts {
		if w := h.Monitor.Watches(u.Name); w != nil && w.Primary {
			return h
		}
	}
	return nil
}

// emergency is when the last call to stop came: FSD, else low battery, else the outage.
func emergency(u *UPS) env.Instant {
	switch {
	case u.FSDAt != env.Never && (!u.OnBattery || u.FSDAt >= u.InputSince):
		return u.FSDAt
	case u.Low:
		return u.LowSince
	}
	return u.InputSince
}

// wedged reports that a scenario stopped the monitor of h before it could act, or while it did, and
// gave it back too late or not at all.
func wedged(v *View, h *Host, u *UPS) bool {
	s := h.Service("upsmon")
	poll := h.Monitor.Settings.Poll()
	switch {
	case h.Wedged:
		return true
	case s.BrokenAt == env.Never || v.Now <= s.BrokenAt.Add(v.Tolerance):
		return false // not at all, or by the cut itself
	case h.Attempt.Began == env.Never && s.BrokenAt > emergency(u).Add(poll+settling):
		return false // it had its chance
	}
	return s.FixedAt == env.Never || v.Now.Sub(s.FixedAt) < h.StopTime()+2*poll
}

// partitioned reports that h could not reach upsd from before FSD until it was too late, and had
// no reason to stop by itself.
func (o *cut) partitioned(v *View, h *Host, u *UPS) bool {
	if u.Server == "" || u.Server == h.Name || u.FSDAt == env.Never {
		return false
	}
	set := h.Monitor.Settings
	react := h.StopTime() + 2*set.Poll() + clientTimeout
	for _, l := range []*Link{v.Link(u.Server, h.Name), v.Link(h.Name, u.Server)} {
		if l.CutAt == env.Never || l.CutAt > u.FSDAt ||
			!l.Cut && v.Now.Sub(l.HealedAt) >= react {
			continue
		}
		alone := set.Duration("DEADTIME") + set.Duration("HOSTSYNC") + react
		if !has(o.atFSD[subject{h.Name, u.Name}], "OB") || v.Now.Sub(l.CutAt) < alone {
			return true
		}
	}
	return false
}

// noTime reports that the battery lasted shorter, from when h could know of the outage, than h
// needs to stop.
func (o *cut) noTime(v *View, h *Host, u *UPS) bool {
	c := o.chances[subject{h.Name, u.Name}]
	if c == nil {
		return false
	}
	known := min(c.first, c.since)
	return known == env.Never || v.Now.Sub(known) < stopNeeds(v, h, u)
}

// tooSlow reports that h stops so much slower than the primary that the primary cannot know, by
// the declared numbers alone: it logs out before it is down, or later than HOSTSYNC.
func tooSlow(v *View, h *Host, u *UPS) bool {
	p := primaryOf(v, u)
	if p == nil || p == h {
		return false
	}
	set, prime := h.Monitor.Settings, p.Monitor.Settings
	halt := h.Declared("halt")
	announce := set.Poll() + set.Duration("FINALDELAY")
	stay := set.Duration("SHUTDOWNEXIT") // how long it stays logged in beyond SHUTDOWNCMD
	if stay < 0 {
		stay = halt
	}
	waits := min(announce+min(stay, halt), prime.Duration("HOSTSYNC"))
	return announce+halt > waits+p.StopTime()+u.Delay("offdelay")
}

// kill is S02: no load-off while another client is logged in and less than HOSTSYNC has passed
// since FSD was set.
type kill struct {
	others map[string]*crowd // by UPS
}

// A crowd is who was still logged in when the primary ran SHUTDOWNCMD. Its own upsmon logs out
// then too, and its upsd dies with the host, so that a later count would say nothing.
type crowd struct {
	logins int64 // the primary's own included
	left   int64
}

func newKill() Oracle { return &kill{others: map[string]*crowd{}} }

func (o *kill) ID() string            { return "S02" }
func (o *kill) Due(*View) []Violation { return nil }

func (o *kill) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Kind == env.ShutdownCmd && ev.Host != "":
		for _, w := range v.Host(ev.Host).Monitor.Watched {
			if w.Primary {
				o.others[w.UPS] = &crowd{logins: v.UPS(w.UPS).Logins}
			}
		}
	case ev.Kind == env.Login:
		delete(o.others, ev.UPS) // upsd lives, or lives again: its own count is right
	case ev.Kind == env.Logout:
		if c := o.others[ev.UPS]; c != nil && !mentions(ev.Why, "upsd", "server", "stop") {
			c.left++
		}
	case ev.Kind == env.LoadKill && ev.Value != "refused" && ev.UPS != "":
		return o.judge(v, v.Host(ev.Host), v.UPS(ev.UPS))
	}
	return nil
}

func (o *kill) judge(v *View, h *Host, u *UPS) []Violation {
	v.judge("S02")
	others := u.Logins - 1
	if c := o.others[u.Name]; c != nil {
		others = c.logins - 1 - max(c.left-1, 0)
	}
	waited := v.Now.Sub(u.FSDAt)
	sync := h.Monitor.Settings.Duration("HOSTSYNC")
	if others <= 0 || u.FSDAt == env.Never || waited+v.Tolerance >= sync {
		return nil
	}
	return []Violation{wrong("S02", subject{h.Name, u.Name}, v.Now,
		"%s told %s to switch its load off at %s, only %s after FSD (set at %s, HOSTSYNC %s), "+
			"while %s still logged in", h.Name, u.Name, stamp(v.Now), span(waited), stamp(u.FSDAt),
		span(sync), plural(others, "other client was", "other clients were"))}
}
