package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Control pulls the levers of one emulated UPS for people and programs that are not in this
// process. Requests are lines of words. The reply is any number of lines and then OK, or one line
// ERR and the reason.
//
//	> battery 20%
//	< OK
//	> fault silent for=30s
//	< OK
//	> state
//	< {"ups":"rack","faults":["silent"],"at_ns":184000000000,"input_mV":230000, ...}
//	< OK
type Control struct {
	Name  string
	Body  *power.UPS
	Cable Port
	Seen  func() []string // the commands that the device has got; may be nil
	Quit  func()          // ends the emulation; may be nil
}

// Limits of the control socket.
const (
	// maxLine bounds a line in both directions; a state with all commands seen has a few kilobytes.
	maxLine   = 64 << 10
	maxIdle   = 10 * time.Minute // of a connection
	writeTime = 10 * time.Second
)

// State is the answer to the request state.
type State struct {
	UPS    string   `json:"ups"`
	Faults []string `json:"faults"`
	Seen   []string `json:"seen"`
	power.Reading
}

// Serve accepts connections until the task is stopped or l is closed.
func (c *Control) Serve(e env.Env, l env.Listener) error {
	return env.Serve(e, l, "control", c.talk)
}

// talk serves one connection; a peer that goes away is no error.
func (c *Control) talk(e env.Env, conn env.Conn) error {
	defer conn.Close()
	r := lineReader{conn: conn}
	for {
		line, err := r.next(e, e.Now().Add(maxIdle))
		if err != nil {
			return nil
		}
		text, err := c.Do(e, line)
		reply := text + "OK\n"
		if err != nil && err != errQuit {
			reply = fmt.Sprintf("ERR %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		}
		if _, err := conn.Write(e, []byte(reply), e.Now().Add(writeTime)); err != nil {
			return nil
		}
		if err == errQuit { // not before the reply is out
			c.Quit()
		}
	}
}

// Do executes one request. The reply is empty or ends in a line feed.
func (c *Control) Do(e env.Env, line string) (string, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", errors.New("empty request; try help")
	}
	for _, l := range levers() {
		if l.name != words[0] {
			continue
		}
		text, err := l.do(c, e, words[1:])
		if errors.Is(err, errUsage) {
			err = fmt.Errorf("%s: want %s", line, strings.TrimSpace(l.name+" "+l.args))
		} else if err != nil && err != errQuit {
			err = fmt.Errorf("%s: %w", line, err)
		}
		return text, err
	}
	return "", fmt.Errorf("%s: no such request; try help", words[0])
}

// Ask sends one request to a control socket and returns the lines of the reply.
func Ask(e env.Env, socket, request string, until env.Instant) (string, error) {
	conn, err := e.Net().Dial(e, "unix", socket, until)
	if err != nil {
		return "", fmt.Errorf("%s: %w", socket, err)
	}
	defer conn.Close()
	if _, err := conn.Write(e, []byte(request+"\n"), until); err != nil {
		return "", fmt.Errorf("%s: %w", socket, err)
	}
	r := lineReader{conn: conn}
	var text strings.Builder
	for {
		line, err := r.next(e, until)
		if err != nil {
			return "", fmt.Errorf("%s: waiting for the reply to %q: %w", socket, request, err)
		}
		if line == "OK" {
			return text.String(), nil
		}
		if why, ok := strings.CutPrefix(line, "ERR "); ok {
			return "", errors.New(why)
		}
		text.WriteString(line + "\n")
	}
}

// A lineReader cuts a stream into lines.
type lineReader struct {
	conn env.Conn
	rest []byte
}

func (r *lineReader) next(e env.Env, until env.Instant) (string, error) {
	for {
		if line, rest, ok := bytes.Cut(r.rest, []byte("\n")); ok {
			r.rest = rest
			return string(bytes.TrimSuffix(line, []byte("\r"))), nil
		}
		if len(r.rest) > maxLine {
			return "", fmt.Errorf("a line of more than %d bytes", maxLine)
		}
		b := make([]byte, 4096)
		n, err := r.conn.Read(e, b, until)
		if err != nil && err != io.EOF {
			return "", err
		}
		if n == 0 {
			return "", io.ErrUnexpectedEOF
		}
		r.rest = append(r.rest, b[:n]...)
	}
}
