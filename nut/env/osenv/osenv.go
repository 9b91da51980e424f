// Package osenv is the real machine behind env.Env: the clock, goroutines, sockets, files,
// processes and signals of the system it runs on.
//
// A main is one line:
//
//	func main() { os.Exit(osenv.Run("upsd", upsd.Main)) }
//
// # Rehearsals
//
// For rehearsals with real processes the clock can run faster. The variable
//
//	BLACKSTART_REHEARSAL=scale=20,epoch=1700000000000000000
//
// makes a second of the program's time last 1/20 of a real one; epoch (Unix nanoseconds) is the
// common origin of the clocks of all processes that rehearse together. It is a rehearsal tool:
// drivers refuse to open a real device port under it (see transport/serial). BLACKSTART_HOST names
// the machine in events and BLACKSTART_EVENTS the sink for them (see env.Event).
package osenv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Variables of the environment that this package reads. BinDir is set for the program itself: the
// folder its executable is in.
const (
	RehearsalVar = "BLACKSTART_REHEARSAL"
	EventsVar    = "BLACKSTART_EVENTS"
	HostVar      = "BLACKSTART_HOST"
	BinDirVar    = "BLACKSTART_BINDIR"
	detachVar    = "BLACKSTART_DETACHED"
	logVar       = "NUT_DEBUG_SYSLOG"
)

// Clock maps this machine's time to the program's.
type Clock struct {
	Scale int64     // program seconds per real second; 1 outside rehearsals
	Epoch time.Time // the origin: Instant 0
}

// ParseClock reads the value of BLACKSTART_REHEARSAL; an empty value is real time from now on.
func ParseClock(v string) (Clock, error) {
	c := Clock{Scale: 1, Epoch: time.Now()}
	if v == "" {
		return c, nil
	}
	for _, kv := range strings.Split(v, ",") {
		key, val, _ := strings.Cut(kv, "=")
		n, err := strconv.ParseInt(val, 10, 64)
		switch {
		case err == nil && key == "scale" && n >= 1 && n <= 1000:
			c.Scale = n
		case err == nil && key == "epoch" && n > 0:
			// Keep the monotonic reading: the age of the epoch is measured once, by calendar.
			now := time.Now()
			c.Epoch = now.Add(-now.Sub(time.Unix(0, n)))
		default:
			return c, fmt.Errorf("%s: %q: want scale=1..1000 and epoch=<Unix nanoseconds>, separated by a comma",
				RehearsalVar, kv)
		}
	}
	return c, nil
}

// String is the value of BLACKSTART_REHEARSAL that gives another process this clock.
func (c Clock) String() string {
	return fmt.Sprintf("scale=%d,epoch=%d", c.Scale, c.Epoch.UnixNano())
}

// Now is the program's time.
func (c Clock) Now() env.Instant {
	return env.Instant(int64(time.Since(c.Epoch)) * c.Scale)
}

// Real is the real duration of d of program time.
func (c Clock) Real(d time.Duration) time.Duration { return d / time.Duration(c.Scale) }

// deadline is the real point in time of an Instant, for the system's own deadlines. The zero
// time means none.
func (c Clock) deadline(until env.Instant) time.Time {
	if until == env.Never {
		return time.Time{}
	}
	return time.Now().Add(c.Real(until.Sub(c.Now())))
}

// process is what all tasks of this process share.
type process struct {
	clock Clock
	prog  string
	host  string
	log   *slog.Logger
	sink  *sink
	sys   *host
	turns atomic.Int64 // see giveWay
	crowd crowd
	dated bool // its events say the time of the calendar
}

// machine is an env.Env: the process, and the scope of one task.
type machine struct {
	*process
	ctx   context.Context
	stop  context.CancelFunc
	tasks *sync.WaitGroup
	rng   *rand.Rand
}

// Options say how New sets up a machine.
type Options struct {
	Prog  string          // program name, for logs and events
	Clock *Clock          // nil: from the environment
	Emit  func(env.Event) // nil: to the sink named in the environment
	Log   slog.Handler    // nil: plain lines on standard error
	Extra []string        // KEY=value pairs that Getenv sees before the environment
	Host  string          // "": BLACKSTART_HOST, else the system's host name
	Out   *os.File        // what the commands it runs print to; nil: this process's own output
}

