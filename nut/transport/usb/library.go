//go:build cgo && !nousb

package usb

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/google/gousb"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// built says whether there is a library underneath.
const built = true

// Limits in the time of the program.
const (
	// setupTime is for a call that opens, claims or resets; the system may wait for a device in it.
	setupTime = 10 * time.Second
	// textTime is how long a device may take to tell one string.
	textTime = time.Second
	// controlTime is the longest time limit of a control transfer.
	controlTime = 10 * time.Second
	// maxControl is the most data that Linux takes in one control transfer.
	maxControl = 4096
)

// library is a context of libusb, and the devices it found.
type library struct {
	*side
	lib   *gousb.Context
	found []place
	odd   error // of a device whose descriptors cannot be read
}

// scan begins with a fresh context and lists what is plugged in.
func scan(e env.Env) (bus, error) {
	l := &library{side: newSide()}
	log.SetFlags(0)
	log.SetOutput(&muffler{log: e.Log()}) // gousb's; nobody else uses package log
	_, err := l.do(e, e.Now().Add(setupTime), func(ctx context.Context) (int, error) {
		l.lib = gousb.NewContext()
		listed := 0
		_, err := l.lib.OpenDevices(func(d *gousb.DeviceDesc) bool {
			listed++
			if d.Class != gousb.ClassHub {
				l.found = append(l.found, placeOf(d))
			}
			return false
		})
		if listed > 0 {
			l.odd, err = err, nil // of one device; the others are here
		}
		return 0, translate(err)
	})
	if err != nil {
		l.close()
		return nil, noBus(err)
	}
	return l, nil
}

// noBus explains why nothing could be listed.
func noBus(err error) error {
	var lib gousb.Error
	if !errors.As(err, &lib) || errors.Is(err, env.ErrStopped) {
		return err
	}
	return fmt.Errorf("%w: this machine shows no USB (%v): is there %s? In a container it must be "+
		"passed in", transport.ErrNoPort, err, nodes)
}

func placeOf(d *gousb.DeviceDesc) place {
	return place{uint16(d.Vendor), uint16(d.Product), d.Bus, d.Address, slices.Clone(d.Path)}
}

func (l *library) places() []place { return l.found }

func (l *library) unread() error { return l.odd }

// close gives the context back, unless a device of it is still in use.
func (l *library) close() error {
	_, err := l.end(func() {
		if l.lib != nil {
			l.lib.Close()
		}
	})
	return err
}

// open opens the device at a place and asks it who it is.
func (l *library) open(e env.Env, p place) (device, error) {
	d := &handle{side: newSide(), turn: make(chan struct{}, 1)}
	_, err := l.do(e, e.Now().Add(setupTime), func(ctx context.Context) (int, error) {
		dev, err := l.openAt(p)
		if err == nil && ctx.Err() != nil {
			dev.Close() // nobody waits for it any more
			return 0, ctx.Err()
		}
		d.dev = dev
		return 0, err
	})
	if err != nil {
		return nil, err
	}
	d.id, err = transport.ReadUSBID(func(s transport.USBSetup, data []byte) (int, error) {
		return d.Control(e, s, data, e.Now().Add(textTime))
	})
	if err != nil {
		d.Close()
		return nil, err
	}
	p.fill(&d.id)
	return d, nil
}

func (l *library) openAt(p place) (*gousb.Device, error) {
	devs, err := l.lib.OpenDevices(func(d *gousb.DeviceDesc) bool {
		q := placeOf(d)
		return q.bus == p.bus && q.address == p.address && q.vendor == p.vendor &&
			q.product == p.product
	})
	if len(devs) == 0 {
		if err == nil {
			err = fmt.Errorf("%w: it was unplugged just now", transport.ErrGone)
		}
		return nil, translate(err)
	}
	for _, d := range devs[1:] {
		d.Close()
	}
	return devs[0], nil
}

// handle is one open device.
type handle struct {
	*side
	id     transport.USBID
	dev    *gousb.Device
	config *gousb.Config    // nil until it is claimed
	face   *gousb.Interface // its interface

	// turn holds one value while a control transfer runs: its time limit is a field of dev.
	turn chan struct{}
	mail mailbox
}

// ID implements transport.USB.
func (d *handle) ID() transport.USBID { return d.id }

// claim takes an interface from the driver of the system, if one has it.
func (d *handle) claim(e env.Env, number, alt int) error {
	_, err := d.do(e, e.Now().Add(setupTime), func(context.Context) (int, error) {
		return 0, translate(d.take(number, alt))
	})
	return err
}

func (d *handle) take(number, alt int) (err error) {
	active, err := d.dev.ActiveConfigNum()
	if err != nil {
		return err
	}
	if active == 0 { // not configured: the first one
		for n := range d.dev.Desc.Configs {
			if active == 0 || n < active {
				active = n
			}
		}
	}
	if d.config, err = d.dev.Config(active); err != nil {
		return err
	}
	// Before, Config would have detached the drivers of all other interfaces too.
	if err := d.dev.SetAutoDetach(true); err != nil {
		return err
	}
	d.config.Desc.Interfaces = byNumber(d.config.Desc.Interfaces)
	if d.face, err = d.config.Interface(number, alt); err == nil {
		return nil
	}
	// Some systems cannot detach, or let only root do it, where there is nothing to detach too.
	if d.dev.SetAutoDetach(false) == nil {
		if face, again := d.config.Interface(number, alt); again == nil {
			d.face, err = face, nil
		}
	}
	return err
}

