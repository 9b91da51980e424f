package megatec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
)

// spoken is a dialect of the emulator, with what ups.conf must say for it to be found, and as what
// it is found.
type spoken struct{ dialect, conf, title string }

var spokenDialects = []spoken{
	{"megatec", "", "Megatec"},
	{"megatec/old", "", "Megatec/old"},
	{"mustek", "", "Mustek"},
	{"zinto", "", "Zinto"},
	{"q1", "", "Q1"},
	{"mecer", "", "Mecer"},
	{"voltronic", "", "Voltronic"},
	{"voltronic-qs", "", "Voltronic-QS"},
	{"voltronic-qs-h", "", "Voltronic-QS"},
	{"voltronic-qs-hex", "", "Voltronic-QS-Hex"},
	{"voltronic-axpert", "", "Voltronic-Axpert"},
	{"bestups", "", "BestUPS"},
	{"masterguard", "", "Masterguard"},
	{"gtec", "", "Gtec"},
	{"q2", "", "Q2"},
	{"q6", "", "Q6"},
	{"innovart31", "", "INNOVART31"},
	{"innovart33", "", "INNOVART33"},
	{"hunnox", "protocol = hunnox", "Hunnox"},
	{"ablerex", "protocol = ablerex", "Ablerex"},
	{"innovatae", "protocol = innovatae", "INNOVATAE"},
	{"omron", "protocol = omron", "Omron"},
}

// dialects runs a test for each dialect.
func dialects(t *testing.T, spec power.Spec, f func(t *testing.T, b *bench, s spoken)) {
	for _, name := range megatec.Dialects() {
		if !slices.ContainsFunc(spokenDialects, func(s spoken) bool { return s.dialect == name }) {
			t.Errorf("the emulator speaks %s, which is missing in spokenDialects", name)
		}
	}
	for _, s := range spokenDialects {
		t.Run(s.dialect, func(t *testing.T) {
			b := newBench(t, spec, megatec.Options{Dialect: s.dialect})
			b.conf("nutdrv_qx", s.conf)
			f(t, b, s)
		})
	}
}

// However a unit answers what it does not know, it is taken for what it is.
func TestEachDialectIsFoundWhateverItRejects(t *testing.T) {
	for _, h := range habits {
		for _, s := range spokenDialects {
			b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect, Reject: h.reject})
			b.conf("nutdrv_qx", s.conf)
			if got := b.dump("nutdrv_qx")["driver.version.data"]; got != s.title+" 0.1" {
				t.Errorf("a %s that answers %s is taken for %q", s.dialect, h.name, got)
			}
		}
	}
}

func TestEachDialectIsFound(t *testing.T) {
	dialects(t, power.Spec{}, func(t *testing.T, b *bench, s spoken) {
		got := b.dump("nutdrv_qx")
		r := b.body.Read()
		for name, want := range map[string]string{
			"driver.version.data": s.title + " 0.1", "ups.load": fmt.Sprint(r.Load),
		} {
			if got[name] != want {
				t.Errorf("%s = %q, want %q", name, got[name], want)
			}
		}
		if !slices.Contains(strings.Fields(got["ups.status"]), "OL") {
			t.Errorf("ups.status = %q, want OL", got["ups.status"])
		}
		if v := got["battery.voltage"]; !strings.HasPrefix(v, "26.") {
			t.Errorf("battery.voltage = %q, want 26.3 or so", v)
		}
	})
}

