package megatec_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
)

const s = time.Second

// at is the instant of the queries in the tables below.
const at = 100 * s

func on(*power.UPS) {}

// answers are what comes back from a unit in a certain state.
var answers = []struct {
	name string
	spec power.Spec
	o    megatec.Options
	do   func(*power.UPS)
	in   string
	want string
}{
	{"on line", power.Spec{}, megatec.Options{}, on,
		"Q1\r", "(230.0 167.9 228.9 027 50.0 26.3 25.7 00001001\r"},
	{"a battery told by the cell", power.Spec{}, megatec.Options{PerCell: true}, on,
		"Q1\r", "(230.0 167.9 228.9 027 50.0 2.19 25.7 00001001\r"},
	{"a high battery is always told by the cell", power.Spec{BatteryNominal: 192_000},
		megatec.Options{}, on, "Q1\r", "(230.0 167.9 228.9 027 50.0 2.19 25.7 00001001\r"},
	{"another world", power.Spec{Nominal: 120_000, Frequency: 60_000, Load: 41}, megatec.Options{},
		on, "Q1\r", "(120.0 087.6 119.4 041 60.0 26.3 25.9 00001001\r"},
	{"in an outage", power.Spec{}, megatec.Options{}, func(u *power.UPS) { u.SetMains(at, 0) },
		"Q1\r", "(000.0 085.1 229.2 027 50.0 26.0 29.4 10001001\r"},
	{"with the battery low", power.Spec{}, megatec.Options{},
		func(u *power.UPS) { u.SetMains(at, 0); u.SetBattery(at, 20) },
		"Q1\r", "(000.0 085.1 229.2 027 50.0 21.8 29.4 11001001\r"},
	{"boosting", power.Spec{}, megatec.Options{}, func(u *power.UPS) { u.SetMains(at, 190_000) },
		"Q1\r", "(190.0 167.9 218.5 027 50.0 26.3 25.7 00101001\r"},
	{"trimming", power.Spec{}, megatec.Options{}, func(u *power.UPS) { u.SetMains(at, 260_000) },
		"Q1\r", "(260.0 167.9 226.2 027 50.0 26.3 25.7 00101001\r"},
	{"testing", power.Spec{}, megatec.Options{}, func(u *power.UPS) { u.StartTest(at, s) },
		"Q1\r", "(230.0 167.9 229.2 027 50.0 26.0 29.4 00001101\r"},
	{"with a battery that failed its test", power.Spec{}, megatec.Options{},
		func(u *power.UPS) { u.SetBroken(at, true); u.StartTest(at, s) },
		"Q1\r", "(230.0 167.9 228.9 027 50.0 26.3 25.7 00011001\r"},
	{"with a shutdown pending", power.Spec{}, megatec.Options{},
		func(u *power.UPS) { u.SetMains(at, 0); u.ScheduleOff(at, s, s, true) },
		"Q1\r", "(000.0 085.1 229.2 027 50.0 26.0 29.4 10001011\r"},
	{"with the beeper off", power.Spec{}, megatec.Options{}, on,
		"Q\rQ1\r", "(230.0 167.9 228.9 027 50.0 26.3 25.7 00001000\r"},
	{"switched off", power.Spec{}, megatec.Options{},
		func(u *power.UPS) { u.ScheduleOff(at, 0, 0, false) },
		"Q1\r", "(230.0 167.9 000.0 000 50.0 26.3 25.7 00001001\r"},
	{"dead", power.Spec{}, megatec.Options{},
		func(u *power.UPS) { u.SetMains(at, 0); u.SetBattery(at, 0) }, "Q1\rF\r", ""},
	{"the rating", power.Spec{}, megatec.Options{}, on, "F\r", "#230.0 003 024.0 50.0\r"},
	{"the vendor", power.Spec{}, megatec.Options{}, on,
		"I\r", "#ACME POWER      SIM-600    V1.07     \r"},
	{"a vendor of one's own", power.Spec{}, megatec.Options{Maker: "Longer Than Fifteen", Model: "M",
		Version: "9"}, on, "I\r", "#Longer Than Fif M          9         \r"},
	{"an unknown command comes back", power.Spec{}, megatec.Options{}, on,
		"QGS\rQPI\xbe\xac\r", "QGS\rQPI\xbe\xac\r"},
	{"or NAK does", power.Spec{}, megatec.Options{Reject: megatec.Nak}, on, "D\r", "NAK\r"},
	{"or (NAK does", power.Spec{}, megatec.Options{Reject: megatec.NakOpen}, on, "D\r", "(NAK\r"},
	{"or nothing", power.Spec{}, megatec.Options{Reject: megatec.Ignore}, on, "D\r", ""},
	{"a unit without F and I", power.Spec{}, megatec.Options{NoRating: true, NoVendor: true}, on,
		"F\rI\r", "F\rI\r"},
	{"orders have no answer", power.Spec{}, megatec.Options{}, on,
		"T\rCT\rTL\rCT\rT05\rCT\rS.5R0003\rC\rS01\rC\rS02R0000\rC\r", ""},
	{"orders with bad numbers are unknown", power.Spec{}, megatec.Options{}, on,
		"S5\rS.R0001\rS.5R1\rS01R00001\rSR\rT5\rT00\rS-1\r",
		"S5\rS.R0001\rS.5R1\rS01R00001\rSR\rT5\rT00\rS-1\r"},
	{"an endless command is cut", power.Spec{}, megatec.Options{}, on,
		strings.Repeat("x", 1000) + "\r", strings.Repeat("x", 32) + "\r"},
	{"an empty command has no meaning", power.Spec{}, megatec.Options{}, on, "\r\r", ""},
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			body := power.New(tt.spec)
			tt.do(body)
			if got := string(megatec.New(body, tt.o).Receive(at, []byte(tt.in))); got != tt.want {
				t.Errorf("after %q:\ngot  %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

// A reader that needs 47, 22 and 39 bytes gets them whatever the unit goes through.
func TestAnswersHaveTheirLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := power.New(power.Spec{
			Load:           rapid.IntRange(1, 200).Draw(t, "load"),
			Nominal:        rapid.IntRange(100_000, 240_000).Draw(t, "nominal"),
			BatteryNominal: rapid.IntRange(6_000, 400_000).Draw(t, "battery"),
		})
		body.SetMains(at, rapid.IntRange(0, 1_100_000).Draw(t, "mains"))
		body.SetBattery(at, rapid.IntRange(1, 100).Draw(t, "charge"))
		d := megatec.New(body, megatec.Options{})
		for cmd, want := range map[string]int{"Q1": 46, "F": 21, "I": 38} {
			if got := d.Answer(at, cmd); len(got) != want {
				t.Errorf("%s: %d characters, want %d: %q", cmd, len(got), want, got)
			}
		}
	})
}

