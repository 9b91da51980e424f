package megatec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The short dialects of Voltronic units: M tells which, QS is the status.
//
//	> M
//	< V
//	> QS
//	< (230.2 232.2 234.6 000 49.8 13.6 --.- 00001001
//	> QI
//	< (099 02920 50.1 000.0 169 279 0 0000010000102000
//	   charge, runtime, input Hz, output A, transfer low and high, unused, bits
var voltronicQS = dialect{name: "voltronic-qs", title: "Voltronic-QS",
	status: query{send: "QS", read: words("(",
		volts("input.voltage").keep(input),
		volts("input.voltage.fault").keep(fault),
		volts("output.voltage").keep(output),
		percent("ups.load").keep(load),
		hertz("output.frequency").keep(frequency),
		battery("battery.voltage").with(2).keep(pack),
		celsius("ups.temperature").keep(temperature),
		q1Bits,
	)},
	claim: []query{askShort("V", "H")},
	once: []query{askShort("V", "H"), {send: "F", kind: ratingQuery, read: words("#",
		volts("output.voltage.nominal").with(0),
		amperes("output.current.nominal"),
		battery("battery.voltage.nominal"),
		hertz("output.frequency.nominal").with(0),
	)}},
	slow: []query{{send: "QI", read: words("(",
		charge("battery.charge"),
		seconds("battery.runtime"),
		hertz("input.frequency"),
		amperes("output.current"),
		volts("input.transfer.low").with(0),
		volts("input.transfer.high").with(0),
		skipped(), skipped(),
	)}},
	orders:   shortOrders,
	settings: []setting{shutdownDelay(12, 540), startDelay(60, maxStartSeconds)},
}

// voltronicQSHex sends its status as raw bytes.
//
//	> M
//	< P
//	> QS
//	< #l. 5 l. 5 . Q. (... . . .
//	   input and output voltage as two factors each, load, frequency as divisor and dividend,
//	   battery voltage as two factors, status bits; with M = T also the ratings
var voltronicQSHex = dialect{name: "voltronic-qs-hex", title: "Voltronic-QS-Hex",
	status:   query{send: "QS", read: rawStatus},
	claim:    []query{askShort("P", "T")},
	once:     []query{askShort("P", "T")},
	orders:   shortOrders,
	settings: []setting{shutdownDelay(12, 540), startDelay(60, maxStartSeconds)},
}

// shortOrders are what the short dialects know.
var shortOrders = but(usualOrders, order{name: "test.battery.start"},
	order{name: "test.battery.start.deep"}, order{name: "test.battery.stop"})

// askShort asks which of the short dialects it is.
func askShort(letters ...string) query {
	return query{send: "M", read: func(line []byte, r *reading) error {
		if !slices.Contains(letters, string(line)) {
			return refusal(strings.Join(letters, " or "), line)
		}
		r.set("ups.firmware.aux", "PM-"+string(line))
		return nil
	}}
}

// rawFields are the fields of the raw status, with their lengths in bytes.
var rawFields = []struct {
	name     string
	min, max int
}{
	{"input voltage", 1, 3}, {"its factor", 1, 3}, {"output voltage", 1, 3}, {"its factor", 1, 3},
	{"load", 1, 1}, {"frequency divisor", 1, 3}, {"frequency", 1, 4},
	{"battery voltage", 1, 2}, {"its factor", 1, 2}, {"status bits", 1, 1}, {"ratings", 1, 1},
}

// ratings is the index of the field that not all units have.
const ratings = 10

var errRaw = errors.New("not a raw status")

// rawStatus decodes the raw status.
func rawStatus(line []byte, r *reading) error {
	n, err := rawNumbers(line)
	if err != nil {
		return fmt.Errorf("%w: %w: %q", ErrMalformed, err, line)
	}
	if n[5] == 0 {
		return fmt.Errorf("%w: %w: the frequency divisor is 0: %q", ErrMalformed, errRaw, line)
	}
	for i, v := range []struct {
		field field
		milli milli
	}{
		{volts("input.voltage").keep(input), milli(n[0] * n[1] / 51 * 1000 / 256)},
		{volts("output.voltage").keep(output), milli(n[2] * n[3] / 51 * 1000 / 256)},
		{percent("ups.load").keep(load), milli(n[4] * 1000)},
		{hertz("output.frequency").keep(frequency), min(milli(n[6]*1000/n[5]), 99_900)},
		{battery("battery.voltage").with(2).keep(pack), milli(n[7] * n[8] * 1000 / 510)},
	} {
		if v.milli < v.field.min || v.milli > v.field.max {
			return fmt.Errorf("%w: value %d is beyond belief in %q", ErrMalformed, i+1, line)
		}
		*v.field.dst(&r.Status) = v.milli
		r.set(v.field.variable, v.milli.text(v.field.decimals))
	}
	r.Temperature, r.Fault = absent, absent
	if len(n) > ratings {
		rawRatings(byte(n[ratings]), r)
	}
	return q1Bits.take(fmt.Sprintf("%08b", n[9]), r)
}

// rawNumbers splits the raw status into big-endian numbers.
func rawNumbers(line []byte) ([]int, error) {
	body, ok := bytes.CutPrefix(line, []byte("#"))
	fields := bytes.Split(body, []byte(" "))
	if !ok || len(fields) != len(rawFields) && len(fields) != ratings {
		return nil, fmt.Errorf("%w: want # and %d or %d fields", errRaw, ratings, len(rawFields))
	}
	numbers := make([]int, len(fields))
	for i, f := range fields {
		f, err := unescape(f)
		if err != nil {
			return nil, err
		}
		if len(f) < rawFields[i].min || len(f) > rawFields[i].max {
			return nil, fmt.Errorf("%w: %s has %d bytes", errRaw, rawFields[i].name, len(f))
		}
		for _, b := range f {
			numbers[i] = numbers[i]<<8 | int(b)
		}
	}
	return numbers, nil
}

// escapes are the bytes that the line needs for itself, by what follows an opening bracket in
// their place.
var escapes = []byte{'\r', 0x11, 0x13, '\n', ' '}

func unescape(field []byte) ([]byte, error) {
	var out []byte
	for i := 0; i < len(field); i++ {
		if field[i] != '(' {
			out = append(out, field[i])
			continue
		}
		if i++; i == len(field) || int(field[i]) >= len(escapes) {
			return nil, fmt.Errorf("%w: an escape that is none in %q", errRaw, field)
		}
		out = append(out, escapes[field[i]])
	}
	return out, nil
}

// rawRatings reads the ratings: a bit of the frequency, two of the battery, two unused, three of
// the voltage.
func rawRatings(b byte, r *reading) {
	r.set("output.frequency.nominal", []string{"50.0", "60.0"}[b>>7])
	r.set("battery.voltage.nominal", []string{"12.0", "24.0", "36.0", "48.0"}[b>>5&3])
	if v := []string{"110.0", "120.0", "220.0", "230.0", "240.0"}; int(b&7) < len(v) {
		r.set("output.voltage.nominal", v[b&7])
	}
}
