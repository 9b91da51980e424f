package serve_test

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// Requests of a Loop.
var (
	keep = transport.USBSetup{RequestType: 0x40, Request: 1}
	kept = transport.USBSetup{RequestType: 0xc0, Request: 1}
)

// A loop is one in memory that a program has open.
type loop struct {
	transport.USB
	e env.Env
	p *serve.Plug
}

// looping runs f beside an open Loop in virtual time.
func looping(t *testing.T, f func(l loop)) {
	t.Helper()
	virtually(t, func(e env.Env) error {
		p := serve.NewPlug(new(gadget.Loop), serve.Options{Seed: 1})
		dev, err := p.OpenUSB(e, transport.USBWant{})
		if err == nil {
			f(loop{dev, e, p})
			err = dev.Close()
		}
		return err
	})
}

func (l loop) set(f serve.Fault)   { l.p.SetFault(time.Duration(l.e.Now()), f, 0) }
func (l loop) clear(f serve.Fault) { l.p.ClearFault(time.Duration(l.e.Now()), f) }

// out and in make a control transfer within ten seconds; say and hear one with packets.
func (l loop) out(text string) error {
	_, err := l.Control(l.e, keep, []byte(text), l.e.Now().Add(10*time.Second))
	return err
}

func (l loop) in() (string, error) {
	b := make([]byte, 64)
	n, err := l.Control(l.e, kept, b, l.e.Now().Add(10*time.Second))
	return string(b[:n]), err
}

func (l loop) say(text string) error {
	_, err := l.Interrupt(l.e, 0x02, []byte(text), l.e.Now().Add(10*time.Second))
	return err
}

func (l loop) hear() (string, error) {
	b := make([]byte, 8)
	n, err := l.Interrupt(l.e, 0x81, b, l.e.Now().Add(10*time.Second))
	return string(b[:n]), err
}

// flipped counts the bits in which two texts of one length differ.
func flipped(a, b string) (n int) {
	for i := range a {
		n += bits.OnesCount8(a[i] ^ b[i])
	}
	return n
}

func TestFaultsOfUSBSpoilWhatComes(t *testing.T) {
	const text = "(230.0 2"
	same := func(got string) bool { return len(got) == len(text) }
	none := func(got string) bool { return got == "" }
	tests := []struct {
		fault serve.Fault
		obeys bool
		err   error
		is    func(got string) bool
	}{
		{serve.Silent, false, transport.ErrTimeout, none},
		{serve.Mute, true, transport.ErrTimeout, none},
		{serve.Garbage, true, nil, func(s string) bool { return same(s) && flipped(s, text) > 8 }},
		{serve.Noise, true, nil, func(s string) bool { return same(s) && flipped(s, text) == 1 }},
		{serve.Truncate, true, nil, func(s string) bool { return s == text[:4] }},
		{serve.Halt, false, transport.ErrStall, none},
		{serve.Overflow, true, transport.ErrOverflow, none},
	}
	for _, tt := range tests {
		t.Run(tt.fault.String(), func(t *testing.T) {
			looping(t, func(l loop) {
				l.set(tt.fault)
				if got := l.p.Faults(time.Duration(l.e.Now())); fmt.Sprint(got) != "["+tt.fault.String()+"]" {
					t.Errorf("faults are %v", got)
				}
				l.out(text)
				l.say(text)
				if got, err := l.in(); !errors.Is(err, tt.err) || !tt.is(got) {
					t.Errorf("control in: %q, %v; want %v", got, err, tt.err)
				}
				if got, err := l.hear(); !errors.Is(err, tt.err) || !tt.is(got) {
					t.Errorf("interrupt in: %q, %v; want %v", got, err, tt.err)
				}
				l.clear(tt.fault)
				want := ""
				if tt.obeys {
					want = text
				}
				if got, err := l.in(); got != want || err != nil {
					t.Errorf("after the fault the device has %q, %v; want %q", got, err, want)
				}
				if err := l.say("new"); err != nil {
					t.Errorf("interrupt out after the fault: %v", err)
				}
				if got, err := l.hear(); got != "new" || err != nil {
					t.Errorf("interrupt in after the fault: %q, %v", got, err)
				}
			})
		})
	}
}

