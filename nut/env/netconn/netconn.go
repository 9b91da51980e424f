// Package netconn joins an env.Conn and the standard library: it lends an env.Conn to code that
// wants a net.Conn, and gives back the encrypted stream of crypto/tls as an env.Conn.
//
//	t, err := netconn.Server(e, conn, config, e.Now().Add(10*time.Second))
//	n, err := t.Read(e, buf, until)
//
// # Time
//
// A deadline that is set on a [Conn] is a point of the calendar, as net.Conn has it; it is taken as
// far from the Env's Wall as it says, so that it means the same in virtual time. It counts from the
// next call: it wakes nobody who waits already. A [TLS] has no deadlines, every call has its own.
//
// crypto/tls asks for the date through Config.Time, which is the Env's Wall. It starts no
// goroutine: the context that it is given never ends, the deadline does what is left.
//
// # Randomness
//
// Keys and nonces come from the operating system, also in virtual time: Env.Rand repeats itself,
// which is its purpose, and what repeats itself is no secret. Go itself ignores Config.Rand for
// keys since 1.26. So the bytes of a rehearsal over TLS differ from run to run; what happens, and
// when, does not, because records are as long and as many.
//
// # Tasks
//
// One task may read while another writes. A peer that asks for a new key while both are under way
// makes the reader wait for the writer, with a lock of crypto/tls. On a real machine that is no
// more than a wait; in virtual time it would hang, and nothing of this project asks for new keys.
package netconn

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Conn is an env.Conn as a net.Conn.
type Conn struct {
	c  env.Conn
	mu sync.Mutex // guards what follows; not held while anybody waits
	in call
	// out is what writes go by.
	out call
}

// A call is the task for which something is read or written, and when it must be done.
type call struct {
	e     env.Env
	until env.Instant
}

// New lends c to code that runs in the task of e.
func New(e env.Env, c env.Conn) *Conn {
	own := call{e, env.Never}
	return &Conn{c: c, in: own, out: own}
}

// Read reads as net.Conn does. Its errors wrap those of package env; that of a deadline is a
// net.Error, after which one may read again.
func (c *Conn) Read(p []byte) (int, error) {
	own := c.get(&c.in)
	n, err := c.c.Read(own.e, p, own.until)
	return n, late(err)
}

// Write writes as net.Conn does.
func (c *Conn) Write(p []byte) (int, error) {
	own := c.get(&c.out)
	n, err := c.c.Write(own.e, p, own.until)
	return n, late(err)
}

// Close closes the env.Conn.
func (c *Conn) Close() error { return c.c.Close() }

// LocalAddr is this end's address.
func (c *Conn) LocalAddr() net.Addr { return addr(c.c.LocalAddr()) }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return addr(c.c.RemoteAddr()) }

// SetDeadline is SetReadDeadline and SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline says when the reads that begin from now on must have something; the zero time
// means never.
func (c *Conn) SetReadDeadline(t time.Time) error { c.setUntil(&c.in, t); return nil }

// SetWriteDeadline says the same of writes.
func (c *Conn) SetWriteDeadline(t time.Time) error { c.setUntil(&c.out, t); return nil }

func (c *Conn) get(from *call) call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *from
}

func (c *Conn) set(to *call, v call) {
	c.mu.Lock()
	*to = v
	c.mu.Unlock()
}

func (c *Conn) setUntil(to *call, t time.Time) {
	own := c.get(to)
	own.until = env.Never
	if !t.IsZero() {
		own.until = own.e.Now().Add(t.Sub(own.e.Wall()))
	}
	c.set(to, own)
}

// addr is an address as net.Conn has it.
type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }

// timeout is env.ErrTimeout in a form that crypto/tls knows as one that passes.
type timeout struct{ error }

func (timeout) Timeout() bool   { return true }
func (timeout) Temporary() bool { return true }
func (t timeout) Unwrap() error { return t.error }

func late(err error) error {
	if errors.Is(err, env.ErrTimeout) {
		return timeout{err}
	}
	return err
}

// own gives an error that went through crypto/tls its name in package env again.
func own(err error) error {
	for _, e := range []error{env.ErrStopped, env.ErrTimeout, env.ErrReset, env.ErrClosed} {
		if errors.Is(err, e) {
			return e
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // cut off within a record
		return env.ErrReset
	}
	return err
}
