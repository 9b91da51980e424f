package interop

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/service"
)

// Both servers, started by root, serve as the account that is asked for or built in, and from within
// the folder of -r (`upsd.md 2 -u`, `upsd.md 2 -r`).
func TestServersGiveUpRoot(t *testing.T) {
	ours, theirs := kits(t)
	if os.Getuid() != 0 {
		t.Skip("only root can give up being root")
	}
	if _, err := user.Lookup(service.BuiltIn); err != nil {
		t.Skip(err)
	}
	for _, tt := range []struct {
		name, account string
		args          []string
		jail          bool
	}{
		{"the account of the packages", service.BuiltIn, nil, false},
		{"another account", "nobody", []string{"-u", "nobody"}, false},
		{"another account in a folder without accounts", "nobody", []string{"-u", "nobody"}, true},
		{"the account of the packages, there", service.BuiltIn, nil, true},
	} {
		for _, k := range []kit{theirs, ours} {
			t.Run(tt.name+", "+k.name, func(t *testing.T) {
				b := newBench(t, oneUPS)
				u, err := user.Lookup(tt.account)
				if err != nil {
					t.Skip(err)
				}
				args, root := append([]string{"-F"}, tt.args...), "/"
				if tt.jail {
					root = filepath.Join(b.dir, "jail")
					args = append(args, "-r", root)
					furnish(t, root, b)
				}
				own(t, b.dir, u)
				d := b.start("/usr/bin/env", append([]string{"-u", service.AccountVar, k.upsd}, args...)...)
				d.waitFor(t, "Can't connect to UPS [u]")
				if got := b.talk("GET UPSDESC u\n"); got != "UPSDESC u \"Unavailable\"\nOK Goodbye\n" {
					t.Errorf("answer %q", got)
				}
				proc := fmt.Sprintf("/proc/%d/", d.cmd.Process.Pid)
				status, _ := os.ReadFile(proc + "status")
				for _, want := range []string{"Uid:\t" + repeat(u.Uid), "Gid:\t" + repeat(u.Gid)} {
					if !strings.Contains(string(status), want+"\n") {
						t.Errorf("no %q in\n%s", want, status)
					}
				}
				if got, _ := os.Readlink(proc + "root"); got != root {
					t.Errorf("its root is %s, want %s", got, root)
				}
			})
		}
	}
}

func repeat(id string) string { return strings.Join([]string{id, id, id, id}, "\t") }

// furnish copies the files of a bench into a folder that will be the root of a server.
func furnish(t *testing.T, root string, b *bench) {
	t.Helper()
	for _, dir := range []string{b.conf, b.run} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("cp", "-r", b.conf+"/.", filepath.Join(root, b.conf)).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// own gives a folder and all in it to an account.
func own(t *testing.T, dir string, u *user.User) {
	t.Helper()
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syscall.Chown(name, uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
}
