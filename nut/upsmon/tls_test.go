package upsmon_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	server "github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// vaultConf watches the UPS of the host "vault", whose upsd has a certificate; nas has none.
const vaultConf = "MONITOR rack@vault 1 mon secret primary"

// vault adds a host that serves TLS with a certificate of this CA.
func (r *room) vault(ca *pkitest.CA) *world.Host {
	cert, key := ca.Issue(pkitest.Leaf{Name: "vault", DNS: []string{"vault"}})
	h := r.host("vault")
	for name, text := range map[string]string{
		"ups.conf":   "[rack]\n driver = dummy-ups\n port = x\n",
		"upsd.conf":  "LISTEN *\nCERTFILE /etc/nut/upsd.pem\n",
		"upsd.users": "[mon]\n password = secret\n upsmon primary\n",
		"upsd.pem":   cert + key,
	} {
		h.WriteFile("/etc/nut/"+name, []byte(text))
	}
	h.WriteFile("/run/nut/.keep", nil)
	h.StartMain("upsd", server.Main)
	r.pass(time.Second)
	return h
}

// NP-S7, `upsmon.md 3 CERTPATH dir`, `upsmon.md 3 CERTFILE file`, `upsmon.md 3 CERTIDENT name pass`,
// `upsmon.md 3 CERTHOST host name verify force`, `upsmon.md 3 CERTVERIFY 0/1`, `upsmon.md 3 FORCESSL 0/1`.
func TestWhatTheFileSaysAboutTLS(t *testing.T) {
	const connected, unverified = "Connected to NUT server vault in SSL", "Certificate verification is disabled"
	for _, tt := range []struct {
		name, conf string
		args       []string
		code       env.ExitStatus
		ended      bool
		want       string
		never      string // besides
	}{
		{name: "nothing: TLS, of whomever", conf: "", want: unverified},
		{name: "CERTVERIFY", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/ca.pem\n", want: connected, never: unverified},
		{name: "CERTVERIFY of another CA", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/other.pem\n", never: connected,
			want: "UPS [rack@vault]: connect failed: SSL error: x509: certificate signed by unknown authority"},
		{name: "CERTHOST names another", conf: "CERTPATH /etc/nut/ca.pem\nCERTHOST vault safe 1 1\n", never: connected,
			want: `connect failed: SSL error: the certificate is made out to CN=vault, vault, not to "safe"`},
		{name: "CERTHOST of another host", conf: "CERTPATH /etc/nut/ca.pem\nCERTHOST nas safe 1 1\n", want: unverified},
		{name: "CERTHOST leaves it to the others", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/other.pem\nCERTHOST vault vault -1 -1\n",
			want: "unknown authority", never: connected},
		{name: "CERTHOST allows more", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/other.pem\nCERTHOST vault safe 0 0\n", want: connected},
		{name: "FORCESSL where there is TLS", conf: "FORCESSL 1\n", want: connected},
		{name: "FORCESSL where there is none", conf: "FORCESSL 1\nMONITOR rack@nas 1 mon secret primary\n",
			want: "UPS [rack@nas]: connect failed: SSL is not available"},
		{name: "CERTVERIFY where there is none", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/ca.pem\nMONITOR rack@nas 1 mon secret primary\n",
			want: "UPS [rack@nas]: connect failed: SSL is not available"},

		{name: "CERTVERIFY by nobody", conf: "CERTVERIFY 1\n", ended: true, code: 1, want: "SSL error: CERTVERIFY wants CERTPATH"},
		{name: "a CA that is not there", conf: "CERTVERIFY 1\nCERTPATH /no.pem\n", ended: true, code: 1,
			want: "SSL error: CERTPATH /no.pem: No such file or directory"},
		{name: "a database of NSS", conf: "CERTVERIFY 1\nCERTPATH /etc/nut/nss\n", ended: true, code: 1,
			want: "certutil -L -d /etc/nut/nss"},
		{name: "a database of NSS that is not needed", conf: "CERTPATH /etc/nut/nss\nCERTIDENT mon pw\n",
			want: "pk12util -d /etc/nut/nss -n mon"},
		{name: "... and all the same", conf: "CERTPATH /etc/nut/nss\nCERTIDENT mon pw\n", want: connected},
		{name: "a certificate that is not there", conf: "CERTFILE /no.pem\n", ended: true, code: 1,
			want: "SSL error: CERTFILE /no.pem: No such file or directory"},
		{name: "a certificate of ours", conf: "CERTFILE /etc/nut/mon.pem\nCERTIDENT mon x\n", want: connected},
		{name: "a certificate of somebody else", conf: "CERTFILE /etc/nut/mon.pem\nCERTIDENT desk x\n", ended: true, code: 1,
			want: `holds the certificate of CN=mon, CERTIDENT wants that of "desk"`},
		{name: "the test of the file looks too", conf: "CERTVERIFY 1\n", args: []string{"-t"}, ended: true, code: 1,
			want: "SSL error: CERTVERIFY wants CERTPATH"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			ca := pkitest.NewCA("CA")
			r.vault(ca)
			h := r.host("desk")
			cert, key := ca.Issue(pkitest.Leaf{Name: "mon"})
			for name, text := range map[string]string{"mon.pem": cert + key, "ca.pem": ca.PEM(), "other.pem": pkitest.NewCA("other").PEM(),
				"nss/cert9.db": "", "upsmon.conf": conf(vaultConf) + tt.conf} {
				h.WriteFile("/etc/nut/"+name, []byte(text))
			}
			code, ended, text := r.outcome(h, tt.args...)
			if code != tt.code || ended != tt.ended || !strings.Contains(text, tt.want) {
				t.Errorf("ended %v with %d, want %v, %d; looking for %q in:\n%s", ended, code, tt.ended, tt.code, tt.want, text)
			}
			if tt.never != "" && strings.Contains(text, tt.never) {
				t.Errorf("it says %q:\n%s", tt.never, text)
			}
		})
	}
}

// Certificates that go bad while upsmon runs change nothing until a reload, nor after one.
func TestCertificatesAreReadAtAReload(t *testing.T) {
	r := newRoom(t, "rack")
	old, fresh := pkitest.NewCA("old CA"), pkitest.NewCA("new CA")
	vault := r.vault(old)
	h := r.host("desk")
	h.WriteFile("/etc/nut/ca.pem", []byte(old.PEM()))
	p := r.monitor("desk", conf(vaultConf)+"CERTVERIFY 1\nCERTPATH /etc/nut/ca.pem\n")
	connections := func() int { return strings.Count(strings.Join(r.log, "\n"), "Connected to NUT server vault in SSL") }
	r.pass(10 * time.Second)

	h.WriteFile("/etc/nut/ca.pem", []byte("nothing"))
	vault.Find("upsd")[0].Kill()
	r.pass(10 * time.Second)
	vault.StartMain("upsd", server.Main)
	r.pass(10 * time.Second)
	if n := connections(); n != 2 {
		t.Errorf("%d connections after the server restarted, want 2: the CA was read at the start", n)
	}
	p.Signal(env.Hangup)
	r.pass(10 * time.Second)
	r.wantLog("desk", "Reload failed, the old configuration stays: SSL error: CERTPATH /etc/nut/ca.pem: no certificate in it")

	h.WriteFile("/etc/nut/ca.pem", []byte(old.PEM()))
	p.Signal(env.Hangup)
	r.pass(10 * time.Second)
	if n := connections(); n != 2 {
		t.Errorf("%d connections after a reload that changed nothing, want 2", n)
	}
	h.WriteFile("/etc/nut/ca.pem", []byte(fresh.PEM()))
	p.Signal(env.Hangup)
	r.pass(10 * time.Second)
	r.wantLog("desk", "connect failed: SSL error: x509: certificate signed by unknown authority")
}
