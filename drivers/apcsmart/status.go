package apcsmart

import (
	"errors"
	"fmt"
	"strconv"
)

// ErrMalformed is for an answer that is not what was asked for, or that the line has damaged.
var ErrMalformed = errors.New("malformed answer")

// Status is the answer to Q.
type Status uint8

// The bits of a status. None at all means that the load is switched off.
const (
	Calibrating Status = 1 << iota
	Trimming
	Boosting
	OnLine
	OnBattery
	Overload
	BatteryLow
	ReplaceBattery
)

// words are the words of ups.status, in the order of the bits.
var words = []string{"CAL", "TRIM", "BOOST", "OL", "OB", "OVER", "LB", "RB"}

// ParseStatus decodes one answer to Q, without its end.
func ParseStatus(line []byte) (Status, error) {
	if len(line) != 2 {
		return 0, fmt.Errorf("%w: status %q: want two hexadecimal digits", ErrMalformed, line)
	}
	n, err := strconv.ParseUint(string(line), 16, 8)
	s := Status(n)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: status %q: want two hexadecimal digits", ErrMalformed, line)
	case s&OnLine != 0 && s&OnBattery != 0: // also what old ones say while they test their panel
		return 0, fmt.Errorf("%w: status %q: on line and on battery at once", ErrMalformed, line)
	}
	return s, nil
}

// Words are the words of ups.status that a status stands for.
func (s Status) Words() []string {
	if s == 0 {
		return []string{"OFF"}
	}
	var all []string
	for i, w := range words {
		if s&(1<<i) != 0 {
			all = append(all, w)
		}
	}
	return all
}

// needs is how often a status must be repeated before it is believed, after another one. Noise that
// damages every answer alike is rare; that it does so four times in a row is not to be feared.
func (s Status) needs(known Status) int {
	if s&(OnBattery|BatteryLow)&^known != 0 || s == 0 {
		return 3
	}
	return 1
}
