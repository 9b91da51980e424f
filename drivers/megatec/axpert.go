package megatec

import (
	"fmt"
	"strings"
)

// axpert is spoken by solar inverters of Voltronic. Each line carries a checksum behind it, and
// QMOD tells what the unit does.
//
//	> QPI..
//	< (PI30..
//	> QPIGS..
//	< (233.5 50.1 233.5 50.1 0467 0396 009 440 54.00 000 100 0033 0000 000.0 00.00 00000 00010101..
//	   input V Hz, output V Hz VA W, load, bus V, battery V, charging A, charge, heat sink,
//	   solar A V, battery V there, discharging A, bits
//	> QPIRI..
//	< (230.0 21.7 230.0 50.0 21.7 5000 5000 48.0 46.0 42.0 56.4 54.0 0 30 060 0 0 2 9 01 0 1 ..
//	   ratings
var axpert = dialect{name: "voltronic-axpert", title: "Voltronic-Axpert",
	status: query{send: "QMOD", crc: true,
		read: columns("(", 2, field{name: "mode", take: axpertMode}.at(1, 1))},
	also: []query{{send: "QPIWS", crc: true,
		read: columns("(", 25, field{name: "warnings", take: readAxpertWarnings}.at(1, 0))}},
	claim: []query{askAxpert},
	once: []query{
		askAxpert,
		{send: "QVFW", crc: true, kind: vendorQuery,
			read: columns("(", 15, firmware("device.firmware").at(7, 14),
				firmware("device.firmware.main").at(7, 14))},
		chargerFirmware(1), chargerFirmware(2), chargerFirmware(3),
		{send: "QID", crc: true, kind: vendorQuery,
			read: columns("(", 1, field{name: "serial", take: serial}.at(1, 0))},
		{send: "QFLAG", crc: true,
			read: columns("(", 3, field{name: "switches", take: axpertSwitches}.at(1, 0))},
		{send: "QPIRI", crc: true, kind: ratingQuery, read: leading("(",
			volts("input.voltage.nominal"), amperes("input.current.nominal"),
			volts("output.voltage.nominal"), hertz("output.frequency.nominal"),
			amperes("output.current.nominal"),
			number("output.power.nominal", 99999e3, 1),
			number("output.realpower.nominal", 99999e3, 1),
			battery("battery.voltage.nominal"), battery("battery.voltage.recharge"),
			battery("battery.voltage.under"), battery("battery.voltage.bulk"),
			battery("battery.voltage.float"),
			field{name: "battery type", take: oneOf("battery.type", axpertBatteries)},
			amperes("battery.charging.current.ac.high"),
			amperes("battery.charging.current.high"),
			skipped(), skipped(), skipped(), skipped(),
			field{name: "model type", take: oneOf("device.model.type", axpertModels)},
			field{name: "transformer", take: oneOf("device.description", transformers)},
		)},
		{send: "QMD", crc: true, kind: vendorQuery, read: columns("(", 47,
			text("device.model").at(1, 15),
			number("output.powerfactor.nominal", 100e3, 0).at(25, 26),
			number("input.phases", 3e3, 0).at(28, 28),
			number("output.phases", 3e3, 0).at(30, 30),
			number("battery.number", 99e3, 0).at(40, 41),
		)},
		{send: "QDI", crc: true, kind: ratingQuery, read: leading("(",
			volts("output.voltage.default"), hertz("output.frequency.default"),
			amperes("experimental.battery.charging.current.ac.high.default"),
			battery("experimental.battery.voltage.under.default"),
			battery("experimental.battery.voltage.float.default"),
			battery("experimental.battery.voltage.bulk.default"),
			battery("experimental.battery.voltage.recharge.default"),
			amperes("experimental.battery.charging.current.high.default"),
			skipped(), skipped(), skipped(),
			field{name: "battery type",
				take: oneOf("experimental.battery.type.default", axpertBatteries)},
		)},
	},
	slow: []query{{send: "QPIGS", crc: true, read: leading("(",
		volts("input.voltage").keep(input), hertz("input.frequency"),
		volts("output.voltage").keep(output), hertz("output.frequency"),
		number("output.power", 99999e3, 1), number("output.realpower", 99999e3, 1),
		percent("ups.load").keep(load), volts("").unseen(),
		battery("battery.voltage").keep(pack), amperes("").unseen(),
		charge("battery.charge").with(1), number("ups.temperature", 9999e3, 1),
		amperes("experimental.input.pv1.current").with(0),
		volts("experimental.input.pv1.voltage").with(0),
		battery("experimental.battery.voltage.scc1"),
		number("battery.current", 99999e3, 1),
		field{name: "bits", take: axpertBits},
	)}, {send: "QPIGS2", crc: true, read: columns("(", 58,
		amperes("experimental.input.pv2.current").with(0).at(1, 4),
		volts("experimental.input.pv2.voltage").with(0).at(6, 10),
		battery("experimental.battery.voltage.scc2").at(12, 16),
		amperes("experimental.input.pv3.current").with(0).at(42, 45),
		volts("experimental.input.pv3.voltage").with(0).at(47, 51),
		battery("experimental.battery.voltage.scc3").at(53, 57),
	)}},
	fixed: []value{{variable: "device.type", text: "scd"}},
	// The units are switched by their own program; the protocol has no outlet that could be cut.
	orders: nil,
}

