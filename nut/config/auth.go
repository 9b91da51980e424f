package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// Auth is nutauth.conf, and what it includes: who a client is to which server, and how it is to
// encrypt.
type Auth struct {
	Common   Login // what stands before any section: for all servers
	Sections []AuthSection
}

// An AuthSection is about one server: [host], [@host] and [@host:port] about whoever talks to it,
// [user@host] and [user@host:port] about one user.
type AuthSection struct {
	User string // "": anybody
	Host string
	Port int
	Login
}

// A Login is what a client says to a server about itself, and asks of it. What is "" or nil is not
// said.
type Login struct {
	User, Password *string

	CertPath     string // the CAs of the servers
	CertFile     string // the client's own certificate and key
	CertName     string // CERTIDENT_NAME: whom CertFile must be made out to
	CertPassword string // CERTIDENT_PASS: of its key
	CertHost     string // whom the server's certificate must be made out to
	Backend      string // SSLBACKEND: means nothing here
	Verify       *bool
	ForceSSL     *bool
}

// maxIncludes is how deep files may include each other: more is a circle.
const maxIncludes = 8

// ParseAuth reads nutauth.conf. include reads a file that it names; a name that does not begin with
// a slash is looked for where the file is that names it.
func ParseAuth(file string, text []byte, include func(name string) ([]byte, error),
) (*Auth, []Problem) {
	p := &authParser{auth: &Auth{}, include: include, at: -1}
	p.file(file, text)
	return p.auth, p.problems
}

// authParser reads nutauth.conf and what it includes.
type authParser struct {
	auth     *Auth
	include  func(name string) ([]byte, error)
	at       int  // the section; -1: before any
	inside   bool // a file that was included within a section
	lost     bool // below a header that cannot be used
	depth    int
	problems []Problem
}

func (p *authParser) file(name string, text []byte) {
	r := &reader{file: name}
	for _, l := range r.lines(text) {
		p.line(r, l)
	}
	p.problems = append(p.problems, r.sorted()...)
}

func (p *authParser) line(r *reader, l line.Line) {
	w := l.Words[0]
	switch key := strings.ToUpper(w.Text); {
	case strings.HasPrefix(w.Text, "["):
		p.header(r, l)
	case p.lost: // its header is reported
	case key == "INCLUDE", key == "INCLUDE_REQUIRED":
		p.included(r, l.Words, key == "INCLUDE_REQUIRED")
	default:
		p.set(r, key, l.Words)
	}
}

// header begins a section, or goes on with one of that name.
func (p *authParser) header(r *reader, l line.Line) {
	const want = "[@host:port] or [user@host:port]"
	w := l.Words[0]
	p.lost = true
	if p.inside {
		r.wrong(w, "a file that is included in a section has no sections; "+
			"the settings below are not used", "INCLUDE before the first section")
		return
	}
	name, ok := r.header(l, want)
	if !ok {
		return
	}
	s, err := authSection(name)
	if err != nil {
		r.wrong(w, err.Error()+"; the settings below are not used", want)
		return
	}
	p.lost = false
	p.at = slices.IndexFunc(p.auth.Sections, func(x AuthSection) bool {
		return x.User == s.User && strings.EqualFold(x.Host, s.Host) && x.Port == s.Port
	})
	if p.at < 0 {
		p.auth.Sections = append(p.auth.Sections, s)
		p.at = len(p.auth.Sections) - 1
	}
}

