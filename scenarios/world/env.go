package world

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world/kernel"
)

// machine is env.Env for one task of a virtual process.
type machine struct {
	p    *Process
	sc   *scope
	t    *kernel.Task
	path string
	rng  *rand.Rand
}

// scope is a group of tasks that stop together.
type scope struct {
	parent  *scope
	kids    []*scope
	members []*machine // the task that made it and the tasks started in it
	running int        // tasks started and not ended
	stopped bool
	waiting []*machine // tasks in Wait
}

func (s *scope) halt() {
	s.stopped = true
	for _, m := range s.members {
		m.t.Wake()
	}
	for _, k := range s.kids {
		k.halt()
	}
}

// ended reports that this task must do nothing more.
func (m *machine) ended() bool { return m.p.dead || m.sc.stopped }

// park waits until woken or a time; callers ask again for what they waited for.
func (m *machine) park(until env.Instant) error {
	if m.ended() {
		return env.ErrStopped
	}
	r := m.t.Park(m.p.host.global(until))
	if m.sc.stopped { // a dead process does not come back from Park
		return env.ErrStopped
	}
	if r == kernel.Expired {
		return env.ErrTimeout
	}
	return nil
}

func (m *machine) Now() env.Instant { return m.p.host.local(m.p.host.w.Now()) }

func (m *machine) Wall() time.Time {
	return Epoch.Add(time.Duration(m.Now()) + m.p.host.wall)
}

func (m *machine) Sleep(d time.Duration) error {
	until := m.Now().Add(d)
	for {
		switch err := m.park(until); err {
		case nil:
			continue // woken for something else
		case env.ErrTimeout:
			return nil
		default:
			return err
		}
	}
}

func (m *machine) Go(name string, f func(env.Env) error) {
	if m.ended() {
		return
	}
	m.p.start(m.sc, m.path+"/"+name, func(child *machine) {
		if err := f(child); err != nil && !errors.Is(err, env.ErrStopped) {
			child.Log().Error(fmt.Sprintf("%s: %v", name, err))
		}
	})
}

func (m *machine) Scope(name string) (env.Env, env.Scope) {
	sc := &scope{parent: m.sc, stopped: m.sc.stopped}
	child := &machine{p: m.p, sc: sc, t: m.t, path: m.path + "/" + name}
	sc.members = append(sc.members, child)
	m.sc.kids = append(m.sc.kids, sc)
	return child, scopeHandle{sc}
}

type scopeHandle struct{ sc *scope }

func (h scopeHandle) Stop() { h.sc.halt() }

// Wait waits also for a caller that is stopped itself: who returned at once would go on while the
// tasks still use what they share with it.
func (h scopeHandle) Wait(e env.Env) {
	m := e.(*machine)
	for h.sc.running > 0 && !m.p.dead {
		h.sc.waiting = append(h.sc.waiting, m)
		m.t.Park(kernel.Never)
	}
	if p := h.sc.parent; p != nil {
		for i, k := range p.kids {
			if k == h.sc {
				p.kids = append(p.kids[:i], p.kids[i+1:]...)
				break
			}
		}
	}
}

func (m *machine) Rand() *rand.Rand {
	if m.rng == nil {
		m.rng = m.p.host.w.stream(m.p.host.name + "/" + m.p.prog + m.path)
	}
	return m.rng
}

func (m *machine) Waiter() env.Waiter { return &waiter{} }
func (m *machine) Net() env.Net       { return network{} }
func (m *machine) Host() env.Host     { return hostView{m.p} }

func (m *machine) Log() *slog.Logger { return m.p.log }

func (m *machine) Emit(ev env.Event) {
	if m.p.dead {
		return
	}
	ev.Host, ev.Prog = m.p.host.name, m.p.prog
	m.p.host.w.Emit(ev)
}

// waiter is a parking place for one task.
type waiter struct {
	t   *kernel.Task
	set bool
}

func (w *waiter) Wake() {
	w.set = true
	if w.t != nil {
		w.t.Wake()
	}
}

func (w *waiter) Wait(e env.Env, until env.Instant) error {
	m := e.(*machine)
	for !w.set {
		w.t = m.t
		err := m.park(until)
		w.t = nil
		if err != nil && !(w.set && err == env.ErrTimeout) {
			return err
		}
	}
	w.set = false
	return nil
}

// lineHandler sends log records to the world's console.
type lineHandler struct {
	p     *Process
	attrs string
}

func (h lineHandler) Enabled(_ context.Context, l slog.Level) bool {
	return h.p.host.w.opt.Console != nil && l >= h.p.least
}

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	h.p.host.w.console(h.p.host.name, h.p.prog, b.String())
	return nil
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.attrs += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return h
}

func (h lineHandler) WithGroup(string) slog.Handler { return h }
