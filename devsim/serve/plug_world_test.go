package serve_test

import (
	"errors"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// virtually runs f on a virtual host until it ends.
func virtually(t *testing.T, f func(e env.Env) error) {
	t.Helper()
	over := false
	w := world.New(world.Options{})
	h := w.Host("nas")
	h.PowerOn()
	h.StartMain("test", func(e env.Env, _ []string) int {
		if err := f(e); err != nil {
			t.Error(err)
		}
		over = true
		return 0
	})
	if err := w.RunFor(time.Hour); err != nil || !over {
		t.Errorf("it does not end: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestPlugInVirtualTime(t *testing.T) {
	for _, c := range porttest.USBCases() {
		t.Run(c.Name, func(t *testing.T) {
			virtually(t, func(e env.Env) error {
				b, err := bus(e, transport.Auto)
				if err != nil {
					return err
				}
				defer b.USB.Close()
				return c.Run(e, b)
			})
		})
	}
}

func TestWaitsOnAPlugAreExact(t *testing.T) {
	tests := []struct {
		name  string
		fault serve.Fault
		clear time.Duration // after the start; 0: never
		until time.Duration
		want  time.Duration
		err   error
	}{
		{"an answer takes the time of the device", serve.Busy, 0, 5 * time.Second, 3 * time.Second, nil},
		{"a deadline is one", serve.Busy, 0, time.Second, time.Second, transport.ErrTimeout},
		{"an answer at the deadline is in time", serve.Busy, 0, 3 * time.Second, 3 * time.Second, nil},
		{"silent to the deadline", serve.Silent, 0, 4 * time.Second, 4 * time.Second,
			transport.ErrTimeout},
		{"silent for a while", serve.Silent, 2 * time.Second, 9 * time.Second, 5 * time.Second, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtually(t, func(e env.Env) error {
				p := serve.NewPlug(new(gadget.Loop), serve.Options{})
				dev, err := p.OpenUSB(e, transport.USBWant{})
				if err != nil {
					return err
				}
				p.SetFault(time.Duration(e.Now()), tt.fault, tt.clear)
				start := e.Now()
				_, err = dev.Control(e, transport.USBSetup{RequestType: 0xc0, Request: 2, Value: 3000},
					make([]byte, 8), start.Add(tt.until))
				if took := e.Now().Sub(start); took != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("%v after %v; want %v after %v", err, took, tt.err, tt.want)
				}
				return nil
			})
		})
	}
}
