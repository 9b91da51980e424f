// Package config reads NUT's configuration files into Go values, and writes them back.
//
// Every Parse function takes the file's name (for messages) and its text, and returns the value,
// complete with defaults, and the [Problem]s it met: where, what stood there, what was wanted. As NUT
// does, an entry that is wrong is left out and the rest counts; the caller decides whether to go on.
// Nothing is dropped without a Problem.
//
//	ups.conf     ParseUPS     sections of key = value
//	upsd.conf    ParseUpsd    directives
//	upsd.users   ParseUsers   sections of keys with several values
//	upsmon.conf  ParseUpsmon  directives
//
// The grammar of words is package line's; what each file does with them is in the reference of NUT's
// manual pages ups.conf(5), upsd.conf(5), upsd.users(5) and upsmon.conf(5).
package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A Problem is one thing that is wrong with a file. As an error it reads
//
//	upsmon.conf:12:1: POLLFREQ "fast": not a number of seconds; want e.g. POLLFREQ 5
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

// lines splits the text and reports what the grammar does not like. What follows an unescaped # in
// quotes is left out: its line is reported, and half of it is no setting.
func (r *reader) lines(text []byte) []line.Line {
	lines, errs := line.File(text)
	for _, e := range errs {
		r.problems = append(r.problems, Problem{File: r.file, Line: e.Line, Col: e.Col, Value: e.Text,
			Cause: "Parse error: " + e.Cause, Want: e.Want, Warning: e.Warning})
	}
	return slices.DeleteFunc(lines, func(l line.Line) bool { return l.Rest })
}

// wrong reports a word.
func (r *reader) wrong(w line.Word, cause, want string) {
	r.problems = append(r.problems, Problem{File: r.file, Line: w.Line, Col: w.Col, Value: w.Text, Cause: cause, Want: want})
}

// warn reports a word that changes nothing.
func (r *reader) warn(w line.Word, cause, want string) {
	r.wrong(w, cause, want)
	r.problems[len(r.problems)-1].Warning = true
}

// A directive is one line of a file of directives: its name, how many words follow at least, its
// form, and what it sets. set returns what was wrong: the index of the word and the cause.
type directive[T any] struct {
	name string
	min  int
	form string
	set  func(c *T, a []string) error
}

// badWord is an error of a directive about one of its words, counted from 0.
type badWord struct {
	i     int
	cause string
}

func (e badWord) Error() string { return e.cause }

// apply runs every line of a file of directives through its table.
func apply[T any](r *reader, c *T, text []byte, table []directive[T]) {
	for _, l := range r.lines(text) {
		if len(l.Words) == 0 {
			continue
		}
		name := l.Words[0]
		i := slices.IndexFunc(table, func(d directive[T]) bool {
			return d.name == name.Text || d.name == "DEBUG_MIN" && strings.EqualFold(d.name, name.Text)
		})
		if i < 0 {
			r.wrong(name, "invalid directive", suggest(name.Text, table))
			continue
		}
		d := table[i]
		args := make([]string, len(l.Words)-1)
		for j := range args {
			args[j] = l.Words[j+1].Text
		}
		if len(args) < d.min {
			r.wrong(name, fmt.Sprintf("invalid directive: %d words follow, %d are needed", len(args), d.min), d.form)
			continue
		}
		if err := d.set(c, args); err != nil {
			at := name
			if bad, ok := err.(badWord); ok && bad.i < len(args) {
				at = l.Words[bad.i+1]
			}
			r.wrong(at, d.name+": "+err.Error(), d.form)
		}
	}
}

// suggest names the directive that was probably meant.
func suggest[T any](name string, table []directive[T]) string {
	for _, d := range table {
		if strings.EqualFold(d.name, name) {
			return d.name + " (names are written in capitals)"
		}
	}
	return "one of the directives of the manual page"
}

// seconds reads the i-th word as a number of seconds, at least min.
func seconds(a []string, i, min int) (time.Duration, error) {
	n, err := number(a, i, min)
	return time.Duration(n) * time.Second, err
}

// maxNumber keeps seconds within a time.Duration.
const maxNumber = 1 << 31

func number(a []string, i, min int) (int, error) {
	n, err := strconv.Atoi(a[i])
	if err != nil || n > maxNumber {
		return 0, badWord{i, "not a number"}
	}
	if n < min {
		return 0, badWord{i, fmt.Sprintf("less than %d", min)}
	}
	return n, nil
}

// words of a boolean, in any letter case.
var booleans = map[string]bool{"true": true, "on": true, "yes": true, "1": true,
	"false": false, "off": false, "no": false, "0": false}

func boolean(a []string, i int) (bool, error) {
	v, ok := booleans[strings.ToLower(a[i])]
	if !ok {
		return false, badWord{i, "neither yes nor no"}
	}
	return v, nil
}

// text builds a file.
type text struct{ strings.Builder }

// put writes a directive.
func (t *text) put(name string, words ...any) {
	t.WriteString(name)
	for _, w := range words {
		t.WriteByte(' ')
		switch v := w.(type) {
		case time.Duration:
			fmt.Fprint(t, int64(v/time.Second))
		case bool:
			t.WriteString(map[bool]string{true: "yes", false: "no"}[v])
		case string:
			t.WriteString(word(v))
		default:
			fmt.Fprint(t, v)
		}
	}
	t.WriteByte('\n')
}

// plainBytes need no quotes.
const plainBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,*[]{}()!?;&~^$<>|"

func word(s string) string {
	if s != "" && strings.Trim(s, plainBytes) == "" {
		return s
	}
	return line.Quote(s)
}
