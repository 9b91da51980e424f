package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// founded is S04: a shutdown begins only while the power sum, worked out anew, is below
// MINSUPPLIES, or an operator ordered it. It judges the first sign of each shutdown, since by the
// time of SHUTDOWNCMD the host's own FSD would justify it.
//
// When the only thing to be said for the shutdown is silence on line power, a UPS that was never
// heard, or a calibration, then S05, S06 or S07 reports it instead.
type founded struct{}

// blame is the oracle that has to report a shutdown for which nothing but b speaks; "" when b is
// reason enough.
func (b balance) blame() string {
	switch {
	case b.short():
		return ""
	case len(b.silent) > 0:
		return "S05"
	case len(b.unheard) > 0:
		return "S06"
	case len(b.testing) > 0:
		return "S07"
	}
	return "S04"
}

// Operator counts, in Report.Counts, the shutdowns that were believed to be a person's order.
const Operator = "operator"

func newFounded() Oracle { return founded{} }

func (founded) ID() string            { return "S04" }
func (founded) Due(*View) []Violation { return nil }

func (founded) Event(v *View, _ env.Event) []Violation {
	h := v.beginning
	if h == nil {
		return nil
	}
	v.judge("S04")
	if h.Attempt.Operator {
		v.judge(Operator)
	}
	b := v.balance(h)
	if h.Attempt.Operator || b.blame() != "S04" {
		return nil
	}
	return []Violation{wrong("S04", subject{host: h.Name}, v.Now,
		"%s began its shutdown at %s (%s) although %s healthy and it needs %d: %s",
		h.Name, stamp(v.Now), h.Attempt.Sign, plural(b.healthy, "supply is", "supplies are"),
		b.need, strings.Join(b.lines, "; "))}
}

// silence is S05: a UPS that was last seen on line power is never critical for being silent,
// however long. It judges shutdowns, and claims of a monitor that such a UPS is critical.
type silence struct{}

func newSilence() Oracle { return silence{} }

func (silence) ID() string            { return "S05" }
func (silence) Due(*View) []Violation { return nil }

func (silence) Event(v *View, ev env.Event) []Violation {
	if h := v.beginning; h != nil {
		b := v.balance(h)
		if h.Attempt.Operator || b.blame() != "S05" {
			return nil
		}
		return []Violation{wrong("S05", subject{h.Name, baseName(b.silent[0])}, v.Now,
			"%s began its shutdown at %s (%s) with no more reason than silence on line power: %s",
			h.Name, stamp(v.Now), h.Attempt.Sign, strings.Join(b.lines, "; "))}
	}
	if ev.Kind == env.Comm && ev.Value == "lost" {
		if w := lineOf(v, ev); w != nil && has(w.Status, "OL") {
			v.judge("S05")
		}
	}
	if ev.Kind != env.Critical || ev.Value != "yes" {
		return nil
	}
	w := lineOf(v, ev)
	if w == nil || w.Comm != "lost" || !has(w.Status, "OL") {
		return nil
	}
	if _, right := v.Host(ev.Host).Monitor.reading(w, v.Now, v.Tolerance).critical(); right {
		return nil
	}
	return []Violation{wrong("S05", subject{ev.Host, w.UPS}, v.Now,
		"%s called %s critical at %s (critical yes, %s) although it is only silent: %s",
		ev.Host, w.As, stamp(v.Now), ev.Name, w.describe("lost on line power"))}
}

// lineOf is the MONITOR line that an event of upsmon is about, nil when there is none.
func lineOf(v *View, ev env.Event) *Watched {
	if ev.Prog != "upsmon" || ev.Host == "" {
		return nil
	}
	return v.Host(ev.Host).Monitor.line(ev.UPS)
}

// once is S10: SHUTDOWNCMD runs at most once between two boots of a host.
type once struct{}

func newOnce() Oracle { return once{} }

func (once) ID() string            { return "S10" }
func (once) Due(*View) []Violation { return nil }

