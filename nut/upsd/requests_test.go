package upsd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/line"
)

const users = `
[admin]
	password = adm
	actions = SET
	actions = FSD
	instcmds = ALL
[p]
	password = p
	upsmon primary
[s]
	password = s
	upsmon secondary
[operator]
	password = op
	instcmds = test.battery.start Load.On
[nobody]
	actions = SET FSD
	instcmds = ALL
`

// dump is what the driver of the UPS named fake says.
const dump = `SETINFO battery.charge "90"
SETFLAGS battery.charge RW STRING
SETINFO battery.charge.low "20"
ADDRANGE battery.charge.low 10 30
ADDRANGE battery.charge.low 50 60
SETFLAGS battery.charge.low RW NUMBER
SETINFO input.transfer.low "103"
ADDENUM input.transfer.low "103"
ADDENUM input.transfer.low "100"
ADDENUM input.transfer.low "97"
SETFLAGS input.transfer.low RW NUMBER
SETINFO noaux.string "a"
SETFLAGS noaux.string RW STRING
SETINFO ups.id "x"
SETAUX ups.id 8
SETFLAGS ups.id RW STRING
SETINFO ups.mfr "Quo\"te \\ back \# hash"
SETINFO ups.status "OL"
ADDCMD load.off
ADDCMD Load.On
ADDCMD beeper.mute
DATAOK
DUMPDONE
`

