package state

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Why a value may not be set, in the order in which [Device.Check] looks. upsd answers each with
// its own error token.
var (
	ErrNoVar    = errors.New("variable is not there")
	ErrReadOnly = errors.New("variable cannot be set")
	ErrNoLength = errors.New("driver declared a string without its length")
	ErrTooLong  = errors.New("value is too long")
	ErrInvalid  = errors.New("value is not one of those permitted")
)

// Check reports whether a variable may be set to a value. Its error wraps one of the above.
func (d *Device) Check(name, value string) error {
	v, ok := d.Get(name)
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", name, ErrNoVar)
	case v.Flags&RW == 0:
		return fmt.Errorf("%s: %w", v.Name, ErrReadOnly)
	case v.Flags&String != 0 && v.Max < 1:
		return fmt.Errorf("%s: %w", v.Name, ErrNoLength)
	case v.Flags&String != 0 && len(value) > v.Max:
		return fmt.Errorf("%s: %w: %q has %d characters, want at most %d",
			v.Name, ErrTooLong, value, len(value), v.Max)
	case len(v.Enum) > 0 && !slices.Contains(v.Enum, value):
		return fmt.Errorf("%s: %w: %q, want one of %q", v.Name, ErrInvalid, value, v.Enum)
	case len(v.Ranges) > 0 && !within(v.Ranges, Int(value)):
		return fmt.Errorf("%s: %w: %q, want a number in %v", v.Name, ErrInvalid, value, v.Ranges)
	}
	return nil
}

func within(ranges []Range, n int) bool {
	return slices.ContainsFunc(ranges, func(r Range) bool { return r.Min <= n && n <= r.Max })
}

// Int is the whole number that a value begins with, 0 when it begins with none: "25.7abc" is 25.
// Clients depend on such values being accepted.
func Int(s string) int {
	i := 0
	for i < len(s) && (s[i] == ' ' || '\t' <= s[i] && s[i] <= '\r') {
		i++
	}
	sign := 1
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		if s[i] == '-' {
			sign = -1
		}
		i++
	}
	n := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		if n > math.MaxInt32 {
			break // far outside every range already
		}
		n = n*10 + int(s[i]-'0')
	}
	return sign * n
}
