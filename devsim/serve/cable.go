package serve

import (
	"fmt"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// queueSize is how many bytes wait to be read before more are lost, as in a terminal's input queue.
const queueSize = 4096

// A Cable is a serial line in memory with a device at its far end. An answer becomes readable when
// its last byte would have arrived. One program at a time has it open.
type Cable struct {
	*far
	o Options

	mu      sync.Mutex // guards what follows; never held across a call of a face or an Env
	port    *port
	cleared func()
	out     outputs // as the computer has set them
	driven  outputs // as the device has last heard them
	frozen  transport.LineState
}

// NewCable connects a device.
func NewCable(f Face, o Options) *Cable {
	c := &Cable{far: newFar(f, o.Seed), o: o}
	if t, ok := f.(Crier); ok {
		t.OnTalk(c.cry)
	}
	return c
}

// cry wakes who reads, because the device has something to say.
func (c *Cable) cry() {
	c.mu.Lock()
	p := c.port
	c.mu.Unlock()
	if p != nil {
		p.wake.Wake()
	}
}

// Open opens the port with the speed of the device.
func (c *Cable) Open(e env.Env) (transport.Serial, error) {
	return c.OpenMode(e, transport.Mode{Baud: c.o.baud()})
}

// OpenMode opens the port. Bytes sent at another speed than the device's come back as noise.
func (c *Cable) OpenMode(e env.Env, m transport.Mode) (transport.Serial, error) {
	if _, ok := c.has(c.now(e), Unplug); ok {
		return nil, fmt.Errorf("unplugged: %w", transport.ErrNoPort)
	}
	if m.Baud == 0 {
		m.Baud = Options{}.baud()
	}
	p := &port{c: c, e: e, wake: e.Waiter(), badSpeed: m.Baud != c.o.baud(), keep: m.KeepLines}
	c.mu.Lock()
	busy := c.port != nil
	if !busy {
		c.port = p
	}
	c.mu.Unlock()
	if busy {
		return nil, transport.ErrBusy
	}
	if !c.Lined() {
		return p, nil
	}
	c.raise()
	return &linedPort{p}, nil
}

// Release closes the port for a program that died without doing it, as a system does.
func (c *Cable) Release() { c.drop(nil, env.ErrClosed) }

// SetFault makes a fault present for d from now on, or until ClearFault when d is 0. One that the
// port does not take has no effect.
func (c *Cable) SetFault(now time.Duration, f Fault, d time.Duration) {
	if f.usbOnly() {
		return
	}
	c.freeze(now)
	c.set(now, f, d)
	if f == Unplug {
		c.drop(nil, transport.ErrGone)
	}
}

// ClearFault ends a fault. A handle that was open when the port was unplugged stays dead.
func (c *Cable) ClearFault(now time.Duration, f Fault) {
	c.clear(f)
	c.hear(now)
	c.mu.Lock()
	told := c.cleared
	c.mu.Unlock()
	if told != nil {
		told()
	}
}

// onClear registers what is called after a fault was cleared.
func (c *Cable) onClear(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cleared = f
}

// Faults returns the names of the faults that are present.
func (c *Cable) Faults(now time.Duration) []string { return c.present(now) }

// drop takes the port from p, or from whoever has it, and wakes its reader.
func (c *Cable) drop(p *port, why error) {
	c.mu.Lock()
	holder := c.port
	if holder != nil && (p == nil || p == holder) {
		c.port = nil
	}
	taken := c.port == nil && holder != nil
	if p == nil {
		p = holder
	}
	c.mu.Unlock()
	if taken && c.Lined() && (why == transport.ErrGone || !holder.keep) {
		c.drive(c.now(holder.e), outputs{})
	}
	if p != nil {
		p.kill(why)
	}
}

func (c *Cable) now(e env.Env) time.Duration { return c.o.now(e) }

// Takes reports whether a serial port can have a fault.
func (c *Cable) Takes(f Fault) error {
	if f.usbOnly() {
		return fmt.Errorf("fault %s: only a USB device can have it, and this is a serial port", f)
	}
	return nil
}

// A port is a Cable opened by a program.
type port struct {
	c        *Cable
	e        env.Env // of the opener; only its clock is used
	wake     env.Waiter
	badSpeed bool
	keep     bool // the modem lines stay as they are when it is closed

	mu    sync.Mutex // guards what follows; never held across a call of a face or an Env
	dead  error      // why the port cannot be used any more
	queue []chunk
	size  int         // bytes in queue
	free  env.Instant // when the device's transmitter has nothing left to send
}

// A chunk is bytes that become readable together.
type chunk struct {
	at env.Instant
	b  []byte
}

func (p *port) Write(_ env.Env, b []byte) (int, error) {
	if err := p.state(); err != nil {
		return 0, fmt.Errorf("write %q: %w", b, err)
	}
	now := p.c.now(p.e)
	reply := p.c.receive(now, b, p.badSpeed)
	p.send(p.e.Now().Add(p.c.o.wire(len(b))+p.c.o.Latency), now, reply)
	return len(b), nil
}

// send puts what the device says on the wire, from the instant start on.
func (p *port) send(start env.Instant, now time.Duration, b []byte) {
	if len(b) == 0 {
		return
	}
	_, slow := p.c.has(now, Slow)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = max(p.free, start)
	if !slow {
		p.free = p.free.Add(p.c.o.wire(len(b)))
		p.push(chunk{p.free, b})
		return
	}
	for i := range b {
		p.free = p.free.Add(slowness * p.c.o.wire(1))
		p.push(chunk{p.free, b[i : i+1]})
	}
}

// push queues a chunk, or loses it when the queue is full. The lock is held.
func (p *port) push(c chunk) {
	if p.size+len(c.b) > queueSize {
		return
	}
	p.size += len(c.b)
	p.queue = append(p.queue, c)
	p.wake.Wake()
}

func (p *port) Read(e env.Env, b []byte, until env.Instant) (int, error) {
	for {
		p.talk(e)
		now := e.Now()
		n, next, err := p.take(now, b)
		if n > 0 || err != nil {
			return n, err
		}
		if now >= until {
			return 0, transport.ErrTimeout
		}
		err = p.wake.Wait(e, min(until, next, p.nextTalk(e)))
		if err != nil && !isTimeout(err) {
			return 0, err
		}
	}
}

// take moves bytes that have come by now to b, and tells when the next ones come.
func (p *port) take(now env.Instant, b []byte) (n int, next env.Instant, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return 0, 0, p.dead
	}
	for len(p.queue) > 0 && p.queue[0].at <= now && n < len(b) {
		c := &p.queue[0]
		k := copy(b[n:], c.b)
		n, c.b, p.size = n+k, c.b[k:], p.size-k
		if len(c.b) == 0 {
			p.queue = p.queue[1:]
		}
	}
	if len(p.queue) == 0 {
		return n, env.Never, nil
	}
	return n, p.queue[0].at, nil
}

