package porttest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Plug is a Device with modem lines, wired as a loopback plug is: DTR to DSR and DCD, RTS to CTS.
// It remembers what it was told.
type Plug struct {
	Device

	mu     sync.Mutex // guards what follows
	levels []Levels
}

// Levels is what a computer drives.
type Levels struct{ DTR, RTS, Break bool }

// Drive notes what the computer drives.
func (p *Plug) Drive(_ time.Duration, dtr, rts, brk bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.levels = append(p.levels, Levels{dtr, rts, brk})
}

// Inputs are the outputs again.
func (p *Plug) Inputs(time.Duration) transport.LineState {
	l := p.Now()
	return transport.LineState{DSR: l.DTR, DCD: l.DTR, CTS: l.RTS}
}

// Now is what the computer drives.
func (p *Plug) Now() Levels {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.levels) == 0 {
		return Levels{}
	}
	return p.levels[len(p.levels)-1]
}

// heard returns what the computer has driven, and forgets it except for the present.
func (p *Plug) heard() []Levels {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.levels)
	if n := len(p.levels); n > 0 {
		p.levels = p.levels[n-1:]
	}
	return all
}

// A LinedLine is an open port with modem lines and a loopback plug at its far end.
type LinedLine struct {
	Line
	Plug *Plug // nil for a plug made of wire, which tells nothing
	// Open opens the port again, once it was closed.
	Open func(transport.Mode) (transport.Serial, error)
}

// A LineCase is one property of a port with modem lines.
type LineCase struct {
	Name string
	Run  func(e env.Env, l LinedLine, m transport.Lines) error
}

// LineCases lists the properties.
func LineCases() []LineCase {
	return []LineCase{
		{"an open port has both outputs up", bothUp},
		{"outputs are read back and arrive as inputs", loop},
		{"both outputs change at once", atOnce},
		{"a break has its length and leaves the levels alone", breaks},
		{"a break ends when the task is stopped", breakStops},
		{"bytes and lines do not disturb each other", mixed},
		{"levels fall when the port is closed", fall},
		{"levels stay when they are to be kept", stay},
		{"an unplugged port has no lines any more", linesGone},
		{"a closed port refuses", linesClosed},
	}
}

// RunLines checks every case on a fresh line.
func RunLines(t *testing.T, e env.Env, open func(t *testing.T) LinedLine) {
	for _, c := range LineCases() {
		t.Run(c.Name, func(t *testing.T) {
			l := open(t)
			defer l.Serial.Close()
			m, err := transport.LinesOf(l.Serial)
			if err == nil {
				err = c.Run(e, l, m)
			}
			judge(t, err)
		})
	}
}

// NoLines checks that a port without modem lines says so.
func NoLines(s transport.Serial) error {
	if _, err := transport.LinesOf(s); !errors.Is(err, transport.ErrNoLines) {
		return fmt.Errorf("LinesOf a port without modem lines: %v; want ErrNoLines", err)
	}
	return nil
}

// settle waits until the lines are as wanted: a wire needs its time.
func settle(e env.Env, m transport.Lines, want transport.LineState) error {
	for until := soon(e); ; {
		got, err := m.Lines(e)
		switch {
		case err != nil:
			return fmt.Errorf("lines: %w", err)
		case got == want:
			return nil
		case e.Now() > until:
			return fmt.Errorf("lines are %+v; want %+v", got, want)
		}
		if err := e.Sleep(time.Millisecond); err != nil {
			return err
		}
	}
}

func plugged(dtr, rts bool) transport.LineState {
	return transport.LineState{DTR: dtr, RTS: rts, DSR: dtr, DCD: dtr, CTS: rts}
}

func bothUp(e env.Env, _ LinedLine, m transport.Lines) error {
	return settle(e, m, plugged(true, true))
}

func loop(e env.Env, _ LinedLine, m transport.Lines) error {
	for _, want := range []transport.LineState{plugged(true, false), plugged(false, true),
		plugged(false, false), plugged(true, true)} {
		if err := m.SetLines(e, want.DTR, want.RTS); err != nil {
			return fmt.Errorf("set lines: %w", err)
		}
		if err := settle(e, m, want); err != nil {
			return err
		}
	}
	return nil
}

func atOnce(e env.Env, l LinedLine, m transport.Lines) error {
	if l.Plug == nil {
		return errSkip
	}
	if err := m.SetLines(e, true, false); err != nil {
		return err
	}
	l.Plug.heard()
	if err := m.SetLines(e, false, true); err != nil {
		return err
	}
	want := []Levels{{DTR: true}, {RTS: true}}
	if got := l.Plug.heard(); !slices.Equal(got, want) {
		return fmt.Errorf("from DTR to RTS by way of %+v; want %+v", got, want)
	}
	return nil
}

