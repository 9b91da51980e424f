package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// back is L01: once everything is in order and the mains are on, each host that ever was up is up
// again within the time that a shutdown under way, the return of the outlet and a boot may take.
type back struct {
	up    promises
	deaf  map[string]bool // UPSes that could not be told to switch the load off, and did not
	calm  env.Instant     // the calm that boots are counted in
	boots map[string]int  // by host: boots before the calm
}

const (
	backSlack = time.Minute // what L01 grants beyond the declared times
	maxBoots  = 3           // more boots than this in one calm are a loop
)

func newBack() Oracle {
	return &back{deaf: map[string]bool{}, calm: env.Never, boots: map[string]int{}}
}

func (o *back) ID() string              { return "L01" }
func (o *back) Due(v *View) []Violation { return o.up.late("L01", v) }

func (o *back) Event(v *View, ev env.Event) []Violation {
	o.listen(v, ev)
	since, calm := v.Calm()
	if since != o.calm {
		o.begin(v, since, calm)
	}
	if !calm || ev.Kind != env.Machine || ev.Host == "" {
		return nil
	}
	h := v.Host(ev.Host)
	o.host(v, h, since, calm)
	if ev.Value != Booting || h.Boots-o.boots[h.Name] != maxBoots+1 {
		return nil
	}
	x := wrong("L01", subject{host: h.Name}, v.Now,
		"%s boots again and again: %d times since all was in order at %s",
		h.Name, maxBoots+1, stamp(since))
	if v.hasty(h) {
		x.Excuse = Config
	}
	return []Violation{x}
}

// begin is called when a calm begins or ends.
func (o *back) begin(v *View, since env.Instant, calm bool) {
	o.calm = since
	for _, h := range v.hosts {
		o.boots[h.Name] = h.Boots
		o.host(v, h, since, calm)
		if calm && h.WasUp {
			v.judge("L01")
		}
	}
}

// host opens and closes the promise of one host.
func (o *back) host(v *View, h *Host, since env.Instant, calm bool) {
	s := subject{host: h.Name}
	if !calm || !h.WasUp || h.Machine == Up {
		o.up.drop(s)
		return
	}
	o.up.hold(s, latest(since, h.LeftUp).Add(backTime(h)), func() string {
		return fmt.Sprintf("%s is not up again although all is in order since %s: "+
			"machine %s since %s, %s",
			h.Name, stamp(since), h.Machine, stamp(h.Since), outlets(h))
	})
	o.up.excuse(s, func() string {
		if h.Machine == Off && h.Before == Halted && h.Spec["bios"] == stateLast {
			return LastState
		}
		if v.hasty(h) {
			return Config
		}
		return o.noFallback(v, h)
	})
}

// leastOff is how long an outlet that is cycled stays off at least.
const leastOff = 10 * time.Second

// hasty reports that a host, or the primary of one of its UPSes, declares to reboot before the load
// can have been switched off, or that another of its UPSes has cycled it by then: the cut then
// meets it when it runs, and a UPS that tells of a pending shutdown sends it down again.
func (v *View) hasty(h *Host) bool {
	for _, f := range h.Feeds {
		for _, g := range h.Feeds {
			if cycled := g.UPS.Delay("offdelay") + leastOff; g.UPS != f.UPS &&
				cycled+h.Declared("boot") <= f.UPS.Delay("offdelay") {
				return true
			}
		}
		for _, x := range []*Host{h, primaryOf(v, f.UPS)} {
			if x != nil && x.Declared("fallback") > 0 &&
				x.Declared("fallback")+x.Declared("boot") <= f.UPS.Delay("offdelay") {
				return true
			}
		}
	}
	return false
}

// LastState is the excuse of L01 for a host that was halted when its power went, and whose firmware
// was told to keep it as it was.
const LastState = "bios-last"

// stateLast is the number by which a declaration says so.
const stateLast = 1

