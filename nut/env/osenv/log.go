package osenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"log/syslog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// lineHandler writes each record as one plain line: what NUT's tools print, so that people's
// habits and scripts keep working. After a daemon has gone to the background, lines go to syslog.
type lineHandler struct {
	prog  string
	attrs string
	out   *output
}

type output struct {
	mu  sync.Mutex // guards the writers below
	w   io.Writer
	sys *syslog.Writer

	least atomic.Int64 // the level below which lines are left out
}

func newLineHandler(prog string) *lineHandler {
	return &lineHandler{prog: prog, out: &output{w: os.Stderr}}
}

// toSyslog sends further lines to the system's log; without one they stay where they are.
func (h *lineHandler) toSyslog() {
	w, err := syslog.New(syslog.LOG_DAEMON|syslog.LOG_NOTICE, h.prog)
	if err != nil {
		return
	}
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	h.out.sys = w
}

func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool {
	return l >= max(slog.LevelInfo, slog.Level(h.out.least.Load()))
}

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
		return true
	})
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	if h.out.sys == nil {
		_, err := io.WriteString(h.out.w, b.String()+"\n")
		return err
	}
	switch {
	case r.Level >= slog.LevelError:
		return h.out.sys.Err(b.String())
	case r.Level >= slog.LevelWarn:
		return h.out.sys.Warning(b.String())
	}
	return h.out.sys.Notice(b.String())
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	for _, a := range attrs {
		c.attrs += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	return &c
}

func (h *lineHandler) WithGroup(string) slog.Handler { return h }

// sink takes the events of this process. A sink that fails loses events, never the program.
type sink struct {
	emit func(env.Event)
	mu   sync.Mutex // guards the writer: one event, one write
	w    sinkWriter
	deaf bool // nobody took the last event
}

// sinkWriter is a socket or a file.
type sinkWriter interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}

// How long, in real time, a sink may take for an event: one that is read, and one that nobody read
// the last time, for which the program must not wait again and again.
const (
	sinkPatience = 100 * time.Millisecond
	deafPatience = time.Millisecond
)

// openSink opens what BLACKSTART_EVENTS names; nil, nil when it names nothing.
func openSink(name string) (*sink, error) {
	if name == "" {
		return nil, nil
	}
	if path, ok := strings.CutPrefix(name, "unixgram:"); ok {
		c, err := net.Dial("unixgram", path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", EventsVar, err)
		}
		return &sink{w: c}, nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EventsVar, err)
	}
	return &sink{w: f}, nil
}

func (s *sink) put(ev env.Event) {
	if s.emit != nil {
		s.emit(ev)
		return
	}
	b, err := json.Marshal(ev)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	patience := sinkPatience
	if s.deaf {
		patience = deafPatience
	}
	s.w.SetWriteDeadline(time.Now().Add(patience)) // an ordinary file has none and needs none
	_, err = s.w.Write(append(b, '\n'))
	s.deaf = errors.Is(err, os.ErrDeadlineExceeded)
}
