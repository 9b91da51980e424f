package porttest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// What becomes of an open USB device when it is unplugged, closed or opened once more.

// refuses checks that every transfer fails with an error.
func (b Bus) refuses(e env.Env, want error) error {
	_, err := b.USB.Interrupt(e, loopIn, make([]byte, packetSize), soon(e))
	if !errors.Is(err, want) {
		return fmt.Errorf("interrupt in: %v; want %v", err, want)
	}
	if _, err = b.USB.Interrupt(e, loopOut, []byte("x"), soon(e)); !errors.Is(err, want) {
		return fmt.Errorf("interrupt out: %v; want %v", err, want)
	}
	if _, err = b.control(e, loopKept, make([]byte, 8)); !errors.Is(err, want) {
		return fmt.Errorf("control in: %v; want %v", err, want)
	}
	if err = b.USB.ClearHalt(e, loopIn); !errors.Is(err, want) {
		return fmt.Errorf("clear halt: %v; want %v", err, want)
	}
	if err = b.USB.Reset(e); !errors.Is(err, want) {
		return fmt.Errorf("reset: %v; want %v", err, want)
	}
	return nil
}

func usbUnplug(e env.Env, b Bus) error {
	if b.Unplug == nil {
		return errSkip
	}
	b.Unplug()
	if err := b.refuses(e, transport.ErrGone); err != nil {
		return err
	}
	if b.Again == nil {
		return nil
	}
	if dev, err := b.Again(transport.USBWant{}); !errors.Is(err, transport.ErrNoPort) {
		if err == nil {
			dev.Close()
		}
		return fmt.Errorf("opening an unplugged device: %v; want ErrNoPort", err)
	}
	return nil
}

// reading runs act while another task waits for a packet, and returns that task's error.
func (b Bus) reading(e env.Env, act func(env.Scope) error) error {
	results := env.NewInbox[error](e, 1)
	tasks, scope := e.Scope("reader")
	tasks.Go("reader", func(e env.Env) error {
		_, err := b.USB.Interrupt(e, loopIn, make([]byte, packetSize), soon(e))
		results.Put(err)
		return nil
	})
	if err := e.Sleep(quiet); err != nil { // let it begin to wait
		return err
	}
	if err := act(scope); err != nil {
		return err
	}
	read, err := results.Get(e, soon(e))
	if err != nil {
		return fmt.Errorf("the reader is not woken: %w", err)
	}
	scope.Wait(e)
	return read
}

func usbBoth(e env.Env, b Bus) error {
	return b.reading(e, func(env.Scope) error {
		if err := usbControl(e, b); err != nil {
			return err
		}
		return b.say(e, []byte("for you"))
	})
}

func usbUnplugWakes(e env.Env, b Bus) error {
	if b.Unplug == nil {
		return errSkip
	}
	return want(b.reading(e, func(env.Scope) error { b.Unplug(); return nil }), transport.ErrGone)
}

func usbCloseWakes(e env.Env, b Bus) error {
	return want(b.reading(e, func(env.Scope) error { return b.USB.Close() }), env.ErrClosed)
}

func usbStopWakes(e env.Env, b Bus) error {
	err := want(b.reading(e, func(s env.Scope) error { s.Stop(); return nil }), env.ErrStopped)
	if err != nil {
		return err
	}
	return b.works(e)
}

func usbClosed(e env.Env, b Bus) error {
	for range 2 {
		if err := b.USB.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	return b.refuses(e, env.ErrClosed)
}

func usbBusy(_ env.Env, b Bus) error {
	if b.Again == nil {
		return errSkip
	}
	if dev, err := b.Again(transport.USBWant{}); !errors.Is(err, transport.ErrBusy) {
		if err == nil {
			dev.Close()
		}
		return fmt.Errorf("opening the open device: %v; want ErrBusy", err)
	}
	if err := b.USB.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	dev, err := b.Again(transport.USBWant{})
	if err != nil {
		return fmt.Errorf("opening the closed device: %w", err)
	}
	return dev.Close()
}

func usbReplug(e env.Env, b Bus) error {
	if b.Unplug == nil || b.Plug == nil || b.Again == nil {
		return errSkip
	}
	was := b.USB.ID()
	b.Unplug()
	if err := e.Sleep(quiet); err != nil {
		return err
	}
	b.Plug()
	dev, err := b.Again(transport.USBWant{})
	if err != nil {
		return fmt.Errorf("opening after the replug: %w", err)
	}
	defer dev.Close()
	if is := dev.ID(); is.Device == was.Device || is.Serial != was.Serial {
		return fmt.Errorf("%v came back as %v; want the same at another number", was, is)
	}
	if err := b.refuses(e, transport.ErrGone); err != nil {
		return fmt.Errorf("the old handle: %w", err)
	}
	b.USB = dev
	return b.works(e)
}

func usbWanted(_ env.Env, b Bus) error {
	if b.Again == nil {
		return errSkip
	}
	if err := b.USB.Close(); err != nil {
		return err
	}
	no := errors.New("its serial number is another")
	asked := false
	for _, w := range []transport.USBWant{
		{Numbers: func(v, p uint16) bool { return v != LoopVendor || p != LoopProduct },
			Match: func(transport.USBID) error { asked = true; return nil }},
		{Match: func(id transport.USBID) error {
			if id.Serial != "L00P" {
				return fmt.Errorf("serial %q; want L00P", id.Serial)
			}
			return no
		}},
		{Interface: 1},
	} {
		dev, err := b.Again(w)
		if err == nil {
			dev.Close()
		}
		if !errors.Is(err, transport.ErrNoPort) || w.Match != nil && w.Numbers == nil &&
			!strings.Contains(err.Error(), no.Error()) {
			return fmt.Errorf("opening what is not wanted: %v; want ErrNoPort and why", err)
		}
	}
	if asked {
		return errors.New("Match was asked about a device with other numbers")
	}
	dev, err := b.Again(transport.USBWant{})
	if err != nil {
		return fmt.Errorf("opening it after that: %w", err)
	}
	return dev.Close()
}
