package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A reading is what one monitor knew of one UPS at one instant. Where events leave room, durations
// are the longest possible: a shutdown is called unfounded only when nothing could have founded it.
type reading struct {
	status   string
	lost     bool          // no communication
	silent   time.Duration // for how long at most
	low      time.Duration // OB and LB for so long
	off      time.Duration // OFF was heard for so long
	over     time.Duration // OVER for so long
	primary  bool
	settings Settings
}

func (r reading) has(word string) bool { return has(r.status, word) }

func (r reading) limit(name string) time.Duration { return r.settings.Duration(name) }

// asNUT reports that the site wants NUT's own rules.
func (r reading) asNUT() bool { return r.limit("NUT_RULES") != 0 }

// dark reports silence after which a UPS is given up that was not on line power when last heard. By
// NUT's own rules that is every silence.
func (r reading) dark() bool {
	return r.lost && (r.asNUT() || !r.has("OL") && r.silent >= r.limit("DEADTIME"))
}

// dead reports that silence on battery has lasted so long that low battery must be assumed.
func (r reading) dead() bool {
	return r.lost && onBattery(r.status) && r.silent >= r.limit("DEADTIME")
}

// empty reports that the UPS is on battery and low, or must be taken for it.
func (r reading) empty() bool { return onBattery(r.status) && r.has("LB") || r.dead() }

// emptyFor is for how long at most it has been so.
func (r reading) emptyFor() time.Duration {
	if r.has("LB") {
		return r.low
	}
	return r.silent
}

// calibrates reports a battery that is run low on purpose, by a UPS that speaks.
func (r reading) calibrates() bool {
	return !r.lost && r.has("CAL") && r.has("LB") && onBattery(r.status)
}

// passed reports that d has reached a limit that a negative value switches off.
func passed(d, limit time.Duration) bool { return limit >= 0 && d >= limit }

// rules are the published ones, in their order: the first that holds decides. They differ from
// NUT's in one thing: silence counts only after DEADTIME, and when the UPS was not last seen on line
// power.
var rules = []struct {
	why      string
	critical bool
	holds    func(reading) bool
}{
	{"never heard", false, func(r reading) bool { return r.status == "" }},
	{"FSD", true, func(r reading) bool { return r.has("FSD") }},
	{"lost while overloaded", true, func(r reading) bool {
		return r.dark() && r.has("OVER") && passed(r.over, r.limit("OVERDURATION"))
	}},
	{"lost during an alarm", true, func(r reading) bool {
		return r.dark() && r.has("ALARM") && r.limit("ALARMCRITICAL") != 0
	}},
	{"lost during calibration", true, func(r reading) bool { return r.dark() && r.has("CAL") }},
	{"lost on bypass", true, func(r reading) bool { return r.dark() && r.has("BYPASS") }},
	{"lost while off", true, func(r reading) bool {
		return r.dark() && r.has("OFF") && r.limit("OFFDURATION") >= 0
	}},
	{"off", true, func(r reading) bool {
		return r.has("OFF") && passed(r.off, r.limit("OFFDURATION"))
	}},
	{"lost on line power", false, func(r reading) bool { return r.lost && r.has("OL") }},
	{"not low on battery", false, func(r reading) bool { return !r.empty() }},
	{"calibration", false, func(r reading) bool { return r.has("CAL") }},
	{"low for less than OBLBDURATION", false, func(r reading) bool {
		return r.limit("OBLBDURATION") > 0 && r.emptyFor() < r.limit("OBLBDURATION")
	}},
	{"on battery and low", true, func(r reading) bool { return r.primary }},
	{"the primary did not speak for HOSTSYNC", true, func(r reading) bool {
		return r.emptyFor() >= r.limit("HOSTSYNC")
	}},
	{"waits for the primary", false, func(reading) bool { return true }},
}

