package client_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/nut/upsc"
	server "github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A room is upsd on one virtual host and its clients on another.
type room struct {
	t         *testing.T
	w         *world.World
	nas, desk *world.Host
	log       []string
}

// newRoom starts upsd with these lines in its upsd.conf and these files.
func newRoom(t *testing.T, conf string, files map[string]string) *room {
	r := &room{t: t}
	r.w = world.New(world.Options{
		Seed: 7,
		Programs: func(_ *world.Host, name string) env.Main {
			return map[string]env.Main{"upsd": server.Main, "upsc": upsc.Main}[name]
		},
		Console: func(_ env.Instant, _, prog, line string) { r.log = append(r.log, prog+": "+line) },
	})
	t.Cleanup(func() { r.w.Close() })
	r.nas, r.desk = r.w.Host("nas"), r.w.Host("desk")
	r.nas.PowerOn()
	r.desk.PowerOn()
	for _, f := range []struct{ name, text string }{
		{"ups.conf", "[rack]\n driver = dummy-ups\n port = x\n"}, {"upsd.conf", "LISTEN *\n" + conf}, {"upsd.users", ""},
	} {
		r.nas.WriteFile("/etc/nut/"+f.name, []byte(f.text))
	}
	r.nas.WriteFile("/run/nut/.keep", nil)
	for name, text := range files {
		r.nas.WriteFile(name, []byte(text))
		r.desk.WriteFile(name, []byte(text))
	}
	r.nas.Start("upsd", nil)
	r.run(time.Second)
	return r
}

func (r *room) run(d time.Duration) {
	r.t.Helper()
	if err := r.w.RunFor(d); err != nil {
		r.t.Fatal(err)
	}
}

// dial connects from the desk and asks for the version of the protocol.
func (r *room) dial(o client.Options) (encrypted bool, err error) {
	r.t.Helper()
	done := false
	r.desk.StartMain("client", func(e env.Env, _ []string) int {
		defer func() { done = true }()
		var c *client.Conn
		c, err = client.Dial(e, "nas", netproto.Port, o, e.Now().Add(client.ConnectTime))
		if err != nil {
			return 1
		}
		defer c.Close()
		encrypted = c.Encrypted()
		var reply []byte
		if reply, err = c.Ask(e, answerBy(e), []byte("NETVER\n")); err == nil && string(reply) != "1.3" {
			r.t.Errorf("NETVER = %q", reply)
		}
		return 0
	})
	r.run(20 * time.Second)
	if !done {
		r.t.Fatal("the client has not ended")
	}
	return encrypted, err
}

// certificates of the tests: what the server shows, and the files of both.
func pair(ca *pkitest.CA, l pkitest.Leaf) string {
	cert, key := ca.Issue(l)
	return cert + key
}

// NP-S7, and the words of section 12 of the protocol's notes.
func TestWhomAClientTrusts(t *testing.T) {
	ours, others := pkitest.NewCA("our CA"), pkitest.NewCA("another CA")
	nas := pkitest.Leaf{Name: "nas", DNS: []string{"nas"}}
	past := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	verify := client.Options{Verify: true, CAPath: "/etc/nut/ca.pem"}
	named := func(name string) client.Options { o := verify; o.ServerName = name; return o }
	for _, tt := range []struct {
		name   string
		server string // its PEM; none: in clear
		o      client.Options
		secure bool
		err    string // how it begins
	}{
		{"TLS is taken where it is", pair(others, nas), client.Options{}, true, ""},
		{"and missed where it is not", "", client.Options{}, false, ""},
		{"unless it is forced", "", client.Options{ForceSSL: true}, false, "SSL is not available: "},
		{"or verified", "", verify, false, "SSL is not available: "},
		{"forced", pair(others, nas), client.Options{ForceSSL: true}, true, ""},
		{"verified", pair(ours, nas), verify, true, ""},
		{"a folder of CAs", pair(ours, nas), client.Options{Verify: true, CAPath: "/etc/nut/cas"}, true, ""},
		{"another's CA", pair(others, nas), verify, false, "SSL error: x509: certificate signed by unknown authority"},
		{"another's name", pair(ours, pkitest.Leaf{Name: "db", DNS: []string{"db"}}), verify, false, `SSL error: the certificate is made out to CN=db, db, not to "nas"`},
		{"the name that CERTHOST expects", pair(ours, pkitest.Leaf{Name: "db", DNS: []string{"db"}}), named("db"), true, ""},
		{"a common name only, as certutil makes", pair(ours, pkitest.Leaf{Name: "nas"}), verify, true, ""},
		{"a common name is none beside others", pair(ours, pkitest.Leaf{Name: "nas", DNS: []string{"db"}}), verify, false, "SSL error: the certificate"},
		{"a nickname in words", pair(ours, pkitest.Leaf{Name: "My nut server", DNS: []string{"x"}}), named("My nut server"), true, ""},
		{"not the one that CERTHOST expects", pair(ours, nas), named("My nut server"), false, "SSL error: the certificate"},
		{"an address", pair(ours, pkitest.Leaf{IP: []string{"192.0.2.1"}}), named("192.0.2.1"), true, ""},
		{"expired", pair(ours, pkitest.Leaf{Name: "nas", NotAfter: past}), verify, false, "SSL error: "},
		{"expired, and nobody looks", pair(ours, pkitest.Leaf{Name: "nas", NotAfter: past}), client.Options{}, true, ""},
		{"no CA to verify by", pair(ours, nas), client.Options{Verify: true}, false, "SSL error: CERTVERIFY wants CERTPATH"},
		{"a CA file that is not there", pair(ours, nas), client.Options{Verify: true, CAPath: "/no.pem"}, false,
			"SSL error: CERTPATH /no.pem: No such file or directory"},
		{"a database of NSS", pair(ours, nas), client.Options{Verify: true, CAPath: "/etc/nut/nss"}, false,
			"SSL error: CERTPATH /etc/nut/nss: it is a certificate database of NSS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := ""
			if tt.server != "" {
				conf = "CERTFILE /etc/nut/upsd.pem\n"
			}
			r := newRoom(t, conf, map[string]string{"/etc/nut/upsd.pem": tt.server, "/etc/nut/ca.pem": ours.PEM(),
				"/etc/nut/cas/1.pem": ours.PEM(), "/etc/nut/cas/2.pem": "no PEM", "/etc/nut/nss/cert9.db": ""})
			secure, err := r.dial(tt.o)
			if secure != tt.secure || (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("encrypted %v, %v; want %v, %q\n%s", secure, err, tt.secure, tt.err, strings.Join(r.log, "\n"))
			}
		})
	}
}

