package interop

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
)

// certs are the files that the programs of one test are given. All are made by the test.
type certs struct {
	ca, other          *pkitest.CA
	serverPEM          string // our form: certificate and key of the server
	clientPEM          string
	caPEM, otherPEM    string
	serverDB, clientDB string // NSS's form, which Debian's programs read
	otherDB            string // holds another CA than the server's
}

// dbPassword opens the databases and the keys in them.
const dbPassword = "dbpw"

// newCerts makes certificates in both forms.
func newCerts(t *testing.T, b *bench) *certs {
	t.Helper()
	for _, tool := range []string{"certutil", "pk12util", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, "%v (make interop installs it)", err)
		}
	}
	c := &certs{ca: pkitest.NewCA("our CA"), other: pkitest.NewCA("another CA")}
	file := func(name, text string) string {
		b.write(name, text)
		return b.conf + "/" + name
	}
	leaf := pkitest.Leaf{Name: "upsd", DNS: []string{"localhost"}, IP: []string{"127.0.0.1"}}
	cert, key := c.ca.Issue(leaf)
	c.serverPEM = file("upsd.pem", cert+key)
	cert, key = c.ca.Issue(pkitest.Leaf{Name: "monitor"})
	c.clientPEM = file("monitor.pem", cert+key)
	c.caPEM, c.otherPEM = file("ca.pem", c.ca.PEM()), file("other.pem", c.other.PEM())
	c.serverDB = nssDB(t, b, "serverdb", c.caPEM)
	nssIdentity(t, b, c.serverDB, "server", c.serverPEM)
	c.clientDB = nssDB(t, b, "clientdb", c.caPEM)
	nssIdentity(t, b, c.clientDB, "monitor", c.clientPEM)
	c.otherDB = nssDB(t, b, "otherdb", c.otherPEM)
	return c
}

// nssDB makes a certificate database that trusts one CA.
func nssDB(t *testing.T, b *bench, name, caPEM string) string {
	t.Helper()
	db := b.dir + "/" + name
	if err := os.Mkdir(db, 0o700); err != nil {
		t.Fatal(err)
	}
	b.write("dbpw", dbPassword)
	tool(t, "certutil", "-N", "-d", db, "-f", b.conf+"/dbpw")
	tool(t, "certutil", "-A", "-d", db, "-n", "the CA", "-t", "CT,C,C", "-a", "-i", caPEM, "-f", b.conf+"/dbpw")
	return db
}

// nssIdentity puts a certificate and its key into a database.
func nssIdentity(t *testing.T, b *bench, db, name, pem string) {
	t.Helper()
	p12 := b.dir + "/" + name + ".p12"
	tool(t, "openssl", "pkcs12", "-export", "-in", pem, "-name", name, "-out", p12, "-passout", "pass:x")
	tool(t, "pk12util", "-i", p12, "-d", db, "-k", b.conf+"/dbpw", "-W", "x")
}

func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// serveTLS starts the bench's upsd with more lines in its upsd.conf.
func (b *bench) serveTLS(k kit, conf string) *daemon {
	b.t.Helper()
	b.write("upsd.conf", "LISTEN 127.0.0.1 @port@\n"+conf)
	return b.serve(k, "rack")
}

// asServer are the lines with which a kit's upsd serves TLS.
func (c *certs) asServer(k kit) string {
	if k == debian {
		return fmt.Sprintf("CERTPATH %s\nCERTIDENT server %s\n", c.serverDB, dbPassword)
	}
	return "CERTFILE " + c.serverPEM + "\nDISABLE_WEAK_SSL true\n"
}

// trusts are the lines with which a kit's upsmon believes a CA: the server's, or another.
func (c *certs) trusts(k kit, right bool) string {
	path := map[bool][2]string{true: {c.clientDB, c.caPEM}, false: {c.otherDB, c.otherPEM}}[right]
	if k == debian {
		return "CERTPATH " + path[0] + "\n"
	}
	return "CERTPATH " + path[1] + "\n"
}

