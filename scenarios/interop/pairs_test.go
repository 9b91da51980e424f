package interop

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A pair is one upsd and one driver program, each ours or Debian's.
type pair struct {
	name         string
	server       kit
	driver       string // program
	port         string // of ups.conf
	device       func(b *bench) *daemon
	set          [2]string // a variable and a value that it takes
	command      string
	commandMeans string // the result of the command
}

// Our upsd serves Debian's driver, and Debian's upsd ours: values, settings and commands with their
// results, staleness and recovery, the death and return of either side. DS-U6, DS-U7, DS-D11, DS-L4,
// DS-L5, DS-S3, DS-S4.
func TestMixedPairsOfServerAndDriver(t *testing.T) {
	t.Parallel()
	ours, theirs := kits(t)
	pairs := []pair{
		{name: "our upsd, Debian's dummy-ups", server: ours, driver: theirs.dummy, port: "rack.dev",
			set: [2]string{"ups.id", "cellar 7"}, command: "load.off", commandMeans: "ERR UNKNOWN"},
		{name: "Debian's upsd, our dummy-ups", server: theirs, driver: ours.dummy, port: "rack.dev",
			set: [2]string{"ups.id", "cellar 7"}, command: "load.off", commandMeans: "SUCCESS"},
		{name: "Debian's upsd, our nutdrv_qx on a serial port", server: theirs, driver: binDir + "/nutdrv_qx",
			port: "@conf@/tty", device: emulated, set: [2]string{"ups.delay.shutdown", "60"},
			command: "test.battery.start.quick", commandMeans: "SUCCESS"},
		{name: "our upsd, our nutdrv_qx on a serial port", server: ours, driver: binDir + "/nutdrv_qx",
			port: "@conf@/tty", device: emulated, set: [2]string{"ups.delay.shutdown", "60"},
			command: "test.battery.start.quick", commandMeans: "SUCCESS"},
		{name: "our upsd, Debian's apcsmart", server: ours, driver: filepath.Dir(theirs.dummy) + "/apcsmart",
			port: "@conf@/tty", device: emulatedAPC, set: [2]string{"ups.delay.shutdown", "180"},
			command: "test.panel.start", commandMeans: "SUCCESS"},
		{name: "Debian's upsd, our apcsmart", server: theirs, driver: binDir + "/apcsmart",
			port: "@conf@/tty", device: emulatedAPC, set: [2]string{"ups.delay.shutdown", "180"},
			command: "test.panel.start", commandMeans: "SUCCESS"},
	}
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) { p.run(t) })
	}
}

// emulated puts an emulated UPS on the serial port tty.
func emulated(b *bench) *daemon {
	d := b.start(binDir+"/upsim", "serve", "megatec", "--pty="+b.conf+"/tty", "--control="+b.dir+"/ctl")
	d.waitFor(b.t, "is ready on")
	return d
}

// emulatedAPC puts an emulated Smart-UPS there.
func emulatedAPC(b *bench) *daemon {
	d := b.start(binDir+"/upsim", "serve", "apcsmart", "-q", "--pty="+b.conf+"/tty", "--control="+b.dir+"/ctl")
	d.waitFor(b.t, "is ready on")
	return d
}

