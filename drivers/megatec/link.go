package megatec

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// errVanished is for a device that was unplugged, or has switched its own bridge off, after it had
// the whole command.
var errVanished = errors.New("the device went away after the command")

// errUntaken is for a command that the bridge did not take: that there is no answer to it says
// nothing.
var errUntaken = errors.New("the bridge does not take the command")

// A bridge is the kind of an adapter from USB to the serial line of the family. Nothing on the wire
// tells one kind from another.
type bridge struct {
	name string
	// in is the endpoint from which replies come; 0 when they come otherwise.
	in byte
	// start returns what carries the exchanges of one open device.
	start func(bridgeOptions) talker
}

// A talker carries exchanges over one kind of bridge. cmd and line are without CR; a device that
// says nothing is errSilent.
type talker interface {
	talk(e env.Env, l *link, cmd string) (line []byte, err error)
}

// bridgeOptions are the options that some bridges heed.
type bridgeOptions struct {
	lang     uint16 // langid_fix; 0: the language is asked for
	noVendor bool
}

// errSilent is a reply that did not come, as the bridge tells it.
var errSilent = fmt.Errorf("%w: the bridge has no reply", transport.ErrTimeout)

// Times of the transfers. readTime is that of one packet, replyTime that of a whole reply.
const (
	readTime  = time.Second
	replyTime = 3 * time.Second
	drainTime = 100 * time.Millisecond
)

// drainSize is no less than any packet.
const drainSize = 64

// maxStrikes is how many transfers in a row may stall, overflow or fail for no known reason before
// the device is reset, or opened anew.
const maxStrikes = 3

// A link is one open bridge: the carrier over USB.
type link struct {
	usb    transport.USB
	in     byte // endpoint of replies; 0: none
	talker talker
	debug  func(level int, format string, args ...any)

	doubtful bool // something older may still come
	sent     bool // the device may have the whole command of this exchange
	raw      int  // size of its reply, see cut
	stuck    bool // it did not take what was sent last
	gone     bool
	strikes  int
}

func (l *link) Close() error { return l.usb.Close() }
func (l *link) doubt()       { l.doubtful = true }

// exchange implements carrier.
func (l *link) exchange(e env.Env, cmd string, size int) ([]byte, error) {
	if !l.carries(cmd) {
		return nil, errCarry
	}
	if t, ok := l.talker.(curious); ok {
		if err := t.learn(e, l); err != nil {
			return nil, err
		}
	}
	l.sent = false
	if l.doubtful && l.in != 0 {
		if err := l.drain(e, l.in, 64, drainSize, drainTime); err != nil {
			return nil, err
		}
	}
	l.doubtful, l.raw = false, size
	line, err := l.talker.talk(e, l, cmd)
	if err == nil {
		l.strikes = 0
		return line, nil
	}
	l.doubt()
	if l.stuck && errors.Is(err, transport.ErrTimeout) {
		err = fmt.Errorf("%w: %w", errUntaken, err)
	}
	return nil, l.repair(e, err)
}

// settle implements carrier: it asks for the languages, which tells a device that is gone, or dead,
// from one that obeys without a word.
func (l *link) settle(e env.Env) error {
	l.doubt()
	_, err := l.descriptor(e, standard(stringDescriptor, 0, 0), languageSize)
	switch {
	case errors.Is(err, transport.ErrTimeout):
		l.stuck = true
	case l.in == 0:
		l.stuck = false
	}
	return gone(nil, err)
}

// repair does what can be done about a failed transfer. The device is opened anew when its error
// wraps ErrGone.
func (l *link) repair(e env.Env, err error) error {
	switch {
	case errors.Is(err, transport.ErrGone) && l.sent && !l.gone:
		l.gone = true
		return fmt.Errorf("%w: %w", errVanished, err)
	case errors.Is(err, transport.ErrGone), errors.Is(err, env.ErrStopped),
		errors.Is(err, transport.ErrTimeout), errors.Is(err, ErrMalformed):
		return err
	case errors.Is(err, transport.ErrStall):
		if l.in == 0 {
			l.usb.ClearHalt(e, 0x81) // a refused request says nothing about the next
			return err
		}
		if l.strikes++; l.strikes < maxStrikes && l.usb.ClearHalt(e, l.in) == nil {
			l.debug(1, "stall cleared")
			return err
		}
	default:
		if l.strikes++; l.strikes < maxStrikes {
			return err
		}
	}
	l.debug(1, "reset after %v", err)
	l.usb.Reset(e) // whether it helps shows when the device is opened again
	return fmt.Errorf("%w: reset after %w", transport.ErrGone, err)
}

