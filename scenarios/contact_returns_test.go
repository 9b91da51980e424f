package scenarios_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	closures "github.com/blackstart-ups/blackstart/drivers/contact"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Everything comes back, for contact closures: whatever the instant at which the mains return, from
// the decision to shut down on, no host stays off and none that runs is cut.
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

// A closetKind is a unit, as what it can do.
type closetKind struct {
	name string
	kill power.KillMode
	opt  contact.Options
}

func seconds(hold, delay int, o contact.Options) contact.Options {
	o.Hold, o.Delay = time.Duration(hold)*time.Second, time.Duration(delay)*time.Second
	return o
}

var closetKinds = []closetKind{
	{"obeys on battery, at once", power.OnBattOnly, seconds(1, 0, contact.Options{Type: 2})},
	{"obeys on battery, slowly", power.OnBattOnly, seconds(3, 12, contact.Options{Type: 1})},
	{"obeys on battery, latches", power.OnBattOnly, seconds(1, 12, contact.Options{Type: 7, Latch: true})},
	{"obeys on battery, to a break", power.OnBattOnly, seconds(1, 3, contact.Options{Type: 15})},
	{"obeys on battery, to low lines", power.OnBattOnly, seconds(2, 5, contact.Options{Type: 4})},
	{"drops its relay on mains too", power.Cycle, seconds(1, 0, contact.Options{Type: 3})},
	{"drops it slowly, latches", power.Cycle, seconds(2, 10, contact.Options{Type: 6, Latch: true})},
}

// A closetHost is what the halting host does when its power stays.
type closetHost struct {
	name     string
	conf     string
	fallback time.Duration
	refused  bool
	asNUT    bool // the kill-power run goes by the C driver's rules
}

var closetHosts = []closetHost{
	{name: "reboots a minute after its halt", fallback: time.Minute},
	{name: "reboots when the kill-power run fails", conf: "sdtime = 20", refused: true},
}

// closet is one world. It returns whether the host is off at the end, and how often it was cut while
// it ran.
func closet(k closetKind, h closetHost, returns time.Duration) (off bool, cuts int, err error) {
	none := func(env.Env, []string) int { return 0 } // upsmon -K: yes, the load is to be cut
	replace := map[string]env.Main{"upsmon": none}
	ups := func(body *power.UPS) site.Face {
		d, newErr := contact.New(body, k.opt)
		if newErr != nil {
			panic(newErr)
		}
		return d
	}
	s := rung.NewSim(rung.SimOptions{Replace: replace})
	room := s.Site()
	if err := room.AddFeed("a"); err != nil {
		return false, 0, err
	}
	if _, err := room.AddUPS("closet", "a", power.Spec{Kill: k.kill}, ups); err != nil {
		return false, 0, err
	}
	m := &site.Machine{Name: "alpha", Supplies: []site.Supply{{Source: "closet", N: 1}}, Steady: true,
		Fallback: h.fallback, Refused: h.refused, Services: []string{"driver:closet"}}
	if err := room.AddMachine(m); err != nil {
		return false, 0, err
	}
	if cable := room.UPS("closet").Cable; h.asNUT {
		replace["genericups"] = killAsNUT(cable, closures.Cables[k.opt.Type])
	}
	conf := fmt.Sprintf("[closet]\ndriver = genericups\nport = @ser0@\nupstype = %d\n"+
		"pollinterval = 60\n%s\n", k.opt.Type, h.conf)
	err = s.Start(rung.Plan{
		Files:  []rung.File{{Host: "alpha", Name: "ups.conf", Text: conf}},
		Cables: []rung.Cable{{UPS: "closet", Host: "alpha", Port: "ser0"}},
	})
	pass := func(d time.Duration) {
		if err == nil {
			_, err = s.Wait(d, func() bool { return false })
		}
	}
	pass(30 * time.Second)
	room.SetMains(room.Feed("a"), 0)
	room.UPS("closet").Body.SetBattery(time.Duration(s.Now()), 35)
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

// cutsIn counts how often the power went away under a running host. One that is on its way down runs
// until it has given the order: by then its disks are at rest.
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

// A closetTally is what came of all instants of one kind and host.
type closetTally struct {
	instants, off, cut int
	first              string // that went wrong
}

// closetSweep lets the mains return at every instant; every thins them out.
func closetSweep(t *testing.T, k closetKind, h closetHost, every int) (all closetTally) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan time.Duration)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for at := range work {
				off, cuts, err := closet(k, h, at)
				mu.Lock()
				all.instants++
				all.cut += cuts
				if off {
					all.off++
				}
				if (off || cuts > 0 || err != nil) && all.first == "" {
					all.first = fmt.Sprintf("mains return at %v: off %v, cuts %d, %v", at, off, cuts, err)
				}
				mu.Unlock()
			}
		})
	}
	for i := 0; i <= int(returnSpan/returnStep); i += every {
		work <- time.Duration(i) * returnStep
	}
	close(work)
	wg.Wait()
	return all
}

// thinnedReturns is how many instants are left out in short runs; 37 and the periods of what happens
// have no common factor.
func thinnedReturns() int {
	if testing.Short() {
		return 37
	}
	return 1
}

func TestEverythingComesBackWithContactClosures(t *testing.T) {
	var sum closetTally
	for _, k := range closetKinds {
		for _, h := range closetHosts {
			got := closetSweep(t, k, h, thinnedReturns())
			t.Logf("%-32s host %-38s %d instants, left off %d, cut %d", k.name, h.name,
				got.instants, got.off, got.cut)
			if got.first != "" {
				t.Errorf("%s, host %s: %s", k.name, h.name, got.first)
			}
			sum.instants += got.instants
		}
	}
	t.Logf("%d instants", sum.instants)
}

// The C driver's rules, on hosts that stay halted: what the kill-power run knows of the mains decides.
func TestNUTsKillPowerRunLeavesHostsOff(t *testing.T) {
	host := closetHost{name: "stays halted, rules of NUT", asNUT: true, refused: true}
	left := 0
	for _, k := range closetKinds {
		got := closetSweep(t, k, host, thinnedReturns())
		t.Logf("%-32s host %-38s %d instants, left off %d, cut %d", k.name, host.name,
			got.instants, got.off, got.cut)
		left += got.off
	}
	if left == 0 {
		t.Error("no host is left off by the C driver's rules: the sweep proves nothing")
	}
}

// killAsNUT is genericups whose kill-power run goes by the C driver's rules: the levels are set,
// whatever the inputs say, and that is all.
func killAsNUT(cable *serve.Cable, c closures.Cable) env.Main {
	ours := driver.Main(drivers.All, serve.Ports{"/dev/ser0": cable}, "genericups")
	return func(e env.Env, args []string) int {
		if !slices.Contains(args, "-k") {
			return ours(e, args)
		}
		s, err := cable.OpenMode(e, transport.Mode{KeepLines: true})
		if err != nil {
			return 1
		}
		defer s.Close()
		l, err := transport.LinesOf(s)
		for _, out := range []closures.Lines{c.Power, c.Off} {
			if err == nil && out != closures.ST {
				err = l.SetLines(e, out&closures.DTR != 0, out&closures.RTS != 0)
			}
		}
		if err == nil && c.Off == closures.ST {
			err = l.Break(e, 5*time.Second)
		}
		if err != nil {
			return 1
		}
		return 0
	}
}