func (p pair) run(t *testing.T) {
	b := newBench(t, map[string]string{
		"ups.conf": fmt.Sprintf("pollinterval = 1\n[rack]\n\tdriver = %s\n\tport = %s\n",
			filepath.Base(p.driver), p.port),
		"upsd.conf":  "LISTEN 127.0.0.1 @port@\nMAXAGE 3\n",
		"upsd.users": "[admin]\n\tpassword = secret\n\tactions = SET\n\tinstcmds = ALL\n",
		"rack.dev":   "ups.status: OL\nups.id: rack\nups.model: \"Quo\\\"te \\\\ back\"\nbattery.charge: 42\n",
	})
	if p.device != nil {
		p.device(b)
	}
	driver := p.start(b)
	server := b.serve(p.server, "rack")
	b.awaitReply("GET VAR rack ups.status", `VAR rack ups.status "OL"`)

	// settings and commands, with their results
	c := b.session()
	c.want("USERNAME admin", "OK")
	c.want("PASSWORD secret", "OK")
	c.want("SET TRACKING ON", "OK")
	c.tracked(fmt.Sprintf("SET VAR rack %s %q", p.set[0], p.set[1]), "SUCCESS")
	b.awaitReply("GET VAR rack "+p.set[0], fmt.Sprintf("VAR rack %s %q", p.set[0], p.set[1]))
	c.tracked("INSTCMD rack "+p.command, p.commandMeans)

	// a driver that hangs is stale, and fresh when it goes on
	driver.cmd.Process.Signal(syscall.SIGSTOP)
	b.awaitReply("GET VAR rack ups.status", "ERR DATA-STALE")
	driver.cmd.Process.Signal(syscall.SIGCONT)
	b.awaitReply("GET VAR rack ups.status", "VAR rack ups.status")

	// a driver that dies is not connected, and back when it is started again
	kill(driver)
	b.awaitReply("GET VAR rack ups.status", "ERR DRIVER-NOT-CONNECTED")
	p.start(b)
	b.awaitReply("GET VAR rack ups.status", `VAR rack ups.status "OL`)

	// a server that dies is not missed by the driver
	kill(server)
	b.serve(p.server, "rack")
	b.awaitReply("GET VAR rack ups.status", `VAR rack ups.status "OL`)
}

// start starts the driver and returns when its socket is there.
func (p pair) start(b *bench) *daemon {
	b.t.Helper()
	name := filepath.Base(p.driver) + "-rack"
	os.Remove(b.run + "/" + name)
	made := watch(b.t, b.run)
	d := b.start(p.driver, append(asRoot(), "-F", "-a", "rack")...)
	for {
		file, err := made()
		if err != nil {
			b.t.Fatalf("%s made no socket: %v\n%s", p.driver, err, d.said)
		}
		if file == name {
			return d
		}
	}
}

// kill ends a daemon as a crash does.
func kill(d *daemon) {
	d.cmd.Process.Kill()
	<-d.done
}

// awaitReply asks until the reply begins with a text: upsd tells nobody when that comes true.
func (b *bench) awaitReply(request, want string) {
	b.t.Helper()
	reply := ""
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(50 * time.Millisecond) {
		if reply = b.talk(request + "\n"); strings.HasPrefix(reply, want) {
			return
		}
	}
	b.t.Fatalf("%s: after %v the reply is %q, want %q", request, startLimit, reply, want)
}

// A session is one connection to upsd.
type session struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func (b *bench) session() *session {
	b.t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+b.port)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(startLimit))
	return &session{b.t, c, bufio.NewReader(c)}
}

func (s *session) ask(request string) string {
	s.t.Helper()
	if _, err := fmt.Fprintln(s.c, request); err != nil {
		s.t.Fatal(err)
	}
	reply, err := s.r.ReadString('\n')
	if err != nil {
		s.t.Fatalf("%s: %v", request, err)
	}
	return strings.TrimSuffix(reply, "\n")
}

func (s *session) want(request, reply string) {
	s.t.Helper()
	if got := s.ask(request); got != reply {
		s.t.Fatalf("%s: %q, want %q", request, got, reply)
	}
}

// tracked gives an order and follows it to its result.
func (s *session) tracked(request, result string) {
	s.t.Helper()
	id, ok := strings.CutPrefix(s.ask(request), "OK TRACKING ")
	if !ok {
		s.t.Fatalf("%s: %q, want a tracking id", request, id)
	}
	got := "PENDING"
	for ; got == "PENDING"; time.Sleep(20 * time.Millisecond) {
		got = s.ask("GET TRACKING " + id)
	}
	if got != result {
		s.t.Errorf("%s: %s, want %s", request, got, result)
	}
}
