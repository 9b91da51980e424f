// Package pkitest makes certificates for tests, so that none need to be kept.
//
//	ca := pkitest.NewCA("test CA")
//	cert, key := ca.Issue(pkitest.Leaf{Name: "nas", DNS: []string{"nas"}})
//
// Everything is PEM text. Keys come from the system, so that they differ from run to run.
package pkitest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"time"
)

// A CA issues certificates.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Leaf is a certificate to be issued.
type Leaf struct {
	Name     string   // common name
	DNS      []string // alternative names
	IP       []string
	NotAfter time.Time // zero: for ever, as far as tests go
}

// Certificates of tests are valid in virtual time, whatever its calendar says.
func validity() (from, to time.Time) {
	return time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC)
}

// NewCA makes a CA of its own.
func NewCA(name string) *CA {
	from, to := validity()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	key := newKey()
	return &CA{sign(tpl, tpl, key, key), key}
}

// PEM is the certificate of the CA.
func (ca *CA) PEM() string { return encode("CERTIFICATE", ca.cert.Raw) }

// Issue makes a certificate that is good for both ends of a connection, and its key.
func (ca *CA) Issue(l Leaf) (cert, key string) {
	from, to := validity()
	if !l.NotAfter.IsZero() {
		to = l.NotAfter
	}
	own := newKey()
	tpl := &x509.Certificate{SerialNumber: big.NewInt(serial(own)), NotBefore: from, NotAfter: to,
		Subject: pkix.Name{CommonName: l.Name}, DNSNames: l.DNS, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, ip := range l.IP {
		tpl.IPAddresses = append(tpl.IPAddresses, netip.MustParseAddr(ip).AsSlice())
	}
	c := sign(tpl, ca.cert, own, ca.key)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	must(err)
	return encode("CERTIFICATE", c.Raw), encode("PRIVATE KEY", der)
}

// serial is a number of a key that hardly another one has.
func serial(key *ecdsa.PrivateKey) int64 {
	b, err := key.PublicKey.Bytes()
	must(err)
	return new(big.Int).SetBytes(b[1:8]).Int64()
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), nil) // the source is the system's own
	must(err)
	return key
}

func sign(tpl, issuer *x509.Certificate, key, by *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(nil, tpl, issuer, &key.PublicKey, by)
	must(err)
	c, err := x509.ParseCertificate(der)
	must(err)
	return c
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// must is for what fails only when this package is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