func TestOrders(t *testing.T) {
	tests := []struct {
		name    string
		kill    power.KillMode
		o       megatec.Options
		in      string
		outlets []time.Duration // of the changes: off, on, ...
	}{
		{"S.5R0003 is off after 30 s, on 3 minutes later", power.Cycle, megatec.Options{},
			"S.5R0003\r", []time.Duration{at + 30*s, at + 210*s}},
		{"S01R0001 is off after a minute", power.Cycle, megatec.Options{},
			"S01R0001\r", []time.Duration{at + 60*s, at + 120*s}},
		{"S.2 comes back as soon as the unit allows", power.Cycle, megatec.Options{},
			"S.2\r", []time.Duration{at + 12*s, at + 22*s}},
		{"S.5R0000 stays off", power.Cycle, megatec.Options{},
			"S.5R0000\r", []time.Duration{at + 30*s}},
		{"S00R0000 is off at once, and C is on", power.Cycle, megatec.Options{},
			"S00R0000\rC\r", []time.Duration{at, at}},
		{"C stops the timer", power.Cycle, megatec.Options{}, "S.5R0003\rC\r", nil},
		{"a second order replaces the first", power.Cycle, megatec.Options{},
			"S.5R0003\rS02R0001\r", []time.Duration{at + 120*s, at + 180*s}},
		{"a stubborn unit keeps the first", power.Cycle, reacts(megatec.Reactions{Stubborn: true}),
			"S.5R0003\rS02R0001\r", []time.Duration{at + 30*s, at + 210*s}},
		{"and takes a new one after C", power.Cycle, reacts(megatec.Reactions{Stubborn: true}),
			"S.5R0003\rC\rS02R0001\r", []time.Duration{at + 120*s, at + 180*s}},
		{"on mains an on-battery-only unit hears and does nothing", power.OnBattOnly,
			megatec.Options{}, "S.5R0003\r", nil},
		{"a hasty unit does not wait three minutes", power.Cycle,
			reacts(megatec.Reactions{Hasty: true}), "S.5R0003\r", []time.Duration{at + 30*s, at + 40*s}},
		{"but R0000 it understands", power.Cycle,
			reacts(megatec.Reactions{Hasty: true}), "S.5R0000\r", []time.Duration{at + 30*s}},
		{"early firmware survives three minutes", power.Cycle,
			reacts(megatec.Reactions{Early: true}), "S.5R0003\r", []time.Duration{at + 30*s, at + 210*s}},
		{"and not two", power.Cycle,
			reacts(megatec.Reactions{Early: true}), "S.5R0002\r", []time.Duration{at + 30*s}},
		{"but no R at all", power.Cycle,
			reacts(megatec.Reactions{Early: true}), "S.5\r", []time.Duration{at + 30*s, at + 40*s}},
		{"S.5 may be for good", power.Cycle,
			reacts(megatec.Reactions{Bare: megatec.BareStays}), "S.5\r", []time.Duration{at + 30*s}},
		{"or until the mains come back, if they never left", power.Cycle,
			reacts(megatec.Reactions{Bare: megatec.BareWaits}), "S.5\r", []time.Duration{at + 30*s}},
		{"where R is known all the same", power.Cycle,
			reacts(megatec.Reactions{Bare: megatec.BareWaits}), "S.5R0001\r",
			[]time.Duration{at + 30*s, at + 90*s}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := power.New(power.Spec{Kill: tt.kill})
			var got []time.Duration
			body.OnChange(func(c power.Change) {
				if c.Name == power.Outlet {
					got = append(got, c.At)
				}
			})
			d := megatec.New(body, tt.o)
			if answer := d.Receive(at, []byte(tt.in)); answer != nil {
				t.Errorf("the answer is %q; want none", answer)
			}
			body.Advance(1000 * s)
			if !slices.Equal(got, tt.outlets) {
				t.Errorf("the outlet changed at %v; want %v", got, tt.outlets)
			}
			if !d.Saw("kill") {
				t.Errorf("no kill was seen in %q", d.Seen())
			}
		})
	}
}

