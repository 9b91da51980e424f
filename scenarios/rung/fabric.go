package rung

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// nutPort is the port that upsd serves by default.
const nutPort = "3493"

// fabric is the network between the hosts of a Proc: for each direction in which somebody connects,
// a proxy on a loopback address of its own.
type fabric struct {
	p    *Proc
	a, b int // the room's addresses are 127.a.b.x (hosts) and 127.a.b+1.x (proxies)

	mu     sync.Mutex // guards what follows
	heal   *sync.Cond
	cuts   map[[2]string]bool
	delays map[[2]string]time.Duration // now
	usual  map[[2]string]time.Duration // as declared
	dark   map[string]bool             // hosts without power
	ways   map[[2]string]string
	closed bool
	open   map[io.Closer]bool
}

// newFabric finds a range of loopback addresses that no other room uses.
func newFabric(p *Proc) (*fabric, error) {
	f := &fabric{p: p, cuts: map[[2]string]bool{}, delays: map[[2]string]time.Duration{},
		usual: map[[2]string]time.Duration{}, dark: map[string]bool{},
		ways: map[[2]string]string{}, open: map[io.Closer]bool{}}
	f.heal = sync.NewCond(&f.mu)
	for range 100 {
		f.a, f.b = 16+rand.IntN(200), 2*rand.IntN(120)
		// A listener on the range's last address claims the range for this room.
		l, err := net.Listen("tcp", net.JoinHostPort(fmt.Sprintf("127.%d.%d.254", f.a, f.b), nutPort))
		if err == nil {
			f.open[l] = true
			return f, nil
		}
	}
	return nil, errors.New("no free range of loopback addresses for the hosts (127.x.y.0, port 3493)")
}

func (f *fabric) hostAddr(i int) string { return fmt.Sprintf("127.%d.%d.%d", f.a, f.b, i+1) }

// way returns the address at which from reaches to.
func (f *fabric) way(from, to string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := [2]string{from, to}
	if addr, ok := f.ways[key]; ok {
		return addr, nil
	}
	addr := fmt.Sprintf("127.%d.%d.%d", f.a, f.b+1, len(f.ways)+1)
	l, err := net.Listen("tcp", net.JoinHostPort(addr, nutPort))
	if err != nil {
		return "", err
	}
	f.ways[key] = addr
	f.open[l] = true
	go f.serve(l, from, to)
	return addr, nil
}

func (f *fabric) set(change func()) {
	f.mu.Lock()
	change()
	f.mu.Unlock()
	f.heal.Broadcast()
}

// repair ends cut and delay from a to b.
func (f *fabric) repair(a, b string) {
	f.set(func() {
		f.cuts[[2]string{a, b}] = false
		f.delays[[2]string{a, b}] = f.usual[[2]string{a, b}]
	})
}

// declare sets the latency that a link has when nothing is wrong with it.
func (f *fabric) declare(a, b string, d time.Duration) {
	f.set(func() { f.usual[[2]string{a, b}], f.delays[[2]string{a, b}] = d, d })
}

func (f *fabric) cut(a, b string)               { f.set(func() { f.cuts[[2]string{a, b}] = true }) }
func (f *fabric) setPower(host string, on bool) { f.set(func() { f.dark[host] = !on }) }
func (f *fabric) setDelay(a, b string, d time.Duration) {
	f.set(func() { f.delays[[2]string{a, b}] = d })
}

// pass waits until bytes can go from a to b, and as long as they take. False: the room is closed,
// or one of the two has lost its power, which nobody is told.
func (f *fabric) pass(a, b string) bool {
	f.mu.Lock()
	for f.cuts[[2]string{a, b}] && !f.closed && !f.dark[a] && !f.dark[b] {
		f.heal.Wait()
	}
	ok := !f.closed && !f.dark[a] && !f.dark[b]
	d := f.delays[[2]string{a, b}]
	f.mu.Unlock()
	time.Sleep(f.p.clock.Real(d))
	return ok
}

func (f *fabric) serve(l net.Listener, from, to string) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go f.carry(c, from, to)
	}
}

// carry connects one client of from with the server on to. A side without power neither answers nor
// hangs up: its peer is left alone with an open connection, as a real network leaves it.
func (f *fabric) carry(near net.Conn, from, to string) {
	if !f.keep(near) || !f.pass(from, to) || !f.pass(to, from) {
		return
	}
	far, err := net.Dial("tcp", net.JoinHostPort(f.p.hosts[to].addr, nutPort))
	if err != nil {
		f.drop(near)
		return
	}
	if !f.keep(far) {
		return
	}
	go f.pump(near, far, from, to)
	f.pump(far, near, to, from)
}

// keep remembers a connection so that it is closed with the room; false: that is over, and so is
// the connection.
func (f *fabric) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		c.Close()
		return false
	}
	f.open[c] = true
	return true
}

// drop closes connections that are finished.
func (f *fabric) drop(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		c.Close()
		delete(f.open, c)
	}
}

func (f *fabric) pump(src, dst net.Conn, a, b string) {
	buf := make([]byte, 32<<10)
	for {
		n, err := src.Read(buf)
		if !f.pass(a, b) {
			return
		}
		if n > 0 {
			if _, werr := dst.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			f.drop(src, dst)
			return
		}
	}
}

func (f *fabric) close() {
	f.set(func() { f.closed = true })
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open { //house: order does not matter: all are closed
		c.Close()
	}
}
