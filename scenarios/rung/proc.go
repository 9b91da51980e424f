package rung

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// DefaultScale is how much faster than real the clock of processes runs: a poll every 5 s takes
// place every 250 ms, which a loaded machine of two cores still keeps.
const DefaultScale = 20

// slack is by how much real time a busy machine may be late.
const slack = 250 * time.Millisecond

// tick is how often a wait looks again even when no event came: outlets have none on this rung
// until the site has acted.
const tick = 10 * time.Millisecond

// Proc is the rung of real processes: the programs of a bin folder, loopback addresses, ptys.
//
// Each host is a folder (etc, run, state, dev) and an address of its own in 127.0.0.0/8. Peers on
// other hosts are reached through a proxy, which is the network: it can be cut, delayed, and keeps
// silent for a host that has lost its power. Halting goes through a FIFO that SHUTDOWNCMD writes
// to.
type Proc struct {
	bin   string
	dir   string
	clock osenv.Clock
	e     env.Env
	scope env.Scope
	site  *site.Site
	log   func(t env.Instant, host, prog, line string)
	sock  *net.UnixConn
	hosts map[string]*procHost
	net   *fabric
	far   []interface{ Close() } // the devices' ends of cables

	mu    sync.Mutex // guards trace
	trace []env.Event
	news  chan struct{} // a token when the trace has grown
	done  chan struct{} // closed when the room is
	stop  <-chan struct{}
	late  atomic.Int64 // the longest time for which this process got no processor, in ns
}

// ProcOptions say how NewProc runs things.
type ProcOptions struct {
	Bin     string // folder with the built programs
	Scale   int64  // 0: DefaultScale
	Console func(t env.Instant, host, prog, line string)
	Stop    <-chan struct{} // when closed, no time passes any more: Wait says ErrInterrupted
}

// ErrInterrupted is what Wait says when somebody wants the room to end.
var ErrInterrupted = errors.New("interrupted")

// NewProc returns an empty data room for real processes. It needs Linux (/proc, ptys, 127.0.0.0/8).
func NewProc(o ProcOptions) (*Proc, error) {
	bin, err := filepath.Abs(o.Bin)
	if err != nil {
		return nil, err
	}
	for _, prog := range []string{"upsd", "upsmon", "upsmon-root", "upsdrvctl", "nutdrv_qx"} {
		if _, err := os.Stat(filepath.Join(bin, prog)); err != nil {
			return nil, fmt.Errorf("%s: %s is not there; build it with: make build", bin, prog)
		}
	}
	if o.Scale == 0 {
		o.Scale = DefaultScale
	}
	dir, err := os.MkdirTemp("", "bs")
	if err != nil {
		return nil, err
	}
	p := &Proc{bin: bin, dir: dir, clock: osenv.Clock{Scale: o.Scale, Epoch: time.Now()},
		log:   o.Console,
		hosts: map[string]*procHost{}, news: make(chan struct{}, 1), done: make(chan struct{}),
		stop: o.Stop}
	if p.log == nil {
		p.log = func(env.Instant, string, string, string) {}
	}
	if p.sock, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: p.events(),
		Net: "unixgram"}); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if p.e, err = p.machine("bench", nil); err != nil {
		p.Close()
		return nil, err
	}
	p.e, p.scope = p.e.Scope("bench")
	p.site = site.New(p, p.clock.Now, p.Emit)
	go p.collect()
	go p.canary()
	return p, nil
}

func (p *Proc) events() string { return filepath.Join(p.dir, "events") }

// machine returns an Env that runs programs in the name of a host.
func (p *Proc) machine(host string, extra []string) (env.Env, error) {
	o := osenv.Options{Prog: "init", Host: host, Clock: &p.clock, Extra: extra, Emit: p.Emit,
		Log: consoleHandler{func(line string) { p.log(p.clock.Now(), host, "init", line) }}}
	if h := p.hosts[host]; h != nil {
		o.Out = h.console
	}
	return osenv.New(o)
}

// collect takes in the events of the processes until the socket is closed.
func (p *Proc) collect() {
	buf := make([]byte, 64<<10)
	for {
		n, err := p.sock.Read(buf)
		if err != nil {
			return
		}
		var ev env.Event
		if err := json.Unmarshal(buf[:n], &ev); err != nil {
			p.log(p.clock.Now(), "bench", "events",
				fmt.Sprintf("not an event: %q: %v", buf[:n], err))
			continue
		}
		p.append(ev)
	}
}

