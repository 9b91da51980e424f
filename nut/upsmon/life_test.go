package upsmon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

const magic = "upsmon-shutdown-file"

// outcome runs upsmon on a host for a while and returns its exit code, if it ended, and its output.
func (r *room) outcome(h *world.Host, args ...string) (code env.ExitStatus, ended bool, text string) {
	var out strings.Builder
	from := len(r.log)
	p := h.StartTo(&out, &out, "upsmon", args)
	r.pass(3 * time.Second)
	code, ended = p.Status()
	return code, ended, out.String() + strings.Join(r.log[from:], "\n")
}

// UM section 1; UM-A5.
func TestStarts(t *testing.T) {
	good := conf(primaryConf)
	tests := []struct {
		name    string
		conf    string // "-" is no file
		args    []string
		code    env.ExitStatus
		running bool
		want    string
	}{
		{name: "upsmon.md 14 Startup successful", conf: good, running: true, want: "Startup successful"},
		{name: "upsmon.md 1 start, config missing", conf: "-", code: 1, want: "Can't open /etc/nut/upsmon.conf: No such file or directory"},
		{name: "upsmon.md 1 -f", conf: "-", args: []string{"-f", "/opt/mon.conf"}, code: 1,
			want: "Can't open /opt/mon.conf: No such file or directory"},
		{name: "upsmon.md 1 start, sum of power values < MINSUPPLIES", conf: primaryConf + "\nMINSUPPLIES 2\n", code: 1,
			want: "Fatal error: insufficient power configured!\n\nSum of power values........: 1\nMinimum value (MINSUPPLIES): 2\n"},
		{name: "nothing configured", conf: "", code: 1, want: "Fatal error: insufficient power configured!"},
		{name: "a host that only watches", conf: "MONITOR rack@nas 0 mon secret secondary\nMINSUPPLIES 0\n", running: true,
			want: "UPS: rack@nas (monitoring only)"},
		{name: "upsmon.md 1 MONITOR line without user name", conf: "MONITOR rack@nas 1 secret primary\n", code: 1,
			want: "Unable to use old-style MONITOR line without a username"},
		{name: "... is fatal", conf: "MONITOR rack@nas 1 secret primary\n", code: 1, want: "Fatal error: unusable configuration"},
		{name: "two spellings of a UPS count twice (UM-A7)", conf: primaryConf + "\nMONITOR rack@nas:3493 1 mon secret primary\nMINSUPPLIES 2\n",
			running: true, want: "UPS: rack@nas:3493 (primary) (power value 1)"},
		{name: "a role that is none is secondary (UM-A5)", conf: "MONITOR rack@nas 1 mon secret primry\n", running: true,
			want: "UPS: rack@nas (secondary) (power value 1)"},
		{name: "a UPS without a name", conf: "MONITOR @nas 1 mon secret primary\n", code: 1, want: "got empty upsname string"},
		{name: "wrong entries are ignored, aloud", conf: good + "POLLFREQ fast\nFOO bar\n", running: true,
			want: "Encountered 2 config errors, those entries were ignored"},
		{name: "they are named with their place", conf: good + "POLLFREQ fast\n", running: true, want: "/etc/nut/upsmon.conf:4:10: "},
		{name: "upsmon.md 14 Warning: no shutdown command defined!", conf: primaryConf + "\n", running: true, want: "Warning: no shutdown command defined!"},
		{name: "upsmon.md 14 Warning: no custom notification command defined, just so you know", conf: good, running: true, want: "Warning: no custom notification command defined, just so you know"},
		{name: "upsmon.md 14 Using power down flag file …", conf: good, running: true, want: "Using power down flag file /etc/killpower"},
		{name: "upsmon.md 14 UPS: u@h (primary) (power value 1)", conf: good, running: true, want: "UPS: rack@nas (primary) (power value 1)"},
		{name: "master is an old word for primary (UM-A5)", conf: "MONITOR rack@nas 1 mon secret master\n", running: true,
			want: "UPS: rack@nas (primary)"},
		{name: "upsmon.md 14 Warning: running as one big root process by request (upsmon -p)", conf: good, args: []string{"-p"}, running: true,
			want: "Warning: running as one big root process by request (upsmon -p)"},
		{name: "surplus words are ignored", conf: good, args: []string{"-F", "x", "y"}, running: true, want: "Startup successful"},

		{name: "upsmon.md 1 unknown flag", conf: good, args: []string{"-Z"}, want: "usage: upsmon"},
		{name: "a wrong command shows help", conf: good, args: []string{"-c", "fly"}, want: "usage: upsmon"},
		{name: "upsmon.md 1 -h help", args: []string{"-h"}, want: "-K, --check-flag"},
		{name: "version", args: []string{"-V"}, want: "Network UPS Tools upsmon 2.8.5 (blackstart"},
		{name: "upsmon.md 1 -c … without a running instance", args: []string{"-c", "reload"}, code: 1, want: "cannot signal"},
		{name: "nobody under that number", args: []string{"-c", "stop", "-P", "4711"}, code: 1, want: "No such process"},
		{name: "a test of a good file", conf: good, args: []string{"-t"}, want: "upsmon.conf is good"},
		{name: "a test of a bad file", conf: good + "POLLFREQ fast\n", args: []string{"-t"}, code: 1, want: "upsmon.conf:4:10"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			if tt.conf != "-" {
				r.server.WriteFile("/etc/nut/upsmon.conf", []byte(tt.conf))
			}
			code, ended, text := r.outcome(r.server, tt.args...)
			if ended == tt.running || code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("ended %v with %d, want %v, %d; looking for %q in:\n%s", ended, code, !tt.running, tt.code, tt.want, text)
			}
			if _, there := r.server.File("/run/nut/upsmon.pid"); there != tt.running {
				t.Errorf("PID file there: %v, want %v", there, tt.running)
			}
		})
	}
}

