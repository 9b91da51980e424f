package interop

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// A tap hangs on a driver's socket and knows what the driver knows, whatever upsd makes of it.
type tap struct {
	c       net.Conn
	mu      sync.Mutex
	vars    map[string]string
	rw      map[string]bool
	cmds    map[string]bool
	done    map[string]string // results of requests by their id
	orders  int
	changed chan struct{} // closed with each line, and replaced
	ended   error
}

// newTap returns when the driver's dump is complete. It is closed with the bench's test.
func newTap(b *bench, driver, ups string) *tap {
	b.t.Helper()
	c, err := net.Dial("unix", filepath.Join(b.run, filepath.Base(driver)+"-"+ups))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	p := &tap{c: c, vars: map[string]string{}, rw: map[string]bool{}, cmds: map[string]bool{},
		done:    map[string]string{},
		changed: make(chan struct{})}
	dumped := make(chan struct{})
	go p.read(dumped)
	p.say("DUMPALL\n")
	select {
	case <-dumped:
	case <-time.After(startLimit):
		b.t.Fatalf("the driver of %s does not dump: %v", ups, p.ended)
	}
	return p
}

func (p *tap) say(text string) { p.c.Write([]byte(text)) }

func (p *tap) read(dumped chan struct{}) {
	in := bufio.NewScanner(p.c)
	for in.Scan() {
		parsed, _ := line.File(in.Bytes())
		p.mu.Lock()
		for _, l := range parsed {
			var words []string
			for _, w := range l.Words {
				words = append(words, w.Text)
			}
			p.apply(words, dumped)
		}
		close(p.changed)
		p.changed = make(chan struct{})
		p.mu.Unlock()
	}
	p.mu.Lock()
	p.ended = fmt.Errorf("the driver closed: %v", in.Err())
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
}

func (p *tap) apply(words []string, dumped chan struct{}) {
	switch words[0] {
	case "SETINFO":
		p.vars[words[1]] = words[2]
	case "DELINFO":
		delete(p.vars, words[1])
	case "SETFLAGS":
		p.rw[words[1]] = strings.Contains(strings.Join(words[2:], " "), "RW")
	case "ADDCMD":
		p.cmds[words[1]] = true
	case "TRACKING":
		p.done[words[1]] = words[2]
	case "DUMPDONE":
		close(dumped)
	}
}

// do has the driver obey and returns when it has.
func (p *tap) do(request string) error {
	p.mu.Lock()
	p.orders++
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", p.orders)
	p.mu.Unlock()
	p.say(request + " TRACKING " + id + "\n")
	return p.until(p.done, id, "0")
}

// wait returns when the driver has a value.
func (p *tap) wait(name, value string) error { return p.until(p.vars, name, value) }

// until returns when a map of the tap has a value.
func (p *tap) until(m map[string]string, name, value string) error {
	limit := time.After(runLimit)
	for {
		p.mu.Lock()
		got, changed, ended := m[name], p.changed, p.ended
		p.mu.Unlock()
		switch {
		case got == value:
			return nil
		case ended != nil:
			return ended
		}
		select {
		case <-changed:
		case <-limit:
			return fmt.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}

// facts adds what clients should read of a UPS.
func (p *tap) facts(ups string, to facts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, value := range p.vars {
		to["var "+ups+" "+name] = value
		to["desc "+ups+" "+name], to["type "+ups+" "+name] = someText, someText
		if p.rw[name] {
			to["rw "+ups+" "+name] = ""
		}
	}
	for name := range p.cmds {
		to["cmd "+ups+" "+name], to["cmddesc "+ups+" "+name] = "", someText
	}
}
