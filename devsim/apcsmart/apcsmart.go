package apcsmart

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// Options are what differs between units.
type Options struct {
	Model string // one of Models; "" is SmartUPS
	// Star units acknowledge an order to switch off with a * without an end, not with OK.
	Star bool
	// Rude units put what they cry out into the middle of an answer, not before it.
	Rude bool
	// ID, Serial and Date are what c, n, m and x tell; "" means a fictitious unit.
	ID, Serial, Date string
}

// Times of the controller.
const (
	// again is how long after the first press the second one of K, Z and ^N counts.
	againFrom, againTo = 1300 * time.Millisecond, 5 * time.Second
	selfTest           = 8 * time.Second
	// recent is how long the result of a test can be asked for.
	recent = 5 * time.Minute
	// hibernateUnit is what @ counts in.
	hibernateUnit = 6 * time.Minute
)

// maxSeen is how many orders Seen remembers.
const maxSeen = 256

// A Device is a unit that speaks smart signalling. It is safe for concurrent use.
type Device struct {
	body *power.UPS
	o    Options
	m    model

	mu   sync.Mutex // guards what follows; never held while the body is called
	s    state
	seen []string
	cry  []byte // waiting to be cried out
	told byte   // the status as of the last look
	wake func()
	hear func(what, cmd string)
}

// state is what the controller keeps.
type state struct {
	smart bool
	// last is the letter that - is about.
	last byte
	// taking is what the bytes to come belong to: '@' digits, 'c' or 'x' text; 0 is nothing.
	taking byte
	taken  []byte

	pressed   byte // of the letters that count when pressed twice
	pressedAt time.Duration

	eeprom  map[byte]int    // index into the values of a setting
	text    map[byte]string // c and x
	testing byte            // what runs: 'W', 'D' or 'U'; 0 is nothing
	tested  time.Duration   // when the last self test ended; 0 is never
	reason  byte            // of the last transfer, as G tells it
	bypass  bool
}

// New puts a face in front of a body. It panics when there is no such model.
func New(body *power.UPS, o Options) *Device {
	for _, d := range []struct {
		p *string
		v string
	}{{&o.Model, SmartUPS}, {&o.ID, "UPS_IDEN"}, {&o.Serial, "WS9643050926"}, {&o.Date, "10/25/96"}} {
		if *d.p == "" {
			*d.p = d.v
		}
	}
	m, ok := modelNamed(o.Model)
	if !ok {
		panic("apcsmart: no model " + o.Model)
	}
	d := &Device{body: body, o: o, m: m}
	d.s = state{reason: 'O', text: map[byte]string{'c': o.ID, 'x': o.Date}, eeprom: map[byte]int{}}
	d.told = d.status()
	body.OnChange(d.changed)
	return d
}

// changed follows the body between commands.
func (d *Device) changed(c power.Change) {
	high := d.body.Read().Input > d.body.Spec().Nominal
	d.mu.Lock()
	switch {
	case c.Name == power.Input && c.Value == "battery":
		d.s.reason = 'L'
		if high {
			d.s.reason = 'H'
		}
	case c.Name == power.Test && c.Value == "no":
		if d.s.testing == 'W' {
			d.s.tested = c.At
		}
		d.s.testing = 0
	}
	d.mu.Unlock()
	d.look()
}

// cries are the characters by the bit of the status: when it appears, when it goes.
var cries = []struct {
	bit        byte
	rise, fall byte
}{
	{onBattery, '!', 0}, {onLine, '$', 0}, {batteryLow, '%', '+'}, {replaceBattery, '#', 0},
	{overload, '?', '='},
}

// look compares the status with the last one and has what is new to be cried out. A unit that has
// lost its power is dumb from then on.
func (d *Device) look() {
	now, alive := d.status(), d.body.Alive()
	d.mu.Lock()
	if !alive {
		d.s.smart, d.s.taking, d.s.pressed, d.cry = false, 0, 0, nil
	}
	before := d.told
	d.told = now
	if d.s.smart {
		for _, c := range cries {
			switch {
			case now&c.bit != 0 && before&c.bit == 0:
				d.cry = append(d.cry, c.rise)
			case now&c.bit == 0 && before&c.bit != 0 && c.fall != 0:
				d.cry = append(d.cry, c.fall)
			}
		}
	}
	wake, waiting := d.wake, len(d.cry) > 0
	d.mu.Unlock()
	if waiting && wake != nil {
		wake()
	}
}

// OnTalk implements a face that speaks unasked.
func (d *Device) OnTalk(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wake = f
}

// NextTalk implements a face that speaks unasked.
func (d *Device) NextTalk() (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return 0, len(d.cry) > 0
}

// Talk implements a face that speaks unasked.
func (d *Device) Talk(now time.Duration) []byte {
	d.body.Advance(now)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.takeCry()
}

