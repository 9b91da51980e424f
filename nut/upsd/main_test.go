package upsd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsd"
)

// outcome runs upsd to its end, if it ends, and returns its exit code and what it printed.
func (s *site) outcome(environ []string, args ...string) (code int, ended bool, text string) {
	from := len(s.log)
	var printed strings.Builder
	s.h.StartMain("launcher", func(e env.Env, _ []string) int {
		st, err := e.Host().Run(e, env.Command{Args: append([]string{"upsd"}, args...), Env: environ,
			Stdout: &printed, Stderr: &printed}, e.Now().Add(5*time.Second))
		code, ended = int(st), err == nil
		return 0
	})
	s.run(6 * time.Second)
	return code, ended && len(s.h.Find("upsd")) == 0, printed.String() + strings.Join(s.log[from:], "\n")
}

// UD section 3.
func TestStartFailures(t *testing.T) {
	tests := []struct {
		name    string
		files   map[string]string // "-" removes
		environ []string
		args    []string
		code    int
		want    string
	}{
		{name: "no upsd.conf", files: map[string]string{"/etc/nut/upsd.conf": "-"}, code: 1,
			want: "/etc/nut/upsd.conf: No such file or directory"},
		{name: "no ups.conf", files: map[string]string{"/etc/nut/ups.conf": "-"}, code: 1,
			want: "/etc/nut/ups.conf: No such file or directory"},
		{name: "no upsd.users", files: map[string]string{"/etc/nut/upsd.users": "-"}, code: 1,
			want: "/etc/nut/upsd.users: No such file or directory"},
		{name: "another folder", environ: []string{"NUT_CONFPATH=/opt"}, code: 1,
			want: "/opt/upsd.conf: No such file or directory"},
		{name: "no UPS", files: map[string]string{"/etc/nut/ups.conf": "# nothing\n"}, code: 1,
			want: "Fatal error: at least one UPS must be defined in ups.conf"},
		{name: "no state folder", environ: []string{"NUT_STATEPATH=/nowhere"}, code: 1,
			want: "/nowhere: No such file or directory"},
		{name: "`upsd.md 14 two LISTEN`, one of them bogus", files: map[string]string{"/etc/nut/upsd.conf": "LISTEN 127.0.0.1\nLISTEN db\n"}, code: 1,
			want: "Fatal error: some listening interfaces were not available"},
		{name: "no LISTEN at all", files: map[string]string{"/etc/nut/upsd.conf": "LISTEN db\n"}, code: 1,
			want: "no listening interface available"},
		{name: "an option that was removed", args: []string{"-i", "127.0.0.1"}, code: 1, want: "LISTEN"},
		{name: "a wrong flag shows help", args: []string{"-Z"}, code: 0, want: "usage: upsd"},
		{name: "a wrong command shows help (UD section 2)", args: []string{"-c", "fly"}, code: 0, want: "usage: upsd"},
		{name: "help", args: []string{"-h"}, code: 0, want: "-c, --command reload"},
		{name: "version", args: []string{"-V"}, code: 0, want: "Network UPS Tools upsd 2.8.5 (blackstart"},
		{name: "nobody to signal", args: []string{"-c", "reload"}, code: 1,
			want: "Failed to signal the currently running daemon (if any)"},
		{name: "nobody under that number", args: []string{"-c", "stop", "-P", "4711"}, code: 1, want: "No such process"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.w.Host("db").PowerOn()
			for name, text := range tt.files {
				if s.h.WriteFile(name, []byte(text)); text == "-" {
					s.remove(name)
				}
			}
			code, ended, text := s.outcome(tt.environ, tt.args...)
			if !ended || code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("exit %d, ended %v, want %d; looking for %q in:\n%s", code, ended, tt.code, tt.want, text)
			}
			if _, ok := s.h.File("/run/nut/upsd.pid"); ok {
				t.Error("a PID file is left behind")
			}
		})
	}
}

// remove deletes a file as a program on the host would.
func (s *site) remove(name string) {
	s.h.StartMain("rm", func(e env.Env, _ []string) int { e.Host().Remove(name); return 0 })
	s.run(time.Millisecond)
}

