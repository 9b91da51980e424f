package megatec

import (
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
)

// tolerance is how many polls in a row may fail: the fifth makes the data stale, as in the C
// drivers.
const tolerance = 4

const version = "0.1"

// Spec is the driver under the name and with the units of nutdrv_qx.
var Spec = driver.Spec{
	Name:    "nutdrv_qx",
	Aliases: []string{"megatec"},
	Version: version,
	Summary: "Generic Q* USB/Serial driver",
	Options: slices.Concat(shared("180", driver.Seconds, "from power-off to power-on"),
		[]driver.Option{protocol(dialects)}, presetOptions("voltronic", voltronicPresets),
		presetOptions("bestups", bestPresets),
		voltronicUnused, masterguardUnused, qxOnly, serialOptions, usbOptions(kinds())),
	Tolerance: tolerance,
	Open:      open(qx),
}

// Blazer is the driver under the name and with the units of blazer_ser: minutes.
var Blazer = driver.Spec{
	Name:    "blazer_ser",
	Version: version,
	Summary: "Megatec/Q1 protocol serial driver",
	Options: append(shared("3", driver.Minutes, "from power-off to power-on, in minutes"),
		protocol(blazerDialects), serialOptions[0]),
	Tolerance: tolerance,
	Open:      open(blazer),
}

// BlazerUSB is the driver under the name and with the units of blazer_usb.
var BlazerUSB = driver.Spec{
	Name:    "blazer_usb",
	Version: version,
	Summary: "Megatec/Q1 protocol USB driver",
	Options: slices.Concat(
		shared("3", driver.Minutes, "from power-off to power-on, in minutes"),
		[]driver.Option{protocol(blazerDialects)}, usbOptions(blazerBridges)),
	Tolerance: tolerance,
	Open:      open(blazerUSB),
}

// A program is what the programs understand differently.
type program struct {
	testUnit time.Duration     // of the argument of test.battery.start
	settle   time.Duration     // how long a device that lives on the modem lines has to wake up
	pack     bool              // battery.voltage is that of the pack, whatever the device reports
	light    bool              // the status is enough to know a dialect by
	names    map[string]string // variables that it calls otherwise
	dialects []dialect         // in the order in which they are tried
	serial   bool              // it drives devices on serial ports
	// bridged is the kind of bridge for which the program takes a USB device, "" for none; nil: it
	// drives none at all.
	bridged func(usbID) string
}

var (
	qx = program{testUnit: time.Second, settle: 1100 * time.Millisecond,
		dialects: dialects, serial: true, bridged: byQx}
	blazer = program{testUnit: time.Minute, settle: 100 * time.Millisecond,
		pack: true, light: true,
		names:    map[string]string{"device.mfr": "ups.mfr", "device.model": "ups.model"},
		dialects: blazerDialects, serial: true}
	blazerUSB = func() program {
		p := blazer
		p.serial, p.bridged = false, byBlazer
		return p
	}()
)

// shared are the options that all programs have.
func shared(ondelay string, unit driver.Kind, help string) []driver.Option {
	most, longest := int(maxStart/time.Minute), inSeconds(maxShutdown)
	if unit == driver.Seconds {
		most, longest = maxStartSeconds, 5940 // of some dialects; most take less
	}
	return []driver.Option{
		{Key: "ondelay", Kind: unit, Default: ondelay, Max: most,
			Help: help + "; at least 3 minutes in a kill-power run"},
		{Key: "offdelay", Kind: driver.Seconds, Default: "30",
			Min: inSeconds(minShutdown), Max: longest,
			Help: "from the command to power-off"},
		{Key: "stayoff", Kind: driver.Flag, Help: "the kill-power run leaves the UPS off"},
		{Key: "norating", Kind: driver.Flag, Help: "do not ask F; some devices hang on it"},
		{Key: "novendor", Kind: driver.Flag, Help: "do not ask I; some devices hang on it"},
		{Key: "runtimecal", Check: isCalibration,
			Help: "two runtimes in seconds, each with its load in percent, the high load first: " +
				"240,100,720,50"},
		{Key: "chargetime", Kind: driver.Seconds, Default: "43200", Min: 1, Max: 1 << 30,
			Help: "from empty to full, for runtimecal"},
		{Key: "idleload", Kind: driver.Whole, Default: "10", Min: 1, Max: 100,
			Help: "least load in percent that counts, for runtimecal"},
		{Key: "ignoresab", Kind: driver.Flag,
			Help: "do not take the shutdown-active bit for FSD; some devices set it for no reason"},
		{Key: "battery_voltage_reports_one_pack", Kind: driver.Flag,
			Help: "battery.voltage is what the device reports times battery.packs"},
	}
}

func isCalibration(value string) error {
	_, err := ParseCalibration(value)
	return err
}

// serialOptions are the options for serial ports.
var serialOptions = []driver.Option{
	{Key: "cablepower", Default: "normal", OneOf: []string{"normal", "reverse", "both", "none"},
		Help: "modem lines that power the device: normal is DTR, reverse RTS"},
}

// qxOnly are further options of nutdrv_qx.
var qxOnly = []driver.Option{
	{Key: "pollfreq", Kind: driver.Seconds, Default: "30", Min: 1, Max: 1 << 30,
		Help: "time between two queries for what seldom changes"},
	{Key: "slave_address", Kind: driver.Whole, Max: 99,
		Help: "address of the unit, of those that have one"},
	{Key: "testing", Kind: driver.Flag, Help: "accepted for compatibility"},
	{Key: "noscanlangid", Kind: driver.Flag, Help: "accepted for compatibility"},
}

// protocol is the option of that name.
func protocol(list []dialect) driver.Option {
	var names []string
	for _, d := range list {
		names = append(names, d.name)
	}
	return driver.Option{Key: "protocol", OneOf: names,
		Help: "protocol, instead of looking for one"}
}
