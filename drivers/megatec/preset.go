package megatec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A preset is an option that the device itself keeps. It is compared with what the device has when
// it is opened, and written when it differs.
type preset struct {
	key, help string
	flag      bool // the option has no value, and counts only when the driver starts
	check     func(value string) error
	ask       string                                       // the query that tells what the device has
	has       func(reply, value string) (known, same bool) // what its reply says of a value
	wire      func(value string) string
}

// options are those of the presets, for a driver's declaration.
func presetOptions(protocol string, presets []preset) []driver.Option {
	var all []driver.Option
	for _, p := range presets {
		o := driver.Option{Key: p.key, Help: protocol + ": " + p.help, Check: p.check}
		if p.flag {
			o.Kind = driver.Flag
		}
		all = append(all, o)
	}
	return all
}

// presets writes those options that the device has otherwise. One that cannot be written is
// logged and stops nothing.
func (d *device) presets(e env.Env) error {
	for _, p := range d.dialect.presets {
		var value, said string
		if p.flag && d.conf.Flag(p.key) && d.s.Value("driver.version.data") == "" {
			value, said = p.key, p.key
		} else if !p.flag {
			value = d.conf.Text(p.key)
			said = p.key + " = " + value
		}
		if value == "" {
			continue
		}
		if err := d.preset(e, p, value); err != nil {
			if final(err) {
				return err
			}
			e.Log().Warn(fmt.Sprintf("%s: %v", said, err))
		}
	}
	return nil
}

func (d *device) preset(e env.Env, p preset, value string) error {
	reply, err := d.exchange(e, p.ask)
	if err != nil {
		return err
	}
	known, same := p.has(string(reply), value)
	if !known {
		return fmt.Errorf("%w: the device answers %q to %s", errRefused, reply, p.ask)
	}
	if same {
		return nil
	}
	_, err = d.tell(e, p.wire(value))
	return err
}

// amongst is a check for one of several words.
func amongst(words ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(words, value) {
			return fmt.Errorf("want one of %s", strings.Join(words, ", "))
		}
		return nil
	}
}

// between is a check for a number.
func between(low, high milli) func(string) error {
	return func(value string) error {
		v, err := parseMilli(value)
		if err != nil || v < low || v > high {
			return fmt.Errorf("want %s to %s", low.text(0), high.text(0))
		}
		return nil
	}
}

// wordOf compares a value with one word of a reply, as numbers.
func wordOf(lead string, at int) func(reply, value string) (known, same bool) {
	return func(reply, value string) (known, same bool) {
		body, ok := strings.CutPrefix(reply, lead)
		words := strings.Fields(body)
		if !ok || at >= len(words) {
			return false, false
		}
		now, errNow := parseMilli(words[at])
		want, errWant := parseMilli(value)
		return errors.Join(errNow, errWant) == nil, now == want
	}
}

// digitsOf is a number of so many digits, decimal a number such as 53.0, behind a command.
func digitsOf(format string) func(string) string {
	return func(value string) string {
		v, _ := parseMilli(value) // checked with the options
		return fmt.Sprintf(format, v/1000)
	}
}

func decimal(command string) func(string) string {
	return func(value string) string {
		v, _ := parseMilli(value) // checked with the options
		return command + v.text(1)
	}
}

// capability is a switch of QFLAG.
func capability(key, letter, help string) preset {
	return preset{key: key, help: help + ": enabled or disabled",
		check: amongst("enabled", "disabled"), ask: "QFLAG",
		has: func(reply, value string) (known, same bool) {
			on, off, ok := strings.Cut(strings.ToUpper(strings.TrimPrefix(reply, "(E")), "D")
			is := strings.Contains(on, letter)
			return ok && (is || strings.Contains(off, letter)), is == (value == "enabled")
		},
		wire: func(value string) string { return "P" + choose(value == "enabled", "E", "D") + letter },
	}
}

// voltronicPresets are the settings of voltronic that are options.
var voltronicPresets = []preset{
	{key: "reset_to_default", flag: true,
		help: "reset what the options below set; the UPS must be in standby, its output off",
		ask:  "QMOD", has: func(reply, _ string) (known, same bool) { return reply == "(S", false },
		wire: func(string) string { return "PF" }},
	capability("bypass_alarm", "P", "beep while the mains bypass the inverter"),
	capability("battery_alarm", "B", "beep on battery"),
	capability("bypass_when_off", "O", "let the mains through when the UPS is off"),
	capability("alarm_control", "A", "beep at all"),
	capability("converter_mode", "V", "convert the frequency"),
	capability("eco_mode", "E", "let good mains through to save energy"),
	capability("battery_open_status_check", "D", "watch for a battery that is not connected"),
	capability("bypass_forbidding", "F", "never let the mains through"),
	capability("site_fault_detection", "L", "watch for a fault of the wiring"),
	capability("advanced_eco_mode", "N", "save more energy"),
	capability("constant_phase_angle", "Q", "keep an angle between input and output"),
	capability("limited_runtime_on_battery", "W", "end a long time on battery"),
	{key: "max_bypass_volt", help: "highest voltage that is let through", check: between(60e3, 276e3),
		ask: "QBYV", has: wordOf("(", 0), wire: digitsOf("PHV%03d")},
	{key: "min_bypass_volt", help: "lowest voltage that is let through", check: between(50e3, 220e3),
		ask: "QBYV", has: wordOf("(", 1), wire: digitsOf("PLV%03d")},
	{key: "max_bypass_freq", help: "highest frequency that is let through",
		check: between(51e3, 70e3), ask: "QBYF", has: wordOf("(", 0), wire: decimal("PGF")},
	{key: "min_bypass_freq", help: "lowest frequency that is let through",
		check: between(40e3, 59e3), ask: "QBYF", has: wordOf("(", 1), wire: decimal("PSF")},
	{key: "output_phase_angle", help: "between input and output: 000, 120, 180, 240 degrees",
		check: amongst("000", "120", "180", "240"), ask: "QPD", has: wordOf("(", 1),
		wire: digitsOf("PPD%03d")},
	{key: "battery_number", help: "batteries in a pack", check: between(1e3, 9e3),
		ask: "QBV", has: wordOf("(", 1), wire: digitsOf("BATN%d")},
	{key: "work_range_type", help: "what mains are good enough: Appliance or UPS",
		check: amongst(workRanges...), ask: "QGR",
		has: func(reply, value string) (known, same bool) {
			return wordOf("(", 0)(reply, strconv.Itoa(slices.Index(workRanges, value)))
		},
		wire: func(value string) string {
			return fmt.Sprintf("PGR%02d", slices.Index(workRanges, value))
		}},
}

var workRanges = []string{"Appliance", "UPS"}

// bestPresets are the settings of bestups that are options.
var bestPresets = []preset{
	{key: "pins_shutdown_mode", help: "what pins 1 and 7 of the connector do, 0 to 6",
		check: between(0, 6e3), ask: "SS?", has: wordOf("", 0), wire: digitsOf("SS%d")},
}

// notUsed are options that say nothing to this driver: values that NUT shows nowhere.
func notUsed(keys ...string) []driver.Option {
	var all []driver.Option
	for _, k := range keys {
		all = append(all, driver.Option{Key: k, Help: "accepted for compatibility"})
	}
	return all
}

var voltronicUnused = notUsed("input_phase_angle", "voltronic_parallel")

var masterguardUnused = notUsed("series", "input_fault_voltage", "number_of_battery_cells",
	"nominal_cell_voltage", "runtime_half", "runtime_full", "recharge_time", "output_voltages",
	"fault_1", "fault_2", "fault_3", "fault_4", "fault_5")
