package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// A fiend is a server that answers STARTTLS with a refusal and every other request as it likes.
type fiend func(e env.Env, c env.Conn)

func (f fiend) session(e env.Env, c env.Conn) {
	buf := make([]byte, 4096)
	if _, err := c.Read(e, buf, env.Never); err != nil {
		return
	}
	c.Write(e, []byte("ERR FEATURE-NOT-CONFIGURED\n"), env.Never)
	if _, err := c.Read(e, buf, env.Never); err == nil {
		f(e, c)
	}
}

// meet runs a client against a fiend in virtual time, and returns how long it took.
func meet(t testing.TB, f fiend, ask func(e env.Env, c *client.Conn)) time.Duration {
	w := world.New(world.Options{})
	defer w.Close()
	nas, desk := w.Host("nas"), w.Host("desk")
	nas.PowerOn()
	desk.PowerOn()
	nas.StartMain("upsd", upsdtest.Main(f.session))
	took := time.Duration(-1)
	desk.StartMain("client", func(e env.Env, _ []string) int {
		c, err := client.Dial(e, "nas", netproto.Port, client.Options{}, e.Now().Add(client.ConnectTime))
		if err != nil {
			t.Error(err)
			return 1
		}
		defer c.Close()
		began := e.Now()
		ask(e, c)
		took = e.Now().Sub(began)
		return 0
	})
	if err := w.RunFor(time.Minute); err != nil {
		t.Fatal(err)
	}
	if took < 0 {
		t.Fatal("the client has not ended after a minute")
	}
	return took
}

// repeat sends a text again and again, until nobody takes it.
func repeat(first, text string, pause time.Duration) fiend {
	return func(e env.Env, c env.Conn) {
		_, err := c.Write(e, []byte(first), env.Never)
		for err == nil {
			if pause > 0 {
				err = e.Sleep(pause)
			}
			if err == nil {
				_, err = c.Write(e, []byte(text), env.Never)
			}
		}
	}
}

// say sends a text and hangs up, or is silent.
func say(text string, silent bool) fiend {
	return func(e env.Env, c env.Conn) {
		c.Write(e, []byte(text), env.Never)
		if silent {
			e.Sleep(time.Hour)
		}
	}
}

// However a server misbehaves, a list ends in one error that says what was wrong, within its time,
// and after no more rows than a list may have.
func TestHostileServers(t *testing.T) {
	const begin = "BEGIN LIST VAR rack\n"
	row := func(n int) string { return `VAR rack a.b "` + strings.Repeat("x", n) + "\"\n" }
	tests := []struct {
		name string
		does fiend
		rows int // at most
		err  string
	}{
		{"an endless line", repeat("", strings.Repeat("x", 1000), 0), 0,
			`Protocol error: reading: got "` + strings.Repeat("x", 80) + `", want a line feed within the longest line`},
		{"an endless row", repeat(begin, strings.Repeat("x", 1000), 0), 0, "Protocol error: reading: got "},
		{"an endless list", repeat(begin, strings.Repeat(row(1), 100), 0), client.MaxRows,
			`Protocol error: LIST VAR rack: got "VAR rack a.b \"x\"", want the end of the list`},
		{"an endless list of long rows", repeat(begin, row(15<<10), 0), client.MaxList >> 13,
			"Protocol error: LIST VAR rack: got "},
		{"lists without an end", repeat("", begin, 0), 0,
			`Protocol error: LIST VAR rack: got "BEGIN LIST VAR rack", want the words of the query and one more, or END LIST`},
		{"the end of another list", say(begin+row(1)+"END LIST VAR shed\n", true), 1,
			`Protocol error: LIST VAR rack: got "END LIST VAR shed", want `},
		{"the end of nothing", say("END LIST VAR rack\n", true), 0,
			`Protocol error: LIST VAR rack: got "END LIST VAR rack", want BEGIN LIST`},
		{"noise", say("\x00\xff\xfe\r\x1b[2J\n", true), 0, `Protocol error: LIST VAR rack: got "\x00\xff\xfe\r\x1b[2J"`},
		{"a web server", say("HTTP/1.1 400 Bad Request\r\n\r\n", false), 0,
			`Protocol error: LIST VAR rack: got "HTTP/1.1 400 Bad Request", want BEGIN LIST`},
		{"half a row, then silence", say(begin+`VAR rack a.b "1`, true), 0, "Read error: Connection timed out"},
		{"half a row, then the end", say(begin+`VAR rack a.b "1`, false), 0, "Server disconnected"},
		{"a drip that never ends", repeat(begin, "x", time.Second), 0, "Read error: Connection timed out"},
		{"rows that drip", repeat(begin, row(1), time.Second), 5, "Read error: Connection timed out"},
		{"silence", say("", true), 0, "Read error: Connection timed out"},
		{"nothing at all", say("", false), 0, "Server disconnected"},
		{"an error with words behind it", say("ERR ACCESS-DENIED "+strings.Repeat("x ", 100)+"\n", true), 0, "Access denied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			took := meet(t, tt.does, func(e env.Env, c *client.Conn) {
				rows := 0
				err := c.List(e, answerBy(e), func([]string) error {
					rows++
					return nil
				}, "VAR", "rack")
				if err == nil || !strings.HasPrefix(err.Error(), tt.err) || len(err.Error()) > 500 {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				if rows > tt.rows {
					t.Errorf("%d rows, want %d at most", rows, tt.rows)
				}
			})
			if took > client.AnswerTime {
				t.Errorf("it took %v, want %v at most", took, client.AnswerTime)
			}
		})
	}
}

// FuzzReplies lets a server answer with anything: each request ends in time, in a result or in one
// error of this package's or the protocol's.
func FuzzReplies(f *testing.F) {
	for _, s := range []string{"VAR rack ups.status \"OL\"\n", "BEGIN LIST VAR rack\nVAR rack a \"1\"\nEND LIST VAR rack\n",
		"ERR DATA-STALE\n", "OK TRACKING 1\nSUCCESS\n", "NUMLOGINS rack 3\n", "\"\\\n#\n\x00\xff\n"} {
		f.Add([]byte(s), byte(0))
	}
	asks := []func(e env.Env, c *client.Conn) error{
		func(e env.Env, c *client.Conn) error {
			_, err := c.Var(e, answerBy(e), "rack", "ups.status")
			return err
		},
		func(e env.Env, c *client.Conn) error {
			return c.List(e, answerBy(e), func(row []string) error {
				if len(row) == 0 {
					return errors.New("a row without words")
				}
				return nil
			}, "VAR", "rack")
		},
		func(e env.Env, c *client.Conn) error {
			n, err := c.NumLogins(e, answerBy(e), "rack")
			if n < 0 {
				return errors.New("less than no logins")
			}
			return err
		},
		func(e env.Env, c *client.Conn) error {
			_, err := c.Set(e, answerBy(e), "rack", "ups.id", "x")
			return err
		},
		func(e env.Env, c *client.Conn) error {
			_, err := c.Tracking(e, answerBy(e), "1")
			return err
		},
	}
	f.Fuzz(func(t *testing.T, reply []byte, ask byte) {
		took := meet(t, say(string(reply), ask > 127), func(e env.Env, c *client.Conn) {
			err := asks[int(ask)%len(asks)](e, c)
			var own *client.Error
			var token netproto.Err
			if err != nil && !errors.As(err, &own) && !errors.As(err, &token) {
				t.Errorf("error %v, want one of client or netproto", fmt.Sprintf("%T: %v", err, err))
			}
		})
		if took > client.AnswerTime {
			t.Errorf("it took %v", took)
		}
	})
}
