package power_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

const s = time.Second

// unit is 600 s of battery at its load, low at 180 s, and everything else as it comes.
var unit = power.Spec{Runtime: 600 * s, Low: 180 * s, Recharge: 6000 * s}

// with returns unit changed by f.
func with(f func(*power.Spec)) power.Spec {
	c := unit
	f(&c)
	return c
}

func mains(at time.Duration, volts int) func(*power.UPS) {
	return func(u *power.UPS) { u.SetMains(at, volts*1000) }
}

func cut(at time.Duration, off, on time.Duration, restart bool) func(*power.UPS) {
	return func(u *power.UPS) { u.ScheduleOff(at, off, on, restart) }
}

func battery(at time.Duration, percent int) func(*power.UPS) {
	return func(u *power.UPS) { u.SetBattery(at, percent) }
}

var onBatt = with(func(c *power.Spec) { c.Kill = power.OnBattOnly })

var cancels = with(func(c *power.Spec) { c.Kill = power.Cancels })

var completes = with(func(c *power.Spec) { c.Kill = power.Completes })

func cutTillReturn(at, off time.Duration) func(*power.UPS) {
	return func(u *power.UPS) { u.ScheduleOffTillReturn(at, off) }
}

// stories are what happens to a unit, and what it does.
var stories = []struct {
	name string
	spec power.Spec
	acts []func(*power.UPS)
	end  time.Duration
	want []string // without the timer of orders, see TestOrders
}{
	{"an outage runs the battery low, then empty, and the mains bring the load back", unit,
		[]func(*power.UPS){mains(10*s, 0), mains(1000*s, 230)}, 1100 * s,
		[]string{"10s input battery", "7m10.001s low yes", "10m10s outlet off", "10m10s empty yes",
			"16m40s input line", "16m40s empty no", "16m45s outlet on"}},
	{"a sag within the limits is no outage", unit,
		[]func(*power.UPS){mains(10*s, 175)}, 20 * s, nil},
	{"a swell beyond the limits is one", unit,
		[]func(*power.UPS){mains(10*s, 290), mains(12*s, 281), mains(14*s, 240)}, 20 * s,
		[]string{"10s input battery", "14s input line"}},
	{"mains that hover at the limit do not make the unit flap", unit,
		[]func(*power.UPS){mains(10*s, 169), mains(11*s, 171), mains(12*s, 169), mains(13*s, 200)},
		20 * s, []string{"10s input battery", "13s input line"}},
	{"shutdown on battery: off after the delay, on when the mains are back", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, true), mains(500*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "8m20s input line", "8m25s outlet on"}},
	{"and not before the on-delay has passed", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, true), mains(60*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "1m0s input line", "1m50s outlet on"}},
	{"mains that return while the timer runs do not stop the cycle", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, true), mains(40*s, 230)}, 600 * s,
		[]string{"10s input battery", "40s input line", "50s outlet off", "1m50s outlet on"}},
	{"mains that return in the instant of the cut do not either", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, true), mains(50*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "50s input line", "1m50s outlet on"}},
	{"shutdown with the mains present cycles the load", unit,
		[]func(*power.UPS){cut(20*s, 30*s, 60*s, true)}, 600 * s,
		[]string{"50s outlet off", "1m50s outlet on"}},
	{"a cycle without a delay still cuts the load for a while", unit,
		[]func(*power.UPS){cut(20*s, 0, 0, true)}, 600 * s,
		[]string{"20s outlet off", "30s outlet on"}},
	{"mains that fail again before the restart leave the load off", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, true), mains(80*s, 230),
			mains(100*s, 0), mains(200*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "1m20s input line", "1m40s input battery",
			"3m20s input line", "3m25s outlet on"}},
	{"without restart only a command brings the load back", unit,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 60*s, false), mains(60*s, 230),
			func(u *power.UPS) { u.TurnOn(400 * s) }}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "1m0s input line", "6m40s outlet on"}},
	{"an on-battery-only unit ignores the order on mains", onBatt,
		[]func(*power.UPS){cut(20*s, 30*s, 60*s, true)}, 600 * s, nil},
	{"obeys it on battery", onBatt,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 0, true), mains(60*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "1m0s input line", "1m5s outlet on"}},
	{"and forgets it when the mains come back first", onBatt,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 0, true), mains(40*s, 230)}, 600 * s,
		[]string{"10s input battery", "40s input line"}},
	{"a unit that cancels obeys it on mains", cancels,
		[]func(*power.UPS){cut(20*s, 30*s, 60*s, true)}, 600 * s,
		[]string{"50s outlet off", "1m50s outlet on"}},
	{"and forgets it, too, when the mains come back first", cancels,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 0, true), mains(40*s, 230)}, 600 * s,
		[]string{"10s input battery", "40s input line"}},
	{"a unit that completes ignores it on mains", completes,
		[]func(*power.UPS){cut(20*s, 30*s, 60*s, true)}, 600 * s, nil},
	{"and goes through with it when the mains come back first", completes,
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 0, true), mains(40*s, 230)}, 600 * s,
		[]string{"10s input battery", "40s input line", "50s outlet off", "1m0s outlet on"}},
	{"an outlet that waits for the return of the mains comes on with it", unit,
		[]func(*power.UPS){mains(10*s, 0), cutTillReturn(20*s, 30*s), mains(60*s, 230)}, 600 * s,
		[]string{"10s input battery", "50s outlet off", "1m0s input line", "1m5s outlet on"}},
	{"mains that are there already do not bring it back, the next return does", unit,
		[]func(*power.UPS){mains(10*s, 0), cutTillReturn(20*s, 30*s), mains(40*s, 230),
			mains(400*s, 0), mains(500*s, 230)}, 600 * s,
		[]string{"10s input battery", "40s input line", "50s outlet off", "6m40s input battery",
			"8m20s input line", "8m25s outlet on"}},
	{"a unit that cannot be switched off is not", with(func(c *power.Spec) { c.Kill = power.None }),
		[]func(*power.UPS){mains(10*s, 0), cut(20*s, 30*s, 0, true), mains(60*s, 230)}, 600 * s,
		[]string{"10s input battery", "1m0s input line"}},
	{"a cancelled order does nothing", unit,
		[]func(*power.UPS){cut(20*s, 30*s, 0, true), func(u *power.UPS) { u.CancelOff(49 * s) }},
		600 * s, nil},
	{"a second order replaces the first", unit,
		[]func(*power.UPS){cut(20*s, 30*s, 60*s, true), cut(30*s, 100*s, 20*s, true)}, 600 * s,
		[]string{"2m10s outlet off", "2m30s outlet on"}},
	{"a battery that dies during the delay takes the order with it", unit,
		[]func(*power.UPS){mains(0, 0), battery(0, 1), cut(1*s, 30*s, 300*s, false), mains(60*s, 230)},
		600 * s,
		[]string{"0s input battery", "0s low yes", "6s outlet off", "6s empty yes",
			"1m0s input line", "1m0s empty no", "1m5s outlet on"}},
	{"an outlet that is off draws nothing", unit,
		[]func(*power.UPS){mains(0, 0), cut(0, 0, 0, true)}, 5000 * s,
		[]string{"0s input battery", "0s outlet off"}},
	{"a unit that wants charge first restarts when it has it",
		with(func(c *power.Spec) { c.RestartCharge = 10 }),
		[]func(*power.UPS){mains(0, 0), mains(700*s, 230)}, 2000 * s,
		[]string{"0s input battery", "7m0.001s low yes", "10m0s outlet off", "10m0s empty yes",
			"11m40s input line", "11m40s empty no", "21m40s outlet on"}},
	{"low ends when a tenth more than the limit is back", unit,
		[]func(*power.UPS){battery(0, 20)}, 2000 * s,
		[]string{"0s low yes", "13m0s low no"}},
	{"twice the load is half the runtime", unit,
		[]func(*power.UPS){func(u *power.UPS) { u.SetLoad(0, 54) }, mains(0, 0)}, 400 * s,
		[]string{"0s input battery", "2m0.001s low yes", "5m0s outlet off", "5m0s empty yes"}},
	{"a stuck sensor says low on a full battery", unit,
		[]func(*power.UPS){func(u *power.UPS) { u.SetLowStuck(1*s, true) },
			func(u *power.UPS) { u.SetLowStuck(2*s, false) }}, 10 * s,
		[]string{"1s low yes", "2s low no"}},
}

