package apcsmart

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A command is an instant command.
type command struct {
	name string
	cmd  string // that the device must know
	// argument is what the value must look like; nil is none.
	argument *regexp.Regexp
	// nasty commands must be given twice.
	nasty bool
	do    func(d *device, e env.Env, value string) (driver.Outcome, error)
}

var (
	atDigits = regexp.MustCompile(`^[Aa][Tt]:([0-9]{1,3})$`)
	maybeCS  = regexp.MustCompile(`^([Cc][Ss])?$`)
)

var commands = []command{
	{"shutdown.return", "@", atDigits, true, func(d *device, e env.Env, value string) (driver.Outcome, error) {
		return d.hard(e, value[len("at:"):])
	}},
	{"shutdown.return", "S", maybeCS, true, func(d *device, e env.Env, value string) (driver.Outcome, error) {
		if value != "" {
			return d.forced(e)
		}
		return d.by(e, d.cycle(e)[0])
	}},
	{"shutdown.stayoff", "K", nil, true, func(d *device, e env.Env, _ string) (driver.Outcome, error) {
		return d.twice(e, "K", true)
	}},
	{"load.off", "Z", nil, true, func(d *device, e env.Env, _ string) (driver.Outcome, error) {
		return d.twice(e, "Z", false)
	}},
	{"load.on", "\x0e", nil, false, func(d *device, e env.Env, _ string) (driver.Outcome, error) {
		return d.twice(e, "\x0e", false)
	}},
	{"calibrate.start", "D", nil, false, calibrate(true)},
	{"calibrate.stop", "D", nil, false, calibrate(false)},
	{"test.panel.start", "A", nil, false, single("A")},
	{"test.failure.start", "U", nil, false, single("U")},
	{"test.battery.start", "W", nil, false, single("W")},
	{"test.battery.stop", "W", nil, false, stopTest},
	{"bypass.start", "^", nil, false, single("^")},
	{"bypass.stop", "^", nil, false, single("^")},
}

func single(cmd string) func(*device, env.Env, string) (driver.Outcome, error) {
	return func(d *device, e env.Env, _ string) (driver.Outcome, error) {
		err := d.tell(e, cmd)
		return driver.Outcome{Wire: cmd, Acknowledged: err == nil}, err
	}
}

// calibrate presses the key that starts and ends a calibration when the device is not yet where
// it shall be.
func calibrate(on bool) func(*device, env.Env, string) (driver.Outcome, error) {
	return func(d *device, e env.Env, value string) (driver.Outcome, error) {
		s, err := d.status(e)
		if err != nil {
			return driver.Outcome{Wire: "Q"}, err
		}
		if (s&Calibrating != 0) == on {
			return driver.Outcome{Wire: "Q", Acknowledged: true}, nil
		}
		return single("D")(d, e, value)
	}
}

// stopTest presses the key of the test a second time. Where the load is on line power no test runs,
// and the key would start one.
func stopTest(d *device, e env.Env, value string) (driver.Outcome, error) {
	if s, err := d.status(e); err != nil || s&OnLine != 0 {
		return driver.Outcome{Wire: "Q", Acknowledged: false}, err
	}
	return single("W")(d, e, value)
}

// offer offers the instant commands of a device.
func (d *device) offer() {
	for _, c := range commands {
		d.s.Withdraw(c.name)
	}
	if d.listed == basic { // nobody has said that it has any
		return
	}
	for _, c := range commands {
		if strings.Contains(d.listed, c.cmd) {
			d.s.Offer(c.name)
		}
	}
}

// Nasty commands must be given again within this time, and not at once: a finger that slips, or a
// program that repeats what was not answered, switches nothing off.
const nastyFrom, nastyTo = 3 * time.Second, 15 * time.Second

