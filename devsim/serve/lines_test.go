package serve_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// lined makes the lines of porttest out of a cable and a way to open it.
func lined(t *testing.T, e env.Env, c *serve.Cable, plug *porttest.Plug,
	open func(transport.Mode) (transport.Serial, error)) porttest.LinedLine {
	t.Helper()
	s, err := open(transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	return porttest.LinedLine{
		Line: porttest.Line{
			Serial: s,
			Unplug: func() { c.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Again:  func() (transport.Serial, error) { return open(transport.Mode{}) },
		},
		Plug: plug, Open: open,
	}
}

func TestCableCarriesModemLines(t *testing.T) {
	e := machine(t, 10)
	porttest.RunLines(t, e, func(t *testing.T) porttest.LinedLine {
		plug := new(porttest.Plug)
		c := serve.NewCable(plug, serve.Options{})
		return lined(t, e, c, plug, func(m transport.Mode) (transport.Serial, error) {
			return c.OpenMode(e, m)
		})
	})
}

func TestCableOfADeviceWithoutLinesHasNone(t *testing.T) {
	e := machine(t, 1)
	s, err := serve.NewCable(new(porttest.Device), serve.Options{}).Open(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := porttest.NoLines(s); err != nil {
		t.Error(err)
	}
}

// socket serves a face on a unix socket and returns how to open it.
func socket(t *testing.T, e env.Env, f serve.Face) (*serve.Cable,
	func(transport.Mode) (transport.Serial, error)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "bs") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	c := serve.NewCable(f, serve.Options{})
	s, err := serve.NewSocket(e, c, filepath.Join(dir, "ups"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if err := os.Remove(dir); err != nil {
			t.Error(err) // the socket is still there
		}
	})
	return c, func(m transport.Mode) (transport.Serial, error) {
		return devsock.Ports{}.Serial(e, s.Path(), m)
	}
}

func TestSocketIsASerialPort(t *testing.T) {
	for _, scale := range []int64{1, 20} {
		e := machine(t, scale)
		porttest.Run(t, e, func(t *testing.T) porttest.Line {
			c, open := socket(t, e, new(porttest.Device))
			s, err := open(transport.Mode{})
			if err != nil {
				t.Fatal(err)
			}
			if err := porttest.NoLines(s); err != nil {
				t.Error(err)
			}
			return porttest.Line{
				Serial: s,
				Unplug: func() { c.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
				Again:  func() (transport.Serial, error) { return open(transport.Mode{}) },
			}
		})
	}
}

func TestSocketCarriesModemLines(t *testing.T) {
	for _, scale := range []int64{1, 20} {
		e := machine(t, scale)
		porttest.RunLines(t, e, func(t *testing.T) porttest.LinedLine {
			plug := new(porttest.Plug)
			c, open := socket(t, e, plug)
			return lined(t, e, c, plug, open)
		})
	}
}

func TestSocketTellsWhyAPortDoesNotOpen(t *testing.T) {
	e := machine(t, 1)
	c, open := socket(t, e, new(porttest.Plug))
	c.SetFault(time.Duration(e.Now()), serve.Unplug, 0)
	if _, err := open(transport.Mode{}); !errors.Is(err, transport.ErrNoPort) {
		t.Errorf("an unplugged port: %v; want ErrNoPort", err)
	}
	ports := devsock.Ports{Real: serve.Ports{"/dev/ttyS0": c}}
	if _, err := ports.Serial(e, "devsim:/nowhere", transport.Mode{}); !errors.Is(
		err, transport.ErrNoPort) {
		t.Errorf("no socket: %v; want ErrNoPort", err)
	}
	c.ClearFault(time.Duration(e.Now()), serve.Unplug)
	if _, err := ports.Serial(e, "/dev/ttyS0", transport.Mode{}); err != nil {
		t.Errorf("a port that is none of the sockets: %v", err)
	}
}

func TestStrangersAtTheSocketHurtNobody(t *testing.T) {
	e := machine(t, 1)
	plug := new(porttest.Plug)
	dir := t.TempDir()
	s, err := serve.NewSocket(e, serve.NewCable(plug, serve.Options{}), filepath.Join(dir, "u"))
	if err != nil {
		t.Skip(err)
	}
	defer s.Close()
	hello := string(devsock.Frame{Kind: devsock.Open, Body: devsock.OpenBody(transport.Mode{})}.Append(nil))
	for _, text := range []string{"GET / HTTP/1.0\r\n\r\n", "O\x00\x00", "O\x00\x01x", "\xff\xff\xff\xff",
		hello + "L\x00\x01x", hello + "Z\x00\x00", hello + "D\xff\xff", hello + "S\x00\x02xx"} {
		conn, err := e.Net().Dial(e, "unix", filepath.Join(dir, "u"), e.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(e, []byte(text), e.Now().Add(time.Second))
		for err == nil { // until it hangs up
			_, err = conn.Read(e, make([]byte, 100), e.Now().Add(20*time.Second))
		}
		if errors.Is(err, env.ErrTimeout) {
			t.Errorf("after %q the connection stays open", text)
		}
		conn.Close()
	}
	p, err := devsock.Ports{}.Serial(e, s.Path(), transport.Mode{})
	if err != nil {
		t.Fatalf("after the strangers: %v", err)
	}
	p.Close()
}

func TestFaultsOfModemLines(t *testing.T) {
	e := machine(t, 1)
	plug := new(porttest.Plug)
	var now time.Duration
	c := serve.NewCable(plug, serve.Options{Now: func() time.Duration { return now }, Seed: 7})
	s, err := c.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	m, err := transport.LinesOf(s)
	if err != nil {
		t.Fatal(err)
	}
	read := func() transport.LineState {
		l, err := m.Lines(e)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	m.SetLines(e, true, false)
	c.SetFault(now, serve.Silent, time.Minute)
	m.SetLines(e, false, true)
	if got := plug.Now(); !got.DTR || got.RTS {
		t.Errorf("a silent device has heard %+v", got)
	}
	want := transport.LineState{RTS: true, DSR: true, DCD: true}
	if got := read(); got != want {
		t.Errorf("the lines of a silent device are %+v; want them as they were, %+v", got, want)
	}
	now += time.Minute
	if got := read(); !got.CTS || got.DSR {
		t.Errorf("after the silence the lines are %+v; want those of now", got)
	}
	c.SetFault(now, serve.Noise, 0)
	calm, wrong := read(), 0
	for range 1000 {
		now += 100 * time.Millisecond
		if read() != calm {
			wrong++
		}
	}
	if wrong < 50 || wrong > 250 {
		t.Errorf("%d of 1000 readings of a noisy line are wrong; want about an eighth", wrong)
	}
	c.ClearFault(now, serve.Noise)
	c.DropLines(now)
	if got := plug.Now(); got != (porttest.Levels{}) {
		t.Errorf("a computer without power drives %+v", got)
	}
}
