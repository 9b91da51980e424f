package serve

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Port is a Cable or a Plug.
type Port interface {
	// SetFault makes a fault present for d from now on, or until ClearFault when d is 0.
	SetFault(now time.Duration, f Fault, d time.Duration)
	ClearFault(now time.Duration, f Fault)
	// Faults returns the names of the faults that are present.
	Faults(now time.Duration) []string
	// Takes is nil when such a port can have the fault.
	Takes(f Fault) error
	// Release closes the port for a program that died without doing it.
	Release()
	// Lined reports whether the port has modem lines.
	Lined() bool
	// DropLines is for a computer that loses its power or starts anew.
	DropLines(now time.Duration)

	now(e env.Env) time.Duration
}

// Ports are the ports of one machine by the name under which it opens them.
type Ports map[string]Port

// Serial implements transport.Ports.
func (p Ports) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	switch c := p[name].(type) {
	case *Cable:
		s, err := c.OpenMode(e, m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	case *Plug:
		return nil, fmt.Errorf("%s: %w: a USB device is no serial port", name, transport.ErrNoPort)
	}
	return nil, p.none(name)
}

// USB implements transport.Ports.
func (p Ports) USB(e env.Env, name string, w transport.USBWant) (transport.USB, error) {
	if name == transport.Auto {
		return transport.FirstUSB(p.plugs(e), func(name string) (transport.USB, error) {
			return p[name].(*Plug).OpenUSB(e, w)
		})
	}
	switch c := p[name].(type) {
	case *Plug:
		dev, err := c.OpenUSB(e, w)
		if err != nil {
			return nil, transport.NoUSB(name, err)
		}
		return dev, nil
	case *Cable:
		return nil, fmt.Errorf("%s: %w: a serial port is no USB device", name, transport.ErrNoPort)
	}
	return nil, p.none(name)
}

// plugs are the names of the USB devices that are plugged in, sorted.
func (p Ports) plugs(e env.Env) []string {
	return slices.DeleteFunc(p.names(), func(name string) bool {
		c, ok := p[name].(*Plug)
		if !ok {
			return true
		}
		_, out := c.has(c.now(e), Unplug)
		return out
	})
}

func (p Ports) names() []string {
	names := make([]string, 0, len(p))
	for n := range p {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

func (p Ports) none(name string) error {
	return fmt.Errorf("%s: %w (there are: %s)", name, transport.ErrNoPort,
		strings.Join(p.names(), " "))
}
