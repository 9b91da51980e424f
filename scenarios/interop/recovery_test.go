package interop

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hospital has two UPSes.
var hospital = map[string]string{
	"ups.conf": "pollinterval = 1\nretrydelay = 0\n" +
		"[rack]\n\tdriver = dummy-ups\n\tport = rack.dev\n[desk]\n\tdriver = dummy-ups\n\tport = rack.dev\n",
	"upsd.conf":  "LISTEN 127.0.0.1 @port@\n",
	"upsd.users": "[admin]\n\tpassword = secret\n\tactions = SET\n\tinstcmds = ALL\n",
	"rack.dev":   "ups.status: OL\nups.id: rack\nbattery.charge: 42\n",
}

// A ward is drivers and an upsd that are killed and started again as a service manager would.
type ward struct {
	t       *testing.T
	b       *bench
	k       kit
	rng     *rand.Rand
	drivers map[string]*daemon
	server  *daemon
	foreign *daemon // a process that has nothing to do with it
}

var patients = []string{"rack", "desk"}

// strikes are the moments at which something is killed. Each waits for an event and not for a time.
var strikes = []struct {
	name string
	kill func(w *ward, ups string)
}{
	{"the driver, at rest", func(w *ward, ups string) { kill(w.drivers[ups]) }},
	{"the driver, while it starts", func(w *ward, ups string) {
		kill(w.drivers[ups])
		made := watch(w.t, w.b.run)
		w.startDriver(ups)
		for range w.rng.IntN(4) { // its socket, its PID file under another name, and under its own
			if _, err := made(); err != nil {
				w.t.Fatal(err)
			}
		}
		kill(w.drivers[ups])
	}},
	{"the driver, in the middle of a dump", func(w *ward, ups string) {
		w.cut(w.ask(ups, "DUMPALL\n"), 1+w.rng.IntN(300))
		kill(w.drivers[ups])
	}},
	{"the driver, while it reads its configuration", func(w *ward, ups string) {
		w.cut(w.ask(ups, "INSTCMD driver.reload TRACKING x\n"), w.rng.IntN(2))
		kill(w.drivers[ups])
	}},
	{"the driver, while it carries out a setting", func(w *ward, ups string) {
		w.ask(ups, "SET ups.id \"x\" TRACKING y\n").Close()
		kill(w.drivers[ups])
	}},
	{"upsd, at rest", func(w *ward, _ string) { kill(w.server) }},
	{"upsd, while it starts", func(w *ward, ups string) {
		kill(w.server)
		w.startServer()
		if w.rng.IntN(2) == 0 {
			w.server.waitFor(w.t, "listening on")
		}
		kill(w.server)
	}},
	{"upsd, while it reads a driver's dump", func(w *ward, ups string) {
		kill(w.server)
		w.startServer()
		w.server.waitFor(w.t, "Connected to UPS ["+ups+"]")
		kill(w.server)
	}},
	{"upsd, in the middle of a list", func(w *ward, ups string) {
		c, err := net.Dial("tcp", "127.0.0.1:"+w.b.port)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(c, "LIST VAR %s\n", ups)
		w.cut(c, 1+w.rng.IntN(200))
		kill(w.server)
	}},
	{"upsd, while it reads its configuration", func(w *ward, _ string) {
		w.server.cmd.Process.Signal(syscall.SIGHUP)
		kill(w.server)
	}},
	{"everything", func(w *ward, _ string) {
		kill(w.server)
		for _, ups := range patients {
			kill(w.drivers[ups])
		}
	}},
}

// remains are what may lie about in the place of a PID file.
var remains = []struct {
	name string
	text func(w *ward, ups string) string
}{
	{"nothing else", nil},
	{"the number of a foreign process", func(w *ward, _ string) string { return w.foreign.pid() }},
	{"the number of the other UPS's driver", func(w *ward, ups string) string {
		return w.drivers[patients[1-slices.Index(patients, ups)]].pid()
	}},
	{"a number that nobody has", func(*ward, string) string { return "4194303\n" }},
	{"garbage", func(*ward, string) string { return "\x00garbage" }},
	{"an empty file", func(*ward, string) string { return "" }},
}

func (d *daemon) pid() string { return strconv.Itoa(d.cmd.Process.Pid) + "\n" }

