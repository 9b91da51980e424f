package upslog

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// defaultFormat is what a line says without -f.
const defaultFormat = "%TIME @Y@m@d @H@M@S% %VAR battery.charge% %VAR input.voltage% " +
	"%VAR ups.load% [%VAR ups.status%] %VAR ups.temperature% %VAR input.frequency%"

// What stands in a line for a value that is not to be had, and for a token that means nothing.
const (
	missing = "NA"
	invalid = "INVALID"
)

// A subject is what a line is about.
type subject struct {
	host string // this host
	ups  string // the UPS as it was given
	pid  int
	at   time.Time
	vars map[string]string
}

// A piece is a part of a format: literal text, or what a token makes of the subject and its
// argument.
type piece struct {
	text string
	show func(s *subject, arg string) string // nil: text stands for itself
}

// tokens are the words between percent signs. The first one that a word begins with counts,
// whatever the letter case: so much has always been allowed.
var tokens = []struct {
	name string
	arg  bool // one blank and an argument must follow
	show func(s *subject, arg string) string
}{
	{"HOST", false, func(s *subject, _ string) string { return s.host }},
	{"UPSHOST", false, func(s *subject, _ string) string { return s.ups }},
	{"PID", false, func(s *subject, _ string) string { return strconv.Itoa(s.pid) }},
	{"TIME", true, func(s *subject, arg string) string { return strftime(s.at, arg) }},
	{"VAR", true, (*subject).value},
	{"ETIME", false, func(s *subject, _ string) string { return strconv.FormatInt(s.at.Unix(), 10) }},
}

// value is the value of a variable.
func (s *subject) value(name string) string {
	if v, ok := s.vars[name]; ok {
		return v
	}
	return missing
}

// A format is a line in pieces, and the variables that it wants.
type format struct {
	pieces []piece
	vars   []string
}

func parseFormat(text string) *format {
	f := &format{}
	for text != "" {
		literal, rest, token := strings.Cut(text, "%")
		f.literal(literal)
		if !token {
			break
		}
		word, after, closed := strings.Cut(rest, "%")
		switch {
		case !closed: // the rest stands for itself
			f.literal(invalid)
			text = rest
		case word == "":
			f.literal("%")
			text = after
		default:
			f.token(word)
			text = after
		}
	}
	return f
}

func (f *format) literal(text string) {
	if text != "" {
		f.pieces = append(f.pieces, piece{text: text})
	}
}

// token adds what stands between two percent signs.
func (f *format) token(word string) {
	if word == "t" {
		f.literal("\t")
		return
	}
	for _, t := range tokens {
		if len(word) < len(t.name) || !strings.EqualFold(word[:len(t.name)], t.name) {
			continue
		}
		arg, blank := strings.CutPrefix(word[len(t.name):], " ")
		isVar := t.name == "VAR"
		if t.arg && !blank || isVar && !strings.Contains(arg, ".") {
			break
		}
		if isVar {
			f.want(arg)
		}
		f.pieces = append(f.pieces, piece{text: arg, show: t.show})
		return
	}
	f.literal(invalid)
}

// want notes that a variable is to be asked for, once.
func (f *format) want(name string) {
	if !slices.Contains(f.vars, name) {
		f.vars = append(f.vars, name)
	}
}

// An object is a line as JSON: null stands for a value that is not to be had.
type object struct {
	Time   string             `json:"time"` // RFC 3339
	UPS    string             `json:"ups"`
	Values map[string]*string `json:"values"`
}

// object is what --json writes about a subject: the variables that the format names.
func (f *format) object(s *subject) object {
	o := object{s.at.Format(time.RFC3339), s.ups, map[string]*string{}}
	for _, name := range f.vars {
		o.Values[name] = nil
		if v, ok := s.vars[name]; ok {
			o.Values[name] = &v
		}
	}
	return o
}

// line is what the format says about a subject.
func (f *format) line(s *subject) string {
	var b strings.Builder
	for _, p := range f.pieces {
		if p.show == nil {
			b.WriteString(p.text)
		} else {
			b.WriteString(p.show(s, p.text))
		}
	}
	return b.String()
}
