package upsd

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// A definition is what ups.conf says about a UPS that upsd cares about.
type definition struct {
	name, driver, port, desc string
	described                bool // there is a desc, perhaps an empty one
}

// text is the description, or what clients read instead of one.
func (d definition) text(instead string) string {
	if d.described {
		return d.desc
	}
	return instead
}

func (d definition) file() string { return sockproto.File(d.driver, d.name) }

// A ups is one UPS as it is served. The server's mutex guards it.
type ups struct {
	definition
	dev    *state.Device
	logins int
	fsd    lease

	link     *link // to the driver; nil while there is none
	dumped   bool  // the driver has told everything once
	dataOK   bool  // the driver says that it hears its device
	stale    bool
	heard    env.Instant // the last line that made sense
	pinged   env.Instant
	grumbles int // bad lines on this connection

	nagged  bool        // "Can't connect" was logged since the last connection,
	lastNag env.Instant // at this time
	settled bool        // start-up need not wait for it any longer
	told    string      // the last data event
	served  string      // the last served event

	scope env.Scope // of its link; the main task's
}

// A driver is pinged when it was silent for more than this part of MAXAGE, in whole seconds
// (DS-S2): with the default of 15 s, 6 and 12 s after its last line.
const pingFraction = 3

// staleGrace is added to MAXAGE, so that an answer to the last ping may still arrive (DS-S3).
const staleGrace = time.Second

// connected starts the life of a link. Clients see WAIT until the driver has sent ups.status.
func (u *ups) connected(l *link, now env.Instant) {
	u.link = l
	u.dev = state.New()
	u.dev.Set("ups.status", "WAIT")
	u.dumped, u.dataOK, u.stale, u.grumbles = false, false, false, 0
	u.heard, u.pinged = now, now
	u.nagged = false
}

// lost forgets what the driver said: clients must not read the past.
func (u *ups) lost() {
	u.link = nil
	u.dev = state.New()
}

// err is why nothing about the device can be told now, "" when it can.
func (u *ups) err() netproto.Err {
	switch {
	case u.link == nil:
		return netproto.DriverNotConnected
	case u.stale:
		return netproto.DataStale
	}
	return ""
}

// tick judges freshness at one instant. It returns when to judge again at the latest, and whether
// the driver should be pinged now.
func (u *ups) tick(now env.Instant, maxAge time.Duration) (next env.Instant, ping bool) {
	every := (maxAge / pingFraction).Truncate(time.Second) + time.Second
	if now.Sub(u.heard) >= every && now.Sub(u.pinged) >= every {
		u.pinged, ping = now, true
	}
	silent := u.heard.Add(maxAge + staleGrace)
	u.stale = u.dumped && !u.dataOK || now >= silent
	next = max(u.heard, u.pinged).Add(every)
	if now < silent {
		next = min(next, silent)
	}
	return next, ping
}

// fsdWord is put before the status while FSD is set (NP-L6).
const fsdWord = "FSD "

// value is what clients read as the value of v.
func (u *ups) value(v *state.Var) string {
	if u.fsd.set && v.Name == statusName {
		return fsdWord + v.Value
	}
	return v.Value
}

const statusName = "ups.status"

// status is what clients read as ups.status, "" when they read none.
func (u *ups) status() string {
	if v, ok := u.dev.Get(statusName); ok && u.err() == "" {
		return u.value(v)
	}
	return ""
}
