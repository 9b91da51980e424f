package megatec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A hostile device is a bridge of which an adversary has taken some parts.
type hostile struct {
	gadget.Gadget
	control func(now time.Duration, s transport.USBSetup, out []byte) ([]byte, time.Duration, error)
	out     func(now time.Duration, endpoint byte, p []byte) error
	in      func(now time.Duration, endpoint byte) ([]byte, time.Duration, error)
}

func (h *hostile) Control(now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	if h.control != nil {
		return h.control(now, s, out)
	}
	return h.Gadget.Control(now, s, out)
}

func (h *hostile) In(now time.Duration, endpoint byte) ([]byte, time.Duration, error) {
	if h.in != nil {
		return h.in(now, endpoint)
	}
	return h.Gadget.In(now, endpoint)
}

func (h *hostile) Out(now time.Duration, endpoint byte, p []byte) error {
	if h.out != nil {
		return h.out(now, endpoint, p)
	}
	return h.Gadget.Out(now, endpoint, p)
}

// seize is plugIn with a bridge that can be made hostile.
func (u bridged) seize(t *testing.T, conf string) (*bench, *hostile) {
	t.Helper()
	b := u.plugIn(t, power.Spec{}, bridge.Options{})
	chip, err := bridge.New(u.kind, b.dev, bridge.Options{Wide: u.wide})
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{Gadget: chip}
	b.insert(h)
	b.conf("nutdrv_qx", u.conf+"\n"+conf)
	return b, h
}

// babble has the device send the same packet for ever, whatever it is told, but not more often than
// every so long.
func (h *hostile) babble(packet []byte, every time.Duration) {
	last := time.Duration(0)
	h.in = func(now time.Duration, _ byte) ([]byte, time.Duration, error) {
		if now < last+every {
			return nil, last + every, nil
		}
		last = now
		return packet, 0, nil
	}
	h.control = func(now time.Duration, s transport.USBSetup, out []byte) ([]byte, time.Duration, error) {
		text := s.RequestType == 0x80 && s.Value>>8 == gadget.StringDescriptor
		if text || s.RequestType == 0xa1 {
			return append([]byte{byte(len(packet) + 2), 3}, packet...), now + every, nil
		}
		_, ready, err := h.Gadget.Control(now, s, out)
		return nil, ready, err
	}
}

// A device that never stops sending is called stale as one that never begins is.
func TestBabblingDeviceIsStale(t *testing.T) {
	const most = 26 * time.Second // five polls, each of which may take some transfers of a second
	eachBridge(t, func(t *testing.T, u bridged) {
		for _, every := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond,
			95 * time.Millisecond, 900 * time.Millisecond} {
			for _, packet := range []string{"\x00", "\x01x", "\x00\x00\x00\x00\x00\x00\x00\x00", "NAK\r"} {
				b, h := u.seize(t, "")
				b.start("nutdrv_qx")
				b.run(40 * time.Second)
				b.events = nil
				h.babble([]byte(packet), every)
				b.run(most)
				if !slices.ContainsFunc(b.events, func(e string) bool { return strings.HasPrefix(e, "data =stale") }) {
					t.Errorf("%q every %v: not stale after %v", packet, every, most)
				}
			}
		}
	})
}

// deaf has the device take nothing.
func (h *hostile) deaf() {
	const never = 1000 * time.Hour
	h.control = func(time.Duration, transport.USBSetup, []byte) ([]byte, time.Duration, error) {
		return nil, never, nil
	}
	h.in = func(time.Duration, byte) ([]byte, time.Duration, error) { return nil, 0, nil }
	h.out = func(time.Duration, byte, []byte) error { return transport.ErrTimeout }
}

// outcome runs -k to its end and reports what came of it.
func (b *bench) outcome(start func() (done func() (int, bool))) error {
	off := false
	b.body.OnChange(func(c power.Change) { off = off || c.Name == power.Outlet && c.Value == "off" })
	done := start()
	for range 5 * 60 {
		b.run(time.Second)
	}
	code, ended := done()
	switch {
	case !ended:
		return fmt.Errorf("the kill-power run does not end")
	case code == 0 && !off:
		return fmt.Errorf("exit code 0, and the outlet was not cut:\n%s", strings.Join(b.log, "\n"))
	}
	return nil
}

