package dummy

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Spec is the driver.
var Spec = driver.Spec{
	Name:    "dummy-ups",
	Version: "0.1",
	Summary: "Device simulation and repeater driver",
	Options: []driver.Option{
		{Key: "port", Help: "file to play: absolute, in the working folder (./file), " +
			"else in the folder of ups.conf; or ups@host[:port], a UPS of another upsd to show"},
		{Key: "mode", Check: checkMode,
			Help: "dummy-once: read the file when it changes, usual for .dev; " +
				"dummy-loop: over and over, usual for other files; " +
				"repeater: usual for ups@host"},
		{Key: "repeater_disable_strict_start", Kind: driver.Flag,
			Help: "repeater: start even though the other upsd does not answer"},
		{Key: "username", Help: "repeater: with password, pass on settings and commands"},
		{Key: "password", Secret: true, Help: "repeater: see username"},
		{Key: "authconf", Help: "repeater: a nutauth.conf with user, password and how to encrypt; " +
			"default: the usual one; none"},
	},
	Verbatim: true,
	Open:     open,
}

// The modes.
const (
	once   = "dummy-once"
	loop   = "dummy-loop"
	repeat = "repeater"
)

func checkMode(mode string) error {
	switch mode {
	case once, loop, repeat, "dummy":
		return nil
	}
	return errors.New("want dummy-once, dummy-loop or repeater")
}

// modeOf is the mode for an option's value and a file.
func modeOf(option, port string) string {
	switch {
	case option == "dummy":
		return loop
	case option != "":
		return option
	case strings.Contains(port, "@"):
		return repeat
	case strings.HasSuffix(port, ".dev"):
		return once
	}
	return loop
}

// initial are the values of a UPS about which the file says nothing. They are left out when the
// file gives them as device.*, and for recordings, which are served as they are.
var initial = []struct{ name, value, unless string }{
	{"ups.mfr", "Dummy Manufacturer", "device.mfr"},
	{"ups.model", "Dummy UPS", "device.model"},
}

// noStamp is a file that was not read yet.
var noStamp = stamp{size: -1}

// A stamp tells one content of a file from the next.
type stamp struct {
	time time.Time
	size int64
}

// device is the simulated UPS.
type device struct {
	file string
	mode string
	s    *driver.State

	script script
	at     int         // the step that comes next
	wait   env.Instant // until when a TIMER lasts; 0: there is none
	read   stamp
	alarms []string

	pending []pending
}

func open(e env.Env, s driver.Setup) (driver.Device, error) {
	mode := modeOf(s.Conf.Text("mode"), s.Conf.Port())
	if mode == repeat {
		return openRepeater(e, s)
	}
	d := &device{file: path(s.Conf.Port(), s.Conf.Dir), mode: mode, s: s.State, read: noStamp}
	if _, err := e.Host().ReadFile(d.file); err != nil {
		return nil, unreadable(d.file, err)
	}
	d.s.Set("driver.parameter.mode", mode)
	for _, f := range effects {
		if f.name != passed {
			d.s.Offer(f.name)
		}
	}
	d.s.Status("OL")
	d.writable("ups.status", "OL")
	return d, nil
}

// unreadable words an error as the C driver does; scripts look for it.
func unreadable(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return missing(file)
	}
	return fmt.Errorf("Can't open %s: %w", file, err) //lint:ignore ST1005 NUT's words
}

// missing is the name of a file that is not there.
type missing string

func (m missing) Error() string {
	return "Can't open " + string(m) + ": No such file or directory"
}

func (m missing) Unwrap() error { return fs.ErrNotExist }

// path is the file that port means.
func path(port, dir string) string {
	if strings.HasPrefix(port, "/") || strings.HasPrefix(port, ".") {
		return port
	}
	return dir + "/" + port
}

// Poll implements driver.Device.
func (d *device) Poll(e env.Env) error {
	for _, p := range slices.Clone(d.pending) {
		if p.at <= e.Now() {
			d.apply(e, p.command, "") // and so it is no longer pending
		}
	}
	if e.Now() < d.wait {
		return nil
	}
	d.wait = 0
	if d.at >= len(d.script.steps) {
		if err := d.rewind(e); err != nil {
			return err
		}
	}
	d.play(e)
	return nil
}