func TestStories(t *testing.T) {
	for _, tt := range stories {
		t.Run(tt.name, func(t *testing.T) {
			u := power.New(tt.spec)
			got := record(u, power.Input, power.Low, power.Outlet, power.Empty)
			for _, act := range tt.acts {
				act(u)
			}
			u.Advance(tt.end)
			if !slices.Equal(*got, tt.want) {
				t.Errorf("got  %q\nwant %q", *got, tt.want)
			}
		})
	}
}

// record collects the changes of the given names as "when name value".
func record(u *power.UPS, names ...string) *[]string {
	var got []string
	u.OnChange(func(c power.Change) {
		if slices.Contains(names, c.Name) {
			got = append(got, fmt.Sprint(c.At, " ", c.Name, " ", c.Value))
		}
	})
	return &got
}

func TestOrders(t *testing.T) {
	tests := []struct {
		name string
		spec power.Spec
		act  func(*power.UPS) bool
		ok   bool
		want []string
	}{
		{"a quick test ends by itself", unit,
			func(u *power.UPS) bool { return u.StartTest(0, 10*s) }, true,
			[]string{"0s test yes", "10s test no"}},
		{"a deep test ends when the battery is low", unit,
			func(u *power.UPS) bool { return u.StartTest(0, 0) }, true,
			[]string{"0s test yes", "7m0.001s test no"}},
		{"an outage ends a test", unit,
			func(u *power.UPS) bool {
				ok := u.StartTest(0, 10*s)
				u.SetMains(3*s, 0)
				return ok
			}, true, []string{"0s test yes", "3s test no"}},
		{"a test can be stopped", unit,
			func(u *power.UPS) bool { return u.StartTest(0, 10*s) && u.StopTest(4*s) }, true,
			[]string{"0s test yes", "4s test no"}},
		{"there is no test on battery", unit,
			func(u *power.UPS) bool { u.SetMains(0, 0); return u.StartTest(0, 10*s) }, false, nil},
		{"the off timer is announced", unit,
			func(u *power.UPS) bool { return u.ScheduleOff(0, 30*s, 60*s, true) }, true,
			[]string{"0s shutdown yes", "30s shutdown no"}},
		{"cancelling ends it", unit,
			func(u *power.UPS) bool { u.ScheduleOff(0, 30*s, 60*s, true); return u.CancelOff(29 * s) }, true,
			[]string{"0s shutdown yes", "29s shutdown no"}},
		{"there is nothing to cancel without an order", unit,
			func(u *power.UPS) bool { return u.CancelOff(0) }, false, nil},
		{"an order that is ignored says so", with(func(c *power.Spec) { c.Kill = power.None }),
			func(u *power.UPS) bool { return u.ScheduleOff(0, 30*s, 60*s, true) }, false, nil},
		{"nothing can switch a unit on that has neither mains nor battery", unit,
			func(u *power.UPS) bool { u.SetMains(0, 0); return u.TurnOn(700 * s) }, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := power.New(tt.spec)
			got := record(u, power.Test, power.Shutdown)
			if ok := tt.act(u); ok != tt.ok {
				t.Errorf("the order was accepted: %v; want %v", ok, tt.ok)
			}
			u.Advance(900 * s)
			if !slices.Equal(*got, tt.want) {
				t.Errorf("got  %q\nwant %q", *got, tt.want)
			}
		})
	}
}

