package upsd

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

const (
	dialTimeout = 2 * time.Second // a local socket answers at once or not at all
	redial      = time.Second     // DS-L5: tried again within 2 s
	nagEvery    = 5 * time.Minute // between two lines that say that a driver is not there (DS-L5)

	// maxQueued is how many lines may wait for a driver that does not read; clients then get
	// SET-FAILED or INSTCMD-FAILED.
	maxQueued = 64
	// driverWrite is how long a driver may take to read a line before it is given up and redialed.
	driverWrite = 10 * time.Second
	// maxGrumbles is how many lines are logged about the mistakes of one peer.
	maxGrumbles = 10
	driverRead  = 4096
)

// A link is one connection to a driver.
type link struct {
	conn env.Conn
	out  *env.Inbox[string] // lines for the driver, each with its LF
}

// keep holds the connection to a UPS's driver until the task is stopped.
func (s *server) keep(u *ups) func(env.Env) error {
	return func(e env.Env) error {
		for {
			s.mu.Lock()
			path := s.set.statePath + "/" + u.file()
			s.mu.Unlock()
			conn, err := e.Net().Dial(e, "unix", path, e.Now().Add(dialTimeout))
			if errors.Is(err, env.ErrStopped) {
				return err
			}
			if err == nil {
				err = s.converse(e, u, conn)
			} else {
				s.unreachable(e, u, err)
			}
			if errors.Is(err, env.ErrStopped) {
				return err
			}
			if err := e.Sleep(redial); err != nil {
				return err
			}
		}
	}
}

func (s *server) unreachable(e env.Env, u *ups, err error) {
	now := e.Now()
	s.do(e, func() {
		s.settle(u)
		if u.nagged && now.Sub(u.lastNag) < nagEvery {
			return
		}
		u.nagged, u.lastNag = true, now
		s.log(slog.LevelError, "Can't connect to UPS [%s] (%s): %s", u.name, u.file(), reason(err))
	})
}

// converse follows one connection to its end.
func (s *server) converse(e env.Env, u *ups, conn env.Conn) error {
	l := &link{conn: conn, out: env.NewInbox[string](e, maxQueued)}
	l.out.Put(sockproto.DumpAll)
	now := e.Now()
	s.do(e, func() {
		u.connected(l, now)
		s.log(slog.LevelInfo, "Connected to UPS [%s]: %s", u.name, u.file())
		s.observe(u)
	})
	we, writer := e.Scope("writer")
	we.Go("writer of "+u.name, l.write)
	err := s.follow(e, u, l)
	s.do(e, func() {
		u.lost()
		s.settle(u)
		if !errors.Is(err, env.ErrStopped) {
			s.log(slog.LevelWarn, "Lost connection to UPS [%s]: %s", u.name, reason(err))
		}
		s.observe(u)
	})
	writer.Stop()
	conn.Close()
	writer.Wait(e)
	return err
}

// write sends what is queued. When the driver does not take it the connection is closed, which ends
// follow as well.
func (l *link) write(e env.Env) error {
	for {
		text, err := l.out.Get(e, env.Never)
		if err != nil {
			return err
		}
		if _, err := l.conn.Write(e, []byte(text), e.Now().Add(driverWrite)); err != nil {
			l.conn.Close()
			return nil // the reader says why
		}
	}
}

// follow reads what the driver says and judges its silence. It returns why the connection ended.
func (s *server) follow(e env.Env, u *ups, l *link) error {
	var p line.Parser
	buf := make([]byte, driverRead)
	for {
		now := e.Now()
		s.mu.Lock()
		next, ping := u.tick(now, s.set.maxAge)
		next = min(next, s.expire(u, now))
		s.observe(u)
		s.mu.Unlock()
		s.tell(e)
		if ping {
			l.out.Put(sockproto.Ping)
		}
		n, err := l.conn.Read(e, buf, next)
		if errors.Is(err, env.ErrTimeout) {
			continue
		}
		if err != nil {
			return err
		}
		now = e.Now()
		s.mu.Lock()
		p.Feed(buf[:n], func(words []string, err error) { s.hear(u, words, err, now) })
		s.mu.Unlock()
	}
}

// hear follows one line of a driver. The caller holds the lock.
func (s *server) hear(u *ups, words []string, err error, now env.Instant) {
	if err != nil {
		s.grumble(u, "Parse error on sock: UPS [%s]: %v", u.name, err)
		return
	}
	if len(words) == 0 {
		return
	}
	verb, err := sockproto.Apply(u.dev, words)
	if err != nil {
		s.grumble(u, "UPS [%s]: %v", u.name, err)
	}
	if verb == "" {
		return // not of this protocol, and no sign of life (DS-12)
	}
	u.heard = now
	switch verb {
	case sockproto.DumpDoneVerb:
		u.dumped = true
		s.settle(u)
	case sockproto.DataOKVerb:
		u.dataOK = true
	case sockproto.DataStaleVerb:
		u.dataOK = false
	case sockproto.TrackingVerb:
		if id, code, err := sockproto.ParseResult(words); err == nil {
			s.result(id, code)
		}
	}
}

// grumble logs a bad line of a driver, the first few times.
func (s *server) grumble(u *ups, format string, args ...any) {
	if u.grumbles++; u.grumbles > maxGrumbles {
		return
	}
	s.log(slog.LevelWarn, format, args...)
	if u.grumbles == maxGrumbles {
		s.log(slog.LevelWarn, "UPS [%s]: further bad lines are not logged", u.name)
	}
}

// reason is an error in the words that NUT's users know.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	case errors.Is(err, io.EOF):
		return "the driver closed it"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return strings.TrimSpace(path.Err.Error())
	}
	return err.Error()
}