func TestSlowTransfersTakeTheirTime(t *testing.T) {
	looping(t, func(l loop) {
		l.set(serve.Slow)
		start := l.e.Now()
		if err := l.say("12345678"); err != nil {
			t.Error(err)
		}
		if got, err := l.hear(); got != "12345678" || err != nil {
			t.Errorf("interrupt in: %q, %v", got, err)
		}
		// forty times what 16 bytes take at 2400 baud
		if took := l.e.Now().Sub(start).Round(time.Millisecond); took != 2667*time.Millisecond {
			t.Errorf("8 bytes there and back took %v", took)
		}
	})
}

func TestAPacketThatIsLateIsNotLost(t *testing.T) {
	looping(t, func(l loop) {
		if err := l.say("12345678"); err != nil {
			t.Error(err)
		}
		l.set(serve.Slow)
		_, err := l.Interrupt(l.e, 0x81, make([]byte, 8), l.e.Now().Add(time.Second))
		if !errors.Is(err, transport.ErrTimeout) {
			t.Errorf("after a second: %v; want ErrTimeout", err)
		}
		if got, err := l.hear(); got != "12345678" || err != nil {
			t.Errorf("then: %q, %v", got, err)
		}
	})
}

func TestAHaltEnds(t *testing.T) {
	for name, end := range map[string]func(loop) error{
		"by clearing it":     func(l loop) error { return l.ClearHalt(l.e, 0x81) },
		"by a reset":         func(l loop) error { return l.Reset(l.e) },
		"with the fault":     func(l loop) error { l.clear(serve.Halt); return nil },
		"when time has come": func(l loop) error { return l.e.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			looping(t, func(l loop) {
				l.p.SetFault(time.Duration(l.e.Now()), serve.Halt, 30*time.Minute)
				if err := l.say("x"); !errors.Is(err, transport.ErrStall) {
					t.Errorf("halted: %v; want ErrStall", err)
				}
				if err := end(l); err != nil {
					t.Error(err)
				}
				if err := l.say("x"); err != nil {
					t.Errorf("no longer halted: %v", err)
				}
				if got := l.p.Faults(time.Duration(l.e.Now())); len(got) > 0 {
					t.Errorf("faults are %v", got)
				}
			})
		})
	}
}

func TestAResetBusMakesADeviceAnother(t *testing.T) {
	looping(t, func(l loop) {
		l.set(serve.Reset)
		if got := l.p.Faults(time.Duration(l.e.Now())); len(got) > 0 {
			t.Errorf("faults are %v; want none: it is over", got)
		}
		if _, err := l.in(); !errors.Is(err, transport.ErrGone) {
			t.Errorf("the old handle: %v; want ErrGone", err)
		}
		dev, err := l.p.OpenUSB(l.e, transport.USBWant{})
		if err != nil {
			t.Error(err)
			return
		}
		if a, b := l.ID(), dev.ID(); a.Device != "002" || b.Device != "003" {
			t.Errorf("%v has become %v", a, b)
		}
		dev.Close()
	})
}

func TestWhatKeepsProgramsFromOpening(t *testing.T) {
	for _, tt := range []struct {
		fault serve.Fault
		err   error
	}{{serve.Busy, transport.ErrBusy}, {serve.Denied, transport.ErrPermission},
		{serve.Unplug, transport.ErrNoPort}} {
		looping(t, func(l loop) {
			if tt.fault != serve.Unplug {
				l.set(tt.fault)
				if err := l.say("who has it open keeps it"); err != nil {
					t.Errorf("%v: %v", tt.fault, err)
				}
			}
			l.Close()
			l.set(tt.fault)
			ports := serve.Ports{"/dev/usb0": l.p}
			for _, name := range []string{"/dev/usb0", transport.Auto} {
				if _, err := ports.USB(l.e, name, transport.USBWant{}); !errors.Is(err, tt.err) {
					t.Errorf("%v, opening %s: %v; want %v", tt.fault, name, err, tt.err)
				}
			}
			l.clear(tt.fault)
			dev, err := ports.USB(l.e, transport.Auto, transport.USBWant{})
			if err != nil {
				t.Errorf("after %v: %v", tt.fault, err)
				return
			}
			dev.Close()
		})
	}
}

