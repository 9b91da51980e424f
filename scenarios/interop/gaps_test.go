package interop

import (
	"fmt"
	"slices"
	"strings"
)

// explain finds the row of each gap that a command line shows, and counts what it is. In the table
// what is COMMAND LINE @ STREAM, where the stream is exit, stdout, stderr, driver (what it was told)
// or a file that was written; nut and ours are the lines that only one of the two wrote there. In
// all three * stands for any text.
func (c *comparison) explain(line string, gaps []gap) {
	c.t.Helper()
	kind, open := "", false
	for _, g := range gaps {
		i := slices.IndexFunc(c.rows, func(r knownDifference) bool {
			return like(r.what, line+" @ "+g.stream) && like(r.nut, g.theirs) && like(r.ours, g.ours)
		})
		if i < 0 {
			open = true
			c.t.Errorf("no row explains this difference:\n%s\t%s @ %s\t%s\t%s",
				c.part, line, g.stream, g.theirs, g.ours)
			continue
		}
		c.met[c.rows[i]] = true
		if kind == "" || slices.Index(differenceKinds, c.rows[i].kind) < slices.Index(differenceKinds, kind) {
			kind = c.rows[i].kind
		}
	}
	switch {
	case open:
		c.open++
	case kind == "":
		c.same++
	default:
		c.listed[kind]++
	}
}

// like compares a text with a pattern in which * stands for any text.
func like(pattern, text string) bool {
	first, rest, any := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !ok || !any {
		return ok && text == ""
	}
	for i := range len(text) + 1 {
		if like(rest, text[i:]) {
			return true
		}
	}
	return false
}

// A gap is a run of lines that only one of two programs printed, and what the other printed there.
type gap struct{ stream, theirs, ours string }

// compareRuns returns where two runs differ, stream by stream.
func compareRuns(theirs, ours result) []gap {
	var gaps []gap
	if theirs.code != ours.code {
		gaps = append(gaps, gap{"exit", fmt.Sprint(theirs.code), fmt.Sprint(ours.code)})
	}
	names := []string{"stdout", "stderr", "driver"}
	for _, r := range []result{theirs, ours} {
		for name := range r.streams {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names[3:])
	for _, name := range names {
		for _, h := range hunks(split(theirs.streams[name]), split(ours.streams[name])) {
			gaps = append(gaps, gap{name, strings.Join(h[0], `\n`), strings.Join(h[1], `\n`)})
		}
	}
	return gaps
}

// split is a text in lines. A last line that does not end says so.
func split(text string) []string {
	if text == "" {
		return nil
	}
	if !strings.HasSuffix(text, "\n") {
		text += "(no line feed)\n"
	}
	list := strings.Split(strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\t", `\t`), "\n")
	for i, l := range list {
		if l == "" {
			list[i] = "(blank line)"
		}
	}
	return list
}

// hunks are the runs of lines in which a and b differ, with the longest common subsequence between
// them.
func hunks(a, b []string) [][2][]string {
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var list [][2][]string
	var h [2][]string
	flush := func() {
		if len(h[0])+len(h[1]) > 0 {
			list = append(list, h)
			h = [2][]string{}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			flush()
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			h[0] = append(h[0], a[i])
			i++
		default:
			h[1] = append(h[1], b[j])
			j++
		}
	}
	flush()
	return list
}
