package porttest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// What is at the far end is a Loop of devsim/gadget. These are its numbers, and below its requests.
const (
	LoopVendor, LoopProduct = 0x1209, 0x0001

	loopIn, loopOut = 0x81, 0x02
	packetSize      = 8
)

var (
	loopKeep  = transport.USBSetup{RequestType: 0x40, Request: 1}
	loopKept  = transport.USBSetup{RequestType: 0xc0, Request: 1}
	loopLate  = transport.USBSetup{RequestType: 0xc0, Request: 2}
	loopSay   = transport.USBSetup{RequestType: 0x40, Request: 3}
	loopStall = transport.USBSetup{RequestType: 0x40, Request: 4}
)

// A Bus is an open USB device that is a Loop, freshly plugged in.
type Bus struct {
	USB transport.USB
	// Unplug pulls it, and Plug puts it back; nil where a test cannot do that.
	Unplug, Plug func()
	// Again opens the device a second time.
	Again func(transport.USBWant) (transport.USB, error)
}

// A USBCase is one property of an open USB device.
type USBCase struct {
	Name string
	Run  func(e env.Env, b Bus) error
}

// USBCases lists the properties.
func USBCases() []USBCase {
	return []USBCase{
		{"the device says who it is", usbSays},
		{"strings come as descriptors", usbStrings},
		{"control data go there and back", usbControl},
		{"a control answer is cut to what was asked for", usbCut},
		{"a request that the device does not know stalls", usbUnknown},
		{"a control transfer waits for the device", usbLate},
		{"a control transfer ends at the deadline", usbTooLate},
		{"packets come in order and in their sizes", usbPackets},
		{"a transfer is over after a short packet", usbJoined},
		{"an empty packet is one", usbEmpty},
		{"silence is a timeout at the deadline", usbSilence},
		{"a deadline in the past does not wait", usbPast},
		{"a read that has ended takes nothing from the next", usbEnded},
		{"a read does not keep control transfers waiting", usbBoth},
		{"more than was asked for is an overflow", usbOverflow},
		{"an endpoint stalls until that is cleared", usbStall},
		{"a reset drops what waits", usbReset},
		{"an unplugged device is gone for all transfers", usbUnplug},
		{"unplugging wakes a reader", usbUnplugWakes},
		{"close wakes a reader", usbCloseWakes},
		{"stopping the task wakes its read", usbStopWakes},
		{"a closed device refuses and closes again without complaint", usbClosed},
		{"a device that is open is busy", usbBusy},
		{"after a replug the device has another number", usbReplug},
		{"only the device that is wanted is opened", usbWanted},
	}
}

// RunUSB checks every case on a fresh device. open is called for each; the device is closed
// afterwards.
func RunUSB(t *testing.T, e env.Env, open func(t *testing.T) Bus) {
	for _, c := range USBCases() {
		t.Run(c.Name, func(t *testing.T) {
			b := open(t)
			defer b.USB.Close()
			judge(t, c.Run(e, b))
		})
	}
}

func (b Bus) control(e env.Env, s transport.USBSetup, data []byte) (int, error) {
	return b.USB.Control(e, s, data, soon(e))
}

// say sends bytes that will come back as packets.
func (b Bus) say(e env.Env, p []byte) error {
	if n, err := b.USB.Interrupt(e, loopOut, p, soon(e)); n != len(p) || err != nil {
		return fmt.Errorf("interrupt out of %d bytes = %d, %v; want all", len(p), n, err)
	}
	return nil
}

// hear reads one transfer.
func (b Bus) hear(e env.Env, size int, want []byte) error {
	p := make([]byte, size)
	n, err := b.USB.Interrupt(e, loopIn, p, soon(e))
	if err != nil || !bytes.Equal(p[:n], want) {
		return fmt.Errorf("interrupt in of %d bytes = %q, %v; want %q", size, p[:n], err, want)
	}
	return nil
}

// works makes one exchange each way.
func (b Bus) works(e env.Env) error {
	if err := b.say(e, []byte("Q1\r")); err != nil {
		return err
	}
	return b.hear(e, packetSize, []byte("Q1\r"))
}

func usbSays(_ env.Env, b Bus) error {
	id := b.USB.ID()
	if id.Bus == "" || id.Device == "" || id.BusPort == "" {
		return fmt.Errorf("id %+v: want a bus, a device and a port", id)
	}
	id.Bus, id.Device, id.BusPort = "", "", ""
	want := transport.USBID{VendorID: LoopVendor, ProductID: LoopProduct, Release: 0x0102,
		Vendor: "Blackstart", Product: "Loop Plug", Serial: "L00P"}
	if id != want {
		return fmt.Errorf("id %+v; want %+v", id, want)
	}
	return nil
}

func usbStrings(e env.Env, b Bus) error {
	p := make([]byte, 255)
	s := transport.USBSetup{RequestType: 0x80, Request: 6, Value: 0x0303, Index: 0x0409}
	n, err := b.control(e, s, p)
	if want := "\x0a\x03L\x000\x000\x00P\x00"; err != nil || string(p[:n]) != want {
		return fmt.Errorf("string 3 = %q, %v; want %q", p[:n], err, want)
	}
	return nil
}

func usbControl(e env.Env, b Bus) error {
	for _, text := range []string{"Q1\r", "", "a longer one, of more than one packet"} {
		if n, err := b.control(e, loopKeep, []byte(text)); n != len(text) || err != nil {
			return fmt.Errorf("control out %q = %d, %v; want all", text, n, err)
		}
		p := make([]byte, 64)
		if n, err := b.control(e, loopKept, p); err != nil || string(p[:n]) != text {
			return fmt.Errorf("control in = %q, %v; want %q", p[:n], err, text)
		}
	}
	return nil
}

