package pki

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// MadeOut returns why a certificate is not made out to name, nil if it is. The names of a
// certificate are its alternative names. Its common name counts too, when it has no others, which
// is what certutil makes, or when the name is the whole of it and was given on purpose: exact.
func MadeOut(c *x509.Certificate, name string, exact bool) error {
	if isName(name) && c.VerifyHostname(name) == nil {
		return nil
	}
	bare := len(c.DNSNames)+len(c.IPAddresses) == 0
	if c.Subject.CommonName != "" && (exact || bare) &&
		strings.EqualFold(c.Subject.CommonName, name) {
		return nil
	}
	return fmt.Errorf("the certificate is made out to %s, not to %q", Names(c), name)
}

// isName reports whether a text can be a host name or an address: others are no alternative names.
func isName(s string) bool { return s != "" && !strings.ContainsAny(s, " /=") }

// Owns reports whether a certificate has this common name, or one of the alternative ones, or this
// whole subject.
func Owns(c *x509.Certificate, name string) bool {
	return MadeOut(c, name, true) == nil || c.Subject.String() == name
}

// Names are those that a certificate is made out to, for a message.
func Names(c *x509.Certificate) string {
	var list []string
	if c.Subject.CommonName != "" {
		list = append(list, "CN="+c.Subject.CommonName)
	}
	list = append(list, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			list = append(list, a.Unmap().String())
		}
	}
	if len(list) == 0 {
		return "nobody"
	}
	return strings.Join(list, ", ")
}

// OutOfDate says what is wrong with a certificate's dates; "" is nothing.
func OutOfDate(c *x509.Certificate, now time.Time) string {
	const day = "2006-01-02"
	switch {
	case now.Before(c.NotBefore):
		return "it is valid only from " + c.NotBefore.Format(day)
	case now.After(c.NotAfter):
		return "it expired on " + c.NotAfter.Format(day)
	}
	return ""
}

// Vouched returns why no one of roots vouches for the first of the certificates, which a peer
// showed, for this use at this time.
func Vouched(shown []*x509.Certificate, roots *x509.CertPool, use x509.ExtKeyUsage,
	now time.Time) error {

	if len(shown) == 0 {
		return fmt.Errorf("no certificate was shown")
	}
	between := x509.NewCertPool()
	for _, c := range shown[1:] {
		between.AddCert(c)
	}
	_, err := shown[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between,
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{use}})
	return err
}
