package driver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// DS-U1, DS-D1, DS-D5, DS-D6, DS-D7, DS-D8, DS-D9
func TestDumpIsSortedAndEndsWithFreshness(t *testing.T) {
	b := newBench(t)
	b.d.values = map[string]string{"battery.charge": "90"}
	b.start()
	got := b.client().ask(time.Millisecond, "DUMPALL")
	want := []string{
		`SETINFO battery.charge "90"`,
		`SETINFO device.mfr "ACME"`,
		`SETINFO device.type "ups"`,
		`SETINFO driver.debug "0"`,
		`SETFLAGS driver.debug RW NUMBER`,
		`SETINFO driver.flag.allow_killpower "0"`,
		`SETFLAGS driver.flag.allow_killpower RW NUMBER`,
		`SETINFO driver.name "toy-ups"`,
		`SETINFO driver.parameter.pollinterval "2"`,
		`SETINFO driver.parameter.port "somewhere"`,
		`SETINFO driver.parameter.synchronous "auto"`,
		`SETINFO driver.state "quiet"`,
		`SETINFO driver.version "2.8.5 (blackstart 0.1)"`,
		`SETINFO driver.version.internal "0.1"`,
		`SETINFO ups.id "x"`,
		`SETAUX ups.id 8`,
		`SETFLAGS ups.id RW STRING`,
		`SETINFO ups.mfr "ACME"`,
		`SETINFO ups.status "OL"`,
		`ADDCMD driver.killpower`,
		`ADDCMD driver.reload`,
		`ADDCMD driver.reload-or-error`,
		`ADDCMD driver.reload-or-exit`,
		`ADDCMD load.off`,
		`ADDCMD shutdown.default`,
		`DATAOK`,
		`DUMPDONE`,
	}
	b.want("DUMPALL", got, want...)
}

// DS-U2, DS-U3, DS-U4, DS-U5, DS-U6, DS-U7, DS-D10, DS-D11, DS-D12, DS-12
func TestQuestionsOfTheSocket(t *testing.T) {
	b := newBench(t)
	p := b.start()
	tests := []struct {
		name string
		ask  string
		want []string
	}{
		{"PING is answered", "PING", []string{"PONG"}},
		{"GETPID is answered", "GETPID", []string{fmt.Sprintf("PID %d", p.Pid())}},
		{"one variable can be asked for", "DUMPVALUE ups.id",
			[]string{`SETINFO ups.id "x"`, "SETAUX ups.id 8", "SETFLAGS ups.id RW STRING", "DATAOK", "DUMPDONE"}},
		{"an unknown variable gives only the end", "DUMPVALUE nope", []string{"DATAOK", "DUMPDONE"}},
		{"the status can be asked for", "DUMPSTATUS", []string{`SETINFO ups.status "OL"`, "DATAOK", "DUMPDONE"}},
		{"nonsense is not answered", "MAKE COFFEE", nil},
		{"bad quoting is not answered", `SET ups.id "a#b"`, nil},
		{"a command of the device succeeds", "INSTCMD load.off TRACKING a1", []string{"TRACKING a1 0"}},
		{"an unknown command is 1", "INSTCMD nope TRACKING a2", []string{"TRACKING a2 1"}},
		{"a bad argument is 2", "INSTCMD test.bad 9 TRACKING a3", []string{"TRACKING a3 2"}},
		{"without TRACKING there is no answer", "INSTCMD load.off", nil},
		{"a setting is broadcast and reported", `SET ups.id "new" TRACKING a4`,
			[]string{`SETINFO ups.id "new"`, "TRACKING a4 0"}},
		{"a setting that is too long is 2", `SET ups.id "123456789" TRACKING a5`, []string{"TRACKING a5 2"}},
		{"a read-only variable is 2", `SET ups.mfr "Me" TRACKING a6`, []string{"TRACKING a6 2"}},
		{"quotes and hashes are escaped in broadcasts", `SET ups.id "a\"b\#\\" TRACKING a7`,
			[]string{`SETINFO ups.id "a\"b\#\\"`, "TRACKING a7 0"}},
		{"killpower is locked", "INSTCMD driver.killpower TRACKING a8", []string{"TRACKING a8 2"}},
		{"the debug level can be set", "SET driver.debug 2 TRACKING a9",
			[]string{`SETINFO driver.debug "2"`, "TRACKING a9 0"}},
	}
	c := b.client()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b.want(tt.ask, c.ask(10*time.Millisecond, tt.ask), tt.want...)
		})
	}
}

// DS-B3, DS-B4, DS-U8, DS-D2
func TestOnlyChangesAreBroadcast(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	quiet := b.client()
	b.want("NOBROADCAST", quiet.ask(time.Millisecond, "NOBROADCAST"))
	b.run(10 * time.Second)
	b.d.words = []string{"OB"}
	b.run(10 * time.Second)
	b.d.alarm = "hot"
	b.run(10 * time.Second)
	b.d.alarm = ""
	b.run(2 * time.Second)
	var got []string
	for _, l := range c.lines {
		_, text, _ := strings.Cut(l, " ")
		got = append(got, text)
	}
	b.want("broadcasts", got,
		`SETINFO ups.status "OB"`,
		`SETINFO ups.alarm "hot"`, `SETINFO ups.status "ALARM OB"`,
		"DELINFO ups.alarm", `SETINFO ups.status "OB"`)
	b.want("broadcasts to one who does not listen", quiet.lines)
	if b.d.polls < 16 {
		t.Errorf("%d polls in 32 s, want one every 2 s", b.d.polls)
	}
}