// shows are the lines with which a kit's upsmon shows its certificate.
func (c *certs) shows(k kit) string {
	if k == debian {
		return fmt.Sprintf("CERTIDENT monitor %s\n", dbPassword)
	}
	return "CERTFILE " + c.clientPEM + "\n"
}

// monitorTLS starts an upsmon with more lines in its upsmon.conf.
func (b *bench) monitorTLS(k kit, conf string) *daemon {
	b.t.Helper()
	me, err := user.Current()
	if err != nil {
		b.t.Fatal(err)
	}
	m := newBench(b.t, nil)
	m.port = b.port
	m.write("upsmon.conf", "MONITOR rack@127.0.0.1:@port@ 1 first one primary\nSHUTDOWNCMD true\nRUN_AS_USER "+
		me.Username+"\nPOLLFREQ 1\nPOLLFREQALERT 1\n"+conf)
	if k == debian {
		return m.start("unshare", ownRun(b.t, "exec "+k.upsmon+" -p -F")...)
	}
	return m.start(k.upsmon, "-p", "-F")
}

// strict are the lines of a site that wants to be sure.
const strict = "CERTVERIFY 1\nFORCESSL 1\n"

// NP-C4, NP-S1, NP-S2, NP-S6, NP-S7.
func TestTLSBetweenOurProgramsAndDebians(t *testing.T) {
	ours, theirs := kits(t)
	for _, tt := range []struct {
		name            string
		server, monitor kit
	}{
		{"their upsmon, our upsd", ours, theirs},
		{"our upsmon, their upsd", theirs, ours},
		{"ours both", ours, ours},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, rackRoom)
			c := newCerts(t, b)
			b.drivers(tt.server.dummy, "rack")
			upsd := b.serveTLS(tt.server, c.asServer(tt.server))
			b.monitorTLS(tt.monitor, c.trusts(tt.monitor, true)+strict)
			upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack] (SSL)")
			if a := b.ask(tt.monitor.upsc, b.ups("rack"), "battery.charge"); a.out != "100\n" || a.code != 0 {
				t.Errorf("upsc over TLS: %v", a)
			}
			for _, args := range [][]string{{"upscmd", "-l", b.ups("rack")}, {"upsrw", b.ups("rack")}} {
				if a := b.ask(tt.monitor.path(t)+"/"+args[0], args[1:]...); a.code != 0 {
					t.Errorf("%s over TLS: %v", args[0], a)
				}
			}
		})
	}
}

