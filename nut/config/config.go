// Package config reads NUT's configuration files into Go values, and writes them back.
//
//	ups.conf     ParseUPS     sections of key = value
//	upsd.conf    ParseUpsd    directives
//	upsd.users   ParseUsers   sections of keys with several values
//	upsmon.conf  ParseUpsmon  directives
//	upssched.conf ParseUpssched directives
//	nut.conf     ParseNut     assignments of the shell
//	nutauth.conf ParseAuth    sections of keys, and what they include
//
// Every Parse function takes the file's name (for messages) and its text, and returns the value,
// complete with defaults, and the problems it met, each with its place, what stands there and what
// was wanted. As NUT does, an entry that is wrong is left out and the rest counts; the caller
// decides whether to go on. Nothing is left out without a [Problem]. Text writes the file again:
// read once more it gives the same value.
//
// # Where NUT loses something in silence
//
// The C programs cut long lines and words, ignore a lone last word, surplus words, unknown settings
// and whatever was set twice. Here each of them is a Problem. A number with something behind it
// ("25s") is read as NUT reads it, and reported.
//
// What follows an unescaped # in quotes is a line of its own for the C programs. Here it is no line
// at all: half a line is no setting. Settings below a section header that cannot be read belong to
// no section; the C programs give them to the section before.
//
// # Text beyond ASCII
//
// The C programs drop it, byte by byte. What travels between programs or is compared with what
// they send (names, passwords, descriptions) is therefore read as they read it, with a warning.
// Commands, messages, paths and settings of drivers keep it.
//
// Messages never show a password.
package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A Problem is one thing that is wrong with a file. As an error it reads
//
//	/etc/nut/upsmon.conf:12:10: "fast": POLLFREQ: not a number; want POLLFREQ SECONDS
type Problem struct {
	File      string
	Line, Col int
	Value     string // what stands there
	Cause     string // what is wrong with it
	Want      string // what would be right
	Warning   bool   // the entry counts all the same, or never meant anything
}

func (p Problem) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", p.File, p.Line, p.Col)
	if p.Value != "" {
		fmt.Fprintf(&b, "%q: ", p.Value)
	}
	b.WriteString(p.Cause)
	if p.Want != "" {
		b.WriteString("; want " + p.Want)
	}
	return b.String()
}

// reader collects the problems of one file.
type reader struct {
	file     string
	problems []Problem
}

// lines splits the text and reports what the grammar does not like.
func (r *reader) lines(text []byte) []line.Line {
	lines, errs := line.File(text)
	for _, e := range errs {
		r.problems = append(r.problems, Problem{File: r.file, Line: e.Line, Col: e.Col,
			Value: e.Text, Cause: "Parse error: " + e.Cause, Want: e.Want, Warning: e.Warning})
	}
	return slices.DeleteFunc(lines, func(l line.Line) bool { return l.Rest })
}

// sorted returns the problems in the order of their places.
func (r *reader) sorted() []Problem {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	return r.problems
}

// wrong reports a word whose entry is left out.
func (r *reader) wrong(w line.Word, cause, want string) {
	r.problems = append(r.problems,
		Problem{File: r.file, Line: w.Line, Col: w.Col, Value: w.Text, Cause: cause, Want: want})
}

// warn reports a word whose entry counts.
func (r *reader) warn(w line.Word, cause, want string) {
	r.wrong(w, cause, want)
	r.problems[len(r.problems)-1].Warning = true
}

// hidden is the place of a word that messages must not show.
func hidden(w line.Word) line.Word { return line.Word{Line: w.Line, Col: w.Col} }

// twice reports a setting that has been made before.
func (r *reader) twice(w line.Word, first int, name string) {
	r.warn(w, fmt.Sprintf("set in line %d already; this line counts", first), "one "+name)
}

// ascii is a word as the C programs read it. What a message shows of it is shown.
func (r *reader) ascii(w, shown line.Word) string {
	text := line.ASCII(w.Text)
	if text != w.Text {
		r.warn(shown, "text beyond ASCII is left out, as by all programs of NUT", "plain ASCII")
	}
	return text
}
