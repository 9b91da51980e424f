package upsmon_test

import (
	"testing"
	"time"
)

const (
	primaryConf   = "MONITOR rack@nas 1 mon secret primary"
	secondaryConf = "MONITOR rack@nas 1 mon secret secondary"
)

// As 13.1, with other phases: the primary waits until the secondaries are gone. `upsmon.md 8 P3`: it
// counts every quarter of a second.
func TestOutageWithTwoSecondaries(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.monitor("db", conf(secondaryConf))
	r.to(2)
	r.monitor("web", conf(secondaryConf))
	r.to(12)
	if n := r.upsd.ups["rack"].logins; n != 3 {
		t.Fatalf("%d are logged in, want 3", n)
	}
	r.upsd.ups["rack"].status = "OB DISCHRG"
	r.to(30.5)
	r.upsd.ups["rack"].status = "OB DISCHRG LB"
	r.to(60)
	r.expect("nas", "15.0 ONBATT rack@nas", "35.0 LOWBATT rack@nas", "35.0 decide power",
		"35.0 fsd sent", "35.0 FSD rack@nas", "35.0 sync wait", "35.0 SHUTDOWN_HOSTSYNC",
		"41.3 sync wait", "42.3 sync done", "42.3 SHUTDOWN", "47.3 flag written", "47.3 shutdowncmd")
	r.expect("db", "16.0 ONBATT rack@nas", "31.0 LOWBATT rack@nas", "36.0 FSD rack@nas", "36.0 decide power",
		"36.0 SHUTDOWN", "41.0 flag written", "41.0 shutdowncmd")
	r.wantLog("nas", "Too few UPS(es) are healthy (0<1), initiating forced shutdown")
	r.wantLog("nas", "Executing automatic power-fail shutdown")
	if n := r.upsd.ups["rack"].logins; n != 0 {
		t.Errorf("%d are logged in at the end, want 0", n)
	}
}

// As 13.3: the server dies on battery. Nothing is sooner or later for the first failed poll.
func TestServerDiesOnBattery(t *testing.T) {
	for _, tt := range []struct {
		name string
		die  func(*room)
		want []string
	}{
		{"its upsd is killed", func(r *room) { r.serves.Kill() },
			[]string{"13.0 COMMBAD rack@nas", "23.0 decide power"}},
		{"it loses power", func(r *room) { r.server.PowerOff() },
			[]string{"18.0 COMMBAD rack@nas", "24.5 decide power"}},
		{"its upsd hangs", func(r *room) { r.upsd.hung = true },
			[]string{"18.0 COMMBAD rack@nas", "23.0 decide power"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.upsd.ups["rack"].status = "OB DISCHRG"
			r.to(3)
			r.monitor("db", conf(secondaryConf))
			r.to(12)
			tt.die(r)
			r.to(60)
			began := tt.want[len(tt.want)-1][:4]
			down := map[string]string{"23.0": "28.0", "24.5": "29.5"}[began]
			r.expect("db", append([]string{"3.0 ONBATT rack@nas"}, append(tt.want,
				began+" SHUTDOWN", down+" flag written", down+" shutdowncmd")...)...)
			r.wantLog("db", "Giving up on the primary for UPS [rack@nas] after")
		})
	}
}

func TestServerThatReturnsWhenDEADTIMEEndsIsHeard(t *testing.T) {
	r := newRoom(t, "rack")
	r.upsd.ups["rack"].status = "OB DISCHRG"
	r.monitor("db", conf(secondaryConf))
	r.to(2)
	r.serves.Kill()
	r.to(14.9) // the last failed poll was at 10
	r.serve()
	r.to(120)
	r.expect("db", "0.0 ONBATT rack@nas", "5.0 COMMBAD rack@nas", "15.0 COMMOK rack@nas")
}

// Design: silence alone never shuts down a host that last saw line power.
func TestSilenceOnLinePowerIsWaitedFor(t *testing.T) {
	for _, status := range []string{"OL", "OL CHRG LB", "ALARM OL", "OL CAL", "OL BYPASS", "OL OFF", "OL OVER", "ALARM OL CAL OFF BYPASS"} {
		t.Run(status, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.upsd.ups["rack"].status = status
			p := r.monitor("nas", conf(primaryConf, "OVERDURATION 0", "OFFDURATION 30"))
			r.to(3)
			r.serves.Kill()
			r.pass(time.Hour)
			if _, ended := p.Status(); ended || len(r.ran) > 0 {
				t.Errorf("after an hour of silence the monitor has ended: %v; %q", ended, r.timeline("nas"))
			}
			if status != "OL" && status != "OL CHRG LB" {
				r.wantLog("nas", "not declaring a critical state [rule lost-online]")
			}
		})
	}
}

// As 13.5: with two UPSes one may go, and FSD is for both.
func TestTwoUPSes(t *testing.T) {
	r := newRoom(t, "a", "b")
	r.monitor("nas", conf("MONITOR a@nas 1 mon secret primary", "MONITOR b@nas 1 mon secret primary"))
	r.to(1)
	r.monitor("db", conf("MONITOR b@nas 1 mon secret secondary"))
	r.to(7)
	r.upsd.ups["a"].status = "OB LB"
	r.to(30.5)
	r.upsd.ups["b"].status = "OB LB"
	r.to(70)
	r.expect("nas", "10.0 ONBATT a@nas", "10.0 LOWBATT a@nas", "35.0 ONBATT b@nas", "35.0 LOWBATT b@nas", "35.0 decide power",
		"35.0 fsd sent", "35.0 FSD b@nas", "35.0 fsd sent", "35.0 FSD a@nas", "35.0 sync wait", "35.0 SHUTDOWN_HOSTSYNC",
		"41.3 sync done", "41.3 SHUTDOWN", "46.3 flag written", "46.3 shutdowncmd")
	r.expect("db", "31.0 ONBATT b@nas", "31.0 LOWBATT b@nas", "36.0 FSD b@nas", "36.0 decide power", "36.0 SHUTDOWN",
		"41.0 flag written", "41.0 shutdowncmd")
}

