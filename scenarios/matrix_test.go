package scenarios_test

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// The matrix asks of every status, every interruption and both roles: is a host shut down that
// should live, does one live on that should be shut down?
//
//	0 s   a driver, upsd, a primary and a secondary, all well: OL
//	20 s  the UPS says the status
//	26 s  the interruption begins, or up to 5 s later, one POLLFREQ; the longest lasts 30 s
//	65 s  the UPS says OL again: mains are fine; or OB, and OB LB from 80 s on: the battery empties
//	145 s the last look

// matrixWords are the words of which a status has one or two; PLUGH is one that nobody knows.
var matrixWords = []string{"OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS", "CAL", "OFF",
	"OVER", "TRIM", "BOOST", "ALARM", "ECO", "PLUGH"}

// An interruption hurts a room for a while.
type interruption struct {
	name  string
	lasts time.Duration // 0: it has no end of its own
	begin func(*matrixRoom)
	end   func(*matrixRoom)
}

func interruptions() []interruption {
	all := []interruption{{name: "none"}}
	add := func(name string, begin, end func(*matrixRoom), seconds ...float64) {
		for _, s := range seconds {
			all = append(all, interruption{fmt.Sprintf("%s for %v s", name, s),
				time.Duration(s * float64(time.Second)), begin, end})
		}
	}
	kill := func(prog string) func(*matrixRoom) {
		return func(m *matrixRoom) { m.nas.Find(prog)[0].Kill() }
	}
	each := func(prog string, f func(*world.Process)) func(*matrixRoom) {
		return func(m *matrixRoom) {
			for _, p := range m.nas.Find(prog) {
				f(p)
			}
		}
	}
	add("upsd is away", kill("upsd"), func(m *matrixRoom) { m.nas.Start("upsd", nil) }, 0.2, 1, 3, 9, 20, 30)
	add("upsd stands still", each("upsd", (*world.Process).Pause), each("upsd", (*world.Process).Resume), 3, 9, 30)
	add("the driver is away", kill("dummy-ups"),
		func(m *matrixRoom) { m.nas.Start("dummy-ups", []string{"-a", "rack"}) }, 0.2, 8, 30)
	add("the driver stands still", each("dummy-ups", (*world.Process).Pause),
		each("dummy-ups", (*world.Process).Resume), 9, 30)
	add("the network is cut", func(m *matrixRoom) { m.cut(true) }, func(m *matrixRoom) { m.cut(false) }, 3, 9, 30)
	jump := func(d time.Duration) func(*matrixRoom) {
		return func(m *matrixRoom) { m.nas.JumpWall(d); m.web.JumpWall(d) }
	}
	return append(all, interruption{name: "the clocks jump an hour forward", begin: jump(time.Hour)},
		interruption{name: "the clocks jump a day back", begin: jump(-24 * time.Hour)})
}

// A matrixRoom is one world of the matrix.
type matrixRoom struct {
	w        *world.World
	nas, web *world.Host
	down     map[string]time.Duration // when a host ran its SHUTDOWNCMD
}

const matrixUsers = "[p]\npassword = pw\nupsmon primary\n[s]\npassword = pw\nupsmon secondary\n"

func matrixConf(system, user, role, rules string) []byte {
	return fmt.Appendf(nil, "MONITOR %s 1 %s pw %s\nSHUTDOWNCMD halt\nOFFDURATION 60\nOVERDURATION 5\nNUT_RULES %s\n",
		system, user, role, rules)
}

func newMatrixRoom(rules string) *matrixRoom {
	m := &matrixRoom{down: map[string]time.Duration{}}
	m.w = world.New(world.Options{Programs: func(h *world.Host, name string) env.Main {
		switch name {
		case "upsd":
			return upsd.Main
		case "upsmon":
			return upsmon.Main
		case "dummy-ups":
			return driver.Main(drivers.All, nil, name)
		case "halt":
			return func(env.Env, []string) int { m.down[h.Name()] = time.Duration(m.w.Now()); return 0 }
		}
		return nil
	}})
	m.nas, m.web = m.w.Host("nas"), m.w.Host("web")
	m.nas.PowerOn()
	m.web.PowerOn()
	m.says("OL")
	m.nas.WriteFile("/etc/nut/ups.conf", []byte("pollinterval = 1\n[rack]\ndriver = dummy-ups\nport = rack.dev\n"))
	m.nas.WriteFile("/etc/nut/upsd.conf", []byte("LISTEN 0.0.0.0\n"))
	m.nas.WriteFile("/etc/nut/upsd.users", []byte(matrixUsers))
	m.nas.WriteFile("/etc/nut/upsmon.conf", matrixConf("rack@localhost", "p", "primary", rules))
	m.web.WriteFile("/etc/nut/upsmon.conf", matrixConf("rack@nas", "s", "secondary", rules))
	m.nas.Start("dummy-ups", []string{"-a", "rack"})
	m.nas.Start("upsd", nil)
	m.nas.Start("upsmon", nil)
	m.web.Start("upsmon", nil)
	return m
}

// says makes the UPS say a status.
func (m *matrixRoom) says(status string) {
	m.nas.WriteFile("/etc/nut/rack.dev", []byte("ups.status: "+status+"\n"))
}

func (m *matrixRoom) cut(on bool) {
	for _, l := range []*world.Link{m.w.Link(m.nas, m.web), m.w.Link(m.web, m.nas)} {
		if on {
			l.Cut()
		} else {
			l.Heal(m.w)
		}
	}
}

// A cell is one world: what happens, and what came of it.
type cell struct {
	status  string
	fault   interruption
	phase   time.Duration // how much later it begins
	empties bool
	down    map[string]time.Duration
	err     error
}

