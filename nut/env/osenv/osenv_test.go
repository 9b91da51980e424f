package osenv_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

// TestMain lets the test binary play a program of its own: see daemon.
func TestMain(m *testing.M) {
	if os.Getenv("OSENV_TEST_DAEMON") != "" {
		os.Exit(osenv.Run("daemon", daemon))
	}
	if os.Getenv("OSENV_TEST_HALF") != "" {
		os.Exit(osenv.Run("half", half))
	}
	os.Exit(m.Run())
}

// daemon goes to the background unless it is told to fail before; then it waits for a signal.
func daemon(e env.Env, _ []string) int {
	if err := e.Host().Detach(e); err != nil {
		return 9
	}
	io.WriteString(e.Host().Stderr(), "starting\n")
	if e.Host().Getenv("OSENV_TEST_DAEMON") == "fail" {
		return 7
	}
	inherits := env.Command{Shell: `test -n "$BLACKSTART_DETACHED" -o -e /proc/$$/fd/3`}
	if st, err := e.Host().Run(e, inherits, env.Never); st == 0 || err != nil {
		return 5 // its commands take themselves for detached
	}
	pid := e.Host().Getenv("OSENV_TEST_PIDFILE")
	signals := e.Host().Signals()
	if err := e.Host().WriteFile(pid, []byte(string(rune('0'))), 0o644); err != nil {
		return 8
	}
	e.Host().Ready(e, "waiting")
	s, err := signals.Get(e, e.Now().Add(20*time.Second))
	if err != nil {
		return 6
	}
	e.Host().WriteFile(pid, []byte("got "+s), 0o644)
	return 0
}

func newEnv(t *testing.T, o osenv.Options) env.Env {
	t.Helper()
	e, err := osenv.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheCommandThatStartsADaemonWaitsForItsFate(t *testing.T) {
	dir := t.TempDir()
	start := func(mode string) (string, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "OSENV_TEST_DAEMON="+mode, "OSENV_TEST_PIDFILE="+filepath.Join(dir, mode))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := start("ok"); err != nil || out != "starting\n" {
		t.Errorf("a daemon that got ready: %v, printed %q; want success and its message", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "ok")); err != nil {
		t.Error("the command came back before its daemon was ready")
	}
	out, err := start("fail")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 || out != "starting\n" {
		t.Errorf("a daemon that failed: %v, printed %q; want exit code 7 and its message", err, out)
	}
	// The daemon that is left must hear a signal; find it by its environment, as it has a new pid.
	signalDaemon(t, filepath.Join(dir, "ok"))
	for end := time.Now().Add(10 * time.Second); ; {
		if b, _ := os.ReadFile(filepath.Join(dir, "ok")); string(b) == "got USR1" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the daemon did not get its signal")
		}
	}
}

func signalDaemon(t *testing.T, pidfile string) {
	t.Helper()
	dirs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range dirs {
		b, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(b), "OSENV_TEST_PIDFILE="+pidfile) {
			continue
		}
		var pid int
		if json.Unmarshal([]byte(filepath.Base(filepath.Dir(name))), &pid) == nil && pid != os.Getpid() {
			syscall.Kill(pid, syscall.SIGUSR1)
			return
		}
	}
	t.Fatal("no daemon is running")
}