func breaks(e env.Env, l LinedLine, m transport.Lines) error {
	if err := m.SetLines(e, true, false); err != nil {
		return err
	}
	if l.Plug != nil {
		l.Plug.heard()
	}
	start := e.Now()
	if err := m.Break(e, quiet); err != nil {
		return fmt.Errorf("break: %w", err)
	}
	if took := e.Now().Sub(start); took < quiet {
		return fmt.Errorf("a break of %v took %v", quiet, took)
	}
	if l.Plug != nil {
		want := []Levels{{DTR: true}, {DTR: true, Break: true}, {DTR: true}}
		if got := l.Plug.heard(); !slices.Equal(got, want) {
			return fmt.Errorf("the break was %+v; want %+v", got, want)
		}
	}
	return settle(e, m, plugged(true, false))
}

func breakStops(e env.Env, l LinedLine, m transport.Lines) error {
	if l.Plug == nil {
		return errSkip
	}
	tasks, scope := e.Scope("break")
	done := env.NewInbox[error](e, 1)
	tasks.Go("break", func(e env.Env) error {
		done.Put(m.Break(e, time.Hour))
		return nil
	})
	if err := e.Sleep(quiet); err != nil {
		return err
	}
	scope.Stop()
	err, late := done.Get(e, soon(e))
	if late != nil || !errors.Is(err, env.ErrStopped) {
		return fmt.Errorf("the stopped break: %v, %v; want ErrStopped", err, late)
	}
	scope.Wait(e)
	l.Serial.Close()
	return l.until(e, Levels{})
}

func mixed(e env.Env, l LinedLine, m transport.Lines) error {
	for i := range 4 {
		if err := m.SetLines(e, i&1 != 0, i&2 != 0); err != nil {
			return err
		}
		if err := exchange(e, l.Line, []byte("a line\r"), 64); err != nil {
			return err
		}
		if err := settle(e, m, plugged(i&1 != 0, i&2 != 0)); err != nil {
			return err
		}
	}
	return nil
}

// until waits until the far end sees the levels.
func (l LinedLine) until(e env.Env, want Levels) error {
	for until := soon(e); l.Plug.Now() != want; {
		if e.Now() > until {
			return fmt.Errorf("the far end sees %+v; want %+v", l.Plug.Now(), want)
		}
		if err := e.Sleep(time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func fall(e env.Env, l LinedLine, m transport.Lines) error {
	if l.Plug == nil {
		return errSkip
	}
	if err := m.SetLines(e, true, false); err != nil {
		return err
	}
	if err := l.Serial.Close(); err != nil {
		return err
	}
	return l.until(e, Levels{})
}

func stay(e env.Env, l LinedLine, _ transport.Lines) error {
	if l.Plug == nil {
		return errSkip
	}
	if err := l.Serial.Close(); err != nil {
		return err
	}
	s, err := l.Open(transport.Mode{KeepLines: true})
	if err != nil {
		return fmt.Errorf("opening the closed port: %w", err)
	}
	defer s.Close()
	m, err := transport.LinesOf(s)
	if err != nil {
		return err
	}
	if err := m.SetLines(e, false, true); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := e.Sleep(quiet); err != nil {
		return err
	}
	if got, want := l.Plug.Now(), (Levels{RTS: true}); got != want {
		return fmt.Errorf("after closing the far end sees %+v; want %+v", got, want)
	}
	return nil
}

func linesGone(e env.Env, l LinedLine, m transport.Lines) error {
	if l.Unplug == nil {
		return errSkip
	}
	l.Unplug()
	if err := e.Sleep(quiet); err != nil {
		return err
	}
	return refuse(e, m, transport.ErrGone)
}

func linesClosed(e env.Env, l LinedLine, m transport.Lines) error {
	if err := l.Serial.Close(); err != nil {
		return err
	}
	return refuse(e, m, env.ErrClosed)
}

func refuse(e env.Env, m transport.Lines, want error) error {
	if _, err := m.Lines(e); !errors.Is(err, want) {
		return fmt.Errorf("lines: %v; want %v", err, want)
	}
	if err := m.SetLines(e, true, true); !errors.Is(err, want) {
		return fmt.Errorf("set lines: %v; want %v", err, want)
	}
	if err := m.Break(e, quiet); !errors.Is(err, want) {
		return fmt.Errorf("break: %v; want %v", err, want)
	}
	return nil
}
