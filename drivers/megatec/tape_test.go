package megatec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A tape is a USB device that plays what was written down: one transfer in a line, first what the
// host does, then, behind an arrow, what comes of it.
//
//	control TYPE REQUEST VALUE INDEX (LENGTH | "sent") [-> "received" | timeout | stall | ...]
//	in ENDPOINT LENGTH -> "received"
//	out ENDPOINT "sent"
//	clear ENDPOINT
//	reset
type tape struct {
	lines []string
	saw   []string
}

func newTape(script string) *tape {
	t := &tape{}
	for l := range strings.Lines(script) {
		if l = strings.TrimSpace(l); l != "" {
			t.lines = append(t.lines, l)
		}
	}
	return t
}

var errElse = errors.New("something else")

// play compares what the host does and does what the tape says.
func (t *tape) play(does string, data []byte, e env.Env, until env.Instant) (int, error) {
	t.saw = append(t.saw, does)
	if len(t.lines) == 0 {
		return 0, fmt.Errorf("after the end: %s", does)
	}
	want, result, _ := strings.Cut(t.lines[0], " -> ")
	if want != does {
		return 0, fmt.Errorf("the host does %s\n                 want %s", does, want)
	}
	t.lines = t.lines[1:]
	switch result {
	case "":
		return len(data), nil
	case "timeout":
		e.Sleep(until.Sub(e.Now()))
		return 0, transport.ErrTimeout
	case "stall":
		return 0, transport.ErrStall
	case "overflow":
		return 0, transport.ErrOverflow
	case "gone":
		return 0, transport.ErrGone
	case "else":
		return 0, errElse
	}
	text, err := strconv.Unquote(result)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", result, err)
	}
	return copy(data, text), nil
}

func (t *tape) ID() transport.USBID { return transport.USBID{} }
func (t *tape) Close() error        { return nil }

func (t *tape) Control(e env.Env, s transport.USBSetup, data []byte, until env.Instant) (int, error) {
	body := strconv.Itoa(len(data))
	if !s.In() {
		body = strconv.QuoteToASCII(string(data))
	}
	return t.play(fmt.Sprintf("control %02x %02x %04x %04x %s", s.RequestType, s.Request, s.Value,
		s.Index, body), data, e, until)
}

func (t *tape) Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (int, error) {
	if endpoint&0x80 == 0 {
		return t.play(fmt.Sprintf("out %02x %+q", endpoint, data), data, e, until)
	}
	return t.play(fmt.Sprintf("in %02x %d", endpoint, len(data)), data, e, until)
}

func (t *tape) ClearHalt(e env.Env, endpoint byte) error {
	_, err := t.play(fmt.Sprintf("clear %02x", endpoint), nil, e, 0)
	return err
}

func (t *tape) Reset(e env.Env) error {
	_, err := t.play("reset", nil, e, 0)
	return err
}
