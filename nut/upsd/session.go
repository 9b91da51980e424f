package upsd

import (
	"container/list"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/netconn"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

const (
	// idleLimit is how long a client may be silent (NP-T9): 60 s, and a little so that one that
	// polls once a minute is on time. NUT's own grain is a second or two.
	idleLimit = 60*time.Second + 500*time.Millisecond
	// clientWrite is how long a client may take to read a reply before it is dropped. Nobody else
	// waits for it.
	clientWrite = 30 * time.Second
	// clientRead is the size of one read: many times a request, and small, since each of ten
	// thousand sessions has its own.
	clientRead = 512
	// bulkRead is the size once a client sends more than that at a time.
	bulkRead = 16 << 10
	// bulkPause is what each bulkRead of a line costs that is longer than any honest one: whoever
	// sends without end must not keep the processor from those who wait for an answer.
	bulkPause = time.Millisecond
	// flushAt is when replies to pipelined requests are sent before all of them are made. With the
	// largest LIST it bounds a session's memory.
	flushAt = 16 << 10
	// keepOut is the largest reply buffer that a session keeps between requests.
	keepOut = 1 << 10
)

// A session is one client connection.
type session struct {
	s    *server
	conn env.Conn // to the client; what any task may close
	addr string   // the client's, without the port
	peer string   // with it
	rand *rand.Rand
	at   *list.Element // in server.sessions

	heard env.Instant // the last complete line
	lines int         // complete ones
	out   []byte      // reply lines not yet sent
	bye   bool        // no further request is answered

	stream  env.Conn     // what is read and written: conn, or secure
	secure  *netconn.TLS // once encrypted
	upgrade *tls.Config  // set: a handshake was promised

	// The lock of the server guards what follows: reloading looks at it.
	spoke            env.Instant // heard, for other tasks
	user, pass       string
	hasUser, hasPass bool
	tracking         bool
	ssl              bool
	login            *ups
	kicked           bool // its UPS is no more
	grumbles         int  // lines logged about its misuse

	guessed bool          // its password was wrong
	penalty time.Duration // what the answer that says so waits
}

// serve answers a client until it goes.
func (s *server) serve(conn env.Conn) func(env.Env) error {
	return func(e env.Env) error {
		c := &session{s: s, conn: conn, stream: conn, addr: host(conn.RemoteAddr()),
			peer: conn.RemoteAddr()}
		c.rand, c.heard = e.Rand(), e.Now()
		if s.enter(e, c) {
			err := c.run(e)
			s.leave(e, c, err)
		}
		conn.Close()
		return nil
	}
}

// host is the address of a peer without its port.
func host(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}

// enter counts a new session; false when MAXCONN is reached. The client is told by an end of the
// connection, which is better than being left to wait.
func (s *server) enter(e env.Env, c *session) (ok bool) {
	s.do(e, func() {
		have := s.connections()
		if ok = have < s.set.maxConn; !ok {
			s.blame(c.heard, slog.LevelError, "upsd polling %d filedescriptors, but wanted to poll %d: "+
				"client %s is sent away; see MAXCONN in upsd.conf", s.set.maxConn, have+1, c.addr)
			return
		}
		c.at = s.sessions.PushFront(c)
		s.debugf(2, "Connect from %s", c.addr)
	})
	return ok
}

// leave ends what a session left behind.
func (s *server) leave(e env.Env, c *session, err error) {
	gone := e.Now()
	if errors.Is(err, env.ErrTimeout) {
		gone = c.heard // its host may have lost power then, without a farewell
	}
	s.do(e, func() {
		s.sessions.Remove(c.at)
		s.forsake(c, gone)
		c.logout(farewell(c, err))
		s.debugf(2, "Disconnect from %s: %s", c.addr, farewell(c, err))
	})
}

// farewell is why a session ended, in words.
func farewell(c *session, err error) string {
	switch {
	case c.kicked:
		return "its UPS was removed"
	case errors.Is(err, env.ErrStopped):
		return "upsd stops"
	case errors.Is(err, env.ErrTimeout):
		return "silent for too long"
	case err == nil:
		return "LOGOUT"
	case errors.Is(err, io.EOF):
		return "disconnected"
	}
	return err.Error()
}

// logout takes back the LOGIN. The caller holds the lock.
func (c *session) logout(why string) {
	u := c.login
	if u == nil {
		return
	}
	c.login = nil
	u.logins--
	c.s.event(env.Event{Kind: env.Logout, UPS: u.name, Name: c.peer, Value: c.addr, N: int64(u.logins),
		Why: why})
}

// run reads and answers requests; nil means that the client said LOGOUT.
func (c *session) run(e env.Env) error {
	var r reader
	var now env.Instant
	var failed error
	surplus := false // lines behind STARTTLS
	take := func(words []string, bad error) {
		if c.bye || failed != nil || c.upgrade != nil {
			surplus = true
			return
		}
		c.heard = now
		c.lines++
		if c.answer(words, bad) {
			c.s.tell(e)
		}
		if c.penalty > 0 {
			failed = e.Sleep(c.penalty)
			c.penalty, now = 0, e.Now()
			c.heard = now
		}
		if failed == nil && len(c.out) >= flushAt {
			failed = c.flush(e, now)
		}
	}
	in := make([]byte, clientRead)
	for {
		n, err := c.stream.Read(e, in, deadline(c.heard, idleLimit))
		if err != nil {
			return err
		}
		now = e.Now()
		lines := c.lines
		r.feed(in[:n], take)
		if failed == nil {
			failed = c.flush(e, now)
		}
		if failed == nil && c.upgrade != nil {
			failed = c.encrypt(e, surplus || r.open)
			r = reader{}
		}
		if failed != nil || c.bye {
			c.goodbye(e)
			return failed
		}
		if n == bulkRead && c.lines == lines {
			if err := e.Sleep(bulkPause); err != nil {
				return err
			}
		}
		in = fitting(in, n)
	}
}

// fitting is the buffer for the next read after one of n bytes into in.
func fitting(in []byte, n int) []byte {
	switch {
	case n == clientRead && len(in) == clientRead:
		return make([]byte, bulkRead)
	case n < clientRead && len(in) == bulkRead:
		return make([]byte, clientRead)
	}
	return in
}

// deadline is d after an instant, to the next full second: so that a busy session names the same
// deadline again and again, which costs the machine less than a new one for each request.
func deadline(from env.Instant, d time.Duration) env.Instant {
	const grain = env.Instant(time.Second)
	return (from.Add(d) + grain - 1) / grain * grain
}

// flush sends what was answered, in one write. now is when the request was read.
func (c *session) flush(e env.Env, now env.Instant) error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.stream.Write(e, c.out, deadline(now, clientWrite))
	c.out = c.out[:0]
	if cap(c.out) > keepOut {
		c.out = nil
	}
	return err
}

