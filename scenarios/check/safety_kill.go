package check

import (
	"github.com/blackstart-ups/blackstart/nut/env"
)

// kill is S02: no load-off while another client is logged in and less than HOSTSYNC has passed
// since FSD was set.
type kill struct {
	others map[string]*crowd // by UPS
}

// A crowd is who was still logged in when the primary ran SHUTDOWNCMD. Its own upsmon logs out
// then too, and its upsd dies with the host, so that a later count would say nothing.
type crowd struct {
	logins int64 // the primary's own included
	left   int64
}

func newKill() Oracle { return &kill{others: map[string]*crowd{}} }

func (o *kill) ID() string            { return "S02" }
func (o *kill) Due(*View) []Violation { return nil }

func (o *kill) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Kind == env.ShutdownCmd && ev.Host != "":
		for _, w := range v.Host(ev.Host).Monitor.Watched {
			if w.Primary {
				o.others[w.UPS] = &crowd{logins: v.UPS(w.UPS).Logins}
			}
		}
	case ev.Kind == env.Login:
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
	return []Violation{wrong("S02", subject{h.Name, u.Name}, v.Now,
		"%s told %s to switch its load off at %s, only %s after FSD (set at %s, HOSTSYNC %s), "+
			"while %s still logged in", h.Name, u.Name, stamp(v.Now), span(waited), stamp(u.FSDAt),
		span(sync), plural(others, "other client was", "other clients were"))}
}