// authSection takes the name of a section apart.
func authSection(name string) (AuthSection, error) {
	s := AuthSection{Host: "localhost", Port: DefaultPort}
	user, addr, at := strings.Cut(name, "@")
	if !at {
		user, addr = "", name
	}
	s.User = user
	host, port := addr, ""
	if literal, ok := strings.CutPrefix(addr, "["); ok {
		var closed bool
		if host, port, closed = strings.Cut(literal, "]"); !closed {
			return s, errors.New("the bracket of the address is not closed")
		}
		if port != "" && !strings.HasPrefix(port, ":") {
			return s, errors.New("a port follows a colon")
		}
		port = strings.TrimPrefix(port, ":")
	} else if strings.Count(addr, ":") == 1 { // else an address of IPv6, as it is
		host, port, _ = strings.Cut(addr, ":")
	}
	if host != "" {
		s.Host = host
	}
	if port != "" && !strings.EqualFold(port, "nut") {
		n, err := strconv.Atoi(port)
		if err != nil || n < 1 || n > 65535 {
			return s, errors.New("not a port (1 to 65535)")
		}
		s.Port = n
	}
	return s, nil
}

// included reads another file in the place of the line that names it.
func (p *authParser) included(r *reader, w []line.Word, required bool) {
	if len(w) > 1 && w[1].Text == "=" {
		w = slices.Delete(slices.Clone(w), 1, 2)
	}
	want := w[0].Text + " FILE"
	switch {
	case len(w) < 2:
		r.wrong(w[0], "no file is named", want)
		return
	case p.depth == maxIncludes:
		r.wrong(w[1], "files include each other in a circle, or too deep", want)
		return
	}
	name := w[1].Text
	if !path.IsAbs(name) {
		name = path.Join(path.Dir(r.file), name)
	}
	text, err := p.include(name)
	switch {
	case err != nil && (required || !errors.Is(err, fs.ErrNotExist)):
		r.wrong(w[1], fmt.Sprintf("cannot be read: %v", err), "a file that can be read")
		return
	case err != nil:
		return
	}
	before := *p
	p.inside, p.depth = p.inside || p.at >= 0, p.depth+1
	p.file(name, text)
	p.at, p.inside, p.lost, p.depth = before.at, before.inside, before.lost, before.depth
}

// authSecrets are the keys whose values messages do not show.
var authSecrets = []string{"PASS", "PASSWORD", "CERTIDENT_PASS"}

// authKeys say what a key sets.
var authKeys = map[string]func(l *Login, a *args){
	"USER":           func(l *Login, a *args) { l.User = new(a.ascii(0)) },
	"PASS":           func(l *Login, a *args) { l.Password = new(a.secret(0)) },
	"PASSWORD":       func(l *Login, a *args) { l.Password = new(a.secret(0)) },
	"CERTPATH":       func(l *Login, a *args) { l.CertPath = a.text(0) },
	"CERTFILE":       func(l *Login, a *args) { l.CertFile = a.text(0) },
	"CERTIDENT_NAME": func(l *Login, a *args) { l.CertName = a.text(0) },
	"CERTIDENT_PASS": func(l *Login, a *args) { l.CertPassword = a.text(0) },
	"CERTHOST":       func(l *Login, a *args) { l.CertHost = a.text(0) },
	"SSLBACKEND":     func(l *Login, a *args) { l.Backend = a.text(0) },
	"CERTVERIFY":     func(l *Login, a *args) { l.Verify = a.choice(0) },
	"FORCESSL":       func(l *Login, a *args) { l.ForceSSL = a.choice(0) },
}

// choice is the i-th word as yes or no, nil when it is neither.
func (a *args) choice(i int) *bool {
	v, ok := truth(a.text(i))
	if !ok {
		a.wrong(i, "neither yes nor no")
		return nil
	}
	return &v
}