// Command implements driver.Device.
func (d *device) Command(e env.Env, name, value string) (driver.Outcome, error) {
	c, err := find(name, value)
	if err != nil {
		return driver.Outcome{}, err
	}
	if !strings.Contains(d.listed, c.cmd) {
		return driver.Outcome{}, fmt.Errorf("%w: this device has no command %s for %s %s",
			driver.ErrInvalid, label(c.cmd), c.name, value)
	}
	if c.nasty && !d.sure(e, c.name+" "+value) {
		e.Log().Warn(fmt.Sprintf("%s: %s must be given again in %v to %v to have an effect",
			d.conf.UPS, c.name, nastyFrom, nastyTo))
		return driver.Outcome{}, nil
	}
	return c.do(d, e, value)
}

// KillBy implements driver.Killer: in a kill-power run nothing must be given twice.
func (d *device) KillBy(e env.Env, name string) (driver.Outcome, error) {
	c, err := find(name, "")
	if err != nil {
		return driver.Outcome{}, err
	}
	if c.cmd == "S" {
		return d.first(e, d.cycle(e))
	}
	return c.do(d, e, "")
}

// find finds a command that takes the value.
func find(name, value string) (command, error) {
	known := false
	for _, c := range commands {
		if !strings.EqualFold(c.name, name) {
			continue
		}
		known = true
		if c.argument == nil || c.argument.MatchString(value) {
			return c, nil
		}
	}
	if !known {
		return command{}, driver.ErrUnknown
	}
	return command{}, fmt.Errorf("%w: %s %q: want no argument, at:NNN or cs", driver.ErrInvalid, name, value)
}

// sure reports whether a command was given before, not too long ago and not just now.
func (d *device) sure(e env.Env, what string) bool {
	first, ok := d.armed[what]
	age := e.Now().Sub(first)
	if ok && age >= nastyFrom && age <= nastyTo {
		delete(d.armed, what)
		return true
	}
	d.armed[what] = e.Now()
	return false
}

// Set implements driver.Device.
func (d *device) Set(e env.Env, name, value string) (driver.Outcome, error) {
	at := slices.IndexFunc(d.vars, func(v variable) bool { return strings.EqualFold(v.name, name) })
	if at < 0 {
		return driver.Outcome{}, driver.ErrUnknown
	}
	v := d.vars[at]
	var err error
	switch {
	case len(d.values[v.cmd]) > 0:
		err = d.turn(e, v, value)
	case v.size > 0:
		err = d.write(e, v, value)
	default:
		return driver.Outcome{}, fmt.Errorf("%w: %s cannot be set", driver.ErrInvalid, v.name)
	}
	return driver.Outcome{Wire: v.cmd + "-", Acknowledged: err == nil}, err
}

// turns is how often a setting is turned to its next value before that is given up.
const turns = 32

// turn brings a setting to a value: the device only knows the way to the next one.
func (d *device) turn(e env.Env, v variable, value string) error {
	first, err := d.setting(e, v)
	if err != nil {
		return err
	}
	now := first
	for range turns {
		if v.publish(now) == value {
			d.publish(v, now)
			return nil
		}
		if err := d.tell(e, "-"); err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		if now, err = d.setting(e, v); err != nil {
			return err
		}
		if now == first {
			break
		}
	}
	return fmt.Errorf("%s: %w: the device has no value %q", v.name, errRefused, value)
}

// setting reads what a setting is.
func (d *device) setting(e env.Env, v variable) (string, error) {
	answer, err := d.ask(e, v.cmd)
	if err == nil {
		err = v.accepts(answer)
	}
	return answer, err
}

// write writes a text. Short ones are filled up with CR.
func (d *device) write(e env.Env, v variable, value string) error {
	if len(value) > v.size || !isText.MatchString(value) {
		return fmt.Errorf("%w: %s = %q: want at most %d printable characters",
			driver.ErrInvalid, v.name, value, v.size)
	}
	if now, err := d.ask(e, v.cmd); err != nil || v.publish(now) == value {
		return err
	}
	if err := d.send(e, "-"); err != nil {
		return err
	}
	fill := strings.Repeat("\r", v.size-len(value))
	if err := d.slowly(e, "-", value+fill); err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	d.s.Set(v.name, value)
	return nil
}