// SIGKILL of any driver or of upsd at any moment: once it is started again all is as before, whatever
// it left behind. DS-2, DS-7, DS-L4, DS-L5, DC-5.
func TestKilledAtAnyMomentAllComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real processes: not with -short")
	}
	k, err := built()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(1)
	if s := os.Getenv("BLACKSTART_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("again: BLACKSTART_SEED=%d", seed)
	w := &ward{t: t, b: newBench(t, hospital), k: k, rng: rand.New(rand.NewPCG(seed, 0)),
		drivers: map[string]*daemon{}}
	w.foreign = w.b.start("sleep", "3600")
	for _, ups := range patients {
		w.startDriver(ups)
	}
	w.startServer()
	w.wantHealthy("at the beginning")
	w.wantFiles()
	const rounds = 3
	for round := range rounds {
		for _, i := range w.rng.Perm(len(strikes)) {
			ups := patients[w.rng.IntN(len(patients))]
			left := remains[w.rng.IntN(len(remains))]
			strikes[i].kill(w, ups)
			if left.text != nil {
				file := fmt.Sprintf("%s/dummy-ups-%s.pid", w.b.run, ups)
				if err := os.WriteFile(file, []byte(left.text(w, ups)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			w.heal()
			w.wantHealthy(fmt.Sprintf("round %d, %s of %s, with %s left", round, strikes[i].name, ups, left.name))
		}
	}
}

// wantFiles looks at what a driver makes. DS-1, DS-2, DS-4.
func (w *ward) wantFiles() {
	w.t.Helper()
	for _, ups := range patients {
		file := w.b.run + "/dummy-ups-" + ups
		text, err := os.ReadFile(file + ".pid")
		if err != nil || string(text) != w.drivers[ups].pid() {
			w.t.Errorf("%s.pid: %q, %v; want %q", file, text, err, w.drivers[ups].pid())
		}
		for name, want := range map[string]os.FileMode{file: os.ModeSocket | 0o660, file + ".pid": 0o644} {
			if info, err := os.Stat(name); err != nil || info.Mode() != want {
				w.t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
			}
		}
	}
}

func (w *ward) startDriver(ups string) {
	w.t.Helper()
	w.drivers[ups] = w.b.start(w.k.dummy, append(asRoot(), "-FF", "-a", ups)...)
}

func (w *ward) startServer() {
	w.t.Helper()
	w.server = w.b.start(w.k.upsd, append(asRoot(), "-FF")...)
}

// heal starts again what has ended.
func (w *ward) heal() {
	for _, ups := range patients {
		if w.drivers[ups].ended() {
			w.startDriver(ups)
		}
	}
	if w.server.ended() {
		w.startServer()
	}
}

func (d *daemon) ended() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// wantHealthy asks a client: every UPS is served, and a setting gets through to its driver.
func (w *ward) wantHealthy(when string) {
	w.t.Helper()
	for _, ups := range patients {
		w.b.awaitReply("GET VAR "+ups+" ups.status", "VAR "+ups+` ups.status "OL"`)
		if w.drivers[ups].ended() {
			w.t.Fatalf("%s: the driver of %s has ended:\n%s", when, ups, w.drivers[ups].said)
		}
	}
	c := w.b.session()
	c.want("USERNAME admin", "OK")
	c.want("PASSWORD secret", "OK")
	c.want("SET TRACKING ON", "OK")
	for _, ups := range patients {
		c.tracked("SET VAR "+ups+" ups.id here", "SUCCESS")
	}
	c.c.Close()
	if w.foreign.ended() {
		w.t.Fatalf("%s: a foreign process was killed", when)
	}
}

// ask sends a line to a driver's socket.
func (w *ward) ask(ups, line string) net.Conn {
	w.t.Helper()
	c, err := net.Dial("unix", w.b.run+"/dummy-ups-"+ups)
	if err == nil {
		_, err = io.WriteString(c, line)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// cut reads so many bytes of an answer and goes.
func (w *ward) cut(c net.Conn, n int) {
	w.t.Helper()
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(startLimit))
	if _, err := io.ReadFull(c, make([]byte, n)); err != nil {
		w.t.Fatalf("after less than %d bytes: %v", n, err)
	}
}

// A driver under upsdrvctl -F that is killed is back without anybody's help.
func TestSupervisedDriverComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real processes: not with -short")
	}
	k, err := built()
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, b: newBench(t, hospital), k: k}
	w.startServer()
	keeper := w.b.start(binDir+"/upsdrvctl", append(asRoot(), "-FF", "start")...)
	before := map[string]int{}
	for range 4 {
		for _, ups := range patients {
			w.b.awaitReply("GET VAR "+ups+" ups.status", "VAR "+ups+` ups.status "OL"`)
			for before[ups] == w.pidOf(ups) {
				time.Sleep(20 * time.Millisecond)
			}
			before[ups] = w.pidOf(ups)
			syscall.Kill(before[ups], syscall.SIGKILL)
			w.b.awaitReply("GET VAR "+ups+" ups.status", "ERR DRIVER-NOT-CONNECTED")
		}
	}
	keeper.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-keeper.done:
	case <-time.After(startLimit):
		t.Fatalf("upsdrvctl does not end; it said:\n%s", keeper.said)
	}
	if code := keeper.cmd.ProcessState.ExitCode(); code != 0 || strings.Count(keeper.said.String(), "driver was killed") != 8 {
		t.Errorf("exit code %d, want 0; it said:\n%s", code, keeper.said)
	}
	if left := w.b.running(); len(left) > 0 {
		t.Errorf("drivers are left: %v", left)
	}
}

// pidOf asks a driver for its number; 0 when it does not answer.
func (w *ward) pidOf(ups string) int {
	c, err := net.Dial("unix", w.b.run+"/dummy-ups-"+ups)
	if err != nil {
		return 0
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Second))
	io.WriteString(c, "NOBROADCAST\nGETPID\n")
	var pid int
	fmt.Fscanf(c, "PID %d\n", &pid)
	return pid
}
