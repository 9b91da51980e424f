package upsmon_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The lines that people search for, each with what brings it.
func TestLogLines(t *testing.T) {
	status := func(s string) func(*room) { return func(r *room) { r.status("rack", s) } }
	signal := func(s string) func(*room) {
		return func(r *room) { r.host("nas").Start("upsmon", []string{"-c", s}) }
	}
	refuse := func(request, answer string) func(*room) {
		return func(r *room) { r.upsd.refused[request] = answer }
	}
	kill := func(r *room) { r.serves.Kill() }
	tests := []struct {
		name  string
		conf  []string
		first func(*room) // before the monitor starts
		then  func(*room) // 1 s later
		want  string
	}{
		{"upsmon.md 14 UPS [..]: connect failed: …", nil, kill, nil, "UPS [rack@nas]: connect failed: "},
		{"... of a host that is unknown", []string{"MONITOR x@nowhere 1 a b primary"}, nil, nil, "UPS [x@nowhere]: connect failed: "},
		{"upsmon.md 14 Poll UPS [..] failed - …", nil, status("ERR DATA-STALE"), nil, "Poll UPS [rack@nas] failed - Data stale"},
		{"UM-C2: the driver is away", nil, status("ERR DRIVER-NOT-CONNECTED"), nil, "Poll UPS [rack@nas] failed - Driver not connected"},
		{"UM-C2: the server is away", nil, nil, kill, "UPS [rack@nas]: connect failed: "},
		{"UM-C2: an old server", nil, status("ERR UNKNOWN-COMMAND"), nil, "UPS [rack@nas]: Too old to monitor"},
		{"UM-C2: a user that is none", nil, refuse("USERNAME mon", "ERR INVALID-USERNAME"), nil,
			"Authentication on [rack@nas] failed: "},
		{"UM-C2: a login that is refused", nil, refuse("LOGIN rack", "ERR ACCESS-DENIED"), nil,
			"Login on UPS [rack@nas] failed - got [ERR ACCESS-DENIED]"},
		{"UM-C3: a wrong name", []string{"MONITOR desk@nas 1 a b primary"}, nil, nil,
			"Poll UPS [desk@nas] failed - [desk] does not exist on server nas"},
		{"upsmon.md 14 Communications with UPS … lost", nil, nil, kill, "Communications with UPS rack@nas lost"},
		{"upsmon.md 14 Too few UPS(es) are healthy (x<y), initiating forced shutdown", nil, status("OB LB"), nil,
			"Too few UPS(es) are healthy (0<1), initiating forced shutdown"},
		{"upsmon.md 14 Host sync timer expired, forcing shutdown", []string{primaryConf}, func(r *room) {
			r.upsd.ups["rack"].logins = 2
			r.status("rack", "OB LB")
		}, nil, "Host sync timer expired, forcing shutdown"},
		{"upsmon.md 14 Giving up on the primary for UPS [..] after N sec since last comms", []string{secondaryConf}, status("OB LB"), nil,
			"Giving up on the primary for UPS [rack@nas] after 15 sec since last comms"},
		{"upsmon.md 14 Executing automatic power-fail shutdown", nil, status("OB LB"), nil, "Executing automatic power-fail shutdown"},
		{"upsmon.md 14 upsmon parent: Unable to call shutdown command: …", []string{primaryConf, "SHUTDOWNCMD no-such"}, status("OB LB"), nil,
			"Unable to call shutdown command: no-such: exit status 127"},
		{"upsmon.md 14 Signal N: User requested FSD|EXIT|RELOAD", nil, nil, signal("fsd"), "Signal 10: User requested FSD"},
		{"... of a reload", nil, nil, signal("reload"), "Signal 1: User requested RELOAD"},
		{"... of a stop", nil, nil, signal("stop"), "Signal 15: exiting"},
		{"upsmon.md 14 Exiting upsmon program after initiating shutdown", nil, status("OB LB"), nil,
			"Exiting upsmon program after initiating shutdown"},

		{"upsmon.md 7 2: in the log", []string{"OVERDURATION 0"}, status("OVER"), status("ERR DATA-STALE"),
			"overloaded for longer than the set threshold and currently is not communicating, assuming dead"},
		{"upsmon.md 7 3: in the log", nil, status("ALARM"), status("ERR DATA-STALE"),
			"in an ALARM state and currently is not communicating, assuming dead"},
		{"upsmon.md 7 4: in the log", nil, status("CAL"), status("ERR DATA-STALE"), "calibrating and currently is not communicating, assuming dead"},
		{"upsmon.md 7 5: in the log", nil, status("BYPASS"), status("ERR DATA-STALE"), "on BYPASS and currently is not communicating, assuming dead"},
		{"upsmon.md 7 6: in the log", nil, status("OFF"), status("ERR DATA-STALE"),
			"(administratively) OFF and currently is not communicating, assuming dead"},
		{"upsmon.md 7 7: in the log", []string{"OFFDURATION 0"}, status("OFF"), nil, "UPS [rack@nas] is reported as (administratively) OFF"},
		{"upsmon.md 7 9: in the log", nil, status("OB LB CAL"), nil, "also calibrating - not declaring a critical state"},
		{"upsmon.md 7 10: in the log", []string{"OBLBDURATION 9"}, status("OB LB"), nil,
			"OBLBDURATION=9 - not declaring a critical state just now"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.to(0.5) // the server is up
			if tt.first != nil {
				tt.first(r)
			}
			lines := slices.Clone(tt.conf)
			if !strings.Contains(strings.Join(lines, "\n"), "MONITOR") {
				lines = append(lines, primaryConf)
			}
			r.monitor("nas", conf(lines...))
			r.to(1.5)
			if tt.then != nil {
				tt.then(r)
			}
			r.to(90)
			r.wantLog("nas", tt.want)
		})
	}
}

