package serve_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// aFolder is a folder of sockets with the ports in it.
func aFolder(t *testing.T, e env.Env, ports serve.Ports) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, p := range ports { //house: order does not matter: each has a socket of its own
		s, err := serve.NewSocket(e, p, filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
	}
	return dir
}

func TestAFolderIsABus(t *testing.T) {
	e := machine(t, 10)
	dir := aFolder(t, e, serve.Ports{
		"a": serve.NewCable(new(porttest.Device), serve.Options{}),
		"b": serve.NewPlug(new(gadget.Loop), serve.Options{Bus: 1}),
		"c": serve.NewPlug(new(gadget.Loop), serve.Options{Bus: 2}),
	})
	bus := func(n string) transport.USBWant {
		return transport.USBWant{Match: func(id transport.USBID) error {
			if id.Bus != n {
				return fmt.Errorf("bus %s; want %s", id.Bus, n)
			}
			return nil
		}}
	}
	dev, err := devsock.Ports{}.USB(e, devsock.Prefix+dir, bus("002"))
	if err != nil {
		t.Fatal(err)
	}
	if got := dev.ID().Bus; got != "002" {
		t.Errorf("opened the device on bus %s", got)
	}
	_, err = devsock.Ports{}.USB(e, devsock.Prefix+dir, bus("003"))
	for _, word := range []string{"a: ", "this is a serial port", "b: ", "bus 001; want 003", "c: "} {
		if !errors.Is(err, transport.ErrBusy) || !strings.Contains(err.Error(), word) {
			t.Errorf("none fits: %v; want ErrBusy and %q", err, word)
		}
	}
	dev.Close()
	_, err = devsock.Ports{}.USB(e, devsock.Prefix+dir, bus("003"))
	if !errors.Is(err, transport.ErrNoPort) || errors.Is(err, transport.ErrBusy) {
		t.Errorf("none fits, all are free: %v; want ErrNoPort", err)
	}
}

func TestTheSocketTellsWhyADeviceCannotBeOpened(t *testing.T) {
	e := machine(t, 10)
	p := serve.NewPlug(new(gadget.Loop), serve.Options{})
	dir := aFolder(t, e, serve.Ports{"usb0": p})
	for fault, want := range map[serve.Fault]error{serve.Busy: transport.ErrBusy,
		serve.Denied: transport.ErrPermission, serve.Unplug: transport.ErrNoPort} {
		p.SetFault(time.Duration(e.Now()), fault, 0)
		for _, name := range []string{dir, filepath.Join(dir, "usb0")} {
			_, err := devsock.Ports{}.USB(e, devsock.Prefix+name, transport.USBWant{})
			if !errors.Is(err, want) {
				t.Errorf("%v: %v; want %v", fault, err, want)
			}
		}
		p.ClearFault(time.Duration(e.Now()), fault)
	}
}

// FuzzUSBSocket has a program send anything after it has opened the device: its connection may end,
// the next one finds the device as ever.
func FuzzUSBSocket(f *testing.F) {
	read := devsock.Request{Kind: devsock.Interrupt, Seq: 1, Left: -1, Endpoint: 0x81, Len: 8}.Frame()
	f.Add(read.Append(nil))
	f.Add(read.Append(read.Append(nil))) // the same number twice
	f.Add(devsock.Request{Kind: devsock.Control, Seq: 2, Len: 4080,
		Setup: transport.USBSetup{RequestType: 0x80, Request: 6, Value: 0x0303}}.Frame().Append(nil))
	f.Add(devsock.Frame{Kind: devsock.Reset, Body: []byte{3}}.Append(
		devsock.Frame{Kind: devsock.ClearHalt, Body: []byte{4, 0x81}}.Append(nil)))
	f.Add([]byte("C\x00\x01\x00I\xff\xff"))
	e := machine(f, 1)
	path := filepath.Join(f.TempDir(), "usb0")
	s, err := serve.NewSocket(e, serve.NewPlug(new(gadget.Loop), serve.Options{}), path)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, stream []byte) {
		conn, err := e.Net().Dial(e, "unix", path, e.Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		hello := devsock.Frame{Kind: devsock.OpenUSB, Body: devsock.OpenUSBBody()}.Append(nil)
		if _, err := conn.Write(e, hello, e.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		in := devsock.Reader{Conn: conn}
		first, err := in.Next(e, e.Now().Add(time.Minute))
		if err != nil || first.Kind != devsock.OpenUSB {
			t.Fatalf("opening: %q %q, %v", first.Kind, first.Body, err)
		}
		if _, err := conn.Write(e, stream, e.Now().Add(time.Minute)); err != nil {
			t.Logf("it hung up early: %v", err)
		}
		for range 3 {
			answer, err := in.Next(e, e.Now().Add(20*time.Millisecond))
			if err != nil {
				if !errors.Is(err, env.ErrTimeout) && err != io.EOF && !errors.Is(err, env.ErrReset) {
					t.Errorf("reading answers: %v", err)
				}
				break
			}
			if _, err := devsock.ParseAnswer(answer); err != nil {
				t.Errorf("an answer: %v", err)
			}
		}
		conn.Close()
		dev, err := devsock.Ports{}.USB(e, devsock.Prefix+path, transport.USBWant{})
		if err != nil {
			t.Fatalf("after %q: %v", stream, err)
		}
		dev.Close()
	})
}

func TestASocketSaysWhichKindOfPortItIs(t *testing.T) {
	e := machine(t, 10)
	for _, tt := range []struct {
		port serve.Port
		open func(name string) error
		want string
	}{
		{serve.NewPlug(new(gadget.Loop), serve.Options{}), func(name string) error {
			_, err := devsock.Ports{}.Serial(e, name, transport.Mode{Baud: 2400})
			return err
		}, `no such port ("this is a USB device")`},
		{serve.NewCable(new(porttest.Device), serve.Options{}), func(name string) error {
			_, err := devsock.Ports{}.USB(e, name, transport.USBWant{})
			return err
		}, `no such port ("this is a serial port")`},
	} {
		s, err := serve.NewSocket(e, tt.port, filepath.Join(t.TempDir(), "socket"))
		if err != nil {
			t.Fatal(err)
		}
		err = tt.open(s.Path())
		if !errors.Is(err, transport.ErrNoPort) || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("opening it as the other kind: %v; want %s", err, tt.want)
		}
		s.Close()
	}
}
