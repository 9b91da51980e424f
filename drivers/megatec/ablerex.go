package megatec

import (
	"encoding/binary"
	"fmt"
)

// ablerex uses some bits of Q1 otherwise, and tells the voltage of a cell, of a block or of the
// battery. On a serial line such a device answers all that megatec asks and is taken for one;
// protocol=ablerex says better.
//
//	> Q5
//	< (FFaaaabbVVCCPPEEAAcccc
//	   a bracket and 20 raw bytes, of which any may be a CR: output frequency (tenths), 4 bytes
//	   unknown, battery and cut-off voltage of 12 V (hundredths), power, error code, output
//	   current (tenths), 4 bytes unknown; numbers of two bytes, the high one first
//	> At
//	< (SSSS               a bracket and four raw bytes: seconds of runtime
//	> TR
//	< #OK                 result of the last test
var ablerex = dialect{name: "ablerex", title: "Ablerex",
	status: query{send: "Q1", read: words("(", append(q1[:len(q1):len(q1)],
		field{name: "status bits", take: ablerexBits})...)},
	adjust: ablerexDerived,
	claim:  []query{askVendor},
	once: []query{
		{send: "F", kind: ratingQuery, read: words("#",
			volts("output.voltage.nominal"),
			amperes("output.current.nominal"),
			battery("battery.voltage.nominal"),
			hertz("output.frequency.nominal"),
		)},
		askVendor,
	},
	also: []query{
		{send: "Q5", size: 21, read: ablerexRaw},
		{send: "At", size: 5, read: ablerexRuntime},
	},
	slow:     []query{{send: "TR", read: ablerexTest}},
	orders:   but(usualOrders, order{name: "load.off", wire: plain("S.2")}),
	settings: usualDelays,
}

// ablerexTest decodes the result of the last battery test.
var ablerexTest = columns("#", 5, text("ups.test.result").at(1, 4))

// ablerexBits are utility fail, battery low, boost or buck or bypass, replace the battery,
// standby type, testing, shutting down, beeper.
func ablerexBits(word string, r *reading) error {
	if err := q1Bits.take(word, r); err != nil {
		return err
	}
	if r.Bits&Failed != 0 {
		r.say("RB")
	}
	if r.Bits&Regulating != 0 && r.Bits&Standby == 0 {
		r.say("BYPASS")
		r.Bits &^= Regulating
	}
	if r.Output != absent && r.Output < 50e3 {
		r.say("OFF")
	}
	return nil
}

// ablerexRaw decodes a reply to Q5.
func ablerexRaw(line []byte, r *reading) error {
	if len(line) != 21 || line[0] != '(' {
		return fmt.Errorf("%w: want a bracket and 20 bytes: %q", ErrMalformed, line)
	}
	word := func(at int) milli { return milli(binary.BigEndian.Uint16(line[at:])) }
	hertz, current := word(1)*100, word(15)*100
	if hertz > 100e3 || current > 999e3 {
		return fmt.Errorf("%w: frequency %s, current %s in %q",
			ErrMalformed, hertz.text(1), current.text(1), line)
	}
	r.set("output.frequency", hertz.text(1))
	r.set("output.current", current.text(1))
	r.block, r.cutoff = word(7)*10, word(9)*10
	if code := word(13); code != 0 {
		r.alarm(fmt.Sprintf("UPS error code %d", code))
	}
	return nil
}

// ablerexRuntime decodes a reply to At.
func ablerexRuntime(line []byte, r *reading) error {
	if len(line) != 5 || line[0] != '(' {
		return fmt.Errorf("%w: want a bracket and 4 bytes: %q", ErrMalformed, line)
	}
	seconds := milli(binary.BigEndian.Uint32(line[1:])) * 1000
	if seconds > 999999e3 {
		return fmt.Errorf("%w: runtime %s in %q", ErrMalformed, seconds.text(0), line)
	}
	r.set("battery.runtime", seconds.text(0))
	return nil
}

// ablerexDerived makes the voltages those of the whole battery.
func ablerexDerived(d *device, r *reading) {
	nominal := d.value("battery.voltage.nominal")
	if nominal <= 0 {
		return
	}
	switch {
	case r.block > 0:
		r.Battery = r.block * nominal / 12_000
	case r.Battery != absent && r.Battery <= 3000:
		r.Battery = r.Battery * 6 * nominal / 12_000
	default:
		return
	}
	r.set("battery.voltage", r.Battery.text(2))
	d.packs = 1000
	if r.cutoff > 0 {
		r.set("battery.voltage.low", (r.cutoff * nominal / 12_000).text(2))
	}
}
