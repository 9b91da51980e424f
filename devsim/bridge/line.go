package bridge

import "time"

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

// An answer is what the unit says, and when. It has no bytes when the unit is silent; from is then
// when it would have begun.
type answer struct {
	bytes []byte
	from  time.Duration // the start of the first byte
	each  time.Duration // of one byte
}

// at is when byte i has arrived.
func (a answer) at(i int) time.Duration { return a.from + time.Duration(i+1)*a.each }

// end is when all of it has arrived.
func (a answer) end() time.Duration { return a.at(len(a.bytes) - 1) }

// backlog is how far an answer may lie in the future before the unit loses its command: it cannot
// listen to more while it speaks.
const backlog = 4 * time.Second

// ask sends a command. The unit obeys at once, and is heard when the bytes would have come.
func (l *line) ask(now time.Duration, cmd []byte) answer {
	each := bitsPerByte * time.Second / time.Duration(l.baud)
	a := answer{each: each, from: max(l.free, now+time.Duration(len(cmd))*each+l.late)}
	if l.free > now+backlog {
		return a
	}
	a.bytes = append(a.bytes, l.face.Receive(now, cmd)...)
	a.bytes = a.bytes[:min(len(a.bytes), maxAnswer)]
	l.free = a.at(len(a.bytes) - 1)
	return a
}

// maxAnswer is more than any unit says at once.
const maxAnswer = 512
