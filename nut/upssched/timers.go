package upssched

import (
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A notice is one notification of upsmon.
type notice struct{ kind, ups, text string }

// A timer is what CMDSCRIPT will be called with, and when.
type timer struct {
	name   string
	at     env.Instant
	epoch  int64         // at, as seconds of the calendar: for people
	offset time.Duration // what was asked for
	about  []notice      // more than one when it is shared
}

// timers are all that run, in the order in which they were started. They know no clock.
type timers struct{ list []timer }

// start adds a timer, whatever others of its name there are.
func (t *timers) start(n timer) { t.list = append(t.list, n) }

// join adds what n is about to a timer of the same name, whose time stays as it is; false when there
// is none.
func (t *timers) join(n timer) bool {
	i := slices.IndexFunc(t.list, func(old timer) bool { return old.name == n.name })
	if i < 0 {
		return false
	}
	for _, about := range n.about {
		if !slices.Contains(t.list[i].about, about) {
			t.list[i].about = append(t.list[i].about, about)
		}
	}
	return true
}

// cancel takes away all timers of a name and says how many there were.
func (t *timers) cancel(name string) int {
	return t.remove(func(old timer) bool { return old.name == name })
}

// cancelFor takes away the timers of a name that are about one UPS. A shared timer goes on for the
// UPSes that remain.
func (t *timers) cancelFor(name, ups string) int {
	hit := 0
	t.remove(func(old timer) bool {
		return old.name == name &&
			slices.ContainsFunc(old.about, func(n notice) bool { return n.ups == ups }) &&
			!slices.ContainsFunc(old.about, func(n notice) bool { return n.ups != ups }) &&
			count(&hit)
	})
	for i, old := range t.list {
		if old.name != name {
			continue
		}
		rest := slices.DeleteFunc(slices.Clone(old.about), func(n notice) bool { return n.ups == ups })
		if len(rest) < len(old.about) {
			t.list[i].about = rest
			hit++
		}
	}
	return hit
}

func count(n *int) bool { *n++; return true }

func (t *timers) remove(gone func(timer) bool) int {
	before := len(t.list)
	t.list = slices.DeleteFunc(t.list, gone)
	return before - len(t.list)
}

// due takes away the timers whose time has come, earliest first.
func (t *timers) due(now env.Instant) []timer {
	var due []timer
	t.list = slices.DeleteFunc(t.list, func(old timer) bool {
		if old.at > now {
			return false
		}
		due = append(due, old)
		return true
	})
	slices.SortStableFunc(due, func(a, b timer) int { return int(a.at.Sub(b.at)) })
	return due
}

// next is when the next timer fires.
func (t *timers) next() env.Instant {
	next := env.Never
	for _, old := range t.list {
		next = min(next, old.at)
	}
	return next
}

// kinds, upses and texts are what a timer is about, as one word each. NUT joins messages in this
// odd way, so that a script can print them as lines.
func (t *timer) kinds() string {
	return strings.Join(t.each(func(n notice) string { return n.kind }), ",")
}

func (t *timer) upses() string {
	return strings.Join(t.each(func(n notice) string { return n.ups }), ",")
}

func (t *timer) texts() string {
	return strings.Join(t.each(func(n notice) string { return n.text }), ".\t")
}

// each lists one property, each value once.
func (t *timer) each(of func(notice) string) []string {
	var all []string
	for _, n := range t.about {
		if v := of(n); v != "" && !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}
