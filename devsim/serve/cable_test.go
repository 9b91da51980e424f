package serve_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// machine is this machine with a clock that runs scale times faster.
func machine(t testing.TB, scale int64) env.Env {
	t.Helper()
	e, err := osenv.New(osenv.Options{
		Prog:  t.Name(),
		Clock: &osenv.Clock{Scale: scale, Epoch: time.Now()},
		Log:   slog.DiscardHandler,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCableIsASerialPort(t *testing.T) {
	e := machine(t, 10)
	porttest.Run(t, e, func(t *testing.T) porttest.Line {
		c := serve.NewCable(new(porttest.Device), serve.Options{})
		s, err := c.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		return porttest.Line{
			Serial: s,
			Unplug: func() { c.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Again:  func() (transport.Serial, error) { return c.Open(e) },
		}
	})
}

func TestAnswerTakesItsTimeOnTheWire(t *testing.T) {
	tests := []struct {
		name    string
		o       serve.Options
		n       int
		atLeast time.Duration
	}{
		{"47 bytes there and back at 2400 baud", serve.Options{}, 47, 391 * time.Millisecond},
		{"the same at 9600 baud", serve.Options{Baud: 9600}, 47, 97 * time.Millisecond},
		{"with a device that thinks", serve.Options{Baud: 9600, Latency: time.Second}, 3, time.Second},
	}
	e := machine(t, 1)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := serve.NewCable(new(porttest.Device), tt.o).Open(e)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			start := e.Now()
			exchange(t, e, s, string(make([]byte, tt.n)), 20*time.Second)
			if took := e.Now().Sub(start); took < tt.atLeast {
				t.Errorf("took %v; want at least %v", took, tt.atLeast)
			}
		})
	}
}

func TestWrongSpeedIsNoise(t *testing.T) {
	e := machine(t, 100)
	dev := &listener{}
	ports := serve.Ports{"ttyS0": serve.NewCable(dev, serve.Options{})}
	s, err := ports.Serial(e, "ttyS0", transport.Mode{Baud: 9600})
	if err != nil {
		t.Fatal(err)
	}
	got := string(exchange(t, e, s, "Q1 F I\r", 20*time.Second))
	if got == "Q1 F I\r" || dev.heard > 0 {
		t.Errorf("at the wrong speed the device heard %d bytes and said %q", dev.heard, got)
	}
}

func TestPortsAreFoundByName(t *testing.T) {
	e := machine(t, 1)
	c := serve.NewCable(new(porttest.Device), serve.Options{})
	ports := serve.Ports{"/dev/ttyS0": c}
	_, err := ports.Serial(e, "/dev/ttyS1", transport.Mode{})
	if !errors.Is(err, transport.ErrNoPort) {
		t.Errorf("a port that does not exist: %v; want ErrNoPort", err)
	}
	first, err := ports.Serial(e, "/dev/ttyS0", transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	c.Release()
	if _, err := first.Write(e, []byte("x")); !errors.Is(err, env.ErrClosed) {
		t.Errorf("a port that was taken away: %v; want ErrClosed", err)
	}
	if _, err := ports.Serial(e, "/dev/ttyS0", transport.Mode{}); err != nil {
		t.Errorf("a port whose program has died: %v", err)
	}
}

func TestQueueIsBounded(t *testing.T) {
	e := machine(t, 1000)
	s, err := serve.NewCable(new(porttest.Device), serve.Options{Baud: 115200}).Open(e)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := s.Write(e, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	e.Sleep(5 * time.Second)
	got := 0
	for {
		n, err := s.Read(e, make([]byte, 10000), e.Now())
		if err != nil {
			break
		}
		got += n
	}
	if got == 0 || got > 4096 {
		t.Errorf("%d of 10000 unread bytes were kept; want at most 4096", got)
	}
}

// A talker says one word at each whole second.
type talker struct {
	porttest.Device
	next time.Duration
}

func (d *talker) NextTalk() (time.Duration, bool) { return d.next, true }

func (d *talker) Talk(now time.Duration) []byte {
	d.next = now + time.Second
	return []byte("!")
}

func TestDeviceMaySpeakUnasked(t *testing.T) {
	e := machine(t, 50)
	start := time.Duration(e.Now())
	s, err := serve.NewCable(&talker{next: start + time.Second}, serve.Options{}).Open(e)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		b := make([]byte, 8)
		if n, err := s.Read(e, b, e.Now().Add(60*time.Second)); string(b[:n]) != "!" {
			t.Fatalf("Read = %q, %v; want what the device says by itself", b[:n], err)
		}
	}
	if took := time.Duration(e.Now()) - start; took < 3*time.Second {
		t.Errorf("three words, one a second, took %v", took)
	}
}