// As 13.6, with other phases.
func TestOperatorOrdersAShutdown(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.monitor("db", conf(secondaryConf))
	r.to(7.5)
	c := r.host("nas").Start("upsmon", []string{"-c", "fsd"})
	r.to(30)
	if code, ended := c.Status(); !ended || code != 0 {
		t.Errorf("upsmon -c fsd: exit %d, ended %v; want 0", code, ended)
	}
	r.expect("nas", "7.5 decide operator", "7.5 fsd sent", "7.5 FSD rack@nas", "7.5 sync wait", "7.5 SHUTDOWN_HOSTSYNC",
		"16.3 sync done", "16.3 SHUTDOWN", "21.3 flag written", "21.3 shutdowncmd")
	r.expect("db", "11.0 FSD rack@nas", "11.0 decide power", "11.0 SHUTDOWN", "16.0 flag written", "16.0 shutdowncmd")
	r.wantLog("nas", "Signal 10: User requested FSD")
	r.wantLog("nas", "Got an FSD signal, initiating forced shutdown")
}

func TestOperatorOfASecondaryShutsDownThatHostAlone(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("db", conf(secondaryConf))
	r.to(2)
	r.host("db").Start("upsmon", []string{"-c", "fsd"})
	r.to(30)
	r.expect("db", "2.0 decide operator", "2.0 SHUTDOWN", "7.0 flag written", "7.0 shutdowncmd")
	if r.upsd.ups["rack"].fsd {
		t.Error("FSD is set")
	}
}

func TestSecondaryThatNeverLogsOut(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	db := r.monitor("db", conf(secondaryConf))
	r.to(1)
	db.Pause()
	r.upsd.ups["rack"].status = "OB LB"
	r.to(60)
	r.expect("nas", "5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "5.0 decide power", "5.0 fsd sent", "5.0 FSD rack@nas",
		"5.0 sync wait", "5.0 SHUTDOWN_HOSTSYNC", "20.0 sync expired", "20.0 SHUTDOWN", "25.0 flag written", "25.0 shutdowncmd")
	r.wantLog("nas", "Host sync timer expired, forcing shutdown")
}

func TestNothingStopsAShutdown(t *testing.T) {
	r := newRoom(t, "rack")
	p := r.monitor("nas", conf(primaryConf))
	r.to(1)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(6)
	r.upsd.ups["rack"].status, r.upsd.ups["rack"].fsd = "OL", false
	p.Signal("TERM")
	p.Signal("HUP")
	p.Signal("USR1")
	r.to(20)
	r.expect("nas", "5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "5.0 decide power", "5.0 fsd sent", "5.0 FSD rack@nas",
		"5.0 SHUTDOWN", "10.0 flag written", "10.0 shutdowncmd")
	if code, ended := p.Status(); !ended || code != 0 {
		t.Errorf("exit %d, ended %v; want 0", code, ended)
	}
}

// OBLBDURATION and OFFDURATION are judged when they end, by a poll at that time.
func TestLimitsEndBetweenPolls(t *testing.T) {
	for _, tt := range []struct {
		name, directive, status, want string
	}{
		{"OBLBDURATION", "OBLBDURATION 7", "OB LB", "12.0 decide power"},
		{"OFFDURATION", "OFFDURATION 9", "OFF OL", "14.0 decide power"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.monitor("nas", conf(primaryConf, tt.directive))
			r.to(1)
			r.upsd.ups["rack"].status = tt.status
			r.to(40)
			got := r.timeline("nas")
			for _, s := range got {
				if s == tt.want {
					return
				}
			}
			t.Errorf("it did %q, want %q", got, tt.want)
		})
	}
}

// UM-C6 is what we do better.
func TestSlowServersDelayNobodyElse(t *testing.T) {
	r := newRoom(t, "rack")
	r.host("attic").PowerOff() // takes no connection
	r.monitor("nas", conf("MONITOR a@attic 1 mon secret secondary", "MONITOR rack@nas 1 mon secret primary", "MINSUPPLIES 2"))
	r.to(1)
	r.upsd.ups["rack"].status = "OB LB"
	r.to(6)
	if ev, ok := r.find("decide", ""); !ok || time.Duration(ev.T) > 5100*time.Millisecond {
		t.Errorf("it decided at %v (%v), want at 5 s", ev.T, ok)
	}
}

// C04, `upsmon.md 6 SUSPEND_TIMEJUMP_UNEXPECTED`.
func TestSettingTheClockDecidesNothing(t *testing.T) {
	r := newRoom(t, "rack")
	r.upsd.ups["rack"].status = "OB DISCHRG"
	r.monitor("nas", conf(primaryConf))
	r.to(3)
	for _, jump := range []time.Duration{10 * 365 * 24 * time.Hour, -20 * 365 * 24 * time.Hour, time.Minute} {
		r.host("nas").JumpWall(jump)
		r.pass(20 * time.Second)
	}
	r.expect("nas", "0.0 ONBATT rack@nas", "5.0 SUSPEND_TIMEJUMP_UNEXPECTED", "25.0 SUSPEND_TIMEJUMP_UNEXPECTED",
		"45.0 SUSPEND_TIMEJUMP_UNEXPECTED")
	r.wantLog("nas", "Unexpected clock change by +60 seconds, treating as wake up from sleep")
}
