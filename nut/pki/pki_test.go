package pki_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/pki"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// onHost runs f on a virtual host with these files.
func onHost(t testing.TB, files map[string]string, f func(h env.Host)) {
	t.Helper()
	w := world.New(world.Options{})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	for name, text := range files {
		h.WriteFile(name, []byte(text))
	}
	h.StartMain("test", func(e env.Env, _ []string) int {
		f(e.Host())
		return 0
	})
	if err := w.RunFor(1); err != nil {
		t.Fatal(err)
	}
}

// locked is a key with a password, as OpenSSL 3 writes it, and as releases before 1.0 did.
func locked(t *testing.T, key, password string) (now, old string) {
	t.Helper()
	block, _ := pem.Decode([]byte(key))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pkcs8.MarshalPrivateKey(parsed, []byte(password), nil)
	if err != nil {
		t.Fatal(err)
	}
	now = string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}))
	//lint:ignore SA1019 the old form is what is tested
	legacy, err := x509.EncryptPEMBlock(zeros{}, "PRIVATE KEY", block.Bytes, []byte(password), x509.PEMCipherAES128)
	if err != nil {
		t.Fatal(err)
	}
	return now, string(pem.EncodeToMemory(legacy))
}

// zeros is as good as any initial vector for a test.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestIdentities(t *testing.T) {
	ca := pkitest.NewCA("CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
	_, other := ca.Issue(pkitest.Leaf{Name: "other"})
	now, old := locked(t, key, "pass word")
	for _, tt := range []struct {
		name, file, keyFile, password, err string
	}{
		{"certificate, issuer, key", cert + ca.PEM() + key, "", "", ""},
		{"key first", key + cert + ca.PEM(), "", "", ""},
		{"issuer first, as exported from NSS", "Bag Attributes\n" + ca.PEM() + "more\n" + cert + key, "", "", ""},
		{"the key in a file of its own", cert, key, "", ""},
		{"a locked key", cert + now, "", "pass word", ""},
		{"a locked key of old", cert + old, "", "pass word", ""},
		{"no password", cert + now, "", "", "/x.pem: the private key has a password; want it behind the name of CERTIDENT"},
		{"a wrong password", cert + now, "", "x", "/x.pem: the password of CERTIDENT does not open the private key"},
		{"a wrong password for a key of old", cert + old, "", "x", "/x.pem: the password of CERTIDENT does not open the private key"},
		{"another's key", cert + other, "", "", "/x.pem: private key does not match public key"},
		{"another's key in its file", cert, other, "", "/x.pem: private key does not match public key"},
		{"no key", cert, "", "", "/x.pem: no private key in it"},
		{"no key in its file", cert, ca.PEM(), "", "/key.pem: no private key in it"},
		{"no certificate", key, "", "", "/x.pem: no certificate in it"},
		{"a broken certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" + key, "", "", "/x.pem: block 1: "},
		{"nothing", "", "", "", "/x.pem: no certificate in it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files, keyFile := map[string]string{"/x.pem": tt.file}, ""
			if tt.keyFile != "" {
				keyFile = "/key.pem"
				files[keyFile] = tt.keyFile
			}
			onHost(t, files, func(h env.Host) {
				id, err := pki.Identity(h, "/x.pem", keyFile, tt.password)
				if tt.err != "" {
					if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
						t.Errorf("error %v, want %q", err, tt.err)
					}
					return
				}
				if err != nil || id.Leaf.Subject.CommonName != "nas" {
					t.Errorf("%v, error %v; want that of nas", id.Leaf, err)
				}
			})
		})
	}
}

// Whatever a file holds, reading it ends, with a certificate or an error that names the file.
func FuzzIdentity(f *testing.F) {
	ca := pkitest.NewCA("CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
	f.Add(cert+key, "")
	f.Add(strings.Replace(key, "PRIVATE", "ENCRYPTED PRIVATE", -1)+cert, "x")
	f.Add("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"+cert, "x")
	f.Fuzz(func(t *testing.T, text, password string) {
		onHost(t, map[string]string{"/x.pem": text}, func(h env.Host) {
			id, err := pki.Identity(h, "/x.pem", "", password)
			if err == nil && (id.Leaf == nil || id.PrivateKey == nil) {
				t.Error("neither an identity nor an error")
			}
			if err != nil && !strings.Contains(err.Error(), "/x.pem") {
				t.Errorf("error %q does not name the file", err)
			}
			if _, err := pki.Authorities(h, "/x.pem"); err != nil && !strings.Contains(err.Error(), "/x.pem") {
				t.Errorf("error %q does not name the file", err)
			}
		})
	})
}
