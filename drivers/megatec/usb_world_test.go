package megatec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bridged unit: the kind of its bridge, what ups.conf must say, the dialect behind it, as what it
// is found, and by which command the power is killed.
type bridged struct {
	kind, conf, dialect, title string
	kill                       string // last on the serial side; "": the bridge cannot
	wide                       bool
}

func (u bridged) name() string {
	if u.wide {
		return u.kind + " wide"
	}
	return u.kind
}

var bridgedUnits = []bridged{
	{kind: "cypress", title: "Megatec", kill: "S.5R0003"},
	{kind: "phoenixtec", title: "Megatec", kill: "S.5R0003"},
	{kind: "phoenix", title: "Megatec", kill: "S.5R0003"},
	{kind: "ippon", title: "Megatec", kill: "S.5R0003"},
	{kind: "omron", dialect: "omron", title: "Omron", kill: "S.5"},
	{kind: "krauler", title: "Megatec", kill: "S01"},
	{kind: "fabula", title: "Megatec", kill: "S.5"},
	{kind: "hunnox", title: "Megatec", kill: "S.5"},
	{kind: "fuji", title: "Megatec", kill: "S.5"},
	{kind: "sgs", title: "Megatec", kill: "S.5R0003"},
	{kind: "snr", title: "Megatec", conf: "subdriver = snr\nvendorid = 0001\nproductid = 0000"},
	{kind: "ablerex", dialect: "ablerex", title: "Megatec", kill: "S.5R0003"},
	{kind: "armac", title: "Megatec", kill: "S.5R0003"},
	{kind: "armac", title: "Megatec", kill: "S.5R0003", wide: true},
	{kind: "gtec", dialect: "gtec", title: "Gtec", kill: "S.5R0003",
		conf: "subdriver = gtec\nvendorid = 0665\nproductid = 5161"},
}

// plugIn is newBench with the unit behind a bridge.
func (u bridged) plugIn(t testing.TB, spec power.Spec, o bridge.Options) *bench {
	t.Helper()
	b := newBench(t, spec, megatec.Options{Dialect: u.dialect})
	o.Wide = u.wide
	chip, err := bridge.New(u.kind, b.dev, o)
	if err != nil {
		t.Fatal(err)
	}
	b.insert(chip)
	b.conf("nutdrv_qx", u.conf)
	return b
}

// insert plugs a device in.
func (b *bench) insert(g gadget.Gadget) {
	b.port, b.cable = transport.Auto, serve.NewPlug(g, serve.Options{Now: b.now})
}

// eachBridge runs a test for each kind of bridge.
func eachBridge(t *testing.T, f func(t *testing.T, u bridged)) {
	for _, kind := range bridge.Kinds() {
		if !slices.ContainsFunc(bridgedUnits, func(u bridged) bool { return u.kind == kind }) {
			t.Errorf("no unit behind a bridge of the kind %s", kind)
		}
	}
	for _, u := range bridgedUnits {
		t.Run(u.name(), func(t *testing.T) { f(t, u) })
	}
}

func TestEachBridgeIsFound(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		b := u.plugIn(t, power.Spec{}, bridge.Options{})
		got := b.dump("nutdrv_qx")
		if !strings.HasPrefix(got["driver.version.data"], u.title+" ") || got["ups.status"] != "OL" {
			t.Fatalf("found as %q, status %q; want %s, OL\n%s", got["driver.version.data"],
				got["ups.status"], u.title, strings.Join(b.log, "\n"))
		}
		g, _ := bridge.New(u.kind, b.dev, bridge.Options{})
		d := g.Descriptors()
		if v, p := got["ups.vendorid"], got["ups.productid"]; v != fmt.Sprintf("%04x", d.VendorID) ||
			p != fmt.Sprintf("%04x", d.ProductID) {
			t.Errorf("ups.vendorid %q, ups.productid %q, want %04x, %04x", v, p, d.VendorID, d.ProductID)
		}
		for _, name := range []string{"input.voltage", "output.voltage", "battery.voltage", "battery.voltage.nominal"} {
			if got[name] == "" {
				t.Errorf("no %s among %v", name, got)
			}
		}
	})
}

