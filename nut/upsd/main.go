package upsd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// Main is the program upsd.
func Main(e env.Env, args []string) int {
	o, err := parseOptions(args)
	out := e.Host().Stdout()
	if o.version && err == nil {
		fmt.Fprintln(out, title)
		if o.debug > 0 {
			fmt.Fprintf(out, details, netproto.Version, nut.ConfPath(e), nut.StatePath(e), pidFile(e))
		}
		return 0
	}
	if refusal, ok := err.(complaint); ok {
		e.Log().Error(refusal.Error())
		return 1
	}
	if o.help || err != nil {
		if err != nil {
			fmt.Fprintf(e.Host().Stderr(), "upsd: %v\n\n", err)
		}
		fmt.Fprintln(out, title)
		fmt.Fprintf(out, usage, nut.ConfPath(e), nut.StatePath(e), pidFile(e))
		return 0 // also after a wrong flag, as scripts are used to
	}
	switch {
	case o.address != "":
		e.Log().Error(removedFlags)
		return 1
	case o.signal() != "":
		return send(e, o)
	case o.test:
		return test(e)
	}
	return run(e, o)
}

const title = "Network UPS Tools upsd " + nut.Version

// details are what -D adds to the version.
const details = "Network protocol %s; files in %s, sockets of drivers in %s, PID file %s\n"

// A daemon is the main task's own: what it needs to start, reload and end the server.
type daemon struct {
	*server
	o         options
	conf      *config.Upsd // as last accepted,
	inv       inventory    // and so is this
	flaws     map[string]flaws
	listeners []env.Listener
	work      env.Env // the scope of all tasks of the server
	scope     env.Scope
}

func run(e env.Env, o options) int {
	if !o.inForeground() {
		if err := e.Host().Detach(e); err != nil {
			e.Log().Error("cannot go to the background: " + reason(err))
			return 1
		}
	}
	if !quietStart(e, "BANNER") {
		e.Log().Info(title)
	}
	d := &daemon{server: newServer(), o: o, flaws: map[string]flaws{}}
	d.debugFlag, d.quiet, d.debugTag = o.debug, o.quiet, debugTag(e)
	if level, err := strconv.Atoi(e.Host().Getenv("NUT_DEBUG_LEVEL")); err == nil && o.debug == 0 {
		d.debugFlag = level
	}
	signals := e.Host().Signals()
	if err := d.start(e); err != nil {
		e.Log().Error(err.Error())
		d.stop(e)
		return 1
	}
	d.awaitDrivers(e)
	e.Host().Ready(e, fmt.Sprintf("serving %d UPS", len(d.order)))
	d.attend(e, signals)
	d.stop(e)
	return 0
}

// start does all that may fail, in the order in which operators expect the complaints (UD section
// 1).
func (d *daemon) start(e env.Env) error {
	if pid, ok := instance(e).Running(e); ok {
		return complaintf(alreadyRunning, pid, pidFile(e))
	}
	conf, problems, err := readUpsd(e)
	if err != nil {
		return err
	}
	d.learn(e, "upsd.conf", problems)
	d.conf = conf
	tolerant := allow(e, "ALLOW_NOT_ALL_LISTENERS", conf.AllowNotAllListeners)
	if err := d.listenAll(e, endpoints(conf.Listen, d.o.only4, d.o.only6), tolerant); err != nil {
		return err
	}
	if err := service.Confine(e, d.o.chroot, d.o.user); err != nil {
		return err
	}
	warnReadable(e, "upsd.conf")
	inv, problems, err := readUPS(e)
	if err != nil {
		return err
	}
	d.learn(e, "ups.conf", problems)
	d.inv = inv
	if len(inv.list) == 0 && !allow(e, "ALLOW_NO_DEVICE", conf.AllowNoDevice) {
		return complaint(noDevice)
	}
	e.Log().Info(fmt.Sprintf("Found %d UPS defined in ups.conf", len(inv.list)))
	set, err := d.settings(e, conf, inv)
	if err != nil {
		return err
	}
	if _, err := e.Host().Stat(set.statePath); err != nil {
		return complaintf(cannotChdir, set.statePath, reason(err))
	}
	users, problems, err := readUsers(e)
	if err != nil {
		return err
	}
	d.learn(e, "upsd.users", problems)
	warnReadable(e, "upsd.users")
	if d.tls, err = loadTLS(e, conf); err != nil {
		return err
	}
	tellTLS(e, d.tls)
	if d.o.wantsPIDFile() {
		if err := instance(e).Write(e); err != nil { // serving matters more than being found
			e.Log().Warn(fmt.Sprintf("cannot write the PID file %s, so that upsd -c will not find "+
				"process %d: %s", pidFile(e), e.Host().Pid(), reason(err)))
		}
	} else {
		e.Log().Info("Running as foreground process, not saving a PID file")
	}
	d.open(e, set, users, inv.list, readTexts(e, conf.DataPath))
	return nil
}

