package check

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// unheard is S06: a UPS from which a monitor never had a status is never critical. It judges
// shutdowns, and claims of a monitor. A monitor that has lost such a UPS gives it something to judge.
type unheard struct{}

func newUnheard() Oracle { return unheard{} }

func (unheard) ID() string            { return "S06" }
func (unheard) Due(*View) []Violation { return nil }

func (unheard) Event(v *View, ev env.Event) []Violation {
	if w := lineOf(v, ev); ev.Kind == env.Comm && ev.Value == "lost" && w != nil && w.Status == "" {
		v.judge("S06")
	}
	return v.claimed("S06", ev, func(w *Watched) bool { return w.Status == "" },
		"although it has never heard of it")
}

// calibration is S07: a battery that a calibration runs low is no emergency while the UPS speaks.
type calibration struct{}

func newCalibration() Oracle { return calibration{} }

func (calibration) ID() string            { return "S07" }
func (calibration) Due(*View) []Violation { return nil }

func (calibration) Event(v *View, ev env.Event) []Violation {
	w := lineOf(v, ev)
	tests := func(w *Watched) bool {
		r := v.Host(ev.Host).Monitor.reading(w, v.Now, v.Tolerance)
		_, critical := r.critical()
		return r.calibrates() && !critical
	}
	if ev.Kind == env.Status && w != nil && tests(w) {
		v.judge("S07")
	}
	return v.claimed("S07", ev, tests, "although it only calibrates")
}

// claimed finds a shutdown for which nothing but one kind of UPS speaks, or the claim of a monitor
// that such a UPS is critical.
func (v *View) claimed(id string, ev env.Event, is func(*Watched) bool, how string) []Violation {
	if h := v.beginning; h != nil {
		if b := v.balance(h); !h.Attempt.Operator && b.blame() == id {
			return []Violation{wrong(id, subject{host: h.Name}, v.Now,
				"%s began its shutdown at %s (%s) %s: %s", h.Name, stamp(v.Now), h.Attempt.Sign,
				how, strings.Join(b.lines, "; "))}
		}
		return nil
	}
	w := lineOf(v, ev)
	if ev.Kind != env.Critical || ev.Value != "yes" || w == nil || !is(w) {
		return nil
	}
	return []Violation{wrong(id, subject{ev.Host, w.UPS}, v.Now,
		"%s called %s critical at %s (critical yes, %s) %s: %s",
		ev.Host, w.As, stamp(v.Now), ev.Name, how, w.describe("as accepted"))}
}
