package rung

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/upsc"
	"github.com/blackstart-ups/blackstart/nut/upscmd"
	"github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/nut/upsdrvctl"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/nut/upsrw"
	"github.com/blackstart-ups/blackstart/nut/upssched"
	"github.com/blackstart-ups/blackstart/scenarios/site"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// Folders of a virtual host.
const (
	simConf  = "/etc/nut/"
	simState = "/var/lib/nut/"
)

// commandTime bounds a program that a script runs.
const commandTime = 2 * time.Minute

// Sim is the virtual rung.
type Sim struct {
	w     *world.World
	site  *site.Site
	bench *world.Host
	ports map[*world.Host]serve.Ports

	secrets []string // that no console may show
	stuck   bool     // it was told that time does not go on
}

// SimOptions say how NewSim makes a world.
type SimOptions struct {
	Seed    uint64
	Shuffle bool
	Console func(t env.Instant, host, prog, line string)
	Observe func(env.Event)
	// Watch reads all consoles and tells of passwords on them.
	Watch bool
	// Replace lets a test put a program of its own in the place of one of ours, by name.
	Replace map[string]env.Main
}

// NewSim returns an empty data room in virtual time.
func NewSim(o SimOptions) *Sim {
	s := &Sim{ports: map[*world.Host]serve.Ports{}}
	if o.Watch {
		o.Console = s.watch(o.Console)
	}
	s.w = world.New(world.Options{Seed: o.Seed, Shuffle: o.Shuffle, Console: o.Console,
		Observe: o.Observe,
		Programs: func(h *world.Host, name string) env.Main {
			if m := o.Replace[name]; m != nil {
				return m
			}
			return s.program(h, name)
		}})
	s.site = site.New(s, s.w.Now, s.w.Emit)
	return s
}

// watch reads a console before it is shown.
func (s *Sim) watch(show func(env.Instant, string, string, string),
) func(env.Instant, string, string, string) {
	return func(t env.Instant, host, prog, line string) {
		for _, secret := range s.secrets {
			if len(secret) > 5 && strings.Contains(line, secret) {
				s.w.Emit(env.Event{Kind: env.Leak, Host: host, Prog: prog, Name: "console",
					Value: strings.ReplaceAll(line, secret, "***")})
			}
		}
		if show != nil {
			show(t, host, prog, line)
		}
	}
}

// program is what a virtual host has installed.
func (s *Sim) program(h *world.Host, name string) env.Main {
	switch name {
	case "upsd":
		return upsd.Main
	case "upsmon":
		return upsmon.Main
	case "upssched":
		return upssched.Main
	case "upsdrvctl":
		return upsdrvctl.Main
	case "upsc":
		return upsc.Main
	case "upscmd":
		return upscmd.Main
	case "upsrw":
		return upsrw.Main
	case "halt":
		return func(env.Env, []string) int { s.site.Machine(h.Name()).Press("halt"); return 0 }
	case "wall":
		return func(env.Env, []string) int { return 0 }
	}
	for _, spec := range drivers.All {
		if spec.Name == name || slices.Contains(spec.Aliases, name) {
			return driver.Main(drivers.All, hostPorts{s.ports[h]}, name)
		}
	}
	return nil
}

// hostPorts closes a port when the program that has it open ends, as a system does.
type hostPorts struct{ cables serve.Ports }

func (p hostPorts) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	port, err := p.cables.Serial(e, name, m)
	if err == nil {
		world.AtExit(e, func() { port.Close() })
	}
	return port, err
}

func (p hostPorts) USB(e env.Env, name string, w transport.USBWant) (transport.USB, error) {
	dev, err := p.cables.USB(e, name, w)
	if err == nil {
		world.AtExit(e, func() { dev.Close() })
	}
	return dev, err
}

// Name implements Rung.
func (s *Sim) Name() string { return "sim" }

// Tolerance is zero: virtual time is exact.
func (s *Sim) Tolerance() time.Duration { return 0 }

