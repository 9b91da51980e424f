package serve

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Numbers that a system gives to the devices of a bus; the hub in the computer is the first.
const (
	firstNumber = 2
	lastNumber  = 127
)

// A Plug is a USB device in memory, plugged into a computer. Any number of programs may look at it;
// one at a time has its interface claimed. Each time it is plugged in it has another number.
type Plug struct {
	*harm
	g gadget.Gadget
	o Options

	talk sync.Mutex       // one call of the gadget at a time; guards what follows
	late map[byte]delayed // packets that are still on their way, by endpoint

	mu      sync.Mutex // guards what follows; never held across a call of the gadget or an Env
	number  int        // on its bus; 0 before it is first looked at
	pulled  bool       // since it got that number
	open    []*handle
	claimed *handle
}

// delayed is a packet that becomes readable at an instant of the world.
type delayed struct {
	at time.Duration
	b  []byte
}

// NewPlug plugs a device in. Of the options Baud has a meaning for the fault slow alone.
func NewPlug(g gadget.Gadget, o Options) *Plug {
	p := &Plug{harm: newHarm(o.Seed), g: g, o: o, late: map[byte]delayed{}}
	if c, ok := g.(gadget.Caller); ok {
		c.OnIn(p.wake)
	}
	return p
}

// OpenUSB opens the device when it is the one that is wanted.
func (p *Plug) OpenUSB(e env.Env, w transport.USBWant) (transport.USB, error) {
	h, err := p.openIf(e, func(h *handle) error { return w.Look(e, h, &h.id) })
	if err != nil {
		return nil, err
	}
	return h, nil
}

// openIf opens the device unless wanted says what is wrong with it.
func (p *Plug) openIf(e env.Env, wanted func(*handle) error) (*handle, error) {
	h, err := p.look(e)
	if err != nil {
		return nil, err
	}
	if err = wanted(h); err == nil {
		err = p.admits(e)
	}
	if err == nil {
		err = p.claim(h)
	}
	if err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// admits reports what keeps programs from opening a device that is plugged in.
func (p *Plug) admits(e env.Env) error {
	if _, ok := p.has(p.now(e), Denied); ok {
		return transport.ErrPermission
	}
	if _, ok := p.has(p.now(e), Busy); ok {
		return transport.ErrBusy
	}
	return nil
}

// look returns a handle whose interface is not claimed.
func (p *Plug) look(e env.Env) (*handle, error) {
	now := p.now(e)
	if _, ok := p.has(now, Unplug); ok {
		return nil, fmt.Errorf("unplugged: %w", transport.ErrNoPort)
	}
	h := &handle{p: p}
	p.mu.Lock()
	fresh := p.pulled || p.number == 0
	switch {
	case p.number == 0:
		p.number = firstNumber
	case fresh:
		p.number = firstNumber + (p.number-firstNumber+1)%(lastNumber-firstNumber+1)
	}
	p.pulled = false
	h.id.Bus, h.id.Device = fmt.Sprintf("%03d", max(p.o.Bus, 1)), fmt.Sprintf("%03d", p.number)
	h.id.BusPort = "1"
	p.open = append(p.open, h)
	p.mu.Unlock()
	if fresh {
		p.reset(now)
	}
	return h, nil
}

// claim gives the interface to h.
func (p *Plug) claim(h *handle) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.claimed != nil {
		return transport.ErrBusy
	}
	p.claimed = h
	return nil
}

// leave forgets a handle.
func (p *Plug) leave(h *handle) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = slices.DeleteFunc(p.open, func(o *handle) bool { return o == h })
	if p.claimed == h {
		p.claimed = nil
	}
}

// Release closes the device for a program that died without doing it, as a system does.
func (p *Plug) Release() { p.drop(env.ErrClosed, false) }

// drop makes all handles dead.
func (p *Plug) drop(why error, pulled bool) {
	p.mu.Lock()
	open := p.open
	p.open, p.claimed, p.pulled = nil, nil, p.pulled || pulled
	p.mu.Unlock()
	for _, h := range open {
		h.kill(why)
	}
}

// SetFault makes a fault present for d from now on, or until ClearFault when d is 0. Reset takes no
// time.
func (p *Plug) SetFault(now time.Duration, f Fault, d time.Duration) {
	if f == Unplug || f == Reset {
		p.drop(transport.ErrGone, true)
	}
	if f != Reset {
		p.set(now, f, d)
	}
	p.wake()
}