func TestAClientShowsItsCertificate(t *testing.T) {
	ca := pkitest.NewCA("our CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "desk"})
	r := newRoom(t, "CERTFILE /etc/nut/upsd.pem\nCERTREQUEST REQUIRE\nCERTPATH /etc/nut/ca.pem\n", map[string]string{
		"/etc/nut/upsd.pem": pair(ca, pkitest.Leaf{Name: "nas"}), "/etc/nut/ca.pem": ca.PEM(),
		"/etc/nut/desk.pem": cert, "/etc/nut/desk.key": key})
	mine := client.Options{CertFile: "/etc/nut/desk.pem", KeyFile: "/etc/nut/desk.key"}
	for _, tt := range []struct {
		name string
		o    client.Options
		err  string
	}{
		{"none", client.Options{}, "Read error: remote error: tls: certificate required"},
		{"its own", mine, ""},
		{"with the right name", client.Options{CertFile: mine.CertFile, KeyFile: mine.KeyFile, CertName: "desk"}, ""},
		{"with a wrong name", client.Options{CertFile: mine.CertFile, KeyFile: mine.KeyFile, CertName: "me"},
			`SSL error: CERTFILE /etc/nut/desk.pem holds the certificate of CN=desk, CERTIDENT wants that of "me"`},
		{"without its key", client.Options{CertFile: mine.CertFile}, "SSL error: CERTFILE /etc/nut/desk.pem: no private key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := r.dial(tt.o); (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

// NP-S7: the program upsc on another virtual host, and what it says about the connection.
func TestUpscOverTLS(t *testing.T) {
	ca := pkitest.NewCA("our CA")
	r := newRoom(t, "CERTFILE /etc/nut/upsd.pem\n", map[string]string{"/etc/nut/upsd.pem": pair(ca, pkitest.Leaf{Name: "nas"})})
	var out, errOut strings.Builder
	p := r.desk.StartTo(&out, &errOut, "upsc", []string{"-l", "nas"})
	r.run(time.Second)
	if status, ended := p.Status(); !ended || status != 0 || out.String() != "rack\n" {
		t.Errorf("exit %d (%v), %q, %q", status, ended, out.String(), errOut.String())
	}
	if log := strings.Join(r.log, "\n"); !strings.Contains(log, "upsc: Connected to NUT server nas in SSL\nupsc: Certificate verification is disabled") {
		t.Errorf("the log:\n%s", log)
	}
}

// The same seed tells the same story, though the keys differ.
func TestVirtualTimeIsTheSameOverTLS(t *testing.T) {
	ca := pkitest.NewCA("our CA")
	files := map[string]string{"/etc/nut/upsd.pem": pair(ca, pkitest.Leaf{Name: "nas"})}
	story := func() (took time.Duration) {
		r := newRoom(t, "CERTFILE /etc/nut/upsd.pem\n", files)
		r.w.Link(r.desk, r.nas).Loss, r.w.Link(r.nas, r.desk).Loss = 30, 30
		r.desk.StartMain("client", func(e env.Env, _ []string) int {
			began := e.Now()
			for range 5 {
				c, err := client.Dial(e, "nas", netproto.Port, client.Options{ForceSSL: true}, e.Now().Add(time.Minute))
				if err != nil {
					t.Error(err)
					return 1
				}
				c.Logout(e, answerBy(e))
			}
			took = e.Now().Sub(began)
			return 0
		})
		r.run(10 * time.Minute)
		return took
	}
	if first, second := story(), story(); first != second || first == 0 {
		t.Errorf("the same story took %v, then %v", first, second)
	}
}

// Somebody on the way answers for the server, and adds a line that is to be taken for an encrypted one.
func TestNothingIsSmuggledInBehindOK(t *testing.T) {
	u := &upsd{answers: map[string]string{"STARTTLS": "OK STARTTLS\nVAR rack ups.status \"OB LB\"\n"}}
	talk(t, u, client.Options{}, func(_ env.Env, _ *client.Conn, err error) {
		if err == nil || !strings.HasPrefix(err.Error(), "Protocol error: STARTTLS: ") {
			t.Errorf("error %v, want Protocol error", err)
		}
	})
}

func TestAServerThatPromisesAndIsSilent(t *testing.T) {
	for name, answer := range map[string]string{"says nothing": "", "promises": "OK STARTTLS\n"} {
		t.Run(name, func(t *testing.T) {
			u := &upsd{answers: map[string]string{"STARTTLS": answer}}
			took := talk(t, u, client.Options{}, func(_ env.Env, _ *client.Conn, err error) {
				if err == nil || !strings.Contains(err.Error(), env.ErrTimeout.Error()) {
					t.Errorf("error %v, want a time-out", err)
				}
			})
			if took > client.ConnectTime {
				t.Errorf("it took %v, more than connecting may", took)
			}
		})
	}
}
