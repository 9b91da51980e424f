package serial_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
)

// A shelf is a folder with device names and one with the names of what is plugged in.
type shelf struct {
	t   *testing.T
	dir string
}

func newShelf(t *testing.T) shelf {
	s := shelf{t, t.TempDir()}
	if err := os.Mkdir(s.id(""), 0o700); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s shelf) id(name string) string { return filepath.Join(s.dir, "by-id", name) }

// plug gives a pseudo-terminal the name of an adapter.
func (s shelf) plug(adapter, tty string) {
	s.t.Helper()
	os.Remove(s.id(adapter))
	if err := os.Symlink(tty, s.id(adapter)); err != nil {
		s.t.Fatal(err)
	}
}

func TestAnAdapterIsFoundAgainUnderAnotherName(t *testing.T) {
	first, _ := terminal(t)
	second, _ := terminal(t)
	e := machine(t, 1)
	s := newShelf(t)
	ports := &serial.Follower{Folder: s.id("")}
	open := func(name string) error {
		c, err := ports.Serial(e, name, transport.Mode{})
		if err == nil {
			c.Close()
		}
		return err
	}
	s.plug("usb-ACME_UPS_A1", first)
	if err := open(first); err != nil {
		t.Fatal(err)
	}

	// it is unplugged, and another adapter gets its name
	os.Remove(s.id("usb-ACME_UPS_A1"))
	s.plug("usb-OTHER_B2", first)
	if err := open(first); !errors.Is(err, transport.ErrNoPort) {
		t.Errorf("while the adapter is unplugged, another one was opened in its place: %v", err)
	}

	// it comes back under another name, while somebody else holds the old one
	held, err := serial.Ports{}.Serial(e, first, transport.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	s.plug("usb-ACME_UPS_A1", second)
	if err := open(first); err != nil {
		t.Errorf("the adapter is back as %s: %v", second, err)
	}
}

func TestAPortThatIsNoAdapterHasOnlyItsName(t *testing.T) {
	name, _ := terminal(t)
	ports := &serial.Follower{Folder: "/nowhere"}
	for range 2 {
		c, err := ports.Serial(machine(t, 1), name, transport.Mode{})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}