func usbCut(e env.Env, b Bus) error {
	if _, err := b.control(e, loopKeep, []byte("123456789012")); err != nil {
		return err
	}
	p := make([]byte, 5)
	if n, err := b.control(e, loopKept, p); err != nil || string(p[:n]) != "12345" {
		return fmt.Errorf("5 of 12 bytes = %q, %v; want 12345", p[:n], err)
	}
	return nil
}

func usbUnknown(e env.Env, b Bus) error {
	s := transport.USBSetup{RequestType: 0xc0, Request: 99}
	if n, err := b.control(e, s, make([]byte, 8)); n != 0 || !errors.Is(err, transport.ErrStall) {
		return fmt.Errorf("control in of request 99 = %d, %v; want 0, ErrStall", n, err)
	}
	return usbControl(e, b)
}

func usbLate(e env.Env, b Bus) error {
	start, s := e.Now(), loopLate
	s.Value = uint16(quiet / time.Millisecond)
	if _, err := b.control(e, s, make([]byte, 8)); err != nil {
		return fmt.Errorf("control in: %w", err)
	}
	if took := e.Now().Sub(start); took < quiet {
		return fmt.Errorf("an answer that the device has after %v took %v", quiet, took)
	}
	return nil
}

func usbTooLate(e env.Env, b Bus) error {
	s := loopLate
	s.Value = 60_000
	return late(e, func(until env.Instant) (int, error) {
		return b.USB.Control(e, s, make([]byte, 8), until)
	})
}

// late checks that a transfer ends with ErrTimeout at its deadline.
func late(e env.Env, transfer func(until env.Instant) (int, error)) error {
	until := e.Now().Add(quiet)
	n, err := transfer(until)
	if n != 0 || !errors.Is(err, transport.ErrTimeout) {
		return fmt.Errorf("a transfer without an answer = %d, %v; want 0, ErrTimeout", n, err)
	}
	if now := e.Now(); now < until || now > until.Add(patience) {
		return fmt.Errorf("timeout came %v after the deadline", now.Sub(until))
	}
	return nil
}

func usbPackets(e env.Env, b Bus) error {
	if err := b.say(e, []byte("first---second--last")); err != nil {
		return err
	}
	for _, want := range []string{"first---", "second--", "last"} {
		if err := b.hear(e, packetSize, []byte(want)); err != nil {
			return err
		}
	}
	return nil
}

func usbJoined(e env.Env, b Bus) error {
	if err := b.say(e, []byte("first---second--last")); err != nil {
		return err
	}
	if err := b.hear(e, 64, []byte("first---second--last")); err != nil {
		return err
	}
	return b.works(e)
}

func usbEmpty(e env.Env, b Bus) error {
	if _, err := b.control(e, loopSay, nil); err != nil {
		return err
	}
	if err := b.hear(e, packetSize, nil); err != nil {
		return err
	}
	return b.works(e)
}

func usbSilence(e env.Env, b Bus) error {
	err := late(e, func(until env.Instant) (int, error) {
		return b.USB.Interrupt(e, loopIn, make([]byte, packetSize), until)
	})
	if err != nil {
		return err
	}
	return b.works(e)
}

// usbEnded reads as drivers do that first drop what is left from before: with a large buffer.
func usbEnded(e env.Env, b Bus) error {
	err := late(e, func(until env.Instant) (int, error) {
		return b.USB.Interrupt(e, loopIn, make([]byte, 8*packetSize), until)
	})
	if err != nil {
		return err
	}
	return usbPackets(e, b)
}

func usbPast(e env.Env, b Bus) error {
	n, err := b.USB.Interrupt(e, loopIn, make([]byte, packetSize), e.Now())
	if n != 0 || !errors.Is(err, transport.ErrTimeout) {
		return fmt.Errorf("interrupt in until now = %d, %v; want 0, ErrTimeout", n, err)
	}
	return b.works(e)
}

func usbOverflow(e env.Env, b Bus) error {
	s := loopSay
	s.Value = packetSize
	if _, err := b.control(e, s, nil); err != nil {
		return err
	}
	_, err := b.USB.Interrupt(e, loopIn, make([]byte, 3), soon(e))
	if !errors.Is(err, transport.ErrOverflow) {
		return fmt.Errorf("8 bytes where 3 were asked for: %v; want ErrOverflow", err)
	}
	return b.works(e)
}

func usbStall(e env.Env, b Bus) error {
	if _, err := b.control(e, loopStall, nil); err != nil {
		return err
	}
	for range 2 {
		_, err := b.USB.Interrupt(e, loopIn, make([]byte, packetSize), soon(e))
		if !errors.Is(err, transport.ErrStall) {
			return fmt.Errorf("interrupt in of a stalled endpoint: %v; want ErrStall", err)
		}
	}
	if err := b.USB.ClearHalt(e, loopIn); err != nil {
		return fmt.Errorf("clear halt: %w", err)
	}
	return b.works(e)
}

func usbReset(e env.Env, b Bus) error {
	if err := b.say(e, []byte("old")); err != nil {
		return err
	}
	if err := b.USB.Reset(e); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	err := b.works(e)
	if !errors.Is(err, transport.ErrGone) || b.Again == nil {
		return err
	}
	b.USB.Close() // it has come back as another device
	if b.USB, err = b.Again(transport.USBWant{}); err != nil {
		return fmt.Errorf("opening after the reset: %w", err)
	}
	defer b.USB.Close()
	return b.works(e)
}
