package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Limits in real time; the far end of a pseudo-terminal knows no other.
const (
	// nobody is the pause between two looks at a terminal that no program has open: the system has
	// no way to wait for that.
	nobody = 10 * time.Millisecond
	// unread ends a write to a program that does not read, after its queue is full.
	unread = time.Second
)

// A Pty plugs a Cable into a pseudo-terminal of this machine, so that a program which opens real
// ports finds the device there. Pacing and faults are those of the Cable. While it is unplugged
// there is no terminal; after that there is a new one under the same link.
type Pty struct {
	c     *Cable
	link  string
	e     env.Env // of the opener, who also closes
	scope env.Scope
	plug  env.Waiter

	mu     sync.Mutex // guards what follows
	far    *os.File   // the device's end; nil while unplugged
	name   string     // of the program's end, /dev/pts/N
	closed bool
}

// NewPty opens a pseudo-terminal. link, if not empty, becomes a symbolic link to it; an older link
// of that name is replaced, another kind of file is not.
func NewPty(e env.Env, c *Cable, link string) (*Pty, error) {
	p := &Pty{c: c, link: link, e: e, plug: e.Waiter()}
	if err := p.connect(); err != nil {
		return nil, err
	}
	c.onClear(p.plug.Wake)
	tasks, scope := e.Scope("pty " + link)
	p.scope = scope
	tasks.Go("pty "+link, p.run)
	return p, nil
}

// Path is the name under which programs open the port: the link, or without one the terminal.
func (p *Pty) Path() string {
	if p.link != "" {
		return p.link
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.name
}

// Close hangs up, removes the link and waits until all tasks have ended.
func (p *Pty) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.scope.Stop()
	p.disconnect()
	p.scope.Wait(p.e)
}

// run serves one terminal after the other, from plugging to unplugging.
func (p *Pty) run(e env.Env) error {
	for {
		s, err := p.c.Open(e)
		switch {
		case err == nil:
			if err = p.serve(e, s); err != nil && !errors.Is(err, transport.ErrGone) {
				return err
			}
		case !errors.Is(err, transport.ErrNoPort):
			return err
		}
		p.disconnect()
		if err := p.waitForPlug(e); err != nil {
			return err
		}
		if err := p.connect(); err != nil {
			return err
		}
	}
}

// waitForPlug returns when the cable is no longer unplugged.
func (p *Pty) waitForPlug(e env.Env) error {
	for {
		now := p.c.now(e)
		end, unplugged := p.c.has(now, Unplug)
		if !unplugged {
			return nil
		}
		until := env.Never
		if end != forever {
			until = e.Now().Add(end - now)
		}
		if err := p.plug.Wait(e, until); err != nil && !isTimeout(err) {
			return err
		}
	}
}

// serve carries bytes in both directions until the cable or the terminal goes away.
func (p *Pty) serve(e env.Env, s transport.Serial) error {
	p.mu.Lock()
	far := p.far
	p.mu.Unlock()
	if far == nil { // closed meanwhile
		s.Close()
		return transport.ErrGone
	}
	tasks, scope := e.Scope("to the device")
	tasks.Go("to the device", func(e env.Env) error { return toDevice(e, far, s) })
	err := toProgram(e, far, s)
	p.disconnect() // ends the other direction
	s.Close()
	scope.Wait(e)
	return err
}

// toDevice ends when far is closed.
func toDevice(e env.Env, far *os.File, s transport.Serial) error {
	b := make([]byte, queueSize)
	for {
		n, err := far.Read(b)
		switch {
		case errors.Is(err, os.ErrClosed):
			return nil
		case err != nil:
			time.Sleep(nobody)
		default:
			if _, err := s.Write(e, b[:n]); err != nil {
				return nil // toProgram sees it as well
			}
		}
	}
}

// toProgram ends with the error of the cable.
func toProgram(e env.Env, far *os.File, s transport.Serial) error {
	b := make([]byte, queueSize)
	for {
		n, err := s.Read(e, b, env.Never)
		if err != nil {
			return err
		}
		far.SetWriteDeadline(time.Now().Add(unread))
		far.Write(b[:n]) // what cannot be written is lost, as on a wire
	}
}

// connect makes a terminal and the link to it.
func (p *Pty) connect() error {
	far, name, err := openTerminal()
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		far.Close()
		return env.ErrStopped
	}
	if err := point(p.link, name); err != nil {
		far.Close()
		return err
	}
	p.far, p.name = far, name
	return nil
}

// disconnect closes the terminal and removes the link to it.
func (p *Pty) disconnect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far == nil {
		return
	}
	if to, err := os.Readlink(p.link); err == nil && to == p.name {
		os.Remove(p.link)
	}
	p.far.Close()
	p.far = nil
}

// openTerminal returns the device's end of a new pseudo-terminal and the name of the other. It
// starts without echo, so that a program that does not care about modes talks to the device and
// not to itself.
func openTerminal() (far *os.File, name string, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, "", fmt.Errorf("open /dev/ptmx: %w", err)
	}
	far = os.NewFile(uintptr(fd), "/dev/ptmx") // not blocking, so that Close ends a Read
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = makeRaw(fd)
	}
	if err != nil {
		far.Close()
		return nil, "", fmt.Errorf("set up /dev/ptmx: %w", err)
	}
	return far, fmt.Sprintf("/dev/pts/%d", n), nil
}

func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag = 0, 0
	t.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG | unix.IEXTEN
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// point makes link lead to name.
func point(link, name string) error {
	if link == "" {
		return nil
	}
	if fi, err := os.Lstat(link); err == nil {
		if fi.Mode()&fs.ModeSymlink == 0 {
			return fmt.Errorf("%s: exists and is not a symbolic link; it is not replaced", link)
		}
		if err := os.Remove(link); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		return err
	}
	return os.Symlink(name, link)
}
