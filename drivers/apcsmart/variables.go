package apcsmart

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A format says what an answer looks like and what becomes of it.
type format int

const (
	text    format = iota // as it is
	decimal               // a number, as it is
	hexByte               // two hexadecimal digits, as they are
	hours                 // whole hours, published in seconds; or a word
	minutes               // whole minutes and maybe a colon, published in seconds
	reason                // a letter, published in words
)

// A variable is read by one command.
type variable struct {
	name   string
	cmd    string // one character, or two of the second set
	format format
	poll   bool // changes by itself
	// packed answers are up to four values with commas; their variables have a number for .0.
	packed bool
	// like is what an answer must look like where two variables share a command.
	like *regexp.Regexp
	// size is the length of a text that can be written; 0 is none.
	size int
}

// variables are all that are known, in the order in which the C driver reads them.
var variables = []variable{
	{name: "ups.temperature", cmd: "C", format: decimal, poll: true},
	{name: "ups.load", cmd: "P", format: decimal, poll: true},
	{name: "ups.test.interval", cmd: "E", format: hours},
	{name: "ups.test.result", cmd: "X", poll: true},
	{name: "ups.delay.start", cmd: "r", format: decimal},
	{name: "ups.delay.shutdown", cmd: "p", format: decimal},
	{name: "ups.id", cmd: "c", size: textSize},
	{name: "ups.contacts", cmd: "i", format: hexByte, poll: true},
	{name: "ups.display.language", cmd: "\x0c"},
	{name: "input.voltage", cmd: "L", format: decimal, poll: true},
	{name: "input.frequency", cmd: "F", format: decimal, poll: true},
	{name: "input.sensitivity", cmd: "s"},
	{name: "input.quality", cmd: "9", format: hexByte, poll: true},
	{name: "input.transfer.low", cmd: "l", format: decimal},
	{name: "input.transfer.high", cmd: "u", format: decimal},
	{name: "input.transfer.reason", cmd: "G", format: reason, poll: true},
	{name: "input.voltage.maximum", cmd: "M", format: decimal, poll: true},
	{name: "input.voltage.minimum", cmd: "N", format: decimal, poll: true},
	{name: "output.current", cmd: "/", format: decimal, poll: true},
	{name: "output.voltage", cmd: "O", format: decimal, poll: true},
	{name: "output.voltage.nominal", cmd: "o", format: decimal},
	{name: "ambient.humidity", cmd: "h", format: decimal, poll: true},
	{name: "ambient.0.humidity", cmd: "H", poll: true, packed: true},
	{name: "ambient.0.humidity.high", cmd: "{", poll: true, packed: true},
	{name: "ambient.0.humidity.low", cmd: "}", poll: true, packed: true},
	{name: "ambient.temperature", cmd: "t", format: decimal, poll: true},
	{name: "ambient.0.temperature", cmd: "T", poll: true, packed: true,
		like: regexp.MustCompile(`^[0-9]{2}\.[0-9]{2}$`)},
	{name: "ambient.0.temperature.high", cmd: "[", poll: true, packed: true},
	{name: "ambient.0.temperature.low", cmd: "]", poll: true, packed: true},
	{name: "battery.date", cmd: "x", size: textSize},
	{name: "battery.charge", cmd: "f", format: decimal, poll: true},
	{name: "battery.charge.restart", cmd: "e", format: decimal},
	{name: "battery.voltage", cmd: "B", format: decimal, poll: true},
	{name: "battery.voltage.nominal", cmd: "g", format: decimal},
	{name: "battery.runtime", cmd: "j", format: minutes, poll: true},
	{name: "battery.runtime.low", cmd: "q", format: minutes},
	{name: "battery.packs", cmd: ">", format: decimal},
	{name: "battery.packs.bad", cmd: "<", format: decimal},
	{name: "battery.alarm.threshold", cmd: "k"},
	{name: "device.uptime", cmd: "T", format: hours, poll: true,
		like: regexp.MustCompile(`^[0-9]{3}\.[0-9]$`)},
	{name: "ups.serial", cmd: "n"},
	{name: "ups.mfr.date", cmd: "m"},
	{name: "ups.model", cmd: "\x01"},
	{name: "ups.firmware.aux", cmd: "v"},
	{name: "ups.firmware", cmd: "b",
		like: regexp.MustCompile(`^[[:alnum:]]+\.[[:alnum:]]+\.[[:alnum:]]+$`)},
	{name: "ups.firmware", cmd: "V"},
}

