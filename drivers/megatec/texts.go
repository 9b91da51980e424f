package megatec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// texts are the bridges without endpoints: to fetch a string descriptor is to send a command, and
// its text is the reply.
type texts struct {
	of     []coded
	tries  int    // how often a text is fetched that says that there is nothing
	delays bool   // shutdown commands have indexes by their delay
	cycle  byte   // or all that come back have this one, whatever their delay; 0: none has one
	lang   uint16 // of the strings; 0: the first one that the device has
	size   int    // bytes asked for when lang is known
}

// A coded command is one by its index.
type coded struct {
	cmd   string
	index byte
	// lead takes the place of the first character of the reply, which is damaged; blank: nothing
	// of the reply means anything; 0: the reply is right.
	lead byte
}

const blank = '\r'

var kraulerTexts = []coded{
	{"Q1", 0x03, '('}, {"F", 0x0d, '#'}, {"I", 0x0c, '#'},
	{"T", 0x04, blank}, {"TL", 0x05, blank}, {"Q", 0x07, blank},
	{"C", 0x0b, blank}, {"CT", 0x0b, blank},
}

var fabulaTexts = []coded{
	{"Q1", 0x03, 0}, {"F", 0x0d, 0}, {"I", 0x0c, 0}, {"Q", 0x07, 0}, {"C", 0x0a, 0},
}

var hunnoxIndexes = append(slices.Clone(fabulaTexts), coded{"BL", 0xf3, 0})

// noAck is what these bridges say for no reply.
const noAck = "UPS No Ack"

const (
	english = 0x0409
	// mostText is the largest descriptor that is asked for; some devices choke on 256.
	mostText = 255
)

func (t texts) carries(cmd string) bool {
	_, ok := t.find(cmd)
	return ok
}

func (t texts) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	x, _ := t.find(cmd)
	return t.answer(e, l, x)
}

// find returns what stands for a command.
func (t texts) find(cmd string) (coded, bool) {
	at := slices.IndexFunc(t.of, func(x coded) bool { return x.cmd == cmd })
	if at >= 0 {
		return t.of[at], true
	}
	index, ok := shutdownIndex(cmd)
	if returns := index&8 != 0; ok && returns && t.cycle != 0 {
		return coded{cmd: cmd, index: t.cycle, lead: blank}, true
	}
	return coded{cmd: cmd, index: index}, ok && t.delays
}

// kraulerCycle switches the load off after a delay of the device's own: known to NUT, and not used
// there. In fabula, most of whose other indexes are the same, it is S01.
const kraulerCycle = 0x68

// shutdownIndex is the index of S.5, S02R0003 and their like: 0x10 for half a minute, 0x10 more for
// each tenth up to one minute and for each minute up to ten; 8 more for one that comes back.
func shutdownIndex(cmd string) (byte, bool) {
	delay, start, returns := strings.Cut(strings.TrimPrefix(cmd, "S"), "R")
	var n int
	tenths := strings.HasPrefix(delay, ".")
	rest := strings.TrimPrefix(delay, ".")
	if cmd == delay || !digits(rest) || returns && !digits(start) {
		return 0, false
	}
	fmt.Sscan(rest, &n)
	if !tenths {
		n *= 10
	}
	n = min(max(n, 5), 100)
	index := 0x10 + (n-5)*0x10
	if n >= 10 {
		index = 0x60 + (n/10-1)*0x10
	}
	if !returns || strings.Trim(start, "0") != "" {
		index += 8
	}
	return byte(index), true
}

// answer fetches a text until it says something.
func (t texts) answer(e env.Env, l *link, x coded) ([]byte, error) {
	err := errSilent
	until := e.Now().Add(replyTime)
	for try := 0; try < t.tries && (try == 0 || e.Now() < until); try++ {
		var line []byte
		line, err = t.fetch(e, l, x.index)
		switch {
		case errors.Is(err, errDamaged):
			continue
		case err != nil:
			return nil, err
		case strings.EqualFold(string(line), noAck):
			err = errSilent
			continue
		case x.lead == blank:
			return nil, nil
		case x.lead != 0 && len(line) > 0:
			line[0] = x.lead
		}
		return line, nil
	}
	return nil, err
}

