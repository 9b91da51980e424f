package megatec

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// A Rejection is how a unit answers what it does not know.
type Rejection int

// The rejections that are found in the field.
const (
	Echo    Rejection = iota // the command comes back
	Nak                      // NAK
	NakOpen                  // (NAK
	Ignore                   // nothing
)

// Options are what differs between units.
type Options struct {
	Dialect string // one of Dialects; "" means megatec
	PerCell bool   // Q1 gives the voltage of one cell; always so from 90 V of battery on
	// Reject is how it answers what it does not know, where the dialect does not decide it.
	Reject Rejection
	// Reactions are how it takes orders.
	Reactions
	// NoRating and NoVendor units do not know F and I.
	NoRating, NoVendor bool
	// Maker, Model and Version are what I tells, at most 15, 10 and 10 characters; "" means a
	// fictitious unit.
	Maker, Model, Version string
}

// Limits of the parser.
const (
	maxCommand = 32     // bytes; the longest known command has 9, more is noise
	maxSeen    = 256    // commands that Seen remembers
	widest     = 90_000 // mV: a battery of more does not fit the four characters of Q1 when charged
)

// A Device is a unit that speaks Megatec. It is safe for concurrent use.
type Device struct {
	body *power.UPS
	o    Options
	d    dialect

	mu   sync.Mutex // guards what follows; never held while the body is called
	told func(what, cmd string)
	part []byte // of a command whose CR has not come
	seen []string
	kept map[string]string // what was set
}

// New puts a face in front of a body. A dialect that does not exist is a bug and panics.
func New(body *power.UPS, o Options) *Device {
	o.PerCell = o.PerCell || body.Spec().BatteryNominal >= widest
	for _, d := range []struct {
		p *string
		v string
	}{{&o.Maker, "ACME POWER"}, {&o.Model, "SIM-600"}, {&o.Version, "V1.07"}} {
		if *d.p == "" {
			*d.p = d.v
		}
	}
	d, ok := dialects[cmp.Or(o.Dialect, "megatec")]
	if !ok {
		panic(fmt.Sprintf("megatec: no dialect %q", o.Dialect))
	}
	return &Device{body: body, o: o, d: d, kept: map[string]string{}}
}

// Receive implements a face: it obeys the commands that are complete and returns the answers. A
// unit without power hears nothing.
func (d *Device) Receive(now time.Duration, p []byte) []byte {
	d.body.Advance(now)
	if !d.body.Alive() {
		d.forget()
		return nil
	}
	var out []byte
	for _, cmd := range d.collect(p) {
		if answer := d.Answer(now, cmd); answer != "" {
			out = append(append(out, answer...), '\r')
		}
	}
	return out
}

// forget drops a command that has begun.
func (d *Device) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.part = nil
}

// collect adds p to the input and takes the complete commands from it.
func (d *Device) collect(p []byte) (cmds []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		head, tail, ok := bytes.Cut(p, []byte("\r"))
		d.part = append(d.part, head...)
		if len(d.part) > maxCommand {
			d.part = d.part[:maxCommand]
		}
		if !ok {
			return cmds
		}
		if len(d.part) > 0 {
			cmds = append(cmds, string(d.part))
		}
		d.part, p = d.part[:0], tail
	}
}

// OnCommand registers an observer of what arrives and is no query: what it means (see Saw), and how
// it came. It is called before the command is obeyed, without any lock held.
func (d *Device) OnCommand(f func(what, cmd string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = f
}

// Seen returns the commands that have arrived, oldest first, at most the last 256. Of a run of
// status queries the first is kept.
func (d *Device) Seen() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.seen...)
}

// Saw reports whether a command has arrived: one as it goes over the wire, or any that means kill,
// cancel, test, stop or beeper. Kill is also what the unit then ignored.
func (d *Device) Saw(what string) bool {
	return what != "" && slices.ContainsFunc(d.Seen(), func(cmd string) bool {
		return cmd == what || meaning(cmd) == what
	})
}

// meanings are the words in which scripts speak of commands.
var meanings = map[string]string{
	"T": "test", "TL": "test", "TUD": "test", "CT": "stop", "Q": "beeper",
	"BZON": "beeper", "BZOFF": "beeper", "C": "cancel", "CS": "cancel",
}

// meaning is the word in which scripts speak of a command; "" for queries and unknown ones.
func meaning(cmd string) string {
	if m := meanings[cmd]; m != "" {
		return m
	}
	if _, ok := parseTest(cmd); ok {
		return "test"
	}
	if _, ok := parseShutdown(cmd); ok || strings.HasPrefix(cmd, "Sf") {
		return "kill"
	}
	return ""
}

func (d *Device) note(cmd string) (told func(what, cmd string)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.seen); cmd == d.d.status && n > 0 && d.seen[n-1] == cmd {
		return d.told
	}
	if len(d.seen) == maxSeen {
		d.seen = append(d.seen[:0], d.seen[1:]...)
	}
	d.seen = append(d.seen, cmd)
	return d.told
}

// Answer obeys one command, given without its CR, and returns the answer, without its CR; "" is
// silence.
func (d *Device) Answer(now time.Duration, cmd string) string {
	told := d.note(cmd)
	if what := meaning(cmd); what != "" && told != nil {
		told(what, cmd)
	}
	if d.d.own != nil {
		if answer, known := d.d.own(d, now, cmd); known {
			return answer
		}
	}
	switch {
	case cmd == d.d.status:
		return d.status()
	case cmd == "F" && !d.d.noRating && !d.o.NoRating:
		return d.rating()
	case cmd == d.d.vendor && !d.o.NoVendor:
		return fmt.Sprintf("#%-15.15s %-10.10s %-10.10s", d.o.Maker, d.o.Model, d.o.Version)
	}
	if !d.d.noOrders {
		if known, done := d.obey(now, cmd); done || known && d.d.yes == "" {
			return d.d.yes
		}
	}
	return d.reject(cmd)
}

// keep and kept are what was set, by the name of the setting.
func (d *Device) keep(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept[name] = value
}

func (d *Device) setting(name, standard string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cmp.Or(d.kept[name], standard)
}

func (d *Device) reject(cmd string) string {
	if d.d.no != "" {
		return d.d.no
	}
	switch d.o.Reject {
	case Nak:
		return "NAK"
	case NakOpen:
		return "(NAK"
	case Ignore:
		return ""
	}
	return cmd
}
