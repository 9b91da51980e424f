package nut

import (
	"math/bits"
	"slices"
	"strings"
)

// Status is a set of the standard words of ups.status.
type Status uint32

// The words, in the order in which [Status.String] writes them. What a driver reports beyond them
// is kept as text by [ParseStatus].
const (
	FSD     Status = 1 << iota // forced shutdown: the load is about to lose power
	ALARM                      // at least one alarm is active; ups.alarm says which
	OL                         // on line power
	OB                         // on battery
	LB                         // battery is low
	HB                         // battery voltage is high
	RB                         // battery needs to be replaced
	CHRG                       // battery is charging
	DISCHRG                    // battery is discharging
	BYPASS                     // the load is fed around the inverter: powered, not protected
	CAL                        // runtime calibration: on battery by intent
	OFF                        // the output is switched off
	OVER                       // overloaded
	TRIM                       // lowering a high input voltage
	BOOST                      // raising a low input voltage
	ECO                        // economy mode of the vendor
)

// words are the standard words by bit.
var words = [...]string{"FSD", "ALARM", "OL", "OB", "LB", "HB", "RB", "CHRG", "DISCHRG", "BYPASS",
	"CAL", "OFF", "OVER", "TRIM", "BOOST", "ECO"}

// ParseStatus reads a value of ups.status, whose words are compared without regard to letter case.
// Words that are not standard come back as they were written, once each, in their order.
func ParseStatus(text string) (s Status, unknown []string) {
	for word := range strings.FieldsSeq(text) {
		i := slices.IndexFunc(words[:], func(w string) bool { return strings.EqualFold(w, word) })
		switch {
		case i >= 0:
			s |= 1 << i
		case !slices.Contains(unknown, word):
			unknown = append(unknown, word)
		}
	}
	return s, unknown
}

// Has reports whether all words of the set are in s.
func (s Status) Has(set Status) bool { return s&set == set }

// Any reports whether at least one word of the set is in s.
func (s Status) Any(set Status) bool { return s&set != 0 }

// String is the value of ups.status that has these words.
func (s Status) String() string {
	list := make([]string, 0, bits.OnesCount32(uint32(s)))
	for i, w := range words {
		if s&(1<<i) != 0 {
			list = append(list, w)
		}
	}
	return strings.Join(list, " ")
}