// set reads KEY = value, or KEY value.
func (p *authParser) set(r *reader, key string, w []line.Word) {
	set, known := authKeys[key]
	if !known {
		r.wrong(w[0], "no setting of this file", "USER, PASS, CERTPATH, CERTFILE, CERTIDENT_NAME, "+
			"CERTIDENT_PASS, CERTHOST, CERTVERIFY, FORCESSL, SSLBACKEND or INCLUDE")
		return
	}
	a := &args{r: r, name: line.Word{Text: key, Line: w[0].Line, Col: w[0].Col},
		words: w[1:], want: key + " = value", hide: slices.Contains(authSecrets, key)}
	if len(a.words) > 0 && a.words[0].Text == "=" {
		a.words = a.words[1:]
	}
	switch {
	case len(a.words) == 0:
		r.wrong(w[0], key+" has no value; ignored", a.want+`, "" for an empty one`)
		return
	case len(a.words) > 1:
		a.warn(1, "nobody reads what follows the value; quotes around a value with blanks")
	}
	to := &p.auth.Common
	if p.at >= 0 {
		s := &p.auth.Sections[p.at]
		if key == "USER" && s.User != "" && a.text(0) != s.User {
			a.warn(0, "this section is about "+s.User+"; ignored")
			return
		}
		to = &s.Login
	}
	set(to, a)
}

// Lookup returns what holds for a server. user is who the client wants to be; with "" it is the one
// that is named for the server, or the only one that has a section for it. What a section of the
// user says counts before that of the server, and that before what holds for all.
func (c *Auth) Lookup(user, host string, port int) Login {
	var server Login
	var users []AuthSection
	for _, s := range c.Sections {
		switch {
		case !strings.EqualFold(s.Host, host) || s.Port != port:
		case s.User == "":
			server = s.Login
		default:
			users = append(users, s)
		}
	}
	l := server.over(c.Common)
	switch {
	case user != "":
	case l.User != nil:
		user = *l.User
	case len(users) == 1:
		user = users[0].User
	default:
		return l
	}
	if i := slices.IndexFunc(users, func(s AuthSection) bool { return s.User == user }); i >= 0 {
		l = users[i].over(l)
	}
	l.User = &user
	return l
}

// over is l, and what it does not say taken from below.
func (l Login) over(below Login) Login {
	for _, s := range []struct{ to, from *string }{
		{&l.CertPath, &below.CertPath}, {&l.CertFile, &below.CertFile},
		{&l.CertName, &below.CertName}, {&l.CertPassword, &below.CertPassword},
		{&l.CertHost, &below.CertHost}, {&l.Backend, &below.Backend},
	} {
		if *s.to == "" {
			*s.to = *s.from
		}
	}
	for _, s := range []struct{ to, from **string }{
		{&l.User, &below.User}, {&l.Password, &below.Password},
	} {
		if *s.to == nil {
			*s.to = *s.from
		}
	}
	for _, s := range []struct{ to, from **bool }{
		{&l.Verify, &below.Verify}, {&l.ForceSSL, &below.ForceSSL},
	} {
		if *s.to == nil {
			*s.to = *s.from
		}
	}
	return l
}

// Secret reports whether a password stands in the file or in one that it includes.
func (c *Auth) Secret() bool {
	secret := func(l Login) bool { return l.Password != nil || l.CertPassword != "" }
	return secret(c.Common) ||
		slices.ContainsFunc(c.Sections, func(s AuthSection) bool { return secret(s.Login) })
}

// Text is the file again, with what it included.
func (c *Auth) Text() []byte {
	var t text
	t.login(c.Common)
	for _, s := range c.Sections {
		name := s.User + "@" + net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
		t.WriteString(word("["+name+"]") + "\n")
		t.login(s.Login)
	}
	return []byte(t.String())
}

// login writes settings.
func (t *text) login(l Login) {
	if l.User != nil {
		t.put("USER =", *l.User)
	}
	if l.Password != nil {
		t.put("PASS =", *l.Password)
	}
	for _, s := range []struct{ key, value string }{
		{"CERTPATH =", l.CertPath}, {"CERTFILE =", l.CertFile}, {"CERTIDENT_NAME =", l.CertName},
		{"CERTIDENT_PASS =", l.CertPassword}, {"CERTHOST =", l.CertHost}, {"SSLBACKEND =", l.Backend},
	} {
		t.putSome(s.key, s.value)
	}
	if l.Verify != nil {
		t.put("CERTVERIFY =", *l.Verify)
	}
	if l.ForceSSL != nil {
		t.put("FORCESSL =", *l.ForceSSL)
	}
}
