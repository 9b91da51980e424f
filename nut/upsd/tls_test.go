package upsd_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/netconn"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
)

// secured is a site whose upsd has a certificate; more is added to its upsd.conf.
func secured(t *testing.T, more string, files map[string]string) (*site, *pkitest.CA) {
	ca := pkitest.NewCA("test CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas", DNS: []string{"nas"}})
	all := map[string]string{
		"/etc/nut/upsd.conf":  "LISTEN *\nMAXAGE 6\nCERTFILE /etc/nut/upsd.pem\n" + more,
		"/etc/nut/upsd.pem":   cert + key,
		"/etc/nut/ca.pem":     ca.PEM(),
		"/etc/nut/weak/a.pem": ca.PEM(),
	}
	for name, text := range files {
		all[name] = text
	}
	return newSite(t, all), ca
}

// A tlsTalk is what one client does: says clear, shakes hands, says secret.
type tlsTalk struct {
	clear  string
	config *tls.Config
	secret []string

	inClear string   // the reply to clear
	replies []string // to secret
	state   tls.ConnectionState
	err     error // of the handshake
	ended   bool
}

// converse runs a talk in virtual time.
func (s *site) converse(k *tlsTalk) *tlsTalk {
	s.t.Helper()
	s.h.StartMain("tls client", func(e env.Env, _ []string) int {
		conn, err := e.Net().Dial(e, "tcp", "127.0.0.1:3493", e.Now().Add(time.Second))
		if err != nil {
			s.t.Error(err)
			return 1
		}
		b := make([]byte, 1000)
		if k.clear != "" {
			conn.Write(e, []byte(k.clear), env.Never)
			for strings.Count(k.inClear, "\n") < strings.Count(k.clear, "\n") {
				n, err := conn.Read(e, b, e.Now().Add(time.Minute))
				if err != nil {
					k.err, k.ended = err, true
					return 1
				}
				k.inClear += string(b[:n])
			}
		}
		secure, err := netconn.Client(e, conn, k.config, e.Now().Add(time.Minute))
		if k.err, k.ended = err, true; err != nil {
			return 1
		}
		k.state = secure.State()
		for _, q := range k.secret {
			secure.Write(e, []byte(q+"\n"), env.Never)
			n, err := secure.Read(e, b, e.Now().Add(time.Minute))
			if err != nil {
				k.replies = append(k.replies, err.Error())
				return 1
			}
			k.replies = append(k.replies, strings.TrimSuffix(string(b[:n]), "\n"))
		}
		_, err = secure.Read(e, b, e.Now().Add(time.Second))
		k.replies = append(k.replies, fmt.Sprint(err))
		return 0
	})
	s.run(2 * time.Second)
	return k
}

// trusting is the configuration of a client that verifies nothing.
func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// NP-C4, NP-S1, NP-S2: the transcript of section 8. `upsd.md 5 CERTFILE`.
func TestSTARTTLS(t *testing.T) {
	s, _ := secured(t, "DISABLE_WEAK_SSL true\n", nil)
	s.driver("fake")
	s.start()
	k := s.converse(&tlsTalk{clear: "USERNAME p\nSTARTTLS ignored words\n", config: trusting(),
		secret: []string{"PASSWORD topsecret", "STARTTLS", "LOGIN fake", "GET VAR fake ups.status", "LOGOUT"}})
	if k.err != nil || k.inClear != "OK\nOK STARTTLS\n" {
		t.Fatalf("in clear %q, handshake %v", k.inClear, k.err)
	}
	want := []string{"OK", "ERR ALREADY-SSL-MODE", "OK", online, "OK Goodbye", "EOF"}
	if got := strings.Join(k.replies, "|"); got != strings.Join(want, "|") {
		t.Errorf("replies %q, want %q", got, want)
	}
	if k.state.Version != tls.VersionTLS13 {
		t.Errorf("version %x, want TLS 1.3", k.state.Version)
	}
	s.wantLog("serving STARTTLS as CN=nas, nas, valid until 2049-01-01", "User p@127.0.0.1 logged into UPS [fake] (SSL)",
		"User p@127.0.0.1 logged out from UPS [fake] (SSL)")
	if s.count("DISABLE_WEAK_SSL") > 0 {
		t.Error("warned of weak TLS that is disabled")
	}
}

func TestWithoutACertificateTheSessionStaysInClear(t *testing.T) {
	s := newSite(t, nil)
	s.driver("fake")
	s.start()
	c := s.client()
	c.want("USERNAME p\nSTARTTLS\nPASSWORD topsecret\nLOGIN fake\n"+getStatus,
		"OK\nERR FEATURE-NOT-CONFIGURED\nOK\nOK\n"+online)
	s.wantLog("User p@127.0.0.1 logged into UPS [fake]")
	if s.count("(SSL)") > 0 {
		t.Error("a session in clear is said to be encrypted")
	}
}

