// Package line is the grammar of every file and protocol of NUT: words, quotes, escapes, comments.
//
//	MONITOR office@nas 1 admin "two words" primary   # a comment
//	desc = "the \"big\" one, \#2"
//
// White space parts words. Double quotes group, a backslash takes the next character as it is, an
// equals sign outside quotes is a word of its own, # outside quotes begins a comment. There are no
// other escapes: \n is n. A backslash at the end of a line joins it with the next one; a line feed
// in quotes does not end the line and is dropped. Single quotes and semicolons are ordinary.
//
// The package reads this in two ways:
//
//   - [Parser] takes the bytes of a connection as they come. Bytes that are not ASCII text are
//     dropped, as all implementations of NUT do. Memory is bounded, whatever the peer sends.
//   - [File] takes a whole file and loses nothing in silence: each word comes with its place, and
//     whatever had to be repaired, guessed or left out is an [Error] with a line and a column.
//
// [Quote] writes a word so that both read it back.
//
// # Where the C library differs
//
// Its limits are 32 words of 512 characters, beyond which it cuts in silence; see [MaxWords]. It
// loses a file's last line when that is one word without a line feed, and every byte of UTF-8 text.
// File keeps both. Words that travel to other programs, or are compared with what they send, must
// be passed through [ASCII] by the reader of the file, so that all programs see the same word.
package line

import (
	"errors"
	"fmt"
)

// Limits of one line. The C library has 32 words of 512 characters; we read whatever it reads, and
// leave room for the long lists of instant commands and the long shell lines that it cuts.
const (
	MaxWords = 128
	MaxWord  = 8192
	// MaxLine is for all words of one line together, on connections: it bounds what one peer can
	// make a server hold. The longest honest line is a value of some hundred characters.
	MaxLine = 16384
)

// ErrTooLong is wrapped by errors about lines beyond the limits. The words that come with such an
// error are the beginning of the line.
var ErrTooLong = errors.New("line is too long")

// An Error is something wrong in a line, with its place. Line counts from 1, Col counts the bytes
// of that line from 1; on a connection, both count what the peer has sent.
type Error struct {
	Line, Col int
	Text      string // the offending text, as short as it makes sense
	Cause     string
	Want      string // what would be right
	Warning   bool   // nothing was lost: the words are what the C library reads, or better
	kind      error
}

// Error says place, cause, text and remedy.
func (e *Error) Error() string {
	s := fmt.Sprintf("line %d, column %d: %s", e.Line, e.Col, e.Cause)
	if e.Text != "" {
		s += fmt.Sprintf(": %q", e.Text)
	}
	if e.Want != "" {
		s += "; want " + e.Want
	}
	return s
}

// Unwrap is ErrTooLong or nil.
func (e *Error) Unwrap() error { return e.kind }
