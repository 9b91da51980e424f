package megatec

import "fmt"

// gtec tells its state in letters, behind the numbers of Q4.
//
//	> Q4
//	< (230.0 000.0 000.0 230.0 230.0 000 014 50.0 000 000 054.6 25.0 M...
//	   input V, two more, fault V, output V, unused, load, Hz, unused, battery V, temperature,
//	   letters
var gtec = dialect{name: "gtec", title: "Gtec",
	status: query{send: "Q4", read: columns("(", 63,
		volts("input.voltage").keep(input).at(1, 5),
		volts("input.voltage.fault").keep(fault).at(19, 23),
		volts("output.voltage").keep(output).at(25, 29),
		percent("ups.load").keep(load).at(35, 37),
		hertz("input.frequency").keep(frequency).at(39, 42),
		battery("battery.voltage").keep(pack).at(52, 56),
		celsius("ups.temperature").keep(temperature).at(58, 61),
		field{name: "letters", take: gtecLetters}.at(63, 0),
	)},
	claim:  []query{askVendor},
	once:   []query{askRating, askVendor},
	orders: usualOrders, settings: usualDelays,
}

// gtecStates are the letters: bits, a word of ups.status, an alarm.
var gtecStates = [...]struct {
	bits        Bits
	word, alarm string
	letter      rune
}{
	{letter: 'A', bits: UtilityFail},
	{letter: 'B', bits: BatteryLow},
	{letter: 'C', word: "BYPASS"},
	{letter: 'D', alarm: "UPS failed!"},
	{letter: 'E', bits: Testing},
	{letter: 'F', bits: ShuttingDown},
	{letter: 'G', alarm: "Site fault!"},
	{letter: 'H', alarm: "EPROM fault!"},
	{letter: 'I'}, // the last test was fine
	{letter: 'J', word: "RB", alarm: "Battery test failed!"},
	{letter: 'K', alarm: "Battery disconnected!"},
	{letter: 'L'}, // no test was made
	{letter: 'M'}, // on line power
	{letter: 'N', word: "OVER"},
	{letter: 'P', alarm: "Battery disconnected!"},
}

func gtecLetters(word string, r *reading) error {
	for _, c := range word {
		if c < 'A' || c > 'P' {
			return fmt.Errorf("letters %q: want A to P", word)
		}
		for _, s := range gtecStates {
			if s.letter != c {
				continue
			}
			r.Bits |= s.bits
			if s.word != "" {
				r.say(s.word)
			}
			if s.alarm != "" {
				r.alarm(s.alarm)
			}
		}
	}
	return nil
}
