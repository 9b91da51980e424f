package megatec

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrMalformed is for a reply that is not what was asked for, or that the line has damaged.
var ErrMalformed = errors.New("malformed reply")

// A reading is what the replies of one poll say.
type reading struct {
	Status
	values []value
	words  []string // of ups.status, besides those that the bits stand for
	alarms []string
	able   []string // what the device says that it can
	// block is the voltage of 12 V of battery, cutoff that at which it is empty; 0: not told.
	block, cutoff milli
	// later are values that depend on what else is known of the device.
	later func(known func(variable string) string) []value
}

// A value is one variable; absent when the device left the number out.
type value struct {
	variable, text string
	absent         bool
}

func (r *reading) set(variable, text string) {
	if variable != "" {
		r.values = append(r.values, value{variable: variable, text: text})
	}
}

// add takes over what another reply says about the state of the device, but not its values.
func (r *reading) add(more reading) {
	r.Bits |= more.Bits
	r.block, r.cutoff = max(r.block, more.block), max(r.cutoff, more.cutoff)
	for _, w := range more.words {
		r.say(w)
	}
	r.alarms = append(r.alarms, more.alarms...)
}

func (r *reading) say(word string) {
	if !slices.Contains(r.words, word) {
		r.words = append(r.words, word)
	}
}

func (r *reading) alarm(text string) { r.alarms = append(r.alarms, text) }

// A decoder reads one reply, without its CR.
type decoder func(line []byte, r *reading) error

// A field is one word, or some columns, of a reply: a number with the range outside which it is
// taken for noise on the line, or something that take understands.
type field struct {
	name     string // in errors
	variable string // "" for none
	min, max milli
	decimals int
	times    milli // by what the number is multiplied; 0 means 1
	dst      func(*Status) *milli
	take     func(text string, r *reading) error

	from, to int // columns, the first byte being 0; to is inclusive, 0 means the end
}

// keep gives a number also to the driver's own rules.
func (f field) keep(dst func(*Status) *milli) field {
	f.dst = dst
	return f
}

// unseen is f without its variable: something else tells it better.
func (f field) unseen() field {
	f.variable = ""
	return f
}

// with is f with so many decimals.
func (f field) with(decimals int) field {
	f.decimals = decimals
	return f
}

// multiplied is f in a smaller unit: minutes as seconds, kilowatts as watts.
func (f field) multiplied(times milli, decimals int) field {
	f.times, f.decimals = times, decimals
	return f
}

// at places f in columns.
func (f field) at(from, to int) field {
	f.from, f.to = from, to
	return f
}

func number(variable string, most milli, decimals int) field {
	return field{name: variable, variable: variable, max: most, decimals: decimals}
}

// The units of the family's replies, each with what is believable.
func volts(variable string) field   { return number(variable, 600e3, 1) }
func amperes(variable string) field { return number(variable, 999e3, 1) }
func hertz(variable string) field   { return number(variable, 100e3, 1) }
func percent(variable string) field { return number(variable, 300e3, 0) }
func battery(variable string) field { return number(variable, 999e3, 1) }
func charge(variable string) field  { return number(variable, 100e3, 0) }
func seconds(variable string) field { return number(variable, 999999e3, 0) }
func minutes(variable string) field { return number(variable, 999999e3, 0).multiplied(60, 0) }
func celsius(variable string) field {
	f := number(variable, 150e3, 1)
	f.min = -40e3
	return f
}
func kilo(variable string) field { return number(variable, 9999e3, 0).multiplied(1000, 2) }

// skipped is a word that says nothing that people want to know.
func skipped() field { return field{take: func(string, *reading) error { return nil }} }

// text is a text as it is, apart from blanks and # at both ends.
func text(variable string) field {
	return field{name: variable, take: func(s string, r *reading) error {
		if s = label(strings.Trim(s, "# ")); s != "" {
			r.set(variable, s)
		}
		return nil
	}}
}

// decode reads one field.
func (f field) decode(word string, r *reading) error {
	if f.take != nil {
		return f.take(word, r)
	}
	v, err := parseMilli(strings.TrimSpace(word))
	if err != nil || v != absent && (v < f.min || v > f.max) {
		return fmt.Errorf("%s %q: want %s to %s", f.name, word, f.min.text(0), f.max.text(0))
	}
	if f.dst != nil {
		*f.dst(&r.Status) = v
	}
	switch {
	case f.variable == "":
	case v == absent:
		r.values = append(r.values, value{variable: f.variable, absent: true})
	default:
		r.set(f.variable, (v * max(f.times, 1)).text(f.decimals))
	}
	return nil
}

// words decodes a reply of words with blanks in between, in wire order.
func words(lead string, fields ...field) decoder {
	return func(line []byte, r *reading) error {
		body, ok := strings.CutPrefix(string(line), lead)
		words := strings.Fields(body)
		if !ok || len(words) != len(fields) {
			return fmt.Errorf("%w: want %q and %d words: %q", ErrMalformed, lead, len(fields), line)
		}
		for i, f := range fields {
			if err := f.decode(words[i], r); err != nil {
				return fmt.Errorf("%w: %w in %q", ErrMalformed, err, line)
			}
		}
		return nil
	}
}

// leading is words for a reply that may have more of them than are known.
func leading(lead string, fields ...field) decoder {
	return func(line []byte, r *reading) error {
		all := strings.Fields(string(line))
		return words(lead, fields...)([]byte(strings.Join(all[:min(len(all), len(fields))], " ")), r)
	}
}

// columns decodes a reply of at least so many bytes whose fields stand in fixed columns.
func columns(lead string, least int, fields ...field) decoder {
	return func(line []byte, r *reading) error {
		if !strings.HasPrefix(string(line), lead) || len(line) < least {
			return fmt.Errorf("%w: want %q and %d bytes or more: %q",
				ErrMalformed, lead, least, line)
		}
		if err := printable(line); err != nil {
			return err
		}
		for _, f := range fields {
			to := len(line)
			if f.to > 0 {
				to = min(f.to+1, to)
			}
			if err := f.decode(string(line[min(f.from, to):to]), r); err != nil {
				return fmt.Errorf("%w: %w in %q", ErrMalformed, err, line)
			}
		}
		return nil
	}
}

func printable(line []byte) error {
	for at, c := range line {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%w: byte %#02x at %d in %q: want text", ErrMalformed, c, at, line)
		}
	}
	return nil
}

// label trims a text. One character over and over (222222222 has been seen) is how some makers
// fill a field for which they have no text.
func label(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 2 && strings.Trim(s, s[:1]) == "" {
		return ""
	}
	return s
}

// flags checks a word of n characters 0 and 1.
func flags(word string, n int) error {
	if len(word) != n || strings.Trim(word, "01") != "" {
		return fmt.Errorf("status bits %q: want %d of 0 and 1", word, n)
	}
	return nil
}