// NoFallback is the excuse of L01 for a host that is halted on a live outlet, has no fallback, and
// whose UPS nobody could tell to cycle the outlet: it did not answer when the primary went down, or
// it obeys on battery only, or the primary has not gone down in order since; or whose UPSes cycled
// their outlets one after the other.
const NoFallback = "no-fallback"

// listen notes whether a UPS can be told to switch the load off when its primary is down.
func (o *back) listen(v *View, ev env.Event) {
	switch {
	case ev.Kind == env.Power && ev.Name == "outlet" && ev.Value == "off":
		delete(o.deaf, ev.UPS)
	case ev.Kind == env.Proc && ev.Host != "" && v.Host(ev.Host).Machine == Stopping:
		// A script that kills drivers kills the kill-power run as well.
		if ups, ok := strings.CutPrefix(ev.Name, "driver:"); ok && ev.Value != "exit" &&
			ev.Value != "start" {
			o.deaf[ups] = true
		}
	case ev.Kind == env.Machine && ev.Value == Halted && ev.Host != "":
		p := v.Host(ev.Host)
		for _, w := range p.Monitor.Watched {
			u := v.UPS(w.UPS)
			mute := u.FaultAt != env.Never && (len(u.Faults) > 0 || u.FaultAt >= p.LeftUp)
			if w.Primary && (mute || !u.Outlet && u.OnBattery) {
				o.deaf[u.Name] = true
			}
		}
	}
}

// noFallback returns the excuse, "" when it does not hold.
func (o *back) noFallback(v *View, h *Host) string {
	if h.Machine != Halted || h.Declared("fallback") > 0 {
		return ""
	}
	live := int64(0)
	for _, f := range h.Feeds {
		p := primaryOf(v, f.UPS)
		alone := p != nil && p != h && (p.HaltedAt == env.Never || p.HaltedAt < h.LeftUp)
		if f.UPS.Outlet && (alone || o.deaf[f.UPS.Name] || f.UPS.Spec["kill"] > 0) {
			live += f.Supplies
		}
	}
	if live > 0 && live >= h.Spec["min"] || staggered(h) {
		return NoFallback
	}
	return ""
}

// staggered reports that UPSes of a halted host have cycled their outlets, but never so many at a
// time that it lost its power: one that did would not be halted, but off.
func staggered(h *Host) bool {
	for _, f := range h.Feeds {
		if len(h.Feeds) > 1 && f.UPS.OutletSince > h.Since {
			return true
		}
	}
	return false
}

// backTime is how long a host may be away at most once all is in order.
func backTime(h *Host) time.Duration {
	cycle := h.Declared("fallback")
	for _, f := range h.Feeds {
		cycle = max(cycle, f.UPS.Delay("offdelay")+f.UPS.Delay("ondelay"))
	}
	return h.Monitor.Settings.Duration("HOSTSYNC") + h.StopTime() + cycle +
		h.Declared("boot") + backSlack
}

func outlets(h *Host) string {
	var s []string
	for _, f := range h.Feeds {
		state := "on"
		if !f.UPS.Outlet {
			state = "off since " + stamp(f.UPS.OutletSince)
		}
		s = append(s, fmt.Sprintf("the outlet of %s is %s", f.UPS.Name, state))
	}
	if len(s) == 0 {
		return "no UPS feeds it"
	}
	return strings.Join(s, ", ")
}

// down is L02: when, by accepted statuses, low batteries have brought the power sum below
// MINSUPPLIES for a POLLFREQALERT and a second, the host has begun its shutdown; and a shutdown
// that has begun ends with the host halted.
type down struct{ begun, halted promises }

// downSlack is what a shutdown may take beyond HOSTSYNC, FINALDELAY and the stop of the machine: a
// request that times out, and a poll.
const downSlack = clientTimeout + 5*time.Second

// killRun is what a host may need, after its system has stopped, to tell its UPSes to cut.
func killRun(h *Host) time.Duration {
	if h.Monitor.Primary() {
		return lateStep
	}
	return 0
}

func newDown() Oracle { return &down{} }

func (o *down) ID() string { return "L02" }

func (o *down) Due(v *View) []Violation {
	return append(o.begun.late("L02", v), o.halted.late("L02", v)...)
}

