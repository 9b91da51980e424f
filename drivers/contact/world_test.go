package contact_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	driven "github.com/blackstart-ups/blackstart/drivers/contact"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bench is a virtual host with an emulated UPS on its serial port.
type bench struct {
	t      testing.TB
	w      *world.World
	h      *world.Host
	body   *power.UPS
	dev    *contact.Device
	cable  *serve.Cable
	log    []string
	events []string // "kind name=value why"
}

func newBench(t testing.TB, spec power.Spec, o contact.Options, conf string) *bench {
	b := &bench{t: t, body: power.New(spec)}
	var err error
	if b.dev, err = contact.New(b.body, o); err != nil {
		t.Fatal(err)
	}
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			return driver.Main(drivers.All, ports{b}, name)
		},
		Console: func(_ env.Instant, _, _, line string) { b.log = append(b.log, line) },
		Observe: func(ev env.Event) {
			b.events = append(b.events, fmt.Sprintf("%s %s=%s %s", ev.Kind, ev.Name, ev.Value, ev.Why))
		},
	})
	b.cable = serve.NewCable(b.dev, serve.Options{Now: b.now, Seed: 3})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.h.WriteFile("/etc/nut/ups.conf", fmt.Appendf(nil,
		"[closet]\ndriver = genericups\nport = /dev/ttyS0\n%s\n", conf))
	b.h.WriteFile("/run/nut/.keep", nil)
	return b
}

// typed is the option that names the cable.
func typed(n int) string { return fmt.Sprintf("upstype = %d", n) }

func (b *bench) now() time.Duration { return time.Duration(b.w.Now()) }

// run lets time pass; the body is advanced whenever something is due.
func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for end := b.now() + d; b.now() < end; {
		b.body.Advance(b.now())
		step := min(end-b.now(), 100*time.Millisecond)
		if err := b.w.RunFor(step); err != nil {
			b.t.Fatal(err)
		}
	}
	b.body.Advance(b.now())
}

func (b *bench) start(args ...string) *world.Process {
	b.t.Helper()
	p := b.h.Start("genericups", append([]string{"-a", "closet"}, args...))
	b.run(5 * time.Second)
	return p
}

// kill runs the kill-power program to its end, and returns its exit code.
func (b *bench) kill() int {
	b.t.Helper()
	p := b.h.Start("genericups", []string{"-a", "closet", "-k"})
	for range 100 {
		b.run(time.Second)
		if status, ended := p.Status(); ended {
			return int(status)
		}
	}
	b.t.Fatalf("the kill-power run does not end\n%s", strings.Join(b.log, "\n"))
	return -1
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

func (b *bench) wantStatuses(want ...string) {
	b.t.Helper()
	if got := b.statuses(); !slices.Equal(got, want) {
		b.t.Errorf("ups.status was %q; want %q", got, want)
	}
}

func (b *bench) wantLog(text string) {
	b.t.Helper()
	if !slices.ContainsFunc(b.log, func(l string) bool { return strings.Contains(l, text) }) {
		b.t.Errorf("no %q in\n%s", text, strings.Join(b.log, "\n"))
	}
}

// outage takes the mains away and lets the battery become low.
func (b *bench) outage() {
	b.body.SetMains(b.now(), 0)
	b.run(10 * time.Second)
	b.body.SetBattery(b.now(), 20)
	b.run(10 * time.Second)
}

// The driver and the emulated unit know the cables from different lists.
func TestEveryTypeTellsOfAnOutage(t *testing.T) {
	for i := range driven.Cables {
		b := newBench(t, power.Spec{}, contact.Options{Type: i}, typed(i))
		b.start()
		b.outage()
		b.body.SetBattery(b.now(), 100)
		b.body.SetMains(b.now(), 230_000)
		b.run(10 * time.Second)
		if got, want := b.statuses(), []string{"OL", "OB", "LB OB", "OL"}; !slices.Equal(got, want) {
			t.Errorf("type %d: ups.status was %q; want %q", i, got, want)
		}
	}
}

func TestEveryTypeSwitchesTheLoadOff(t *testing.T) {
	done := 0
	for i, c := range driven.Cables {
		spec := power.Spec{Kill: power.OnBattOnly}
		b := newBench(t, spec, contact.Options{Type: i, Hold: 2 * time.Second}, typed(i))
		b.outage()
		code := b.kill()
		b.run(5 * time.Second)
		if c.Off == driven.Unknown {
			if code == 0 || !b.body.Outlet() {
				t.Errorf("type %d: exit %d, outlet %v; nobody knows how to switch it off", i, code, b.body.Outlet())
			}
			b.wantLog("set SD in ups.conf")
			continue
		}
		if code != 0 || b.body.Outlet() {
			t.Errorf("type %d: exit %d, outlet on: %v; want it off\n%s", i, code, b.body.Outlet(),
				strings.Join(b.log, "\n"))
		}
		done++
		b.body.SetMains(b.now(), 230_000)
		b.run(30 * time.Second)
		if !b.body.Outlet() {
			t.Errorf("type %d: the load is off although the mains are back", i)
		}
	}
	t.Logf("%d of %d types", done, len(driven.Cables))
}

func TestVariables(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 23}, typed(23)+"\nmodel = Shed\nserial = S-1")
	b.start("-d", "1")
	for _, want := range []string{"ups.status: OL", "ups.mfr: Generic", "ups.model: Shed", "ups.serial: S-1",
		"device.model: Shed", "driver.parameter.upstype: 23"} {
		b.wantLog(want)
	}
	for _, l := range b.log {
		if strings.HasPrefix(l, "battery.") || strings.HasPrefix(l, "input.") {
			t.Errorf("%s: there is no way to know", l)
		}
	}
}

