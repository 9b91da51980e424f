package upsd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsd"
)

// conf is a configuration with one file changed.
func conf(name, text string) map[string]string { return map[string]string{"/etc/nut/" + name: text} }

// reload changes a file and tells the server.
func (s *site) reload(name, text string) {
	s.h.WriteFile("/etc/nut/"+name, []byte(text))
	s.h.Find("upsd")[0].Signal(env.Hangup)
	s.run(100 * time.Millisecond)
}

// staleAfter is how long the driver must be silent until its data is stale.
func (s *site) staleAfter(d *driver, c *client) time.Duration {
	s.t.Helper()
	d.out.Put("PONG\n")
	d.mute = true
	for waited := time.Duration(0); waited < 2*time.Minute; waited += time.Second {
		if c.say(getStatus) == stale+"\n" {
			d.mute = false
			d.out.Put("PONG\n")
			return waited
		}
		s.run(time.Second - 10*time.Millisecond)
	}
	s.t.Fatal("never stale")
	return 0
}

func about(got, want time.Duration) bool { return got >= want && got <= want+2*time.Second }

// `upsd.md 5 MAXAGE`, UD-R3, DS-S1: as at the start so at a reload. A directive that was taken out
// is back at its default, where NUT keeps what it was until the next start.
func TestMaxAge(t *testing.T) {
	s := newSite(t, conf("upsd.conf", "LISTEN *\n"))
	d := s.driver("fake")
	s.start()
	c := s.client()
	for _, tt := range []struct {
		text string
		want time.Duration
	}{{"", 16 * time.Second}, {"MAXAGE 30\n", 31 * time.Second}, {"MAXAGE 4\n", 5 * time.Second}, {"\n", 16 * time.Second}} {
		if tt.text != "" {
			s.reload("upsd.conf", "LISTEN *\n"+tt.text)
		}
		if got := s.staleAfter(d, c); !about(got, tt.want) {
			t.Errorf("upsd.conf with %q: stale after %v, want %v", tt.text, got, tt.want)
		}
	}
}

// `upsd.md 5 TRACKINGDELAY`, NP-K4.
func TestTrackingDelay(t *testing.T) {
	for text, want := range map[string]string{"": "SUCCESS\n", "TRACKINGDELAY 20\n": "ERR UNKNOWN\n"} {
		s := newSite(t, conf("upsd.conf", text))
		d := s.driver("fake")
		s.start()
		c := s.client()
		c.want("USERNAME p\nPASSWORD topsecret\nSET TRACKING ON", "OK\nOK\nOK")
		id := strings.Fields(c.say("INSTCMD fake load.off"))[2]
		d.out.Put("TRACKING " + id + " 0\n")
		s.run(30 * time.Second)
		if got := c.say("GET TRACKING " + id); got != want {
			t.Errorf("%q: %q after 30 s, want %q", text, got, want)
		}
	}
}

// `upsd.md 5 STATEPATH`, `upsd.md 6 global statepath`, `upsd.md 6 socket name`, DS-1.
func TestSocketsAreInTheStateFolder(t *testing.T) {
	tests := []struct{ name, upsd, ups, file string }{
		{"as built", "", "", "/run/nut/dummy-ups-fake"},
		{"upsd.conf", "STATEPATH /var/ups\n", "", "/var/ups/dummy-ups-fake"},
		{"ups.conf before upsd.conf", "STATEPATH /var/ups\n", "statepath = /opt/ups\n", "/opt/ups/dummy-ups-fake"},
	}
	for _, tt := range tests {
		s := newSite(t, map[string]string{"/etc/nut/upsd.conf": tt.upsd, "/etc/nut/ups.conf": tt.ups + upsConf,
			"/var/ups/.keep": "", "/opt/ups/.keep": ""})
		s.driverAt(tt.file)
		s.start()
		s.client().want(getStatus, online)
	}
}

// `upsd.md 5 DATAPATH`, NP-C14, NP-C15.
func TestDescriptionsOfTheSite(t *testing.T) {
	s := newSite(t, map[string]string{"/etc/nut/upsd.conf": "DATAPATH /usr/share/nut\n",
		"/usr/share/nut/cmdvartab": "VARDESC ups.status \"How it is\"\nCMDDESC load.off \"Dark\"\n"})
	s.driver("fake")
	s.start()
	c := s.client()
	c.want("GET DESC fake ups.status", `DESC fake ups.status "How it is"`)
	c.want("GET CMDDESC fake load.off", `CMDDESC fake load.off "Dark"`)
	c.want("GET DESC fake no.such", `DESC fake no.such "Description unavailable"`)
}

