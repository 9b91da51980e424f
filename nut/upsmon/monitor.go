package upsmon

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// lastLook is what a UPS gets to answer when one of its time limits ends: it is polled at once, and
// judged by its answer, or without one after this time. NUT waits for its next poll, and wants more
// whole seconds to have passed than the limit has.
const lastLook = 1500 * time.Millisecond

// reportQueue holds what watchers report while the main task is busy, which is for moments.
const reportQueue = 4096

// A watched is one MONITOR line at work. Its View is in monitor.views, at the same index.
type watched struct {
	*watcher
	memory Memory
	rule   Rule
	known  bool // comm was told
	alert  bool // it is to be polled every POLLFREQALERT

	looking bool // it was asked because a limit has ended, and has not answered yet
}

// A monitor is the main task's own.
type monitor struct {
	o     options
	conf  *config.Upsmon
	set   Settings
	warn  Warnings
	plan  *plan
	notes *notifier

	split  env.Split      // what was prepared for the shutdown
	parent env.Parent     // who carries it out; nil: this process
	first  *config.Upsmon // what it was prepared by

	lines []*watched
	views []View
	// leaving are the watchers of lines that a reload has removed, until they have logged out.
	leaving []*watcher

	lookAt   env.Instant // a time limit ends: poll
	decideAt env.Instant // no more waiting for the answers
	turnAt   env.Instant // a service manager wants a sign of life
	mournAt  env.Instant // the parent is dead: say so again
	jumpedAt env.Instant // when time jumped, zero for never
}

// attend is the life of the monitor: until it is told to end, or the shutdown is under way and it
// has nothing more to do. It returns the exit code.
func (m *monitor) attend(e env.Env) int {
	for {
		r, err := m.next(e, min(m.lookAt, m.decideAt))
		switch {
		case errors.Is(err, env.ErrTimeout):
			if !m.limits(e) {
				continue
			}
		case err != nil:
			return 1
		case r.kind == signal:
			if code, end := m.signal(e, r.signal); end {
				return code
			}
		case r.kind == orphaned:
			continue
		case r.kind == jumped:
			m.jump(e, r)
		default:
			if m.hear(e, r); m.looking(e) {
				continue
			}
		}
		if v := m.decide(e); v.Shutdown() {
			return m.shutdown(e, "power", v)
		}
	}
}

// next waits for a report until a time. Whatever the monitor waits for, this is how; so it is also
// what shows a service manager that the monitor is not stuck.
func (m *monitor) next(e env.Env, until env.Instant) (report, error) {
	for {
		now := e.Now()
		if now >= m.turnAt {
			e.Host().Tell(env.Turning, "")
			m.turnAt = now.Add(e.Host().Watchdog())
		}
		if now >= m.mournAt {
			m.mourn(e)
		}
		r, err := m.plan.out.Get(e, min(until, m.turnAt, m.mournAt))
		if errors.Is(err, env.ErrTimeout) && e.Now() < until {
			continue
		}
		if err == nil && r.kind == orphaned {
			m.mournAt = e.Now()
		}
		return r, err
	}
}

// numbers are those of the signals, for the log lines that people know.
var numbers = map[env.Signal]int{env.Hangup: 1, env.Interrupt: 2, env.Quit: 3, env.User1: 10,
	env.User2: 12, env.Terminate: 15}

// signal obeys a person, or the system.
func (m *monitor) signal(e env.Env, s env.Signal) (code int, end bool) {
	n := numbers[s]
	switch s {
	case env.Hangup:
		e.Log().Info(fmt.Sprintf("Signal %d: User requested RELOAD", n))
		if m.reload(e) {
			return int(env.StartOver), true
		}
	case env.User1:
		e.Log().Info(fmt.Sprintf("Signal %d: User requested FSD", n))
		e.Log().Error("Got an FSD signal, initiating forced shutdown")
		return m.shutdown(e, "operator", m.decide(e)), true
	case env.Terminate, env.Interrupt, env.Quit:
		e.Log().Info(fmt.Sprintf("Signal %d: exiting", n))
		return 0, true
	}
	return 0, false
}

// hear takes in what a watcher reports.
func (m *monitor) hear(e env.Env, r report) {
	i := m.index(r.from)
	if i < 0 {
		m.gone(e, r)
		return
	}
	l, v, now := m.lines[i], &m.views[i], e.Now()
	l.looking = false
	switch r.kind {
	case heard:
		m.comm(e, l, v, nil)
		if r.status.Text != v.Status.Text || v.Heard == env.Never {
			e.Emit(env.Event{Kind: env.Status, UPS: v.System, Value: r.status.Text})
		}
		*v = v.Accept(r.status, now)
		v.Bygone = r.status.Words.Has(nut.FSD) && r.fsdAge >= m.bygone()
		l.alert = alerting(l.alert, r.status.Words, m.set.OverDuration >= 0)
		m.pace()
		var notices []Notice
		l.memory, notices = l.memory.Accept(v.System, r.status, r.alarm, m.warn, now)
		if v.Bygone {
			notices = slices.DeleteFunc(notices, func(n Notice) bool { return n.Type == ForcedShutdown })
		}
		m.announce(e, notices...)
	case failed:
		m.comm(e, l, v, r.err)
		v.Lost = true
		var notices []Notice
		l.memory.heard = v.Heard
		l.memory, notices = l.memory.Fail(v.System, m.warn, now)
		m.announce(e, notices...)
	}
}

// fsdRuns is for how long a shutdown may be under way that this host does not know of: what a primary
// needs to halt and to have the power cut, beside what the settings say.
const fsdRuns = 2 * time.Minute

