package driver_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// What the tests share: a virtual host that runs a driver of a device that does as it is told,
// and clients of its socket.

const socket = "/run/nut/toy-ups-office"

// A toy is the device. Its fields may be changed between two moments of the world.
type toy struct {
	words  []string
	values map[string]string
	delay  time.Duration // of every call
	err    error         // of every call
	absent error         // of opening
	alarm  string

	opening time.Duration // how long opening takes

	opened, closed, polls int
	did                   []string // commands and settings, "seconds what"
	s                     *driver.State
}

func (d *toy) spec() driver.Spec {
	return driver.Spec{
		Name: "toy-ups", Aliases: []string{"toy"}, Version: "0.1", Summary: "Toy driver", Tolerance: 2,
		Options: []driver.Option{
			{Key: "speed", Kind: driver.Whole, Default: "3", Min: 1, Max: 9, Help: "how fast"},
			{Key: "fancy", Kind: driver.Flag, Help: "what it says"},
			{Key: "wings", Later: "birds", Help: "not yet"},
		},
		Open: func(e env.Env, s driver.Setup) (driver.Device, error) {
			if err := e.Sleep(d.opening); err != nil {
				return nil, err
			}
			if d.absent != nil {
				return nil, d.absent
			}
			d.opened++
			d.s = s.State
			s.State.Offer("load.off")
			return d, nil
		},
	}
}

func (d *toy) Poll(e env.Env) error {
	d.polls++
	if d.delay > 0 {
		if err := e.Sleep(d.delay); err != nil {
			return err
		}
	}
	if d.err != nil {
		return d.err
	}
	d.s.Set("ups.mfr", "ACME")
	d.s.Set("ups.id", "x")
	d.s.Writable("ups.id", driver.Form{Max: 8})
	for name, v := range d.values {
		d.s.Set(name, v)
	}
	d.s.Status(d.words...)
	if d.alarm == "" {
		d.s.Alarms()
	} else {
		d.s.Alarms(d.alarm)
	}
	return nil
}

func (d *toy) Command(e env.Env, name, value string) (driver.Outcome, error) {
	d.did = append(d.did, strings.TrimSpace(stamp(e.Now())+name+" "+value))
	switch name {
	case "load.off":
		return driver.Outcome{Wire: "OFF", Acknowledged: true}, d.err
	case "test.bad":
		return driver.Outcome{}, fmt.Errorf("%w: so it is", driver.ErrInvalid)
	}
	return driver.Outcome{}, driver.ErrUnknown
}

func (d *toy) Set(e env.Env, name, value string) (driver.Outcome, error) {
	d.did = append(d.did, stamp(e.Now())+name+"="+value)
	if name != "ups.id" {
		return driver.Outcome{}, driver.ErrUnknown
	}
	if d.values == nil {
		d.values = map[string]string{}
	}
	d.values[name] = value
	d.s.Set(name, value)
	return driver.Outcome{}, d.err
}

func (d *toy) Shutdown(e env.Env) (driver.Outcome, error) {
	d.did = append(d.did, stamp(e.Now())+"shutdown")
	return driver.Outcome{Wire: "DOWN"}, d.err
}

func (d *toy) Close() error {
	d.closed++
	return nil
}

var errSilent = fmt.Errorf("no answer: %w", transport.ErrTimeout)

// A bench is one host in virtual time.
type bench struct {
	t      testing.TB
	w      *world.World
	h      *world.Host
	d      *toy
	log    []string // what the driver says: "seconds text"
	events []string // what it emits: "seconds kind name=value"
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, d: &toy{words: []string{"OL"}}}
	specs := []driver.Spec{b.d.spec()}
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			if name == "toy-ups" {
				return driver.Main(specs, nil, name)
			}
			return nil
		},
		Console: func(now env.Instant, _, prog, text string) { b.log = append(b.log, stamp(now)+text) },
		Observe: func(ev env.Event) {
			b.events = append(b.events, fmt.Sprintf("%s%s %s=%s %s", stamp(ev.T), ev.Kind, ev.Name, ev.Value, ev.Why))
		},
	})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.conf("")
	b.h.WriteFile("/run/nut/.keep", nil)
	return b
}

