package apcsmart_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

func TestVariables(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	got := b.dump()
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "driver.") })
	want := map[string]string{
		"battery.alarm.threshold": "0", "battery.charge": "100.0", "battery.charge.restart": "00",
		"battery.date": "10/25/96", "battery.runtime": "600", "battery.runtime.low": "120",
		"battery.voltage": "26.30", "battery.voltage.nominal": "024", "device.mfr": "APC",
		"device.model": "SMART-UPS 1400", "device.serial": "WS9643050926", "device.type": "ups",
		"input.frequency": "50.00", "input.quality": "FF", "input.sensitivity": "H",
		"input.transfer.high": "253", "input.transfer.low": "196",
		"input.transfer.reason": "no transfers yet since turnon",
		"input.voltage":         "230.0", "input.voltage.maximum": "231.4", "input.voltage.minimum": "227.3",
		"output.voltage": "228.9", "output.voltage.nominal": "230", "ups.delay.shutdown": "020",
		"ups.delay.start": "000", "ups.firmware": "50.11.I", "ups.id": "UPS_IDEN", "ups.load": "027.0",
		"ups.mfr": "APC", "ups.mfr.date": "10/25/96", "ups.model": "SMART-UPS 1400",
		"ups.serial": "WS9643050926", "ups.status": "OL", "ups.temperature": "025.7",
		"ups.test.interval": "1209600", "ups.test.result": "NO",
	}
	if !maps.Equal(got, want) {
		t.Errorf("variables\n%v\nwant\n%v", got, want)
	}
}

func TestKindsOfUnits(t *testing.T) {
	tests := []struct {
		kind string
		want map[string]string // "" means absent
	}{
		{apcsmart.OldUPS, map[string]string{"ups.model": "Smart-UPS", "ups.firmware": "6QI",
			"battery.runtime": "600", "ups.status": "OL"}},
		{apcsmart.Matrix, map[string]string{"ups.model": "Matrix-UPS", "device.uptime": "442800",
			"battery.packs": "002", "battery.packs.bad": "000", "output.current": "00.71",
			"ambient.1.temperature": ""}},
		{apcsmart.BackCS, map[string]string{"ups.model": "BACK-UPS CS 500", "ups.firmware": "5.4.D",
			"input.voltage": "", "battery.charge": "100.0"}},
		{apcsmart.Unknown, map[string]string{"ups.model": "Matrix-UPS", "ups.firmware": "476.18.W",
			"input.voltage": "230.0", "output.current": "00.71", "battery.runtime": ""}},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			got := newBench(t, power.Spec{}, apcsmart.Options{Model: tt.kind}).dump()
			for name, v := range tt.want {
				if got[name] != v {
					t.Errorf("%s = %q, want %q", name, got[name], v)
				}
			}
		})
	}
}

// The program before has a variable for what V answers, and another word for awd.
func TestOlderProgram(t *testing.T) {
	b := newBench(t, power.Spec{Runtime: time.Hour}, apcsmart.Options{})
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = apcsmart-old\nport = /dev/ttyS0\nwugrace = 003\n"))
	p := b.h.Start("apcsmart-old", []string{"-a", "office", "-d", "1"})
	b.run(time.Minute)
	b.wantExit(p, 0)
	for _, want := range []string{"ups.firmware.old: GWI", "ups.firmware: 50.11.I"} {
		if !slices.Contains(b.log, want) {
			t.Errorf("no %q in %q", want, b.log)
		}
	}
	p = b.h.Start("apcsmart-old", []string{"-a", "office", "-k"})
	b.run(30 * time.Second)
	b.wantExit(p, 0)
	if seen := b.dev.Seen(); !slices.Contains(seen, "@003") {
		t.Errorf("the device saw %q, want @003", seen)
	}
}

func TestBadOptionsAndPorts(t *testing.T) {
	for conf, says := range map[string]string{
		"sdtype = 6":           `sdtype: "6": want one digit, 0 to 5`,
		"sdtype = 01":          `sdtype: "01": want one digit, 0 to 5`,
		"advorder = 05":        `advorder: "05": want one to five digits, 0 to 4, or no`,
		"awd = 1000":           `awd: "1000": want one to three digits`,
		"cshdelay = 10":        `cshdelay: "10": want seconds, 0 to 9.9`,
		"cable = 940-0095B\nx": "x: no such key for apcsmart",
		"port = /dev/ttyS9":    "/dev/ttyS9: no such port",
	} {
		b := newBench(t, power.Spec{}, apcsmart.Options{})
		b.conf(conf)
		p := b.start()
		b.run(10 * time.Second)
		b.wantExit(p, 1)
		if !strings.Contains(strings.Join(b.log, "\n"), says) {
			t.Errorf("%s: said %q, want %q", conf, b.log, says)
		}
	}
}

