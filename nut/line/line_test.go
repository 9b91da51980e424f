package line

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// claims are the tested examples of the grammar: what the C library reads, row by row. "·" parts
// words, "⏎" parts lines. Rows with a cause differ from it on purpose, or say more than it does.
var claims = []struct {
	in    string
	want  string
	cause string // of the first error that File reports
	at    string // its place
}{
	{in: "MONITOR u@h 1 a b primary\n", want: "MONITOR·u@h·1·a·b·primary"},
	{in: "FOO \"two words\" end\n", want: "FOO·two words·end"},
	{in: "FOO two\\ words\n", want: "FOO·two words"},
	{in: "FOO a\\\nb c\n", want: "FOO·ab·c"},
	{in: "FOO a \\\n b\n", want: "FOO·a··b"},
	{in: "FOO \"a\\\nb\"\n", want: "FOO·ab"},
	{in: "FOO \"a\nb\" c\n", want: "FOO·ab·c", cause: "quote is not closed on its line", at: "1:5"},
	{in: "FOO \"a\\\"b\\\\c\" d\n", want: `FOO·a"b\c·d`},
	{in: "FOO \"a#b\" c\nNEXT x\n", want: `b"·c⏎NEXT·x`, cause: "unescaped # in quotes", at: "1:7"},
	{in: "FOO \"a\\#b\" c\n", want: "FOO·a#b·c"},
	{in: "FOO a#b c\n", want: "FOO·a"},
	{in: "FOO a\\#b c\n", want: "FOO·a#b·c"},
	{in: "FOO x # y z\n", want: "FOO·x"},
	{in: "FOO=bar\n", want: "FOO·=·bar"},
	{in: "FOO = bar\n", want: "FOO·=·bar"},
	{in: "FOO =bar\n", want: "FOO·=·bar"},
	{in: "FOO \"=\" bar\n", want: "FOO·=·bar"},
	{in: "FOO \"a=b\" c\n", want: "FOO·a=b·c"},
	{in: "a=b=c\n", want: "a·=·b·=·c"},
	{in: "= x\n", want: "=·x"},
	{in: "==\n", want: "=·="},
	{in: "FOO a\"b c\"d e\n", want: `FOO·a"b·c"d·e`},
	{in: "FOO \"ab\"cd e\n", want: "FOO·ab·cd·e"},
	{in: "FOO \"\" x\n", want: "FOO··x"},
	{in: "FOO \"open\nNEXT y\n", want: "FOO·openNEXT y", cause: "quote is not closed on its line", at: "1:5"},
	{in: "FOO \"open", want: "FOO·open", cause: "quote is not closed at the end of the file", at: "1:5"},
	{in: "FOO x", want: "FOO·x"},
	{in: "FOO", want: "FOO", cause: "last line has no line feed", at: "1:1"}, // C: nothing
	{in: "A 1\nFOO", want: "A·1⏎FOO", cause: "last line has no line feed", at: "2:1"},
	{in: "\"FOO\"", want: "FOO"}, // finished by its quote
	{in: "FOO x\r\n", want: "FOO·x"},
	{in: "FOO été z\n", want: "FOO·été·z"}, // C: t
	{in: "FOO é z\n", want: "FOO·é·z"},     // C: an empty word
	{in: "FOO a\tb\vc\fd\n", want: "FOO·a·b·c·d"},
	{in: "FOO a\x01b\x7fc\x80d\n", want: "FOO·ab\x7fcd", cause: "control character 0x01", at: "1:6"},
	{in: "FOO a\x00b\n", want: "FOO·ab", cause: "control character 0x00", at: "1:6"},
	{in: "FOO \"a\tb\"\n", want: "FOO·ab", cause: "control character 0x09", at: "1:7"},
	{in: "FOO a\u200bb\n", want: "FOO·ab", cause: "invisible character", at: "1:6"},
	{in: "FOO a\u00a0b\n", want: "FOO·ab", cause: "invisible character", at: "1:6"},
	{in: "[section]\n", want: "[section]"},
	{in: "[my section]\n", want: "[my·section]"},
	{in: "key = \"v w\"\n", want: "key·=·v w"},
	{in: "FOO \\x41\\n\n", want: "FOO·x41n"},
	{in: "FOO \"x\\n\\t\"\n", want: "FOO·xnt"},
	{in: "FOO bar\\\n", want: "FOO·bar"},
	{in: "\\\nFOO x\n", want: "FOO·x"},
	{in: "\"FOO\" x\n", want: "FOO·x"},
	{in: "FOO a;b\n", want: "FOO·a;b"},
	{in: "FOO 'a b'\n", want: "FOO·'a·b'"},
	{in: "\xef\xbb\xbfFOO x\n", want: "FOO·x", cause: "byte order mark", at: "1:1"},
	{in: "FOO a\\\r\nb\r\n", want: "FOO·a⏎b", cause: "does not join lines", at: "1:7"},
	{in: "\n# c\n  \nFOO x \\\n  y\n\n\"z\n", want: "FOO·x··y⏎z", cause: "quote is not closed", at: "7:1"},
}

