package upsd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	getStatus = "GET VAR fake ups.status"
	online    = `VAR fake ups.status "OL"`
	stale     = "ERR DATA-STALE"
	alone     = "ERR DRIVER-NOT-CONNECTED"
)

// DS-D7, `upsd.md 10 listening on`, `upsd.md 10 Found N UPS defined in ups.conf`, `upsd.md 10 Connected to UPS`.
func TestServesWhatTheDriverSays(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	c.want(getStatus, online)
	d.out.Put("SETINFO ups.status \"OB LB\"\nSETINFO battery.charge \"12\"\nDELINFO ups.id\nDELCMD load.off\n")
	c.want(getStatus, `VAR fake ups.status "OB LB"`)
	c.want("LIST VAR fake", "BEGIN LIST VAR fake\nVAR fake battery.charge \"12\"\nVAR fake ups.status \"OB LB\"\nEND LIST VAR fake")
	c.want("LIST CMD fake", "BEGIN LIST CMD fake\nEND LIST CMD fake")
	s.wantEvents("data fake=connected", "served fake=WAIT", "data fake=fresh", "served fake=OL", "served fake=OB LB")
	s.wantLog("listening on 0.0.0.0 port 3493", "Found 1 UPS defined in ups.conf",
		"Connected to UPS [fake]: dummy-ups-fake")
}

// DS-L1 to DS-L3, DS-D8.
func TestWaitsForTheDump(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	d.dump = "SETINFO battery.charge \"90\"\n"
	s.start()
	c := s.client()
	c.want(getStatus, `VAR fake ups.status "WAIT"`)
	c.want("GET VAR fake battery.charge", `VAR fake battery.charge "90"`)
	d.out.Put("DATASTALE\n")
	c.want("GET VAR fake battery.charge", `VAR fake battery.charge "90"`)
	d.out.Put("DUMPDONE\n")
	c.want(getStatus, stale)
	d.out.Put("SETINFO ups.status OL\nDATAOK\n")
	c.want(getStatus, online)
}