func TestOutage(t *testing.T) {
	for _, o := range []apcsmart.Options{{}, {Rude: true}, {Model: apcsmart.BackCS}, {Model: apcsmart.Unknown}} {
		b := newBench(t, power.Spec{Runtime: 5 * time.Minute, Low: time.Minute}, o)
		b.driving()
		b.body.SetMains(b.now(), 0)
		b.run(280 * time.Second)
		b.body.SetMains(b.now(), 231_000)
		b.run(60 * time.Second)
		got := strings.Join(b.statuses(), ", ")
		if want := "OL, OB DISCHRG, OB LB DISCHRG, OL LB, OL LB CHRG"; got != want {
			t.Errorf("%+v: statuses %q, want %q", o, got, want)
		}
	}
}

func TestWordsOfTheStatus(t *testing.T) {
	b := newBench(t, power.Spec{Runtime: 10 * time.Minute, Low: 3 * time.Minute}, apcsmart.Options{})
	b.driving()
	for _, s := range []struct {
		what string
		do   func()
		want string
	}{
		{"low mains", func() { b.body.SetMains(b.now(), 190_000) }, "BOOST OL"},
		{"high mains", func() { b.body.SetMains(b.now(), 260_000) }, "TRIM OL"},
		{"overload", func() { b.body.SetMains(b.now(), 230_000); b.body.SetLoad(b.now(), 120) }, "OL OVER LB"},
		{"calibration", func() { b.body.SetLoad(b.now(), 27); b.command("calibrate.start", "") }, "CAL OL"},
		{"its end", func() { b.command("calibrate.stop", "") }, "OL"},
		{"a bad battery", func() { b.body.SetBroken(b.now(), true); b.command("test.battery.start", "") }, "OL RB"},
		{"switched off", func() { b.body.ScheduleOff(b.now(), 0, 0, false) }, "OFF"},
	} {
		s.do()
		b.run(5 * time.Second)
		all := b.statuses()
		if got := strings.Replace(all[len(all)-1], " CHRG", "", 1); got != s.want {
			t.Errorf("%s: %q, want %q (all: %q)", s.what, got, s.want, all)
		}
	}
}

func TestCommandsOnTheWire(t *testing.T) {
	tests := []struct {
		name, value string
		nasty       bool
		wire        []string
	}{
		{"test.panel.start", "", false, []string{"A"}},
		{"calibrate.start", "", false, []string{"D"}},
		{"calibrate.start", "", false, nil},
		{"calibrate.stop", "", false, []string{"D"}},
		{"test.battery.start", "", false, []string{"W"}},
		{"test.battery.stop", "", false, []string{"W"}},
		{"test.battery.stop", "", false, nil}, // none runs
		{"test.failure.start", "", false, []string{"U"}},
		{"load.on", "", false, []string{"\x0e", "\x0e"}},
		{"shutdown.return", "", true, []string{"@000"}}, // on line power
		{"shutdown.return", "at:7", true, []string{"@007"}},
		{"shutdown.return", "AT:12", true, []string{"@012"}}, // a unit that wants three digits
		{"shutdown.return", "cs", true, []string{"U", "S"}},
		{"shutdown.stayoff", "", true, []string{"K", "K"}},
		{"load.off", "", true, []string{"Z", "Z"}},
	}
	b := newBench(t, power.Spec{Runtime: time.Hour}, apcsmart.Options{})
	b.driving()
	orders := func() []string {
		return slices.DeleteFunc(b.dev.Seen(), func(c string) bool { return c == "Y" || strings.IndexByte("@ADKSUWZ\x0e", c[0]) < 0 })
	}
	for _, tt := range tests {
		before := len(orders())
		if tt.nasty {
			b.command(tt.name, tt.value)
			if extra := orders()[before:]; len(extra) > 0 {
				t.Errorf("%s %s: sent %q at the first time", tt.name, tt.value, extra)
			}
			b.run(4 * time.Second)
		}
		if code := b.command(tt.name, tt.value); code != sockproto.Handled {
			t.Errorf("%s %s: result %d, want 0\n%s", tt.name, tt.value, code, strings.Join(b.log, "\n"))
		}
		if got := orders()[before:]; !slices.Equal(got, tt.wire) {
			t.Errorf("%s %s: the device saw %q, want %q", tt.name, tt.value, got, tt.wire)
		}
		b.run(3 * time.Second)
		b.body.CancelOff(b.now())
		if tt.name != "test.battery.start" && tt.name != "calibrate.start" {
			b.body.StopTest(b.now())
		}
		b.run(time.Second)
	}
	for _, bad := range []struct {
		name, value string
		want        sockproto.Code
	}{
		{"beeper.toggle", "", sockproto.Unknown}, {"shutdown.return", "at:", sockproto.Invalid},
		{"shutdown.return", "at:1000", sockproto.Invalid}, {"bypass.start", "", sockproto.Invalid},
	} {
		if code := b.command(bad.name, bad.value); code != bad.want {
			t.Errorf("%s %q: result %d, want %d", bad.name, bad.value, code, bad.want)
		}
	}
}

