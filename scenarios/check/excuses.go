package check

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Interrupted is the excuse of every oracle for a host that a person rebooted while it was shutting
// down for the power: two orders that contradict each other.
const Interrupted = "interrupted"

// Names of the excuses of S01.
const (
	NoTime      = "no-time"     // the battery was empty before a shutdown could have been over
	Partitioned = "partitioned" // no word of the FSD could reach the host
	Config      = "config"      // the declared numbers cannot work
	Wedged      = "wedged"      // the script froze or killed the host's monitor
	Unseen      = "unseen"      // a UPS that nobody hears counted as good, by the rules, and was not
	Race        = "race"        // it booted when the others had begun to shut down, before the kill
)

// settling is what a repaired path needs beyond two polls before it counts as one by which a host
// could know.
const settling = time.Second

// useful is how long a path must be open so that the monitor of h surely hears something.
func useful(h *Host) time.Duration { return 2*h.Monitor.Settings.Poll() + settling }

// A path is the way by which word of a UPS gets to a host.
type path struct {
	open    bool
	since   env.Instant // open or closed
	battery chance      // to know that the UPS is on battery; while it is
	fsd     chance      // to know of the last FSD
	atFSD   string      // the status that the host had last accepted when FSD was set
	// broke is when the path closed, when that was before the host could know of the FSD; else Never.
	broke env.Instant
}

// A chance is when a host could have known something, since that began.
type chance struct {
	on    bool
	since env.Instant // the way is open; Never while it is not
	first env.Instant // the beginning of the first opening that was useful; Never before
}

// begin starts a chance, now that there is something to know.
func begin(open bool, now env.Instant) chance {
	c := chance{on: true, since: env.Never, first: env.Never}
	if open {
		c.since = now
	}
	return c
}

// turn notes that the way opens or closes.
func (c *chance) turn(h *Host, open bool, now env.Instant) {
	switch {
	case !c.on:
	case open:
		c.since = now
	default:
		if c.first == env.Never && now.Sub(c.since) >= useful(h) {
			c.first = c.since
		}
		c.since = env.Never
	}
}

// known is the first moment at which the host could know; Never when it could not.
func (c *chance) known() env.Instant { return min(c.first, c.since) }

// passable reports whether word of u can get to h. A upsd stops early when its host does.
func (v *View) passable(h *Host, u *UPS) bool {
	if !v.Reachable(h, u) {
		return false
	}
	return u.Server == "" || u.Server == h.Name || v.Host(u.Server).Machine != Stopping
}

// excuse names the reason why nobody is to blame for the cut, "" when somebody is.
func (o *cut) excuse(v *View, h *Host, u *UPS) string {
	switch {
	case len(h.Feeds) == 0 || v.wallFailed(h, u):
		return Config
	case u == nil:
		return ""
	case unmonitored(h, u):
		return Config
	case wedged(v, h, u):
		return Wedged
	case o.partitioned(v, h, u):
		return Partitioned
	case u.Exhausted() && o.noTime(v, h, u):
		return NoTime
	case smallReserve(v, h):
		return Config
	case !u.Exhausted() && h.BootAt != env.Never && h.BootAt > min(u.FSDAt, u.KilledAt):
		return Race
	case v.unseen(h):
		return Unseen
	case !u.Exhausted() && (tooSlow(v, h, u) || v.hasty(h)):
		return Config
	}
	return ""
}

// smallReserve reports that one of the batteries that are empty was low too late for an orderly end,
// by its declaration or in fact.
func smallReserve(v *View, h *Host) bool {
	for _, f := range h.Feeds {
		u := f.UPS
		if !u.Exhausted() {
			continue
		}
		needs := stopNeeds(v, h, u)
		if u.Spec["low"] > 0 && u.Declared("low") < needs ||
			u.Low && u.OutletSince.Sub(u.LowSince) < needs {
			return true
		}
	}
	return false
}

// wallFailed reports that h hangs on the mains without a UPS, and that this is what failed last.
func (v *View) wallFailed(h *Host, u *UPS) bool {
	for _, name := range h.Walls {
		if f := v.feeds[name]; !f.on && (u == nil || u.Outlet || f.since > u.OutletSince) {
			return true
		}
	}
	return false
}

