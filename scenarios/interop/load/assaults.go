package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// An assault is one way to be a bad client. Each of its connections is bad in a loop of its own;
// the pace keeps the whole of it far below what the network or this machine could do, so that what
// is seen is what the server makes of it.
type assault struct {
	name  string
	count int // connections
	// bad is one connection; it may return early, and is then begun anew after the pause, or ends
	// for good when there is none.
	bad   func(ctx context.Context, c net.Conn)
	pause time.Duration
}

func assaults() []assault {
	long := append(bytes.Repeat([]byte("x"), 3<<20), '\n')
	nuls := append(make([]byte, 1<<20), '\n')
	words := append(bytes.Repeat([]byte("w "), 32<<10), '\n')
	lists := bytes.Repeat([]byte(listVar), 1000)
	return []assault{
		{"silent behind STARTTLS", 100, silent("STARTTLS\n"), 0},
		{"half lines, a byte at a time", 100, slowLine, 0},
		{"asks and never reads", 50, pour(lists), 0},
		{"lines of 3 MB", 4, ask(long, 1), 500 * time.Millisecond},
		{"1 MB of NULs", 4, ask(nuls, 1), 200 * time.Millisecond},
		{"lines of 32,768 words", 8, ask(words, 1), 50 * time.Millisecond},
		{"comes and goes", 16, ask([]byte(getVar), 1), 8 * time.Millisecond},
		{"10,000 idle connections", 10000, silent("VER\n"), 0},
		{"wrong passwords", 50, ask([]byte("USERNAME good\nPASSWORD wrong\nLOGIN ups0\n"), 3),
			20 * time.Millisecond},
	}
}

// silent says something and nothing more.
func silent(text string) func(context.Context, net.Conn) {
	return func(ctx context.Context, c net.Conn) {
		io.WriteString(c, text)
		<-ctx.Done()
	}
}

// slowLine sends the beginning of a line that never ends.
func slowLine(ctx context.Context, c net.Conn) {
	text := "GET VAR ups0 " + strings.Repeat("x", 1000)
	for i := 0; ctx.Err() == nil; i++ {
		if _, err := io.WriteString(c, text[i%len(text):][:1]); err != nil {
			return
		}
		sleep(ctx, 50*time.Millisecond)
	}
}

// pour writes for as long as the server takes it, and never reads.
func pour(text []byte) func(context.Context, net.Conn) {
	return func(ctx context.Context, c net.Conn) {
		c.(*net.TCPConn).SetReadBuffer(4096)
		for ctx.Err() == nil {
			if _, err := c.Write(text); err != nil {
				break
			}
		}
		<-ctx.Done()
	}
}

// ask sends something and reads that many lines of answer.
func ask(text []byte, lines int) func(context.Context, net.Conn) {
	return func(_ context.Context, c net.Conn) {
		// A reset leaves no port behind in TIME_WAIT.
		c.(*net.TCPConn).SetLinger(0)
		if _, err := c.Write(text); err != nil {
			return
		}
		in := bufio.NewReader(c)
		for range lines {
			if _, err := in.ReadSlice('\n'); err != nil {
				return
			}
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

const (
	dialers     = 32               // connect at the same time
	onslaught   = 20 * time.Second // in which all connections of an assault are made, or given up
	attackDials = 3 * time.Second  // for one of them
)

// begin opens the connections of an assault. ready is closed when all were tried; stop ends them
// and returns how many there had been.
func (a assault) begin(s *server) (ready chan struct{}, stop func() int) {
	ctx, cancel := context.WithCancel(context.Background())
	ready, slots := make(chan struct{}), make(chan struct{}, dialers)
	ended := make(chan int, a.count)
	opened := make(chan struct{}, a.count)
	for range a.count {
		go func() {
			n := 0
			defer func() { ended <- n }()
			for first := true; ctx.Err() == nil; first = false {
				slots <- struct{}{}
				c := connect(ctx, s)
				<-slots
				if first {
					opened <- struct{}{}
				}
				if c != nil {
					n++
					a.expose(ctx, c)
				}
				if a.pause == 0 {
					return
				}
				sleep(ctx, a.pause)
			}
		}()
	}
	go func() {
		defer close(ready)
		late := time.After(onslaught)
		for range a.count {
			select {
			case <-opened:
			case <-late:
				return
			}
		}
	}()
	return ready, func() int {
		cancel()
		total := 0
		for range a.count {
			total += <-ended
		}
		return total
	}
}

// connect dials unless the assault is over; nil when the server does not take it.
func connect(ctx context.Context, s *server) net.Conn {
	if ctx.Err() != nil {
		return nil
	}
	c, err := dialWithin(s.addr, attackDials)
	if err != nil {
		return nil
	}
	return c
}

// expose lets a connection be bad until it is done or the assault is over.
func (a assault) expose(ctx context.Context, c net.Conn) {
	done := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer done()
	defer c.Close()
	a.bad(ctx, c)
}

// greet is what somebody sees who comes while an assault lasts: how long it takes to connect and to
// be answered.
func greet(s *server) (time.Duration, error) {
	begin := time.Now()
	c, err := dialWithin(s.addr, probeLimit)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	c.SetDeadline(begin.Add(probeLimit))
	io.WriteString(c, getVar)
	if reply, err := bufio.NewReader(c).ReadString('\n'); !strings.HasPrefix(reply, "VAR ups0 ") {
		return 0, fmt.Errorf("%q, %v", reply, err)
	}
	return time.Since(begin), nil
}