func (o *down) Event(v *View, ev env.Event) []Violation {
	if ev.Host == "" || ev.Prog != "upsmon" && ev.Kind != env.Machine && ev.Kind != env.Proc {
		return nil
	}
	h := v.Host(ev.Host)
	o.begin(v, h)
	o.halt(h)
	return nil
}

// begin watches over the time from low batteries to the first sign of a shutdown.
func (o *down) begin(v *View, h *Host) {
	s := subject{host: h.Name}
	short := h.Monitor.shortAt()
	if short == env.Never || h.Attempt.Began != env.Never || !h.watching() {
		o.begun.drop(s)
		return
	}
	if !o.begun.holds(s) {
		v.judge("L02")
	}
	by := latest(short, h.Service("upsmon").FixedAt).
		Add(h.Monitor.Settings.Duration("POLLFREQALERT") + time.Second)
	o.begun.hold(s, by, func() string {
		return fmt.Sprintf("%s has not begun to shut down although its batteries are low and it "+
			"must since %s: %s", h.Name, stamp(short), strings.Join(v.balance(h).lines, "; "))
	})
}

// halt watches over the time from there until the machine is down. A machine whose UPS does not
// answer may be held up by the command to switch the load off.
func (o *down) halt(h *Host) {
	s, a := subject{host: h.Name}, h.Attempt
	_, declared := h.Spec["halt"]
	if !declared || a.Began == env.Never || !h.Running() || h.Wedged ||
		h.Service("upsmon").Broken() {
		o.halted.drop(s)
		return
	}
	bound := h.Monitor.Settings.Duration("HOSTSYNC") + h.StopTime() + downSlack + killRun(h) +
		h.Service("upsmon").frozenSince(a.Began)
	o.halted.hold(s, a.Began.Add(bound), func() string {
		for _, f := range h.Feeds {
			if u := f.UPS; len(u.Faults) > 0 || u.FaultAt != env.Never && u.FaultAt >= a.Began {
				return ""
			}
		}
		return fmt.Sprintf("%s began its shutdown at %s (%s) and is still %s %s later",
			h.Name, stamp(a.Began), a.Sign, h.Machine, span(bound))
	})
}

// disturbing are the kinds of events after which somebody may no longer be reached.
var disturbing = []env.Kind{env.Proc, env.Machine, env.Link, env.Fault}

// follow is L04: when FSD is served, each secondary that can read it and has no other power to live
// on notifies SHUTDOWN within a poll, the round trip and a second. Who is disturbed meanwhile, or
// came later, is not judged.
type follow struct{ ends promises }

// followSlack is what L04 grants beyond a poll and the round trip.
const followSlack = time.Second

func newFollow() Oracle { return &follow{} }

func (o *follow) ID() string              { return "L04" }
func (o *follow) Due(v *View) []Violation { return o.ends.late("L04", v) }

func (o *follow) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Kind == env.FSD && ev.Prog == "upsd" && ev.Value == "set" && ev.UPS != "":
		if u := v.UPS(ev.UPS); u.FSDAt == v.Now {
			o.call(v, u)
		}
	case ev.Prog == "upsmon" && ev.Host == "":
	case ev.Prog == "upsmon":
		for _, w := range v.Host(ev.Host).Monitor.Watched {
			o.check(v, subject{ev.Host, w.UPS})
		}
	case slices.Contains(disturbing, ev.Kind) || ev.Kind == env.Data || ev.Kind == env.FSD:
		for _, s := range o.ends.subjects() {
			o.check(v, s)
		}
	}
	return nil
}

// call opens a promise for each secondary of u that must follow.
func (o *follow) call(v *View, u *UPS) {
	for _, h := range v.hosts {
		m := &h.Monitor
		w := m.Watches(u.Name)
		if w == nil || w.Primary || w.Power <= 0 || w.Comm != "ok" || !v.able(h, u) ||
			h.Attempt.Began != env.Never || m.without(v, h) >= m.Settings.Number("MINSUPPLIES") {
			continue
		}
		v.judge("L04")
		o.hold(v, h, u, w)
	}
}

