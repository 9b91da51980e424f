package upsd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Whoever guesses waits; whoever knows the password does not, at the same address neither.
func TestAGuesserDelaysNobodyElse(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	for range 20 {
		s.client().say("USERNAME p", "PASSWORD wrong", "LOGIN fake")
	}
	s.client().want("USERNAME p\nPASSWORD topsecret\nPRIMARY fake", "OK\nOK\nOK PRIMARY-GRANTED")
}

// `upsd.md 3 MAXCONN`, NP-M1.
func TestMAXCONNMustFitIntoTheSystemsLimit(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"MAXCONN 0", "You requested 0 as maximum number of connections: want MAXCONN in upsd.conf from 1 to 65536"},
		{"MAXCONN 70000", "Your system limits the maximum number of connections to 65536 but you requested 70000"},
	} {
		s := newSite(t, map[string]string{"/etc/nut/upsd.conf": tt.line + "\n"})
		s.driver("fake")
		if code, ended, text := s.outcome(nil); code != 1 || !ended || !strings.Contains(text, tt.want) {
			t.Errorf("%s: upsd ended: %v, with %d; want 1 and %q in:\n%s", tt.line, ended, code, tt.want, text)
		}
	}
}

func TestAReloadWithTooLargeMAXCONNKeepsTheOldNumber(t *testing.T) {
	s := newSite(t, map[string]string{"/etc/nut/upsd.conf": "MAXCONN 4\n"}) // two listeners, one driver
	s.driver("fake")
	p := s.start()
	s.h.WriteFile("/etc/nut/upsd.conf", []byte("MAXCONN 70000\n"))
	p.Signal(env.Hangup)
	s.run(time.Second)
	s.wantLog("Reload failed: Your system limits")
	s.client().want("NETVER", "1.3")
	if s.client(); s.count("wanted to poll 5") != 1 {
		t.Errorf("MAXCONN 4 holds no longer:\n%s", strings.Join(s.log, "\n"))
	}
}

func TestManyClientsTogetherCannotFillTheLog(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	before := len(s.log)
	for range 500 {
		s.client().say("USERNAME "+strings.Repeat("x", 5000), "USERNAME again", "LOGOUT")
	}
	if n := len(s.log) - before; n == 0 || n > 200 {
		t.Errorf("%d lines about 500 clients, want some, at most %d", n, 200)
	}
	for _, line := range s.log {
		if len(line) > 300 {
			t.Errorf("a line of %d characters: %.100q", len(line), line)
		}
	}
	s.run(2 * time.Minute)
	s.client().say("USERNAME a", "USERNAME b")
	s.wantLog("more lines about clients' mistakes were left out")
}

// A line without end is read at a pace that leaves the processor to others; a long honest one, and
// many at once, are not held up.
func TestEndlessLinesAreReadAtAPace(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	c := s.client()
	if got := c.say(strings.Repeat("x", 1<<20)); got != "" {
		t.Errorf("1 MiB in one line was read within 10 ms: %q", got)
	}
	s.run(time.Second)
	if got := c.got.String(); got != "ERR UNKNOWN-COMMAND\n" {
		t.Errorf("it was answered with %q", got)
	}
	if got := s.client().say(strings.Repeat("NETVER\n", 20000) + "NETVER"); len(got) != 20001*len("1.3\n") {
		t.Errorf("20,001 requests in one go got %d bytes within 10 ms, want %d", len(got), 20001*len("1.3\n"))
	}
}