func (p *Proc) append(ev env.Event) {
	p.mu.Lock()
	p.trace = append(p.trace, ev)
	p.mu.Unlock()
	select {
	case p.news <- struct{}{}:
	default:
	}
}

// canary finds out how late a task can be on this machine: the clocks of the room go on while its
// programs wait for a processor, so what they did then says nothing about them.
func (p *Proc) canary() {
	const step = 10 * time.Millisecond
	for {
		began := time.Now()
		select {
		case <-p.done:
			return
		case <-time.After(step):
		}
		if late := int64(time.Since(began) - step); late > p.late.Load() {
			p.late.Store(late)
		}
	}
}

// Late is the longest time for which the machine kept a program of the room waiting. A run in which
// it is more than Patience proves nothing.
func (p *Proc) Late() time.Duration { return time.Duration(p.late.Load()) }

// Patience is how long a program may wait for a processor before timings become meaningless: two
// seconds of the room's time.
func (p *Proc) Patience() time.Duration { return p.clock.Real(2 * time.Second) }

// Name implements Rung.
func (p *Proc) Name() string { return "proc" }

// Tolerance implements Rung.
func (p *Proc) Tolerance() time.Duration { return slack * time.Duration(p.clock.Scale) }

// Site implements Rung.
func (p *Proc) Site() *site.Site { return p.site }

// Now implements Rung.
func (p *Proc) Now() env.Instant { return p.clock.Now() }

// Dir is the folder in which the hosts live.
func (p *Proc) Dir() string { return p.dir }

// Trace implements Rung.
func (p *Proc) Trace() []env.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trace[:len(p.trace):len(p.trace)]
}

// Emit implements Rung.
func (p *Proc) Emit(ev env.Event) {
	ev.T = p.clock.Now()
	p.append(ev)
}

// Start implements Rung.
func (p *Proc) Start(plan Plan) error {
	var err error
	if p.net, err = newFabric(p); err != nil {
		return err
	}
	for i, m := range p.site.Machines() {
		h := &procHost{name: m.Name, dir: filepath.Join(p.dir, m.Name), addr: p.net.hostAddr(i),
			ports: map[string]string{}}
		p.hosts[m.Name] = h
		if err := h.makeFolders(m); err != nil {
			return err
		}
		go p.showConsole(h)
	}
	for _, c := range plan.Cables {
		if err := p.connect(c); err != nil {
			return err
		}
	}
	for _, l := range plan.Links {
		p.net.declare(l.A, l.B, l.Latency)
		p.net.declare(l.B, l.A, l.Latency)
	}
	files := complete(p.site, plan.Files)
	for _, f := range files {
		h := p.hosts[f.Host]
		text, err := expand(f, func(name string) (string, bool) { return p.value(h, name) })
		if err != nil {
			return err
		}
		file := filepath.Join(h.dir, "etc", f.Name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, probe := range probes(p.site, files) {
		probe.Addr = net.JoinHostPort(p.hosts[probe.Host].addr, "3493")
		p.e.Go("probe "+probe.Host, func(e env.Env) error { return probe.Run(e, p.Emit) })
	}
	p.site.Run(p.e)
	return nil
}

// PowerOn implements site.Computers.
func (p *Proc) PowerOn(m *site.Machine) {
	h := p.hosts[m.Name]
	h.emptyRun()
	e, err := p.machine(m.Name, p.environ(h))
	if err != nil {
		p.log(p.Now(), m.Name, "init", err.Error())
		return
	}
	e, h.power = e.Scope("init")
	p.net.setPower(m.Name, true)
	e.Go("init", m.Live)
}

// PowerOff implements site.Computers.
func (p *Proc) PowerOff(m *site.Machine) {
	h := p.hosts[m.Name]
	p.net.setPower(m.Name, false)
	if h.power != nil {
		h.power.Stop()
	}
	p.killAll(h)
	if h.power != nil {
		h.power.Wait(p.e)
		h.power = nil
	}
}

// Clear implements site.Computers.
func (p *Proc) Clear(m *site.Machine) {
	h := p.hosts[m.Name]
	p.killAll(h)
	h.emptyRun()
}

// Wait implements Rung.
func (p *Proc) Wait(max time.Duration, cond func() bool) (bool, error) {
	end := time.Now().Add(p.clock.Real(max))
	for {
		if cond() {
			return true, nil
		}
		left := time.Until(end)
		if left <= 0 {
			return false, nil
		}
		t := time.NewTimer(min(left, tick))
		select {
		case <-p.news:
		case <-t.C:
		case <-p.stop:
			t.Stop()
			return false, ErrInterrupted
		}
		t.Stop()
	}
}

// Proc implements Rung.
func (p *Proc) Proc(host, service_, action string) error {
	h := p.hosts[host]
	prog, ups := service(service_)
	pids := p.find(h, func(args []string) bool {
		if prog == "driver" {
			return slices.Contains(args, ups) && slices.Contains(args, "-a") &&
				filepath.Base(args[0]) != "upsdrvctl"
		}
		return filepath.Base(args[0]) == prog
	})
	if err := canRestart(p.site, host, action); err != nil {
		return err
	}
	if len(pids) == 0 && action != "restart" {
		return fmt.Errorf("%s: no %s runs there", host, service_)
	}
	sig := map[string]syscall.Signal{"kill": syscall.SIGKILL, "restart": syscall.SIGKILL,
		"pause":  syscall.SIGSTOP,
		"resume": syscall.SIGCONT, "reload": syscall.SIGHUP}[action]
	p.Emit(env.Event{Kind: env.Proc, Host: host, Name: service_, Value: action})
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("%s: %s: %w", host, service_, err)
		}
	}
	if action != "restart" {
		return nil
	}
	if err := awaitEnd(pids); err != nil {
		return fmt.Errorf("%s: %s: %w", host, service_, err)
	}
	return restart(p, host, service_)
}

