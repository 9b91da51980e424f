package megatec_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bench is a virtual host with an emulated UPS on its serial port.
type bench struct {
	t      testing.TB
	w      *world.World
	h      *world.Host
	body   *power.UPS
	dev    *megatec.Device
	port   string
	cable  serve.Port
	beside serve.Ports // further ports of the host
	// outside wraps the ports of the host.
	outside func(transport.Ports) transport.Ports
	log     []string
	events  []string // "seconds kind name=value why"
}

func newBench(t testing.TB, spec power.Spec, o megatec.Options) *bench {
	b := &bench{t: t, body: power.New(spec), port: "/dev/ttyS0",
		outside: func(p transport.Ports) transport.Ports { return p }}
	b.dev = megatec.New(b.body, o)
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			ports := serve.Ports{b.port: b.cable}
			maps.Copy(ports, b.beside)
			return driver.Main(drivers.All, b.outside(ports), name)
		},
		Console: func(_ env.Instant, _, _, line string) { b.log = append(b.log, line) },
		Observe: func(ev env.Event) {
			b.events = append(b.events, fmt.Sprintf("%s %s=%s %s", ev.Kind, ev.Name, ev.Value, ev.Why))
		},
	})
	b.cable = serve.NewCable(b.dev, serve.Options{Now: b.now})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.conf("nutdrv_qx", "")
	b.h.WriteFile("/run/nut/.keep", nil)
	return b
}

func (b *bench) now() time.Duration { return time.Duration(b.w.Now()) }

func (b *bench) conf(prog, lines string) {
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = "+prog+"\nport = "+b.port+"\n"+lines+"\n"))
}

func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for end := b.now() + d; b.now() < end; {
		b.body.Advance(b.now())
		step := end - b.now()
		if next, ok := b.body.Next(); ok {
			step = min(step, max(next-b.now(), time.Millisecond))
		}
		if err := b.w.RunFor(step); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) start(prog string, args ...string) *world.Process {
	b.t.Helper()
	p := b.h.Start(prog, append([]string{"-a", "office"}, args...))
	b.run(3 * time.Second)
	return p
}

// dump returns the variables as -d 1 prints them.
func (b *bench) dump(prog string) map[string]string {
	b.t.Helper()
	b.log = nil
	p := b.start(prog, "-d", "1")
	b.run(time.Minute)
	b.wantExit(p, 0)
	vars := map[string]string{}
	for _, l := range b.log {
		if name, value, ok := strings.Cut(l, ": "); ok {
			vars[name] = value
		}
	}
	return vars
}

func (b *bench) wantExit(p *world.Process, want int) {
	b.t.Helper()
	status, ended := p.Status()
	if !ended || int(status) != want {
		b.t.Fatalf("exit status %d, ended %v; want %d\n%s", status, ended, want, strings.Join(b.log, "\n"))
	}
}

// statuses are the values of ups.status as they were published, without repetitions.
func (b *bench) statuses() []string {
	var all []string
	for _, e := range b.events {
		if value, ok := strings.CutPrefix(e, "status ="); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

func (b *bench) wantEvents(texts ...string) {
	b.t.Helper()
	at := 0
	for _, text := range texts {
		for at < len(b.events) && !strings.Contains(b.events[at], text) {
			at++
		}
		if at == len(b.events) {
			b.t.Fatalf("no %q in its place among:\n%s", text, strings.Join(b.events, "\n"))
		}
		at++
	}
}

// tell runs one conversation with the driver's socket.
func (b *bench) tell(f func(e env.Env, c *remote.Conn) (sockproto.Code, error)) sockproto.Code {
	b.t.Helper()
	code, done := sockproto.Pending, false
	b.h.StartMain("client", func(e env.Env, _ []string) int {
		c, err := remote.Dial(e, "/run/nut/nutdrv_qx-office")
		if err == nil {
			code, err = f(e, c)
			c.Close(e)
		}
		if err != nil {
			b.log = append(b.log, err.Error())
		}
		done = true
		return 0
	})
	b.run(10 * time.Second)
	if !done {
		b.t.Fatal("the driver did not answer within 10 s")
	}
	return code
}

func (b *bench) command(name string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn) (sockproto.Code, error) {
		return c.Command(e, name, e.Now().Add(9*time.Second))
	})
}