// `upsmon.md 1 second instance`, `upsmon.md 1 -c … delivered`,
// `upsmon.md 14 Signal N: exiting`.
func TestInstances(t *testing.T) {
	r := newRoom(t, "rack")
	p := r.monitor("nas", conf(primaryConf))
	r.to(1)
	if code, ended, text := r.outcome(r.server); !ended || code != 1 ||
		!strings.Contains(text, "Fatal error: A previous upsmon instance is already running!") {
		t.Errorf("a second instance: exit %d, ended %v: %s", code, ended, text)
	}
	if code, _, _ := r.outcome(r.server, "-c", "st"); code != 0 {
		t.Errorf("upsmon -c st: exit %d, want 0", code)
	}
	if code, ended := p.Status(); !ended || code != 0 {
		t.Errorf("after stop: exit %d, ended %v; want 0", code, ended)
	}
	r.wantLog("nas", "Signal 15: exiting")
	if r.upsd.ups["rack"].logins != 0 || !slices.Contains(r.upsd.heard, "LOGOUT") {
		t.Error("it did not log out")
	}
}

func TestStalePIDFilesStopNobody(t *testing.T) {
	for name, text := range map[string]string{"a crash": "4711\n", "rubbish": "\x00\xff", "another program's": "1\n", "our own": "2\n"} {
		t.Run(name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.server.WriteFile("/run/nut/upsmon.pid", []byte(text))
			p := r.monitor("nas", conf(primaryConf))
			r.to(2)
			if code, ended := p.Status(); ended {
				t.Errorf("it ended with %d", code)
			}
		})
	}
}

// UM-F1, UM-F2, UM-F3, UM-F4.
// `upsmon.md 1 -K`, `upsmon.md 1 -K, flag file present with the magic text`,
// `upsmon.md 1 -K, otherwise` and `upsmon.md 14 Power down flag is set`.
func TestPowerDownFlag(t *testing.T) {
	tests := []struct {
		name     string
		file     string // "-" is none
		set      bool   // what -K says
		removed  bool   // at the start
		disabled bool
	}{
		{"no flag", "-", false, false, false},
		{"our flag", magic, true, true, false},
		{"our flag with more text", magic + "xyz", true, true, false},
		{"an empty file", "", false, false, true},
		{"somebody else's file", "root:x:0:0", false, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.server.WriteFile("/etc/nut/upsmon.conf", []byte(conf(primaryConf, "FINALDELAY 0")))
			if tt.file != "-" {
				r.server.WriteFile("/etc/killpower", []byte(tt.file))
			}
			code, _, text := r.outcome(r.server, "-K")
			want, says := env.ExitStatus(1), "Power down flag is not set"
			if tt.set {
				want, says = 0, "Power down flag is set"
			}
			if code != want || !strings.Contains(text, says) {
				t.Errorf("upsmon -K: exit %d, want %d and %q: %s", code, want, says, text)
			}

			r.host("nas").Start("upsmon", nil)
			r.pass(3 * time.Second)
			if content, there := r.server.File("/etc/killpower"); there != (tt.file != "-" && !tt.removed) ||
				there && string(content) != tt.file {
				t.Errorf("after the start the file is there: %v, %q", there, content)
			}
			if r.logged("nas", "disabling!") != tt.disabled {
				t.Errorf("disabled: %v, want %v", !tt.disabled, tt.disabled)
			}

			r.upsd.ups["rack"].status = "OB LB"
			r.pass(20 * time.Second)
			content, _ := r.server.File("/etc/killpower")
			if wrote := string(content) == magic; wrote == tt.disabled {
				t.Errorf("after the shutdown the file is %q", content)
			}
		})
	}
}

