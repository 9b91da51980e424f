package upsmon

import (
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// failLog decides which failed polls are worth a line: POLLFAIL_LOG_THROTTLE_MAX is -1 for each, 0
// for changes only, n for changes and each n-th of the same.
type failLog struct {
	code  int // of the last failure; 0 after a good poll
	count int // failures with this code
}

// unnumbered stands for errors that NUT's library has no number for.
const unnumbered = 99

// bad takes note of a failed poll and returns what to log.
func (l *failLog) bad(w *watcher, connecting bool, err error) []string {
	code := client.Number(err)
	if code == 0 {
		code = unnumbered
	}
	was := l.code
	if code != was {
		l.code, l.count = code, 0
	}
	l.count++
	text := []string{reason(w, connecting, err)}
	switch limit := w.throttle; {
	case limit < 0:
		return text
	case code != was && was != 0:
		return append([]string{fmt.Sprintf("Poll UPS [%s] failure state code changed from %d to %d; "+
			"repetitions of what follows may be left out", w.line.System, was, code)}, text...)
	case code != was, limit > 0 && l.count%limit == 0:
		return text
	}
	return nil
}

// good takes note of a good poll and returns what to log, if anything.
func (l *failLog) good(system string, limit int) string {
	was := l.code
	l.code, l.count = 0, 0
	if was == 0 || limit < 0 {
		return ""
	}
	return fmt.Sprintf("Poll UPS [%s] recovered from failure state code %d - now 0", system, was)
}

// reason is the line about one failed poll.
func reason(w *watcher, connecting bool, err error) string {
	switch {
	case connecting:
		return fmt.Sprintf("UPS [%s]: connect failed: %v", w.line.System, err)
	case errors.Is(err, netproto.UnknownUPS):
		return fmt.Sprintf("Poll UPS [%s] failed - [%s] does not exist on server %s",
			w.line.System, w.ups, w.host)
	case errors.Is(err, netproto.UnknownCommand):
		return fmt.Sprintf("UPS [%s]: Too old to monitor", w.line.System)
	}
	return fmt.Sprintf("Poll UPS [%s] failed - %v", w.line.System, err)
}
