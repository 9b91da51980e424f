package bridge

import (
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Ways of taking a command.

// isReport says whether a transfer sets a report of the interface, named by one of values.
func isReport(s transport.USBSetup, values ...uint16) bool {
	return s.RequestType == 0x21 && s.Request == gadget.SetReport && s.Index == 0 &&
		slices.Contains(values, s.Value)
}

// setReport takes commands in output reports of at most size bytes.
func setReport(size int, values ...uint16) func(*Bridge, time.Duration, transport.USBSetup,
	[]byte) ([]byte, time.Duration, error) {
	return func(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
		[]byte, time.Duration, error) {
		if !isReport(s, values...) || len(out) == 0 || len(out) > size {
			return nil, now, stall(s, out)
		}
		b.write(now, out)
		return nil, now, nil
	}
}

// counted takes commands in output reports of eight bytes that begin with how many follow, at
// most 7. Other counts are ignored.
func counted(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	if !isReport(s, 0x0200) || len(out) != 8 {
		return nil, now, stall(s, out)
	}
	if n := int(out[0]); n < len(out) {
		b.write(now, out[1:1+n])
	}
	return nil, now, nil
}

// armac takes commands in output reports of four bytes: a0 + n, and n bytes, at most 3. Others are
// ignored.
func armac(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	if !isReport(s, 0x0200) || len(out) != 4 {
		return nil, now, stall(s, out)
	}
	wideOut(b, now, out)
	return nil, now, nil
}

// wideOut takes commands in packets: a0 + n, and n bytes.
func wideOut(b *Bridge, now time.Duration, p []byte) {
	if len(p) == 0 || p[0] < 0xa0 {
		return
	}
	if n := int(p[0] - 0xa0); n < len(p) {
		b.write(now, p[1:1+n])
	}
}

// vendorWrite takes a command in a transfer of the vendor.
func vendorWrite(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	want := transport.USBSetup{RequestType: 0x42, Request: 0x0d}
	if s != want || len(out) == 0 || len(out) > maxCommand {
		return nil, now, stall(s, out)
	}
	b.write(now, out)
	return nil, now, nil
}

// fuji takes a command of at most three characters in a packet: 80 06 n+1 03, three characters, of
// which n count, and how many bytes of the answer the host wants.
func fuji(b *Bridge, now time.Duration, p []byte) {
	if len(p) != 8 || p[0] != 0x80 || p[1] != 0x06 || p[3] != 0x03 || p[2] < 2 || p[2] > 4 {
		return
	}
	cmd := append(slices.Clone(p[4:3+p[2]]), '\r')
	a := b.line.ask(now, cmd)
	a.bytes = a.bytes[:min(len(a.bytes), int(p[7]))]
	b.in.put(a)
	if len(b.in.part) > 0 {
		b.in.flush(a.end())
	}
}

// ablerexReport is the size of the report of an ablerex.
const ablerexReport = 47

// ablerex takes a command in feature report 5: 05 00 n, and n bytes. The answer is in the same
// report, from its first byte on; it is empty until all of it has come.
func ablerex(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
	[]byte, time.Duration, error) {
	switch {
	case isReport(s, 0x0305) && len(out) == ablerexReport:
		if n := int(out[2]); out[0] == 5 && n <= len(out)-3 {
			b.write(now, out[3:3+n])
		}
		return nil, now, nil
	case s == transport.USBSetup{RequestType: 0xa1, Request: gadget.GetReport, Value: 0x0305}:
		in := make([]byte, ablerexReport)
		if b.held.end() <= now {
			copy(in, b.held.bytes)
		}
		return in, now, nil
	}
	return nil, now, stall(s, out)
}

// Ways of handing out an answer.

// stream hands out the bytes as they come.
func stream(b *Bridge, a answer) { b.in.put(a) }

// twice hands out the bytes as they come, and the last packet once more.
func twice(b *Bridge, a answer) {
	b.in.put(a)
	if len(a.bytes) > 0 && b.in.last != nil {
		b.in.push(a.end(), b.in.last)
	}
}

// once hands out one packet when all of the answer has come; what does not fit is lost.
func once(b *Bridge, a answer) {
	if a = a.cut(b.in.data); len(a.bytes) > 0 {
		b.in.part = a.bytes
		b.in.flush(a.end())
	}
}

// quiet is how long a chip waits for a unit that is silent, where it tells the host.
const quiet = 600 * time.Millisecond

// always hands out a packet as once does, and one with an empty line when the unit is silent.
func always(b *Bridge, a answer) {
	if len(a.bytes) > 0 {
		once(b, a)
		return
	}
	b.in.part = []byte{0, '\r'}
	b.in.flush(a.from + quiet)
}

// hold keeps an answer until it is fetched, and beyond.
func hold(b *Bridge, a answer) { b.held = a }

// An armac makes a packet each tick of what has come, at most armacData bytes.
const (
	armacTick = 10 * time.Millisecond
	armacData = 5
)

// ticked hands out packets of six bytes: a count in the low six bits of the first, above it a bit
// that changes each time, and five bytes, of which those behind the count are left from before. A
// packet that counts none ends an answer.
func ticked(b *Bridge, a answer) {
	tick := time.Duration(0)
	for i, c := range a.bytes {
		if t := (a.at(i) - a.from) / armacTick; t != tick || len(b.in.part) == armacData {
			b.tick(a.from + (tick+1)*armacTick)
			tick = t
		}
		b.in.part = append(b.in.part, c)
	}
	if len(a.bytes) > 0 {
		b.tick(a.from + (tick+1)*armacTick)
		b.tick(a.from + (tick+2)*armacTick)
	}
}

// tick makes a packet of what has come to an armac.
func (b *Bridge) tick(at time.Duration) {
	p := make([]byte, 1+armacData)
	copy(p, b.in.last)
	p[0] = 0x80 | byte(len(b.in.part)) | ^p[0]&0x40
	copy(p[1:], b.in.part)
	b.in.part = nil
	b.in.push(at, p)
}