// `upsd.md 5 DEBUG_MIN`, `upsd.md 2 -D`, `upsd.md 12 NUT_DEBUG_LEVEL`, `upsd.md 12 NUT_DEBUG_PID`.
func TestDebugLevels(t *testing.T) {
	tests := []struct {
		name, text string
		environ    []string
		args       []string
		want       string
	}{
		{"nothing", "", nil, nil, ""},
		{"the file", "DEBUG_MIN 2\n", nil, nil, "[D2] Connect from 127.0.0.1"},
		{"the file, in small letters", "debug_min 2\n", nil, nil, "[D2] Connect from 127.0.0.1"},
		{"the flag", "", nil, []string{"-DD"}, "[D2] Connect from 127.0.0.1"},
		{"the environment", "", []string{"NUT_DEBUG_LEVEL=2"}, nil, "[D2] Connect from 127.0.0.1"},
		{"the flag before the environment", "", []string{"NUT_DEBUG_LEVEL=2"}, []string{"-D"}, ""},
		{"the file is the least", "DEBUG_MIN 2\n", []string{"NUT_DEBUG_LEVEL=1"}, []string{"-D"}, "[D2] Connect from"},
		{"who says it", "DEBUG_MIN 2\n", []string{"NUT_DEBUG_PID=1", "NUT_DEBUG_PROCNAME=1"}, nil, "[D2:upsd:"},
	}
	for _, tt := range tests {
		s := newSite(t, conf("upsd.conf", tt.text))
		s.launch(tt.environ, append([]string{"-F"}, tt.args...)...)
		s.client()
		if got := s.count("Connect from"); tt.want == "" && got != 0 {
			t.Errorf("%s: connections are logged", tt.name)
		}
		if tt.want != "" {
			s.wantLog(tt.want)
		}
	}
}

// launch starts upsd with variables of its own.
func (s *site) launch(environ []string, args ...string) {
	s.h.StartMain("launcher", func(e env.Env, _ []string) int {
		e.Host().Run(e, env.Command{Args: append([]string{"upsd"}, args...), Env: environ}, env.Never)
		return 0
	})
	s.run(100 * time.Millisecond)
}

// `upsd.md 12 NUT_QUIET_INIT_BANNER`: lines of the start that the environment does not want.
func TestQuietStarts(t *testing.T) {
	for variable, text := range map[string]string{"BANNER": "Network UPS Tools upsd", "LISTENER": "listening on 0.0.0.0"} {
		for _, value := range []string{"", "true"} {
			s := newSite(t, nil)
			s.launch([]string{"NUT_QUIET_INIT_" + variable + "=" + value}, "-F")
			if got := s.count(text) > 0; got != (value == "") {
				t.Errorf("NUT_QUIET_INIT_%s=%s: %q is said: %v", variable, value, text, got)
			}
		}
	}
}

// `upsd.md 2 -q`: of what happens after the start.
func TestQuietLogs(t *testing.T) {
	for args, want := range map[string][2]bool{"": {true, true}, "-q": {false, true}, "-qq": {false, false}} {
		s := newSite(t, nil)
		d := s.driver("fake")
		s.start(append([]string{"-F"}, strings.Fields(args)...)...)
		d.out.Put("DATASTALE\nDATAOK\n")
		s.run(time.Millisecond)
		d.out.Put("DATASTALE\n")
		s.run(time.Second)
		d.out.Put("DATAOK\n")
		s.run(time.Second)
		if s.count("no longer stale") > 0 != want[0] || s.count("is stale") > 0 != want[1] {
			t.Errorf("upsd %s: want notices %v, warnings %v in:\n%s", args, want[0], want[1], strings.Join(s.log, "\n"))
		}
	}
}

// UD-A1: who can connect may read; who has no rights may do nothing else. UD-A4 and
// `upsd.md 5 LISTEN`: without LISTEN nobody connects from another machine.
func TestWhoMayWhat(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	c.want(getStatus, online)
	c.want("USERNAME guest\nPASSWORD x\nSET VAR fake ups.id y\nINSTCMD fake load.off\nFSD fake\nLOGIN fake",
		"OK\nOK"+strings.Repeat("\nERR ACCESS-DENIED", 4))
	if len(d.got) != 1 {
		t.Errorf("the driver got %q", d.got)
	}
	for text, want := range map[string]bool{"": false, "LISTEN *\n": true, "LISTEN 0.0.0.0\n": true} {
		s := newSite(t, conf("upsd.conf", text))
		s.driver("fake")
		s.start()
		other := s.w.Host("desk")
		other.PowerOn()
		reached := false
		other.StartMain("client", func(e env.Env, _ []string) int {
			_, err := e.Net().Dial(e, "tcp", "nas:3493", e.Now().Add(time.Second))
			reached = err == nil
			return 0
		})
		s.run(2 * time.Second)
		if reached != want {
			t.Errorf("%q: another machine connects: %v, want %v", text, reached, want)
		}
	}
}

// UD-R4: what LISTEN says anew waits for the next start.
func TestReloadOpensNoListener(t *testing.T) {
	s := newSite(t, nil)
	s.start()
	s.reload("upsd.conf", "LISTEN 0.0.0.0 5000\n")
	if s.count("port 5000") != 0 {
		t.Errorf("log:\n%s", strings.Join(s.log, "\n"))
	}
	s.client().want("NETVER", "1.3")
}

