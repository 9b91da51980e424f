package world

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world/kernel"
)

const (
	loopbackLatency = 20 * time.Microsecond
	lanLatency      = 300 * time.Microsecond
	window          = 256 << 10              // bytes a peer may leave unread before Write blocks: a usual socket buffer
	backlog         = 512                    // connections not yet accepted
	resend          = 200 * time.Millisecond // a lost segment comes this much later: TCP's least time-out
	firstRetry      = time.Second            // a connection request is repeated after 1, 2, 4 ... s
)

// A Link is one direction between two hosts. A cut holds bytes back, as TCP does by resending.
type Link struct {
	Latency time.Duration
	Loss    int // segments of a hundred that are lost and come later
	cut     bool
	usual   time.Duration // what Latency was before Delay
	held    []*conn       // receiving ends that have bytes waiting for the link to heal
	rng     *rand.Rand
}

// Link returns the direction from a to b.
func (w *World) Link(a, b *Host) *Link {
	key := [2]*Host{a, b}
	l := w.links[key]
	if l == nil {
		l = &Link{Latency: lanLatency, rng: w.stream("link/" + a.name + "/" + b.name)}
		if a == b {
			l.Latency = loopbackLatency
		}
		w.links[key] = l
	}
	return l
}

// Cut stops all traffic in this direction until Heal.
func (l *Link) Cut() { l.cut = true }

// Delay makes traffic take longer until Heal.
func (l *Link) Delay(d time.Duration) {
	if l.usual == 0 {
		l.usual = l.Latency
	}
	l.Latency = d
}

// Heal ends cut and delay, and lets what was held back arrive.
func (l *Link) Heal(w *World) {
	l.cut = false
	if l.usual > 0 {
		l.Latency, l.usual = l.usual, 0
	}
	for _, c := range l.held {
		c.schedule(w.k.Now() + int64(l.Latency))
	}
	l.held = nil
}

// delay is how long a segment takes.
func (l *Link) delay() int64 {
	d := int64(l.Latency)
	for wait := int64(resend); l.Loss > 0 && l.rng.IntN(100) < l.Loss; wait *= 2 {
		d += wait
	}
	return d
}

type network struct{}

func (network) Listen(e env.Env, kind, addr string) (env.Listener, error) {
	m := e.(*machine)
	h := m.p.host
	if m.p.dead {
		return nil, errGone
	}
	key := addr
	if kind != "unix" {
		ip, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		if ip == "localhost" {
			ip = "127.0.0.1"
		}
		if port == "0" {
			h.lastPort++
			port = strconv.Itoa(h.lastPort)
		}
		if t := h.w.names[ip]; t != nil && t != h {
			return nil, fmt.Errorf("cannot assign requested address %s", ip)
		}
		key = net.JoinHostPort(ip, port)
	}
	if kind != "unix" && h.lis[key] != nil || kind == "unix" && h.files[key] != nil {
		return nil, env.ErrAddrInUse
	}
	l := &listener{p: m.p, key: key}
	h.lis[key] = l
	m.p.lis = append(m.p.lis, l)
	if kind == "unix" {
		h.files[key] = h.newFile(nil, fs.ModeSocket|0o660, Epoch)
	}
	return l, nil
}

// target finds the host and the listener that an address means, seen from h.
func (h *Host) target(kind, addr string) (*Host, func() *listener, error) {
	if kind == "unix" {
		return h, func() *listener { return h.lis[addr] }, nil
	}
	name, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	to := h.w.names[name]
	switch name {
	case "localhost", "127.0.0.1":
		to, name = h, "127.0.0.1"
	case "::1":
		to = h
	}
	if to == nil {
		return nil, nil, fmt.Errorf("%s: %w", name, env.ErrNoHost)
	}
	if to.name == name {
		name = to.addr
	}
	return to, func() *listener {
		for _, ip := range [...]string{name, "0.0.0.0", "", "::"} {
			if l := to.lis[net.JoinHostPort(ip, port)]; l != nil {
				return l
			}
		}
		return nil
	}, nil
}