// unmonitored reports that h has no monitor, or one that by its own numbers lives on what is left
// without u.
func unmonitored(h *Host, u *UPS) bool {
	m := &h.Monitor
	if len(m.Watched) == 0 {
		return h.Service("upsmon").State == ""
	}
	left := int64(0)
	for _, w := range m.Watched {
		if w.UPS != u.Name && (!fedBy(h, w.UPS) || outletOn(h, w.UPS)) {
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

// lateStep is what the kill-power run of a primary may take before the machine is down: a device
// that ignores what it does not know is found by silence.
const lateStep = 20 * time.Second

// stopNeeds is how long it takes at worst from the first sign of an outage until h is down.
func stopNeeds(v *View, h *Host, u *UPS) time.Duration {
	set := h.Monitor.Settings
	sync := set.Duration("HOSTSYNC")
	if p := primaryOf(v, u); p != nil {
		sync = max(sync, p.Monitor.Settings.Duration("HOSTSYNC"))
	}
	learn := u.Driver.Duration("pollinterval") + max(set.Duration("OBLBDURATION"), 0)
	late := time.Duration(0)
	if h.Monitor.Primary() {
		late = lateStep
	}
	return learn + h.StopTime() + late + sync + 2*set.Poll()
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
	case h.Wedged || h.CutShort:
		return true
	case s.BrokenAt == env.Never || v.Now <= s.BrokenAt.Add(v.Tolerance):
		return false // not at all, or by the cut itself
	case h.Attempt.Began == env.Never && s.BrokenAt > emergency(u).Add(poll+settling):
		return false // it had its chance
	}
	return s.FixedAt == env.Never || v.Now.Sub(s.FixedAt) < h.StopTime()+2*poll
}

// partitioned reports that no word of the FSD could get to h, from before it was set until it was
// too late, and that h had no reason to stop by itself, or no time to.
func (o *cut) partitioned(v *View, h *Host, u *UPS) bool {
	p := o.paths[subject{h.Name, u.Name}]
	if p == nil || !p.fsd.on || u.Server == h.Name {
		return false
	}
	set := h.Monitor.Settings
	react := h.StopTime() + 2*set.Poll() + clientTimeout
	known := p.fsd.known()
	if known == u.FSDAt || known != env.Never && v.Now.Sub(known) >= react {
		return false
	}
	alone := set.Duration("DEADTIME") + max(set.Duration("OBLBDURATION"), 0) +
		set.Duration("HOSTSYNC") + react
	return !onBattery(p.atFSD) || p.broke != env.Never && v.Now.Sub(p.broke) < alone
}

// noTime reports that the battery lasted shorter, from when h could know of the outage, than h
// needs to stop.
func (o *cut) noTime(v *View, h *Host, u *UPS) bool {
	p := o.paths[subject{h.Name, u.Name}]
	if p == nil || !p.battery.on {
		return false
	}
	known := p.battery.known()
	if known == env.Never || v.Now.Sub(latest(known, h.UpAt)) < stopNeeds(v, h, u) {
		return true
	}
	// It knew of the outage; then it heard nothing more, not even of the low battery, and the battery
	// was empty before such a silence counts.
	set := h.Monitor.Settings
	counts := set.Duration("DEADTIME") + set.Duration("HOSTSYNC") + stopNeeds(v, h, u)
	blind := v.Now.Sub(p.since)
	return !p.open && (!u.Low || u.LowSince >= p.since) && blind >= useful(h) && blind < counts
}

// unseen reports that UPSes which h cannot hear, and which by the rules are no emergency, carry so
// many of its supplies that it has no reason to stop.
func (v *View) unseen(h *Host) bool {
	if !h.watching() || h.Attempt.Began != env.Never {
		return false
	}
	b, unseen := v.balance(h), int64(0)
	for _, w := range h.Monitor.Watched {
		r := h.Monitor.reading(w, v.Now, v.Tolerance)
		if _, critical := r.critical(); !critical && (r.lost || r.status == "") {
			unseen += w.Power
		}
	}
	return !b.short() && b.healthy-unseen < b.need
}

// tooSlow reports that h stops so much slower than the primary that the primary cannot know, by
// the declared numbers alone: it logs out before it is down, or later than HOSTSYNC.
func tooSlow(v *View, h *Host, u *UPS) bool {
	p := primaryOf(v, u)
	if p == nil || p == h {
		return false
	}
	set, prime := h.Monitor.Settings, p.Monitor.Settings
	halt, late := h.Declared("halt"), time.Duration(0)
	announce := set.Poll() + set.Duration("FINALDELAY")
	stay := set.Duration("SHUTDOWNEXIT") // how long it stays logged in beyond SHUTDOWNCMD
	if stay < 0 {
		stay = halt
	}
	if a := h.Attempt; a.Stayed != env.Never { // its system ends it at will
		stay = min(stay, a.Stayed.Sub(a.Commands[0]))
	}
	if h.Monitor.Primary() { // it waits for its own secondaries first
		announce += set.Duration("HOSTSYNC")
		late = lateStep // and then tells its own UPS
	}
	if prime.Duration("HOSTSYNC")+prime.Duration("FINALDELAY") <= set.Poll()+settling {
		return true // the server goes before everybody has read the FSD
	}
	waits := min(announce+min(stay, halt), prime.Duration("HOSTSYNC"))
	return announce+halt+late > waits+p.StopTime()+u.Delay("offdelay")
}
