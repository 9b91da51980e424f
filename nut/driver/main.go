package driver

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
	"github.com/blackstart-ups/blackstart/nut/state"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Main returns the program of the driver that runs under the name prog.
func Main(specs []Spec, ports transport.Ports, prog string) env.Main {
	return func(e env.Env, args []string) int {
		spec, ok := find(specs, prog)
		if !ok {
			fmt.Fprintf(e.Host().Stderr(), "%s: no such driver; there are %s\n",
				prog, strings.Join(names(specs), ", "))
			return 1
		}
		p := &program{spec: spec, prog: prog, ports: ports}
		return p.run(e, args)
	}
}

// names lists all names under which drivers run.
func names(specs []Spec) []string {
	var all []string
	for _, s := range specs {
		all = append(append(all, s.Name), s.Aliases...)
	}
	return all
}

// A program is one run of a driver.
type program struct {
	spec  Spec
	prog  string
	ports transport.Ports
	flags flags
	conf  *Conf
	at    instance
}

// banner is the first line of every driver's output.
func (p *program) banner() string {
	s := p.spec
	return fmt.Sprintf("Network UPS Tools - %s %s (%s)", s.Summary, s.Version, nut.Version)
}

// run is the program from its arguments to its exit code.
func (p *program) run(e env.Env, args []string) int {
	out := e.Host().Stdout()
	var err error
	p.flags, err = parseFlags(args)
	if err != nil || p.flags.stays() || !p.flags.drives() {
		fmt.Fprintln(out, p.banner()) // else after Detach, which begins anew
	}
	switch {
	case err != nil:
		return p.fail(e, fmt.Errorf("%w. Try -h for help", err))
	case p.flags.help:
		usage(out, p.spec, p.prog)
		return 0
	case p.flags.version:
		fmt.Fprintf(out, "Network UPS Tools %s %s\n", p.prog, nut.Version)
		return 0
	case p.flags.list:
		p.spec.list(out)
		return 0
	}
	e.Host().LogFrom(p.flags.level())
	if p.conf, err = load(e, p.spec, p.prog, p.flags); err != nil {
		return p.fail(e, err)
	}
	p.at = place(e, p.conf)
	switch {
	case p.flags.tell != "":
		err = p.at.tell(e, p.flags.tell, p.flags.pid)
	case p.flags.kill:
		err = p.kill(e)
	default:
		return p.drive(e)
	}
	if err != nil {
		return p.fail(e, err)
	}
	return 0
}

// fail prints an error, each line with the program's name.
func (p *program) fail(e env.Env, err error) int {
	for _, l := range strings.Split(err.Error(), "\n") {
		fmt.Fprintf(e.Host().Stderr(), "%s: %s\n", p.prog, l)
	}
	return 1
}

// drive is the ordinary run: find the device, then poll it until told to stop.
func (p *program) drive(e env.Env) int {
	if !p.flags.stays() {
		if err := e.Host().Detach(e); err != nil {
			return p.fail(e, fmt.Errorf("cannot go to the background: %w", err))
		}
		fmt.Fprintln(e.Host().Stdout(), p.banner())
	}
	for _, text := range p.conf.ignored {
		e.Log().Warn(text)
	}
	settled, err := p.makeRoom(e)
	if err != nil {
		return p.fail(e, err)
	}
	if err := p.drop(e); err != nil {
		return p.fail(e, err)
	}
	r := p.runner(e)
	defer r.drop()
	if p.flags.dump == 0 {
		r.note = p.at.note(p.conf.Port())
	}
	if err := r.begin(e); err != nil {
		return p.fail(e, err)
	}
	if p.flags.dump > 0 {
		return p.dump(e, r)
	}
	l, err := listen(e, p.at.socket, cmp.Or(p.flags.group, p.conf.Text("group")))
	if err != nil {
		return p.fail(e, err)
	}
	defer p.at.leave(e, l)
	if !p.flags.stays() || p.flags.foreground > 1 {
		p.at.enter(e)
	}
	settled()
	return p.attend(e, r, l)
}

// makeRoom ends an older instance; settled is to be called when this one can be found. A dump needs
// no room.
func (p *program) makeRoom(e env.Env) (settled func(), err error) {
	if p.flags.dump > 0 {
		return func() {}, nil
	}
	if settled, err = p.at.alone(e); err == nil {
		err = p.at.evict(e)
	}
	return settled, err
}

// drop gives up what only the start needed.
func (p *program) drop(e env.Env) error {
	return service.Confine(e, cmp.Or(p.flags.chroot, p.conf.globals["chroot"]),
		cmp.Or(p.flags.user, p.conf.Text("user")))
}

func (p *program) runner(e env.Env) *runner {
	r := &runner{
		spec: p.spec, conf: p.conf, ports: p.ports,
		st: NewState(), hub: newHub(),
		requests: env.NewInbox[request](e, maxRequests),
		reread:   func(e env.Env) (*Conf, error) { return load(e, p.spec, p.prog, p.flags) },
	}
	r.debug.Store(int32(max(p.flags.debug, p.conf.Int("debug_min"),
		state.Int(e.Host().Getenv("NUT_DEBUG_LEVEL")))))
	r.introduce(nut.Version)
	return r
}