// Site implements Rung.
func (s *Sim) Site() *site.Site { return s.site }

// Now implements Rung.
func (s *Sim) Now() env.Instant { return s.w.Now() }

// Trace implements Rung.
func (s *Sim) Trace() []env.Event { return s.w.Trace() }

// Emit implements Rung.
func (s *Sim) Emit(ev env.Event) { s.w.Emit(ev) }

// World is the world behind the rung.
func (s *Sim) World() *world.World { return s.w }

// initProg is the program that lives a computer's life.
const initProg = "init"

// PowerOn implements site.Computers.
func (s *Sim) PowerOn(m *site.Machine) {
	h := s.w.Lookup(m.Name)
	h.PowerOn()
	h.StartMain(initProg, func(e env.Env, _ []string) int {
		m.Live(e)
		return 0
	})
}

// PowerOff implements site.Computers.
func (s *Sim) PowerOff(m *site.Machine) { s.w.Lookup(m.Name).PowerOff() }

// Clear implements site.Computers.
func (s *Sim) Clear(m *site.Machine) { s.w.Lookup(m.Name).Clear(initProg) }

// Start implements Rung.
func (s *Sim) Start(p Plan) error {
	for _, m := range s.site.Machines() {
		h := s.w.Host(m.Name)
		s.ports[h] = serve.Ports{}
	}
	s.bench = s.w.Host("bench")
	s.bench.PowerOn()
	for _, c := range p.Cables {
		s.ports[s.w.Lookup(c.Host)]["/dev/"+c.Port] = s.site.UPS(c.UPS).Cable
		s.site.Plug(c.UPS, c.Host)
	}
	for _, l := range p.Links {
		a, b := s.w.Lookup(l.A), s.w.Lookup(l.B)
		for _, link := range []*world.Link{s.w.Link(a, b), s.w.Link(b, a)} {
			if l.Latency > 0 {
				link.Latency = l.Latency
			}
			link.Loss = l.Loss
		}
	}
	files := complete(s.site, p.Files)
	s.secrets = Secrets(files)
	for _, f := range files {
		h := s.w.Lookup(f.Host)
		text, err := expand(f, func(name string) (string, bool) { return s.value(h, name) })
		if err != nil {
			return err
		}
		h.WriteFile(simConf+f.Name, []byte(text))
	}
	s.bench.StartMain("bench", func(e env.Env, _ []string) int {
		s.site.Run(e)
		for _, probe := range probes(s.site, files) {
			probe.Addr = s.w.Lookup(probe.Host).Addr() + ":3493"
			e.Go("probe "+probe.Host, func(e env.Env) error { return probe.Run(e, s.w.Emit) })
		}
		for e.Sleep(time.Hour) == nil {
		}
		return 0
	})
	return nil
}

// value is what a placeholder stands for on a virtual host.
func (s *Sim) value(h *world.Host, name string) (string, bool) {
	switch name {
	case "addr":
		return h.Addr(), true
	case "halt":
		return "/sbin/halt", true
	case "state":
		return path.Clean(simState), true
	}
	if other, ok := cutHost(name); ok {
		if o := s.w.Lookup(other); o != nil {
			return o.Addr(), true
		}
		return "", false
	}
	if s.ports[h]["/dev/"+name] != nil {
		return "/dev/" + name, true
	}
	return transport.Auto, name == usbBus
}

// Wait implements Rung.
func (s *Sim) Wait(max time.Duration, cond func() bool) (bool, error) {
	ok, err := s.w.RunUntil(max, cond)
	if err != nil && !s.stuck {
		s.stuck = true
		s.Emit(env.Event{Kind: env.Stuck, Why: err.Error()})
	}
	return ok, err
}

// Jump sets the calendar of a host off by d.
func (s *Sim) Jump(host string, d time.Duration) { s.w.Lookup(host).JumpWall(d) }

