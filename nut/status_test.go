package nut

import (
	"slices"
	"testing"
)

func TestStatusWords(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     Status
		unknown  []string
		back     string
	}{
		{"on line", "OL", OL, nil, "OL"},
		{"nothing", "", 0, nil, ""},
		{"low battery is a word and no part of one", "OL SLB", OL, []string{"SLB"}, "OL"},
		{"letter case does not matter", "ob Lb", OB | LB, nil, "OB LB"},
		{"forced shutdown comes first", "OB LB FSD", FSD | OB | LB, nil, "FSD OB LB"},
		{"unknown words are kept once, as written", "OL Xyz  XYZ Xyz", OL,
			[]string{"Xyz", "XYZ"}, "OL"},
		{"every standard word",
			"ECO BOOST TRIM OVER OFF CAL BYPASS DISCHRG CHRG RB HB LB OB OL ALARM FSD",
			1<<16 - 1, nil, "FSD ALARM OL OB LB HB RB CHRG DISCHRG BYPASS CAL OFF OVER TRIM BOOST ECO"},
	} {
		got, unknown := ParseStatus(tt.in)
		if got != tt.want || !slices.Equal(unknown, tt.unknown) || got.String() != tt.back {
			t.Errorf("%s: ParseStatus(%q) = %v, %q; want %v, %q", tt.name, tt.in, got, unknown, tt.want, tt.unknown)
		}
	}
}

func TestHasWantsAllAnyWantsOne(t *testing.T) {
	s := OB | CAL
	if s.Has(OB|LB) || !s.Has(OB) || !s.Any(OB|LB) || s.Any(LB|FSD) {
		t.Errorf("Has and Any of %v are wrong", s)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add("ALARM OL CHRG X")
	f.Fuzz(func(t *testing.T, text string) {
		s, _ := ParseStatus(text)
		if again, unknown := ParseStatus(s.String()); again != s || len(unknown) > 0 {
			t.Errorf("%q: %v becomes %v, %q", text, s, again, unknown)
		}
	})
}
