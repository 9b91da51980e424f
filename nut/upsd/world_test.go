package upsd_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// What the tests of this file share: a virtual host that runs upsd, drivers that do as they are
// told, and clients that say what they are told.

const upsConf = `
[fake]
	driver = dummy-ups
	port = fake.dev
	desc = "Lab UPS one"
`

const upsdUsers = `
[p]
	password = topsecret
	upsmon primary
	actions = SET
	instcmds = ALL
`

const dump = `SETINFO battery.charge "90"
SETINFO ups.id "x"
SETAUX ups.id 8
SETFLAGS ups.id RW STRING
SETINFO ups.status "OL"
ADDCMD load.off
DATAOK
DUMPDONE
`

// A site is one host in virtual time.
type site struct {
	t      testing.TB
	w      *world.World
	h      *world.Host
	log    []string // what upsd says: "seconds text"
	events []string // what upsd emits: "seconds kind ups=value"
}

func newSite(t testing.TB, files map[string]string) *site {
	s := &site{t: t}
	s.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			return map[string]env.Main{"upsd": upsd.Main}[name]
		},
		Console: func(now env.Instant, _, prog, line string) {
			if prog == "upsd" {
				s.log = append(s.log, stamp(now)+line)
			}
		},
		Observe: func(ev env.Event) {
			if ev.Prog == "upsd" {
				s.events = append(s.events, fmt.Sprintf("%s%s %s=%s", stamp(ev.T), ev.Kind, ev.UPS, ev.Value))
			}
		},
	})
	t.Cleanup(func() {
		if err := s.w.Close(); err != nil {
			t.Error(err)
		}
	})
	s.h = s.w.Host("nas")
	s.h.PowerOn()
	s.h.WriteFile("/etc/nut/ups.conf", []byte(upsConf))
	s.h.WriteFile("/etc/nut/upsd.conf", []byte("LISTEN *\nMAXAGE 6\n"))
	s.h.WriteFile("/etc/nut/upsd.users", []byte(upsdUsers))
	s.h.WriteFile("/run/nut/.keep", nil)
	for name, text := range files {
		s.h.WriteFile(name, []byte(text))
	}
	return s
}

// stamp is a time in seconds with one decimal, as a prefix.
func stamp(t env.Instant) string {
	return fmt.Sprintf("%.1f ", time.Duration(t).Seconds())
}

func (s *site) run(d time.Duration) {
	s.t.Helper()
	if err := s.w.RunFor(d); err != nil {
		s.t.Fatal(err)
	}
}

// start runs upsd and lets it come up.
func (s *site) start(args ...string) *world.Process {
	p := s.h.Start("upsd", args)
	s.run(100 * time.Millisecond)
	return p
}

// wantLog asserts that lines that contain these texts were logged, in this order.
func (s *site) wantLog(texts ...string) { s.t.Helper(); wantInOrder(s.t, "log", s.log, texts) }

// wantEvents asserts the same of events.
func (s *site) wantEvents(texts ...string) { s.t.Helper(); wantInOrder(s.t, "events", s.events, texts) }

func wantInOrder(t testing.TB, what string, have, texts []string) {
	t.Helper()
	at := 0
	for _, text := range texts {
		for at < len(have) && !strings.Contains(have[at], text) {
			at++
		}
		if at == len(have) {
			t.Fatalf("%s: no %q in its place among:\n%s", what, text, strings.Join(have, "\n"))
		}
		at++
	}
}

// count is how many lines of the log contain a text.
func (s *site) count(text string) int {
	return strings.Count(strings.Join(s.log, "\n"), text)
}

// A driver listens on a socket, dumps when asked, and answers PING unless it is mute.
type driver struct {
	p    *world.Process
	mute bool
	dump string
	out  *env.Inbox[string] // to whoever is connected
	got  []string           // requests: "seconds line"
}

func (s *site) driver(name string) *driver { return s.driverAt("/run/nut/dummy-ups-" + name) }

func (s *site) driverAt(file string) *driver {
	d := &driver{dump: dump}
	d.p = s.h.StartMain("dummy-ups", func(e env.Env, _ []string) int {
		d.out = env.NewInbox[string](e, 1000)
		e.Host().Remove(file)
		l, err := e.Net().Listen(e, "unix", file)
		if err != nil {
			s.t.Error(err)
			return 1
		}
		for {
			conn, err := l.Accept(e, env.Never)
			if err != nil {
				return 0
			}
			e.Go("writer", func(e env.Env) error {
				for {
					text, err := d.out.Get(e, env.Never)
					if err != nil {
						return err
					}
					conn.Write(e, []byte(text), env.Never)
				}
			})
			e.Go("reader", func(e env.Env) error {
				b := make([]byte, 1000)
				for {
					n, err := conn.Read(e, b, env.Never)
					if err != nil {
						return nil
					}
					for l := range strings.Lines(string(b[:n])) {
						d.got = append(d.got, stamp(e.Now())+strings.TrimSpace(l))
						d.answer(strings.TrimSpace(l))
					}
				}
			})
		}
	})
	s.run(time.Millisecond)
	return d
}

func (d *driver) answer(line string) {
	switch {
	case line == "DUMPALL":
		d.out.Put(d.dump)
	case line == "PING" && !d.mute:
		d.out.Put("PONG\n")
	}
}

// A client keeps one connection.
type client struct {
	s      *site
	in     *env.Inbox[string]
	got    strings.Builder
	closed string // "seconds" when the server closed
}

func (s *site) client() *client {
	c := &client{s: s}
	s.h.StartMain("client", func(e env.Env, _ []string) int {
		c.in = env.NewInbox[string](e, 1000)
		conn, err := e.Net().Dial(e, "tcp", "127.0.0.1:3493", e.Now().Add(time.Second))
		if err != nil {
			c.closed = err.Error()
			return 1
		}
		e.Go("reader", func(e env.Env) error {
			b := make([]byte, 1000)
			for {
				n, err := conn.Read(e, b, env.Never)
				if errors.Is(err, io.EOF) || errors.Is(err, env.ErrReset) {
					c.closed = strings.TrimSpace(stamp(e.Now()))
					return nil
				}
				if err != nil {
					return err
				}
				c.got.Write(b[:n])
			}
		})
		for {
			text, err := c.in.Get(e, env.Never)
			if err != nil {
				return 0
			}
			conn.Write(e, []byte(text), env.Never)
		}
	})
	s.run(10 * time.Millisecond)
	return c
}

// say sends requests and returns what comes back within 10 ms.
func (c *client) say(lines ...string) string {
	c.got.Reset()
	c.in.Put(strings.Join(lines, "\n") + "\n")
	c.s.run(10 * time.Millisecond)
	return c.got.String()
}

// want asserts the reply to one request.
func (c *client) want(request, reply string) {
	c.s.t.Helper()
	if got := c.say(request); got != reply+"\n" {
		c.s.t.Errorf("at %v: %s = %q, want %q", time.Duration(c.s.w.Now()), request, got, reply)
	}
}
