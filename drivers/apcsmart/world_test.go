package apcsmart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bench is a virtual host with an emulated UPS on its serial port.
type bench struct {
	t      testing.TB
	w      *world.World
	h      *world.Host
	body   *power.UPS
	dev    *apcsmart.Device
	cable  *serve.Cable
	log    []string
	events []string // "kind name=value why"
}

func newBench(t testing.TB, spec power.Spec, o apcsmart.Options) *bench {
	b := &bench{t: t, body: power.New(spec)}
	b.dev = apcsmart.New(b.body, o)
	b.plug(b.dev)
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			return driver.Main(drivers.All, serve.Ports{"/dev/ttyS0": b.cable}, name)
		},
		Console: func(_ env.Instant, _, _, line string) { b.log = append(b.log, line) },
		Observe: func(ev env.Event) {
			b.events = append(b.events, fmt.Sprintf("%s %s=%s %s", ev.Kind, ev.Name, ev.Value, ev.Why))
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

// plug puts a device on the cable.
func (b *bench) plug(f serve.Face) { b.cable = serve.NewCable(f, serve.Options{Now: b.now}) }

func (b *bench) now() time.Duration { return time.Duration(b.w.Now()) }

func (b *bench) conf(lines string) {
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = apcsmart\nport = /dev/ttyS0\n"+lines+"\n"))
}

func (b *bench) run(d time.Duration) {
	b.t.Helper()
	for end := b.now() + d; b.now() < end; {
		b.body.Advance(b.now())
		step := end - b.now()
		if next, ok := b.body.Next(); ok {
			step = min(step, max(next-b.now(), time.Millisecond))
		}
		if err := b.w.RunFor(step); err != nil {
			b.t.Fatal(err)
		}
	}
	b.body.Advance(b.now())
}

func (b *bench) start(args ...string) *world.Process {
	b.t.Helper()
	return b.h.Start("apcsmart", append([]string{"-a", "office"}, args...))
}

// driving starts the driver and waits until it is there.
func (b *bench) driving() *world.Process {
	b.t.Helper()
	p := b.start()
	b.run(10 * time.Second)
	if !slices.Contains(b.statuses(), "OL") {
		b.t.Fatalf("the driver is not there after 10 s:\n%s", strings.Join(b.log, "\n"))
	}
	return p
}

// dump returns the variables as -d 1 prints them.
func (b *bench) dump() map[string]string {
	b.t.Helper()
	b.log = nil
	p := b.start("-d", "1")
	b.run(2 * time.Minute)
	b.wantExit(p, 0)
	vars := map[string]string{}
	for _, l := range b.log {
		if name, value, ok := strings.Cut(l, ": "); ok {
			vars[name] = value
		}
	}
	return vars
}

func (b *bench) wantExit(p *world.Process, want int) {
	b.t.Helper()
	status, ended := p.Status()
	if !ended || int(status) != want {
		b.t.Fatalf("exit status %d, ended %v; want %d\n%s", status, ended, want, strings.Join(b.log, "\n"))
	}
}

// statuses are the values of ups.status as they were published, without repetitions.
func (b *bench) statuses() []string {
	var all []string
	for _, e := range b.events {
		if value, ok := strings.CutPrefix(e, "status ="); ok {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

func (b *bench) wantEvents(texts ...string) {
	b.t.Helper()
	at := 0
	for _, text := range texts {
		for at < len(b.events) && !strings.Contains(b.events[at], text) {
			at++
		}
		if at == len(b.events) {
			b.t.Fatalf("no %q in its place among:\n%s\n%s", text, strings.Join(b.events, "\n"), strings.Join(b.log, "\n"))
		}
		at++
	}
}

// tell runs one conversation with the driver's socket.
func (b *bench) tell(f func(e env.Env, c *remote.Conn) (sockproto.Code, error)) sockproto.Code {
	b.t.Helper()
	code, done := sockproto.Pending, false
	b.h.StartMain("client", func(e env.Env, _ []string) int {
		c, err := remote.Dial(e, "/run/nut/apcsmart-office")
		if err == nil {
			code, err = f(e, c)
			c.Close(e)
		}
		if err != nil {
			b.log = append(b.log, err.Error())
		}
		done = true
		return 0
	})
	for end := b.now() + time.Minute; !done && b.now() < end; {
		b.run(100 * time.Millisecond)
	}
	if !done {
		b.t.Fatal("the driver did not answer within a minute")
	}
	return code
}

func (b *bench) command(name, value string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn) (sockproto.Code, error) {
		return c.CommandValue(e, name, value, e.Now().Add(50*time.Second))
	})
}

func (b *bench) set(name, value string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn) (sockproto.Code, error) {
		return c.Set(e, name, value, e.Now().Add(50*time.Second))
	})
}

// ping asks the driver for a sign of life.
func (b *bench) ping() {
	b.t.Helper()
	b.tell(func(e env.Env, c *remote.Conn) (sockproto.Code, error) {
		return sockproto.Handled, c.Ping(e, e.Now().Add(time.Minute))
	})
}
