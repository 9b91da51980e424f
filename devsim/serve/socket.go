package serve

import (
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
)

// Limits of a socket, in the time of the world.
const (
	// openTime is how long a program that has connected may take to ask for the port.
	openTime = time.Minute
	// releaseTime is how long a port may still be busy for a program that opens it just after
	// another one has ended: the news of the end may be slower.
	releaseTime = 500 * time.Millisecond
	releaseStep = 10 * time.Millisecond
	// pending is how many frames wait to be written to a program.
	pending = 64
)

// A Socket plugs a Cable or a Plug into a unix socket, where programs of other processes find it
// under the port name devsim:PATH; see transport/devsock. It carries modem lines and USB, as a
// pseudo-terminal does not.
type Socket struct {
	c     Port
	path  string
	e     env.Env // of the opener, who also closes
	l     env.Listener
	scope env.Scope
}

// NewSocket listens on path, in the place of a socket whose program has died.
func NewSocket(e env.Env, c Port, path string) (*Socket, error) {
	l, err := Listen(e, path)
	if err != nil {
		return nil, err
	}
	tasks, scope := e.Scope("socket " + path)
	s := &Socket{c: c, path: path, e: e, l: l, scope: scope}
	tasks.Go("socket "+path, s.accept)
	return s, nil
}

// Path is the name under which programs open the port.
func (s *Socket) Path() string { return devsock.Prefix + s.path }

// Close hangs up, removes the socket and waits until all tasks have ended.
func (s *Socket) Close() {
	s.scope.Stop()
	s.l.Close()
	s.scope.Wait(s.e)
	s.e.Host().Remove(s.path) // if it fails, the next one sees that nobody listens
}

func (s *Socket) accept(e env.Env) error {
	return env.Serve(e, s.l, "port "+s.path, s.serve)
}

// serve is one program's use of the port, from opening to closing.
func (s *Socket) serve(e env.Env, conn env.Conn) error {
	defer conn.Close()
	in := &devsock.Reader{Conn: conn}
	u := &use{e: e, conn: conn, in: in, out: env.NewInbox[devsock.Frame](e, pending)}
	f, err := in.Next(e, e.Now().Add(openTime))
	if err == nil {
		switch c := s.c.(type) {
		case *Cable:
			err = s.serial(u, c, f)
		case *Plug:
			err = s.usb(u, c, f)
		}
	}
	if err != nil && !errors.Is(err, env.ErrStopped) {
		conn.Write(e, devsock.Refusal(err).Append(nil), e.Now().Add(writeTime))
		return nil
	}
	return err
}

// A use is one program's use of a port.
type use struct {
	e    env.Env
	conn env.Conn
	in   *devsock.Reader
	out  *env.Inbox[devsock.Frame]
}

// run says hello, has carry run beside what obeys the program, and ends both.
func (s *Socket) run(u *use, hello devsock.Frame, close func() error,
	carry, obey func(tasks env.Env) error) error {
	u.out.Put(hello)
	tasks, scope := u.e.Scope("port " + s.path)
	tasks.Go("to the program", func(e env.Env) error { return toSocket(e, u.conn, u.out) })
	tasks.Go("from the device", carry)
	err := obey(tasks)
	close()
	u.conn.Close()
	scope.Stop()
	scope.Wait(u.e)
	return err
}

// serial serves a serial port.
func (s *Socket) serial(u *use, c *Cable, f devsock.Frame) error {
	if f.Kind == devsock.OpenUSB {
		return fmt.Errorf("%w: this is a serial port", transport.ErrNoPort)
	}
	mode, err := devsock.ParseOpen(f)
	if err != nil {
		return err
	}
	port, err := patient(u.e, func() (transport.Serial, error) { return c.OpenMode(u.e, mode) })
	if err != nil {
		return err
	}
	lined, _ := port.(*linedPort)
	hello := devsock.Frame{Kind: devsock.Open, Body: []byte{0}}
	if lined != nil {
		hello.Body[0] = 1
	}
	return s.run(u, hello, port.Close,
		func(e env.Env) error { return fromDevice(e, port, u.conn, u.out) },
		func(env.Env) error { return fromSocket(u.e, u.in, port, lined, u.out) })
}

// patient opens a port whose last program may have ended just now.
func patient[T any](e env.Env, open func() (T, error)) (T, error) {
	for until := e.Now().Add(releaseTime); ; {
		port, err := open()
		if !errors.Is(err, transport.ErrBusy) || e.Now() >= until {
			return port, err
		}
		if err := e.Sleep(releaseStep); err != nil {
			return port, err
		}
	}
}

// toSocket writes what waits for the program.
func toSocket(e env.Env, conn env.Conn, out *env.Inbox[devsock.Frame]) error {
	for {
		f, err := out.Get(e, env.Never)
		if err != nil {
			return err
		}
		if _, err := conn.Write(e, f.Append(nil), e.Now().Add(writeTime)); err != nil {
			conn.Close()
			return nil
		}
	}
}

// fromDevice passes on what the device says, and hangs up when the cable is pulled.
func fromDevice(e env.Env, port transport.Serial, conn env.Conn,
	out *env.Inbox[devsock.Frame]) error {
	for {
		b := make([]byte, devsock.MaxBody)
		n, err := port.Read(e, b, env.Never)
		if err != nil {
			conn.Close()
			return nil
		}
		out.Put(devsock.Frame{Kind: devsock.Data, Body: b[:n]}) // what does not fit is lost
	}
}

// fromSocket obeys the program until it hangs up.
func fromSocket(e env.Env, in *devsock.Reader, port transport.Serial, lined *linedPort,
	out *env.Inbox[devsock.Frame]) error {
	for {
		f, err := in.Next(e, env.Never)
		if err != nil {
			if errors.Is(err, env.ErrStopped) {
				return err
			}
			return nil // it hung up, or the cable was pulled
		}
		if f.Kind == devsock.Data {
			if _, err := port.Write(e, f.Body); err != nil {
				return nil
			}
			continue
		}
		if err := obey(e, f, lined); err != nil {
			return nil
		}
		now, err := lined.Lines(e)
		if err != nil {
			return nil
		}
		out.Put(devsock.Frame{Kind: devsock.State, Body: []byte{f.Body[0], devsock.Bits(now)}})
	}
}

// obey does to the modem lines what a frame asks for.
func obey(e env.Env, f devsock.Frame, p *linedPort) error {
	want := map[byte]int{devsock.Query: 1, devsock.Set: 2, devsock.Break: 2}[f.Kind]
	if want == 0 || len(f.Body) != want || p == nil {
		return fmt.Errorf("frame %q %q: not understood", f.Kind, f.Body)
	}
	switch f.Kind {
	case devsock.Set:
		o := devsock.ParseBits(f.Body[1])
		return p.SetLines(e, o.DTR, o.RTS)
	case devsock.Break:
		return p.setBreak(f.Body[1] == 1)
	}
	return nil
}

// Listen opens a unix socket, in the place of one whose program has died.
func Listen(e env.Env, path string) (env.Listener, error) {
	l, err := e.Net().Listen(e, "unix", path)
	if err == nil {
		return l, nil
	}
	if errors.Is(err, env.ErrAddrInUse) {
		var c env.Conn
		if c, err = e.Net().Dial(e, "unix", path, e.Now().Add(time.Minute)); err == nil {
			c.Close()
			return nil, fmt.Errorf("%s: another upsim serves here", path)
		}
		if errors.Is(err, env.ErrRefused) {
			if err = e.Host().Remove(path); err == nil {
				l, err = e.Net().Listen(e, "unix", path)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}