// conf writes ups.conf with further lines in the section.
func (b *bench) conf(lines string) {
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = toy-ups\nport = somewhere\n"+lines+"\n"))
}

// stamp is a time in seconds with one decimal, as a prefix.
func stamp(t env.Instant) string { return fmt.Sprintf("%.1f ", time.Duration(t).Seconds()) }

func (b *bench) run(d time.Duration) {
	b.t.Helper()
	if err := b.w.RunFor(d); err != nil {
		b.t.Fatal(err)
	}
}

// start runs the driver and lets it come up.
func (b *bench) start(args ...string) *world.Process {
	b.t.Helper()
	p := b.begin(args...)
	b.run(100 * time.Millisecond)
	return p
}

// begin runs the driver.
func (b *bench) begin(args ...string) *world.Process {
	return b.h.Start("toy-ups", append([]string{"-a", "office"}, args...))
}

// wantExit asserts how a process ended.
func (b *bench) wantExit(p *world.Process, want int) {
	b.t.Helper()
	status, ended := p.Status()
	if !ended || int(status) != want {
		b.t.Errorf("exit status %d, ended %v; want %d\n%s", status, ended, want, strings.Join(b.log, "\n"))
	}
}

// wantInOrder asserts that lines that contain the texts are there, in this order.
func (b *bench) wantInOrder(what string, have []string, texts ...string) {
	b.t.Helper()
	at := 0
	for _, text := range texts {
		for at < len(have) && !strings.Contains(have[at], text) {
			at++
		}
		if at == len(have) {
			b.t.Fatalf("%s: no %q in its place among:\n%s", what, text, strings.Join(have, "\n"))
		}
		at++
	}
}

func (b *bench) wantFile(name string, want bool) {
	b.t.Helper()
	if _, ok := b.h.File(name); ok != want {
		b.t.Errorf("file %s: there %v, want %v", name, ok, want)
	}
}

// A client is a connection to the driver's socket.
type client struct {
	b     *bench
	p     *world.Process
	out   *env.Inbox[string]
	lines []string // heard: "seconds line"
	over  bool     // the driver hung up
}

// client connects.
func (b *bench) client() *client {
	b.t.Helper()
	c := &client{b: b}
	c.p = b.h.StartMain("client", func(e env.Env, _ []string) int {
		conn, err := e.Net().Dial(e, "unix", socket, e.Now().Add(time.Second))
		if err != nil {
			c.over = true
			return 1
		}
		c.out = env.NewInbox[string](e, 1000)
		e.Go("reader", func(e env.Env) error { return c.read(e, conn) })
		for {
			text, err := c.out.Get(e, env.Never)
			if err != nil {
				return 0
			}
			conn.Write(e, []byte(text), env.Never)
		}
	})
	b.run(10 * time.Millisecond)
	return c
}

func (c *client) read(e env.Env, conn env.Conn) error {
	part, buf := "", make([]byte, 4096)
	for {
		n, err := conn.Read(e, buf, env.Never)
		if errors.Is(err, io.EOF) || errors.Is(err, env.ErrReset) {
			c.over = true
			return nil
		}
		if err != nil {
			return err
		}
		part += string(buf[:n])
		for {
			line, rest, ok := strings.Cut(part, "\n")
			if !ok {
				break
			}
			part = rest
			c.lines = append(c.lines, stamp(e.Now())+line)
		}
	}
}

// ask sends lines and returns what comes within a time, without the times.
func (c *client) ask(wait time.Duration, lines ...string) []string {
	c.b.t.Helper()
	before := len(c.lines)
	c.out.Put(strings.Join(lines, "\n") + "\n")
	c.b.run(wait)
	var got []string
	for _, l := range c.lines[before:] {
		_, text, _ := strings.Cut(l, " ")
		got = append(got, text)
	}
	return got
}

func (b *bench) want(what string, got []string, want ...string) {
	b.t.Helper()
	if !slices.Equal(got, want) {
		b.t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
