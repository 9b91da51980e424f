package megatec

// ablerex uses some bits of Q1 otherwise, and tells the voltage of a cell, of a block or of the
// battery. Its binary replies (Q5 and At: output frequency, runtime) are not read: nothing keeps
// a CR out of them. On a serial line such a device answers all that megatec asks and is taken for
// one; protocol=ablerex says better.
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
	r.Bits &^= Failed
	if r.Output != absent && r.Output < 50e3 {
		r.say("OFF")
	}
	return nil
}

// ablerexDerived makes the voltage that of the whole battery.
func ablerexDerived(d *device, r *reading) {
	nominal := d.value("battery.voltage.nominal")
	if nominal > 0 && r.Battery != absent && r.Battery <= 3000 {
		r.Battery = r.Battery * 6 * nominal / 12_000
		r.set("battery.voltage", r.Battery.text(2))
		d.packs = 1000
	}
}
