package config

import (
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// UPS is ups.conf: what holds for all drivers, and a section for each UPS.
type UPS struct {
	Global   Section
	Sections []Section
}

// A Section is a named list of settings, in the order of the file. Sections with the same name are
// kept apart, as drivers and upsd treat them differently.
type Section struct {
	Name  string
	Pairs []Pair
	Line  int
}

// A Pair is one setting; a Flag has no value.
type Pair struct {
	Key, Value string
	Flag       bool
	Line, Col  int
}

// Get returns the last value of a key, which is the one that counts; a flag's value is empty.
func (s Section) Get(key string) (value string, ok bool) {
	for _, p := range s.Pairs {
		if p.Key == key {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

// Section returns the first section of a name, spelled as in the file; nil when there is none.
func (u *UPS) Section(name string) *Section {
	for i := range u.Sections {
		if u.Sections[i].Name == name {
			return &u.Sections[i]
		}
	}
	return nil
}

// globals are the settings that mean something before the first section. Drivers ignore others
// there, so a slip in one of these would go unnoticed.
var globals = []string{
	"chroot", "driverpath", "statepath", "maxstartdelay", "maxretry", "retrydelay", "nowait",
	"pollinterval", "synchronous", "user", "group", "debug_min", "LIBUSB_DEBUG",
	"reconnect_max_tries", "reconnect_report_freq",
}

// ParseUPS reads ups.conf. What the settings of drivers mean is not checked here: only their driver
// knows.
func ParseUPS(file string, text []byte) (*UPS, []Problem) {
	r := &reader{file: file}
	u := &UPS{}
	lost := false // below a header that cannot be read
	for _, l := range r.lines(text) {
		if strings.HasPrefix(l.Words[0].Text, "[") {
			name, ok := r.header(l, "[name]")
			if lost = !ok; ok {
				u.Sections = append(u.Sections, Section{Name: name, Line: l.Words[0].Line})
			}
			continue
		}
		p, ok := r.pair(l)
		if !ok || lost {
			continue // the header is reported
		}
		at := &u.Global
		if n := len(u.Sections); n > 0 {
			at = &u.Sections[n-1]
		} else if !slices.Contains(globals, p.Key) {
			r.warn(l.Words[0], "not a setting for all drivers: nobody reads it here",
				"it below [name]")
		}
		if i := slices.IndexFunc(at.Pairs, func(q Pair) bool { return q.Key == p.Key }); i >= 0 {
			r.twice(l.Words[0], at.Pairs[i].Line, p.Key)
		}
		at.Pairs = append(at.Pairs, p)
	}
	return u, r.sorted()
}

// header reads [name] from a line that begins with a bracket.
func (r *reader) header(l line.Line, want string) (name string, ok bool) {
	w := l.Words[0]
	inside, closed := strings.CutSuffix(w.Text[1:], "]")
	switch {
	case !closed && len(l.Words) > 1 && strings.HasSuffix(l.Words[1].Text, "]"):
		r.wrong(w, "a section name has no blanks; the settings below are not used", want)
		return "", false
	case !closed || inside == "":
		r.wrong(w, "not a section header; the settings below are not used", want)
		return "", false
	case len(l.Words) > 1:
		r.warn(l.Words[1], "nothing may follow a section header; ignored",
			want+" alone on its line")
	}
	if strings.ContainsAny(inside, " \t") {
		r.warn(w, "a name with blanks must be quoted wherever it is used", want)
	}
	if name = r.ascii(line.Word{Text: inside}, w); name == "" {
		r.wrong(w, "nothing of this name is ASCII; the settings below are not used", want)
	}
	return name, name != ""
}

// pair reads key = value, or a flag.
func (r *reader) pair(l line.Line) (Pair, bool) {
	w := l.Words
	p := Pair{Key: r.ascii(w[0], w[0]), Line: w[0].Line, Col: w[0].Col}
	want := p.Key + " = value"
	switch {
	case w[0].Text == "=" || p.Key == "" || strings.HasPrefix(p.Key, "["):
		r.wrong(w[0], "a setting begins with its name", "key = value")
		return p, false
	case len(w) == 1:
		p.Flag = true
		return p, true
	case w[1].Text != "=":
		r.wrong(shown(p.Key, w[1]), p.Key+" is followed by a word and no =; ignored", want)
		return p, false
	case len(w) == 2:
		r.wrong(w[1], p.Key+" has no value; ignored", want)
		return p, false
	case len(w) > 3:
		r.warn(shown(p.Key, w[3]), p.Key+" has one value; what follows is ignored",
			`" around a value with blanks or =`)
	}
	p.Value = w[2].Text
	if p.Key == "desc" { // upsd sends it
		p.Value = r.ascii(w[2], w[2])
	}
	return p, true
}

// secrets are in the names of settings whose values messages must not show.
var secrets = []string{"password", "passwd", "community", "secret"}

// shown is a word behind a key as messages may show it.
func shown(key string, w line.Word) line.Word {
	key = strings.ToLower(key)
	if slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(key, s) }) {
		return hidden(w)
	}
	return w
}

// Text is the file again.
func (u *UPS) Text() []byte {
	var t text
	u.Global.write(&t, "")
	for _, s := range u.Sections {
		t.WriteString(word("["+s.Name+"]") + "\n")
		s.write(&t, "\t")
	}
	return []byte(t.String())
}

func (s Section) write(t *text, indent string) {
	for _, p := range s.Pairs {
		t.WriteString(indent + word(p.Key))
		if !p.Flag {
			t.WriteString(" = " + word(p.Value))
		}
		t.WriteByte('\n')
	}
}
