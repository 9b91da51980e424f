package devsock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Prefix begins the name of a port that is a socket.
const Prefix = "devsim:"

// Limits, in the time of the program, which may be that of a rehearsal.
const (
	// answerTime is how long the other process may take to answer; it only looks at its memory.
	answerTime = 20 * time.Second
	// queueSize is how many bytes wait to be read before more are lost, as in a terminal's queue.
	queueSize = 4096
)

// Ports opens names that begin with Prefix, and has Real open the others.
type Ports struct{ Real transport.Ports }

// Serial implements transport.Ports. What it returns implements transport.Lines when the device
// has modem lines.
func (p Ports) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	path, ok := strings.CutPrefix(name, Prefix)
	if !ok {
		return p.Real.Serial(e, name, m)
	}
	s, err := dial(e, path, m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func dial(e env.Env, path string, m transport.Mode) (transport.Serial, error) {
	until := e.Now().Add(answerTime)
	conn, err := connect(e, path, until)
	if err != nil {
		return nil, err
	}
	p := &port{name: Prefix + path, conn: conn, wake: e.Waiter(),
		states: env.NewInbox[[]byte](e, 16), r: Reader{Conn: conn}}
	lined, err := p.open(e, m, until)
	if err != nil {
		conn.Close()
		return nil, err
	}
	e.Go("port "+path, p.pump)
	if !lined {
		return p, nil
	}
	return &linedPort{p}, nil
}

func connect(e env.Env, path string, until env.Instant) (env.Conn, error) {
	conn, err := e.Net().Dial(e, "unix", path, until)
	if errors.Is(err, env.ErrRefused) || errors.Is(err, fs.ErrNotExist) {
		if fi, err := e.Host().Stat(path); err == nil && fi.Mode.IsDir() {
			return nil, fmt.Errorf("%w: a folder stands for USB devices", transport.ErrNoPort)
		}
		return nil, fmt.Errorf("%w: no emulated device serves there (%w)", transport.ErrNoPort, err)
	}
	return conn, err
}

// open asks for the port.
func (p *port) open(e env.Env, m transport.Mode, until env.Instant) (lined bool, err error) {
	ask := Frame{Open, OpenBody(m)}.Append(nil)
	if _, err := p.conn.Write(e, ask, until); err != nil {
		return false, err
	}
	f, err := p.r.Next(e, until)
	switch {
	case err != nil:
		return false, fmt.Errorf("waiting for the device: %w", err)
	case f.Kind == Failed:
		return false, refused(f)
	case f.Kind != Open || len(f.Body) != 1:
		return false, fmt.Errorf("frame %q %q: want O", f.Kind, f.Body)
	}
	return f.Body[0] == 1, nil
}

// A port is an open one.
type port struct {
	name   string
	conn   env.Conn
	r      Reader // of the pump
	wake   env.Waiter
	states *env.Inbox[[]byte] // bodies of State
	seq    byte               // of the last request

	mu    sync.Mutex // guards what follows; never held across a call of an Env
	dead  error      // why the port cannot be used any more
	queue []byte     // what has come and was not read yet
}

// pump has take look at what the device sends until the connection ends, or take finds it wrong.
// kill is told why.
func pump(e env.Env, r *Reader, take func(Frame) error, kill func(why error)) error {
	for {
		f, err := r.Next(e, env.Never)
		if err == nil {
			err = take(f)
		}
		switch {
		case errors.Is(err, env.ErrStopped):
			kill(err)
			return err
		case err != nil:
			kill(gone(err))
			return nil
		}
	}
}

func (p *port) pump(e env.Env) error { return pump(e, &p.r, p.take, p.kill) }

// gone is how an open port learns that its device has gone.
func gone(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: the emulated device hung up", transport.ErrGone)
	}
	return fmt.Errorf("%w: %w", transport.ErrGone, err)
}

