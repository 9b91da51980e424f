package megatec

import (
	"fmt"
	"slices"
)

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

// Where the numbers are kept that the driver's own rules want.
func input(s *Status) *milli       { return &s.Input }
func fault(s *Status) *milli       { return &s.Fault }
func output(s *Status) *milli      { return &s.Output }
func load(s *Status) *milli        { return &s.Load }
func frequency(s *Status) *milli   { return &s.Frequency }
func pack(s *Status) *milli        { return &s.Battery }
func temperature(s *Status) *milli { return &s.Temperature }

// q1 lists the numbers of a reply in wire order.
var q1 = []field{
	volts("input.voltage").keep(input),
	volts("input.voltage.fault").keep(fault),
	volts("output.voltage").keep(output),
	percent("ups.load").keep(load),
	hertz("input.frequency").keep(frequency),
	battery("battery.voltage").with(2).keep(pack),
	celsius("ups.temperature").keep(temperature),
}

// q1Bits is the last word, with all that its bits mean. Dialects take less of it.
var q1Bits = field{name: "status bits", take: func(word string, r *reading) error {
	bits, err := parseBits(word)
	if err != nil {
		return err
	}
	r.Bits = bits
	r.set("ups.type", choose(bits&Standby != 0, "offline / line interactive", "online"))
	r.set("ups.beeper.status", choose(bits&BeeperOn != 0, "enabled", "disabled"))
	return nil
}}

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// statusLine decodes a reply to Q1, and to QS and D of the dialects that call it so.
var statusLine = alive(words("(", append(slices.Clone(q1), q1Bits)...))

// bitsLine decodes a reply to Q1 of dialects whose other replies tell the numbers.
var bitsLine = alive(words("(", append(unseen(q1), q1Bits)...))

// alive refuses a reply in which nothing is measured. Some bridges fill a reply with zeros while
// they hear nothing from the UPS behind them, and its status bits then say that the mains are good.
func alive(read decoder) decoder {
	return func(line []byte, r *reading) error {
		if err := read(line, r); err != nil {
			return err
		}
		if r.Input == 0 && r.Output == 0 && r.Frequency == 0 && r.Battery == 0 {
			return fmt.Errorf("%w: neither input, output nor battery has a voltage: %q",
				ErrMalformed, line)
		}
		return nil
	}
}

func unseen(fields []field) []field {
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i] = fields[i].unseen()
	}
	return fields
}

// ParseStatus decodes one reply to Q1, without its CR.
func ParseStatus(line []byte) (Status, error) {
	var r reading
	if err := statusLine(line, &r); err != nil {
		return Status{}, err
	}
	return r.Status, nil
}

// parseBits reads eight bits. Of a unit that lowers the voltage a 2 is told; Regulating is the only
// place for it.
func parseBits(word string) (Bits, error) {
	if len(word) == 8 && word[2] == '2' {
		word = word[:2] + "1" + word[3:]
	}
	if err := flags(word, 8); err != nil {
		return 0, err
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
