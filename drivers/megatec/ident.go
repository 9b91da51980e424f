package megatec

import (
	"fmt"
	"strings"
)

// Rating is one reply to F: what the device was built for. Numbers may be absent.
type Rating struct {
	Input, Current, Battery, Frequency milli
}

// f lists the numbers of a reply in wire order, as q1 does.
var f = []struct {
	name     string
	dst      func(*Rating) *milli
	max      milli
	variable string
	decimals int
}{
	{name: "nominal input voltage", dst: func(r *Rating) *milli { return &r.Input },
		max: 600e3, variable: "input.voltage.nominal"},
	{name: "nominal current", dst: func(r *Rating) *milli { return &r.Current },
		max: 999e3, variable: "input.current.nominal", decimals: 1},
	{name: "nominal battery voltage", dst: func(r *Rating) *milli { return &r.Battery },
		max: 999e3, variable: "battery.voltage.nominal", decimals: 1},
	{name: "nominal frequency", dst: func(r *Rating) *milli { return &r.Frequency },
		max: 100e3, variable: "input.frequency.nominal"},
}

// ParseRating decodes one reply to F, without its CR.
func ParseRating(line []byte) (Rating, error) {
	body, ok := strings.CutPrefix(string(line), "#")
	words := strings.Fields(body)
	if !ok || len(words) != len(f) {
		return Rating{}, fmt.Errorf("%w: want '#' and %d words: %q", ErrMalformed, len(f), line)
	}
	var r Rating
	for i, n := range f {
		v, err := parseMilli(words[i])
		if err != nil || v != absent && (v < 0 || v > n.max) {
			return Rating{}, fmt.Errorf("%w: %s %q in %q: want 0 to %s",
				ErrMalformed, n.name, words[i], line, n.max.text(0))
		}
		*n.dst(&r) = v
	}
	return r, nil
}

// Identity is one reply to I. Fields are empty when the device left them blank.
type Identity struct {
	Maker, Serial, Model, Runtime, Firmware string
}

// A column is a field of a reply to I: from its first byte to before its end; the '#' is byte 0.
type column struct {
	dst      func(*Identity) *string
	from, to int
}

// usual is how nearly all devices divide the line. The last field may be cut short.
var usual = []column{
	{func(i *Identity) *string { return &i.Maker }, 1, 16},
	{func(i *Identity) *string { return &i.Model }, 17, 27},
	{func(i *Identity) *string { return &i.Firmware }, 28, 38},
}

// newer is how some devices divide it that know a serial number and a runtime.
var newer = []column{
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
	for at, c := range line {
		if c < ' ' || c > '~' {
			return Identity{}, fmt.Errorf("%w: byte %#02x at %d in %q: want text",
				ErrMalformed, c, at, line)
		}
	}
	id := divide(line, newer)
	if len(line) == newerLength && id.Serial != "" && number(id.Runtime) {
		return id, nil
	}
	return divide(line, usual), nil
}

func divide(line []byte, columns []column) Identity {
	var id Identity
	for _, c := range columns {
		*c.dst(&id) = field(string(line[min(c.from, len(line)):min(c.to, len(line))]))
	}
	return id
}

func number(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// field trims a column. One character over and over (222222222 has been seen) is how some makers
// fill a field for which they have no text.
func field(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 2 && strings.Trim(s, s[:1]) == "" {
		return ""
	}
	return s
}
