package interop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rackRoom is a server whose UPS has a primary and a secondary.
var rackRoom = map[string]string{
	"ups.conf":   "pollinterval = 1\n[rack]\n\tdriver = dummy-ups\n\tport = rack.dev\n",
	"upsd.conf":  "LISTEN 127.0.0.1 @port@\n",
	"upsd.users": "[first]\n\tpassword = one\n\tupsmon primary\n[second]\n\tpassword = two\n\tupsmon secondary\n",
	"rack.dev":   "ups.status: OL\nbattery.charge: 100\n",
}

// monitor is the configuration of one upsmon, which writes what it does to a pipe. The secondary
// says good-bye a moment before its command runs, hence the FINALDELAY of the primary.
const monitor = `
MONITOR rack@127.0.0.1:@port@ 1 %[1]s %[2]s %[3]s
MINSUPPLIES 1
RUN_AS_USER %[4]s
POLLFREQ 1
POLLFREQALERT 1
HOSTSYNC 15
DEADTIME 15
FINALDELAY %[6]d
POWERDOWNFLAG @conf@/killpower
SHUTDOWNCMD "echo %[1]s SHUTDOWNCMD >%[5]s"
NOTIFYCMD @conf@/notify
NOTIFYFLAG ONBATT EXEC
NOTIFYFLAG LOWBATT EXEC
NOTIFYFLAG FSD EXEC
NOTIFYFLAG SHUTDOWN EXEC
`

// In an outage a secondary of either kind is down before a primary of either kind, whose upsd and
// driver are ours, runs its shutdown command.
func TestMixedMonitorsShutDownInOrder(t *testing.T) {
	ours, theirs := kits(t)
	for _, tt := range []struct {
		name                       string
		server, primary, secondary kit
	}{
		{"Debian's upsmon is secondary on our upsd", ours, ours, theirs},
		{"Debian's upsmon is primary on our upsd", ours, theirs, ours},
		{"our upsmon is primary on Debian's upsd", theirs, ours, theirs},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, rackRoom)
			b.drivers(tt.server.dummy, "rack")
			upsd := b.serve(tt.server, "rack")
			told := newTeller(t, b.dir+"/told")

			first := b.monitor(t, tt.primary, "first", "one", "primary", 2)
			upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack]")
			second := b.monitor(t, tt.secondary, "second", "two", "secondary", 0)
			upsd.waitFor(t, "User second@127.0.0.1 logged into UPS [rack]")

			b.write("rack.dev", "ups.status: OB LB\nbattery.charge: 7\n")
			// The driver compares whole seconds, so the change must be in another one.
			later := time.Now().Add(time.Minute)
			if err := os.Chtimes(b.conf+"/rack.dev", later, later); err != nil {
				t.Fatal(err)
			}
			all := told.until("first SHUTDOWNCMD")
			for _, want := range []string{"first ONBATT", "second ONBATT", "second FSD", "second SHUTDOWN",
				"second SHUTDOWNCMD"} {
				if !slices.Contains(all, want) {
					t.Errorf("%q was not told before the primary's shutdown command: %q", want, all)
				}
			}
			if reply := b.talk("GET VAR rack ups.status\n"); !strings.HasPrefix(reply, `VAR rack ups.status "FSD OB LB"`) {
				t.Errorf("status during the shutdown = %q, want FSD OB LB", reply)
			}
			for _, m := range []*bench{first, second} {
				if _, err := os.Stat(m.conf + "/killpower"); err != nil {
					t.Errorf("POWERDOWNFLAG: %v", err)
				}
			}
		})
	}
}

// monitor starts an upsmon of its own on this bench's server.
func (b *bench) monitor(t *testing.T, k kit, login, password, role string, finalDelay int) *bench {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	m := newBench(t, nil)
	m.port = b.port
	m.write("upsmon.conf", fmt.Sprintf(monitor, login, password, role, me.Username, b.dir+"/told", finalDelay))
	m.write("notify", fmt.Sprintf("#!/bin/sh\necho %s $NOTIFYTYPE >%s\n", login, b.dir+"/told"))
	if err := os.Chmod(m.conf+"/notify", 0o700); err != nil {
		t.Fatal(err)
	}
	if k == debian {
		m.start("unshare", ownRun(t, "exec "+k.upsmon+" -F")...)
	} else {
		m.start(k.upsmon, "-F")
	}
	return m
}

// ownRun are the arguments of unshare for a shell that has a /run of its own: the C upsmon of 2.8.0
// insists on /run/nut/upsmon.pid, so that a second one on the machine refuses to start.
func ownRun(t *testing.T, command string) []string {
	t.Helper()
	arguments := func(command string) []string {
		args := []string{"--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/nut && " + command}
		if os.Getuid() != 0 {
			args = append([]string{"--map-root-user"}, args...)
		}
		return args
	}
	if out, err := exec.Command("unshare", arguments("true")...).CombinedOutput(); err != nil {
		missing(t, "cannot give Debian's upsmon a /run of its own: %v: %s", err, out)
	}
	return arguments(command)
}

// A teller reads lines that other processes write to a named pipe.
type teller struct {
	t    *testing.T
	pipe *os.File
	in   *bufio.Scanner
}

func newTeller(t *testing.T, name string) *teller {
	t.Helper()
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	// Opened for writing too, so that it does not end when a writer closes it.
	pipe, err := os.OpenFile(filepath.Clean(name), os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pipe.Close() })
	return &teller{t, pipe, bufio.NewScanner(pipe)}
}

// until returns all lines up to the last one.
func (r *teller) until(last string) []string {
	r.t.Helper()
	r.pipe.SetReadDeadline(time.Now().Add(startLimit))
	var all []string
	for r.in.Scan() {
		all = append(all, r.in.Text())
		if r.in.Text() == last {
			return all
		}
	}
	r.t.Fatalf("%q was not told in %v, only %q: %v", last, startLimit, all, r.in.Err())
	return nil
}
