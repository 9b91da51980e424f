package interop

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/scenarios/interop/child"
)

// oneUPS is a configuration with which both servers start.
var oneUPS = map[string]string{
	"ups.conf":   "[u]\n\tdriver = dummy-ups\n\tport = u.dev\n",
	"upsd.conf":  "LISTEN 127.0.0.1 @port@\n",
	"upsd.users": "[admin]\n\tpassword = pw\n\tactions = SET\n",
}

// serverRuns are runs of upsd, each on a bench of its own: with files changed ("-" removes one), by
// arguments and variables. A case that stays is sent a signal once it has said the first text, and
// must end by itself. What matters is the exit code and which texts are printed.
var serverRuns = []struct {
	name    string
	files   map[string]string
	environ []string
	args    []string
	stays   syscall.Signal
	says    []string
}{
	{name: "upsd.md 2 -h", args: []string{"-h"}, says: []string{"usage: upsd", "-c", "-V"}},
	{name: "upsd.md 2 -V", args: []string{"-V"}, says: []string{"Network UPS Tools upsd 2.8."}},
	{name: "upsd.md 2 -V, among others", args: []string{"-D", "-V"}, says: []string{"Network UPS Tools upsd 2.8."}},
	{name: "upsd.md 2 unknown flag", args: []string{"-Z"}, says: []string{"usage: upsd"}},
	{name: "upsd.md 2 -c", args: []string{"-c", "fly"}, says: []string{"usage: upsd"}},
	{name: "upsd.md 2 -i", args: []string{"-i", "127.0.0.1"}, says: []string{"LISTEN"}},
	{name: "upsd.md 2 -i, as port", args: []string{"-p", "3493"}, says: []string{"LISTEN"}},
	{name: "upsd.md 2 -P", args: []string{"-c", "stop", "-P", "4194304"}, says: []string{"No such process"}},
	{name: "upsd.md 2 -P of no number", args: []string{"-c", "stop", "-P", "x"}},
	{name: "upsd.md 2 -F", args: []string{"-F"}, stays: syscall.SIGTERM, says: []string{"listening on 127.0.0.1 port @port@", "not saving a PID file", "Signal 15: exiting"}},
	{name: "upsd.md 2 -F twice", args: []string{"-FF"}, stays: syscall.SIGTERM, says: []string{"listening on 127.0.0.1 port @port@", "not saving a PID file", "Signal 15: exiting"}},
	{name: "upsd.md 2 -D", args: []string{"-D"}, stays: syscall.SIGTERM, says: []string{"listening on 127.0.0.1 port @port@", "Signal 15: exiting"}},
	{name: "upsd.md 2 -q", args: []string{"-F", "-q"}, stays: syscall.SIGTERM, says: []string{"Can't connect to UPS [u]", "listening on 127.0.0.1 port @port@"}},
	{name: "upsd.md 2 -u", args: []string{"-F", "-u", "no-such-account"}, says: []string{"no-such-account"}},
	{name: "upsd.md 2 -r", args: []string{"-F", "-r", "/no/such/folder"}, says: []string{"/no/such/folder"}},
	{name: "upsd.md 2 -4", files: map[string]string{"upsd.conf": "LISTEN localhost @port@\n"}, args: []string{"-F", "-4"}, stays: syscall.SIGTERM,
		says: []string{"listening on localhost port @port@"}},

	{name: "upsd.md 3 normal stop by TERM/INT/QUIT", args: []string{"-F"}, stays: syscall.SIGTERM, says: []string{"Can't connect to UPS [u]", "Signal 15: exiting"}},
	{name: "upsd.md 4 TERM: by INT", args: []string{"-F"}, stays: syscall.SIGINT, says: []string{"Can't connect to UPS [u]", "Signal 2: exiting"}},
	{name: "upsd.md 4 TERM: by QUIT", args: []string{"-F"}, stays: syscall.SIGQUIT, says: []string{"Can't connect to UPS [u]", "Signal 3: exiting"}},
	{name: "upsd.md 3 -c with no running instance", args: []string{"-c", "reload"}, says: []string{"Failed to signal the currently running daemon (if any)"}},
	{name: "upsd.md 3 -c with no running instance: stop", args: []string{"-c", "stop"}, says: []string{"Failed to signal the currently running daemon (if any)"}},
	{name: "upsd.md 3 upsd.conf or upsd.users missing", files: map[string]string{"upsd.conf": "-"}, args: []string{"-F"}, says: []string{"upsd.conf: No such file or directory"}},
	{name: "upsd.md 14 start with each file missing: upsd.users", files: map[string]string{"upsd.users": "-"}, args: []string{"-F"}, says: []string{"upsd.users: No such file or directory"}},
	{name: "upsd.md 3 ups.conf missing", files: map[string]string{"ups.conf": "-"}, args: []string{"-F"}, says: []string{"ups.conf: No such file or directory"}},
	{name: "upsd.md 3 no UPS section and ALLOW_NO_DEVICE off", files: map[string]string{"ups.conf": "# none\n"}, args: []string{"-F"},
		says: []string{"Fatal error: at least one UPS must be defined in ups.conf"}},
	{name: "upsd.md 12 ALLOW_NO_DEVICE", files: map[string]string{"ups.conf": "\n"}, environ: []string{"ALLOW_NO_DEVICE=1"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"listening on 127.0.0.1 port @port@"}},
	{name: "upsd.md 12 ALLOW_NO_DEVICE over the file", files: map[string]string{"ups.conf": "\n", "upsd.conf": "LISTEN 127.0.0.1 @port@\nALLOW_NO_DEVICE true\n"},
		environ: []string{"ALLOW_NO_DEVICE=no"}, args: []string{"-F"}, says: []string{"Fatal error: at least one UPS must be defined in ups.conf"}},
	{name: "upsd.md 5 ALLOW_NO_DEVICE", files: map[string]string{"ups.conf": "\n", "upsd.conf": "LISTEN 127.0.0.1 @port@\nALLOW_NO_DEVICE YES\n"}, args: []string{"-F"},
		stays: syscall.SIGTERM, says: []string{"listening on 127.0.0.1 port @port@"}},
	{name: "upsd.md 3 no listener at all", files: map[string]string{"upsd.conf": "LISTEN 192.0.2.1 @port@\n"}, args: []string{"-F"}, says: []string{"no listening interface available"}},
	{name: "upsd.md 3 some listener failed and ALLOW_NOT_ALL_LISTENERS off", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nLISTEN 192.0.2.1 @port@\n"},
		args: []string{"-F"}, says: []string{"some listening interfaces were not available", "not listening on 192.0.2.1 port @port@"}},
	{name: "upsd.md 3 name in LISTEN does not resolve", files: map[string]string{"upsd.conf": "LISTEN no-such-host.invalid @port@\n"}, args: []string{"-F"}, says: []string{"no-such-host.invalid"}},
	{name: "upsd.md 5 LISTEN on every address", files: map[string]string{"upsd.conf": "LISTEN 0.0.0.0 @port@\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"listening on 0.0.0.0 port @port@"}},
	{name: "upsd.md 5 LISTEN on IPv6", files: map[string]string{"upsd.conf": "LISTEN ::1 @port@\n"}, args: []string{"-F"}, stays: syscall.SIGTERM, says: []string{"listening on ::1 port @port@"}},
	{name: "upsd.md 5 LISTEN twice", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nLISTEN ::1 @port@\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "listening on ::1 port @port@", "listening on 127.0.0.1 port @port@"}},
	{name: "upsd.md 5 LISTEN of a family that -4 excludes", files: map[string]string{"upsd.conf": "LISTEN ::1 @port@\n"}, args: []string{"-F", "-4"}, says: []string{"::1"}},
	{name: "upsd.md 5 an invalid directive", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nMAXAGE\nFOO bar\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"listening on 127.0.0.1 port @port@", "invalid directive"}},
	{name: "upsd.md 5 ACCEPT", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nACL all 0.0.0.0/0\nACCEPT all\nREJECT all\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"listening on 127.0.0.1 port @port@", "ACCEPT"}},
	{name: "upsd.md 6 sections that lack a port", files: map[string]string{"ups.conf": oneUPSConf + "[half]\n\tdriver = dummy-ups\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "ignoring incomplete configuration for UPS [half]"}},
	{name: "upsd.md 6 duplicate name", files: map[string]string{"ups.conf": oneUPSConf + "[U]\n\tdriver = dummy-ups\n\tport = x\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [", "is already in use!", "UPS name [U]"}},
	{name: "upsd.md 7 unknown upsmon type", files: map[string]string{"upsd.users": "[a]\n\tpassword = x\n\tupsmon boss\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "Unknown upsmon type"}},
	{name: "upsd.md 7 allowfrom", files: map[string]string{"upsd.users": "[a]\n\tpassword = x\n\tallowfrom = all\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "allowfrom"}},
	{name: "upsd.md 7 unknown key", files: map[string]string{"upsd.users": "[a]\n\tpassword = x\n\tcolour = red\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "Unrecognized user setting"}},
	{name: "upsd.md 7 key before any section", files: map[string]string{"upsd.users": "password = x\n[a]\n\tpassword = y\n"}, args: []string{"-F"}, stays: syscall.SIGTERM,
		says: []string{"Can't connect to UPS [u]", "gnored"}},
	{name: "upsd.md 3 MAXCONN beyond the process's hard file limit", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nMAXCONN 2000000000\n"}, args: []string{"-F"},
		stays: syscall.SIGTERM, says: []string{"Can't connect to UPS [u]", "maximum number of connections"}},
	{name: "upsd.md 3 MAXCONN beyond the process's hard file limit, or none", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @port@\nMAXCONN 0\n"}, args: []string{"-F"},
		stays: syscall.SIGTERM, says: []string{"Can't connect to UPS [u]"}},
	{name: "upsd.md 14 start with driver down", args: []string{"-F"}, stays: syscall.SIGTERM, says: []string{"Can't connect to UPS [u] (dummy-ups-u): No such file or directory"}},
	{name: "no folder for the state", environ: []string{"NUT_STATEPATH=/no/such/state"}, args: []string{"-F"}, says: []string{"/no/such/state", "No such file or directory"}},
	{name: "upsd.md 12 NUT_CONFPATH", environ: []string{"NUT_CONFPATH=/no/such/conf"}, args: []string{"-F"}, says: []string{"/no/such/conf/upsd.conf: No such file or directory"}},
	{name: "another process has the port", files: map[string]string{"upsd.conf": "LISTEN 127.0.0.1 @taken@\n"}, args: []string{"-F"}, says: []string{"Address already in use", "no listening interface available"}},
}

const oneUPSConf = "[u]\n\tdriver = dummy-ups\n\tport = u.dev\n"

// Both servers start, refuse and stop alike: exit code and what people search for in the output (UD
// sections 2 to 7).
func TestServersStartAndStopAlike(t *testing.T) {
	ours, theirs := kits(t)
	taken := freePort(t)
	l, err := listenOn(taken)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newComparison(t, "start")
	for _, tt := range serverRuns {
		var said [2]string
		for i, k := range []kit{theirs, ours} {
			b := newBench(t, oneUPS)
			for name, text := range tt.files {
				if text == "-" {
					os.Remove(filepath.Join(b.conf, name))
				} else {
					b.write(name, strings.ReplaceAll(text, "@taken@", taken))
				}
			}
			code, out := b.runToEnd(k.upsd, tt.environ, tt.args, tt.stays, tt.says)
			said[i] = fmt.Sprintf("exit %d", code)
			for _, text := range tt.says {
				word := "says"
				if !strings.Contains(out, strings.ReplaceAll(text, "@port@", b.port)) {
					word = "never says"
				}
				said[i] += fmt.Sprintf("; %s %q", word, text)
			}
			if strings.Contains(said[i], "never says") {
				t.Logf("%s of %s: %s", tt.name, k.name, out)
			}
		}
		c.compare(tt.name, said[0], said[1])
	}
	c.done()
}

// runToEnd runs a program to its end, for which it gets a signal when it has said the first text.
func (b *bench) runToEnd(prog string, environ, args []string, stop syscall.Signal, says []string) (code int, out string) {
	b.t.Helper()
	if os.Getuid() == 0 {
		args = append([]string{"-u", "root"}, args...)
	}
	cmd := exec.Command(prog, args...)
	said := newLines()
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(b.env(), environ...), b.dir, said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := child.Start(cmd); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	var ready <-chan struct{}
	if stop != 0 {
		ready = said.wait(strings.ReplaceAll(says[0], "@port@", b.port))
	}
	late := time.After(runLimit)
	for {
		select {
		case <-ready:
			ready = nil
			cmd.Process.Signal(stop)
		case err := <-done:
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				b.t.Error(err)
			}
			return cmd.ProcessState.ExitCode(), string(bytes.TrimSpace([]byte(said.String())))
		case <-late:
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			late = nil
			b.t.Errorf("%s %q does not end; it said %s", prog, args, said)
		}
	}
}

// foreground starts our server with one UPS.
func foreground(t *testing.T, wrap ...string) (*bench, *daemon) {
	t.Helper()
	ours, _ := kits(t)
	b := newBench(t, oneUPS)
	args := append(append(wrap, ours.upsd), append(asRoot(), "-F")...)
	d := b.start(args[0], args[1:]...)
	d.waitFor(t, "Can't connect to UPS [u]")
	return b, d
}

// `upsd.md 4 PIPE`.
func TestABrokenPipeEndsNobody(t *testing.T) {
	b, d := foreground(t)
	for range 3 {
		d.cmd.Process.Signal(syscall.SIGPIPE)
		if got := b.talk("NETVER\n"); got != "1.3\nOK Goodbye\n" {
			t.Fatalf("after SIGPIPE: %q", got)
		}
	}
}

// UD-A3: clients never hold the descriptors that a reload needs; some are kept back.
func TestReloadWithAsManyClientsAsThereCanBe(t *testing.T) {
	b, d := foreground(t, "/bin/sh", "-c", `ulimit -n 64 && exec "$@"`, "sh")
	first, err := net.Dial("tcp", "127.0.0.1:"+b.port)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	first.SetDeadline(time.Now().Add(runLimit))
	for range 100 {
		c, err := net.Dial("tcp", "127.0.0.1:"+b.port)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	d.waitFor(t, "is sent away; see MAXCONN in upsd.conf")
	b.write("upsd.users", "[new]\n\tpassword = pw\n\tactions = FSD\n")
	b.write("ups.conf", oneUPSConf+"[added]\n\tdriver = dummy-ups\n\tport = x\n")
	d.cmd.Process.Signal(syscall.SIGHUP)
	d.waitFor(t, "Can't connect to UPS [added]")
	fmt.Fprint(first, "USERNAME new\nPASSWORD pw\nFSD added\nLOGOUT\n")
	if got, err := io.ReadAll(first); string(got) != "OK\nOK\nOK FSD-SET\nOK Goodbye\n" {
		t.Errorf("the new user: %q, %v", got, err)
	}
}

// `upsd.md 12 NUT_DEBUG_SYSLOG`: where a server in the background says what happens.
func TestWhereABackgroundServerLogs(t *testing.T) {
	ours, _ := kits(t)
	for value, want := range map[string]bool{"stderr": true, "none": false} {
		b := newBench(t, oneUPS)
		said, err := os.Create(filepath.Join(b.dir, "said"))
		if err != nil {
			t.Fatal(err)
		}
		defer said.Close()
		cmd := exec.Command(ours.upsd, asRoot()...)
		cmd.Env, cmd.Dir, cmd.Stderr = append(b.env(), "NUT_DEBUG_SYSLOG="+value), b.dir, said
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		if got := b.talk("NETVER\n"); got != "1.3\nOK Goodbye\n" {
			t.Errorf("in the background: %q", got)
		}
		if a := b.ask(ours.upsd, "-c", "stop"); a.code != 0 {
			t.Fatal(a)
		}
		gone(t, filepath.Join(b.run, "upsd.pid"))
		text, _ := os.ReadFile(said.Name())
		if got := strings.Contains(string(text), "Signal 15: exiting"); got != want {
			t.Errorf("NUT_DEBUG_SYSLOG=%s: %q", value, text)
		}
	}
}

// gone waits until a file is not there any more.
func gone(t *testing.T, name string) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < stopLimit; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) {
			return
		}
	}
	t.Fatalf("%s stays", name)
}
