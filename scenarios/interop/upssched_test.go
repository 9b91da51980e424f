package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const debianSched = "/sbin/upssched"

const schedConf = `CMDSCRIPT @conf@/script
PIPEFN @conf@/pipe
LOCKFN @conf@/lock
AT ONBATT * START-TIMER first 1
AT ONBATT * START-TIMER second 2
AT ONBATT b@h START-TIMER never 600
AT ONLINE * CANCEL-TIMER never was-none
AT LOWBATT * EXECUTE low
AT LOWBATT a@h EXECUTE lower
`

// schedScript leaves a file for each call, named after its argument and its number.
const schedScript = `#!/bin/sh
n=$(ls "$(dirname "$0")/ran" | wc -l)
: > "$(dirname "$0")/ran/$n-$1"
`

// One story of notifications makes the same scripts run, in the same order.
func TestUpsschedRunsTheSameScripts(t *testing.T) {
	kits(t)
	if _, err := os.Stat(debianSched); err != nil {
		missing(t, "Debian's upssched is not installed: %v", err)
	}
	if out, err := exec.Command("go", "build", "-o", binDir+"/", "../../cmd/upssched").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours, theirs := story(t, binDir+"/upssched"), story(t, debianSched)
	if !slices.Equal(ours, theirs) {
		t.Errorf("scripts that ran:\nours   %q\nDebian's %q", ours, theirs)
	}
	if len(ours) < 6 {
		t.Errorf("only %q ran: the story proves nothing", ours)
	}
}

// story runs the notifications of an outage and returns the scripts that ran.
func story(t *testing.T, prog string) []string {
	b := newBench(t, map[string]string{"upssched.conf": schedConf})
	ran := filepath.Join(b.conf, "ran")
	if err := os.Mkdir(ran, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.conf, "script"), []byte(schedScript), 0o755); err != nil {
		t.Fatal(err)
	}
	next := watch(t, ran)
	var list []string
	until := func(name string) {
		t.Helper()
		for len(list) == 0 || !strings.HasSuffix(list[len(list)-1], "-"+name) {
			file, err := next()
			if err != nil {
				t.Fatalf("waiting for script %s after %q: %v", name, list, err)
			}
			list = append(list, file)
		}
	}
	event := func(kind, ups string) {
		t.Helper()
		cmd := exec.Command(prog, kind+" of "+ups)
		cmd.Env, cmd.Dir = append(b.env(), "NOTIFYTYPE="+kind, "UPSNAME="+ups), b.dir
		if err := cmd.Run(); err != nil {
			t.Errorf("%s %s: %v", kind, ups, err)
		}
	}
	event("ONLINE", "a@h") // nothing is pending
	until("was-none")
	event("ONBATT", "a@h")
	event("LOWBATT", "a@h") // at once, two rules
	until("lower")
	until("first")
	until("second")
	event("ONBATT", "b@h") // both timers, and one for this UPS only
	event("ONLINE", "b@h") // which is cancelled, so that nothing runs for it
	until("second")
	event("ONLINE", "a@h")
	until("was-none")
	return list
}
