package megatec

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

const (
	// answerTime is how long a device has for a whole reply. The longest takes 0.2 s on the wire.
	answerTime = time.Second
	// maxReply is more than any reply has; without it a device that never sends CR would be read
	// until the time is over and fill the memory.
	maxReply = 256
)

// errRefused is for a command that the device did not take.
var errRefused = errors.New("refused")

// conn speaks over the cable, one exchange at a time.
type conn struct {
	port transport.Serial
	last []byte // the reply that came last
	// address is what devices that have one want in the place of XX.
	address string
	debug   func(level int, format string, args ...any)
}

// exchange sends a command and returns the next line, without its CR. What came before the
// command is dropped: it answers something older.
func (c *conn) exchange(e env.Env, cmd string) ([]byte, error) {
	return c.exchangeRaw(e, cmd, 0)
}

// exchangeRaw is exchange for a reply of raw bytes, of which any may be a CR: it begins with a
// bracket and has so many bytes. Anything else ends at the first CR.
func (c *conn) exchangeRaw(e env.Env, cmd string, size int) ([]byte, error) {
	if err := c.port.Flush(); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	if _, err := c.port.Write(e, []byte(cmd+"\r")); err != nil {
		return nil, fmt.Errorf("%s: %w", cmd, err)
	}
	var reply []byte
	buf := make([]byte, maxReply)
	for until := e.Now().Add(answerTime); ; {
		n, err := c.port.Read(e, buf, until)
		if err != nil {
			return nil, fmt.Errorf("%s: after %q: %w", cmd, reply, err)
		}
		reply = append(reply, buf[:n]...)
		if line, ok := cut(reply, size); ok {
			c.debug(3, "%s -> %q", cmd, line)
			c.last = line
			return line, nil
		}
		if len(reply) > maxReply {
			return nil, fmt.Errorf("%s: %w: %d bytes without CR: %q",
				cmd, ErrMalformed, len(reply), reply)
		}
	}
}

// cut takes the first line, or with a size the raw reply, if it has come whole.
func cut(reply []byte, size int) (line []byte, whole bool) {
	if size == 0 || !bytes.HasPrefix(reply, []byte("(")) {
		line, _, whole = bytes.Cut(reply, []byte("\r"))
		return line, whole
	}
	return reply[:min(size, len(reply))], len(reply) > size && reply[size] == '\r'
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
		err = refusal(q.send, line)
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
	reply, err := c.exchange(e, cmd)
	if errors.Is(err, transport.ErrTimeout) {
		return false, nil
	}
	if err != nil {
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