// ClearFault ends a fault. A handle that was open when the device was unplugged stays dead.
func (p *Plug) ClearFault(_ time.Duration, f Fault) {
	p.clear(f)
	p.wake()
}

// Faults returns the names of the faults that are present.
func (p *Plug) Faults(now time.Duration) []string { return p.present(now) }

// Takes reports whether a USB device can have a fault: any.
func (p *Plug) Takes(Fault) error { return nil }

// Lined reports that there are no modem lines.
func (p *Plug) Lined() bool { return false }

// DropLines is for a computer that loses its power or starts anew: it gives the device a new number
// when it next looks at its bus.
func (p *Plug) DropLines(time.Duration) { p.drop(transport.ErrGone, true) }

// wake has all transfers look again.
func (p *Plug) wake() {
	p.mu.Lock()
	open := slices.Clone(p.open)
	p.mu.Unlock()
	for _, h := range open {
		h.wake()
	}
}

func (p *Plug) now(e env.Env) time.Duration { return p.o.now(e) }

// reset resets the device.
func (p *Plug) reset(now time.Duration) {
	p.clear(Halt)
	p.talk.Lock()
	defer p.talk.Unlock()
	clear(p.late)
	p.g.Reset(now)
}

// size is the length of a packet of an endpoint.
func (p *Plug) size(endpoint byte) (int, error) {
	p.talk.Lock()
	defer p.talk.Unlock()
	for _, d := range p.g.Descriptors().Endpoints {
		if d.Address == endpoint && d.Size > 0 {
			return d.Size, nil
		}
	}
	return 0, fmt.Errorf("endpoint %#02x: the device has none", endpoint)
}

// known answers what a system has read when the device was plugged in, and keeps for its programs.
func (p *Plug) known(s transport.USBSetup) ([]byte, bool) {
	if s.RequestType != 0x80 || s.Request != gadget.GetDescriptor {
		return nil, false
	}
	p.talk.Lock()
	defer p.talk.Unlock()
	switch s.Value {
	case gadget.DeviceDescriptor << 8:
		return p.g.Descriptors().Device(), true
	case gadget.ConfigurationDescriptor << 8:
		return p.g.Descriptors().Configuration(), true
	}
	return nil, false
}

// control has the device obey. late is how much longer than usual the answer takes.
func (p *Plug) control(now time.Duration, s transport.USBSetup, data []byte) (
	in []byte, ready time.Duration, err error) {
	if s.In() {
		data = nil
	}
	p.talk.Lock()
	in, ready, err = p.g.Control(now, s, data)
	in = append([]byte(nil), in...)
	p.talk.Unlock()
	ready = max(ready, now)
	n := len(data)
	if s.In() {
		n = len(in)
		in = p.spoil(now, in)
	}
	if _, ok := p.has(now, Mute); ok && s.In() {
		ready = forever
	}
	if _, ok := p.has(now, Slow); ok && ready < forever/2 {
		ready += slowness * p.o.wire(n)
	}
	return in, ready, err
}

// lostTime is when to ask again after a packet was lost.
const lostTime = time.Millisecond

// in takes the next packet of an endpoint. Without one (nil) it tells when to ask again.
func (p *Plug) in(now time.Duration, endpoint byte) (b []byte, again time.Duration, err error) {
	p.talk.Lock()
	defer p.talk.Unlock()
	if l, ok := p.late[endpoint]; ok {
		if l.at > now {
			return nil, l.at, nil
		}
		delete(p.late, endpoint)
		return l.b, 0, nil
	}
	b, again, err = p.g.In(now, endpoint)
	if err != nil || b == nil {
		if again == 0 {
			again = forever
		}
		return nil, max(again, now+1), err
	}
	if _, ok := p.has(now, Mute); ok {
		return nil, now + lostTime, nil
	}
	b = append([]byte{}, p.spoil(now, b)...)
	if _, ok := p.has(now, Slow); ok {
		at := now + slowness*p.o.wire(len(b))
		p.late[endpoint] = delayed{at, b}
		return nil, at, nil
	}
	return b, 0, nil
}

// send gives a packet to the device.
func (p *Plug) send(now time.Duration, endpoint byte, b []byte) error {
	p.talk.Lock()
	defer p.talk.Unlock()
	return p.g.Out(now, endpoint, b)
}
