package upsmon_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// Every recorded upsmon.conf is one that upsmon starts with.
func TestRecordedSitesAreWatched(t *testing.T) {
	sites := captures.FS(t, "conf")
	n := 0
	err := fs.WalkDir(sites, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "upsmon.conf" {
			return err
		}
		text, err := fs.ReadFile(sites, name)
		if err != nil {
			return err
		}
		n++
		conf := string(text)
		if !strings.Contains("\n"+conf, "\nMONITOR ") {
			conf += "\n" + primaryConf + "\n" // a template, whose lines come from elsewhere
		}
		r := newRoom(t)
		p := r.monitor("nas", conf)
		r.pass(20 * time.Second)
		if code, ended := p.Status(); ended || !r.logged("nas", "Startup successful") {
			t.Errorf("%s: ended %v with %d:\n%s", name, ended, code, strings.Join(r.log, "\n"))
		}
		return nil
	})
	if err != nil || n < 10 {
		t.Errorf("%d files, %v", n, err)
	}
	t.Logf("%d files", n)
}
