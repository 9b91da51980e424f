package driver

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// Limits of the socket.
const (
	maxConns  = 1024    // upsd, a second one, tools, sibling drivers; more is somebody's loop
	maxUnsent = 1 << 20 // bytes that wait for a client: some twenty dumps of the largest device
	// writeTime is how long one write may take before the client is given up.
	writeTime = 30 * time.Second
	readSize  = 4096
)

// A conn is one client of the socket.
type conn struct {
	c       env.Conn
	listens bool // wants broadcasts; guarded by the hub

	wake env.Waiter

	mu     sync.Mutex // guards what follows; never held across a call that takes an Env
	unsent []byte
	last   bool   // nothing more is taken, and after the last byte the connection is closed
	then   func() // to be called after the last byte
}

// send queues bytes. It never waits: a client for which too much waits is cut off.
func (c *conn) send(b []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.last:
		return
	case len(c.unsent)+len(b) > maxUnsent:
		c.unsent, c.last = nil, true
	default:
		c.unsent = append(c.unsent, b...)
	}
	c.wake.Wake()
}

// finish closes the connection once everything is sent, and then calls then, if any.
func (c *conn) finish(then func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = true
	if then != nil {
		c.then = then
	}
	c.wake.Wake()
}

// take returns what is to be sent next; last says that the connection ends after it.
func (c *conn) take() (b []byte, last bool, then func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, c.unsent = c.unsent, nil
	return b, c.last, c.then
}

// write is the task that sends.
func (c *conn) write(e env.Env) error {
	for {
		b, last, then := c.take()
		if len(b) > 0 {
			if _, err := c.c.Write(e, b, e.Now().Add(writeTime)); err != nil {
				c.c.Close()
				return nil // the reader ends too
			}
			continue
		}
		if last {
			c.c.Close()
			if then != nil {
				then()
			}
			return nil
		}
		if err := c.wake.Wait(e, env.Never); err != nil {
			c.c.Close()
			return err
		}
	}
}

// A server is the driver's socket.
type server struct {
	ups string
	pid int
	hub *hub
	l   env.Listener
	// enqueue hands a SET or INSTCMD to the device task; false when too many wait for it.
	enqueue func(request) bool
	exit    func() // ends the program
}

// A request is a SET or INSTCMD for the device task.
type request struct {
	sockproto.Request
	conn *conn
}

// internal is a command that nobody on the socket asked for.
func internal(name string) request {
	return request{Request: sockproto.Request{Verb: sockproto.InstCmdVerb, Name: name}}
}

// A socket is a Listener that knows its file from one that took its name.
type socket struct {
	env.Listener
	node uint64
}

// listen makes the socket, over the remains of one whose driver is gone. group may be empty.
func listen(e env.Env, path, group string) (*socket, error) {
	if err := e.Host().Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: cannot remove the old socket: %w", path, err)
	}
	l, err := e.Net().Listen(e, "unix", path)
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("%w (the account of the driver must be able to write to its folder)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	err = e.Host().Chmod(path, 0o660)
	if err == nil && group != "" {
		err = e.Host().Chgrp(path, group)
	}
	info, statErr := e.Host().Stat(path)
	if err = errors.Join(err, statErr); err != nil {
		l.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &socket{l, info.Node}, nil
}

// serve accepts clients until the task is stopped.
func (s *server) serve(e env.Env) error {
	return env.Serve(e, s.l, "client", func(e env.Env, nc env.Conn) error {
		c := &conn{c: nc, listens: true, wake: e.Waiter()}
		if !s.hub.add(c) {
			nc.Close()
			return nil
		}
		return s.follow(e, c)
	})
}

// follow serves one client to its end.
func (s *server) follow(e env.Env, c *conn) error {
	e.Go("client's writer", c.write)
	err := s.read(e, c)
	s.hub.remove(c)
	c.finish(nil)
	if errors.Is(err, env.ErrStopped) {
		return err
	}
	return nil // clients come and go
}

// maxGrumbles is how many bad lines of one client are logged.
const maxGrumbles = 5

// read obeys the client's lines until it leaves.
func (s *server) read(e env.Env, c *conn) error {
	var p line.Parser
	buf := make([]byte, readSize)
	grumbles, over := 0, false
	for !over {
		n, err := c.c.Read(e, buf, env.Never)
		if err != nil {
			return err
		}
		p.Feed(buf[:n], func(words []string, err error) {
			if over || err == nil && len(words) == 0 {
				return
			}
			if err == nil {
				over, err = s.obey(c, words)
			}
			if err == nil {
				return
			}
			if grumbles++; grumbles <= maxGrumbles {
				e.Log().Warn(fmt.Sprintf("%s: socket: %v", s.ups, err))
			}
		})
	}
	return nil
}

// obey answers one line; over means that the client has taken its leave.
func (s *server) obey(c *conn, words []string) (over bool, err error) {
	r, err := sockproto.ParseRequest(words)
	if err != nil {
		return false, err
	}
	switch r.Verb {
	case sockproto.DumpAllVerb:
		s.hub.answer(c, sockproto.Dump)
	case sockproto.DumpValueVerb:
		s.dumpValue(c, r.Name)
	case sockproto.DumpStatusVerb:
		s.dumpValue(c, "ups.status")
	case sockproto.PingVerb:
		c.send([]byte(sockproto.Pong))
	case sockproto.GetPIDVerb:
		c.send([]byte(sockproto.PID(s.pid)))
	case sockproto.NoBroadcastVerb:
		s.hub.listen(c, false)
	case sockproto.BroadcastVerb:
		s.hub.listen(c, true)
	case sockproto.LogoutVerb:
		c.send([]byte(sockproto.Goodbye))
		return true, nil
	case sockproto.SetVerb, sockproto.InstCmdVerb:
		return s.act(c, r), nil
	}
	return false, nil
}

func (s *server) dumpValue(c *conn, name string) {
	s.hub.answer(c, func(dev *state.Device, fresh bool) []byte {
		return sockproto.DumpValue(dev, name, fresh)
	})
}

// act passes a SET or INSTCMD on to the device task. driver.exit is obeyed here: it must work
// when the device task hangs in a port that does not return.
func (s *server) act(c *conn, r sockproto.Request) (over bool) {
	switch {
	case r.Verb == sockproto.InstCmdVerb && r.Name == "driver.exit":
		c.result(r.ID, sockproto.Handled)
		c.finish(s.exit)
		return true
	case !s.enqueue(request{r, c}):
		c.result(r.ID, sockproto.Failed)
	}
	return false
}

// result reports the outcome of a request that asked for it. A signal asks for none and has no
// conn.
func (c *conn) result(id string, code sockproto.Code) {
	if c != nil && id != "" {
		c.send([]byte(sockproto.Result(id, code)))
	}
}