func TestNastyCommandsMustBeMeant(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	b.driving()
	for _, pause := range []time.Duration{time.Second, 20 * time.Second, 0} {
		b.command("load.off", "")
		b.run(pause)
	}
	b.run(5 * time.Second)
	b.command("shutdown.stayoff", "") // another one does not count
	if b.dev.Saw("kill") || !b.body.Outlet() {
		t.Errorf("the device saw %q", b.dev.Seen())
	}
	b.command("load.off", "")
	if b.run(5 * time.Second); b.body.Outlet() {
		t.Error("given again after 5 s, load.off had no effect")
	}
}

func TestSettings(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	b.driving()
	for _, s := range []struct {
		name, value string
		want        sockproto.Code
	}{
		{"ups.delay.shutdown", "600", sockproto.Handled},
		{"ups.delay.shutdown", "020", sockproto.Handled},
		{"ups.delay.shutdown", "30", sockproto.Invalid},
		{"battery.runtime.low", "600", sockproto.Handled},
		{"ups.test.interval", "0", sockproto.Handled},
		{"ups.test.interval", "604800", sockproto.Handled},
		{"input.sensitivity", "L", sockproto.Handled},
		{"input.transfer.high", "280", sockproto.Handled},
		{"input.transfer.high", "127", sockproto.Invalid}, // of another country
		{"ups.id", "cellar", sockproto.Handled},
		{"battery.date", "11/21/26", sockproto.Handled},
		{"ups.id", "too long for it", sockproto.Invalid},
		{"input.voltage", "5", sockproto.Invalid},
	} {
		if code := b.set(s.name, s.value); code != s.want {
			t.Errorf("SET %s %q: result %d, want %d\n%s", s.name, s.value, code, s.want, strings.Join(b.log, "\n"))
		}
	}
	b.cable.SetFault(b.now(), serve.Unplug, 20*time.Second)
	b.run(time.Minute)
	got := map[string]string{}
	for name, cmd := range map[string]string{"ups.delay.shutdown": "p", "battery.runtime.low": "q",
		"ups.test.interval": "E", "input.sensitivity": "s", "input.transfer.high": "u", "ups.id": "c", "battery.date": "x"} {
		got[name] = strings.TrimSpace(string(b.dev.Receive(b.now(), []byte(cmd))))
	}
	want := map[string]string{"ups.delay.shutdown": "020", "battery.runtime.low": "10", "ups.test.interval": "168",
		"input.sensitivity": "L", "input.transfer.high": "280", "ups.id": "cellar", "battery.date": "11/21/26"}
	if !maps.Equal(got, want) {
		t.Errorf("the device now has %v, want %v", got, want)
	}
}

