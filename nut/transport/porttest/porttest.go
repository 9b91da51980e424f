// Package porttest is the definition of a serial port and of a USB device: conformance tests that
// the emulated cable, a pseudo-terminal and a real port with a loopback plug all pass, and for USB
// (see [Bus]) the emulated plug, a socket and a real bus.
//
//	porttest.Run(t, e, func(t *testing.T) porttest.Line {
//		dev := new(porttest.Device) // answers with what it hears
//		... connect dev, open the port ...
//		return porttest.Line{Serial: s, Unplug: pull}
//	})
//
// Each [Case] is a plain function of an Env that returns an error, so that it can also run as a
// task of the simulator, where t.Fatal is not possible.
package porttest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Line is an open port whose far end is a Device, or a loopback plug.
type Line struct {
	Serial transport.Serial
	// Unplug pulls the cable; nil where a test cannot do that.
	Unplug func()
	// Again opens the same port a second time; nil where that makes no sense.
	Again func() (transport.Serial, error)
}

// A Device echoes every byte it hears. It is what a loopback plug does, as a face of devsim/serve.
type Device struct{}

// Receive returns p.
func (*Device) Receive(_ time.Duration, p []byte) []byte { return append([]byte(nil), p...) }

// A Case is one property of a port.
type Case struct {
	Name string
	Run  func(e env.Env, l Line) error
}

// Cases lists the properties.
func Cases() []Case {
	return []Case{
		{"what was written comes back", echo},
		{"silence is a timeout at the deadline", silence},
		{"a deadline in the past does not wait", past},
		{"a small buffer gets the bytes piece by piece", pieces},
		{"every byte value passes unchanged", transparent},
		{"flush drops what has come", flush},
		{"an unplugged port is gone for reads and writes", unplug},
		{"unplugging wakes a reader", unplugWakes},
		{"close wakes a reader", closeWakes},
		{"a closed port refuses and closes again without complaint", closed},
		{"stopping the task wakes its read", stopWakes},
		{"a port that is open is busy", busy},
	}
}

// Run checks every case on a fresh line. open is called for each; the port is closed afterwards.
func Run(t *testing.T, e env.Env, open func(t *testing.T) Line) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			l := open(t)
			defer l.Serial.Close()
			judge(t, c.Run(e, l))
		})
	}
}

var errSkip = errors.New("not possible on this line")

// judge tells the test what came of a property.
func judge(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errSkip) {
		t.Skip(err)
	} else if err != nil {
		t.Error(err)
	}
}

// Waits, in the time of the Env. patience is for what must come: a loaded machine is slow. quiet is
// for what must not.
const (
	patience = 20 * time.Second
	quiet    = 150 * time.Millisecond
)

func soon(e env.Env) env.Instant { return e.Now().Add(patience) }

func send(e env.Env, l Line, p []byte) error {
	if n, err := l.Serial.Write(e, p); n != len(p) || err != nil {
		return fmt.Errorf("write(%q) = %d, %v; want all and no error", p, n, err)
	}
	return nil
}

// receive reads n bytes, at most size at a time.
func receive(e env.Env, l Line, n, size int) ([]byte, error) {
	var got []byte
	until := soon(e)
	for len(got) < n {
		p := make([]byte, size)
		k, err := l.Serial.Read(e, p, until)
		if err != nil {
			return got, fmt.Errorf("read after %q: %w", got, err)
		}
		if k < 1 || k > size {
			return got, fmt.Errorf("read = %d, nil; want 1 to %d", k, size)
		}
		got = append(got, p[:k]...)
	}
	return got, nil
}

func exchange(e env.Env, l Line, p []byte, size int) error {
	if err := send(e, l, p); err != nil {
		return err
	}
	got, err := receive(e, l, len(p), size)
	if err == nil && !bytes.Equal(got, p) {
		return fmt.Errorf("wrote %q, read %q", p, got)
	}
	return err
}

func echo(e env.Env, l Line) error {
	for _, s := range []string{"Q1\r", "F\r", "a longer command, as long as an answer\r"} {
		if err := exchange(e, l, []byte(s), 64); err != nil {
			return err
		}
	}
	return nil
}

func silence(e env.Env, l Line) error {
	until := e.Now().Add(quiet)
	n, err := l.Serial.Read(e, make([]byte, 8), until)
	if n != 0 || !errors.Is(err, transport.ErrTimeout) {
		return fmt.Errorf("read of a silent line = %d, %v; want 0, ErrTimeout", n, err)
	}
	if now := e.Now(); now < until || now > until.Add(patience) {
		return fmt.Errorf("timeout came %v after the deadline", now.Sub(until))
	}
	return exchange(e, l, []byte("and then it works\r"), 64)
}

