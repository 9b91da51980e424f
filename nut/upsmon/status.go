package upsmon

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
)

// loud are the words that make every poll count: something is announced or decided while they last,
// not only when they come and go.
const loud = nut.OB | nut.FSD | nut.RB | nut.CAL | nut.OFF | nut.BYPASS | nut.ALARM | nut.OVER

// A Status is one ups.status, taken apart.
type Status struct {
	Text  string
	Words nut.Status
	// Battery: of OL and OB, the one that comes last is OB. A sane status has one of them.
	Battery bool
	// Other are the words that nobody knows, in their order, separated by blanks.
	Other string
	order []nut.Status // the known words, in their order
}

// ParseStatus takes a status apart. It is never wrong: words are compared whole, in any letter case,
// and what is not known is kept.
func ParseStatus(text string) Status {
	s := Status{Text: text}
	for word := range strings.FieldsSeq(text) {
		w, other := nut.ParseStatus(word)
		switch {
		case len(other) > 0 && s.Other == "":
			s.Other = word
		case len(other) > 0:
			s.Other += " " + word
		case !s.Words.Has(w):
			s.order = append(s.order, w)
		}
		s.Words |= w
		if w == nut.OL || w == nut.OB {
			s.Battery = w == nut.OB
		}
	}
	return s
}

// Empty reports a status without any word, which is none.
func (s Status) Empty() bool { return s.Words == 0 && s.Other == "" && strings.TrimSpace(s.Text) == "" }

// Calm reports that nothing remains to be done while this status repeats itself.
func (s Status) Calm() bool { return !s.Words.Any(loud) }

// low reports on battery with a low battery.
func (s Status) low() bool { return s.Battery && s.Words.Has(nut.LB) }