func TestASerialPortRefusesFaultsOfUSB(t *testing.T) {
	c := serve.NewCable(new(porttest.Device), serve.Options{})
	for _, name := range serve.FaultNames() {
		f, err := serve.ParseFault(name)
		if err != nil {
			t.Fatal(err)
		}
		usb := strings.Contains("halt overflow reset busy eperm", name)
		if err := c.Takes(f); (err != nil) != usb {
			t.Errorf("%s on a serial port: %v", name, err)
		}
		c.SetFault(0, f, 0)
		if set := len(c.Faults(0)) > 0; set == usb {
			t.Errorf("%s on a serial port is present: %v", name, set)
		}
		c.ClearFault(0, f)
	}
}

func TestAutoLooksAtAllInTheirOrder(t *testing.T) {
	virtually(t, func(e env.Env) error {
		ports := serve.Ports{
			"/dev/ttyS0": serve.NewCable(new(porttest.Device), serve.Options{}),
			"/dev/usb2":  serve.NewPlug(new(gadget.Loop), serve.Options{Bus: 2}),
			"/dev/usb1":  serve.NewPlug(new(gadget.Loop), serve.Options{}),
			"/dev/usb3":  serve.NewPlug(new(gadget.Loop), serve.Options{Bus: 3}),
		}
		ports["/dev/usb3"].SetFault(0, serve.Unplug, 0)
		var asked []string
		want := transport.USBWant{Match: func(id transport.USBID) error {
			asked = append(asked, id.Bus)
			if id.Bus == "002" {
				return nil
			}
			return fmt.Errorf("bus %s; want 002", id.Bus)
		}}
		dev, err := ports.USB(e, transport.Auto, want)
		if err != nil {
			return err
		}
		if fmt.Sprint(asked) != "[001 002]" || dev.ID().Bus != "002" {
			t.Errorf("asked about %v, opened %v", asked, dev.ID())
		}
		_, err = ports.USB(e, transport.Auto, want)
		for _, word := range []string{"/dev/usb1: ", "bus 001; want 002", "/dev/usb2: port is in use"} {
			if !errors.Is(err, transport.ErrBusy) || !strings.Contains(err.Error(), word) {
				t.Errorf("a second time: %v; want ErrBusy and %q", err, word)
			}
		}
		none := func(uint16, uint16) bool { return false }
		_, err = ports.USB(e, transport.Auto, transport.USBWant{Numbers: none})
		if !errors.Is(err, transport.ErrNoPort) || !strings.Contains(err.Error(), "of 2 that") {
			t.Errorf("no numbers fit: %v; want ErrNoPort and that 2 are plugged in", err)
		}
		if _, err := ports.USB(e, "/dev/ttyS0", want); !errors.Is(err, transport.ErrNoPort) {
			t.Errorf("a serial port as a USB device: %v", err)
		}
		_, err = ports.Serial(e, "/dev/usb1", transport.Mode{})
		if !errors.Is(err, transport.ErrNoPort) {
			t.Errorf("a USB device as a serial port: %v", err)
		}
		return nil
	})
}

// A teller has a packet when somebody else says so.
type teller struct {
	gadget.Loop
	onIn func()
}

func (g *teller) OnIn(f func()) { g.onIn = f }

func TestADeviceMaySpeakByItself(t *testing.T) {
	virtually(t, func(e env.Env) error {
		g := &teller{}
		dev, err := serve.NewPlug(g, serve.Options{}).OpenUSB(e, transport.USBWant{})
		if err != nil {
			return err
		}
		e.Go("device", func(e env.Env) error {
			if err := e.Sleep(3 * time.Second); err != nil {
				return err
			}
			g.Out(0, 0x02, []byte("!"))
			g.onIn()
			return nil
		})
		start := e.Now()
		b := make([]byte, 8)
		n, err := dev.Interrupt(e, 0x81, b, start.Add(time.Minute))
		if took := e.Now().Sub(start); string(b[:n]) != "!" || err != nil || took != 3*time.Second {
			t.Errorf("%q, %v after %v; want ! after 3 s", b[:n], err, took)
		}
		return nil
	})
}
