package upsd_test

import (
	"strings"
	"testing"
	"time"
)

const forced = `VAR fake ups.status "FSD OL"`

// leaseSite is a site where a primary has set FSD, with the UPS on battery.
func leaseSite(t *testing.T, conf string) (s *site, d *driver, primary *client) {
	s = newSite(t, map[string]string{"/etc/nut/upsd.conf": "LISTEN *\n" + conf})
	d = s.driver("fake")
	s.start()
	d.out.Put("SETINFO ups.status \"OB LB\"\n")
	primary = s.client()
	primary.want("USERNAME p\nPASSWORD topsecret\nPRIMARY fake\nFSD fake", "OK\nOK\nOK PRIMARY-GRANTED\nOK FSD-SET")
	return s, d, primary
}

func TestFSDEndsWhenTheShutdownDidNotHappen(t *testing.T) {
	s, d, primary := leaseSite(t, "FSDLEASE 60\n")
	other := s.client()
	said := func(want string) {
		t.Helper()
		if got := other.say(getStatus); got != want+"\n" {
			t.Errorf("at %v: %q, want %q", time.Duration(s.w.Now()), got, want)
		}
	}
	keep := func(c *client, d time.Duration) { // as a monitor polls
		for end := s.w.Now().Add(d); s.w.Now() < end; {
			s.run(5 * time.Second)
			c.say(getStatus)
			other.say(getStatus)
		}
	}
	keep(primary, 5*time.Minute)
	said(`VAR fake ups.status "FSD OB LB"`)
	d.out.Put("SETINFO ups.status \"OL\"\n")
	keep(primary, 5*time.Minute) // its owner holds it
	said(forced)
	primary.say("LOGOUT")
	keep(other, 30*time.Second)
	d.out.Put("SETINFO ups.status \"OB\"\n") // the power goes again: the time begins anew
	keep(other, 5*time.Second)
	d.out.Put("SETINFO ups.status \"OL\"\n")
	keep(other, 50*time.Second)
	said(forced)
	keep(other, 15*time.Second)
	said(`VAR fake ups.status "OL"`)
	s.wantLog("FSD on UPS [fake] is cleared: FSDLEASE: the UPS is on line power and p@127.0.0.1 has been gone for 60 s")
	s.wantEvents("fsd fake=set", "fsd fake=cleared")
}

func TestFSDEndsWhenItsOwnerIsBack(t *testing.T) {
	for _, tt := range []struct {
		name    string
		away    time.Duration
		status  string
		login   string
		cleared bool
	}{
		{"after a reboot", 40 * time.Second, "OL", "USERNAME p\nPASSWORD topsecret\nPRIMARY fake", true},
		{"by its old name", 40 * time.Second, "OL CHRG LB", "USERNAME p\nPASSWORD topsecret\nMASTER fake", true},
		{"a monitor that crashed in the shutdown", 5 * time.Second, "OL", "USERNAME p\nPASSWORD topsecret\nPRIMARY fake", false},
		{"still on battery", 40 * time.Second, "OB", "USERNAME p\nPASSWORD topsecret\nPRIMARY fake", false},
		{"a login alone is anybody's", 40 * time.Second, "OL", "USERNAME p\nPASSWORD topsecret\nLOGIN fake", false},
		{"a wrong password", 40 * time.Second, "OL", "USERNAME p\nPASSWORD wrong\nPRIMARY fake", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, d, primary := leaseSite(t, "")
			primary.say("LOGOUT")
			s.run(tt.away)
			d.out.Put("SETINFO ups.status \"" + tt.status + "\"\n")
			s.run(time.Second)
			back := s.client()
			back.say(tt.login)
			got := back.say(getStatus)
			if has := strings.Contains(got, "FSD"); has == tt.cleared {
				t.Errorf("status %q, want FSD cleared: %v", got, tt.cleared)
			}
		})
	}
}

// A host that loses power says no farewell, and its old connection is still there when it has booted.
func TestFSDEndsWhenItsOwnerIsBackFromAPowerCut(t *testing.T) {
	for _, tt := range []struct {
		name    string
		silent  time.Duration
		cleared bool
	}{
		{"within the idle limit", 40 * time.Second, true},
		{"just behind it", 63 * time.Second, true},
		{"a second session of a live monitor", 20 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, d, primary := leaseSite(t, "")
			d.out.Put("SETINFO ups.status \"OL\"\n")
			primary.want("PRIMARY fake", "OK PRIMARY-GRANTED") // who holds FSD does not clear it
			s.run(tt.silent)
			back := s.client()
			back.say("USERNAME p\nPASSWORD topsecret\nPRIMARY fake")
			got := back.say(getStatus)
			if has := strings.Contains(got, "FSD"); has == tt.cleared {
				t.Errorf("status %q, want FSD cleared: %v", got, tt.cleared)
			}
		})
	}
}

// FSDLEASE 0, and data that is not fresh: as with NUT, for ever (NP-F2).
func TestFSDStays(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		mute       bool
	}{{"by configuration", "FSDLEASE 0\n", false}, {"without fresh data", "", true}} {
		t.Run(tt.name, func(t *testing.T) {
			s, d, primary := leaseSite(t, tt.conf)
			primary.say("LOGOUT")
			d.out.Put("SETINFO ups.status \"OL\"\n")
			s.run(time.Second)
			d.mute = tt.mute
			s.run(2 * time.Hour)
			d.mute = false
			s.run(5 * time.Second)
			if got := s.client().say(getStatus); !tt.mute && got != forced+"\n" || s.count("is cleared") > 0 {
				t.Errorf("status %q, cleared %d times", got, s.count("is cleared"))
			}
		})
	}
}

func TestServerFSDTellsOwnerAndAge(t *testing.T) {
	s, _, _ := leaseSite(t, "")
	c := s.client()
	s.run(30 * time.Second)
	c.want("GET VAR fake server.fsd", `VAR fake server.fsd "30 p@127.0.0.1 OB LB"`)
	c.want("GET VAR nobody server.fsd", "ERR VAR-NOT-SUPPORTED")
}
