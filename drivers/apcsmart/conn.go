package apcsmart

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Times to wait for an answer; the longest takes less than a second on the wire.
const (
	statusTime = 1500 * time.Millisecond
	answerTime = 3 * time.Second
	longTime   = 6 * time.Second // for a and ^Z, on which some devices think
	silence    = 200 * time.Millisecond
	drainTime  = time.Second
	digitPause = 50 * time.Millisecond
)

// maxAnswer is more than any answer has; without it a device that sends without end would be read
// until the time is over and fill the memory.
const maxAnswer = 512

var (
	errNA      = errors.New("not available")
	errRefused = errors.New("refused")
)

// alerts are the characters that a device cries out, with their meaning.
var alerts = map[byte]string{
	'!': "on battery", '$': "back on line power", '%': "battery low", '+': "battery no longer low",
	'#': "replace battery", '?': "overload", '=': "overload is over", '&': "check the log",
	'|': "a setting has changed", '*': "about to switch off",
}

// conn speaks over the cable, one exchange at a time.
type conn struct {
	port  transport.Serial
	debug func(level int, format string, args ...any)
	rest  []byte // came with an answer, behind its end
	dirty bool   // an answer may still be on its way

	alerted bool // since the last status
}

// A kind of exchange says what may be taken out of an answer.
type kind int

const (
	plain   kind = iota // alerts are taken out
	list                // the answer itself has them; before it they are dropped
	settles             // * is an answer
)

// exchange sends a command and returns the answer, without its end. What came before the command
// is dropped: it answers something older.
func (c *conn) exchange(e env.Env, cmd string, k kind, limit time.Duration) (string, error) {
	if err := c.clean(e); err != nil {
		return "", fmt.Errorf("%s: %w", label(cmd), err)
	}
	return c.finish(e, cmd, cmd, k, limit)
}

// finish sends the last part of a command and waits for the answer.
func (c *conn) finish(e env.Env, cmd, last string, k kind, limit time.Duration) (string, error) {
	if err := c.send(e, last); err != nil {
		return "", err
	}
	line, err := c.line(e, k, limit)
	if err != nil {
		c.dirty = true
		return "", fmt.Errorf("%s: %w", label(cmd), err)
	}
	c.debug(3, "%s -> %q", label(cmd), line)
	if line == "NA" {
		return "", fmt.Errorf("%s: %w", label(cmd), errNA)
	}
	return line, nil
}

func (c *conn) send(e env.Env, b string) error {
	if _, err := c.port.Write(e, []byte(b)); err != nil {
		return fmt.Errorf("%s: %w", label(b), err)
	}
	return nil
}

// clean drops what has come. After an exchange that went wrong it waits until the line is silent.
func (c *conn) clean(e env.Env) error {
	c.note(c.rest)
	c.rest = nil
	for until := e.Now().Add(drainTime); c.dirty && e.Now() < until; {
		err := c.read(e, e.Now().Add(silence))
		c.rest = nil
		switch {
		case errors.Is(err, transport.ErrTimeout):
			c.dirty = false
		case err != nil:
			return err
		}
	}
	return c.port.Flush()
}

// note tells of the alerts among bytes that nobody asked for.
func (c *conn) note(b []byte) {
	for _, a := range b {
		if what, ok := alerts[a]; ok {
			c.debug(1, "alert %c: %s", a, what)
			c.alerted = c.alerted || a != '|' && a != '&' && a != '*'
		}
	}
}

// read waits for bytes and puts them behind the rest.
func (c *conn) read(e env.Env, until env.Instant) error {
	b := make([]byte, maxAnswer)
	n, err := c.port.Read(e, b, until)
	if err != nil {
		return err
	}
	c.rest = append(c.rest, b[:n]...)
	return nil
}

// line reads one answer.
func (c *conn) line(e env.Env, k kind, limit time.Duration) (string, error) {
	for until := e.Now().Add(limit); ; {
		if line, ok := c.cut(k); ok {
			return line, nil
		}
		if len(c.rest) > maxAnswer {
			return "", fmt.Errorf("%w: %d bytes without an end", ErrMalformed, len(c.rest))
		}
		if err := c.read(e, until); err != nil {
			return "", fmt.Errorf("after %q: %w", c.rest, err)
		}
	}
}

// cut takes an answer from the rest. Lines of nothing but alerts are none.
func (c *conn) cut(k kind) (string, bool) {
	for {
		at := bytes.IndexByte(c.rest, '\n')
		if star := bytes.IndexByte(c.rest, '*'); k == settles && star >= 0 && (at < 0 || star < at) {
			c.rest = c.rest[star+1:]
			return "*", true
		}
		if at < 0 {
			return "", false
		}
		line := bytes.TrimSuffix(c.rest[:at], []byte("\r"))
		c.rest = c.rest[at+1:]
		if line = c.strip(line, k); len(line) > 0 {
			return string(line), true
		}
	}
}

// strip takes alerts out of an answer. Only # and a digit begin an answer that has some itself.
func (c *conn) strip(line []byte, k kind) []byte {
	if k == list {
		return bytes.TrimLeft(line, "!$%+?=&|*")
	}
	c.note(line)
	return slices.DeleteFunc(slices.Clone(line), func(b byte) bool {
		_, alert := alerts[b]
		return alert || b == '\r'
	})
}

// smart enters smart mode.
func (c *conn) smart(e env.Env, tries int) (err error) {
	for i := range tries {
		if i > 0 {
			if err := e.Sleep(time.Second); err != nil {
				return err
			}
			if err := c.send(e, "\x1b"); err != nil { // ends whatever the device is in
				return err
			}
			c.dirty = true
		}
		var answer string
		answer, err = c.exchange(e, "Y", plain, statusTime)
		if err == nil && answer != "SM" {
			err = fmt.Errorf("%w: Y: %q, want SM", ErrMalformed, answer)
			c.dirty = true
		}
		if err == nil || final(err) {
			return err
		}
	}
	return err
}

// ask reads a variable.
func (c *conn) ask(e env.Env, cmd string) (string, error) {
	return c.exchange(e, cmd, plain, answerTime)
}

// tell sends a command that changes something and wants OK.
func (c *conn) tell(e env.Env, cmd string) error {
	answer, err := c.exchange(e, cmd, settles, statusTime)
	return verdict(cmd, answer, err)
}

// verdict is what an answer to a command says.
func verdict(cmd, answer string, err error) error {
	if err == nil && answer != "OK" && answer != "*" {
		return fmt.Errorf("%s: %w: the device answers %q", label(cmd), errRefused, answer)
	}
	return err
}

// slowly sends characters one after the other with pauses, as slow controllers want them, and
// wants an answer to the last one.
func (c *conn) slowly(e env.Env, cmd, rest string) error {
	if err := e.Sleep(silence); err != nil {
		return err
	}
	for i := range len(rest) - 1 {
		if err := c.send(e, rest[i:i+1]); err != nil {
			return err
		}
		if err := e.Sleep(digitPause); err != nil {
			return err
		}
	}
	answer, err := c.finish(e, cmd+strings.TrimRight(rest, "\r"), rest[len(rest)-1:], settles, statusTime)
	return verdict(cmd, answer, err)
}

// final reports that asking again is of no use.
func final(err error) bool {
	return errors.Is(err, env.ErrStopped) || errors.Is(err, transport.ErrGone)
}

// unavailable reports that the device is well and said no.
func unavailable(err error) bool { return errors.Is(err, errNA) || errors.Is(err, errRefused) }
