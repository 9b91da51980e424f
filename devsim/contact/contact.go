package contact

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Options are what differs between units.
type Options struct {
	Type  int           // number of the cable, 0 to 23
	Hold  time.Duration // how long the pattern must be there to be an order; 0 means 1 s
	Delay time.Duration // from then to the cut
	Latch bool          // an order stays one when the pattern ends before the cut
}

// maxSeen is how many changes of the lines Seen remembers.
const maxSeen = 256

// A Device is a unit with contact closures. It is safe for concurrent use.
type Device struct {
	body *power.UPS
	o    Options

	mu       sync.Mutex // guards what follows; never held while the body is called
	dtr, rts bool
	brk      bool
	bypass   bool
	asserted bool          // the pattern is there
	since    time.Duration // from when it counts
	seen     []string
	told     func(what, cmd string)
}

// New puts a face in front of a body.
func New(body *power.UPS, o Options) (*Device, error) {
	if o.Type < 0 || o.Type >= len(cables) {
		return nil, fmt.Errorf("type %d: want 0 to %d", o.Type, len(cables)-1)
	}
	if o.Hold < 0 || o.Delay < 0 {
		return nil, fmt.Errorf("hold %v, delay %v: want no negative times", o.Hold, o.Delay)
	}
	if o.Hold == 0 {
		o.Hold = time.Second
	}
	o.Latch = o.Latch || cables[o.Type].kill == "break" // a break is an order, not a level
	d := &Device{body: body, o: o}
	d.asserted = d.pattern() // a computer that is off drives nothing, and that may be one
	body.OnChange(func(c power.Change) {
		if c.Name == power.Input && c.Value == "battery" || c.Name == power.Outlet && c.Value == "on" {
			d.resume(c.At)
		}
	})
	return d, nil
}

// Receive implements a face: contact closures are deaf to bytes.
func (d *Device) Receive(time.Duration, []byte) []byte { return nil }

// Drive is what the computer does to its outputs.
func (d *Device) Drive(now time.Duration, dtr, rts, brk bool) {
	d.body.Advance(now)
	d.mu.Lock()
	was := d.asserted
	d.dtr, d.rts, d.brk = dtr, rts, brk
	d.asserted = d.pattern() && d.body.Alive()
	if d.asserted && !was {
		d.since = now
	}
	is, since, told, text := d.asserted, d.since, d.told, d.levels()
	d.note(text)
	if is && !was {
		d.note("kill")
	}
	d.mu.Unlock()
	switch {
	case is && !was:
		if told != nil {
			told("kill", text)
		}
		d.body.ScheduleOff(now, d.o.Hold+d.o.Delay, 0, true)
	case was && !is && (now-since < d.o.Hold || !d.o.Latch):
		d.body.CancelOff(now)
	}
}

// resume lets a pattern count that is there when the mains fail, or the outlet comes on.
func (d *Device) resume(now time.Duration) {
	if d.body.Read().OffIn >= 0 {
		return
	}
	d.mu.Lock()
	is := d.asserted
	d.since = now
	d.mu.Unlock()
	if is {
		d.body.ScheduleOff(now, d.o.Hold+d.o.Delay, 0, true)
	}
}

// pattern reports whether the outputs say: off. The lock is held.
func (d *Device) pattern() bool {
	kill := cables[d.o.Type].kill
	switch kill {
	case "":
		return false
	case "break":
		return d.brk
	}
	for _, l := range []struct {
		letter byte
		is     bool
	}{{'D', d.dtr}, {'R', d.rts}} {
		if named, up := level(kill, l.letter); named && up != l.is {
			return false
		}
	}
	return true
}

// levels writes the outputs as Seen shows them. The lock is held.
func (d *Device) levels() string {
	text := "dtr"
	if d.dtr {
		text = "DTR"
	}
	if d.rts {
		text += " RTS"
	} else {
		text += " rts"
	}
	if d.brk {
		text += " break"
	}
	return text
}

// note remembers what the computer did. The lock is held.
func (d *Device) note(text string) {
	if len(d.seen) == maxSeen {
		d.seen = append(d.seen[:0], d.seen[1:]...)
	}
	d.seen = append(d.seen, text)
}

// Inputs are the lines as the unit and its cable set them.
func (d *Device) Inputs(now time.Duration) transport.LineState {
	d.body.Advance(now)
	r := d.body.Read()
	d.mu.Lock()
	defer d.mu.Unlock()
	cable := cables[d.o.Type]
	needD, _ := level(cable.supply, 'D')
	needR, _ := level(cable.supply, 'R')
	if !r.Alive || needD && !d.dtr || needR && !d.rts {
		return transport.LineState{}
	}
	// A line that has a meaning is at its level when that is true, and at the other when not.
	is := func(letter byte) bool {
		if named, up := level(cable.line, letter); named {
			return up != r.OnBattery
		}
		named, up := level(cable.low, letter)
		return named && up == r.Low
	}
	in := transport.LineState{CTS: is('C'), DSR: is('S'), DCD: is('L'), RI: is('I')}
	if d.o.Type == 23 {
		in.RI, in.DSR = !r.Failed, !d.bypass
	}
	return in
}

// SetBypass puts the unit on bypass, which only type 23 can tell.
func (d *Device) SetBypass(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bypass = on
}

// Seen returns what the computer has done to its outputs, oldest first, lines that are up in
// capitals: "DTR rts". The word kill follows a pattern that means it, however short it was.
func (d *Device) Seen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.seen...)
}

// Saw reports whether levels as Seen writes them have been there; or kill, also one that the unit
// then ignored.
func (d *Device) Saw(what string) bool { return what != "" && slices.Contains(d.Seen(), what) }

// OnCommand registers an observer of patterns that mean kill. It is called before they are obeyed,
// without any lock held.
func (d *Device) OnCommand(f func(what, cmd string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = f
}
