// Package captures finds recordings of real devices and sites for tests. They are not part of this
// tree: the environment variable BLACKSTART_CAPTURES names their folder; without it, a folder
// shared/captures beside the checkout is looked for. Tests that want them are skipped where there
// are none.
package captures

import (
	"io/fs"
	"os"
	"path/filepath"
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
