package devsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Kinds of frames of a USB device; see the package comment.
const (
	OpenUSB   = 'U'
	Control   = 'C'
	Interrupt = 'I'
	ClearHalt = 'H'
	Reset     = 'Z'
	Result    = 'R'
)

// MaxData is the most that one transfer carries.
const MaxData = MaxBody - 16

// heads are the sizes of bodies without their data.
var heads = map[byte]int{Control: 13, Interrupt: 8, ClearHalt: 2, Reset: 1}

const resultHead = 2

// never is the ms of a request without a deadline.
const never = 1<<32 - 1

// A Request is what a computer wants of a USB device: Kind says which fields mean something.
type Request struct {
	Kind     byte
	Seq      byte
	Left     time.Duration // until the deadline, in whole ms; below 0: there is none
	Setup    transport.USBSetup
	Endpoint byte
	Len      int    // how much is asked for, or sent
	Data     []byte // when it is sent
}

// In reports whether the data come from the device.
func (r Request) In() bool {
	switch r.Kind {
	case Control:
		return r.Setup.In()
	case Interrupt:
		return r.Endpoint&0x80 != 0
	}
	return false
}

// Frame is the request as it is sent. Len is at most MaxData.
func (r Request) Frame() Frame {
	b := []byte{r.Seq}
	switch r.Kind {
	case Control:
		b = binary.BigEndian.AppendUint32(b, millis(r.Left))
		b = append(b, r.Setup.RequestType, r.Setup.Request)
		b = binary.BigEndian.AppendUint16(b, r.Setup.Value)
		b = binary.BigEndian.AppendUint16(b, r.Setup.Index)
	case Interrupt:
		b = append(binary.BigEndian.AppendUint32(b, millis(r.Left)), r.Endpoint)
	case ClearHalt:
		return Frame{r.Kind, append(b, r.Endpoint)}
	case Reset:
		return Frame{r.Kind, b}
	}
	return Frame{r.Kind, append(binary.BigEndian.AppendUint16(b, uint16(r.Len)), r.Data...)}
}

// millis rounds up: an answer at the deadline is in time.
func millis(d time.Duration) uint32 {
	if d < 0 || d > (never-1)*time.Millisecond {
		return never
	}
	return uint32((d + time.Millisecond - 1) / time.Millisecond)
}

func left(ms uint32) time.Duration {
	if ms == never {
		return -1
	}
	return time.Duration(ms) * time.Millisecond
}

// ParseRequest is the inverse of Frame. Data is good as long as the frame.
func ParseRequest(f Frame) (r Request, err error) {
	b := f.Body
	r.Kind = f.Kind
	size := heads[f.Kind]
	if size == 0 || len(b) < size {
		return r, fmt.Errorf("frame %q %q: want C, I, H or Z, and what belongs to it", f.Kind, b)
	}
	r.Seq = b[0]
	switch f.Kind {
	case Control:
		r.Left = left(binary.BigEndian.Uint32(b[1:]))
		r.Setup = transport.USBSetup{RequestType: b[5], Request: b[6],
			Value: binary.BigEndian.Uint16(b[7:]), Index: binary.BigEndian.Uint16(b[9:])}
	case Interrupt:
		r.Left, r.Endpoint = left(binary.BigEndian.Uint32(b[1:])), b[5]
	case ClearHalt:
		r.Endpoint = b[1]
	}
	want := 0
	if f.Kind == Control || f.Kind == Interrupt {
		r.Len = int(binary.BigEndian.Uint16(b[size-2:]))
		if !r.In() {
			want, r.Data = r.Len, b[size:]
		}
	}
	if r.Len > MaxData || len(b)-size != want {
		return r, fmt.Errorf("frame %q %q: %d bytes after the head, len %d: want %d, at most %d",
			f.Kind, b, len(b)-size, r.Len, want, MaxData)
	}
	return r, nil
}

// statuses are the errors that keep their meaning over the socket.
var statuses = []struct {
	code byte
	err  error
}{
	{'t', transport.ErrTimeout},
	{'s', transport.ErrStall},
	{'o', transport.ErrOverflow},
	{'g', transport.ErrGone},
}

// An Answer is what came of a request. Data may also come with a timeout: what had come until then.
type Answer struct {
	Seq  byte
	Err  error
	Data []byte
}

// Frame is the answer as it is sent.
func (a Answer) Frame() Frame {
	if a.Err == nil {
		return Frame{Result, append([]byte{a.Seq, 0}, a.Data...)}
	}
	for _, s := range statuses {
		if errors.Is(a.Err, s.err) {
			return Frame{Result, append([]byte{a.Seq, s.code}, a.Data...)}
		}
	}
	text := a.Err.Error()
	return Frame{Result, append([]byte{a.Seq, 'x'}, text[:min(len(text), MaxBody-resultHead)]...)}
}

// ParseAnswer is the inverse of Frame. Data is good as long as the frame.
func ParseAnswer(f Frame) (Answer, error) {
	if f.Kind != Result || len(f.Body) < resultHead {
		return Answer{}, fmt.Errorf("frame %q %q: want R, a number and a status", f.Kind, f.Body)
	}
	a := Answer{Seq: f.Body[0], Data: f.Body[resultHead:]}
	code := f.Body[1]
	if code == 0 {
		return a, nil
	}
	for _, s := range statuses {
		if s.code == code {
			a.Err = s.err
			return a, nil
		}
	}
	a.Err, a.Data = fmt.Errorf("refused (%q): %q", code, a.Data), nil
	return a, nil
}

// OpenUSBBody asks for a USB device.
func OpenUSBBody() []byte { return []byte(magic) }

// ParseOpenUSB is the inverse of OpenUSBBody.
func ParseOpenUSB(f Frame) error {
	if f.Kind != OpenUSB || string(f.Body) != magic {
		return fmt.Errorf("frame %q %q: want U %q", f.Kind, f.Body, magic)
	}
	return nil
}

// PlaceBody says that a device is open, and where it is plugged in.
func PlaceBody(id transport.USBID) []byte {
	return []byte(id.Bus + " " + id.Device + " " + id.BusPort)
}

// parsePlace is the inverse of PlaceBody.
func parsePlace(b []byte, id *transport.USBID) error {
	words := strings.Split(string(b), " ")
	if len(words) != 3 {
		return fmt.Errorf("frame 'U' %q: want a bus, a device and a port", b)
	}
	id.Bus, id.Device, id.BusPort = words[0], words[1], words[2]
	return nil
}

// Until is the deadline of a request that comes now.
func (r Request) Until(now env.Instant) env.Instant {
	if r.Left < 0 {
		return env.Never
	}
	return now.Add(r.Left)
}
