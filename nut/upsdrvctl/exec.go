package upsdrvctl

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// command is how a driver is run for a unit.
func (c *controller) command(u unit, extra ...string) []string {
	args := append([]string{c.program(u.driver), "-a", u.name}, extra...)
	if user := c.user(); user != "" {
		args = append(args, "-u", user)
	}
	if root := c.chroot(); root != "" {
		args = append(args, "-r", root)
	}
	if c.pass && c.debug > 0 {
		args = append(args, "-"+strings.Repeat("D", c.debug))
	}
	return args
}

func (c *controller) user() string   { return cmp.Or(c.flags.user, c.site.user) }
func (c *controller) chroot() string { return cmp.Or(c.flags.chroot, c.site.chroot) }

// program is the file of a driver: in driverpath of ups.conf, in NUT_DRIVERPATH, or where this
// program is.
func (c *controller) program(driver string) string {
	h := c.e.Host()
	dir := cmp.Or(c.driverPath, h.Getenv("NUT_DRIVERPATH"), h.Getenv("BLACKSTART_BINDIR"))
	if dir == "" {
		return driver
	}
	return dir + "/" + driver
}

// A result is how one driver's command ended.
type result struct {
	unit unit
	err  error
}

// each runs f for all units: one after the other, or together. It returns what went wrong.
func (c *controller) each(units []unit, together bool, f func(e env.Env, u unit) error) error {
	if !together {
		var errs []error
		for _, u := range units {
			if err := f(c.e, u); err != nil {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
	results := env.NewInbox[result](c.e, len(units))
	for _, u := range units {
		c.e.Go("driver of "+u.name, func(e env.Env) error {
			results.Put(result{u, f(e, u)})
			return nil
		})
	}
	var errs []error
	for range units {
		r, err := results.Get(c.e, env.Never)
		if err != nil {
			return err
		}
		if r.err != nil {
			errs = append(errs, r.err)
		}
	}
	return errors.Join(errs...)
}

// errSlow is for a command that is left alone.
var errSlow = errors.New("Startup timer elapsed, continuing...") //lint:ignore ST1005 NUT's words

// try runs a command until it succeeds, as often as the unit says.
func (c *controller) try(e env.Env, u unit, args []string) error {
	if c.test || c.debug >= 2 {
		fmt.Fprintf(c.out, "exec:  %s\n", strings.Join(args, " "))
	}
	if c.test {
		return nil
	}
	var err error
	for i := range u.tries {
		if i > 0 {
			if err := e.Sleep(u.pause); err != nil {
				return err
			}
		}
		err = c.exec(e, u, args)
		if err == nil || errors.Is(err, errSlow) || errors.Is(err, env.ErrStopped) {
			break
		}
		e.Log().Error(fmt.Sprintf("%v (try %d of %d)", err, i+1, u.tries))
	}
	return err
}

// exec runs a command in a task of its own, so that it can be left alone.
func (c *controller) exec(e env.Env, u unit, args []string) error {
	results := env.NewInbox[error](e, 1)
	e.Go("exec "+args[0], func(e env.Env) error {
		status, err := e.Host().Run(e, env.Command{Args: args}, env.Never)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			err = fmt.Errorf("UPS %s: driver %s is not there", u.name, args[0])
		case err != nil:
			err = fmt.Errorf("UPS %s: %w", u.name, err)
		case status != 0:
			err = fmt.Errorf("UPS %s: Driver failed to start (exit status=%d)", u.name, status)
		}
		results.Put(err)
		return nil
	})
	err, late := results.Get(e, e.Now().Add(max(u.patience, time.Second)))
	switch {
	case errors.Is(late, env.ErrTimeout):
		return fmt.Errorf("UPS %s: %w", u.name, errSlow)
	case late != nil:
		return late
	}
	return err
}