// UM-A6, UM-C4: what the server refuses costs what it is about, not the watch.
func TestARefusedPrimaryStillWatches(t *testing.T) {
	r := newRoom(t, "rack")
	r.upsd.refused["PRIMARY rack"] = "ERR ACCESS-DENIED"
	r.upsd.refused["MASTER rack"] = "ERR ACCESS-DENIED"
	r.upsd.refused["FSD rack"] = "ERR ACCESS-DENIED"
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.status("rack", "OB LB")
	r.to(30)
	// `upsmon.md 8 P2`: an FSD that fails is logged and stops nothing.
	r.expect("nas", "5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "5.0 decide power", "5.0 fsd refused", "5.0 SHUTDOWN",
		"10.0 flag written", "10.0 shutdowncmd")
	r.wantLog("nas", "Primary managerial privileges unavailable on UPS [rack@nas]: got [ERR ACCESS-DENIED]")
	r.wantLog("nas", "FSD set on UPS [rack@nas] failed: ERR ACCESS-DENIED")
}

// UM-C5: each UPS has a connection of its own, which is made again at the next poll.
func TestConnections(t *testing.T) {
	r := newRoom(t, "a", "b")
	r.monitor("nas", conf("MONITOR a@nas 1 mon secret primary", "MONITOR b@nas 1 mon secret primary"))
	r.to(61)
	if r.upsd.took != 2 {
		t.Errorf("two UPSes, a minute: %d connections, want 2", r.upsd.took)
	}
	r.serves.Kill()
	r.to(66)
	r.serve()
	r.to(71)
	if r.upsd.took != 4 || r.upsd.ups["a"].logins != 1 || r.upsd.ups["b"].logins != 1 {
		t.Errorf("after the server has restarted: %d connections, want 4; logged in %d, %d", r.upsd.took,
			r.upsd.ups["a"].logins, r.upsd.ups["b"].logins)
	}
	r.expect("nas", "65.0 COMMBAD a@nas", "65.0 COMMBAD b@nas", "70.0 COMMOK a@nas", "70.0 COMMOK b@nas")
}

// UM-R1: a file that is not there.
func TestReloadWithoutAFile(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.server.Remove("/etc/nut/upsmon.conf")
	r.outcome(r.server, "-c", "reload")
	r.wantLog("nas", "Reload failed, the old configuration stays: Can't open /etc/nut/upsmon.conf: No such file or directory")
	r.status("rack", "OB LB")
	r.to(20)
	if len(r.ran) != 1 {
		t.Errorf("ran %q, want SHUTDOWNCMD", r.ran)
	}
}

// UM-N1, `upsmon.md 8 P4`: what WALL says, and the one text that is on the terminals whatever
// NOTIFYFLAG says.
func TestWall(t *testing.T) {
	for flag, want := range map[string]int{"SYSLOG+WALL": 3, "SYSLOG": 2} {
		r := newRoom(t, "rack")
		r.monitor("nas", conf(primaryConf, "NOTIFYFLAG ONBATT "+flag, "NOTIFYFLAG LOWBATT IGNORE", "NOTIFYFLAG FSD EXEC"))
		r.to(1)
		r.status("rack", "OB LB")
		r.to(30)
		if r.walls != want { // ONBATT, Executing ..., SHUTDOWN
			t.Errorf("ONBATT %s: wall was called %d times, want %d", flag, r.walls, want)
		}
	}
}

