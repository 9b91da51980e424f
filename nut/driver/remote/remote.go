// Package remote reaches a driver that runs: through its socket, or through its PID file when it
// has no ear for words. A second instance of the driver, its -k and -c, and upsdrvctl use it.
package remote

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// DialTimeout is how long a driver may take to accept: its socket task does nothing else.
const DialTimeout = 2 * time.Second

// A Conn is a connection to a driver's socket.
type Conn struct {
	c      env.Conn
	parser line.Parser
	lines  [][]string // heard and not yet looked at
	ids    int
}

// Dial connects to the socket of that file name and asks not to be sent changes.
func Dial(e env.Env, path string) (*Conn, error) {
	until := e.Now().Add(DialTimeout)
	nc, err := e.Net().Dial(e, "unix", path, until)
	if err != nil {
		return nil, err
	}
	c := &Conn{c: nc}
	if _, err := nc.Write(e, []byte(sockproto.NoBroadcast), until); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

// Close takes leave and closes.
func (c *Conn) Close(e env.Env) error {
	_, err := c.c.Write(e, []byte(sockproto.Logout), e.Now().Add(DialTimeout))
	return errors.Join(err, c.c.Close())
}

// PID asks for the driver's process number. Drivers before NUT 2.8.2 do not know the question and
// stay silent.
func (c *Conn) PID(e env.Env, until env.Instant) (int, error) {
	words, err := c.ask(e, sockproto.GetPID, until, func(w []string) bool {
		return w[0] == string(sockproto.PIDVerb) && len(w) == 2
	})
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(words[1])
}

// Ping reports whether the driver is alive.
func (c *Conn) Ping(e env.Env, until env.Instant) error {
	_, err := c.ask(e, sockproto.Ping, until, func(w []string) bool {
		return w[0] == string(sockproto.PongVerb)
	})
	return err
}

// Dump asks for all that the driver knows, and whether that is fresh.
func (c *Conn) Dump(e env.Env, until env.Instant) (dev *state.Device, fresh bool, err error) {
	dev = state.New()
	_, err = c.ask(e, sockproto.DumpAll, until, func(w []string) bool {
		verb, _ := sockproto.Apply(dev, w) // what cannot be followed is the driver's affair
		switch verb {
		case sockproto.DataOKVerb:
			fresh = true
		case sockproto.DataStaleVerb:
			fresh = false
		}
		return verb == sockproto.DumpDoneVerb
	})
	return dev, fresh, err
}

// Set sets a variable and waits for the result.
func (c *Conn) Set(e env.Env, name, value string, until env.Instant) (sockproto.Code, error) {
	id := c.id(e)
	return c.result(e, sockproto.Set(name, value, id), id, until)
}

// Command runs an instant command and waits for the result.
func (c *Conn) Command(e env.Env, name string, until env.Instant) (sockproto.Code, error) {
	id := c.id(e)
	return c.result(e, sockproto.InstCmd(name, "", false, id), id, until)
}

// CommandValue is Command with the value that some commands take.
func (c *Conn) CommandValue(e env.Env, name, value string, until env.Instant) (sockproto.Code, error) {
	id := c.id(e)
	return c.result(e, sockproto.InstCmd(name, value, value != "", id), id, until)
}

func (c *Conn) id(e env.Env) string {
	c.ids++
	return fmt.Sprintf("%d-%d", e.Host().Pid(), c.ids)
}

func (c *Conn) result(e env.Env, request, id string, until env.Instant) (sockproto.Code, error) {
	code := sockproto.Unknown
	_, err := c.ask(e, request, until, func(w []string) bool {
		got, result, err := sockproto.ParseResult(w)
		if err != nil || got != id {
			return false
		}
		code = result
		return true
	})
	return code, err
}

// readSize is what one read takes: some lines.
const readSize = 4096

// ask sends a request and waits for the line that is its answer.
func (c *Conn) ask(e env.Env, request string, until env.Instant,
	isAnswer func(words []string) bool) ([]string, error) {
	if _, err := c.c.Write(e, []byte(request), until); err != nil {
		return nil, err
	}
	buf := make([]byte, readSize)
	for {
		for len(c.lines) > 0 {
			words := c.lines[0]
			c.lines = c.lines[1:]
			if len(words) > 0 && isAnswer(words) {
				return words, nil
			}
		}
		n, err := c.c.Read(e, buf, until)
		if err != nil {
			return nil, err
		}
		c.parser.Feed(buf[:n], func(words []string, err error) {
			if err == nil {
				c.lines = append(c.lines, words)
			}
		})
	}
}
