package config

import (
	"strconv"
	"strings"
	"time"
)

// Upsd is upsd.conf.
type Upsd struct {
	MaxAge               time.Duration // a driver silent for longer is stale
	TrackingDelay        time.Duration // how long results of tracked commands are kept
	FSDLease             time.Duration // 0: FSD stays until upsd is restarted
	AllowNoDevice        bool
	AllowNotAllListeners bool
	StatePath            string   // "": as built or as the environment says
	DataPath             string   // "": our own descriptions
	Listen               []Listen // empty: loopback
	MaxConn              int      // 0: as many as the system allows
	CertFile             string
	CertPath             string
	CertIdent            [2]string // name, password
	CertRequest          int       // 0 no, 1 request, 2 require
	DisableWeakSSL       bool
	DebugMin             int
}

// A Listen is an address to serve; "*" is every one of both families.
type Listen struct {
	Addr string
	Port int
}

// DefaultPort is where upsd listens and clients dial; IANA calls it nut.
const DefaultPort = 3493

var upsdDirectives = []directive[Upsd]{
	{"MAXAGE", "SECONDS", func(c *Upsd, a *args) { a.seconds(0, 1, &c.MaxAge) }},
	{"TRACKINGDELAY", "SECONDS", func(c *Upsd, a *args) { a.seconds(0, 0, &c.TrackingDelay) }},
	{"FSDLEASE", "SECONDS", func(c *Upsd, a *args) { a.seconds(0, 0, &c.FSDLease) }},
	{"ALLOW_NO_DEVICE", "yes|no", func(c *Upsd, a *args) { a.loose(0, &c.AllowNoDevice) }},
	{"ALLOW_NOT_ALL_LISTENERS", "yes|no", func(c *Upsd, a *args) {
		a.loose(0, &c.AllowNotAllListeners)
	}},
	{"STATEPATH", "FOLDER", func(c *Upsd, a *args) { c.StatePath = a.text(0) }},
	{"DATAPATH", "FOLDER", func(c *Upsd, a *args) { c.DataPath = a.text(0) }},
	{"LISTEN", "ADDRESS [PORT]", setListen},
	{"MAXCONN", "NUMBER", setMaxConn},
	{"CERTFILE", "FILE", func(c *Upsd, a *args) { c.CertFile = a.text(0) }},
	{"CERTPATH", "FOLDER", func(c *Upsd, a *args) { c.CertPath = a.text(0) }},
	{"CERTIDENT", "NAME PASSWORD", func(c *Upsd, a *args) { setCertIdent(&c.CertIdent, a) }},
	{"CERTREQUEST", "NO|REQUEST|REQUIRE", setCertRequest},
	{"DISABLE_WEAK_SSL", "yes|no", func(c *Upsd, a *args) { a.boolean(0, &c.DisableWeakSSL) }},
	{"DEBUG_MIN", "LEVEL", func(c *Upsd, a *args) { a.number(0, 0, &c.DebugMin) }},
	{"ACCEPT", "[WORD...]", obsolete},
	{"REJECT", "[WORD...]", obsolete},
	{"ACL", "[WORD...]", obsolete},
}

// obsolete directives are those of releases before 2.4.
func obsolete(_ *Upsd, a *args) {
	a.r.warn(a.name, "obsolete, ignored", "LISTEN and a firewall")
}

// setListen takes the port as a number, or by its name in /etc/services, of which only ours is
// known.
func setListen(c *Upsd, a *args) {
	l := Listen{Addr: a.text(0), Port: DefaultPort}
	if a.has(1) && !strings.EqualFold(a.text(1), "nut") {
		n, err := strconv.Atoi(a.text(1))
		if err != nil || n < 1 || n > 65535 {
			a.wrong(1, "not a port (1 to 65535)")
			return
		}
		l.Port = n
	}
	c.Listen = append(c.Listen, l)
}

// setCertIdent reads a name and a password.
func setCertIdent(to *[2]string, a *args) {
	if a.text(0) == "" {
		a.wrong(0, "the name of the certificate is empty")
		return
	}
	*to = [2]string{a.text(0), a.text(1)}
}

func setCertRequest(c *Upsd, a *args) {
	switch strings.ToUpper(a.text(0)) {
	case "0", "NO":
		c.CertRequest = 0
	case "1", "REQUEST":
		c.CertRequest = 1
	case "2", "REQUIRE":
		c.CertRequest = 2
	default:
		a.wrong(0, "not a level")
	}
}

// DefaultUpsd is an upsd.conf that says nothing.
func DefaultUpsd() *Upsd {
	return &Upsd{MaxAge: 15 * time.Second, TrackingDelay: time.Hour, FSDLease: usualFSDLease}
}

// usualFSDLease is longer than any orderly shutdown that is still to cut the power.
const usualFSDLease = 5 * time.Minute

// ParseUpsd reads upsd.conf.
func ParseUpsd(file string, text []byte) (*Upsd, []Problem) {
	r := &reader{file: file}
	c := DefaultUpsd()
	apply(r, c, text, upsdDirectives)
	return c, r.sorted()
}

// Text is the file again.
func (c *Upsd) Text() []byte {
	var t text
	t.put("MAXAGE", c.MaxAge)
	t.put("TRACKINGDELAY", c.TrackingDelay)
	if c.FSDLease != usualFSDLease {
		t.put("FSDLEASE", c.FSDLease) // no other program knows it
	}
	t.put("ALLOW_NO_DEVICE", c.AllowNoDevice)
	t.put("ALLOW_NOT_ALL_LISTENERS", c.AllowNotAllListeners)
	t.putSome("STATEPATH", c.StatePath)
	t.putSome("DATAPATH", c.DataPath)
	for _, l := range c.Listen {
		t.put("LISTEN", l.Addr, l.Port)
	}
	if c.MaxConn != 0 {
		t.put("MAXCONN", max(0, c.MaxConn))
	}
	t.putSome("CERTFILE", c.CertFile)
	t.putSome("CERTPATH", c.CertPath)
	if c.CertIdent[0] != "" {
		t.put("CERTIDENT", c.CertIdent[0], c.CertIdent[1])
	}
	t.put("CERTREQUEST", c.CertRequest)
	t.put("DISABLE_WEAK_SSL", c.DisableWeakSSL)
	t.put("DEBUG_MIN", c.DebugMin)
	return []byte(t.String())
}

// NoConn is the MaxConn of a file that wants none at all; a server refuses to start with it.
const NoConn = -1

func setMaxConn(c *Upsd, a *args) {
	if a.number(0, 0, &c.MaxConn) && c.MaxConn == 0 {
		c.MaxConn = NoConn
	}
}
