package client

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// The usual time-outs of NUT's clients.
const (
	ConnectTime = 10 * time.Second
	AnswerTime  = 5 * time.Second
	ByeTime     = time.Second // nothing depends on the answer to LOGOUT
)

// maxWait keeps the seconds of a time limit within reason: a day.
const maxWait = 24 * 60 * 60

// Wait returns what connecting may take: the value of a program's flag -W, else the variable
// NUT_DEFAULT_CONNECT_TIMEOUT, else ConnectTime. 0 leaves it to the system and is returned as a
// negative limit. A value that is no number of seconds is passed over; problem says so.
func Wait(e env.Env, flag string) (limit time.Duration, problem string) {
	for _, s := range []struct{ name, value string }{
		{"-W", flag}, {"NUT_DEFAULT_CONNECT_TIMEOUT", e.Host().Getenv("NUT_DEFAULT_CONNECT_TIMEOUT")},
	} {
		if s.value == "" {
			continue
		}
		n, err := strconv.Atoi(s.value)
		switch {
		case err != nil || n < 0 || n > maxWait:
			problem = fmt.Sprintf("%s %q is ignored: want a number of seconds", s.name, s.value)
		case n == 0:
			return -1, problem
		default:
			return time.Duration(n) * time.Second, problem
		}
	}
	return ConnectTime, problem
}

// Until is when a limit of Wait ends.
func Until(e env.Env, limit time.Duration) env.Instant {
	if limit < 0 {
		return env.Never
	}
	return e.Now().Add(limit)
}

// MaxLine is the longest line accepted: servers written in C send at most 512 bytes, and the values
// of no device are longer than this.
const MaxLine = 16 << 10

// MaxRows is the longest list accepted: the largest devices known have a few thousand variables.
const MaxRows = 100_000

// MaxList is how many bytes a list may have: whoever keeps it keeps no more.
const MaxList = 16 << 20

// Options say how to connect. The zero value takes TLS where the server has it, verifies nothing,
// and goes on in clear where it has none, as NUT's clients do.
type Options struct {
	Network string // tcp, tcp4 or tcp6; empty means tcp

	ForceSSL   bool   // refuse to talk in clear
	Verify     bool   // refuse a server for whom CAPath does not vouch; implies ForceSSL
	CAPath     string // PEM file, or folder of such, with the CAs of the servers
	ServerName string // whom its certificate must be made out to; empty: the host that is dialed

	CertFile    string // PEM: this client's certificate, those of its issuers, its key; may be empty
	KeyFile     string // PEM: the key, when it is in a file of its own
	KeyPassword string // of the key; empty: none
	CertName    string // whom CertFile must be made out to; empty: anybody

	loaded *credentials // by Load
}

// A Conn is a connection to upsd.
type Conn struct {
	c       env.Conn
	buf     []byte // buf[from:to] has come and was not read yet
	from    int
	to      int
	scratch []byte // the request being built
}

// firstBuffer is the size of a Conn's buffer until a longer line comes: most replies fit.
const firstBuffer = 256

// Dial connects to a server: until is when it must have connected and agreed on TLS.
func Dial(e env.Env, host string, port int, o Options, until env.Instant) (*Conn, error) {
	network := o.Network
	if network == "" {
		network = "tcp"
	}
	c, err := connect(e, network, address(host, port), until)
	if err != nil {
		return nil, dialError(err)
	}
	conn := &Conn{c: c, buf: make([]byte, firstBuffer)}
	if err := conn.secure(e, host, o, until); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// dialTry is what one try to connect may take; see connect.
const dialTry = 2500 * time.Millisecond

// connect tries again and again. The system repeats its request to a host that does not answer
// after 1, 3, 7 and 15 seconds: a network that has come back would go unnoticed for as long as it
// was away, and a monitor's time limits run meanwhile.
func connect(e env.Env, network, addr string, until env.Instant) (env.Conn, error) {
	if until == env.Never {
		return e.Net().Dial(e, network, addr, until)
	}
	for {
		c, err := e.Net().Dial(e, network, addr, min(until, e.Now().Add(dialTry)))
		if err == nil || !errors.Is(err, env.ErrTimeout) || e.Now() >= until {
			return c, err
		}
	}
}

// Close ends the connection without a word; see Logout.
func (c *Conn) Close() error { return c.c.Close() }

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() string { return c.c.LocalAddr() }

// Ask sends a request, which must end in a line feed, and returns the reply line as it came,
// without its end. The reply is valid until the next call. It is what the other requests are made
// of, and by itself the cheapest way to repeat one: a reply that has not changed need not be
// parsed.
func (c *Conn) Ask(e env.Env, until env.Instant, request []byte) ([]byte, error) {
	if _, err := c.c.Write(e, request, until); err != nil {
		return nil, writeError(err)
	}
	return c.readLine(e, until)
}

// readLine returns the next line, without LF or CR LF.
func (c *Conn) readLine(e env.Env, until env.Instant) ([]byte, error) {
	scanned := c.from
	for {
		if i := bytes.IndexByte(c.buf[scanned:c.to], '\n'); i >= 0 {
			l := c.buf[c.from : scanned+i]
			c.from = scanned + i + 1
			return bytes.TrimSuffix(l, []byte("\r")), nil
		}
		scanned = c.to - c.from
		if err := c.makeRoom(); err != nil {
			return nil, err
		}
		n, err := c.c.Read(e, c.buf[c.to:], until)
		if err != nil {
			return nil, readError(err)
		}
		c.to += n
	}
}

// makeRoom moves the unread bytes to the front and sees to it that more can come.
func (c *Conn) makeRoom() error {
	if c.from > 0 {
		c.to = copy(c.buf, c.buf[c.from:c.to])
		c.from = 0
	}
	if c.to < len(c.buf) {
		return nil
	}
	if len(c.buf) >= MaxLine {
		return malformed("reading", c.buf, wantShortLine)
	}
	c.buf = append(c.buf, make([]byte, len(c.buf))...)
	return nil
}

// ask sends a request of words. shown is how many of them an error may show.
func (c *Conn) ask(e env.Env, until env.Instant, shown int, words ...string) ([]string, error) {
	c.scratch = append(c.scratch[:0], netproto.Request(words...)...)
	reply, err := c.Ask(e, until, c.scratch)
	if err != nil {
		return nil, err
	}
	return parse(strings.Join(words[:min(shown, len(words))], " "), reply)
}

// parse splits a reply into words. An error reply is returned as the error it is.
func parse(asked string, reply []byte) ([]string, error) {
	words, err := line.Words(string(reply))
	if err != nil {
		return nil, malformed(asked, reply, err.Error())
	}
	if e, ok := netproto.AsError(words); ok {
		return nil, e
	}
	return words, nil
}

// echoes reports whether words begin with those of the query, and returns the others.
func echoes(words, query []string) (rest []string, ok bool) {
	if len(words) < len(query) {
		return nil, false
	}
	for i, q := range query {
		if !strings.EqualFold(words[i], q) {
			return nil, false
		}
	}
	return words[len(query):], true
}

// all is a number of words to show that is never exceeded.
const all = 1 << 10
