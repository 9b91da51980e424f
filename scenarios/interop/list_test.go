package interop

import (
	"fmt"
	"slices"
	"strings"
)

// A list is what upsc prints about a UPS: variables in their order.
type list []variable

type variable struct{ name, value string }

func parseList(text string) list {
	var l list
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		l = append(l, variable{name, value})
	}
	return l
}

func (l list) get(name string) (string, bool) {
	i := slices.IndexFunc(l, func(v variable) bool { return v.name == name })
	if i < 0 {
		return "", false
	}
	return l[i].value, true
}

// quoted is a variable's value as differences show it.
func (l list) quoted(name string) string {
	if value, ok := l.get(name); ok {
		return fmt.Sprintf("%q", value)
	}
	return nothing
}

// A difference is about one variable, or about the order of two.
type difference struct {
	name      string
	got, want string // quoted, or "nothing"
}

func (d difference) String() string { return fmt.Sprintf("%s is %s, want %s", d.name, d.got, d.want) }

const (
	nothing = "nothing"
	order   = "the order" // the name under which a break of the order is told
)

// compare returns the differences of two lists: variables first, then the first break of the order.
func compare(got, want list) []difference {
	var all []difference
	var seen []string
	for _, v := range append(slices.Clone(want), got...) {
		if slices.Contains(seen, v.name) {
			continue
		}
		seen = append(seen, v.name)
		if g, w := got.quoted(v.name), want.quoted(v.name); g != w {
			all = append(all, difference{v.name, g, w})
		}
	}
	g, w := common(got, want), common(want, got)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return append(all, difference{order, g[i], w[i]})
		}
	}
	if len(g) != len(w) {
		all = append(all, difference{"the number of lines", fmt.Sprint(len(g)), fmt.Sprint(len(w))})
	}
	return all
}

// common returns the names in l that are in m too.
func common(l, m list) []string {
	var names []string
	for _, v := range l {
		if _, ok := m.get(v.name); ok {
			names = append(names, v.name)
		}
	}
	return names
}
