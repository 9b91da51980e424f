package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Upsd is upsd.conf.
type Upsd struct {
	MaxAge               time.Duration // a driver silent for longer is stale
	TrackingDelay        time.Duration // how long results of tracked commands are kept
	AllowNoDevice        bool
	AllowNotAllListeners bool
	StatePath            string
	DataPath             string
	Listen               []Listen // empty: loopback
	MaxConn              int      // 0: as many as the system allows
	CertFile             string
	CertPath             string
	CertIdent            [2]string // name, password
	CertRequest          int       // 0 no, 1 request, 2 require
	DisableWeakSSL       bool
	DebugMin             int
}

// A Listen is an address to serve; "*" is every one of both families. Port 0 means 3493.
type Listen struct {
	Addr string
	Port int
}

// certRequests are the levels of CERTREQUEST by name.
var certRequests = map[string]int{"0": 0, "no": 0, "1": 1, "request": 1, "2": 2, "require": 2}

// errObsolete is reported for directives that older releases knew.
var errObsolete = errors.New("obsolete, ignored; use LISTEN and a firewall")

var upsdDirectives = []directive[Upsd]{
	{"MAXAGE", 1, "MAXAGE 15 (seconds)", func(c *Upsd, a []string) (err error) { return keep(&c.MaxAge, a, 1) }},
	{"TRACKINGDELAY", 1, "TRACKINGDELAY 3600 (seconds)", func(c *Upsd, a []string) error { return keep(&c.TrackingDelay, a, 0) }},
	{"ALLOW_NO_DEVICE", 1, "ALLOW_NO_DEVICE yes", func(c *Upsd, a []string) error { return keepLoose(&c.AllowNoDevice, a) }},
	{"ALLOW_NOT_ALL_LISTENERS", 1, "ALLOW_NOT_ALL_LISTENERS yes", func(c *Upsd, a []string) error { return keepLoose(&c.AllowNotAllListeners, a) }},
	{"STATEPATH", 1, "STATEPATH /run/nut", func(c *Upsd, a []string) error { c.StatePath = a[0]; return nil }},
	{"DATAPATH", 1, "DATAPATH /usr/share/nut", func(c *Upsd, a []string) error { c.DataPath = a[0]; return nil }},
	{"LISTEN", 1, "LISTEN ADDRESS [PORT]", setListen},
	{"MAXCONN", 1, "MAXCONN 1024", func(c *Upsd, a []string) (err error) { return keepNumber(&c.MaxConn, a, 1) }},
	{"CERTFILE", 1, "CERTFILE /etc/nut/upsd.pem", func(c *Upsd, a []string) error { c.CertFile = a[0]; return nil }},
	{"CERTPATH", 1, "CERTPATH /etc/nut/certs", func(c *Upsd, a []string) error { c.CertPath = a[0]; return nil }},
	{"CERTIDENT", 2, `CERTIDENT "certificate name" "password"`, func(c *Upsd, a []string) error { c.CertIdent = [2]string{a[0], a[1]}; return nil }},
	{"CERTREQUEST", 1, "CERTREQUEST NO, REQUEST or REQUIRE", setCertRequest},
	{"DISABLE_WEAK_SSL", 1, "DISABLE_WEAK_SSL yes", func(c *Upsd, a []string) (err error) { return keepBool(&c.DisableWeakSSL, a) }},
	{"DEBUG_MIN", 1, "DEBUG_MIN 0", func(c *Upsd, a []string) error { return keepNumber(&c.DebugMin, a, 0) }},
	{"ACCEPT", 0, "nothing", func(*Upsd, []string) error { return errObsolete }},
	{"REJECT", 0, "nothing", func(*Upsd, []string) error { return errObsolete }},
	{"ACL", 0, "nothing", func(*Upsd, []string) error { return errObsolete }},
}

// keep, keepNumber and keepBool set a value only when the word is right.
func keep(to *time.Duration, a []string, min int) error {
	d, err := seconds(a, 0, min)
	if err == nil {
		*to = d
	}
	return err
}

func keepNumber(to *int, a []string, min int) error {
	n, err := number(a, 0, min)
	if err == nil {
		*to = n
	}
	return err
}

func keepBool(to *bool, a []string) error {
	v, err := boolean(a, 0)
	if err == nil {
		*to = v
	}
	return err
}

// keepLoose also takes any whole number, zero for no.
func keepLoose(to *bool, a []string) error {
	if n, err := strconv.Atoi(a[0]); err == nil {
		*to = n != 0
		return nil
	}
	return keepBool(to, a)
}

func setListen(c *Upsd, a []string) error {
	l := Listen{Addr: a[0]}
	if len(a) > 1 {
		n, err := strconv.Atoi(a[1])
		if err != nil || n < 1 || n > 65535 {
			return badWord{1, "not a port (1 to 65535)"}
		}
		l.Port = n
	}
	c.Listen = append(c.Listen, l)
	return nil
}

func setCertRequest(c *Upsd, a []string) error {
	v, ok := certRequests[strings.ToLower(a[0])]
	if !ok {
		return badWord{0, "not a level"}
	}
	c.CertRequest = v
	return nil
}

// ParseUpsd reads upsd.conf.
func ParseUpsd(file string, text []byte) (*Upsd, []Problem) {
	r := &reader{file: file}
	c := &Upsd{MaxAge: 15 * time.Second, TrackingDelay: time.Hour}
	apply(r, c, text, upsdDirectives)
	return c, r.problems
}

// Text is the file again.
func (c *Upsd) Text() []byte {
	var t text
	t.put("MAXAGE", c.MaxAge)
	t.put("TRACKINGDELAY", c.TrackingDelay)
	t.put("ALLOW_NO_DEVICE", c.AllowNoDevice)
	t.put("ALLOW_NOT_ALL_LISTENERS", c.AllowNotAllListeners)
	for _, l := range c.Listen {
		if l.Port == 0 {
			t.put("LISTEN", l.Addr)
		} else {
			t.put("LISTEN", l.Addr, l.Port)
		}
	}
	if c.MaxConn > 0 {
		t.put("MAXCONN", c.MaxConn)
	}
	for _, s := range []struct{ name, value string }{{"STATEPATH", c.StatePath}, {"DATAPATH", c.DataPath},
		{"CERTFILE", c.CertFile}, {"CERTPATH", c.CertPath}} {
		if s.value != "" {
			t.put(s.name, s.value)
		}
	}
	if c.CertIdent[0] != "" {
		t.put("CERTIDENT", c.CertIdent[0], c.CertIdent[1])
	}
	t.put("CERTREQUEST", c.CertRequest)
	t.put("DISABLE_WEAK_SSL", c.DisableWeakSSL)
	t.put("DEBUG_MIN", c.DebugMin)
	return []byte(t.String())
}