func (b *bench) set(name, value string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn) (sockproto.Code, error) {
		return c.Set(e, name, value, e.Now().Add(9*time.Second))
	})
}

func TestVariables(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	got := b.dump("nutdrv_qx")
	r := b.body.Read()
	tenths := func(v int) string { return fmt.Sprintf("%d.%d", (v+50)/1000, (v+50)%1000/100) }
	want := map[string]string{
		"battery.charge": "100", "battery.voltage": tenths(r.Battery) + "0",
		"battery.voltage.high": "26.00", "battery.voltage.low": "20.80", "battery.voltage.nominal": "24.0",
		"device.mfr": "ACME POWER", "device.model": "SIM-600", "device.type": "ups", "ups.firmware": "V1.07",
		"input.current.nominal": "3.0", "input.frequency": tenths(r.Frequency), "input.frequency.nominal": "50",
		"input.voltage": tenths(r.Input), "input.voltage.fault": tenths(r.Fault), "input.voltage.nominal": "230",
		"output.voltage": tenths(r.Output), "ups.beeper.status": "enabled", "ups.delay.shutdown": "30",
		"ups.delay.start": "180", "ups.load": fmt.Sprint(r.Load), "ups.status": "OL",
		"ups.temperature": tenths(r.Temperature), "ups.type": "offline / line interactive",
		"driver.version.data": "Megatec 0.1", "driver.parameter.pollfreq": "30",
	}
	for name, v := range want {
		if got[name] != v {
			t.Errorf("%s = %q, want %q", name, got[name], v)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok && !strings.HasPrefix(name, "driver.") {
			t.Errorf("%s = %q, want no such variable", name, got[name])
		}
	}
}

func TestOptionsDecideWhatIsAskedAndTold(t *testing.T) {
	tests := []struct {
		name, prog, conf string
		dev              megatec.Options
		want             map[string]string // "" means absent
	}{
		{"norating leaves the charge unknown", "nutdrv_qx", "norating", megatec.Options{},
			map[string]string{"input.voltage.nominal": "", "battery.charge": "", "device.mfr": "ACME POWER"}},
		{"an override makes up for it", "nutdrv_qx", "norating\noverride.battery.voltage.nominal = 24", megatec.Options{},
			map[string]string{"battery.charge": "100", "battery.voltage.low": "20.80"}},
		{"novendor", "nutdrv_qx", "novendor", megatec.Options{}, map[string]string{"device.mfr": "", "ups.firmware": ""}},
		{"a device without F and I", "nutdrv_qx", "", megatec.Options{NoRating: true, NoVendor: true},
			map[string]string{"input.voltage.nominal": "", "device.mfr": "", "ups.status": "OL"}},
		{"the window of voltages can be given", "nutdrv_qx",
			"default.battery.voltage.low = 20\ndefault.battery.voltage.high = 32.6", megatec.Options{},
			map[string]string{"battery.charge": "50", "battery.voltage.high": "32.6"}},
		{"a voltage per cell", "nutdrv_qx", "", megatec.Options{PerCell: true},
			map[string]string{"battery.voltage": "2.19", "battery.charge": "100"}},
		{"a voltage per cell, told as that of the pack", "nutdrv_qx", "battery_voltage_reports_one_pack",
			megatec.Options{PerCell: true}, map[string]string{"battery.voltage": "26.28", "battery.charge": "100"}},
		{"blazer_ser always tells that of the pack", "blazer_ser", "", megatec.Options{PerCell: true},
			map[string]string{"battery.voltage": "26.28", "ups.mfr": "ACME POWER", "device.mfr": "ACME POWER"}},
		{"blazer_ser counts ondelay in minutes", "blazer_ser", "ondelay = 5\noffdelay = 125", megatec.Options{},
			map[string]string{"ups.delay.start": "300", "ups.delay.shutdown": "120"}},
		{"nutdrv_qx counts it in seconds", "nutdrv_qx", "ondelay = 125\noffdelay = 35", megatec.Options{},
			map[string]string{"ups.delay.start": "120", "ups.delay.shutdown": "30"}},
		{"runtimecal gives a runtime", "nutdrv_qx", "runtimecal = 240,100,720,50", megatec.Options{},
			map[string]string{"battery.charge": "100", "battery.runtime": "1911"}},
		{"it also runs as megatec", "megatec", "protocol = megatec", megatec.Options{},
			map[string]string{"driver.name": "megatec", "ups.status": "OL"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, power.Spec{}, tt.dev)
			b.conf(tt.prog, tt.conf)
			got := b.dump(tt.prog)
			for name, v := range tt.want {
				if got[name] != v {
					t.Errorf("%s = %q, want %q", name, got[name], v)
				}
			}
		})
	}
}

