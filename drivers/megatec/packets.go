package megatec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// sgs counts the bytes of each packet: the count, up to seven bytes, zeros. Replies end in silence.
type sgs struct{}

func (sgs) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	if err := l.send(e, outReport, counted(cmd, 7, 0), 8, 5*time.Second); err != nil {
		return nil, err
	}
	var reply []byte
	until := e.Now().Add(replyTime)
	for range maxReply { // packets may count no byte at all
		p, err := l.read(e, l.in, 8, min(until, e.Now().Add(readTime)))
		switch {
		case errors.Is(err, transport.ErrTimeout) && len(reply) > 0:
			return reply, nil
		case err != nil:
			return nil, err
		}
		reply = append(reply, p[1:1+min(int(p[0]), 7, len(p)-1)]...)
		if line, ok := cut(reply, l.raw); ok {
			return line, nil
		}
	}
	return nil, endless(reply)
}

// fuji takes a packet of eight bytes: 80 06, the length of the command and one, 03, three bytes of
// the command, the length of the reply.
type fuji struct{}

// fujiReplies are the lengths of the replies that are asked for; other commands have none.
var fujiReplies = map[string]byte{"Q1": 47, "F": 22, "I": 39}

func (fuji) carries(cmd string) bool { return len(fujiShort(cmd)) <= 3 }

func (fuji) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	short := fujiShort(cmd)
	p := [8]byte{0x80, 0x06, byte(len(short) + 1), 0x03}
	copy(p[4:], short)
	p[7] = fujiReplies[short]
	if err := l.write(e, 0x02, p[:], 5*time.Second); err != nil {
		return nil, err
	}
	return l.line(e, 8)
}

// fujiShort is a shutdown that comes back without its start delay, for which there is no room: the
// device switches on with the mains.
func fujiShort(cmd string) string {
	if off, start, ok := strings.Cut(cmd, "R"); ok && strings.HasPrefix(off, "S") &&
		digits(start) && strings.Trim(start, "0") != "" {
		return off
	}
	return cmd
}

// ablerexReports takes a command in a report of 47 bytes, and has the reply ready in another after
// half a second, if it is the right one.
type ablerexReports struct{}

var ablerexIn = transport.USBSetup{RequestType: 0xa1, Request: getReport, Value: 0x0305}

const (
	ablerexReport = 0x0305
	ablerexSize   = 47
	ablerexTries  = 3
)

// ablerexReplies are the lengths of the replies that are known, with CR.
var ablerexReplies = map[string]int{"Q1": 47, "I": 39, "F": 22, "Q5": 22}

func (ablerexReports) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	out := make([]byte, ablerexSize)
	copy(out, append([]byte{0x05, 0x00, byte(len(cmd) + 1)}, cmd+"\r"...))
	until := e.Now().Add(replyTime)
	for try := 0; try < ablerexTries && (try == 0 || e.Now() < until); try++ {
		begin := e.Now()
		_, err := l.usb.Control(e, report(ablerexReport), out, begin.Add(time.Second))
		l.sent = l.mayHave(e, begin, err)
		if err := gone(nil, err); err != nil {
			return nil, err
		}
		l.stuck = err != nil // which means nothing when there is a reply
		if err := e.Sleep(500 * time.Millisecond); err != nil {
			return nil, err
		}
		in, err := l.descriptor(e, ablerexIn, ablerexSize)
		if err != nil {
			return nil, err
		}
		line, ok := cut(in, l.raw)
		want, known := ablerexReplies[cmd]
		switch {
		case known && len(line)+1 != want:
			continue
		case !ok || len(line) == 0:
			return nil, errSilent
		}
		return line, nil
	}
	return nil, errSilent
}

// armac counts as sgs does, in the low six bits of the first byte, and takes three bytes at once.
// Devices with packets of 64 bytes take the whole command in one.
type armac struct {
	known bool
	large bool
}

// armacUnknown are commands that the device would leave without an answer, each for a second.
var armacUnknown = []string{"QGS", "QS", "QPI", "M", "D"}

