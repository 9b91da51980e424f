package osenv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

type network struct{ *process }

func (n network) Dial(e env.Env, kind, addr string, until env.Instant) (env.Conn, error) {
	m := e.(*machine)
	d := net.Dialer{Deadline: m.clock.deadline(until)}
	c, err := d.DialContext(m.ctx, kind, addr)
	if err != nil {
		return nil, m.translate(err)
	}
	return newConn(m, c), nil
}

func (n network) Listen(e env.Env, kind, addr string) (env.Listener, error) {
	m := e.(*machine)
	var lc net.ListenConfig
	l, err := lc.Listen(m.ctx, kind, addr)
	if err != nil {
		return nil, m.translate(err)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // its name may be another program's by then
	}
	return &listener{l: l}, nil
}

type listener struct{ l net.Listener }

type deadliner interface{ SetDeadline(time.Time) error }

func (l *listener) Addr() string { return l.l.Addr().String() }
func (l *listener) Close() error { return l.l.Close() }

func (l *listener) Accept(e env.Env, until env.Instant) (env.Conn, error) {
	m := e.(*machine)
	if err := l.l.(deadliner).SetDeadline(m.clock.deadline(until)); err != nil {
		return nil, m.translate(err)
	}
	release := context.AfterFunc(m.ctx, func() { l.l.(deadliner).SetDeadline(past) })
	c, err := l.l.Accept()
	release()
	if err != nil {
		return nil, m.translate(err)
	}
	if t, ok := c.(*net.TCPConn); ok {
		t.SetReadBuffer(acceptedRead)
		t.SetWriteBuffer(acceptedWrite)
	}
	return newConn(m, c), nil
}

// What the system may hold for a peer that connected to us, in bytes. Left to itself it takes some
// megabytes for each peer that asks much and reads nothing.
const (
	acceptedRead  = 16 << 10
	acceptedWrite = 64 << 10
)

// conn is a net.Conn whose deadlines are Instants. Stopping the scope that opened it wakes its
// waits; arranging that once, not at each call, is what keeps a request cheap.
type conn struct {
	c             net.Conn
	local, remote string
	scope         context.Context
	release       func() bool
	crowd         *crowd
	in, out       *stream

	readUntil, writeUntil env.Instant // the deadlines that the system knows
	wrote                 atomic.Bool // since the last read
	closed                atomic.Bool
	woken                 atomic.Bool // a stop has put others in their place
}

func newConn(m *machine, nc net.Conn) *conn {
	c := &conn{c: nc, local: nc.LocalAddr().String(), remote: nc.RemoteAddr().String(), scope: m.ctx,
		readUntil: env.Never, writeUntil: env.Never,
		in: newStream(nc, syscall.SYS_READ), out: newStream(nc, syscall.SYS_WRITE)}
	c.release = context.AfterFunc(m.ctx, c.wake)
	c.crowd = &m.crowd
	c.crowd.enter()
	return c
}

// past is a deadline that has gone by: it wakes whoever waits.
var past = time.Unix(1, 0)

// wake ends the waits of a scope that was stopped.
func (c *conn) wake() {
	c.woken.Store(true)
	c.c.SetDeadline(past)
}

func (c *conn) LocalAddr() string  { return c.local }
func (c *conn) RemoteAddr() string { return c.remote }

func (c *conn) Close() error {
	c.release()
	if !c.closed.Swap(true) {
		c.crowd.leave()
	}
	return c.c.Close()
}

// arm tells the system a deadline that it does not know yet. Setting one costs as much as a small
// read; most calls of a session name the same.
func (c *conn) arm(m *machine, known *env.Instant, until env.Instant,
	set func(time.Time) error) error {
	if *known == until && !c.woken.Load() {
		return nil
	}
	*known = until
	return set(m.clock.deadline(until))
}

// guard makes the stop of m's scope wake a call on c whose deadline was just set.
func (c *conn) guard(m *machine) (release func() bool, err error) {
	if c.scope != m.ctx {
		release = context.AfterFunc(m.ctx, c.wake)
	}
	if m.ctx.Err() != nil {
		return nil, env.ErrStopped
	}
	return release, nil
}

