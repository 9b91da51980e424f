package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// `upsmon.md 3 RUN_AS_USER name`, `upsmon.md 1 -u`: the account of the child, by the file, or by the
// flag. Of both ours takes the flag, the C monitor of 2.8.0 the file.
func TestAccountOfTheChild(t *testing.T) {
	ours, theirs := kits(t)
	const inFile = "true\"\nRUN_AS_USER \"daemon"
	for _, k := range []struct {
		kit
		both string
	}{{ours, "65534"}, {theirs, "1"}} {
		for _, tt := range []struct{ name, shutdown, flags, uid string }{
			{"RUN_AS_USER", inFile, "-F", "1"}, {"-u", "true", "-F -u nobody", "65534"}, {"both", inFile, "-F -u nobody", k.both},
		} {
			t.Run(k.name+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				p := both(t, ours, k.kit, tt.shutdown, strings.Fields(tt.flags)...)
				if got := strings.Fields(procStatus(t, p.child, "Uid")); got[0] != tt.uid || got[1] != tt.uid {
					t.Errorf("the child is of %q, want %s", got, tt.uid)
				}
				syscall.Kill(p.child, syscall.SIGKILL) // the C child would outlive its parent
			})
		}
	}
}

// `upsmon.md 1 background start`: what is typed ends with 0 when the monitor is at work, and
// `upsmon.md 1 -c … delivered` ends it.
func TestMonitorInTheBackground(t *testing.T) {
	ours, theirs := kits(t)
	for _, k := range []kit{ours, theirs} {
		b := newBench(t, nil)
		b.write("upsmon.conf", fmt.Sprintf(decisionConf, "primary", me(t)))
		// The C monitor writes its PID file a moment later.
		script := fmt.Sprintf(`%[1]s || exit 8; i=0; until %[1]s -c stop; do i=$((i+1)); [ $i -lt 100 ] || exit 9; sleep 0.1; done`,
			k.upsmon)
		cmd := exec.Command("sh", "-c", script)
		if k == debian {
			cmd = exec.Command("unshare", ownRun(t, script)...)
		}
		cmd.Env, cmd.Dir = b.env(), b.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", k.name, err, out)
		}
	}
}

// `upsmon.md 1 -4`: and -6, with servers that have one kind of address only.
func TestMonitorByOneFamily(t *testing.T) {
	ours, theirs := kits(t)
	for _, k := range []kit{ours, theirs} {
		for _, tt := range []struct {
			flag, listen, host string
			connects           bool
		}{
			{"-4", "127.0.0.1:0", "127.0.0.1", true}, {"-6", "127.0.0.1:0", "127.0.0.1", false},
			{"-6", "[::1]:0", "[::1]", true}, {"-4", "[::1]:0", "[::1]", false},
		} {
			t.Run(strings.Join([]string{k.name, tt.flag, tt.host}, " "), func(t *testing.T) {
				t.Parallel()
				l, err := net.Listen("tcp", tt.listen)
				if err != nil {
					t.Skipf("no such addresses here: %v", err)
				}
				defer l.Close()
				s := &stage{status: "OL"}
				go s.serve(l)
				b := newBench(t, nil)
				_, b.port, _ = net.SplitHostPort(l.Addr().String())
				text := fmt.Sprintf(decisionConf, "primary", me(t))
				b.write("upsmon.conf", strings.Replace(text, "@127.0.0.1:", "@"+tt.host+":", 1))
				d := b.monitors(t, k, "-F", "-p", tt.flag)
				if !tt.connects {
					d.waitFor(t, "connect failed: ")
				} else if !s.polled(2) {
					t.Errorf("it does not poll: %s", d.said)
				}
			})
		}
	}
}

// polled waits until the stage was polled so often.
func (s *stage) polled(times int) bool {
	for begin := time.Now(); time.Since(begin) < startLimit; time.Sleep(20 * time.Millisecond) {
		s.mu.Lock()
		n := s.polls
		s.mu.Unlock()
		if n >= times {
			return true
		}
	}
	return false
}

// monitors starts a monitor of a kit on this bench.
func (b *bench) monitors(t *testing.T, k kit, flags ...string) *daemon {
	t.Helper()
	if k == debian {
		return b.start("unshare", ownRun(t, "exec "+k.upsmon+" "+strings.Join(flags, " "))...)
	}
	return b.start(k.upsmon, flags...)
}

