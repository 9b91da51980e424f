package rung

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

// aFabric returns a network with one host, b, which is reached from a at addr.
func aFabric(t *testing.T) (f *fabric, addr string) {
	t.Helper()
	p := &Proc{clock: osenv.Clock{Scale: 20, Epoch: time.Now()}, hosts: map[string]*procHost{"b": {addr: "127.0.0.1"}}}
	f, err := newFabric(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	p.hosts["b"].addr = f.hostAddr(1)
	if addr, err = f.way("a", "b"); err != nil {
		t.Fatal(err)
	}
	return f, net.JoinHostPort(addr, nutPort)
}

func TestAConnectionOnItsWayIsClosedWithTheRoom(t *testing.T) {
	f, addr := aFabric(t)
	f.setDelay("a", "b", 4*time.Second)
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(50 * time.Millisecond)
	f.close()
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("2 s after the end of the room it is still open")
	}
}

func TestFinishedConnectionsAreForgotten(t *testing.T) {
	f, addr := aFabric(t)
	l, err := net.Listen("tcp", net.JoinHostPort(f.hostAddr(1), nutPort))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	for range 20 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.Read(make([]byte, 1)) // until the other side hangs up
		c.Close()
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		f.mu.Lock()
		n := len(f.open)
		f.mu.Unlock()
		if n == 2 { // the two listeners
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d are kept of which 2 are in use", n)
		}
	}
}