func reacts(r megatec.Reactions) megatec.Options { return megatec.Options{Reactions: r} }

// What a unit does not do, it says where it says anything.
func TestOrdersThatAreNotObeyed(t *testing.T) {
	tests := []struct {
		name     string
		kill     power.KillMode
		o        megatec.Options
		in, want string
	}{
		{"a unit that knows no R repeats it", power.Cycle,
			reacts(megatec.Reactions{NoRestart: true}), "S.5R0003\r", "S.5R0003\r"},
		{"or rejects it in its own way", power.Cycle,
			megatec.Options{Reject: megatec.Nak, Reactions: megatec.Reactions{NoRestart: true}},
			"S.5R0003\r", "NAK\r"},
		{"one that knows no C repeats that", power.Cycle,
			reacts(megatec.Reactions{NoCancel: true}), "C\r", "C\r"},
		{"one that acknowledges says no to what it does not do on mains", power.OnBattOnly,
			megatec.Options{Dialect: "mecer"}, "S.5R0003\r", "(NAK\r"},
		{"and one of another kind", power.Completes,
			megatec.Options{Dialect: "voltronic"}, "S.5R0003\r", "(NAK\r"},
		{"and to a second order", power.Cycle,
			megatec.Options{Dialect: "voltronic", Reactions: megatec.Reactions{Stubborn: true}},
			"S.5R0003\rS.5R0003\rCS\rS.5R0003\r", "(ACK\r(NAK\r(ACK\r(ACK\r"},
		{"omron wants to be told how first, and says OK", power.Cycle,
			megatec.Options{Dialect: "omron"}, "S.5\rAn\rS.5\r", "NAK\rOK\rOK\r"},
		{"or not", power.OnBattOnly,
			megatec.Options{Dialect: "omron"}, "An\rS.5\r", "OK\rNAK\r"},
	}
	for _, tt := range tests {
		body := power.New(power.Spec{Kill: tt.kill})
		if got := string(megatec.New(body, tt.o).Receive(at, []byte(tt.in))); got != tt.want {
			t.Errorf("%s: %q is answered by %q; want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestCommandsAreRemembered(t *testing.T) {
	d := megatec.New(power.New(power.Spec{}), megatec.Options{})
	for _, in := range []string{"Q", "1\rQ1\rF\rQ1", "\rTL\rS.5R", "0003\r"} {
		d.Receive(at, []byte(in))
	}
	if got, want := d.Seen(), []string{"Q1", "F", "Q1", "TL", "S.5R0003"}; !slices.Equal(got, want) {
		t.Errorf("Seen() = %q; want %q", got, want)
	}
	for what, want := range map[string]bool{"kill": true, "S.5R0003": true, "test": true, "F": true,
		"cancel": false, "S.5": false, "": false} {
		if got := d.Saw(what); got != want {
			t.Errorf("Saw(%q) = %v; want %v", what, got, want)
		}
	}
	for range 1000 {
		d.Receive(at, []byte("Q\rC\r"))
	}
	if n := len(d.Seen()); n != 256 {
		t.Errorf("%d commands are remembered; want 256", n)
	}
}

// The usual guess of a driver is 20.8 V for empty and 26 V for full, of a 24 V battery.
func TestChargeCanBeGuessedFromTheVoltage(t *testing.T) {
	for charge := 10; charge <= 100; charge += 10 {
		body := power.New(power.Spec{})
		body.SetMains(0, 0)
		body.SetBattery(0, charge)
		answer := megatec.New(body, megatec.Options{}).Answer(0, "Q1")
		v := strings.Fields(answer)[5] // dd.d
		decivolts := int(v[0]-'0')*100 + int(v[1]-'0')*10 + int(v[3]-'0')
		if guess := (decivolts - 208) * 100 / 52; guess < charge-3 || guess > charge+3 {
			t.Errorf("%s V is a guess of %d %% at %d %%", v, guess, charge)
		}
	}
}

// FuzzReceive holds that no bytes break a device and that commands survive being cut anywhere.
func FuzzReceive(f *testing.F) {
	f.Add([]byte("Q1\rF\rI\rS.5R0003\rC\r"), 4)
	f.Add([]byte("\x00\xff\r\r(\r"), 1)
	f.Fuzz(func(t *testing.T, in []byte, cut int) {
		cut = min(max(cut, 0), len(in))
		whole := megatec.New(power.New(power.Spec{}), megatec.Options{})
		parts := megatec.New(power.New(power.Spec{}), megatec.Options{})
		want := string(whole.Receive(at, in))
		got := string(parts.Receive(at, in[:cut])) + string(parts.Receive(at, in[cut:]))
		if got != want {
			t.Errorf("cut at %d: %q; whole: %q", cut, got, want)
		}
	})
}