func past(e env.Env, l Line) error {
	n, err := l.Serial.Read(e, make([]byte, 8), e.Now())
	if n != 0 || !errors.Is(err, transport.ErrTimeout) {
		return fmt.Errorf("read until now = %d, %v; want 0, ErrTimeout", n, err)
	}
	return nil
}

func pieces(e env.Env, l Line) error { return exchange(e, l, []byte("(230.0 169.0\r"), 3) }

func transparent(e env.Env, l Line) error {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return exchange(e, l, all, 64)
}

func flush(e env.Env, l Line) error {
	if err := send(e, l, []byte("old")); err != nil {
		return err
	}
	if _, err := receive(e, l, 1, 1); err != nil { // the rest has come with it, or comes now
		return err
	}
	if err := e.Sleep(quiet); err != nil {
		return err
	}
	if err := l.Serial.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return exchange(e, l, []byte("new"), 64)
}

func unplug(e env.Env, l Line) error {
	if l.Unplug == nil {
		return errSkip
	}
	l.Unplug()
	if n, err := l.Serial.Read(e, make([]byte, 8), soon(e)); !errors.Is(err, transport.ErrGone) {
		return fmt.Errorf("read from an unplugged port = %d, %v; want ErrGone", n, err)
	}
	if n, err := l.Serial.Write(e, []byte("Q1\r")); !errors.Is(err, transport.ErrGone) {
		return fmt.Errorf("write to an unplugged port = %d, %v; want ErrGone", n, err)
	}
	if err := l.Serial.Flush(); err != nil && !errors.Is(err, transport.ErrGone) {
		return fmt.Errorf("flush of an unplugged port = %v; want nil or ErrGone", err)
	}
	return nil
}

// reading runs act while another task waits in Read, and returns that Read's error.
func reading(e env.Env, l Line, act func(env.Scope)) error {
	type result struct {
		n   int
		err error
	}
	results := env.NewInbox[result](e, 1)
	tasks, scope := e.Scope("reader")
	tasks.Go("reader", func(e env.Env) error {
		n, err := l.Serial.Read(e, make([]byte, 8), soon(e))
		results.Put(result{n, err})
		return nil
	})
	if err := e.Sleep(quiet); err != nil { // let it begin to wait
		return err
	}
	act(scope)
	r, err := results.Get(e, soon(e))
	if err != nil {
		return fmt.Errorf("the reader is not woken: %w", err)
	}
	scope.Wait(e)
	if r.n != 0 {
		return fmt.Errorf("the reader got %d bytes", r.n)
	}
	return r.err
}

func unplugWakes(e env.Env, l Line) error {
	if l.Unplug == nil {
		return errSkip
	}
	return want(reading(e, l, func(env.Scope) { l.Unplug() }), transport.ErrGone)
}

func closeWakes(e env.Env, l Line) error {
	return want(reading(e, l, func(env.Scope) { l.Serial.Close() }), env.ErrClosed)
}

func stopWakes(e env.Env, l Line) error {
	if err := want(reading(e, l, env.Scope.Stop), env.ErrStopped); err != nil {
		return err
	}
	return exchange(e, l, []byte("the port is as good as before\r"), 64)
}

func want(err, target error) error {
	if !errors.Is(err, target) {
		return fmt.Errorf("the reader's error is %v; want %v", err, target)
	}
	return nil
}

func closed(e env.Env, l Line) error {
	for range 2 {
		if err := l.Serial.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	if _, err := l.Serial.Read(e, make([]byte, 8), soon(e)); !errors.Is(err, env.ErrClosed) {
		return fmt.Errorf("read after Close: %v; want ErrClosed", err)
	}
	if _, err := l.Serial.Write(e, []byte("Q1\r")); !errors.Is(err, env.ErrClosed) {
		return fmt.Errorf("write after Close: %v; want ErrClosed", err)
	}
	return nil
}

func busy(_ env.Env, l Line) error {
	if l.Again == nil {
		return errSkip
	}
	if s, err := l.Again(); !errors.Is(err, transport.ErrBusy) {
		if err == nil {
			s.Close()
		}
		return fmt.Errorf("opening the open port: %v; want ErrBusy", err)
	}
	if err := l.Serial.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	s, err := l.Again()
	if err != nil {
		return fmt.Errorf("opening the closed port: %w", err)
	}
	return s.Close()
}