func (d *daemon) settings(e env.Env, c *config.Upsd, inv inventory) (settings, error) {
	most, err := maxConn(e, c.MaxConn)
	return settings{
		maxAge:    c.MaxAge,
		tracking:  c.TrackingDelay,
		fsdLease:  c.FSDLease,
		maxConn:   most,
		statePath: statePath(e, inv.statePath, c.StatePath),
		debug:     c.DebugMin,
	}, err
}

// open starts the tasks: one for each UPS, one for each listener.
func (d *daemon) open(e env.Env, set settings, users *config.Users, defs []definition, t texts) {
	d.work, d.scope = e.Scope("server")
	d.ready = env.NewInbox[string](e, len(defs))
	d.teller = e.Waiter()
	d.work.Go("teller", d.tellOn)
	d.mu.Lock()
	d.set, d.users, d.texts = set, users, t
	d.announce()
	d.server.listeners = len(d.listeners)
	for _, def := range defs {
		d.order = append(d.order, newUPS(def))
	}
	d.index()
	list := d.order
	d.mu.Unlock()
	d.tell(e)
	for _, u := range list {
		d.attach(u)
	}
	for _, l := range d.listeners {
		d.work.Go("listener "+l.Addr(), d.accept(l))
	}
}

// announce notes, for machines, what is in force. The caller holds the lock.
func (s *server) announce() {
	s.event(env.Event{Kind: env.Setting, Name: "MAXAGE", N: int64(s.set.maxAge)})
	s.event(env.Event{Kind: env.Setting, Name: "MAXCONN", N: int64(s.set.maxConn)})
	for _, u := range s.users.List {
		for _, a := range slices.Concat(roles[u.Upsmon], u.Actions) {
			s.event(env.Event{Kind: env.Grant, Name: u.Name, Value: strings.ToUpper(a)})
		}
	}
}

// attach starts the task that keeps the link of a UPS.
func (d *daemon) attach(u *ups) {
	var le env.Env
	le, u.scope = d.work.Scope("link of " + u.name)
	le.Go("link of "+u.name, d.keep(u))
}

// startWait is how long the start waits for drivers that do not answer: the command that was typed
// returns when clients can be served, unless a driver hangs.
const startWait = 2 * time.Second

func (d *daemon) awaitDrivers(e env.Env) {
	until := e.Now().Add(startWait)
	for range d.order {
		if _, err := d.ready.Get(e, until); err != nil {
			return
		}
	}
}

// numbers are those of the signals that end upsd, for the log line that people know.
var numbers = map[env.Signal]int{env.Interrupt: 2, env.Quit: 3, env.Terminate: 15}

// attend handles signals until one of them ends the program.
func (d *daemon) attend(e env.Env, signals *env.Inbox[env.Signal]) {
	for {
		sig, err := signals.Get(e, env.Never)
		if err != nil {
			return
		}
		if n, ok := numbers[sig]; ok {
			e.Log().Info(fmt.Sprintf("Signal %d: exiting", n))
			return
		}
		if sig == env.Hangup {
			d.reload(e)
		}
	}
}

// stop ends all tasks and leaves nothing behind.
func (d *daemon) stop(e env.Env) {
	for _, l := range d.listeners {
		l.Close()
	}
	if d.scope != nil {
		d.scope.Stop()
		d.scope.Wait(e)
		for _, u := range d.order { // their scopes are within, and have ended with it
			u.scope.Wait(e)
		}
		d.teller = nil
		d.tellAll(e)
	}
	if d.o.wantsPIDFile() {
		instance(e).Remove(e)
	}
}

// test carries out -t: what start would say about the files, without starting.
func test(e env.Env) int {
	conf, problems, err := readUpsd(e)
	failed := report(e, problems, err)
	inv, problems, err := readUPS(e)
	failed = report(e, problems, err) || failed
	empty := err == nil && len(inv.list) == 0
	if empty && !allow(e, "ALLOW_NO_DEVICE", conf != nil && conf.AllowNoDevice) {
		failed = report(e, nil, complaint(noDevice))
	}
	failed = report(e, fragile(e), nil) || failed
	_, problems, err = readUsers(e)
	failed = report(e, problems, err) || failed
	if conf != nil {
		_, err = loadTLS(e, conf)
		failed = report(e, nil, err) || failed
		_, err = maxConn(e, conf.MaxConn)
		failed = report(e, nil, err) || failed
	}
	warnReadable(e, "upsd.conf")
	warnReadable(e, "upsd.users")
	if failed {
		return 1
	}
	fmt.Fprintf(e.Host().Stdout(), "upsd.conf, ups.conf and upsd.users in %s are good: %d UPS\n",
		nut.ConfPath(e), len(inv.list))
	return 0
}

// report prints problems; true when upsd would not start or would leave out an entry.
func report(e env.Env, problems []config.Problem, err error) bool {
	failed := false
	for _, p := range problems {
		fmt.Fprintln(e.Host().Stderr(), p.Error())
		failed = failed || !p.Warning
	}
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err.Error())
	}
	return failed || err != nil
}