func TestStartsThatWork(t *testing.T) {
	tests := []struct {
		name    string
		files   map[string]string
		environ []string
		args    []string
		want    string
	}{
		{name: "nothing to serve, and it is meant", files: map[string]string{"/etc/nut/ups.conf": "",
			"/etc/nut/upsd.conf": "ALLOW_NO_DEVICE true\n"}, want: "Found 0 UPS defined in ups.conf"},
		{name: "nothing to serve, by the environment", files: map[string]string{"/etc/nut/ups.conf": ""},
			environ: []string{"ALLOW_NO_DEVICE=1"}, want: "Found 0 UPS defined in ups.conf"},
		{name: "half of the listeners, and it is meant", environ: []string{"ALLOW_NOT_ALL_LISTENERS=true"},
			files: map[string]string{"/etc/nut/upsd.conf": "LISTEN 127.0.0.1 3493\nLISTEN db 3493\n"},
			want:  "not listening on db port 3493"},
		{name: "`upsd.md 5 ALLOW_NOT_ALL_LISTENERS`", files: map[string]string{"/etc/nut/upsd.conf": "LISTEN 127.0.0.1 3493\nLISTEN db 3493\n" +
			"ALLOW_NOT_ALL_LISTENERS 1\n"}, want: "going on because of ALLOW_NOT_ALL_LISTENERS"},
		{name: "loopback by default", files: map[string]string{"/etc/nut/upsd.conf": ""},
			want: "listening on 127.0.0.1 port 3493"},
		{name: "loopback of both families", files: map[string]string{"/etc/nut/upsd.conf": ""}, want: "listening on ::1 port 3493"},
		{name: "every address", files: map[string]string{"/etc/nut/upsd.conf": "LISTEN * 4000\n"},
			want: "listening on 0.0.0.0 port 4000"},
		{name: "wrong entries are left out", files: map[string]string{"/etc/nut/upsd.conf": "MAXAGE much\nFOO 1\n"},
			want: "Encountered 2 config errors, those entries were ignored"},
		{name: "a UPS without a port is left out", files: map[string]string{
			"/etc/nut/ups.conf": upsConf + "[half]\n\tdriver = dummy-ups\n"}, want: "UPS [half]"},
		{name: "a name given twice counts once", files: map[string]string{
			"/etc/nut/ups.conf": upsConf + "[FAKE]\n\tdriver = x\n\tport = y\n"}, want: "UPS name [FAKE] is already in use!"},
		{name: "a stale PID file of a crash", files: map[string]string{"/run/nut/upsd.pid": "4711\n"}, want: "Found 1 UPS"},
		{name: "a PID file of rubbish", files: map[string]string{"/run/nut/upsd.pid": "\x00\xff\n"}, want: "Found 1 UPS"},
		{name: "a PID file with the number of another program", files: map[string]string{"/run/nut/upsd.pid": "1\n"},
			want: "Found 1 UPS"},
		{name: "a PID file with our own number", files: map[string]string{"/run/nut/upsd.pid": "3\n"}, want: "Found 1 UPS"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, tt.files)
			s.w.Host("db").PowerOn()
			s.h.StartMain("init", func(e env.Env, _ []string) int { e.Sleep(time.Hour); return 0 }) // takes number 1
			code, ended, text := s.outcome(tt.environ, tt.args...)
			if ended || code != 0 || len(s.h.Find("upsd")) != 1 || !strings.Contains(text, tt.want) {
				t.Errorf("exit %d, ended %v, want a running upsd; looking for %q in:\n%s", code, ended, tt.want, text)
			}
		})
	}
}

// `upsd.md 7 file readable by everybody`.
func TestAFileWithPasswordsThatEverybodyMayRead(t *testing.T) {
	s := newSite(t, nil)
	s.h.StartMain("chmod", func(e env.Env, _ []string) int {
		e.Host().Chmod("/etc/nut/upsd.users", 0o644)
		e.Host().Chmod("/etc/nut/upsd.conf", 0o640)
		return 0
	})
	s.run(time.Millisecond)
	s.start()
	s.wantLog("/etc/nut/upsd.users is world readable (hope you don't have passwords there)")
	if s.count("upsd.conf is world readable") != 0 {
		t.Error("upsd.conf is complained about too")
	}
}

// `upsd.md 2 -c reload`, `upsd.md 2 -c stop`, `upsd.md 3 second instance`, `upsd.md 4 HUP`, `upsd.md 4 TERM`, DS-5.
func TestSignalsAndThePIDFile(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	if code, ended, text := s.outcome(nil); code != 1 || ended ||
		!strings.Contains(text, "Fatal error: A previous upsd instance is already running!") {
		t.Errorf("a second instance: exit %d:\n%s", code, text)
	}
	if code, _, _ := s.outcome(nil, "-c", "rel"); code != 0 {
		t.Errorf("-c rel: exit %d", code)
	}
	s.wantLog("SIGHUP: reloading configuration")
	if code, ended, _ := s.outcome(nil, "-c", "stop"); code != 0 || !ended {
		t.Errorf("-c stop: exit %d, ended %v", code, ended)
	}
	s.wantLog("Signal 15: exiting")
	if _, ok := s.h.File("/run/nut/upsd.pid"); ok {
		t.Error("the PID file is left behind")
	}
}