func (once) Event(v *View, ev env.Event) []Violation {
	if ev.Kind != env.ShutdownCmd || ev.Prog != "upsmon" || ev.Host == "" {
		return nil
	}
	v.judge("S10")
	ran := v.Host(ev.Host).Attempt.Commands
	if len(ran) < 2 {
		return nil
	}
	return []Violation{wrong("S10", subject{host: ev.Host}, v.Now,
		"%s ran SHUTDOWNCMD again at %s, the first time was at %s, and it has not booted since",
		ev.Host, stamp(v.Now), stamp(ran[0]))}
}

// notice is S14: SHUTDOWN is notified FINALDELAY before SHUTDOWNCMD, and not much earlier.
type notice struct{}

// noticeSlack is by how much FINALDELAY may be exceeded.
const noticeSlack = time.Second

func newNotice() Oracle { return notice{} }

func (notice) ID() string            { return "S14" }
func (notice) Due(*View) []Violation { return nil }

func (notice) Event(v *View, ev env.Event) []Violation {
	if ev.Kind != env.ShutdownCmd || ev.Prog != "upsmon" || ev.Host == "" {
		return nil
	}
	h := v.Host(ev.Host)
	if len(h.Attempt.Commands) > 1 {
		return nil // S10's
	}
	v.judge("S14")
	s := subject{host: h.Name}
	if h.Attempt.Announced == env.Never {
		return []Violation{wrong("S14", s, v.Now,
			"%s ran SHUTDOWNCMD at %s without having notified SHUTDOWN", h.Name, stamp(v.Now))}
	}
	final := h.Monitor.Settings.Duration("FINALDELAY")
	took := v.Now.Sub(h.Attempt.Announced)
	most := final + noticeSlack + h.Service("upsmon").frozenSince(h.Attempt.Announced)
	if took+v.Tolerance >= final && took <= most+v.Tolerance {
		return nil
	}
	return []Violation{wrong("S14", s, v.Now,
		"%s ran SHUTDOWNCMD at %s, %s after it notified SHUTDOWN at %s, but FINALDELAY is %s",
		h.Name, stamp(v.Now), span(took), stamp(h.Attempt.Announced), span(final))}
}

// flag is S15: POWERDOWNFLAG exists before SHUTDOWNCMD on a primary that has the feature, and does
// not exist one second after the monitor has started in another boot.
type flag struct{ gone promises }

// flagTime is how long a monitor that starts may take to remove an old flag.
const flagTime = time.Second

func newFlag() Oracle { return &flag{} }

func (o *flag) ID() string              { return "S15" }
func (o *flag) Due(v *View) []Violation { return o.gone.late("S15", v) }

func (o *flag) Event(v *View, ev env.Event) []Violation {
	if ev.Host == "" {
		return nil
	}
	h := v.Host(ev.Host)
	switch ev.Kind {
	case env.Setting, env.Proc, env.Flag, env.Machine:
		o.leftover(v, h)
	case env.ShutdownCmd:
		if ev.Prog != "upsmon" || !h.Monitor.Primary() || !h.Flag.Known || h.Flag.Foreign {
			return nil
		}
		v.judge("S15")
		if f := h.Flag; !f.Set || f.Boot < h.Boots {
			return []Violation{wrong("S15", subject{host: h.Name}, v.Now,
				"%s, a primary, ran SHUTDOWNCMD at %s and wrote no POWERDOWNFLAG before",
				h.Name, stamp(v.Now))}
		}
	}
	return nil
}

// leftover watches over a flag of an earlier boot.
func (o *flag) leftover(v *View, h *Host) {
	s := subject{host: h.Name}
	written, started := h.Flag.At, h.Monitor.Started
	if !h.Flag.Set || h.Flag.Foreign || h.Flag.Boot >= h.Boots || started == env.Never ||
		!h.Running() || !h.Service("upsmon").Works() {
		o.gone.drop(s)
		return
	}
	if !o.gone.holds(s) {
		v.judge("S15")
	}
	o.gone.hold(s, started.Add(flagTime), func() string {
		return fmt.Sprintf("POWERDOWNFLAG of %s, written at %s before it booted, still exists %s "+
			"after upsmon started at %s", h.Name, stamp(written), span(flagTime), stamp(started))
	})
}