// UD-R2 and more: a file that cannot be read, or that has errors which it had not before, changes
// nothing; the other files count.
func TestReloadOfABrokenFileKeepsWhatWas(t *testing.T) {
	const two = upsConf + "[second]\n\tdriver = dummy-ups\n\tport = x\n"
	tests := []struct{ name, file, text, want string }{
		{"a UPS lost its driver", "ups.conf", strings.Replace(upsConf, "driver", "diver", 1), "Reload of ups.conf failed: 1 new errors in it"},
		{"a quote swallows the rest", "ups.conf", "[fake]\n\tdesc = \"no #1\n\tdriver = dummy-ups\n", "Parse error: Unbalanced word"},
		{"a user lost the role", "upsd.users", strings.Replace(upsdUsers, "upsmon primary", "upsmon primry", 1), "Reload of upsd.users failed: 1 new errors in it"},
		{"a number is none", "upsd.conf", "MAXAGE 6s0\nMAXAGE x\n", "Reload of upsd.conf failed: 1 new errors in it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/etc/nut/ups.conf": two, "/etc/nut/upsd.conf": "MAXAGE 6\nFOO bar\n"})
			d := s.driver("fake")
			s.start()
			c := s.client()
			c.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake\nFSD fake", "OK\nOK\nOK\nOK FSD-SET")
			s.reload(tt.file, tt.text)
			s.wantLog("SIGHUP: reloading configuration", tt.want)
			c.want(getStatus, `VAR fake ups.status "FSD OL"`)
			c.want("PRIMARY fake", "OK PRIMARY-GRANTED")
			c.want("GET UPSDESC second", `UPSDESC second "Unavailable"`)
			if got := s.staleAfter(d, c); !about(got, 7*time.Second) {
				t.Errorf("stale after %v, want 7 s", got)
			}
			s.reload("ups.conf", two)
			s.reload("upsd.users", upsdUsers+"[new]\n\tpassword = n\n\tactions = FSD\n")
			s.reload("upsd.conf", "MAXAGE 20\nFOO bar\n") // FOO was there before: NUT's way is to leave it out
			s.client().want("USERNAME new\nPASSWORD n\nFSD fake", "OK\nOK\nOK FSD-SET")
			if got := s.staleAfter(d, c); !about(got, 21*time.Second) {
				t.Errorf("after a good file: stale after %v, want 21 s", got)
			}
		})
	}
}

// Warnings of -t that leave everything as it is.
func TestConfigCheckWarns(t *testing.T) {
	s := newSite(t, conf("ups.conf", upsConf+"[two]\n\tdriver = d\n\tport = p\n\tdesc = \"the \\\"big\\\" one\"\n"))
	code, _, text := s.outcome(nil, "-t")
	want := `/etc/nut/ups.conf:9:2: "the \"big\" one": quotes and backslashes in desc confuse some clients`
	if code != 0 || !strings.Contains(text, want) || strings.Count(text, "confuse") != 1 {
		t.Errorf("exit %d:\n%s", code, text)
	}
}

// `upsd.md 2 -V`, `upsd.md 2 -P`, `upsd.md 3 second instance`.
func TestFlagsThatSayMore(t *testing.T) {
	s := newSite(t, nil)
	if code, _, text := s.outcome(nil, "-DV"); code != 0 || !strings.Contains(text, "files in /etc/nut, sockets of drivers in /run/nut") {
		t.Errorf("-DV: exit %d: %s", code, text)
	}
	s.start("-FF")
	pid := s.h.Find("upsd")[0].Pid()
	if code, _, _ := s.outcome(nil, "-c", "reload", "-P", fmt.Sprint(pid)); code != 0 || s.count("SIGHUP") != 1 {
		t.Errorf("-c reload -P %d: exit %d, log:\n%s", pid, code, strings.Join(s.log, "\n"))
	}
	for _, number := range []string{"0", "-3", "upsd"} {
		if code, ended, text := s.outcome(nil, "-c", "stop", "-P", number); code != 1 || ended || !strings.Contains(text, "want the number of a process") {
			t.Errorf("-P %s: exit %d: %s", number, code, text)
		}
	}
}

// `upsd.md 12 NUT_IGNORE_CHECKPROCNAME`, DS-7: -c finds a server that runs under another name only
// where the site says so.
func TestAServerUnderAnotherName(t *testing.T) {
	for value, want := range map[string]int{"": 1, "true": 0} {
		s := newSite(t, nil)
		s.h.StartMain("netups", func(e env.Env, _ []string) int { return upsd.Main(e, []string{"-FF"}) })
		s.run(100 * time.Millisecond)
		if code, _, text := s.outcome([]string{"NUT_IGNORE_CHECKPROCNAME=" + value}, "-c", "stop"); code != want {
			t.Errorf("NUT_IGNORE_CHECKPROCNAME=%s: exit %d, want %d: %s", value, code, want, text)
		}
		if n := len(s.h.Find("netups")); n != want {
			t.Errorf("NUT_IGNORE_CHECKPROCNAME=%s: %d servers run, want %d", value, n, want)
		}
	}
}
