package client

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/netconn"
	"github.com/blackstart-ups/blackstart/nut/pki"
)

// credentials are what the files of Options hold.
type credentials struct {
	id     []tls.Certificate // the client's own, or none
	roots  *x509.CertPool    // nil: not to be verified
	digest [sha256.Size]byte // of what was read
}

// Load reads the files that o names, for all connections to come: what happens to the files later
// changes nothing. Without it, Dial reads them each time.
func (o Options) Load(e env.Env) (Options, error) {
	k := &credentials{}
	sum := sha256.New()
	h := e.Host()
	if o.CertFile != "" {
		id, err := pki.Identity(h, o.CertFile, o.KeyFile, o.KeyPassword)
		if err != nil {
			return o, fmt.Errorf("CERTFILE %w", err)
		}
		if o.CertName != "" && !pki.Owns(id.Leaf, o.CertName) {
			return o, fmt.Errorf("CERTFILE %s holds the certificate of %s, CERTIDENT wants that of %q",
				o.CertFile, pki.Names(id.Leaf), o.CertName)
		}
		k.id = []tls.Certificate{id}
		for _, der := range id.Certificate {
			sum.Write(der)
		}
	}
	if o.Verify {
		roots, err := o.authorities(h)
		if err != nil {
			return o, err
		}
		k.roots = roots.Pool
		sum.Write(roots.Text)
	}
	sum.Sum(k.digest[:0])
	o.loaded = k
	return o, nil
}

// authorities reads whom to believe about a server.
func (o *Options) authorities(h env.Host) (pki.Roots, error) {
	if o.CAPath == "" {
		return pki.Roots{}, errors.New("CERTVERIFY wants CERTPATH, a PEM file or folder with the CAs " +
			"of the servers")
	}
	roots, err := pki.Authorities(h, o.CAPath)
	switch {
	case errors.Is(err, pki.ErrNSS):
		const file = "/etc/nut/ca.pem"
		err = fmt.Errorf("CERTPATH %w. Export the CA's certificate and say so: %s; then CERTPATH %s",
			err, pki.ExportCA(o.CAPath, file), file)
	case err != nil:
		err = fmt.Errorf("CERTPATH %w", err)
	}
	return roots, err
}

// Same reports whether two Options, both from Load or neither, lead to the same connection.
func (o Options) Same(p Options) bool {
	a, b := o.loaded, p.loaded
	o.loaded, p.loaded = nil, nil
	return o == p && (a == b || a != nil && b != nil && a.digest == b.digest)
}

// secure asks the server for TLS, as NUT's clients do on each connection. A server that has none is
// talked to in clear, unless the options forbid it.
func (c *Conn) secure(e env.Env, host string, o Options, until env.Instant) error {
	until = min(until, e.Now().Add(ConnectTime)) // a limit of never is one for connecting only
	reply, err := c.Ask(e, min(until, e.Now().Add(AnswerTime)), []byte("STARTTLS\n"))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(reply, []byte("OK STARTTLS")) {
		return o.inClear(reply)
	}
	if c.from != c.to {
		return malformed("STARTTLS", c.buf[c.from:c.to], "want nothing in clear behind OK STARTTLS")
	}
	if o.loaded == nil {
		if o, err = o.Load(e); err != nil {
			return &Error{textSSL, err}
		}
	}
	t, err := netconn.Client(e, c.c, o.config(e, host), until)
	if errors.Is(err, env.ErrStopped) {
		return err
	}
	if err != nil {
		return &Error{textSSL, err}
	}
	c.c = t
	tell(e, host, o.Verify)
	return nil
}

// inClear returns why a server that offers no TLS must not be talked to, nil if it may be.
func (o *Options) inClear(reply []byte) error {
	by := ""
	switch {
	case o.ForceSSL:
		by = "FORCESSL"
	case o.Verify:
		by = "CERTVERIFY"
	default:
		return nil
	}
	return &Error{textNoSSL,
		fmt.Errorf("STARTTLS was answered with %.40q, and %s forbids to go on in clear", reply, by)}
}

// config is what the handshake goes by.
func (o *Options) config(e env.Env, host string) *tls.Config {
	// Old versions are better than no encryption, and no substitute for one that was asked for.
	t := &tls.Config{MinVersion: tls.VersionTLS10, ServerName: host, Certificates: o.loaded.id}
	if o.ForceSSL || o.Verify {
		t.MinVersion = tls.VersionTLS12
	}
	// crypto/tls would ignore common names, which is where certutil puts the only name.
	t.InsecureSkipVerify = true
	if o.Verify {
		t.VerifyConnection = func(s tls.ConnectionState) error {
			err := pki.Vouched(s.PeerCertificates, o.loaded.roots, x509.ExtKeyUsageServerAuth, e.Wall())
			if err != nil {
				return err
			}
			if o.ServerName != "" {
				return pki.MadeOut(s.PeerCertificates[0], o.ServerName, true)
			}
			return pki.MadeOut(s.PeerCertificates[0], host, false)
		}
	}
	return t
}

// quietVar hides what tell says.
const quietVar = "NUT_QUIET_INIT_SSL"

// tell says how safe the connection is, in the words of NUT's clients.
func tell(e env.Env, host string, verified bool) {
	if e.Host().Getenv(quietVar) == "true" {
		return
	}
	e.Log().Info(fmt.Sprintf("Connected to NUT server %s in SSL", host))
	if !verified {
		e.Log().Warn("Certificate verification is disabled")
	}
}

// Encrypted reports whether the connection is.
func (c *Conn) Encrypted() bool {
	_, ok := c.c.(*netconn.TLS)
	return ok
}
