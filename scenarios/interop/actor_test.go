package interop

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// An actor is the driver of a UPS as upsd sees it: a socket that dumps a given state, answers
// tracked requests by a table, and notes what it is told. It changes nothing of its own accord, so
// that whatever is asked twice is answered the same.
type actor struct {
	t     *testing.T
	dump  string
	mu    sync.Mutex
	heard []string
	more  chan struct{} // one token: something was heard
}

// outcomes are what the actor answers to a tracked request whose text contains the word: the codes
// of the driver protocol. Other requests succeed.
var outcomes = []struct {
	word, code string // code "": never answered
}{
	{"unknown", "1"}, {"invalid", "2"}, {"failed", "3"}, {"silent", ""},
}

// newActor serves the socket of a UPS in the state folder of a bench until the test ends.
func newActor(b *bench, ups, dump string) *actor {
	b.t.Helper()
	p := &actor{t: b.t, dump: dump, more: make(chan struct{}, 1)}
	l, err := net.Listen("unix", filepath.Join(b.run, "dummy-ups-"+ups))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

var tracked = regexp.MustCompile(` TRACKING (\S+)$`)

func (p *actor) serve(c net.Conn) {
	defer c.Close()
	for in := bufio.NewScanner(c); in.Scan(); {
		request := in.Text()
		switch {
		case request == "PING":
			fmt.Fprintln(c, "PONG")
		case request == "DUMPALL":
			fmt.Fprint(c, p.dump)
		case strings.HasPrefix(request, "SET ") || strings.HasPrefix(request, "INSTCMD "):
			if id := tracked.FindStringSubmatch(request); id != nil {
				if code := outcome(request); code != "" {
					fmt.Fprintf(c, "TRACKING %s %s\n", id[1], code)
				}
				request = tracked.ReplaceAllString(request, " TRACKING id")
			}
			p.note(request)
		}
	}
}

func outcome(request string) string {
	for _, o := range outcomes {
		if strings.Contains(request, o.word) {
			return o.code
		}
	}
	return "0"
}

func (p *actor) note(request string) {
	p.mu.Lock()
	p.heard = append(p.heard, request)
	p.mu.Unlock()
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// until returns what was heard since the last call, up to a request that contains a text.
func (p *actor) until(text string) []string {
	p.t.Helper()
	late := time.After(runLimit)
	for {
		p.mu.Lock()
		for i, h := range p.heard {
			if strings.Contains(h, text) {
				before := p.heard[:i]
				p.heard = p.heard[i+1:]
				p.mu.Unlock()
				return before
			}
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-late:
			p.t.Fatalf("the driver was not told %q in %v", text, runLimit)
		}
	}
}
