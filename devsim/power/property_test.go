package power_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// An act is a lever pulled after a pause.
type act struct {
	name string
	gap  time.Duration
	do   func(u *power.UPS, now time.Duration)

	staysOff bool // an order without restart
}

func (a act) String() string { return fmt.Sprintf("+%v %s", a.gap, a.name) }

// span draws times with nanoseconds in them, short ones first.
func span(max time.Duration) *rapid.Generator[time.Duration] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(0, int(max/time.Second)),
			func(n int) time.Duration { return time.Duration(n) * time.Second }),
		rapid.Map(rapid.Int64Range(0, int64(max)),
			func(n int64) time.Duration { return time.Duration(n) }),
	)
}

func drawAct(t *rapid.T) act {
	gap := span(2000*time.Second).Draw(t, "gap")
	n := rapid.IntRange(0, 300).Draw(t, "n")
	d, d2 := span(900*time.Second).Draw(t, "d"), span(900*time.Second).Draw(t, "d2")
	yes := rapid.Bool().Draw(t, "yes")
	levers := []struct {
		name string
		do   func(*power.UPS, time.Duration)
	}{
		{"wait", func(u *power.UPS, now time.Duration) { u.Advance(now) }},
		{"mains off", func(u *power.UPS, now time.Duration) { u.SetMains(now, 0) }},
		{"mains on", func(u *power.UPS, now time.Duration) { u.SetMains(now, 230_000) }},
		{fmt.Sprint("mains ", n), func(u *power.UPS, now time.Duration) { u.SetMains(now, n*1000) }},
		{fmt.Sprint("battery ", n%101),
			func(u *power.UPS, now time.Duration) { u.SetBattery(now, n%101) }},
		{fmt.Sprint("load ", n), func(u *power.UPS, now time.Duration) { u.SetLoad(now, n) }},
		{fmt.Sprint("off ", d, d2, yes),
			func(u *power.UPS, now time.Duration) { u.ScheduleOff(now, d, d2, yes) }},
		{fmt.Sprint("off till return ", d),
			func(u *power.UPS, now time.Duration) { u.ScheduleOffTillReturn(now, d) }},
		{"cancel", func(u *power.UPS, now time.Duration) { u.CancelOff(now) }},
		{"on", func(u *power.UPS, now time.Duration) { u.TurnOn(now) }},
		{fmt.Sprint("test ", d), func(u *power.UPS, now time.Duration) { u.StartTest(now, d) }},
		{"stop", func(u *power.UPS, now time.Duration) { u.StopTest(now) }},
		{fmt.Sprint("stuck ", yes), func(u *power.UPS, now time.Duration) { u.SetLowStuck(now, yes) }},
		{fmt.Sprint("broken ", yes), func(u *power.UPS, now time.Duration) { u.SetBroken(now, yes) }},
	}
	l := levers[rapid.IntRange(0, len(levers)-1).Draw(t, "lever")]
	staysOff := strings.HasPrefix(l.name, "off ") && !yes ||
		strings.HasPrefix(l.name, "off till")
	return act{l.name, gap, l.do, staysOff}
}

func drawSpec(t *rapid.T) power.Spec {
	c := power.Spec{
		Runtime:       time.Second + span(3600*time.Second).Draw(t, "runtime"),
		Recharge:      time.Second + span(7200*time.Second).Draw(t, "recharge"),
		Load:          rapid.IntRange(1, 150).Draw(t, "load"),
		Kill:          power.KillMode(rapid.IntRange(0, 4).Draw(t, "kill")),
		Restart:       span(60*time.Second).Draw(t, "restart"),
		MinOff:        span(60*time.Second).Draw(t, "minoff"),
		RestartCharge: rapid.IntRange(0, 100).Draw(t, "restartcharge"),
	}
	c.Low = time.Millisecond + c.Runtime*time.Duration(rapid.IntRange(0, 98).Draw(t, "low"))/100
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// changesOf returns a UPS and the list of its changes to come, without Timer.
func changesOf(c power.Spec) (*power.UPS, *[]power.Change) {
	u := power.New(c)
	got := new([]power.Change)
	u.OnChange(func(c power.Change) {
		if c.Name != power.Timer {
			*got = append(*got, c)
		}
	})
	return u, got
}

// Whoever follows Next sees the same changes at the same instants as whoever looks late.
func TestOneStepIsManySteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawSpec(t)
		late, wantChanges := changesOf(c)
		often, gotChanges := changesOf(c)
		now := time.Duration(0)
		for _, a := range rapid.SliceOfN(rapid.Custom(drawAct), 1, 12).Draw(t, "acts") {
			before := now
			now += a.gap
			steps(t, often, before, now)
			a.do(often, now)
			a.do(late, now)
			if got, want := often.Read(), late.Read(); got != want {
				t.Fatalf("after %v at %v:\nmany steps %+v\none step   %+v", a, now, got, want)
			}
		}
		if got, want := fmt.Sprint(*gotChanges), fmt.Sprint(*wantChanges); got != want {
			t.Fatalf("many steps: %s\none step: %s", got, want)
		}
	})
}