func TestAFastClockShortensSleepsAndDeadlines(t *testing.T) {
	clock := osenv.Clock{Scale: 1000, Epoch: time.Now()}
	e := newEnv(t, osenv.Options{Prog: "t", Clock: &clock})
	began := time.Now()
	if err := e.Sleep(100 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := env.NewInbox[int](e, 1).Get(e, e.Now().Add(100*time.Second)); !errors.Is(err, env.ErrTimeout) {
		t.Errorf("Get = %v, want a time-out", err)
	}
	if e.Now() < env.Instant(200*time.Second) || time.Since(began) > 20*time.Second {
		t.Errorf("200 s of the program took %v; its clock says %v", time.Since(began), time.Duration(e.Now()))
	}
	other, err := osenv.ParseClock(clock.String())
	if err != nil {
		t.Fatal(err)
	}
	if d := other.Now().Sub(clock.Now()); d > 2*time.Second || d < -2*time.Second {
		t.Errorf("two processes with one clock are %v apart", d)
	}
}

func TestBadClocksAreNamed(t *testing.T) {
	for _, v := range []string{"scale=0", "scale=x", "speed=3", "epoch=-1", "scale=2000"} {
		if _, err := osenv.ParseClock(v); err == nil || !strings.Contains(err.Error(), v) {
			t.Errorf("ParseClock(%q) = %v; want an error that names it", v, err)
		}
	}
}

func TestStreamsReportTimeoutEndAndRefusal(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	l, err := e.Net().Listen(e, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.Net().Dial(e, "tcp", l.Addr(), e.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept(e, e.Now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 10)
	if _, err := c.Read(e, p, e.Now().Add(time.Millisecond)); !errors.Is(err, env.ErrTimeout) {
		t.Errorf("silence: %v, want a time-out", err)
	}
	far.Write(e, []byte("hi"), env.Never)
	if n, err := c.Read(e, p, env.Never); n != 2 || err != nil {
		t.Errorf("after a time-out: %d, %v; want the stream to go on", n, err)
	}
	far.Close()
	if _, err := c.Read(e, p, env.Never); err != io.EOF {
		t.Errorf("after the peer closed: %v, want EOF", err)
	}
	l.Close()
	if _, err := l.Accept(e, env.Never); !errors.Is(err, env.ErrClosed) {
		t.Errorf("closed listener: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "socket")
	if _, err := e.Net().Dial(e, "unix", missing, env.Never); !errors.Is(err, fs.ErrNotExist) ||
		err.Error() != "No such file or directory" {
		t.Errorf("a socket that is not there: %v", err)
	}
	if _, err := e.Net().Dial(e, "tcp", l.Addr(), env.Never); !errors.Is(err, env.ErrRefused) {
		t.Errorf("nobody listens: %v, want refused", err)
	}
}

func TestStoppingAScopeWakesReaders(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	l, err := e.Net().Listen(e, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := env.NewInbox[error](e, 10)
	inner, scope := e.Scope("inner")
	inner.Go("accept", func(e env.Env) error {
		_, err := l.Accept(e, env.Never)
		got.Put(err)
		return err
	})
	c, err := net.Dial("tcp", l.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err, _ := got.Get(e, e.Now().Add(5*time.Second)); err != nil {
		t.Fatal(err)
	}
	// A connection of one scope, read by a task of another one that is stopped.
	near, err := e.Net().Dial(e, "tcp", l.Addr(), env.Never)
	if err != nil {
		t.Fatal(err)
	}
	inner.Go("read", func(e env.Env) error {
		_, err := near.Read(e, make([]byte, 1), env.Never)
		got.Put(err)
		return err
	})
	inner.Go("sleep", func(e env.Env) error {
		err := e.Sleep(time.Hour)
		got.Put(err)
		return err
	})
	scope.Stop()
	scope.Wait(e)
	for range 2 {
		if err, _ := got.Take(); !errors.Is(err, env.ErrStopped) {
			t.Errorf("a wait ended with %v, want stopped", err)
		}
	}
	// The connection itself goes on for tasks of other scopes, with the same deadline.
	if _, err := near.Write(e, []byte("x"), env.Never); err != nil {
		t.Errorf("after a reader was stopped: write: %v", err)
	}
	far, err := l.Accept(e, e.Now().Add(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := far.Write(e, []byte("y"), env.Never); err != nil {
		t.Fatal(err)
	}
	if _, err := near.Read(e, make([]byte, 1), env.Never); err != nil {
		t.Errorf("after another reader was stopped: read: %v", err)
	}
}

// A stop takes effect whenever the system gets round to it, perhaps only when its task has gone.
func TestAStoppedReaderDoesNotWakeTheNextOne(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	l, err := e.Net().Listen(e, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 300 {
		near, err := e.Net().Dial(e, "tcp", l.Addr(), env.Never)
		if err != nil {
			t.Fatal(err)
		}
		far, err := l.Accept(e, env.Never)
		if err != nil {
			t.Fatal(err)
		}
		inner, scope := e.Scope("inner")
		scope.Stop()
		if _, err := near.Read(inner, make([]byte, 1), env.Never); !errors.Is(err, env.ErrStopped) {
			t.Fatalf("a stopped task reads: %v", err)
		}
		e.Go("writer", func(e env.Env) error {
			_, err := far.Write(e, []byte("y"), env.Never)
			return err
		})
		if _, err := near.Read(e, make([]byte, 1), env.Never); err != nil {
			t.Fatalf("after another reader was stopped: read: %v", err)
		}
		near.Close()
		far.Close()
	}
}

func TestCommandsTellTheirStatusAndAreKilledInTime(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t", Extra: []string{"WHO=world"}})
	var out strings.Builder
	st, err := e.Host().Run(e, env.Command{Shell: "read x; echo $x $WHO; exit 3", Stdin: []byte("hello\n"), Stdout: &out}, env.Never)
	if st != 3 || err != nil || out.String() != "hello world\n" {
		t.Errorf("status %d, %v, printed %q", st, err, out.String())
	}
	if _, err := e.Host().Run(e, env.Command{Args: []string{"sleep", "60"}}, e.Now().Add(10*time.Millisecond)); !errors.Is(err, env.ErrTimeout) {
		t.Errorf("a command that takes too long: %v, want a time-out", err)
	}
	if st, err := e.Host().Run(e, env.Command{Shell: "kill -TERM $$"}, env.Never); st != 128+15 || err != nil {
		t.Errorf("a killed command: %d, %v; want 143", st, err)
	}
}

func TestACommandThatTakesTooLongIsKilledWithItsChildren(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	file := filepath.Join(t.TempDir(), "late")
	_, err := e.Host().Run(e, env.Command{Shell: "(sleep 0.5; touch " + file + "); true"},
		e.Now().Add(100*time.Millisecond))
	if !errors.Is(err, env.ErrTimeout) {
		t.Errorf("%v, want a time-out", err)
	}
	time.Sleep(800 * time.Millisecond)
	if _, err := os.Stat(file); err == nil {
		t.Error("its child went on")
	}
}

func TestWhatACommandLeavesInTheBackgroundLivesOn(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	file := filepath.Join(t.TempDir(), "later")
	st, err := e.Host().Run(e, env.Command{Shell: "(sleep 0.3; touch " + file + ") >/dev/null 2>&1 &"},
		e.Now().Add(10*time.Second))
	if st != 0 || err != nil {
		t.Fatalf("status %d, %v", st, err)
	}
	_, err = os.Stat(file)
	for begin := time.Now(); err != nil && time.Since(begin) < 10*time.Second; _, err = os.Stat(file) {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("it was ended with its command: %v", err)
	}
}

func TestEventsAreLinesInTheOrderTheyHappened(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	t.Setenv(osenv.EventsVar, file)
	t.Setenv(osenv.HostVar, "nas")
	e := newEnv(t, osenv.Options{Prog: "upsd"})
	e.Emit(env.Event{Kind: env.Login, UPS: "rack", N: 1})
	e.Emit(env.Event{Kind: env.Logout, UPS: "rack"})
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var kinds []string
	for s := bufio.NewScanner(f); s.Scan(); {
		var ev env.Event
		if err := json.Unmarshal(s.Bytes(), &ev); err != nil || ev.Host != "nas" || ev.Prog != "upsd" || ev.T == 0 {
			t.Errorf("%s: %v; want host, prog and time filled in", s.Text(), err)
		}
		kinds = append(kinds, string(ev.Kind))
	}
	if strings.Join(kinds, " ") != "login logout" {
		t.Errorf("kinds = %v", kinds)
	}
}

func TestASinkThatNobodyReadsDoesNotStopTheProgram(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv(osenv.EventsVar, "unixgram:"+path)
	e := newEnv(t, osenv.Options{Prog: "x"})
	done := make(chan struct{})
	go func() {
		for range 1500 {
			e.Emit(env.Event{Kind: env.Mark, Name: "x"})
		}
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Error("the program waits for a reader that never comes")
	}
}

func TestWriteFileReplacesWholeAndKeepsTheMode(t *testing.T) {
	e := newEnv(t, osenv.Options{Prog: "t"})
	name := filepath.Join(t.TempDir(), "f")
	for _, text := range []string{"a long first content", "short"} {
		if err := e.Host().WriteFile(name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	b, err := e.Host().ReadFile(name)
	fi, _ := e.Host().Stat(name)
	if string(b) != "short" || err != nil || fi.Mode != 0o640 {
		t.Errorf("%q, %v, mode %v", b, err, fi.Mode)
	}
	if names, _ := e.Host().ReadDir(filepath.Dir(name)); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if _, err := e.Host().ReadFile(name + "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

// Others may have put anything in the place of a file.
func TestReadFileComesBack(t *testing.T) {
	dir := t.TempDir()
	fifo, whole, folder := filepath.Join(dir, "fifo"), filepath.Join(dir, "whole"), filepath.Join(dir, "dir")
	if err := errors.Join(syscall.Mkfifo(fifo, 0o600), os.WriteFile(whole, []byte("text"), 0o600),
		os.Mkdir(folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	e := newEnv(t, osenv.Options{})
	for _, tt := range []struct {
		name, text string
		fails      bool
	}{{whole, "text", false}, {"/dev/null", "", false}, {fifo, "", true}, {"/dev/zero", "", true}, {folder, "", true}} {
		type result struct {
			b   []byte
			err error
		}
		done := make(chan result, 1)
		go func() {
			b, err := e.Host().ReadFile(tt.name)
			done <- result{b, err}
		}()
		select {
		case r := <-done:
			if (r.err != nil) != tt.fails || r.err == nil && string(r.b) != tt.text {
				t.Errorf("%s: %d bytes, %v; want %q, error %v", tt.name, len(r.b), r.err, tt.text, tt.fails)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: still reading", tt.name)
		}
	}
}
