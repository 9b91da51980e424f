package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// stamp writes an instant as people read it: +00:12:04.250 since the start.
func stamp(t env.Instant) string {
	sign, d := '+', time.Duration(t)
	if d < 0 {
		sign, d = '-', -max(d, -time.Duration(env.Never))
	}
	ms := d.Milliseconds()
	return fmt.Sprintf("%c%02d:%02d:%02d.%03d", sign, ms/3600000, ms/60000%60, ms/1000%60, ms%1000)
}

// span writes a duration no finer than milliseconds.
func span(d time.Duration) string { return d.Round(time.Millisecond).String() }

// seconds writes a difference as +0.120s.
func seconds(d time.Duration) string {
	sign := '+'
	if d < 0 {
		sign, d = '-', -max(d, -time.Duration(env.Never))
	}
	ms := d.Milliseconds()
	return fmt.Sprintf("%c%d.%03ds", sign, ms/1000, ms%1000)
}

// has reports whether a status contains a word. It allocates nothing: it is asked all the time.
func has(status, word string) bool {
	for w := range strings.FieldsSeq(status) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}

// onBattery reports that of the words OL and OB the last one is OB. A sane status has one of them.
func onBattery(status string) bool {
	battery := false
	for w := range strings.FieldsSeq(status) {
		switch {
		case strings.EqualFold(w, "OB"):
			battery = true
		case strings.EqualFold(w, "OL"):
			battery = false
		}
	}
	return battery
}

// baseName is the UPS that a MONITOR line names, without server and port.
func baseName(as string) string {
	name, _, _ := strings.Cut(as, "@")
	return name
}

// list writes a, b and c.
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return "nobody"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// plural writes 1 supply, 2 supplies.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
