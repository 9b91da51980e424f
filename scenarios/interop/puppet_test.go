package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A puppet is a driver that says what the test tells it, and shows what upsd asks it.
type puppet struct {
	t    *testing.T
	dump string
	l    net.Listener
	conn chan net.Conn // of upsd, once it has its dump
	got  chan string   // SET and INSTCMD, as upsd sent them
	c    net.Conn
}

// puppet makes the socket of a UPS's driver.
func (b *bench) puppet(driver, ups, dump string) *puppet {
	b.t.Helper()
	l, err := net.Listen("unix", b.run+"/"+driver+"-"+ups)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { l.Close() })
	p := &puppet{t: b.t, dump: dump, l: l, conn: make(chan net.Conn, 16), got: make(chan string, 1000)}
	go p.serve()
	return p
}

func (p *puppet) serve() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		in := bufio.NewReader(c)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				break
			}
			switch {
			case line == "DUMPALL\n":
				io.WriteString(c, p.dump)
				p.conn <- c
			case line == "PING\n":
				io.WriteString(c, "PONG\n")
			default:
				p.got <- strings.TrimSuffix(line, "\n")
			}
		}
		c.Close()
	}
}

// say sends lines to upsd.
func (p *puppet) say(text string) {
	p.t.Helper()
	for len(p.conn) > 0 || p.c == nil {
		p.c = <-p.conn
	}
	if _, err := io.WriteString(p.c, text); err != nil {
		p.t.Error(err)
	}
}

// A raw is one server with puppets for drivers, to which a test says raw lines.
type raw struct {
	*bench
	fake    *puppet
	barrier *rawConn // for order between connections
	marker  *rawConn // for order on the driver's socket
	marks   int
}

type rawConn struct {
	net.Conn
	in *bufio.Reader
}

func (x *raw) dial() *rawConn {
	x.t.Helper()
	c, err := net.Dial("tcp", "127.0.0.1:"+x.port)
	if err != nil {
		x.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(runLimit))
	x.t.Cleanup(func() { c.Close() })
	return &rawConn{c, bufio.NewReader(c)}
}

// ask sends one line and returns the line that answers it.
func (c *rawConn) ask(line string) string {
	c.SetDeadline(time.Now().Add(runLimit))
	io.WriteString(c, line+"\n")
	reply, err := c.in.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(reply, "\n")
}

// settle returns when the server has read what was sent to it before on any connection: a server of
// one thread looks at all connections in each turn, and the second answer is of a later turn.
func (x *raw) settle() {
	x.barrier.ask("NETVER")
	x.barrier.ask("NETVER")
}

// forwarded returns what the server has sent to the driver of fake since the last call.
func (x *raw) forwarded() []string {
	x.t.Helper()
	if r := x.marker.ask("INSTCMD fake mark"); r != "OK" {
		x.t.Fatalf("INSTCMD fake mark: %s", r)
	}
	var all []string
	limit := time.After(runLimit)
	for {
		select {
		case line := <-x.fake.got:
			if line == "INSTCMD mark" {
				return all
			}
			all = append(all, "driver: "+line)
		case <-limit:
			x.t.Fatalf("the driver gets nothing; before: %q", all)
		}
	}
}

// tellResult lets the driver answer the request of a tracking id, and returns when it is known.
func (x *raw) tellResult(id, code string) { x.tell("TRACKING " + id + " " + code + "\n") }

// tell lets the driver speak, and returns when the server has heard it.
func (x *raw) tell(text string) {
	x.fake.say(text)
	x.settle() // what follows a bad line at once may be lost
	x.marks++
	x.fake.say(fmt.Sprintf("SETINFO test.mark %d\n", x.marks))
	want := fmt.Sprintf(`VAR fake test.mark "%d"`, x.marks)
	if strings.HasPrefix(text, "DATASTALE") {
		want = "ERR DATA-STALE"
	}
	for begin := time.Now(); x.barrier.ask("GET VAR fake test.mark") != want; time.Sleep(time.Millisecond) {
		if time.Since(begin) > runLimit {
			x.t.Fatal("the driver's word does not arrive")
		}
	}
}

// theEnd answers the line that the harness adds to each conversation.
const theEnd = `UPSDESC sentinel "the end"` + "\n"

var trackingID = regexp.MustCompile(`[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}`)

// converse plays one conversation on a connection of its own: after the log-in the blocks of text.
// $id is the last tracking id, a block "!code" lets the driver answer it, a block "<text" lets it say
// something. The result is every byte of
// the answers, and what the driver was sent, with <id> for ids.
func (x *raw) converse(as string, blocks ...string) string {
	x.t.Helper()
	c := x.dial()
	defer c.Close()
	if as != "" {
		for _, l := range []string{"USERNAME " + as, "PASSWORD " + as + "-pw"} {
			if r := c.ask(l); r != "OK" {
				x.t.Fatalf("%s: %s", l, r)
			}
		}
	}
	var heard strings.Builder
	id := ""
	ended := false
	// listen reads up to the end mark.
	listen := func() {
		x.settle()
		io.WriteString(c, "GET UPSDESC sentinel\n")
		for {
			line, err := c.in.ReadString('\n')
			heard.WriteString(strings.TrimSuffix(line, theEnd))
			if strings.HasSuffix(line, theEnd) {
				break
			}
			if err != nil {
				heard.WriteString(closing(err))
				ended = true
				break
			}
		}
		if all := trackingID.FindAllString(heard.String(), -1); len(all) > 0 {
			id = all[len(all)-1]
		}
	}
	for i, block := range blocks {
		if code, ok := strings.CutPrefix(block, "!"); ok {
			listen()
			x.tellResult(id, code)
			continue
		}
		if text, ok := strings.CutPrefix(block, "<"); ok {
			if i > 0 {
				listen()
			}
			x.tell(text)
			continue
		}
		if strings.Contains(block, "$") {
			listen()
		}
		io.WriteString(c, strings.NewReplacer("$id", id, "$lower", strings.ToLower(id)).Replace(block))
		if i < len(blocks)-1 {
			x.settle()
		}
	}
	if !ended {
		listen()
	}
	io.WriteString(c, "LOGOUT\n")
	io.Copy(io.Discard, c.in) // up to its end: what it did is over for those who come next
	all := append([]string{strings.TrimSuffix(heard.String(), "\n")}, x.forwarded()...)
	return trackingID.ReplaceAllString(strings.Join(all, "\n"), "<id>")
}

// closing is how a connection ended, in words that do not depend on what was under way.
func closing(err error) string {
	if e, ok := err.(net.Error); ok && e.Timeout() {
		return "(silence)"
	}
	return "(closed)"
}