func TestCheckFlagWithoutConfiguration(t *testing.T) {
	r := newRoom(t, "rack")
	for _, text := range []string{"", primaryConf + "\n"} {
		if text != "" {
			r.server.WriteFile("/etc/nut/upsmon.conf", []byte(text))
		}
		if code, _, _ := r.outcome(r.server, "-K"); code != 1 {
			t.Errorf("upsmon -K with %q: exit %d, want 1", text, code)
		}
	}
}

// `upsmon.md 8 P8`.
func TestShutdownExit(t *testing.T) {
	tests := []struct {
		name, directive string
		ends            float64 // seconds after SHUTDOWNCMD; -1: not by itself
	}{
		{"at once", "", 0},
		{"yes is at once", "SHUTDOWNEXIT yes", 0},
		{"after a time, still logged in", "SHUTDOWNEXIT 20", 20},
		{"no is never", "SHUTDOWNEXIT no", -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			p := r.monitor("nas", conf(primaryConf, "FINALDELAY 0", tt.directive))
			r.to(1)
			r.upsd.ups["rack"].status = "OB LB"
			r.to(5.5 + max(0, tt.ends-1))
			_, ended := p.Status()
			if in := r.upsd.ups["rack"].logins; ended != (tt.ends == 0) || in == 1 == ended {
				t.Errorf("ended %v, %d logged in", ended, in)
			}
			r.pass(100 * time.Second)
			if _, ended = p.Status(); ended != (tt.ends >= 0) {
				t.Errorf("after 100 s ended %v", ended)
			}
			if tt.ends >= 0 {
				return
			}
			p.Signal(env.Terminate)
			r.pass(time.Second)
			if code, ended := p.Status(); !ended || code != 0 {
				t.Errorf("after TERM: exit %d, ended %v; want 0", code, ended)
			}
		})
	}
}

// UM-C2, UM-C4; that a login is tried again is ours.
func TestRefusedLogins(t *testing.T) {
	r := newRoom(t, "rack")
	r.upsd.refused["LOGIN rack"] = "ERR ACCESS-DENIED"
	r.monitor("nas", conf(primaryConf))
	r.to(7)
	r.upsd.ups["rack"].status = "OB DISCHRG"
	r.to(29)
	r.expect("nas", "10.0 ONBATT rack@nas")
	delete(r.upsd.refused, "LOGIN rack")
	r.to(40)
	if n := r.upsd.ups["rack"].logins; n != 1 {
		t.Errorf("%d logged in, want 1", n)
	}
	told := 0
	for _, l := range r.log {
		if strings.Contains(l, "Login on UPS [rack@nas] failed - got [ERR ACCESS-DENIED]") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the refusal was logged %d times, want once", told)
	}
}

func TestPrimaryThatIsNotLoggedInWaitsForTheLastOne(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("db", conf(secondaryConf, "FINALDELAY 8"))
	r.to(1)
	r.upsd.refused["LOGIN rack"] = "ERR ACCESS-DENIED"
	r.monitor("nas", conf(primaryConf))
	r.to(7)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(60)
	r.expect("nas", "11.0 ONBATT rack@nas", "11.0 LOWBATT rack@nas", "11.0 decide power", "11.0 fsd sent", "11.0 FSD rack@nas",
		"11.0 sync wait", "11.0 SHUTDOWN_HOSTSYNC", "23.3 sync done", "23.3 SHUTDOWN", "28.3 flag written", "28.3 shutdowncmd")
}

