package dummy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	tests := []struct {
		name string
		line string
		want string // the step
	}{
		{"a variable", "battery.charge: 90", "set battery.charge=90"},
		{"the colon may be left out", "battery.charge 90", "set battery.charge=90"},
		{"words are joined by one blank", "ups.mfr:  ACME   Inc.  ", "set ups.mfr=ACME Inc."},
		{"quotes keep blanks", `ups.mfr: "ACME   Inc."`, "set ups.mfr=ACME   Inc."},
		{"a comment ends a value", "ups.status: OL # for now", "set ups.status=OL"},
		{"a comment alone", "# ups.status: OB", ""},
		{"an empty line", "   ", ""},
		{"without words it is deleted", "ambient.humidity:", "drop ambient.humidity="},
		{"an equals sign is a word", "ups.firmware: ID=18", "set ups.firmware=ID = 18"},
		{"driver.* is ignored", "driver.name: usbhid-ups", ""},
		{"TIMER", "TIMER 60", "timer 1m0s"},
		{"ALARM", "ALARM Battery is hot", "alarm Battery is hot"},
		{"ALARM alone", "ALARM", "alarm "},
		{"facts of recordings are comments", "#RW:battery.charge.low:STRING:10", ""},
		{"a TIMER without a number", "TIMER soon", "error"},
		{"a TIMER that never ends", "TIMER 999999999999", "error"},
		{"a TIMER that goes back", "TIMER -5", "error"},
		{"no name of a variable", "??: 5", "error"},
		{"bad quoting", `ups.mfr: "a # b"`, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			st, ok, err := parseLine(tt.line, false)
			if got := show(st, ok, err); got != tt.want {
				t.Errorf("%q is %q (%v), want %q", tt.line, got, err, tt.want)
			}
		})
	}
}

func show(st step, ok bool, err error) string {
	switch {
	case err != nil:
		return "error"
	case !ok:
		return ""
	case st.verb == timer:
		return "timer " + st.pause.String()
	case st.verb == alarm:
		return "alarm " + st.value
	case st.verb == drop:
		return "drop " + st.name + "=" + st.value
	}
	return "set " + st.name + "=" + st.value
}

func TestRecordingsAreTakenToTheLetter(t *testing.T) {
	text := "battery.charge:   100\nups.firmware: UPS 11.0 / ID=1007\nups.id: 79<><>/\\\n" +
		"ups.model: Unknown #BC1200     (1.650)\ndevice.serial:\nups.serial: \xd1\x8fMPAQ\ndriver.version: 2.6.3\n" +
		"#CMD:load.off\nups.mfr: \"ACME\"\r\n"
	s := parse("x.dev", []byte(text))
	want := []string{
		"set battery.charge=  100", "set ups.firmware=UPS 11.0 / ID=1007", `set ups.id=79<><>/\`,
		"set ups.model=Unknown #BC1200     (1.650)", "set device.serial=", "set ups.serial=MPAQ", `set ups.mfr="ACME"`,
	}
	var got []string
	for _, st := range s.steps {
		got = append(got, show(st, true, nil))
	}
	if !slices.Equal(got, want) || !s.real || len(s.bad) > 0 {
		t.Errorf("steps %q, real %v, bad %v; want %q", got, s.real, s.bad, want)
	}
}

func TestBadLinesAreSkippedAndNamed(t *testing.T) {
	s := parse("lab.seq", []byte("ups.status: OL\nTIMER soon\nbattery.charge: 90\n"))
	if len(s.steps) != 2 || len(s.bad) != 1 {
		t.Fatalf("%d steps, %d bad lines; want 2 and 1", len(s.steps), len(s.bad))
	}
	if got := s.bad[0].Error(); !strings.HasPrefix(got, `lab.seq:2: TIMER "soon": want a number of seconds`) {
		t.Errorf("bad line: %q", got)
	}
}

func TestModes(t *testing.T) {
	tests := []struct{ option, port, want string }{
		{"", "x.dev", once}, {"", "x.seq", loop}, {"", "/dev/null", loop}, {"dummy", "x.dev", loop},
		{once, "x.seq", once}, {loop, "x.dev", loop}, {"", "ups@host", repeat}, {once, "ups@host.dev", once},
	}
	for _, tt := range tests {
		if got := modeOf(tt.option, tt.port); got != tt.want {
			t.Errorf("mode %q, port %q: %q, want %q", tt.option, tt.port, got, tt.want)
		}
	}
}

func TestEffects(t *testing.T) {
	tests := []struct{ command, before, after string }{
		{"load.off", "OL", "OL OFF"}, {"load.on", "OL OFF", "OL"}, {"load.off", "OL OFF", "OL OFF"},
		{"test.failure.start", "OL CHRG", "OB CHRG"}, {"test.failure.stop", "OB LB", "OL"},
		{"test.battery.start", "OL", "OL CAL"}, {"test.battery.stop", "OL CAL", "OL"},
		{"bypass.start", "OL", "OL BYPASS"}, {"shutdown.return", "OB LB", "OB LB OFF"}, {"load.off", "", "OFF"},
	}
	for _, tt := range tests {
		f, ok := find(tt.command)
		if got := strings.Join(f.status(strings.Fields(tt.before)), " "); !ok || got != tt.after {
			t.Errorf("%s on %q: %q, want %q", tt.command, tt.before, got, tt.after)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"ups.status: OL\nTIMER 5\n", "driver.version: 1\na: \\\n", "ALARM \"x\n\"\n", "\x00\xff:"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s := parse("x", text)
		if n := strings.Count(string(text), "\n") + 1; len(s.steps)+len(s.bad) > n {
			t.Errorf("%d steps of %d lines", len(s.steps), n)
		}
		for _, st := range s.steps {
			if strings.ContainsAny(fmt.Sprint(st.name, st.value), "\n\r\x00") {
				t.Errorf("%q = %q: a control character passed", st.name, st.value)
			}
		}
	})
}
