package upsd

import (
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// FSD is a lease: it has an owner and ends. The C server keeps it until it is restarted, so that
// after a shutdown that did not take the server down with it, every host shuts down again as soon
// as it has booted. Here FSD is cleared when the UPS is on line power, its data is fresh, the
// client that set FSD has gone, and either
//
//   - that client's user is granted PRIMARY on the UPS again, from the same address and not within
//     returnAfter: its host has been down and is back, so the shutdown is over; or
//   - all this has been so for FSDLEASE: the shutdown did not happen.
//
// FSDLEASE 0 keeps it for ever, as the C server does.

// returnAfter is how long an owner must have been gone to be one that comes back from a shutdown: a
// monitor that merely crashed is restarted sooner.
const returnAfter = 15 * time.Second

// silentAfter is for how long an owner that is still connected must have been silent to count as
// gone: a host that loses power says no farewell, and may be back before its connection is idle for
// too long. No monitor polls so seldom in a shutdown.
const silentAfter = 30 * time.Second

// A lease is the FSD of one UPS. The zero value is none.
type lease struct {
	set    bool
	owner  *session // who set it, while the client is connected
	who    string   // user@address
	status string   // when it was set
	at     env.Instant
	gone   env.Instant // when the owner went
	back   env.Instant // since when line power and fresh data have lasted; Never while they do not
}

// take sets FSD in the name of a client, or renews it.
func (c *session) take(u *ups) {
	first := !u.fsd.set
	u.fsd = lease{set: true, owner: c, who: c.who(), status: u.status(), at: c.heard, back: env.Never}
	if first {
		c.s.event(env.Event{Kind: env.FSD, UPS: u.name, Name: c.user, Value: "set",
			Why: c.who()})
		c.s.observe(u)
	}
}

// forsake notes since when a client has gone. The caller holds the lock.
func (s *server) forsake(c *session, gone env.Instant) {
	for _, u := range s.order {
		if u.fsd.owner == c {
			u.fsd.owner, u.fsd.gone = nil, gone
		}
	}
}

// powered reports fresh data that says line power.
func (u *ups) powered() bool {
	v, ok := u.dev.Get(statusName)
	if !ok || u.err() != "" {
		return false
	}
	status, _ := nut.ParseStatus(v.Value)
	return status.Has(nut.OL) && !status.Has(nut.OB)
}

// expire clears the FSD of a UPS when its lease has ended, and returns when to look again. The
// caller holds the lock.
func (s *server) expire(u *ups, now env.Instant) (next env.Instant) {
	l := &u.fsd
	switch {
	case !l.set:
		return env.Never
	case !u.powered():
		l.back = env.Never
		return env.Never
	case l.back == env.Never:
		l.back = now
	}
	if l.owner != nil || s.set.fsdLease <= 0 {
		return env.Never
	}
	end := max(l.back, l.gone).Add(s.set.fsdLease)
	if now < end {
		return end
	}
	s.clear(u, fmt.Sprintf("FSDLEASE: the UPS is on line power and %s has been gone for %d s",
		l.who, s.set.fsdLease/time.Second))
	return env.Never
}

// returned clears the FSD that a client's user had set before its host went down. The caller holds
// the lock.
func (c *session) returned(u *ups) {
	l := u.fsd
	away := c.heard.Sub(l.gone) >= returnAfter
	if l.owner != nil {
		away = l.owner != c && c.heard.Sub(l.owner.spoke) >= silentAfter
	}
	if l.set && away && c.s.set.fsdLease > 0 && l.who == c.who() && u.powered() {
		c.s.clear(u, "the UPS is on line power and "+l.who+", who had set it, is back")
	}
}

// clear ends FSD. The caller holds the lock.
func (s *server) clear(u *ups, why string) {
	if !u.fsd.set {
		return
	}
	u.fsd = lease{}
	s.log(slog.LevelWarn, "FSD on UPS [%s] is cleared: %s", u.name, why)
	s.event(env.Event{Kind: env.FSD, UPS: u.name, Value: "cleared", Why: why})
	s.observe(u)
}

// text is what clients read as server.fsd: for how many seconds FSD has been set, who set it, and
// what the status was then.
func (l lease) text(now env.Instant) string {
	return strconv.Itoa(int(now.Sub(l.at)/time.Second)) + " " + l.who + " " + l.status
}