// steps advances u by way of arbitrary instants.
func steps(t *rapid.T, u *power.UPS, from, to time.Duration) {
	for range rapid.IntRange(0, 3).Draw(t, "steps") {
		from += time.Duration(rapid.Int64Range(0, int64(to-from)).Draw(t, "step"))
		u.Advance(from)
	}
}

// Nothing changes before the instant that Next names, and something does at it.
func TestNextIsTruthful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, changes := changesOf(drawSpec(t))
		now := time.Duration(0)
		for _, a := range rapid.SliceOfN(rapid.Custom(drawAct), 1, 12).Draw(t, "acts") {
			now += a.gap
			a.do(u, now)
			seen := len(*changes)
			at, ok := u.Next()
			if !ok {
				u.Advance(now + 1_000_000*time.Hour)
				if len(*changes) != seen {
					t.Fatalf("Next named no instant and this happened: %v", (*changes)[seen:])
				}
				return
			}
			if at <= now {
				t.Fatalf("Next is %v at %v: it is over already", at, now)
			}
			u.Advance(at - 1)
			if len(*changes) != seen {
				t.Fatalf("before %v, which Next named: %v", at, (*changes)[seen:])
			}
			u.Advance(at)
			now = at
			if again, ok := u.Next(); ok && again <= at {
				t.Fatalf("Next is still %v", again)
			}
		}
	})
}

// What holds at every instant, whatever is done to the unit.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, _ := changesOf(drawSpec(t))
		now := time.Duration(0)
		for _, a := range rapid.SliceOfN(rapid.Custom(drawAct), 1, 20).Draw(t, "acts") {
			now += a.gap
			a.do(u, now)
			r := u.Read()
			switch {
			case r.Remaining < 0 || r.Charge < 0 || r.Charge > 100:
				t.Fatalf("after %v: energy out of range: %+v", a, r)
			case r.Outlet && r.Empty:
				t.Fatalf("after %v: the outlet is on and nothing feeds it", a)
			case r.Outlet != (r.Output > 0):
				t.Fatalf("after %v: outlet %v with %d mV", a, r.Outlet, r.Output)
			case r.Empty && r.Alive:
				t.Fatalf("after %v: alive without energy", a)
			case r.Testing && (r.OnBattery || !r.Outlet):
				t.Fatalf("after %v: a test runs on battery or without load: %+v", a, r)
			case !r.Low && r.Remaining < u.Spec().Low.Truncate(time.Millisecond):
				t.Fatalf("after %v: %v remain and the battery is not low", a, r.Remaining)
			}
		}
	})
}

// Unless it was told to stay off, a unit whose mains are good carries its load in the end.
func TestEverythingComesBack(t *testing.T) {
	comesBack := rapid.Custom(drawAct).Filter(func(a act) bool { return !a.staysOff })
	rapid.Check(t, func(t *rapid.T) {
		u, _ := changesOf(drawSpec(t))
		now := time.Duration(0)
		for _, a := range rapid.SliceOfN(comesBack, 1, 20).Draw(t, "acts") {
			now += a.gap
			a.do(u, now)
		}
		u.SetMains(now, 230_000)
		for {
			at, ok := u.Next()
			if !ok {
				break
			}
			u.Advance(at)
		}
		if r := u.Read(); !r.Outlet {
			t.Fatalf("all is over, the mains are good, and the load has no power: %+v", r)
		}
	})
}

// Floating point differs between processors; the same run must not.
func TestIntegersOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no source files: %v", err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if strings.HasPrefix(n.Name, "float") {
					t.Errorf("%s uses %s", name, n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					t.Errorf("%s has the constant %s", name, n.Value)
				}
			}
			return true
		})
	}
}
