package megatec

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMalformed is for a reply that is not what was asked for, or that the line has damaged.
var ErrMalformed = errors.New("malformed reply")

// Status is one reply to Q1. Numbers that the device left out are absent.
type Status struct {
	Input, Fault, Output milli // volts
	Load                 milli // percent
	Frequency            milli // hertz
	Battery              milli // volts, of the pack, of one block or of one cell
	Temperature          milli // degrees Celsius
	Bits                 Bits
}

// Bits are the status bits of a reply, the leftmost the highest.
type Bits uint8

// The bits by their meaning.
const (
	UtilityFail Bits = 1 << (7 - iota)
	BatteryLow
	Regulating // boosts, bucks or bypasses, depending on the voltages
	Failed     // the self test failed
	Standby    // of the offline or line-interactive type
	Testing
	ShuttingDown
	BeeperOn
)

// critical are the bits that can bring down hosts.
const critical = UtilityFail | BatteryLow | ShuttingDown

// q1 lists the numbers of a reply in wire order, with the range outside which a value is taken
// for noise on the line, and the variable it becomes.
var q1 = []struct {
	name     string
	dst      func(*Status) *milli
	min, max milli
	variable string
	decimals int
}{
	{name: "input voltage", dst: func(s *Status) *milli { return &s.Input },
		max: 600e3, variable: "input.voltage", decimals: 1},
	{name: "fault voltage", dst: func(s *Status) *milli { return &s.Fault },
		max: 600e3, variable: "input.voltage.fault", decimals: 1},
	{name: "output voltage", dst: func(s *Status) *milli { return &s.Output },
		max: 600e3, variable: "output.voltage", decimals: 1},
	{name: "load", dst: func(s *Status) *milli { return &s.Load },
		max: 300e3, variable: "ups.load"},
	{name: "frequency", dst: func(s *Status) *milli { return &s.Frequency },
		max: 100e3, variable: "input.frequency", decimals: 1},
	{name: "battery voltage", dst: func(s *Status) *milli { return &s.Battery },
		max: 999e3, variable: "battery.voltage", decimals: 2},
	{name: "temperature", dst: func(s *Status) *milli { return &s.Temperature },
		min: -40e3, max: 150e3, variable: "ups.temperature", decimals: 1},
}

// ParseStatus decodes one reply to Q1, without its CR.
func ParseStatus(line []byte) (Status, error) {
	body, ok := strings.CutPrefix(string(line), "(")
	words := strings.Fields(body)
	if !ok || len(words) != len(q1)+1 {
		return Status{}, fmt.Errorf("%w: want '(' and %d words: %q", ErrMalformed, len(q1)+1, line)
	}
	var s Status
	for i, f := range q1 {
		v, err := parseMilli(words[i])
		if err != nil || v != absent && (v < f.min || v > f.max) {
			return Status{}, fmt.Errorf("%w: %s %q in %q: want %s to %s",
				ErrMalformed, f.name, words[i], line, f.min.text(0), f.max.text(0))
		}
		*f.dst(&s) = v
	}
	bits, err := parseBits(words[len(q1)])
	if err != nil {
		return Status{}, fmt.Errorf("%w: %w in %q", ErrMalformed, err, line)
	}
	s.Bits = bits
	return s, nil
}

func parseBits(word string) (Bits, error) {
	if len(word) != 8 || strings.Trim(word, "01") != "" {
		return 0, fmt.Errorf("status bits %q: want eight of 0 and 1", word)
	}
	var b Bits
	for i := range len(word) {
		b = b<<1 | Bits(word[i]-'0')
	}
	return b, nil
}

// Words are the words of ups.status that a reading stands for.
func (s Status) Words(ignoreShutdown bool) []string {
	words := []string{"OL"}
	if s.Bits&UtilityFail != 0 {
		words[0] = "OB"
	}
	if s.Bits&BatteryLow != 0 {
		words = append(words, "LB")
	}
	if w := s.regulation(); w != "" {
		words = append(words, w)
	}
	if s.Bits&Testing != 0 {
		words = append(words, "CAL")
	}
	if s.Bits&ShuttingDown != 0 && !ignoreShutdown {
		words = append(words, "FSD")
	}
	return words
}

// ratios tells from output/input in percent what a regulating UPS does. Outside them the device
// contradicts itself, as it may for a moment at a transfer, and nothing is said.
var ratios = []struct {
	below milli
	word  string
}{
	{50, ""}, {95, "TRIM"}, {105, "BYPASS"}, {150, "BOOST"},
}

func (s Status) regulation() string {
	if s.Bits&Regulating == 0 || s.Bits&UtilityFail != 0 || s.Input <= 0 || s.Output < 0 {
		return ""
	}
	for _, r := range ratios {
		if s.Output*100 < r.below*s.Input {
			return r.word
		}
	}
	return ""
}

// Alarms are the texts of ups.alarm.
func (s Status) Alarms(ignoreShutdown bool) []string {
	var texts []string
	if s.Bits&Failed != 0 {
		texts = append(texts, "UPS selftest failed!")
	}
	if s.Bits&ShuttingDown != 0 && !ignoreShutdown {
		texts = append(texts, "Shutdown imminent!")
	}
	return texts
}

// confirm returns a second reading with those critical bits taken back that are new in it and
// that the first reading did not have: of two replies in a row noise damages one.
func confirm(known Bits, first, second Status) Status {
	unconfirmed := second.Bits & critical &^ known &^ first.Bits
	second.Bits &^= unconfirmed
	return second
}

// alarming reports whether a reading newly reports something that can bring down hosts.
func (s Status) alarming(known Bits) bool { return s.Bits&critical&^known != 0 }