func (network) Dial(e env.Env, kind, addr string, until env.Instant) (env.Conn, error) {
	m := e.(*machine)
	from := m.p.host
	to, find, err := from.target(kind, addr)
	if err != nil {
		return nil, err
	}
	out, back := from.w.Link(from, to), from.w.Link(to, from)
	for wait := firstRetry; ; wait *= 2 {
		if to.up && !out.cut && !back.cut {
			if err := m.sleep(time.Duration(out.delay()), until); err != nil {
				return nil, err
			}
			if to.up {
				break
			}
		}
		if err := m.sleep(wait, until); err != nil {
			return nil, err
		}
	}
	l := find()
	if l == nil && kind == "unix" && to.files[addr] == nil {
		return nil, &fs.PathError{Op: "dial unix", Path: addr, Err: syscall.ENOENT}
	}
	if l == nil || len(l.queue) >= backlog {
		if err := m.sleep(time.Duration(back.delay()), until); err != nil {
			return nil, err
		}
		return nil, env.ErrRefused
	}
	from.lastPort++
	local := net.JoinHostPort(from.addr, strconv.Itoa(from.lastPort))
	near := &conn{p: m.p, life: from.life, local: local, remote: addr}
	if to == from && kind != "unix" {
		near.local = net.JoinHostPort("127.0.0.1", strconv.Itoa(from.lastPort))
	}
	far := &conn{p: l.p, life: to.life, local: l.key, remote: near.local, peer: near, in: out}
	if kind == "unix" {
		near.local, far.remote = "", ""
	}
	near.peer, near.in = far, back
	near.deliver, far.deliver = near.arrive, far.arrive
	m.p.conns = append(m.p.conns, near)
	l.p.conns = append(l.p.conns, far)
	l.queue = append(l.queue, far)
	l.w.Wake()
	if err := m.sleep(time.Duration(back.delay()), until); err != nil {
		near.Close()
		return nil, err
	}
	return near, nil
}

// sleep waits d, or until a deadline (ErrTimeout).
func (m *machine) sleep(d time.Duration, until env.Instant) error {
	end := m.Now().Add(d)
	if end <= until {
		return m.Sleep(d)
	}
	if err := m.Sleep(until.Sub(m.Now())); err != nil {
		return err
	}
	return env.ErrTimeout
}

type listener struct {
	p      *Process
	key    string
	queue  []*conn
	w      waiter
	closed bool
}

func (l *listener) Addr() string { return l.key }

func (l *listener) Close() error {
	if l.closed {
		return env.ErrClosed
	}
	l.drop()
	return nil
}

// drop is what the system does with the listener of a process that ends.
func (l *listener) drop() {
	l.closed = true
	if l.p.host.lis[l.key] == l {
		delete(l.p.host.lis, l.key)
	}
	l.p.lis = slices.DeleteFunc(l.p.lis, func(x *listener) bool { return x == l })
	for _, c := range l.queue {
		c.Close()
	}
	l.w.Wake()
}

func (l *listener) Accept(e env.Env, until env.Instant) (env.Conn, error) {
	for len(l.queue) == 0 && !l.closed {
		if err := l.w.Wait(e, until); err != nil {
			return nil, err
		}
	}
	if l.closed {
		return nil, env.ErrClosed
	}
	c := l.queue[0]
	l.queue = l.queue[1:]
	return c, nil
}

// conn is one end of a stream.
type conn struct {
	p             *Process
	life          int // of the host when it was made
	peer          *conn
	in            *Link // the direction that ends here
	local, remote string

	wire    []byte    // sent by the peer, not here yet
	segs    []segment // what wire consists of; a queue with its head at first
	first   int
	due     int64 // when the next arrival was scheduled; it keeps the order
	deliver func()

	buf    []byte // here, not read yet
	off    int
	eof    bool
	reset  bool
	closed bool
	reader *kernel.Task
	writer *kernel.Task // of this end, waiting for the peer to read
}