// rewind goes back to the first step: always in a loop, else when the file has changed.
func (d *device) rewind(e env.Env) error {
	info, err := e.Host().Stat(d.file)
	if err != nil {
		return unreadable(d.file, err)
	}
	now := stamp{info.ModTime, info.Size}
	if d.mode == once && now == d.read {
		return nil
	}
	text, err := e.Host().ReadFile(d.file)
	if err != nil {
		return err
	}
	if now != d.read {
		d.script = parse(d.file, text)
		for _, err := range d.script.bad {
			e.Log().Warn(err.Error())
		}
	}
	d.at, d.read, d.alarms = 0, now, nil
	d.s.Alarms()
	for _, i := range initial {
		if there, _ := d.s.Has(i.name); !there && !d.script.real && !d.script.names[i.unless] {
			d.assign(i.name, i.value)
		}
	}
	return nil
}

// play takes steps up to the next TIMER that lasts, or the end.
func (d *device) play(e env.Env) {
	for d.at < len(d.script.steps) {
		st := d.script.steps[d.at]
		d.at++
		switch st.verb {
		case set:
			d.assign(st.name, st.value)
		case drop:
			d.unset(st.name)
		case alarm:
			d.alarm(st.value)
		case timer:
			d.wait = e.Now().Add(st.pause)
			return
		}
	}
}

func (d *device) alarm(text string) {
	if text == "" {
		d.alarms = nil
	} else {
		d.alarms = append(d.alarms, text)
	}
	d.s.Alarms(d.alarms...)
}

// assign gives a variable a value and lets it be set.
func (d *device) assign(name, value string) {
	if strings.EqualFold(name, "ups.status") {
		d.s.Status(strings.Fields(value)...)
	} else {
		d.s.Set(name, value)
	}
	d.writable(name, value)
}

// unset takes a variable away; without words, ups.status is empty.
func (d *device) unset(name string) {
	if strings.EqualFold(name, "ups.status") {
		d.s.Status()
		return
	}
	d.s.Delete(name)
}

// textLength is what a variable that holds text can be set to, unless it is longer already.
const textLength = 32

// writable lets clients set a variable: a number to a number, a text to a text.
func (d *device) writable(name, value string) {
	if strings.Trim(value, "-.0123456789") == "" && value != "" {
		d.s.Writable(name, driver.Form{})
		return
	}
	d.s.Writable(name, driver.Form{Max: max(textLength, len(value))})
}

// Set implements driver.Device: everything can be set.
func (d *device) Set(_ env.Env, name, value string) (driver.Outcome, error) {
	if ours(name) || !isName(name) {
		return driver.Outcome{}, driver.ErrUnknown
	}
	d.assign(name, value)
	return driver.Outcome{}, nil
}

// Command implements driver.Device.
func (d *device) Command(e env.Env, name, value string) (driver.Outcome, error) {
	name = strings.ToLower(name)
	if name == "beeper.toggle" {
		name = "beeper.enable"
		if d.s.Value("ups.beeper.status") == "enabled" {
			name = "beeper.disable"
		}
	}
	if !d.apply(e, name, value) {
		return driver.Outcome{}, driver.ErrUnknown
	}
	return driver.Outcome{}, nil
}

// A pending command follows by itself: the end of a test, the return of the load.
type pending struct {
	command string
	at      env.Instant
}

// apply gives a command its effect. What it begins or ends does not end by itself as was planned.
func (d *device) apply(e env.Env, name, value string) bool {
	f, ok := find(name)
	if !ok {
		return false
	}
	d.s.Status(f.status(d.s.Words())...)
	if f.set[0] != "" {
		d.assign(f.set[0], f.set[1])
	}
	d.pending = slices.DeleteFunc(d.pending, func(p pending) bool {
		later, _ := find(p.command)
		return p.command == f.then || slices.ContainsFunc(later.remove, func(w string) bool {
			return slices.Contains(f.remove, w) || slices.Contains(f.add, w)
		})
	})
	if length := f.length(value); length > 0 {
		d.pending = append(d.pending, pending{f.then, e.Now().Add(length)})
	}
	return true
}

// Wake implements driver.Waker: a TIMER ends when it says, whatever pollinterval is.
func (d *device) Wake() env.Instant {
	at := env.Never
	if d.wait != 0 {
		at = d.wait
	}
	for _, p := range d.pending {
		at = min(at, p.at)
	}
	return at
}

// Shutdown implements driver.Device.
func (d *device) Shutdown(env.Env) (driver.Outcome, error) {
	return driver.Outcome{}, errors.New("shutdown not supported: there is no load to switch off")
}

// Close implements driver.Device.
func (d *device) Close() error { return nil }
