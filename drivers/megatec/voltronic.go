package megatec

import (
	"fmt"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// voltronic is the long dialect: each subject has its own query, and every command is answered by
// ACK or NAK behind a bracket.
//
//	> QPI
//	< (PI01                the variant of the protocol
//	> QGS
//	< (234.9 50.0 229.8 50.0 000.0 000 369.1 ---.- 026.5 ---.- 018.8 100000000001
//	   input V Hz, output V Hz A, load, bus voltages, battery voltages, temperature, flags
//	> QMOD
//	< (L                   what it does: on line power
//	> QBV
//	< (026.5 02 01 068 255
//	   battery V, batteries, packs, charge %, minutes
//	> QFLAG
//	< (EpashcjDbroegfl     letters of what is enabled, then of what is disabled
var voltronic = dialect{name: "voltronic", title: "Voltronic",
	status: query{send: "QGS", read: words("(",
		volts("input.voltage").keep(input),
		hertz("input.frequency").keep(frequency),
		volts("output.voltage").keep(output),
		hertz("output.frequency"),
		amperes("output.current"),
		percent("ups.load").keep(load),
		volts("").unseen(), volts("").unseen(), // bus
		battery("battery.voltage").with(2).keep(pack),
		battery("").unseen(), // its negative half
		celsius("ups.temperature").keep(temperature),
		field{name: "flags", take: voltronicFlags},
	)},
	claim: []query{askVariant},
	once: []query{
		askVariant,
		{send: "QRI", kind: ratingQuery, read: words("(",
			volts("output.voltage.nominal"),
			amperes("output.current.nominal").with(0),
			battery("battery.voltage.nominal"),
			hertz("output.frequency.nominal"),
		)},
		{send: "QMD", kind: vendorQuery, read: columns("(", 47,
			text("device.model").at(1, 15),
			text("ups.power.nominal").at(17, 23),
			field{name: "power factor", take: powerFactor}.at(25, 26),
			number("input.phases", 3e3, 0).at(28, 28),
			number("output.phases", 3e3, 0).at(30, 30),
			volts("input.voltage.nominal").at(32, 34),
			volts("output.voltage.nominal").at(36, 38),
		)},
		{send: "F", kind: ratingQuery, read: words("#",
			volts("input.voltage.nominal"),
			amperes("input.current.nominal"),
			battery("battery.voltage.nominal"),
			hertz("input.frequency.nominal"),
		)},
		{send: "QMF", kind: vendorQuery, read: columns("(", 1, text("device.mfr").at(1, 0))},
		{send: "QVFW", kind: vendorQuery, read: columns("(", 15, text("ups.firmware").at(7, 14))},
		{send: "QID", kind: vendorQuery,
			read: columns("(", 1, field{name: "serial", take: serial}.at(1, 0))},
		{send: "I", kind: vendorQuery, read: usualVendorLine},
		{send: "QFLAG", read: columns("(", 3, field{name: "switches", take: switches}.at(1, 0))},
		outlet(1), outlet(2), outlet(3), outlet(4),
		outletDelay(1), outletDelay(2), outletDelay(3), outletDelay(4),
		{send: "QHE", when: can("eco"), read: words("(",
			volts("input.transfer.high").with(0), volts("input.transfer.low").with(0))},
		{send: "QFRE", when: can("eco"), read: words("(",
			hertz("input.frequency.high"), hertz("input.frequency.low"))},
		{send: "QBT", when: is("P31"), read: chosen("battery.type", batteryTypes)},
		{send: "RE0", read: words("#", battery("battery.voltage.low"))},
	},
	slow: []query{
		{send: "QFS", when: isNot("P31"), read: faultCode(faults)},
		{send: "QFS", when: is("P31"), read: faultCode(faultsP31)},
		{send: "QMOD", read: columns("(", 2, field{name: "mode", take: mode}.at(1, 1))},
		{send: "QWS", read: words("(", field{name: "warnings", take: voltronicWarnings})},
		{send: "QBV", read: words("(",
			battery("battery.voltage").with(2),
			number("battery_number", 99e3, 0).unseen(),
			number("battery.packs", 99e3, 0),
			charge("battery.charge"),
			minutes("battery.runtime"),
		)},
		{send: "QLDL", read: words("(",
			percent("output.power.minimum.percent"), percent("output.power.maximum.percent"))},
		{send: "Q3PV", when: phases("input"), read: lines("(", volts, "input.L%s.voltage",
			"1-N", "2-N", "3-N", "1-L2", "2-L3", "1-L3")},
		{send: "Q3PC", when: phases("input"), read: lines("(", current, "input.L%s.current",
			"1", "2", "3")},
		{send: "Q3OV", when: phases("output"), read: lines("(", volts, "output.L%s.voltage",
			"1-N", "2-N", "3-N", "1-L2", "2-L3", "1-L3")},
		{send: "Q3OC", when: phases("output"), read: lines("(", current, "output.L%s.current",
			"1", "2", "3")},
		{send: "Q3LD", when: phases("output"), read: lines("(", percent, "output.L%s.power.percent",
			"1", "2", "3")},
		{send: "Q3YV", when: phases("output"), read: bypassLines},
	},
	orders:   voltronicOrders,
	settings: voltronicSettings,
	presets:  voltronicPresets,
}

// variants are the numbers of the protocol's variants.
var variants = "00 01 02 03 08 09 10 13 14 31 99"

// askVariant asks for the variant.
var askVariant = query{send: "QPI", read: func(line []byte, r *reading) error {
	number, ok := strings.CutPrefix(string(line), "(PI")
	if !ok || len(number) != 2 || !strings.Contains(variants, number) {
		return refusal("(PI and one of "+variants, line)
	}
	r.set("ups.firmware.aux", "P"+number)
	return nil
}}

// is holds for units of a variant, isNot for the others, can for those that say that they have something, phases for
// those with three of them.
func is(variant string) func(*device) bool {
	return func(d *device) bool { return d.s.Value("ups.firmware.aux") == variant }
}

func isNot(variant string) func(*device) bool {
	is := is(variant)
	return func(d *device) bool { return !is(d) }
}

func can(what string) func(*device) bool { return func(d *device) bool { return d.able[what] } }

func phases(side string) func(*device) bool {
	return func(d *device) bool { return d.s.Value(side+".phases") == "3" }
}

func current(variable string) field { return amperes(variable).with(0) }

// lines are words of one unit for several phases.
func lines(lead string, unit func(string) field, format string, phases ...string) decoder {
	var fields []field
	for _, p := range phases {
		fields = append(fields, unit(fmt.Sprintf(format, p)))
	}
	return words(lead, fields...)
}

// bypassLines are six voltages, or in some variants the first three of them.
func bypassLines(line []byte, r *reading) error {
	phases := []string{"1-N", "2-N", "3-N", "1-L2", "2-L3", "1-L3"}
	if len(strings.Fields(string(line))) == 3 {
		phases = phases[:3]
	}
	return lines("(", volts, "output.bypass.L%s.voltage", phases...)(line, r)
}

// topologies are the values of the first two flags.
var topologies = map[string]string{"00": "offline", "01": "line-interactive", "10": "online"}

// voltronicFlags are twelve: two of the topology, utility fail, battery low, boost or buck or
// bypass, fault, unused, testing, shutting down, beeper off, two unused.
func voltronicFlags(word string, r *reading) error {
	if err := flags(word, 12); err != nil {
		return err
	}
	if kind, ok := topologies[word[:2]]; ok {
		r.set("ups.type", kind)
	}
	for at, bit := range [12]Bits{2: UtilityFail, 3: BatteryLow, 4: Regulating, 7: Testing,
		8: ShuttingDown} {
		if word[at] == '1' {
			r.Bits |= bit
		}
	}
	if word[5] == '1' {
		r.alarm("UPS Fault!")
	}
	r.set("ups.beeper.status", choose(word[9] == '1', "disabled", "enabled"))
	return nil
}

// modes are the letters of QMOD with a word of ups.status, an alarm, or neither. Whether it runs
// on the battery the flags say, more often.
var modes = map[string]struct{ word, alarm string }{
	"P": {alarm: "UPS is going ON"},
	"S": {word: "OFF"},
	"Y": {word: "BYPASS"},
	"L": {},
	"B": {},
	"T": {word: "CAL"},
	"F": {alarm: "Fault reported by UPS."},
	"E": {alarm: "UPS is in ECO Mode."},
	"C": {alarm: "UPS is in Converter Mode."},
	"D": {word: "FSD", alarm: "UPS is shutting down!"},
}

func mode(letter string, r *reading) error {
	m, ok := modes[letter]
	if !ok {
		return fmt.Errorf("mode %q: want a letter", letter)
	}
	switch m.word {
	case "":
	case "FSD":
		r.Bits |= ShuttingDown
	default:
		r.say(m.word)
	}
	if m.alarm != "" {
		r.alarm(m.alarm)
	}
	return nil
}

// voltronicWarnings are 64 flags. The flag for low battery repeats what the status says.
func voltronicWarnings(word string, r *reading) error {
	if err := flags(word, len(warnings)); err != nil {
		return err
	}
	var texts []string
	for i := range warnings {
		if word[i] == '1' && warnings[i] != "" {
			texts = append(texts, warnings[i])
		}
		switch {
		case word[i] == '0':
		case warnings[i] == "Overload alarm.":
			r.say("OVER")
		case warnings[i] == "Warning for Battery replace.":
			r.say("RB")
		}
	}
	if len(texts) > 0 {
		r.alarm("UPS warnings: " + strings.Join(texts, " "))
	}
	return nil
}

// faultCode is OK or two characters.
func faultCode(texts map[string]string) decoder {
	return columns("(", 3, field{name: "fault", take: func(code string, r *reading) error {
		switch text, ok := texts[code]; {
		case code == "OK":
		case ok:
			r.alarm("UPS Fault! " + text)
		default:
			r.alarm("UPS Fault! " + code)
		}
		return nil
	}}.at(1, 2))
}

func powerFactor(percent string, r *reading) error {
	v, err := parseMilli(strings.Trim(percent, "# "))
	if err == nil && v != absent {
		r.set("output.powerfactor", (v / 100).text(1))
	}
	return err
}

// serial is a serial number that is not all zeros.
func serial(word string, r *reading) error {
	if strings.Trim(word, "0 ") != "" {
		r.set("device.serial", strings.TrimSpace(word))
	}
	return nil
}

// switched are the letters of QFLAG that are variables.
var switched = []struct{ letter, variable string }{
	{"R", "ups.start.auto"}, {"S", "battery.protection"}, {"G", "battery.energysave"},
	{"C", "ups.start.battery"}, {"J", "outlet.0.switchable"},
}

// abilities are the letters of QFLAG that are about commands.
var abilities = []struct{ letter, what string }{{"A", "beeper"}, {"E", "eco"}}

func switches(word string, r *reading) error {
	on, off, ok := strings.Cut(strings.TrimPrefix(word, "E"), "D")
	if !ok || !strings.HasPrefix(word, "E") {
		return fmt.Errorf("%q: want E and letters, D and letters", word)
	}
	on, off = strings.ToUpper(on), strings.ToUpper(off)
	for _, s := range switched {
		if strings.Contains(on+off, s.letter) {
			r.set(s.variable, choose(strings.Contains(on, s.letter), "yes", "no"))
		}
	}
	for _, a := range abilities {
		if strings.Contains(on+off, a.letter) {
			r.able = append(r.able, a.what)
		}
	}
	return nil
}

func outlet(n int) query {
	return query{send: fmt.Sprintf("QSK%d", n), read: columns("(", 2, field{
		name: "outlet", take: func(word string, r *reading) error {
			if err := flags(word, 1); err != nil {
				return err
			}
			r.set(fmt.Sprintf("outlet.%d.switchable", n), "yes")
			r.set(fmt.Sprintf("outlet.%d.status", n), choose(word == "1", "on", "off"))
			r.able = append(r.able, fmt.Sprintf("outlet %d", n))
			return nil
		}}.at(1, 1))}
}

func outletDelay(n int) query {
	return query{send: fmt.Sprintf("QSKT%d", n), when: can(fmt.Sprintf("outlet %d", n)),
		read: words("(", minutes(fmt.Sprintf("outlet.%d.delay.shutdown", n)))}
}

// batteryTypes are by their number.
var batteryTypes = []string{"Li", "Flooded", "AGM"}

// chosen is a number that stands for one of several words.
func chosen(variable string, words []string) decoder {
	return columns("(", 3, field{name: variable, take: func(word string, r *reading) error {
		v, err := parseMilli(word)
		if err != nil || v < 0 || int(v/1000) >= len(words) {
			return fmt.Errorf("%s %q: want 0 to %d", variable, word, len(words)-1)
		}
		r.set(variable, words[v/1000])
		return nil
	}}.at(1, 2))
}

var voltronicOrders = append(but(usualOrders,
	order{name: "load.off", wire: plain("SOFF")},
	order{name: "load.on", wire: plain("SON")},
	order{name: "shutdown.stop", wire: plain("CS")},
	order{name: "test.battery.start", wire: shortTest},
	order{name: "beeper.toggle", wire: func(c call) (string, error) {
		return choose(c.state("ups.beeper.status") == "enabled", "BZOFF", "BZON"), nil
	}},
	order{name: "beeper.enable", wire: plain("PEA"), when: can("beeper")},
	order{name: "beeper.disable", wire: plain("PDA"), when: can("beeper")},
	order{name: "bypass.start", wire: plain("PEE"), when: can("eco")},
	order{name: "bypass.stop", wire: plain("PDE"), when: can("eco")},
), outletOrders(4)...)

func outletOrders(n int) []order {
	var all []order
	for i := range n {
		i++
		has := can(fmt.Sprintf("outlet %d", i))
		all = append(all,
			order{name: fmt.Sprintf("outlet.%d.load.off", i), wire: plain(fmt.Sprintf("SKOFF%d", i)), when: has},
			order{name: fmt.Sprintf("outlet.%d.load.on", i), wire: plain(fmt.Sprintf("SKON%d", i)), when: has})
	}
	return all
}

var voltronicSettings = voltronicSettingList()

func voltronicSettingList() []setting {
	all := []setting{
		shutdownDelay(12, 5940), startDelay(0, maxStartSeconds),
		{variable: "battery.packs", form: within(1, 99), wire: whole("BATGN%02d", 1), again: "QBV"},
		{variable: "battery.voltage.low", bounds: lowest, hidden: true, wire: whole("W0E%02d", 1),
			again: "RE0"},
		{variable: "input.transfer.high", bounds: ecoVolts(1), wire: whole("HEH%03d", 1),
			again: "QHE"},
		{variable: "input.transfer.low", bounds: ecoVolts(-1), wire: whole("HEL%03d", 1),
			again: "QHE"},
		{variable: "input.frequency.high", bounds: ecoHertz(3, 10), hidden: true,
			wire: tenthsOf("FREH"), again: "QFRE"},
		{variable: "input.frequency.low", bounds: ecoHertz(-10, -3), hidden: true,
			wire: tenthsOf("FREL"), again: "QFRE"},
		{variable: "battery.type", form: driver.Form{Enum: batteryTypes}, again: "QBT",
			wire: func(value string) (string, error) {
				for i, t := range batteryTypes {
					if t == value {
						return fmt.Sprintf("PBT%02d", i), nil
					}
				}
				return "", fmt.Errorf("%q: want one of %q", value, batteryTypes)
			}},
	}
	for _, s := range switched {
		all = append(all, setting{variable: s.variable, again: "QFLAG",
			form: driver.Form{Enum: []string{"no", "yes"}},
			wire: func(value string) (string, error) {
				return "P" + choose(value == "yes", "E", "D") + s.letter, nil
			}})
	}
	for n := 1; n <= 4; n++ {
		all = append(all, setting{variable: fmt.Sprintf("outlet.%d.delay.shutdown", n),
			form: within(0, 59940), wire: whole(fmt.Sprintf("PSK%d%%03d", n), 60),
			again: fmt.Sprintf("QSKT%d", n)})
	}
	return all
}

// lowest is how low the battery may be set to go: not as high for small units.
func lowest(known func(string) string) driver.Form {
	volts, _ := parseMilli(known("output.voltage.nominal"))
	amperes, _ := parseMilli(known("output.current.nominal"))
	if volts/1000*amperes < 1000e3 {
		return within(20, 24)
	}
	return within(20, 28)
}

// ecoHertz are the limits of the frequencies between which the unit passes the mains on, from the
// nominal one.
func ecoHertz(least, most int) func(func(string) string) driver.Form {
	return func(known func(string) string) driver.Form {
		nominal, err := parseMilli(known("output.frequency.nominal"))
		if err != nil || nominal == absent {
			return within(40, 70)
		}
		return within(int(nominal/1000)+least, int(nominal/1000)+most)
	}
}

func tenthsOf(command string) func(string) (string, error) {
	return func(value string) (string, error) { return decimal(command)(value), nil }
}

// ecoVolts are the limits of the voltages between which the unit passes the mains on: a span
// above (side 1) or below (-1) the nominal output voltage.
func ecoVolts(side int) func(func(string) string) driver.Form {
	return func(known func(string) string) driver.Form {
		nominal, err := parseMilli(known("output.voltage.nominal"))
		if err != nil || nominal == absent {
			return driver.Form{Ranges: []state.Range{{Min: 0, Max: 600}}}
		}
		least, most := 11, 24
		variant := known("ups.firmware.aux")
		sensitive := variant == "P01" || variant == "P09"
		switch high := nominal >= 200e3; {
		case sensitive && high:
			least = 7
		case sensitive:
			least, most = 3, 12
		case !high:
			least, most = 5, 12
		}
		near, far := int(nominal/1000)+side*least, int(nominal/1000)+side*most
		return driver.Form{Ranges: []state.Range{{Min: min(near, far), Max: max(near, far)}}}
	}
}
