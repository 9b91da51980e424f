package upsmon

import (
	"fmt"
	"time"

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

// run is the daemon.
func run(e env.Env, o options) int {
	if !o.inForeground() {
		if err := e.Host().Detach(e); err != nil {
			e.Log().Error(fmt.Sprintf("cannot go to the background: %v", err))
			return 1
		}
	}
	fmt.Fprintln(e.Host().Stdout(), title)
	signals := e.Host().Signals()
	defer instance(e).Remove(e)
	m, err := start(e, o)
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		return 1
	}
	m.serveSignals(e, signals)
	e.Log().Info("Startup successful")
	e.Host().Ready(e, fmt.Sprintf("watching %d UPS", len(m.lines)))
	code := m.attend(e)
	m.farewell(e)
	return code
}

// start does all that may fail, in the order in which operators expect the complaints.
func start(e env.Env, o options) (*monitor, error) {
	if pid, ok := instance(e).Running(e); ok {
		return nil, fmt.Errorf("Fatal error: A previous upsmon instance is already running! "+
			"Process %d, by %s.\nEither stop the previous instance first, or use the 'reload' command.", pid, pidFile(e))
	}
	c, problems, err := o.read(e)
	complain(e, problems)
	if err != nil {
		return nil, err
	}
	m := &monitor{o: o, lookAt: env.Never, decideAt: env.Never}
	m.plan = &plan{out: env.NewInbox[report](e, reportQueue)}
	if m.user, err = o.notifyUser(e, c); err != nil {
		return nil, err
	}
	if err := instance(e).Write(e); err != nil {
		e.Log().Warn(fmt.Sprintf("cannot write the PID file %s, so that upsmon -c will not find "+
			"this process: %v", pidFile(e), err))
	}
	if o.asRoot {
		e.Log().Warn("Warning: running as one big root process by request (upsmon -p)")
	}
	m.flag = lowerFlag(e, c.PowerdownFlag)
	m.notes = startNotifier(e)
	if err := m.adopt(e, c); err != nil {
		return nil, err
	}
	m.remind(e)
	return m, nil
}

// builtInUsers are whom NOTIFYCMD runs as where the configuration says nothing: the account that
// packages of NUT make, else one that has no rights.
const (
	packageUser = "nut"
	builtInUser = "nobody"
)

// notifyUser returns the account of NOTIFYCMD, empty for this process's own. An account that the
// system does not know is an error now, not at the first outage.
func (o *options) notifyUser(e env.Env, c *config.Upsmon) (string, error) {
	user := c.RunAsUser
	if o.user != "" {
		user = o.user
	}
	switch {
	case o.asRoot:
		return "", nil
	case user == "" && account(e, packageUser) == known:
		return packageUser, nil
	case user == "":
		return builtInUser, nil
	case account(e, user) == missing:
		return "", fmt.Errorf("OS user %s not found: RUN_AS_USER and -u want an account of this "+
			"machine", user)
	}
	return user, nil
}

// existence is what the system says about an account.
type existence int

const (
	untold existence = iota // there is nobody to ask
	known
	missing
)

// account asks the system's own program, which knows accounts from wherever the site keeps them.
func account(e env.Env, user string) existence {
	c := env.Command{Args: []string{"id", "-u", user}, Stdout: nowhere{}, Stderr: nowhere{}}
	switch status, err := e.Host().Run(e, c, e.Now().Add(accountTime)); {
	case err != nil:
		return untold
	case status == 0:
		return known
	}
	return missing
}

// accountTime is what the system may take to look up an account, in a directory far away perhaps.
const accountTime = 5 * time.Second

// nowhere takes output that nobody wants.
type nowhere struct{}

func (nowhere) Write(b []byte) (int, error) { return len(b), nil }

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
