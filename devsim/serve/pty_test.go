package serve_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
)

func TestPtyIsASerialPort(t *testing.T) {
	e := machine(t, 10)
	porttest.Run(t, e, func(t *testing.T) porttest.Line {
		c := serve.NewCable(new(porttest.Device), serve.Options{})
		link := plugIn(t, e, c)
		again := func() (transport.Serial, error) {
			return serial.Ports{}.Serial(e, link, transport.Mode{})
		}
		s, err := again()
		if err != nil {
			t.Fatal(err)
		}
		return porttest.Line{
			Serial: s,
			Unplug: func() { c.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Again:  again,
		}
	})
}

// plugIn offers a cable on a pseudo-terminal for the time of the test.
func plugIn(t *testing.T, e env.Env, c *serve.Cable) (link string) {
	t.Helper()
	link = filepath.Join(t.TempDir(), "dev", "ttyUPS")
	p, err := serve.NewPty(e, c, link)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the link is left behind: %v", err)
		}
	})
	return link
}

func TestPtyComesBackUnderItsLink(t *testing.T) {
	e := machine(t, 10)
	c := serve.NewCable(megatec.New(power.New(power.Spec{}), megatec.Options{}), serve.Options{})
	link := plugIn(t, e, c)
	first := ask(t, e, link)
	c.SetFault(time.Duration(e.Now()), serve.Unplug, 0)
	eventually(t, e, "the unplugged port to be gone", func() bool {
		return errors.Is(try(e, link), transport.ErrNoPort)
	})
	c.ClearFault(time.Duration(e.Now()), serve.Unplug)
	eventually(t, e, "the port to be back", func() bool { return try(e, link) == nil })
	c.SetFault(time.Duration(e.Now()), serve.Unplug, 100*time.Millisecond)
	eventually(t, e, "the port to come back by itself", func() bool {
		return len(c.Faults(time.Duration(e.Now()))) == 0 && try(e, link) == nil
	})
	if again := ask(t, e, link); again != first {
		t.Errorf("after unplugging the device says %q; before %q", again, first)
	}
}

// try opens a port and closes it.
func try(e env.Env, name string) error {
	s, err := serial.Ports{}.Serial(e, name, transport.Mode{})
	if err == nil {
		s.Close()
	}
	return err
}

// eventually waits for what must come; a loaded machine is slow.
func eventually(t *testing.T, e env.Env, what string, is func() bool) {
	t.Helper()
	until := time.Now().Add(10 * time.Second)
	for !is() {
		if time.Now().After(until) {
			t.Fatalf("waited in vain for %s", what)
		}
		e.Sleep(50 * time.Millisecond)
	}
}

// ask opens a port and reads one answer to Q1.
func ask(t *testing.T, e env.Env, name string) string {
	t.Helper()
	s, err := serial.Ports{}.Serial(e, name, transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Write(e, []byte("Q1\r")); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < 47 {
		b := make([]byte, 64)
		n, err := s.Read(e, b, e.Now().Add(20*time.Second))
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got = append(got, b[:n]...)
	}
	return string(got)
}

func TestPtyReplacesLinksOnly(t *testing.T) {
	e := machine(t, 1)
	folder := t.TempDir()
	c := serve.NewCable(new(porttest.Device), serve.Options{})
	stale := filepath.Join(folder, "stale")
	if err := os.Symlink("/dev/pts/no-such", stale); err != nil {
		t.Fatal(err)
	}
	p, err := serve.NewPty(e, c, stale)
	if err != nil {
		t.Fatalf("a stale link is in the way: %v", err)
	}
	p.Close()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := serve.NewPty(e, c, file); err == nil {
		p.Close()
		t.Error("an ordinary file was replaced by a link")
	}
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Errorf("the file now holds %q", b)
	}
}