var askAxpert = query{send: "QPI", crc: true, read: func(line []byte, r *reading) error {
	if string(line) != "(PI30" {
		return refusal("(PI30", line)
	}
	r.set("device.firmware.aux", "P30")
	return nil
}}

// firmware is a version as NUT writes it, as if it were a number in hex.
func firmware(variable string) field {
	return field{name: variable, take: func(word string, r *reading) error {
		r.set(variable, "0X"+strings.TrimSpace(word))
		return nil
	}}
}

// chargerFirmware asks for the firmware of one of the solar chargers.
func chargerFirmware(n int) query {
	return query{send: fmt.Sprintf("QVFW%d", n+1), crc: true, kind: vendorQuery,
		read: columns("(VERFW", 16, firmware(fmt.Sprintf("device.firmware.scc%d", n)).at(8, 15))}
}

// The words for the numbers of QPIRI.
var (
	axpertBatteries = []string{"AGM", "Flooded", "User"}
	axpertModels    = map[string]string{"00": "Grid-tie", "01": "Off-grid", "10": "Hybrid",
		"11": "Off Grid with 2 Trackers", "20": "Off Grid with 3 Trackers"}
	transformers = []string{"Transformerless", "Transformer"}
)

// oneOf is a number that stands for one of several words, or a key of them.
func oneOf[W []string | map[string]string](variable string, of W) func(string, *reading) error {
	return func(word string, r *reading) error {
		var said string
		switch words := any(of).(type) {
		case []string:
			v, err := parseMilli(word)
			if err == nil && v >= 0 && int(v/1000) < len(words) {
				said = words[v/1000]
			}
		case map[string]string:
			said = words[word]
		}
		if said != "" {
			r.set(variable, said)
		}
		return nil
	}
}

// axpertModes are the letters of QMOD.
var axpertModes = map[string]struct {
	bits        Bits
	word, alarm string
}{
	"P": {alarm: "Device is going ON."},
	"S": {word: "OFF"},
	"Y": {word: "BYPASS"},
	"L": {},
	"B": {bits: UtilityFail},
	"T": {bits: Testing},
	"F": {alarm: "Fault reported by device."},
	"H": {word: "ECO"}, // saves power
	"G": {},            // feeds the grid
	"D": {bits: ShuttingDown, alarm: "UPS is shutting down!"},
}

func axpertMode(letter string, r *reading) error {
	m, ok := axpertModes[letter]
	if !ok {
		return fmt.Errorf("mode %q: want a letter", letter)
	}
	r.Bits |= m.bits
	if m.word != "" {
		r.say(m.word)
	}
	if m.alarm != "" {
		r.alarm(m.alarm)
	}
	return nil
}

// axpertBits are eight: three unused, load on, one unused, charging, by sun, by mains.
func axpertBits(word string, r *reading) error {
	if err := flags(word, 8); err != nil {
		return err
	}
	if word[3] == '0' {
		r.say("OFF")
	}
	if word[5] == '1' {
		r.say("CHRG")
	}
	return nil
}

// axpertSwitches are the letters of QFLAG that are variables.
func axpertSwitches(word string, r *reading) error {
	on, off, ok := strings.Cut(strings.TrimPrefix(word, "E"), "D")
	if !ok || !strings.HasPrefix(word, "E") {
		return fmt.Errorf("%q: want E and letters, D and letters", word)
	}
	on, off = strings.ToUpper(on), strings.ToUpper(off)
	if strings.Contains(on+off, "J") {
		r.set("battery.energysave", choose(strings.Contains(on, "J"), "yes", "no"))
	}
	if strings.Contains(on+off, "A") {
		r.set("ups.beeper.status", choose(strings.Contains(on, "A"), "enabled", "disabled"))
	}
	return nil
}
