package driver

import (
	"errors"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Spec is a driver.
type Spec struct {
	Name    string   // program name
	Aliases []string // other names under which it runs
	Version string   // of the driver itself, driver.version.internal
	Summary string   // what it drives, in a few words
	Options []Option // besides those that every driver has

	// Tolerance is how many polls in a row may fail before the data is called stale and the
	// device is opened anew.
	Tolerance int
	// Verbatim drivers know best what ups.status is; nothing is deduced from the battery's
	// charge.
	Verbatim bool
	Open     func(e env.Env, s Setup) (Device, error)
}

// Setup is what Open gets. Conf is complete. State is the same at each Open of one run: what was
// set in it before the device was lost is still there.
type Setup struct {
	Conf  *Conf
	Ports transport.Ports
	State *State
	// Debug prints for people who gave -D so many times.
	Debug func(level int, format string, args ...any)
	// Killing is a kill-power run: the device is opened to be switched off by Shutdown, or by the
	// sdcommands where there are any, and nothing else is asked of it.
	Killing bool
	// Known is what the last device at this port said of itself (see Knower). Only a kill-power
	// run is told, which has no time for a long search; "" when nothing is known.
	Known string
}

// A Knower is a Device that took a search to find. What Known says, one line without tabs, is kept
// beside the driver's socket when the device was opened; the Setup of a kill-power run by a later
// process has it, if the port is still the same. It may be wrong by then, or made up.
type Knower interface {
	Known() string
}

// A Device is one open device. Its methods are called one at a time.
type Device interface {
	// Poll reads the device and puts what it finds into the State. An error that wraps
	// transport.ErrGone means that the device must be opened anew; others are tolerated for a
	// while.
	Poll(e env.Env) error
	// Command runs one of the instant commands that the State offers. Its error may wrap
	// ErrUnknown or ErrInvalid; any other means that the device did not do it.
	Command(e env.Env, name, value string) (Outcome, error)
	// Set gives a variable a value, on the device where it lives there. Errors are those of
	// Command.
	Set(e env.Env, name, value string) (Outcome, error)
	// Shutdown switches the load off in the way that brings it back with the mains.
	Shutdown(e env.Env) (Outcome, error)
	Close() error
}

// A Waker is a Device that now and then wants to be polled at a certain time, and not only once
// in each poll interval.
type Waker interface {
	// Wake is when, env.Never for not at all.
	Wake() env.Instant
}

// A Killer is a Device that takes some commands from clients otherwise than in a kill-power run:
// there nobody is asked whether he is sure.
type Killer interface {
	// KillBy is Command for one of the sdcommands.
	KillBy(e env.Env, name string) (Outcome, error)
}

// An Outcome says how a device took a command.
type Outcome struct {
	Wire         string // what was sent, for logs
	Acknowledged bool   // the device said yes; many only stay silent
}

// Why a command or setting was not carried out. upsd tells clients the difference.
var (
	ErrUnknown = errors.New("not known here")
	ErrInvalid = errors.New("invalid argument")
)

// find returns the driver that runs under a program name.
func find(specs []Spec, prog string) (Spec, bool) {
	for _, s := range specs {
		if s.Name == prog || slices.Contains(s.Aliases, prog) {
			return s, true
		}
	}
	return Spec{}, false
}