// UM-R1 and UM-R3; UM-R4 and UM-R5 are done better: too little power is no reason to end, and what is
// not in the file any more is what it usually is.
func TestReload(t *testing.T) {
	r := newRoom(t, "a", "b")
	a, b := "MONITOR a@nas 1 mon secret primary", "MONITOR b@nas 1 mon secret primary"
	p := r.monitor("nas", conf(a, b, "DEADTIME 60"))
	r.to(1)
	r.upsd.ups["a"].status = "OB DISCHRG"
	r.to(6)
	reload := func(text string) {
		t.Helper()
		r.server.WriteFile("/etc/nut/upsmon.conf", []byte(text))
		r.outcome(r.server, "-c", "reload")
	}

	reload(conf(b, "MINSUPPLIES 7"))
	r.wantLog("nas", "Signal 1: User requested RELOAD")
	r.wantLog("nas", "Reload failed, the old configuration stays: Fatal error: insufficient power configured!")
	if n := r.upsd.ups["a"].logins; n != 1 {
		t.Errorf("after a bad reload %d are logged in to a, want 1", n)
	}

	reload(conf(a))
	r.wantLog("nas", "No longer monitoring UPS [b@nas]")
	if n := r.upsd.ups["b"].logins; n != 0 {
		t.Errorf("after b was removed %d are logged in to it, want 0", n)
	}
	r.expect("nas", "5.0 ONBATT a@nas") // and not again

	reload(conf(a, b))
	if n := r.upsd.ups["b"].logins; n != 1 {
		t.Errorf("after b was added %d are logged in to it, want 1", n)
	}

	// DEADTIME is not in the file any more: it is what it usually is.
	r.to(16)
	r.serves.Kill()
	r.to(60)
	r.wantLog("nas", "UPS [a@nas] is silent for more than DEADTIME=15")
	if _, ended := p.Status(); ended {
		t.Error("the monitor has ended although b was never on battery")
	}
}

// UM-R3.
func TestReloadOfARole(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(secondaryConf))
	r.to(1)
	r.server.WriteFile("/etc/nut/upsmon.conf", []byte(conf(primaryConf)))
	r.outcome(r.server, "-c", "reload")
	if !slices.Contains(r.upsd.heard, "PRIMARY rack") || r.upsd.ups["rack"].logins != 1 {
		t.Errorf("the server heard %q and has %d logins", r.upsd.heard, r.upsd.ups["rack"].logins)
	}
}

