// Package transport is the cable between a driver and its device, as interfaces.
//
// The bytes on a serial line and its modem lines, and the transfers of a USB device, are cut here,
// where they cross the cable, so that a driver cannot tell an emulated device from a real one.
// Implementations: transport/serial and transport/usb (this machine's ports), transport/devsock
// (emulated devices in another process) and devsim/serve (emulated devices in this one). All pass
// the same conformance tests, transport/porttest.
package transport

import (
	"errors"
	"fmt"
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
	ErrNoLines    = errors.New("the port has no modem lines")
)

// Ports opens what a configuration file names: the ports of this machine, or those of a virtual
// host.
type Ports interface {
	Serial(e env.Env, name string, m Mode) (Serial, error)
	// USB opens the first device that w describes, among all that are plugged in when name is Auto.
	// When there is none, the error wraps ErrNoPort and says of each that came into question why
	// not; one that could not be opened gives ErrPermission or ErrBusy. Any other name is that of
	// one device.
	USB(e env.Env, name string, w USBWant) (USB, error)
}

// A Mode is how a serial line is set up: always 8 data bits unless said otherwise, no flow control.
type Mode struct {
	Baud     int  // 0 means 2400
	DataBits int  // 0 means 8
	Parity   byte // 'N', 'E' or 'O'; 0 means 'N'
	StopBits int  // 0 means 1
	// KeepLines leaves the modem lines as they are when the port is closed, or its program dies. A
	// UPS that is told to switch off by a level must go on seeing it. Without it they drop.
	KeepLines bool
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

// LineState is the modem lines of a port; true is asserted, a positive voltage on the pin.
type LineState struct {
	DTR, RTS          bool // outputs, as the computer set them
	CTS, DSR, DCD, RI bool // inputs, as the device sets them
}

// Lines are the modem lines of a serial port: a separate, small interface, for the drivers that
// need them. A Serial that has them implements it; see LinesOf.
//
// Opening a port asserts both outputs, as systems do; for what closing it does see Mode.
type Lines interface {
	// Lines reads all lines at one instant.
	Lines(e env.Env) (LineState, error)
	// SetLines sets both outputs at once: there is no instant with one old and one new level.
	SetLines(e env.Env, dtr, rts bool) error
	// Break holds the transmitted data at space for d, and ends that whatever happens.
	Break(e env.Env, d time.Duration) error
}

// LinesOf returns the modem lines of an open port. The error wraps ErrNoLines.
func LinesOf(s Serial) (Lines, error) {
	if l, ok := s.(Lines); ok {
		return l, nil
	}
	return nil, fmt.Errorf("%w: a pseudo-terminal has none, and some adapters neither; "+
		"want a serial port, or an emulated one as devsim:SOCKET", ErrNoLines)
}