func newEnv(t testing.TB) env.Env {
	e, err := osenv.New(osenv.Options{Prog: "upsd", Emit: func(env.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// newServed returns a server with the UPSes fake (fresh), ghost (no driver) and old (stale), in
// that order, and the lines that the driver of fake gets.
func newServed(t testing.TB) (*server, *env.Inbox[string]) {
	e := newEnv(t)
	s := newServer()
	s.ready = env.NewInbox[string](e, 10)
	s.set = settings{maxAge: 15 * time.Second, tracking: time.Hour, maxConn: 100}
	s.users, _ = config.ParseUsers("upsd.users", []byte(users))
	for _, def := range []definition{
		{name: "fake", driver: "dummy-ups", port: "x", desc: "Lab UPS one", described: true},
		{name: "ghost", driver: "dummy-ups", port: "x"},
		{name: "Old", driver: "dummy-ups", port: "x", desc: `the "old" one`, described: true},
	} {
		s.order = append(s.order, newUPS(def))
	}
	s.index()
	out := env.NewInbox[string](e, maxQueued)
	for _, name := range []string{"fake", "old"} {
		u := s.find(name)
		u.connected(&link{out: out}, 0)
		var p line.Parser
		p.Feed([]byte(dump), func(w []string, err error) { s.hear(u, w, err, 0) })
	}
	s.find("old").dataOK = false
	for _, u := range s.order {
		u.tick(0, s.set.maxAge)
		s.observe(u)
	}
	return s, out
}

func newSession(t testing.TB, s *server, addr string) *session {
	c := &session{s: s, addr: addr, rand: newEnv(t).Rand()}
	c.at = s.sessions.PushFront(c)
	return c
}

// talk answers the lines of a client.
func talk(c *session, text string) string {
	var r reader
	r.feed([]byte(text), func(w []string, err error) { c.answer(w, err) })
	reply := string(c.out)
	c.out = nil
	return reply
}

// exchange plays a transcript: lines "C: request", each followed by the lines "S: reply" to it.
func exchange(t *testing.T, c *session, transcript string) {
	t.Helper()
	var request string
	var want strings.Builder
	check := func() {
		t.Helper()
		if request == "" {
			return
		}
		if got := hideIDs(talk(c, request+"\n")); got != want.String() {
			t.Errorf("%s\n got: %s\nwant: %s", request, got, want.String())
		}
	}
	for l := range strings.Lines(transcript) {
		l = strings.TrimRight(strings.TrimLeft(l, "\t"), "\n")
		if text, ok := strings.CutPrefix(l, "C: "); ok {
			check()
			request = text
			want.Reset()
		} else if text, ok := strings.CutPrefix(l, "S: "); ok {
			want.WriteString(text + "\n")
		} else if l != "" {
			t.Fatalf("neither C: nor S: in %q", l)
		}
	}
	check()
}

var uuid = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}`)

func hideIDs(s string) string { return uuid.ReplaceAllString(s, "<id>") }

func TestTranscripts(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServed(t)
			exchange(t, newSession(t, s, "127.0.0.1"), tt.text)
		})
	}
}

func TestNamesAreEchoedAsTyped(t *testing.T) {
	s, _ := newServed(t)
	exchange(t, newSession(t, s, "127.0.0.1"), `
		C: get var FAKE Ups.Status
		S: VAR FAKE Ups.Status "OL"
		C: GET UPSDESC oLD
		S: UPSDESC oLD "the \"old\" one"
		C: list cmd Fake
		S: BEGIN LIST CMD Fake
		S: CMD Fake beeper.mute
		S: CMD Fake load.off
		S: CMD Fake Load.On
		S: END LIST CMD Fake
		C: LIST UPS
		S: BEGIN LIST UPS
		S: UPS fake "Lab UPS one"
		S: UPS ghost "Description unavailable"
		S: UPS Old "the \"old\" one"
		S: END LIST UPS`)
}

func TestRequestsReachTheDriver(t *testing.T) {
	tests := []struct{ name, request, want string }{
		{"a value with a blank", `SET VAR fake ups.id "x y"`, "SET ups.id \"x y\" TRACKING <id>\n"},
		{"an empty value", `SET VAR fake ups.id ""`, "SET ups.id \"\" TRACKING <id>\n"},
		{"a command", `INSTCMD FAKE load.off`, "INSTCMD load.off TRACKING <id>\n"},
		{"a command with a value", `INSTCMD fake load.off 120`, "INSTCMD load.off 120 TRACKING <id>\n"},
		{"a command whose value has a blank", `INSTCMD fake load.off "1 2"`, "INSTCMD load.off \"1 2\" TRACKING <id>\n"},
		{"a value of several words", `INSTCMD fake load.off 1 2  three`, "INSTCMD load.off \"1 2 three\" TRACKING <id>\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, out := newServed(t)
			c := newSession(t, s, "127.0.0.1")
			exchange(t, c, "C: USERNAME admin\nS: OK\nC: PASSWORD adm\nS: OK\nC: SET TRACKING ON\nS: OK\nC: "+
				tt.request+"\nS: OK TRACKING <id>\n")
			got, ok := out.Take()
			if !ok || hideIDs(got) != tt.want {
				t.Errorf("the driver got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNothingReachesTheDriverWithoutTheRight(t *testing.T) {
	for _, who := range []string{"USERNAME s\nPASSWORD s\n", "USERNAME nobody\nPASSWORD \"\"\n",
		"USERNAME Admin\nPASSWORD adm\n", "USERNAME admin\nPASSWORD ADM\n", "USERNAME admin\nPASSWORD \"adm \"\n", ""} {
		s, out := newServed(t)
		c := newSession(t, s, "127.0.0.1")
		talk(c, who+"SET VAR fake ups.id y\nINSTCMD fake load.off\nFSD fake\nSET VAR fake battery.charge.low 10\n")
		if got, ok := out.Take(); ok {
			t.Errorf("%q: the driver got %q", who, got)
		}
		if s.find("fake").fsd.set {
			t.Errorf("%q: FSD is set", who)
		}
	}
}

func TestADriverThatDoesNotReadFailsRequestsToItOnly(t *testing.T) {
	s, _ := newServed(t)
	c := newSession(t, s, "127.0.0.1")
	talk(c, "USERNAME admin\nPASSWORD adm\n"+strings.Repeat("INSTCMD fake load.off\n", maxQueued))
	exchange(t, c, `
		C: INSTCMD fake load.off
		S: ERR INSTCMD-FAILED
		C: SET VAR fake ups.id y
		S: ERR SET-FAILED
		C: GET VAR fake ups.status
		S: VAR fake ups.status "OL"`)
}

func TestTrackingResults(t *testing.T) {
	tests := []struct{ name, said, want string }{
		{"nothing yet", "", "PENDING"},
		{"handled", "TRACKING <id> 0", "SUCCESS"},
		{"unknown", "TRACKING <id> 1", "ERR UNKNOWN"},
		{"invalid argument", "TRACKING <id> 2", "ERR INVALID-ARGUMENT"},
		{"failed", "TRACKING <id> 3", "ERR FAILED"},
		{"conversion failed", "TRACKING <id> 4", "ERR INVALID-ARGUMENT"},
		{"a code of the future", "TRACKING <id> 9", "ERR UNKNOWN"},
		{"text is no success", "TRACKING <id> fine", "ERR UNKNOWN"},
		{"the id in small letters (NP-K3)", "TRACKING <ID> 0", "SUCCESS"},
		{"another id", "TRACKING 1234 0", "PENDING"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServed(t)
			c := newSession(t, s, "127.0.0.1")
			reply := talk(c, "USERNAME admin\nPASSWORD adm\nSET TRACKING ON\nINSTCMD fake load.off\n")
			id := uuid.FindString(reply)
			said := strings.NewReplacer("<id>", id, "<ID>", strings.ToLower(id)).Replace(tt.said)
			if said != "" {
				s.hear(s.find("fake"), strings.Fields(said), nil, 0)
			}
			other := newSession(t, s, "127.0.0.2") // any client may ask (NP-K3)
			talk(other, "USERNAME x\nPASSWORD x\nSET TRACKING ON\n")
			if got := talk(other, "GET TRACKING "+strings.ToLower(id)+"\n"); got != tt.want+"\n" {
				t.Errorf("GET TRACKING = %q, want %s", got, tt.want)
			}
		})
	}
}

func TestResultsAreForgotten(t *testing.T) {
	var tr tracker
	const keep = time.Hour
	tr.add("A", 0, keep)
	if _, ok := tr.get("A", env.Instant(keep), keep); !ok {
		t.Error("forgotten within TRACKINGDELAY")
	}
	if _, ok := tr.get("A", env.Instant(keep)+1, keep); ok {
		t.Error("kept beyond TRACKINGDELAY (NP-K4)")
	}
	for i := range maxTracked + 100 {
		tr.add(string(rune('a'+i%26))+time.Duration(i).String(), 0, keep)
	}
	if len(tr.results) > maxTracked || len(tr.ages) > maxTracked {
		t.Errorf("%d results are kept, want at most %d", len(tr.results), maxTracked)
	}
}

func TestLoginsAreCounted(t *testing.T) {
	s, _ := newServed(t)
	a, b, reader := newSession(t, s, "10.0.0.1"), newSession(t, s, "10.0.0.2"), newSession(t, s, "::1")
	talk(a, "USERNAME p\nPASSWORD p\nLOGIN fake\n")
	talk(b, "USERNAME s\nPASSWORD s\nLOGIN FAKE\n")
	exchange(t, reader, `
		C: GET NUMLOGINS fake
		S: NUMLOGINS fake 2
		C: LIST CLIENT Fake
		S: BEGIN LIST CLIENT Fake
		S: CLIENT fake 10.0.0.2
		S: CLIENT fake 10.0.0.1
		S: END LIST CLIENT Fake`)
	s.sessions.Remove(b.at)
	b.logout("disconnected")
	exchange(t, reader, "C: GET NUMLOGINS fake\nS: NUMLOGINS fake 1\n")
	b.logout("again")
	exchange(t, reader, "C: GET NUMLOGINS fake\nS: NUMLOGINS fake 1\n")
}

// `upsd.md 14 user table change under an open connection`.
func TestNewUserTableBindsOpenSessions(t *testing.T) {
	s, _ := newServed(t)
	c := newSession(t, s, "127.0.0.1")
	exchange(t, c, "C: USERNAME admin\nS: OK\nC: PASSWORD adm\nS: OK\nC: SET VAR fake ups.id y\nS: OK\n")
	s.users, _ = config.ParseUsers("upsd.users", []byte("[admin]\n\tpassword = other\n\tactions = SET\n"))
	exchange(t, c, "C: SET VAR fake ups.id y\nS: ERR ACCESS-DENIED\n")
}

func TestFSDIsALatch(t *testing.T) {
	s, _ := newServed(t)
	c := newSession(t, s, "127.0.0.1")
	exchange(t, c, `
		C: USERNAME p
		S: OK
		C: PASSWORD p
		S: OK
		C: FSD fake
		S: OK FSD-SET
		C: FSD fake
		S: OK FSD-SET`)
	u := s.find("fake")
	l := u.link
	u.lost()
	exchange(t, c, "C: GET VAR fake ups.status\nS: ERR DRIVER-NOT-CONNECTED\n")
	u.connected(l, 0)
	exchange(t, c, "C: GET VAR fake ups.status\nS: VAR fake ups.status \"FSD WAIT\"\n")
	var p line.Parser
	p.Feed([]byte(dump), func(w []string, err error) { s.hear(u, w, err, 0) })
	exchange(t, c, `
		C: GET VAR fake ups.status
		S: VAR fake ups.status "FSD OL"
		C: GET VAR fake ups.mfr
		S: VAR fake ups.mfr "Quo\"te \\ back \# hash"`)
	if got := talk(c, "LIST VAR fake\n"); !strings.Contains(got, "VAR fake ups.status \"FSD OL\"\n") {
		t.Errorf("LIST VAR lacks FSD:\n%s", got)
	}
}

// `upsd.md 10 User X@addr logged into UPS`, `upsd.md 10 Client X@addr set FSD on UPS`, `upsd.md 10 Set variable`,
// `upsd.md 10 Instant command`, `upsd.md 10 Client X@addr tried to login twice`, `upsd.md 10 Parse error on sock`.
func TestLinesAndEventsOfSessions(t *testing.T) {
	s, _ := newServed(t)
	s.notes = nil
	c := newSession(t, s, "10.0.0.9")
	talk(c, "USERNAME p\nUSERNAME q\nPASSWORD p\nPASSWORD p\nLOGIN fake\nLOGIN fake\nFSD fake\nFSD fake\nLOGOUT\n")
	c.logout(farewell(c, nil))
	d := newSession(t, s, "10.0.0.9")
	talk(d, "USERNAME admin\nPASSWORD adm\nSET VAR fake ups.id y\nINSTCMD fake load.off 5\n"+
		"SET TRACKING ON\nINSTCMD fake load.off\nVER \"a#b\"\n")
	want := []string{
		"Client p@10.0.0.9 tried to set a username twice",
		"Client p@10.0.0.9 tried to set a password twice",
		"User p@10.0.0.9 logged into UPS [fake]",
		"event login fake=10.0.0.9 1",
		"Client p@10.0.0.9 tried to login twice",
		"Client p@10.0.0.9 set FSD on UPS [fake]",
		"event fsd fake=set 0",
		"event served fake=FSD OL 0",
		"Client p@10.0.0.9 set FSD on UPS [fake]",
		"User p@10.0.0.9 logged out from UPS [fake]",
		"event logout fake=10.0.0.9 0",
		"Set variable: admin@10.0.0.9 set ups.id on fake to y (tracking ID: disabled)",
		"Instant command: admin@10.0.0.9 did load.off with value 5 on fake (tracking ID: disabled)",
		"Instant command: admin@10.0.0.9 did load.off on fake (tracking ID: <id>)",
		"Parse error on sock: ",
	}
	for i, n := range s.notes {
		text := n.text
		if ev := n.event; ev.Kind != "" {
			text = "event " + string(ev.Kind) + " " + ev.UPS + "=" + ev.Value + " " + time.Duration(ev.N).String()[:1]
		}
		if i >= len(want) || !strings.HasPrefix(hideIDs(text), want[i]) {
			t.Errorf("note %d = %q, want %q", i, text, want[min(i, len(want)-1)])
		}
		if strings.Contains(text, "adm ") {
			t.Errorf("a password is in %q", text)
		}
	}
	if len(s.notes) != len(want) {
		t.Errorf("%d notes, want %d", len(s.notes), len(want))
	}
}

func TestEachLineGetsOneReply(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"CR is white space (NP-T1)", "NETVER\r\nNETVER\r\n", "1.3\n1.3\n"},
		{"quoted words", "\"GET\" \"VAR\" \"fake\" \"ups.status\"\n", "VAR fake ups.status \"OL\"\n"},
		{"blank lines (NP-T8)", "\n \t\n# remark\n", strings.Repeat("ERR UNKNOWN-COMMAND\n", 3)},
		{"a remark behind a request", "NETVER # really\n", "1.3\n"},
		{"an equal sign is a word", "GET VAR fake u=x\n", "ERR VAR-NOT-SUPPORTED\n"},
		{"a line feed in quotes does not end the request", "GET VAR fake \"ups.\nstatus\"\n", "VAR fake ups.status \"OL\"\n"},
		{"a joined line", "GET VAR fake ups.st\\\natus\n", "VAR fake ups.status \"OL\"\n"},
		{"bad quoting costs one reply, not those that follow", "FOO \"a#b\" c\nNETVER\n", "ERR INVALID-ARGUMENT\n1.3\n"},
		{"bytes beyond ASCII are dropped", "\xc3\xa9NET\x80VER\n", "1.3\n"},
		{"a very long word", strings.Repeat("x", 100_000) + "\nNETVER\n", "ERR UNKNOWN-COMMAND\n1.3\n"},
		{"very many words", strings.Repeat("x ", 100_000) + "\nNETVER\n", "ERR UNKNOWN-COMMAND\n1.3\n"},
		{"many surplus words", "GET VAR fake ups.status" + strings.Repeat(" x", 100) + "\n", "VAR fake ups.status \"OL\"\n"},
		{"a value that is cut is not set", "SET VAR fake ups.id " + strings.Repeat("x", 100_000) + "\n", "ERR INVALID-ARGUMENT\n"},
		{"three megabytes in one line", strings.Repeat("\\#\"", 1<<20) + "\nNETVER\n", "ERR UNKNOWN-COMMAND\n1.3\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := newServed(t)
			if got := talk(newSession(t, s, "127.0.0.1"), tt.text); got != tt.want {
				t.Errorf("%.60q\n got %q\nwant %q", tt.text, got, tt.want)
			}
		})
	}
}

func TestGetVarAllocatesNothingButItsWords(t *testing.T) {
	s, _ := newServed(t)
	c := newSession(t, s, "127.0.0.1")
	words := []string{"GET", "VAR", "fake", "ups.status"}
	c.answer(words, nil)
	if n := testing.AllocsPerRun(100, func() { c.out = c.out[:0]; c.answer(words, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReaderSeesWhatTheParserSees(t *testing.T) {
	tests := []struct {
		name   string
		blocks []string
	}{
		{"the same line again", []string{"GET VAR u s\n", "GET VAR u s\n", "GET VAR u s\n"}},
		{"the same line behind half a line", []string{"VER\n", "x", "VER\n", "VER\n"}},
		{"the same line within quotes", []string{"VER\n", "VER\n", "\"", "VER\n", "VER\n", "\"\n", "VER\n"}},
		{"the same line behind a joined one", []string{"VER\n", "a\\\n", "VER\n", "VER\n"}},
		{"a block that ends in quotes", []string{"VER\n\"a\n", "VER\n\"a\n", "VER\n\"a\n"}},
		{"two lines a block", []string{"VER\nHELP\n", "VER\nHELP\n"}},
		{"a bad line again", []string{"\"a#\n", "\"a#\n", "VER\n", "VER\n"}},
		{"half of a bad line", []string{"VER\n", "\"a#", "VER\n", "VER\n", "VER\n"}},
		{"blank lines", []string{"\n", "\n", "\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { compareReader(t, tt.blocks) })
	}
}

// compareReader feeds blocks to a reader and to a plain parser.
func compareReader(t *testing.T, blocks []string) {
	var r reader
	var p line.Parser
	for i, b := range blocks {
		var got, want []string
		r.feed([]byte(b), func(w []string, err error) { got = append(got, fmt.Sprintf("%q %v", w, err != nil)) })
		p.Feed([]byte(b), func(w []string, err error) { want = append(want, fmt.Sprintf("%q %v", w, err != nil)) })
		if !slices.Equal(got, want) {
			t.Errorf("block %d of %q: %q, want %q", i, blocks, got, want)
		}
	}
}

// FuzzReader cuts bytes into blocks, some of them repeated.
func FuzzReader(f *testing.F) {
	f.Add([]byte("VER\n\"a\\\n#\nVER\nVER\n"), uint64(0x1234567))
	f.Fuzz(func(t *testing.T, b []byte, cuts uint64) {
		var blocks []string
		for len(b) > 0 {
			n := min(len(b), int(cuts%8)+1)
			for range cuts>>3%3 + 1 {
				blocks = append(blocks, string(b[:n]))
			}
			b, cuts = b[n:], cuts>>5|cuts<<59
		}
		compareReader(t, blocks)
	})
}

// FuzzSession feeds a client's bytes to a session: nothing panics, and nobody gets in without a
// password.
func FuzzSession(f *testing.F) {
	for _, tt := range transcripts {
		var b strings.Builder
		for l := range strings.Lines(tt.text) {
			if request, ok := strings.CutPrefix(strings.TrimLeft(l, "\t"), "C: "); ok {
				b.WriteString(request)
			}
		}
		f.Add([]byte(b.String()))
	}
	f.Add([]byte("FOO \"a#b\" c\nUSERNAME \"a\\\nb\"\n\x00\xff=\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, out := newServed(t)
		s.users = &config.Users{}
		talk(newSession(t, s, "127.0.0.1"), string(b)+"\n")
		if got, ok := out.Take(); ok {
			t.Errorf("the driver got %q", got)
		}
		for _, u := range s.order {
			if u.fsd.set || u.logins != 0 {
				t.Errorf("%s: FSD %v, %d logins", u.name, u.fsd, u.logins)
			}
		}
	})
}

func BenchmarkGetVar(b *testing.B) {
	s, _ := newServed(b)
	c := newSession(b, s, "127.0.0.1")
	var r reader
	request := []byte("GET VAR fake ups.status\n")
	b.ReportAllocs()
	for b.Loop() {
		c.out = c.out[:0]
		r.feed(request, func(w []string, err error) { c.answer(w, err) })
	}
}

func BenchmarkListVar(b *testing.B) {
	s, _ := newServed(b)
	c := newSession(b, s, "127.0.0.1")
	for b.Loop() {
		c.out = c.out[:0]
		c.answer([]string{"LIST", "VAR", "fake"}, nil)
	}
}

// NP-C14, NP-C15, NP-L7.
func TestDescriptions(t *testing.T) {
	s, _ := newServed(t)
	c := newSession(t, s, "127.0.0.1")
	for _, request := range []string{"GET DESC fake ups.status", "GET DESC fake UPSTREAM.ups.status", "GET CMDDESC fake load.off"} {
		if got := talk(c, request+"\n"); strings.Contains(got, unavailable) {
			t.Errorf("%s = %q", request, got)
		}
	}
	s.texts = parseTexts([]byte("# a site's own\nVARDESC Ups.Status \"How \\\"it\\\" is\"\nCMDDESC load.off \"Dark\"\nFOO x y\n\"#\nVARDESC"))
	exchange(t, c, `
		C: GET DESC fake ups.status
		S: DESC fake ups.status "How \"it\" is"
		C: GET CMDDESC fake LOAD.OFF
		S: CMDDESC fake LOAD.OFF "Dark"`)
}
