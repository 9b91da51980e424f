package line

import (
	"slices"
	"strings"
	"testing"
)

// printable leaves the bytes that every reader keeps.
func printable(s string) string {
	return string(slices.DeleteFunc([]byte(s), func(c byte) bool { return c < ' ' || c > 0x7f }))
}

func FuzzQuotedWordsComeBack(f *testing.F) {
	f.Add("a b", `"\#`, "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		in := []string{printable(a), printable(b), printable(c)}
		if len(a)+len(b)+len(c) > MaxWord {
			return
		}
		text := Quote(a) + " " + Quote(b) + "\t" + Quote(c) + "\n"
		if got, err := Words(text); err != nil || !slices.Equal(got, in) {
			t.Errorf("Words(%q) = %q, %v; want %q", text, got, err, in)
		}
		lines, errs := File([]byte(text))
		if len(errs) > 0 || len(lines) != 1 || show(lines) != strings.Join(in, "·") {
			t.Errorf("File(%q) = %q, %v; want %q", text, show(lines), errs, in)
		}
	})
}

func FuzzArbitraryBytes(f *testing.F) {
	for _, tt := range claims {
		f.Add([]byte(tt.in), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		var whole, cut Parser
		all, errs := feed(&whole, string(in), len(in)+1)
		pieces, errs2 := feed(&cut, string(in), int(size)+1)
		if !slices.Equal(all, pieces) || len(errs) != len(errs2) {
			t.Fatalf("cut into pieces of %d: %q, want %q", size+1, pieces, all)
		}
		lines := checkFile(t, in)
		// What was read and written again is read the same.
		var b strings.Builder
		for _, l := range lines {
			for _, w := range l.Words {
				b.WriteString(QuoteText(w.Text) + " ")
			}
			b.WriteByte('\n')
		}
		again, errs3 := File([]byte(b.String()))
		if show(again) != show(lines) || len(errs3) > 0 {
			t.Fatalf("second reading %q, %v; first %q", show(again), errs3, show(lines))
		}
	})
}

// checkFile reads a file and checks that everything it says of it has a place in it.
func checkFile(t *testing.T, in []byte) []Line {
	lines, errs := File(in)
	physical := strings.Count(string(in), "\n") + 1
	for _, e := range errs {
		if e.Line < 1 || e.Line > physical || e.Col < 1 || e.Col > len(in) || e.Cause == "" {
			t.Fatalf("place of %v in %d lines", e, physical)
		}
	}
	for _, l := range lines {
		for _, w := range l.Words {
			if w.Line < 1 || w.Line > physical || w.Col < 1 || w.Col > len(in) {
				t.Fatalf("place of %+v in %d lines", w, physical)
			}
		}
	}
	return lines
}
