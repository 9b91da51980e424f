//go:build cgo && !nousb

package usb_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
	"github.com/blackstart-ups/blackstart/nut/transport/usb"
)

// devicesVar names the folder whose sockets are the devices of the libusb that this process has.
const devicesVar = "DEVSIM"

// TestRealUSBIsAUSBPort runs this test program once more, on a libusb whose devices are emulated
// ones: all of this package and of gousb is real.
func TestRealUSBIsAUSBPort(t *testing.T) {
	if devices := os.Getenv(devicesVar); devices != "" {
		conform(t, devices)
		return
	}
	dir := t.TempDir()
	sources, err := filepath.Glob("../../../scenarios/interop/testdata/libusb/*.c")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no sources of the emulated libusb: %v", err)
	}
	args := []string{"-O1", "-shared", "-fPIC", "-pthread", "-I/usr/include/libusb-1.0",
		"-Wl,-soname,libusb-1.0.so.0", "-o", filepath.Join(dir, "libusb-1.0.so.0")}
	if out, err := exec.Command("gcc", append(args, sources...)...).CombinedOutput(); err != nil {
		t.Skipf("gcc: %v\n%s", err, out)
	}
	devices := filepath.Join(dir, "devices")
	if err := os.Mkdir(devices, 0o700); err != nil {
		t.Fatal(err)
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	again.Env = append(os.Environ(), "LD_LIBRARY_PATH="+dir, devicesVar+"="+devices)
	out, err := again.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func conform(t *testing.T, devices string) {
	e, err := osenv.New(osenv.Options{Prog: "test", Host: "test", Emit: func(env.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	plugIn := func(t *testing.T) porttest.Bus {
		p := serve.NewPlug(new(gadget.Loop), serve.Options{})
		s, err := serve.NewSocket(e, p, filepath.Join(devices, "usb0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		b := porttest.Bus{
			Unplug: func() { p.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Plug:   func() { p.ClearFault(time.Duration(e.Now()), serve.Unplug) },
			Again: func(w transport.USBWant) (transport.USB, error) {
				return usb.Ports{}.USB(e, transport.Auto, w)
			},
		}
		if b.USB, err = b.Again(transport.USBWant{}); err != nil {
			t.Fatal(err)
		}
		return b
	}
	porttest.RunUSB(t, e, plugIn)
	t.Run("under load it is unplugged, left and closed", func(t *testing.T) {
		underLoad(t, e, plugIn(t))
	})
}

// underLoad ends many transfers at once, in the three ways that there are, and opens again.
func underLoad(t *testing.T, e env.Env, b porttest.Bus) {
	for round := range 9 {
		tasks, scope := e.Scope("load")
		begun := env.NewInbox[error](e, 100)
		load := func(name string, transfer func(env.Env, env.Instant) (int, error)) {
			tasks.Go(name, func(e env.Env) error {
				for {
					_, err := transfer(e, e.Now().Add(20*time.Millisecond))
					begun.Put(err)
					if err != nil && !errors.Is(err, transport.ErrTimeout) {
						return nil
					}
				}
			})
		}
		for range 3 {
			load("read", func(e env.Env, until env.Instant) (int, error) {
				return b.USB.Interrupt(e, 0x81, make([]byte, 64), until)
			})
			load("write", func(e env.Env, until env.Instant) (int, error) {
				return b.USB.Interrupt(e, 0x02, []byte("more than a packet"), until)
			})
			load("control", func(e env.Env, until env.Instant) (int, error) {
				late := transport.USBSetup{RequestType: 0xc0, Request: 2, Value: 3}
				return b.USB.Control(e, late, make([]byte, 8), until)
			})
		}
		for range 20 + round {
			if _, err := begun.Get(e, e.Now().Add(20*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		switch round % 3 {
		case 0:
			b.Unplug()
		case 1:
			scope.Stop()
		}
		if err := b.USB.Close(); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		scope.Wait(e)
		b.Plug()
		var err error
		if b.USB, err = b.Again(transport.USBWant{}); err != nil {
			t.Fatalf("opening again after round %d: %v", round, err)
		}
	}
	b.USB.Close()
}
