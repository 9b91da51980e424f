package check

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
	"unicode/utf8"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Hasher takes in a run event by event and gives its hash: two runs have the same one when they
// are the same event for event. Reading a run back from its lines does not change it.
type Hasher struct {
	h   hash.Hash
	buf []byte
}

// NewHasher returns an empty Hasher.
func NewHasher() *Hasher { return &Hasher{h: sha256.New()} }

// Observe takes in the next event.
func (s *Hasher) Observe(ev env.Event) {
	s.buf = appendCanonical(s.buf[:0], ev)
	s.h.Write(s.buf)
}

// Sum is the hash so far, in hexadecimal.
func (s *Hasher) Sum() string { return hex.EncodeToString(s.h.Sum(nil)) }

// Hash is the hash of a whole run.
func Hash(events []env.Event) string {
	s := NewHasher()
	for _, ev := range events {
		s.Observe(ev)
	}
	return s.Sum()
}

// appendCanonical appends the one encoding of an event: both numbers, then each text with its
// length before it.
func appendCanonical(b []byte, ev env.Event) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(ev.T))
	b = binary.BigEndian.AppendUint64(b, uint64(ev.N))
	texts := []string{ev.Host, ev.Prog, string(ev.Kind), ev.UPS, ev.Name, ev.Value, ev.Why}
	if ev.Wall != "" { // no rehearsal has it, and hashes of older ones stay what they are
		texts = append(texts, ev.Wall)
	}
	for _, s := range texts {
		if !utf8.ValidString(s) {
			s = string([]rune(s)) // what a line of JSON makes of it
		}
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// Replay is C01: it compares two runs of the same seed and names the first event in which they
// differ, nil when there is none.
func Replay(first, second []env.Event) *Violation {
	for i := range max(len(first), len(second)) {
		switch {
		case i >= len(first):
			return differs(first, i, second[i].T,
				"the first run has ended, the second goes on with "+line(second[i]))
		case i >= len(second):
			return differs(first, i, first[i].T,
				"the second run has ended, the first goes on with "+line(first[i]))
		case first[i] != second[i]:
			return differs(first, i, min(first[i].T, second[i].T), fmt.Sprintf(
				"the first run has %s, the second %s (%s)",
				line(first[i]), line(second[i]), fields(first[i], second[i])))
		}
	}
	return nil
}

func differs(first []env.Event, i int, t env.Instant, how string) *Violation {
	after := "at the start"
	if i > 0 && i <= len(first) {
		after = "after " + line(first[i-1])
	}
	return &Violation{ID: "C01", T: t, Text: fmt.Sprintf("event %d %s: %s", i+1, after, how)}
}

// fields names the fields in which two events differ.
func fields(a, b env.Event) string {
	var names []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"time", a.T == b.T}, {"host", a.Host == b.Host}, {"program", a.Prog == b.Prog},
		{"kind", a.Kind == b.Kind}, {"ups", a.UPS == b.UPS}, {"name", a.Name == b.Name},
		{"value", a.Value == b.Value}, {"n", a.N == b.N}, {"why", a.Why == b.Why},
		{"wall", a.Wall == b.Wall},
	} {
		if !f.same {
			names = append(names, f.name)
		}
	}
	return "other " + list(names)
}

// line writes an event on one line, all of it.
func line(ev env.Event) string {
	var b strings.Builder
	b.WriteString(stamp(ev.T))
	for _, s := range []string{ev.Host, ev.Prog, string(ev.Kind), ev.UPS, ev.Name} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if ev.Value != "" {
		fmt.Fprintf(&b, " %q", ev.Value)
	}
	if ev.N != 0 {
		fmt.Fprintf(&b, " n=%d", ev.N)
	}
	if ev.Why != "" {
		fmt.Fprintf(&b, " (%s)", ev.Why)
	}
	return b.String()
}
