package devsock

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// USB implements transport.Ports. The path of a folder stands for all devices whose sockets are in
// it.
func (p Ports) USB(e env.Env, name string, w transport.USBWant) (transport.USB, error) {
	file, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return p.Real.USB(e, name, w)
	}
	if fi, err := e.Host().Stat(file); err != nil || !fi.Mode.IsDir() {
		dev, err := dialUSB(e, file, w)
		if err != nil {
			return nil, transport.NoUSB(name, err)
		}
		return dev, nil
	}
	names, err := sockets(e.Host(), file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	dev, err := transport.FirstUSB(names, func(socket string) (transport.USB, error) {
		return dialUSB(e, path.Join(file, socket), w)
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return dev, nil
}

// sockets are the names of the sockets in a folder, sorted.
func sockets(h env.Host, dir string) (names []string, err error) {
	all, err := h.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		if fi, err := h.Stat(path.Join(dir, name)); err == nil && fi.Mode&fs.ModeSocket != 0 {
			names = append(names, name)
		}
	}
	return names, nil
}

// A usbPort is an open device. Several tasks may make transfers at once.
type usbPort struct {
	name string
	conn env.Conn
	r    Reader // of the pump
	id   transport.USBID

	mu    sync.Mutex // guards what follows; never held across a call of an Env
	dead  error      // why the device cannot be used any more
	calls []*call    // that the device has not answered yet
	seq   byte       // of the last one
	kept  []packet
}

// A call is a request that is under way.
type call struct {
	Request
	w      env.Waiter
	done   bool
	answer Answer
	left   bool // nobody waits for the answer any more
}

// A packet came for a task that was stopped. The next that reads the endpoint gets it.
type packet struct {
	endpoint byte
	data     []byte
}

func dialUSB(e env.Env, path string, w transport.USBWant) (transport.USB, error) {
	until := e.Now().Add(answerTime)
	conn, err := connect(e, path, until)
	if err != nil {
		return nil, err
	}
	p := &usbPort{name: Prefix + path, conn: conn, r: Reader{Conn: conn}}
	if err := p.open(e, until); err != nil {
		conn.Close()
		return nil, err
	}
	e.Go("usb "+path, p.pump)
	if err := w.Look(e, p, &p.id); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// open asks for the device.
func (p *usbPort) open(e env.Env, until env.Instant) error {
	ask := Frame{OpenUSB, OpenUSBBody()}.Append(nil)
	if _, err := p.conn.Write(e, ask, until); err != nil {
		return err
	}
	f, err := p.r.Next(e, until)
	switch {
	case err != nil:
		return fmt.Errorf("waiting for the device: %w", err)
	case f.Kind == Failed:
		return refused(f)
	case f.Kind != OpenUSB:
		return fmt.Errorf("frame %q %q: want U", f.Kind, f.Body)
	}
	return parsePlace(f.Body, &p.id)
}

// pump takes in what the device answers until the connection ends.
func (p *usbPort) pump(e env.Env) error {
	return pump(e, &p.r, func(f Frame) error {
		a, err := ParseAnswer(f)
		if err != nil {
			p.conn.Close()
			return err
		}
		a.Data = append([]byte(nil), a.Data...)
		p.take(a)
		return nil
	}, p.kill)
}

// take gives an answer to who waits for it.
func (p *usbPort) take(a Answer) {
	p.mu.Lock()
	var c *call
	for _, other := range p.calls {
		if other.Seq == a.Seq {
			c = other
		}
	}
	if c == nil || c.done { // of no request: nobody misses it
		p.mu.Unlock()
		return
	}
	c.done, c.answer = true, a
	wake := []*call{c}
	if c.left {
		p.forget(c)
		if c.Kind == Interrupt && c.In() && a.Err == nil {
			p.kept = append(p.kept, packet{c.Endpoint, a.Data})
			wake = append([]*call(nil), p.calls...)
		}
	}
	p.mu.Unlock()
	for _, c := range wake {
		c.w.Wake()
	}
}

// forget strikes out a call. The lock is held.
func (p *usbPort) forget(c *call) {
	for i, other := range p.calls {
		if other == c {
			p.calls = append(p.calls[:i], p.calls[i+1:]...)
			return
		}
	}
}

// kill makes the port unusable and wakes all who wait.
func (p *usbPort) kill(why error) {
	p.mu.Lock()
	if p.dead == nil {
		p.dead = why
	}
	calls := append([]*call(nil), p.calls...)
	p.mu.Unlock()
	for _, c := range calls {
		c.w.Wake()
	}
}

// ID implements transport.USB.
func (p *usbPort) ID() transport.USBID { return p.id }

// Control implements transport.USB.
func (p *usbPort) Control(e env.Env, s transport.USBSetup, data []byte, until env.Instant) (
	int, error) {
	return p.transfer(e, "control transfer", Request{Kind: Control, Setup: s}, data, until)
}

// Interrupt implements transport.USB.
func (p *usbPort) Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	r := Request{Kind: Interrupt, Endpoint: endpoint}
	return p.transfer(e, "interrupt transfer", r, data, until)
}

// ClearHalt implements transport.USB.
func (p *usbPort) ClearHalt(e env.Env, endpoint byte) error {
	_, err := p.ask(e, "clear halt", Request{Kind: ClearHalt, Endpoint: endpoint}, e.Now())
	return err
}

// Reset implements transport.USB.
func (p *usbPort) Reset(e env.Env) error {
	_, err := p.ask(e, "reset", Request{Kind: Reset}, e.Now())
	return err
}

// Close implements transport.USB.
func (p *usbPort) Close() error {
	p.kill(env.ErrClosed)
	p.conn.Close() // the device hears of it, or has gone before
	return nil
}

// transfer makes a transfer with data.
func (p *usbPort) transfer(e env.Env, what string, r Request, data []byte, until env.Instant) (
	int, error) {
	r.Len, r.Left = len(data), -1
	if until != env.Never {
		r.Left = max(0, until.Sub(e.Now()))
	}
	switch {
	case r.In():
		r.Len = min(r.Len, MaxData)
	case r.Len > MaxData:
		return 0, fmt.Errorf("%s: %s of %d bytes: want at most %d", p.name, what, r.Len, MaxData)
	default:
		r.Data = data
	}
	got, err := p.ask(e, what, r, until)
	if r.In() {
		return copy(data, got), err
	}
	if err != nil {
		return 0, err
	}
	return r.Len, nil
}

// ask sends a request and waits for its answer. The device knows the deadline; that it says
// nothing for long after that is the end.
func (p *usbPort) ask(e env.Env, what string, r Request, until env.Instant) ([]byte, error) {
	c, err := p.begin(e, r)
	if err == nil {
		_, err = p.conn.Write(e, c.Frame().Append(nil), e.Now().Add(answerTime))
		if err != nil && !errors.Is(err, env.ErrStopped) {
			p.kill(gone(err))
		}
	}
	for end := until.Add(answerTime); err == nil; {
		if data, over, err := p.over(c); over {
			return data, p.named(what, err)
		}
		if e.Now() >= end {
			p.kill(fmt.Errorf("%w: the emulated device does not answer", transport.ErrGone))
			continue
		}
		if err = c.w.Wait(e, end); errors.Is(err, env.ErrTimeout) {
			err = nil
		}
	}
	if c != nil {
		p.leave(c)
	}
	return nil, p.named(what, err)
}

// begin gives a request its number.
func (p *usbPort) begin(e env.Env, r Request) (*call, error) {
	c := &call{Request: r, w: e.Waiter()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return nil, p.dead
	}
	for range 256 {
		p.seq++
		free := true
		for _, other := range p.calls {
			free = free && other.Seq != p.seq
		}
		if free {
			c.Seq = p.seq
			p.calls = append(p.calls, c)
			return c, nil
		}
	}
	return nil, errors.New("256 transfers are under way")
}

// over reports whether a call has come to its end, and to which.
func (p *usbPort) over(c *call) (data []byte, over bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, k := range p.kept {
		if c.Kind == Interrupt && k.endpoint == c.Endpoint && len(k.data) <= c.Len {
			p.kept = append(p.kept[:i], p.kept[i+1:]...)
			p.letGo(c)
			return k.data, true, nil
		}
	}
	switch {
	case c.done:
		p.forget(c)
		return c.answer.Data, true, c.answer.Err
	case p.dead != nil:
		p.forget(c)
		return nil, true, p.dead
	}
	return nil, false, nil
}

// leave is for a call whose task waits no more.
func (p *usbPort) leave(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letGo(c)
}

// letGo keeps what has come or may come for a call. The lock is held.
func (p *usbPort) letGo(c *call) {
	if !c.done {
		c.left = true
		return
	}
	p.forget(c)
	if c.Kind == Interrupt && c.In() && c.answer.Err == nil {
		p.kept = append(p.kept, packet{c.Endpoint, c.answer.Data})
	}
}

func (p *usbPort) named(what string, err error) error {
	if err == nil || errors.Is(err, env.ErrStopped) {
		return err
	}
	return fmt.Errorf("%s: %s: %w", p.name, what, err)
}
