package interop

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// socketLines are said to the socket of both dummy-ups, in this order, each followed by a command that
// neither knows; what comes before its result is compared.
var socketLines = []string{
	"PING", "ping", "PING x", "DUMPALL", "DUMPVALUE ups.id", "DUMPVALUE no.such", "DUMPVALUE", "DUMPSTATUS", "GETPID",
	`SET ups.id "cellar" TRACKING id1`, `SET ups.id "cellar" TRACKING id2`, `SET UPS.ID "attic" TRACKING id3`,
	`SET ups.id "quo\"te \\ \# x" TRACKING id4`, `SET ups.id plain TRACKING id5`, `SET ups.id "" TRACKING id6`,
	`SET ups.id "a" nonsense id7`, "SET ups.id", "SET", `SET no.such "y" TRACKING id8`, `SET ups.status "OB LB" TRACKING id9`,
	`SET ups.status "OL" TRACKING id10`,
	"INSTCMD no.such TRACKING id11", "INSTCMD no.such 5 TRACKING id12", "INSTCMD no.such", "INSTCMD", "INSTCMD no.such a b",
	"INSTCMD no.such a b c", "INSTCMD no.such a b c d",
	"FOO", "FOO bar baz", `"PING"`, "\"PI\nNG\"", "", "   ", "\x01\x02", "PING # a comment", "SETINFO ups.id \"forged\"",
	"DATASTALE", strings.Repeat("w ", 40), strings.Repeat("x", 600),
	"NOBROADCAST", `SET ups.id "silent" TRACKING id13`, "BROADCAST", `SET ups.id "loud" TRACKING id14`, "BROADCAST 0",
	`SET ups.id "silent again" TRACKING id15`, "BROADCAST 1", `SET ups.id "loud again" TRACKING id16`, "LOGOUT",
}

// The socket protocol of our dummy-ups and of Debian's, line by line. DS-9, DS-12, DS-D1, DS-D5, DS-D6,
// DS-D8, DS-D10, DS-D11, DS-D13, DS-U1 to DS-U10.
func TestSocketLines(t *testing.T) {
	ours, theirs := kits(t)
	want, got := saySocketLines(t, theirs.dummy), saySocketLines(t, ours.dummy)
	c := newComparison(t, "socket")
	for i, line := range socketLines {
		c.compare(line, want[i], got[i])
	}
	c.done()
}

func saySocketLines(t *testing.T, program string) []string {
	t.Helper()
	b := newBench(t, map[string]string{
		"ups.conf": "pollinterval = 3600\n[rack]\n\tdriver = dummy-ups\n\tport = rack.dev\n",
		"rack.dev": "ups.status: OL\nups.id: rack\nbattery.charge: 42\n",
	})
	b.drivers(program, "rack")
	conn, err := net.Dial("unix", filepath.Join(b.run, "dummy-ups-rack"))
	for begin := time.Now(); err != nil; time.Sleep(10 * time.Millisecond) { // it may not listen yet
		if time.Since(begin) > startLimit {
			t.Fatal(err)
		}
		conn, err = net.Dial("unix", filepath.Join(b.run, "dummy-ups-rack"))
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	var all []string
	for _, line := range socketLines {
		all = append(all, saySocketLine(conn, r, line))
	}
	return all
}

// about matches what differs between drivers whatever they are asked.
var about = regexp.MustCompile(`(?m)^(SETINFO|SETFLAGS|ADDCMD|SETAUX) (driver\.|load\.|shutdown\.|beeper\.|bypass\.|calibrate\.|test\.).*\n`)

// barrier is a command whose result shows that all before it is done.
const barrier = "TRACKING barrier "

func saySocketLine(conn net.Conn, r *bufio.Reader, line string) string {
	conn.SetDeadline(time.Now().Add(stopLimit))
	fmt.Fprintf(conn, "%s\nINSTCMD no.such.command TRACKING barrier\n", line)
	var heard strings.Builder
	for {
		text, err := r.ReadString('\n')
		if err != nil {
			heard.WriteString("(closed)\n")
			break
		}
		if strings.HasPrefix(text, barrier) {
			break
		}
		heard.WriteString(text)
	}
	text := about.ReplaceAllString(heard.String(), "")
	return regexp.MustCompile(`(?m)^PID \d+`).ReplaceAllString(text, "PID <n>")
}