type segment struct {
	at   int64
	n    int
	fin  bool
	lost bool // answered with a reset
}

func (c *conn) LocalAddr() string  { return c.local }
func (c *conn) RemoteAddr() string { return c.remote }

func (c *conn) Read(e env.Env, p []byte, until env.Instant) (int, error) {
	m := e.(*machine)
	for c.off == len(c.buf) {
		switch {
		case c.reset:
			return 0, env.ErrReset
		case c.closed:
			return 0, env.ErrClosed
		case c.eof:
			return 0, io.EOF
		}
		c.reader = m.t
		err := m.park(until)
		c.reader = nil
		if err != nil && c.off == len(c.buf) {
			return 0, err
		}
	}
	n := copy(p, c.buf[c.off:])
	if c.off += n; c.off == len(c.buf) {
		c.buf, c.off = c.buf[:0], 0
	}
	if w := c.peer.writer; w != nil {
		w.Wake()
	}
	return n, nil
}

func (c *conn) Write(e env.Env, p []byte, until env.Instant) (int, error) {
	m := e.(*machine)
	if m.ended() {
		return 0, env.ErrStopped
	}
	for len(c.peer.wire)+len(c.peer.buf)-c.peer.off+len(p) > window && !c.reset && !c.closed &&
		len(c.peer.wire)+len(c.peer.buf)-c.peer.off > 0 {
		c.writer = m.t
		err := m.park(until)
		c.writer = nil
		if err != nil {
			return 0, err
		}
	}
	switch {
	case c.closed:
		return 0, env.ErrClosed
	case c.reset:
		return 0, env.ErrReset
	}
	c.peer.wire = append(c.peer.wire, p...)
	c.peer.send(segment{n: len(p)})
	return len(p), nil
}

func (c *conn) Close() error {
	if c.closed {
		return env.ErrClosed
	}
	c.closed = true
	c.p.conns = slices.DeleteFunc(c.p.conns, func(x *conn) bool { return x == c })
	if !c.p.dead {
		c.peer.send(segment{fin: true})
	}
	for _, t := range [...]*kernel.Task{c.reader, c.writer} {
		if t != nil {
			t.Wake()
		}
	}
	return nil
}

// send puts a segment on the way to this end.
func (c *conn) send(s segment) {
	k := c.p.host.w.k
	s.at = max(k.Now()+c.in.delay(), c.due)
	c.due = s.at
	c.segs = append(c.segs, s)
	if c.in.cut {
		c.in.held = append(c.in.held, c)
		return
	}
	c.schedule(s.at)
}

func (c *conn) schedule(at int64) { c.p.host.w.k.At(at, c.deliver) }

// arrive takes what is due off the wire.
func (c *conn) arrive() {
	k := c.p.host.w.k
	if c.in.cut {
		c.in.held = append(c.in.held, c)
		return
	}
	n := 0
	for ; c.first < len(c.segs) && c.segs[c.first].at <= k.Now(); c.first++ {
		s := c.segs[c.first]
		n += s.n
		switch {
		case s.lost:
			c.reset = true
		case s.fin:
			c.eof = true
		}
	}
	if c.first == len(c.segs) {
		c.segs, c.first = c.segs[:0], 0
	}
	if n > 0 {
		c.take(n)
	}
	for _, t := range [...]*kernel.Task{c.reader, c.writer} {
		if t != nil {
			t.WakeNow()
		}
	}
}

// take moves n bytes from the wire to the buffer; an end that is no more answers with a reset,
// unless its computer is off: that answers nothing.
func (c *conn) take(n int) {
	h := c.p.host
	gone := c.p.dead || c.closed || c.life != h.life
	if !gone {
		c.buf = append(c.buf, c.wire[:n]...)
	}
	if n == len(c.wire) {
		c.wire = c.wire[:0]
	} else {
		c.wire = append(c.wire[:0], c.wire[n:]...)
	}
	if gone && h.up && !c.peer.closed {
		c.peer.send(segment{lost: true})
	}
}