// Flags of the command line.
func TestFlags(t *testing.T) {
	t.Run("upsmon.md 1 -F", func(t *testing.T) {
		for _, tt := range []struct {
			args       []string
			background bool
		}{{nil, true}, {[]string{"-F"}, false}, {[]string{"-D"}, false}, {[]string{"-B"}, true}, {[]string{"-D", "-B"}, true},
			{[]string{"-p"}, true}, {[]string{"-p", "-F"}, false}} {
			r := newRoom(t, "rack")
			p := r.monitor("nas", conf(primaryConf), tt.args...)
			r.to(1)
			if _, ended := p.Status(); ended || p.Background() != tt.background {
				t.Errorf("%q: ended %v, in the background %v, want %v", tt.args, ended, p.Background(), tt.background)
			}
		}
	})
	t.Run("upsmon.md 1 -f", func(t *testing.T) {
		r := newRoom(t, "rack")
		r.server.WriteFile("/opt/mon.conf", []byte(conf(primaryConf)))
		_, ended, text := r.outcome(r.server, "-f", "/opt/mon.conf")
		if ended || !strings.Contains(text, "UPS: rack@nas (primary)") {
			t.Errorf("ended %v: %s", ended, text)
		}
	})
	t.Run("upsmon.md 1 -P", func(t *testing.T) {
		r := newRoom(t, "rack")
		p := r.monitor("nas", conf(primaryConf))
		r.to(1)
		r.server.Remove("/run/nut/upsmon.pid")
		if code, _, text := r.outcome(r.server, "-c", "stop"); code != 1 {
			t.Errorf("without a PID file: exit %d: %s", code, text)
		}
		if code, _, text := r.outcome(r.server, "-P", pidOf(r), "-c", "stop"); code != 0 {
			t.Errorf("with -P: exit %d: %s", code, text)
		}
		if code, ended := p.Status(); !ended || code != 0 {
			t.Errorf("ended %v with %d", ended, code)
		}
	})
	t.Run("upsmon.md 1 stop in mono mode", func(t *testing.T) {
		r := newRoom(t, "rack")
		p := r.monitor("nas", conf(primaryConf), "-p", "-F")
		r.to(1)
		r.outcome(r.server, "-c", "stop")
		if code, ended := p.Status(); !ended || code != 0 {
			t.Errorf("ended %v with %d, want 0", ended, code)
		}
	})
	t.Run("upsmon.md 1 -W", func(t *testing.T) {
		for flag, want := range map[string]string{"3": "3.0", "7": "7.0", "": "10.0"} {
			r := newRoom(t, "rack")
			r.host("attic").PowerOff() // takes no connection
			var args []string
			if flag != "" {
				args = []string{"-W", flag}
			}
			r.monitor("nas", conf("MONITOR a@attic 1 mon secret primary"), args...)
			r.to(12)
			if got := r.timeline("nas"); len(got) == 0 || got[0] != want+" COMMBAD a@attic" {
				t.Errorf("-W %s: %q, want COMMBAD at %s", flag, got, want)
			}
		}
	})
	t.Run("upsmon.md 1 -D", func(t *testing.T) {
		for _, tt := range []struct {
			args []string
			conf string
			want []string
		}{
			{[]string{"-F"}, "", nil},
			{[]string{"-D"}, "", []string{"[D1] Trying to connect to UPS [rack@nas]", "[D1] UPS [rack@nas]: rule low: "}},
			{[]string{"-DD"}, "", []string{"[D1] Trying", "[D2] Notification ONBATT of UPS [rack@nas]"}},
			{[]string{"-F"}, "DEBUG_MIN 3", []string{"[D1] Trying", "[D2] Notif", `[D3] UPS [rack@nas] says "VAR rack ups.status \"OL\""`}},
			{[]string{"-F"}, "debug_min 1", []string{"[D1] Trying"}},
		} {
			r := newRoom(t, "rack")
			r.monitor("nas", conf(primaryConf, tt.conf), tt.args...)
			r.pass(time.Second)
			r.status("rack", "OB LB")
			r.to(20)
			for _, want := range tt.want {
				r.wantLog("nas", want)
			}
			if len(tt.want) == 0 && r.logged("nas", "[D") {
				t.Error("debug lines without -D")
			}
		}
	})
}

// pidOf is the number of the child on nas.
func pidOf(r *room) string {
	_, child := r.halves("nas")
	return strconv.Itoa(child.Pid())
}
