package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if task := os.Getenv(probeVar); task != "" {
		if err := probeMain(task); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// ours is our upsd, or a skip.
func ours(t *testing.T) kit {
	t.Helper()
	if testing.Short() {
		t.Skip("starts real processes: not with -short")
	}
	k, err := build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// What a server may hold of an assault afterwards, and log of it, in bytes.
const (
	keptMemory = 24 << 20
	keptLog    = 64 << 10
	fewer      = 1000 // connections at most, of which the whole program makes more
)

// Under every assault the good client and a newcomer are answered; afterwards all is given back.
// NP-M3, NP-S5, NP-T10.
func TestBadClientsHurtNobodyElse(t *testing.T) {
	k := ours(t)
	cert := filepath.Join(t.TempDir(), "upsd.pem")
	if err := writeCertificate(cert); err != nil {
		t.Fatal(err)
	}
	for _, a := range assaults() {
		t.Run(a.name, func(t *testing.T) {
			a.count = min(a.count, fewer)
			v, err := suffer(k, a, options{time: time.Second, cert: cert})
			if err != nil {
				t.Fatal(err)
			}
			if v.attacked.Lost || v.attacked.Answers == 0 {
				t.Errorf("the good client is not answered: %+v", v.attacked)
			}
			if v.turnedAway != nil {
				t.Errorf("a newcomer is not answered: %v", v.turnedAway)
			}
			if !v.alive {
				t.Error("upsd does not answer afterwards")
			}
			if v.connections == 0 {
				t.Error("there was no assault")
			}
			if v.fdsAfter > v.fds {
				t.Errorf("%d descriptors are open afterwards, %d before", v.fdsAfter, v.fds)
			}
			if v.after > v.memory+keptMemory {
				t.Errorf("%.1f MiB afterwards, %.1f before", mib(v.after), mib(v.memory))
			}
			if v.said > keptLog {
				t.Errorf("%d bytes of log", v.said)
			}
		})
	}
}

// MAXCONN counts listeners, drivers and clients (NP-M1). Whoever is one too many is told by the end
// of the connection, and comes in when there is room again.
func TestMAXCONNIsHonoured(t *testing.T) {
	const most, others, all = 20, 2, 100 // others: a listener and a driver
	s, err := startServer(ours(t), setup{upses: 1, vars: 10, conf: "MAXCONN 20\n"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	var conns []net.Conn
	for range all {
		c, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	served := 0
	for _, c := range conns {
		switch err := asks(c); {
		case err == nil:
			served++
		case !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE):
			t.Errorf("a client too many: %v, want the end of its connection", err)
		}
	}
	if served > most-others || served == 0 {
		t.Errorf("%d of %d clients are served, want %d", served, all, most-others)
	}
	for _, c := range conns {
		c.Close()
	}
	if err := s.await(1); err != nil {
		t.Errorf("when all have gone: %v", err)
	}
}

// asks asks once.
func asks(c net.Conn) error {
	c.SetDeadline(time.Now().Add(startLimit))
	if _, err := io.WriteString(c, getVar); err != nil {
		return err
	}
	reply, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(reply, "VAR ups0 ") {
		return errors.New(reply)
	}
	return err
}

func TestNoOtherMachineIsDialled(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:3493", "[2001:db8::1]:3493", "example.com:3493", "0.0.0.0:3493"} {
		if _, err := dialLoopback(addr); err == nil || !strings.Contains(err.Error(), "want a loopback address") {
			t.Errorf("%s: %v, want a refusal", addr, err)
		}
	}
}
