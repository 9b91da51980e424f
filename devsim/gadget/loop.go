package gadget

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Loop is the USB counterpart of a loopback plug: a device with which ports are tested. Its
// packets have 8 bytes at most; those sent to endpoint 2 come back on endpoint 0x81. Its control
// requests are of the vendor type and its own:
//
//	out 1        keeps the data
//	in  1        returns what it has kept
//	in  2 value  the same, after so many milliseconds
//	out 3 value  has a packet of so many bytes ready on endpoint 0x81
//	out 4        endpoint 0x81 stalls until that is cleared
type Loop struct {
	kept    []byte
	packets [][]byte
	stalled bool
}

// Descriptors implements Gadget.
func (l *Loop) Descriptors() Descriptors {
	return Descriptors{VendorID: 0x1209, ProductID: 0x0001, Release: 0x0102, Vendor: "Blackstart",
		Product: "Loop Plug", Serial: "L00P", Class: 0xff,
		Endpoints: []Endpoint{{0x81, 8, 10}, {0x02, 8, 10}}}
}

// Control implements Gadget.
func (l *Loop) Control(now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	if s.RequestType == 0x02 && s.Request == ClearFeature {
		l.stalled = false
	}
	if in, ok := l.Descriptors().Answer(s); ok {
		return in, now, nil
	}
	switch [2]byte{s.RequestType, s.Request} {
	case [2]byte{0x40, 1}:
		l.kept = append([]byte(nil), out...)
		return nil, now, nil
	case [2]byte{0xc0, 1}:
		return l.kept, now, nil
	case [2]byte{0xc0, 2}:
		return l.kept, now + time.Duration(s.Value)*time.Millisecond, nil
	case [2]byte{0x40, 3}:
		l.packets = append(l.packets, make([]byte, s.Value))
		return nil, now, nil
	case [2]byte{0x40, 4}:
		l.stalled = true
		return nil, now, nil
	}
	return nil, now, transport.ErrStall
}

// Out implements Gadget.
func (l *Loop) Out(_ time.Duration, _ byte, p []byte) error {
	l.packets = append(l.packets, append([]byte{}, p...))
	return nil
}

// In implements Gadget.
func (l *Loop) In(time.Duration, byte) (p []byte, again time.Duration, err error) {
	switch {
	case l.stalled:
		return nil, 0, transport.ErrStall
	case len(l.packets) == 0:
		return nil, 0, nil
	}
	p, l.packets = l.packets[0], l.packets[1:]
	return p, 0, nil
}

// Reset implements Gadget.
func (l *Loop) Reset(time.Duration) { *l = Loop{} }
