package upssched_test

import (
	"io/fs"
	"path"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// Every recorded upssched.conf is followed: what it says about an outage is done, or kept.
func TestRecordedSitesAreFollowed(t *testing.T) {
	sites := captures.FS(t, "conf")
	n, done := 0, 0
	err := fs.WalkDir(sites, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || path.Base(name) != "upssched.conf" {
			return err
		}
		text, err := fs.ReadFile(sites, name)
		if err != nil {
			return err
		}
		n++
		b := newBench(t, "")
		b.any = true
		b.conf(string(text))
		for _, kind := range []string{"ONBATT", "LOWBATT", "ONLINE", "COMMBAD", "FSD", "SHUTDOWN"} {
			p := b.event(kind, "ups@localhost")
			b.pass(time.Second)
			if code, ended := p.Status(); !p.Background() && (!ended || code != 0) {
				t.Errorf("%s: %s: ended %v with %d:\n%s", name, kind, ended, code, b.log.String())
			}
		}
		b.to(3600)
		done += len(b.ran)
		return nil
	})
	if err != nil || n < 10 || done < n {
		t.Errorf("%d files, %d scripts ran, %v", n, done, err)
	}
	t.Logf("%d files, %d scripts ran", n, done)
}
