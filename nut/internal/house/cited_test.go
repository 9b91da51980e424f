package house

import (
	"fmt"
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
// row's first cell, such as "upsd.md 5 MAXAGE".

// notes are the files whose every row a test must cite.
var notes = []string{"net-protocol.md", "driver-socket.md", "upsd.md"}

// keyedSections are the sections of upsd.md whose tables have no ids.
var keyedSections = []string{"2", "3", "4", "5", "6", "7", "10", "12", "14"}

// uncitable are rows that no test here can show, and why.
var uncitable = []struct{ key, why string }{
	{"DS-8", "named pipes of Windows, which is not served"},
	{"DS-S8", "refuted by construction: ages come from env.Instant, which is monotonic, and a rule forbids time.Now"},
	{"NP-M2", "a workaround for the limit of one poll call: every connection here has a task of its own"},
	{"upsd.md 12 NUT_SYSMAXCONN_LIMIT", "as NP-M2"},
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

// cites reports whether a key is in a text, whole: in quotes or before a full stop, say.
func cites(text, key string) bool {
	for _, end := range "\"`:;,.)" {
		if strings.Contains(text, key+string(end)) {
			return true
		}
	}
	return false
}

var idOrRange = regexp.MustCompile(`((?:NP|DS|UD)-[A-Z]*)(\d+)(?: to (?:(?:NP|DS|UD)-[A-Z]*)?(\d+))?`)

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

// rowKeys lists what the rows of a file are cited by.
func rowKeys(name, text string) []string {
	var keys []string
	section, header := "", true
	for l := range strings.Lines(text) {
		if s, ok := strings.CutPrefix(l, "## "); ok {
			section, _, _ = strings.Cut(s, ".")
		}
		cell, ok := strings.CutPrefix(l, "| ")
		if !ok {
			header = !strings.HasPrefix(l, "|---")
			continue
		}
		cell = strings.ReplaceAll(strings.Split(cell, " |")[0], "`", "")
		switch {
		case idOrRange.FindString(cell) == cell:
			keys = append(keys, cell)
		case name == "upsd.md" && !header && slices.Contains(keyedSections, section):
			keys = append(keys, fmt.Sprintf("%s %s %s", name, section, beginning(cell)))
		}
	}
	return keys
}

// beginning is the part of a cell that names its row.
func beginning(cell string) string {
	for _, end := range []string{" / ", ", ", " (", " [", " <", " {", "…", ": "} {
		if i := strings.Index(cell, end); i > 0 {
			cell = cell[:i]
		}
	}
	return strings.TrimSpace(cell)
}