// takeCry empties what waits to be cried out. The lock is held.
func (d *Device) takeCry() []byte {
	b := d.cry
	d.cry = nil
	return b
}

// Receive implements a face: it obeys the commands and returns the answers. A unit without power
// hears nothing, and is dumb when it has power again.
func (d *Device) Receive(now time.Duration, p []byte) []byte {
	d.body.Advance(now)
	d.look()
	if !d.body.Alive() {
		return nil
	}
	var out []byte
	for _, c := range p {
		answer := d.take(now, c)
		d.mu.Lock()
		cry := d.takeCry()
		d.mu.Unlock()
		out = append(out, d.mix(cry, answer)...)
	}
	return out
}

// mix puts cries and an answer on the wire.
func (d *Device) mix(cry []byte, answer string) []byte {
	if answer == settled {
		return append([]byte("OK\r\n|"), cry...)
	}
	wire := []byte(answer)
	if answer != "" && answer != star {
		wire = append(wire, "\r\n"...)
	}
	if d.o.Rude && len(wire) > 1 {
		return slices.Insert(wire, 1, cry...)
	}
	return append(cry, wire...)
}

// What take returns besides plain answers.
const (
	settled = "settled" // OK, and the cry that a setting has changed
	star    = "*"       // without an end
)

// take takes one byte and returns the answer, "" for silence.
func (d *Device) take(now time.Duration, c byte) string {
	d.mu.Lock()
	smart, taking := d.s.smart, d.s.taking
	d.mu.Unlock()
	switch {
	case c == 'Y' && taking == 0:
		d.note("Y")
		d.mu.Lock()
		d.s.smart = true
		d.mu.Unlock()
		d.look()
		return "SM"
	case !smart:
		return ""
	case taking == '@':
		return d.digit(now, c)
	case taking != 0:
		return d.letter(c)
	}
	return d.command(now, c)
}

// digit takes a digit of @. What is none ends it.
func (d *Device) digit(now time.Duration, c byte) string {
	d.mu.Lock()
	if c < '0' || c > '9' {
		d.s.taking = 0
		d.mu.Unlock()
		return "NA"
	}
	d.s.taken = append(d.s.taken, c)
	if len(d.s.taken) < 3 {
		d.mu.Unlock()
		return ""
	}
	d.s.taking = 0
	digits := string(d.s.taken)
	d.mu.Unlock()
	d.note("@" + digits)
	n := int(digits[0]-'0')*100 + int(digits[1]-'0')*10 + int(digits[2]-'0')
	return d.hibernate(now, n)
}

// letter takes a character of a text of eight.
func (d *Device) letter(c byte) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.s.taken = append(d.s.taken, c)
	if len(d.s.taken) < 8 {
		return ""
	}
	text, _, _ := bytes.Cut(d.s.taken, []byte("\r"))
	d.s.text[d.s.taking] = string(text)
	d.s.taking = 0
	return settled
}

// Seen returns the commands that have arrived, oldest first, at most 256. Queries are there once.
func (d *Device) Seen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.seen)
}

// OnCommand registers an observer of what is ordered: kill, test, stop or cancel, and how it came.
// It is called before the command is obeyed or refused, without any lock held, and for a letter
// that counts when it is pressed twice, the second time.
func (d *Device) OnCommand(f func(what, cmd string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hear = f
}

// meaning is the word in which scripts speak of a command; "" for queries and settings.
func meaning(cmd string) string {
	switch cmd[0] {
	case 'S', '@', 'K', 'Z':
		return "kill"
	case 'W', 'D':
		return "test"
	case 'U':
		return "fail"
	}
	return ""
}

// Saw reports whether a command has arrived: one as it goes over the wire, or any that means kill,
// test or fail. Kill is also what the unit then refused, or a key that was pressed once.
func (d *Device) Saw(what string) bool {
	return what != "" && slices.ContainsFunc(d.Seen(), func(cmd string) bool {
		return cmd == what || meaning(cmd) == what
	})
}

// orders are the letters that Seen tells each time.
const orders = "YRSKZUWDA^\x0e-"

// note remembers a command.
func (d *Device) note(cmd string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	order := strings.Contains(orders, cmd[:1]) || cmd[0] == '@'
	if !order && slices.Contains(d.seen, cmd) {
		return
	}
	if len(d.seen) == maxSeen {
		d.seen = append(d.seen[:0], d.seen[1:]...)
	}
	d.seen = append(d.seen, cmd)
}

// heard tells the observer of a command that is complete.
func (d *Device) heard(what, cmd string) {
	d.mu.Lock()
	hear := d.hear
	d.mu.Unlock()
	if hear != nil {
		hear(what, cmd)
	}
}
