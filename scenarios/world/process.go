package world

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world/kernel"
)

// A Process is one running program of a host.
type Process struct {
	host   *Host
	pid    int
	prog   string
	main   env.Main
	args   []string
	env    []string
	root   *scope
	group  kernel.Group
	tasks  []*kernel.Task
	conns  []*conn
	lis    []*listener
	log    *slog.Logger
	out    io.Writer
	errOut io.Writer
	least  slog.Level // log lines below it are left out

	signals    *env.Inbox[env.Signal]
	dead       bool
	detached   bool // it will go to the background when ready
	background bool
	status     env.ExitStatus
	waiters    []*machine // who waits for its end or its going to the background
	onExit     []func()
	half       *halves    // when it is a part of a Split
	previous   *env.Split // when its child had it start over
}

// Args are the arguments the process was started with.
func (p *Process) Args() []string { return p.args }

// AtExit arranges for f to run when the process of e ends, however it ends: what an operating
// system does with the devices it had open.
func AtExit(e env.Env, f func()) {
	p := e.(*machine).p
	p.onExit = append(p.onExit, f)
}

// Prog is the name under which the process runs; Pid is its number.
func (p *Process) Prog() string { return p.prog }

// Pid is the process's number on its host.
func (p *Process) Pid() int { return p.pid }

// Tasks is how many tasks the process has.
func (p *Process) Tasks() int { return len(p.tasks) }

// Start runs a program on the host. It returns nil when the host is off or has no such program.
func (h *Host) Start(prog string, args []string, environ ...string) *Process {
	return h.StartTo(nil, nil, prog, args, environ...)
}

// StartTo is Start with the program's output sent to writers; nil means the console.
func (h *Host) StartTo(out, errOut io.Writer, prog string, args []string, environ ...string,
) *Process {
	main := h.w.opt.Programs(h, prog)
	if main == nil || !h.up {
		return nil
	}
	return h.spawn(prog, main, args, environ, out, errOut)
}

// Status is how the process ended; ok is false while it runs.
func (p *Process) Status() (status env.ExitStatus, ok bool) { return p.status, p.dead }

// StartMain runs a function as a program of the host.
func (h *Host) StartMain(prog string, main env.Main) *Process {
	return h.spawn(prog, main, nil, nil, nil, nil)
}

func (h *Host) spawn(prog string, main env.Main, args, environ []string,
	out, errOut io.Writer,
) *Process {
	return h.begin(&Process{prog: prog, main: main, args: args, env: environ, out: out,
		errOut: errOut})
}

// begin starts a process of which is known what it is to run.
func (h *Host) begin(p *Process) *Process {
	h.lastPid++
	p.host, p.pid, p.root = h, h.lastPid, &scope{}
	if p.out == nil {
		p.out = consoleWriter{p}
	}
	if p.errOut == nil {
		p.errOut = consoleWriter{p}
	}
	p.log = slog.New(lineHandler{p: p})
	h.procs = append(h.procs, p)
	p.start(p.root, "", func(m *machine) { p.exit(env.ExitStatus(p.main(m, p.args))) })
	return p
}

type consoleWriter struct{ p *Process }

func (c consoleWriter) Write(b []byte) (int, error) {
	c.p.host.w.console(c.p.host.name, c.p.prog, string(b))
	return len(b), nil
}

// start runs f as a task of the process.
func (p *Process) start(sc *scope, taskPath string, f func(*machine)) {
	m := &machine{p: p, sc: sc, path: taskPath}
	sc.members = append(sc.members, m)
	sc.running++
	name := p.prog + taskPath + " on " + p.host.name
	m.t = p.host.w.k.Spawn(name, &p.group, func(t *kernel.Task) {
		defer p.ended(m)
		f(m)
	})
	p.tasks = append(p.tasks, m.t)
}

// ended takes a task that is over out of its scope.
func (p *Process) ended(m *machine) {
	sc := m.sc
	sc.running--
	if i := slices.Index(sc.members, m); i >= 0 {
		sc.members = slices.Delete(sc.members, i, i+1)
	}
	if i := slices.Index(p.tasks, m.t); i >= 0 {
		p.tasks = slices.Delete(p.tasks, i, i+1)
	}
	if sc.running == 0 {
		for _, w := range sc.waiting {
			w.t.Wake()
		}
		sc.waiting = nil
	}
}

// exit ends the process as the system does: its connections are closed in order.
func (p *Process) exit(status env.ExitStatus) {
	if p.dead {
		return
	}
	for _, c := range slices.Clone(p.conns) {
		c.Close()
	}
	for _, l := range slices.Clone(p.lis) {
		l.drop()
	}
	p.vanish(status)
}

// vanish ends the process without a word to anybody: all that a loss of power does.
func (p *Process) vanish(status env.ExitStatus) {
	if p.dead {
		return
	}
	p.dead, p.status = true, status
	for _, f := range p.onExit {
		f()
	}
	if p.half != nil {
		p.half.died(p)
	}
	for _, t := range p.tasks {
		t.Kill()
	}
	if i := slices.Index(p.host.procs, p); i >= 0 {
		p.host.procs = slices.Delete(p.host.procs, i, i+1)
	}
	p.wakeWaiters()
}

func (p *Process) wakeWaiters() {
	for _, m := range p.waiters {
		m.t.Wake()
	}
	p.waiters = nil
}

// Kill ends the process as SIGKILL does.
func (p *Process) Kill() { p.exit(128 + 9) }

// Pause freezes the process as SIGSTOP does: its connections stay open and silent.
func (p *Process) Pause() { p.group.Freeze() }

// Resume lets it run again.
func (p *Process) Resume() { p.group.Thaw() }

// Signal delivers a signal.
func (p *Process) Signal(s env.Signal) {
	switch {
	case s == env.Kill:
		p.Kill()
	case s == env.Alive:
	case p.passesOn(s):
		p.half.child.Signal(s)
	case p.signals == nil && s == env.Resized: // is ignored unless asked for
	case p.signals != nil:
		p.signals.Put(s)
	default: // not handled: the usual effect
		p.exit(128 + 15)
	}
}

// run starts a command for a task of p and waits for it.
func (p *Process) run(m *machine, c env.Command, until env.Instant) (env.ExitStatus, error) {
	args := c.Args
	if len(args) == 0 {
		args = strings.Fields(c.Shell) // the virtual shell knows words, not quotes or pipes
	}
	if len(args) == 0 {
		return 0, nil
	}
	prog := path.Base(args[0])
	main := p.host.w.opt.Programs(p.host, prog)
	if main == nil {
		if len(c.Args) == 0 {
			fmt.Fprintf(p.errOut, "sh: %s: not found\n", args[0])
			return 127, nil
		}
		return 0, fmt.Errorf("%s: no such program on %s: %w", args[0], p.host.name, fs.ErrNotExist)
	}
	p.tellExec(c)
	environ := append(slices.Clone(p.env), c.Env...)
	child := p.host.spawn(prog, main, args[1:], environ, orWriter(c.Stdout, p.out),
		orWriter(c.Stderr, p.errOut))
	for !child.dead && !child.background {
		child.waiters = append(child.waiters, m)
		if err := m.park(until); err != nil {
			child.Kill()
			return 0, fmt.Errorf("%s: %w", args[0], err)
		}
	}
	if !child.dead {
		return 0, nil
	}
	return child.status, nil
}

func orWriter(w, other io.Writer) io.Writer {
	if w == nil {
		return other
	}
	return w
}

// Background reports that the process has said it is ready.
func (p *Process) Background() bool { return p.background }