func TestOptionsChangeTheCable(t *testing.T) {
	// A unit of type 12, described without its number.
	conf := typed(14) + "\nCP = RTS\nOL = -CTS\nLB = DCD\nSD = DTR\n"
	b := newBench(t, power.Spec{Kill: power.OnBattOnly}, contact.Options{Type: 12}, conf)
	p := b.start()
	b.outage()
	b.wantStatuses("OL", "OB", "LB OB")
	p.Kill()
	if code := b.kill(); code != 0 {
		t.Errorf("exit %d", code)
	}
	b.run(5 * time.Second)
	if b.body.Outlet() {
		t.Error("SD did not switch the load off")
	}
}

func TestBadOptionsEndTheDriver(t *testing.T) {
	tests := []struct{ conf, want string }{
		{"", "upstype is missing"},
		{"upstype = 24", "upstype: \"24\": want a whole number, 0 to 23"},
		{"upstype = x", "want a whole number"},
		{"upstype = 1\nOL = DTR", "ups.conf:5:1: OL: \"DTR\": \"DTR\": want CTS, DCD, RNG, DSR"},
		{"upstype = 1\nSD = CTS", "want DTR, RTS, ST, or NULL"},
		{"upstype = 1\nmybattlow = 5", "mybattlow: no such key"},
	}
	for _, tt := range tests {
		b := newBench(t, power.Spec{}, contact.Options{}, tt.conf)
		p := b.start("-D")
		if status, ended := p.Status(); !ended || status != 1 {
			t.Errorf("%q: exit %d, ended %v; want 1", tt.conf, status, ended)
		}
		b.wantLog(tt.want)
	}
}

// Each model stands in a line of its own.
func TestHelpListsTheModels(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 7}, typed(7))
	b.start("-h")
	for i, c := range driven.Cables {
		want := fmt.Sprintf("%d %s", i, c.Description)
		if !slices.ContainsFunc(b.log, func(l string) bool { return strings.TrimSpace(l) == want }) {
			t.Errorf("the help has no line %q", want)
		}
	}
}

func TestReplaceBatteryAndBypass(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 23}, typed(23))
	b.start()
	b.dev.SetBypass(true)
	b.run(5 * time.Second)
	b.body.SetBroken(b.now(), true)
	b.body.StartTest(b.now(), time.Minute)
	b.run(5 * time.Second)
	b.dev.SetBypass(false)
	b.run(5 * time.Second)
	b.wantStatuses("OL", "OL BYPASS", "OL RB BYPASS", "OL RB")
}

func TestAnUnpluggedPortIsStaleAndComesBack(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 7}, typed(7))
	b.start()
	b.cable.SetFault(b.now(), serve.Unplug, 0)
	b.run(30 * time.Second)
	b.cable.ClearFault(b.now(), serve.Unplug)
	b.run(30 * time.Second)
	b.wantStatuses("OL")
	data := slices.DeleteFunc(slices.Clone(b.events), func(e string) bool { return !strings.HasPrefix(e, "data ") })
	if len(data) != 3 || !strings.Contains(data[1], "stale") || !strings.Contains(data[2], "fresh") {
		t.Errorf("data was %q; want fresh, stale, fresh", data)
	}
}

func TestAPortWithoutModemLinesIsRefused(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{}, typed(1))
	b.cable = serve.NewCable(new(porttest.Device), serve.Options{Now: b.now})
	p := b.start("-D")
	if status, ended := p.Status(); !ended || status != 1 {
		t.Errorf("exit %d, ended %v; want 1", status, ended)
	}
	b.wantLog("/dev/ttyS0: the port has no modem lines: a pseudo-terminal has none")
}

