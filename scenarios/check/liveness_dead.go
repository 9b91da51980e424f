package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// dead is L03: a UPS that was on battery when last heard, and from which nothing came for DEADTIME,
// is critical within a poll: its monitor says so, or goes down.
type dead struct {
	taken promises
	claim map[*Watched]bool // the monitor calls it critical
}

func newDead() Oracle { return &dead{claim: map[*Watched]bool{}} }

func (o *dead) ID() string              { return "L03" }
func (o *dead) Due(v *View) []Violation { return o.taken.late("L03", v) }

func (o *dead) Event(v *View, ev env.Event) []Violation {
	w := lineOf(v, ev)
	if w != nil && ev.Kind == env.Critical {
		o.claim[w] = ev.Value == "yes"
	}
	switch {
	case ev.Host == "":
	case ev.Prog == "upsmon" || slices.Contains(disturbing, ev.Kind):
		o.host(v, v.Host(ev.Host))
	}
	return nil
}

func (o *dead) host(v *View, h *Host) {
	m := &h.Monitor
	if m.Started == env.Never && len(m.Watched) > 0 {
		for _, w := range m.Watched {
			delete(o.claim, w)
		}
	}
	for _, w := range m.Watched {
		s := subject{h.Name, w.As}
		if w.Comm != "lost" || w.old || !onBattery(w.Status) || has(w.Status, "CAL") || o.claim[w] ||
			h.Attempt.Began != env.Never || !h.watching() {
			o.taken.drop(s)
			continue
		}
		if !o.taken.holds(s) {
			v.judge("L03")
		}
		from := w.CommAt
		if fixed := h.Service("upsmon").FixedAt; fixed != env.Never {
			from = max(from, fixed) // silence counts while somebody listens
		}
		o.taken.hold(s, from.Add(m.deadTime(w)), func() string {
			return fmt.Sprintf("%s does not take %s for empty, although it was on battery and nothing "+
				"was heard for DEADTIME: %s", h.Name, w.As, w.describe("as accepted"))
		})
	}
}

// deadTime is how long a monitor may take from noticing the silence to taking the battery for empty.
func (m *Monitor) deadTime(w *Watched) time.Duration {
	wait := m.Settings.Duration("DEADTIME") + max(m.Settings.Duration("OBLBDURATION"), 0)
	if !w.Primary {
		wait = max(wait, m.Settings.Duration("DEADTIME")+m.Settings.Duration("HOSTSYNC"))
	}
	return wait + m.Settings.Poll() + requestTime
}