// Found again in a dump of each: every word of the outage in its turn, the load cut by the
// killpower of the running driver, and back with the mains.
func TestEachDialectThroughAnOutage(t *testing.T) {
	spec := power.Spec{Runtime: 5 * time.Minute, Low: time.Minute}
	dialects(t, spec, func(t *testing.T, b *bench, s spoken) {
		b.start("nutdrv_qx")
		b.run(time.Minute)
		b.body.SetMains(b.now(), 0)
		b.run(250 * time.Second)
		all := strings.Join(b.statuses(), ", ")
		if !strings.Contains(all, "OL") || !strings.Contains(all, "OB") {
			t.Errorf("statuses %q, want OL and OB", all)
		}
		if !strings.Contains(all, "OB LB") {
			t.Errorf("statuses %q, want OB LB", all)
		}
		if s.dialect == "voltronic-axpert" {
			return // has no outlet that could be cut
		}
		kill := b.start("nutdrv_qx", "-k")
		b.run(10 * time.Second)
		b.wantExit(kill, 0)
		b.run(70 * time.Second)
		if b.body.Outlet() {
			t.Fatalf("the outlet is on after the kill; the device saw %q", b.dev.Seen())
		}
		b.body.SetMains(b.now(), 231_000)
		b.run(5 * time.Minute)
		if !b.body.Outlet() {
			t.Error("the outlet did not come back with the mains")
		}
		if last := b.statuses(); !strings.Contains(last[len(last)-1], "OL") {
			t.Errorf("the last status is %q, want OL", last[len(last)-1])
		}
	})
}

// phases are when a fault begins, in what the driver is doing.
var phases = []struct {
	name  string
	after time.Duration // from the start of the driver
	then  func(b *bench)
}{
	{"detect", 1200 * time.Millisecond, nil},
	{"first poll", 0, nil}, // when the port is open
	{"quick poll", 20 * time.Second, nil},
	{"command", 20 * time.Second, func(b *bench) { b.command("shutdown.stop") }},
	{"kill", 20 * time.Second, func(b *bench) { b.start("nutdrv_qx", "-k") }},
}

// Every fault of the line at every phase, for every dialect: the driver lives, calls silence
// stale in time, never says OB, LB or FSD on line power, recovers, and still kills the power.
func TestFaultMatrix(t *testing.T) {
	faults := []serve.Fault{serve.Silent, serve.Mute, serve.Garbage, serve.Noise, serve.Truncate,
		serve.Slow, serve.Unplug}
	cells := 0
	dialects(t, power.Spec{}, func(t *testing.T, _ *bench, s spoken) {
		for _, p := range phases {
			for _, f := range faults {
				cells++
				t.Run(p.name+" "+f.String(), func(t *testing.T) {
					b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect})
					b.conf("nutdrv_qx", s.conf)
					// A reply of five bytes is in time also when each takes forty times as long.
					quick := s.dialect == "voltronic-axpert" && f == serve.Slow
					b.fault(p.name, p.after, p.then, f, f != serve.Noise && !quick)
				})
			}
		}
	})
	t.Logf("%d cells: %d dialects, %d phases, %d faults",
		cells, len(spokenDialects), len(phases), len(faults))
}

// fault plays one cell of the matrix. stales says that the data must become stale.
func (b *bench) fault(phase string, after time.Duration, then func(*bench), f serve.Fault,
	stales bool,
) {
	b.t.Helper()
	p := b.h.Start("nutdrv_qx", []string{"-a", "office"})
	if phase == "first poll" {
		for i := 0; i < 600 && !slices.ContainsFunc(b.events, opened); i++ {
			b.run(50 * time.Millisecond)
		}
	}
	b.run(after)
	b.cable.SetFault(b.now(), f, 0)
	if then != nil {
		then(b)
	}
	b.run(40 * time.Second)
	was := slices.ContainsFunc(b.events, func(e string) bool { return strings.HasPrefix(e, "data =fresh") })
	_, ended := p.Status()
	if stales && was && !ended && !slices.ContainsFunc(b.events, func(e string) bool {
		return strings.HasPrefix(e, "data =stale")
	}) {
		b.t.Error("not stale after 40 s")
	}
	b.cable.ClearFault(b.now(), f)
	b.run(45 * time.Second)
	if _, ended = p.Status(); ended {
		if was && phase != "kill" { // a kill run takes over from a driver that cannot do it
			b.t.Fatalf("the driver has ended:\n%s", strings.Join(b.log, "\n"))
		}
		b.h.Start("nutdrv_qx", []string{"-a", "office"}) // as a service manager does
		b.run(45 * time.Second)
	}
	if last := b.statuses(); len(last) == 0 || !strings.Contains(last[len(last)-1], "OL") {
		b.t.Errorf("the last status of %q is not OL:\n%s", last, strings.Join(b.log, "\n"))
	}
	for _, e := range slices.Backward(b.events) {
		if strings.HasPrefix(e, "data =") {
			if !strings.HasPrefix(e, "data =fresh") {
				b.t.Errorf("45 s after the fault: %s", e)
			}
			break
		}
	}
	armed := phase == "kill" || phase == "command" // a shutdown may have been obeyed
	for _, s := range b.statuses() {
		for _, word := range strings.Fields(s) {
			if word == "OB" || word == "LB" || word == "FSD" && !armed {
				b.t.Errorf("status %q on line power", s)
			}
		}
	}
}

