package scenarios_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Everything comes back: whatever the instant at which the mains return, from the decision to shut
// down on, no host stays off and none that runs is cut.
//
//	-30 s  the mains fail; what is left in the battery lasts for three minutes
//	  0 s  the host is told to halt
//	 15 s  it runs upsdrvctl shutdown
//	  ?    the mains return: each tenth of a second up to ten minutes
//	900 s  the last look

const (
	returnStep = 100 * time.Millisecond
	returnSpan = 10 * time.Minute
	lastReturn = 15 * time.Minute
)

// decisive is the time in which most happens: the host halts, the unit is found and told, it goes
// off.
const decisive = 50 * time.Second

// A comeback is a unit as what it can do, its driver, and the host that hangs on it.
type comeback struct {
	name   string
	driver string // the program
	conf   string // what ups.conf says of the unit, besides driver, port and poll interval
	spec   power.Spec
	face   func(*power.UPS) site.Face
	bridge string // the chip that makes a USB device of it; "" for none
	// before is what is done to the unit before the halt.
	before func(body *power.UPS, now time.Duration)

	fallback time.Duration // the host reboots so long after its halt when its power stays
	refused  bool          // or at once, when the unit could not be told
	// killer is the driver with a kill-power run by other rules than ours.
	killer func(serve.Port) env.Main
}

// away is one world. It returns whether the host is off at the end, and how often it was cut while
// it ran.
func (c comeback) away(returns time.Duration) (off bool, cuts int, err error) {
	replace := map[string]env.Main{ // upsmon -K: yes, the load is to be cut
		"upsmon": func(env.Env, []string) int { return 0 },
	}
	s := rung.NewSim(rung.SimOptions{Replace: replace})
	room := s.Site()
	if err := room.AddFeed("a"); err != nil {
		return false, 0, err
	}
	ups, err := room.AddUPS("rack", "a", c.spec, c.face)
	if err != nil {
		return false, 0, err
	}
	port := "ser0"
	if c.bridge != "" {
		port = "usb0"
		if err := room.Bridge(ups, func(f serve.Face) (gadget.Gadget, error) {
			return bridge.New(c.bridge, f, bridge.Options{})
		}); err != nil {
			return false, 0, err
		}
	}
	m := &site.Machine{Name: "alpha", Supplies: []site.Supply{{Source: "rack", N: 1}}, Steady: true,
		Fallback: c.fallback, Refused: c.refused, Services: []string{"driver:rack"}}
	if err := room.AddMachine(m); err != nil {
		return false, 0, err
	}
	if c.killer != nil {
		replace[c.driver] = c.killer(ups.Cable)
	}
	err = s.Start(rung.Plan{
		Files: []rung.File{{Host: "alpha", Name: "ups.conf", Text: fmt.Sprintf(
			"[rack]\ndriver = %s\nport = @%s@\npollinterval = 600\n%s\n", c.driver, port, c.conf)}},
		Cables: []rung.Cable{{UPS: "rack", Host: "alpha", Port: port}},
	})
	pass := func(d time.Duration) {
		if err == nil {
			_, err = s.Wait(d, func() bool { return false })
		}
	}
	pass(30 * time.Second)
	room.SetMains(room.Feed("a"), 0)
	ups.Body.SetBattery(time.Duration(s.Now()), 35)
	pass(30 * time.Second)
	if c.before != nil {
		c.before(ups.Body, time.Duration(s.Now()))
	}
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

// cutsIn counts how often the power went away under a running host. One that is on its way down
// runs until it has given the order: by then its disks are at rest.
func cutsIn(trace []env.Event) (n int) {
	state, ordered := "", false
	for _, ev := range trace {
		switch {
		case ev.Kind == env.Device:
			ordered = true
		case ev.Kind == env.Machine:
			down := state == site.Halted || state == site.Stopping && ordered
			if ev.Value == site.Off && ev.Why == "power lost" && !down {
				n++
			}
			state, ordered = ev.Value, ordered && ev.Value != site.Stopping
		}
	}
	return n
}

// crowd is how many models of a family are many: each then gets few of the instants, and not those
// of its neighbours.
const crowd = 15

// returns are the instants at which the mains return for one of many models. They are thinned out,
// unless BLACKSTART_SWEEP is full: more after the decisive time, in short runs, and for a crowd.
func returns(model, models int) []time.Duration {
	early, late := 3, 61
	switch {
	case os.Getenv("BLACKSTART_SWEEP") == "full":
		early, late = 1, 1
	case testing.Short(): // the race detector keeps a megabyte of each world that ever was
		early, late = 211, 1999
	case models > crowd:
		early, late = 23, 211
	}
	var all []time.Duration
	for i := model % early; i <= int(returnSpan/returnStep); {
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

// The fates are what came of all instants.
type fates struct {
	instants, left, cut int
	first               string // that went wrong
}

// sweep lets the mains return at every instant.
func (c comeback) sweep(instants []time.Duration) (all fates) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan time.Duration)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for at := range work {
				off, cuts, err := c.away(at)
				mu.Lock()
				all.instants++
				all.cut += cuts
				if off {
					all.left++
				}
				if (off || cuts > 0 || err != nil) && all.first == "" {
					all.first = fmt.Sprintf("mains return at %v: off %v, cuts %d, %v",
						at, off, cuts, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, at := range instants {
		work <- at
	}
	close(work)
	wg.Wait()
	return all
}

// sweepAll sweeps all, prints what came of each, and returns that and the sum.
func sweepAll(t *testing.T, all []comeback) (each []fates, sum fates) {
	t.Helper()
	for i, c := range all {
		got := c.sweep(returns(i, len(all)))
		t.Logf("%-72s %d instants, left off %d, cut %d", c.name, got.instants, got.left, got.cut)
		each = append(each, got)
		if got.first != "" && sum.first == "" {
			sum.first = c.name + ": " + got.first
		}
		sum.instants += got.instants
		sum.left += got.left
		sum.cut += got.cut
	}
	t.Logf("%d models, %d instants, left off %d, cut %d", len(all), sum.instants, sum.left, sum.cut)
	return each, sum
}

// allComeBack wants every host back and none cut.
func allComeBack(t *testing.T, all []comeback) {
	t.Helper()
	if _, sum := sweepAll(t, all); sum.first != "" {
		t.Errorf("not all come back; the first: %s", sum.first)
	}
}

// someStayOff sweeps by rules that leave hosts off: where none is, the sweep proves nothing.
func someStayOff(t *testing.T, all []comeback) {
	t.Helper()
	if _, sum := sweepAll(t, all); sum.left == 0 {
		t.Error("no host is left off by the C driver's rules")
	}
}
