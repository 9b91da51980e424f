package check

import (
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// monitor applies what upsmon tells.
func (v *View) monitor(h *Host, ev env.Event) {
	m := &h.Monitor
	if s := h.Service("upsmon").State; (s == "exit" || s == "kill") && ev.Kind != env.ShutdownCmd {
		return // its last words
	}
	switch ev.Kind {
	case env.Setting:
		m.Started = min(m.Started, v.Now)
		if !m.announcing {
			m.announcing = true
			m.former, m.renewed = m.Watched, false
		}
		m.Settings[ev.Name] = Setting{ev.N, ev.Value}
		if ev.Name == "POWERDOWNFLAG" && ev.Value != "" {
			h.Flag.Known, h.Flag.Foreign = true, false
		}
		return
	case env.Monitor:
		m.watch(ev)
		if u := v.UPS(baseName(ev.UPS)); !slices.Contains(u.monitors, h) {
			u.monitors = append(u.monitors, h)
		}
		return
	}
	m.announcing = false
	switch ev.Kind {
	case env.Comm, env.Status:
		if w := m.line(ev.UPS); w != nil {
			w.heard(m.Settings, ev, v.Now, v.requestSlack(h, v.UPS(w.UPS)))
		}
	case env.Flag:
		h.flag(ev, v.Now)
	case env.Decide, env.FSD, env.Sync, env.Notify, env.ShutdownCmd:
		if ev.Name == "SUSPEND_TIMEJUMP_UNEXPECTED" {
			v.sleep(h)
		}
		v.attempt(h, ev)
	}
}

// sleep is a monitor that has noticed that it stood still: when that was for DEADTIME, what it knew
// before is too old to count.
func (v *View) sleep(h *Host) {
	m := &h.Monitor
	if s := h.Service("upsmon"); s.FixedAt == env.Never || s.FixedAt.Sub(s.BrokenAt)+m.Settings.Poll() <
		m.Settings.Duration("DEADTIME") {
		return
	}
	for _, w := range m.Watched {
		w.old = true
	}
}

// requestSlack is what a good request of h to the upsd of u may take at most, and how long the
// monitor was frozen if it has just been given back: it counts that as silence.
func (v *View) requestSlack(h *Host, u *UPS) time.Duration {
	slack := requestTime
	if u.Server != "" && u.Server != h.Name {
		slack += v.roundTrip(h.Name, u.Server)
	}
	s := h.Service("upsmon")
	if s.FixedAt != env.Never && v.Now.Sub(s.FixedAt) <= h.Monitor.Settings.Poll()+clientTimeout {
		slack += s.FixedAt.Sub(s.BrokenAt)
	}
	return slack
}

// watch applies a MONITOR line. With the first line of a new announcement the lines of the one
// before are gone, unless they are announced again.
func (m *Monitor) watch(ev env.Event) {
	if !m.renewed {
		m.renewed, m.Watched = true, nil
	}
	w := find(m.former, ev.UPS)
	if w == nil {
		w = &Watched{As: ev.UPS, UPS: baseName(ev.UPS), StatusAt: env.Never, CommAt: env.Never,
			quietFrom: env.Never, since: never}
	}
	w.Primary, w.Power = ev.Name == "primary", ev.N
	if find(m.Watched, ev.UPS) == nil {
		m.Watched = append(m.Watched, w)
	}
}

func (m *Monitor) line(as string) *Watched { return find(m.Watched, as) }

func find(lines []*Watched, as string) *Watched {
	for _, w := range lines {
		if w.As == as {
			return w
		}
	}
	return nil
}

// heard applies an accepted status, or a change of communication. slack is what a request may take.
func (w *Watched) heard(set Settings, ev env.Event, now env.Instant, slack time.Duration) {
	w.old = w.old && ev.Kind == env.Comm && ev.Value == "lost"
	if ev.Kind == env.Comm {
		if ev.Value == "lost" && w.Comm != "lost" {
			w.quietFrom = w.lastGood(set, ev.Why, now, slack)
		}
		w.Comm, w.CommAt, w.CommWhy = ev.Value, now, ev.Why
		return
	}
	if ev.Value == "" {
		return // an empty status is a failed poll, which "comm" tells
	}
	w.Status, w.StatusAt = ev.Value, now
	since := func(at *env.Instant, on bool) {
		if !on {
			*at = env.Never
		} else if *at == env.Never {
			*at = now
		}
	}
	since(&w.since.low, onBattery(w.Status) && has(w.Status, "LB"))
	since(&w.since.off, has(w.Status, "OFF"))
	since(&w.since.over, has(w.Status, "OVER"))
}

// lastGood is the earliest moment at which the last good poll can have been, given that its loss
// is told now. Good polls are not told unless they bring something new, so all that is sure is that
// one came within the interval; a poll that hung takes its time-out on top.
func (w *Watched) lastGood(
	set Settings, why string, now env.Instant, slack time.Duration) env.Instant {
	if onBattery(w.Status) {
		slack += set.Duration("POLLFREQALERT")
	} else {
		slack += set.Poll()
	}
	if mentions(why, "timed out", "timeout", "time-out") {
		slack += clientTimeout
	}
	from := now.Add(-slack)
	if w.Status != "" {
		from = max(from, w.StatusAt)
	}
	if w.Comm == "ok" {
		from = max(from, w.CommAt)
	}
	return min(from, now)
}

// mentions reports whether text contains one of the words, whatever their letter case.
func mentions(text string, words ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

func (h *Host) flag(ev env.Event, now env.Instant) {
	f := &h.Flag
	f.Known = true
	switch ev.Value {
	case "written":
		f.Set, f.Foreign, f.At, f.Boot = true, false, now, h.Boots
	case "removed", "unset":
		f.Set, f.Foreign, f.At = false, false, now
	case "foreign":
		f.Foreign = true
	}
}

// attempt applies the steps of a host on its way down. The first one, whichever it is, is the
// beginning.
func (v *View) attempt(h *Host, ev env.Event) {
	a := &h.Attempt
	sign := ""
	switch {
	case ev.Kind == env.Decide && ev.Value == "shutdown":
		sign = "decide shutdown"
		a.Operator = a.Operator || ev.Name == "operator"
	case ev.Kind == env.FSD && (ev.Value == "sent" || ev.Value == "refused"):
		sign = "fsd " + ev.Value + " for " + ev.UPS
		a.Waiting = min(a.Waiting, v.Now)
	case ev.Kind == env.Sync && ev.Value == "wait":
		sign = "sync wait"
		a.Waiting = min(a.Waiting, v.Now)
	case ev.Kind == env.Notify && ev.Name == "SHUTDOWN_HOSTSYNC":
		sign = "notify SHUTDOWN_HOSTSYNC"
		a.Waiting = min(a.Waiting, v.Now)
	case ev.Kind == env.Notify && ev.Name == "SHUTDOWN":
		sign = "notify SHUTDOWN"
		a.Announced = v.Now
	case ev.Kind == env.ShutdownCmd:
		sign = "shutdowncmd"
		a.Commands = append(a.Commands, v.Now)
	default:
		return
	}
	if a.Began == env.Never {
		a.Began, a.Sign = v.Now, sign
		h.interrupt()
		v.beginning = h
	}
}
