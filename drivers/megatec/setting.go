package megatec

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// A setting is a variable that can be set: a delay that the driver keeps and puts into commands,
// or something that the device keeps.
type setting struct {
	variable string
	form     driver.Form

	// Of a delay: the option that presets it, how it is rounded to what the wire can say, and its
	// value when the option is not given and the dialect has its own, in seconds.
	option   string
	round    func(time.Duration) time.Duration
	standard int
	own      bool

	// Of something in the device: the command that sets it, and the query that reads it again.
	wire  func(value string) (string, error)
	again string
	// bounds is the form where it depends on what is known of the device.
	bounds func(state func(variable string) string) driver.Form
	hidden bool // its bounds are not variables
}

// limits says what the setting may be.
func (s setting) limits(state func(variable string) string) driver.Form {
	if s.bounds != nil {
		return s.bounds(state)
	}
	return s.form
}

func within(low, high int) driver.Form {
	return driver.Form{Ranges: []state.Range{{Min: low, Max: high}}}
}

// shutdownDelay and startDelay are the delays of a dialect with their limits in seconds.
func shutdownDelay(low, high int) setting {
	return setting{variable: "ups.delay.shutdown", option: "offdelay",
		form: within(low, high), round: roundShutdown}
}

func startDelay(low, high int) setting {
	return setting{variable: "ups.delay.start", option: "ondelay",
		form: within(low, high), round: roundStart}
}

// by gives a delay another value to begin with.
func (s setting) by(standard int) setting {
	s.standard, s.own = standard, true
	return s
}

// usualDelays are those of most dialects.
var usualDelays = []setting{
	shutdownDelay(int(minShutdown/time.Second), int(maxShutdown/time.Second)),
	startDelay(0, maxStartSeconds),
}

// check says what is wrong with a value.
func (s setting) check(value string, known func(variable string) string) error {
	form := s.limits(known)
	if len(form.Enum) > 0 {
		if !slices.Contains(form.Enum, value) {
			return fmt.Errorf("want one of %q", form.Enum)
		}
		return nil
	}
	if len(form.Ranges) == 0 {
		return nil
	}
	n, err := strconv.Atoi(value)
	r := form.Ranges[0]
	if err != nil || n < r.Min || n > r.Max {
		return fmt.Errorf("want %d to %d", r.Min, r.Max)
	}
	return nil
}

// whole is the wire of a setting that is a number of so many digits, in units of the variable.
func whole(format string, unit int) func(string) (string, error) {
	return func(value string) (string, error) {
		n, err := strconv.Atoi(value)
		return fmt.Sprintf(format, n/unit), err
	}
}

// rounded is a delay as the wire can say it.
func (s setting) rounded(seconds int) int {
	return int(s.round(time.Duration(seconds)*time.Second) / time.Second)
}