func (b *bench) startKill() func() (int, bool) {
	p := b.h.Start("nutdrv_qx", []string{"-a", "office", "-k"})
	return func() (int, bool) { code, ended := p.Status(); return int(code), ended }
}

// A device that takes no command is not taken for one that obeys without a word.
func TestKillPowerOfADeafDevice(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		if u.kill == "" {
			return
		}
		for _, conf := range []string{"", "sdcommands = shutdown.return", "langid_fix = 0x409"} {
			b, h := u.seize(t, conf)
			b.start("nutdrv_qx")
			b.run(40 * time.Second)
			h.deaf()
			if err := b.outcome(b.startKill); err != nil {
				t.Errorf("%q: %v", conf, err)
			}
		}
	})
}

// Nor is one that is not there any more, at whichever instant of the run it leaves, and whether it
// comes back.
func TestUnpluggedDuringKillPower(t *testing.T) {
	runs := 0
	eachBridge(t, func(t *testing.T, u bridged) {
		if u.kill == "" {
			return
		}
		for _, conf := range []string{"", "sdcommands = shutdown.return"} {
			for at := time.Duration(0); at < 3*time.Second; at += 100 * time.Millisecond {
				for _, running := range []bool{false, true} {
					runs++
					b, _ := u.seize(t, conf)
					if running {
						b.start("nutdrv_qx")
						b.run(40 * time.Second)
					}
					err := b.outcome(func() func() (int, bool) {
						done := b.startKill()
						b.run(at)
						b.cable.SetFault(b.now(), serve.Unplug, max(at/4, 100*time.Millisecond))
						return done
					})
					if err != nil {
						t.Errorf("%q, driver %v, unplugged after %v: %v", conf, running, at, err)
					}
				}
			}
		}
	})
	t.Logf("%d kill-power runs", runs)
}

// A device that once did not tell its strings, and does later, is the same.
func TestStringsThatComeLate(t *testing.T) {
	b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{})
	chip, err := bridge.New("cypress", b.dev, bridge.Options{Serial: "A1"})
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{Gadget: chip}
	h.control = func(now time.Duration, s transport.USBSetup, out []byte) ([]byte, time.Duration, error) {
		if s.RequestType == 0x80 && s.Value>>8 == gadget.StringDescriptor {
			return nil, now, transport.ErrStall
		}
		return chip.Control(now, s, out)
	}
	b.insert(h)
	b.start("nutdrv_qx")
	b.run(40 * time.Second)
	h.control = nil
	b.cable.SetFault(b.now(), serve.Unplug, 10*time.Second)
	b.run(time.Minute)
	b.wantEvents("data =stale", "port =open", "data =fresh")
}

// A command that waits for a device to take it, until that is unplugged, was not taken.
func TestUnpluggedBeforeItTakesTheCommand(t *testing.T) {
	eachBridge(t, func(t *testing.T, u bridged) {
		if u.kill == "" {
			return
		}
		for _, f := range []serve.Fault{serve.Silent, serve.Halt} {
			for at := time.Duration(0); at < 3*time.Second; at += 100 * time.Millisecond {
				b, _ := u.seize(t, "sdcommands = shutdown.return")
				b.start("nutdrv_qx")
				b.run(40 * time.Second)
				err := b.outcome(func() func() (int, bool) {
					done := b.startKill()
					b.cable.SetFault(b.now(), f, at+time.Second)
					b.run(at + 500*time.Millisecond)
					b.cable.SetFault(b.now(), serve.Unplug, 200*time.Millisecond)
					return done
				})
				if err != nil {
					t.Errorf("%v, unplugged %v later: %v", f, at, err)
				}
			}
		}
	})
}

// A bus that is reset while the power fails does not leave the load on.
func TestKillPowerWaitsForADeviceThatIsAway(t *testing.T) {
	for at := time.Duration(0); at < 3*time.Second; at += 100 * time.Millisecond {
		b, _ := bridgedUnits[0].seize(t, "")
		off := false
		b.body.OnChange(func(c power.Change) { off = off || c.Name == power.Outlet && c.Value == "off" })
		err := b.outcome(func() func() (int, bool) {
			done := b.startKill()
			b.run(at)
			b.cable.SetFault(b.now(), serve.Unplug, 2*time.Second)
			return done
		})
		if err != nil || !off {
			t.Errorf("unplugged after %v: the outlet was cut: %v; %v", at, off, err)
		}
	}
}