func (p *port) take(f Frame) error {
	switch f.Kind {
	case State:
		p.states.Put(append([]byte(nil), f.Body...))
	case Data:
		p.mu.Lock()
		p.queue = append(p.queue, f.Body[:min(len(f.Body), queueSize-len(p.queue))]...)
		p.mu.Unlock()
		p.wake.Wake()
	}
	return nil
}

// kill makes the port unusable and wakes its reader.
func (p *port) kill(why error) {
	p.mu.Lock()
	if p.dead == nil {
		p.dead = why
	}
	p.mu.Unlock()
	p.wake.Wake()
	p.states.Put(nil)
}

// Read implements transport.Serial.
func (p *port) Read(e env.Env, b []byte, until env.Instant) (int, error) {
	for {
		n, err := p.drain(b)
		if n > 0 || err != nil {
			return n, err
		}
		if e.Now() >= until {
			return 0, transport.ErrTimeout
		}
		if err := p.wake.Wait(e, until); err != nil && !errors.Is(err, env.ErrTimeout) {
			return 0, err
		}
	}
}

func (p *port) drain(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead != nil {
		return 0, p.named("read")
	}
	n := copy(b, p.queue)
	p.queue = p.queue[n:]
	return n, nil
}

// named is why the port is dead. The lock is held.
func (p *port) named(what string) error { return fmt.Errorf("%s: %s: %w", p.name, what, p.dead) }

func (p *port) state(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dead == nil {
		return nil
	}
	return p.named(what)
}

// Write implements transport.Serial.
func (p *port) Write(e env.Env, b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), MaxBody)
		if err := p.send(e, "write", Frame{Data, rest[:n]}); err != nil {
			return len(b) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(b), p.state("write")
}

// send writes a frame. A stream that broke in the middle of one is of no use any more.
func (p *port) send(e env.Env, what string, f Frame) error {
	if err := p.state(what); err != nil {
		return err
	}
	_, err := p.conn.Write(e, f.Append(nil), e.Now().Add(answerTime))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, env.ErrStopped):
		return err
	}
	p.kill(gone(err))
	return p.state(what)
}

// Flush implements transport.Serial.
func (p *port) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = nil
	if p.dead != nil {
		return p.named("flush")
	}
	return nil
}

// Close implements transport.Serial.
func (p *port) Close() error {
	p.kill(env.ErrClosed)
	p.conn.Close() // the device hears of it, or has gone before
	return nil
}

// A linedPort is a port whose device has modem lines.
type linedPort struct{ *port }

// Lines implements transport.Lines.
func (p *linedPort) Lines(e env.Env) (transport.LineState, error) {
	return p.ask(e, "modem lines", Query)
}

// SetLines implements transport.Lines.
func (p *linedPort) SetLines(e env.Env, dtr, rts bool) error {
	_, err := p.ask(e, "set modem lines", Set, Bits(transport.LineState{DTR: dtr, RTS: rts}))
	return err
}

// Break implements transport.Lines.
func (p *linedPort) Break(e env.Env, d time.Duration) error {
	if _, err := p.ask(e, "break", Break, 1); err != nil {
		return err
	}
	if err := e.Sleep(d); err != nil {
		return err // this task's port is about to be closed, which ends the break
	}
	_, err := p.ask(e, "end of break", Break, 0)
	return err
}

// ask sends a request and waits for the lines as they are after it.
func (p *linedPort) ask(e env.Env, what string, kind byte, args ...byte) (
	s transport.LineState, err error) {
	p.seq++
	if err := p.send(e, what, Frame{kind, append([]byte{p.seq}, args...)}); err != nil {
		return s, err
	}
	for until := e.Now().Add(answerTime); ; {
		body, err := p.states.Get(e, until)
		switch {
		case errors.Is(err, env.ErrStopped):
			return s, err
		case err != nil:
			p.kill(fmt.Errorf("%w: %w", transport.ErrGone, err))
		case len(body) == 2 && body[0] == p.seq:
			return ParseBits(body[1]), nil
		}
		if err := p.state(what); err != nil {
			return s, err
		}
	}
}
