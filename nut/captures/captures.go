// Package captures finds recordings of real devices and sites for tests. They are not part of this
// tree: the environment variable BLACKSTART_CAPTURES names their folder; without it, a folder
// shared/captures beside the checkout is looked for. Tests that want them are skipped where there
// are none.
package captures

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FS returns one folder of the recordings, for example "conf".
func FS(t testing.TB, folder string) fs.FS {
	t.Helper()
	return os.DirFS(Dir(t, folder))
}

// Dir returns the name of one folder of the recordings.
func Dir(t testing.TB, folder string) string {
	t.Helper()
	root := os.Getenv("BLACKSTART_CAPTURES")
	if root == "" {
		root = beside(t)
	}
	dir := filepath.Join(root, folder)
	if _, err := os.Stat(dir); root == "" || err != nil {
		t.Skipf("no recordings in %q: BLACKSTART_CAPTURES names their folder", dir)
	}
	return dir
}

// beside looks for shared/captures next to this folder and next to all above it.
func beside(t testing.TB) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", "captures")
		if _, err := os.Stat(found); err == nil {
			return found
		}
	}
	return ""
}

// Table reads a recorded table: columns divided by tabs, their names in the first line, comments
// after a hash. Each row is a map from the names.
func Table(t testing.TB, folder, file string) []map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Dir(t, folder), file))
	if err != nil {
		t.Fatal(err)
	}
	var heads []string
	var rows []map[string]string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case heads == nil:
			heads = cells
		case len(cells) != len(heads):
			t.Fatalf("%s: %d columns in %q; want %d", file, len(cells), line, len(heads))
		default:
			row := map[string]string{}
			for i, c := range cells {
				row[heads[i]] = c
			}
			rows = append(rows, row)
		}
	}
	return rows
}
