package usb

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

func machine(t *testing.T, vars ...string) env.Env {
	t.Helper()
	e, err := osenv.New(osenv.Options{Prog: "test", Host: "test", Emit: func(env.Event) {},
		Extra: vars})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func contains(err error, text string) bool {
	return err != nil && strings.Contains(err.Error(), text)
}

// fakeBus is a bus of devices that cost nothing.
type fakeBus struct {
	plugged []*fakeDevice
	opened  []string
	count   int // devices open now
	odd     error
	closed  bool
}

type fakeDevice struct {
	transport.USB
	bus            *fakeBus
	place          place
	serial         string
	opens, claims  error
	number, alt    int
	claimed, ended bool
}

func (b *fakeBus) places() (all []place) {
	for _, d := range b.plugged {
		all = append(all, d.place)
	}
	return all
}

func (b *fakeBus) open(_ env.Env, p place) (device, error) {
	for _, d := range b.plugged {
		if d.place.node() == p.node() {
			b.opened = append(b.opened, d.serial)
			if d.opens != nil {
				return nil, d.opens
			}
			d.bus = b
			b.count++
			return d, nil
		}
	}
	return nil, transport.ErrGone
}

func (b *fakeBus) unread() error { return b.odd }

func (b *fakeBus) close() error { b.closed = true; return nil }

func (d *fakeDevice) ID() transport.USBID {
	id := transport.USBID{VendorID: d.place.vendor, ProductID: d.place.product, Serial: d.serial}
	d.place.fill(&id)
	return id
}

func (d *fakeDevice) claim(_ env.Env, number, alt int) error {
	d.claimed, d.number, d.alt = d.claims == nil, number, alt
	return d.claims
}

func (d *fakeDevice) Close() error { d.bus.count--; d.ended = true; return nil }

// ups is a device 0665:5161 at some address and port of bus 1.
func ups(address, port int, serial string) *fakeDevice {
	return &fakeDevice{place: place{0x0665, 0x5161, 1, address, []int{port}}, serial: serial}
}

// wanting is a driver that knows 0665:5161 and wants a serial number, or any for "".
func wanting(serial string) transport.USBWant {
	return transport.USBWant{
		Numbers: func(v, p uint16) bool { return v == 0x0665 && p == 0x5161 },
		Match: func(id transport.USBID) error {
			if serial != "" && id.Serial != serial {
				return fmt.Errorf("serial %q is not %q", id.Serial, serial)
			}
			return nil
		},
		Interface: 2, AltSetting: 1,
	}
}

func TestTheFirstDeviceThatFitsIsTaken(t *testing.T) {
	mouse := &fakeDevice{place: place{0x046d, 0xc077, 1, 2, []int{1}}, serial: "mouse"}
	denied, busy := ups(3, 2, "denied"), ups(4, 3, "busy")
	denied.opens, busy.claims = transport.ErrPermission, transport.ErrBusy
	for _, c := range []struct {
		what, name, serial, taken, opened string
	}{
		{"in the order of ports, not of addresses", "auto", "", "B", "denied busy B"},
		{"by its serial number", "auto", "A", "A", "denied busy B A"},
		{"by its file", "/dev/bus/usb/001/009", "", "A", "A"},
	} {
		b := &fakeBus{plugged: []*fakeDevice{ups(9, 5, "A"), ups(11, 4, "B"), mouse, denied, busy}}
		d, err := pick(machine(t), b, c.name, wanting(c.serial))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		got := d.(*fakeDevice)
		if got.serial != c.taken || strings.Join(b.opened, " ") != c.opened {
			t.Errorf("%s: took %s after opening %v, want %s and %s", c.what, got.serial, b.opened,
				c.taken, c.opened)
		}
		if !got.claimed || got.number != 2 || got.alt != 1 || b.count != 1 {
			t.Errorf("%s: %+v, %d open; want interface 2.1 claimed and one open", c.what, got,
				b.count)
		}
	}
}

func TestASearchThatFindsNothingSaysOfEachDeviceWhy(t *testing.T) {
	denied, busy, gone := ups(3, 2, "denied"), ups(4, 3, "busy"), ups(5, 4, "gone")
	denied.opens, busy.claims = transport.ErrPermission, transport.ErrBusy
	gone.opens = transport.ErrGone
	mouse := &fakeDevice{place: place{0x046d, 0xc077, 1, 2, []int{1}}}
	for _, c := range []struct {
		name, serial string
		plugged      []*fakeDevice
		want         error
		text         string
	}{
		{"auto", "", nil, transport.ErrNoPort, "of 0 that are plugged in"},
		{"auto", "", []*fakeDevice{mouse}, transport.ErrNoPort, "of 1 that are plugged in: "},
		{"auto", "X", []*fakeDevice{mouse, ups(9, 1, "A"), ups(8, 2, "B")}, transport.ErrNoPort,
			"/dev/bus/usb/001/009: 0665:5161 \"\" \"\": serial \"A\" is not \"X\"; " +
				"/dev/bus/usb/001/008: 0665:5161 \"\" \"\": serial \"B\" is not \"X\""},
		{"auto", "X", []*fakeDevice{ups(9, 1, "A"), denied}, transport.ErrPermission,
			"may not write to /dev/bus/usb/001/003; want a udev rule"},
		{"auto", "", []*fakeDevice{busy}, transport.ErrBusy, "001/004: 0665:5161"},
		{"auto", "", []*fakeDevice{gone}, transport.ErrNoPort, "0665:5161: device is gone"},
		{"/dev/bus/usb/001/004", "", []*fakeDevice{mouse}, transport.ErrNoPort, "of 0 that"},
	} {
		b := &fakeBus{plugged: c.plugged}
		_, err := pick(machine(t), b, c.name, wanting(c.serial))
		if !errors.Is(err, c.want) || !contains(err, c.text) || b.count != 0 {
			t.Errorf("%v, %d left open; want %v with %q", err, b.count, c.want, c.text)
		}
	}
}

func TestADeviceThatCannotBeListedIsMentioned(t *testing.T) {
	b := &fakeBus{odd: errors.New("its words"), plugged: []*fakeDevice{ups(9, 1, "A")}}
	if _, err := pick(machine(t), b, "auto", wanting("A")); err != nil {
		t.Errorf("where another one was found: %v", err)
	}
	_, err := pick(machine(t), b, "auto", wanting("X"))
	if !errors.Is(err, transport.ErrNoPort) || !contains(err, "cannot be read: its words") {
		t.Errorf("%v", err)
	}
}

func TestAStoppedSearchEnds(t *testing.T) {
	first, second := ups(3, 1, "A"), ups(4, 2, "B")
	first.opens = env.ErrStopped
	b := &fakeBus{plugged: []*fakeDevice{first, second}}
	if _, err := pick(machine(t), b, "auto", wanting("")); !errors.Is(err, env.ErrStopped) {
		t.Errorf("%v after opening %v, want %v", err, b.opened, env.ErrStopped)
	}
}

func TestPlacesAreWrittenAsUsersKnowThem(t *testing.T) {
	p := place{0x0665, 0x5161, 1, 4, []int{1, 4}}
	var id transport.USBID
	p.fill(&id)
	if id.Bus != "001" || id.Device != "004" || id.BusPort != "1.4" ||
		p.node() != "/dev/bus/usb/001/004" {
		t.Errorf("%+v at %s", id, p.node())
	}
}

// Whatever is plugged into the machine that runs this, and however it was built: there is no device
// that this driver wants.
func TestThisMachineHasNoSuchDevice(t *testing.T) {
	nothing := transport.USBWant{Numbers: func(_, _ uint16) bool { return false }}
	want := transport.ErrNoPort
	if !built {
		want = transport.ErrNoUSB
	}
	for range 3 { // as a driver does that waits for its device
		_, err := Ports{}.USB(machine(t), transport.Auto, nothing)
		if !errors.Is(err, want) {
			t.Fatalf("%v, want %v", err, want)
		}
		if !built && !contains(err, "libusb-1.0-0-dev") {
			t.Errorf("%v: does not say what to install", err)
		}
	}
	if !built {
		return
	}
	if _, err := (Ports{}).USB(machine(t), "/dev/ttyS0", nothing); !errors.Is(err, want) ||
		!contains(err, "auto or a file below") {
		t.Errorf("a serial port: %v", err)
	}
	e := machine(t, rehearsalVar+"=scale=20,epoch=1700000000000000000")
	_, err := Ports{}.USB(e, transport.Auto, nothing)
	if !errors.Is(err, transport.ErrPermission) || !contains(err, rehearsalVar) {
		t.Errorf("in a rehearsal: %v", err)
	}
}
