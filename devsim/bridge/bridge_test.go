package bridge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

var _ gadget.Gadget = (*bridge.Bridge)(nil)

// A unit is a serial face that knows some answers and repeats what it does not know. Off, it is
// silent.
type unit struct {
	answers map[string]string
	heard   []string
	off     bool
}

func (u *unit) Receive(_ time.Duration, p []byte) []byte {
	if u.off {
		return nil
	}
	u.heard = append(u.heard, string(p))
	if a, ok := u.answers[string(p)]; ok {
		return []byte(a)
	}
	return p
}

const (
	q1 = "(230.1 169.2 228.9 027 50.0 26.3 25.7 00001001\r"
	f  = "#230.0 003 024.0 50.0\r"
	id = "#ACME POWER      SIM-600    V1.07     \r"
)

func newUnit() *unit {
	return &unit{answers: map[string]string{"Q1\r": q1, "F\r": f, "I\r": id,
		"Q\r": "", "C\r": "", "CT\r": "", "T\r": "", "TL\r": "", "CT\rC\r": ""}}
}

// A host is the computer's side of a bridge.
type host struct {
	t   *testing.T
	b   *bridge.Bridge
	now time.Duration
}

func plug(t *testing.T, kind string, u *unit, o bridge.Options) *host {
	t.Helper()
	b, err := bridge.New(kind, u, o)
	if err != nil {
		t.Fatal(err)
	}
	b.Reset(0)
	return &host{t: t, b: b}
}

// control makes a control transfer: type request value, in hex.
func (h *host) control(setup, out string) ([]byte, error) {
	h.t.Helper()
	var s transport.USBSetup
	n, err := fmt.Sscanf(setup, "%x %x %x %x", &s.RequestType, &s.Request, &s.Value, &s.Index)
	if n < 3 {
		h.t.Fatal(setup, err)
	}
	in, ready, err := h.b.Control(h.now, s, []byte(out))
	h.now = max(h.now, ready)
	return in, err
}

// send makes control transfers that must succeed.
func (h *host) send(setup string, outs ...string) {
	h.t.Helper()
	for _, out := range outs {
		if _, err := h.control(setup, out); err != nil {
			h.t.Fatal(err)
		}
	}
}

// read fetches packets, each within a second, until none comes.
func (h *host) read(endpoint byte) (packets []string) {
	h.t.Helper()
	for until := h.now + time.Second; ; {
		p, again, err := h.b.In(h.now, endpoint)
		switch {
		case err != nil:
			h.t.Fatal(err)
		case p != nil:
			packets, until = append(packets, string(p)), h.now+time.Second
		case again <= h.now || again > until:
			h.now = until
			return packets
		default:
			h.now = again
		}
	}
}

func (h *host) want(got []string, want ...string) {
	h.t.Helper()
	g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want)
	if g != w {
		h.t.Errorf("packets\n%s; want\n%s", g, w)
	}
}

// eights cuts an answer into packets of eight bytes, filled with zeros.
func eights(answer string) (packets []string) {
	answer += strings.Repeat("\x00", (8-len(answer)%8)%8)
	for ; answer != ""; answer = answer[8:] {
		packets = append(packets, answer[:8])
	}
	return packets
}

func TestCypress(t *testing.T) {
	u := newUnit()
	h := plug(t, "cypress", u, bridge.Options{})
	h.send("21 09 0200", "Q1\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "(230.1 1", "69.2 228", ".9 027 5", "0.0 26.3", " 25.7 00", "001001\r\x00")
	h.send("21 09 0200", "S.5R0003", "\r\x00\x00\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "S.5R0003", "\r\x00\x00\x00\x00\x00\x00\x00")
	h.want(u.heard, "Q1\r", "S.5R0003\r")
}

// The first byte comes after the three of the question and itself, at 2400 baud; the last of eight
// opens the packet.
func TestTheWireTakesItsTime(t *testing.T) {
	for _, tt := range []struct {
		o    bridge.Options
		want time.Duration
	}{
		{bridge.Options{}, 11 * 10 * time.Second / 2400},
		{bridge.Options{Baud: 9600}, 11 * 10 * time.Second / 9600},
		{bridge.Options{Latency: time.Second}, time.Second + 11*10*time.Second/2400},
	} {
		h := plug(t, "cypress", newUnit(), tt.o)
		h.send("21 09 0200", "Q1\r")
		if p, again, err := h.b.In(0, 0x81); p != nil || again.Round(time.Microsecond) !=
			tt.want.Round(time.Microsecond) || err != nil {
			t.Errorf("%+v: In = %q, %v, %v; want a packet at %v", tt.o, p, again, err, tt.want)
		}
	}
}

func TestUnknownBridge(t *testing.T) {
	_, err := bridge.New("cypres", newUnit(), bridge.Options{})
	if err == nil || !strings.Contains(err.Error(), `"cypres"`) ||
		!strings.Contains(err.Error(), "cypress") {
		t.Errorf("the error is %v; want one that names the bridges there are", err)
	}
}

func TestUnknownRequestsStall(t *testing.T) {
	for _, kind := range bridge.Kinds() {
		h := plug(t, kind, newUnit(), bridge.Options{})
		for _, setup := range []string{"c0 77 0000", "40 77 0000", "21 0a 0000", "a1 01 0177",
			"80 06 0700", "21 09 0277"} {
			if in, err := h.control(setup, "Q1\r"); !errors.Is(err, transport.ErrStall) {
				t.Errorf("%s: %s is answered with %q, %v; want a stall", kind, setup, in, err)
			}
		}
		if _, _, err := h.b.In(0, 0x87); !errors.Is(err, transport.ErrStall) {
			t.Errorf("%s: endpoint 87: %v; want a stall", kind, err)
		}
		if err := h.b.Out(0, 7, []byte("Q1\r")); !errors.Is(err, transport.ErrStall) {
			t.Errorf("%s: endpoint 7: %v; want a stall", kind, err)
		}
	}
}
