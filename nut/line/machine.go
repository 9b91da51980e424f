package line

import "strings"

// state is where in a line the machine is.
type state uint8

const (
	between       state = iota // between words
	plain                      // in a word without quotes
	plainLiteral               // behind a backslash there
	quoted                     // in a word with quotes
	quotedLiteral              // behind a backslash there
	comment
	broken // behind an error: to the end of the physical line
)

// event is what a byte did, besides changing the state.
type event uint8

const (
	nothing    event = iota
	lineDone         // the line is complete
	unbalanced       // # in quotes: the line is of no use
	dropped          // the byte is no text and was left out
	folded           // a line feed in quotes was left out
	overflow         // the first byte beyond a limit
)

// class sorts bytes by what they do in a plain word; ordinary ones have class 0.
type class uint8

const (
	ordinary class = iota
	space
	lineFeed
	hash
	equals
	slash // backslash
	odd   // no text
)

// classes is the class of every byte. 0x7F is text for all implementations.
var classes = func() (t [256]class) {
	for c := range t {
		if c < ' ' || c > 0x7f {
			t[c] = odd
		}
	}
	for _, c := range " \t\v\f\r" {
		t[c] = space
	}
	t['\n'], t['#'], t['='], t['\\'] = lineFeed, hash, equals, slash
	return t
}()

// plainText and quotedText are the bytes that stand for themselves in a word of either kind.
var (
	plainText  = textOf(" \t\v\f\r\n#=\\")
	quotedText = textOf("\"#\\")
)

func textOf(special string) (t [256]bool) {
	for c := byte(' '); c <= 0x7f; c++ {
		t[c] = strings.IndexByte(special, c) < 0
	}
	return t
}

// A mark is where a word begins: in the input, and in the machine's text.
type mark struct{ at, from int }

// machine takes a line apart, byte by byte. The words stand one after the other in text.
type machine struct {
	state   state
	over    bool // beyond a limit, until the line is done
	skip    bool // this word is beyond MaxWords
	maxLine int
	text    []byte
	marks   []mark
}

// step takes the byte at a place of the input.
func (m *machine) step(c byte, at int) event {
	switch m.state {
	case between:
		return m.between(c, at)
	case plain:
		return m.plain(c, at)
	case quoted:
		return m.quoted(c)
	case plainLiteral:
		m.state = plain
		return m.literal(c)
	case quotedLiteral:
		m.state = quoted
		return m.literal(c)
	default: // comment, broken
		if c == '\n' {
			return lineDone
		}
		return nothing
	}
}

func (m *machine) between(c byte, at int) event {
	switch classes[c] {
	case space:
		return nothing
	case lineFeed:
		return lineDone
	case hash:
		m.state = comment
		return nothing
	case equals:
		return m.equals(at)
	}
	ev := m.begin(at)
	switch c {
	case '"':
		m.state = quoted
		return ev
	case '\\':
		m.state = plainLiteral
		return ev
	}
	m.state = plain
	return max(ev, m.add(c))
}

func (m *machine) plain(c byte, at int) event {
	switch classes[c] {
	case space:
		m.state = between
		return nothing
	case lineFeed:
		return lineDone
	case hash:
		m.state = comment
		return nothing
	case equals:
		return m.equals(at)
	case slash:
		m.state = plainLiteral
		return nothing
	}
	return m.add(c)
}

func (m *machine) quoted(c byte) event {
	switch c {
	case '"':
		m.state = between
		return nothing
	case '\\':
		m.state = quotedLiteral
		return nothing
	case '#':
		m.state = broken
		return unbalanced
	case '\n':
		return folded
	}
	return m.add(c)
}

// literal takes the byte behind a backslash. A line feed vanishes together with the backslash.
func (m *machine) literal(c byte) event {
	if c == '\n' {
		return nothing
	}
	return m.add(c)
}

// equals is a word of its own and ends the one before.
func (m *machine) equals(at int) event {
	m.state = between
	ev := m.begin(at)
	return max(ev, m.add('='))
}

// begin starts a word.
func (m *machine) begin(at int) event {
	m.skip = len(m.marks) >= MaxWords
	if m.skip {
		return m.overflow()
	}
	m.marks = append(m.marks, mark{at, len(m.text)})
	return nothing
}

// add appends a byte to the word.
func (m *machine) add(c byte) event {
	if c < ' ' || c > 0x7f {
		return dropped
	}
	if m.room() < 1 {
		return m.overflow()
	}
	m.text = append(m.text, c)
	return nothing
}

// room is how many bytes the word may still get.
func (m *machine) room() int {
	if m.skip {
		return 0
	}
	word := len(m.text) - m.marks[len(m.marks)-1].from
	return min(MaxWord-word, m.maxLine-len(m.text))
}

func (m *machine) overflow() event {
	if m.over {
		return nothing
	}
	m.over = true
	return overflow
}

// words returns the words of the line so far. They share one new string.
func (m *machine) words() []string {
	if len(m.marks) == 0 {
		return nil
	}
	all := string(m.text)
	list := make([]string, len(m.marks))
	end := len(all)
	for i := len(list) - 1; i >= 0; i-- {
		list[i] = all[m.marks[i].from:end]
		end = m.marks[i].from
	}
	return list
}

// keepText is how much memory a machine holds between two lines.
const keepText = 1024

// reset makes the machine ready for the next line.
func (m *machine) reset() {
	if cap(m.text) > keepText {
		m.text = nil
	}
	m.text, m.marks = m.text[:0], m.marks[:0]
	m.state, m.over, m.skip = between, false, false
}