func TestAGlitchIsNoOutage(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 4}, typed(4))
	b.start()
	b.cable.SetFault(b.now(), serve.Noise, 0)
	b.run(20 * time.Minute)
	b.wantStatuses("OL")
	b.body.SetMains(b.now(), 0)
	b.run(20 * time.Second)
	b.wantStatuses("OL", "OB")
}

func TestAPowerDipIsAnOutage(t *testing.T) {
	b := newBench(t, power.Spec{}, contact.Options{Type: 4}, typed(4))
	b.start()
	b.body.SetMains(b.now(), 0)
	b.run(2500 * time.Millisecond)
	b.body.SetMains(b.now(), 230_000)
	b.run(5 * time.Second)
	b.wantStatuses("OL", "OB", "OL")
}

func TestOnLinePowerTheLoadStaysOnAndThatIsAnError(t *testing.T) {
	for _, i := range []int{1, 2, 4, 15} { // by RTS, by both, by none, by a break
		spec := power.Spec{Kill: power.OnBattOnly}
		b := newBench(t, spec, contact.Options{Type: i}, typed(i))
		if code := b.kill(); code == 0 {
			t.Errorf("type %d: exit 0 although the load stays on", i)
		}
		b.wantLog("the load is still on: shutdown.default: line power is there")
		b.body.SetMains(b.now(), 0)
		b.run(time.Minute)
		if !b.body.Outlet() {
			t.Errorf("type %d: the levels were left behind, and the next outage found them", i)
		}
	}
}

func TestUnitsThatObeyOnLinePowerAreSwitchedOff(t *testing.T) {
	b := newBench(t, power.Spec{Kill: power.Cycle}, contact.Options{Type: 3}, typed(3))
	b.h.Start("genericups", []string{"-a", "closet", "-k"})
	b.run(4 * time.Second)
	if b.body.Outlet() {
		t.Error("a unit that drops its relay on mains was not asked to")
	}
}

func TestMainsThatReturnBeforeTheCutAreNoticed(t *testing.T) {
	for _, i := range []int{0, 1, 2, 4, 15} {
		spec := power.Spec{Kill: power.OnBattOnly}
		b := newBench(t, spec, contact.Options{Type: i, Hold: time.Second, Delay: 8 * time.Second},
			typed(i)+"\nsdtime = 15")
		b.outage()
		p := b.h.Start("genericups", []string{"-a", "closet", "-k"})
		b.run(6 * time.Second)
		b.body.SetMains(b.now(), 230_000)
		b.run(20 * time.Second)
		if status, ended := p.Status(); !ended || status == 0 || !b.body.Outlet() {
			t.Errorf("type %d: exit %d, ended %v, outlet %v; want an error: the load stays on",
				i, status, ended, b.body.Outlet())
		}
	}
}

func TestASlowUnitIsCutAfterSdtime(t *testing.T) {
	b := newBench(t, power.Spec{Kill: power.OnBattOnly},
		contact.Options{Type: 1, Hold: 5 * time.Second, Delay: 10 * time.Second}, typed(1)+"\nsdtime = 3")
	b.outage()
	if code := b.kill(); code != 0 {
		t.Errorf("exit %d", code)
	}
	b.run(20 * time.Second)
	if b.body.Outlet() {
		t.Error("the levels did not stay when the program ended")
	}
}

func TestARunningDriverTakesBackAnOrderThatCameToNothing(t *testing.T) {
	b := newBench(t, power.Spec{Kill: power.None}, contact.Options{Type: 1}, typed(1)+"\nallow_killpower")
	b.start()
	b.outage()
	if code := b.kill(); code != 0 { // goes through the running driver
		t.Errorf("exit %d", code)
	}
	b.wantLog("the running driver has switched the load off")
	b.body.SetMains(b.now(), 230_000)
	b.run(30 * time.Second)
	b.wantStatuses("OL", "OB", "LB OB")
	b.run(40 * time.Second)
	b.wantStatuses("OL", "OB", "LB OB", "LB OL")
	if seen := b.dev.Seen(); seen[len(seen)-1] != "DTR rts" {
		t.Errorf("the outputs are %q; want the cable power of before", seen[len(seen)-1])
	}
}

// ports are those of the bench's cable, whichever that is by now.
type ports struct{ b *bench }

func (p ports) USB(env.Env, string, transport.USBWant) (transport.USB, error) {
	return nil, transport.ErrNoUSB
}

func (p ports) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	s, err := serve.Ports{"/dev/ttyS0": p.b.cable}.Serial(e, name, m)
	if err == nil {
		world.AtExit(e, func() { s.Close() })
	}
	return s, err
}
