package devsock

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

func TestModesSurviveTheSocket(t *testing.T) {
	for _, m := range []transport.Mode{{}, {Baud: 9600, DataBits: 7, Parity: 'E', StopBits: 2},
		{Baud: 4_000_000, KeepLines: true}} {
		got, err := ParseOpen(Frame{Open, OpenBody(m)})
		if err != nil || got != m {
			t.Errorf("ParseOpen(OpenBody(%+v)) = %+v, %v", m, got, err)
		}
	}
}

func TestRefusalsKeepTheirMeaning(t *testing.T) {
	for _, want := range []error{transport.ErrBusy, transport.ErrNoPort, transport.ErrPermission} {
		if got := refused(Refusal(want)); !errors.Is(got, want) {
			t.Errorf("%v arrives as %v", want, got)
		}
	}
	if got := refused(Refusal(errors.New("it burns"))); got.Error() != `refused: "it burns"` {
		t.Errorf("another error arrives as %v", got)
	}
	got := refused(Refusal(fmt.Errorf("%w: this is a USB device", transport.ErrNoPort)))
	if want := `no such port ("this is a USB device")`; got.Error() != want {
		t.Errorf("it arrives as %v; want %s", got, want)
	}
}

func TestEveryCombinationOfLinesHasItsByte(t *testing.T) {
	for b := range byte(64) {
		if got := Bits(ParseBits(b)); got != b {
			t.Errorf("Bits(ParseBits(%06b)) = %06b", b, got)
		}
	}
}

// FuzzFrames reads a stream in pieces: what is cut from it is what it is made of.
func FuzzFrames(f *testing.F) {
	f.Add(Frame{Open, OpenBody(transport.Mode{})}.Append(nil), 1)
	f.Add(Refusal(transport.ErrBusy).Append(Frame{State, []byte{1, 63}}.Append(nil)), 3)
	f.Add([]byte("D\xff\xff"), 2)
	f.Add(Frame{OpenUSB, PlaceBody(transport.USBID{Bus: "001", Device: "004", BusPort: "1.4"})}.
		Append(Request{Kind: Interrupt, Seq: 1, Endpoint: 0x81, Len: 8}.Frame().Append(nil)), 5)
	f.Add(Request{Kind: Control, Left: -1, Len: 3, Data: []byte("Q1\r")}.Frame().
		Append(Answer{1, transport.ErrTimeout, []byte("(2")}.Frame().Append(nil)), 4)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		var rest, again []byte
		for in := stream; len(in) > 0; {
			n := min(max(piece, 1), len(in))
			rest, in = append(rest, in[:n]...), in[n:]
			for {
				frame, n, err := cut(rest)
				if err != nil {
					return
				}
				if n == 0 {
					break
				}
				again, rest = frame.Append(again), rest[n:]
				sameUSB(t, frame)
				if m, err := ParseOpen(frame); err == nil && frame.Body[len(frame.Body)-1] < 2 &&
					!bytes.Equal(OpenBody(m), frame.Body) {
					t.Errorf("%q is %+v, which is %q", frame.Body, m, OpenBody(m))
				}
				if frame.Kind == Failed && refused(frame) == nil {
					t.Errorf("%q is no error", frame.Body)
				}
			}
		}
		if got := append(again, rest...); !bytes.Equal(got, stream) {
			t.Errorf("%q was cut into %q", stream, got)
		}
	})
}