// Whom a verifying upsmon does not know, it sends no password.
func TestAWrongCertificateIsRefused(t *testing.T) {
	ours, theirs := kits(t)
	for _, tt := range []struct {
		name            string
		server, monitor kit
		conf            func(c *certs) string
		says            string
	}{
		{"another CA, their upsmon", ours, theirs, func(c *certs) string { return c.trusts(theirs, false) + strict },
			"connect failed: "},
		{"another CA, our upsmon", theirs, ours, func(c *certs) string { return c.trusts(ours, false) + strict },
			"connect failed: SSL error: x509: certificate signed by unknown authority"},
		{"another name, their upsmon", ours, theirs, func(c *certs) string {
			return c.trusts(theirs, true) + "CERTHOST 127.0.0.1 somebody 1 1\n"
		}, "connect failed: "},
		{"another name, our upsmon", theirs, ours, func(c *certs) string {
			return c.trusts(ours, true) + "CERTHOST 127.0.0.1 somebody 1 1\n"
		}, `connect failed: SSL error: the certificate is made out to CN=upsd, localhost, 127.0.0.1, not to "somebody"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, rackRoom)
			c := newCerts(t, b)
			b.drivers(tt.server.dummy, "rack")
			upsd := b.serveTLS(tt.server, c.asServer(tt.server))
			b.monitorTLS(tt.monitor, tt.conf(c)).waitFor(t, tt.says)
			if said := upsd.said.String(); strings.Contains(said, "logged into") {
				t.Errorf("it logged in all the same:\n%s", said)
			}
		})
	}
}

// NP-S7: without a certificate in the server, those who insist stay away, and the others go on.
func TestServersWithoutTLS(t *testing.T) {
	ours, theirs := kits(t)
	for _, tt := range []struct{ server, monitor kit }{{ours, theirs}, {theirs, ours}} {
		t.Run(tt.monitor.name+"'s upsmon", func(t *testing.T) {
			t.Parallel()
			b := newBench(t, rackRoom)
			b.drivers(tt.server.dummy, "rack")
			upsd := b.serveTLS(tt.server, "")
			b.monitorTLS(tt.monitor, "FORCESSL 1\n").waitFor(t, "connect failed: SSL is not available")
			if said := upsd.said.String(); strings.Contains(said, "logged into") {
				t.Errorf("it logged in all the same:\n%s", said)
			}
			b.monitorTLS(tt.monitor, "")
			upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack]")
		})
	}
}

// NP-S6: our upsd asks for certificates; their upsmon shows the one of its database.
func TestCertificatesOfClients(t *testing.T) {
	ours, theirs := kits(t)
	for _, k := range []kit{theirs, ours} {
		b := newBench(t, rackRoom)
		c := newCerts(t, b)
		b.drivers(ours.dummy, "rack")
		upsd := b.serveTLS(ours, c.asServer(ours)+"CERTREQUEST REQUIRE\nCERTPATH "+c.caPEM+"\n")
		b.monitorTLS(ours, c.trusts(ours, true)+strict).waitFor(t, "certificate required")
		b.monitorTLS(k, c.trusts(k, true)+strict+c.shows(k))
		upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack] (SSL)")
	}
}

// A configuration of Debian's NUT is understood as far as to say what is to be done.
func TestADatabaseOfNSSIsNamedWithItsRemedy(t *testing.T) {
	ours, _ := kits(t)
	b := newBench(t, rackRoom)
	c := newCerts(t, b)
	b.write("upsd.conf", "LISTEN 127.0.0.1 @port@\n"+c.asServer(debian))
	a := b.ask(ours.upsd, append(asRoot(), "-F")...)
	if a.code != 1 || !strings.Contains(a.err, "SSL configuration was specified, but NUT server failed to initialize") {
		t.Fatalf("upsd with a database of NSS: %v", a)
	}
	_, rest, _ := strings.Cut(a.err, "Export its certificate and say so: ")
	command, _, found := strings.Cut(rest, "; then CERTFILE ")
	if !found {
		t.Fatalf("no commands in %s", a.err)
	}
	// The commands do what they say, here in other files.
	pem := b.conf + "/exported.pem"
	command = strings.NewReplacer("/etc/nut/upsd.pem", pem, "-o ", "-k "+b.conf+"/dbpw -W x -o ", "-nodes", "-nodes -passin pass:x").Replace(command)
	tool(t, "sh", "-c", command)
	b.drivers(ours.dummy, "rack")
	b.serveTLS(ours, "CERTFILE "+pem+"\n")
	conn := b.starttls()
	if names := conn.ConnectionState().PeerCertificates[0].DNSNames; len(names) != 1 || names[0] != "localhost" {
		t.Errorf("the exported certificate is made out to %q", names)
	}
}

// starttls connects to the bench's upsd as a client of another make, and agrees on TLS.
func (b *bench) starttls() *tls.Conn {
	b.t.Helper()
	conn := tls.Client(b.promise(), &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		b.t.Fatal(err)
	}
	return conn
}

// promise connects and says STARTTLS.
func (b *bench) promise() net.Conn {
	b.t.Helper()
	raw, err := net.Dial("tcp", "127.0.0.1:"+b.port)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { raw.Close() })
	raw.SetDeadline(time.Now().Add(runLimit))
	fmt.Fprintln(raw, "STARTTLS")
	if reply, err := bufio.NewReader(raw).ReadString('\n'); reply != "OK STARTTLS\n" {
		b.t.Fatalf("STARTTLS = %q, %v", reply, err)
	}
	return raw
}

// pythonClient is a client in the style of those that people write: it verifies, and logs in.
const pythonClient = `
import socket, ssl, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
def ask(line):
    s.sendall(line.encode() + b"\n")
    return s.recv(4096).decode().strip()
print(ask("USERNAME first"))
print(ask("STARTTLS"))
context = ssl.create_default_context(cafile=sys.argv[2])
s = context.wrap_socket(s, server_hostname="localhost")
for line in ["PASSWORD one", "STARTTLS", "LOGIN rack", "GET VAR rack ups.status", "LOGOUT"]:
    print(ask(line))
print(repr(s.recv(10)))
`

// NP-S1, NP-S2, with the transcript of section 8.
func TestPythonsTLS(t *testing.T) {
	ours, _ := kits(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "%v", err)
	}
	b := newBench(t, rackRoom)
	c := newCerts(t, b)
	b.drivers(ours.dummy, "rack")
	upsd := b.serveTLS(ours, c.asServer(ours))
	a := b.ask(python, "-c", pythonClient, b.port, c.caPEM)
	want := "OK\nOK STARTTLS\nOK\nERR ALREADY-SSL-MODE\nOK\nVAR rack ups.status \"OL\"\nOK Goodbye\nb''\n"
	if a.out != want {
		t.Errorf("a client in Python: %v\nwant %s", a, want)
	}
	upsd.waitFor(t, "User first@127.0.0.1 logged into UPS [rack] (SSL)")
	upsd.waitFor(t, "User first@127.0.0.1 logged out from UPS [rack] (SSL)")
}

// NP-S4, NP-S5: whatever clients do instead of a handshake, others are served and nothing is left.
func TestBrokenHandshakesOnARealMachine(t *testing.T) {
	ours, _ := kits(t)
	b := newBench(t, rackRoom)
	c := newCerts(t, b)
	b.drivers(ours.dummy, "rack")
	upsd := b.serveTLS(ours, c.asServer(ours))
	before := descriptors(t, upsd)
	const each = 20
	var open []net.Conn
	for range each {
		open = append(open, b.promise()) // and nothing more
		half := b.promise()
		half.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc"))
		open = append(open, half)
		garbage := b.promise()
		garbage.Write([]byte("GET VAR rack ups.status\n"))
		reply := make([]byte, 100)
		if n, _ := garbage.Read(reply); strings.Contains(string(reply[:n]), "VAR rack") {
			t.Errorf("answered in clear: %q", reply[:n])
		}
		for _, said := range []string{"", "\x16\x03\x01\x02\x00\x01"} {
			reset := b.promise()
			reset.Write([]byte(said))
			reset.(*net.TCPConn).SetLinger(0)
			reset.Close()
		}
		if reply := b.talk("GET VAR rack ups.status\n"); !strings.HasPrefix(reply, `VAR rack ups.status "OL"`) {
			t.Fatalf("another client is told %q", reply)
		}
	}
	upsd.waitFor(t, "net_starttls: SSL_accept failed")
	for _, conn := range open { // each is dropped at the end of its time
		for err := error(nil); err == nil; {
			_, err = conn.Read(make([]byte, 100))
			if os.IsTimeout(err) {
				t.Fatal("a client that never finishes its handshake is kept")
			}
		}
	}
	for begin := time.Now(); descriptors(t, upsd) > before; time.Sleep(20 * time.Millisecond) {
		if time.Since(begin) > startLimit {
			t.Fatalf("%d descriptors before, %d after", before, descriptors(t, upsd))
		}
	}
}

// descriptors is how many files a daemon has open.
func descriptors(t *testing.T, d *daemon) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
