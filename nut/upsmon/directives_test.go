package upsmon_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// What is in force when the file says nothing: the defaults of NUT, in seconds where they are times.
func TestUsualSettings(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", primaryConf+"\n")
	r.to(1)
	got := map[string]int64{}
	for _, ev := range r.events {
		if ev.Kind != env.Setting {
			continue
		}
		if got[ev.Name] = ev.N; ev.N%int64(time.Second) == 0 {
			got[ev.Name] = ev.N / int64(time.Second)
		}
	}
	want := map[string]int64{"MINSUPPLIES": 1, "POLLFREQ": 5, "POLLFREQALERT": 5, "HOSTSYNC": 15, "DEADTIME": 15,
		"FINALDELAY": 5, "RBWARNTIME": 43200, "NOCOMMWARNTIME": 300, "OFFDURATION": 30, "OBLBDURATION": 0, "OVERDURATION": -1,
		"ALARMCRITICAL": 1, "SHUTDOWNEXIT": 0, "NUT_RULES": 0}
	if !maps.Equal(got, want) {
		t.Errorf("in force is %v, want %v", got, want)
	}
}

// A says is what the UPS says from a time on.
type says struct {
	at     float64
	status string
}

// What directives do to the times of what happens.
func TestDirectives(t *testing.T) {
	const stale = "ERR DATA-STALE"
	const cmd = "SHUTDOWNCMD halt"
	tests := []struct {
		name   string
		conf   []string
		says   []says
		others int // who are logged in and stay
		want   []string
	}{
		{"upsmon.md 3 MONITOR", []string{cmd, primaryConf, "MONITOR rack@nas 1 mon other secondary"}, []says{{1, "OB"}}, 0,
			[]string{"5.0 ONBATT rack@nas"}}, // once
		{"upsmon.md 3 POLLFREQ s", []string{cmd, primaryConf, "POLLFREQ 7"}, []says{{1, "OB"}}, 0, []string{"7.0 ONBATT rack@nas"}},
		{"upsmon.md 3 POLLFREQALERT s", []string{cmd, secondaryConf, "POLLFREQALERT 2"}, []says{{1, "OB"}, {6, "OB LB"}, {8, "OL"}}, 0,
			[]string{"5.0 ONBATT rack@nas", "7.0 LOWBATT rack@nas", "9.0 ONLINE rack@nas"}},
		{"upsmon.md 3 HOSTSYNC s: of a primary", []string{cmd, primaryConf, "HOSTSYNC 4"}, []says{{1, "OB LB"}}, 2,
			[]string{"5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "5.0 decide power", "5.0 fsd sent", "5.0 FSD rack@nas", "5.0 sync wait",
				"5.0 SHUTDOWN_HOSTSYNC", "9.0 sync expired", "9.0 SHUTDOWN", "14.0 shutdowncmd"}},
		{"upsmon.md 3 HOSTSYNC s: of a secondary", []string{cmd, secondaryConf, "HOSTSYNC 4"}, []says{{1, "OB LB"}}, 0,
			[]string{"5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "9.0 decide power", "9.0 SHUTDOWN", "14.0 shutdowncmd"}},
		{"upsmon.md 3 DEADTIME s", []string{cmd, secondaryConf, "DEADTIME 22"}, []says{{1, "OB"}, {6, stale}}, 0,
			[]string{"5.0 ONBATT rack@nas", "10.0 COMMBAD rack@nas", "27.0 decide power", "27.0 SHUTDOWN", "32.0 shutdowncmd"}},
		{"upsmon.md 3 FINALDELAY s", []string{cmd, secondaryConf, "FINALDELAY 2", "HOSTSYNC 0"}, []says{{1, "OB LB"}}, 0,
			[]string{"5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "5.0 decide power", "5.0 SHUTDOWN", "7.0 shutdowncmd"}},
		{"upsmon.md 3 RBWARNTIME s", []string{cmd, primaryConf, "RBWARNTIME 12"}, []says{{1, "OL RB"}, {36, "OL"}}, 0,
			[]string{"5.0 REPLBATT rack@nas", "20.0 REPLBATT rack@nas", "35.0 REPLBATT rack@nas"}},
		{"upsmon.md 3 OFFDURATION s", []string{cmd, secondaryConf, "OFFDURATION 3"}, []says{{1, "OFF OL"}}, 0,
			[]string{"5.0 OFF rack@nas", "8.0 decide power", "8.0 SHUTDOWN", "13.0 shutdowncmd"}},
		{"upsmon.md 3 OFFDURATION s: 0 is at once", []string{cmd, secondaryConf, "OFFDURATION 0"}, []says{{1, "OFF OL"}}, 0,
			[]string{"5.0 OFF rack@nas", "5.0 decide power", "5.0 SHUTDOWN", "10.0 shutdowncmd"}},
		{"upsmon.md 3 OFFDURATION s: negative is never", []string{cmd, secondaryConf, "OFFDURATION -1"}, []says{{1, "OFF"}, {40, stale}}, 0,
			[]string{"5.0 OFF rack@nas", "40.0 COMMBAD rack@nas"}},
		{"upsmon.md 3 OBLBDURATION s", []string{cmd, primaryConf, "OBLBDURATION 7"}, []says{{1, "OB LB"}}, 0,
			[]string{"5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas", "12.0 decide power", "12.0 fsd sent", "12.0 FSD rack@nas",
				"12.0 SHUTDOWN", "17.0 shutdowncmd"}},
		{"upsmon.md 3 OBLBDURATION s: it must persist", []string{cmd, primaryConf, "OBLBDURATION 7"},
			[]says{{1, "OB LB"}, {8, "OB"}, {13, "OB LB"}, {18, "OL"}}, 0, []string{"5.0 ONBATT rack@nas", "5.0 LOWBATT rack@nas",
				"15.0 LOWBATT rack@nas", "20.0 ONLINE rack@nas"}},
		{"upsmon.md 3 OVERDURATION s", []string{cmd, secondaryConf, "OVERDURATION 20"}, []says{{1, "OVER"}, {6, stale}}, 0,
			[]string{"5.0 OVER rack@nas", "10.0 COMMBAD rack@nas", "25.0 decide power", "25.0 SHUTDOWN", "30.0 shutdowncmd"}},
		{"upsmon.md 3 OVERDURATION s: usually never", []string{cmd, secondaryConf}, []says{{1, "OVER"}, {6, stale}}, 0,
			[]string{"5.0 OVER rack@nas", "10.0 COMMBAD rack@nas"}},
		{"upsmon.md 3 ALARMCRITICAL 0/1", []string{cmd, secondaryConf, "ALARMCRITICAL 1"}, []says{{1, "ALARM"}, {6, stale}}, 0,
			[]string{"5.0 ALARM rack@nas", "10.0 COMMBAD rack@nas", "20.0 decide power", "20.0 SHUTDOWN", "25.0 shutdowncmd"}},
		{"upsmon.md 3 ALARMCRITICAL 0/1: not", []string{cmd, secondaryConf, "ALARMCRITICAL 0"}, []says{{1, "ALARM"}, {6, stale}}, 0,
			[]string{"5.0 ALARM rack@nas", "10.0 COMMBAD rack@nas"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.upsd.ups["rack"].logins = tt.others
			r.monitor("nas", strings.Join(tt.conf, "\n")+"\n")
			for _, s := range tt.says {
				r.to(s.at)
				r.status("rack", s.status)
			}
			r.to(60)
			r.expect("nas", tt.want...)
		})
	}
}

// What is run and what is said: `upsmon.md 3 SHUTDOWNCMD "cmd"`, `upsmon.md 3 NOTIFYCMD prog`,
// `upsmon.md 3 POWERDOWNFLAG file`, `upsmon.md 3 NOTIFYMSG TYPE "text"`,
// `upsmon.md 3 NOTIFYFLAG TYPE f+f`, UM-N1, UM-N3.
func TestDirectivesAboutCommands(t *testing.T) {
	const usual = "UPS rack@nas on battery"
	tests := []struct {
		name   string
		conf   []string
		ran    []string
		logged string // "" is: the usual text is not
	}{
		{"the usual", nil, []string{"10.0 nas halt"}, usual},
		{"SHUTDOWNCMD in quotes", []string{`SHUTDOWNCMD "halt -h +0"`}, []string{"10.0 nas halt -h +0"}, usual},
		{"SHUTDOWNCMD in words", []string{`SHUTDOWNCMD halt -h now`}, []string{"10.0 nas halt '-h' 'now'"}, usual},
		{"NOTIFYCMD without EXEC", []string{"NOTIFYCMD notify"}, []string{"10.0 nas halt"}, usual},
		{"NOTIFYCMD", []string{"NOTIFYCMD notify", "NOTIFYFLAG ONBATT SYSLOG+EXEC"},
			[]string{"5.0 nas notify ONBATT rack@nas " + usual, "10.0 nas halt"}, usual},
		{"NOTIFYCMD with arguments", []string{`NOTIFYCMD notify -x "two words"`, "NOTIFYFLAG ONBATT EXEC"},
			[]string{"5.0 nas notify ONBATT rack@nas -x two words " + usual, "10.0 nas halt"}, ""},
		{"NOTIFYMSG, the type in small letters", []string{`NOTIFYMSG onbatt "%s: help!"`, "NOTIFYCMD notify", "NOTIFYFLAG onbatt EXEC+SYSLOG"},
			[]string{"5.0 nas notify ONBATT rack@nas rack@nas: help!", "10.0 nas halt"}, "rack@nas: help!"},
		{"IGNORE wins", []string{"NOTIFYCMD notify", "NOTIFYFLAG ONBATT IGNORE+SYSLOG+WALL+EXEC"}, []string{"10.0 nas halt"}, ""},
		{"flags in small letters are none", []string{"NOTIFYCMD notify", "NOTIFYFLAG ONBATT exec"}, []string{"10.0 nas halt"},
			"Invalid notify flag"},
		{"... and do not silence the type", []string{"NOTIFYFLAG ONBATT exec"}, []string{"10.0 nas halt"}, usual},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.monitor("nas", conf(append(tt.conf, primaryConf)...))
			r.to(1)
			r.status("rack", "OB LB")
			r.to(30)
			if !slices.Equal(r.ran, tt.ran) {
				t.Errorf("ran %q, want %q", r.ran, tt.ran)
			}
			if tt.logged != "" {
				r.wantLog("nas", tt.logged)
			} else if r.logged("nas", usual) {
				t.Error("the usual text is in the log")
			}
			if text, _ := r.server.File("/etc/killpower"); string(text) != magic {
				t.Errorf("POWERDOWNFLAG has %q, want %q", text, magic)
			}
		})
	}
}

// UM-R5, done better: what a file does not say any more is what it usually is. Its two exceptions are
// `upsmon.md 3 DEBUG_MIN n` and POLLFAIL_LOG_THROTTLE_MAX.
func TestReloadOfWhatIsNotSaidAnyMore(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf, "DEBUG_MIN 3", "POLLFAIL_LOG_THROTTLE_MAX 0", "FINALDELAY 1", "NOTIFYFLAG ONBATT IGNORE"))
	r.to(6)
	r.wantLog("nas", `[D3] UPS [rack@nas] says "VAR rack ups.status \"OL\""`)
	r.server.WriteFile("/etc/nut/upsmon.conf", []byte(conf(primaryConf)))
	r.outcome(r.server, "-c", "reload")
	r.log = nil
	r.to(11)
	r.status("rack", "ERR DATA-STALE")
	r.to(31)
	r.status("rack", "OB LB")
	r.to(60)
	if r.logged("nas", "[D") {
		t.Error("debug lines are logged after DEBUG_MIN went away")
	}
	failed := 0
	for _, l := range r.log {
		if strings.Contains(l, "Poll UPS [rack@nas] failed - Data stale") {
			failed++
		}
	}
	if failed < 3 {
		t.Errorf("%d failed polls are logged, want each", failed)
	}
	r.wantLog("nas", "UPS rack@nas on battery")
	got := r.timeline("nas")
	i := slices.IndexFunc(got, func(s string) bool { return strings.HasSuffix(s, " SHUTDOWN") })
	if i < 0 || got[i][:4] != "31.0" || got[len(got)-1] != "36.0 shutdowncmd" {
		t.Errorf("it did %q, want SHUTDOWN at 31.0 and a FINALDELAY of 5 s after it", got)
	}
}