// New returns this machine.
func New(o Options) (env.Env, error) {
	p := &process{prog: o.Prog, host: o.Host}
	if o.Clock != nil {
		p.clock = *o.Clock
	} else {
		c, err := ParseClock(os.Getenv(RehearsalVar))
		if err != nil {
			return nil, err
		}
		p.clock = c
	}
	if p.host == "" {
		p.host = os.Getenv(HostVar)
	}
	if p.host == "" {
		p.host, _ = os.Hostname()
	}
	h := o.Log
	if h == nil {
		h = newLineHandler(o.Prog)
	}
	p.log = slog.New(h)
	var err error
	if o.Emit != nil {
		p.sink = &sink{emit: o.Emit}
	} else if p.sink, err = openSink(os.Getenv(EventsVar)); err != nil {
		return nil, err
	}
	p.dated = o.Emit == nil && os.Getenv(RehearsalVar) == ""
	m := &machine{process: p, tasks: new(sync.WaitGroup), rng: newRand()}
	m.ctx, m.stop = context.WithCancel(context.Background())
	p.sys = &host{process: p, extra: o.Extra, out: os.Stdout, errOut: os.Stderr}
	if o.Out != nil {
		p.sys.out, p.sys.errOut = o.Out, o.Out
	}
	return m, nil
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }

// gcPercent trades a little time for memory: daemons on small machines hold little and make little
// garbage.
const gcPercent = 40

// Run is the body of a main: it makes this machine, runs the program with the process's arguments
// and returns its exit code.
func Run(prog string, m env.Main) int {
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			os.Setenv(BinDirVar, filepath.Dir(exe))
		}
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	e, err := New(Options{Prog: prog})
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", prog, err)
		return 1
	}
	if err := e.(*machine).sys.recognise(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", prog, err)
		return 1
	}
	return m(e, os.Args[1:])
}

func (m *machine) Now() env.Instant { return m.clock.Now() }

// Wall follows the calendar, and in a rehearsal runs as fast as Now.
func (m *machine) Wall() time.Time {
	if m.clock.Scale == 1 {
		return time.Now()
	}
	return m.clock.Epoch.Add(time.Duration(m.clock.Now()))
}

func (m *machine) Sleep(d time.Duration) error {
	t := time.NewTimer(m.clock.Real(d))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-m.ctx.Done():
		return env.ErrStopped
	}
}

func (m *machine) Go(name string, f func(env.Env) error) {
	child := &machine{process: m.process, ctx: m.ctx, stop: m.stop, tasks: m.tasks, rng: newRand()}
	m.tasks.Add(1)
	go func() {
		defer m.tasks.Done()
		if err := f(child); err != nil && !errors.Is(err, env.ErrStopped) {
			m.log.Error(fmt.Sprintf("%s: %v", name, err))
		}
	}()
}

func (m *machine) Scope(string) (env.Env, env.Scope) {
	child := &machine{process: m.process, tasks: new(sync.WaitGroup), rng: newRand()}
	child.ctx, child.stop = context.WithCancel(m.ctx)
	return child, scope{child}
}

type scope struct{ m *machine }

func (s scope) Stop()          { s.m.stop() }
func (s scope) Wait(_ env.Env) { s.m.tasks.Wait() }

func (m *machine) Waiter() env.Waiter { return make(waiter, 1) }
func (m *machine) Rand() *rand.Rand   { return m.rng }
func (m *machine) Net() env.Net       { return network{m.process} }
func (m *machine) Host() env.Host     { return m.sys }
func (m *machine) Log() *slog.Logger  { return m.log }

func (m *machine) Emit(ev env.Event) {
	if m.sink == nil {
		return
	}
	ev.T, ev.Host, ev.Prog = m.Now(), m.host, m.prog
	if m.dated {
		ev.Wall = m.Wall().UTC().Format(time.RFC3339Nano)
	}
	m.sink.put(ev)
}

// waiter is a parking place: a channel that keeps one wake.
type waiter chan struct{}

func (w waiter) Wake() {
	select {
	case w <- struct{}{}:
	default:
	}
}

func (w waiter) Wait(e env.Env, until env.Instant) error {
	m := e.(*machine)
	var expired <-chan time.Time
	if until != env.Never {
		t := time.NewTimer(m.clock.Real(until.Sub(m.Now())))
		defer t.Stop()
		expired = t.C
	}
	select {
	case <-w:
		return nil
	case <-expired:
		return env.ErrTimeout
	case <-m.ctx.Done():
		return env.ErrStopped
	}
}