// NP-S3, `upsd.md 5 DISABLE_WEAK_SSL`, `upsd.md 10 Warning`.
func TestWeakVersions(t *testing.T) {
	for _, tt := range []struct {
		name, conf string
		max        uint16
		ok         bool
	}{
		{"TLS 1.0 unless disabled", "", tls.VersionTLS10, true},
		{"no TLS 1.1 when disabled", "DISABLE_WEAK_SSL yes\n", tls.VersionTLS11, false},
		{"TLS 1.2 when disabled", "DISABLE_WEAK_SSL yes\n", tls.VersionTLS12, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := secured(t, tt.conf, nil)
			s.start()
			config := trusting()
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tt.max
			k := s.converse(&tlsTalk{clear: "STARTTLS\n", config: config, secret: []string{"NETVER"}})
			if (k.err == nil) != tt.ok || !k.ended {
				t.Errorf("handshake %v, want success %v", k.err, tt.ok)
			}
			if warned := s.count("Warning: DISABLE_WEAK_SSL is not enabled") > 0; warned != (tt.conf == "") {
				t.Errorf("warned: %v", warned)
			}
		})
	}
}

// NP-S5: whoever says STARTTLS and nothing more is alone with it, and not for long.
func TestASilentHandshakeDelaysNobody(t *testing.T) {
	s, _ := secured(t, "", nil)
	s.driver("fake")
	s.start()
	silent, half, good := s.client(), s.client(), s.client()
	silent.want("STARTTLS", "OK STARTTLS")
	half.want("STARTTLS", "OK STARTTLS")
	half.in.Put("\x16\x03\x01\x02\x00\x01\x00")
	for range 9 {
		s.run(time.Second)
		good.want(getStatus, online)
		half.in.Put("x") // a drop now and then buys no time
	}
	if silent.closed != "" || half.closed != "" {
		t.Errorf("dropped at %q and %q", silent.closed, half.closed)
	}
	s.run(2 * time.Second)
	if silent.closed == "" || half.closed == "" {
		t.Errorf("a handshake of more than 10 s is waited for: %q, %q", silent.closed, half.closed)
	}
	if n := s.count("net_starttls: SSL_accept failed for @127.0.0.1: no handshake within 10s"); n != 2 {
		t.Errorf("%d lines about it:\n%s", n, strings.Join(s.log, "\n"))
	}
	if s.count("stale") > 0 {
		t.Error("a UPS became stale meanwhile")
	}
}

// NP-S4, `upsd.md 10 net_starttls`.
func TestNoHandshake(t *testing.T) {
	for _, tt := range []struct{ name, bytes, log string }{
		{"garbage", "GET VAR fake ups.status\n", "does not look like a TLS handshake"},
		{"an alert", "\x15\x03\x01\x00\x02\x02\x28", "handshake failure"},
		{"a hello that makes no sense", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff", "SSL_accept failed"},
		{"a record that is too large", "\x16\x03\x01\xff\xff", "SSL_accept failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := secured(t, "", nil)
			s.driver("fake")
			s.start()
			bad, good := s.client(), s.client()
			bad.want("STARTTLS", "OK STARTTLS")
			if reply := bad.say(strings.TrimSuffix(tt.bytes, "\n")); strings.Contains(reply, "ERR") || strings.Contains(reply, "VAR") {
				t.Errorf("answered in clear: %q", reply)
			}
			if bad.closed == "" {
				t.Error("the session goes on")
			}
			s.wantLog("net_starttls: SSL_accept failed for @127.0.0.1: ")
			if s.count(tt.log) == 0 {
				t.Errorf("no %q in the log:\n%s", tt.log, strings.Join(s.log, "\n"))
			}
			good.want(getStatus, online)
		})
	}
}

// One that comes again and again cannot fill the log with handshakes.
func TestManyHandshakesThatFailCannotFillTheLog(t *testing.T) {
	s, _ := secured(t, "", nil)
	s.driver("fake")
	s.start()
	before := len(s.log)
	for range 500 {
		bad := s.client()
		bad.want("STARTTLS", "OK STARTTLS")
		bad.say("garbage")
	}
	if n := len(s.log) - before; n == 0 || n > 200 {
		t.Errorf("%d lines about 500 clients, want some, at most %d", n, 200)
	}
}

