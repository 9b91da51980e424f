package usb

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// A muffler is where gousb's own messages go: to the program's log, one a minute. In trouble gousb
// repeats itself without a pause.
type muffler struct {
	log *slog.Logger

	mu   sync.Mutex // guards last
	last time.Time
}

// Write takes one message.
func (m *muffler) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); m.last.IsZero() || now.Sub(m.last) >= time.Minute {
		m.last = now
		m.log.Warn("USB library: " + strings.TrimSpace(string(p)))
	}
	return len(p), nil
}
