package megatec

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	tests := []struct {
		name string
		line string
		want string // words of ups.status; alarms; the numbers
	}{
		{"on line power", "(231.4 229.8 230.1 027 50.0 13.6 28.5 00001001",
			"OL; ; 231.4 229.8 230.1 27 50.0 13.60 28.5"},
		{"on battery", "(000.0 231.4 230.0 027 50.1 12.9 28.5 10001001",
			"OB; ; 0.0 231.4 230.0 27 50.1 12.90 28.5"},
		{"battery low", "(000.0 231.4 230.0 027 50.1 10.9 28.5 11001001",
			"OB LB; ; 0.0 231.4 230.0 27 50.1 10.90 28.5"},
		{"shutdown armed", "(000.0 231.4 230.0 027 50.1 10.9 28.5 11001011",
			"OB LB FSD; Shutdown imminent!; 0.0 231.4 230.0 27 50.1 10.90 28.5"},
		{"testing", "(230.1 229.8 230.0 027 50.1 12.4 28.5 00001101",
			"OL CAL; ; 230.1 229.8 230.0 27 50.1 12.40 28.5"},
		{"self test failed", "(230.1 229.8 230.0 027 50.1 12.4 28.5 00011001",
			"OL; UPS selftest failed!; 230.1 229.8 230.0 27 50.1 12.40 28.5"},
		{"boost", "(200.0 190.0 230.0 027 50.1 12.4 28.5 00101001",
			"OL BOOST; ; 200.0 190.0 230.0 27 50.1 12.40 28.5"},
		{"trim", "(260.0 190.0 230.0 027 50.1 12.4 28.5 00101001",
			"OL TRIM; ; 260.0 190.0 230.0 27 50.1 12.40 28.5"},
		{"bypass", "(230.0 190.0 229.0 027 50.1 12.4 28.5 00101001",
			"OL BYPASS; ; 230.0 190.0 229.0 27 50.1 12.40 28.5"},
		{"a ratio that cannot be says nothing", "(100.0 190.0 229.0 027 50.1 12.4 28.5 00101001",
			"OL; ; 100.0 190.0 229.0 27 50.1 12.40 28.5"},
		{"no regulation on battery", "(000.0 190.0 229.0 027 50.1 12.4 28.5 10101001",
			"OB; ; 0.0 190.0 229.0 27 50.1 12.40 28.5"},
		{"a voltage per cell", "(227.0 000.0 229.9 027 50.1 2.00 49.0 00000000",
			"OL; ; 227.0 0.0 229.9 27 50.1 2.00 49.0"},
		{"a battery of more than 100 V", "(227.0 000.0 229.9 027 50.1 109.4 49.0 00000000",
			"OL; ; 227.0 0.0 229.9 27 50.1 109.40 49.0"},
		{"numbers that are left out", "(227.0 ---.- 229.9 027 50.1 2.00 --.- 00000000",
			"OL; ; 227.0 - 229.9 27 50.1 2.00 -"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseStatus([]byte(tt.line))
			if err != nil {
				t.Fatalf("ParseStatus(%q): %v", tt.line, err)
			}
			if got := show(s); got != tt.want {
				t.Errorf("ParseStatus(%q) = %q, want %q", tt.line, got, tt.want)
			}
		})
	}
}

func show(s Status) string {
	numbers := make([]string, len(q1))
	for i, f := range q1 {
		numbers[i] = "-"
		if v := *f.dst(&s); v != absent {
			numbers[i] = v.text(f.decimals)
		}
	}
	return strings.Join(s.Words(false), " ") + "; " + strings.Join(s.Alarms(false), " ") + "; " +
		strings.Join(numbers, " ")
}

// good is a reply that the tests damage.
const good = "(231.4 229.8 230.1 027 50.0 13.6 28.5 00001001"

