package upsdrvctl

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// How drivers that are children are kept alive.
const (
	// Drivers are told to go so often, with pauses, and then ended.
	stopTries = 5
	stopPause = time.Second
	// steady is for how long a driver must have run to count as one that can.
	steady = 10 * time.Second
	// maxPause is the longest pause before a driver is started again.
	maxPause = time.Minute
	// killed is the least exit status of a driver that a signal has ended.
	killed = 128
)

// supervise keeps drivers as children until all have ended in peace or were given up, and ends
// them when told to end.
func (c *controller) supervise(units []unit, extra []string) error {
	ended := env.NewInbox[error](c.e, len(units))
	inner, scope := c.e.Scope("drivers")
	for _, u := range units {
		args := c.command(u, extra...)
		inner.Go("driver of "+u.name, func(e env.Env) error {
			ended.Put(c.keep(e, u, args))
			return nil
		})
	}
	c.e.Go("signals", func(e env.Env) error { return c.relay(e, units, scope) })
	var errs []error
	for range units {
		err, stopped := ended.Get(c.e, env.Never)
		if stopped != nil {
			return stopped
		}
		if !errors.Is(err, env.ErrStopped) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// keep runs a driver, again and again if it must. One that leaves in peace was told to. One that
// was killed, or that has worked before, is always started again; one that never worked is given
// up after maxretry tries.
func (c *controller) keep(e env.Env, u unit, args []string) error {
	pause, failed := u.pause, 0
	for {
		began := e.Now()
		err := c.run1(e, u, args, &failed)
		switch {
		case err == nil || errors.Is(err, env.ErrStopped) || errors.Is(err, fs.ErrNotExist):
			return err
		case c.leaving.Load():
			return nil
		}
		if e.Now().Sub(began) >= steady || errors.Is(err, errKilled) {
			failed, pause = 0, u.pause
		}
		if failed >= u.tries {
			return err
		}
		e.Log().Error(fmt.Sprintf("%v; it is started again in %v", err, pause))
		if err := e.Sleep(pause); err != nil {
			return err
		}
		pause = min(max(2*pause, time.Second), max(maxPause, u.pause))
	}
}

// run1 runs a driver once and counts its failures; one that a signal ended has not failed.
func (c *controller) run1(e env.Env, u unit, args []string, failed *int) error {
	said := c.listenTo()
	status, err := e.Host().Run(e, said.command(args), env.Never)
	if err = said.judge(u, args, int(status), err); err != nil && status < killed {
		*failed++
	}
	return err
}

// relay hands signals on to the drivers.
func (c *controller) relay(e env.Env, units []unit, scope env.Scope) error {
	tell := func(e env.Env, word string) {
		// Those that do not listen are ended below, or hear of it the next time.
		c.each(e, units, func(e env.Env, u unit) error { c.ask(e, u, word); return nil })
	}
	for signals := e.Host().Signals(); ; {
		s, err := signals.Get(e, env.Never)
		switch {
		case err != nil:
			return err
		case s == env.Hangup:
			tell(e, "reload")
		case s == env.User1:
			tell(e, "reload-or-exit")
		case s == env.Terminate || s == env.Interrupt || s == env.Quit:
			c.leaving.Store(true)
			for range stopTries { // one that is just starting hears it the next time
				e.Go("farewell", func(e env.Env) error { tell(e, "exit"); return nil })
				if err := e.Sleep(stopPause); err != nil {
					return err
				}
			}
			scope.Stop()
			return nil
		}
	}
}
