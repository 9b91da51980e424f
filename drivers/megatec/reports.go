package megatec

import (
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// reports are the bridges that take a command by control transfers and give the reply as it comes
// from the serial line, by interrupt transfers.
type reports struct {
	to     transport.USBSetup
	piece  int           // bytes of one transfer, filled up with zeros; 0: the command in one
	within time.Duration // for one transfer
	size   int           // bytes asked for by one read
	single bool          // one read has the whole reply
	stale  int           // so many packets of older replies are dropped first, if they come
	mute   []string      // commands without a reply
}

// report is a request to set a HID report.
func report(value uint16) transport.USBSetup {
	return transport.USBSetup{RequestType: 0x21, Request: setReport, Value: value}
}

// Report 0 of type output, and what the bridges of some makers want in its place.
var (
	outReport     = report(0x0200)
	swappedReport = report(0x0002)
)

var (
	cypress = reports{to: outReport, piece: 8, within: 5 * time.Second, size: 8}
	phoenix = reports{to: outReport, piece: 8, within: time.Second, size: 8, stale: 8}
	ippon   = reports{to: swappedReport, piece: 8, within: time.Second, size: 64, single: true}
	// omronReports refuses a report that is not of its full length.
	omronReports = reports{to: swappedReport, piece: 16, within: time.Second,
		size: 64, single: true}
	gtecReports = reports{to: swappedReport, piece: 8, within: 5 * time.Second, size: 128}
	phoenixtec  = reports{to: transport.USBSetup{RequestType: 0x42, Request: 0x0d},
		within: time.Second, size: 511,
		mute: []string{"T", "TL", "S", "C", "CT", "M", "N", "O", "SRC", "FCLR", "SS", "TUD", "SSN"}}
)

func (r reports) talk(e env.Env, l *link, cmd string) ([]byte, error) {
	if err := l.drain(e, l.in, r.stale, r.size, readTime); err != nil {
		return nil, err
	}
	if err := l.send(e, r.to, []byte(cmd+"\r"), r.piece, r.within); err != nil {
		return nil, err
	}
	if r.silentOn(cmd) {
		return nil, errSilent
	}
	if !r.single {
		return l.line(e, r.size)
	}
	p, err := l.read(e, l.in, r.size, e.Now().Add(readTime))
	if line := upTo(p); err != nil || len(line) > 0 {
		return line, err
	}
	return nil, errSilent // NUL and CR
}

// silentOn reports whether a command is one of the mute ones, with or without an argument.
func (r reports) silentOn(cmd string) bool {
	for _, m := range r.mute {
		rest, ok := strings.CutPrefix(cmd, m)
		if ok && (rest == "" || rest[0] < 'A' || rest[0] > 'Z') { // M is not MSO
			return true
		}
	}
	return false
}
