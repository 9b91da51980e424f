package upsdrvctl

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

// start starts drivers.
func (c *controller) start(units []unit, _ bool) error {
	var extra []string
	if c.background {
		extra = append(extra, "-B")
	}
	if c.foreground > 0 {
		extra = append(extra, "-"+strings.Repeat("F", c.foreground))
		if !c.test {
			return c.supervise(units, extra)
		}
	}
	return c.each(c.e, units, func(e env.Env, u unit) error {
		return c.try(e, u, c.command(u, extra...))
	})
}

// shutdown lets drivers switch the load off.
func (c *controller) shutdown(units []unit, named bool) error {
	all := [][]unit{units}
	if !named {
		all = rounds(units)
	}
	var errs []error
	for _, round := range all {
		errs = append(errs, c.each(c.e, round, func(e env.Env, u unit) error {
			return c.try(e, u, c.command(u, "-k"))
		}))
	}
	return errors.Join(errs...)
}

// pidFile and socket are where the driver of a unit is to be found.
func (c *controller) pidFile(u unit) string {
	return nut.AltPidPath(c.e) + "/" + sockproto.File(u.driver, u.name) + ".pid"
}

func (c *controller) socket(u unit) string {
	dir := nut.StatePath(c.e)
	if c.statePath != "" && c.e.Host().Getenv("NUT_STATEPATH") == "" {
		dir = c.statePath
	}
	return dir + "/" + sockproto.File(u.driver, u.name)
}

// stop ends drivers: by the PID file, or through the socket of one that has none.
func (c *controller) stop(units []unit, _ bool) error {
	return c.each(c.e, units, func(e env.Env, u unit) error {
		if c.test {
			fmt.Fprintf(c.out, "kill:  -TERM $(cat %s)\n", c.pidFile(u))
			return nil
		}
		pid, err := remote.ReadPID(e, c.pidFile(u), u.driver, u.name)
		if err == nil {
			if err = remote.Stop(e, pid); errors.Is(err, env.ErrNoProcess) {
				return nil
			}
			return c.about(u, err)
		}
		if c.ask(e, u, "exit") == nil {
			return nil
		}
		//lint:ignore ST1005 NUT's words
		return c.about(u, fmt.Errorf("Can't open %s: %w, and nobody answers at %s",
			c.pidFile(u), err, c.socket(u)))
	})
}

// about says which UPS an error is about; nil stays nil.
func (c *controller) about(u unit, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("UPS %s: %w", u.name, err)
}

// answerTime is how long a driver may take for a command, in the middle of a poll.
const answerTime = 15 * time.Second

// ask sends a driver one of its own commands through its socket.
func (c *controller) ask(e env.Env, u unit, word string) error {
	conn, err := remote.Dial(e, c.socket(u))
	if err != nil {
		return err
	}
	defer conn.Close(e)
	code, err := conn.Command(e, "driver."+word, e.Now().Add(answerTime))
	if err == nil && code != sockproto.Handled {
		err = fmt.Errorf("UPS %s: the driver refused driver.%s (result %d)", u.name, word, code)
	}
	return err
}

// order carries out -c. Drivers do it themselves: they know other ways when a socket is deaf.
func (c *controller) order(units []unit, _ bool) error {
	tell := func(e env.Env, u unit) error {
		u.tries = 1
		return c.try(e, u, append(c.command(u), "-c", c.tell))
	}
	if c.tell != "dump" {
		return c.each(c.e, units, tell)
	}
	var errs []error
	for _, u := range units { // what they print is not to be mixed
		errs = append(errs, tell(c.e, u))
	}
	return errors.Join(errs...)
}
