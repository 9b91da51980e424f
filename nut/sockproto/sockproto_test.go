package sockproto

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// words takes lines apart.
func words(t testing.TB, text []byte) [][]string {
	t.Helper()
	var p line.Parser
	var all [][]string
	p.Feed(text, func(w []string, err error) {
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		all = append(all, append([]string(nil), w...))
	})
	return all
}

func sample() *state.Device {
	d := state.New()
	d.Set("ups.status", "OL")
	d.Set("battery.charge", "90")
	d.SetFlags("battery.charge", state.RW|state.String)
	d.SetMax("battery.charge", 8)
	d.Set("input.transfer.low", "103")
	d.AddEnum("input.transfer.low", "103")
	d.AddEnum("input.transfer.low", `a "b" \ #c`)
	d.AddRange("input.transfer.low", state.Range{Min: -10, Max: 30})
	d.AddCommand("load.off")
	d.AddCommand("driver.killpower")
	return d
}

func TestDump(t *testing.T) {
	const body = `SETINFO battery.charge "90"
SETAUX battery.charge 8
SETFLAGS battery.charge RW STRING
SETINFO input.transfer.low "103"
ADDENUM input.transfer.low "103"
ADDENUM input.transfer.low "a \"b\" \\ \#c"
ADDRANGE input.transfer.low -10 30
SETINFO ups.status "OL"
ADDCMD driver.killpower
ADDCMD load.off
`
	if got, want := string(Dump(sample(), true)), body+"DATAOK\nDUMPDONE\n"; got != want {
		t.Errorf("fresh: got\n%s\nwant\n%s", got, want)
	}
	if got, want := string(Dump(sample(), false)), "DATASTALE\n"+body+"DUMPDONE\n"; got != want {
		t.Errorf("stale: got\n%s\nwant\n%s", got, want)
	}
	if got, want := string(DumpValue(sample(), "UPS.status", true)), "SETINFO ups.status \"OL\"\nDATAOK\nDUMPDONE\n"; got != want {
		t.Errorf("one value: got %q, want %q", got, want)
	}
	if got, want := string(DumpValue(sample(), "nosuch", true)), "DATAOK\nDUMPDONE\n"; got != want {
		t.Errorf("a value that is not there: got %q, want %q", got, want)
	}
}

func TestWhatOneSideDumpsTheOtherSideHas(t *testing.T) {
	got := state.New()
	for _, w := range words(t, Dump(sample(), true)) {
		if _, err := Apply(got, w); err != nil {
			t.Errorf("Apply(%q): %v", w, err)
		}
	}
	if a, b := Dump(got, true), Dump(sample(), true); !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nwant\n%s", a, b)
	}
}