const (
	armacMark  = 0xa0
	armacCount = 0x3f
	// armacBits is where the status bits begin; there some devices send NUL for 0.
	armacBits = 38
)

// learn looks at the endpoints, once.
func (a *armac) learn(e env.Env, l *link) error {
	if a.known {
		return nil
	}
	config, err := l.descriptor(e, standard(configDescriptor, 0, 0), mostText)
	if gone(nil, err) != nil {
		return err
	}
	// Without an answer it is asked again before the next command.
	a.known = err == nil || errors.Is(err, transport.ErrStall)
	if a.large = largePackets(config); a.large {
		l.in = 0x82
	}
	return nil
}

func (a *armac) carries(cmd string) bool { return !slices.Contains(armacUnknown, cmd) }

func (a *armac) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	var err error
	if a.large {
		err = a.sendWhole(e, l, cmd)
	} else {
		err = a.sendPieces(e, l, cmd)
	}
	if err != nil {
		return nil, err
	}
	if err := e.Sleep(2 * time.Millisecond); err != nil { // the reply begins to gather
		return nil, err
	}
	return a.reply(e, l)
}

// largePackets looks through a configuration for just two interrupt endpoints, 02 and 82 with 64
// bytes to a packet.
func largePackets(config []byte) bool {
	const endpoint, interrupt = 5, 3
	var found []byte
	for len(config) >= 2 && config[0] >= 2 && int(config[0]) <= len(config) {
		d := config[:config[0]]
		config = config[config[0]:]
		if d[1] != endpoint || len(d) < 7 {
			continue
		}
		if d[3]&interrupt == 0 || d[2] == 0x82 && int(d[4])|int(d[5])<<8 != 64 {
			return false
		}
		found = append(found, d[2])
	}
	slices.Sort(found)
	return bytes.Equal(found, []byte{0x02, 0x82})
}

func (a *armac) sendWhole(e env.Env, l *link, cmd string) error {
	p := append([]byte{armacMark + byte(len(cmd)+1)}, cmd+"\r"...)
	return l.write(e, 0x02, p, 5*time.Second)
}

func (a *armac) sendPieces(e env.Env, l *link, cmd string) error {
	if err := l.drain(e, l.in, 10, 8, drainTime); err != nil {
		return err
	}
	return l.send(e, outReport, counted(cmd, 3, armacMark), 4, 5*time.Second)
}

// counted is a command in packets that begin with a mark plus the number of their bytes, of which
// there are at most so many.
func counted(cmd string, most int, mark byte) []byte {
	var packets []byte
	for part := range slices.Chunk([]byte(cmd+"\r"), most) {
		p := make([]byte, 1+most)
		p[0] = mark + byte(copy(p[1:], part))
		packets = append(packets, p...)
	}
	return packets
}

// reply gathers the line from its packets.
func (a *armac) reply(e env.Env, l *link) ([]byte, error) {
	size := 8
	if a.large {
		size = 64
	}
	var line []byte
	for until := e.Now().Add(replyTime); len(line) <= maxReply; {
		p, err := l.read(e, l.in, size, min(until, e.Now().Add(readTime)))
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", line, err)
		}
		n := min(int(p[0]&armacCount), len(p)-1)
		var ended bool
		line, ended = armacGather(line, p[1:1+n])
		switch {
		case (ended || n == 0) && len(line) == 0:
			return nil, errSilent // NUL is what a device sends that is switched off
		case ended || n == 0:
			return line, nil
		case n <= 2: // the device is slower than we are
			err = e.Sleep(10 * time.Millisecond)
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, endless(line)
}

// armacGather adds the bytes of a packet to a line, up to CR, or NUL before the status bits.
func armacGather(line, p []byte) (_ []byte, ended bool) {
	for _, c := range p {
		switch {
		case c == '\r', c == 0 && len(line) < armacBits:
			return line, true
		case c == 0:
			c = '0'
		}
		line = append(line, c)
	}
	return line, false
}
