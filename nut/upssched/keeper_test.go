package upssched_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

const pipe = "/run/nut/upssched.pipe"

// ask sends lines to the keeper's socket and returns what it answers within a second.
func (b *bench) ask(lines string) string {
	b.t.Helper()
	var got strings.Builder
	b.h.StartMain("talker", func(e env.Env, _ []string) int {
		until := e.Now().Add(time.Second)
		c, err := e.Net().Dial(e, "unix", pipe, until)
		if err != nil {
			fmt.Fprintln(&got, err)
			return 1
		}
		defer c.Close()
		if _, err := io.WriteString(writer{e, c, until}, lines); err != nil {
			fmt.Fprintln(&got, err)
		}
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(e, buf, until)
			if err != nil {
				return 0
			}
			got.Write(buf[:n])
		}
	})
	b.pass(1100 * time.Millisecond)
	return got.String()
}

// A writer makes a connection one of the usual kind.
type writer struct {
	e     env.Env
	c     env.Conn
	until env.Instant
}

func (w writer) Write(b []byte) (int, error) { return w.c.Write(w.e, b, w.until) }

// What the keeper understands.
func TestRequests(t *testing.T) {
	const first = "AT ONBATT * START-TIMER x 30\n"
	tests := []struct {
		name, lines, want string
		ran               []string // until 60 s
	}{
		{`upssched.md 4 START "name" "secs" "TYPE" "UPS" "MSG"`, `START "y" "20" "LOWBATT" "b" "m m"` + "\n", "OK\n",
			[]string{"21 y LOWBATT b m m", "30 x ONBATT a ONBATT of a"}},
		{"upssched.md 4 START-SHARED", `START-SHARED "x" "20" "LOWBATT" "b" "m"` + "\n", "OK\n",
			[]string{"30 x ONBATT,LOWBATT a,b ONBATT of a.\tm"}},
		{`upssched.md 4 CANCEL "name" "cmd" "TYPE" "UPS" "MSG"`, `CANCEL "x" "none" "ONLINE" "b" "m"` + "\n", "OK\n", nil},
		{"... of what is not there", `CANCEL "z" "none" "ONLINE" "b" "m"` + "\n", "OK\n",
			[]string{"1 none ONLINE b m", "30 x ONBATT a ONBATT of a"}},
		{"upssched.md 4 CANCEL-MATCHED", `CANCEL-MATCHED "x" "none" "ONLINE" "b" "m"` + "\n", "OK\n",
			[]string{"1 none ONLINE b m", "30 x ONBATT a ONBATT of a"}},
		{"... of the same UPS", `CANCEL-MATCHED "x" "none" "ONLINE" "a" "m"` + "\n", "OK\n", nil},
		{"upssched.md 4 LIST-TIMERS", "LIST-TIMERS\n", "BEGIN LIST TIMERS\nx\t1767225630\t30\tONBATT\ta\tONBATT of a\n" +
			"END LIST TIMERS\nOK\n", []string{"30 x ONBATT a ONBATT of a"}},
		{"upssched.md 4 other", "DANCE\n", "ERR UNKNOWN\n", []string{"30 x ONBATT a ONBATT of a"}},
		{"several", "DANCE\nLIST-TIMERS \"\"\nCANCEL \"x\"\n", "ERR UNKNOWN\nBEGIN LIST TIMERS\n" +
			"x\t1767225630\t30\tONBATT\ta\tONBATT of a\nEND LIST TIMERS\nOK\nOK\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, first)
			b.event("ONBATT", "a")
			b.to(0.6)
			if got := b.ask(tt.lines); got != tt.want {
				t.Errorf("%q is answered %q, want %q", tt.lines, got, tt.want)
			}
			b.to(60)
			b.expect(tt.ran...)
		})
	}
}

// `upssched.md 2 PIPEFN file`: who is no member of the group does not talk to the keeper.
func TestModeOfTheSocket(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 30\n")
	b.event("ONBATT", "a")
	b.to(1)
	var mode string
	b.h.StartMain("ls", func(e env.Env, _ []string) int {
		info, err := e.Host().Stat(pipe)
		mode = fmt.Sprint(info.Mode.Perm(), err)
		return 0
	})
	b.pass(time.Second)
	if want := "-rw-rw---- <nil>"; mode != want {
		t.Errorf("the socket is %s, want %s", mode, want)
	}
}

// `upssched.md 2 CMDSCRIPT prog`: a program with arguments, or a line for the shell, as of old.
func TestCmdScript(t *testing.T) {
	for conf, want := range map[string]string{
		"CMDSCRIPT script\n":                    "0 x ONBATT a ONBATT of a",
		"CMDSCRIPT script -n \"two words\"\n":   "0 -n two words x ONBATT a ONBATT of a",
		"CMDSCRIPT \"script -n two\"\n":         "0 -n two 'x' ONBATT a ONBATT of a",
		"CMDSCRIPT no-such\nCMDSCRIPT script\n": "0 x ONBATT a ONBATT of a",
	} {
		b := newBench(t, "")
		b.conf(conf + "PIPEFN " + pipe + "\nLOCKFN /run/nut/lock\nAT ONBATT * EXECUTE x\n")
		b.event("ONBATT", "a")
		b.to(1)
		b.expect(want)
	}
}

