package driver

import (
	"slices"
	"strconv"

	"github.com/blackstart-ups/blackstart/nut/state"
)

// lowPairs are the variables that decide about LB under ignorelb, and their limits. The first
// pair of which both are there decides.
var lowPairs = []struct{ value, limit string }{
	{"battery.charge", "battery.charge.low"},
	{"battery.runtime", "battery.runtime.low"},
}

// lowByValues replaces the device's opinion about LB by what the variables say.
func lowByValues(words []string, value func(string) string) []string {
	words = slices.DeleteFunc(words, func(w string) bool { return w == "LB" })
	for _, p := range lowPairs {
		now, limit := value(p.value), value(p.limit)
		if now != "" && limit != "" && state.Int(now) < state.Int(limit) {
			return append(words, "LB")
		}
	}
	return words
}

// canJudge reports whether ignorelb has anything to go by.
func canJudge(value func(string) string) bool {
	return slices.ContainsFunc(lowPairs, func(p struct{ value, limit string }) bool {
		return value(p.value) != "" && value(p.limit) != ""
	})
}

// A trend deduces CHRG and DISCHRG for devices that say neither, from a charge that moves: up on
// line power, down on battery. The other two prove nothing, since the charge is often a guess
// from a voltage that the load moves as well. A word that was deduced stays until the battery is
// full or the UPS changes sides, so that a guess that trembles does not make the status tremble.
type trend struct {
	last float64
	word string
}

// note takes the present charge and the words of the device, and returns the word to add, if any.
func (t *trend) note(charge string, words []string) string {
	now, err := strconv.ParseFloat(charge, 64)
	known := slices.Contains(words, "CHRG") || slices.Contains(words, "DISCHRG")
	if err != nil || known || now >= 100 {
		*t = trend{last: now}
		return ""
	}
	word, moved := "CHRG", now > t.last && t.last > 0
	if slices.Contains(words, "OB") {
		word, moved = "DISCHRG", now < t.last
	}
	if !moved && t.word != word {
		word = ""
	}
	*t = trend{last: now, word: word}
	return word
}
