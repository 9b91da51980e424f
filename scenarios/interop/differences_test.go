package interop

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// differencesFile lists every place where our programs answer otherwise than Debian's, with tabs
// between its columns:
//
//	part    which comparison it belongs to, such as raw or command
//	what    what was said to both
//	nut     Debian's answer
//	ours    our answer
//	kind    a word of differenceKinds
//	reason  why ours is the better one, in a sentence
//
// The first three are written as [shown] writes them. Lines that begin with # are comments.
const differencesFile = "differences.tsv"

// differenceKinds are the words of the column kind.
var differenceKinds = []string{
	"better", // ours serves a user better
	"newer",  // ours answers as NUT does since a release after Debian's
	"words",  // ours says the same in its own words
}

type knownDifference struct{ what, nut, ours, kind, reason string }

// A comparison holds two sides' answers against each other and against the rows of its part.
type comparison struct {
	t      *testing.T
	part   string
	rows   []knownDifference
	met    map[knownDifference]bool
	same   int
	listed map[string]int // by kind
	open   int
}

func newComparison(t *testing.T, part string) *comparison {
	t.Helper()
	text, err := os.ReadFile(differencesFile)
	if err != nil {
		t.Fatal(err)
	}
	c := &comparison{t: t, part: part, met: map[knownDifference]bool{}, listed: map[string]int{}}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if strings.HasPrefix(line, "#") || cols[0] != part {
			continue
		}
		if len(cols) != 6 || cols[5] == "" || !slices.Contains(differenceKinds, cols[4]) {
			t.Fatalf("%s:%d: want part, what, nut, ours, one of %q and a reason, with tabs between them",
				differencesFile, n, differenceKinds)
		}
		c.rows = append(c.rows, knownDifference{cols[1], cols[2], cols[3], cols[4], cols[5]})
	}
	return c
}

// compare fails unless the two answers are the same, or differ as a row says.
func (c *comparison) compare(what, nut, ours string) {
	c.t.Helper()
	if nut == ours {
		c.same++
		return
	}
	what, nut, ours = shown(what), shown(nut), shown(ours)
	for _, r := range c.rows {
		if r.what == what && r.nut == nut && r.ours == ours {
			c.met[r] = true
			c.listed[r.kind]++
			return
		}
	}
	c.open++
	c.t.Errorf("no row explains this difference:\n%s\t%s\t%s\t%s", c.part, what, nut, ours)
}

// done fails for rows that came true for nothing, and tells the counts.
func (c *comparison) done() {
	c.t.Helper()
	for _, r := range c.rows {
		if !c.met[r] {
			c.t.Errorf("%s lists a difference that is none any more: %s\t%s", differencesFile, c.part, r.what)
		}
	}
	var kinds []string
	for _, k := range differenceKinds {
		kinds = append(kinds, fmt.Sprintf("%s %d", k, c.listed[k]))
	}
	c.t.Logf("%s: the same %d, %s, unexplained %d", c.part, c.same, strings.Join(kinds, ", "), c.open)
}

// shown is a text on one line: line feeds, tabs and other bytes that cannot be seen are written as
// in Go, and so is the middle of a long run of one byte.
func shown(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		_, width := utf8.DecodeRuneInString(s[i:])
		one, n := s[i:i+width], 1
		for strings.HasPrefix(s[i+n*width:], one) {
			n++
		}
		q := fmt.Sprintf("%q", one)
		if q = q[1 : len(q)-1]; q == `\"` {
			q = `"`
		}
		if n > 16 {
			fmt.Fprintf(&b, "%s{%d}", q, n)
		} else {
			b.WriteString(strings.Repeat(q, n))
		}
		i += n * width
	}
	return b.String()
}
