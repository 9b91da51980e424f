package upsmon

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// clocks are the machine's clocks as last looked at.
type clocks struct {
	seen  bool
	ahead time.Duration // the calendar of the monotonic clock
	slept time.Duration
}

// origin is a date; which one does not matter.
var origin = time.Unix(0, 0)

// jump returns for how long the machine was suspended since the last call, and by how much its
// calendar was set. The monotonic clock, by which everything is decided, notices neither.
func (c *clocks) jump(e env.Env, now env.Instant) (slept, set time.Duration) {
	was := *c
	*c = clocks{seen: true, ahead: e.Wall().Sub(origin) - time.Duration(now), slept: e.Host().Slept()}
	if !was.seen {
		return 0, 0
	}
	if slept = c.slept - was.slept; slept < time.Millisecond {
		slept = 0 // two clocks are not read at once
	}
	return slept, c.ahead - was.ahead - slept
}

// jump takes in that nobody listened for a while, or that the calendar was set. All UPSes are asked
// anew. What was known of them before a gap as long as DEADTIME is too old to conclude anything from
// the silence of a server that may wake up later than this host. Each watcher notices the same jump.
func (m *monitor) jump(e env.Env, r report) {
	now := e.Now()
	if m.jumpedAt != 0 && now.Sub(m.jumpedAt) < standstill {
		return
	}
	m.jumpedAt = now
	amount := r.gap
	if amount == 0 {
		amount = r.set
	}
	m.announce(e, Notice{Type: TimeJump, Detail: fmt.Sprintf("%+.0f seconds", amount.Seconds())})
	for i, l := range m.lines {
		v := &m.views[i]
		if r.gap >= m.conf.DeadTime {
			lost := v.Lost // which was told
			*v = Unheard(v.System, v.Primary, v.Power)
			v.Lost = lost
		}
		if r.gap > 0 {
			l.heard.Store(max(l.heard.Load(), int64(now)))
		}
		l.orders.give(renew)
	}
	m.lookAt = env.Never // of what was known; decide works it out again
}