// send sends a command by control transfers, in pieces filled up with zeros; piece 0 sends it
// whole.
func (l *link) send(e env.Env, s transport.USBSetup, cmd []byte, piece int,
	within time.Duration) error {
	if piece == 0 {
		piece = len(cmd)
	}
	for at := 0; at < len(cmd); at += piece {
		report := make([]byte, piece)
		copy(report, cmd[at:])
		begin := e.Now()
		_, err := l.usb.Control(e, s, report, l.patience(e, within))
		l.sent = at+piece >= len(cmd) && l.mayHave(e, begin, err)
		if l.stuck = errors.Is(err, transport.ErrTimeout); err != nil {
			return err
		}
	}
	return nil
}

// write sends a command as one interrupt transfer.
func (l *link) write(e env.Env, endpoint byte, packet []byte, within time.Duration) error {
	begin := e.Now()
	_, err := l.usb.Interrupt(e, endpoint, packet, l.patience(e, within))
	l.sent = l.mayHave(e, begin, err)
	l.stuck = errors.Is(err, transport.ErrTimeout)
	return err
}

// mayHave reports whether the device may have what was sent to it: one that goes away at once may
// obey before it has said that it has it, and one that went away after it had taken nothing for a
// while has not.
func (l *link) mayHave(e env.Env, begin env.Instant, err error) bool {
	quick := !l.stuck && e.Now().Sub(begin) < drainTime
	return err == nil || quick && errors.Is(err, transport.ErrGone)
}

// patience is the deadline of a transfer that sends. A bridge that did not take the last one is
// not waited for so long again, lest it take half a minute until the data is called stale.
func (l *link) patience(e env.Env, within time.Duration) env.Instant {
	if l.stuck {
		within = min(within, readTime)
	}
	return e.Now().Add(within)
}

// read fetches one packet of at most size bytes.
func (l *link) read(e env.Env, endpoint byte, size int, until env.Instant) ([]byte, error) {
	if e.Now() > until { // there may be packets without end
		return nil, transport.ErrTimeout
	}
	buf := make([]byte, size)
	n, err := l.usb.Interrupt(e, endpoint, buf, until)
	if err == nil && n == 0 {
		err = errSilent
	}
	return buf[:n], err
}

// line fetches packets of at most size bytes until one has a CR.
func (l *link) line(e env.Env, size int) ([]byte, error) {
	var reply []byte
	for until := e.Now().Add(replyTime); len(reply) <= maxReply; {
		p, err := l.read(e, l.in, size, min(until, e.Now().Add(readTime)))
		reply = append(reply, p...) // also of a transfer that has waited for more
		if line, ok := cut(reply, l.raw); ok {
			return line, nil
		}
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", reply, err)
		}
	}
	return nil, endless(reply)
}

// drain drops what waits to be fetched, in up to so many transfers, until nothing comes for a
// while. What is wrong with the device will show in the exchange that follows. What waits comes at
// once: a device that goes on sending does not keep the driver from finding out that it is mad. The
// error is that of a device that is gone.
func (l *link) drain(e env.Env, endpoint byte, most, size int, within time.Duration) error {
	until := e.Now().Add(readTime)
	for range most {
		p, err := l.read(e, endpoint, size, min(until, e.Now().Add(within)))
		if errors.Is(err, transport.ErrStall) {
			l.usb.ClearHalt(e, endpoint)
		}
		if err != nil && len(p) == 0 {
			return gone(nil, err)
		}
		l.debug(4, "dropped %q", p)
	}
	return nil
}

// Requests to the device (USB 2.0, 9.4; HID 1.11, 7.2).
const (
	getDescriptor    = 0x06
	configDescriptor = 2
	stringDescriptor = 3
	getReport        = 0x01
	setReport        = 0x09

	languageSize = 4 // of string 0, up to the first language
)

// standard is a request for a descriptor.
func standard(kind, index byte, lang uint16) transport.USBSetup {
	return transport.USBSetup{RequestType: 0x80, Request: getDescriptor,
		Value: uint16(kind)<<8 | uint16(index), Index: lang}
}

// descriptor fetches at most size bytes of a descriptor.
func (l *link) descriptor(e env.Env, s transport.USBSetup, size int) ([]byte, error) {
	buf := make([]byte, size)
	n, err := l.usb.Control(e, s, buf, e.Now().Add(readTime))
	if err == nil && n == 0 {
		err = errSilent
	}
	return buf[:n], err
}

// errCarry is for commands that a bridge has no form for: nothing is sent.
var errCarry = fmt.Errorf("%w: the USB bridge cannot carry it", errRefused)

// A picky talker is one of a bridge that cannot carry all commands.
type picky interface {
	carries(cmd string) bool
}

// A curious talker asks the device something before it first carries a command.
type curious interface {
	learn(e env.Env, l *link) error
}

// carries implements carrier.
func (l *link) carries(cmd string) bool {
	t, ok := l.talker.(picky)
	return !ok || t.carries(cmd)
}

// upTo is p up to the first CR or NUL.
func upTo(p []byte) []byte {
	if end := bytes.IndexAny(p, "\r\x00"); end >= 0 {
		return p[:end]
	}
	return p
}
