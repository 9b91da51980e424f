package world

import (
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// rootSuffix is what the parent's program is called besides the name of the program that it was.
const rootSuffix = "-root"

// halves ties the two processes of a Split together. Each of them has it.
type halves struct {
	split   env.Split
	parent  *Process
	child   *Process
	main    *machine // the parent's task
	ordered bool
	begun   bool                 // the command runs
	goOn    *env.Inbox[struct{}] // the second order, or the child's end
	told    *env.Inbox[env.Deed]
	over    bool // the parent has ended, or the work has
}

// Split makes the caller the parent. The accounts of a virtual host are all the same one.
func (v hostView) Split(e env.Env, s env.Split) error {
	m, p := e.(*machine), v.p
	prog := p.prog
	h := &halves{split: s, parent: p, main: m}
	child := p.host.spawnSplit(p, h)
	h.child, p.half, p.prog = child, h, prog+rootSuffix
	h.goOn = env.NewInbox[struct{}](m, 4)
	h.told = env.NewInbox[env.Deed](&machine{p: child}, 64)
	pid := strconv.Itoa(child.pid) + "\n"
	if s.PIDFile != "" {
		v.WriteFile(s.PIDFile, []byte(pid), 0o644)
	}
	working, done := false, false
	for !child.dead || working && !done && (child.status != 0 || !h.begun) {
		if h.ordered && !working {
			working = true
			m.Go("order", func(e env.Env) error {
				h.carryOut(e.(*machine))
				done = true
				m.t.Wake()
				return nil
			})
		}
		if err := m.park(env.Never); err != nil {
			return err
		}
	}
	if b, err := v.ReadFile(s.PIDFile); err == nil && string(b) == pid {
		v.Remove(s.PIDFile)
	}
	code := child.status
	if code == env.StartOver && !working {
		p.prog, p.previous, p.half = prog, &s, nil
		code = env.ExitStatus(p.main(m, p.args))
	} else if working && done && h.over {
		code = 0
	} else if code != 0 {
		p.log.Error(prog + " parent: the child process has ended; nothing watches the UPSes any more")
		code = 1
	}
	p.exit(code)
	return env.ErrStopped
}

// spawnSplit starts the child, which is the same program with the same words.
func (h *Host) spawnSplit(p *Process, half *halves) *Process {
	child := &Process{prog: p.prog, main: p.main, args: p.args, env: p.env, half: half}
	if _, console := p.out.(consoleWriter); !console {
		child.out = p.out
	}
	if _, console := p.errOut.(consoleWriter); !console {
		child.errOut = p.errOut
	}
	return h.begin(child)
}

// carryOut is the work of the parent.
func (h *halves) carryOut(m *machine) {
	if h.split.Command == "" {
		return
	}
	var err error
	if h.split.Flag != "" {
		err = hostView{m.p}.WriteFile(h.split.Flag, []byte(h.split.Text), 0o644)
	}
	h.told.Put(env.Deed{Step: env.Flagged, Err: err})
	h.goOn.Get(m, m.Now().Add(env.GoOn))
	for try := range h.split.Tries {
		if try > 0 {
			if m.Sleep(h.split.Pause) != nil {
				return
			}
			h.told.Put(env.Deed{Step: env.Again})
		}
		h.begun = true
		h.main.t.Wake()
		status, err := m.p.run(m, env.Command{Shell: h.split.Command}, env.Never)
		h.told.Put(env.Deed{Step: env.Ended, Status: status, Err: err})
		if h.over = err == nil && status == 0; h.over {
			return
		}
	}
}

// tellExec emits a fact about a command that a divided program starts: which one it is, and in
// which of the two processes.
func (p *Process) tellExec(c env.Command) {
	h := p.half
	if h == nil {
		return
	}
	ev := env.Event{Kind: env.Exec, Host: p.host.name, Prog: strings.TrimSuffix(p.prog, rootSuffix),
		Value: "unprivileged"}
	notifies := func(kv string) bool { return strings.HasPrefix(kv, "NOTIFYTYPE=") }
	switch {
	case slices.ContainsFunc(c.Env, notifies):
		ev.Name = "notifycmd"
	case c.Shell != "" && c.Shell == h.split.Command:
		ev.Name = "shutdowncmd"
	default:
		return
	}
	switch {
	case h.split.User == "" || h.parent.dead:
		ev.Value = "rootless"
	case p == h.parent:
		ev.Value = "privileged"
	}
	p.host.w.Emit(ev)
}

// died tells the other process of a Split that this one has ended.
func (h *halves) died(p *Process) {
	if p == h.parent && h.told != nil {
		h.told.Put(env.Deed{}) // no step: the end
	}
	if p == h.child && !h.parent.dead {
		h.goOn.Put(struct{}{})
		h.main.t.Wake()
	}
}

func (v hostView) Root() bool { return true }

func (v hostView) Parent() env.Parent {
	if h := v.p.half; h != nil && h.child == v.p {
		return h
	}
	return nil
}

func (v hostView) Previous() (env.Split, bool) {
	if v.p.previous == nil {
		return env.Split{}, false
	}
	return *v.p.previous, true
}

// Split implements env.Parent.
func (h *halves) Split() env.Split { return h.split }

// Order implements env.Parent.
func (h *halves) Order(env.Env) error {
	if h.parent.dead {
		return env.ErrClosed
	}
	if h.ordered {
		h.goOn.Put(struct{}{})
		return nil
	}
	h.ordered = true
	h.main.t.Wake()
	return nil
}

// Next implements env.Parent.
func (h *halves) Next(e env.Env) (env.Deed, error) {
	d, err := h.told.Get(e, env.Never)
	if err == nil && d.Step == 0 {
		return d, env.ErrClosed
	}
	return d, err
}

// forwarded are the signals that a parent passes on.
var forwarded = []env.Signal{env.Hangup, env.Terminate, env.Interrupt, env.Quit, env.User1,
	env.User2}

// passesOn reports whether a signal to p is for its child.
func (p *Process) passesOn(s env.Signal) bool {
	return p.half != nil && p.half.parent == p && slices.Contains(forwarded, s)
}
