package main

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A verdict is what one assault did to one server.
type verdict struct {
	quiet, attacked     probed
	newcomer            time.Duration
	turnedAway          error // why the newcomer was not served
	connections         int
	memory, peak, after int64 // resident bytes
	fds, fdsAfter       int
	alive               bool
	said                int64 // bytes of log
}

// afterwards is how long a server may take to give back what an assault made it hold.
const afterwards = 10 * time.Second

// suffer measures one server quiet, under an assault, and afterwards.
func suffer(k kit, a assault, o options) (verdict, error) {
	var v verdict
	s, err := startServer(k, setup{upses: 1, vars: benchVars, pin: true, conf: certificate(k, o.cert)})
	if err != nil {
		return v, err
	}
	defer s.stop()
	if v.quiet, err = probe(s, o.time); err != nil {
		return v, err
	}
	v.fds = s.descriptors()
	s.forgetPeak()
	v.memory, _ = s.memory()
	said := s.said.written()
	ready, stop := a.begin(s)
	<-ready
	if v.attacked, err = probe(s, o.time); err != nil {
		v.attacked.Lost = true // it could not even connect
	}
	v.newcomer, v.turnedAway = greet(s)
	v.connections = stop()
	for begin := time.Now(); time.Since(begin) < afterwards; time.Sleep(100 * time.Millisecond) {
		v.fdsAfter = s.descriptors()
		v.after, v.peak = s.memory()
		if v.fdsAfter <= v.fds && v.after <= v.memory+4<<20 {
			break
		}
	}
	_, err = greet(s)
	v.alive = err == nil && s.running()
	v.said = s.said.written() - said
	return v, nil
}

// certificate is what upsd.conf says so that STARTTLS is promised. Debian's upsd is built with NSS,
// which has its certificates in a database.
func certificate(k kit, pem string) string {
	db := filepath.Dir(pem)
	if k.path != debianUPSD {
		return "CERTFILE " + pem + "\n"
	}
	if _, err := os.Stat(filepath.Join(db, "cert9.db")); err != nil {
		return ""
	}
	return "CERTPATH " + db + "\nCERTIDENT localhost " + dbPassword + "\n"
}

// ratio is how much longer the slowest of a hundred answers takes under the assault.
func (v verdict) ratio() float64 {
	if v.attacked.Lost {
		return math.Inf(1)
	}
	return float64(v.attacked.P99) / float64(max(v.quiet.P99, time.Microsecond))
}

// attackAll lets every server suffer every assault and prints one table.
func attackAll(ctx context.Context, kits []kit, o options) error {
	if o.time == 0 {
		o.time = 2 * time.Second
	}
	if o.cert == "" {
		dir, err := os.MkdirTemp("", "load")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.cert = filepath.Join(dir, "upsd.pem")
		if err := writeCertificate(o.cert); err != nil {
			return err
		}
		if err := writeDatabase(dir); err != nil {
			fmt.Fprintln(os.Stderr, "load: Debian's upsd refuses STARTTLS, for want of a certificate:", err)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "assault\tserver\tquiet p50\tp99\tattacked p50\tp99\tratio\tlongest\tnewcomer\t"+
		"MiB before\tpeak\tafter\tfds before\tafter\tlog kB\tconnections")
	for _, a := range assaults() {
		if !strings.Contains(a.name, o.only) {
			continue
		}
		rounds := make([][]verdict, len(kits))
		for range o.rounds {
			for i, k := range kits {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				v, err := suffer(k, a, o)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", a.name, k.name, err)
				}
				rounds[i] = append(rounds[i], v)
			}
		}
		for i, k := range kits {
			typical(rounds[i]).print(w, a, k)
		}
	}
	return nil
}

// typical is the round with the median ratio; one with a lost connection counts as worst.
func typical(rounds []verdict) verdict {
	slices.SortFunc(rounds, func(a, b verdict) int { return cmp.Compare(a.ratio(), b.ratio()) })
	return rounds[len(rounds)/2]
}

func (v verdict) print(w io.Writer, a assault, k kit) {
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t", a.name, k.name, micros(v.quiet.P50), micros(v.quiet.P99))
	if v.attacked.Lost {
		fmt.Fprintf(w, "%s\tlost\t-\t%s\t", micros(v.attacked.P50), micros(v.attacked.Max))
	} else {
		fmt.Fprintf(w, "%s\t%s\t%.1f\t%s\t", micros(v.attacked.P50), micros(v.attacked.P99), v.ratio(),
			micros(v.attacked.Max))
	}
	if v.turnedAway != nil {
		fmt.Fprint(w, "not answered\t")
	} else {
		fmt.Fprintf(w, "%s\t", micros(v.newcomer))
	}
	fmt.Fprintf(w, "%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%d", mib(v.memory), mib(v.peak), mib(v.after), v.fds,
		v.fdsAfter, v.said/1000, v.connections)
	if !v.alive {
		fmt.Fprint(w, "\tNOT ANSWERING AFTERWARDS")
	}
	fmt.Fprintln(w)
}

func micros(d time.Duration) string {
	if d >= 10*time.Millisecond {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%d µs", d.Microseconds())
}

func mib(n int64) float64 { return float64(n) / (1 << 20) }

const dbPassword = "unimportant"

// writeDatabase makes an NSS database with a certificate for localhost.
func writeDatabase(dir string) error {
	noise, secret := filepath.Join(dir, "noise"), filepath.Join(dir, "secret")
	err := errors.Join(os.WriteFile(secret, []byte(dbPassword), 0o600),
		os.WriteFile(noise, []byte(rand.Text()+rand.Text()), 0o600))
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"-N"}, {"-S", "-x", "-n", "localhost", "-s", "CN=localhost", "-t", "CTu,u,u", "-z", noise},
	} {
		args = append(args, "-d", dir, "-f", secret)
		if out, err := exec.Command("certutil", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("certutil %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

// writeCertificate makes a key and a certificate for it, as CERTFILE wants them.
func writeCertificate(name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	return os.WriteFile(name, text, 0o600)
}