// An outage over each bridge, with a kill-power run where the bridge can carry one.
func TestOutageOverEachBridge(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		b := u.plugIn(t, power.Spec{Runtime: 5 * time.Minute, Low: time.Minute}, bridge.Options{})
		b.start("nutdrv_qx")
		b.run(40 * time.Second)
		b.body.SetMains(b.now(), 0)
		at := b.now()
		for !strings.Contains(strings.Join(b.statuses(), ","), "OB") && b.now() < at+time.Minute {
			b.run(100 * time.Millisecond)
		}
		if took := b.now() - at; took > 9*time.Second {
			t.Errorf("OB after %v", took)
		}
		b.run(260*time.Second - (b.now() - at))
		if last := b.statuses(); !strings.Contains(last[len(last)-1], "OB LB") {
			t.Fatalf("statuses %q, want OB LB at last", last)
		}
		kill := b.start("nutdrv_qx", "-k")
		b.run(12 * time.Second)
		if u.kill == "" {
			b.wantEvents("kill shutdown.default=refused")
			return
		}
		b.wantExit(kill, 0)
		if seen := b.dev.Seen(); !slices.Contains(seen, u.kill) {
			t.Errorf("the unit saw %q, want %s", seen, u.kill)
		}
		b.run(40 * time.Second)
		if b.body.Outlet() {
			t.Fatal("the outlet is still on")
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

// People learn that a bridge cannot switch the load off when the driver starts, and once.
func TestBridgeThatCannotKillThePower(t *testing.T) {
	for _, tt := range []struct{ kind, conf, says string }{
		{"krauler", "stayoff", "cannot carry shutdown.stayoff (S.5R0000)"},
		{"krauler", "", ""},
		{"snr", "", "cannot carry shutdown.return (S.5R0003)"},
		{"fuji", "stayoff", "cannot carry shutdown.stayoff (S.5R0000)"},
		{"fuji", "", ""},
		{"snr", "sdcommands = shutdown.stop", ""},
		{"cypress", "", ""},
	} {
		u := bridgedUnits[slices.IndexFunc(bridgedUnits, func(u bridged) bool { return u.kind == tt.kind })]
		b := u.plugIn(t, power.Spec{}, bridge.Options{})
		b.conf("nutdrv_qx", u.conf+"\n"+tt.conf)
		b.start("nutdrv_qx")
		b.run(20 * time.Second)
		b.cable.SetFault(b.now(), serve.Reset, 0)
		b.run(40 * time.Second)
		said := strings.Join(b.log, "\n")
		want := 1
		if tt.says == "" {
			want = 0
		}
		if n := strings.Count(said, "will not switch the load off"); n != want || !strings.Contains(said, tt.says) {
			t.Errorf("%s, %q: said %q, want %q once or never", tt.kind, tt.conf, said, tt.says)
		}
	}
}

// A kill-power run on a device that nobody drives, one that leaves the bus with the command, and one
// that does so while a driver has it.
func TestKillPowerOverEachBridge(t *testing.T) {
	for _, how := range []struct {
		name              string
		vanishes, running bool
	}{{"alone", false, false}, {"vanishing", true, false}, {"vanishing from a driver", true, true}} {
		eachBridge(t, func(t *testing.T, u bridged) {
			if u.kill == "" {
				return
			}
			b := u.plugIn(t, power.Spec{}, bridge.Options{})
			if how.vanishes {
				chip, _ := bridge.New(u.kind, &leaver{Face: b.dev, on: u.kill, leave: func() {
					b.cable.SetFault(b.now(), serve.Unplug, time.Minute)
				}}, bridge.Options{Wide: u.wide})
				b.insert(chip)
			}
			var running *world.Process
			if how.running {
				running = b.start("nutdrv_qx")
				b.run(30 * time.Second)
			}
			p := b.start("nutdrv_qx", "-k")
			for at := b.now(); b.body.Outlet() && b.now() < at+2*time.Minute; {
				b.run(time.Second)
			}
			b.wantExit(p, 0)
			if b.body.Outlet() {
				t.Errorf("%s: the outlet was not cut", how.name)
			}
			if !how.running {
				return
			}
			b.run(2 * time.Minute)
			if _, ended := running.Status(); ended {
				t.Errorf("%s: the running driver has ended", how.name)
			}
			b.wantEvents("kill shutdown.default=", "port =gone", "port =open", "data =fresh")
		})
	}
}

// A leaver takes itself off the bus as soon as it has a certain command.
type leaver struct {
	serve.Face
	on    string
	leave func()
}

func (l *leaver) Receive(now time.Duration, p []byte) []byte {
	answer := l.Face.Receive(now, p)
	if strings.TrimSpace(string(p)) == l.on {
		l.leave()
	}
	return answer
}

func TestBridgeIsFoundAgain(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		for _, f := range []serve.Fault{serve.Unplug, serve.Reset} {
			b := u.plugIn(t, power.Spec{}, bridge.Options{})
			p := b.start("nutdrv_qx")
			b.run(40 * time.Second)
			b.events = nil
			b.cable.SetFault(b.now(), f, time.Minute)
			b.run(5 * time.Second)
			b.wantEvents("port =gone", "data =stale")
			b.run(90 * time.Second)
			b.wantEvents("data =stale", "port =open", "data =fresh")
			if _, ended := p.Status(); ended {
				t.Error("the driver has ended")
			}
		}
	})
}

