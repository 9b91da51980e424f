// Package pki reads what TLS is made of, from the files that the CERT directives of NUT's
// configuration name: a certificate with its key, and the certificates of those who vouch for
// others.
//
// Files are PEM. A folder stands for all files in it. The certificate databases of NSS, which
// Debian's builds of NUT use, cannot be read; [ErrNSS] is the error for them, with the commands
// that turn one into PEM files.
package pki

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/youmark/pkcs8"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// ErrNSS is wrapped by the errors about a certificate database of NSS.
var ErrNSS = errors.New("it is a certificate database of NSS, which only builds of NUT with NSS read")

// nssFiles are those that show a folder to be a database of NSS, the old form last.
var nssFiles = []string{"cert9.db", "cert8.db"}

// IsNSS reports whether a folder is a certificate database of NSS. NSS allows the kind of database
// in front of it.
func IsNSS(h env.Host, path string) bool {
	for _, kind := range []string{"sql:", "dbm:"} {
		path = strings.TrimPrefix(path, kind)
	}
	for _, name := range nssFiles {
		if _, err := h.Stat(path + "/" + name); err == nil {
			return true
		}
	}
	return false
}

// ExportIdentity are the commands that make a PEM file of a certificate and its key in a database,
// for the account nut and nobody else to read.
func ExportIdentity(db, name, file string) string {
	if name == "" {
		name = "NAME"
	}
	return fmt.Sprintf("(umask 077; pk12util -d %[1]s -n %[2]s -o %[3]s.p12 && openssl pkcs12 "+
		"-in %[3]s.p12 -nodes -out %[3]s; rm %[3]s.p12; chgrp nut %[3]s; chmod 640 %[3]s)",
		quote(db), quote(name), file)
}

// ExportCA is the command that makes a PEM file of a certificate in a database.
func ExportCA(db, file string) string {
	return fmt.Sprintf("certutil -L -d %[1]s shows the names; certutil -L -d %[1]s -n NAME -a >>%[2]s",
		quote(db), file)
}

// quote is a word for the shell.
func quote(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// plain are characters that mean nothing to the shell.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:-"

// Identity reads a certificate, those that lead from it to its CA, and its key, which may be in a
// file of its own and may need a password.
func Identity(h env.Host, certFile, keyFile, password string) (tls.Certificate, error) {
	var none tls.Certificate
	text, err := read(h, certFile)
	if err != nil {
		return none, err
	}
	keyText := text
	if keyFile == "" || keyFile == certFile {
		keyFile = certFile
	} else if keyText, err = read(h, keyFile); err != nil {
		return none, err
	}
	chain, err := certificates(certFile, text)
	if err != nil {
		return none, err
	}
	if len(chain) == 0 {
		return none, fmt.Errorf("%s: no certificate in it; want PEM: the certificate, those of its "+
			"issuers, then the key", certFile)
	}
	key, err := privateKey(keyFile, keyText, password)
	if err != nil {
		return none, err
	}
	id, err := match(chain, key)
	if err != nil {
		return none, fmt.Errorf("%s: %s", certFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	return id, nil
}

// match finds the certificate that a key belongs to and puts it first: what is exported from NSS
// begins with the CA's.
func match(chain []*x509.Certificate, key []byte) (id tls.Certificate, err error) {
	for i := range chain {
		list := append([]*x509.Certificate{chain[i]}, chain[:i]...)
		list = append(list, chain[i+1:]...)
		var all bytes.Buffer
		for _, c := range list {
			pem.Encode(&all, &pem.Block{Type: certificateBlock, Bytes: c.Raw})
		}
		one, bad := tls.X509KeyPair(all.Bytes(), key)
		if bad == nil {
			one.Leaf = list[0]
			return one, nil
		}
		if i == 0 {
			err = bad
		}
	}
	return id, err
}

const certificateBlock = "CERTIFICATE"

// certificates are those in a PEM text, in its order.
func certificates(file string, text []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for n := 1; ; n++ {
		block, rest := pem.Decode(text)
		if block == nil {
			return list, nil
		}
		text = rest
		if block.Type != certificateBlock {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: block %d: %w", file, n, err)
		}
		list = append(list, c)
	}
}

// privateKey finds the key in a PEM text and takes its password off.
func privateKey(file string, text []byte, password string) ([]byte, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, fmt.Errorf("%s: no private key in it; want it behind the certificates", file)
		}
		text = rest
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		locked := block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != ""
		if !locked {
			return pem.EncodeToMemory(block), nil
		}
		if password == "" {
			return nil, fmt.Errorf("%s: the private key has a password; want it behind the name of "+
				"CERTIDENT", file)
		}
		key, err := unlock(block, password)
		if err != nil {
			return nil, fmt.Errorf("%s: the password of CERTIDENT does not open the private key: %w",
				file, err)
		}
		return pem.EncodeToMemory(key), nil
	}
}

// unlock takes the password off a key, in the form of PKCS #8 or in that of older OpenSSLs.
func unlock(block *pem.Block, password string) (*pem.Block, error) {
	if block.Type != "ENCRYPTED PRIVATE KEY" {
		//lint:ignore SA1019 keys of this form are in use; its weakness is that of the file's owner
		der, err := x509.DecryptPEMBlock(block, []byte(password))
		return &pem.Block{Type: block.Type, Bytes: der}, err
	}
	key, _, err := pkcs8.ParsePrivateKey(block.Bytes, []byte(password))
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
}

// Roots are the certificates of those who vouch for others.
type Roots struct {
	Pool *x509.CertPool
	Text []byte // what they were read from
}

// Authorities reads the certificates of those who vouch for others: from a file, or from all files
// of a folder that have some.
func Authorities(h env.Host, path string) (Roots, error) {
	roots, found := Roots{Pool: x509.NewCertPool()}, 0
	if IsNSS(h, path) {
		return Roots{}, fmt.Errorf("%s: %w", path, ErrNSS)
	}
	names, err := h.ReadDir(path)
	if err != nil || len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		file := path
		if name != "" {
			file += "/" + name
		}
		text, err := read(h, file)
		if err != nil && name != "" {
			continue // a folder in it, perhaps
		}
		if err != nil {
			return Roots{}, err
		}
		list, err := certificates(file, text)
		if err != nil {
			return Roots{}, err
		}
		for _, c := range list {
			roots.Pool.AddCert(c)
			found++
		}
		roots.Text = append(roots.Text, text...)
	}
	if found == 0 {
		return Roots{}, fmt.Errorf("%s: no certificate in it; want the CA's, as PEM", path)
	}
	return roots, nil
}

// A cause is an error in the words of strerror.
type cause struct {
	text string
	err  error
}

func (c cause) Error() string { return c.text }
func (c cause) Unwrap() error { return c.err }

// read reads a file; its error is the file and the cause in the system's words.
func read(h env.Host, file string) ([]byte, error) {
	text, err := h.ReadFile(file)
	var path *fs.PathError
	switch {
	case err == nil:
		return text, nil
	case errors.Is(err, fs.ErrNotExist):
		err = cause{"No such file or directory", fs.ErrNotExist}
	case errors.Is(err, fs.ErrPermission):
		err = cause{"Permission denied", fs.ErrPermission}
	case errors.As(err, &path):
		err = path.Err
	}
	return nil, fmt.Errorf("%s: %w", file, err)
}