// DS-U9
func TestBroadcastsComeBack(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	c.ask(time.Millisecond, "NOBROADCAST", "BROADCAST 1")
	b.d.words = []string{"OB"}
	b.run(3 * time.Second)
	b.wantInOrder("lines", c.lines, `SETINFO ups.status "OB"`)
}

// A device that hangs must not make upsd believe that the driver is dead. DS-S7
func TestSocketAnswersWhileTheDeviceHangs(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	b.d.delay = time.Hour
	b.run(5 * time.Second) // into the poll
	for range 3 {
		b.want("PING", c.ask(time.Millisecond, "PING"), "PONG")
		b.run(time.Minute)
	}
	if got := c.ask(time.Millisecond, "DUMPALL"); len(got) == 0 || got[len(got)-1] != "DUMPDONE" {
		t.Errorf("DUMPALL while the device hangs: %q", got)
	}
	p := b.h.Find("toy-ups")[0]
	b.want("driver.exit", c.ask(time.Second, "INSTCMD driver.exit TRACKING x"), "TRACKING x 0")
	b.wantExit(p, 0)
	b.wantFile(socket, false)
}

// Neither a client that does not read nor one that never stops talking delays the device. DS-B1
func TestBadClientsDelayNobody(t *testing.T) {
	b := newBench(t)
	b.start()
	good := b.client()
	sleepy := b.client()
	sleepy.p.Pause()
	before := b.d.polls
	flood := strings.Repeat("DUMPALL\n", 2000)
	for range 20 {
		sleepy.out.Put(flood)
	}
	sleepy.p.Resume()
	b.run(20 * time.Second)
	if polls := b.d.polls - before; polls < 9 {
		t.Errorf("%d polls in 20 s, want one every 2 s", polls)
	}
	b.want("PING", good.ask(time.Millisecond, "PING"), "PONG")
}

// DS-B1
func TestClientThatDoesNotReadIsCutOff(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	c.p.Pause()
	b.run(time.Millisecond)
	long := strings.Repeat("x", 4000)
	for i := range 1500 {
		b.d.values = map[string]string{"ups.test": fmt.Sprint(i, long)}
		b.run(2 * time.Second)
	}
	c.p.Resume()
	b.run(time.Second)
	if !c.over {
		t.Error("a client that left 6 MB unread is still connected, want it cut off")
	}
}

// DS-U10, DS-D13
func TestLogoutSaysGoodbye(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	b.want("LOGOUT", c.ask(time.Second, "LOGOUT", "PING"), "OK Goodbye")
	if !c.over {
		t.Error("the connection is open after LOGOUT")
	}
}

// DS-10
func TestTooManyClientsAreTurnedAway(t *testing.T) {
	b := newBench(t)
	b.start()
	var clients []*client
	for range 1024 + 6 {
		clients = append(clients, b.client())
	}
	over := 0
	for _, c := range clients {
		if c.over {
			over++
		}
	}
	if over != 6 {
		t.Errorf("%d of 1030 clients were turned away, want 6", over)
	}
	b.want("PING", clients[0].ask(time.Millisecond, "PING"), "PONG")
}

// DS-9: a line may come in any number of pieces, and several in one.
func TestLinesInPieces(t *testing.T) {
	tests := []struct {
		name   string
		pieces []string
		want   []string
	}{
		{"one letter at a time", strings.Split("PING\n", ""), []string{"PONG"}},
		{"three in one", []string{"PING\nPING\nGETPI", "D\n"}, []string{"PONG", "PONG", "PID"}},
		{"garbage before it", []string{"\x00\xff\x80\"\\\n\n\n   \nPI", "NG\n"}, []string{"PONG"}},
		{"an endless word before it", []string{strings.Repeat("x", 1<<20) + "\n", "PING\n"}, []string{"PONG"}},
		{"50,000 words before it", []string{strings.Repeat("w ", 50_000) + "\n", "PING\n"}, []string{"PONG"}},
		{"half a line and nothing more", []string{"PING\n", "PIN"}, []string{"PONG"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.start()
			c := b.client()
			other := b.client()
			for _, p := range tt.pieces {
				c.out.Put(p)
				b.run(10 * time.Millisecond)
			}
			var got []string
			for _, l := range c.lines {
				_, text, _ := strings.Cut(l, " ")
				word, _, _ := strings.Cut(text, " ")
				got = append(got, word)
			}
			b.want("answers", got, tt.want...)
			b.want("PING of another client", other.ask(time.Millisecond, "PING"), "PONG")
		})
	}
}

// DS-B2: the line buffer of C drivers has 512 bytes; here a value arrives whole.
func TestLongValuesArriveWhole(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	long := strings.Repeat("long ", 800)
	b.d.values = map[string]string{"ups.test": long}
	b.run(3 * time.Second)
	b.wantInOrder("lines", c.lines, `SETINFO ups.test "`+long+`"`)
}

// DS-B6: upsd never sees a driver that has not found its device.
func TestSocketIsMadeOnceTheDeviceIsFound(t *testing.T) {
	b := newBench(t)
	b.d.opening = 20 * time.Second
	b.start()
	b.run(10 * time.Second)
	b.wantFile(socket, false)
	b.run(15 * time.Second)
	b.wantFile(socket, true)
}

// A client's mistakes are logged however much it has said well before, and only the first few.
func TestBadLinesAreLogged(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	for range 20 {
		c.ask(time.Millisecond, "PING")
	}
	for range 20 {
		c.ask(time.Millisecond, "NONSENSE")
	}
	if n := strings.Count(strings.Join(b.log, "\n"), "NONSENSE"); n == 0 || n > 10 {
		t.Errorf("%d lines about 20 mistakes, want some, at most 10", n)
	}
}
