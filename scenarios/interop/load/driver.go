package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
)

// A fakeDriver plays the driver of one UPS on the socket where upsd looks for it.
type fakeDriver struct {
	l    net.Listener
	vars int

	mu    sync.Mutex // guards conns and every write to them
	conns map[net.Conn]bool
}

// tick is the variable that set changes.
const tick = "experimental.tick"

func newFakeDriver(path string, vars int) (*fakeDriver, error) {
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	d := &fakeDriver{l: l, vars: vars, conns: map[net.Conn]bool{}}
	go d.accept()
	return d, nil
}

func (d *fakeDriver) accept() {
	for {
		c, err := d.l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.conns[c] = true
		d.mu.Unlock()
		go d.serve(c)
	}
}

// serve answers upsd until it goes.
func (d *fakeDriver) serve(c net.Conn) {
	in := bufio.NewScanner(c)
	for in.Scan() {
		switch word, _, _ := strings.Cut(in.Text(), " "); word {
		case "DUMPALL":
			d.send(c, d.dump())
		case "PING":
			d.send(c, "PONG\n")
		}
	}
	d.mu.Lock()
	delete(d.conns, c)
	d.mu.Unlock()
	c.Close()
}

func (d *fakeDriver) dump() string {
	var b strings.Builder
	for i := range d.vars - 2 {
		fmt.Fprintf(&b, "SETINFO outlet.%d.realpower \"%d.5\"\n", i, 100+i)
	}
	b.WriteString("SETINFO ups.status \"OL\"\nSETINFO " + tick + " \"0\"\nDATAOK\nDUMPDONE\n")
	return b.String()
}

func (d *fakeDriver) send(c net.Conn, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.Write([]byte(text))
}

// set gives a variable a new value, for everybody connected.
func (d *fakeDriver) set(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		fmt.Fprintf(c, "SETINFO %s \"%s\"\n", name, value)
	}
}

func (d *fakeDriver) close() {
	d.l.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.Close()
	}
}
