package dummy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A step is one line of the file.
type step struct {
	verb  verb
	name  string
	value string // words joined by blanks
	pause time.Duration
}

type verb int

const (
	set verb = iota
	drop
	timer
	alarm
)

// A script is a file that was read.
type script struct {
	steps []step
	names map[string]bool // variables that it sets, by lower-case name
	real  bool            // a recording
	bad   []error         // lines that were skipped
}

// parse reads a file. Lines that cannot be read are skipped.
func parse(file string, text []byte) script {
	lines := strings.Split(string(text), "\n")
	s := script{names: make(map[string]bool), real: isRecording(lines)}
	for i, l := range lines {
		st, ok, err := parseLine(strings.TrimSuffix(l, "\r"), s.real)
		switch {
		case err != nil:
			s.bad = append(s.bad, fmt.Errorf("%s:%d: %w: %q is skipped", file, i+1, err, l))
		case ok:
			s.steps = append(s.steps, st)
			s.names[strings.ToLower(st.name)] = true
		}
	}
	return s
}

// isRecording reports whether the lines are the output of upsc. People who write a file have no
// reason to set driver.version: it is ignored.
func isRecording(lines []string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, "driver.version:") {
			return true
		}
	}
	return false
}

// parseLine reads one line; ok is false for those that say nothing.
func parseLine(l string, recorded bool) (st step, ok bool, err error) {
	if name, value, found := strings.Cut(l, ":"); recorded && found && isName(name) {
		st = step{verb: set, name: name, value: printable(strings.TrimPrefix(value, " "))}
		return st, !ours(name), nil
	}
	words, err := line.Words(l)
	if err != nil || len(words) == 0 {
		return st, false, err
	}
	value := strings.Join(words[1:], " ")
	switch words[0] {
	case "TIMER":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxTimer {
			return st, false, fmt.Errorf("TIMER %q: want a number of seconds, at most %d",
				value, maxTimer)
		}
		return step{verb: timer, pause: time.Duration(n) * time.Second}, true, nil
	case "ALARM":
		return step{verb: alarm, value: value}, true, nil
	}
	name, _, _ := strings.Cut(words[0], ":")
	if !isName(name) {
		return st, false, fmt.Errorf("%q: want a variable, TIMER or ALARM", words[0])
	}
	st = step{verb: set, name: name, value: value}
	if value == "" {
		st.verb = drop
	}
	return st, !ours(name), nil
}

// maxTimer is ten years: more is a slip of the finger.
const maxTimer = 10 * 366 * 24 * 3600

// ours reports whether a variable belongs to this driver and not to the file.
func ours(name string) bool { return strings.HasPrefix(strings.ToLower(name), "driver.") }

// isName reports whether a word can name a variable.
func isName(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

// printable leaves out what no program of NUT passes on.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, s)
}
