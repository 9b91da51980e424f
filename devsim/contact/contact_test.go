package contact

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/captures"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

func device(t *testing.T, spec power.Spec, o Options) (*power.UPS, *Device) {
	t.Helper()
	body := power.New(spec)
	d, err := New(body, o)
	if err != nil {
		t.Fatal(err)
	}
	return body, d
}

// words reads a recorded field such as DTR|RTS; 0 is none.
func words(field string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Split(field, "|") {
		m[w] = true
	}
	return m
}

func input(in transport.LineState, name string) bool {
	return map[string]bool{"CTS": in.CTS, "CD": in.DCD, "RNG": in.RI, "RI": in.RI, "DSR": in.DSR}[name]
}

// The recorded list of cables says which line tells what; each unit is brought into each state.
func TestUnitsSetTheirLinesAsRecorded(t *testing.T) {
	const minute = time.Minute
	rows := captures.Table(t, "serial", "contact-closure-line-table.tsv")
	if len(rows) != Types() {
		t.Fatalf("%d cables recorded, %d emulated", len(rows), Types())
	}
	for i, r := range rows {
		for state := range 16 {
			battery, low, failed, bypass := state&1 != 0, state&2 != 0, state&4 != 0, state&8 != 0
			body, d := device(t, power.Spec{}, Options{Type: i})
			power := words(r["cable_power"])
			d.Drive(0, power["DTR"], power["RTS"], false)
			body.SetLowStuck(minute, low)
			if failed {
				body.SetBroken(minute, true)
				body.StartTest(minute, minute)
			}
			if battery {
				body.SetMains(minute, 0)
			}
			d.SetBypass(bypass)
			in := d.Inputs(minute)
			for _, want := range []struct {
				what string
				is   bool
			}{{"online", !battery}, {"lowbatt", low}, {"replace", failed}, {"bypass", bypass}} {
				line := r[want.what+"_line"]
				if line == "0" {
					continue
				}
				active := r[want.what+"_state"] != "0"
				if got := input(in, line) == active; got != want.is {
					t.Errorf("type %d, battery %v, low %v, failed %v, bypass %v: %s is %v, so %s is %v; want %v",
						i, battery, low, failed, bypass, line, input(in, line), want.what, got, want.is)
				}
			}
		}
	}
}

// Each unit is driven with all levels; those recorded as its shutdown must be an order.
func TestUnitsObeyTheRecordedPattern(t *testing.T) {
	for i, r := range captures.Table(t, "serial", "contact-closure-line-table.tsv") {
		body, d := device(t, power.Spec{Kill: power.OnBattOnly}, Options{Type: i, Hold: 2 * time.Second})
		on, off := words(r["cable_power"]), words(r["shutdown_line"])
		d.Drive(0, on["DTR"], on["RTS"], false)
		body.SetMains(time.Second, 0)
		if d.Saw("kill") {
			t.Errorf("type %d: the power of its cable is taken for the order", i)
		}
		d.Drive(2*time.Second, off["DTR"], off["RTS"], off["ST"])
		if off["ST"] {
			d.Drive(7*time.Second, on["DTR"], on["RTS"], false)
		}
		body.Advance(10 * time.Second)
		if want := off["-1"]; body.Outlet() != want {
			t.Errorf("type %d: after %q the outlet is on: %v; want %v", i, r["shutdown_line"], body.Outlet(), want)
		}
	}
}

func TestWithoutCablePowerAllInputsAreLow(t *testing.T) {
	for i := range Types() {
		if cables[i].supply == "" {
			continue
		}
		_, d := device(t, power.Spec{}, Options{Type: i})
		d.Drive(0, false, false, false)
		if in := d.Inputs(0); in != (transport.LineState{}) {
			t.Errorf("type %d: %+v", i, in)
		}
	}
}

func TestTheOrderToSwitchOff(t *testing.T) {
	type step struct {
		at   float64 // seconds
		what string  // off, on, fail, return
	}
	tests := []struct {
		name string
		o    Options
		kill power.KillMode
		want string // when the outlet is off, in seconds
		do   []step
	}{
		{"held on battery", Options{}, power.OnBattOnly, "13-", []step{{1, "fail"}, {10, "off"}}},
		{"held for less than Hold", Options{}, power.OnBattOnly, "", []step{{1, "fail"}, {10, "off"}, {11.9, "on"}}},
		{"ended in Delay", Options{}, power.OnBattOnly, "", []step{{1, "fail"}, {10, "off"}, {12.5, "on"}}},
		{"ended in Delay, latched", Options{Latch: true}, power.OnBattOnly, "13-",
			[]step{{1, "fail"}, {10, "off"}, {12.5, "on"}}},
		{"on mains", Options{}, power.OnBattOnly, "", []step{{10, "off"}}},
		{"on mains, by relay", Options{}, power.Cycle, "13-23", []step{{10, "off"}, {13, "on"}}},
		{"there when the mains fail", Options{}, power.OnBattOnly, "23-", []step{{10, "off"}, {20, "fail"}}},
		{"mains return before the cut", Options{}, power.OnBattOnly, "",
			[]step{{1, "fail"}, {10, "off"}, {12.9, "return"}}},
		{"mains return after the cut", Options{}, power.OnBattOnly, "13-45",
			[]step{{1, "fail"}, {10, "off"}, {14, "on"}, {40, "return"}}},
		{"a unit that cannot", Options{}, power.None, "", []step{{1, "fail"}, {10, "off"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Type, tt.o.Hold, tt.o.Delay = 2, 2*time.Second, time.Second
			body, d := device(t, power.Spec{Kill: tt.kill}, tt.o)
			got := ""
			body.OnChange(func(c power.Change) {
				if c.Name == power.Outlet {
					got += fmt.Sprintf("%g", c.At.Seconds())
					if c.Value == "off" {
						got += "-"
					}
				}
			})
			d.Drive(0, false, true, false)
			for _, s := range tt.do {
				at := time.Duration(s.at * float64(time.Second))
				switch s.what {
				case "off":
					d.Drive(at, true, true, false)
				case "on":
					d.Drive(at, false, true, false)
				case "fail":
					body.SetMains(at, 0)
				case "return":
					body.SetMains(at, 230_000)
				}
			}
			body.Advance(time.Minute)
			if got != tt.want {
				t.Errorf("the outlet is off from-to %q; want %q", got, tt.want)
			}
		})
	}
}

func TestADeadUnitDrivesNothing(t *testing.T) {
	body, d := device(t, power.Spec{}, Options{Type: 4})
	d.Drive(0, false, true, false)
	body.SetBattery(time.Second, 0)
	body.SetMains(time.Second, 0)
	if in := d.Inputs(2 * time.Second); in != (transport.LineState{}) {
		t.Errorf("%+v", in)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Type: -1}, {Type: 24}, {Hold: -1}, {Delay: -1}} {
		if _, err := New(power.New(power.Spec{}), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}