func TestDamagedStatusIsRefused(t *testing.T) {
	tests := []struct{ name, line string }{
		{"nothing", ""},
		{"cut short", "(233.0 000.0 233.0 016 50.0 27.0 20.8 00001"},
		{"cut in the middle", "(233.0 000.0 233.0 0"},
		{"without its bracket", good[1:]},
		{"the reply to F", "#230.0 004 024.0 50.0"},
		{"a rejection", "NAK"},
		{"the command came back", "Q1"},
		{"the reply to QGS", "(234.9 50.0 229.8 50.0 000.0 00A 369.1 ---.- 026.5 ---.- 018.8 100000000001"},
		{"a letter in a number", strings.Replace(good, "230.1", "23a.1", 1)},
		{"a voltage beyond belief", strings.Replace(good, "230.1", "930.1", 1)},
		{"an exponent", strings.Replace(good, "230.1", "1e2", 1)},
		{"a hexadecimal number", strings.Replace(good, "230.1", "0x10", 1)},
		{"NaN", strings.Replace(good, "230.1", "NaN", 1)},
		{"two dots", strings.Replace(good, "230.1", "2.0.1", 1)},
		{"a bit that is none", strings.Replace(good, "00001001", "0000100q", 1)},
		{"nine bits", good + "0"},
		{"a word too many", good + " 1"},
		{"zeros of a bridge that hears nothing", "(000.0 000.0 000.0 000 00.0 00.0 00.0 00000000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := ParseStatus([]byte(tt.line)); !errors.Is(err, ErrMalformed) {
				t.Errorf("ParseStatus(%q) = %+v, %v; want ErrMalformed", tt.line, s, err)
			}
		})
	}
}

// A flipped bit may change a digit, but never invents an outage that the next reply does not
// confirm.
func TestOneFlippedBitIsNoOutage(t *testing.T) {
	first, err := ParseStatus([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for bit := range 8 {
			b := []byte(good)
			b[i] ^= 1 << bit
			s, err := ParseStatus(b)
			if err != nil || !s.alarming(first.Bits) {
				continue
			}
			if got := confirm(first.Bits, s, first); got.Bits&critical != 0 {
				t.Errorf("%q, then %q: believed %08b", b, good, got.Bits)
			}
		}
	}
}

func TestConfirm(t *testing.T) {
	tests := []struct {
		name                 string
		known, first, second Bits
		want                 Bits
	}{
		{"both say so", 0, UtilityFail, UtilityFail, UtilityFail},
		{"only the first", 0, UtilityFail, 0, 0},
		{"only the second", 0, BatteryLow, UtilityFail, 0},
		{"what is known needs nobody", UtilityFail, UtilityFail | BatteryLow, UtilityFail, UtilityFail},
		{"low came in between", UtilityFail, UtilityFail | BatteryLow, UtilityFail | BatteryLow, UtilityFail | BatteryLow},
		{"harmless bits need nobody", 0, UtilityFail, Testing | BeeperOn, Testing | BeeperOn},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := confirm(tt.known, Status{Bits: tt.first}, Status{Bits: tt.second})
			if got.Bits != tt.want {
				t.Errorf("known %08b, %08b, %08b: %08b, want %08b", tt.known, tt.first, tt.second, got.Bits, tt.want)
			}
		})
	}
}

func TestRating(t *testing.T) {
	for line, want := range map[string]string{
		"#230.0 004 024.0 50.0": "230 4.0 24.0 50",
		"#230.0 021 048.0 50.0": "230 21.0 48.0 50",
		"#220.0 002 12.00 50.0": "220 2.0 12.0 50",
		"#230.0 --- 024.0 50.0": "230 - 24.0 50",
	} {
		var r reading
		if err := ratingLine([]byte(line), &r); err != nil || numbers(r) != want {
			t.Errorf("rating %q = %q, %v; want %q", line, numbers(r), err, want)
		}
	}
	for _, line := range []string{"", "F", good, "#230.0 004 024.0", "#230.0 004 024.0 50.0 1", "#999.0 004 024.0 50.0"} {
		var r reading
		if err := ratingLine([]byte(line), &r); !errors.Is(err, ErrMalformed) {
			t.Errorf("rating %q = %+v, %v; want ErrMalformed", line, r, err)
		}
	}
}

// numbers are the values of a reading in wire order.
func numbers(r reading) string {
	var all []string
	for _, v := range r.values {
		if v.absent {
			v.text = "-"
		}
		all = append(all, v.text)
	}
	return strings.Join(all, " ")
}

