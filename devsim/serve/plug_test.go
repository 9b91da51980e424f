package serve_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// bus is a Loop in memory, opened under a name.
func bus(e env.Env, name string) (porttest.Bus, error) {
	p := serve.NewPlug(new(gadget.Loop), serve.Options{})
	ports := serve.Ports{"/dev/usb0": p}
	b := porttest.Bus{
		Unplug: func() { p.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
		Plug:   func() { p.ClearFault(time.Duration(e.Now()), serve.Unplug) },
		Again: func(w transport.USBWant) (transport.USB, error) {
			return ports.USB(e, name, w)
		},
	}
	var err error
	b.USB, err = b.Again(transport.USBWant{})
	return b, err
}

func TestPlugIsAUSBPort(t *testing.T) {
	e := machine(t, 10)
	for _, name := range []string{"/dev/usb0", transport.Auto} {
		t.Run(name, func(t *testing.T) {
			porttest.RunUSB(t, e, func(t *testing.T) porttest.Bus {
				b, err := bus(e, name)
				if err != nil {
					t.Fatal(err)
				}
				return b
			})
		})
	}
}

func TestUSBSocketIsAUSBPort(t *testing.T) {
	e := machine(t, 10)
	porttest.RunUSB(t, e, func(t *testing.T) porttest.Bus {
		p := serve.NewPlug(new(gadget.Loop), serve.Options{})
		s, err := serve.NewSocket(e, p, filepath.Join(t.TempDir(), "usb0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		b := porttest.Bus{
			Unplug: func() { p.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Plug:   func() { p.ClearFault(time.Duration(e.Now()), serve.Unplug) },
			Again: func(w transport.USBWant) (transport.USB, error) {
				return devsock.Ports{Real: serve.Ports{}}.USB(e, s.Path(), w)
			},
		}
		if b.USB, err = b.Again(transport.USBWant{}); err != nil {
			t.Fatal(err)
		}
		return b
	})
}