func opened(event string) bool { return strings.HasPrefix(event, "port =open") }

// A meter counts the bytes on the line, and those of the status alone.
type meter struct {
	serve.Face
	bytes, exchanges int
	sizes            map[string]int // of an exchange, by the question
}

func (m *meter) Receive(now time.Duration, p []byte) []byte {
	out := m.Face.Receive(now, p)
	m.bytes += len(p) + len(out)
	m.exchanges++
	m.sizes[string(p)] = len(p) + len(out)
	return out
}

// statusQuestions are those without which nothing is known of the mains, or of a low battery.
var statusQuestions = []string{"Q1\r", "QGS\r", "QS\r", "D\r", "Q3\r", "Q4\r",
	"QMODI\xc1\r", "QPIWS\xb4\xda\r"}

// What is asked over and over is hardly more than what tells whether there is power: the rest is
// asked each pollfreq.
func TestPollCost(t *testing.T) {
	dialects(t, power.Spec{}, func(t *testing.T, b *bench, _ spoken) {
		m := &meter{Face: b.dev, sizes: map[string]int{}}
		b.cable = serve.NewCable(m, serve.Options{Now: b.now})
		b.start("nutdrv_qx")
		b.run(57 * time.Second)
		clear(m.sizes)
		begin := m.bytes
		const polls = 300
		b.run(polls * 2 * time.Second)
		least := 0
		for _, q := range statusQuestions {
			least += m.sizes[q]
		}
		if least == 0 {
			t.Fatalf("none of %q was asked: its status question is missing in statusQuestions",
				statusQuestions)
		}
		perPoll := float64(m.bytes-begin) / polls
		ratio := perPoll / float64(least)
		t.Logf("%.1f bytes a poll, %.0f ms on the wire; at least %d bytes: ratio %.2f",
			perPoll, perPoll*10_000/2400, least, ratio)
		if most := 2.0; ratio < 0.99 || ratio > most {
			t.Errorf("ratio %.2f, want 1 to %.1f", ratio, most)
		}
	})
}

// Options that the device keeps are written when it has them otherwise, and only then.
func TestOptionsInTheDevice(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "voltronic"})
	b.conf("nutdrv_qx", "bypass_alarm = disabled\nmax_bypass_volt = 250\nmin_bypass_volt = 170\n"+
		"output_phase_angle = 240\nmax_bypass_freq = 52.5\nadvanced_eco_mode = enabled")
	b.start("nutdrv_qx")
	b.run(30 * time.Second)
	seen := b.dev.Seen()
	for _, cmd := range []string{"PDP", "PHV250", "PPD240", "PGF52.5"} {
		if !slices.Contains(seen, cmd) {
			t.Errorf("the device did not see %s: %q", cmd, seen)
		}
	}
	if slices.Contains(seen, "PLV170") {
		t.Error("what the device had already was written")
	}
	if text := strings.Join(b.log, "\n"); !strings.Contains(text, "advanced_eco_mode = enabled: refused") {
		t.Errorf("a switch that the device does not have is not complained of: %s", text)
	}
	before := len(b.dev.Seen())
	b.cable.SetFault(b.now(), serve.Unplug, 10*time.Second)
	b.run(60 * time.Second)
	if again := b.dev.Seen()[before:]; slices.Contains(again, "PHV250") {
		t.Errorf("written twice: %q", again)
	}
}

