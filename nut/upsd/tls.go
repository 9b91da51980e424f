package upsd

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/netconn"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/pki"
)

// handshakeLimit is what a client may take for all of its handshake. Nobody else waits for it.
const handshakeLimit = 10 * time.Second

// Levels of CERTREQUEST.
const (
	certRequest = 1 // a certificate may be shown; one that is shown must be good
	certRequire = 2
)

// wantsTLS reports whether a configuration asks for TLS in any way.
func wantsTLS(c *config.Upsd) bool {
	return c.CertFile != "" || c.CertPath != "" || c.CertIdent[0] != "" || c.CertRequest > 0
}

// loadTLS makes ready what STARTTLS needs; nil when the configuration asks for none. Whoever asked
// for encryption is not served without it: passwords would go over the network in clear, and
// nobody would notice. So the error ends a start.
func loadTLS(e env.Env, c *config.Upsd) (*tls.Config, error) {
	if !wantsTLS(c) {
		return nil, nil
	}
	t, err := makeTLS(e, c)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w; the account that upsd serves as, nut unless -u says otherwise, must be "+
			"able to read it, also for a reload", err)
	}
	if err != nil {
		return nil, complaintf(tlsUnusable, err)
	}
	if fi, err := e.Host().Stat(c.CertFile); err == nil && fi.Mode&othersMayRead != 0 {
		e.Log().Warn(c.CertFile + " is world readable, and there is a private key in it")
	}
	leaf := t.Certificates[0].Leaf
	if bad := pki.OutOfDate(leaf, e.Wall()); bad != "" {
		e.Log().Warn(fmt.Sprintf("CERTFILE %s: %s; clients that verify it will refuse it",
			c.CertFile, bad))
	}
	return t, nil
}

// tellTLS logs how STARTTLS is served.
func tellTLS(e env.Env, t *tls.Config) {
	if t == nil {
		return
	}
	if t.MinVersion < tls.VersionTLS12 {
		e.Log().Warn(weakSSL)
	}
	leaf := t.Certificates[0].Leaf
	e.Log().Info(fmt.Sprintf("serving STARTTLS as %s, valid until %s", pki.Names(leaf),
		leaf.NotAfter.Format("2006-01-02")))
}

// makeTLS reads the files that the directives name.
func makeTLS(e env.Env, c *config.Upsd) (*tls.Config, error) {
	h := e.Host()
	switch {
	case c.CertFile != "":
	case c.CertPath != "" && pki.IsNSS(h, c.CertPath):
		return nil, fmt.Errorf(nssServer, c.CertPath, pki.ErrNSS,
			pki.ExportIdentity(c.CertPath, c.CertIdent[0], exported), exported)
	default:
		return nil, errors.New(noCertFile)
	}
	id, err := pki.Identity(h, c.CertFile, "", c.CertIdent[1])
	if err != nil {
		return nil, fmt.Errorf("CERTFILE %w", err)
	}
	if name := c.CertIdent[0]; name != "" && !pki.Owns(id.Leaf, name) {
		return nil, fmt.Errorf("CERTFILE %s holds the certificate of %s, CERTIDENT wants that of %q",
			c.CertFile, pki.Names(id.Leaf), name)
	}
	t := &tls.Config{Certificates: []tls.Certificate{id}, MinVersion: tls.VersionTLS10,
		SessionTicketsDisabled: true} // no client resumes, and a ticket key is one more secret
	if c.DisableWeakSSL {
		t.MinVersion = tls.VersionTLS12
	}
	return t, askClients(h, c, t)
}

// askClients sets what is asked of clients' certificates.
func askClients(h env.Host, c *config.Upsd, t *tls.Config) error {
	if c.CertRequest == 0 {
		return nil
	}
	if c.CertPath == "" {
		return errors.New(noClientCA)
	}
	roots, err := pki.Authorities(h, c.CertPath)
	if errors.Is(err, pki.ErrNSS) {
		return fmt.Errorf("CERTPATH %w: to check clients' certificates want PEM files of their CAs: %s",
			err, pki.ExportCA(c.CertPath, exportedCA))
	}
	if err != nil {
		return fmt.Errorf("CERTPATH %w", err)
	}
	t.ClientCAs, t.ClientAuth = roots.Pool, tls.VerifyClientCertIfGiven
	if c.CertRequest >= certRequire {
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return nil
}

// reloadTLS reads the certificates again. What cannot be used leaves the old ones at work: a
// certificate that was renewed badly must not cost anybody the connection.
func (d *daemon) reloadTLS(e env.Env, c *config.Upsd) {
	t, err := loadTLS(e, c)
	if err != nil {
		e.Log().Error(fmt.Sprintf("Reload of certificates failed, the old ones stay: %v", err))
		return
	}
	tellTLS(e, t)
	d.do(e, func() {
		if t == nil && d.tls != nil {
			d.log(slog.LevelWarn, "STARTTLS is no longer served: upsd.conf names no certificate")
		}
		d.tls = t
	})
}

// startTLS promises a handshake (NP-C4), for which the session's own task has to wait. Without a
// certificate the session goes on in clear. Arguments are ignored.
func (c *session) startTLS([]string) {
	switch {
	case c.ssl:
		c.err(netproto.AlreadySSLMode)
	case c.s.tls == nil:
		c.err(netproto.FeatureNotConfigured)
	default:
		c.upgrade = c.s.tls
		c.say("OK STARTTLS")
	}
}

// encrypt does the handshake that startTLS promised. surplus: more was sent behind STARTTLS. It
// came in clear, from the client or from somebody on the way, and must not be taken for something
// said under encryption; nor does a client that waits for its answer send it.
func (c *session) encrypt(e env.Env, surplus bool) error {
	var err error
	if surplus {
		err = errPipelined
	} else {
		c.secure, err = netconn.Server(e, c.conn, c.upgrade, e.Now().Add(handshakeLimit))
	}
	if err != nil {
		c.s.do(e, func() { c.handshakeFailed(err) })
		return err
	}
	c.stream, c.upgrade, c.heard = c.secure, nil, e.Now()
	state := c.secure.State()
	c.s.do(e, func() {
		c.ssl = true
		c.s.debugf(2, "%s speaks %s, %s, certificate of %s", c.who(),
			tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite),
			shown(state.PeerCertificates))
	})
	return nil
}

var errPipelined = errors.New("something was sent in clear behind STARTTLS")

// shown is whose certificate a client showed.
func shown(list []*x509.Certificate) string {
	if len(list) == 0 {
		return "nobody"
	}
	return pki.Names(list[0])
}

// handshakeFailed logs why (NP-S4). The caller holds the lock.
func (c *session) handshakeFailed(err error) {
	switch {
	case errors.Is(err, env.ErrStopped), errors.Is(err, env.ErrClosed):
		return // upsd stops, or its UPS was removed
	case errors.Is(err, env.ErrTimeout):
		err = fmt.Errorf("no handshake within %v", handshakeLimit)
	case errors.Is(err, io.EOF):
		err = errors.New("the client hung up")
	}
	c.s.blame(c.heard, slog.LevelWarn, "net_starttls: SSL_accept failed for %s: %v", c.who(), err)
}

// goodbye tells a client whose connection is encrypted that nothing follows.
func (c *session) goodbye(e env.Env) {
	if c.secure != nil {
		c.secure.Goodbye(e, e.Now().Add(time.Second))
	}
}

// overSSL is what log lines about a login end with (NP-S2).
func (c *session) overSSL() string {
	if c.ssl {
		return " (SSL)"
	}
	return ""
}