func TestIdentity(t *testing.T) {
	tests := []struct {
		name string
		line string
		want Identity
	}{
		{"the usual division", "#ACME            UPS1000    V1.00     ", Identity{Maker: "ACME", Model: "UPS1000", Firmware: "V1.00"}},
		{"the last field may be short", "#ACME POWER      SIM-600    V1", Identity{Maker: "ACME POWER", Model: "SIM-600", Firmware: "V1"}},
		{"one byte less is still the usual one", "#ACME            UPS1000    V1.00    ",
			Identity{Maker: "ACME", Model: "UPS1000", Firmware: "V1.00"}},
		{"the newer division", "#ACME   SN123456 UPS1000042 V1.00    ",
			Identity{Maker: "ACME", Serial: "SN123456", Model: "UPS10", Runtime: "00042", Firmware: "V1.00"}},
		{"fields without text", "#222222222222222222222222222R1.4.016", Identity{Firmware: "R1.4.016"}},
		{"blanks only", "#" + strings.Repeat(" ", 37), Identity{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseIdentity([]byte(tt.line))
			if err != nil || got != tt.want {
				t.Errorf("ParseIdentity(%q) = %+v, %v; want %+v", tt.line, got, err, tt.want)
			}
		})
	}
	for _, line := range []string{"", "I", "NAK", good, "#230.0 004 024.0 50.0", "#ACME \x00" + strings.Repeat(" ", 30)} {
		if id, err := ParseIdentity([]byte(line)); !errors.Is(err, ErrMalformed) {
			t.Errorf("ParseIdentity(%q) = %+v, %v; want ErrMalformed", line, id, err)
		}
	}
}

func TestDecimals(t *testing.T) {
	tests := []struct {
		word     string
		decimals int
		want     string
	}{
		{"215.0", 1, "215.0"}, {"014", 0, "14"}, {"2.28", 2, "2.28"}, {"27.3", 2, "27.30"},
		{"024.0", 1, "24.0"}, {"0", 2, "0.00"}, {"-4.5", 1, "-4.5"}, {"0.05", 1, "0.1"}, {"49.95", 0, "50"},
		{".5", 1, "0.5"}, {"5.", 1, "5.0"},
	}
	for _, tt := range tests {
		m, err := parseMilli(tt.word)
		if got := m.text(tt.decimals); err != nil || got != tt.want {
			t.Errorf("%q with %d decimals: %q, %v; want %q", tt.word, tt.decimals, got, err, tt.want)
		}
	}
	for _, bad := range []string{"", "+1", "1-", "--1", "12345678", "1.2345", "1,5", " 1", "."} {
		if m, err := parseMilli(bad); err == nil {
			t.Errorf("parseMilli(%q) = %d, want an error", bad, m)
		}
	}
}

// Whatever comes over the line, the decoders return an error or something believable.
func FuzzDecoders(fz *testing.F) {
	for _, seed := range []string{good, "#230.0 004 024.0 50.0", "#ACME            UPS1000    V1.00     ",
		"(233.0 000.0 233.0 016 50.0 27.0 20.8 00001", "NAK", "", "(\xff\x00"} {
		fz.Add([]byte(seed))
	}
	for _, sample := range samples {
		fz.Add([]byte(sample))
	}
	fz.Fuzz(func(t *testing.T, line []byte) {
		if s, err := ParseStatus(line); err == nil {
			for _, n := range q1 {
				if v := *n.dst(&s); v != absent && (v < n.min || v > n.max) {
					t.Errorf("ParseStatus(%q): %s is %d", line, n.name, v)
				}
			}
			if len(s.Words(false)) == 0 {
				t.Errorf("ParseStatus(%q) has no status", line)
			}
		}
		for _, d := range dialects {
			for _, q := range slices.Concat([]query{d.status}, d.also, d.slow, d.once, d.claim) {
				q.decode(line) // errors are fine, a panic is not
				var r reading  // also of what a checksum would keep out
				if q.read(line, &r) == nil {
					if r.later != nil {
						r.later(func(string) string { return string(line) })
					}
					for _, v := range r.values {
						if strings.Contains(v.text, "9223372036") {
							t.Errorf("%s: %s %q: %s = %q", d.name, q.send, line, v.variable, v.text)
						}
					}
				}
			}
		}
		if id, err := ParseIdentity(line); err == nil && !bytes.Contains(line, []byte(id.Firmware)) {
			t.Errorf("ParseIdentity(%q) invented %+v", line, id)
		}
		if cal, err := ParseCalibration(string(line)); err == nil {
			a := NewAccount(cal, 1, 10, 50e3)
			if a.Runtime(100e3) < 0 {
				t.Errorf("ParseCalibration(%q): a negative runtime", line)
			}
		}
	})
}
