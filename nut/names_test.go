package nut

import (
	"bufio"
	"io/fs"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

func TestDescriptionsOfVariables(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"battery.charge", "Charge of the battery, in percent of full"},
		{"BATTERY.Charge", "Charge of the battery, in percent of full"},
		{"outlet.3.current", "Current of the outlet, in A, outlet 3"},
		{"outlet.count", "How many outlets there are"},
		{"outlet.group.12.status",
			"Whether the outlet group has power: on or off, outlet group 12"},
		{"outlet.1.current.high.warning",
			"Upper warning limit of the current of the outlet, in A, outlet 1"},
		{"device.2.ups.load", "Load, in percent of what the UPS can carry, device 2"},
		{"input.L1-L2.voltage", "Input voltage, in V, L1 to L2"},
		{"input.L1.voltage.low.critical",
			"Lower critical limit of the input voltage, in V, phase L1"},
		{"input.bypass.L2-N.voltage", "Voltage at the bypass input, in V, L2 to neutral"},
		{"input.2.frequency", "Input frequency, in Hz, input 2"},
		{"input.voltage.status", "Judgement of the unit on the input voltage, in V"},
		{"battery.voltage.low", "Voltage of the battery when empty, in V"},
		{"ambient.1.temperature.alarm.high",
			"Upper alarm limit of the temperature of the room, in degrees Celsius, sensor 1"},
		{"ambient.contacts.2.status",
			"Dry contact of the environment sensor: open, closed or its alarm, contact 2"},
		{"driver.parameter.pollfreq", "Setting of the driver: pollfreq"},
		{"driver.flag.ignorelb", "Switch of the driver: ignorelb"},
		{"driver.parameter.", ""},
		{"vendor.specific.thing", ""},
		{"outlet.x.current", ""},
		{"high", ""},
		{".high", ""},
		{"", ""},
	} {
		if got := Describe(tt.name); got != tt.want {
			t.Errorf("Describe(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDescriptionsOfCommands(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"shutdown.return", "Switch the load off, and on again when mains power is back"},
		{"Beeper.Mute", "Silence the beeper until the next event"},
		{"outlet.2.load.off", "Switch the outlet off now, outlet 2"},
		{"outlet.group.1.load.cycle",
			"Switch the outlet group off and, shortly after, on again, outlet group 1"},
		{"experimental.dance", ""},
		{"", ""},
	} {
		if got := DescribeCommand(tt.name); got != tt.want {
			t.Errorf("DescribeCommand(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Descriptions go over the wire in quotes; see package line.
func TestDescriptionsNeedNoEscapes(t *testing.T) {
	for _, table := range []map[string]string{variables, commands} {
		for name, text := range table {
			if strings.ContainsAny(text, "\"\\#\n") || len(text) > 100 || text != strings.TrimRight(text, ". ") {
				t.Errorf("%s: %q", name, text)
			}
			if name != strings.ToLower(name) {
				t.Errorf("%s will not be found", name)
			}
		}
	}
}

// nobodys are the beginnings of recorded names that only their vendor, or an old driver, knows.
var nobodys = []string{"unmapped.", "ups.powersummary.", "ups.debug.", "vendor.", "fault.",
	"beeper.status",
	"input.voltage.minimim", "ups.beeper.enable", "ups.delay.restart", "ups.description",
	"ups.firmware.old",
	"ups.input.", "ups.output.", "ups.mfg", "ups.model.", "ups.runtime", "ups.timer.restart",
	"ups.voltage.nominal"}

func TestNamesOfRecordedDevicesAreDescribed(t *testing.T) {
	err := fs.WalkDir(captures.FS(t, "dev"), ".",
		func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			f, err := captures.FS(t, "dev").Open(path)
			if err != nil {
				return err
			}
			defer f.Close()
			for s := bufio.NewScanner(f); s.Scan(); {
				name, _, ok := strings.Cut(s.Text(), ": ")
				if ok && !strings.HasPrefix(name, "#") && !known(name) {
					t.Errorf("%s: nothing describes %s", path, name)
				}
			}
			return nil
		})
	if err != nil {
		t.Error(err)
	}
}

func known(name string) bool {
	for _, n := range nobodys {
		if strings.HasPrefix(strings.ToLower(name), n) {
			return true
		}
	}
	return Describe(name) != ""
}