// UM-N1: what wall is given, in a shutdown.
func TestWhatWallIsGiven(t *testing.T) {
	ours, theirs := kits(t)
	for _, k := range []kit{ours, theirs} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go (&stage{status: "OB LB", event: "goes on"}).serve(l)
		b := newBench(t, nil)
		_, b.port, _ = net.SplitHostPort(l.Addr().String())
		b.write("upsmon.conf", fmt.Sprintf(decisionConf, "primary", me(t)))
		told := newTeller(t, b.dir+"/told")
		text := "#!/bin/sh\nexec cat >" + b.dir + "/told\n"
		if err := os.WriteFile(filepath.Join(b.dir, "wall"), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", b.dir+":"+os.Getenv("PATH"))
		b.monitors(t, k, "-F", "-p")
		// The C monitor's walls overtake each other.
		missing := []string{"UPS rack@127.0.0.1:" + b.port + " on battery", "UPS rack@127.0.0.1:" + b.port + " battery is low",
			"Executing automatic power-fail shutdown", "Auto logout and shutdown proceeding"}
		for len(missing) > 0 {
			line := told.next()
			if i := slices.Index(missing, line); i >= 0 {
				missing = slices.Delete(missing, i, i+1)
			}
		}
	}
}

// next returns the next line.
func (r *teller) next() string {
	r.t.Helper()
	r.pipe.SetReadDeadline(time.Now().Add(startLimit))
	if !r.in.Scan() {
		r.t.Fatalf("nothing more was told in %v: %v", startLimit, r.in.Err())
	}
	return r.in.Text()
}

// UM-N1: priority and facility of announcements that a monitor in the background makes.
func TestSyslogOfAnnouncements(t *testing.T) {
	ours, _ := kits(t)
	if _, err := os.Stat("/dev/log"); err == nil {
		t.Skip("this machine has a log of its own, which would get the lines")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go (&stage{status: "OB", event: "goes on"}).serve(l)
	b := newBench(t, nil)
	_, b.port, _ = net.SplitHostPort(l.Addr().String())
	b.write("upsmon.conf", fmt.Sprintf(decisionConf, "secondary", me(t)))
	in, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: b.dir + "/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	script := fmt.Sprintf("touch /run/log && mount --bind %s/log /run/log && %s -p && sleep 60", b.dir, ours.upsmon)
	b.start("unshare", ownRun(t, script)...)
	in.SetReadDeadline(time.Now().Add(startLimit))
	buf := make([]byte, 1000)
	for {
		n, err := in.Read(buf)
		if err != nil {
			t.Fatalf("no announcement came: %v", err)
		}
		const daemonNotice = "<29>"
		line := string(buf[:n])
		if !strings.Contains(line, "on battery") {
			continue
		}
		if !strings.HasPrefix(line, daemonNotice) || !strings.Contains(line, "upsmon[") {
			t.Errorf("%q, want %s and upsmon[", line, daemonNotice)
		}
		break
	}
	if a := b.ask(ours.upsmon, "-c", "stop"); a.code != 0 {
		t.Errorf("upsmon -c stop: %v", a)
	}
}

// US-8: timers and scripts have the rights of who runs upssched, as upsmon's child does.
func TestUpsschedKeepsTheAccount(t *testing.T) {
	kits(t)
	if os.Getuid() != 0 {
		missing(t, "only root can be somebody else")
	}
	if out, err := exec.Command("go", "build", "-o", binDir+"/", "../../cmd/upssched").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Chmod(binDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, prog := range map[string]string{"ours": binDir + "/upssched", "Debian's": debianSched} {
		b := newBench(t, map[string]string{"upssched.conf": "CMDSCRIPT @conf@/script\nPIPEFN @run@/pipe\nLOCKFN @run@/lock\n" +
			"AT ONBATT * EXECUTE now\nAT ONBATT * START-TIMER later 1\n"})
		for dir, mode := range map[string]os.FileMode{b.dir: 0o755, b.conf: 0o755, b.run: 0o777} {
			if err := os.Chmod(dir, mode); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(b.conf + "/upssched.conf")
		if err != nil {
			t.Fatal(err)
		}
		conf := strings.ReplaceAll(string(text), "@run@", b.run)
		if err := os.WriteFile(b.conf+"/upssched.conf", []byte(conf), 0o644); err != nil {
			t.Fatal(err)
		}
		os.Chmod(b.conf+"/upssched.conf", 0o644)
		told := newTeller(t, b.dir+"/told")
		os.Chmod(b.dir+"/told", 0o622)
		script := "#!/bin/sh\necho $1 by $(id -u), $(stat -c '%a of %u' " + b.run + "/pipe) >" + b.dir + "/told\n"
		if err := os.WriteFile(b.conf+"/script", []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(prog, "text")
		cmd.Env, cmd.Dir = append(b.env(), "NOTIFYTYPE=ONBATT", "UPSNAME=a@h"), b.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if err := cmd.Run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		told.until("later by 65534, 660 of 65534")
	}
}
