package megatec

import (
	"errors"
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
	Summary: "Generic Q* Serial driver",
	Options: slices.Concat(shared("180", driver.Seconds, "from power-off to power-on"),
		qxOnly, bridges),
	Tolerance: tolerance,
	Open:      open(qx),
}

// Blazer is the driver under the name and with the units of blazer_ser: minutes.
var Blazer = driver.Spec{
	Name:      "blazer_ser",
	Version:   version,
	Summary:   "Megatec/Q1 protocol serial driver",
	Options:   shared("3", driver.Minutes, "from power-off to power-on, in minutes"),
	Tolerance: tolerance,
	Open:      open(blazer),
}

// A dialect is what the two programs understand differently.
type dialect struct {
	testUnit time.Duration // of the argument of test.battery.start
	settle   time.Duration // how long a device that lives on the modem lines has to wake up
	pack     bool          // battery.voltage is that of the pack, whatever the device reports
	maker    string        // variables of the maker's and the model's name
	model    string
}

var (
	qx = dialect{testUnit: time.Second, settle: 1100 * time.Millisecond,
		maker: "device.mfr", model: "device.model"}
	blazer = dialect{testUnit: time.Minute, settle: 100 * time.Millisecond,
		pack: true, maker: "ups.mfr", model: "ups.model"}
)

// shared are the options that both programs have.
func shared(ondelay string, unit driver.Kind, help string) []driver.Option {
	most := int(maxStart / time.Minute)
	if unit == driver.Seconds {
		most = int(maxStart / time.Second)
	}
	return []driver.Option{
		{Key: "ondelay", Kind: unit, Default: ondelay, Max: most, Help: help},
		{Key: "offdelay", Kind: driver.Seconds, Default: "30",
			Min: seconds(minShutdown), Max: seconds(maxShutdown),
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
		{Key: "cablepower", Default: "normal", OneOf: []string{"normal", "reverse", "both", "none"},
			Help: "modem lines that power the device: DTR, RTS, both, none"},
		{Key: "ignoresab", Kind: driver.Flag,
			Help: "do not take the shutdown-active bit for FSD; some devices set it for no reason"},
		{Key: "protocol", Check: onlyMegatec, Help: "protocol; megatec is the only one so far"},
		{Key: "battery_voltage_reports_one_pack", Kind: driver.Flag,
			Help: "battery.voltage is what the device reports times battery.packs"},
	}
}

func isCalibration(value string) error {
	_, err := ParseCalibration(value)
	return err
}

// qxOnly are further options of nutdrv_qx.
var qxOnly = []driver.Option{
	{Key: "pollfreq", Kind: driver.Seconds, Default: "30", Min: 1, Max: 1 << 30,
		Help: "time between two queries for what seldom changes"},
	{Key: "testing", Kind: driver.Flag, Help: "accepted for compatibility"},
}

// bridges are the options of nutdrv_qx for USB.
var bridges = later("USB bridges; give the device file of a serial port",
	"subdriver", "vendorid", "productid", "vendor", "product", "serial", "bus", "device", "busport",
	"langid_fix", "noscanlangid", "usb_set_altinterface")

func later(why string, keys ...string) []driver.Option {
	var options []driver.Option
	for _, k := range keys {
		options = append(options, driver.Option{Key: k, Help: "for USB", Later: why})
	}
	return options
}

// others are the protocols of the family that this driver does not speak.
var others = []string{
	"omron", "voltronic", "voltronic-axpert", "voltronic-qs", "voltronic-qs-hex", "mustek",
	"megatec/old", "bestups", "mecer", "zinto", "masterguard", "hunnox", "ablerex", "innovart31",
	"innovart33", "innovatae", "q2", "q6", "gtec", "q1",
}

func onlyMegatec(name string) error {
	if name == "megatec" {
		return nil
	}
	if slices.Contains(others, name) {
		return errors.New("this protocol is not supported yet; want megatec")
	}
	return errors.New("no such protocol; want megatec")
}
