package line

// A Parser takes apart what comes over a connection. The zero value is ready. It never fails for
// good: a bad line is reported and the next one is read afresh.
type Parser struct {
	m    machine
	line int // line feeds seen
	off  int // bytes of the current physical line before those of this Feed
	late *Error
}

// Feed takes the next bytes of the connection, cut wherever the network cut them, and calls yield
// for each line that they complete. A blank or comment line has no words. The words are the
// caller's to keep.
//
// A # in quotes is an error: yield gets no words, and what follows up to the line feed is skipped.
// A line beyond the limits is an error that wraps ErrTooLong; yield gets the words that fit.
func (p *Parser) Feed(b []byte, yield func(words []string, err error)) {
	m := &p.m
	m.maxLine = MaxLine
	for i := 0; i < len(b); i++ {
		if n := m.run(b[i:]); n > 0 {
			i += n - 1
			continue
		}
		c := b[i]
		ev := m.step(c, 0)
		switch ev {
		case unbalanced:
			yield(nil, p.errorAt(i, unescapedHash))
		case overflow:
			p.late = p.errorAt(i, tooLong(m))
		}
		if c == '\n' {
			p.line++
			p.off = -i - 1
		}
		if ev == lineDone {
			p.finish(yield)
		}
	}
	p.off += len(b)
}

// run appends the bytes that b begins with to the word, as long as they mean nothing but themselves
// and there is room. It does what step does with each, faster.
func (m *machine) run(b []byte) int {
	var table *[256]bool
	switch m.state {
	case plain:
		table = &plainText
	case quoted:
		table = &quotedText
	default:
		return 0
	}
	n, most := 0, min(len(b), m.room())
	for n < most && table[b[n]] {
		n++
	}
	m.text = append(m.text, b[:n]...)
	return n
}

// finish hands out a complete line, unless its error was handed out before.
func (p *Parser) finish(yield func([]string, error)) {
	if p.m.state == broken {
		p.m.reset()
		return
	}
	words, late := p.m.words(), p.late
	p.late = nil
	p.m.reset()
	if late != nil {
		yield(words, late)
		return
	}
	yield(words, nil)
}

// errorAt puts an error at byte i of this Feed.
func (p *Parser) errorAt(i int, e Error) *Error {
	e.Line, e.Col = p.line+1, p.off+i+1
	return &e
}

// Words takes one line apart, with or without its line feed.
func Words(s string) ([]string, error) {
	var p Parser
	var words []string
	var err error
	lines := 0
	take := func(w []string, e error) {
		if lines++; lines == 1 {
			words, err = w, e
		}
	}
	p.Feed([]byte(s), take)
	if lines == 0 {
		p.Feed([]byte("\n"), take)
	}
	switch {
	case lines > 1:
		return words, &Error{Line: 2, Col: 1, Cause: "more than one line", Want: "one"}
	case lines == 0:
		return nil, &Error{Line: 1, Col: 1, Text: s, Cause: "line does not end",
			Want: `a closing quote, and no \ at the end`}
	}
	return words, err
}
