package scenarios_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// The Megatec family: the host stays halted as long as its power does, and only a full cycle of the
// outlet brings it back; but some units go through no cycle on mains, or give it up when the mains
// return. No command helps there: they rest on the host's own reboot.

// A qxUnit is a unit, as what it can do, and how its driver is set up.
type qxUnit struct {
	name    string
	driver  string // nutdrv_qx when empty
	conf    string
	opt     megatec.Options
	spec    power.Spec
	pending bool   // somebody has ordered it off, for good, in five minutes
	nut     string // what the C driver sends in a kill-power run, a command to a line
}

// nutSends is what it is for most.
const nutSends = "C\nS.5R0003"

// comeback is the unit with a host that stays halted.
func (u qxUnit) comeback() comeback {
	c := comeback{name: u.name, driver: cmp.Or(u.driver, "nutdrv_qx"), conf: u.conf, spec: u.spec,
		face: func(body *power.UPS) site.Face { return megatec.New(body, u.opt) }}
	if u.pending {
		c.before = func(body *power.UPS, now time.Duration) {
			body.ScheduleOff(now, 5*time.Minute, 0, false)
		}
	}
	return c
}

// byNUT is the same with a kill-power run by the C driver's rules.
func (u qxUnit) byNUT() comeback {
	c := u.comeback()
	c.killer = func(cable serve.Port) env.Main {
		return killByQx(cable, c.driver, strings.Fields(cmp.Or(u.nut, nutSends)))
	}
	return c
}

// killByQx is a driver of the family whose kill-power run goes by the C driver's rules: each
// command up to three times, until the answer is silence or yes.
func killByQx(cable serve.Port, prog string, commands []string) env.Main {
	ours := driver.Main(drivers.All, serve.Ports{"/dev/ser0": cable}, prog)
	return func(e env.Env, args []string) int {
		if !slices.Contains(args, "-k") {
			return ours(e, args)
		}
		port, err := cable.(*serve.Cable).OpenMode(e, transport.Mode{Baud: 2400})
		if err != nil {
			return 1
		}
		defer port.Close()
		took := false
		for _, cmd := range commands {
			took = false
			for try := 0; try < 3 && !took; try++ {
				if _, err := port.Write(e, []byte(cmd+"\r")); err != nil {
					return 1
				}
				answer := make([]byte, 64)
				n, _ := port.Read(e, answer, e.Now().Add(time.Second))
				said := strings.TrimPrefix(string(answer[:n]), "(")
				took = n == 0 || strings.HasPrefix(said, "ACK") || strings.HasPrefix(said, "OK")
			}
		}
		if !took {
			return 1
		}
		return 0
	}
}

// qxOrders is what the C driver sends in dialects that are told otherwise.
var qxOrders = map[string]string{
	"voltronic":   "CS\nS.5R0003",
	"omron":       "C\nAn\nS.5",
	"hunnox":      "C\nS01", // its delays are others
	"masterguard": "C\nS.5R0180",
}

// qxDialects are units of all dialects that have a shutdown command; those of voltronic-axpert,
// which are solar inverters, have none.
func qxDialects() (all []qxUnit) {
	for _, name := range megatec.Dialects() {
		if name == "voltronic-axpert" {
			continue
		}
		u := qxUnit{name: name, opt: megatec.Options{Dialect: name}, nut: qxOrders[name]}
		if name == "omron" || name == "innovatae" || name == "hunnox" { // they are not looked for
			u.conf = "protocol = " + name
		}
		all = append(all, u)
	}
	return all
}

// with is the unit with another reaction.
func (u qxUnit) with(name string, f func(*qxUnit)) qxUnit {
	f(&u)
	u.name += ", " + name
	return u
}

// qxDelays are settings of the delays, in the units of a driver, with what the C driver makes of
// them.
var qxDelays = []struct{ name, qx, blazer, nut string }{
	{"delays as they come", "", "", nutSends},
	{"ondelay = 0", "ondelay = 0", "ondelay = 0", "C\nS.5"},
	{"least delays", "offdelay = 12\nondelay = 60", "offdelay = 12\nondelay = 1", "C\nS.2R0001"},
}

// qxReactions are how units differ that come back by themselves.
var qxReactions = []struct {
	name   string
	blazer bool // tried with blazer_ser, too, whose units are minutes
	is     func(*qxUnit)
}{
	{"does what the protocol says", true, func(*qxUnit) {}},
	{"one order pending, which C must cancel first", true,
		func(u *qxUnit) { u.pending, u.opt.Stubborn = true, true }},
	{"one order pending, which the next replaces", false, func(u *qxUnit) { u.pending = true }},
	{"does not know C", false, func(u *qxUnit) { u.opt.NoCancel = true }},
	{"does not know C, and says NAK", false,
		func(u *qxUnit) { u.opt.NoCancel, u.opt.Reject = true, megatec.Nak }},
	{"silent about what it does not know", false, func(u *qxUnit) {
		u.opt.NoCancel, u.opt.Reject, u.conf = true, megatec.Ignore, u.conf+"\nprotocol = megatec"
	}},
	{"does not know R", true, func(u *qxUnit) { u.opt.NoRestart = true }},
	{"comes back with the mains, whatever R says", false, func(u *qxUnit) { u.opt.Hasty = true }},
	{"waits for mains to return without R", true,
		func(u *qxUnit) { u.opt.Bare = megatec.BareWaits }},
	{"stays off without R", true, func(u *qxUnit) { u.opt.Bare = megatec.BareStays }},
	{"early firmware: off for good by a short R", true, func(u *qxUnit) { u.opt.Early = true }},
	{"mute while off", false, func(u *qxUnit) { u.spec.DeepSleep = true }},
}