func TestBadOptionsAndPorts(t *testing.T) {
	for conf, says := range map[string]string{
		"protocol = nonsense":   `protocol: "nonsense": want one of `,
		"offdelay = 11":         `offdelay: "11": want a whole number of seconds, 12 to 5940`,
		"offdelay = 601":        `offdelay: 601 seconds: want 12 to 600 (protocol megatec)`,
		"runtimecal = 1,2,3":    `runtimecal: "1,2,3": want four numbers with commas`,
		"cablepower = sideways": "want one of normal, reverse, both, none",
		"vendorid = 0665":       "port = /dev/ttyS0 names no USB device, but vendorid means USB",
		"port = auto":           "no such port: no USB device that this driver knows, of 0 that are plugged in",
		"port = /dev/ttyS9":     "/dev/ttyS9: no such port",
	} {
		b := newBench(t, power.Spec{}, megatec.Options{})
		b.conf("nutdrv_qx", conf)
		b.wantExit(b.start("nutdrv_qx"), 1)
		if !strings.Contains(strings.Join(b.log, "\n"), says) {
			t.Errorf("%s: said %q, want %q", conf, b.log, says)
		}
	}
}

func TestSilentPortEndsTheStart(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	b.cable.SetFault(0, serve.Silent, 0)
	p := b.start("nutdrv_qx")
	b.run(time.Minute)
	b.wantExit(p, 1)
	if text := strings.Join(b.log, "\n"); !strings.Contains(text, "/dev/ttyS0: no device of the Megatec family there: ") {
		t.Errorf("said %q", text)
	}
}

func TestOutage(t *testing.T) {
	b := newBench(t, power.Spec{Runtime: 5 * time.Minute, Low: time.Minute}, megatec.Options{})
	b.start("nutdrv_qx")
	b.run(10 * time.Second)
	b.body.SetMains(b.now(), 0)
	b.run(280 * time.Second)
	b.body.SetMains(b.now(), 231_000)
	b.run(60 * time.Second)
	got := strings.Join(b.statuses(), ", ")
	if want := "OL, OB, OB DISCHRG, OB LB DISCHRG, OL LB CHRG"; got != want {
		t.Errorf("statuses %q, want %q", got, want)
	}
}

func TestCommandsOnTheWire(t *testing.T) {
	tests := []struct{ name, wire string }{
		{"beeper.toggle", "Q"}, {"load.off", "S00R0000"}, {"load.on", "C"}, {"shutdown.return", "S.5R0003"},
		{"shutdown.stayoff", "S.5R0000"}, {"shutdown.stop", "C"}, {"test.battery.start", "T10"},
		{"test.battery.start.deep", "TL"}, {"test.battery.start.quick", "T"}, {"test.battery.stop", "CT"},
	}
	b := newBench(t, power.Spec{}, megatec.Options{})
	b.start("nutdrv_qx")
	for _, tt := range tests {
		if code := b.command(tt.name); code != sockproto.Handled {
			t.Errorf("%s: result %d, want 0", tt.name, code)
		}
		if seen := b.dev.Seen(); !slices.Contains(seen[len(seen)-2:], tt.wire) {
			t.Errorf("%s: the device saw %q, want %q at the end", tt.name, seen, tt.wire)
		}
		b.wantEvents("command " + tt.name + "= sent (" + tt.wire + ")")
	}
	if code := b.command("test.panel.start"); code != sockproto.Unknown {
		t.Errorf("a command that is none: result %d, want 1", code)
	}
}

