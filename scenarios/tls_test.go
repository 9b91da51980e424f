package scenarios_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/scenarios/check"
)

// watched is what a MONITOR line watches: a UPS, and where.
var watched = regexp.MustCompile(`(?m)^MONITOR \w+@(\S+)`)

// serves are the lines of upsd.conf with which a server has TLS.
const serves = "CERTFILE /etc/nut/upsd.pem\nDISABLE_WEAK_SSL true\n"

// overTLS rewrites a scenario so that every upsd has a certificate, and every upsmon insists on it.
func overTLS(t *testing.T, file string) string {
	t.Helper()
	room, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ca := pkitest.NewCA("the room's CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "the server"})
	var more []txtar.File
	for i, f := range room.Files {
		dir, name := filepath.Split(f.Name)
		switch name {
		case "upsd.conf":
			room.Files[i].Data = []byte(string(f.Data) + serves)
		case "upsd.users": // every server has one
			more = append(more, txtar.File{Name: dir + "upsd.pem", Data: []byte(cert + key)})
			if !slices.ContainsFunc(room.Files, func(f txtar.File) bool { return f.Name == dir+"upsd.conf" }) {
				more = append(more, txtar.File{Name: dir + "upsd.conf", Data: []byte("LISTEN @addr@ 3493\n" + serves)})
			}
		case "upsmon.conf":
			text := string(f.Data) + "CERTVERIFY 1\nFORCESSL 1\nCERTPATH /etc/nut/ca.pem\n"
			for _, m := range watched.FindAllStringSubmatch(text, -1) {
				text += "CERTHOST " + m[1] + " \"the server\" 1 1\n"
			}
			room.Files[i].Data = []byte(text)
			more = append(more, txtar.File{Name: dir + "ca.pem", Data: []byte(ca.PEM())})
		}
	}
	room.Files = append(room.Files, more...)
	out := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(out, txtar.Format(room), 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// What every scenario says holds over TLS as well, and one seed still tells one story: keys differ
// from run to run, and nothing that happens depends on them.
func TestScenariosOverTLS(t *testing.T) {
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			secured := overTLS(t, file)
			res := onSim(secured, 1, false)
			if res.Err != nil {
				t.Fatalf("%v\n%s", res.Err, check.Timeline(res.Trace, check.TimelineOptions{}))
			}
			if again := onSim(secured, 1, false); check.Hash(res.Trace) != check.Hash(again.Trace) {
				t.Error("two runs of one seed gave two traces")
			}
			if plain := onSim(file, 1, false); check.Hash(res.Trace) == check.Hash(plain.Trace) {
				t.Error("the trace is that of the room without TLS: there was none")
			}
			t.Logf("%v of the room's time in %v", res.Virtual.Round(time.Second), res.Real)
		})
	}
}