// Kill power by a fresh process: what goes over the wire, on battery and on line power, and whether
// the load is switched off and comes back.
func TestKillPower(t *testing.T) {
	const returns, stays, never = "off, on", "off", ""
	tests := []struct {
		conf          string
		o             apcsmart.Options
		line, battery string // the orders
		does          string // to the outlet, on line power
	}{
		{"", apcsmart.Options{}, "@000", "S", returns},
		{"", apcsmart.Options{Star: true}, "@000", "S", returns},
		{"", apcsmart.Options{Rude: true}, "@000", "S", returns},
		{"", apcsmart.Options{Model: apcsmart.OldUPS}, "@001", "S", returns},
		{"", apcsmart.Options{Model: apcsmart.Unknown}, "@001", "S", returns},
		{"", apcsmart.Options{Model: apcsmart.Matrix}, "@001", "S", returns},
		{"", apcsmart.Options{Model: apcsmart.BackCS}, "@000", "S", returns},
		{"awd = 2", apcsmart.Options{}, "@002", "S", returns},
		{"awd = 02", apcsmart.Options{}, "@002", "S", returns},
		{"awd = 000", apcsmart.Options{Model: apcsmart.OldUPS}, "@000", "S", never},
		{"sdtype = 1", apcsmart.Options{}, "@000", "S", returns},
		{"sdtype = 2", apcsmart.Options{}, "Z Z", "Z Z", stays},
		{"sdtype = 3", apcsmart.Options{}, "K K", "K K", stays},
		{"sdtype = 4", apcsmart.Options{}, "U S", "S", returns},
		{"sdtype = 4\ncshdelay = .5", apcsmart.Options{}, "U S", "S", returns},
		{"sdtype = 5", apcsmart.Options{}, "@000", "@000", returns},
		{"advorder = 01", apcsmart.Options{}, "S @000", "S", returns},
		{"advorder = 03", apcsmart.Options{}, "S Z Z", "S", stays},
		{"advorder = no\nsdtype = 3", apcsmart.Options{}, "K K", "K K", stays},
		{"advorder = 2\nsdtype = 5", apcsmart.Options{}, "K K", "K K", stays},
		{"sdcommands = shutdown.return", apcsmart.Options{}, "@000", "S", returns},
		{"sdcommands = shutdown.stayoff", apcsmart.Options{}, "K K", "K K", stays},
	}
	for _, tt := range tests {
		for _, dark := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %+v dark %v", tt.conf, tt.o, dark), func(t *testing.T) {
				b := newBench(t, power.Spec{Runtime: time.Hour}, tt.o)
				b.conf(tt.conf)
				outlet := b.outlet()
				want := tt.line
				if dark {
					b.body.SetMains(b.now(), 0)
					want = tt.battery
				}
				p := b.start("-k")
				b.run(30 * time.Second)
				b.wantExit(p, 0)
				orders := slices.DeleteFunc(b.dev.Seen(), func(c string) bool { return strings.IndexByte("@KSUZ", c[0]) < 0 })
				if got := strings.Join(orders, " "); got != want {
					t.Errorf("the device saw %q, want %q", got, want)
				}
				b.run(20 * time.Second)
				b.body.SetMains(b.now(), 230_000)
				b.run(time.Hour)
				does := tt.does
				if dark && strings.HasPrefix(want, "S") {
					does = returns
				}
				if got := strings.Join(*outlet, ", "); got != does {
					t.Errorf("the outlet went %q, want %q", got, does)
				}
			})
		}
	}
}

// outlet records what happens to the outlet.
func (b *bench) outlet() *[]string {
	var did []string
	b.body.OnChange(func(c power.Change) {
		if c.Name == power.Outlet {
			did = append(did, c.Value)
		}
	})
	return &did
}

// The mains return at every tenth of a second of the kill-power run, and at every second of the time
// after it: the load is always cut and always comes back.
func TestKillPowerWhileTheMainsReturn(t *testing.T) {
	var instants []time.Duration
	for d := time.Duration(0); d < 6*time.Second; d += 100 * time.Millisecond {
		instants = append(instants, d)
	}
	for d := 6 * time.Second; d < 2*time.Minute; d += 5 * time.Second {
		instants = append(instants, d)
	}
	for _, kind := range []string{apcsmart.SmartUPS, apcsmart.OldUPS, apcsmart.BackCS, apcsmart.Unknown} {
		for _, d := range instants {
			b := newBench(t, power.Spec{Runtime: time.Hour}, apcsmart.Options{Model: kind})
			b.body.SetMains(b.now(), 0)
			outlet := b.outlet()
			p := b.start("-k")
			b.run(d)
			b.body.SetMains(b.now(), 230_000)
			b.run(20 * time.Minute)
			b.wantExit(p, 0)
			if got := strings.Join(*outlet, ", "); got != "off, on" {
				t.Errorf("%s, mains back after %v: the outlet went %q, want %q; the device saw %q",
					kind, d, got, "off, on", b.dev.Seen())
			}
		}
	}
}

func TestKillPowerThroughTheRunningDriver(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	p := b.driving()
	outlet := b.outlet()
	kill := b.start("-k")
	b.run(5 * time.Second)
	b.wantExit(kill, 0)
	b.wantEvents("kill shutdown.default=accepted @000")
	b.run(4 * time.Minute)
	if got := strings.Join(*outlet, ", "); got != "off, on" {
		t.Errorf("the outlet went %q", got)
	}
	if _, ended := p.Status(); ended {
		t.Error("the running driver has ended")
	}
}

func TestKillPowerThatIsRefusedIsAnError(t *testing.T) {
	b := newBench(t, power.Spec{Kill: power.None}, apcsmart.Options{})
	p := b.start("-k")
	b.run(30 * time.Second)
	b.wantExit(p, 1)
	b.wantEvents("kill shutdown.default=refused")
	if said := strings.Join(b.log, "\n"); !strings.Contains(said, "the load is still on") {
		t.Errorf("said %q", said)
	}
}