func TestSettingsChangeTheCommands(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	b.start("nutdrv_qx")
	for name, value := range map[string]string{"ups.delay.shutdown": "125", "ups.delay.start": "3599"} {
		if code := b.set(name, value); code != sockproto.Handled {
			t.Errorf("SET %s %s: result %d, want 0", name, value, code)
		}
	}
	for _, bad := range []string{"11", "601", "-1", "x", ""} {
		if code := b.set("ups.delay.shutdown", bad); code != sockproto.Invalid {
			t.Errorf("SET ups.delay.shutdown %q: result %d, want 2", bad, code)
		}
	}
	b.cable.SetFault(b.now(), serve.Unplug, 20*time.Second) // the settings survive it
	b.run(40 * time.Second)
	b.command("shutdown.return")
	if seen := b.dev.Seen(); !slices.Contains(seen, "S02R0059") {
		t.Errorf("the device saw %q, want S02R0059", seen)
	}
}

// A fivestar answers like a recorded inverter: Q1, and NAK to whatever would switch it off.
type fivestar struct{ seen []string }

func (f *fivestar) Receive(_ time.Duration, p []byte) []byte {
	cmd := strings.TrimSuffix(string(p), "\r")
	f.seen = append(f.seen, cmd)
	switch cmd {
	case "Q1":
		return []byte("(227.0 000.0 229.9 027 50.1 2.00 49.0 00000000\r")
	case "F":
		return []byte("#230.0 021 048.0 50.0\r")
	case "I":
		return []byte("#222222222222222222222222222R1.4.016\r")
	case "Q":
		return []byte("ACK\r")
	}
	return []byte("NAK\r")
}

func TestDeviceThatRefuses(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	face := &fivestar{}
	b.cable = serve.NewCable(face, serve.Options{Now: b.now})
	got := b.dump("nutdrv_qx")
	for name, want := range map[string]string{
		"battery.charge": "62", "battery.voltage": "2.00", "battery.voltage.nominal": "48.0",
		"ups.firmware": "R1.4.016", "device.mfr": "", "ups.type": "online",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	b.start("nutdrv_qx")
	if code := b.command("beeper.toggle"); code != sockproto.Handled {
		t.Errorf("beeper.toggle: result %d, want 0", code)
	}
	b.wantEvents("command beeper.toggle= accepted (Q)")
	if code := b.command("load.off"); code != sockproto.Failed {
		t.Errorf("load.off: result %d, want 3", code)
	}
	face.seen = nil
	kill := b.start("nutdrv_qx", "-k")
	b.run(20 * time.Second)
	b.wantExit(kill, 1)
	b.wantEvents("kill shutdown.default=refused")
	if n := strings.Count(strings.Join(face.seen, " "), "S.5R0003"); n != 6 {
		t.Errorf("the shutdown was sent %d times, want three times by each of the two drivers", n)
	}
}

func TestKillPower(t *testing.T) {
	tests := []struct {
		name, prog, conf string
		dev              megatec.Options
		want             []string
	}{
		{"the usual", "nutdrv_qx", "protocol = megatec", megatec.Options{}, []string{"Q1", "I", "C", "S.5R0003"}},
		{"stayoff", "nutdrv_qx", "protocol = megatec\nstayoff", megatec.Options{}, []string{"Q1", "I", "C", "S.5R0000"}},
		{"blazer_ser", "blazer_ser", "ondelay = 5", megatec.Options{}, []string{"Q1", "C", "S.5R0005"}},
		{"less than three minutes are too few for some", "blazer_ser", "ondelay = 2", megatec.Options{}, []string{"Q1", "C", "S.5R0003"}},
		{"and none are for others", "nutdrv_qx", "protocol = megatec\nondelay = 0", megatec.Options{}, []string{"Q1", "I", "C", "S.5R0003"}},
		{"who knows better says so", "nutdrv_qx", "protocol = megatec\nondelay = 0\nsdcommands = shutdown.return", megatec.Options{}, []string{"Q1", "I", "F", "S.5"}},
		{"a device that knows no start delay", "nutdrv_qx", "protocol = megatec", megatec.Options{Reactions: megatec.Reactions{NoRestart: true}}, []string{"Q1", "I", "C", "S.5R0003", "S.5R0003", "S.5R0003", "S.5"}},
		{"sdcommands", "nutdrv_qx", "protocol = megatec\nsdcommands = shutdown.stayoff", megatec.Options{}, []string{"Q1", "I", "F", "S.5R0000"}},
		{"a device that wants C first", "nutdrv_qx", "protocol = megatec", megatec.Options{Reactions: megatec.Reactions{Stubborn: true}}, []string{"Q1", "I", "C", "S.5R0003"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, power.Spec{}, tt.dev)
			b.conf(tt.prog, tt.conf)
			off := false
			b.body.OnChange(func(c power.Change) { off = off || c.Name == power.Outlet && c.Value == "off" })
			p := b.start(tt.prog, "-k")
			b.run(10 * time.Second)
			b.wantExit(p, 0)
			if seen := b.dev.Seen(); !slices.Equal(seen, tt.want) {
				t.Errorf("the device saw %q, want %q", seen, tt.want)
			}
			if b.run(time.Minute); !off {
				t.Error("the outlet is still on")
			}
			said := strings.Contains(strings.Join(b.log, "\n"), "the restart delay is 3m0s here")
			raised := strings.Contains(tt.conf, "ondelay") && tt.want[len(tt.want)-1] == "S.5R0003"
			if said != raised {
				t.Errorf("said that it sends another delay: %v, want %v:\n%s", said, raised, b.log)
			}
		})
	}
}