// talk takes over what the device has said unasked.
func (p *port) talk(e env.Env) {
	t, ok := p.c.face.(Talker)
	if !ok {
		return
	}
	now := p.c.now(e)
	if at, ok := t.NextTalk(); ok && at <= now {
		p.send(e.Now(), now, p.c.spoil(now, t.Talk(now)))
	}
}

// nextTalk is when the device speaks unasked, in the time of e.
func (p *port) nextTalk(e env.Env) env.Instant {
	if t, ok := p.c.face.(Talker); ok {
		if at, ok := t.NextTalk(); ok {
			return e.Now().Add(at - p.c.now(e))
		}
	}
	return env.Never
}

// Flush drops what has arrived; an answer that is still on the wire will come.
func (p *port) Flush() error {
	now := p.e.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.queue) > 0 && p.queue[0].at <= now {
		p.size -= len(p.queue[0].b)
		p.queue = p.queue[1:]
	}
	return p.dead
}

func (p *port) Close() error {
	p.c.drop(p, env.ErrClosed)
	return nil
}

func (p *port) state() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// kill makes the port unusable and wakes its reader.
func (p *port) kill(why error) {
	p.mu.Lock()
	if p.dead == nil {
		p.dead = why
	}
	p.mu.Unlock()
	p.wake.Wake()
}
