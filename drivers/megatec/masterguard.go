package megatec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
)

// masterguard is the dialect of Masterguard's A and E series. WH tells all that does not change,
// Q3 the state; commands for settings carry the address of the unit.
//
//	> WH
//	< (00 01.06 02.03 A  1000                       ... 230 50.00 018 02.00 012.00 ...
//	> Q3
//	< (00 230.0 000.0 228.9 027 50.0 02.19 25.7 010.00 100 00001000 00000000
//	   address, input V, fault V, output V, load, Hz, V of a cell, temperature, runtime
//	   (minutes and seconds), charge, two words of bits
//	> GS,00
//	< (00,--,0,1
var masterguard = dialect{name: "masterguard", title: "Masterguard",
	status: query{send: "Q3", read: columns("(", 70,
		volts("input.voltage").keep(input).at(4, 8),
		volts("experimental.input_fault_voltage").keep(fault).at(10, 14),
		volts("output.voltage").keep(output).at(16, 20),
		percent("ups.load").keep(load).at(22, 24),
		hertz("input.frequency").keep(frequency).at(26, 29),
		number("cell", 99e3, 3).unseen().keep(pack).at(31, 35),
		celsius("ups.temperature").keep(temperature).at(37, 40),
		celsius("ambient.0.temperature").at(37, 40),
		field{name: "runtime", take: minutesAndSeconds("battery.runtime")}.at(42, 47),
		charge("battery.charge").at(49, 51),
		field{name: "bits", take: masterguardBits}.at(53, 69),
	)},
	adjust: masterguardDerived,
	claim:  []query{{send: "WH", read: masterguardIdentity}},
	once: []query{
		{send: "WH", read: masterguardIdentity},
		{send: "MSO", read: columns("(", 4, text("experimental.output_voltages").at(1, 0))},
		{send: "GS,XX", read: columns("(", 10, number("battery.packs", 9e3, 0).at(7, 7),
			field{name: "beeper", take: func(word string, r *reading) error {
				r.set("ups.beeper.status", choose(word == "1", "enabled", "disabled"))
				return flags(word, 1)
			}}.at(9, 9))},
		{send: "GSN,XX", read: columns("(", 24, text("device.part").at(8, 18),
			text("device.serial").at(20, 23))},
		{send: "PNV", read: columns("", 7, volts("output.voltage.nominal").with(0).at(5, 7))},
	},
	slow: []query{
		{send: "GBS,XX", read: columns("(", 42, charge("battery.charge").at(4, 6),
			number("experimental.battery.ageing.factor", 9999e3, 0).at(18, 21),
			number("experimental.battery.calibration.factor", 999e3, 0).at(33, 35))},
		{send: "DRC,XX", read: columns("(", 16,
			field{name: "uptime", take: uptime}.at(4, 16))},
		{send: "FLT,XX", read: columns("(", 107,
			faultRecord(1).at(4, 23), faultRecord(2).at(25, 44), faultRecord(3).at(46, 65),
			faultRecord(4).at(67, 86), faultRecord(5).at(88, 107))},
	},
	fixed: []value{{variable: "device.mfr", text: "Masterguard"},
		{variable: "load.high", text: "140"}, {variable: "battery.type", text: "PbAc"}},
	orders:   masterguardOrders,
	settings: masterguardSettings,
}

// masterguardIdentity decodes a reply to WH.
var masterguardIdentity = columns("(", 112,
	field{name: "address", take: masterguardAddress}.at(1, 2),
	text("ups.firmware").at(4, 8),
	text("ups.firmware.aux").at(10, 14),
	text("experimental.series").at(16, 16),
	field{name: "model", take: masterguardModel}.at(16, 45),
	volts("input.voltage.nominal").with(0).at(49, 51),
	hertz("input.frequency.nominal").with(2).at(53, 57),
	number("cells", 999e3, 0).keep(cells).unseen().at(59, 61),
	number("experimental.nominal_cell_voltage", 99e3, 2).keep(perCell).at(63, 67),
	field{name: "runtime", take: minutesAndSeconds("experimental.runtime_half")}.at(69, 74),
	field{name: "runtime", take: minutesAndSeconds("experimental.runtime_full")}.at(76, 81),
	number("experimental.recharge_time", 999e3, 0).multiplied(3600, 0).at(83, 85),
	celsius("ambient.0.temperature.low").with(0).at(87, 88),
	celsius("ambient.0.temperature.high").with(0).at(90, 91),
	volts("input.voltage.low.critical").with(0).at(93, 95),
	volts("input.voltage.high.critical").with(0).at(97, 99),
	hertz("input.frequency.low").with(2).at(101, 105),
	hertz("input.frequency.high").with(2).at(107, 111),
	field{name: "battery", take: func(_ string, r *reading) error {
		// Of the numbers above: a reading has no other place for them on the way.
		if *cells(&r.Status) == absent || *perCell(&r.Status) == absent {
			return nil
		}
		r.set("battery.voltage.nominal", (*cells(&r.Status) * *perCell(&r.Status) / 1000).text(2))
		r.set("experimental.number_of_battery_cells", cells(&r.Status).text(0))
		return nil
	}}.at(59, 61),
)

