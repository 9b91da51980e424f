package site

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

const (
	probeEvery = time.Second     // how often the independent client asks
	probeWait  = 2 * time.Second // how long it waits for an answer
	probeSlow  = time.Second     // a longer wait is worth an event
)

// A Probe is a client that is no part of the stack: it asks the upsd on one host for the status
// and the number of logins of one UPS, about once a second, and records each change. Oracles judge
// the server by what it says here, not by what it believes.
type Probe struct {
	Host string // where the upsd runs
	Addr string // ip:port
	UPS  string
}

// Run asks until the task is stopped.
func (p Probe) Run(e env.Env, emit func(env.Event)) error {
	last := map[string]string{}
	tell := func(name, reply string) {
		if last[name] == reply {
			return
		}
		last[name] = reply
		ev := env.Event{Kind: env.Probe, Host: p.Host, UPS: p.UPS, Name: name, Value: reply}
		if n, err := strconv.Atoi(reply); err == nil {
			ev.N = int64(n)
		}
		emit(ev)
	}
	var c env.Conn
	for {
		if c == nil {
			c, _ = e.Net().Dial(e, "tcp", p.Addr, e.Now().Add(probeWait))
		}
		if c != nil {
			began := e.Now()
			err := p.round(e, c, tell)
			if waited := e.Now().Sub(began); waited > probeSlow {
				p.late(waited, err, emit)
			}
			if err != nil {
				c.Close()
				c = nil
			}
		}
		if c == nil {
			tell("status", "ERR no answer")
			tell("logins", "ERR no answer")
		}
		if err := e.Sleep(probeEvery); err != nil {
			if c != nil {
				c.Close()
			}
			return err
		}
	}
}

// late tells of an answer that took long, or did not come in time. A connection that has ended is
// neither.
func (p Probe) late(waited time.Duration, err error, emit func(env.Event)) {
	value := "reply"
	switch {
	case errors.Is(err, env.ErrTimeout):
		value = "none"
	case err != nil:
		return
	}
	emit(env.Event{Kind: env.Probe, Host: p.Host, UPS: p.UPS, Name: "delay", Value: value,
		N: int64(waited)})
}

func (p Probe) round(e env.Env, c env.Conn, tell func(name, reply string)) error {
	for _, q := range []struct{ name, ask, prefix string }{
		{"status", fmt.Sprintf("GET VAR %s ups.status\n", p.UPS),
			fmt.Sprintf("VAR %s ups.status ", p.UPS)},
		{"logins", fmt.Sprintf("GET NUMLOGINS %s\n", p.UPS), fmt.Sprintf("NUMLOGINS %s ", p.UPS)},
	} {
		until := e.Now().Add(probeWait)
		if _, err := c.Write(e, []byte(q.ask), until); err != nil {
			return err
		}
		reply, err := readLine(e, c, until)
		if err != nil {
			return err
		}
		if v, ok := strings.CutPrefix(reply, q.prefix); ok {
			reply = strings.Trim(v, `"`)
		}
		tell(q.name, reply)
	}
	return nil
}

// readLine reads one line; the server sends no more than one for one question.
func readLine(e env.Env, c env.Conn, until env.Instant) (string, error) {
	var line []byte
	buf := make([]byte, 512)
	for !bytes.HasSuffix(line, []byte("\n")) {
		n, err := c.Read(e, buf, until)
		if err != nil {
			return "", err
		}
		line = append(line, buf[:n]...)
	}
	return strings.TrimSpace(string(line)), nil
}
