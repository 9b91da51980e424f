package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// twoProcesses is the configuration of an upsmon of two processes; what its commands do is told.
const twoProcesses = `
MONITOR rack@127.0.0.1:@port@ 1 first one primary
FINALDELAY 0
HOSTSYNC 1
POLLFREQ 1
POWERDOWNFLAG @dir@/killpower
SHUTDOWNCMD "@shutdown@"
NOTIFYCMD @dir@/notify
NOTIFYFLAG ONBATT EXEC
`

// A couple is a running upsmon of two processes.
type couple struct {
	*bench
	*daemon
	parent, child int
	told          *teller
	upsd          *daemon
}

// both starts upsd and an upsmon, in a folder that its child may look into.
func both(t *testing.T, ours, k kit, shutdown string, flags ...string) *couple {
	t.Helper()
	if os.Getuid() != 0 {
		missing(t, "only root has rights to keep")
	}
	b := newBench(t, rackRoom)
	for _, dir := range []string{b.dir, b.conf, b.run} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	told := newTeller(t, b.dir+"/told")
	if err := os.Chmod(b.dir+"/told", 0o622); err != nil {
		t.Fatal(err)
	}
	b.drivers(ours.dummy, "rack")
	upsd := b.serve(ours, "rack")
	p := &couple{bench: b, told: told, upsd: upsd}
	p.configure(shutdown)
	program := k.upsmon
	if k == debian {
		program = inOwnRun(t, k.upsmon)
		os.Chmod(b.conf+"/upsmon.conf", 0o644)
	}
	p.daemon = b.start(program, flags...)
	upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack]")
	p.parent = p.cmd.Process.Pid
	if p.child = p.parent; !slices.Contains(flags, "-p") {
		p.child = childOf(t, p.parent)
	}
	if p.child != p.parent && k != debian {
		p.atWork(t)
	}
	return p
}

// configure writes the configuration with a SHUTDOWNCMD.
func (p *couple) configure(shutdown string) {
	p.t.Helper()
	text := strings.ReplaceAll(twoProcesses, "@shutdown@", shutdown)
	p.write("upsmon.conf", strings.ReplaceAll(text, "@dir@", p.dir))
}

// atWork waits until the parent has taken the place of what was started, and takes signals: it has
// asked for them when it waits for its child. That it catches them proves nothing, as every Go
// program does so from the beginning.
func (p *couple) atWork(t *testing.T) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(10 * time.Millisecond) {
		if procStatus(t, p.parent, "Name") != "upsmon-root" {
			continue
		}
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", p.parent))
		for _, file := range threads {
			if b, _ := os.ReadFile(file); string(b) == "do_wait" {
				return
			}
		}
	}
	t.Fatalf("the parent is not at work after %v", startLimit)
}

// share writes a program that everybody may run.
func (p *couple) share(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(p.dir+"/"+name, []byte(text), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// childOf returns the only child of a process.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var words []string
	for _, l := range lists {
		b, _ := os.ReadFile(l)
		words = append(words, strings.Fields(string(b))...)
	}
	if len(words) != 1 {
		t.Fatalf("process %d has the children %q (%v), want one", pid, words, err)
	}
	child, _ := strconv.Atoi(words[0])
	return child
}

// procStatus is a line of a process's status.
func procStatus(t *testing.T, pid int, key string) string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), key+":")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Join(strings.Fields(line), " ")
}

// code waits for the end of the parent.
func (p *couple) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(startLimit):
		t.Fatalf("the parent did not end in %v; it said:\n%s", startLimit, p.said)
	}
	return p.cmd.ProcessState.ExitCode()
}