func masterguardAddress(word string, r *reading) error {
	if !digits(word) {
		return fmt.Errorf("address %q: want two digits", word)
	}
	r.set("ups.id", word)
	return nil
}

func cells(s *Status) *milli   { return &s.Load }
func perCell(s *Status) *milli { return &s.Battery }

// masterguardModels are by the first letters of the model, with their power.
var masterguardModels = []struct {
	code, model string
	va          int
	// packs are the least and the most battery packs, of the tower and of the rack model.
	packs, rack [2]int
}{
	{"A  700", "A700", 700, [2]int{}, [2]int{}},
	{"A 1000", "A1000", 1000, [2]int{0, 2}, [2]int{0, 2}},
	{"A 2000", "A2000", 2000, [2]int{0, 2}, [2]int{1, 5}},
	{"A 3000", "A3000", 3000, [2]int{0, 2}, [2]int{1, 5}},
	{"E 60", "E60", 6000, [2]int{1, 1}, [2]int{1, 1}},
	{"E100", "E100", 10000, [2]int{1, 1}, [2]int{1, 1}},
	{"E200", "E200", 20000, [2]int{1, 1}, [2]int{1, 1}},
}

// masterguardPacks are the limits of the number of battery packs.
func masterguardPacks(known func(string) string) driver.Form {
	model, isRack := strings.CutSuffix(known("device.model"), "-19")
	for _, m := range masterguardModels {
		if m.model == model && isRack {
			return within(m.rack[0], m.rack[1])
		}
		if m.model == model {
			return within(m.packs[0], m.packs[1])
		}
	}
	return within(0, 9)
}

func masterguardModel(word string, r *reading) error {
	for _, m := range masterguardModels {
		if strings.HasPrefix(word, m.code) {
			model := m.model
			if strings.Contains(word, "-19") { // fits a rack of 19 inches
				model += "-19"
			}
			r.set("device.model", model)
			r.set("ups.power.nominal", strconv.Itoa(m.va))
			return nil
		}
	}
	return fmt.Errorf("model %q: want one of the series A or E", strings.TrimSpace(word))
}

// masterguardFlags are the bits of the first word, then of the second.
var masterguardFlags = [...]struct {
	bits        Bits
	word, alarm string
}{
	0:  {bits: UtilityFail},
	1:  {bits: BatteryLow},
	2:  {word: "BYPASS"},
	3:  {alarm: "UPS Failed"},
	5:  {bits: Testing},
	6:  {bits: ShuttingDown},
	10: {alarm: "problems in parallel operation mode"},
	12: {word: "RB"},
	13: {alarm: "no battery connected"},
}

// testStates are the last three bits.
var testStates = map[string]string{
	"000": "no test in progress", "001": "in progress", "010": "OK", "011": "failed",
	"100": "not possible", "101": "aborted", "110": "autonomy time calibration in progress",
	"111": "unknown",
}

func masterguardBits(word string, r *reading) error {
	first, second, _ := strings.Cut(word, " ")
	if err := flags(first, 8); err != nil {
		return err
	}
	if err := flags(second, 8); err != nil {
		return err
	}
	for at, f := range masterguardFlags {
		if word[at] != '1' {
			continue
		}
		r.Bits |= f.bits
		if f.word != "" {
			r.say(f.word)
		}
		if f.alarm != "" {
			r.alarm(f.alarm)
		}
	}
	r.set("ups.type", choose(first[4] == '1', "offline", "online"))
	r.set("ups.test.result", testStates[second[5:]])
	return nil
}

// masterguardDerived adds what follows from a reading and the identity: the voltage of the whole
// battery, the power and current of the load.
func masterguardDerived(d *device, r *reading) {
	n := d.value("experimental.number_of_battery_cells")
	if n > 0 && r.Battery != absent {
		r.Battery = r.Battery * n / 1000
		r.set("battery.voltage", r.Battery.text(2))
	}
	va := d.value("ups.power.nominal")
	if va <= 0 || r.Load == absent {
		return
	}
	power := va * r.Load / 100e3
	r.set("ups.power", power.text(0))
	if r.Output > 0 {
		r.set("output.current", (power * 1000 / r.Output).text(2))
	}
	if nominal := d.value("output.voltage.nominal"); nominal > 0 {
		r.set("output.current.nominal", (va * 1000 / nominal).text(2))
	}
}

// minutesAndSeconds reads 010.30, ten minutes and a half, as seconds.
func minutesAndSeconds(variable string) func(string, *reading) error {
	return func(word string, r *reading) error {
		m, s, ok := strings.Cut(word, ".")
		if !ok || !digits(m) || !digits(s) || len(word) > 6 {
			return fmt.Errorf("%s %q: want minutes and seconds", variable, word)
		}
		minutes, _ := strconv.Atoi(m) // digits
		seconds, _ := strconv.Atoi(s)
		r.set(variable, strconv.Itoa(minutes*60+seconds))
		return nil
	}
}

