package upsd_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/nut/service"
	"github.com/blackstart-ups/blackstart/nut/upsd"
)

// patience is how long a step may take on a busy machine before it counts as hung.
const patience = 20 * time.Second

// A realServer is upsd on this machine, in this process, on a port of its own.
type realServer struct {
	t    *testing.T
	e    env.Env
	dir  string
	addr string
	log  slog.Handler
	code chan int
	seen chan env.Event
}

func startReal(t *testing.T) *realServer {
	r := &realServer{t: t, dir: t.TempDir(), code: make(chan int, 1), seen: make(chan env.Event, 1000),
		log: slog.NewTextHandler(io.Discard, nil)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.addr = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(r.addr)
	r.write("ups.conf", upsConf)
	r.write("upsd.conf", "LISTEN 127.0.0.1 "+port+"\n")
	r.write("upsd.users", upsdUsers)
	r.drive()
	r.launch()
	r.await(env.Data, "fresh")
	return r
}

// launch starts the server, for the first time or again.
func (r *realServer) launch() {
	r.t.Helper()
	var err error
	r.e, err = osenv.New(osenv.Options{
		Prog: "upsd",
		Emit: r.note,
		Log:  r.log,
		Extra: []string{"NUT_CONFPATH=" + r.dir, "NUT_STATEPATH=" + r.dir, "NUT_PIDPATH=" + r.dir,
			service.AccountVar + "=root"},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	go func() { r.code <- upsd.Main(r.e, []string{"-FF"}) }()
}

// note keeps an event if somebody still looks at them.
func (r *realServer) note(ev env.Event) {
	select {
	case r.seen <- ev:
	default:
	}
}

// write replaces a file at once: a reload must not see half of it.
func (r *realServer) write(name, text string) {
	file := filepath.Join(r.dir, name)
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		r.t.Fatal(err)
	}
}

// drive plays a driver that changes its status as fast as it can until the test ends.
func (r *realServer) drive() {
	l, err := net.Listen("unix", filepath.Join(r.dir, "dummy-ups-fake"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				fmt.Fprint(c, dump)
				for i := 0; ; i++ {
					if _, err := fmt.Fprintf(c, "SETINFO battery.charge %d\nPONG\n", i%100); err != nil {
						return
					}
				}
			}()
		}
	}()
}

func (r *realServer) await(kind env.Kind, value string) {
	r.t.Helper()
	late := time.After(patience)
	for {
		select {
		case ev := <-r.seen:
			if ev.Kind == kind && ev.Value == value {
				return
			}
		case code := <-r.code:
			r.t.Fatalf("upsd ended with %d", code)
		case <-late:
			r.t.Fatalf("no event %s %s", kind, value)
		}
	}
}

// stop ends the server and checks how.
func (r *realServer) stop() {
	r.t.Helper()
	r.e.Host().Signals().Put(env.Terminate)
	select {
	case code := <-r.code:
		if code != 0 {
			r.t.Errorf("exit %d, want 0", code)
		}
	case <-time.After(patience):
		r.t.Fatal("upsd does not end")
	}
}

// ask sends requests one by one and returns the first lines of the replies.
func (r *realServer) ask(requests ...string) []string {
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Error(err)
		return nil
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(c)
	var replies []string
	for _, q := range requests {
		if _, err := fmt.Fprintln(c, q); err != nil {
			r.t.Error(err)
			return replies
		}
		reply, err := in.ReadString('\n')
		replies = append(replies, strings.TrimSpace(reply))
		for l := reply; err == nil && strings.HasPrefix(reply, "BEGIN") && !strings.HasPrefix(l, "END"); {
			l, err = in.ReadString('\n')
		}
		if err != nil {
			r.t.Errorf("%s: %v", q, err)
			return replies
		}
	}
	return replies
}

// Run it with -race: everything that shares the tables does so at once.
func TestManyAtOnceOnARealMachine(t *testing.T) {
	r := startReal(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 20 {
				got := r.ask("USERNAME p", "PASSWORD topsecret", "LOGIN fake", "SET TRACKING ON", "SET VAR fake ups.id y",
					"INSTCMD fake load.off", "FSD fake", "LIST VAR fake", "LIST CLIENT fake", "LIST UPS", "GET NUMLOGINS fake",
					"GET VAR fake ups.status", "LOGOUT")
				if n := len(got); n != 13 || got[n-2] != `VAR fake ups.status "FSD OL"` || got[n-1] != "OK Goodbye" {
					t.Errorf("replies %q", got)
					return
				}
			}
		}()
	}
	for i := range 20 {
		r.write("ups.conf", upsConf+strings.Repeat("[more]\n\tdriver = x\n\tport = y\n", i%2))
		r.e.Host().Signals().Put(env.Hangup)
		r.ask("LIST UPS")
	}
	wg.Wait()
	if got := r.ask("GET NUMLOGINS fake", "LIST CLIENT fake"); len(got) != 2 {
		t.Errorf("replies %q", got)
	}
	r.stop()
}