// byNumber puts interfaces where their numbers say: the library looks some of them up there, and
// devices do leave numbers out.
func byNumber(given []gousb.InterfaceDesc) []gousb.InterfaceDesc {
	var put []gousb.InterfaceDesc
	for _, f := range given {
		for len(put) <= f.Number {
			put = append(put, gousb.InterfaceDesc{Number: -1})
		}
		put[f.Number] = f
	}
	return put
}

// Control implements transport.USB.
func (d *handle) Control(e env.Env, s transport.USBSetup, data []byte, until env.Instant) (
	int, error) {
	if len(data) > maxControl {
		return 0, fmt.Errorf("control transfer of %d bytes: want at most %d", len(data), maxControl)
	}
	until = min(until, e.Now().Add(controlTime))
	limit := time.Now().Add(until.Sub(e.Now()))
	buf := slices.Clone(data)
	n, err := d.do(e, until, func(ctx context.Context) (int, error) {
		select {
		case d.turn <- struct{}{}:
			defer func() { <-d.turn }()
		case <-ctx.Done():
			return 0, errCancelled
		}
		left := max(time.Until(limit), 0)
		d.dev.ControlTimeout = left.Truncate(time.Millisecond) + time.Millisecond // not less
		n, err := d.dev.Control(s.RequestType, s.Request, s.Value, s.Index, buf)
		return max(n, 0), translate(err)
	})
	if s.In() && err == nil {
		copy(data, buf[:n])
	}
	return n, named("control transfer", err)
}

// Interrupt implements transport.USB.
func (d *handle) Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	if len(data) == 0 {
		return 0, fmt.Errorf("interrupt transfer on endpoint 0x%02x of 0 bytes", endpoint)
	}
	var n int
	var err error
	if endpoint&0x80 != 0 {
		n, err = d.read(e, endpoint, data, until)
	} else {
		buf := slices.Clone(data)
		n, err = d.do(e, until, func(ctx context.Context) (int, error) {
			ep, err := d.face.OutEndpoint(int(endpoint))
			if err != nil {
				return 0, err
			}
			n, err := ep.WriteContext(ctx, buf)
			return n, translate(err)
		})
	}
	return n, named(fmt.Sprintf("endpoint 0x%02x", endpoint), err)
}

// read returns one packet, or several that fill data.
func (d *handle) read(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	size := len(data)
	for {
		_, err := d.do(e, until, func(ctx context.Context) (int, error) {
			return 0, translate(d.mail.fetch(ctx, endpoint, func() ([]byte, error) {
				return d.fetch(ctx, endpoint, size)
			}))
		})
		if err != nil {
			return 0, err
		}
		if p, ok := d.mail.take(endpoint); ok {
			if len(p) > size {
				return copy(data, p), fmt.Errorf("%w: %d bytes", transport.ErrOverflow, len(p))
			}
			return copy(data, p), nil
		}
	}
}

// fetch makes one transfer from the device.
func (d *handle) fetch(ctx context.Context, endpoint byte, size int) ([]byte, error) {
	ep, err := d.face.InEndpoint(int(endpoint &^ 0x80))
	if err != nil {
		return nil, err
	}
	buf := make([]byte, size)
	n, err := ep.ReadContext(ctx, buf)
	if n > 0 && (err == gousb.TransferCancelled || err == gousb.TransferTimedOut) {
		err = nil // it came just then
	}
	return buf[:n], err
}

// ClearHalt implements transport.USB.
func (d *handle) ClearHalt(e env.Env, endpoint byte) error {
	if _, ok := d.face.Setting.Endpoints[gousb.EndpointAddress(endpoint)]; !ok {
		return fmt.Errorf("clear halt: no endpoint 0x%02x: %v", endpoint, d.face.Setting)
	}
	_, err := d.do(e, e.Now().Add(setupTime), func(context.Context) (int, error) {
		return 0, translate(clearHalt(d.dev, endpoint))
	})
	return named("clear halt", err)
}

// Reset implements transport.USB. The library claims the interface again.
func (d *handle) Reset(e env.Env) error {
	_, err := d.do(e, e.Now().Add(setupTime), func(context.Context) (int, error) {
		d.mail.drop()
		return 0, translate(reset(d.dev))
	})
	return named("reset", err)
}

// Close implements transport.USB. A driver of the system that was detached gets the interface back.
func (d *handle) Close() error {
	_, err := d.end(func() {
		if d.face != nil {
			d.face.Close()
		}
		if d.config != nil {
			d.config.Close()
		}
		d.dev.Close()
	})
	return named("close", err)
}

// translate renames an error of the library, keeping its words.
func translate(err error) error {
	var lib gousb.Error
	var status gousb.TransferStatus
	switch {
	case err == nil:
		return nil
	case errors.As(err, &lib):
		return byCode(int(lib), err)
	case errors.As(err, &status):
		return byStatus(int(status), err)
	}
	return byText(err)
}

// named says which call failed.
func named(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
