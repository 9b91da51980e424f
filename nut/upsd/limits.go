package upsd

import (
	"log/slog"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// spareDescriptors are left for files, logs and the runtime when MAXCONN is not given.
const spareDescriptors = 32

// maxConn is how many connections and listeners there may be: what upsd.conf wants, or what the
// system's limit on descriptors leaves (NP-M1). More than the system gives is refused at the start,
// not found out in the night when everybody connects.
func maxConn(e env.Env, want int) (int, error) {
	limit := e.Host().Descriptors()
	switch {
	case want == 0:
		return max(1, limit-spareDescriptors), nil
	case want == config.NoConn:
		return 0, complaintf(noConn, 0, limit)
	case want > limit:
		return 0, complaintf(tooManyConn, limit, want, limit)
	}
	return want, nil
}

// Lines about the mistakes of clients: how many in a period, whoever makes them. What one client
// may cause is bounded by maxGrumbles; this bounds what many can, or one that comes again and
// again.
const (
	mistakesLogged = 60
	mistakesPeriod = time.Minute
)

// A throttle lets through a number of log lines in each period.
type throttle struct {
	end     env.Instant // of the period
	said    int
	skipped int
}

// blame logs a mistake of a client, unless too many were logged of late. The caller holds the lock.
func (s *server) blame(now env.Instant, level slog.Level, format string, args ...any) {
	t := &s.blamed
	if now >= t.end {
		if t.skipped > 0 {
			s.log(slog.LevelInfo, "%d more lines about clients' mistakes were left out", t.skipped)
		}
		*t = throttle{end: now.Add(mistakesPeriod)}
	}
	if t.said++; t.said > mistakesLogged {
		t.skipped++
		return
	}
	s.log(level, format, args...)
}