// UM-P1, UM-P2, UM-P4 and section 1: the two processes and how they end, ours beside Debian's.
func TestParentAndChildEnd(t *testing.T) {
	ours, theirs := kits(t)
	for _, tt := range []struct {
		name         string
		end          func(p *couple)
		ours, theirs int
		said         string // by ours
	}{
		// BUG-15: an ordinary stop is a failure of the C parent, `upsmon parent: read`.
		{"an ordinary stop", func(p *couple) { syscall.Kill(p.child, syscall.SIGTERM) }, 0, 1,
			"Signal 15: exiting"},
		{"the child is killed", func(p *couple) { syscall.Kill(p.child, syscall.SIGKILL) }, 1, 1,
			"upsmon parent: the child process has ended with 137"},
		// The C parent dies of it and leaves its child behind.
		{"the parent is told to stop", func(p *couple) { syscall.Kill(p.parent, syscall.SIGTERM) }, 0, -1,
			"Signal 15: exiting"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, k := range []struct {
				kit
				code int
			}{{ours, tt.ours}, {theirs, tt.theirs}} {
				p := both(t, ours, k.kit, "true", "-F", "-u", "nobody")
				if uids := procStatus(t, p.parent, "Uid"); uids != "0 0 0 0" {
					t.Errorf("%s: the parent is of %s, want root", k.name, uids)
				}
				if uids := procStatus(t, p.child, "Uid"); uids != "65534 65534 65534 65534" {
					t.Errorf("%s: the child is of %s, want nobody", k.name, uids)
				}
				tt.end(p)
				if code := p.code(t); code != k.code {
					t.Errorf("%s: exit %d, want %d", k.name, code, k.code)
				}
				if k.kit == ours && !strings.Contains(p.said.String(), tt.said) {
					t.Errorf("it did not say %q but:\n%s", tt.said, p.said)
				}
				syscall.Kill(p.child, syscall.SIGKILL) // the C child may be left
			}
		})
	}
}

// UM-P1, UM-P2: what is left with root's rights opens no socket, has no network code, and is small.
func TestTheParentHoldsNoNetwork(t *testing.T) {
	ours, _ := kits(t)
	p := both(t, ours, ours, "true", "-F", "-u", "nobody")
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.parent))
	if err != nil || len(links) < 5 {
		t.Fatalf("open files: %q, %v", links, err)
	}
	for _, l := range links {
		if to, _ := os.Readlink(l); strings.Contains(to, "socket:") {
			t.Errorf("%s is %s", l, to)
		}
	}
	if name := procStatus(t, p.parent, "Name"); name != "upsmon-root" {
		t.Errorf("the parent is %q", name)
	}
	t.Logf("resident: parent %s, child %s", procStatus(t, p.parent, "VmRSS"),
		procStatus(t, p.child, "VmRSS"))
	out, err := exec.Command("go", "list", "-deps", "../../cmd/upsmon-root").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range strings.Fields(string(out)) {
		if dep == "net" || strings.HasPrefix(dep, "net/") || strings.HasPrefix(dep, "crypto") {
			t.Errorf("upsmon-root links %s", dep)
		}
	}
}

// UM-P3, UM-N4: NOTIFYCMD has the rights of the child, which do for -c fsd; SHUTDOWNCMD has root's.
func TestFSDFromNotifyCmd(t *testing.T) {
	ours, _ := kits(t)
	p := both(t, ours, ours, "echo shutdown by $(id -u) >@dir@/told", "-F", "-u", "nobody")
	// A copy that nobody can reach.
	program, err := os.ReadFile(ours.upsmon)
	if err != nil {
		t.Fatal(err)
	}
	p.share("upsmon", string(program))
	p.share("notify", fmt.Sprintf("#!/bin/sh\necho notify by $(id -u) >%[1]s/told\n"+
		"exec %[1]s/upsmon -c fsd\n", p.dir))
	p.write("rack.dev", "ups.status: OB\nbattery.charge: 80\n")
	later := time.Now().Add(time.Minute) // the driver compares whole seconds
	if err := os.Chtimes(p.conf+"/rack.dev", later, later); err != nil {
		t.Fatal(err)
	}
	if all := p.told.until("shutdown by 0"); all[0] != "notify by 65534" {
		t.Errorf("told %q, want notify by 65534 first", all)
	}
	if code := p.code(t); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
	flag, err := os.ReadFile(p.dir + "/killpower")
	if string(flag) != "upsmon-shutdown-file" { // UM-F1
		t.Errorf("POWERDOWNFLAG: %q, %v", flag, err)
	}
}

