package osenv_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// half is a program that divides itself. What its child then does, the variable HALF says.
func half(e env.Env, _ []string) int {
	h := e.Host()
	tell := func(format string, args ...any) { fmt.Fprintf(h.Stdout(), format+"\n", args...) }
	p := h.Parent()
	if p == nil {
		if s, again := h.Previous(); again {
			tell("again with %s", s.Config)
			return 4
		}
		dir := h.Getenv("HALF_DIR")
		tell("split: %v", h.Split(e, env.Split{Flag: dir + "/flag", Text: "magic", PIDFile: dir + "/pid",
			Command: "echo try >>" + dir + "/ran; test $(wc -l <" + dir + "/ran) -ge 2", Tries: 3,
			Pause: time.Millisecond, Config: []byte("a configuration")}))
		return 5
	}
	h.Ready(e, "")
	switch mode := h.Getenv("HALF"); mode {
	case "orphan":
		syscall.Kill(syscall.Getppid(), syscall.SIGKILL)
		_, err := p.Next(e)
		order := p.Order(e)
		for order == nil { // it is dying: of its files one is closed after the other
			e.Sleep(time.Millisecond)
			order = p.Order(e)
		}
		tell("next: %v; order: %v", err, order)
	case "order", "silent":
		tell("child of %s", p.Split().Config)
		for d := (env.Deed{}); d.Step != env.Ended || d.Status != 0; {
			if d.Step == 0 || d.Step == env.Flagged && mode == "order" {
				p.Order(e)
			}
			var err error
			if d, err = p.Next(e); err != nil {
				return 6
			}
			tell("step %d, status %d, %v", d.Step, d.Status, d.Err)
		}
	case "die":
		return 9
	case "replaced": // by another instance, as far as the PID file goes
		name := h.Getenv("HALF_DIR") + "/pid"
		for ; ; e.Sleep(5 * time.Millisecond) {
			if b, err := h.ReadFile(name); err == nil && string(b) == fmt.Sprintln(h.Pid()) {
				break
			}
		}
		h.WriteFile(name, []byte("4194304\n"), 0o644)
	case "last words":
		p.Order(e)
		return 9
	case "and away":
		p.Order(e)
	case "over":
		return int(env.StartOver)
	case "signal":
		signals := h.Signals()
		syscall.Kill(syscall.Getppid(), syscall.SIGUSR1)
		for begin := e.Now(); ; {
			// Until the parent has taken its place it takes no signals.
			if s, err := signals.Get(e, e.Now().Add(20*time.Millisecond)); err == nil {
				tell("got %s", s)
				return 0
			} else if e.Now().Sub(begin) > 20*time.Second {
				return 7
			}
			syscall.Kill(syscall.Getppid(), syscall.SIGUSR1)
		}
	}
	return 0
}

// `upsmon.md 8 P6`: the order goes through the pipe. The parent is the real one; that all its rights are those of this test does not matter to it.
func TestSplit(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	keeper := filepath.Join(filepath.Dir(exe), "half-root")
	if out, err := exec.Command("go", "build", "-o", keeper, "../../../cmd/upsmon-root").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, tt := range []struct {
		mode  string
		code  int
		tells []string
		tries int
	}{
		{"order", 0, []string{"child of a configuration", "step 1, status 0, <nil>", "step 3, status 1, <nil>",
			"step 2, status 0, <nil>", "step 3, status 0, <nil>"}, 2},
		{"silent", 0, []string{"child of a configuration", "step 1, status 0, <nil>", "step 3, status 1, <nil>",
			"step 2, status 0, <nil>", "step 3, status 0, <nil>"}, 2},
		{"", 0, nil, 0},
		{"die", 1, []string{"half parent: the child process has ended with 9: nothing watches the UPSes any more; " +
			"start it again"}, 0},
		{"replaced", 0, nil, 0},
		{"last words", 0, []string{"half parent: the child process has ended with 9; the shutdown goes on without it"}, 2},
		{"and away", 0, nil, 1},
		{"over", 4, []string{"again with a configuration"}, 0},
		{"orphan", -1, []string{"next: use of closed connection; order: use of closed connection"}, 0},
		{"signal", 0, []string{"got USR1"}, 0},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			dir := t.TempDir()
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), "OSENV_TEST_HALF=1", "HALF="+tt.mode, "HALF_DIR="+dir)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit %d, want %d", code, tt.code)
			}
			if want := strings.Join(tt.tells, "\n"); strings.TrimSpace(string(out)) != want {
				t.Errorf("it told\n%s\nwant\n%s", out, want)
			}
			ran, _ := os.ReadFile(dir + "/ran")
			flag, _ := os.ReadFile(dir + "/flag")
			if n := strings.Count(string(ran), "try"); n != tt.tries || (string(flag) == "magic") != (n > 0) {
				t.Errorf("the command ran %d times, want %d; the flag is %q", n, tt.tries, flag)
			}
			_, err = os.Stat(dir + "/pid")
			if left := err == nil; tt.mode != "orphan" && left != (tt.mode == "replaced") {
				t.Errorf("the PID file is left: %v", left)
			}
		})
	}
}

func TestSplitWithoutTheOtherProgram(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(filepath.Dir(exe), "half-root"))
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "OSENV_TEST_HALF=1", "HALF_DIR="+t.TempDir())
	out, _ := cmd.CombinedOutput()
	if want := "half-root cannot be run: no such file or directory; it is installed beside half"; !strings.Contains(string(out), want) {
		t.Errorf("it told %q, want %q", out, want)
	}
}
