package house

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// Rows of the protocol notes are cited by the tests that show them: by their ids, also as a range
// such as "NP-C1 to NP-C4", or, where a table has no ids, by file, section and the beginning of the
// row's first cell, such as "upsd.md 5 MAXAGE"; more of the cell where others begin alike. A table of
// times is cited by its heading, such as "upsmon.md 13.1", a list of log lines line by line.

// notes are the files whose every row a test must cite.
var notes = []string{"net-protocol.md", "driver-socket.md", "upsd.md", "upsmon.md", "upssched.md"}

// keyedSections are the sections whose tables have no ids.
var keyedSections = map[string][]string{
	"upsd.md":     {"2", "3", "4", "5", "6", "7", "10", "12", "14"},
	"upsmon.md":   {"1", "3", "6", "7", "8", "13.7"},
	"upssched.md": {"1", "2", "4", "5"},
}

// storySections are tables of times, one story each; lineSections are lists of log lines.
var (
	storySections = map[string][]string{
		"upsmon.md": {"13.1", "13.2", "13.3", "13.4", "13.5", "13.6"},
	}
	lineSections = map[string][]string{"upsmon.md": {"14"}}
)

// uncitable are rows that no test here can show, and why.
var uncitable = []struct{ key, why string }{
	{"DS-8", "named pipes of Windows, which is not served"},
	{"DS-S8", "refuted by construction: ages come from env.Instant, which is monotonic, and a rule forbids time.Now"},
	{"NP-M2", "a workaround for the limit of one poll call: every connection here has a task of its own"},
	{"upsd.md 12 NUT_SYSMAXCONN_LIMIT", "as NP-M2"},
	{"upsmon.md 6 SUSPEND_STARTING", "nobody asks systemd-logind: upsmon finds out afterwards, as README says, and announces it"},
	{"upsd.md 12 (2.8.0 lacks NUT_PIDPATH and several NUT_QUIET_* variables)", "about another release"},
}

func TestEveryRowOfTheNotesIsCited(t *testing.T) {
	dir := filepath.Join(filepath.Dir(captures.Dir(t, ".")), "reference")
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no protocol notes beside the recordings: %v", err)
	}
	excused := map[string]bool{}
	for _, u := range uncitable {
		excused[u.key] = true
	}
	texts := testTexts(t)
	cited := citedIDs(texts)
	missing, n := 0, 0
	for _, name := range notes {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range rowKeys(name, string(text)) {
			n++
			switch found := cited[key] || strings.Contains(key, " ") && cites(texts, key); {
			case found && excused[key]:
				t.Errorf("%s is cited, but listed as a row that cannot be", key)
			case !found && !excused[key]:
				missing++
				t.Errorf("no test cites %s", key)
			}
		}
	}
	t.Logf("%d rows, %d of them cannot be cited, %d are cited by no test", n, len(uncitable), missing)
}

// testTexts is what all tests and scripts say.
func testTexts(t *testing.T) string {
	var all strings.Builder
	err := filepath.WalkDir("../../..", func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "." && !strings.HasPrefix(d.Name(), "..") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, "cited_test.go") || !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, ".txtar") {
			return nil
		}
		text, err := os.ReadFile(name)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// A comment may break anywhere.
	return regexp.MustCompile(`\s*\n\s*(?://)?\s*`).ReplaceAllString(all.String(), " ")
}

// cites reports whether a key is in a text, whole: in quotes, or before a colon.
func cites(text, key string) bool {
	for _, end := range "\"`:)" {
		if strings.Contains(text, key+string(end)) {
			return true
		}
	}
	return false
}

var idOrRange = regexp.MustCompile(`((?:NP|DS|UD|UM|US)-[A-Z]*)(\d+)(?: to (?:(?:NP|DS|UD|UM|US)-[A-Z]*)?(\d+))?`)

// citedIDs finds the ids in a text.
func citedIDs(text string) map[string]bool {
	ids := map[string]bool{}
	for _, m := range idOrRange.FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[2])
		last, _ := strconv.Atoi(m[3])
		for n := first; n <= max(first, last); n++ {
			ids[m[1]+strconv.Itoa(n)] = true
		}
	}
	return ids
}

// A row is what a test must cite: an id, or a cell of a section.
type row struct{ section, id, cell string }

// rowKeys lists what the rows of a file are cited by.
func rowKeys(name, text string) []string {
	rows := rowsOf(name, text)
	alike := map[string]int{}
	for _, r := range rows {
		alike[r.section+beginning(r.cell)]++
	}
	var keys []string
	for _, r := range rows {
		switch {
		case r.id != "":
			keys = append(keys, r.id)
		case r.cell == "":
			keys = append(keys, name+" "+r.section)
		case slices.Contains(lineSections[name], r.section):
			keys = append(keys, name+" "+r.section+" "+r.cell)
		case alike[r.section+beginning(r.cell)] > 1:
			keys = append(keys, name+" "+r.section+" "+cutAt(r.cell, ": ", " ("))
		default:
			keys = append(keys, name+" "+r.section+" "+beginning(r.cell))
		}
	}
	return keys
}

var (
	heading = regexp.MustCompile(`^###? ([0-9.]*[0-9])`)
	quoted  = regexp.MustCompile("`([^`]+)`")
)

// rowsOf finds the rows of a file.
func rowsOf(name, text string) []row {
	var rows []row
	section, header := "", true
	for l := range strings.Lines(text) {
		if m := heading.FindStringSubmatch(l); m != nil {
			if section = m[1]; slices.Contains(storySections[name], section) {
				rows = append(rows, row{section: section})
			}
		}
		if slices.Contains(lineSections[name], section) {
			for _, m := range quoted.FindAllStringSubmatch(l, -1) {
				rows = append(rows, row{section: section, cell: m[1]})
			}
		}
		cell, ok := strings.CutPrefix(l, "| ")
		if !ok {
			header = !strings.HasPrefix(l, "|---")
			continue
		}
		cell = strings.ReplaceAll(strings.Split(cell, " |")[0], "`", "")
		switch {
		case idOrRange.FindString(cell) == cell:
			rows = append(rows, row{id: cell})
		case !header && slices.Contains(keyedSections[name], section):
			rows = append(rows, row{section: section, cell: cell})
		}
	}
	return rows
}

// beginning is the part of a cell that names its row.
func beginning(cell string) string {
	return cutAt(cell, " / ", ", ", " (", " [", " <", " {", "…", ": ")
}

// cutAt is the beginning of a cell, up to the first of these.
func cutAt(cell string, ends ...string) string {
	for _, end := range ends {
		if i := strings.Index(cell, end); i > 0 {
			cell = cell[:i]
		}
	}
	return strings.TrimSpace(cell)
}
