package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// recovery is L06: when all is in order, every monitor that runs is connected to each of its UPSes
// and reads OL, and every upsd has the login of each monitor that counts the UPS as a supply.
type recovery struct {
	well   promises
	calm   env.Instant             // the present one, Never when there is none
	judged map[subject]env.Instant // the calm in which a subject was last counted
	slow   map[*UPS]time.Duration  // the longest time that a monitor of it may take
}

const (
	retryTime     = clientTimeout   // a request that hung when the network came back ends by then
	recoverySlack = 5 * time.Second // what L06 grants beyond a poll or a retry
	// serviceRetry is how long service managers leave a service alone that did not start.
	serviceRetry = 15 * time.Second
)

// idle are the kinds of events that change nothing about whether anybody has recovered.
var idle = []env.Kind{env.Login, env.Logout, env.Probe, env.Served}

func newRecovery() Oracle {
	return &recovery{
		calm: env.Never, judged: map[subject]env.Instant{}, slow: map[*UPS]time.Duration{},
	}
}

func (o *recovery) ID() string              { return "L06" }
func (o *recovery) Due(v *View) []Violation { return o.well.late("L06", v) }

func (o *recovery) Event(v *View, ev env.Event) []Violation {
	calm, ok := v.Calm()
	begins := calm != o.calm
	o.calm = calm
	switch {
	case !ok:
		for _, s := range o.well.subjects() {
			o.well.drop(s)
		}
	case begins:
		o.all(v, calm)
	case ev.Kind == env.Logout && ev.UPS != "":
		o.logins(v, v.UPS(ev.UPS))
	case slices.Contains(idle, ev.Kind):
	case ev.Prog == "upsmon" && ev.Host != "":
		o.host(v, v.Host(ev.Host), calm, ev.Kind == env.Comm || ev.Kind == env.Monitor)
	case (ev.Kind == env.Proc || ev.Kind == env.Machine) && v.onlyItself(ev.Host):
		o.host(v, v.Host(ev.Host), calm, true)
	case ev.Kind != env.Status: // a driver's; all else is the world's
		o.all(v, calm)
	}
	return nil
}

// onlyItself reports that what happens on a host concerns its own monitor only.
func (v *View) onlyItself(host string) bool { return host != "" && !v.Host(host).Serves }

func (o *recovery) all(v *View, calm env.Instant) {
	for _, h := range v.hosts {
		o.host(v, h, calm, false)
	}
	for _, u := range v.upses {
		o.logins(v, u)
	}
}

// host opens and closes the promises of one monitor, and those of its logins.
func (o *recovery) host(v *View, h *Host, calm env.Instant, logins bool) {
	for _, w := range h.Monitor.Watched {
		u := v.UPS(w.UPS)
		o.slow[u] = max(o.slow[u], recoveryTime(h))
		s := subject{h.Name, w.UPS}
		from, ready := v.readySince(h, u, calm)
		if ready && o.judged[s] != calm {
			o.judged[s] = calm
			v.judge("L06")
		}
		if !ready || w.Comm == "ok" && has(w.Status, "OL") && !has(w.Status, "OB") {
			o.well.drop(s)
		} else {
			o.well.hold(s, from.Add(recoveryTime(h)), func() string {
				return fmt.Sprintf("%s is not back to normal although all is in order since %s: "+
					"%s%s", h.Name, stamp(from), w.describe("want OL and communication"),
					v.failures(h, u))
			})
		}
		if logins {
			o.logins(v, u)
		}
	}
}

// logins asks, some time after the last change, whether all monitors are logged in to u.
func (o *recovery) logins(v *View, u *UPS) {
	within := max(o.slow[u], retryTime+recoverySlack)
	o.well.hold(subject{ups: u.Name}, v.Now.Add(within), func() string {
		calm, _ := v.Calm()
		due := int64(0)
		for _, h := range u.monitors {
			_, ready := v.readySince(h, u, calm)
			if w := h.Monitor.Watches(u.Name); w != nil && w.Power > 0 && ready {
				due++
			}
		}
		if u.Logins >= due {
			return ""
		}
		return fmt.Sprintf("%s has %s on %s, but %s on it and all is in order since %s",
			u.Name, plural(u.Logins, "login", "logins"), u.Server,
			plural(due, "running monitor counts", "running monitors count"), stamp(calm))
	})
}

func recoveryTime(h *Host) time.Duration {
	return max(h.Monitor.Settings.Poll(), retryTime) + recoverySlack
}

// readySince is since when everything is there that h needs to watch u; false while it is not, or
// while the host is on its way down. A service that did not start, perhaps while its device was at
// fault, is granted one more try.
func (v *View) readySince(h *Host, u *UPS, from env.Instant) (env.Instant, bool) {
	if u.Server == "" || u.OnBattery || h.Machine != Up || h.Attempt.Began != env.Never ||
		!v.Reachable(h, u) {
		return env.Never, false
	}
	s := v.Host(u.Server)
	if s.Machine != Up {
		return env.Never, false
	}
	retry := time.Duration(0)
	needs := []*Service{h.Service("upsmon"), s.Service("upsd"), s.Service("driver:" + u.Name)}
	for _, p := range needs {
		switch {
		case !p.Works():
			return env.Never, false
		case p.State == "failed":
			retry = serviceRetry + openTime
		default:
			from = latest(from, p.Since)
		}
	}
	if u.FaultAt != env.Never { // its driver has to find the device first
		from = max(from, u.FaultAt.Add(reconnectTime+u.Driver.Duration("pollinterval")))
	}
	return latest(from, h.Since, s.Since, u.InputSince, u.OutletSince).Add(retry), true
}

// failures names the services on which h depends for u and that did not start.
func (v *View) failures(h *Host, u *UPS) string {
	text := ""
	for _, s := range []struct {
		host    *Host
		service string
	}{{h, "upsmon"}, {v.Host(u.Server), "upsd"}, {v.Host(u.Server), "driver:" + u.Name}} {
		if x := s.host.Service(s.service); x.State == "failed" {
			text += fmt.Sprintf("; %s on %s did not start at %s",
				s.service, s.host.Name, stamp(x.Since))
		}
	}
	return text
}

// latest is the last of the instants that have come.
func latest(at env.Instant, others ...env.Instant) env.Instant {
	for _, t := range others {
		if t != env.Never {
			at = max(at, t)
		}
	}
	return at
}
