package scenarios_test

import (
	"slices"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// APC's smart signalling: the host stays halted as long as its power does. Only a full cycle of the
// outlet brings it back.

// apcUnits are units, as what they can do.
var apcUnits = []struct {
	name string
	opt  apcsmart.Options
	spec power.Spec
}{
	{"smart-ups", apcsmart.Options{}, power.Spec{}},
	{"smart-ups that says *", apcsmart.Options{Star: true}, power.Spec{}},
	{"smart-ups that breaks into answers", apcsmart.Options{Rude: true}, power.Spec{}},
	{"smart-ups, mute while off", apcsmart.Options{}, power.Spec{DeepSleep: true}},
	{"old", apcsmart.Options{Model: apcsmart.OldUPS}, power.Spec{}},
	{"matrix", apcsmart.Options{Model: apcsmart.Matrix}, power.Spec{}},
	{"cs", apcsmart.Options{Model: apcsmart.BackCS}, power.Spec{}},
	{"unknown", apcsmart.Options{Model: apcsmart.Unknown}, power.Spec{}},
}

func apcComebacks() (all []comeback) {
	for _, u := range apcUnits {
		all = append(all, comeback{name: u.name, driver: "apcsmart", spec: u.spec,
			face: func(body *power.UPS) site.Face { return apcsmart.New(body, u.opt) }})
	}
	return all
}

// killBySoft is apcsmart whose kill-power run goes by the C driver's rules: it cannot read the
// status, takes the unit for one on battery, sends S, and is content with any answer.
func killBySoft(cable serve.Port) env.Main {
	ours := driver.Main(drivers.All, serve.Ports{"/dev/ser0": cable}, "apcsmart")
	return func(e env.Env, args []string) int {
		if !slices.Contains(args, "-k") {
			return ours(e, args)
		}
		port, err := cable.(*serve.Cable).OpenMode(e, transport.Mode{})
		if err != nil {
			return 1
		}
		defer port.Close()
		for _, cmd := range []string{"Y", "Q", "S"} {
			if _, err := port.Write(e, []byte(cmd)); err != nil {
				return 1
			}
			e.Sleep(500 * time.Millisecond)
		}
		return 0
	}
}

func TestEverythingComesBackWithSmartSignalling(t *testing.T) { allComeBack(t, apcComebacks()) }

// The C driver's rules: S alone leaves the host off when the mains are back before it.
func TestSoftHibernationAloneLeavesHostsOff(t *testing.T) {
	all := apcComebacks()
	for i := range all {
		all[i].killer = killBySoft
	}
	someStayOff(t, all)
}
