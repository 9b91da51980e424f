package dummy

import (
	"slices"
	"strconv"
	"time"
)

// An effect is what an instant command does to the simulated UPS.
type effect struct {
	name   string
	add    []string // words that ups.status gets
	remove []string // words that it loses
	swap   [2]string
	set    [2]string // a variable and its value
	// after is when then follows by itself; a number given with the command is used instead. 0:
	// never.
	after time.Duration
	then  string // another command
}

// Durations of what ends by itself.
const (
	quickTest = 10 * time.Second
	usualTest = 60 * time.Second
	deepTest  = 600 * time.Second
	offTime   = 30 * time.Second
)

// effects lists the instant commands.
var effects = []effect{
	{name: "beeper.disable", set: [2]string{"ups.beeper.status", "disabled"}},
	{name: "beeper.enable", set: [2]string{"ups.beeper.status", "enabled"}},
	{name: "beeper.mute", set: [2]string{"ups.beeper.status", "muted"}},
	{name: "bypass.start", add: []string{"BYPASS"}},
	{name: "bypass.stop", remove: []string{"BYPASS"}},
	{name: "calibrate.start", add: []string{"CAL"}},
	{name: "calibrate.stop", remove: []string{"CAL"}},
	{name: "load.off", add: []string{"OFF"}},
	{name: "load.on", remove: []string{"OFF"}},
	{name: "shutdown.return", add: []string{"OFF"}, after: offTime, then: "load.on"},
	{name: "shutdown.stayoff", add: []string{"OFF"}},
	{name: "shutdown.stop", remove: []string{"OFF"}},
	{name: "test.battery.start", add: []string{"CAL"}, after: usualTest, then: passed,
		set: [2]string{"ups.test.result", "In progress"}},
	{name: "test.battery.start.deep", add: []string{"CAL"}, after: deepTest, then: passed,
		set: [2]string{"ups.test.result", "In progress"}},
	{name: "test.battery.start.quick", add: []string{"CAL"}, after: quickTest, then: passed,
		set: [2]string{"ups.test.result", "In progress"}},
	{name: "test.battery.stop", remove: []string{"CAL"},
		set: [2]string{"ups.test.result", "Aborted"}},
	{name: "test.failure.start", swap: [2]string{"OL", "OB"}},
	{name: "test.failure.stop", swap: [2]string{"OB", "OL"}, remove: []string{"LB"}},
	{name: passed, remove: []string{"CAL"}, set: [2]string{"ups.test.result", "Done and passed"}},
}

// passed is the end of a test. Nobody can ask for it.
const passed = "(test passed)"

// find returns the effect of a command.
func find(name string) (effect, bool) {
	for _, f := range effects {
		if f.name == name {
			return f, true
		}
	}
	return effect{}, false
}

// status is what an effect makes of the words of ups.status.
func (f effect) status(words []string) []string {
	out := make([]string, 0, len(words)+len(f.add))
	for _, w := range words {
		if w == f.swap[0] && w != "" {
			w = f.swap[1]
		}
		if !slices.Contains(f.remove, w) {
			out = append(out, w)
		}
	}
	for _, w := range f.add {
		if !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// length is when what an effect began ends; a value given with the command is in seconds.
func (f effect) length(value string) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n > 0 && n <= maxTimer && f.after > 0 {
		return time.Duration(n) * time.Second
	}
	return f.after
}
