package bridge

import (
	"bytes"
	"time"
)

// bitsPerByte on the wire: start, eight data bits, stop.
const bitsPerByte = 10

// A line is the serial side: the unit, and when it would be heard.
type line struct {
	face Face
	baud int
	late time.Duration
	free time.Duration // when the unit has nothing left to send
}

func newLine(f Face, o Options) line {
	l := line{face: f, baud: o.Baud, late: o.Latency}
	if l.baud <= 0 {
		l.baud = 2400
	}
	return l
}

// An answer is what the unit says, and when.
type answer struct {
	bytes []byte        // none: the unit is silent
	from  time.Duration // when the first byte begins, or would
	each  time.Duration // of one byte
}

// at is when byte i has arrived.
func (a answer) at(i int) time.Duration { return a.from + time.Duration(i+1)*a.each }

// end is when all of it has arrived.
func (a answer) end() time.Duration { return a.at(len(a.bytes) - 1) }

// cut is the answer without what follows its first CR, or n bytes.
func (a answer) cut(n int) answer {
	if i := bytes.IndexByte(a.bytes, '\r'); i >= 0 {
		n = min(n, i+1)
	}
	a.bytes = a.bytes[:min(n, len(a.bytes))]
	return a
}

// Limits of the line.
const (
	// backlog is how far in the future an answer may end: a unit that speaks hears no more.
	backlog = 4 * time.Second
	// maxAnswer is more than any unit says at once.
	maxAnswer = 512
)

// ask sends a command. The unit obeys at once, and is heard when the bytes would have come.
func (l *line) ask(now time.Duration, cmd []byte) answer {
	each := bitsPerByte * time.Second / time.Duration(l.baud)
	a := answer{each: each, from: max(l.free, now+time.Duration(len(cmd))*each+l.late)}
	if l.free > now+backlog {
		return a
	}
	said := l.face.Receive(now, cmd)
	a.bytes = append(a.bytes, said[:min(len(said), maxAnswer)]...)
	l.free = a.end()
	return a
}
