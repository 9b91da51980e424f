package upsmon

import (
	"fmt"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/pki"
)

// dialing is how each MONITOR line connects, in their order. It reads the certificates, so that files
// that change or vanish later cost nobody the connection in the middle of an outage; a reload reads
// them again.
func (o *options) dialing(e env.Env, c *config.Upsmon) ([]client.Options, error) {
	list := make([]client.Options, len(c.Monitors))
	for i, m := range c.Monitors {
		_, host, _, err := client.SplitName(m.System)
		if err != nil {
			return nil, err
		}
		opt := security(c, host)
		opt.Network = o.network()
		if list[i], err = opt.Load(e); err != nil {
			return nil, fmt.Errorf("SSL error: %w", err)
		}
	}
	return list, nil
}

// security is what the file says about one server.
func security(c *config.Upsmon, host string) client.Options {
	o := client.Options{ForceSSL: c.ForceSSL, Verify: c.CertVerify, CAPath: c.CertPath,
		CertFile: c.CertFile}
	if c.CertFile != "" {
		o.CertName, o.KeyPassword = c.CertIdent[0], c.CertIdent[1]
	}
	for _, h := range c.CertHosts {
		if !strings.EqualFold(h.Host, host) {
			continue
		}
		o.ServerName = h.Cert
		if h.Verify >= 0 {
			o.Verify = h.Verify > 0
		}
		if h.Force >= 0 {
			o.ForceSSL = h.Force > 0
		}
	}
	return o
}

// remindTLS says which settings about TLS come to nothing.
func remindTLS(e env.Env, c *config.Upsmon) {
	const file = "/etc/nut/upsmon.pem"
	if c.CertIdent[0] == "" || c.CertFile != "" {
		return
	}
	how := ""
	if pki.IsNSS(e.Host(), c.CertPath) {
		how = fmt.Sprintf(". CERTPATH %s: %v. Export the certificate and say so: %s; then CERTFILE %s",
			c.CertPath, pki.ErrNSS, pki.ExportIdentity(c.CertPath, c.CertIdent[0], file), file)
	}
	e.Log().Warn(fmt.Sprintf("CERTIDENT %q without CERTFILE: no certificate of this client is shown "+
		"to servers%s", c.CertIdent[0], how))
}