// Drift makes the clock of a host fast by so many parts per million, from its beginning.
func (s *Sim) Drift(host string, ppm int64) { s.w.Host(host).SetDrift(ppm) }

// CountTasks tells how many tasks each process has.
func (s *Sim) CountTasks(value string) {
	for _, m := range s.site.Machines() {
		for _, p := range s.w.Lookup(m.Name).Processes() {
			if p.Prog() != initProg {
				s.Emit(env.Event{Kind: env.Tasks, Host: m.Name, Name: strings.Join(
					append([]string{p.Prog()}, p.Args()...), " "), Value: value, N: int64(p.Tasks())})
			}
		}
	}
}

// find returns the processes of a service.
func (s *Sim) find(h *world.Host, service_ string) []*world.Process {
	prog, ups := service(service_)
	if prog != "driver" {
		return h.Find(prog)
	}
	var found []*world.Process
	for _, spec := range drivers.All {
		for _, name := range append([]string{spec.Name}, spec.Aliases...) {
			for _, p := range h.Find(name) {
				if slices.Contains(p.Args(), ups) {
					found = append(found, p)
				}
			}
		}
	}
	return found
}

// Proc implements Rung.
func (s *Sim) Proc(host, service_, action string) error {
	h := s.w.Lookup(host)
	procs := s.find(h, service_)
	if err := canRestart(s.site, host, action); err != nil {
		return err
	}
	if len(procs) == 0 && action != "restart" {
		return fmt.Errorf("%s: no %s runs there", host, service_)
	}
	for _, p := range procs {
		switch action {
		case "kill", "restart":
			p.Kill()
		case "pause":
			p.Pause()
		case "resume":
			p.Resume()
		case "reload":
			p.Signal(env.Hangup)
		}
	}
	s.Emit(env.Event{Kind: env.Proc, Host: host, Name: service_, Value: action})
	if action == "restart" {
		return restart(s, host, service_)
	}
	return nil
}

// Net implements Rung.
func (s *Sim) Net(action, a, b string, d time.Duration) error {
	ha, hb := s.w.Lookup(a), s.w.Lookup(b)
	links := []*world.Link{s.w.Link(ha, hb)}
	if action != "cut-to" {
		links = append(links, s.w.Link(hb, ha))
	}
	for _, l := range links {
		switch action {
		case "cut", "cut-to":
			l.Cut()
		case "heal":
			l.Heal(s.w)
		case "delay":
			l.Delay(d)
		}
	}
	s.Emit(env.Event{Kind: env.Link, Name: a + " " + b, Value: action, N: int64(d)})
	return nil
}

// Run implements Rung.
func (s *Sim) Run(host string, args []string) (Output, error) {
	h := s.w.Lookup(host)
	args, err := expandAll(host, args, func(n string) (string, bool) { return s.value(h, n) })
	if err != nil {
		return Output{}, err
	}
	var out, errOut bytes.Buffer
	p := h.StartTo(&out, &errOut, args[0], args[1:])
	if p == nil {
		return Output{}, fmt.Errorf("%s: cannot run %s: the host is off or has no such program", host,
			args[0])
	}
	over := func() bool { _, ok := p.Status(); return ok || p.Background() }
	// Its end may come without an event that would make the kernel ask: look every 10 ms as well.
	for t := time.Duration(0); !over(); t += 10 * time.Millisecond {
		if t > commandTime {
			p.Kill()
			return Output{}, fmt.Errorf("%s: %s did not end within %v", host, args[0], commandTime)
		}
		if _, err := s.Wait(10*time.Millisecond, over); err != nil {
			return Output{}, err
		}
	}
	code, _ := p.Status()
	return Output{out.String(), errOut.String(), int(code)}, nil
}

// Exists implements Rung.
func (s *Sim) Exists(host, name string) bool {
	_, ok := s.w.Lookup(host).File(simState + name)
	return ok
}

// Close implements Rung.
func (s *Sim) Close() error { return s.w.Close() }
