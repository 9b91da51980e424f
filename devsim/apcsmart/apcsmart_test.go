package apcsmart_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
)

const s = time.Second

// at is the instant of the queries in the tables below.
const at = 100 * s

func on(*power.UPS) {}

// answers are what comes back from a unit in a certain state, after Y.
var answers = []struct {
	name string
	spec power.Spec
	o    apcsmart.Options
	do   func(*power.UPS)
	in   string
	want string
}{
	{"measurements, each another", power.Spec{}, apcsmart.Options{}, on, "BCFLMNOPfgj",
		"26.30 025.7 50.00 230.0 231.4 227.3 228.9 027.0 100.0 024 0010:"},
	{"another world", power.Spec{Nominal: 120_000, Frequency: 60_000, Load: 41}, apcsmart.Options{}, on,
		"CFLO", "025.9 60.00 120.0 119.4"},
	{"a high battery has one decimal", power.Spec{BatteryNominal: 192_000}, apcsmart.Options{}, on,
		"Bg", "210.4 192"},
	{"who it is", power.Spec{}, apcsmart.Options{}, on, "\x01Vbnmcxy",
		"SMART-UPS 1400 GWI 50.11.I WS9643050926 10/25/96 UPS_IDEN 10/25/96 (C) APCC"},
	{"what it knows", power.Spec{}, apcsmart.Options{}, on, "a",
		"3.!$%+?=#|.\x01\x0e\x1a'789@ABCDEFGKLMNOPQRSUVWXYZabcefgjklmnopqrsuxyz"},
	{"what settings may be", power.Spec{}, apcsmart.Options{}, on, "\x1a",
		"#uI43253264271280lI43196188208204uD43127130133136lD43103100097106e44200155090" +
			"oI43230240220225q44202050710p443020180300600k4410TLNr443000060180300" +
			"E443336168ON OFFs441HMLL"},
	{"unknown commands", power.Spec{}, apcsmart.Options{}, on, "HhtvI", "NA NA NA NA NA"},
	{"on line", power.Spec{}, apcsmart.Options{}, on, "Q9G", "08 FF O"},
	{"in an outage", power.Spec{}, apcsmart.Options{}, func(u *power.UPS) { u.SetMains(at, 0) },
		"Q9G", "10 00 L"},
	{"on too high mains", power.Spec{}, apcsmart.Options{}, func(u *power.UPS) { u.SetMains(at, 300_000) },
		"QG", "10 H"},
	{"with the battery low", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.SetMains(at, 0); u.SetBattery(at, 20) }, "Q", "50"},
	{"boosting", power.Spec{}, apcsmart.Options{}, func(u *power.UPS) { u.SetMains(at, 190_000) }, "Q", "0C"},
	{"trimming", power.Spec{}, apcsmart.Options{}, func(u *power.UPS) { u.SetMains(at, 260_000) }, "Q", "0A"},
	{"overloaded", power.Spec{}, apcsmart.Options{}, func(u *power.UPS) { u.SetLoad(at, 130) }, "Q", "68"},
	{"with a battery that failed its test", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.SetBroken(at, true) }, "WQX", "#OK 88 BT"},
	{"a self test is on battery", power.Spec{}, apcsmart.Options{}, on, "WQG", "!OK 10 S"},
	{"a calibration is on line", power.Spec{}, apcsmart.Options{}, on, "DQ", "OK 09"},
	{"and needs a full battery", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.SetBattery(at, 90) }, "DQ", "NO 08"},
	{"a test on battery is refused", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.SetMains(at, 0) }, "WU", "NO NA"},
	{"switched off", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.ScheduleOff(at, 0, 0, false) }, "Q", "00"},
	{"S on the mains is refused", power.Spec{}, apcsmart.Options{}, on, "S", "NA"},
	{"and on battery is obeyed", power.Spec{}, apcsmart.Options{},
		func(u *power.UPS) { u.SetMains(at, 0) }, "S", "OK"},
	{"by some with a star", power.Spec{}, apcsmart.Options{Star: true},
		func(u *power.UPS) { u.SetMains(at, 0) }, "S", "*"},
	{"@ is obeyed on the mains", power.Spec{}, apcsmart.Options{}, on, "@000", "OK"},
	{"digits that are none end it", power.Spec{}, apcsmart.Options{}, on, "@0Q", "NA"},
	{"settings turn", power.Spec{}, apcsmart.Options{}, on, "p-p-p-p-pk-k",
		"020 OK| 180 OK| 300 OK| 600 OK| 020 0 OK| T"},
	{"what is no setting does not", power.Spec{}, apcsmart.Options{}, on, "L-", "230.0 NO"},
	{"texts are taken", power.Spec{}, apcsmart.Options{}, on, "c-rack\r\r\r\rcx-12/24/25x",
		"UPS_IDEN OK| rack 10/25/96 OK| 12/24/25"},
	{"an old unit", power.Spec{}, apcsmart.Options{Model: apcsmart.OldUPS}, on, "Vab\x1aE-E",
		"6QI NA NA NA 336 OK| 168"},
	{"a matrix", power.Spec{}, apcsmart.Options{Model: apcsmart.Matrix}, on, "V></^", "0XI 002 000 00.71 OK"},
	{"a CS", power.Spec{}, apcsmart.Options{Model: apcsmart.BackCS}, on, "V\x01bLQ", "NA BACK-UPS CS 500 5.4.D NA 08"},
}

