package serve_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// exchange writes what a device will echo and returns what has come after wait.
func exchange(t *testing.T, e env.Env, s transport.Serial, text string, wait time.Duration) []byte {
	t.Helper()
	if _, err := s.Write(e, []byte(text)); err != nil {
		t.Fatalf("Write: %v", err)
	}
	var got []byte
	until := e.Now().Add(wait)
	for {
		b := make([]byte, 64)
		n, err := s.Read(e, b, until)
		got = append(got, b[:n]...)
		if errors.Is(err, transport.ErrTimeout) || len(got) >= len(text) {
			return got
		}
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
	}
}

func TestFaults(t *testing.T) {
	const text = "(230.0 167.9 228.9\r"
	flipped := func(got []byte) (bits int) {
		for i := range got {
			for d := got[i] ^ text[i]; d != 0; d &= d - 1 {
				bits++
			}
		}
		return bits
	}
	tests := []struct {
		fault serve.Fault
		is    func(got []byte) bool
	}{
		{serve.Silent, func(got []byte) bool { return len(got) == 0 }},
		{serve.Mute, func(got []byte) bool { return len(got) == 0 }},
		{serve.Garbage, func(got []byte) bool { return len(got) == len(text) && flipped(got) > 8 }},
		{serve.Noise, func(got []byte) bool { return len(got) == len(text) && flipped(got) == 1 }},
		{serve.Truncate, func(got []byte) bool { return string(got) == text[:len(text)/2] }},
		{serve.Slow, func(got []byte) bool {
			return len(got) > 0 && len(got) < len(text) && bytes.HasPrefix([]byte(text), got)
		}},
	}
	e := machine(t, 100)
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			dev := &listener{}
			c := serve.NewCable(dev, serve.Options{Seed: 1})
			s, err := c.Open(e)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			c.SetFault(time.Duration(e.Now()), tt.fault, 0)
			if got := exchange(t, e, s, text, time.Second); !tt.is(got) {
				t.Errorf("with the fault: %q of %q", got, text)
			}
			if heard := dev.heard > 0; heard != (tt.fault != serve.Silent) {
				t.Errorf("the device has heard something: %v", heard)
			}
			c.ClearFault(time.Duration(e.Now()), tt.fault)
			e.Sleep(5 * time.Second) // for what is still on the wire
			s.Flush()
			if got := string(exchange(t, e, s, text, 20*time.Second)); got != text {
				t.Errorf("after the fault: %q; want %q", got, text)
			}
		})
	}
}

// listener is an echo that counts what it hears.
type listener struct {
	porttest.Device
	heard int
}

func (l *listener) Receive(now time.Duration, p []byte) []byte {
	l.heard += len(p)
	return l.Device.Receive(now, p)
}

func TestFaultEndsByItself(t *testing.T) {
	c := serve.NewCable(new(porttest.Device), serve.Options{})
	c.SetFault(10*time.Second, serve.Mute, 5*time.Second)
	for _, at := range []time.Duration{10, 14, 15, 100} {
		want := at < 15
		if got := len(c.Faults(at*time.Second)) == 1; got != want {
			t.Errorf("at %d s the fault is present: %v; want %v", at, got, want)
		}
	}
}

func TestSameSeedSameNoise(t *testing.T) {
	e := machine(t, 100)
	noise := func(seed uint64) string {
		c := serve.NewCable(new(porttest.Device), serve.Options{Seed: seed})
		s, err := c.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		c.SetFault(0, serve.Garbage, 0)
		return string(exchange(t, e, s, "0123456789", 20*time.Second))
	}
	if a, b := noise(7), noise(7); a != b {
		t.Errorf("seed 7 gave %q and %q", a, b)
	}
	if a, b := noise(7), noise(8); a == b {
		t.Errorf("seeds 7 and 8 both gave %q", a)
	}
}

func TestFaultNames(t *testing.T) {
	for _, name := range serve.FaultNames() {
		if f, err := serve.ParseFault(name); err != nil || f.String() != name {
			t.Errorf("ParseFault(%q) = %v, %v", name, f, err)
		}
	}
	if f, err := serve.ParseFault("stall"); f != serve.Silent || err != nil {
		t.Errorf("ParseFault(stall) = %v, %v", f, err)
	}
	if _, err := serve.ParseFault("gremlins"); err == nil {
		t.Error("an unknown fault is accepted")
	}
}