// UM-N3 and what we do better than UM-N2.
func TestCommandsAreRunInOrder(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf, "NOTIFYCMD notify", "NOTIFYFLAG ONBATT EXEC", "NOTIFYFLAG LOWBATT EXEC",
		"NOTIFYFLAG FSD IGNORE+EXEC", "NOTIFYFLAG SHUTDOWN EXEC", `NOTIFYMSG ONBATT "help, %s"`))
	r.notify = time.Second
	r.to(1)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(30)
	want := []string{
		"5.0 nas notify ONBATT rack@nas help, rack@nas",
		"6.0 nas notify LOWBATT rack@nas UPS rack@nas battery is low",
		"7.0 nas notify SHUTDOWN  Auto logout and shutdown proceeding",
		"10.0 nas halt",
	}
	if !slices.Equal(r.ran, want) {
		t.Errorf("ran\n\t%s\nwant\n\t%s", strings.Join(r.ran, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestSlowCommandsHoldUpNothing(t *testing.T) {
	r := newRoom(t, "rack")
	r.notify = 10 * time.Hour
	r.monitor("nas", conf(primaryConf, "NOTIFYCMD notify", "NOTIFYFLAG ONBATT EXEC", "NOTIFYFLAG LOWBATT EXEC", "NOTIFYFLAG ONLINE EXEC"))
	r.to(1)
	r.upsd.ups["rack"].status = "OB"
	r.to(6)
	r.upsd.ups["rack"].status = "OL"
	r.to(11)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(60)
	want := []string{
		"5.0 nas notify ONBATT rack@nas UPS rack@nas on battery",
		"10.0 nas notify ONLINE rack@nas UPS rack@nas on line power",
		"15.0 nas notify ONBATT rack@nas UPS rack@nas on battery",
		"17.0 nas notify LOWBATT rack@nas UPS rack@nas battery is low",
		"20.0 nas halt",
	}
	if !slices.Equal(r.ran, want) {
		t.Errorf("ran\n\t%s\nwant\n\t%s", strings.Join(r.ran, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// `upsmon.md 3 POLLFAIL_LOG_THROTTLE_MAX n`,
// `upsmon.md 14 Poll UPS [..] failure state code changed from A to B; …` and
// `upsmon.md 14 Poll UPS [..] recovered from failure state code A - now B`.
func TestFailedPollsInTheLog(t *testing.T) {
	count := func(directive string) (lines, changes int) {
		r := newRoom(t, "rack")
		r.monitor("nas", conf(primaryConf, directive))
		r.to(1)
		r.upsd.ups["rack"].status = "ERR DATA-STALE"
		r.to(51)
		r.upsd.ups["rack"].status = "ERR DRIVER-NOT-CONNECTED"
		r.to(101)
		r.upsd.ups["rack"].status = "OL"
		r.to(120)
		for _, l := range r.log {
			if strings.Contains(l, "Poll UPS [rack@nas] failed - ") {
				lines++
			}
			if strings.Contains(l, "failure state code changed from 10 to 39") ||
				strings.Contains(l, "recovered from failure state code 39 - now 0") {
				changes++
			}
		}
		return lines, changes
	}
	for _, tt := range []struct {
		name, directive string
		lines, changes  int
	}{
		{"each, by default", "", 20, 0},
		{"changes only", "POLLFAIL_LOG_THROTTLE_MAX 0", 2, 2},
		{"each fourth", "POLLFAIL_LOG_THROTTLE_MAX 4", 6, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if lines, changes := count(tt.directive); lines != tt.lines || changes != tt.changes {
				t.Errorf("%d failures and %d changes in the log, want %d and %d", lines, changes, tt.lines, tt.changes)
			}
		})
	}
}

// S22.
func TestPasswordsStayInside(t *testing.T) {
	r := newRoom(t, "rack")
	r.upsd.refused["PASSWORD topsecret"] = "what is topsecret"
	r.monitor("nas", conf("MONITOR rack@nas 1 mon topsecret primary", "MONITOR"))
	r.to(20)
	for _, ev := range r.events {
		if strings.Contains(ev.Value+ev.Why+ev.Name, "topsecret") {
			t.Errorf("event %+v", ev)
		}
	}
	for _, l := range r.log {
		if strings.Contains(l, "topsecret") {
			t.Errorf("log line %q", l)
		}
	}
}

func TestEmptyStatusIsNone(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.upsd.ups["rack"].status = ""
	r.to(6)
	r.upsd.ups["rack"].status = "OL"
	r.to(12)
	r.expect("nas", "5.0 COMMBAD rack@nas", "10.0 COMMOK rack@nas")
}

func TestAlarmsHaveTheirText(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.upsd.ups["rack"].status = "ALARM OL"
	r.to(6)
	r.upsd.ups["rack"].alarm = "Replace battery!"
	r.to(12)
	r.wantLog("nas", "UPS rack@nas: one or more active alarms: [n/a]")
	r.wantLog("nas", "UPS rack@nas: one or more active alarms: [Replace battery!]")
}

// One UPS in trouble makes all be polled every POLLFREQALERT.
func TestPollIntervals(t *testing.T) {
	r := newRoom(t, "a", "b")
	r.monitor("nas", conf("MONITOR a@nas 1 mon secret primary", "MONITOR b@nas 1 mon secret primary", "POLLFREQ 60", "POLLFREQALERT 2"))
	r.to(1)
	r.upsd.ups["a"].status = "OB"
	r.to(61)
	r.upsd.ups["b"].status = "OB"
	r.to(63)
	r.upsd.ups["a"].status, r.upsd.ups["b"].status = "OL", "OL"
	r.to(65)
	r.upsd.ups["b"].status = "OL LB"
	r.to(130)
	r.expect("nas", "60.0 ONBATT a@nas", "62.0 ONBATT b@nas", "64.0 ONLINE a@nas", "64.0 ONLINE b@nas", "124.0 LOWBATT b@nas")
}