// bygone is how old an FSD must be for a host that has just booted to wait for its end.
func (m *monitor) bygone() time.Duration { return fsdRuns + m.conf.HostSync + m.conf.FinalDelay }

// gone takes leave of a watcher whose line a reload has removed.
func (m *monitor) gone(e env.Env, r report) {
	if r.kind != left {
		return
	}
	r.from.end(e)
	m.leaving = slices.DeleteFunc(m.leaving, func(w *watcher) bool { return w == r.from })
}

// comm tells of a change of communication: nil means that it is good.
func (m *monitor) comm(e env.Env, l *watched, v *View, err error) {
	m.refresh()
	if l.known && v.Lost == (err != nil) {
		return
	}
	l.known = true
	ev := env.Event{Kind: env.Comm, UPS: v.System, Value: "ok"}
	if err != nil {
		ev.Value, ev.Why = "lost", err.Error()
	}
	e.Emit(ev)
}

func (m *monitor) index(w *watcher) int {
	for i, l := range m.lines {
		if l.watcher == w {
			return i
		}
	}
	return -1
}

// refresh takes over when the UPSes were last heard: good polls that bring nothing new are not
// reported.
func (m *monitor) refresh() {
	for i, l := range m.lines {
		if v := &m.views[i]; v.Heard != env.Never {
			v.Heard = max(v.Heard, env.Instant(l.heard.Load()))
		}
	}
}

// alerting reports whether a UPS in this state is polled every POLLFREQALERT.
func alerting(was bool, w nut.Status, over bool) bool {
	switch {
	case w.Any(nut.OB | nut.OFF | nut.BYPASS | nut.ALARM), over && w.Has(nut.OVER):
		return true
	case w.Has(nut.OL) && !w.Any(nut.CAL|nut.OVER|nut.TRIM|nut.BOOST):
		return false
	}
	return was
}

// pace sets the interval of all watchers, since one UPS in trouble makes all of them important.
func (m *monitor) pace() {
	interval := m.conf.PollFreq
	for _, l := range m.lines {
		if l.alert {
			interval = m.conf.PollFreqAlert
		}
	}
	if m.plan.interval.Swap(int64(interval)) == int64(interval) {
		return
	}
	for _, l := range m.lines {
		l.orders.give(reckon)
	}
}

// limits is called when time has come. Where a time limit ends it has the UPS polled, and only when
// that had its time it reports that it is time to decide.
func (m *monitor) limits(e env.Env) (decide bool) {
	now := e.Now()
	if now >= m.lookAt {
		for i, l := range m.lines {
			if m.views[i].Next(&m.set, m.lookAt-1) == m.lookAt {
				l.orders.give(look)
				l.looking = true
			}
		}
		// From now, not from the limit: this program may have stood still since.
		m.decideAt = min(m.decideAt, now.Add(lastLook))
		m.lookAt = env.Never
	}
	if now < m.decideAt {
		return false
	}
	m.decideAt = env.Never
	for _, l := range m.lines {
		l.looking = false
	}
	return true
}

// looking reports whether a UPS has still time to answer before one of its limits counts: what
// another one reports meanwhile must not cut that short.
func (m *monitor) looking(e env.Env) bool {
	if e.Now() >= m.decideAt {
		return false
	}
	for _, l := range m.lines {
		if l.looking {
			return true
		}
	}
	return false
}

// decide judges what is known, and tells what has changed.
func (m *monitor) decide(e env.Env) Verdict {
	now := e.Now()
	m.refresh()
	v := Decide(m.views, &m.set, now)
	if m.lookAt > now {
		m.lookAt = v.Next
	}
	for i, r := range v.Rules {
		l := m.lines[i]
		if l.rule == r {
			continue
		}
		why := m.views[i].Why(r, &m.set, now)
		m.plan.debugf(e, 1, "UPS [%s]: rule %s: %s", m.views[i].System, r.ID, why)
		if text := m.views[i].told(r, &m.set, now); text != "" {
			e.Log().Warn(text + " [rule " + r.ID + "]")
		}
		ev := env.Event{Kind: env.Judge, UPS: m.views[i].System, Name: r.ID, Value: yesNo(r.Critical), Why: why}
		if next := m.views[i].Next(&m.set, now); next != env.Never {
			ev.N = int64(next.Sub(now))
		}
		e.Emit(ev)
		if l.rule.Critical != r.Critical {
			e.Emit(env.Event{Kind: env.Critical, UPS: m.views[i].System, Value: yesNo(r.Critical),
				Name: r.ID, Why: why})
		}
		l.rule = r
	}
	return v
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// because lists what the verdict rests on, UPS by UPS.
func (m *monitor) because(v Verdict, now env.Instant) string {
	parts := make([]string, len(v.Rules))
	for i, r := range v.Rules {
		w := &m.views[i]
		parts[i] = fmt.Sprintf("%s (power value %d): %s, rule %s",
			w.System, w.Power, w.Why(r, &m.set, now), r.ID)
	}
	return strings.Join(parts, "; ")
}

// announce hands announcements to the notifier.
func (m *monitor) announce(e env.Env, notices ...Notice) {
	for _, n := range notices {
		text := n.Text(m.conf.NotifyMsg[string(n.Type)])
		e.Emit(env.Event{Kind: env.Notify, UPS: n.UPS, Name: string(n.Type), Value: text})
		m.plan.debugf(e, 2, "Notification %s of UPS [%s]: %s", n.Type, n.UPS, text)
		flag, set := m.conf.NotifyFlag[string(n.Type)]
		if !set {
			flag = usualFlag
		}
		m.notes.in.Put(delivery{Notice: n, text: text, flag: flag, cmd: m.conf.NotifyCmd})
	}
}
