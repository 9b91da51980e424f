package devsock

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

func machine(t testing.TB, scale int64) env.Env {
	t.Helper()
	e, err := osenv.New(osenv.Options{Prog: "test", Log: slog.DiscardHandler,
		Clock: &osenv.Clock{Scale: scale, Epoch: time.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// device serves each program that connects at the returned path: it says hello to its first frame,
// and some bytes to its second.
func device(t testing.TB, e env.Env, hello string, say func() []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "usb0")
	l, err := e.Net().Listen(e, "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	tasks, scope := e.Scope("device")
	tasks.Go("device", func(e env.Env) error {
		return env.Serve(e, l, "program", func(e env.Env, conn env.Conn) error {
			defer conn.Close()
			in := Reader{Conn: conn}
			for n := 0; ; n++ {
				if _, err := in.Next(e, env.Never); err != nil {
					return nil
				}
				switch n {
				case 0:
					conn.Write(e, []byte(hello), env.Never)
				case 1:
					conn.Write(e, say(), env.Never)
				}
			}
		})
	})
	t.Cleanup(func() {
		scope.Stop()
		l.Close()
		scope.Wait(e)
	})
	return path
}

var opened = string(Frame{OpenUSB, []byte("001 004 1.4")}.Append(nil))

func TestStrangeDevicesAreNamed(t *testing.T) {
	e := machine(t, 200)
	for _, tt := range []struct{ hello, say, want string }{
		{"", "", "does not answer"},
		{"U\x00\x00", "", "want a bus, a device and a port"},
		{"O\x00\x01\x00", "", "want U"},
		{"U\xff\xff", "", "want at most 4096"},
		{string(Refusal(errors.New("it burns")).Append(nil)), "", "it burns"},
		{opened, "D\x00\x01x", "want R"},
		{opened, "R\x00\x01x", "want R"},
		{opened, "R\x00\x02\x63\x00", "does not answer"}, // nobody has asked 99
		{opened, "R\x00\x02\x01\x00", "want 18 bytes"},
		{opened, "R\x00\x02\x01s", transport.ErrStall.Error()},
		{opened, "R\x00\x05\x01xwhy", "why"},
	} {
		path := device(t, e, tt.hello, func() []byte { return []byte(tt.say) })
		dev, err := Ports{}.USB(e, Prefix+path, transport.USBWant{})
		if err == nil {
			dev.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) &&
			!(tt.hello == "" && errors.Is(err, env.ErrTimeout)) {
			t.Errorf("a device that says %q, %q: %v; want %q", tt.hello, tt.say, err, tt.want)
		}
	}
}

func TestAMissingSocketIsNoPort(t *testing.T) {
	e := machine(t, 1)
	for _, path := range []string{filepath.Join(t.TempDir(), "usb0"), t.TempDir()} {
		_, err := Ports{}.USB(e, Prefix+path, transport.USBWant{})
		if !errors.Is(err, transport.ErrNoPort) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want ErrNoPort and the path", path, err)
		}
	}
}

// FuzzUSBDevice has a device say anything: every transfer ends, and nothing breaks.
func FuzzUSBDevice(f *testing.F) {
	head := make([]byte, 18)
	head[0], head[1] = 18, 1
	conf := []byte{9, 2, 9, 0, 1, 1, 0, 0x80, 50}
	f.Add(Answer{1, nil, head}.Frame().Append(nil))
	f.Add(Answer{2, nil, conf}.Frame().Append(Answer{1, nil, head}.Frame().Append(nil)))
	f.Add(Answer{4, transport.ErrTimeout, []byte("x")}.Frame().Append(
		Answer{3, nil, head}.Frame().Append(Answer{2, nil, conf}.Frame().Append(
			Answer{1, nil, head}.Frame().Append(nil)))))
	e := machine(f, 2000)
	var stream atomic.Pointer[[]byte]
	path := device(f, e, opened, func() []byte { return *stream.Load() })
	f.Fuzz(func(t *testing.T, bytes []byte) {
		stream.Store(&bytes)
		dev, err := Ports{}.USB(e, Prefix+path, transport.USBWant{})
		if err != nil {
			return
		}
		b := make([]byte, 8)
		if n, err := dev.Interrupt(e, 0x81, b, e.Now().Add(time.Second)); n > len(b) || n < 0 {
			t.Errorf("a transfer of 8 bytes = %d, %v", n, err)
		}
		dev.Close()
	})
}
