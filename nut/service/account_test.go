package service_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// TestMain lets the test binary be a daemon that gives up root, and says who it is then.
func TestMain(m *testing.M) {
	root, confine := os.LookupEnv("ROOT")
	if !confine {
		os.Exit(m.Run())
	}
	e, err := osenv.New(osenv.Options{Prog: "test"})
	if err == nil {
		err = service.Confine(e, root, os.Getenv("ACCOUNT"))
	}
	if err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	_, err = os.Stat("/inside")
	fmt.Printf("account %d, inside %v", os.Getuid(), err == nil)
	os.Exit(0)
}

// confined runs this program as root and returns what it says on both outputs.
func confined(t *testing.T, root, account, variable string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can give up being root")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "ROOT="+root, "ACCOUNT="+account, service.AccountVar+"="+variable)
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// The start of UD section 1: the account is looked up, then root changed, then root given up; and
// `upsd.md 2 -u`, `upsd.md 2 -r`, `upsd.md 3 unknown account` (chroot, chdir failure).
func TestGivesUpRoot(t *testing.T) {
	cell := t.TempDir()
	if err := os.WriteFile(filepath.Join(cell, "inside"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, root, account, variable, want string }{
		{"an account", "", "nobody", "", "account 65534, inside false"},
		{"an account in a cell without a list of accounts", cell, "nobody", "", "account 65534, inside true"},
		{"the account of the environment", "", "", "nobody", "account 65534, inside false"},
		{"root itself, as rehearsals want", "", "", "root", "account 0, inside false"},
		{"the flag before the environment", "", "nobody", "root", "account 65534, inside false"},
		{"nobody of that name", "", "no-such", "", "OS user no-such not found"},
		{"nobody of that name in the environment", cell, "", "no-such", "OS user no-such not found"},
		{"no such cell", cell + "/x", "nobody", "", "chroot " + cell + "/x: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := confined(t, tt.root, tt.account, tt.variable); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// An account that is in no list of this machine: the system's id knows it.
func TestAnAccountOfADirectory(t *testing.T) {
	bin := t.TempDir()
	script := "#!/bin/sh\ntest $3 = far || exit 1\ncase $1 in -G) echo 4711 4712;; *) echo 4711;; esac\n"
	if err := os.WriteFile(filepath.Join(bin, "id"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	for account, want := range map[string]string{"far": "account 4711, inside false",
		"farther": "OS user farther not found"} {
		if got := confined(t, "", account, ""); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestBecomesTheAccountOfThePackages(t *testing.T) {
	got := confined(t, "", "", "")
	if u, err := user.Lookup(service.BuiltIn); err == nil {
		if want := "account " + u.Uid + ", inside false"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		return
	}
	if !strings.Contains(got, "there is no account nut: staying root") || !strings.HasSuffix(got, "account 0, inside false") {
		t.Errorf("%q, want root and a notice", got)
	}
}