// hold opens the promise of one secondary, or works its deadline out anew.
func (o *follow) hold(v *View, h *Host, u *UPS, w *Watched) {
	within := h.Monitor.Settings.Poll() + v.roundTrip(h.Name, u.Server) + followSlack
	o.ends.hold(subject{h.Name, u.Name}, u.FSDAt.Add(within), func() string {
		return fmt.Sprintf("%s, a secondary, has not notified SHUTDOWN although FSD of %s "+
			"is set since %s and it can read it: %s",
			h.Name, u.Name, stamp(u.FSDAt), w.describe("FSD is served"))
	})
}

// without is the power sum of the monitor of h without the UPSes that have FSD set and can tell it.
func (m *Monitor) without(v *View, h *Host) int64 {
	sum := int64(0)
	for _, w := range m.Watched {
		if u := v.UPS(w.UPS); !u.FSD || !v.able(h, u) {
			sum += w.Power
		}
	}
	return sum
}

// able reports that h runs its monitor and word of u gets through to it.
func (v *View) able(h *Host, u *UPS) bool {
	return h.watching() && v.Reachable(h, u) && !u.DataBad
}

// check closes a promise that is kept or cannot be judged any longer. A host that is a primary
// elsewhere first waits for its own secondaries.
func (o *follow) check(v *View, s subject) {
	if !o.ends.holds(s) {
		return
	}
	h, u := v.Host(s.host), v.UPS(s.ups)
	a := h.Attempt
	done := a.Announced != env.Never || len(a.Commands) > 0 ||
		h.Monitor.Primary() && a.Began != env.Never
	w := h.Monitor.Watches(u.Name)
	if done || w == nil || !u.FSD || h.Machine == Stopping || !v.able(h, u) ||
		h.Monitor.without(v, h) >= h.Monitor.Settings.Number("MINSUPPLIES") {
		o.ends.drop(s)
	} else {
		o.hold(v, h, u, w)
	}
}

// wait is L05: a primary waits for its secondaries no longer than HOSTSYNC and one request.
type wait struct {
	ends promises
	slow map[string]bool // by host: one of its servers was away while it waited
}

// requestTime is how long a request to a upsd that is there may take; one that has gone takes the
// time-out of the client.
const requestTime = time.Second

func newWait() Oracle { return &wait{slow: map[string]bool{}} }

func (o *wait) ID() string              { return "L05" }
func (o *wait) Due(v *View) []Violation { return o.ends.late("L05", v) }

func (o *wait) Event(v *View, ev env.Event) []Violation {
	switch {
	case slices.Contains(disturbing, ev.Kind):
		for _, s := range o.ends.subjects() {
			o.check(v, v.Host(s.host))
		}
	case ev.Prog == "upsmon" && ev.Host != "":
		o.check(v, v.Host(ev.Host))
	}
	return nil
}

func (o *wait) check(v *View, h *Host) {
	s, a := subject{host: h.Name}, h.Attempt
	if a.Waiting == env.Never || a.Announced != env.Never || len(a.Commands) > 0 || !h.watching() {
		o.ends.drop(s)
		delete(o.slow, h.Name)
		return
	}
	if !o.ends.holds(s) {
		v.judge("L05")
	}
	for _, w := range h.Monitor.Watched {
		if w.Primary && !v.Reachable(h, v.UPS(w.UPS)) {
			o.slow[h.Name] = true
		}
	}
	sync := h.Monitor.Settings.Duration("HOSTSYNC")
	bound := sync + requestTime
	if o.slow[h.Name] {
		bound = sync + clientTimeout
	}
	bound += h.Service("upsmon").frozenSince(a.Waiting)
	o.ends.hold(s, a.Waiting.Add(bound), func() string {
		return fmt.Sprintf("%s waits for its secondaries since %s and has not notified SHUTDOWN "+
			"%s later; HOSTSYNC is %s", h.Name, stamp(a.Waiting), span(bound), span(sync))
	})
}
