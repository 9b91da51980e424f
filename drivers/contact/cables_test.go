package contact

import (
	"slices"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// recorded are the names of lines in the recorded list of cables.
var recorded = map[string]Lines{"DTR": DTR, "RTS": RTS, "ST": ST, "CTS": CTS, "CD": DCD, "RNG": RI,
	"RI": RI, "DSR": DSR, "0": 0, "-1": Unknown}

func set(t *testing.T, field string) (l Lines) {
	t.Helper()
	for _, w := range strings.Split(field, "|") {
		line, ok := recorded[w]
		if !ok {
			t.Fatalf("%q: no such line", w)
		}
		l |= line
	}
	return l
}

func TestEveryTypeDecodesEveryCombinationAsRecorded(t *testing.T) {
	rows := captures.Table(t, "serial", "contact-closure-line-table.tsv")
	if len(rows) != len(Cables) {
		t.Fatalf("%d recorded, %d known", len(rows), len(Cables))
	}
	checked := 0
	for i, r := range rows {
		c := &Cables[i]
		if c.Mfr != r["mfr"] || c.Model != r["model"] {
			t.Errorf("type %d is %q %q; recorded %q %q", i, c.Mfr, c.Model, r["mfr"], r["model"])
		}
		if got := set(t, r["cable_power"]); c.Power != got {
			t.Errorf("type %d: cable power %v; recorded %v", i, c.Power, got)
		}
		if got := set(t, r["shutdown_line"]); c.Off != got {
			t.Errorf("type %d: shutdown %v; recorded %v", i, c.Off, got)
		}
		is := func(what string, l Lines) bool {
			line := set(t, r[what+"_line"])
			return line != 0 && l&line == set(t, r[what+"_state"])
		}
		for bits := range 64 {
			var l Lines
			for n, line := range []Lines{DTR, RTS, CTS, DCD, RI, DSR} {
				if bits>>n&1 != 0 {
					l |= line
				}
			}
			want := []string{}
			if is("lowbatt", l) {
				want = append(want, "LB")
			}
			if is("online", l) {
				want = append(want, "OL")
			} else {
				want = append(want, "OB")
			}
			if is("replace", l) {
				want = append(want, "RB")
			}
			if is("bypass", l) {
				want = append(want, "BYPASS")
			}
			if got := c.Read(l).Words(); !slices.Equal(got, want) {
				t.Errorf("type %d, lines %06b: %v; want %v", i, bits, got, want)
			}
			checked++
		}
	}
	t.Logf("%d types, %d combinations", len(rows), checked)
}

func TestWithoutALineForItThereIsLinePower(t *testing.T) {
	c := Cables[1]
	c.OL, c.LB = Input{}, Input{}
	for bits := range 256 {
		if got := c.Read(Lines(bits)).Words(); !slices.Equal(got, []string{"OL"}) {
			t.Errorf("lines %08b: %v; want OL", bits, got)
		}
	}
}

func TestLinesInUpsConf(t *testing.T) {
	inputs := []struct {
		text string
		want Input
		err  string
	}{
		{"CTS", high(CTS), ""}, {"-DCD", low(DCD), ""}, {"RNG", high(RI), ""}, {"ri", high(RI), ""},
		{"CTS,-DSR", Input{Mask: CTS | DSR, Value: CTS}, ""}, {"NULL", Input{}, ""},
		{"", Input{}, "empty"}, {"DTR", Input{}, `"DTR": want CTS`}, {"CD", Input{}, `"CD": want CTS`},
		{"--CTS", Input{}, `"--CTS"`},
	}
	for _, tt := range inputs {
		got, err := ParseInput(tt.text)
		if tt.err == "" && (err != nil || got != tt.want) ||
			tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("ParseInput(%q) = %+v, %v; want %+v, %q", tt.text, got, err, tt.want, tt.err)
		}
	}
	outputs := []struct {
		text string
		want Lines
		err  string
	}{
		{"DTR", DTR, ""}, {"DTR RTS", DTR | RTS, ""}, {"DTR+rts", DTR | RTS, ""}, {"ST", ST, ""},
		{"DTR,-RTS", DTR, ""}, {"NULL", 0, ""}, {"none", 0, ""}, {"ST DTR", ST | DTR, ""},
		{" ", 0, "empty"}, {"CTS", 0, `"CTS": want DTR`},
	}
	for _, tt := range outputs {
		got, err := ParseOutput(tt.text)
		if tt.err == "" && (err != nil || got != tt.want) ||
			tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("ParseOutput(%q) = %v, %v; want %v, %q", tt.text, got, err, tt.want, tt.err)
		}
	}
}

func FuzzLinesInUpsConf(f *testing.F) {
	for _, s := range []string{"-CTS,DCD", "DTR+RTS", "NULL", "ST|-DTR", "", "--"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const inputs, outputs = CTS | DCD | RI | DSR, DTR | RTS | ST
		in, err := ParseInput(text)
		if err == nil && (in.Mask&^inputs != 0 || in.Value&^in.Mask != 0) {
			t.Errorf("ParseInput(%q) = %+v", text, in)
		}
		out, outErr := ParseOutput(text)
		if outErr == nil && out&^outputs != 0 {
			t.Errorf("ParseOutput(%q) = %v", text, out)
		}
		if err == nil && outErr == nil && (in.Mask != 0 || out != 0) {
			t.Errorf("%q is both inputs %+v and outputs %v", text, in, out)
		}
	})
}