func TestBadBatteryFailsItsTest(t *testing.T) {
	u := power.New(unit)
	u.SetBroken(0, true)
	u.StartTest(s, 10*s)
	if r := u.Read(); !r.Failed || r.Testing {
		t.Errorf("after the test of a bad battery: failed %v, testing %v", r.Failed, r.Testing)
	}
	u.SetBroken(2*s, false)
	u.StartTest(3*s, 10*s)
	u.Advance(20 * s)
	if u.Read().Failed {
		t.Error("a new battery has passed its test and still counts as failed")
	}
}

func TestValuesArePairwiseDifferent(t *testing.T) {
	moments := []struct {
		name string
		act  func(*power.UPS)
		zero bool // one value may be 0
	}{
		{"on line", func(*power.UPS) {}, false},
		{"boosting", mains(s, 180), false},
		{"trimming", mains(s, 270), false},
		{"in a brown-out", mains(s, 150), false},
		{"in an outage", mains(s, 0), true},
	}
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			u := power.New(power.Spec{})
			m.act(u)
			u.Advance(60 * s)
			r := u.Read()
			seen := map[int]string{}
			for _, v := range []struct {
				name  string
				value int
			}{
				{"input", r.Input / 100}, {"fault", r.Fault / 100}, {"output", r.Output / 100},
				{"load", r.Load * 10}, {"frequency", r.Frequency / 100}, {"battery", r.Battery / 100},
				{"temperature", r.Temperature / 100}, {"charge", r.Charge * 10},
			} {
				if other := seen[v.value]; other != "" || v.value == 0 && !m.zero {
					t.Errorf("%s is %d tenths, as %q is", v.name, v.value, other)
				}
				seen[v.value] = v.name
			}
		})
	}
}