// What is said in clear behind STARTTLS is not obeyed, neither before nor after the handshake.
func TestNothingIsSmuggledPastTheHandshake(t *testing.T) {
	for name, more := range map[string]string{
		"a request":            "FSD fake\n",
		"half a request":       "FSD fa",
		"an open quote":        "\"\n",
		"a blank line":         "\n",
		"a request in a quote": "\"\nFSD fake\n",
		"a comment that ends":  "# x\nFSD fake\n",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := secured(t, "", nil)
			s.driver("fake")
			s.start()
			c := s.client()
			c.say("USERNAME p", "PASSWORD topsecret")
			c.in.Put("STARTTLS\n" + more)
			s.run(time.Second)
			if c.closed == "" {
				t.Error("the session goes on")
			}
			s.client().want(getStatus, online)
			s.wantLog("SSL_accept failed for p@127.0.0.1: something was sent in clear behind STARTTLS")
		})
	}
}

// NP-S6, `upsd.md 5 CERTREQUEST`, `upsd.md 5 CERTPATH`.
func TestCertificatesOfClients(t *testing.T) {
	good, other := pkitest.NewCA("clients' CA"), pkitest.NewCA("somebody's CA")
	withCert := func(ca *pkitest.CA) *tls.Config {
		config := trusting()
		if ca != nil {
			id, err := tls.X509KeyPair(bytesOf(ca.Issue(pkitest.Leaf{Name: "monitor"})))
			if err != nil {
				t.Fatal(err)
			}
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &id, nil }
		}
		return config
	}
	for _, tt := range []struct {
		level string
		ca    *pkitest.CA
		ok    bool
	}{
		{"0", nil, true}, {"NO", other, true},
		{"1", nil, true}, {"REQUEST", good, true}, {"1", other, false},
		{"2", nil, false}, {"REQUIRE", good, true}, {"2", other, false},
	} {
		t.Run(fmt.Sprintf("%s %v", tt.level, tt.ca != nil), func(t *testing.T) {
			s, _ := secured(t, "CERTPATH /etc/nut/clients\nCERTREQUEST "+tt.level+"\n",
				map[string]string{"/etc/nut/clients/ca.pem": good.PEM(), "/etc/nut/clients/README": "not PEM"})
			s.start()
			k := s.converse(&tlsTalk{clear: "STARTTLS\n", config: withCert(tt.ca), secret: []string{"NETVER"}})
			// In TLS 1.3 the client has finished before the server judges its certificate.
			served := len(k.replies) > 0 && k.replies[0] == "1.3"
			if served != tt.ok {
				t.Errorf("served: %v (%q, %v), want %v\n%s", served, k.replies, k.err, tt.ok, strings.Join(s.log, "\n"))
			}
		})
	}
}

func bytesOf(a, b string) ([]byte, []byte) { return []byte(a), []byte(b) }

// A TLS that was asked for and cannot be had ends the start: nothing is served in clear instead.
// `upsd.md 3 TLS configured but unusable`, `upsd.md 5 CERTIDENT`.
func TestUnusableTLSEndsTheStart(t *testing.T) {
	ca := pkitest.NewCA("CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
	_, otherKey := ca.Issue(pkitest.Leaf{Name: "other"})
	for _, tt := range []struct{ name, conf, pem, want string }{
		{"no file", "CERTFILE /etc/nut/none.pem", "", "CERTFILE /etc/nut/none.pem: No such file or directory"},
		{"no certificate", "CERTFILE /etc/nut/x.pem", key, "CERTFILE /etc/nut/x.pem: no certificate in it"},
		{"no key", "CERTFILE /etc/nut/x.pem", cert, "CERTFILE /etc/nut/x.pem: no private key in it"},
		{"another's key", "CERTFILE /etc/nut/x.pem", cert + otherKey, "CERTFILE /etc/nut/x.pem: private key does not match"},
		{"another's certificate", "CERTFILE /etc/nut/x.pem\nCERTIDENT db x", cert + key, `CERTIDENT wants that of "db"`},
		{"text", "CERTFILE /etc/nut/x.pem", "hello", "no certificate in it"},
		{"clients' CAs are not given", "CERTFILE /etc/nut/x.pem\nCERTREQUEST 2", cert + key, "CERTREQUEST wants CERTPATH"},
		{"clients' CAs are not there", "CERTFILE /etc/nut/x.pem\nCERTREQUEST 2\nCERTPATH /etc/nut/nowhere", cert + key,
			"CERTPATH /etc/nut/nowhere: No such file"},
		{"only a client CA", "CERTPATH /etc/nut/ca.pem", "", "want CERTFILE"},
		{"a database of NSS", "CERTPATH /etc/nut/nss\nCERTIDENT \"My server\" pw", "",
			"pk12util -d /etc/nut/nss -n 'My server'"},
		{"a database of NSS with its kind", "CERTPATH sql:/etc/nut/nss\nCERTIDENT server pw", "",
			"pk12util -d sql:/etc/nut/nss -n server"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, map[string]string{"/etc/nut/upsd.conf": "LISTEN *\n" + tt.conf + "\n", "/etc/nut/x.pem": tt.pem,
				"/etc/nut/ca.pem": ca.PEM(), "/etc/nut/nss/cert9.db": "SQLite"})
			p := s.start()
			if code, ended := p.Status(); !ended || code != 1 {
				t.Errorf("ended %v with %d, want exit 1", ended, code)
			}
			s.wantLog("SSL configuration was specified, but NUT server failed to initialize")
			if s.count(tt.want) != 1 {
				t.Errorf("no %q in:\n%s", tt.want, strings.Join(s.log, "\n"))
			}
		})
	}
}