func show(lines []Line) string {
	var list []string
	for _, l := range lines {
		var words []string
		for _, w := range l.Words {
			words = append(words, w.Text)
		}
		list = append(list, strings.Join(words, "·"))
	}
	return strings.Join(list, "⏎")
}

func TestAFileIsReadAsTheCLibraryReadsIt(t *testing.T) {
	for _, tt := range claims {
		lines, errs := File([]byte(tt.in))
		if got := show(lines); got != tt.want {
			t.Errorf("File(%q) = %s, want %s", tt.in, got, tt.want)
		}
		if tt.cause == "" && len(errs) > 0 || tt.cause != "" && len(errs) == 0 {
			t.Errorf("File(%q): errors %v, want %q", tt.in, errs, tt.cause)
		}
		if tt.cause != "" && len(errs) > 0 {
			at := fmt.Sprintf("%d:%d", errs[0].Line, errs[0].Col)
			if !strings.Contains(errs[0].Cause, tt.cause) || at != tt.at {
				t.Errorf("File(%q): %s: %v; want %s: %s", tt.in, at, errs[0], tt.at, tt.cause)
			}
		}
	}
}

// feed gives the parser the bytes in pieces of a size.
func feed(p *Parser, in string, size int) (lines []string, errs []error) {
	for piece := range slices.Chunk([]byte(in), size) {
		p.Feed(piece, func(words []string, err error) {
			lines = append(lines, strings.Join(words, "·"))
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	return lines, errs
}

func TestAConnectionReadsTheSameWordsHoweverItIsCut(t *testing.T) {
	for _, tt := range claims {
		if !strings.HasSuffix(tt.in, "\n") || tt.cause != "" && !strings.Contains(tt.cause, "control") ||
			strings.Contains(tt.in, "é") || strings.HasSuffix(tt.in, "\\\n") {
			continue // see the next test
		}
		for _, size := range []int{1, 2, 3, 1000} {
			var p Parser
			got, errs := feed(&p, tt.in, size)
			if strings.Join(got, "⏎") != tt.want || errs != nil {
				t.Errorf("%q in pieces of %d: %q, %v; want %q", tt.in, size, got, errs, tt.want)
			}
		}
	}
}

func TestWhatAConnectionReadsDifferently(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a blank line is a line", "\nPING\n", "⏎PING"},
		{"a comment is a line", "# x\n", ""},
		{"text beyond ASCII is dropped", "FOO été z\n", "FOO·t·z"},
		{"and leaves an empty word", "FOO é z\n", "FOO··z"},
		{"a byte order mark is dropped", "\xef\xbb\xbfFOO x\n", "FOO·x"},
		{"after # in quotes the line is skipped", "FOO \"a#b\" c\nNEXT x\n", "⏎NEXT·x"},
		{"NULs are dropped", "PI\x00NG\n\x00\n", "PING⏎"},
		{"a line feed in quotes goes on", "FOO \"open\nNEXT y\" z\n", "FOO·openNEXT y·z"},
		{"a joined line is one line", "FOO bar\\\n x\n", "FOO·bar·x"},
	} {
		for _, size := range []int{1, 1000} {
			var p Parser
			if got, _ := feed(&p, tt.in, size); strings.Join(got, "⏎") != tt.want {
				t.Errorf("%s: %q gave %q, want %q", tt.name, tt.in, got, tt.want)
			}
		}
	}
}

func TestAnErrorOfAConnectionNamesThePlace(t *testing.T) {
	var p Parser
	_, errs := feed(&p, "PING\nGET VAR \"a\nb#c\" x\nPING\n", 4)
	var e *Error
	if len(errs) != 1 || !errors.As(errs[0], &e) || e.Line != 3 || e.Col != 2 {
		t.Errorf("errors %v, want one at line 3, column 2", errs)
	}
}

func TestALongLineIsReportedAndTheNextOneIsRead(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		words    int
	}{
		{"words", "A" + strings.Repeat(" b", MaxWords) + "\n", MaxWords},
		{"a word", "A " + strings.Repeat("b", MaxWord+1) + "\n", 2},
		{"all words", strings.Repeat(strings.Repeat("b", 1000)+" ", 17) + "\n", 17},
		{"three megabytes", strings.Repeat("b", 3<<20) + "\n", 1},
		{"equals signs", strings.Repeat("=", 3<<20) + "\n", MaxWords},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{61, 4096, 4 << 20} {
				var p Parser
				got, errs := feed(&p, tt.in+"PING\n", size)
				if len(got) != 2 || got[1] != "PING" || len(strings.Split(got[0], "·")) != tt.words {
					t.Fatalf("read %d lines, want 2 with %d words and PING", len(got), tt.words)
				}
				if len(errs) != 1 || !errors.Is(errs[0], ErrTooLong) {
					t.Errorf("errors %v, want one ErrTooLong", errs)
				}
				if cap(p.m.text) > keepText || cap(p.m.marks) > 4*MaxWords {
					t.Errorf("parser keeps %d bytes and %d marks", cap(p.m.text), cap(p.m.marks))
				}
			}
		})
	}
}

