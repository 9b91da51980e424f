package bridge

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// texts are the habits of a chip whose commands are strings.
type texts struct {
	cr bool // answers end in CR
	// accepts: an order that the unit obeys in silence is answered with an empty line; else with
	// noAck.
	accepts bool
	starred bool // the status that follows an order begins with a star
	charge  bool // string f3 is BL
	cancels string
	// knocks: nothing but zeros until string 0 was asked for twice and then string 1, and a text
	// that is asked for twice running is not asked of the unit again.
	knocks bool
	sleeps bool // nothing but zeros unless the interrupt endpoint was polled
}

// noAck is what a chip says when the unit is silent, or has no such command.
const noAck = "UPS No Ack"

// Times of these chips.
const (
	// patience is how long the host is held off for a unit that was heard last time; then it is
	// told noAck, and has the answer when it asks again.
	patience = 500 * time.Millisecond
	// shrug is how long the chip needs to say noAck by itself.
	shrug = 8 * time.Millisecond
	// nap is how long after a poll of the interrupt endpoint a chip sleeps.
	nap = 5 * time.Second
)

// memory is what such a chip remembers.
type memory struct {
	asked  byte   // the string whose answer has not been fetched; 0: none
	said   answer // to it
	mute   bool   // the unit left the last query unanswered
	star   bool   // an order was given since the last status
	knocks int    // of the three
	last   byte   // the query that was answered last; 0: something else
	stored string // the answer
	awake  time.Duration
}

// polled takes note that the interrupt endpoint was polled.
func (m *memory) polled(now time.Duration) { m.awake = now + nap }

// isString says whether a transfer asks for a string.
func isString(s transport.USBSetup) bool {
	return s.RequestType == 0x80 && s.Request == gadget.GetDescriptor &&
		s.Value>>8 == gadget.StringDescriptor
}

// otherLanguage is what string 0 of a chip names that answers in another.
const otherLanguage = 0x0009

// tell answers a request for a string.
func (b *Bridge) tell(now time.Duration, s transport.USBSetup, index byte) (
	[]byte, time.Duration, error) {
	b.text.knock(index, s.Index == cmp.Or(b.o.LangID, gadget.English))
	switch d := b.k.id; {
	case index == 0 && b.o.LangID != 0:
		return []byte{4, gadget.StringDescriptor, otherLanguage, 0}, now, nil
	case index == 1 && d.Vendor == "" && d.Product != "": // it is their first string
		return gadget.Text(d.Product), now, nil
	case index <= 2:
		if in, ok := d.String(index); ok {
			return in, now, nil
		}
		return nil, now, stall(s, nil)
	case b.o.LangID != 0 && s.Index != b.o.LangID:
		return nil, now, stall(s, nil)
	}
	text, ready := b.say(now, index)
	return wide16(text), ready, nil
}

// wide16 is a string descriptor of the bytes of a text, at most 126.
func wide16(text string) []byte {
	text = text[:min(len(text), 126)]
	p := []byte{byte(2 + 2*len(text)), gadget.StringDescriptor}
	for i := range len(text) {
		p = append(p, text[i], 0)
	}
	return p
}

// knock follows the sequence 0, 0, 1, asked for in the language of the chip.
func (m *memory) knock(index byte, ours bool) {
	switch want := []byte{0, 0, 1}; {
	case m.knocks == len(want):
	case ours && index == want[m.knocks]:
		m.knocks++
	case ours && index == 0 && m.knocks == 2: // a third 0: the last two count
	case ours && index == 0:
		m.knocks = 1
	default:
		m.knocks = 0
	}
}

// say is the text of a string that is a command, and when the host has it.
func (b *Bridge) say(now time.Duration, index byte) (string, time.Duration) {
	t, m := b.k.text, &b.text
	cmd, query := t.command(index)
	switch {
	case cmd == "":
		return noAck, now + shrug
	case !query:
		return b.order(now, cmd)
	case t.knocks && m.knocks < 3, t.sleeps && now >= m.awake:
		return zeros[cmd], now + shrug
	case t.knocks && m.last == index:
		return m.stored, now + shrug
	}
	text, ready := b.query(now, index, cmd)
	m.last, m.stored = index, text
	if text == noAck {
		m.last = 0
	}
	if m.star && t.starred && cmd == "Q1\r" && text != noAck && text != "" {
		m.star, text = false, "*"+text[1:]
	}
	return text, ready
}

// query asks the unit, or fetches what it said since the host was last told noAck.
func (b *Bridge) query(now time.Duration, index byte, cmd string) (string, time.Duration) {
	m := &b.text
	if m.asked != index {
		m.asked, m.said = index, b.line.ask(now, []byte(cmd)).cut(maxAnswer)
	}
	wait := patience
	if m.mute {
		wait = shrug
	}
	switch {
	case len(m.said.bytes) == 0:
		m.asked, m.mute = 0, true
		return noAck, now + wait
	case m.said.end() > now+wait:
		return noAck, now + wait
	}
	m.asked, m.mute = 0, false
	return b.ended(m.said.bytes), max(now, m.said.end())
}

// order gives an order to the unit. Only some chips pass on what it says then.
func (b *Bridge) order(now time.Duration, cmd string) (string, time.Duration) {
	m := &b.text
	m.asked, m.last, m.star = 0, 0, true
	a := b.line.ask(now, []byte(cmd)).cut(maxAnswer)
	switch {
	case !b.k.text.accepts || len(a.bytes) == 0 && m.mute:
		return noAck, a.from + shrug
	case len(a.bytes) == 0:
		return "\r", a.from + shrug
	}
	return b.ended(a.bytes), a.end()
}

// ended is an answer with a CR at its end or without, as the chip has it.
func (b *Bridge) ended(p []byte) string {
	p = bytes.TrimSuffix(p, []byte("\r"))
	if b.k.text.cr {
		p = append(slices.Clone(p), '\r')
	}
	return string(p)
}

// zeros are the answers of a chip that does not ask its unit.
var zeros = map[string]string{
	"Q1\r": "(000.0 000.0 000.0 000 00.0 0.00 00.0 00000000\r",
	"F\r":  "#000.0 0.0 00.00 00.0\r",
	"I\r":  "#" + strings.Repeat(" ", 37) + "\r",
	"BL\r": "BL000\r",
}

// command is what a string means to the unit; "" is nothing. The low digit says what to do, the
// high digit how, where there is a how.
func (t *texts) command(index byte) (cmd string, query bool) {
	switch high, low := index>>4, index&15; {
	case t.charge && index == 0xf3:
		return "BL\r", true
	case low == 0x3:
		return "Q1\r", true
	case low == 0xc:
		return "I\r", true
	case low == 0xd:
		return "F\r", true
	case low == 0x4:
		return "T\r", false
	case low == 0x5:
		return "TL\r", false
	case low == 0x7:
		return "Q\r", false
	case low == 0xa:
		return "C\r", false
	case low == 0xb:
		return t.cancels, false
	case low == 0x0 && high > 0:
		return "S" + delay(high) + "R0000\r", false
	case low == 0x8 && high > 0:
		return "S" + delay(high) + "\r", false
	}
	return "", false
}

// delay is the time before a shutdown: 1 to 5 are 30 to 54 s, 6 to 15 are 1 to 10 minutes.
func delay(high byte) string {
	if high < 6 {
		return fmt.Sprintf(".%d", high+4)
	}
	return fmt.Sprintf("%02d", high-5)
}