// Settings live in the device: a second driver reads what the first has set.
func TestSettingsInTheDevice(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "voltronic"})
	b.start("nutdrv_qx")
	b.run(20 * time.Second)
	want := map[string]string{"input.transfer.high": "250", "input.frequency.high": "55.0",
		"ups.start.auto": "no", "outlet.1.delay.shutdown": "600", "battery.packs": "3"}
	for name, value := range want {
		if code := b.set(name, strings.TrimSuffix(value, ".0")); code != 0 {
			t.Errorf("SET %s %s: result %d", name, value, code)
		}
	}
	for name, value := range map[string]string{"input.transfer.high": "300", "ups.start.auto": "maybe",
		"outlet.1.delay.shutdown": "x"} {
		if code := b.set(name, value); code != 2 {
			t.Errorf("SET %s %s: result %d, want 2", name, value, code)
		}
	}
	b.start("nutdrv_qx", "-c", "exit")
	got := b.dump("nutdrv_qx")
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s = %q, want %q", name, got[name], value)
		}
	}
}

// A kill that comes when the mains are back already still makes a full cycle: off, and on again
// without anybody's help.
func TestKillWithMainsOnCompletesTheCycle(t *testing.T) {
	dialects(t, power.Spec{}, func(t *testing.T, b *bench, s spoken) {
		if s.dialect == "voltronic-axpert" {
			return // has no outlet that could be cut
		}
		var outlet []string
		b.body.OnChange(func(c power.Change) {
			if c.Name == power.Outlet {
				outlet = append(outlet, c.Value)
			}
		})
		kill := b.start("nutdrv_qx", "-k")
		b.run(30 * time.Second) // the body's timers run from here on
		b.run(10 * time.Minute)
		b.wantExit(kill, 0)
		if !slices.Equal(outlet, []string{"off", "on"}) {
			t.Errorf("the outlet went %q, want off and on; the device saw %q", outlet, b.dev.Seen())
		}
	})
}

// With stayoff the outlet stays off though the mains are there.
func TestStayOff(t *testing.T) {
	dialects(t, power.Spec{}, func(t *testing.T, b *bench, s spoken) {
		if s.dialect == "voltronic-axpert" {
			return
		}
		b.conf("nutdrv_qx", s.conf+"\nstayoff")
		kill := b.start("nutdrv_qx", "-k")
		b.run(30 * time.Second)
		b.run(time.Hour)
		b.wantExit(kill, 0)
		if b.body.Outlet() {
			t.Errorf("the outlet is on; the device saw %q", b.dev.Seen())
		}
	})
}

// A new address is used by the very next command.
func TestSettingsOfMasterguard(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "masterguard"})
	b.start("nutdrv_qx")
	b.run(30 * time.Second)
	for _, set := range [][2]string{{"ups.id", "7"}, {"battery.packs", "2"},
		{"output.voltage.nominal", "240"}, {"device.uptime", "93784"}} {
		if code := b.set(set[0], set[1]); code != 0 {
			t.Errorf("SET %s %s: result %d", set[0], set[1], code)
		}
	}
	if code := b.set("output.voltage.nominal", "115"); code != 2 {
		t.Errorf("a voltage that it does not have: result %d, want 2", code)
	}
	seen := b.dev.Seen()
	for _, cmd := range []string{"SS07--,00", "SS--2-,07", "PNV=240", "SRC0001:02:03:04,07"} {
		if !slices.Contains(seen, cmd) {
			t.Errorf("the device did not see %s: %q", cmd, seen)
		}
	}
	b.start("nutdrv_qx", "-c", "exit")
	got := b.dump("nutdrv_qx")
	for name, want := range map[string]string{"ups.id": "07", "battery.packs": "2",
		"output.voltage.nominal": "240", "device.uptime": "93784"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

func TestAddressOfTheUnit(t *testing.T) {
	for address, status := range map[string]int{"0": 0, "7": 1} {
		b := newBench(t, power.Spec{}, megatec.Options{Dialect: "masterguard"})
		b.conf("nutdrv_qx", "protocol = masterguard\nslave_address = "+address)
		p := b.start("nutdrv_qx", "-d", "1")
		b.run(30 * time.Second)
		b.wantExit(p, status)
	}
}