func TestSilentUnitBehindEachBridge(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		b := u.plugIn(t, power.Spec{}, bridge.Options{})
		b.start("nutdrv_qx")
		b.run(40 * time.Second)
		b.events = nil
		b.cable.SetFault(b.now(), serve.Silent, 0)
		stale := func(e string) bool { return strings.HasPrefix(e, "data =stale") }
		at := b.now()
		for b.now() < at+18*time.Second && !slices.ContainsFunc(b.events, stale) {
			b.run(100 * time.Millisecond)
		}
		b.wantEvents("data =stale")
		t.Logf("%s: stale after %v", u.name(), b.now()-at)
		b.run(time.Hour)
		b.cable.ClearFault(b.now(), serve.Silent)
		b.run(45 * time.Second)
		b.wantEvents("data =stale", "port =open", "data =fresh")
	})
}

// usbFaults are all that can be wrong with a device on USB while it is driven.
var usbFaults = []serve.Fault{serve.Silent, serve.Mute, serve.Garbage, serve.Noise, serve.Truncate,
	serve.Slow, serve.Unplug, serve.Halt, serve.Overflow, serve.Reset, serve.Busy, serve.Denied}

// Every fault of USB at every phase, for every bridge: as TestFaultMatrix.
func TestFaultMatrixOfBridges(t *testing.T) {
	cells := 0
	eachBridge(t, func(t *testing.T, u bridged) {
		for _, p := range phases {
			for _, f := range usbFaults {
				cells++
				t.Run(p.name+" "+f.String(), func(t *testing.T) {
					b := u.plugIn(t, power.Spec{}, bridge.Options{})
					b.fault(p.name, p.after, p.then, f, u.stales(f))
				})
			}
		}
	})
	t.Logf("%d cells: %d bridges, %d phases, %d faults",
		cells, len(bridgedUnits), len(phases), len(usbFaults))
}

// stales reports whether a fault keeps a driver from reading a unit.
func (u bridged) stales(f serve.Fault) bool {
	switch f {
	case serve.Noise, serve.Halt, serve.Reset, serve.Busy, serve.Denied:
		return false // it is read all the same
	}
	return true
}

// A tally is ports that count the transfers of the devices that were opened.
type tally struct {
	transport.Ports
	n     int
	spent time.Duration
}

func (c *tally) USB(e env.Env, name string, w transport.USBWant) (transport.USB, error) {
	u, err := c.Ports.USB(e, name, w)
	return counted{u, c}, err
}

type counted struct {
	transport.USB
	c *tally
}

func (u counted) Control(e env.Env, s transport.USBSetup, data []byte, until env.Instant) (int, error) {
	defer u.c.count(e, e.Now())
	return u.USB.Control(e, s, data, until)
}

func (u counted) Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	defer u.c.count(e, e.Now())
	return u.USB.Interrupt(e, endpoint, data, until)
}

func (c *tally) count(e env.Env, since env.Instant) {
	c.n++
	c.spent += e.Now().Sub(since)
}

// pollTransfers are how many transfers a poll takes: the least that carries Q1 and its reply, and
// what comes on top because the bridge, as NUT treats it, wants it.
var pollTransfers = map[string]struct {
	least, more int
	why         string
}{
	"cypress":    {1 + 6, 0, ""},
	"phoenixtec": {1 + 1, 0, ""},
	"phoenix":    {1 + 6, 7, "an older reply is fetched, until there is nothing"},
	"ippon":      {1 + 1, 0, ""},
	"omron":      {1 + 1, 0, ""},
	"krauler":    {1, 1, "the language"},
	"fabula":     {1, 1, "the language"},
	"hunnox":     {1, 2, "the language; another text"},
	"fuji":       {1 + 6, 0, ""},
	"sgs":        {1 + 7, 0, ""},
	"snr":        {1, 1, "a read that wakes it"},
	"ablerex":    {1 + 1, 0, ""},
	"armac":      {1 + 10, 12, "the end of the last reply is fetched; packets go as the bytes come"},
	"armac wide": {1 + 1, 0, ""},
	"gtec":       {1 + 1, 0, ""},
}

func TestTransfersPerPoll(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		b := u.plugIn(t, power.Spec{}, bridge.Options{})
		c := &tally{Ports: serve.Ports{b.port: b.cable}}
		b.conf("nutdrv_qx", u.conf+"\npollfreq = 3600")
		b.h.StartMain("nutdrv_qx", func(e env.Env, _ []string) int {
			return driver.Main(drivers.All, c, "nutdrv_qx")(e, []string{"-a", "office"})
		})
		b.run(time.Minute)
		before := *c
		b.run(20 * time.Minute)
		polls := b.polls(20 * time.Minute)
		got, spent := float64(c.n-before.n)/polls, (c.spent-before.spent)/time.Duration(polls)
		want := pollTransfers[u.name()]
		least, most := float64(want.least), float64(want.least+want.more)
		if got < least-0.05 || got > most+0.05 {
			t.Errorf("%.2f transfers per poll; want %v to %v: %s", got, least, most, want.why)
		}
		t.Logf("%-10s %5.2f transfers per poll, the least is %d (%s); %v on the wire", u.name(), got,
			want.least, want.why, spent.Round(time.Millisecond))
	})
}

// polls is how many polls a healthy driver makes in d.
func (b *bench) polls(d time.Duration) float64 { return float64(d / (2 * time.Second)) }
