// Package state is what is known about one power device: its variables and its instant commands.
//
// A driver fills a [Device] and publishes the changes; upsd keeps a copy of it for each driver and
// answers clients from that. Names of variables and commands compare without regard to letter
// case and keep the spelling in which they were first set. Values compare exactly.
//
// A variable may say more about itself than its value:
//
//	flags   RW (may be set), String, Number
//	max     how many characters a String may have
//	enum    the values it may be set to
//	ranges  the whole numbers it may be set to
//
// [Device.Check] applies them to a value that somebody wants to set.
//
// A Device is not safe for concurrent use; its owner has the lock.
package state

import (
	"cmp"
	"slices"
	"strings"
	"unique"
)

// Limits of one device. A driver gone mad must not eat the memory of upsd. The largest device seen
// in the field has some 900 variables (a three-phase unit with thirty outlets).
const (
	MaxVars     = 8192
	MaxCommands = 2048
	MaxEnum     = 512 // and as many ranges
)

// Flags say what kind of variable it is.
type Flags uint8

// The flags of the driver protocol.
const (
	RW     Flags = 1 << iota // clients with the right to do so may set it
	String                   // text, at most Max characters
	Number                   // a number
)

// A Range is a span of whole numbers, both ends included.
type Range struct{ Min, Max int }

// A Var is one variable of a device. Callers read it; it is changed through its Device.
type Var struct {
	Name   string
	Value  string
	Flags  Flags
	Max    int // greatest length of a String; 0 when not declared
	Enum   []string
	Ranges []Range
}

// A Device holds the variables and commands of one power device.
type Device struct {
	index    map[string]*Var // by folded name
	vars     []*Var          // sorted by folded name
	commands []string        // sorted by folded name
}

// New returns a device that knows nothing.
func New() *Device { return &Device{index: make(map[string]*Var)} }

// Set gives a variable its value and makes it when it is new. It reports whether anything changed;
// a new variable beyond MaxVars is not taken.
func (d *Device) Set(name, value string) bool {
	if v, ok := d.Get(name); ok {
		if v.Value == value {
			return false
		}
		v.Value = strings.Clone(value)
		return true
	}
	if d.Full() {
		return false
	}
	// A hundred devices of a kind have the same names; a value must not hold the line it came in.
	name = unique.Make(name).Value()
	v := &Var{Name: name, Value: strings.Clone(value)}
	d.index[fold(name)] = v
	at, _ := d.find(name)
	d.vars = slices.Insert(d.vars, at, v)
	return true
}

// Full reports whether the device takes no further variable.
func (d *Device) Full() bool { return len(d.vars) >= MaxVars }

// Delete forgets a variable and all it said about itself.
func (d *Device) Delete(name string) bool {
	at, ok := d.find(name)
	if !ok {
		return false
	}
	delete(d.index, fold(name))
	d.vars = slices.Delete(d.vars, at, at+1)
	return true
}

// foldSize is the longest name that is looked up without allocating; real names have up to 50.
const foldSize = 64

// Get returns a variable.
func (d *Device) Get(name string) (*Var, bool) {
	if len(name) > foldSize {
		v, ok := d.index[fold(name)]
		return v, ok
	}
	var buf [foldSize]byte
	for i := range len(name) {
		buf[i] = lower(name[i])
	}
	v, ok := d.index[string(buf[:len(name)])]
	return v, ok
}

// Value returns the value of a variable, "" when it is not set.
func (d *Device) Value(name string) string {
	if v, ok := d.Get(name); ok {
		return v.Value
	}
	return ""
}

// Vars returns the variables, sorted by name. The slice is the device's own and lasts until its
// next change.
func (d *Device) Vars() []*Var { return d.vars }

// SetFlags replaces the flags of a variable.
func (d *Device) SetFlags(name string, f Flags) bool {
	v, ok := d.Get(name)
	if !ok || v.Flags == f {
		return false
	}
	v.Flags = f
	return true
}

// SetMax declares the greatest length of a String.
func (d *Device) SetMax(name string, n int) bool {
	v, ok := d.Get(name)
	if !ok || v.Max == n {
		return false
	}
	v.Max = n
	return true
}

// AddEnum adds a permitted value. The order of adding is kept; a value that is there stays.
func (d *Device) AddEnum(name, value string) bool {
	v, ok := d.Get(name)
	if !ok || len(v.Enum) >= MaxEnum || slices.Contains(v.Enum, value) {
		return false
	}
	v.Enum = append(v.Enum, value)
	return true
}

// DelEnum removes a permitted value.
func (d *Device) DelEnum(name, value string) bool {
	v, ok := d.Get(name)
	if !ok {
		return false
	}
	at := slices.Index(v.Enum, value)
	if at < 0 {
		return false
	}
	v.Enum = slices.Delete(v.Enum, at, at+1)
	return true
}

// AddRange adds a permitted span. A span from high to low is not taken, nor one that is there.
func (d *Device) AddRange(name string, r Range) bool {
	v, ok := d.Get(name)
	if !ok || r.Min > r.Max || len(v.Ranges) >= MaxEnum || slices.Contains(v.Ranges, r) {
		return false
	}
	v.Ranges = append(v.Ranges, r)
	return true
}

// DelRange removes a permitted span.
func (d *Device) DelRange(name string, r Range) bool {
	v, ok := d.Get(name)
	if !ok {
		return false
	}
	at := slices.Index(v.Ranges, r)
	if at < 0 {
		return false
	}
	v.Ranges = slices.Delete(v.Ranges, at, at+1)
	return true
}

// AddCommand adds an instant command.
func (d *Device) AddCommand(name string) bool {
	at, ok := slices.BinarySearchFunc(d.commands, name, compare)
	if ok || len(d.commands) >= MaxCommands {
		return false
	}
	d.commands = slices.Insert(d.commands, at, name)
	return true
}

// DelCommand removes an instant command.
func (d *Device) DelCommand(name string) bool {
	at, ok := slices.BinarySearchFunc(d.commands, name, compare)
	if !ok {
		return false
	}
	d.commands = slices.Delete(d.commands, at, at+1)
	return true
}

// HasCommand reports whether the device offers an instant command.
func (d *Device) HasCommand(name string) bool {
	_, ok := slices.BinarySearchFunc(d.commands, name, compare)
	return ok
}

// Commands returns the names of the instant commands, sorted. The slice is the device's own and
// lasts until its next change.
func (d *Device) Commands() []string { return d.commands }

func (d *Device) find(name string) (int, bool) {
	return slices.BinarySearchFunc(d.vars, name, func(v *Var, name string) int {
		return compare(v.Name, name)
	})
}

// compare orders names by their folded bytes, as clients expect lists to be sorted.
func compare(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := cmp.Compare(lower(a[i]), lower(b[i])); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func fold(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// lower folds ASCII only: names have no other letters.
func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