func TestReloadReadsCertificatesAgain(t *testing.T) {
	s, ca := secured(t, "", nil)
	p := s.start()
	serial := func() string {
		s.t.Helper()
		k := s.converse(&tlsTalk{clear: "STARTTLS\n", config: trusting(), secret: []string{"NETVER"}})
		if k.err != nil || len(k.state.PeerCertificates) == 0 {
			t.Fatalf("handshake: %v", k.err)
		}
		return k.state.PeerCertificates[0].Subject.CommonName
	}
	renew := func(text string) {
		s.h.WriteFile("/etc/nut/upsd.pem", []byte(text))
		p.Signal(env.Hangup)
		s.run(time.Second)
	}
	cert, key := ca.Issue(pkitest.Leaf{Name: "renewed"})
	renew(cert + key)
	if got := serial(); got != "renewed" {
		t.Errorf("after a renewal it shows the certificate of %q", got)
	}
	renew(cert)
	s.wantLog("Reload of certificates failed, the old ones stay: " +
		"SSL configuration was specified, but NUT server failed to initialize it: CERTFILE /etc/nut/upsd.pem: no private key")
	if got := serial(); got != "renewed" {
		t.Errorf("after a bad renewal it shows the certificate of %q", got)
	}
	s.h.WriteFile("/etc/nut/upsd.conf", []byte("LISTEN *\n"))
	renew(cert + key)
	s.client().want("STARTTLS", "ERR FEATURE-NOT-CONFIGURED")
	s.wantLog("STARTTLS is no longer served")
}

// A client that goes away without a word, within the handshake or after it, leaves nothing.
func TestClientsThatVanish(t *testing.T) {
	s, _ := secured(t, "MAXCONN 4\n", nil) // two listeners, one driver, one client
	s.driver("fake")
	s.start()
	for _, said := range []string{"STARTTLS\n", "STARTTLS\nx"} {
		c := s.client()
		c.in.Put(said)
		s.run(100 * time.Millisecond)
		for _, p := range s.h.Find("client") {
			p.Kill()
		}
		s.run(100 * time.Millisecond)
		good := s.client()
		good.want("NETVER", "1.3")
		good.want("LOGOUT", "OK Goodbye")
		s.run(100 * time.Millisecond)
	}
}

func TestTestingTheFilesLooksAtCertificates(t *testing.T) {
	s, _ := secured(t, "", map[string]string{"/etc/nut/upsd.pem": "nothing"})
	p := s.start("-t")
	if code, ended := p.Status(); !ended || code != 1 {
		t.Errorf("-t with a bad CERTFILE: ended %v with %d, want exit 1", ended, code)
	}
}

// NP-S4: bytes that are no handshake end the session and nothing else.
func FuzzHandshake(f *testing.F) {
	ca := pkitest.NewCA("test CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
	for _, seed := range []string{"", "\x16", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "\x15\x03\x01\x00\x02\x01\x00",
		"\x16\x03\x03\x00\x2b\x01\x00\x00\x27\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x00", "GET VAR\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		s := newSite(t, map[string]string{"/etc/nut/upsd.conf": "LISTEN *\nCERTFILE /etc/nut/upsd.pem\n",
			"/etc/nut/upsd.pem": cert + key})
		s.driver("fake")
		p := s.start()
		bad, good := s.client(), s.client()
		bad.want("STARTTLS", "OK STARTTLS")
		bad.in.Put(string(said))
		s.run(time.Second)
		good.want(getStatus, online)
		s.run(10 * time.Second)
		if bad.closed == "" {
			t.Errorf("after %q the session goes on", said)
		}
		if _, ended := p.Status(); ended {
			t.Errorf("after %q upsd has ended", said)
		}
	})
}