// UM-P4 and UM-R2, done better: what the parent has changes without a restart of the service, from a
// file that only root may read.
func TestReloadStartsOver(t *testing.T) {
	ours, _ := kits(t)
	p := both(t, ours, ours, "echo old >@dir@/told", "-F", "-u", "nobody")
	b, err := os.ReadFile(p.conf + "/upsmon.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("echo old", "echo new", "/killpower", "/other").Replace(string(b))
	if err := os.WriteFile(p.conf+"/upsmon.conf", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	syscall.Kill(p.child, syscall.SIGHUP)
	p.waitFor(t, "upsmon.conf: Permission denied; starting over")
	p.waitFor(t, "Using power down flag file "+p.dir+"/other")
	p.upsd.waitFor(t, "logged out from UPS [rack]")
	p.atWork(t)
	if now := childOf(t, p.parent); now == p.child {
		t.Error("the child is the same as before")
	}
	if a := p.ask(ours.upsmon, "-c", "fsd"); a.code != 0 {
		t.Errorf("upsmon -c fsd after it started over: %v", a)
	}
	p.told.until("new")
	if code := p.code(t); code != 0 {
		t.Errorf("exit %d, want 0", code)
	}
}

// UM-P6: without root nobody has rights to keep, and all else is as ever.
func TestStartWithoutRoot(t *testing.T) {
	ours, _ := kits(t)
	if os.Getuid() != 0 {
		missing(t, "the test that drops root wants to be it")
	}
	b := newBench(t, map[string]string{"upsmon.conf": "MONITOR rack@127.0.0.1:@port@ 1 first one primary\n" +
		"FINALDELAY 0\nSHUTDOWNCMD \"id -u >@conf@/../told\"\n"})
	told := newTeller(t, b.dir+"/told")
	for name, mode := range map[string]os.FileMode{b.dir: 0o755, b.conf: 0o755, b.run: 0o777,
		b.conf + "/upsmon.conf": 0o644, b.dir + "/told": 0o622} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	for name, from := range map[string]string{"upsmon": ours.upsmon, "upsmon-root": ours.upsmon + "-root"} {
		program, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.dir+"/"+name, program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	d := b.start("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", b.dir+"/upsmon", "-F")
	d.waitFor(t, "Warning: not running as root")
	p := &couple{bench: b, daemon: d, parent: d.cmd.Process.Pid}
	p.atWork(t)
	if a := b.ask(b.dir+"/upsmon", "-c", "fsd"); a.code != 0 {
		t.Errorf("upsmon -c fsd: %v", a)
	}
	told.until("65534")
}

// UM section 1: what was typed returns when both processes are at work.
func TestBackgroundStart(t *testing.T) {
	ours, _ := kits(t)
	b := newBench(t, map[string]string{"upsmon.conf": "MONITOR rack@127.0.0.1:@port@ 1 first one primary\n"})
	if a := b.ask(ours.upsmon); a.code != 0 {
		t.Fatalf("upsmon: %v", a)
	}
	text, err := os.ReadFile(b.run + "/upsmon.pid")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(child, syscall.SIGKILL)
	parent, _ := strconv.Atoi(procStatus(t, child, "PPid"))
	if name := procStatus(t, parent, "Name"); name != "upsmon-root" {
		t.Errorf("the parent is %q", name)
	}
	if a := b.ask(ours.upsmon, "-c", "stop"); a.code != 0 {
		t.Errorf("upsmon -c stop: %v", a)
	}
	for begin := time.Now(); ; time.Sleep(10 * time.Millisecond) { // it is nobody's child here
		if _, err := os.Stat(b.run + "/upsmon.pid"); err != nil {
			break // the last thing that the parent does
		}
		if time.Since(begin) > startLimit {
			t.Fatal("the PID file is still there")
		}
	}
}

// UM-P7: a halting system ends all processes while SHUTDOWNCMD still runs.
func TestEndingWhileShutdownCmdRuns(t *testing.T) {
	ours, _ := kits(t)
	for _, flags := range [][]string{{"-F"}, {"-F", "-p"}} {
		p := both(t, ours, ours, "echo begun >@dir@/told; read go <@dir@/go; echo over >@dir@/told",
			flags...)
		if err := syscall.Mkfifo(p.dir+"/go", 0o600); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(p.child, syscall.SIGUSR1)
		p.told.until("begun")
		syscall.Kill(p.parent, syscall.SIGTERM)
		if code := p.code(t); code != 0 {
			t.Errorf("%q: exit %d, want 0", flags, code)
		}
		if err := os.WriteFile(p.dir+"/go", []byte("on\n"), 0); err != nil {
			t.Fatal(err)
		}
		p.told.until("over")
	}
}

// sd_notify: READY and MAINPID from what the service manager started, then the child's words.
func TestServiceManagerIsTold(t *testing.T) {
	ours, _ := kits(t)
	dir := t.TempDir()
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dir + "/notify", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	os.Chmod(dir+"/notify", 0o777)
	t.Setenv("NOTIFY_SOCKET", dir+"/notify")
	t.Setenv("WATCHDOG_USEC", "200000")
	next := func(want string) string {
		t.Helper()
		l.SetReadDeadline(time.Now().Add(startLimit))
		buf := make([]byte, 1000)
		for {
			n, err := l.Read(buf)
			if err != nil {
				t.Fatalf("waiting for %s: %v", want, err)
			}
			if strings.Contains(string(buf[:n]), want) {
				return string(buf[:n])
			}
		}
	}
	p := both(t, ours, ours, "true", "-F")
	if told := next("MAINPID="); told != fmt.Sprintf("READY=1\nMAINPID=%d", p.parent) {
		t.Errorf("told %q, want READY and MAINPID=%d", told, p.parent)
	}
	next("WATCHDOG=1")
	syscall.Kill(p.child, syscall.SIGHUP)
	if told := next("RELOADING=1"); !strings.Contains(told, "\nMONOTONIC_USEC=") {
		t.Errorf("told %q, want MONOTONIC_USEC", told)
	}
	next("READY=1\nSTATUS=watching 1 UPS")

	// A reload that starts over is no stop.
	p.configure("false")
	syscall.Kill(p.child, syscall.SIGHUP)
	next("RELOADING=1")
	for told := ""; !strings.Contains(told, "READY=1"); {
		if told = next("=1"); strings.Contains(told, "STOPPING") {
			t.Fatalf("told %q", told)
		}
	}
	p.atWork(t)
	syscall.Kill(childOf(t, p.parent), syscall.SIGTERM)
	next("STOPPING=1")
}

// monitorRuns are runs of upsmon that end by themselves: the exit code and a text of both kits.
var monitorRuns = []struct {
	name, conf, flag string // conf "-" is no file; flag is in POWERDOWNFLAG, unless it is "-"
	args             []string
	code             int
	says             string
}{
	{"UM section 1 -h", "", "-", []string{"-h"}, 0, "POWERDOWNFLAG"},
	{"UM section 1 -V", "", "-", []string{"-V"}, 0, "Network UPS Tools upsmon 2.8."},
	{"UM section 1 unknown flag", "", "-", []string{"-Z"}, 0, "POWERDOWNFLAG"},
	{"UM section 1 -c fly", "", "-", []string{"-c", "fly"}, 0, "POWERDOWNFLAG"},
	{"UM section 1 -c without an instance", "", "-", []string{"-c", "reload"}, 1, ""},
	{"UM section 1 -c stop without an instance", "", "-", []string{"-c", "stop"}, 1, ""},
	{"UM section 1 config missing", "-", "-", []string{"-F"}, 1, "upsmon.conf: No such file or directory"},
	{"UM section 1 insufficient power", "MINSUPPLIES 2\n", "-", []string{"-F"}, 1,
		"Fatal error: insufficient power configured!"},
	{"UM section 1 in the background", "MINSUPPLIES 2\n", "-", nil, 1,
		"Fatal error: insufficient power configured!"},
	{"UM section 1 no user name", "MONITOR x@localhost 1 pw primary\n", "-", []string{"-F"}, 1,
		"Unable to use old-style MONITOR line without a username"},
	{"upsmon.md 1 unknown run-as account", "", "-", []string{"-F", "-u", "no-such"}, 1, "no-such not found"},
	{"UM-F4 -K without a flag", "", "-", []string{"-K"}, 1, "Power down flag is not set"},
	{"UM-F4 -K with the flag", "", "upsmon-shutdown-file", []string{"-K"}, 0, "Power down flag is set"},
	{"UM-F2 -K, more text behind", "", "upsmon-shutdown-file\nx", []string{"-K"}, 0, "Power down flag is set"},
	{"UM-F2 -K, empty", "", "", []string{"-K"}, 1, "does not contain the upsmon magic string"},
	{"UM-F2 -K, somebody else's", "", "root:x:0:0", []string{"-K"}, 1,
		"does not contain the upsmon magic string"},
	{"UM-F4 -K without configuration", "-", "-", []string{"-K"}, 1, ""},
}

// UM section 1, UM-F2 and UM-F4, ours beside Debian's.
func TestMonitorsEndAlike(t *testing.T) {
	ours, theirs := kits(t)
	own := theirs
	own.upsmon = inOwnRun(t, theirs.upsmon)
	for _, tt := range monitorRuns {
		for _, k := range []kit{ours, own} {
			b := newBench(t, nil)
			if tt.conf != "-" {
				b.write("upsmon.conf", "POWERDOWNFLAG @conf@/killpower\nSHUTDOWNCMD true\n"+
					"MONITOR rack@127.0.0.1:@port@ 1 first one primary\n"+tt.conf)
			}
			if tt.flag != "-" {
				b.write("killpower", tt.flag)
			}
			code, out := b.runToEnd(k.upsmon, nil, tt.args, 0, nil)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("%s: %s: exit %d, want %d and %q: %s", tt.name, k.name, code, tt.code, tt.says, out)
			}
		}
	}
}
