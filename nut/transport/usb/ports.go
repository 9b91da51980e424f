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

// node is the file of the device, as Linux names it.
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
	// unread is why a device is not among them although it is plugged in.
	unread() error
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

// Library implements transport.Librarian.
func (p port) Library() string { return libraryName() }

// pick opens the first device that w wants.
func pick(e env.Env, b bus, name string, w transport.USBWant) (device, error) {
	places := slices.Clone(b.places())
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.bus, b.bus), slices.Compare(a.path, b.path),
			cmp.Compare(a.address, b.address))
	})
	byNode := map[string]place{}
	var names []string
	for _, p := range places {
		if name == transport.Auto || p.node() == name {
			byNode[p.node()] = p
			names = append(names, p.node())
		}
	}
	d, err := transport.FirstUSB(names, func(node string) (transport.USB, error) {
		return try(e, b, byNode[node], w)
	})
	if odd := b.unread(); err != nil && odd != nil {
		err = fmt.Errorf("%w; the descriptors of another device cannot be read: %v", err, odd)
	}
	if err != nil {
		return nil, err
	}
	return d.(device), nil
}

// try opens one device, shows it to the driver and claims it.
func try(e env.Env, b bus, p place, w transport.USBWant) (transport.USB, error) {
	if w.Numbers != nil && !w.Numbers(p.vendor, p.product) {
		return nil, fmt.Errorf("%04x:%04x: %w", p.vendor, p.product, transport.ErrNumbers)
	}
	d, err := b.open(e, p)
	if err != nil {
		return nil, fmt.Errorf("%04x:%04x: %w", p.vendor, p.product, explain(err, e, p))
	}
	if w.Match != nil {
		err = w.Match(d.ID())
	}
	if err == nil {
		err = explain(d.claim(e, w.Interface, w.AltSetting), e, p)
	}
	if err != nil {
		id := d.ID()
		d.Close()
		return nil, fmt.Errorf("%04x:%04x %q %q: %w", id.VendorID, id.ProductID, id.Vendor,
			id.Product, err)
	}
	return d, nil
}

// explain adds to the lack of a right whose it is, and what to do.
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
