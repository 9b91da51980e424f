package scenarios_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Everything comes back, for APC's smart signalling: the same as with contact closures, but the host
// stays halted as long as its power does. Only a full cycle of the outlet brings it back.

// An apcKind is a unit, as what it can do.
type apcKind struct {
	name string
	opt  apcsmart.Options
	spec power.Spec
}

var apcUnits = []apcKind{
	{"smart-ups", apcsmart.Options{}, power.Spec{}},
	{"smart-ups that says *", apcsmart.Options{Star: true}, power.Spec{}},
	{"smart-ups that breaks into answers", apcsmart.Options{Rude: true}, power.Spec{}},
	{"smart-ups, mute while off", apcsmart.Options{}, power.Spec{DeepSleep: true}},
	{"old", apcsmart.Options{Model: apcsmart.OldUPS}, power.Spec{}},
	{"matrix", apcsmart.Options{Model: apcsmart.Matrix}, power.Spec{}},
	{"cs", apcsmart.Options{Model: apcsmart.BackCS}, power.Spec{}},
	{"unknown", apcsmart.Options{Model: apcsmart.Unknown}, power.Spec{}},
}

// apcWorld is one world. It returns whether the host is off at the end, and how often it was cut
// while it ran. asNUT is a kill-power run by the C driver's rules.
func apcWorld(k apcKind, asNUT bool, returns time.Duration) (off bool, cuts int, err error) {
	replace := map[string]env.Main{ // upsmon -K: yes, the load is to be cut
		"upsmon": func(env.Env, []string) int { return 0 },
	}
	s := rung.NewSim(rung.SimOptions{Replace: replace})
	room := s.Site()
	if err := room.AddFeed("a"); err != nil {
		return false, 0, err
	}
	face := func(u *power.UPS) site.Face { return apcsmart.New(u, k.opt) }
	if _, err := room.AddUPS("rack", "a", k.spec, face); err != nil {
		return false, 0, err
	}
	m := &site.Machine{Name: "alpha", Supplies: []site.Supply{{Source: "rack", N: 1}}, Steady: true,
		Services: []string{"driver:rack"}}
	if err := room.AddMachine(m); err != nil {
		return false, 0, err
	}
	if asNUT {
		replace["apcsmart"] = killBySoft(room.UPS("rack").Cable)
	}
	err = s.Start(rung.Plan{
		Files: []rung.File{{Host: "alpha", Name: "ups.conf",
			Text: "[rack]\ndriver = apcsmart\nport = @ser0@\npollinterval = 60\n"}},
		Cables: []rung.Cable{{UPS: "rack", Host: "alpha", Port: "ser0"}},
	})
	pass := func(d time.Duration) {
		if err == nil {
			_, err = s.Wait(d, func() bool { return false })
		}
	}
	pass(30 * time.Second)
	room.SetMains(room.Feed("a"), 0)
	room.UPS("rack").Body.SetBattery(time.Duration(s.Now()), 35)
	pass(30 * time.Second)
	m.Press("halt")
	pass(returns)
	room.SetMains(room.Feed("a"), site.GoodMains)
	pass(lastReturn - returns)
	off, cuts = m.State() != site.Up, cutsIn(s.Trace())
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	return off, cuts, err
}

// killBySoft is apcsmart whose kill-power run goes by the C driver's rules: it cannot read the
// status, takes the unit for one on battery, sends S, and is content with any answer.
func killBySoft(cable *serve.Cable) env.Main {
	ours := driver.Main(drivers.All, serve.Ports{"/dev/ser0": cable}, "apcsmart")
	return func(e env.Env, args []string) int {
		if !slices.Contains(args, "-k") {
			return ours(e, args)
		}
		port, err := cable.OpenMode(e, transport.Mode{})
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

// decisive is the time in which something happens: the host halts (15 s), the unit is looked at and
// told (8 s), it goes off (20 s).
const decisive = 50 * time.Second

// apcInstants are the instants at which the mains return. After the decisive time they are thinned
// out, unless BLACKSTART_SWEEP is full; in short runs before it too.
func apcInstants() []time.Duration {
	early, late := 1, 37
	switch {
	case os.Getenv("BLACKSTART_SWEEP") == "full":
		late = 1
	case testing.Short():
		early = 7
	}
	var all []time.Duration
	for i := 0; i <= int(returnSpan/returnStep); {
		at := time.Duration(i) * returnStep
		all = append(all, at)
		if at < decisive {
			i += early
		} else {
			i += late
		}
	}
	return all
}

// apcSweep lets the mains return at every instant.
func apcSweep(k apcKind, asNUT bool) (instants, left, cut int, first string) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan time.Duration)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for at := range work {
				off, cuts, err := apcWorld(k, asNUT, at)
				mu.Lock()
				instants, cut = instants+1, cut+cuts
				if off {
					left++
				}
				if (off || cuts > 0 || err != nil) && first == "" {
					first = fmt.Sprintf("mains return at %v: off %v, cuts %d, %v", at, off, cuts, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, at := range apcInstants() {
		work <- at
	}
	close(work)
	wg.Wait()
	return instants, left, cut, first
}

func TestEverythingComesBackWithSmartSignalling(t *testing.T) {
	sum := 0
	for _, k := range apcUnits {
		instants, left, cut, first := apcSweep(k, false)
		t.Logf("%-36s %d instants, left off %d, cut %d", k.name, instants, left, cut)
		if first != "" {
			t.Errorf("%s: %s", k.name, first)
		}
		sum += instants
	}
	t.Logf("%d instants", sum)
}

// The C driver's rules: S alone leaves the host off when the mains are back before it.
func TestSoftHibernationAloneLeavesHostsOff(t *testing.T) {
	_, left, cut, _ := apcSweep(apcUnits[0], true)
	t.Logf("left off %d, cut %d", left, cut)
	if left == 0 {
		t.Error("no host is left off by the C driver's rules: the sweep proves nothing")
	}
}
