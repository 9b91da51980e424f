package upsd

import (
	"container/list"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// settings are the values of upsd.conf that matter after the start.
type settings struct {
	maxAge    time.Duration
	tracking  time.Duration
	fsdLease  time.Duration // 0: FSD has no end
	maxConn   int
	statePath string
	debug     int
}

// A server is the tables that sessions, links and the main task share.
type server struct {
	debugFlag int        // from -D and the environment; settings.debug may raise it
	debugTag  string     // who says it: see there
	quiet     int        // -q: how many levels of log lines to leave out
	listeners int        // counted in MAXCONN; fixed once sessions start
	teller    env.Waiter // of the task that tells notes; nil before it begins and when it has ended

	mu       sync.Mutex // guards what follows; never held across a call that takes an Env
	set      settings
	users    *config.Users
	tls      *tls.Config     // nil: STARTTLS is not configured
	order    []*ups          // as LIST UPS shows them
	byName   map[string]*ups // by name in lower case
	sessions list.List       // of *session, newest first
	tracked  tracker
	guesses  guesses
	blamed   throttle
	texts    texts
	notes    []note
	ready    *env.Inbox[string] // names of UPSes as they settle, for start-up
}

// A note is a log line or an event that waits to be told.
type note struct {
	level slog.Level
	text  string
	event env.Event
}

func newServer() *server {
	return &server{byName: make(map[string]*ups), users: &config.Users{}}
}

// find returns the UPS of that name in any letter case.
func (s *server) find(name string) *ups { return s.byName[strings.ToLower(name)] }

// maxNotes is how many lines may wait when whoever keeps the log takes none; more are lost.
const maxNotes = 10000

// log notes a line for people. The caller holds the lock.
func (s *server) log(level slog.Level, format string, args ...any) {
	s.note(note{level: level, text: fmt.Sprintf(format, args...)})
}

func (s *server) note(n note) {
	if len(s.notes) < maxNotes {
		s.notes = append(s.notes, n)
	}
}

// event notes a fact for machines. The caller holds the lock.
func (s *server) event(ev env.Event) { s.note(note{event: ev}) }

// debugf notes a line that only -D makes visible. The caller holds the lock.
func (s *server) debugf(level int, format string, args ...any) {
	if s.debugs(level) {
		s.log(slog.LevelInfo, "[D%d%s] "+format, append([]any{level, s.debugTag}, args...)...)
	}
}

// debugTag is what the environment wants in debug lines besides their level: the program's name,
// its process.
func debugTag(e env.Env) string {
	tag := ""
	if e.Host().Getenv("NUT_DEBUG_PROCNAME") != "" {
		tag += ":" + program
	}
	if e.Host().Getenv("NUT_DEBUG_PID") != "" {
		tag += ":" + strconv.Itoa(e.Host().Pid())
	}
	return tag
}

// quietStart reports whether the environment does not want to read one of the start's lines.
func quietStart(e env.Env, what string) bool {
	on, _ := service.Truth(e.Host().Getenv("NUT_QUIET_INIT_" + what))
	return on
}

// debugs reports whether lines of a level are wanted. The caller holds the lock.
func (s *server) debugs(level int) bool { return max(s.debugFlag, s.set.debug) >= level }

// tell has all notes said aloud, in order. The teller does it, once there is one: whoever keeps the
// log may be stuck, and neither clients nor the data of a UPS wait for that.
func (s *server) tell(e env.Env) {
	if s.teller != nil {
		s.teller.Wake()
		return
	}
	s.tellAll(e)
}

// tellOn is the teller.
func (s *server) tellOn(e env.Env) error {
	for {
		s.tellAll(e)
		if err := s.teller.Wait(e, env.Never); err != nil {
			return err
		}
	}
}

func (s *server) tellAll(e env.Env) {
	s.mu.Lock()
	for len(s.notes) > 0 {
		batch := s.notes
		s.notes = nil
		s.mu.Unlock()
		for _, n := range batch {
			s.say(e, n)
		}
		s.mu.Lock()
	}
	s.mu.Unlock()
}

// quietest are the levels that -q leaves: each one given takes away the next.
var quietest = []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError}

func (s *server) say(e env.Env, n note) {
	if n.event.Kind != "" {
		e.Emit(n.event)
		return
	}
	if n.level >= quietest[min(s.quiet, len(quietest)-1)] {
		e.Log().Log(context.Background(), n.level, n.text)
	}
}

// do runs f under the lock and tells what it noted.
func (s *server) do(e env.Env, f func()) {
	s.mu.Lock()
	f()
	s.mu.Unlock()
	s.tell(e)
}

// connections is how many connections and listeners there are, for MAXCONN.
func (s *server) connections() int { return s.listeners + len(s.order) + s.sessions.Len() }

// observe notes what changed in how a UPS is served. The caller holds the lock.
func (s *server) observe(u *ups) {
	s.observeData(u)
	if st := u.status(); st != "" && st != u.served {
		u.served = st
		s.event(env.Event{Kind: env.Served, UPS: u.name, Value: st})
	}
}

// Values of the data event.
const (
	dataLost      = "lost"
	dataConnected = "connected"
	dataFresh     = "fresh"
	dataStale     = "stale"
)

func (s *server) observeData(u *ups) {
	now, why := u.data()
	before := u.told
	if now == before || now == dataLost && before == "" {
		return
	}
	u.told = now
	s.event(env.Event{Kind: env.Data, UPS: u.name, Value: now, Why: why})
	switch {
	case now == dataStale:
		s.log(slog.LevelWarn, "Data for UPS [%s] is stale - check driver", u.name)
	case now == dataFresh && before == dataStale:
		s.log(slog.LevelInfo, "UPS [%s] data is no longer stale", u.name)
	}
}

// data is what upsd can say about the data of a UPS, and why.
func (u *ups) data() (value, why string) {
	switch {
	case u.link == nil:
		return dataLost, "no connection to the driver"
	case u.stale && u.dumped && !u.dataOK:
		return dataStale, "the driver says so"
	case u.stale:
		return dataStale, "the driver is silent"
	case !u.dumped:
		return dataConnected, ""
	}
	return dataFresh, ""
}

// settle tells start-up that this UPS is connected and known, or that it is not to be had now. The
// caller holds the lock.
func (s *server) settle(u *ups) {
	if !u.settled {
		u.settled = true
		s.ready.Put(u.name)
	}
}