func TestDeepSleepIsDeaf(t *testing.T) {
	for _, deep := range []bool{false, true} {
		u := power.New(with(func(c *power.Spec) { c.DeepSleep = deep }))
		u.SetMains(0, 0)
		u.ScheduleOff(s, s, 0, true)
		u.Advance(10 * s)
		if got := u.Alive(); got == deep {
			t.Errorf("DeepSleep %v, off on battery: alive %v", deep, got)
		}
		u.SetMains(20*s, 230_000)
		if !u.Alive() {
			t.Errorf("DeepSleep %v: not alive on mains", deep)
		}
	}
}

func TestTimeDoesNotRunBackwards(t *testing.T) {
	u := power.New(unit)
	u.SetMains(100*s, 0)
	u.Advance(50 * s)
	u.SetLoad(20*s, 30)
	if at := u.Read().At; at != 100*s {
		t.Errorf("the clock of the unit went from 100s to %v", at)
	}
}

func TestSpecIsChecked(t *testing.T) {
	tests := []struct {
		name string
		spec power.Spec
		ok   bool
	}{
		{"nothing given", power.Spec{}, true},
		{"a short runtime brings its own low limit", power.Spec{Runtime: 30 * s}, true},
		{"low at full", power.Spec{Runtime: 30 * s, Low: 30 * s}, false},
		{"no load at all", power.Spec{Load: -1}, false},
		{"a unit for 115 V", power.Spec{Nominal: 115_000}, true},
		{"transfer limit above nominal", power.Spec{TransferLow: 231_000}, false},
		{"an unknown kill mode", power.Spec{Kill: 7}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.spec.Check()
			if ok := err == nil; ok != tt.ok {
				t.Errorf("Check() = %v; want ok %v", err, tt.ok)
			}
		})
	}
}

func TestKillModesHaveNames(t *testing.T) {
	for k := power.Cycle; k <= power.Completes; k++ {
		if got, err := power.ParseKillMode(k.String()); got != k || err != nil {
			t.Errorf("ParseKillMode(%q) = %v, %v", k, got, err)
		}
	}
	if _, err := power.ParseKillMode("sometimes"); err == nil {
		t.Error("an unknown kill mode is accepted")
	}
}
