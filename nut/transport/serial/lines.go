package serial

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// linedPort is a port that has modem lines. It asks the system itself: the library sets DTR and RTS
// one after the other, and a UPS may take what is between for an order.
type linedPort struct{ *port }

// Lines implements transport.Lines.
func (p *linedPort) Lines(env.Env) (transport.LineState, error) {
	var bits int
	err := p.use("modem lines", func(fd int) (err error) {
		bits, err = unix.IoctlGetInt(fd, unix.TIOCMGET)
		return err
	})
	if err != nil {
		return transport.LineState{}, err
	}
	on := func(bit int) bool { return bits&bit != 0 }
	return transport.LineState{
		DTR: on(unix.TIOCM_DTR), RTS: on(unix.TIOCM_RTS),
		CTS: on(unix.TIOCM_CTS), DSR: on(unix.TIOCM_DSR),
		DCD: on(unix.TIOCM_CAR), RI: on(unix.TIOCM_RNG),
	}, nil
}

// SetLines implements transport.Lines.
func (p *linedPort) SetLines(_ env.Env, dtr, rts bool) error {
	bits := 0
	if dtr {
		bits |= unix.TIOCM_DTR
	}
	if rts {
		bits |= unix.TIOCM_RTS
	}
	return p.use("set modem lines", func(fd int) error {
		return unix.IoctlSetPointerInt(fd, unix.TIOCMSET, bits)
	})
}

// Break implements transport.Lines.
func (p *linedPort) Break(e env.Env, d time.Duration) error {
	err := p.use("break", func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCSBRK, 0) })
	if err != nil {
		return err
	}
	stopped := e.Sleep(d)
	err = p.use("end of break", func(fd int) error {
		return unix.IoctlSetInt(fd, unix.TIOCCBRK, 0)
	})
	if stopped != nil {
		return stopped
	}
	return err
}

// hangUp says whether the system drops the modem lines when the last descriptor of a port is
// closed.
func hangUp(fd int, drop bool) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	t.Cflag &^= unix.HUPCL
	if drop {
		t.Cflag |= unix.HUPCL
	}
	return unix.IoctlSetTermios(fd, setTermios, t)
}

// use lets f have the descriptor while the port is open.
func (p *port) use(what string, f func(fd int) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return fmt.Errorf("%s: %s: %w", p.name, what, env.ErrClosed)
	}
	return p.gone(what, f(p.own))
}