func TestOneClientThatReadsNothingOnARealMachine(t *testing.T) {
	r := startReal(t)
	glutton, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer glutton.Close()
	glutton.SetWriteDeadline(time.Now().Add(patience))
	go glutton.Write([]byte(strings.Repeat("LIST VAR fake\n", 200_000)))
	for range 200 {
		if got := r.ask("GET VAR fake ups.status"); len(got) != 1 || got[0] != online {
			t.Fatalf("reply %q", got)
		}
	}
	r.stop()
	if _, err := os.Stat(filepath.Join(r.dir, "upsd.pid")); err == nil {
		t.Error("the PID file is left behind")
	}
}

// A full or missing folder must not leave a site without its server.
func TestServesWithoutAPIDFile(t *testing.T) {
	r := startReal(t)
	r.stop()
	if err := os.Mkdir(filepath.Join(r.dir, "upsd.pid"), 0o700); err != nil { // in its place
		t.Fatal(err)
	}
	r.launch()
	r.await(env.Data, "fresh")
	if got := r.ask("GET VAR fake ups.status"); len(got) != 1 || got[0] != online {
		t.Errorf("reply %q", got)
	}
	r.stop()
}

// A stuck log is the writer's affair: clients are answered and see what the driver says.
func TestAStuckLogHoldsUpNobody(t *testing.T) {
	r := startReal(t)
	r.stop()
	stuck := make(chan struct{})
	r.log = stuckLog{slog.NewTextHandler(io.Discard, nil), stuck}
	r.launch()
	r.await(env.Data, "fresh")
	for range 3 {
		got := r.ask("USERNAME a", "USERNAME b", "GET VAR fake ups.status") // the second is logged
		if len(got) != 3 || got[2] != online {
			t.Fatalf("replies %q", got)
		}
	}
	close(stuck)
	r.stop()
}

// A stuckLog takes no line about a client until it is told to.
type stuckLog struct {
	slog.Handler
	stuck chan struct{}
}

func (l stuckLog) Handle(_ context.Context, rec slog.Record) error {
	if strings.Contains(rec.Message, "tried to set a username twice") {
		<-l.stuck
	}
	return nil
}

// NP-T10: a new server takes the port although connections of the old one linger, for both families.
func TestARestartTakesItsPortAtOnce(t *testing.T) {
	r := startReal(t)
	_, port, _ := net.SplitHostPort(r.addr)
	r.write("upsd.conf", "LISTEN * "+port+"\n")
	for range 3 {
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if got := r.ask("NETVER"); len(got) != 1 || got[0] != "1.3" { // it has accepted c too
			t.Fatalf("replies %q", got)
		}
		r.stop()
		r.launch()
		r.await(env.Data, "fresh")
	}
	if c, err := net.Dial("tcp", "[::1]:"+port); err == nil {
		c.Close()
	} else if _, err := net.Listen("tcp", "[::1]:0"); err == nil {
		t.Error("there is IPv6, but nobody listens on it")
	}
	r.stop()
}

// Run it with -race too: handshakes, requests and renewals of the certificate all at once.
func TestManyAtOnceOverTLSOnARealMachine(t *testing.T) {
	r := startReal(t)
	ca := pkitest.NewCA("test CA")
	renew := func() {
		cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
		r.write("upsd.pem", cert+key)
		r.e.Host().Signals().Put(env.Hangup)
	}
	_, port, _ := net.SplitHostPort(r.addr)
	r.write("upsd.conf", "LISTEN 127.0.0.1 "+port+"\nCERTFILE "+filepath.Join(r.dir, "upsd.pem")+"\n")
	renew()
	for begin := time.Now(); ; { // until the reload is done
		if got := r.ask("STARTTLS"); len(got) == 1 && got[0] == "OK STARTTLS" {
			break
		} else if time.Since(begin) > patience {
			t.Fatalf("STARTTLS = %q after a reload", got)
		}
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10 {
				r.askSecurely()
			}
		})
	}
	for range 10 {
		renew()
		r.ask("STARTTLS") // and no handshake
	}
	wg.Wait()
	if got := r.ask("GET NUMLOGINS fake"); len(got) != 1 || got[0] != "NUMLOGINS fake 0" {
		t.Errorf("replies %q", got)
	}
	r.stop()
}

// askSecurely logs in over TLS and out again.
func (r *realServer) askSecurely() {
	raw, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintln(raw, "STARTTLS"); err != nil {
		r.t.Error(err)
		return
	}
	reply := make([]byte, 100)
	if n, err := raw.Read(reply); string(reply[:n]) != "OK STARTTLS\n" {
		r.t.Errorf("STARTTLS = %q, %v", reply[:n], err)
		return
	}
	c := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	fmt.Fprint(c, "USERNAME p\nPASSWORD topsecret\nLOGIN fake\nLIST VAR fake\nLOGOUT\n")
	all, err := io.ReadAll(c)
	if text := string(all); err != nil || !strings.HasPrefix(text, "OK\nOK\nOK\nBEGIN") || !strings.HasSuffix(text, "\nOK Goodbye\n") {
		r.t.Errorf("over TLS: %q, %v", text, err)
	}
}