// DS-S2, DS-S3, DS-S5, DS-D10, DS-U1, DS-U4 and DS section 9, with MAXAGE 6; `upsd.md 10 Data for UPS`.
func TestASilentDriverIsPingedThenStale(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	s.run(10 * time.Second)
	c.want(getStatus, online)
	wantInOrder(t, "requests", d.got, []string{"0.0 DUMPALL", "3.0 PING", "6.0 PING", "9.0 PING"})
	d.mute = true
	s.run(5800 * time.Millisecond) // heard at 9.0, now 15.9
	c.want(getStatus, online)
	s.run(100 * time.Millisecond)
	c.want(getStatus, stale)
	c.want("GET VAR fake battery.charge", stale)
	c.want("GET NUMLOGINS fake", stale)
	d.out.Put("PONG\n")
	c.want(getStatus, online)
	s.wantLog("16.0 Data for UPS [fake] is stale - check driver", "UPS [fake] data is no longer stale")
	s.wantEvents("16.0 data fake=stale", "data fake=fresh")
	if n := s.count("is stale"); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

// DS-12.
func TestLinesThatMakeNoSenseAreNoSignOfLife(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	d.mute = true
	c := s.client()
	for range 80 {
		s.run(100 * time.Millisecond)
		d.out.Put("HELLO\n\n# hm\nSETINFO \"a#\n")
	}
	c.want(getStatus, stale)
	if n := s.count("UPS [fake]: "); n > 12 {
		t.Errorf("%d complaints were logged", n)
	}
}

// DS-S4, DS-D9.
func TestTheDriversOwnJudgementActsAtOnce(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	d.out.Put("DATASTALE\n")
	c.want(getStatus, stale)
	d.out.Put("DATAOK\n")
	c.want(getStatus, online)
	s.wantLog("0.1 Data for UPS [fake] is stale", "0.1 UPS [fake] data is no longer stale")
}

// DS-L4, DS-L5, `upsd.md 10 Can't connect to UPS`, `upsd.md 14 start with driver down`.
func TestADriverThatDiesIsFoundAgain(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	d.p.Kill()
	c.want(getStatus, alone)
	s.run(10 * time.Minute)
	if n := s.count("Can't connect to UPS [fake] (dummy-ups-fake): "); n < 2 || n > 3 {
		t.Errorf("%d lines about it in 10 minutes:\n%s", n, strings.Join(s.log, "\n"))
	}
	s.driver("fake")
	s.run(2 * time.Second)
	s.client().want(getStatus, online)
	s.wantEvents("data fake=fresh", "data fake=lost", "data fake=connected", "data fake=fresh")
}

func TestADriverThatReturnsIsServedWithinTwoSeconds(t *testing.T) {
	s := newSite(t, nil)
	s.start()
	c := s.client()
	c.want(getStatus, alone)
	s.run(5 * time.Second)
	s.driver("fake")
	s.run(2 * time.Second)
	c.want(getStatus, online)
}

// BUG-13: what the old connection said about the data does not count for the new one.
func TestAReconnectedDriverMustSayThatItsDataIsGood(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	d.dump = strings.Replace(dump, "DATAOK\n", "", 1)
	d.p.Signal("TERM")
	c.want(getStatus, alone)
	d2 := s.driver("fake")
	d2.dump = d.dump
	s.run(2 * time.Second)
	c.want(getStatus, stale)
}

// NP-T9, UD-A2.
func TestIdleClientsAreDropped(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	quiet, talker := s.client(), s.client()
	quiet.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake", "OK\nOK\nOK")
	for range 5 {
		s.run(60 * time.Second)
		talker.want("NETVER", "1.3")
	}
	if quiet.closed < "60" || quiet.closed > "63" {
		t.Errorf("dropped at %q, want a little after 60 s", quiet.closed)
	}
	if talker.closed != "" {
		t.Errorf("a client that polls once a minute was dropped at %s", talker.closed)
	}
	talker.want("GET NUMLOGINS fake", "NUMLOGINS fake 0")
	s.wantEvents("login fake=127.0.0.1", "logout fake=127.0.0.1")
}

func TestHalfALineIsNoSignOfLife(t *testing.T) {
	s := newSite(t, nil)
	s.start()
	c := s.client()
	for range 70 {
		s.run(time.Second)
		c.in.Put("x")
	}
	if c.closed == "" {
		t.Error("a client that never ends its line is kept")
	}
}

// NP-F1.
func TestDisconnectingLogsOut(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	a, b := s.client(), s.client()
	a.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake", "OK\nOK\nOK")
	b.want("GET NUMLOGINS fake", "NUMLOGINS fake 1")
	s.h.Find("client")[0].Kill()
	b.want("GET NUMLOGINS fake", "NUMLOGINS fake 0")
}

// NP-M3.
func TestAClientThatNeverReadsDelaysNobody(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	for i := range 500 {
		d.dump = fmt.Sprintf("SETINFO outlet.%d.desc \"%s\"\n", i, strings.Repeat("x", 100)) + d.dump
	}
	s.start()
	glutton, good := s.client(), s.client()
	glutton.in.Put(strings.Repeat("LIST VAR fake\n", 1000))
	s.run(50 * time.Microsecond) // the requests are out
	s.h.Find("client")[0].Pause()
	for range 20 {
		s.run(time.Second)
		good.want(getStatus, online)
	}
	s.run(20 * time.Second)
	s.h.Find("client")[0].Resume()
	s.run(time.Second)
	if glutton.closed == "" {
		t.Error("a client that reads nothing for 30 s is kept")
	}
}

// DS-D11, `upsd.md 10 tracking ID`.
func TestRequestsAreTrackedEndToEnd(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nSET TRACKING ON", "OK\nOK\nOK")
	reply := c.say("INSTCMD fake load.off")
	id := strings.TrimSpace(strings.TrimPrefix(reply, "OK TRACKING "))
	wantInOrder(t, "requests", d.got, []string{"INSTCMD load.off TRACKING " + id})
	c.want("GET TRACKING "+id, "PENDING")
	d.out.Put("TRACKING " + id + " 0\n")
	c.want("GET TRACKING "+id, "SUCCESS")
	s.wantLog("Instant command: p@127.0.0.1 did load.off on fake (tracking ID: "+id+")",
		"tracking ID: "+id+"\tresult: SUCCESS")
}

// NP-M1, `upsd.md 5 MAXCONN`, `upsd.md 10 upsd polling N filedescriptors`.
func TestMAXCONNSendsTheRestAway(t *testing.T) {
	s := newSite(t, map[string]string{"/etc/nut/upsd.conf": "MAXCONN 5\n"}) // two listeners, one driver
	s.driver("fake")
	s.start()
	a, b := s.client(), s.client()
	c := s.client()
	a.want("NETVER", "1.3")
	b.want("NETVER", "1.3")
	if c.closed == "" {
		t.Error("a sixth connection was let in")
	}
	s.wantLog("upsd polling 5 filedescriptors, but wanted to poll 6")
}

func TestNoLogAndNoEventCarriesAPassword(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start("-DDDD")
	c := s.client()
	c.say("USERNAME p", "PASSWORD topsecret", "PASSWORD topsecret", "LOGIN fake", "FSD fake", "PASSWORD \"topsecret#",
		"password topsecret x", "LOGOUT")
	d.p.Kill()
	s.run(time.Second)
	if all := strings.Join(append(s.log, s.events...), "\n"); strings.Contains(all, "topsecret") {
		t.Error(all)
	}
}

// DS-11, DS-9: a bad line of a driver costs itself, where NUT's upsd throws away what came with it.
func TestABadLineOfADriverCostsNoOther(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	d.out.Put("SETINFO ups.mfr \"a#b\"\nSETINFO ups.status OB\nSETINFO ups.model \"" + strings.Repeat("x", 600) + "\"\n")
	c.want(getStatus, `VAR fake ups.status "OB"`)
	c.want("GET VAR fake ups.model", `VAR fake ups.model "`+strings.Repeat("x", 600)+`"`) // beyond NP-T7's limits
	s.wantLog("Parse error on sock: UPS [fake]")
}

// DS-D12: a driver's number is of no use to upsd, but a sign of life.
func TestThePIDOfADriver(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	d.mute = true
	c := s.client()
	for range 10 {
		s.run(2 * time.Second)
		d.out.Put("PID 4711\n")
	}
	c.want(getStatus, online)
	if n := s.count("4711"); n != 0 {
		t.Errorf("logged %d times", n)
	}
}

// DS-S6.
func TestStalenessForgetsNothing(t *testing.T) {
	s := newSite(t, nil)
	d := s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nPASSWORD topsecret\nLOGIN fake\nFSD fake", "OK\nOK\nOK\nOK FSD-SET")
	d.mute = true
	s.run(10 * time.Second)
	c.want("GET VAR fake battery.charge", stale)
	d.out.Put("PONG\n")
	c.want("GET VAR fake battery.charge", `VAR fake battery.charge "90"`)
	c.want(getStatus, `VAR fake ups.status "FSD OL"`)
	c.want("GET NUMLOGINS fake", "NUMLOGINS fake 1")
}

// NP-K6: ids are drawn anew in each run.
func TestTrackingIDsDoNotRepeatAfterARestart(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	seen := map[string]bool{}
	for range 3 {
		s.start("-F")
		c := s.client()
		c.want("USERNAME p\nPASSWORD topsecret\nSET TRACKING ON", "OK\nOK\nOK")
		seen[c.say("INSTCMD fake load.off")] = true
		s.h.Find("upsd")[0].Kill()
	}
	if len(seen) != 3 {
		t.Errorf("%d ids in 3 runs: %v", len(seen), seen)
	}
}