// uptimeSeconds reads 0123:04:05:06: days, hours, minutes, seconds.
func uptimeSeconds(word string) (int, error) {
	var total int
	parts := strings.Split(word, ":")
	units := [...]int{86400, 3600, 60, 1}
	if len(parts) != len(units) {
		return 0, fmt.Errorf("uptime %q: want days:hours:minutes:seconds", word)
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("uptime %q: %w", word, errNumber)
		}
		total += n * units[i]
	}
	return total, nil
}

func uptime(word string, r *reading) error {
	total, err := uptimeSeconds(word)
	if err == nil {
		r.set("device.uptime", strconv.Itoa(total))
	}
	return err
}

// masterguardVoltages are those that the unit says it can give.
func masterguardVoltages(known func(string) string) driver.Form {
	voltages := strings.Fields(known("experimental.output_voltages"))
	if len(voltages) == 0 {
		voltages = []string{"220", "230", "240"}
	}
	return driver.Form{Enum: voltages}
}

// faultTexts are by the code of a record: what happened, and the unit of the number behind it.
var faultTexts = map[byte]struct{ text, unit string }{
	'0': {"none", ""}, '1': {"bus fault", "V"}, '2': {"inverter fault", "V"},
	'3': {"overheat fault", "C"}, '4': {"battery overvoltage fault", "V"},
	'5': {"battery mode overload fault", "%"}, '6': {"bypass mode overload fault", "%"},
	'7': {"inverter mode output short-circuit fault", "V"}, '8': {"fan lock fault", ""},
	'9': {"battery fault", "V"}, 'A': {"charger fault", ""}, 'B': {"EPO activated", ""},
	'C': {"parallel error", ""}, 'D': {"MCU communication error", ""},
}

// faultRecord reads one of the last faults, "3 0071 0011:02:03:04": a code, a number, and at what
// uptime, which comes first in the variable, in seconds. Of the number of code 4, in hundredths,
// no unit has been seen.
func faultRecord(n int) field {
	variable := fmt.Sprintf("experimental.fault_%d", n)
	return field{name: variable, take: func(word string, r *reading) error {
		parts := strings.Fields(word)
		if len(parts) != 3 || len(parts[0]) != 1 {
			return fmt.Errorf("fault %q: want a code, a number and a time", word)
		}
		number, err := parseMilli(parts[1])
		if err == nil && number == absent {
			err = errNumber
		}
		if err != nil {
			return fmt.Errorf("fault %q: number %q: %w", word, parts[1], err)
		}
		at, err := uptimeSeconds(parts[2])
		if err != nil {
			return err
		}
		f, ok := faultTexts[parts[0][0]]
		if !ok {
			f.text = "code " + parts[0]
		}
		if f.unit != "" {
			f.text = fmt.Sprintf("%s (%s%s)", f.text, number.text(0), f.unit)
		}
		r.set(variable, fmt.Sprintf("%d: %s", at, f.text))
		return nil
	}}
}

// masterguardOrders: the start delay of shutdown.return is in seconds.
var masterguardOrders = []order{
	{name: "shutdown.return", wire: func(c call) (string, error) {
		return fmt.Sprintf("S%sR%04d", c.delay(), c.Start/time.Second), nil
	}},
	{name: "shutdown.stayoff", wire: func(c call) (string, error) { return "S" + c.delay(), nil }},
	{name: "shutdown.stop", wire: plain("C")},
	{name: "test.battery.start", wire: func(c call) (string, error) {
		if c.value == "10" {
			return "T", nil
		}
		return c.test(c.value)
	}},
	{name: "test.battery.start.quick", wire: plain("T")},
	{name: "test.battery.start.low", wire: plain("TL")},
	{name: "test.battery.start.deep", wire: plain("TUD,XX")},
	{name: "clear.fault.record", wire: plain("FCLR,XX"), again: "FLT,XX"},
	{name: "test.battery.stop", wire: plain("CT")},
	{name: "bypass.start", wire: plain("FOFF")},
	{name: "bypass.stop", wire: plain("FON")},
	{name: "beeper.enable", wire: plain("SS---1,XX")},
	{name: "beeper.disable", wire: plain("SS---0,XX")},
}

// address is a unit's address as commands carry it.
func address(id string) string {
	if len(id) < 2 {
		id = "0" + id
	}
	return id
}

// masterguardSettings are two delays, and what the unit keeps. A new address counts at once.
var masterguardSettings = []setting{
	shutdownDelay(0, 5940), startDelay(0, 9999),
	{variable: "ups.id", form: within(0, 99), wire: whole("SS%02d--,XX", 1), again: "WH"},
	{variable: "battery.packs", bounds: masterguardPacks, hidden: true,
		wire: whole("SS--%d-,XX", 1), again: "GS,XX"},
	{variable: "output.voltage.nominal", bounds: masterguardVoltages, hidden: true,
		wire: whole("PNV=%03d", 1), again: "PNV"},
	{variable: "device.uptime", form: within(0, 9999*86400), again: "DRC,XX",
		wire: func(value string) (string, error) {
			n, err := strconv.Atoi(value)
			return fmt.Sprintf("SRC%04d:%02d:%02d:%02d,XX",
				n/86400, n/3600%24, n/60%60, n%60), err
		}},
}
