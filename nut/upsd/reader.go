package upsd

import (
	"bytes"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A reader finds the requests in what a client sends. Monitors send the same line every few
// seconds for years; its words are kept, which saves most of the work of a poll.
type reader struct {
	p     line.Parser
	open  bool     // the parser is within a line
	last  []byte   // the last block, if it was one good line and nothing else
	words []string // of last
}

// feed takes a block and hands out each line that it completes, as line.Parser does.
func (r *reader) feed(b []byte, yield func(words []string, err error)) {
	if len(r.last) > 0 && bytes.Equal(b, r.last) {
		yield(r.words, nil)
		return
	}
	fresh, good := !r.open, 0
	var words []string
	r.p.Feed(b, func(w []string, err error) {
		if err == nil {
			good++
			words = w
		}
		yield(w, err)
	})
	// A line feed that completed no line was in quotes, behind a backslash, or ended a bad line.
	r.open = b[len(b)-1] != '\n' || bytes.Count(b, []byte{'\n'}) != good
	r.last = r.last[:0]
	if fresh && !r.open && good == 1 {
		r.last, r.words = append(r.last, b...), words
	}
}