// DS-6, `upsd.md 2 -B`.
func TestForegroundWritesNoPIDFileUnlessToldTwice(t *testing.T) {
	for arg, want := range map[string]bool{"-F": false, "-FF": true, "-D": false, "-DB": true} {
		s := newSite(t, nil)
		s.start(arg)
		if _, ok := s.h.File("/run/nut/upsd.pid"); ok != want {
			t.Errorf("upsd %s: PID file %v, want %v", arg, ok, want)
		}
	}
}

func TestTerminationIsCleanAndExitsZero(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	code := -1
	s.h.StartMain("upsd", func(e env.Env, _ []string) int {
		code = upsd.Main(e, []string{"-FF"})
		return code
	})
	s.run(100 * time.Millisecond)
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake", "OK\nOK\nOK")
	s.h.Find("upsd")[0].Signal(env.Terminate)
	s.run(time.Second)
	if code != 0 || c.closed == "" {
		t.Errorf("exit %d, client closed at %q", code, c.closed)
	}
	s.wantEvents("login fake=127.0.0.1", "logout fake=127.0.0.1")
}

// NP-F2, `upsd.md 14 FSD then upsd restart`.
func TestFSDEndsWithTheServer(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nFSD fake", "OK\nOK\nOK FSD-SET")
	c.want(getStatus, `VAR fake ups.status "FSD OL"`)
	s.h.Find("upsd")[0].Kill()
	s.start()
	s.client().want(getStatus, online)
	s.wantEvents("fsd fake=set", "served fake=FSD OL", "served fake=OL")
}

func TestConfigCheck(t *testing.T) {
	tests := []struct {
		name, file, text string
		code             int
		want             string
	}{
		{"all is well", "/etc/nut/upsd.conf", "MAXAGE 10\n", 0, "are good: 1 UPS"},
		{"an unknown directive", "/etc/nut/upsd.conf", "MAXAGE 10\n  MAXAGO 10\n", 1, "/etc/nut/upsd.conf:2:3: \"MAXAGO\""},
		{"a missing driver", "/etc/nut/ups.conf", "[u]\n\tport = x\n", 1, "/etc/nut/ups.conf:1:1:"},
		{"an unknown key", "/etc/nut/upsd.users", "[u]\n\tpasswort = geheim\n", 1, "/etc/nut/upsd.users:2:2:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{tt.file: tt.text})
			code, ended, text := s.outcome(nil, "-t")
			if !ended || code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("exit %d, ended %v, want %d; looking for %q in:\n%s", code, ended, tt.code, tt.want, text)
			}
			if strings.Contains(text, "geheim") {
				t.Errorf("a password is printed: %s", text)
			}
		})
	}
}

// UD-R1, UD-R5 to UD-R7, UD-R9, NP-F4, NP-L3, `upsd.md 14 reload adds/removes/renames UPS`.
func TestReload(t *testing.T) {
	s := newSite(t, map[string]string{"/etc/nut/ups.conf": upsConf + "[gone]\n\tdriver = dummy-ups\n\tport = x\n"})
	s.driver("fake")
	s.driver("gone")
	s.start()
	keeper, leaver := s.client(), s.client()
	keeper.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake\nFSD fake", "OK\nOK\nOK\nOK FSD-SET")
	leaver.want("USERNAME p\nPASSWORD topsecret\nLOGIN gone", "OK\nOK\nOK")
	s.driver("fresh")
	s.h.WriteFile("/etc/nut/ups.conf", []byte("[fake]\n\tdriver = dummy-ups\n\tport = fake.dev\n\tdesc = other\n"+
		"[fresh]\n\tdriver = dummy-ups\n\tport = x\n[second]\n\tdriver = dummy-ups\n\tport = x\n"))
	s.h.WriteFile("/etc/nut/upsd.conf", []byte("MAXAGE 20\nLISTEN 0.0.0.0 5000\n"))
	s.h.WriteFile("/etc/nut/upsd.users", []byte("[p]\n\tpassword = changed\n\tupsmon primary\n"))
	s.h.Find("upsd")[0].Signal(env.Hangup)
	s.run(time.Second)
	keeper.want("LIST UPS", "BEGIN LIST UPS\nUPS second \"Description unavailable\"\nUPS fresh \"Description unavailable\"\n"+
		"UPS fake \"other\"\nEND LIST UPS")
	keeper.want(getStatus, `VAR fake ups.status "FSD OL"`)
	keeper.want("GET NUMLOGINS fake", "NUMLOGINS fake 1")
	keeper.want("GET VAR fresh ups.status", `VAR fresh ups.status "OL"`)
	keeper.want("GET VAR gone ups.status", "ERR UNKNOWN-UPS")
	keeper.want("PRIMARY fake", "ERR ACCESS-DENIED")
	if leaver.closed == "" {
		t.Error("a client of the removed UPS is kept")
	}
	s.wantLog("SIGHUP: reloading configuration", "Deleting UPS [gone]", "Kicking client 127.0.0.1 (was on UPS [gone])")
	if s.count("Connected to UPS [fake]") != 1 {
		t.Error("an unchanged UPS was connected to again")
	}
}