// second are the variables of the second set of commands, each two bytes. Where the first of them
// is there, F is the frequency of the output.
var second = []variable{
	{name: "input.frequency", cmd: "\x9f\xd3", format: decimal, poll: true},
	{name: "battery.current", cmd: "\x9f\xd4", format: decimal, poll: true},
}

// outputFrequency is F on devices that have the second set.
var outputFrequency = variable{name: "output.frequency", cmd: "F", format: decimal, poll: true}

// textSize is how many characters a text in the device's memory has.
const textSize = 8

// reasons are the meanings of the answer to G.
var reasons = map[string]string{
	"R": "unacceptable utility voltage rate of change",
	"H": "high utility voltage",
	"L": "low utility voltage",
	"T": "line voltage notch or spike",
	"O": "no transfers yet since turnon",
	"S": "simulated power failure or UPS test",
}

var (
	isDecimal = regexp.MustCompile(`^-?[0-9]{1,6}(\.[0-9]{0,3})?$`)
	isHexByte = regexp.MustCompile(`^[0-9A-Fa-f]{2}$`)
	isMinutes = regexp.MustCompile(`^[0-9]{1,5}:?$`)
	isText    = regexp.MustCompile(`^[ -~]*$`)
)

// looks are what answers look like.
var looks = map[format]*regexp.Regexp{
	text: isText, decimal: isDecimal, hexByte: isHexByte, hours: isText, minutes: isMinutes,
	reason: regexp.MustCompile(`^[A-Z]$`),
}

// accepts reports whether an answer can be one about v.
func (v variable) accepts(answer string) error {
	look := looks[v.format]
	if v.like != nil {
		look = v.like
	}
	if answer == "" || !look.MatchString(answer) {
		return fmt.Errorf("%w: %s (%s) %q", ErrMalformed, v.name, label(v.cmd), answer)
	}
	return nil
}

// publish is what is told of an answer.
func (v variable) publish(answer string) string {
	switch v.format {
	case hours:
		// OFF is never, ON is once after each switching on; parts of an hour do not count.
		whole, _, _ := strings.Cut(strings.TrimSpace(answer), ".")
		if whole == "OFF" {
			return "0"
		}
		if n, err := strconv.Atoi(whole); err == nil {
			return strconv.Itoa(n * 3600)
		}
	case minutes:
		if n, err := strconv.Atoi(strings.TrimSuffix(answer, ":")); err == nil {
			return strconv.Itoa(n * 60)
		}
	case reason:
		if words, ok := reasons[answer]; ok {
			return words
		}
	}
	return strings.TrimRight(answer, " ")
}

// values are what an answer tells, by the name of the variable. What a packed answer has no value
// for is "".
func (v variable) values(answer string) [][2]string {
	if !v.packed {
		return [][2]string{{v.name, v.publish(answer)}}
	}
	var all [][2]string
	for i, f := range strings.SplitN(answer, ",", maxPacked) {
		if f = strings.TrimSpace(f); f == "N/A" {
			f = ""
		}
		all = append(all, [2]string{strings.Replace(v.name, ".0.", fmt.Sprintf(".%d.", i+1), 1), f})
	}
	return all
}

// maxPacked is how many values a packed answer has at most.
const maxPacked = 4

// label writes a command for people.
func label(cmd string) string {
	var out strings.Builder
	for _, c := range []byte(cmd) {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&out, "0x%02x", c)
		} else {
			out.WriteByte(c)
		}
	}
	return out.String()
}
