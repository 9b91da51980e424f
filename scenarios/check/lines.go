package check

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// maxLine is the longest line that is read back. The longest text in an event is a message or a
// status; a line a hundred times longer than those is no event.
const maxLine = 1 << 20

// A Writer writes events, each as a JSON object on a line.
type Writer struct{ enc *json.Encoder }

// NewWriter returns a Writer to w. It does not buffer: a run that is killed leaves what it told.
func NewWriter(w io.Writer) *Writer {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &Writer{enc}
}

// Write writes one event.
func (w *Writer) Write(ev env.Event) error {
	if err := w.enc.Encode(ev); err != nil {
		return fmt.Errorf("event at %s: %w", stamp(ev.T), err)
	}
	return nil
}

// Read reads events as they come, one a line. Unknown fields and empty lines are passed over. The
// first error ends it; it names the line.
func Read(r io.Reader) iter.Seq2[env.Event, error] {
	return func(yield func(env.Event, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		n := 0
		for lines.Scan() {
			n++
			if len(lines.Bytes()) == 0 {
				continue
			}
			var ev env.Event
			if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
				err = fmt.Errorf("line %d: want an event, got %.60q: %w", n, lines.Bytes(), err)
				yield(ev, err)
				return
			}
			if !yield(ev, nil) {
				return
			}
		}
		switch err := lines.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			yield(env.Event{}, fmt.Errorf("line %d: longer than %d bytes: %w", n+1, maxLine, err))
		case err != nil:
			yield(env.Event{}, fmt.Errorf("after line %d: %w", n, err))
		}
	}
}

// ReadAll reads events to the end. With an error it returns those before it.
func ReadAll(r io.Reader) ([]env.Event, error) {
	var all []env.Event
	for ev, err := range Read(r) {
		if err != nil {
			return all, err
		}
		all = append(all, ev)
	}
	return all, nil
}

// Merge puts the streams of several programs into one, in order of time. Events of one instant
// keep their order within a stream, and the order of the streams.
func Merge(streams ...[]env.Event) []env.Event {
	all := slices.Concat(streams...)
	slices.SortStableFunc(all, func(a, b env.Event) int {
		switch {
		case a.T < b.T:
			return -1
		case a.T > b.T:
			return 1
		}
		return 0
	})
	return all
}