// endTime is how long, in real time, killed processes and stopped tasks may take to be gone.
const endTime = 2 * time.Second

// Net implements Rung.
func (p *Proc) Net(action, a, b string, d time.Duration) error {
	ways := [][2]string{{a, b}}
	if action != "cut-to" {
		ways = append(ways, [2]string{b, a})
	}
	for _, w := range ways {
		switch action {
		case "cut", "cut-to":
			p.net.cut(w[0], w[1])
		case "heal":
			p.net.repair(w[0], w[1])
		case "delay":
			p.net.setDelay(w[0], w[1], d)
		}
	}
	p.Emit(env.Event{Kind: env.Link, Name: a + " " + b, Value: action, N: int64(d)})
	return nil
}

// Run implements Rung.
func (p *Proc) Run(host string, args []string) (Output, error) {
	e, err := p.machine(host, p.environ(p.hosts[host]))
	if err != nil {
		return Output{}, err
	}
	h := p.hosts[host]
	args, err = expandAll(host, args, func(n string) (string, bool) { return p.value(h, n) })
	if err != nil {
		return Output{}, err
	}
	var out, errOut bytes.Buffer
	st, err := e.Host().Run(e, env.Command{Args: args, Stdout: &out, Stderr: &errOut},
		e.Now().Add(commandTime))
	return Output{out.String(), errOut.String(), int(st)}, err
}

// Exists implements Rung.
func (p *Proc) Exists(host, name string) bool {
	_, err := os.Stat(filepath.Join(p.hosts[host].dir, "state", name))
	return err == nil
}

// Close implements Rung: nothing of the room is left behind.
func (p *Proc) Close() error {
	close(p.done)
	if p.scope != nil {
		p.settle(p.scope) // first, so that nobody switches a computer on meanwhile
	}
	for _, h := range p.hosts { //house: order does not matter: all go
		if h.power != nil {
			p.settle(h.power)
		}
		p.killAll(h)
		for _, f := range []*os.File{h.fifo, h.console} {
			if f != nil {
				f.Close()
			}
		}
	}
	for _, f := range p.far {
		f.Close()
	}
	if p.net != nil {
		p.net.close()
	}
	p.sock.Close()
	return os.RemoveAll(p.dir)
}

// settle stops tasks and waits until they have ended, within bounds: the room must go in any case.
func (p *Proc) settle(s env.Scope) {
	s.Stop()
	ended := make(chan struct{})
	go func() {
		s.Wait(p.e)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(endTime):
	}
}
