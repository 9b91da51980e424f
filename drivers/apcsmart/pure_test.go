package apcsmart

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestParseStatus(t *testing.T) {
	for in, want := range map[string]string{
		"08": "OL", "10": "OB", "50": "OB LB", "88": "OL RB", "0C": "BOOST OL", "0A": "TRIM OL",
		"09": "CAL OL", "00": "OFF", "28": "OL OVER", "0c": "BOOST OL", "80": "RB",
		"": "", "8": "", "008": "", "0G": "", "18": "", "+8": "", "0x": "",
	} {
		got := ""
		s, err := ParseStatus([]byte(in))
		if err == nil {
			got = strings.Join(s.Words(), " ")
		} else if !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v, want ErrMalformed", in, err)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestParseCapabilities(t *testing.T) {
	tests := []struct {
		name, in string
		want     string // command, locale, values
		whole    bool
	}{
		{"a Smart-UPS", "#uI43253264271280e44200155090s441HMLLE443336168ON OFF",
			"uI[253 264 271 280] e4[00 15 50 90] s4[H M L L] E4[336 168 ON  OFF]", true},
		{"ten values", "#xI:10123456789", "xI[0 1 2 3 4 5 6 7 8 9]", true},
		{"a Matrix", "##00uI23253264\x01\x02pI13020", "uI[253 264] pI[020]", true},
		{"an alert before it", "##uI23253264", "uI[253 264]", true},
		{"none", "#", "", true},
		{"cut", "#uI23253264pI1302", "uI[253 264]", false},
		{"cut in a head", "#uI23253264pI", "uI[253 264]", false},
		{"no length", "#uI20", "", false},
		{"too many", "#uI\xff1", "", false},
		{"no #", "uI23253264", "", false},
	}
	for _, tt := range tests {
		caps, err := ParseCapabilities([]byte(tt.in))
		var got []string
		for _, c := range caps {
			got = append(got, fmt.Sprintf("%c%c%v", c.Command, c.Locale, c.Values))
		}
		if strings.Join(got, " ") != tt.want || (err == nil) != tt.whole {
			t.Errorf("%s: %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestSettingsApplyByCountry(t *testing.T) {
	for _, tt := range []struct {
		locale   byte
		firmware string
		want     bool
	}{{'I', "50.11.I", true}, {'D', "50.11.I", false}, {'4', "50.11.I", true}, {'4', "", true}, {'I', "", false}} {
		if got := (Capability{Locale: tt.locale}).Applies(tt.firmware); got != tt.want {
			t.Errorf("locale %c of firmware %q: %v", tt.locale, tt.firmware, got)
		}
	}
}

func TestWhatAnswersTell(t *testing.T) {
	for _, tt := range []struct{ cmd, answer, want string }{
		{"C", "036.0", "ups.temperature=036.0"}, {"C", "-05.0", "ups.temperature=-05.0"},
		{"E", "336", "ups.test.interval=1209600"}, {"E", "ON ", "ups.test.interval=ON"},
		{"E", "OFF", "ups.test.interval=0"}, {"j", "0042:", "battery.runtime=2520"},
		{"q", "02", "battery.runtime.low=120"}, {"G", "R",
			"input.transfer.reason=unacceptable utility voltage rate of change"},
		{"G", "Y", "input.transfer.reason=Y"}, {"9", "FF", "input.quality=FF"},
		{"T", "123.4", "device.uptime=442800"}, {"T", "23.45", "ambient.1.temperature=23.45"},
		{"H", "030.1,N/A,,044.0", "ambient.1.humidity=030.1 ambient.2.humidity= ambient.3.humidity= ambient.4.humidity=044.0"},
		{"b", "50.11.I", "ups.firmware=50.11.I"}, {"V", "6QI", "ups.firmware=6QI"},
		{"c", "79<><>/\\", `ups.id=79<><>/\`},
		{"C", "0360", "ups.temperature=0360"}, {"C", "03x.0", ""}, {"C", "", ""}, {"j", "00:42", ""},
		{"9", "F", ""}, {"G", "RR", ""}, {"b", "6QI", ""}, {"c", "\x80", ""},
	} {
		got := ""
		for _, v := range variables {
			if v.cmd != tt.cmd || got != "" || v.accepts(tt.answer) != nil {
				continue
			}
			var all []string
			for _, p := range v.values(tt.answer) {
				all = append(all, p[0]+"="+p[1])
			}
			got = strings.Join(all, " ")
		}
		if got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.cmd, tt.answer, got, tt.want)
		}
	}
}

// Every variable and every old firmware is there once, and no old one lists what it has not.
func TestTables(t *testing.T) {
	if n := len(variables); n != 46 {
		t.Errorf("%d variables, want 46", n)
	}
	if n := len(old) + 1; n != 25 {
		t.Errorf("%d old kinds, want 25", n)
	}
	var names []string
	for _, o := range old {
		names = append(names, o.firmware)
	}
	slices.Sort(names)
	if n := len(names); len(slices.Compact(names)) != n {
		t.Error("a firmware is there twice")
	}
	for _, tt := range []struct{ firmware, has, lacks string }{
		{"0XI", "@>\x0cj", "\x1a"}, {"8GI", "@fg", "cj"}, {"5.4.D", "@S\x01", "L"}, {"5F", "@W", "f"}, {"50.11.I", "", "Q"},
	} {
		commands, ok := commandsOf(tt.firmware)
		for _, c := range tt.has {
			if !strings.ContainsRune(commands, c) {
				t.Errorf("%s: no %q", tt.firmware, c)
			}
		}
		if ok != (tt.has != "") || strings.ContainsAny(commands, tt.lacks) {
			t.Errorf("%s: %v, %q", tt.firmware, ok, commands)
		}
	}
}

// Whatever comes over the wire, decoding ends, and what it lets through can be published.
func FuzzDecoders(f *testing.F) {
	for _, seed := range []string{"08", "18", "#uI43253264271280", "##00uI23253264", "0042:", "041.0,N/A", "ON "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if s, err := ParseStatus(in); err == nil && len(s.Words()) == 0 {
			t.Errorf("%q has no words", in)
		}
		caps, _ := ParseCapabilities(in)
		size := 0
		for _, c := range caps {
			size += len(strings.Join(c.Values, ""))
		}
		if size > len(in) {
			t.Errorf("%q gives %d bytes of values", in, size)
		}
		for _, v := range variables {
			if v.accepts(string(in)) != nil {
				continue
			}
			for _, p := range v.values(string(in)) {
				if strings.ContainsFunc(p[1], func(r rune) bool { return r < ' ' || r > '~' }) {
					t.Errorf("%q becomes %s = %q", in, p[0], p[1])
				}
			}
		}
	})
}
