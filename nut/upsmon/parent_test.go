package upsmon_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// halves returns the two processes of the upsmon of a host.
func (r *room) halves(host string) (parent, child *world.Process) {
	r.t.Helper()
	h := r.host(host)
	parents, children := h.Find("upsmon-root"), h.Find("upsmon")
	if len(parents) != 1 || len(children) != 1 {
		r.t.Fatalf("%d parents and %d children on %s, want one each", len(parents), len(children), host)
	}
	return parents[0], children[0]
}

// UM-P1, and `upsmon.md 1 stop in split mode`, done better: the PID file names the child, which obeys -c; both end with 0.
func TestTwoProcesses(t *testing.T) {
	r := newRoom(t, "rack")
	p := r.monitor("nas", conf(primaryConf))
	r.to(1)
	_, child := r.halves("nas")
	pid, _ := r.server.File("/run/nut/upsmon.pid")
	if got := strings.TrimSpace(string(pid)); got != strconv.Itoa(child.Pid()) {
		t.Errorf("the PID file has %s, the child is %d", got, child.Pid())
	}
	if code, _, _ := r.outcome(r.server, "-c", "stop"); code != 0 {
		t.Errorf("upsmon -c stop: exit %d", code)
	}
	if code, ended := p.Status(); !ended || code != 0 {
		t.Errorf("the parent: exit %d, ended %v; want 0", code, ended)
	}
	if _, there := r.server.File("/run/nut/upsmon.pid"); there {
		t.Error("the PID file is still there")
	}
}

// UM-P6, `upsmon.md 1 -p`; `upsmon.md 8 P6` without a parent.
func TestOneProcessByRequest(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf), "-p")
	r.to(1)
	if n := len(r.server.Find("upsmon-root")); n != 0 {
		t.Errorf("%d parents, want none", n)
	}
	r.upsd.ups["rack"].status = "OB LB"
	r.to(20)
	if want := []string{"10.0 nas halt"}; !slices.Equal(r.ran, want) {
		t.Errorf("ran %q, want %q", r.ran, want)
	}
}

// `upsmon.md 1 child crashed`: that ends the parent with 1, which a service manager notices.
func TestDeathOfTheChild(t *testing.T) {
	r := newRoom(t, "rack")
	p := r.monitor("nas", conf(primaryConf))
	r.to(1)
	_, child := r.halves("nas")
	child.Kill()
	r.to(2)
	if code, ended := p.Status(); !ended || code != 1 {
		t.Errorf("the parent: exit %d, ended %v; want 1", code, ended)
	}
	r.wantLog("nas", "upsmon parent: the child process has ended")
}

// `upsmon.md 6 NOPARENT`, `upsmon.md 14 Parent died - shutdown impossible`,
// `upsmon.md 14 Unable to call parent pipe for shutdown`. UM-P5: warned of every 120 s, all else goes on.
func TestDeathOfTheParent(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.monitor("db", conf(secondaryConf, "FINALDELAY 0"))
	r.to(1)
	parent, _ := r.halves("nas")
	parent.Kill()
	r.to(243)
	r.expect("nas", "1.0 NOPARENT", "121.0 NOPARENT", "241.0 NOPARENT")
	r.wantLog("nas", "Parent died - shutdown impossible")
	r.upsd.ups["rack"].status = "OB LB"
	r.to(280)
	r.wantLog("nas", "Unable to call parent pipe for shutdown")
	if !slices.ContainsFunc(r.ran, func(s string) bool { return strings.HasSuffix(s, " db halt") }) {
		t.Errorf("the secondary did not go down; there ran %q", r.ran)
	}
}

// UM-P3, UM-P7: a system that halts ends all processes while SHUTDOWNCMD still runs. The parent lets
// it run to its end, and so do both of -p.
func TestEndingDuringShutdownCmd(t *testing.T) {
	for _, args := range [][]string{nil, {"-p"}} {
		r := newRoom(t, "rack")
		r.halt = time.Minute
		p := r.monitor("nas", conf(primaryConf), args...)
		r.to(1)
		r.upsd.ups["rack"].status = "OB LB"
		r.to(12)
		if _, ended := p.Status(); ended {
			t.Fatal("it did not wait for SHUTDOWNCMD")
		}
		p.Signal(env.Terminate)
		r.to(13)
		if code, ended := p.Status(); !ended || code != 0 {
			t.Errorf("%v: exit %d, ended %v; want 0 at once", args, code, ended)
		}
		r.to(100)
		if r.halted != 1 {
			t.Errorf("%v: SHUTDOWNCMD came to its end %d times, want once", args, r.halted)
		}
	}
}

// The order was given: that the child is killed then must not keep the host from going down.
func TestDeathOfTheChildDuringShutdownCmd(t *testing.T) {
	r := newRoom(t, "rack")
	r.halt = time.Minute
	p := r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(12)
	_, child := r.halves("nas")
	child.Kill()
	r.to(20)
	if _, ended := p.Status(); ended {
		t.Error("the parent did not wait for SHUTDOWNCMD")
	}
	r.to(80)
	if code, ended := p.Status(); !ended || code != 0 || r.halted != 1 {
		t.Errorf("exit %d, ended %v; SHUTDOWNCMD ended %d times; want 0, once", code, ended, r.halted)
	}
}

