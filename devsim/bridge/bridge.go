package bridge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Face is the unit at the serial side. Time is the time since the start of the world.
type Face interface {
	// Receive takes the bytes that have arrived and returns what the unit sends. It keeps
	// neither slice.
	Receive(now time.Duration, p []byte) []byte
}

// Options are in what bridges of one kind differ. The zero value is a bridge that NUT knows by its
// numbers and strings, where it knows the kind at all, in front of a line of 2400 baud.
type Options struct {
	Baud    int           // of the serial line; 0 means 2400
	Latency time.Duration // between the end of a command and the start of the answer
	// VendorID, ProductID and Release replace those of the kind, each unless it is 0.
	VendorID, ProductID, Release uint16
	// Vendor, Product and Serial replace the strings of the kind, each unless it is empty.
	Vendor, Product, Serial string
	// LangID is the only language in which the bridges whose commands are strings (krauler,
	// fabula, hunnox, snr) answer; string 0 then names another. 0: any, and string 0 is honest.
	LangID uint16
	// Wide makes an armac that has packets of 64 bytes, on other endpoints.
	Wide bool
}

// A Bridge is a unit behind a bridge, as a USB device.
type Bridge struct {
	d     gadget.Descriptors
	k     kind
	line  line
	typed []byte // of a command whose CR has not come
	in    pipe   // what waits to be fetched
}

// A kind is the firmware of a bridge.
type kind struct {
	name string
	id   gadget.Descriptors
	// in is the endpoint that hands out the answers, and pack how.
	in   byte
	pack packing
	// control makes the control transfers that are not standard requests.
	control func(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
		in []byte, ready time.Duration, err error)
}

// Kinds returns the names of all bridges, those of NUT's subdrivers.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// New puts a bridge of a kind in front of a unit.
func New(name string, f Face, o Options) (*Bridge, error) {
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
	if i < 0 {
		return nil, fmt.Errorf("no bridge %q (there are: %s)", name, strings.Join(Kinds(), " "))
	}
	b := &Bridge{k: kinds[i], line: newLine(f, o), d: kinds[i].id}
	b.in.packing = b.k.pack
	for _, v := range []struct {
		p *uint16
		v uint16
	}{{&b.d.VendorID, o.VendorID}, {&b.d.ProductID, o.ProductID}, {&b.d.Release, o.Release}} {
		if v.v != 0 {
			*v.p = v.v
		}
	}
	for _, v := range []struct {
		p *string
		v string
	}{{&b.d.Vendor, o.Vendor}, {&b.d.Product, o.Product}, {&b.d.Serial, o.Serial}} {
		if v.v != "" {
			*v.p = v.v
		}
	}
	return b, nil
}

// Descriptors implements gadget.Gadget.
func (b *Bridge) Descriptors() gadget.Descriptors { return b.d }

// Control implements gadget.Gadget.
func (b *Bridge) Control(now time.Duration, s transport.USBSetup, out []byte) (
	in []byte, ready time.Duration, err error) {
	if in, ok := b.d.Answer(s); ok {
		return in, now, nil
	}
	return b.k.control(b, now, s, out)
}

// Out implements gadget.Gadget.
func (b *Bridge) Out(_ time.Duration, endpoint byte, _ []byte) error {
	return fmt.Errorf("endpoint %02x: %w", endpoint, transport.ErrStall)
}

// In implements gadget.Gadget.
func (b *Bridge) In(now time.Duration, endpoint byte) (p []byte, again time.Duration, err error) {
	if endpoint != b.k.in {
		return nil, 0, fmt.Errorf("endpoint %02x: %w", endpoint, transport.ErrStall)
	}
	p, again = b.in.take(now)
	return p, again, nil
}

// Reset implements gadget.Gadget: the chip forgets, the unit behind it does not notice.
func (b *Bridge) Reset(time.Duration) {
	b.typed, b.in = nil, pipe{packing: b.k.pack}
}

// maxCommand is how much of a command without a CR is remembered.
const maxCommand = 64

// write takes bytes of a command; with its CR it goes to the unit. What follows the CR is padding.
func (b *Bridge) write(now time.Duration, p []byte) {
	i := slices.Index(p, '\r')
	if i < 0 {
		if len(b.typed)+len(p) > maxCommand {
			b.typed, p = nil, nil
		}
		b.typed = append(b.typed, p...)
		return
	}
	cmd := append(b.typed, p[:i+1]...)
	b.typed = nil
	b.in.put(b.line.ask(now, cmd))
}
