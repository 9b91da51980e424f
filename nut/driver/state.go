package driver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/state"
)

// A State is what a device knows about itself, before it is published. It belongs to the device
// task.
type State struct {
	dev      *state.Device
	fixed    map[string]bool   // variables that override. keeps, by lower-case name
	defaults map[string]string // values of default., by lower-case name
	derived  map[string]bool   // device.* variables that were copied from ups.*
	words    []string          // of ups.status, as the device gave them
	told     bool              // the device gave a status
	alarms   []string
	kept     map[string]string
}

// NewState returns a State that knows nothing.
func NewState() *State {
	return &State{dev: state.New(), fixed: make(map[string]bool),
		defaults: make(map[string]string), derived: make(map[string]bool),
		kept: make(map[string]string)}
}

// Keep leaves a text for the next Open of this run. Nobody else sees it.
func (s *State) Keep(key, text string) { s.kept[key] = text }

// Kept returns a text that was left, "" without one.
func (s *State) Kept(key string) string { return s.kept[key] }

// preset applies what default. and override. say.
func (s *State) preset(vars []presetVar) {
	for _, v := range vars {
		key := strings.ToLower(v.name)
		if v.override {
			s.fixed[key] = true
		} else {
			s.defaults[key] = v.value
		}
		s.dev.Set(v.name, v.value)
	}
}

// Set gives a variable its value. One that ups.conf overrides keeps that value.
func (s *State) Set(name, value string) {
	if !s.fixed[strings.ToLower(name)] {
		s.dev.Set(name, value)
	}
}

// SetInt is Set with a whole number.
func (s *State) SetInt(name string, n int) { s.Set(name, strconv.Itoa(n)) }

// Delete takes a variable away, or back to its default from ups.conf.
func (s *State) Delete(name string) {
	key := strings.ToLower(name)
	value, ok := s.defaults[key]
	switch {
	case s.fixed[key]:
	case ok:
		s.dev.Set(name, value)
	default:
		s.dev.Delete(name)
	}
}

// Value returns the value of a variable, "" when it has none.
func (s *State) Value(name string) string { return s.dev.Value(name) }

// Has reports whether the variable is there, and whether ups.conf overrides it.
func (s *State) Has(name string) (there, overridden bool) {
	_, there = s.dev.Get(name)
	return there, s.fixed[strings.ToLower(name)]
}

// A Form says what a variable may be set to.
type Form struct {
	Max    int // characters of a text; 0: a number
	Enum   []string
	Ranges []state.Range
}

// Writable lets clients set a variable that has a value.
func (s *State) Writable(name string, f Form) {
	flags := state.RW
	if f.Max > 0 {
		flags |= state.String
	} else if len(f.Enum) == 0 {
		flags |= state.Number
	}
	s.dev.SetFlags(name, flags)
	s.dev.SetMax(name, f.Max)
	for _, e := range f.Enum {
		s.dev.AddEnum(name, e)
	}
	for _, r := range f.Ranges {
		s.dev.AddRange(name, r)
	}
}

// Offer adds instant commands.
func (s *State) Offer(commands ...string) {
	for _, c := range commands {
		s.dev.AddCommand(c)
	}
}

// Withdraw takes an instant command away.
func (s *State) Withdraw(command string) { s.dev.DelCommand(command) }

// Status gives the words of ups.status. Each counts once.
func (s *State) Status(words ...string) {
	s.words, s.told = s.words[:0], true
	for _, w := range words {
		if !slices.Contains(s.words, w) {
			s.words = append(s.words, w)
		}
	}
	if there, _ := s.Has("ups.status"); !there {
		s.Set("ups.status", strings.Join(s.words, " "))
	}
}

// Words returns the words of ups.status as the device last gave them.
func (s *State) Words() []string { return slices.Clone(s.words) }

// Alarms gives the texts of ups.alarm; none means that there is no alarm.
func (s *State) Alarms(texts ...string) {
	if len(s.alarms) > 0 && len(texts) == 0 {
		s.Delete("ups.alarm")
	}
	s.alarms = slices.Clone(texts)
	if len(texts) > 0 {
		s.Set("ups.alarm", strings.Join(texts, " "))
	}
}

// sameAs lists the device.* variables that are copied from another when the device does not give
// them.
var sameAs = []struct{ name, from string }{
	{"device.mfr", "ups.mfr"},
	{"device.model", "ups.model"},
	{"device.serial", "ups.serial"},
}

// complete derives what a device leaves to the core.
func (s *State) complete(ignoreLB, verbatim bool, t *trend) {
	for _, c := range sameAs {
		if there, _ := s.Has(c.name); there && !s.derived[c.name] {
			continue
		}
		if value, ok := s.dev.Get(c.from); ok {
			s.derived[c.name] = true
			s.Set(c.name, value.Value)
		}
	}
	if there, _ := s.Has("device.type"); !there {
		s.Set("device.type", "ups")
	}
	words := slices.Clone(s.words)
	if ignoreLB {
		words = lowByValues(words, s.Value)
	}
	if word := t.note(s.Value("battery.charge"), words); word != "" && !verbatim {
		words = append(words, word)
	}
	if len(s.alarms) > 0 && !slices.Contains(words, "ALARM") {
		words = append([]string{"ALARM"}, words...)
	}
	if s.told {
		s.Set("ups.status", strings.Join(words, " "))
	}
}