func TestKillPowerThroughTheRunningDriver(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	p := b.start("nutdrv_qx")
	kill := b.start("nutdrv_qx", "-k")
	b.run(5 * time.Second)
	b.wantExit(kill, 0)
	b.wantEvents("kill shutdown.default=sent C S.5R0003")
	b.run(4 * time.Minute)
	if !b.body.Outlet() {
		t.Error("the outlet did not come back with the mains on")
	}
	if _, ended := p.Status(); ended {
		t.Error("the running driver has ended")
	}
}

func TestSilenceIsStaleAtTheFifthPoll(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	b.start("nutdrv_qx")
	b.cable.SetFault(b.now(), serve.Silent, 0)
	b.run(9 * time.Second) // polls at 4, 6, 8 and 10 s, each a second long
	if slices.ContainsFunc(b.events, func(e string) bool { return strings.HasPrefix(e, "data =stale") }) {
		t.Error("stale after four silent polls")
	}
	b.run(3 * time.Second)
	b.wantEvents("data =fresh", "data =stale")
	b.run(time.Hour)
	b.cable.ClearFault(b.now(), serve.Silent)
	b.run(10 * time.Second)
	b.wantEvents("data =stale", "port =open", "data =fresh")
}

func TestUnpluggedPortIsFoundAgain(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{})
	b.start("nutdrv_qx")
	b.cable.SetFault(b.now(), serve.Unplug, time.Minute)
	b.run(3 * time.Second)
	b.wantEvents("port =gone", "data =stale")
	b.run(67 * time.Second)
	b.wantEvents("data =stale", "port =open", "data =fresh")
}

// Faults of the line never end the driver, and never announce an outage that is none.
func TestFaultsOfTheLine(t *testing.T) {
	for _, f := range []serve.Fault{serve.Garbage, serve.Noise, serve.Truncate, serve.Slow, serve.Mute} {
		t.Run(f.String(), func(t *testing.T) {
			b := newBench(t, power.Spec{}, megatec.Options{})
			p := b.start("nutdrv_qx")
			b.cable.SetFault(b.now(), f, time.Hour)
			b.run(time.Hour)
			for _, s := range b.statuses() {
				if strings.Contains(s, "OB") || strings.Contains(s, "LB") || strings.Contains(s, "FSD") {
					t.Errorf("status %q on line power", s)
				}
			}
			b.run(20 * time.Second)
			if last := b.events[len(b.events)-1]; f != serve.Noise && !strings.HasPrefix(last, "data =fresh") {
				t.Errorf("after the fault the last event is %q, want fresh data", last)
			}
			if _, ended := p.Status(); ended {
				t.Errorf("the driver has ended:\n%s", strings.Join(b.log, "\n"))
			}
		})
	}
}
