package check

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// kill is S02: no load-off while another client is logged in and less than HOSTSYNC has passed
// since FSD was set.
type kill struct {
	others map[string]*crowd // by UPS
	late   map[string]int64  // by UPS: logins since FSD was set
}

// A crowd is who was still logged in when the primary ran SHUTDOWNCMD. Its own upsmon logs out
// then too, and its upsd dies with the host, so that a later count would say nothing.
type crowd struct {
	logins  int64 // the primary's own included
	left    int64
	unknown bool // upsd had no data of the UPS, and so no count for anybody
}

// Uncounted is the excuse of S02 when upsd told nobody how many clients are logged in, because it
// had no data of the UPS. Then there is nobody to wait for, as in NUT.
const Uncounted = "uncounted"

// Late is the excuse of S02 when those who are logged in came when FSD was set, and so too late to
// be waited for: upsd had just started.
const Late = "late"

func newKill() Oracle { return &kill{others: map[string]*crowd{}, late: map[string]int64{}} }

func (o *kill) ID() string            { return "S02" }
func (o *kill) Due(*View) []Violation { return nil }

func (o *kill) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Kind == env.ShutdownCmd && ev.Host != "":
		for _, w := range v.Host(ev.Host).Monitor.Watched {
			if w.Primary {
				u := v.UPS(w.UPS)
				o.others[w.UPS] = &crowd{logins: u.Logins, unknown: u.DataBad}
			}
		}
	case ev.Kind == env.FSD && ev.Prog == "upsd":
		delete(o.late, ev.UPS)
	case ev.Kind == env.Login:
		if v.UPS(ev.UPS).FSD {
			o.late[ev.UPS]++
		}
		delete(o.others, ev.UPS) // upsd lives, or lives again: its own count is right
	case ev.Kind == env.Logout:
		if c := o.others[ev.UPS]; c != nil && !mentions(ev.Why, "upsd", "server", "stop") {
			c.left++
		}
	case ev.Kind == env.LoadKill && ev.Value != "refused" && ev.UPS != "":
		return o.judge(v, v.Host(ev.Host), v.UPS(ev.UPS))
	}
	return nil
}

func (o *kill) judge(v *View, h *Host, u *UPS) []Violation {
	v.judge("S02")
	others := u.Logins - 1
	if c := o.others[u.Name]; c != nil {
		others = c.logins - 1 - max(c.left-1, 0)
	}
	waited := v.Now.Sub(u.FSDAt)
	sync := h.Monitor.Settings.Duration("HOSTSYNC")
	if others <= 0 || u.FSDAt == env.Never || waited+v.Tolerance >= sync {
		return nil
	}
	x := wrong("S02", subject{h.Name, u.Name}, v.Now,
		"%s told %s to switch its load off at %s, only %s after FSD (set at %s, HOSTSYNC %s), "+
			"while %s still logged in", h.Name, u.Name, stamp(v.Now), span(waited), stamp(u.FSDAt),
		span(sync), plural(others, "other client was", "other clients were"))
	if c := o.others[u.Name]; c != nil && c.unknown {
		x.Excuse = Uncounted
	}
	switch {
	case others <= o.late[u.Name]:
		x.Excuse = Late
	case v.hasty(h):
		x.Excuse = Config
	}
	return []Violation{x}
}

// killer is S03: only the host that is the primary of a UPS, and has its POWERDOWNFLAG, tells it to
// switch the load off. driver.killpower is a person's order; a driver tells of it right after.
type killer struct{ asked promises }

// orderTime is how long after the kill its driver may tell that a client had asked for it.
const orderTime = time.Second

func newKiller() Oracle { return &killer{} }

func (o *killer) ID() string              { return "S03" }
func (o *killer) Due(v *View) []Violation { return o.asked.late("S03", v) }

func (o *killer) Event(v *View, ev env.Event) []Violation {
	if ev.UPS == "" || ev.Host == "" {
		return nil
	}
	h, s := v.Host(ev.Host), subject{ev.Host, ev.UPS}
	switch {
	case ev.Kind == env.Cmd && ev.Name == "driver.killpower":
		o.asked.drop(s)
	case ev.Kind == env.LoadKill && ev.Value != "refused":
		if len(h.Monitor.Watched) == 0 && h.Service("upsmon").State != "" {
			return nil // a monitor that tells nothing
		}
		v.judge("S03")
		why := h.mayNotKill(ev.UPS)
		if why == "" {
			return nil
		}
		at := v.Now
		o.asked.hold(s, at.Add(orderTime), func() string {
			return fmt.Sprintf("%s told %s to switch its load off at %s (%s) although %s",
				h.Name, ev.UPS, stamp(at), ev.Name, why)
		})
	}
	return nil
}

// mayNotKill says why h must not switch off the load of a UPS, "" when it may.
func (h *Host) mayNotKill(ups string) string {
	w := h.Monitor.Watches(ups)
	switch {
	case w == nil:
		return "it does not monitor it"
	case !w.Primary:
		return "it is a secondary"
	case h.Flag.Foreign:
		return "its POWERDOWNFLAG is a foreign file"
	case !h.Flag.Set:
		return "it has no POWERDOWNFLAG"
	}
	return ""
}