func TestALineWithinTheLimitsIsWhole(t *testing.T) {
	in := strings.Repeat("b", MaxWord) + strings.Repeat(" c", MaxWords-1)
	words, err := Words(in)
	if err != nil || len(words) != MaxWords || len(words[0]) != MaxWord {
		t.Errorf("%d words, %v; want %d, the first of %d", len(words), err, MaxWords, MaxWord)
	}
}

func TestAFileReportsWhatIsBeyondTheLimits(t *testing.T) {
	for _, tt := range []struct{ name, in, at, cause string }{
		{"the 129th word", "A 1\nB" + strings.Repeat(" c", MaxWords+5) + "\n", "2:257",
			"too many words"},
		{"character 8193", "A 1\nB " + strings.Repeat("c", MaxWord+5) + "\n", "2:8195",
			"word is too long"},
		{"beyond ASCII", "B " + strings.Repeat("c", MaxWord-1) + "é\n", "1:8194",
			"word is too long"},
	} {
		lines, errs := File([]byte(tt.in))
		if len(errs) != 1 || fmt.Sprintf("%d:%d", errs[0].Line, errs[0].Col) != tt.at ||
			!strings.Contains(errs[0].Cause, tt.cause) || errs[0].Warning {
			t.Errorf("%s: %v, want one error at %s: %s", tt.name, errs, tt.at, tt.cause)
		}
		if last := lines[len(lines)-1]; last.Words[0].Text != "B" {
			t.Errorf("%s: what fits is lost: %q", tt.name, last.Words[0].Text)
		}
	}
}

func TestWordsKnowTheirPhysicalPlace(t *testing.T) {
	lines, _ := File([]byte("# c\n\nA b\\\nc \"d\ne\" f\n\tG=h\n"))
	var got []string
	for _, l := range lines {
		for _, w := range l.Words {
			got = append(got, fmt.Sprintf("%s@%d:%d", w.Text, w.Line, w.Col))
		}
	}
	want := []string{"A@3:1", "bc@3:3", "de@4:3", "f@5:4", "G@6:2", "=@6:3", "h@6:4"}
	if !slices.Equal(got, want) {
		t.Errorf("places %q, want %q", got, want)
	}
}

func TestAFileOfGarbageIsReadAndReportedInBounds(t *testing.T) {
	for _, unit := range []string{"\x01", "\xff", "\"\n", "\"#", "= ", "a", "\\", "\\\r\n",
		"\"\r"} {
		lines, errs := File([]byte(strings.Repeat(unit, (1<<17)/len(unit))))
		if len(errs) > maxErrors+1 {
			t.Errorf("%q: %d lines, %d errors", unit, len(lines), len(errs))
		}
	}
}

func TestTheRestOfABrokenLineIsMarked(t *testing.T) {
	lines, errs := File([]byte("desc = \"UPS #1\"\nport = auto\n"))
	if len(lines) != 2 || !lines[0].Rest || lines[1].Rest || len(errs) != 1 || errs[0].Warning {
		t.Errorf("lines %+v, errors %v", lines, errs)
	}
}

func TestOneLineOnly(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"a b", "a·b", true},
		{"a b\n", "a·b", true},
		{"", "", true},
		{"a \"b", "", false},
		{"a b\\", "", false},
		{"a\nb\n", "a", false},
		{"a \"#\"", "", false},
	} {
		words, err := Words(tt.in)
		if got := strings.Join(words, "·"); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("Words(%q) = %q, %v; want %q, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
	}
}

func TestQuotedTextCannotBreakOutOfItsLine(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", `""`},
		{"plain", `"plain"`},
		{`a"b\c#d`, `"a\"b\\c\#d"`},
		{"a\nERR x\r\x00", `"aERR x"`},
		{"20 °C", `"20 C"`},
	} {
		if got := Quote(tt.in); got != tt.want {
			t.Errorf("Quote(%q) = %s, want %s", tt.in, got, tt.want)
		}
	}
	if got, want := QuoteText("20 °C\n\u200b#\xff"), `"20 °C\#"`; got != want {
		t.Errorf("QuoteText = %s, want %s", got, want)
	}
	if got, want := ASCII("B\xffüro"), "Bro"; got != want {
		t.Errorf("ASCII = %q, want %q", got, want)
	}
}

func BenchmarkFeed(b *testing.B) {
	var p Parser
	in := []byte("GET VAR ups ups.status\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	n := 0
	for b.Loop() {
		p.Feed(in, func(words []string, _ error) { n += len(words) })
	}
	if n != 4*b.N {
		b.Fatalf("%d words in %d lines", n, b.N)
	}
}

func BenchmarkFeedQuoted(b *testing.B) {
	var p Parser
	in := []byte("SETINFO ups.alarm \"Replace battery! \\#1 and some more text\"\n")
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		p.Feed(in, func([]string, error) {})
	}
}