// errDamaged is for a text that is not as long as it says.
var errDamaged = fmt.Errorf("%w: a string of another length than it says", ErrMalformed)

// fetch fetches one text, in the language that is known, or the one that the device names.
func (t texts) fetch(e env.Env, l *link, index byte) ([]byte, error) {
	lang, size := t.lang, t.size
	if lang == 0 {
		p, err := l.descriptor(e, standard(stringDescriptor, 0, 0), languageSize)
		switch {
		case errors.Is(err, transport.ErrTimeout):
			return nil, fmt.Errorf("%w: %w", errUntaken, err)
		case err != nil:
			return nil, err
		case len(p) < languageSize:
			return nil, fmt.Errorf("%w: languages %x", ErrMalformed, p)
		}
		lang, size = uint16(p[2])|uint16(p[3])<<8, mostText
	}
	begin := e.Now()
	p, err := l.descriptor(e, standard(stringDescriptor, index, lang), size)
	l.sent = l.mayHave(e, begin, err) // the request for the text is the command
	switch {
	case err != nil:
		return nil, err
	case p[0] < 2 || len(p) < int(p[0]) || t.lang != 0 && len(p) != int(p[0]):
		return nil, fmt.Errorf("%w: %x", errDamaged, p)
	case p[0] < 4:
		return nil, errSilent
	}
	return upTo(latin(p[2:p[0]])), nil
}

// latin is UTF-16 in single bytes; what is no ASCII becomes a question mark.
func latin(p []byte) []byte {
	var line []byte
	for pair := range slices.Chunk(p, 2) {
		switch {
		case len(pair) < 2:
		case pair[1] != 0 || pair[0] >= 0x80:
			line = append(line, '?')
		default:
			line = append(line, pair[0])
		}
	}
	return line
}

// hunnoxTexts want to be asked for other texts in between, in a certain order, before they answer.
// The order was seen on the wire of the maker's own program.
type hunnoxTexts struct {
	texts
	noVendor bool
	step     int
}

// hunnoxTurns are the indexes that are fetched once before the first command, and in turn before
// each that asks for another one.
var (
	hunnoxFirst = []byte{0x00, 0x00, 0x01}
	hunnoxTurns = []byte{0x0d, 0x03, 0x0c}
)

func (t *hunnoxTexts) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	x, _ := t.find(cmd)
	if err := t.dance(e, l, x.index); err != nil {
		return nil, err
	}
	return t.answer(e, l, x)
}

// dance fetches the texts that are due. What they say, and whether, means nothing.
func (t *hunnoxTexts) dance(e env.Env, l *link, asked byte) error {
	lang := max(t.lang, english)
	step := t.step
	t.step = step%len(hunnoxTurns) + 1
	if step == 0 {
		for _, index := range hunnoxFirst {
			err := gone(l.descriptor(e, standard(stringDescriptor, index, lang), 1026))
			if err != nil {
				return err
			}
		}
		return e.Sleep(10 * time.Millisecond)
	}
	index := hunnoxTurns[step-1]
	if index == asked || index == 0x0c && t.noVendor {
		return nil
	}
	return gone(l.descriptor(e, standard(stringDescriptor, index, lang), t.size))
}

// gone is the error of a transfer whose outcome does not matter while the device is there.
func gone(_ []byte, err error) error {
	if errors.Is(err, transport.ErrGone) || errors.Is(err, env.ErrStopped) {
		return err
	}
	return nil
}

// snr are texts that are only right after a read of the interrupt endpoint.
type snr struct{ texts }

func (s snr) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	if _, err := l.read(e, 0x81, 102, e.Now().Add(readTime)); gone(nil, err) != nil {
		return nil, err
	}
	return s.texts.talk(e, l, cmd)
}
