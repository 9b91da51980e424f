package megatec

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

const (
	// answerTime is how long a device has for a whole reply. The longest takes 0.2 s on the wire.
	answerTime = time.Second
	// shortTime is how long a device has to begin its reply that is known to answer, or that has
	// just been given answerTime for the same question. The longest reply is over by then, should
	// an adapter bring it in one piece.
	shortTime = 600 * time.Millisecond
	// maxReply is more than any reply has; without it a device that never sends CR would be read
	// until the time is over and fill the memory.
	maxReply = 256
)

// errRefused is for a command that the device did not take.
var errRefused = errors.New("refused")

// A carrier takes a command to the device and brings back the line that answers it: a serial line,
// or a bridge on USB.
type carrier interface {
	// exchange sends a command and returns the next line, both without CR; size is for a reply of
	// raw bytes, see cut. What came before the command is dropped: it answers something older. No
	// line in time is transport.ErrTimeout.
	exchange(e env.Env, cmd string, size int) ([]byte, error)
	// carries reports whether there is a way to send a command.
	carries(cmd string) bool
	// doubt says that the last line made no sense.
	doubt()
	// settle prepares for a command whose answer may be silence: what the next exchange brings
	// answers nothing older, and it fails for a device that is gone.
	settle(e env.Env) error
	Close() error
}

// conn speaks over the cable, one exchange at a time.
type conn struct {
	cable carrier
	last  []byte // the reply that came last
	// address is what devices that have one want in the place of XX.
	address string
	debug   func(level int, format string, args ...any)
}

// powers are the modem lines DTR and RTS by cablepower.
var powers = map[string]struct{ dtr, rts bool }{
	"normal": {dtr: true}, "reverse": {rts: true}, "both": {true, true}, "none": {},
}

// plugSerial opens a serial port and wakes up a device that lives on the modem lines.
func (p program) plugSerial(e env.Env, s driver.Setup) (carrier, error) {
	port, err := s.Ports.Serial(e, s.Conf.Port(), transport.Mode{Baud: 2400})
	if err != nil {
		return nil, err
	}
	if lines, ok := port.(transport.Lines); ok {
		power := powers[s.Conf.Text("cablepower")]
		if err = lines.SetLines(e, power.dtr, power.rts); err != nil {
			err = fmt.Errorf("cablepower: %w", err)
		} else {
			err = e.Sleep(p.settle)
		}
	}
	if err != nil {
		port.Close()
		return nil, err
	}
	return &serialCable{Serial: port}, nil
}

// A serialCable is the carrier that needs no bridge.
type serialCable struct {
	transport.Serial
	short bool // the first byte has shortTime
}

// Each exchange begins with an empty buffer.
func (c *serialCable) doubt()               {}
func (c *serialCable) settle(env.Env) error { return nil }
func (c *serialCable) carries(string) bool  { return true }

func (c *serialCable) exchange(e env.Env, cmd string, size int) ([]byte, error) {
	if err := c.Flush(); err != nil {
		return nil, err
	}
	if _, err := c.Write(e, []byte(cmd+"\r")); err != nil {
		return nil, err
	}
	var reply []byte
	buf := make([]byte, maxReply)
	begin := e.Now()
	for {
		until := begin.Add(answerTime)
		if c.short && len(reply) == 0 {
			until = begin.Add(shortTime)
		}
		n, err := c.Read(e, buf, until)
		if err != nil && len(reply) == 0 {
			return nil, fmt.Errorf("no answer: %w", err)
		}
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", reply, err)
		}
		reply = append(reply, buf[:n]...)
		if line, ok := cut(reply, size); ok {
			return line, nil
		}
		if len(reply) > maxReply {
			return nil, endless(reply)
		}
	}
}

// hurry says that silence may be taken for one sooner.
func (c *conn) hurry(short bool) {
	if cable, ok := c.cable.(*serialCable); ok {
		cable.short = short
	}
}

func endless(reply []byte) error {
	return fmt.Errorf("%w: %d bytes without CR: %q", ErrMalformed, len(reply), reply)
}

// cut takes the first line, or with a size the raw reply, if it has come whole.
func cut(reply []byte, size int) (line []byte, whole bool) {
	if size == 0 || !bytes.HasPrefix(reply, []byte("(")) {
		line, _, whole = bytes.Cut(reply, []byte("\r"))
		return line, whole
	}
	return reply[:min(size, len(reply))], len(reply) > size && reply[size] == '\r'
}

// exchange sends a command and keeps the line that answers it.
func (c *conn) exchange(e env.Env, cmd string) ([]byte, error) {
	return c.exchangeRaw(e, cmd, 0)
}

// exchangeRaw is exchange for a reply of raw bytes, of which any may be a CR: it begins with a
// bracket and has so many bytes. Anything else ends at the first CR.
func (c *conn) exchangeRaw(e env.Env, cmd string, size int) ([]byte, error) {
	line, err := c.cable.exchange(e, cmd, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	c.debug(3, "%q -> %q", cmd, line)
	c.last = line
	return line, nil
}

// addressed is a command with the address of the unit in the place of XX.
func (c *conn) addressed(cmd string) string {
	if body, ok := strings.CutSuffix(cmd, ",XX"); ok {
		return body + "," + c.address
	}
	return cmd
}

// ask sends a query and decodes its reply.
func (c *conn) ask(e env.Env, q query) (reading, error) {
	line, err := c.exchangeRaw(e, c.addressed(q.wire()), q.size)
	if err != nil {
		return reading{}, err
	}
	r, err := q.decode(line)
	if err != nil && rejects(q.wire(), string(line)) {
		err = fmt.Errorf("%w: the device answers %q", errRefused, line)
	}
	if errors.Is(err, ErrMalformed) {
		c.cable.doubt()
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", q.send, err)
	}
	return r, nil
}

// rejects reports whether a reply says that the question was not understood. Many devices repeat
// what they do not know.
func rejects(question, reply string) bool {
	word := strings.TrimPrefix(reply, "(")
	if at := strings.Index(word, "NAK"); at == 0 && len(word) <= len("NAK")+2 {
		return true // perhaps with a checksum
	}
	return reply == question || reply == "" || word == "N"
}

func refusal(want string, line []byte) error {
	return fmt.Errorf("%w: want %s, the device answers %q", errRefused, want, line)
}

// tell sends a command that changes something. Most devices stay silent; that counts as yes, for
// want of a better word, but is not acknowledged.
func (c *conn) tell(e env.Env, cmd string) (acknowledged bool, err error) {
	if err := c.cable.settle(e); err != nil {
		return false, fmt.Errorf("%s: %w", cmd, err)
	}
	reply, err := c.exchange(e, cmd)
	switch silent := errors.Is(err, transport.ErrTimeout); {
	case silent && !errors.Is(err, errUntaken), errors.Is(err, errVanished):
		return false, nil
	case err != nil:
		return false, err
	}
	return verdict(cmd, string(reply))
}

// verdict is what a reply to a command says. A command that comes back was not understood.
func verdict(cmd, reply string) (acknowledged bool, err error) {
	switch word := strings.TrimPrefix(strings.TrimSpace(reply), "("); {
	case strings.EqualFold(word, "ACK"), strings.HasPrefix(word, "OK"), word == "UPS No Ack":
		return true, nil
	case reply == "":
		return false, nil
	}
	return false, fmt.Errorf("%s: %w: the device answers %q", cmd, errRefused, reply)
}
