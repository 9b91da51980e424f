package serve

import (
	"slices"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A handle is a Plug opened by a program. Several tasks may make transfers at once.
type handle struct {
	p  *Plug
	id transport.USBID

	mu    sync.Mutex   // guards what follows; never held across a call of an Env
	dead  error        // why it cannot be used any more
	waits []env.Waiter // of the transfers that are under way
}

// ID implements transport.USB.
func (h *handle) ID() transport.USBID { return h.id }

// Control implements transport.USB.
func (h *handle) Control(e env.Env, s transport.USBSetup, data []byte, until env.Instant) (
	int, error) {
	t := h.begin(e, until)
	defer t.end()
	if err := h.state(); err != nil {
		return 0, err
	}
	if b, ok := h.p.known(s); ok {
		return copy(data, b), nil
	}
	if err := t.admit(); err != nil {
		return 0, err
	}
	in, ready, err := h.p.control(h.p.now(e), s, data)
	if err != nil {
		return 0, err
	}
	h.p.wake() // it may have something to say now
	if err := t.sleep(ready); err != nil {
		return 0, err
	}
	if !s.In() {
		return len(data), nil
	}
	if _, ok := h.p.has(h.p.now(e), Overflow); ok {
		return 0, transport.ErrOverflow
	}
	return copy(data, in), nil
}

// Interrupt implements transport.USB. As on a bus, a transfer is over when its buffer is full or a
// packet was shorter than those of the endpoint can be.
func (h *handle) Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	t := h.begin(e, until)
	defer t.end()
	size, err := h.p.size(endpoint)
	if err != nil {
		return 0, err
	}
	if endpoint&0x80 == 0 {
		return t.out(endpoint, data, size)
	}
	for n := 0; ; {
		b, err := t.in(endpoint)
		if err != nil {
			return n, err
		}
		if _, ok := h.p.has(h.p.now(e), Overflow); ok || len(b) > min(size, len(data)-n) {
			return n, transport.ErrOverflow
		}
		n += copy(data[n:], b)
		if len(b) < size || n == len(data) {
			return n, nil
		}
	}
}

// ClearHalt implements transport.USB.
func (h *handle) ClearHalt(e env.Env, endpoint byte) error {
	if err := h.state(); err != nil {
		return err
	}
	h.p.clear(Halt)
	_, _, err := h.p.control(h.p.now(e), transport.USBSetup{RequestType: 0x02,
		Request: gadget.ClearFeature, Index: uint16(endpoint)}, nil)
	return err
}

// Reset implements transport.USB.
func (h *handle) Reset(e env.Env) error {
	if err := h.state(); err != nil {
		return err
	}
	h.p.reset(h.p.now(e))
	return nil
}

// Close implements transport.USB.
func (h *handle) Close() error {
	h.p.leave(h)
	h.kill(env.ErrClosed)
	return nil
}

func (h *handle) state() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dead
}

// kill makes the handle unusable and wakes its transfers.
func (h *handle) kill(why error) {
	h.mu.Lock()
	if h.dead == nil {
		h.dead = why
	}
	h.mu.Unlock()
	h.wake()
}

func (h *handle) wake() {
	h.mu.Lock()
	waits := slices.Clone(h.waits)
	h.mu.Unlock()
	for _, w := range waits {
		w.Wake()
	}
}

// A transfer is one that is under way.
type transfer struct {
	h     *handle
	e     env.Env
	w     env.Waiter
	until env.Instant
}

func (h *handle) begin(e env.Env, until env.Instant) transfer {
	t := transfer{h, e, e.Waiter(), until}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waits = append(h.waits, t.w)
	return t
}

func (t transfer) end() {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	t.h.waits = slices.DeleteFunc(t.h.waits, func(w env.Waiter) bool { return w == t.w })
}

// pause waits until something has changed, or at most until an instant of the world.
func (t transfer) pause(at time.Duration) error {
	now := t.e.Now()
	if now >= t.until {
		return transport.ErrTimeout
	}
	err := t.w.Wait(t.e, min(t.until, now.Add(at-t.h.p.now(t.e))))
	if err != nil && !isTimeout(err) {
		return err
	}
	return nil
}

// admit waits until the device listens.
func (t transfer) admit() error {
	for {
		if err := t.h.state(); err != nil {
			return err
		}
		now := t.h.p.now(t.e)
		end, silent := t.h.p.has(now, Silent)
		if _, halted := t.h.p.has(now, Halt); halted && !silent {
			return transport.ErrStall
		}
		if !silent {
			return nil
		}
		if err := t.pause(end); err != nil {
			return err
		}
	}
}

// sleep waits until an instant of the world.
func (t transfer) sleep(ready time.Duration) error {
	for {
		if err := t.h.state(); err != nil {
			return err
		}
		if t.h.p.now(t.e) >= ready {
			return nil
		}
		if err := t.pause(ready); err != nil {
			return err
		}
	}
}

// in waits for a packet.
func (t transfer) in(endpoint byte) ([]byte, error) {
	for {
		if err := t.admit(); err != nil {
			return nil, err
		}
		b, again, err := t.h.p.in(t.h.p.now(t.e), endpoint)
		if b != nil || err != nil {
			return b, err
		}
		if err := t.pause(again); err != nil {
			return nil, err
		}
	}
}

// out sends packets.
func (t transfer) out(endpoint byte, data []byte, size int) (int, error) {
	for n := 0; ; {
		if err := t.admit(); err != nil {
			return n, err
		}
		k := min(size, len(data)-n)
		now := t.h.p.now(t.e)
		if err := t.h.p.send(now, endpoint, data[n:n+k]); err != nil {
			return n, err
		}
		t.h.p.wake()
		if _, slow := t.h.p.has(now, Slow); slow {
			if err := t.sleep(now + slowness*t.h.p.o.wire(k)); err != nil {
				return n, err
			}
		}
		if n += k; n == len(data) {
			return n, nil
		}
	}
}