// answer appends the reply to one request. It reports whether there is something to tell.
func (c *session) answer(words []string, err error) (tell bool) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	c.spoke = c.heard
	if s.debugs(3) {
		s.debugf(3, "%s: %q", c.who(), harmless(words))
	}
	if err == nil {
		c.request(words)
	} else {
		c.grumble("Parse error on sock: %s", cause(err))
		c.malformed(words)
	}
	return len(s.notes) > 0
}

// harmless is a request without what must not be logged.
func harmless(words []string) []string {
	if len(words) > 1 && strings.EqualFold(words[0], "PASSWORD") {
		return words[:1]
	}
	return words
}

// cause is what was wrong with a line, without the line: there may be a password in it.
func cause(err error) string {
	var e *line.Error
	if errors.As(err, &e) {
		return e.Cause
	}
	return "bad line"
}

// grumble logs what a client did wrong, the first few times: a client cannot fill the log.
func (c *session) grumble(format string, args ...any) {
	if c.grumbles++; c.grumbles > maxGrumbles {
		return
	}
	c.s.blame(c.heard, slog.LevelInfo, format, args...)
	if c.grumbles == maxGrumbles {
		c.s.blame(c.heard, slog.LevelInfo, "Client %s: further misuse is not logged", c.who())
	}
}

// malformed answers a line that could not be read, or not to its end. Running the beginning of a
// line would set a value that was cut.
func (c *session) malformed(words []string) {
	if len(words) > 0 {
		if _, ok := requests(words[0]); !ok {
			c.err(netproto.UnknownCommand)
			return
		}
	}
	c.err(netproto.InvalidArgument)
}

// err appends an error reply.
func (c *session) err(e netproto.Err) { c.out = netproto.AppendErr(c.out, e) }

// say appends a reply line.
func (c *session) say(text string) { c.out = append(append(c.out, text...), '\n') }

// whoUser is how much of a user name goes into a log line: its length is the client's choice.
const whoUser = 64

// who is the client in log lines.
func (c *session) who() string {
	if len(c.user) > whoUser {
		return c.user[:whoUser] + "...@" + c.addr
	}
	return c.user + "@" + c.addr
}
