// Package transport is the cable between a driver and its device, as interfaces.
//
// The bytes on a serial line and its modem lines are cut here, where they cross the cable, so
// that a driver cannot tell an emulated device from a real one. Implementations: transport/serial
// (this machine's ports) and devsim/serve (emulated devices). All of one kind pass the same
// conformance test, transport/porttest.
package transport

import (
	"errors"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Every implementation reports these conditions with errors that wrap these values, whatever its
// own library calls them.
var (
	ErrTimeout    = env.ErrTimeout // no answer in time
	ErrGone       = errors.New("device is gone")
	ErrBusy       = errors.New("port is in use by another program")
	ErrPermission = errors.New("no permission to open the port")
	ErrNoPort     = errors.New("no such port")
)

// Ports opens what a configuration file names: the ports of this machine, or those of a virtual
// host.
type Ports interface {
	Serial(e env.Env, name string, m Mode) (Serial, error)
}

// A Mode is how a serial line is set up: always 8 data bits unless said otherwise, no flow control.
type Mode struct {
	Baud     int  // 0 means 2400
	DataBits int  // 0 means 8
	Parity   byte // 'N', 'E' or 'O'; 0 means 'N'
	StopBits int  // 0 means 1
}

// A Serial is one open serial line. The Env of the caller is passed, so that waiting happens in the
// caller's time.
type Serial interface {
	// Read blocks until at least one byte has come or until is reached; then it returns an error
	// wrapping ErrTimeout, never 0, nil. A device that is unplugged gives ErrGone.
	Read(e env.Env, p []byte, until env.Instant) (int, error)
	Write(e env.Env, p []byte) (int, error)
	// Flush drops what has come and was not read yet.
	Flush() error
	Close() error
}

// LineState is the modem lines as the computer sees them.
type LineState struct{ CTS, DSR, DCD, RI bool }

// Lines are the modem lines of a serial port: a separate, small interface, for the drivers that need
// them. A Serial that has them implements it; a pty has none.
type Lines interface {
	Lines() (LineState, error)
	SetLines(dtr, rts bool) error
	Break(e env.Env, d time.Duration) error
}