// UD-R5, UD-R9, `upsd.md 14 FSD then driver restart`.
func TestReloadOfARedefinedUPSConnectsAgain(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake\nFSD fake", "OK\nOK\nOK\nOK FSD-SET")
	s.h.WriteFile("/etc/nut/ups.conf", []byte(strings.Replace(upsConf, "dummy-ups", "usbhid-ups", 1)))
	s.h.Find("upsd")[0].Signal(env.Hangup)
	c.want(getStatus, alone)
	c.want("GET UPSDESC fake", `UPSDESC fake "Lab UPS one"`)
	s.wantLog("Redefined UPS [fake]", "Can't connect to UPS [fake] (usbhid-ups-fake): No such file or directory")
	s.h.WriteFile("/etc/nut/ups.conf", []byte(upsConf))
	s.h.Find("upsd")[0].Signal(env.Hangup)
	s.run(2 * time.Second)
	c.want(getStatus, `VAR fake ups.status "FSD OL"`) // logins and FSD are the UPS's, not the driver's
}

// UD-R2.
func TestReloadWithoutAFileChangesNothing(t *testing.T) {
	for _, name := range []string{"/etc/nut/upsd.conf", "/etc/nut/ups.conf", "/etc/nut/upsd.users"} {
		s := newSite(t, nil)
		s.driver("fake")
		s.start()
		c := s.client()
		s.remove(name)
		s.h.Find("upsd")[0].Signal(env.Hangup)
		s.run(time.Second)
		c.want(getStatus, online)
		c.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake", "OK\nOK\nOK")
		s.wantLog("failed: can't open " + name + ": No such file or directory")
	}
}

// UD-R8.
func TestReloadToNothing(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nFSD fake", "OK\nOK\nOK FSD-SET")
	s.h.WriteFile("/etc/nut/ups.conf", nil)
	s.h.Find("upsd")[0].Signal(env.Hangup)
	c.want("LIST UPS", "BEGIN LIST UPS\nEND LIST UPS")
	s.wantLog("no UPSes currently defined")
	s.h.WriteFile("/etc/nut/ups.conf", []byte(upsConf))
	s.h.Find("upsd")[0].Signal(env.Hangup)
	s.run(2 * time.Second)
	c.want(getStatus, online) // NP-F2: removing and adding clears FSD
	s.wantEvents("fsd fake=set", "fsd fake=cleared", "data fake=lost", "data fake=fresh", "served fake=OL")
}

func TestADriverThatHangsDelaysTheStartByTwoSecondsOnly(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	d.dump = "SETINFO ups.status OL\n" // never DUMPDONE
	from := s.w.Now()
	s.h.StartMain("launcher", func(e env.Env, _ []string) int {
		if _, err := e.Host().Run(e, env.Command{Args: []string{"upsd"}}, env.Never); err != nil {
			t.Error(err)
		}
		if took := e.Now().Sub(from); took < time.Second || took > 3*time.Second {
			t.Errorf("the command returned after %v", took)
		}
		return 0
	})
	s.run(5 * time.Second)
	s.client().want(getStatus, online)
}

func TestTheSameSeedTellsTheSameStory(t *testing.T) {
	story := func() string {
		s := newSite(t, nil)
		d := s.driver("fake")
		s.start("-DD")
		var all []*client
		for range 5 {
			all = append(all, s.client())
		}
		for i, c := range all {
			c.say("USERNAME p", "PASSWORD topsecret", "SET TRACKING ON", "INSTCMD fake load.off", "LOGIN fake")
			if i == 2 {
				d.p.Kill()
			}
		}
		s.run(time.Minute)
		return strings.Join(append(append(s.log, s.events...), d.got...), "\n")
	}
	if a, b := story(), story(); a != b {
		t.Errorf("first\n%s\nthen\n%s", a, b)
	}
}