// DS-D1, DS-D2, DS-D3, DS-D4, DS-D5, DS-D6, DS-D7
func TestApply(t *testing.T) {
	tests := []struct {
		name, line string
		verb       Verb
		err        error
		want       string // of DumpValue x, without the trailer
	}{
		{"a value (DS-D1)", `SETINFO x "b c"`, SetInfoVerb, nil, `SETINFO x "b c"`},
		{"verbs in any letter case", `setinfo x 2`, SetInfoVerb, nil, `SETINFO x "2"`},
		{"removal (DS-D2)", `DELINFO x`, DelInfoVerb, nil, ``},
		{"an enum entry (DS-D3)", `ADDENUM x "1"`, AddEnumVerb, nil, "SETINFO x \"1\"\nADDENUM x \"1\""},
		{"a range (DS-D4)", `ADDRANGE x 1 20`, AddRangeVerb, nil, "SETINFO x \"1\"\nADDRANGE x 1 20"},
		{"a range of fractions", `ADDRANGE x 1.5 20.75`, AddRangeVerb, nil, "SETINFO x \"1\"\nADDRANGE x 1 20"},
		{"a range upside down is refused", `ADDRANGE x 20 1`, AddRangeVerb, ErrDropped, `SETINFO x "1"`},
		{"a range of words is refused", `ADDRANGE x low high`, AddRangeVerb, ErrDropped, `SETINFO x "1"`},
		{"a length (DS-D5)", `SETAUX x 32`, SetAuxVerb, nil, "SETINFO x \"1\"\nSETAUX x 32"},
		{"a length that is none", `SETAUX x -3`, SetAuxVerb, ErrDropped, `SETINFO x "1"`},
		{"flags, unknown ones ignored (DS-D6)", `SETFLAGS x RW FOO NUMBER`, SetFlagsVerb, nil,
			"SETINFO x \"1\"\nSETFLAGS x RW NUMBER"},
		{"no base variable", `ADDENUM nosuch "1"`, AddEnumVerb, ErrDropped, `SETINFO x "1"`},
		{"a sign of life", `PONG`, PongVerb, nil, `SETINFO x "1"`},
		{"too few words are not understood (DS-12)", `SETINFO x`, "", ErrUnknown, `SETINFO x "1"`},
		{"a foreign word is not understood (DS-12)", `FOO x 1`, "", ErrUnknown, `SETINFO x "1"`},
		{"the answer to LOGOUT (DS-D13)", `OK Goodbye`, GoodbyeVerb, nil, `SETINFO x "1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := state.New()
			d.Set("x", "1")
			verb, err := Apply(d, words(t, []byte(tt.line+"\n"))[0])
			if verb != tt.verb || !errors.Is(err, tt.err) {
				t.Errorf("Apply = %q, %v; want %q, %v", verb, err, tt.verb, tt.err)
			}
			got := strings.TrimSuffix(strings.TrimSuffix(string(DumpValue(d, "x", true)), DataOK+DumpDone), "\n")
			if got != tt.want {
				t.Errorf("x is now %q, want %q", got, tt.want)
			}
		})
	}
}

func TestApplyToAFullDevice(t *testing.T) {
	d := state.New()
	for i := range state.MaxVars {
		d.Set(fmt.Sprint("v", i), "1")
	}
	if verb, err := Apply(d, []string{"SETINFO", "more", "1"}); verb != SetInfoVerb || !errors.Is(err, ErrDropped) {
		t.Errorf("Apply = %q, %v; want a dropped line that is a sign of life", verb, err)
	}
}

func TestParseResult(t *testing.T) {
	tests := []struct {
		line string
		want Code
	}{
		{"TRACKING AB-1 0", Handled},
		{"TRACKING AB-1 3", Failed},
		{"TRACKING AB-1 4", ConversionFailed},
		{"TRACKING AB-1 77", Unknown},
		{"TRACKING AB-1 -1", Unknown},
		{"TRACKING AB-1 done", Unknown}, // never success: nothing is known
	}
	for _, tt := range tests {
		id, got, err := ParseResult(strings.Fields(tt.line))
		if id != "AB-1" || got != tt.want || err != nil {
			t.Errorf("ParseResult(%q) = %q, %d, %v; want AB-1, %d", tt.line, id, got, err, tt.want)
		}
	}
	if _, _, err := ParseResult([]string{"TRACKING", "AB-1"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("without a code: %v", err)
	}
}

// DS-U1 to DS-U10
func TestParseRequest(t *testing.T) {
	tests := []struct {
		name, line string
		want       Request
		err        error
	}{
		{"set", `SET ups.id "x y"`, Request{Verb: SetVerb, Name: "ups.id", Value: "x y", HasValue: true}, nil},
		{"set, tracked", `SET ups.id "" TRACKING A-1`, Request{SetVerb, "ups.id", "", true, "A-1"}, nil},
		{"set with a bad tail is a set (DS section 4)", `SET ups.id x y z`, Request{SetVerb, "ups.id", "x", true, ""}, nil},
		{"set without a value", `SET ups.id`, Request{}, ErrDropped},
		{"command", `INSTCMD load.off`, Request{Verb: InstCmdVerb, Name: "load.off"}, nil},
		{"command with a value", `INSTCMD load.off 120`, Request{InstCmdVerb, "load.off", "120", true, ""}, nil},
		{"command, tracked", `INSTCMD load.off TRACKING A-1`, Request{InstCmdVerb, "load.off", "", false, "A-1"}, nil},
		{"command with a value, tracked", `INSTCMD load.off "1 2" TRACKING A-1`,
			Request{InstCmdVerb, "load.off", "1 2", true, "A-1"}, nil},
		{"command with two values", `INSTCMD load.off 1 2`, Request{}, ErrDropped},
		{"command with a fourth word that is not TRACKING", `INSTCMD load.off 1 2 3`, Request{}, ErrDropped},
		{"command without a name", `INSTCMD`, Request{}, ErrDropped},
		{"one value", `DUMPVALUE ups.status`, Request{Verb: DumpValueVerb, Name: "ups.status"}, nil},
		{"one value, not named", `DUMPVALUE`, Request{}, ErrUnknown},
		{"broadcast on", `BROADCAST`, Request{Verb: BroadcastVerb}, nil},
		{"broadcast off", `BROADCAST 0`, Request{Verb: NoBroadcastVerb}, nil},
		{"small letters", `ping`, Request{Verb: PingVerb}, nil},
		{"anything else", `FOO`, Request{}, ErrUnknown},
		{"an empty line", ``, Request{}, ErrUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w []string
			if all := words(t, []byte(tt.line+"\n")); len(all) > 0 {
				w = all[0]
			}
			got, err := ParseRequest(w)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ParseRequest(%q) = %+v, %v; want %+v, %v", tt.line, got, err, tt.want, tt.err)
			}
		})
	}
}

func TestRequestsToADriver(t *testing.T) {
	tests := []struct{ got, want string }{
		// The lines of the protocol notes, section 6.
		{Set("ups.id", "x y", "2DDC5036-F665-4D29-BE4C-0374D091D263"),
			"SET ups.id \"x y\" TRACKING 2DDC5036-F665-4D29-BE4C-0374D091D263\n"},
		{InstCmd("load.off.delay", "120", true, "59DF2263-3F15-4601-8786-9C36E1900437"),
			"INSTCMD load.off.delay 120 TRACKING 59DF2263-3F15-4601-8786-9C36E1900437\n"},
		{InstCmd("load.off", "", false, ""), "INSTCMD load.off\n"},
		{InstCmd("beeper.mute", "two words", true, ""), "INSTCMD beeper.mute \"two words\"\n"},
		{Set("ups.id", `"#\`, ""), `SET ups.id "\"\#\\"` + "\n"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// FuzzApply feeds a driver's bytes to a device: nothing may panic, limits hold, and what was taken
// survives a dump.
func FuzzApply(f *testing.F) {
	f.Add(Dump(sample(), true))
	f.Add([]byte("SETINFO a \"b\nADDRANGE a 99999999999999999999 1\nSETAUX a 1\nDELINFO a\n"))
	f.Add([]byte("SETINFO x \"a\"q\" \\ b\"\nADDENUM x #\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := state.New()
		var p line.Parser
		p.Feed(b, func(w []string, err error) {
			if err == nil {
				Apply(d, w)
				ParseRequest(w)
				ParseResult(w)
			}
		})
		again := state.New()
		p = line.Parser{}
		p.Feed(Dump(d, true), func(w []string, err error) {
			if err != nil {
				t.Errorf("own dump: %v", err)
			} else if _, err := Apply(again, w); err != nil {
				t.Errorf("own dump: %v", err)
			}
		})
		if a, b := Dump(d, false), Dump(again, false); !bytes.Equal(a, b) {
			t.Errorf("a dump changed on the way:\n%s\n%s", a, b)
		}
	})
}
