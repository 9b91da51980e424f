package devsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Kinds of frames; see the package comment.
const (
	Open   = 'O'
	Failed = 'E'
	Data   = 'D'
	Query  = 'Q'
	Set    = 'L'
	Break  = 'B'
	State  = 'S'
)

// MaxBody is the most that a frame carries besides its head.
const MaxBody = 4096

// headSize is the kind and the length.
const headSize = 3

// A Frame is one message.
type Frame struct {
	Kind byte
	Body []byte
}

// Append adds the frame as it goes over the wire. The body has at most MaxBody bytes.
func (f Frame) Append(b []byte) []byte {
	b = append(b, f.Kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.Body)))
	return append(b, f.Body...)
}

// A Reader cuts a connection into frames.
type Reader struct {
	Conn env.Conn
	rest []byte
}

// Next returns the next frame; io.EOF when the peer has closed, also within a frame. The body is
// good until the next call.
func (r *Reader) Next(e env.Env, until env.Instant) (Frame, error) {
	for {
		if f, n, err := cut(r.rest); n > 0 || err != nil {
			r.rest = r.rest[n:]
			return f, err
		}
		b := make([]byte, headSize+MaxBody)
		n, err := r.Conn.Read(e, b, until)
		if err != nil {
			return Frame{}, err
		}
		if n == 0 {
			return Frame{}, io.EOF
		}
		r.rest = append(r.rest, b[:n]...)
	}
}

// cut takes a frame from the head of b; n is 0 when there is none yet.
func cut(b []byte) (f Frame, n int, err error) {
	if len(b) < headSize {
		return f, 0, nil
	}
	size := int(binary.BigEndian.Uint16(b[1:]))
	if size > MaxBody {
		return f, 0, fmt.Errorf("frame %q of %d bytes: want at most %d", b[0], size, MaxBody)
	}
	if n = headSize + size; len(b) < n {
		return f, 0, nil
	}
	return Frame{b[0], b[headSize:n:n]}, n, nil
}

// magic begins the body of Open, so that a stranger at the socket is noticed.
const magic = "devsim1"

// OpenBody asks for a port in some mode.
func OpenBody(m transport.Mode) []byte {
	b := binary.BigEndian.AppendUint32([]byte(magic), uint32(m.Baud))
	return append(b, byte(m.DataBits), m.Parity, byte(m.StopBits), bit(m.KeepLines, 1))
}

// ParseOpen is the inverse of OpenBody.
func ParseOpen(f Frame) (m transport.Mode, err error) {
	b := f.Body
	if f.Kind != Open || len(b) != len(magic)+8 || string(b[:len(magic)]) != magic {
		return m, fmt.Errorf("frame %q %q: want O %q with a mode", f.Kind, b, magic)
	}
	b = b[len(magic):]
	return transport.Mode{Baud: int(binary.BigEndian.Uint32(b)), DataBits: int(b[4]),
		Parity: b[5], StopBits: int(b[6]), KeepLines: b[7] == 1}, nil
}

// whys are the errors that keep their meaning over the socket.
var whys = []struct {
	code byte
	err  error
}{
	{'b', transport.ErrBusy},
	{'n', transport.ErrNoPort},
	{'p', transport.ErrPermission},
}

// Refusal says why a port cannot be opened.
func Refusal(err error) Frame {
	code := byte('x')
	for _, w := range whys {
		if errors.Is(err, w.err) {
			code = w.code
		}
	}
	text := err.Error()
	return Frame{Failed, append([]byte{code}, text[:min(len(text), MaxBody-1)]...)}
}

// refused is the inverse of Refusal.
func refused(f Frame) error {
	if len(f.Body) == 0 {
		return errors.New("refused without a reason")
	}
	text := string(f.Body[1:])
	for _, w := range whys {
		if f.Body[0] == w.code {
			said, same := strings.CutPrefix(text, w.err.Error())
			if said = strings.TrimPrefix(said, ": "); same && said == "" {
				return w.err
			}
			return fmt.Errorf("%w (%q)", w.err, said)
		}
	}
	return fmt.Errorf("refused: %q", text)
}

// Bits packs modem lines into a byte.
func Bits(s transport.LineState) byte {
	return bit(s.DTR, 1) | bit(s.RTS, 2) | bit(s.CTS, 4) | bit(s.DSR, 8) | bit(s.DCD, 16) |
		bit(s.RI, 32)
}

// ParseBits is the inverse of Bits.
func ParseBits(b byte) transport.LineState {
	return transport.LineState{DTR: b&1 != 0, RTS: b&2 != 0, CTS: b&4 != 0, DSR: b&8 != 0,
		DCD: b&16 != 0, RI: b&32 != 0}
}

func bit(on bool, v byte) byte {
	if on {
		return v
	}
	return 0
}
