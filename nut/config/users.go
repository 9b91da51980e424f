package config

import (
	"slices"
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
var roles = map[string]Role{
	"primary": Primary, "master": Primary, "secondary": Secondary, "slave": Secondary,
}

// actions are those that upsd asks for.
var actions = []string{"SET", "FSD", "LOGIN", "PRIMARY", "MASTER"}

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
// whichever user was read before, which nobody can have meant. Keys in no section give nobody
// rights.
func ParseUsers(file string, text []byte) (*Users, []Problem) {
	r := &reader{file: file}
	u := &Users{}
	at, lost := -1, false
	for _, l := range r.lines(text) {
		w := l.Words[0]
		if strings.HasPrefix(w.Text, "[") {
			name, ok := r.header(l, "[user]")
			if lost = !ok; ok {
				at = u.section(r, name, w)
			}
			continue
		}
		switch {
		case lost: // its header is reported
		case at < 0:
			r.wrong(w, "stands before any [user]; ignored", "[user] first")
		default:
			r.userKey(&u.List[at], l.Words)
		}
	}
	return u, r.sorted()
}

// section is the place of a user, who is new or has a section already.
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
		r.wrong(key, "has no value; ignored", key.Text+" = value")
		return
	}
	switch strings.ToLower(key.Text) {
	case "password":
		r.password(u, values)
	case "actions":
		for _, v := range values {
			if !slices.Contains(actions, strings.ToUpper(v.Text)) {
				r.warn(v, "nothing asks for this action", "SET or FSD")
			}
			u.Actions = append(u.Actions, r.ascii(v, v))
		}
	case "instcmds":
		for _, v := range values {
			u.InstCmds = append(u.InstCmds, r.ascii(v, v))
		}
	case "upsmon":
		r.role(u, values)
	case "allowfrom":
		r.warn(key, "allowfrom is no longer used; ignored", "LISTEN in upsd.conf and a firewall")
	default:
		r.wrong(key, "Unrecognized user setting", "password, actions, instcmds or upsmon")
	}
}

// password takes the first password of a user, as upsd does.
func (r *reader) password(u *User, values []line.Word) {
	at := hidden(values[0])
	switch {
	case u.Password != "":
		r.wrong(at, "this user has a password already; the first one counts", "one password a user")
		return
	case values[0].Text == "":
		r.warn(at, "an empty password never lets anybody in", "password = word")
	case len(values) > 1:
		r.warn(hidden(values[1]), "a password is one word; what follows is ignored",
			`" around a password with blanks or =`)
	}
	u.Password = r.ascii(values[0], at)
}

func (r *reader) role(u *User, values []line.Word) {
	role, ok := roles[strings.ToLower(values[0].Text)]
	if !ok {
		r.wrong(values[0], "Unknown upsmon type", "upsmon primary or upsmon secondary")
		return
	}
	if len(values) > 1 {
		r.warn(values[1], "a user has one role; what follows is ignored", "upsmon "+string(role))
	}
	if u.Upsmon != NoRole && u.Upsmon != role {
		r.warn(values[0], "this user has another role already; primary counts",
			"one upsmon line a user")
		role = Primary
	}
	u.Upsmon = role
}

// Text is the file again.
func (u *Users) Text() []byte {
	var t text
	for _, x := range u.List {
		t.WriteString(word("["+x.Name+"]") + "\n")
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
