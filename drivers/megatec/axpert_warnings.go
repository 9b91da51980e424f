package megatec

import "strings"

// axpertWarnings are the bits of QPIWS of the protocol PI30, from the left. What a word of
// ups.status says has no text; nor has the sun that is gone, which is no alarm at night. (NUT reads
// these bits by the table of another protocol of the maker, PI16, in which low battery is the bit
// that here is reserved.)
var axpertWarnings = [...]struct {
	bits       Bits
	word, text string
}{
	1:  {text: "Inverter fault."},
	2:  {text: "Bus voltage too high."},
	3:  {text: "Bus voltage too low."},
	4:  {text: "Bus soft start failed."},
	5:  {}, // line fail: the mode says it
	6:  {text: "Output short circuit."},
	7:  {text: "Inverter voltage too low."},
	8:  {text: "Inverter voltage too high."},
	9:  {text: "Over temperature."},
	10: {text: "Fan locked."},
	11: {text: "Battery voltage too high."},
	12: {bits: BatteryLow},
	14: {bits: BatteryLow, text: "Battery below its shutdown voltage."},
	16: {word: "OVER"},
	17: {text: "EEPROM fault."},
	18: {text: "Inverter over current."},
	19: {text: "Inverter soft start failed."},
	20: {text: "Self test failed."},
	21: {text: "DC voltage at the output."},
	22: {text: "Battery open."},
	23: {text: "Current sensor failed."},
	24: {text: "Battery short circuit."},
	25: {text: "Power limited."},
	26: {text: "Solar voltage too high."},
	27: {text: "Solar charger stopped by overload."},
	28: {text: "Solar charger overloaded."},
	29: {text: "Battery too low to be charged."},
}

// readAxpertWarnings reads the bits, at least those up to self test; newer firmware has more. A
// dash is a bit that the device does not know.
func readAxpertWarnings(word string, r *reading) error {
	word = strings.ReplaceAll(word, "-", "0")
	if err := flags(word, max(len(word), 24)); err != nil {
		return err
	}
	var texts []string
	for at, w := range axpertWarnings[:min(len(axpertWarnings), len(word))] {
		if word[at] == '0' {
			continue
		}
		r.Bits |= w.bits
		if w.word != "" {
			r.say(w.word)
		}
		if w.text != "" {
			texts = append(texts, w.text)
		}
	}
	if len(texts) > 0 {
		r.alarm("Device warnings: " + strings.Join(texts, " "))
	}
	return nil
}
