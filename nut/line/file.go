package line

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// A Word is one word of a file and the place where it begins.
type Word struct {
	Text      string
	Line, Col int
}

// A Line is one line of a file; joined lines and those with line feeds in quotes count once.
type Line struct {
	Words []Word
	// Rest marks what follows an unescaped # in quotes: the C programs read it as a line of its
	// own. The error is reported already.
	Rest bool
}

// byteOrderMark is what some editors put before UTF-8 text.
const byteOrderMark = "\ufeff"

// File takes a whole file apart. Blank and comment lines are left out. The errors are in the order
// of their places.
func File(b []byte) ([]Line, []*Error) {
	r := reader{b: b, m: machine{maxLine: math.MaxInt}}
	if bytes.HasPrefix(b, []byte(byteOrderMark)) {
		r.warn(0, Error{Cause: "byte order mark at the beginning", Want: "a file without one"})
		r.i = len(byteOrderMark)
	}
	for r.i < len(b) {
		r.next()
	}
	r.end()
	if r.more > 0 {
		l, c := r.position(len(b) - 1)
		r.errs = append(r.errs, &Error{Line: l, Col: c, Want: "a configuration file",
			Cause: fmt.Sprintf("%d more errors in this file", r.more)})
	}
	slices.SortStableFunc(r.errs, func(x, y *Error) int {
		if x.Line != y.Line {
			return x.Line - y.Line
		}
		return x.Col - y.Col
	})
	return r.lines, r.errs
}

// maxErrors bounds what is said about one file: a file with more is no configuration file.
const maxErrors = 1000

// reader reads one file.
type reader struct {
	b       []byte
	i       int // the byte that is read
	m       machine
	feeds   []int // where line feeds are, as far as read
	rest    bool
	folding int // the word, counted from 1, whose line feed was reported
	lines   []Line
	errs    []*Error
	more    int // errors beyond maxErrors
}

// next takes one character.
func (r *reader) next() {
	at, c := r.i, r.b[r.i]
	if c >= utf8.RuneSelf && !r.m.idle() {
		r.beyond()
		return
	}
	r.i++
	literal := r.m.state == plainLiteral || r.m.state == quotedLiteral
	ev := r.m.step(c, at)
	if c == '\n' {
		r.feeds = append(r.feeds, at)
	}
	switch ev {
	case lineDone:
		r.take()
	case unbalanced:
		r.report(at, unescapedHash)
		r.m.reset()
		r.rest = true
	case overflow:
		r.report(at, tooLong(&r.m))
	case folded:
		r.fold()
	case dropped:
		r.drop(at, literal)
	}
}

// idle reports whether bytes do not matter where the machine is.
func (m *machine) idle() bool { return m.state == comment || m.state == broken }

// beyond takes a character that is not ASCII, or a byte that is no character at all.
func (r *reader) beyond() {
	at := r.i
	char, width := utf8.DecodeRune(r.b[at:])
	r.i += width
	// The machine begins a word, or leaves a literal, and drops the byte.
	if ev := r.m.step(r.b[at], at); ev == overflow {
		r.report(at, tooLong(&r.m))
		return
	}
	if !isText(char, width) {
		r.warn(at, Error{Text: string(r.b[at:r.i]), Want: "text in UTF-8",
			Cause: "invisible character or stray byte, left out"})
		return
	}
	if r.m.room() < width {
		if r.m.overflow() == overflow {
			r.report(at, tooLong(&r.m))
		}
		return
	}
	r.m.text = append(r.m.text, r.b[at:r.i]...)
}

// take keeps a complete line.
func (r *reader) take() {
	if words := r.m.words(); len(words) > 0 {
		l := Line{Words: make([]Word, len(words)), Rest: r.rest}
		for i, w := range words {
			l.Words[i].Text = w
			l.Words[i].Line, l.Words[i].Col = r.position(r.m.marks[i].at)
		}
		r.lines = append(r.lines, l)
	}
	r.rest, r.folding = false, 0
	r.m.reset()
}

// fold reports a line feed in quotes, once for each word.
func (r *reader) fold() {
	word := len(r.m.marks)
	if r.folding == word {
		return
	}
	r.folding = word
	r.warn(r.m.marks[word-1].at, Error{Text: `"`, // what follows may be a password
		Cause: "quote is not closed on its line; the next line was taken as its continuation",
		Want:  `a closing "`})
}

// drop reports a control character. The C library drops it too.
func (r *reader) drop(at int, literal bool) {
	c := r.b[at]
	switch {
	case c == '\r' && literal:
		r.warn(at, Error{Cause: "backslash before CR LF does not join lines",
			Want: "a file with plain line feeds"})
	case c == '\r' && at+1 < len(r.b) && r.b[at+1] == '\n':
		// its line feed is reported
	default:
		r.warn(at, Error{Text: string(r.b[at : at+1]), Want: "printable text",
			Cause: fmt.Sprintf("control character 0x%02x in a word, left out", c)})
	}
}

// end completes a last line without line feed.
func (r *reader) end() {
	m := &r.m
	if len(m.marks) > 0 {
		at := m.marks[len(m.marks)-1].at
		switch {
		case m.state == quoted || m.state == quotedLiteral:
			r.warn(at, Error{Text: `"`,
				Cause: "quote is not closed at the end of the file", Want: `a closing "`})
		case len(m.marks) == 1 && m.state == plain:
			r.warn(at, Error{Text: string(m.text), Want: "a line feed at its end",
				Cause: "last line has no line feed: programs written in C do not see this word"})
		}
	}
	r.take()
}

// warn reports something that loses nothing.
func (r *reader) warn(at int, e Error) {
	e.Warning = true
	r.report(at, e)
}

// report puts an error at a byte of the file.
func (r *reader) report(at int, e Error) {
	if len(r.errs) >= maxErrors {
		r.more++
		return
	}
	e.Line, e.Col = r.position(at)
	r.errs = append(r.errs, &e)
}

// position returns line and column of a byte that was read.
func (r *reader) position(at int) (line, col int) {
	n, _ := slices.BinarySearch(r.feeds, at)
	if n == 0 {
		return 1, at + 1
	}
	return n + 1, at - r.feeds[n-1]
}

// unescapedHash is the error of a # in quotes.
var unescapedHash = Error{
	Text:  "#",
	Cause: "Unbalanced word due to unescaped # in quotes; the line is not used",
	Want:  `\# for a # in quotes, or a " before a comment`,
}

// tooLong is the error of a line beyond the limits.
func tooLong(m *machine) Error {
	e := Error{kind: ErrTooLong}
	switch {
	case m.skip:
		e.Cause = "too many words in a line; the rest is left out"
		e.Want = fmt.Sprintf("at most %d", MaxWords)
	case len(m.text) >= m.maxLine:
		e.Cause = "line is too long; the rest is left out"
		e.Want = fmt.Sprintf("at most %d characters", MaxLine)
	default:
		e.Cause = "word is too long; its end is left out"
		e.Want = fmt.Sprintf("at most %d characters", MaxWord)
	}
	return e
}
