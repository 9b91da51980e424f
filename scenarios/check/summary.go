package check

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// An episode is one time that a host went down, or one outage that it lived through.
type episode struct {
	host                                   *Host
	sawBattery, announced, down, cut, back env.Instant
	hard                                   bool // the power went while it was not down
}

// follow keeps the episodes and when hosts went down.
func (s *story) follow(ev env.Event) {
	if ev.Host == "" {
		return
	}
	h := s.view.Host(ev.Host)
	at := s.view.Now
	switch {
	case ev.Kind == env.Notify && ev.Name == "ONBATT":
		set(&s.of(h).sawBattery, at)
	case ev.Kind == env.Notify && ev.Name == "ONLINE":
		if e := s.episode[h]; e != nil && e.announced == env.Never && e.down == env.Never {
			delete(s.episode, h) // it lived through
		}
	case ev.Kind == env.Notify && ev.Name == "SHUTDOWN":
		set(&s.of(h).announced, at)
	case ev.Kind == env.Fed && ev.Value == "no":
		e := s.of(h)
		set(&e.cut, at)
		if h.Machine == Up || h.Machine == Stopping || h.Machine == Booting {
			e.hard = true
			s.fall(h)
		}
	case ev.Kind == env.Machine && ev.Value == Halted:
		set(&s.of(h).down, at)
		s.fall(h)
	case ev.Kind == env.Machine && ev.Value == Off && h.WasUp:
		s.fall(h)
	case ev.Kind == env.Machine && ev.Value == Booting:
		if e := s.episode[h]; e != nil && (e.down != env.Never || e.hard) {
			s.past = append(s.past, e)
			delete(s.episode, h)
		}
	case ev.Kind == env.Machine && ev.Value == Up:
		for i := len(s.past) - 1; i >= 0; i-- {
			if e := s.past[i]; e.host == h {
				set(&e.back, at)
				break
			}
		}
	case ev.Kind == env.Machine && ev.Value == Stopping:
		delete(s.fell, h)
	}
}

// fall notes that a host went down, at its first sign.
func (s *story) fall(h *Host) {
	if at, fell := s.fell[h]; !fell || at < h.LeftUp && h.LeftUp != env.Never {
		s.fell[h] = s.view.Now
	}
}

// of is the present episode of a host.
func (s *story) of(h *Host) *episode {
	e := s.episode[h]
	if e == nil {
		e = &episode{h, env.Never, env.Never, env.Never, env.Never, env.Never, false}
		s.episode[h] = e
	}
	return e
}

// set notes the first time only.
func set(at *env.Instant, now env.Instant) { *at = min(*at, now) }

// summary is a table of all that went down.
func (s *story) summary(b *strings.Builder) {
	all := s.past
	for _, h := range s.view.hosts {
		if e := s.episode[h]; e != nil && min(e.announced, e.down, e.cut) != env.Never {
			all = append(all, e)
		}
	}
	all = slices.DeleteFunc(all, func(e *episode) bool { return !s.asked(e.host.Name) })
	if len(all) == 0 {
		fmt.Fprintf(b, "\nNobody shut down and nobody lost power.\n")
		return
	}
	fmt.Fprintln(b)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "host\tsaw battery\tannounced\tdown\tpower cut\tup again")
	for _, e := range all {
		cut := when(e.cut)
		if e.hard {
			cut += " WHILE RUNNING"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
			e.host.Name, when(e.sawBattery), when(e.announced), when(e.down), cut, when(e.back))
	}
	w.Flush()
}

func when(t env.Instant) string {
	if t == env.Never {
		return "-"
	}
	return stamp(t)
}
