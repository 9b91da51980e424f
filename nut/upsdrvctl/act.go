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
	if c.foreground > 0 && !c.test {
		return c.nurse(units, append(extra, "-"+strings.Repeat("F", c.foreground)))
	}
	return c.each(units, c.together && !c.test, func(e env.Env, u unit) error {
		return c.try(e, u, c.command(u, extra...))
	})
}

// nurse keeps drivers as children until they have ended, and ends them when told to end.
func (c *controller) nurse(units []unit, extra []string) error {
	ended := env.NewInbox[error](c.e, len(units))
	inner, scope := c.e.Scope("drivers")
	for _, u := range units {
		args := c.command(u, extra...)
		inner.Go("driver of "+u.name, func(e env.Env) error {
			status, err := e.Host().Run(e, env.Command{Args: args}, env.Never)
			if err == nil && status != 0 {
				err = fmt.Errorf("UPS %s: driver ended with status %d", u.name, status)
			}
			ended.Put(err)
			return nil
		})
	}
	c.e.Go("signals", func(e env.Env) error {
		for signals := e.Host().Signals(); ; {
			s, err := signals.Get(e, env.Never)
			if err != nil {
				return err
			}
			if s == env.Hangup || s == env.User1 || s == env.User2 {
				continue
			}
			for _, u := range units {
				c.ask(e, u, "exit") // those that do not listen are ended below
			}
			if err := e.Sleep(stopTime); err != nil {
				return err
			}
			scope.Stop()
			return nil
		}
	})
	var errs []error
	for range units {
		err, stopped := ended.Get(c.e, env.Never)
		if stopped != nil {
			return stopped
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// stopTime is how long drivers may take to go.
const stopTime = 5 * time.Second

// shutdown lets drivers switch the load off.
func (c *controller) shutdown(units []unit, named bool) error {
	all := [][]unit{units}
	if !named {
		all = rounds(units)
	}
	var errs []error
	for _, round := range all {
		errs = append(errs, c.each(round, !c.test, func(e env.Env, u unit) error {
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
	return c.each(units, false, func(e env.Env, u unit) error {
		if c.test {
			fmt.Fprintf(c.out, "kill:  -TERM $(cat %s)\n", c.pidFile(u))
			return nil
		}
		pid, err := remote.ReadPID(e, c.pidFile(u), u.driver)
		if err == nil {
			if err = remote.Stop(e, pid); errors.Is(err, env.ErrNoProcess) {
				return nil
			}
			return err
		}
		if c.ask(e, u, "exit") == nil {
			return nil
		}
		return fmt.Errorf("Can't open %s: %w", c.pidFile(u), err) //lint:ignore ST1005 NUT's words
	})
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
	return c.each(units, false, func(e env.Env, u unit) error {
		if c.tell == "dump" {
			return errors.New("-c dump: not supported; use upsc")
		}
		u.tries = 1
		return c.try(e, u, append(c.command(u), "-c", c.tell))
	})
}

// status prints a table.
func (c *controller) status(units []unit, _ bool) error {
	fmt.Fprintf(c.out, row,
		"UPSNAME", "UPSDRV", "RUNNING", "PF_PID", "S_RESPONSIVE", "S_PID", "S_STATUS")
	for _, u := range units {
		pid, err := remote.ReadPID(c.e, c.pidFile(u), u.driver)
		running, number := "RUNNING", pid
		if err != nil {
			running, number = "N/A", remote.Code(err)
			if pid > 0 {
				running = "STOPPED"
			}
		}
		alive, socketPID, status := c.listen(u)
		fmt.Fprintf(c.out, row,
			u.name, u.driver, running, fmt.Sprint(number), alive, socketPID, status)
	}
	return nil
}

// row is a line of the table.
const row = "%-20s\t%11s\t%s\t%s\t%s\t%s\t%s\n"

// lookTime is how long a driver may take to say how it is.
const lookTime = 3 * time.Second

// listen asks a driver how it is.
func (c *controller) listen(u unit) (alive, pid, status string) {
	alive, pid = "NOT_RESPONSIVE", "N/A"
	conn, err := remote.Dial(c.e, c.socket(u))
	if err != nil {
		return alive, pid, ""
	}
	defer conn.Close(c.e)
	if conn.Ping(c.e, c.e.Now().Add(lookTime)) != nil {
		return alive, pid, ""
	}
	if n, err := conn.PID(c.e, c.e.Now().Add(lookTime)); err == nil {
		pid = fmt.Sprint(n)
	}
	if s, err := conn.Status(c.e, c.e.Now().Add(lookTime)); err == nil {
		status = `"` + s + `"`
	}
	return "RESPONSIVE", pid, status
}
