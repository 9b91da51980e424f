package config

import (
	"reflect"
	"testing"
	"time"
)

func TestDirectivesOfUpsmon(t *testing.T) {
	first := Monitor{System: "u@h", PowerValue: 1, User: "a", Password: "b", Role: Primary, Line: 1}
	for _, tt := range []struct {
		name, in string
		want     func(*Upsmon)
		problems []string
	}{
		{"nothing", "# x\n", func(*Upsmon) {}, nil},
		{"MONITOR", "MONITOR u@h 1 a b master\n\nMONITOR \"v@h:1\" 0 a \"\" slave\n",
			func(c *Upsmon) {
				c.Monitors = []Monitor{first, {System: "v@h:1", User: "a", Role: Secondary, Line: 3}}
			}, nil},
		{"times", "POLLFREQ 1\nPOLLFREQALERT 2\nHOSTSYNC 3\nDEADTIME 4\nFINALDELAY 0\nRBWARNTIME 6\nNOCOMMWARNTIME 7\n" +
			"OFFDURATION -1\nOBLBDURATION 9\nOVERDURATION 10\nSHUTDOWNEXIT 11\n", func(c *Upsmon) {
			c.PollFreq, c.PollFreqAlert, c.HostSync, c.DeadTime = time.Second, 2*time.Second, 3*time.Second, 4*time.Second
			c.FinalDelay, c.RBWarnTime, c.NoCommWarnTime = 0, 6*time.Second, 7*time.Second
			c.OffDuration, c.OBLBDuration, c.OverDuration = -time.Second, 9*time.Second, 10*time.Second
			c.ShutdownExit = 11 * time.Second
		}, nil},
		{"numbers and switches",
			"MINSUPPLIES 0\nPOLLFAIL_LOG_THROTTLE_MAX 100\nALARMCRITICAL 0\nCERTVERIFY 1\nFORCESSL 1\nDEBUG_MIN 2\n",
			func(c *Upsmon) {
				c.MinSupplies, c.PollFailLogThrottleMax, c.AlarmCritical = 0, 100, false
				c.CertVerify, c.ForceSSL, c.DebugMin = true, true, 2
			}, nil},
		{"files", "POWERDOWNFLAG /etc/killpower\nRUN_AS_USER nut\nCERTPATH /c\nCERTFILE /d\nCERTIDENT n p\nCERTHOST h n -1 1\n", func(c *Upsmon) {
			c.PowerdownFlag, c.RunAsUser, c.CertPath, c.CertFile = "/etc/killpower", "nut", "/c",
				"/d"
			c.CertIdent, c.CertHosts = [2]string{"n", "p"}, []CertHost{{"h", "n", -1, 1}}
		}, nil},
		{"stay after the shutdown", "SHUTDOWNEXIT no\n",
			func(c *Upsmon) { c.ShutdownExit = -time.Second }, nil},
		{"one second is no yes", "SHUTDOWNEXIT 1\n",
			func(c *Upsmon) { c.ShutdownExit = time.Second }, nil},
		{"a command in quotes", "SHUTDOWNCMD \"/sbin/shutdown -h +0\"\nNOTIFYCMD /sbin/upssched\n",
			func(c *Upsmon) {
				c.ShutdownCmd, c.NotifyCmd = "/sbin/shutdown -h +0", []string{"/sbin/upssched"}
			}, nil},
		{"a command in words",
			"SHUTDOWNCMD /sbin/shutdown -h \"it's time\"\nNOTIFYCMD prog \"a b\" c\n",
			func(c *Upsmon) {
				c.ShutdownCmd, c.NotifyCmd = `/sbin/shutdown '-h' 'it'\''s time'`,
					[]string{"prog", "a b", "c"}
			}, nil},
		{"commands keep their text", "SHUTDOWNCMD /opt/büro/aus\n",
			func(c *Upsmon) { c.ShutdownCmd = "/opt/büro/aus" }, nil},
		{"notifications", "NOTIFYMSG online \"UPS %s läuft, 100%%\"\nNOTIFYFLAG OnBatt SYSLOG+EXEC\nNOTIFYFLAG CAL IGNORE\nNOTIFYMSG ALARM \"%s: %s\"\n",
			func(c *Upsmon) {
				c.NotifyMsg["ONLINE"], c.NotifyMsg["ALARM"] = "UPS %s läuft, 100%%", "%s: %s"
				c.NotifyFlag["ONBATT"], c.NotifyFlag["CAL"] = NotifyFlag{Syslog: true, Exec: true}, NotifyFlag{Ignore: true}
			}, nil},

		{"without a user", "MONITOR u@h 1 b master\n", func(*Upsmon) {},
			[]string{"1:1 error Unable to use old-style MONITOR line without a username"}},
		{"too short", "MONITOR u@h 1\n", func(*Upsmon) {},
			[]string{"1:1 error invalid directive: 2 words follow"}},
		{"a role that is none", "MONITOR u@h 1 a b primry\n", func(c *Upsmon) {
			c.Monitors = []Monitor{first}
			c.Monitors[0].Role = Secondary
		}, []string{"1:19 warning MONITOR: not a role; taken for secondary"}},
		{"a power value that is none", "MONITOR u@h x a b primary\n", func(*Upsmon) {},
			[]string{"1:13 error MONITOR: not a number"}},
		{"a duplicate", "MONITOR u@h 1 a b primary\nMONITOR u@h 2 c d secondary\n",
			func(c *Upsmon) { c.Monitors = []Monitor{first} },
			[]string{"2:9 warning MONITOR: ignoring duplicate UPS; line 1 counts"}},
		{"a busy loop", "POLLFREQ 0\nPOLLFREQALERT fast\n", func(*Upsmon) {}, []string{
			"1:10 error POLLFREQ: less than 1", "2:15 error POLLFREQALERT: not a number"}},
		{"yes for 1", "FORCESSL yes\nCERTVERIFY no\n", func(c *Upsmon) { c.ForceSSL = true },
			[]string{"1:10 warning FORCESSL: read as 1"}},
		{"a flag that is none does not cost the others", "NOTIFYFLAG ONLINE EXEC+WAL\n",
			func(c *Upsmon) {
				c.NotifyFlag["ONLINE"] = NotifyFlag{Exec: true}
			}, []string{"1:19 error NOTIFYFLAG: Invalid notify flag"}},
		{"no flag at all does not silence the type", "NOTIFYFLAG ONLINE exec\n", func(*Upsmon) {},
			[]string{"1:19 error NOTIFYFLAG: Invalid notify flag"}},
		{"blanks around +", "NOTIFYFLAG ONLINE EXEC + WALL\n",
			func(c *Upsmon) { c.NotifyFlag["ONLINE"] = NotifyFlag{Exec: true} },
			[]string{"1:24 warning NOTIFYFLAG has words that nobody reads"}},
		{"a type that is none", "NOTIFYMSG ONLIN x\nNOTIFYFLAG x EXEC\n", func(*Upsmon) {},
			[]string{
				"1:11 error NOTIFYMSG: invalid notify type",
				"2:12 error NOTIFYFLAG: invalid notify type"}},
		{"a message without quotes", "NOTIFYMSG ONLINE UPS is on\n",
			func(c *Upsmon) { c.NotifyMsg["ONLINE"] = "UPS" },
			[]string{"1:22 warning NOTIFYMSG has words that nobody reads"}},
		{"a message with a wrong %",
			"NOTIFYMSG ONLINE \"%d %s\"\nNOTIFYMSG ONBATT \"50%\"\nNOTIFYMSG CAL \"%s %s\"\n",
			func(c *Upsmon) {
				c.NotifyMsg["ONLINE"], c.NotifyMsg["ONBATT"], c.NotifyMsg["CAL"] = "%d %s", "50%",
					"%s %s"
			}, []string{"1:18 warning NOTIFYMSG: %d means nothing",
				"2:18 warning NOTIFYMSG: % means nothing", "3:15 warning NOTIFYMSG: 2 times %s"}},
		{"set twice", "NOTIFYMSG CAL x\nNOTIFYMSG CAL y\nDEADTIME 5\nDEADTIME 6\n",
			func(c *Upsmon) {
				c.NotifyMsg["CAL"], c.DeadTime = "y", 6*time.Second
			}, []string{"2:11 warning NOTIFYMSG: has a message already",
				"4:1 warning set in line 3 already"}},
		{"a wrong host entry", "CERTHOST h n yes 1\n", func(*Upsmon) {},
			[]string{"1:14 error CERTHOST: not a number"}},
		{"a quote that is open joins lines", "NOTIFYMSG CAL \"x\nDEADTIME 5\n",
			func(c *Upsmon) { c.NotifyMsg["CAL"] = "xDEADTIME 5" },
			[]string{"1:15 warning Parse error: quote is not closed on its line",
				"1:15 warning Parse error: quote is not closed at the end"}},
	} {
		want := DefaultUpsmon()
		tt.want(want)
		got, problems := ParseUpsmon("f.conf", []byte(tt.in))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
		expect(t, tt.in, problems, tt.problems...)
	}
}
