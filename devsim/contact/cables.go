package contact

import "strings"

// cables are the models, by the number under which their cable is known. Letters are lines: D for
// DTR, R for RTS; C for CTS, L for DCD (carrier), I for RI, S for DSR. A capital letter is a line
// that is up, a small one a line that is down.
var cables = []struct {
	supply string // outputs that must be up for the cable to work
	line   string // input, and its level, on line power
	low    string // input, and its level, with a low battery
	kill   string // levels of the outputs that mean: off; "break"; "" for a unit that cannot
}{
	0:  {"DR", "c", "L", "Rd"}, // RTS alone
	1:  {"D", "i", "L", "R"},
	2:  {"R", "c", "L", "DR"},
	3:  {"D", "c", "L", "DR"},
	4:  {"R", "C", "l", "dr"},
	5:  {"D", "C", "l", "DR"},
	6:  {"D", "C", "l", "R"},
	7:  {"R", "C", "l", "D"},
	8:  {"D", "C", "l", ""},
	9:  {"", "l", "C", "R"},
	10: {"R", "C", "l", "D"},
	11: {"D", "c", "l", "break"},
	12: {"R", "c", "L", "D"},
	13: {"DR", "L", "c", "break"},
	14: {"D", "L", "c", "R"},
	15: {"D", "C", "l", "break"},
	16: {"DR", "C", "l", ""},
	17: {"D", "C", "l", ""},
	18: {"D", "C", "L", ""},
	19: {"D", "C", "l", "R"},
	20: {"D", "c", "L", "break"},
	21: {"R", "C", "l", "DR"},
	22: {"R", "C", "l", "D"},
	23: {"R", "C", "l", "dr"}, // and RI down for a bad battery, DSR down on bypass
}

// Types is how many models there are.
func Types() int { return len(cables) }

// levels reads a word of the table: is the line named, and is it to be up?
func level(word string, line byte) (named, up bool) {
	upper := strings.IndexByte(word, line) >= 0
	lower := strings.IndexByte(word, line|0x20) >= 0
	return upper || lower, upper
}
