package apcsmart

import (
	"bytes"
	"fmt"
)

// A Capability is a setting of the device with its permitted values.
type Capability struct {
	Command byte
	Locale  byte // the last letter of the firmware to which it applies; '4' is any
	Values  []string
}

// maxValues and maxLength bound what a capability tells; real ones stay below ten.
const maxValues, maxLength = 32, 32

// ParseCapabilities decodes the answer to ^Z: # and then for each setting its command, its locale,
// the number and the length of the values, and the values. Matrix units send ## and two more
// characters before each setting. What is cut at the end is left out and told as an error; what was
// read before it is returned too.
func ParseCapabilities(answer []byte) ([]Capability, error) {
	rest, ok := bytes.CutPrefix(answer, []byte("#"))
	if !ok {
		return nil, fmt.Errorf("%w: capabilities %q: want # first", ErrMalformed, answer)
	}
	if matrix, ok := bytes.CutPrefix(rest, []byte("#")); ok {
		if all, err := capabilities(matrix, 2); err == nil {
			return all, nil
		}
		rest = matrix // the first # was an alert
	}
	return capabilities(rest, 0)
}

// capabilities decodes what is behind #, with so many characters before each setting.
func capabilities(rest []byte, skip int) (all []Capability, err error) {
	for len(rest) > 0 {
		if len(rest) < skip+4 {
			return all, fmt.Errorf("%w: capabilities end with %q", ErrMalformed, rest)
		}
		head := rest[skip : skip+4]
		count, length := int(head[2])-'0', int(head[3])-'0'
		rest = rest[skip+4:]
		if count < 0 || count > maxValues || length < 1 || length > maxLength {
			return all, fmt.Errorf("%w: capability %q: %d values of length %d",
				ErrMalformed, head, count, length)
		}
		if len(rest) < count*length {
			return all, fmt.Errorf("%w: capability %q: want %d values of length %d in %q",
				ErrMalformed, head, count, length, rest)
		}
		c := Capability{Command: head[0], Locale: head[1]}
		for range count {
			c.Values, rest = append(c.Values, string(rest[:length])), rest[length:]
		}
		all = append(all, c)
	}
	return all, nil
}

// Applies reports whether a device of that firmware has the setting.
func (c Capability) Applies(firmware string) bool {
	return c.Locale == '4' || firmware != "" && c.Locale == firmware[len(firmware)-1]
}
