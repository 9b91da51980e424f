package upsmon

import (
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// Tries of a SHUTDOWNCMD that fails.
const (
	shutdownTries = 5
	shutdownRetry = 5 * time.Second
)

// prepare does what needs the rights that upsmon is started with, and all that may fail, in the order
// in which operators expect the complaints. It returns what the parent is given.
func prepare(e env.Env, o *options) (env.Split, error) {
	if pid, ok := instance(e).Running(e); ok {
		return env.Split{}, fmt.Errorf("Fatal error: A previous upsmon instance is already running! "+
			"Process %d, by %s.\nEither stop the previous instance first, or use the 'reload' command.", pid, pidFile(e))
	}
	s, err := o.split(e)
	if old, again := e.Host().Previous(); again && err != nil {
		e.Log().Error(fmt.Sprintf("Reload failed, the old configuration stays: %v", err))
		s, err = old, nil
	}
	if err != nil {
		return s, err
	}
	switch {
	case o.asRoot:
		e.Log().Warn("Warning: running as one big root process by request (upsmon -p)")
	case !e.Host().Root():
		e.Log().Warn("Warning: not running as root: SHUTDOWNCMD will have no more rights than this account")
	}
	s.Flag = lowerFlag(e, s.Flag)
	return s, nil
}

// split reads the configuration and takes from it what the parent must know.
func (o *options) split(e env.Env) (env.Split, error) {
	c, problems, text, err := o.readAll(e)
	complain(e, problems)
	if err != nil {
		return env.Split{}, err
	}
	user, err := o.account(e, c)
	return env.Split{User: user, Flag: c.PowerdownFlag, Text: magic, Command: c.ShutdownCmd,
		Tries: shutdownTries, Pause: shutdownRetry, PIDFile: pidFile(e), Config: text}, err
}

// The account where the configuration says nothing: the one that packages of NUT make, else one that
// has no rights.
const lastResort = "nobody"

// account returns whom the child runs as, empty for this process's own. An account that the system
// does not know is an error now, not at the first outage.
func (o *options) account(e env.Env, c *config.Upsmon) (string, error) {
	user := c.RunAsUser
	if o.user != "" {
		user = o.user
	}
	if user == "" {
		user = e.Host().Getenv(service.AccountVar)
	}
	switch {
	case o.asRoot || !e.Host().Root():
		return "", nil
	case user == "" && account(e, service.BuiltIn) == known:
		return service.BuiltIn, nil
	case user == "":
		return lastResort, nil
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

// listen puts what the parent tells among the reports.
func (m *monitor) listen(e env.Env) {
	if m.parent == nil {
		return
	}
	e.Go("parent", func(e env.Env) error {
		for {
			d, err := m.parent.Next(e)
			switch {
			case errors.Is(err, env.ErrClosed):
				m.plan.out.Put(report{kind: orphaned})
				return nil
			case err != nil:
				return err
			}
			m.plan.out.Put(report{kind: done, deed: d})
		}
	})
}

// noParentTime is between two warnings that there is nobody left who may shut the host down.
const noParentTime = 120 * time.Second

// mourn tells that the parent is dead, now and again.
func (m *monitor) mourn(e env.Env) {
	m.mournAt = e.Now().Add(noParentTime)
	e.Log().Error("Parent died - shutdown impossible")
	m.announce(e, Notice{Type: NoParent})
}

// order has SHUTDOWNCMD run: by the parent, or with the rights of this process when there is none.
func (m *monitor) order(e env.Env) {
	if m.parent != nil {
		err := env.ErrClosed
		if m.mournAt == env.Never {
			err = m.parent.Order(e)
		}
		if err == nil {
			return
		}
		e.Log().Error(fmt.Sprintf("Unable to call parent pipe for shutdown: %v; trying with the rights "+
			"of this process", err))
		m.parent = nil
	}
	s := m.split
	e.Go("shutdown", func(e env.Env) error { return m.carryOut(e, s) })
}

// carryOut does here what else the parent does.
func (m *monitor) carryOut(e env.Env, s env.Split) error {
	var err error
	if s.Flag != "" {
		err = e.Host().WriteFile(s.Flag, []byte(s.Text), flagPerm)
	}
	flagged(e, &s, err)
	for try := range s.Tries {
		if try > 0 {
			if err := e.Sleep(s.Pause); err != nil {
				return err
			}
		}
		running(e, &s)
		status, err := e.Host().Run(e, env.Command{Shell: s.Command}, env.Never)
		m.plan.out.Put(report{kind: done, deed: env.Deed{Step: env.Ended, Status: status, Err: err}})
		if err == nil && status == 0 {
			break
		}
	}
	return nil
}

// flagged tells what became of POWERDOWNFLAG.
func flagged(e env.Env, s *env.Split, err error) {
	if err != nil {
		e.Log().Error(fmt.Sprintf("POWERDOWNFLAG (%s) cannot be written: %v; "+
			"the UPS will not be told to cut the power", s.Flag, err))
	} else if s.Flag != "" {
		e.Emit(env.Event{Kind: env.Flag, Name: s.Flag, Value: "written"})
	}
}

// running tells that SHUTDOWNCMD is about to run.
func running(e env.Env, s *env.Split) {
	e.Emit(env.Event{Kind: env.ShutdownCmd, Value: s.Command})
}

// commandStart is what a command of this process's own gets to be started when all is to end at the
// moment in which it was ordered; a parent sees to that itself.
const commandStart = 500 * time.Millisecond

// bringDown has SHUTDOWNCMD run, again when it fails: nothing else is left to be done for this host.
// It is the one wait without a limit, as nothing good comes of killing the command halfway; who
// wants this process to end, as a system that halts does, need not wait for it.
func (m *monitor) bringDown(e env.Env) (ended, ok bool) {
	m.order(e)
	begun := false // by the parent
	for tries := 0; tries < m.split.Tries; {
		r, err := m.next(e, env.Never)
		switch {
		case err != nil:
			return true, false
		case r.kind == signal && ends(r.signal):
			e.Log().Info(fmt.Sprintf("Signal %d: exiting", numbers[r.signal]))
			if m.parent == nil {
				e.Sleep(commandStart)
			}
			return true, true
		case r.kind == orphaned && begun:
			return false, true // whether it succeeds, nobody can tell any more
		case r.kind == orphaned && m.parent != nil:
			m.order(e)
		case r.kind != done:
		case r.deed.Step == env.Flagged:
			flagged(e, &m.split, r.deed.Err)
			running(e, &m.split)
			if begun = m.parent.Order(e) == nil; !begun {
				m.order(e)
			}
		case r.deed.Step == env.Again:
			running(e, &m.split)
		case r.deed.Err == nil && r.deed.Status == 0:
			return false, true
		default:
			tries++
			e.Log().Error(fmt.Sprintf("Unable to call shutdown command: %s: %s", m.split.Command,
				outcome(r.deed.Status, r.deed.Err)))
		}
	}
	return true, false
}
