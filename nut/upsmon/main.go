package upsmon

import (
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Main is the program upsmon.
func Main(e env.Env, args []string) int {
	o, err := parseOptions(args)
	out := e.Host().Stdout()
	if o.version && err == nil {
		fmt.Fprintln(out, title)
		return 0
	}
	if o.help || err != nil {
		if err != nil {
			fmt.Fprintf(e.Host().Stderr(), "upsmon: %v\n\n", err)
		}
		fmt.Fprintln(out, title)
		fmt.Fprintf(out, usage, nut.ConfPath(e)+"/upsmon.conf", pidFile(e))
		return 0 // also after a wrong flag, as scripts are used to
	}
	switch {
	case o.signal() != "":
		fmt.Fprintln(out, title)
		return send(e, o)
	case o.checkFlag:
		fmt.Fprintln(out, title)
		return askFlag(e, o)
	case o.test:
		return test(e, o)
	}
	return run(e, o)
}

// askFlag carries out -K.
func askFlag(e env.Env, o options) int {
	c, _, err := o.read(e)
	if c == nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		return checkFlag(e, "")
	}
	return checkFlag(e, c.PowerdownFlag)
}

// test carries out -t: what start would say about the file, without starting.
func test(e env.Env, o options) int {
	c, problems, err := o.read(e)
	if err == nil {
		_, err = o.dialing(e, c)
	}
	ignored := 0
	for _, p := range problems {
		fmt.Fprintln(e.Host().Stderr(), p.Error())
		if !p.Warning {
			ignored++
		}
	}
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
	}
	if err != nil || ignored > 0 {
		return 1
	}
	fmt.Fprintf(e.Host().Stdout(), "%s is good\n", o.confFile(e))
	return 0
}

// run is the daemon. What is typed becomes the parent, which keeps its rights and does nothing but
// shut down (see env.Split); its child comes here again, and is the monitor.
func run(e env.Env, o options) int {
	if parent := e.Host().Parent(); parent != nil {
		return serve(e, o, parent.Split(), parent)
	}
	if !o.inForeground() {
		if err := e.Host().Detach(e); err != nil {
			e.Log().Error(fmt.Sprintf("cannot go to the background: %v", err))
			return 1
		}
	}
	fmt.Fprintln(e.Host().Stdout(), title)
	s, err := prepare(e, &o)
	if err == nil && !o.asRoot {
		if err = e.Host().Split(e, s); errors.Is(err, env.ErrStopped) {
			return 1
		}
	}
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		return 1
	}
	defer instance(e).Remove(e)
	if err := instance(e).Write(e); err != nil {
		e.Log().Warn(fmt.Sprintf("cannot write the PID file %s, so that upsmon -c will not find "+
			"this process: %v", pidFile(e), err))
	}
	return serve(e, o, s, nil)
}

// serve is the monitor. parent is nil when there is one process.
func serve(e env.Env, o options, s env.Split, parent env.Parent) int {
	signals := e.Host().Signals()
	m, err := start(e, o, s, parent)
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		return 1
	}
	m.serveSignals(e, signals)
	m.listen(e)
	e.Log().Info("Startup successful")
	e.Host().Ready(e, m.state())
	code := m.attend(e)
	if code != int(env.StartOver) {
		e.Host().Tell(env.Stopping, "")
	}
	m.farewell(e)
	return code
}

// start puts the configuration to work.
func start(e env.Env, o options, s env.Split, parent env.Parent) (*monitor, error) {
	c, _ := config.ParseUpsmon(o.confFile(e), s.Config)
	m := &monitor{o: o, split: s, parent: parent, first: c, lookAt: env.Never, decideAt: env.Never,
		turnAt: env.Never, mournAt: env.Never}
	if e.Host().Watchdog() > 0 {
		m.turnAt = e.Now()
	}
	m.plan = &plan{out: env.NewInbox[report](e, reportQueue)}
	m.notes = startNotifier(e)
	if err := m.adopt(e, c); err != nil {
		return nil, err
	}
	m.remind(e)
	return m, nil
}

// state is what a service manager shows.
func (m *monitor) state() string { return fmt.Sprintf("watching %d UPS", len(m.lines)) }

// serveSignals puts the signals of this process among the reports.
func (m *monitor) serveSignals(e env.Env, signals *env.Inbox[env.Signal]) {
	e.Go("signals", func(e env.Env) error {
		for {
			s, err := signals.Get(e, env.Never)
			if err != nil {
				return err
			}
			m.plan.out.Put(report{kind: signal, signal: s})
		}
	})
}
