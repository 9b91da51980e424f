package driver

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

func TestLowByValues(t *testing.T) {
	tests := []struct {
		name   string
		device string
		values map[string]string
		want   string
	}{
		{"the device's LB is dropped", "OL LB", map[string]string{"battery.charge": "80", "battery.charge.low": "20"}, "OL"},
		{"charge below its limit", "OB", map[string]string{"battery.charge": "19.9", "battery.charge.low": "20"}, "OB LB"},
		{"charge at its limit", "OB", map[string]string{"battery.charge": "20.9", "battery.charge.low": "20"}, "OB"},
		{"runtime below its limit", "OB",
			map[string]string{"battery.runtime": "119", "battery.runtime.low": "120"}, "OB LB"},
		{"either is enough", "OB", map[string]string{"battery.charge": "50", "battery.charge.low": "20",
			"battery.runtime": "60", "battery.runtime.low": "120"}, "OB LB"},
		{"a value without a limit decides nothing", "OB LB", map[string]string{"battery.charge": "1"}, "OB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := lowByValues(strings.Fields(tt.device), func(n string) string { return tt.values[n] })
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%q with %v = %q, want %q", tt.device, tt.values, s, tt.want)
			}
		})
	}
}

func TestTrend(t *testing.T) {
	tests := []struct {
		name string
		seen string // "charge status" of successive polls
		want string // the word that is added at the last of them
	}{
		{"nothing is known at first", "80 OL", ""},
		{"a charge that rises on line power", "80 OL, 81 OL", "CHRG"},
		{"a charge that falls on battery", "80 OB, 79 OB", "DISCHRG"},
		{"the word stays while the charge does", "80 OL, 81 OL, 81 OL, 81 OL", "CHRG"},
		{"and when the guess trembles", "80 OL, 81 OL, 80 OL", "CHRG"},
		{"the first poll on battery proves nothing", "80 OL, 80 OB", ""},
		{"a charge that falls on line power is a heavier load", "80 OL, 70 OL", ""},
		{"a charge that rises on battery is a lighter load", "80 OB, 85 OB", ""},
		{"changing sides forgets", "80 OB, 79 OB, 79 OL", ""},
		{"a full battery is not charging", "98 OL, 99 OL, 100 OL", ""},
		{"the device's own word is enough", "80 OL CHRG, 81 OL CHRG", ""},
		{"no charge, no word", " OL, OL", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tr trend
			got := ""
			for _, s := range strings.Split(tt.seen, ", ") {
				charge, status, _ := strings.Cut(s, " ")
				got = tr.note(charge, strings.Fields(status))
			}
			if got != tt.want {
				t.Errorf("after %q: %q, want %q", tt.seen, got, tt.want)
			}
		})
	}
}

func TestStatusAssembly(t *testing.T) {
	tests := []struct {
		name   string
		words  []string
		alarms []string
		want   string
		alarm  string
	}{
		{"words in the order of the device", []string{"OB", "LB"}, nil, "OB LB", ""},
		{"a word counts once", []string{"OL", "OL"}, nil, "OL", ""},
		{"an alarm comes first", []string{"OL"}, []string{"[hot]", "[cold]"}, "ALARM OL", "[hot] [cold]"},
		{"an alarm that the device names itself", []string{"OL", "ALARM"}, []string{"x"}, "OL ALARM", "x"},
		{"nothing is said about nothing", nil, nil, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := NewState()
			s.Status(tt.words...)
			s.Alarms(tt.alarms...)
			s.complete(false, false, new(trend))
			if s.Value("ups.status") != tt.want || s.Value("ups.alarm") != tt.alarm {
				t.Errorf("ups.status %q, ups.alarm %q; want %q, %q",
					s.Value("ups.status"), s.Value("ups.alarm"), tt.want, tt.alarm)
			}
		})
	}
}

// Whoever follows the changes has what a dump would have given.
func TestChangesLeadFromOneStateToTheNext(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	old := state.New()
	copied := state.New()
	for round := range 500 {
		next := randomDevice(rng)
		var p line.Parser
		p.Feed(changes(old, next), func(words []string, err error) {
			if err == nil {
				_, err = sockproto.Apply(copied, words)
			}
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
		})
		got, want := sockproto.Dump(copied, true), sockproto.Dump(next, true)
		if !slices.Equal(sorted(got), sorted(want)) {
			t.Fatalf("round %d: followed to\n%s\nwant\n%s", round, got, want)
		}
		if again := changes(next, copyOf(next)); len(again) > 0 {
			t.Fatalf("round %d: a copy differs: %s", round, again)
		}
		old = next
	}
}

// sorted forgets the order of lines: that of permitted values depends on when they were added.
func sorted(dump []byte) []string {
	lines := strings.Split(string(dump), "\n")
	slices.Sort(lines)
	return lines
}

func randomDevice(rng *rand.Rand) *state.Device {
	d := state.New()
	for i := range 6 {
		name := fmt.Sprintf("var.%d", i)
		if rng.IntN(3) == 0 {
			continue
		}
		d.Set(name, []string{"", "a", `q "u" \ #`, "12"}[rng.IntN(4)])
		d.SetFlags(name, state.Flags(rng.IntN(8)))
		d.SetMax(name, rng.IntN(3)*8)
		for j := range rng.IntN(3) {
			d.AddEnum(name, fmt.Sprint("value ", j+rng.IntN(2)))
			d.AddRange(name, state.Range{Min: j, Max: j + rng.IntN(9)})
		}
	}
	for i := range rng.IntN(4) {
		d.AddCommand(fmt.Sprintf("cmd.%d", i+rng.IntN(2)))
	}
	return d
}

func TestSuggestions(t *testing.T) {
	c := &Conf{options: common}
	for key, want := range map[string]string{
		"pollintervall": "; is pollinterval meant?",
		"prot":          "; is port meant?",
		"xyzzy":         "; -h lists them",
	} {
		if got := c.suggest(key); got != want {
			t.Errorf("suggest(%q) = %q, want %q", key, got, want)
		}
	}
}

func TestConfOfAnUndeclaredKeyPanics(t *testing.T) {
	c, err := compose(Spec{}, "x", "u", []setting{{key: "port", value: "p"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(){
		"undeclared": func() { c.Text("nope") },
		"wrong kind": func() { c.Int("port") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			ask()
		}()
	}
}

// nobody sleeps in this waiting place.
type nobody struct{}

func (nobody) Wait(env.Env, env.Instant) error { return nil }
func (nobody) Wake()                           {}

// Whatever a client says, the driver answers in whole lines or not at all.
func FuzzSocket(f *testing.F) {
	for _, s := range []string{"DUMPALL\n", "SET a \"b\" TRACKING 1\nPING\n", "INSTCMD\n", "DUMPVALUE ups.id\n",
		"BROADCAST 0\nGETPID\n", "LOGOUT\nPING\n", "\"\\\n#\x00", "INSTCMD driver.exit TRACKING x\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		h := newHub()
		h.dev.Set("ups.id", `a "b" #c \d`)
		c := &conn{wake: nobody{}, listens: true}
		s := &server{hub: h, pid: 1, exit: func() {}, enqueue: func(request) bool { return false }}
		var p line.Parser
		p.Feed(said, func(words []string, err error) {
			if err == nil && len(words) > 0 {
				s.obey(c, words)
			}
		})
		b, _, _ := c.take()
		if len(b) > 0 && b[len(b)-1] != '\n' {
			t.Errorf("%q was answered with half a line: %q", said, b)
		}
	})
}
