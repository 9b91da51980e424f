package config

import (
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

// Get returns the last value of a key; a flag's value is empty.
func (s Section) Get(key string) (value string, ok bool) {
	for _, p := range s.Pairs {
		if p.Key == key {
			value, ok = p.Value, true
		}
	}
	return value, ok
}

// Section returns the section of a name, spelled as in the file; nil when there is none.
func (u *UPS) Section(name string) *Section {
	for i := range u.Sections {
		if u.Sections[i].Name == name {
			return &u.Sections[i]
		}
	}
	return nil
}

// ParseUPS reads ups.conf.
func ParseUPS(file string, text []byte) (*UPS, []Problem) {
	r := &reader{file: file}
	u := &UPS{}
	at := &u.Global
	for _, l := range r.lines(text) {
		if len(l.Words) == 0 {
			continue
		}
		if name, ok := r.header(l); ok {
			u.Sections = append(u.Sections, Section{Name: name, Line: l.Words[0].Line})
			at = &u.Sections[len(u.Sections)-1]
			continue
		}
		if p, ok := r.pair(l); ok {
			at.Pairs = append(at.Pairs, p)
		}
	}
	return u, r.problems
}

// header reads [name].
func (r *reader) header(l line.Line) (name string, ok bool) {
	w := l.Words[0]
	if !strings.HasPrefix(w.Text, "[") {
		return "", false
	}
	if !strings.HasSuffix(w.Text, "]") || len(w.Text) < 3 {
		if len(l.Words) > 1 && strings.HasSuffix(l.Words[len(l.Words)-1].Text, "]") {
			r.wrong(w, "a section name has no blanks", "[name]")
		} else if len(w.Text) < 3 {
			r.wrong(w, "not a section header", "[name]")
		} else {
			return "", false
		}
		return "", false
	}
	if len(l.Words) > 1 {
		r.warn(l.Words[1], "nothing may follow a section header; ignored", "[name] alone on its line")
	}
	return w.Text[1 : len(w.Text)-1], true
}

// pair reads key = value, or a flag.
func (r *reader) pair(l line.Line) (Pair, bool) {
	w := l.Words
	p := Pair{Key: w[0].Text, Line: w[0].Line, Col: w[0].Col}
	switch {
	case strings.HasPrefix(p.Key, "[") && len(w) > 1 && w[1].Text != "=":
		return p, false // reported as a header
	case p.Key == "[]" || p.Key == "[":
		return p, false
	case p.Key == "=":
		r.wrong(w[0], "a setting begins with its name", "key = value")
		return p, false
	case len(w) == 1:
		p.Flag = true
		return p, true
	case w[1].Text != "=":
		r.wrong(w[1], "ignored: "+p.Key+" is followed by a word and no =", p.Key+" = value")
		return p, false
	case len(w) == 2:
		r.wrong(w[1], "ignored: "+p.Key+" has no value", p.Key+" = value")
		return p, false
	case len(w) > 3:
		r.warn(w[3], "ignored: "+p.Key+" has one value", `double quotes around a value with blanks or "="`)
	}
	p.Value = w[2].Text
	return p, true
}

// Text is the file again.
func (u *UPS) Text() []byte {
	var t text
	u.Global.write(&t)
	for _, s := range u.Sections {
		t.WriteString("[" + s.Name + "]\n")
		s.write(&t)
	}
	return []byte(t.String())
}

func (s Section) write(t *text) {
	for _, p := range s.Pairs {
		if s.Name != "" {
			t.WriteByte('\t')
		}
		t.WriteString(word(p.Key))
		if !p.Flag {
			t.WriteString(" = " + word(p.Value))
		}
		t.WriteByte('\n')
	}
}
