package check

import (
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// clientTimeout is how long a request of upsmon may hang before it counts as failed: the usual
// network time-out of NUT's clients.
const clientTimeout = 10 * time.Second

// apply makes the view know one more event.
func (v *View) apply(ev env.Event) {
	v.Now = max(v.Now, ev.T)
	v.beginning = nil
	switch ev.Kind {
	case env.Mains:
		v.feeds[ev.Name] = feedState{ev.Value != "off", v.Now}
		v.disturb("mains "+ev.Name, ev.Value != "on")
	case env.Mark:
		if ev.Host != "" && ev.Name == "wedged" {
			v.Host(ev.Host).Wedged = true
		}
	case env.Link:
		v.link(ev)
	case env.Spec:
		v.spec(ev)
	case env.Power, env.Fault, env.Probe:
		v.device(ev)
	case env.Machine, env.Proc, env.Wire:
		v.computer(ev)
	default:
		v.program(ev)
	}
}

// device applies facts about a UPS and what reaches the world from it.
func (v *View) device(ev env.Event) {
	switch {
	case ev.UPS == "":
	case ev.Kind == env.Power:
		v.power(v.UPS(ev.UPS), ev)
	case ev.Kind == env.Fault:
		v.fault(v.UPS(ev.UPS), ev)
	default:
		v.probe(v.UPS(ev.UPS), ev)
	}
}

// computer applies facts about a machine.
func (v *View) computer(ev env.Event) {
	if ev.Host == "" {
		return
	}
	h := v.Host(ev.Host)
	switch {
	case ev.Kind == env.Machine:
		v.machine(h, ev)
	case ev.Kind == env.Proc:
		v.proc(h, ev)
	case ev.UPS != "":
		v.wire(h, ev)
	}
}

func (v *View) spec(ev env.Event) {
	switch {
	case ev.UPS != "":
		v.UPS(ev.UPS).Spec[ev.Name] = ev.N
	case ev.Host != "":
		v.Host(ev.Host).Spec[ev.Name] = ev.N
	}
}

// program applies what a program tells.
func (v *View) program(ev env.Event) {
	switch ev.Prog {
	case "":
	case "upsd":
		v.server(ev)
	case "upsmon":
		if ev.Host != "" {
			v.monitor(v.Host(ev.Host), ev)
		}
	default:
		v.driver(ev)
	}
}

// disturb notes that a scenario broke something, or repaired it.
func (v *View) disturb(what string, broken bool) {
	if broken {
		v.trouble[what] = true
	} else {
		delete(v.trouble, what)
	}
	v.settle()
}

// settle works out whether everything is in order, as it must be in the quiesce phase.
func (v *View) settle() {
	switch {
	case len(v.trouble) > 0 || v.Quiet == env.Never:
		v.calmSince = env.Never
	case v.calmSince == env.Never:
		v.calmSince = v.Now
	}
}

// wire notes what feeds a host: a UPS, or a mains feed that was told of before.
func (v *View) wire(h *Host, ev env.Event) {
	if _, mains := v.feeds[ev.UPS]; mains {
		h.Walls = append(h.Walls, ev.UPS)
		return
	}
	u := v.UPS(ev.UPS)
	for i := range h.Feeds {
		if h.Feeds[i].UPS == u {
			h.Feeds[i].Supplies = ev.N
			return
		}
	}
	h.Feeds = append(h.Feeds, Feed{u, ev.N})
	u.Hosts = append(u.Hosts, h)
}

func (v *View) power(u *UPS, ev env.Event) {
	switch ev.Name {
	case "input":
		battery := ev.Value == "battery"
		if battery != u.OnBattery || u.InputSince == env.Never {
			u.OnBattery, u.InputSince = battery, v.Now
		}
	case "low":
		u.Low, u.LowSince = ev.Value == "yes", v.Now
	case "empty":
		u.Empty = ev.Value == "yes"
	case "outlet":
		u.Outlet, u.OutletSince, u.OutletWhy = ev.Value != "off", v.Now, ev.Why
	}
}

// mute are the faults after which a device says nothing more.
var mute = []string{"silent", "stall", "unplug", "gone"}

func (v *View) fault(u *UPS, ev env.Event) {
	on := ev.Value != "off"
	v.disturb("fault "+u.Name+" "+ev.Name, on)
	u.FaultAt = v.Now
	u.Faults = slices.DeleteFunc(u.Faults, func(f string) bool { return f == ev.Name })
	v.ends = slices.DeleteFunc(v.ends, func(e env.Event) bool {
		return e.UPS == ev.UPS && e.Name == ev.Name
	})
	if on {
		u.Faults = append(u.Faults, ev.Name)
		if ev.N > 0 {
			off := ev
			off.T, off.Value, off.N = v.Now.Add(time.Duration(ev.N)), "off", 0
			v.ends = append(v.ends, off)
		}
	}
	v.silence(u)
}

// ending is the first end of a fault that is due until t: a fault with a duration ends by itself,
// which nobody tells.
func (v *View) ending(t env.Instant) (off env.Event, ok bool) {
	for _, e := range v.ends {
		if e.T <= t && (!ok || e.T < off.T) {
			off, ok = e, true
		}
	}
	return off, ok
}

// silence works out whether anything still speaks for u.
func (v *View) silence(u *UPS) {
	why, speaks := "", true
	for _, f := range u.Faults {
		if slices.Contains(mute, f) {
			why = "the device has the fault " + f
		}
	}
	if u.Server != "" {
		switch s := v.Host(u.Server).Service("driver:" + u.Name); s.State {
		case "pause":
			why, speaks = "its driver is frozen", false
		case "kill", "exit", "failed":
			why, speaks = "its driver is gone", false
		}
	}
	switch {
	case why == "":
		u.SilentSince = env.Never
	case u.SilentSince == env.Never || speaks != u.speaks:
		// A driver that is back has to find out anew; one that freezes while its device is silent
		// has vouched for the data until then, as it may for a few failed polls.
		u.SilentSince = v.Now
	}
	u.SilentWhy, u.speaks = why, speaks
}

// link applies a cut, a repair or a delay of the link between two hosts; cut-to is for one
// direction only.
func (v *View) link(ev env.Event) {
	from, to, ok := strings.Cut(ev.Name, " ")
	if !ok {
		return
	}
	v.Link(from, to).change(ev, v.Now)
	if ev.Value != "cut-to" {
		v.Link(to, from).change(ev, v.Now)
	}
	v.disturb("link "+from+" "+to, v.Link(from, to).Cut)
	v.disturb("link "+to+" "+from, v.Link(to, from).Cut)
}

func (l *Link) change(ev env.Event, now env.Instant) {
	switch ev.Value {
	case "cut", "cut-to":
		if !l.Cut {
			l.Cut, l.CutAt = true, now
		}
	case "heal":
		if l.Cut {
			l.Cut, l.HealedAt = false, now
		}
	case "delay":
		l.Slowest = max(l.Slowest, time.Duration(ev.N))
	}
}

func (v *View) probe(u *UPS, ev env.Event) {
	if ev.Name != "status" {
		return
	}
	v.serves(u, ev.Host)
	u.Probe, u.ProbeAt = ev.Value, v.Now
}

// serves notes on which host the upsd of a UPS runs.
func (v *View) serves(u *UPS, host string) {
	if u.Server != host && host != "" {
		u.Server = host
		v.Host(host).Serves = true
		v.silence(u)
	}
}

func (v *View) machine(h *Host, ev env.Event) {
	if h.Machine == Up && ev.Value != Up {
		h.LeftUp = v.Now
	}
	if h.Machine != ev.Value {
		h.Before = h.Machine
	}
	h.Machine, h.Since = ev.Value, v.Now
	switch ev.Value {
	case Up:
		h.WasUp, h.UpAt = true, v.Now
	case Stopping:
		h.rebooting = ev.Why == "reboot"
		h.interrupt()
	case Booting:
		h.Boots++
		h.BootAt, h.CutShort = v.Now, false
		h.Interrupted = h.Interrupted && h.Boots <= h.again+1
		h.Attempt, h.Wedged = noAttempt, false
		v.fresh(h)
	case Off, Halted:
		if ev.Value == Halted {
			h.HaltedAt = v.Now
		}
		v.fresh(h)
	}
}

// interrupt notes when a person reboots a host that shuts down for the power, or the other way round.
func (h *Host) interrupt() {
	if h.Machine == Stopping && h.rebooting && h.Attempt.Began != env.Never {
		h.Interrupted, h.again = true, h.Boots
	}
}

// fresh forgets what dies with the programs of a host.
func (v *View) fresh(h *Host) {
	for _, s := range h.services {
		delete(v.trouble, "proc "+h.Name+" "+s.Name)
	}
	h.services = nil
	v.settle()
	h.Monitor.forget()
	for _, u := range v.upses {
		if u.Server == h.Name {
			u.upsdGone()
			v.silence(u)
		}
	}
}

// forget is what a monitor does when it ends: it keeps its configuration and no knowledge.
func (m *Monitor) forget() {
	m.Started = env.Never
	m.life++
	for _, w := range m.Watched {
		w.Status, w.Comm, w.since = "", "", never
	}
}

var never = sinceWords{env.Never, env.Never, env.Never}

// upsdGone is what a UPS loses with its upsd.
func (u *UPS) upsdGone() {
	u.FSD, u.Logins, u.Served, u.DataBad, u.StaleSince = false, 0, "", false, env.Never
}

// proc applies what happens to a service. "driver" alone means every driver of the host.
func (v *View) proc(h *Host, ev env.Event) {
	state := ev.Value
	if state == "start" && ev.N != 0 {
		state = "failed"
	}
	switch {
	case ev.Name == "driver" && ev.UPS != "":
		v.service(h, h.Service("driver:"+ev.UPS), state)
	case ev.Name == "driver":
		v.drivers(h, state)
	default:
		if ups, ok := strings.CutPrefix(ev.Name, "driver:"); ok {
			v.serves(v.UPS(ups), h.Name)
		}
		v.service(h, h.Service(ev.Name), state)
	}
}

// drivers applies a state to every driver of the host. When one of several has failed to start it
// is not known which one.
func (v *View) drivers(h *Host, state string) {
	var own []*UPS
	for _, u := range v.upses {
		if u.Server == h.Name {
			own = append(own, u)
		}
	}
	if state == "failed" && len(own) > 1 {
		state = "start"
	}
	for _, u := range own {
		v.service(h, h.Service("driver:"+u.Name), state)
	}
}

// service applies a new state of one service. A program's own events may come before the news that
// it was started: it is started when it has gone to the background. So it forgets when it ends.
func (v *View) service(h *Host, s *Service, state string) {
	switch state {
	case "reload":
		return
	case "restart":
		v.service(h, s, "kill")
		state = "start"
	case "resume":
		if s.State != "pause" {
			return // it has been ended meanwhile
		}
		state = "start"
	}
	ended := state == "exit" || state == "kill"
	switch {
	case s.Name == "upsmon" && ended:
		if n := len(h.Attempt.Commands); n > 0 && h.Attempt.Stayed == env.Never {
			h.Attempt.Stayed = v.Now
		}
		h.Monitor.forget()
		if len(h.Attempt.Commands) == 0 {
			h.CutShort = h.CutShort || h.Attempt.Began != env.Never && state == "kill"
			h.Attempt = noAttempt
		}
	case s.Name == "upsmon" && state == "start":
		h.Monitor.Started = min(h.Monitor.Started, v.Now)
	}
	s.change(state, v.Now)
	v.disturb("proc "+h.Name+" "+s.Name, s.Broken() && h.Running())
	for _, u := range v.upses {
		if u.Server != h.Name {
			continue
		}
		if s.Name == "upsd" && ended {
			u.upsdGone()
		}
		v.silence(u)
	}
}

// change applies a new state to a service.
func (s *Service) change(state string, now env.Instant) {
	was := s.Broken()
	s.State, s.Since = state, now
	switch {
	case !was && s.Broken():
		s.BrokenAt, s.FixedAt = now, env.Never
	case was && s.Works():
		s.FixedAt = now
	}
}

// server applies what upsd tells.
func (v *View) server(ev env.Event) {
	if ev.Kind == env.Setting && ev.Host != "" {
		v.Host(ev.Host).Server[ev.Name] = Setting{ev.N, ev.Value}
	}
	if ev.UPS == "" {
		return
	}
	u := v.UPS(ev.UPS)
	v.serves(u, ev.Host)
	switch ev.Kind {
	case env.Data:
		u.DataBad, u.DataAt = ev.Value == "lost" || ev.Value == "stale", v.Now
	case env.Served:
		u.Served, u.ServedAt = ev.Value, v.Now
	case env.Login, env.Logout:
		u.Logins = ev.N
	case env.FSD:
		switch ev.Value {
		case "set":
			if !u.FSD {
				u.FSD, u.FSDAt = true, v.Now
			}
		case "cleared":
			u.FSD = false
			v.abandon(u)
		}
	}
}

// abandon forgets shutdowns that have begun and did not get further before FSD was taken back.
func (v *View) abandon(u *UPS) {
	for _, h := range v.hosts {
		if h.Attempt.Announced == env.Never && h.Monitor.Watches(u.Name) != nil {
			h.Attempt = noAttempt
		}
	}
}

// driver applies what a driver tells.
func (v *View) driver(ev env.Event) {
	if ev.UPS == "" {
		return
	}
	u := v.UPS(ev.UPS)
	switch ev.Kind {
	case env.LoadKill:
		if ev.Value != "refused" {
			u.KilledAt, u.KilledBy = v.Now, ev.Host
		}
	case env.Setting:
		u.Driver[ev.Name] = Setting{ev.N, ev.Value}
	case env.Data:
		if ev.Value == "stale" && u.StaleSince == env.Never {
			u.StaleSince = v.Now
		} else if ev.Value == "fresh" {
			u.StaleSince = env.Never
		}
	}
}