// begin opens the device and reads it for the first time. Without a device there is no driver; a
// first reading that fails is forgiven, as any other.
func (r *runner) begin(e env.Env) error {
	if err := r.open(e); err != nil {
		return err
	}
	r.st.Set("driver.state", "quiet")
	if err := r.turn(e); err != nil {
		return err
	}
	if r.conf.Flag("ignorelb") && !canJudge(r.st.Value) {
		return errors.New("ignorelb: the device gives neither battery.charge with " +
			"battery.charge.low nor battery.runtime with battery.runtime.low: set one of them by " +
			"override. in ups.conf")
	}
	return nil
}

// dump prints the variables after some updates.
func (p *program) dump(e env.Env, r *runner) int {
	for range p.flags.dump - 1 {
		if err := e.Sleep(p.conf.Duration("pollinterval")); err != nil {
			return 1
		}
		if err := r.turn(e); err != nil {
			return p.fail(e, err)
		}
		if code := int(r.exitCode.Load()); code != 0 {
			return code
		}
	}
	r.say(e, "dumping")
	e.Host().Stdout().Write(text(r.hub.dev))
	return 0
}

// attend starts the tasks and handles signals until one ends the program.
func (p *program) attend(e env.Env, r *runner, l *socket) int {
	r.signals = e.Host().Signals() // from now on there is something to clean up
	inner, scope := e.Scope("driver")
	s := &server{ups: p.conf.UPS, pid: e.Host().Pid(), hub: r.hub, l: l,
		enqueue: r.requests.Put, exit: func() { r.quit(0) }}
	inner.Go("socket", s.serve)
	inner.Go("device", r.run)
	r.settings(e)
	e.Host().Ready(e, "driving "+p.conf.UPS)
	for ended := false; !ended; {
		sig, err := r.signals.Get(e, env.Never)
		switch {
		case err != nil:
			ended = true
		case sig == env.Hangup:
			r.requests.Put(internal("driver.reload"))
		case sig == env.User1:
			r.requests.Put(internal("driver.reload-or-exit"))
		case sig == env.User2:
		case sig == env.Resized:
			p.print(e, r)
		default:
			ended = true
		}
	}
	e.Log().Info(p.conf.UPS + ": exiting")
	scope.Stop()
	scope.Wait(e)
	return int(r.exitCode.Load())
}

// print prints what is known, unless it was only a terminal whose window was resized.
func (p *program) print(e env.Env, r *runner) {
	known := string(text(r.hub.published()))
	switch {
	case !p.flags.stays():
		for l := range strings.Lines(known) {
			e.Log().Info(p.conf.UPS + ": " + strings.TrimSuffix(l, "\n"))
		}
	case !e.Host().Isatty():
		fmt.Fprint(e.Host().Stdout(), known)
	}
}

// settings tells what others reckon with.
func (r *runner) settings(e env.Env) {
	tell := func(name string, d time.Duration) {
		e.Emit(env.Event{Kind: env.Setting, UPS: r.conf.UPS, Name: name, N: int64(d)})
	}
	tell("pollinterval", r.conf.Duration("pollinterval"))
	for _, s := range []struct{ name, variable string }{
		{"offdelay", "ups.delay.shutdown"}, {"ondelay", "ups.delay.start"},
	} {
		if text := r.st.Value(s.variable); text != "" {
			tell(s.name, time.Duration(state.Int(text))*time.Second)
		}
	}
}

// kill switches the load off: through the running driver, or else with the device to itself.
func (p *program) kill(e env.Env) error {
	if p.at.killThrough(e) {
		e.Log().Info(p.conf.UPS + ": the running driver has switched the load off")
		return nil
	}
	if err := p.at.evict(e); err != nil {
		return err
	}
	if err := p.drop(e); err != nil {
		return err
	}
	r := p.runner(e)
	r.killing, r.known = true, p.at.known(e, p.conf.Port())
	for again := killAgain; ; again-- {
		err := r.killAlone(e)
		away := errors.Is(err, transport.ErrGone) || errors.Is(err, transport.ErrNoPort)
		if err == nil || !away || again == 0 || e.Sleep(killPause) != nil {
			return err
		}
		e.Log().Warn(fmt.Sprintf("%s%v; once more", r.name(), err))
	}
}

// How often, and after which pause, a kill-power run tries again with a device that is away: a bus
// that was reset, as it happens when the power fails, takes a second or two to list its devices.
const (
	killAgain = 2
	killPause = 2 * time.Second
)

// killAlone opens the device and switches the load off.
func (r *runner) killAlone(e env.Env) error {
	defer r.drop()
	err := r.open(e)
	if err == nil {
		_, err = r.kill(e)
	}
	if err != nil {
		return fmt.Errorf("the load is still on: %w", err)
	}
	return nil
}
