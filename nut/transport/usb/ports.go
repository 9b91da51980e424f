package usb

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// rehearsalVar is the environment variable that says that this process takes part in a rehearsal;
// osenv reads its value, here it is enough that it is set.
const rehearsalVar = "BLACKSTART_REHEARSAL"

// Ports opens USB devices itself and has Others open the rest.
type Ports struct{ Others transport.Ports }

// Serial implements transport.Ports.
func (p Ports) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	return p.Others.Serial(e, name, m)
}

// USB implements transport.Ports. Besides transport.Auto, name may be the file of a device,
// /dev/bus/usb/001/004.
func (p Ports) USB(e env.Env, name string, w transport.USBWant) (transport.USB, error) {
	if built && e.Host().Getenv(rehearsalVar) != "" {
		return nil, fmt.Errorf("%s: %w: %s is set, and in a rehearsal no real device is opened",
			name, transport.ErrPermission, rehearsalVar)
	}
	if name != transport.Auto && !strings.HasPrefix(name, nodes) {
		return nil, fmt.Errorf("%s: %w: the port of a USB device is %s or a file below %s",
			name, transport.ErrNoPort, transport.Auto, nodes)
	}
	b, err := scan(e)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d, err := pick(e, b, name, w)
	if err != nil {
		b.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return port{d, b}, nil
}

// nodes is the folder of the files of USB devices.
const nodes = "/dev/bus/usb/"

// A place is a device that is plugged in, as the system lists it without asking it.
type place struct {
	vendor, product uint16
	bus, address    int
	path            []int // ports from the root hub on; empty for that itself
}

// String is the device without its strings, as in transport.USBID.
func (p place) String() string {
	return fmt.Sprintf("%04x:%04x at %03d/%03d", p.vendor, p.product, p.bus, p.address)
}

func (p place) node() string { return fmt.Sprintf("%s%03d/%03d", nodes, p.bus, p.address) }

// fill adds to id where the device is.
func (p place) fill(id *transport.USBID) {
	id.Bus, id.Device = fmt.Sprintf("%03d", p.bus), fmt.Sprintf("%03d", p.address)
	var ports []string
	for _, n := range p.path {
		ports = append(ports, strconv.Itoa(n))
	}
	id.BusPort = strings.Join(ports, ".")
}

// A bus is what is plugged in.
type bus interface {
	places() []place
	// open opens a device so far that it can be asked who it is.
	open(e env.Env, p place) (device, error)
	close() error
}

// A device is one that is open, claimed or not yet.
type device interface {
	transport.USB
	claim(e env.Env, number, alt int) error
}

// A port is a claimed device together with the bus it is on.
type port struct {
	device
	bus bus
}

// Close implements transport.USB.
func (p port) Close() error { return errors.Join(p.device.Close(), p.bus.close()) }

// pick opens the first device that w wants.
func pick(e env.Env, b bus, name string, w transport.USBWant) (device, error) {
	places := slices.Clone(b.places())
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.bus, b.bus), slices.Compare(a.path, b.path),
			cmp.Compare(a.address, b.address))
	})
	s := search{name: name}
	for _, p := range places {
		if name != transport.Auto && p.node() != name {
			continue
		}
		s.plugged++
		if !w.Numbers(p.vendor, p.product) {
			continue
		}
		d, err := try(e, b, p, w, &s)
		if err == nil {
			return d, nil
		}
		if errors.Is(err, env.ErrStopped) {
			return nil, err
		}
	}
	return nil, s.failed()
}

// try opens one device, shows it to the driver and claims it. Why that did not work is noted in s.
func try(e env.Env, b bus, p place, w transport.USBWant, s *search) (device, error) {
	d, err := b.open(e, p)
	if err != nil {
		s.note(p.String(), explain(err, e, p))
		return nil, err
	}
	err = w.Match(d.ID())
	if err == nil {
		err = explain(d.claim(e, w.Interface, w.AltSetting), e, p)
	}
	if err == nil {
		return d, nil
	}
	s.note(d.ID().String(), err)
	d.Close()
	return nil, err
}

// explain adds to the lack of a right where it is missing, and for whom.
func explain(err error, e env.Env, p place) error {
	if !errors.Is(err, transport.ErrPermission) {
		return err
	}
	account := e.Host().Account()
	if account == "" {
		account = "this account"
	}
	return fmt.Errorf("%w: %s may not write to %s; want a udev rule that gives it to that "+
		"account, or another account (user = in ups.conf)", err, account, p.node())
}

// A search notes why no device was taken.
type search struct {
	name    string
	plugged int      // devices seen
	lines   []string // of each that came into question
	worse   error    // transport.ErrPermission or ErrBusy, when one of them was the cause
}

func (s *search) note(device string, why error) {
	s.lines = append(s.lines, fmt.Sprintf("%s: %v", device, why))
	for _, cause := range []error{transport.ErrPermission, transport.ErrBusy} {
		if s.worse == nil && errors.Is(why, cause) {
			s.worse = cause
		}
	}
}

// failed is the error of a search that found nothing, a line for each device.
func (s *search) failed() error {
	kind := transport.ErrNoPort
	if s.worse != nil {
		kind = s.worse
	}
	switch {
	case s.plugged == 0 && s.name != transport.Auto:
		return fmt.Errorf("%w: no USB device is there", kind)
	case s.plugged == 0:
		return fmt.Errorf("%w: no USB device is plugged in, not even a hub", kind)
	case len(s.lines) == 0:
		return fmt.Errorf("%w: none of the %d USB devices plugged in has the numbers "+
			"(vendor:product) that are looked for", kind, s.plugged)
	}
	return fmt.Errorf("%w: no USB device could be taken:\n  %s", kind,
		strings.Join(s.lines, "\n  "))
}