// critical applies the rules.
func (r reading) critical() (why string, critical bool) {
	for _, rule := range rules {
		if rule.holds(r) {
			return rule.why, rule.critical
		}
	}
	return "", false
}

// reading is what the monitor knows about w now, give or take the tolerance.
func (m *Monitor) reading(w *Watched, now env.Instant, tolerance time.Duration) reading {
	since := func(t env.Instant) time.Duration {
		if t == env.Never {
			return 0
		}
		return now.Sub(t) + tolerance
	}
	r := reading{
		status: w.Status, lost: w.Comm == "lost", primary: w.Primary, settings: m.Settings,
		low: since(w.since.low), off: since(w.since.off), over: since(w.since.over),
	}
	if r.lost { // OFF counts as heard, not as time goes by in silence
		r.silent = since(w.quietFrom)
		r.off = min(r.off, max(w.CommAt.Sub(w.since.off), 0)+tolerance)
	}
	return r
}

// A balance is the healthy part of a host's power supplies, and how it was found.
type balance struct {
	healthy, need int64
	lines         []string // a sentence for each MONITOR line
	silent        []string // UPSes that are lost and were last seen on line power
	unheard       []string // UPSes of which there never was a status
	testing       []string // UPSes that calibrate, with good communication
}

func (b balance) short() bool { return b.healthy < b.need }

// balance works out the power sum of a host.
func (v *View) balance(h *Host) balance {
	m := &h.Monitor
	b := balance{need: m.Settings.Number("MINSUPPLIES")}
	for _, w := range m.Watched {
		r := m.reading(w, v.Now, v.Tolerance)
		why, critical := r.critical()
		if !critical {
			b.healthy += w.Power
		}
		if !critical && r.lost && r.has("OL") && w.Power > 0 {
			b.silent = append(b.silent, w.As)
		}
		if w.Status == "" && w.Power > 0 {
			b.unheard = append(b.unheard, w.As)
		}
		if !critical && r.calibrates() && w.Power > 0 {
			b.testing = append(b.testing, w.As)
		}
		b.lines = append(b.lines, w.describe(why))
	}
	return b
}

// describe says what the monitor was told about w.
func (w *Watched) describe(why string) string {
	s := w.As + " never reported a status"
	if w.Status != "" {
		s = fmt.Sprintf("%s last said %q at %s", w.As, w.Status, stamp(w.StatusAt))
	}
	if w.Comm == "lost" {
		s += fmt.Sprintf(", communication lost since %s", stamp(w.CommAt))
	}
	return s + " (" + why + ")"
}

// emptyAt is when the rules began to call w critical because it is on battery and low, with good
// communication; Never when they do not.
func (m *Monitor) emptyAt(w *Watched) env.Instant {
	if w.Comm == "lost" || w.old || w.since.low == env.Never ||
		has(w.Status, "CAL") || has(w.Status, "FSD") {
		return env.Never
	}
	wait := max(m.Settings.Duration("OBLBDURATION"), 0)
	if !w.Primary {
		wait = max(wait, m.Settings.Duration("HOSTSYNC"))
	}
	return w.since.low.Add(wait)
}

// shortAt is when the power sum fell below MINSUPPLIES because of UPSes that are on battery and
// low; Never when it has not.
func (m *Monitor) shortAt() env.Instant {
	need, left := m.Settings.Number("MINSUPPLIES"), int64(0)
	var ends []*Watched
	for _, w := range m.Watched {
		left += w.Power
		if m.emptyAt(w) != env.Never {
			ends = append(ends, w)
		}
	}
	if len(ends) == 0 || left < need {
		return env.Never // nothing to do with batteries
	}
	slices.SortStableFunc(ends, func(a, b *Watched) int {
		return int(min(max(m.emptyAt(a)-m.emptyAt(b), -1), 1))
	})
	for _, w := range ends {
		if left -= w.Power; left < need {
			return m.emptyAt(w)
		}
	}
	return env.Never
}