// UM-P4: what the parent was given changes by starting over, when nothing is lost by it.
func TestReloadOfWhatTheParentHas(t *testing.T) {
	tests := []struct {
		name, status, conf string
		over               bool
		log                string
	}{
		{"SHUTDOWNCMD", "OL", "SHUTDOWNCMD \"halt -p\"\nPOWERDOWNFLAG /etc/killpower\n", true,
			"SHUTDOWNCMD redefined: starting over"},
		{"POWERDOWNFLAG", "OL", "SHUTDOWNCMD halt\nPOWERDOWNFLAG /var/killpower\n", true,
			"POWERDOWNFLAG redefined: starting over"},
		{"on battery", "OB", "SHUTDOWNCMD \"halt -p\"\nPOWERDOWNFLAG /etc/killpower\n", false,
			"SHUTDOWNCMD redefined in split-process mode!"},
		{"anything else", "OL", "SHUTDOWNCMD halt\nPOWERDOWNFLAG /etc/killpower\nHOSTSYNC 3\n", false, ""},
		{"a broken file", "OL", "SHUTDOWNCMD \"halt -p\"\nMINSUPPLIES 7\n", false, "the old configuration stays"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.upsd.ups["rack"].status = tt.status
			p := r.monitor("nas", conf(primaryConf))
			r.to(6)
			_, was := r.halves("nas")
			r.server.WriteFile("/etc/nut/upsmon.conf", []byte(tt.conf+primaryConf+"\n"))
			if code, _, _ := r.outcome(r.server, "-c", "reload"); code != 0 {
				t.Errorf("upsmon -c reload: exit %d", code)
			}
			parent, is := r.halves("nas")
			if parent != p || was != is != tt.over {
				t.Errorf("started over: %v, want %v; the same parent: %v", was != is, tt.over, parent == p)
			}
			r.wantLog("nas", tt.log)
			r.upsd.ups["rack"].status = "OB LB"
			r.to(40)
			want := "halt"
			if tt.over && tt.name == "SHUTDOWNCMD" {
				want = "halt -p"
			}
			if len(r.ran) != 1 || !strings.HasSuffix(r.ran[0], "nas "+want) {
				t.Errorf("ran %q, want %s", r.ran, want)
			}
		})
	}
}

// UM-R2, done better: a file that the child may not read is read by the program started over.
func TestReloadOfAFileForRootOnly(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(6)
	_, was := r.halves("nas")
	r.server.WriteFile("/etc/nut/upsmon.conf", []byte(conf(primaryConf, "MINSUPPLIES 9")))
	r.server.Deny("/etc/nut/upsmon.conf")
	r.outcome(r.server, "-c", "reload")
	if _, is := r.halves("nas"); was == is {
		t.Error("it did not start over")
	}
	r.wantLog("nas", "Can't open /etc/nut/upsmon.conf: Permission denied; starting over, with the rights to do so")
	r.wantLog("nas", "Reload failed, the old configuration stays: Fatal error: insufficient power configured!")
	r.upsd.ups["rack"].status = "OB LB"
	r.to(40)
	if len(r.ran) != 1 {
		t.Errorf("after a bad file that only root may read, ran %q, want halt", r.ran)
	}
}

// UM-S2, UM-S3: a host that stood still knows nothing of its UPS any more, and says for how long.
func TestReadingsFromBeforeAStandstill(t *testing.T) {
	for _, tt := range []struct {
		name  string
		still time.Duration
		down  bool // of the silence that follows
	}{
		{"longer than DEADTIME", 40 * time.Second, false},
		{"shorter than DEADTIME", 12 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.monitor("nas", conf(primaryConf))
			r.upsd.ups["rack"].status = "OB DISCHRG"
			r.to(6)
			parent, child := r.halves("nas")
			parent.Pause()
			child.Pause()
			r.serves.Kill()
			r.pass(tt.still)
			parent.Resume()
			child.Resume()
			r.pass(60 * time.Second)
			if down := len(r.ran) > 0; down != tt.down {
				t.Errorf("it shut down: %v, want %v", down, tt.down)
			}
			ev, told := r.notified("SUSPEND_TIMEJUMP_UNEXPECTED")
			if !told || !strings.HasPrefix(ev.Value, "Unexpected clock change by +") {
				t.Errorf("the standstill was announced: %v, as %q", told, ev.Value)
			}
		})
	}
}

// UM-S1 without its lock: a suspended machine's monotonic clock stands still, so that nobody would
// notice without asking for it.
func TestReadingsFromBeforeASuspend(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.upsd.ups["rack"].status = "OB DISCHRG"
	r.to(6)
	r.serves.Kill()
	r.host("nas").Suspended(8 * time.Hour)
	r.pass(time.Minute)
	if len(r.ran) > 0 {
		t.Errorf("after eight hours asleep it believed what it had heard before: ran %q", r.ran)
	}
	if ev, told := r.notified("SUSPEND_TIMEJUMP_UNEXPECTED"); !told || !strings.Contains(ev.Value, "+28800 seconds") {
		t.Errorf("the suspend was announced: %v, as %q", told, ev.Value)
	}
}

// notified returns the last announcement of a type.
func (r *room) notified(name upsmon.Type) (env.Event, bool) {
	for _, ev := range slices.Backward(r.events) {
		if ev.Kind == env.Notify && ev.Name == string(name) {
			return ev, true
		}
	}
	return env.Event{}, false
}
