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
	// user and chroot of ups.conf drivers read for themselves.
	if c.user != "" {
		args = append(args, "-u", c.user)
	}
	if c.chroot != "" {
		args = append(args, "-r", c.chroot)
	}
	if c.pass && c.debug > 0 {
		args = append(args, "-"+strings.Repeat("D", c.debug))
	}
	return args
}

// elsewhere is where packages of NUT put their drivers, for devices that have none of ours.
var elsewhere = []string{"/lib/nut", "/usr/lib/nut", "/usr/libexec/nut", "/usr/local/ups/bin"}

// program is the file of a driver: in driverpath of ups.conf or in NUT_DRIVERPATH, else where this
// program is, else where packages of NUT have theirs.
func (c *controller) program(driver string) string {
	h := c.e.Host()
	if dir := cmp.Or(c.driverPath, h.Getenv("NUT_DRIVERPATH")); dir != "" {
		return dir + "/" + driver
	}
	own := h.Getenv("BLACKSTART_BINDIR")
	if own == "" {
		return driver
	}
	for _, dir := range append([]string{own}, elsewhere...) {
		if c.there(dir + "/" + driver) {
			return dir + "/" + driver
		}
	}
	return own + "/" + driver
}

// there reports whether a file is there, or may be.
func (c *controller) there(file string) bool {
	_, err := c.e.Host().Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// atOnce is how many drivers are dealt with at the same time: a hundred that start together would
// keep a small machine from anything else.
const atOnce = 16

// A result is how one unit fared.
type result struct {
	unit int // its index
	err  error
}

// each runs f for all units, some at the same time; in test mode one after the other, so that the
// plan is readable. It returns what went wrong, in the order of the units.
func (c *controller) each(e env.Env, units []unit,
	f func(e env.Env, u unit) error) error {
	errs := make([]error, len(units))
	if c.test {
		for i, u := range units {
			errs[i] = f(e, u)
		}
		return errors.Join(errs...)
	}
	results := env.NewInbox[result](e, len(units))
	begin := func(i int) {
		e.Go("driver of "+units[i].name, func(e env.Env) error {
			results.Put(result{i, f(e, units[i])})
			return nil
		})
	}
	for i := range min(atOnce, len(units)) {
		begin(i)
	}
	for i := range units {
		r, err := results.Get(e, env.Never)
		if err != nil {
			return err
		}
		errs[r.unit] = r.err
		if next := i + atOnce; next < len(units) {
			begin(next)
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
		if file := args[0]; strings.HasPrefix(file, "/") && !c.there(file) {
			return missing{u.name, file}
		}
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
		if err == nil || errors.Is(err, errSlow) || errors.Is(err, env.ErrStopped) ||
			errors.Is(err, fs.ErrNotExist) {
			break
		}
		if i+1 < u.tries {
			e.Log().Error(fmt.Sprintf("%v (try %d of %d)", err, i+1, u.tries))
		}
	}
	return err
}

// glance is how long a start is looked at with nowait: what is missing or misspelt fails at once.
const glance = time.Second

// exec runs a command in a task of its own, so that it can be left alone.
func (c *controller) exec(e env.Env, u unit, args []string) error {
	results := env.NewInbox[error](e, 1)
	e.Go("exec "+args[0], func(e env.Env) error {
		said := c.listenTo()
		status, err := e.Host().Run(e, said.command(args), env.Never)
		results.Put(said.judge(u, args, int(status), err))
		return nil
	})
	patience := max(u.patience, time.Second)
	if c.hurry {
		patience = glance
	}
	err, late := results.Get(e, e.Now().Add(patience))
	switch {
	case errors.Is(late, env.ErrTimeout) && c.hurry:
		return nil
	case errors.Is(late, env.ErrTimeout):
		return fmt.Errorf("UPS %s: %w", u.name, errSlow)
	case late != nil:
		return late
	}
	return err
}