// qxUnits are all units that bring the host back by themselves.
func qxUnits() []qxUnit {
	all := qxDialects()
	for _, u := range qxDialects() {
		if u.name != "megatec" {
			all = append(all, u.with("one order pending, which must be cancelled first",
				func(u *qxUnit) { u.pending, u.opt.Stubborn = true, true }))
		}
	}
	for _, u := range []qxUnit{
		{name: "masterguard", nut: "C\nS.5R0000"}, // seconds; 0 means to stay off
		{name: "voltronic", nut: "CS\nS.5"},
		{name: "mecer", nut: "C\nS.5"},
	} {
		u.opt.Dialect, u.opt.Bare, u.conf = u.name, megatec.BareWaits, "ondelay = 0"
		u.name += ", ondelay = 0, waits for mains to return without R"
		all = append(all, u)
	}
	for _, d := range qxDelays {
		for _, r := range qxReactions {
			u := qxUnit{name: "megatec, " + d.name, conf: d.qx, nut: d.nut}
			all = append(all, u.with(r.name, r.is))
			if r.blazer {
				b := qxUnit{name: "blazer_ser, " + d.name, driver: "blazer_ser", conf: d.blazer,
					nut: d.nut}
				all = append(all, b.with(r.name, r.is))
			}
		}
	}
	return all
}

// Behind a USB bridge a unit hears what the bridge makes of its orders. Only snr has no form for
// them: there the load stays on until the battery is empty, of which the driver warns when it
// starts.
func TestEverythingComesBackBehindUSBBridges(t *testing.T) {
	var all []comeback
	for _, kind := range bridge.Kinds() {
		u := qxUnit{name: kind}
		switch kind {
		case "snr":
			continue
		case "omron":
			u.opt.Dialect = kind
		case "gtec":
			u.conf = "subdriver = gtec\nvendorid = 0665\nproductid = 5161"
			u.opt.Dialect = kind
		}
		c := u.comeback()
		c.bridge = kind
		all = append(all, c)
	}
	allComeBack(t, all)
}

func TestEverythingComesBackWithMegatec(t *testing.T) {
	var all []comeback
	for _, u := range qxUnits() {
		all = append(all, u.comeback())
	}
	allComeBack(t, all)
}

// The C driver's rules send what is configured, whatever comes of it.
func TestNUTsMegatecOrdersLeaveHostsOff(t *testing.T) {
	var all []comeback
	for _, u := range qxUnits() {
		all = append(all, u.byNUT())
	}
	someStayOff(t, all)
}

// qxDeaf are the ways of units that no command brings to a full cycle at every instant.
var qxDeaf = []struct {
	name string
	kill power.KillMode
}{
	{"ignores orders on mains, drops them when they return", power.OnBattOnly},
	{"ignores orders on mains", power.Completes},
	{"drops orders when the mains return", power.Cancels},
}

// restingUnits are such units, of dialects that are told in different ways.
func restingUnits(name string, kill power.KillMode) (all []qxUnit) {
	for _, u := range qxDialects() {
		switch u.name {
		case "megatec", "masterguard", "bestups", "voltronic", "mecer", "omron":
			u.spec.Kill, u.name = kill, fmt.Sprintf("%-52s %s", name, u.name)
			all = append(all, u)
		}
	}
	return all
}

// acknowledges reports whether the unit says yes to orders, and no to those that it ignores.
func (u qxUnit) acknowledges() bool {
	return slices.Contains([]string{"voltronic", "mecer", "omron"}, u.opt.Dialect)
}

// A host on such a unit stays off at some instants when it stays halted: these models rest on its
// reboot a minute after the halt; or, where the unit says no, on one for that reason.
func TestMegatecUnitsThatRestOnTheHost(t *testing.T) {
	var halted, reboots, told []comeback
	for _, d := range qxDeaf {
		for _, u := range restingUnits(d.name, d.kill) {
			c := u.comeback()
			halted = append(halted, c)
			c.fallback = time.Minute
			reboots = append(reboots, c)
			if u.acknowledges() && d.kill == power.Completes {
				c.fallback, c.refused = 0, true
				told = append(told, c)
			}
		}
	}
	t.Log("the host stays halted")
	each, _ := sweepAll(t, halted)
	for i, got := range each {
		if got.left == 0 {
			t.Errorf("%s: it does not rest on the host", halted[i].name)
		}
	}
	t.Log("it reboots a minute after its halt")
	allComeBack(t, reboots)
	t.Log("it reboots when the unit refuses the order")
	allComeBack(t, told)
}
