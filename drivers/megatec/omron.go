package megatec

import (
	"fmt"
	"strings"
	"time"
)

// omron answers a short word to each of many questions. Its questions prove little, so it is not
// looked for on a serial line, but on USB where the maker is known.
//
//	> Bl ?
//	< 100                  charge
//	> RTS
//	< 0699                 minutes
//	> TPb
//	< +22.5                battery temperature
//	> Lf ?
//	< 49.9                 output Hz
//	> UN
//	< 1125W/1125VA/048V/160W/020W
//	> An, then S.5         off after half a minute, and on again; Af, then Sf.5: and not
//	< OK
var omron = dialect{name: "omron", title: "Omron", onRequest: true, vendorID: "0590",
	status: query{send: "Q1", read: words("(", append(q1[:len(q1):len(q1)],
		field{name: "status bits", take: omronBits})...)},
	once: []query{
		{send: "PSNR", kind: vendorQuery, read: columns("", 16, text("ups.serial").at(0, 0))},
		{send: "FWV", kind: vendorQuery, read: omronFirmware},
		{send: "BRR", kind: vendorQuery,
			read: columns("", 8, field{name: "date", take: omronDate}.at(0, 7))},
		{send: "UN", kind: ratingQuery, read: columns("", 26,
			number("ups.realpower.nominal", 9999e3, 0).at(0, 3),
			number("ups.power.nominal", 9999e3, 0).at(6, 9),
			battery("battery.voltage.nominal").with(0).at(13, 15))},
	},
	slow: []query{
		{send: "Bl ?", read: words("", charge("battery.charge").with(1))},
		{send: "RTS", read: words("", minutes("battery.runtime"))},
		{send: "TPb", read: columns("", 4, field{name: "temperature", take: signed}.at(0, 0))},
		{send: "Lf ?", read: words("", hertz("output.frequency"))},
	},
	orders: []order{
		{name: "shutdown.return", wire: func(c call) (string, error) {
			return "An\nS" + c.delay(), nil
		}},
		{name: "shutdown.stayoff", wire: func(c call) (string, error) {
			return "Af\nSf" + c.delay(), nil
		}},
		{name: "shutdown.stop", wire: plain("C")},
	},
	settings: usualDelays,
}

// omronBits are the bits of Q1 without boost or buck and beeper.
func omronBits(word string, r *reading) error {
	bits, err := parseBits(word)
	r.Bits = bits &^ (Regulating | BeeperOn)
	r.set("ups.type", choose(bits&Standby != 0, "offline / line interactive", "online"))
	return err
}

// omronFirmware reads M:0.17(S:2.00): of the main and of the second processor.
func omronFirmware(line []byte, r *reading) error {
	main, second, ok := strings.Cut(strings.TrimSuffix(string(line), ")"), "(")
	main, isMain := strings.CutPrefix(main, "M:")
	second, isSecond := strings.CutPrefix(second, "S:")
	if !ok || !isMain || !isSecond {
		return fmt.Errorf("%w: want M:...(S:...): %q", ErrMalformed, line)
	}
	r.set("ups.firmware", main)
	r.set("ups.firmware.aux", second)
	return nil
}

func omronDate(word string, r *reading) error {
	day, err := time.Parse("20060102", word)
	if err == nil {
		r.set("battery.date", day.Format(time.DateOnly))
	}
	return err
}

// signed is a temperature with its sign.
func signed(word string, r *reading) error {
	return celsius("battery.temperature").decode(strings.TrimPrefix(word, "+"), r)
}