func TestAnswers(t *testing.T) {
	for _, tt := range answers {
		t.Run(tt.name, func(t *testing.T) {
			body := power.New(tt.spec)
			d := apcsmart.New(body, tt.o)
			if got := string(d.Receive(0, []byte("Y"))); got != "SM\r\n" {
				t.Fatalf("after Y: %q", got)
			}
			tt.do(body)
			d.Talk(at)
			got := strings.ReplaceAll(string(d.Receive(at, []byte(tt.in))), "\r\n|", "| ")
			got = strings.TrimSpace(strings.ReplaceAll(got, "\r\n", " "))
			if got != tt.want {
				t.Errorf("after %q:\ngot  %q\nwant %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDumbUnitsAreSilent(t *testing.T) {
	body := power.New(power.Spec{})
	d := apcsmart.New(body, apcsmart.Options{})
	say := func(in, want string) {
		t.Helper()
		if got := string(d.Receive(at, []byte(in))); got != want {
			t.Errorf("after %q: %q, want %q", in, got, want)
		}
	}
	say("QLa", "")
	say("YR", "SM\r\nBYE\r\n")
	say("Q", "")
	say("Y", "SM\r\n")
	body.SetMains(at, 0)
	body.SetBattery(at, 0)
	body.SetMains(at, 230_000)
	say("Q", "") // it was without power
	say("Y", "SM\r\n")
}

func TestCries(t *testing.T) {
	for _, rude := range []bool{false, true} {
		body := power.New(power.Spec{Runtime: 10 * time.Minute, Low: 3 * time.Minute})
		d := apcsmart.New(body, apcsmart.Options{Rude: rude})
		woken := 0
		d.OnTalk(func() { woken++ })
		body.SetMains(at, 0) // a dumb unit cries out nothing
		body.SetMains(at, 230_000)
		d.Receive(at, []byte("Y"))
		body.SetMains(at, 0)
		if _, ok := d.NextTalk(); !ok || woken == 0 {
			t.Errorf("after the mains failed: has something to say %v, called %d times", ok, woken)
		}
		want := "!10\r\n"
		if rude {
			want = "1!0\r\n"
		}
		if got := string(d.Receive(at, []byte("Q"))); got != want {
			t.Errorf("rude %v: %q, want %q", rude, got, want)
		}
		body.Advance(at + 8*time.Minute)
		body.SetMains(at+8*time.Minute, 230_000)
		body.Advance(at + 5*time.Hour)
		if got := string(d.Talk(at + 5*time.Hour)); got != "%$+" {
			t.Errorf("the end of an outage: %q, want %q", got, "%$+")
		}
	}
}

// A step of an order: something is sent, or the mains change.
type step struct {
	after time.Duration // since the step before
	send  string
	mains int // V when there is nothing to send
}

func TestOrders(t *testing.T) {
	off, back := step{mains: 0}, func(after time.Duration) step { return step{after: after, mains: 230} }
	tests := []struct {
		name    string
		o       apcsmart.Options
		spec    power.Spec
		steps   []step
		outlets []time.Duration // of the changes after the first step, off, on, ...
	}{
		{"S waits for the mains", apcsmart.Options{}, power.Spec{},
			[]step{off, {send: "S"}, back(100 * s)}, []time.Duration{20 * s, 105 * s}},
		{"mains that come back before the cut do not cancel it", apcsmart.Options{}, power.Spec{},
			[]step{off, {send: "S"}, back(10 * s)}, []time.Duration{20 * s, 30 * s}},
		{"p is the grace, r the wait afterwards", apcsmart.Options{}, power.Spec{},
			[]step{off, {send: "p-r-S"}, back(200 * s)}, []time.Duration{180 * s, 260 * s}},
		{"e is the charge to wait for", apcsmart.Options{}, power.Spec{Recharge: 1000 * s},
			[]step{off, {after: 1800 * s, send: "e-e-e-S"}, back(40 * s)},
			[]time.Duration{1820 * s, 1840*s + 405556*time.Millisecond}},
		{"S on the mains does nothing", apcsmart.Options{}, power.Spec{}, []step{{send: "S"}}, nil},
		{"after U it does", apcsmart.Options{}, power.Spec{},
			[]step{{send: "U"}, {after: 4 * s, send: "S"}}, []time.Duration{24 * s, 34 * s}},
		{"@000 on the mains is a cycle", apcsmart.Options{}, power.Spec{},
			[]step{{send: "@000"}}, []time.Duration{20 * s, 30 * s}},
		{"@002 takes twelve minutes more", apcsmart.Options{}, power.Spec{},
			[]step{{send: "@002"}}, []time.Duration{20 * s, 20*s + 725*s}},
		{"an old unit ignores @000", apcsmart.Options{Model: apcsmart.OldUPS}, power.Spec{},
			[]step{{send: "@000"}}, nil},
		{"and after @001 wakes up without mains", apcsmart.Options{Model: apcsmart.OldUPS}, power.Spec{},
			[]step{off, {send: "@001"}}, []time.Duration{20 * s, 380 * s}},
		{"K stays off", apcsmart.Options{}, power.Spec{},
			[]step{{send: "K"}, {after: 1500 * time.Millisecond, send: "K"}}, []time.Duration{21500 * time.Millisecond}},
		{"K pressed in haste is nothing", apcsmart.Options{}, power.Spec{},
			[]step{{send: "K"}, {after: s, send: "K"}}, nil},
		{"nor is K with something in between", apcsmart.Options{}, power.Spec{},
			[]step{{send: "K"}, {after: s, send: "Z"}, {after: s, send: "K"}}, nil},
		{"Z is off at once, ^N on", apcsmart.Options{}, power.Spec{},
			[]step{{send: "Z"}, {after: 2 * s, send: "Z"}, {after: 5 * s, send: "\x0e"}, {after: 2 * s, send: "\x0e"}},
			[]time.Duration{2 * s, 9 * s}},
		{"who never obeys", apcsmart.Options{}, power.Spec{Kill: power.None},
			[]step{off, {send: "S@001"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.spec.Runtime = time.Hour
			body := power.New(tt.spec)
			d := apcsmart.New(body, tt.o)
			d.Receive(0, []byte("Y"))
			var got []time.Duration
			body.OnChange(func(c power.Change) {
				if c.Name == power.Outlet {
					got = append(got, c.At-at)
				}
			})
			now := at
			for _, st := range tt.steps {
				now += st.after
				if st.send == "" {
					body.SetMains(now, st.mains*1000)
				}
				d.Receive(now, []byte(st.send))
			}
			body.Advance(now + 2000*s)
			if !slices.Equal(got, tt.outlets) {
				t.Errorf("the outlet changed at %v; want %v", got, tt.outlets)
			}
		})
	}
}

func TestSettingsHaveTheirEffect(t *testing.T) {
	body := power.New(power.Spec{Runtime: 20 * time.Minute, Low: 2 * time.Minute})
	d := apcsmart.New(body, apcsmart.Options{})
	d.Receive(0, []byte("Yq---")) // 10 minutes
	body.SetMains(at, 0)
	body.Advance(at + 11*time.Minute)
	if !body.Low() {
		t.Error("the battery is not low 9 minutes before its end")
	}
}

func TestCalibrationEndsWithALowBattery(t *testing.T) {
	body := power.New(power.Spec{Runtime: 10 * time.Minute, Low: 3 * time.Minute})
	d := apcsmart.New(body, apcsmart.Options{})
	d.Receive(0, []byte("YD"))
	body.Advance(7*time.Minute + s)
	if got := string(d.Receive(7*time.Minute+s, []byte("Qf"))); got != "%48\r\n030.0\r\n" {
		t.Errorf("after 7 of 10 minutes: %q", got)
	}
	d.Receive(2*time.Hour, []byte("DD"))
	if body.Read().Testing {
		t.Error("D does not end a calibration")
	}
}

func TestCommandsAreRemembered(t *testing.T) {
	body := power.New(power.Spec{})
	d := apcsmart.New(body, apcsmart.Options{})
	d.Receive(at, []byte("YQLQLS@000WW"))
	if got, want := d.Seen(), []string{"Y", "Q", "L", "S", "@000", "W", "W"}; !slices.Equal(got, want) {
		t.Errorf("Seen() = %q; want %q", got, want)
	}
	for what, want := range map[string]bool{"kill": true, "@000": true, "test": true, "fail": false, "": false} {
		if got := d.Saw(what); got != want {
			t.Errorf("Saw(%q) = %v; want %v", what, got, want)
		}
	}
	for range 1000 {
		d.Receive(at, []byte("A"))
	}
	if n := len(d.Seen()); n != 256 {
		t.Errorf("%d commands are remembered; want 256", n)
	}
}

// Whatever arrives, the unit lives, and answers no more than it would for the longest answer to each
// byte.
func FuzzReceive(f *testing.F) {
	for _, seed := range []string{"YQ", "Y@000", "Yc-12345678c", "YK", "Y\x1a", "Yp-", "R", "YUSZZ\x0e"} {
		f.Add([]byte(seed), 0)
	}
	f.Fuzz(func(t *testing.T, in []byte, model int) {
		all := apcsmart.Models()
		body := power.New(power.Spec{})
		d := apcsmart.New(body, apcsmart.Options{Model: all[uint(model)%uint(len(all))]})
		for i, c := range in {
			if out := d.Receive(time.Duration(i)*s, []byte{c}); len(out) > 256 {
				t.Errorf("%d bytes after %q", len(out), in[:i+1])
			}
		}
		if len(d.Seen()) > 256 {
			t.Error("too many commands are remembered")
		}
	})
}
