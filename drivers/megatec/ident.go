package megatec

import (
	"fmt"
	"strings"
)

// ratingLine decodes a reply to F: what the device was built for.
var ratingLine = words("#",
	volts("input.voltage.nominal").with(0),
	amperes("input.current.nominal"),
	battery("battery.voltage.nominal"),
	hertz("input.frequency.nominal").with(0),
)

// Identity is one reply to I. Fields are empty when the device left them blank.
type Identity struct {
	Maker, Serial, Model, Runtime, Firmware string
}

// A part is a field of a reply to I: from its first byte to before its end; the '#' is byte 0.
type part struct {
	dst      func(*Identity) *string
	from, to int
}

// usual is how nearly all devices divide the line. The last field may be cut short.
var usual = []part{
	{func(i *Identity) *string { return &i.Maker }, 1, 16},
	{func(i *Identity) *string { return &i.Model }, 17, 27},
	{func(i *Identity) *string { return &i.Firmware }, 28, 38},
}

// newer is how some devices divide it that know a serial number and a runtime.
var newer = []part{
	{func(i *Identity) *string { return &i.Maker }, 1, 8},
	{func(i *Identity) *string { return &i.Serial }, 8, 16},
	{func(i *Identity) *string { return &i.Model }, 17, 22},
	{func(i *Identity) *string { return &i.Runtime }, 22, 27},
	{func(i *Identity) *string { return &i.Firmware }, 28, 38},
}

// newerLength is the length of a line of the newer division, without its CR. Nothing else in it
// says so for certain: a serial number and a runtime must be where that division has them.
const newerLength = 37

// leastIdentity is where the last field begins: a shorter line was cut.
const leastIdentity = 29

// ParseIdentity decodes one reply to I, without its CR.
func ParseIdentity(line []byte) (Identity, error) {
	if len(line) < leastIdentity || line[0] != '#' {
		return Identity{}, fmt.Errorf("%w: want '#' and %d bytes or more: %q",
			ErrMalformed, leastIdentity, line)
	}
	if err := printable(line); err != nil {
		return Identity{}, err
	}
	id := divide(line, newer)
	if len(line) == newerLength && id.Serial != "" && digits(id.Runtime) {
		return id, nil
	}
	return divide(line, usual), nil
}

// vendorLine decodes a reply to I into variables.
func vendorLine(line []byte, r *reading) error {
	id, err := ParseIdentity(line)
	if err == nil {
		id.tell(r)
	}
	return err
}

// usualVendorLine is vendorLine for devices that divide the line in the usual way.
func usualVendorLine(line []byte, r *reading) error {
	_, err := ParseIdentity(line)
	if err == nil {
		divide(line, usual).tell(r)
	}
	return err
}

func (i Identity) tell(r *reading) {
	for _, v := range []struct{ variable, value string }{
		{"device.mfr", i.Maker}, {"device.model", i.Model}, {"ups.firmware", i.Firmware},
		{"ups.serial", i.Serial}, {"battery.runtime", i.Runtime},
	} {
		if v.value != "" {
			r.set(v.variable, v.value)
		}
	}
}

func divide(line []byte, columns []part) Identity {
	var id Identity
	for _, c := range columns {
		*c.dst(&id) = label(string(line[min(c.from, len(line)):min(c.to, len(line))]))
	}
	return id
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
