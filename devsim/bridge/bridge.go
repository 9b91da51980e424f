package bridge

import (
	"errors"
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
	// Vendor, Product and Serial replace the strings of the kind, each unless it is empty. Where
	// string 3 is a command there is no Serial.
	Vendor, Product, Serial string
	// LangID is the only language in which the bridges whose commands are strings (krauler,
	// fabula, hunnox, snr, ablerex) answer them; string 0 then names another. 0: any, and string 0
	// is honest.
	LangID uint16
	// Wide makes an armac that has packets of 64 bytes, on other endpoints.
	Wide bool
}

// A Bridge is a unit behind a bridge, as a USB device.
type Bridge struct {
	k    kind
	o    Options
	line line
	state
}

// state is what a chip forgets when the bus is reset.
type state struct {
	typed []byte // of a command whose CR has not come
	in    pipe   // what waits to be fetched
	held  answer // ablerex: what is in the report
	text  memory // of those whose commands are strings
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
	b := &Bridge{k: kinds[i], o: o, line: newLine(f, o)}
	switch {
	case o.Serial != "" && b.k.text != nil:
		return nil, fmt.Errorf("bridge %s, serial %q: string 3 is a command there", name, o.Serial)
	case o.LangID != 0 && b.k.text == nil:
		return nil, fmt.Errorf("bridge %s, language %04x: no command is a string there",
			name, o.LangID)
	case o.Wide && name != wide.name:
		return nil, errors.New("bridge " + name + ": only armac has wide packets")
	case o.Wide:
		b.k = wide
	}
	b.k.id = o.replace(b.k.id)
	b.Reset(0)
	return b, nil
}

// replace puts the options over the numbers and strings of a kind.
func (o Options) replace(d gadget.Descriptors) gadget.Descriptors {
	for _, v := range []struct {
		p *uint16
		v uint16
	}{{&d.VendorID, o.VendorID}, {&d.ProductID, o.ProductID}, {&d.Release, o.Release}} {
		if v.v != 0 {
			*v.p = v.v
		}
	}
	for _, v := range []struct {
		p *string
		v string
	}{{&d.Vendor, o.Vendor}, {&d.Product, o.Product}, {&d.Serial, o.Serial}} {
		if v.v != "" {
			*v.p = v.v
		}
	}
	return d
}

// Descriptors implements gadget.Gadget.
func (b *Bridge) Descriptors() gadget.Descriptors { return b.k.id }

// Control implements gadget.Gadget.
func (b *Bridge) Control(now time.Duration, s transport.USBSetup, out []byte) (
	in []byte, ready time.Duration, err error) {
	if b.k.text != nil && isString(s) {
		return b.tell(now, s, byte(s.Value))
	}
	if in, ok := b.k.id.Answer(s); ok {
		return in, now, nil
	}
	if b.k.control == nil {
		return nil, now, stall(s, out)
	}
	return b.k.control(b, now, s, out)
}

// stall refuses a control transfer.
func stall(s transport.USBSetup, out []byte) error {
	return fmt.Errorf("request %02x/%02x, value %04x, index %04x, %d bytes: %w",
		s.RequestType, s.Request, s.Value, s.Index, len(out), transport.ErrStall)
}

// Out implements gadget.Gadget. Packets that make no sense are ignored.
func (b *Bridge) Out(now time.Duration, endpoint byte, p []byte) error {
	for _, e := range b.k.id.Endpoints {
		if e.Address == endpoint && endpoint&0x80 == 0 && len(p) <= e.Size {
			if b.k.out != nil {
				b.k.out(b, now, p)
			}
			return nil
		}
	}
	return fmt.Errorf("endpoint %02x, %d bytes: %w", endpoint, len(p), transport.ErrStall)
}

// In implements gadget.Gadget.
func (b *Bridge) In(now time.Duration, endpoint byte) (p []byte, again time.Duration, err error) {
	for _, e := range b.k.id.Endpoints {
		if e.Address == endpoint && endpoint&0x80 != 0 {
			b.text.polled(now)
			p, again = b.in.take(now)
			return p, again, nil
		}
	}
	return nil, 0, fmt.Errorf("endpoint %02x: %w", endpoint, transport.ErrStall)
}

// Reset implements gadget.Gadget: the chip forgets, the unit behind it does not notice.
func (b *Bridge) Reset(time.Duration) { b.state = state{in: pipe{packing: b.k.pack}} }

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
	if b.in.single {
		b.in.queue = nil
	}
	b.k.reply(b, b.line.ask(now, cmd))
}
