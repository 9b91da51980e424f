package serve

import (
	"math/rand/v2"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Liner is a Face whose port has modem lines.
type Liner interface {
	Face
	// Drive tells the device what the computer drives: the levels of DTR and RTS, and whether the
	// transmitted data is held at space (a break).
	Drive(now time.Duration, dtr, rts, brk bool)
	// Inputs are CTS, DSR, DCD and RI as the device sets them; DTR and RTS in it mean nothing.
	Inputs(now time.Duration) transport.LineState
}

// outputs is what the computer drives.
type outputs struct{ dtr, rts, brk bool }

// Lined reports whether the port has modem lines.
func (c *Cable) Lined() bool {
	_, ok := c.face.(Liner)
	return ok
}

// DropLines is for a computer that loses its power or starts anew: all its outputs go low.
func (c *Cable) DropLines(now time.Duration) {
	if c.Lined() {
		c.drive(now, outputs{})
	}
}

// raise is what opening a port does to its outputs. The device hears of it at the first use of the
// port: levels that a driver changes at once are too short to be noticed.
func (c *Cable) raise() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = outputs{dtr: true, rts: true}
}

// drive sets the outputs.
func (c *Cable) drive(now time.Duration, o outputs) {
	c.mu.Lock()
	c.out = o
	c.mu.Unlock()
	c.hear(now)
}

// change sets some of the outputs.
func (c *Cable) change(now time.Duration, f func(*outputs)) {
	c.mu.Lock()
	f(&c.out)
	c.mu.Unlock()
	c.hear(now)
}

// hear lets the device notice the outputs, unless it is deaf.
func (c *Cable) hear(now time.Duration) {
	l, ok := c.face.(Liner)
	if _, deaf := c.has(now, Silent); !ok || deaf {
		return
	}
	c.mu.Lock()
	o, same := c.out, c.out == c.driven
	c.driven = o
	c.mu.Unlock()
	if !same {
		l.Drive(now, o.dtr, o.rts, o.brk)
	}
}

// freeze keeps in mind how the inputs are, for a device that is about to hang.
func (c *Cable) freeze(now time.Duration) {
	if l, ok := c.face.(Liner); ok && !c.hangs(now) {
		in := l.Inputs(now)
		c.mu.Lock()
		c.frozen = in
		c.mu.Unlock()
	}
}

// hangs reports whether the device leaves its lines as they are.
func (c *Cable) hangs(now time.Duration) bool {
	_, silent := c.has(now, Silent)
	_, mute := c.has(now, Mute)
	return silent || mute
}

// lines are the modem lines as the computer sees them.
func (c *Cable) lines(now time.Duration) transport.LineState {
	c.hear(now)
	in := c.face.(Liner).Inputs(now)
	c.mu.Lock()
	if c.hangs(now) {
		in = c.frozen
	}
	in.DTR, in.RTS = c.out.dtr, c.out.rts
	c.mu.Unlock()
	if _, noise := c.has(now, Noise); noise {
		return glitch(in, c.o.Seed, now)
	}
	if _, garbage := c.has(now, Garbage); garbage {
		return glitch(in, c.o.Seed, now)
	}
	return in
}

// On modem lines noise is glitches: in one of so many slots of time one line has the wrong level.
const (
	glitchTime = 100 * time.Millisecond
	glitchRate = 8
)

func glitch(in transport.LineState, seed uint64, now time.Duration) transport.LineState {
	r := rand.New(rand.NewPCG(seed, uint64(now/glitchTime)))
	if r.IntN(glitchRate) > 0 {
		return in
	}
	line := []*bool{&in.CTS, &in.DSR, &in.DCD, &in.RI}[r.IntN(4)]
	*line = !*line
	return in
}

// A linedPort is a port with modem lines, opened by a program.
type linedPort struct{ *port }

// Lines implements transport.Lines.
func (p *linedPort) Lines(env.Env) (transport.LineState, error) {
	if err := p.state(); err != nil {
		return transport.LineState{}, err
	}
	return p.c.lines(p.c.now(p.e)), nil
}

// SetLines implements transport.Lines.
func (p *linedPort) SetLines(_ env.Env, dtr, rts bool) error {
	return p.change(func(o *outputs) { o.dtr, o.rts = dtr, rts })
}

// Break implements transport.Lines.
func (p *linedPort) Break(e env.Env, d time.Duration) error {
	if err := p.setBreak(true); err != nil {
		return err
	}
	stopped := e.Sleep(d)
	err := p.setBreak(false)
	if stopped != nil {
		return stopped
	}
	return err
}

func (p *linedPort) setBreak(on bool) error {
	return p.change(func(o *outputs) { o.brk = on })
}

func (p *linedPort) change(f func(*outputs)) error {
	if err := p.state(); err != nil {
		return err
	}
	p.c.change(p.c.now(p.e), f)
	return nil
}
