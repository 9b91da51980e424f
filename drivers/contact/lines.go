package contact

import (
	"errors"
	"fmt"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Lines is a set of lines of the port.
type Lines uint8

// The lines. ST is transmitted data, held at space for a while: a break. Unknown stands for a
// shutdown that nobody knows how to do.
const (
	DTR Lines = 1 << iota
	RTS
	ST
	CTS
	DCD
	RI
	DSR
	Unknown
)

// of makes a set of what a port reads.
func of(s transport.LineState) Lines {
	var l Lines
	for _, f := range []struct {
		is   bool
		line Lines
	}{{s.DTR, DTR}, {s.RTS, RTS}, {s.CTS, CTS}, {s.DCD, DCD}, {s.RI, RI}, {s.DSR, DSR}} {
		if f.is {
			l |= f.line
		}
	}
	return l
}

// String names the outputs of a set.
func (l Lines) String() string {
	var words []string
	for _, n := range names {
		if l&n.line != 0 && n.output {
			words = append(words, n.word)
		}
	}
	if len(words) == 0 {
		return "all lines low"
	}
	return strings.Join(words, "+")
}

// names are the words of ups.conf.
var names = []struct {
	word   string
	line   Lines
	output bool
}{
	{"DTR", DTR, true}, {"RTS", RTS, true}, {"ST", ST, true},
	{"CTS", CTS, false}, {"DCD", DCD, false}, {"RNG", RI, false}, {"RI", RI, false},
	{"DSR", DSR, false},
}

// An Input is a condition on the inputs: the lines of Mask are as in Value. No lines: never.
type Input struct{ Mask, Value Lines }

// True reports whether the condition holds.
func (i Input) True(l Lines) bool { return i.Mask != 0 && l&i.Mask == i.Value }

// ParseInput reads the value of OL, LB, RB or BYPASS: lines that must be up, or down after a minus;
// with several all must be so.
func ParseInput(text string) (Input, error) {
	var in Input
	err := eachLine(text, false, func(l Lines, minus bool) {
		in.Mask |= l
		if !minus {
			in.Value |= l
		}
	})
	return in, err
}

// ParseOutput reads the value of CP or SD: lines that are put up; one after a minus is not, and NULL
// is none at all.
func ParseOutput(text string) (Lines, error) {
	var out Lines
	err := eachLine(text, true, func(l Lines, minus bool) {
		if !minus {
			out |= l
		}
	})
	return out, err
}

// eachLine finds the lines in a value.
func eachLine(text string, output bool, take func(l Lines, minus bool)) error {
	want := "CTS, DCD, RNG, DSR, one of them after a minus for low, or NULL for none"
	if output {
		want = "DTR, RTS, ST, or NULL for none"
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t,+|", r) })
	if len(words) == 0 {
		return errors.New("empty: want " + want)
	}
words:
	for _, w := range words {
		name, minus := strings.CutPrefix(w, "-")
		for _, n := range names {
			if strings.EqualFold(n.word, name) && n.output == output {
				take(n.line, minus)
				continue words
			}
		}
		if !strings.EqualFold(name, "NULL") && !strings.EqualFold(name, "none") {
			return fmt.Errorf("%q: want %s", w, want)
		}
	}
	return nil
}
