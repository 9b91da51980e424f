package config

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// Users is upsd.users.
type Users struct{ List []User }

// A User is one account. Actions are SET, FSD and the like; InstCmds names or ALL.
type User struct {
	Name     string
	Password string // "" never authenticates
	Actions  []string
	InstCmds []string
	Upsmon   Role
}

// Role is what a user, or a MONITOR line, is to a UPS.
type Role string

// Roles. Old files say master and slave.
const (
	NoRole    Role = ""
	Primary   Role = "primary"
	Secondary Role = "secondary"
)

// roles are the spellings of the roles.
var roles = map[string]Role{"primary": Primary, "master": Primary, "secondary": Secondary, "slave": Secondary}

// Lookup returns the user of a name, nil when there is none. Names are case-sensitive.
func (u *Users) Lookup(name string) *User {
	for i := range u.List {
		if u.List[i].Name == name {
			return &u.List[i]
		}
	}
	return nil
}

// ParseUsers reads upsd.users. A second section of a name adds to the first: NUT gives its keys to
// whichever user was read before, which nobody can have meant.
func ParseUsers(file string, text []byte) (*Users, []Problem) {
	r := &reader{file: file}
	u := &Users{}
	at := -1
	for _, l := range r.lines(text) {
		if len(l.Words) == 0 {
			continue
		}
		if name, ok := r.header(l); ok {
			at = u.section(r, name, l.Words[0])
			continue
		}
		if strings.HasPrefix(l.Words[0].Text, "[") {
			r.unreadable(l)
			at = -1
			continue
		}
		if at < 0 {
			r.warn(l.Words[0], "stands before any [user] section; ignored", "[user] first")
			continue
		}
		r.userKey(&u.List[at], l.Words)
	}
	return u, r.problems
}

// unreadable reports a header that header() has not reported.
func (r *reader) unreadable(l line.Line) {
	if n := len(r.problems); n == 0 || r.problems[n-1].Line != l.Words[0].Line {
		r.wrong(l.Words[0], "not a section header", "[user]")
	}
}

func (u *Users) section(r *reader, name string, w line.Word) int {
	for i := range u.List {
		if u.List[i].Name == name {
			r.warn(w, "this user has a section already; the two are joined", "one section a user")
			return i
		}
	}
	u.List = append(u.List, User{Name: name})
	return len(u.List) - 1
}

// userKey reads "key = values" and "key values".
func (r *reader) userKey(u *User, w []line.Word) {
	key, values := w[0], w[1:]
	if len(values) > 0 && values[0].Text == "=" {
		values = values[1:]
	}
	if len(values) == 0 {
		r.wrong(key, "has no value", key.Text+" = value")
		return
	}
	var texts []string
	for _, v := range values {
		texts = append(texts, v.Text)
	}
	switch strings.ToLower(key.Text) {
	case "password":
		u.Password = texts[0]
		if len(texts) > 1 {
			r.problems = append(r.problems, Problem{File: r.file, Line: values[1].Line, Col: values[1].Col, Warning: true,
				Cause: "a password is one word; what follows is ignored", Want: "double quotes around a password with blanks"})
		}
	case "actions":
		u.Actions = append(u.Actions, texts...)
	case "instcmds":
		u.InstCmds = append(u.InstCmds, texts...)
	case "upsmon":
		role, ok := roles[strings.ToLower(texts[0])]
		if !ok {
			r.wrong(values[0], "unknown upsmon type", "upsmon primary or upsmon secondary")
			return
		}
		u.Upsmon = role
	case "allowfrom":
		r.warn(key, "allowfrom is obsolete; ignored", "LISTEN in upsd.conf and a firewall")
	default:
		r.wrong(key, "Unrecognized user setting", "password, actions, instcmds or upsmon")
	}
}

// Text is the file again.
func (u *Users) Text() []byte {
	var t text
	for _, x := range u.List {
		t.WriteString("[" + x.Name + "]\n")
		if x.Password != "" {
			t.put("\tpassword =", x.Password)
		}
		for _, a := range x.Actions {
			t.put("\tactions =", a)
		}
		for _, c := range x.InstCmds {
			t.put("\tinstcmds =", c)
		}
		if x.Upsmon != NoRole {
			t.put("\tupsmon", string(x.Upsmon))
		}
	}
	return []byte(t.String())
}