// A lock that nobody can take costs no timer, and does not keep the keeper for ever.
func TestALockThatCannotBeTaken(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 3\n")
	b.h.WriteFile("/run/nut/upssched.lock", nil)
	b.h.Deny("/run/nut/upssched.lock")
	b.event("ONBATT", "a")
	b.to(10)
	b.expect("3 x ONBATT a ONBATT of a")
	b.to(20)
	if n := len(b.h.Find("upssched")); n != 0 {
		t.Errorf("%d processes stay without a timer", n)
	}
}

// A keeper that hung, and was replaced, does not take the socket of the new one with it.
func TestAReplacedKeeperThatGoesOn(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 100\nAT ONLINE * CANCEL-TIMER x none\n")
	b.event("ONBATT", "a")
	b.to(5)
	old := b.h.Find("upssched")[0]
	old.Pause()
	b.event("ONBATT", "b")
	b.to(60) // the second one has given the first one up
	old.Resume()
	old.Signal("TERM")
	b.to(70)
	if _, ended := old.Status(); !ended {
		t.Fatal("the old keeper has not ended")
	}
	b.event("ONLINE", "b")
	b.to(300)
	b.expect()
}

// `upssched.md 1 exit code otherwise`.
func TestScriptsThatFail(t *testing.T) {
	b := newBench(t, "FOO\nAT ONBATT * EXECUTE x\n")
	b.fails = 3
	code, _ := b.output([]string{"NOTIFYTYPE=ONBATT", "UPSNAME=a"}, "text")
	if code != 0 || len(b.ran) != 1 {
		t.Errorf("exit status %d, ran %q; want 0", code, b.ran)
	}
	if !strings.Contains(b.log.String(), "CMDSCRIPT x: exit status 3") {
		t.Errorf("log:\n%s", b.log.String())
	}
}

// `upssched.md 1 -l without a running daemon`.
func TestListOfNothing(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 30\n")
	var out, errOut strings.Builder
	p := b.h.StartTo(&out, &errOut, "upssched", []string{"-l"})
	b.to(1)
	if code, ended := p.Status(); !ended || code != 1 || out.Len() > 0 {
		t.Errorf("exit status %d, ended %v, list %q; want 1 and none", code, ended, out.String())
	}
}

// `upssched.md 2 DEBUG_MIN n`, and -D.
func TestDebugLevels(t *testing.T) {
	for _, tt := range []struct {
		conf    string
		environ []string
		args    []string
		want    bool
	}{{"", nil, nil, false}, {"DEBUG_MIN 1\n", nil, nil, true}, {"", nil, []string{"-D"}, true},
		{"", []string{"NUT_DEBUG_LEVEL=1"}, nil, true}} {
		b := newBench(t, tt.conf+"AT ONBATT * EXECUTE x\n")
		b.output(append(tt.environ, "NOTIFYTYPE=ONBATT", "UPSNAME=a"), append(tt.args, "text")...)
		if got := strings.Contains(b.log.String(), "[D1] ONBATT for a: line "); got != tt.want {
			t.Errorf("%q %q %q: debug lines %v, want %v:\n%s", tt.conf, tt.environ, tt.args, got, tt.want, b.log.String())
		}
	}
}

// US-3, done better: who takes connections and never answers is no keeper. NUT's gives up after 7.5 s,
// and the timer is lost.
func TestAMuteKeeperIsReplaced(t *testing.T) {
	b := newBench(t, "")
	b.conf("CMDSCRIPT script\nPIPEFN " + pipe + "\nLOCKFN /run/nut/lock\nAT ONBATT * START-TIMER x 30\nAT ONBATT * EXECUTE y\n")
	// Somebody takes connections and never answers.
	b.h.StartMain("mute", func(e env.Env, _ []string) int {
		l, err := e.Net().Listen(e, "unix", pipe)
		if err != nil {
			return 1
		}
		for {
			if _, err := l.Accept(e, env.Never); err != nil {
				return 0
			}
		}
	})
	b.to(1)
	b.event("ONBATT", "a")
	b.to(90)
	if !slices.ContainsFunc(b.ran, func(s string) bool { return strings.HasSuffix(s, " y ONBATT a ONBATT of a") }) ||
		!slices.ContainsFunc(b.ran, func(s string) bool { return strings.HasSuffix(s, " x ONBATT a ONBATT of a") }) {
		t.Errorf("ran %q, want x and y: the mute one is replaced\n%s", b.ran, b.log.String())
	}
}
