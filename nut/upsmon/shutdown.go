package upsmon

import (
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// shutdown brings this host down: it never turns back. cause is "power" or "operator". It returns
// the exit code.
func (m *monitor) shutdown(e env.Env, cause string, v Verdict) int {
	now := e.Now()
	why := m.because(v, now)
	if cause == "power" {
		e.Log().Error(fmt.Sprintf("Too few UPS(es) are healthy (%d<%d), initiating forced shutdown",
			v.Healthy, v.Need))
	}
	e.Log().Info("The shutdown rests on: " + why)
	e.Emit(env.Event{Kind: env.Decide, Value: "shutdown", Name: cause, N: int64(v.Healthy), Why: why})

	m.sync(e)
	e.Log().Error(executing)
	m.notes.in.Put(delivery{text: executing, flag: config.NotifyFlag{Wall: true}})
	m.announce(e, Notice{Type: Shutdown})
	m.pass(e, e.Now().Add(m.conf.FinalDelay))
	if m.split.Command == "" {
		// Without a shutdown there must be no flag: the next halt would cut the power.
		e.Log().Error("Unable to call shutdown command: there is no SHUTDOWNCMD in upsmon.conf")
		return 1
	}
	switch ended, ok := m.bringDown(e); {
	case !ok:
		return 1
	case ended:
		return 0
	}
	m.stay(e)
	e.Log().Info("Exiting upsmon program after initiating shutdown")
	return 0
}

// executing is what everybody on the host sees, whatever NOTIFYFLAG says.
const executing = "Executing automatic power-fail shutdown"

// A secondaries is the wait for the other hosts of one UPS.
type secondaries struct {
	*watched
	asked  bool // FSD was answered, or has failed
	others int  // logged in besides us; -1 when nobody can tell
	told   bool // that we wait
}

// holds reports whether the shutdown waits for this one.
func (s *secondaries) holds() bool { return !s.asked || s.others > 0 }

// sync sets FSD on every UPS that this host is the primary of and waits, for HOSTSYNC at most, until
// the others have logged out. One whose logins nobody can tell is not waited for.
func (m *monitor) sync(e env.Env) {
	var all []*secondaries
	for _, l := range m.lines {
		if l.line.Role == config.Primary {
			all = append(all, &secondaries{watched: l, others: unreported})
			l.orders.give(force)
		}
	}
	began := e.Now()
	announced := false
	for waiting(all) {
		// An FSD that is on its way is given the time of a request, however short HOSTSYNC is.
		until := began.Add(m.conf.HostSync)
		if pending(all) {
			until = max(until, began.Add(client.AnswerTime))
		}
		r, err := m.next(e, until)
		if err != nil {
			break
		}
		m.progress(e, all, r)
		if r.kind == forced && r.err == nil {
			began = e.Now() // HOSTSYNC is for hosts that can know
		}
		if !announced && holding(all) {
			announced = true
			m.announce(e, Notice{Type: ShutdownHostSync})
		}
	}
	for _, s := range all {
		if s.holds() {
			e.Emit(env.Event{Kind: env.Sync, UPS: s.line.System, Value: "expired", N: max(0, int64(s.others)+1)})
		}
		s.orders.give(stopped)
	}
	if waiting(all) {
		e.Log().Info("Host sync timer expired, forcing shutdown")
	}
}

// waiting reports whether anything is left to wait for.
func waiting(all []*secondaries) bool { return pending(all) || holding(all) }

// pending reports whether an FSD was not answered yet, or the logins not counted after it.
func pending(all []*secondaries) bool {
	for _, s := range all {
		if !s.asked || s.others == unreported {
			return true
		}
	}
	return false
}

// holding reports whether other hosts are logged in.
func holding(all []*secondaries) bool {
	for _, s := range all {
		if s.others > 0 {
			return true
		}
	}
	return false
}

// progress takes in what a watcher reports during the wait.
func (m *monitor) progress(e env.Env, all []*secondaries, r report) {
	for _, s := range all {
		if s.watcher != r.from {
			continue
		}
		switch r.kind {
		case forced:
			s.asked = true
			m.forcedAnswer(e, s, r.err)
		case logins:
			m.count(e, s, r.others)
		}
	}
}

func (m *monitor) forcedAnswer(e env.Env, s *secondaries, err error) {
	ev := env.Event{Kind: env.FSD, UPS: s.line.System, Value: "sent"}
	var refused netproto.Err
	switch {
	case errors.As(err, &refused):
		ev.Value, ev.Why = "refused", "ERR "+string(refused)
	case err != nil:
		ev.Value, ev.Why = "refused", err.Error()
	}
	e.Emit(ev)
	if err != nil {
		e.Log().Error(fmt.Sprintf("FSD set on UPS [%s] failed: %s", s.line.System, ev.Why))
		return
	}
	var notices []Notice
	s.memory, notices = s.memory.ForcedByUs(s.line.System)
	m.announce(e, notices...)
}

// count takes in how many others are logged in, and tells when the wait for one UPS begins or ends.
func (m *monitor) count(e env.Env, s *secondaries, others int) {
	s.others = others
	ev := env.Event{Kind: env.Sync, UPS: s.line.System, N: int64(others) + 1}
	switch {
	case others > 0:
		ev.Value, s.told = "wait", true
	case s.told:
		ev.Value, s.told = "done", false
	default:
		return
	}
	if others < 0 {
		ev.Why = "the logins cannot be read"
	}
	e.Emit(ev)
}

// pass waits for a time to come. What is reported meanwhile changes nothing any more.
func (m *monitor) pass(e env.Env, until env.Instant) {
	for {
		if _, err := m.next(e, until); err != nil {
			return
		}
	}
}

// stay keeps the logins for as long as SHUTDOWNEXIT says, or until somebody ends it.
func (m *monitor) stay(e env.Env) {
	until := env.Never
	if d := m.conf.ShutdownExit; d >= 0 {
		until = e.Now().Add(d)
	} else {
		e.Log().Info("Staying logged in after initiating shutdown, as SHUTDOWNEXIT says")
	}
	for e.Now() < until {
		r, err := m.next(e, until)
		if err != nil {
			return
		}
		if r.kind == signal && ends(r.signal) {
			e.Log().Info(fmt.Sprintf("Signal %d: exiting", numbers[r.signal]))
			return
		}
	}
}

// ends reports whether a signal asks the program to end.
func ends(s env.Signal) bool {
	return s == env.Terminate || s == env.Interrupt || s == env.Quit
}

// farewell logs out everywhere and lets the last announcements be made.
func (m *monitor) farewell(e env.Env) {
	all := m.leaving
	for _, l := range m.lines {
		l.orders.give(quit)
		all = append(all, l.watcher)
	}
	until := e.Now().Add(2 * logoutTime)
	for open := len(all); open > 0; {
		r, err := m.next(e, until)
		if err != nil {
			break
		}
		if r.kind == left {
			open--
		}
	}
	for _, w := range all {
		w.end(e)
	}
	m.notes.drain(e)
}