const (
	saysAt    = 20 * time.Second
	faultAt   = 26 * time.Second
	returnsAt = 65 * time.Second
	lowAt     = 80 * time.Second
	lastLook  = 145 * time.Second
)

// play runs the cell's world.
func (c *cell) play(rules string) {
	m := newMatrixRoom(rules)
	to := func(at time.Duration) {
		if c.err == nil {
			c.err = m.w.RunFor(at - time.Duration(m.w.Now()))
		}
	}
	to(saysAt)
	m.says(c.status)
	to(faultAt + c.phase)
	if c.fault.begin != nil {
		c.fault.begin(m)
	}
	if c.fault.lasts > 0 {
		to(faultAt + c.phase + c.fault.lasts)
		c.fault.end(m)
	}
	to(returnsAt)
	if c.empties {
		m.says("OB DISCHRG")
		to(lowAt)
		m.says("OB DISCHRG LB")
	} else {
		m.says("OL")
	}
	to(lastLook)
	c.down = m.down
	if err := m.w.Close(); c.err == nil {
		c.err = err
	}
}

func (c *cell) String() string {
	future := "mains are fine"
	if c.empties {
		future = "the battery empties"
	}
	return fmt.Sprintf("%q, %s from %v on, then %s", c.status, c.fault.name, faultAt+c.phase, future)
}

// matrixStatuses are all of one and of two words.
func matrixStatuses() []string {
	var all []string
	for i, a := range matrixWords {
		all = append(all, a)
		for _, b := range matrixWords[i+1:] {
			all = append(all, a+" "+b)
		}
	}
	return all
}

// matrix plays every cell. every thins them out.
func matrix(rules string, every int) []*cell {
	var cells []*cell
	n := 0
	for _, s := range matrixStatuses() {
		for _, f := range interruptions() {
			for _, empties := range []bool{false, true} {
				if n++; n%every == 0 || f.begin == nil {
					phase := time.Duration(n) * 700 * time.Millisecond % (5 * time.Second)
					cells = append(cells, &cell{status: s, fault: f, phase: phase, empties: empties})
				}
			}
		}
	}
	work := make(chan *cell)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for c := range work {
				c.play(rules)
			}
		})
	}
	for _, c := range cells {
		work <- c
	}
	close(work)
	wg.Wait()
	return cells
}

// A tally counts what came of hosts.
type tally struct {
	lived, founded, silent, stopped int // as they should: see judge
	wrong                           []string
	byFault                         map[string]int // of wrong
}

// judge says what came of every host of every cell. A shutdown before the battery is low is right
// when it happens without the interruption too, or when the UPS was silent for DEADTIME and was not
// on line power when last heard.
func judge(cells []*cell) tally {
	t := tally{byFault: map[string]int{}}
	calm := map[string]*cell{}
	for _, c := range cells {
		if c.fault.begin == nil {
			calm[fmt.Sprint(c.status, c.empties)] = c
		}
	}
	for _, c := range cells {
		wrong := func(format string, args ...any) {
			t.wrong = append(t.wrong, fmt.Sprintf(format, args...)+": "+c.String())
			t.byFault[c.fault.name]++
		}
		if c.err != nil {
			wrong("%v", c.err)
		}
		control := calm[fmt.Sprint(c.status, c.empties)]
		for _, host := range []string{"nas", "web"} {
			at, down := c.down[host]
			early := down && at < lowAt
			controlAt, controlDown := control.down[host]
			silence := !slices.Contains(strings.Fields(c.status), "OL") && c.fault.lasts >= 15*time.Second
			switch {
			case early && controlDown && controlAt < lowAt:
				t.founded++
			case early && silence:
				t.silent++
			case early:
				wrong("%s is shut down at %v", host, at)
			case c.empties && !down:
				wrong("%s is not shut down", host)
			case c.empties:
				t.stopped++
			case down: // later than anything can cause
				wrong("%s is shut down at %v", host, at)
			default:
				t.lived++
			}
		}
	}
	return t
}

func (t tally) String() string {
	return fmt.Sprintf("%d hosts: %d lived on, %d stopped because the battery emptied, %d because of the status itself, "+
		"%d because a UPS not on line power was silent for DEADTIME; wrong: %d",
		t.lived+t.stopped+t.founded+t.silent+len(t.wrong), t.lived, t.stopped, t.founded, t.silent, len(t.wrong))
}

// thinned is how much of the matrix is played.
func thinned() int {
	if testing.Short() {
		return 11
	}
	return 1
}

func TestNoInterruptionDecides(t *testing.T) {
	cells := matrix("no", thinned())
	got := judge(cells)
	t.Logf("%d cells, %v", len(cells), got)
	if len(got.wrong) > 0 {
		t.Errorf("wrong:\n%s", strings.Join(got.wrong[:min(20, len(got.wrong))], "\n"))
	}
	if got.lived == 0 || got.stopped == 0 || got.founded == 0 || got.silent == 0 {
		t.Error("the matrix proves nothing: some outcome never occurs")
	}
}

// The C monitor's own rules, under the same interruptions: that they fail is why ours differ.
func TestNUTsRulesDecideByInterruptions(t *testing.T) {
	cells := matrix("yes", thinned())
	got := judge(cells)
	t.Logf("%d cells, %v", len(cells), got)
	for _, name := range slices.Sorted(maps.Keys(got.byFault)) {
		t.Logf("%4d  %s", got.byFault[name], name)
	}
	if !slices.ContainsFunc(got.wrong, func(s string) bool { return strings.Contains(s, `"OL CAL"`) }) {
		t.Error("a calibration is not cut short by a restart of upsd, as it is with NUT's rules")
	}
}
