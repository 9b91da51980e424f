package serial

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Limits in real time.
const (
	// minSlice and maxSlice bound one wait in the system: short enough that a deadline and the stop
	// of a task are noticed soon, long enough that a waiting driver costs nothing.
	minSlice = time.Millisecond
	maxSlice = 20 * time.Millisecond
	// writeLimit ends a write to a port that takes no bytes. At 2400 baud a command needs 50 ms.
	writeLimit = 3 * time.Second
)

// port is an open serial port.
type port struct {
	name string
	lib  serial.Port
	// own is a second descriptor of the port. It holds the lock, and writes go through it because it
	// does not block: the library's write can be stuck for ever in a port that takes no bytes.
	own int

	// mu guards closed, and is held while a descriptor is used, so that none is closed under it.
	mu     sync.Mutex
	closed bool
}

// Read waits in slices of real time, whose length follows the speed of the program's clock.
func (p *port) Read(e env.Env, b []byte, until env.Instant) (int, error) {
	if len(b) == 0 {
		return 0, fmt.Errorf("%s: read into an empty buffer", p.name)
	}
	slice := minSlice
	for {
		before := e.Now()
		n, err := p.slice(b, slice)
		if n > 0 || err != nil {
			return n, err
		}
		now := e.Now()
		if now >= until {
			return 0, transport.ErrTimeout
		}
		if err := e.Sleep(time.Microsecond); err != nil {
			return 0, err // the task was stopped
		}
		slice = nextSlice(slice, now.Sub(before), until.Sub(now))
	}
}

// nextSlice is the real time to wait next, when the last slice took passed of the program's time
// and left of it is left.
func nextSlice(last, passed, left time.Duration) time.Duration {
	speed := max(1, passed/last)
	return min(max(left/speed, minSlice), maxSlice, 2*last)
}

// slice is one read of at most d.
func (p *port) slice(b []byte, d time.Duration) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, fmt.Errorf("%s: %w", p.name, env.ErrClosed)
	}
	if err := p.lib.SetReadTimeout(d); err != nil {
		return 0, p.gone("read", err)
	}
	n, err := p.lib.Read(b)
	if n > 0 {
		return n, nil
	}
	return 0, p.gone("read", err)
}

// Write gives up after writeLimit. What has not gone out by then is dropped.
func (p *port) Write(e env.Env, b []byte) (int, error) {
	until := time.Now().Add(writeLimit)
	for rest := b; ; {
		n, err := p.offer(rest)
		if rest = rest[n:]; err != nil || len(rest) == 0 {
			return len(b) - len(rest), err
		}
		if time.Now().After(until) {
			p.dropOutput()
			return len(b) - len(rest), fmt.Errorf("%s: write %q: %w: the port takes no bytes",
				p.name, b, transport.ErrTimeout)
		}
		if err := e.Sleep(time.Microsecond); err != nil {
			return len(b) - len(rest), err // the task was stopped
		}
		room := []unix.PollFd{{Fd: int32(p.own), Events: unix.POLLOUT}}
		unix.Poll(room, int(maxSlice/time.Millisecond))
	}
}

// offer writes as many bytes as there is room for, maybe none.
func (p *port) offer(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return 0, fmt.Errorf("%s: %w", p.name, env.ErrClosed)
	}
	n, err := unix.Write(p.own, b)
	if err == unix.EAGAIN || err == unix.EINTR {
		return 0, nil
	}
	return max(n, 0), p.gone("write", err)
}

func (p *port) dropOutput() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.lib.ResetOutputBuffer()
	}
}

// Flush drops what has come and was not read yet.
func (p *port) Flush() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("%s: %w", p.name, env.ErrClosed)
	}
	return p.gone("flush", p.lib.ResetInputBuffer())
}

// Close wakes a reader within one slice.
func (p *port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	err := p.lib.Close()
	// A child that is just being started has the file, too, until it runs its program.
	unix.Flock(p.own, unix.LOCK_UN)
	unix.Close(p.own)
	if err != nil && !errors.Is(translate(err), transport.ErrGone) {
		return fmt.Errorf("%s: close: %w", p.name, err)
	}
	return nil
}

// gone translates an error of an open port: whatever says at opening that there is no such port
// says now that it has gone.
func (p *port) gone(what string, err error) error {
	if err == nil {
		return nil
	}
	err = translate(err)
	if errors.Is(err, transport.ErrNoPort) || errors.Is(err, unix.EBADF) {
		err = fmt.Errorf("%w (%v)", transport.ErrGone, err)
	}
	return fmt.Errorf("%s: %s: %w", p.name, what, err)
}