// maxTurns is how many reads give way to other tasks before one must wait for its peer. While none
// waits, the scheduler does not look for new input of others.
const maxTurns = 128

// giveWay lets other tasks run before a peer is read that was just written to: it has hardly had
// the time to answer, and a read in vain with a wait costs more than a turn.
func (p *process) giveWay(c *conn) {
	if c.wrote.Swap(false) && p.turns.Add(1) <= maxTurns {
		runtime.Gosched()
	}
}

// early reports that a call ended before its time: the stop of another task's scope took effect late,
// and woke this one.
func (c *conn) early(m *machine, err error, until env.Instant) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) && m.ctx.Err() == nil && c.scope.Err() == nil &&
		m.Now() < until
}

func (c *conn) Read(e env.Env, p []byte, until env.Instant) (int, error) {
	m := e.(*machine)
	for {
		n, err := c.read(m, p, until)
		if n > 0 {
			return n, nil
		}
		if !c.early(m, err, until) {
			return 0, m.translate(err)
		}
	}
}

func (c *conn) read(m *machine, p []byte, until env.Instant) (int, error) {
	if err := c.arm(m, &c.readUntil, until, c.c.SetReadDeadline); err != nil {
		return 0, err
	}
	release, err := c.guard(m)
	if err != nil {
		return 0, err
	}
	n, err := 0, error(nil)
	if c.in.raw != nil {
		m.giveWay(c)
		n, err = c.in.do(p)
		if c.in.waited {
			m.turns.Store(0)
		}
	} else {
		n, err = c.c.Read(p)
	}
	if release != nil {
		release()
	}
	return n, err
}

func (c *conn) Write(e env.Env, p []byte, until env.Instant) (int, error) {
	m := e.(*machine)
	for done := 0; ; {
		n, err := c.write(m, p[done:], until)
		done += n
		if !c.early(m, err, until) {
			return done, m.translate(err)
		}
	}
}

func (c *conn) write(m *machine, p []byte, until env.Instant) (int, error) {
	if err := c.arm(m, &c.writeUntil, until, c.c.SetWriteDeadline); err != nil {
		return 0, err
	}
	release, err := c.guard(m)
	if err != nil {
		return 0, err
	}
	c.wrote.Store(true)
	n, err := 0, error(nil)
	if c.out.raw != nil {
		n, err = c.out.do(p)
	} else {
		n, err = c.c.Write(p)
	}
	if release != nil {
		release()
	}
	return n, err
}

// causes maps the system's errors to the ones that callers of env know.
var causes = []struct {
	errno syscall.Errno
	err   error
}{
	{syscall.ECONNREFUSED, env.ErrRefused},
	{syscall.ECONNRESET, env.ErrReset},
	{syscall.EPIPE, env.ErrReset},
	{syscall.EADDRINUSE, env.ErrAddrInUse},
	{syscall.ETIMEDOUT, env.ErrTimeout},
	{syscall.EHOSTUNREACH, env.ErrUnreachable},
	{syscall.ENETUNREACH, env.ErrUnreachable},
	{syscall.EMFILE, env.ErrFull},
	{syscall.ENFILE, env.ErrFull},
	{syscall.ENOBUFS, env.ErrFull},
	{syscall.ENOMEM, env.ErrFull},
}

// translate renames an error of package net, once, at the border.
func (m *machine) translate(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if m.ctx.Err() != nil {
		return env.ErrStopped
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return env.ErrTimeout
	}
	if errors.Is(err, net.ErrClosed) {
		return env.ErrClosed
	}
	for _, c := range causes {
		if errors.Is(err, c.errno) {
			return c.err
		}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Errorf("%s: %w", dns.Name, env.ErrNoHost)
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Timeout() {
		return env.ErrTimeout
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return cause{errno}
	}
	return err
}

// A cause is an error of the system that env has no name for, in strerror's words.
type cause struct{ errno syscall.Errno }

func (c cause) Error() string { return capital(c.errno.Error()) }
func (c cause) Unwrap() error { return c.errno }

// capital writes an error the way strerror does.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
