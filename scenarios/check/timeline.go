package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// TimelineOptions say what Timeline shows. The zero value tells the whole story without its noise.
type TimelineOptions struct {
	From, To env.Instant // a part of the run; To 0 means until its end
	Hosts    []string    // only what happened on these machines, and to the UPSes and the mains
	Verbose  bool        // every event that has no sentence of its own, as it is
	// Violations are put in where they happened; Report.Violations usually.
	Violations []Violation
}

const (
	together  = time.Second // the same thing on several machines within this time is one line
	maxWho    = 28          // the width of the column that says who
	maxPeriod = 6           // the longest sequence of lines that is recognised when it repeats
	minTimes  = 3           // how often it must come to be told once
)

// Timeline renders a run for people: who saw what and when, who shut down, when the load was cut
// and how much was left in the battery, who came back.
func Timeline(events []env.Event, o TimelineOptions) string {
	s := &story{
		view: newView(0), opt: o, states: map[string]string{}, cutAt: map[*Host]env.Instant{},
		fell: map[*Host]env.Instant{}, episode: map[*Host]*episode{},
	}
	for _, ev := range events {
		s.view.apply(ev)
		s.setting(ev)
		s.follow(ev)
		news := s.news(ev)
		if ev.T >= o.From && (o.To == 0 || ev.T <= o.To) && (news || o.Verbose) && s.wanted(ev) {
			s.tell(ev)
		}
	}
	s.accuse()
	lines := merge(s.lines)
	var b strings.Builder
	for _, intro := range s.intro() {
		fmt.Fprintln(&b, intro)
	}
	if len(s.wires) > 0 {
		fmt.Fprintln(&b)
	}
	write(&b, lines)
	s.summary(&b)
	return b.String()
}

// A story is a timeline in the making.
type story struct {
	view    *View
	opt     TimelineOptions
	lines   []entry
	wires   []*UPS
	states  map[string]string     // of mains and UPSes, as last told
	cutAt   map[*Host]env.Instant // when a host last lost its power
	fell    map[*Host]env.Instant // when a host went down and has not come up since
	episode map[*Host]*episode    // the present one
	past    []*episode
}

// An entry is a line of the timeline.
type entry struct {
	t     env.Instant
	who   []string
	what  string
	note  bool // told about other lines; it has no subject
	until env.Instant
}

func (s *story) say(who, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	s.lines = append(s.lines, entry{t: s.view.Now, who: []string{who}, what: what})
}

// wanted reports whether an event concerns the machines that were asked for.
func (s *story) wanted(ev env.Event) bool {
	return ev.Host == "" || ev.Prog == "" && ev.UPS != "" || s.asked(ev.Host)
}

func (s *story) asked(host string) bool {
	return len(s.opt.Hosts) == 0 || slices.Contains(s.opt.Hosts, host)
}

// setting notes what stands above the timeline.
func (s *story) setting(ev env.Event) {
	if ev.Kind == env.Wire && ev.UPS != "" {
		if u := s.view.UPS(ev.UPS); !slices.Contains(s.wires, u) {
			s.wires = append(s.wires, u)
		}
	}
}

// news reports whether an event tells something new: the state in which mains and UPSes are found
// at the start is none, nor is one that they have already.
func (s *story) news(ev env.Event) bool {
	if ev.Kind != env.Mains && (ev.Kind != env.Power || ev.Host != "") {
		return true
	}
	key := strings.Join([]string{string(ev.Kind), ev.UPS, ev.Name}, " ")
	was, known := s.states[key]
	s.states[key] = ev.Value
	if !known {
		return ev.Value != "on" && ev.Value != "line" && ev.Value != "no"
	}
	return was != ev.Value
}

// intro says what feeds what.
func (s *story) intro() []string {
	var lines []string
	for _, u := range s.wires {
		var hosts []string
		for _, h := range u.Hosts {
			hosts = append(hosts, h.Name)
		}
		text := fmt.Sprintf("%s feeds %s", u.Name, crowdOf(hosts, len(hosts)))
		if d := u.Declared("runtime"); d > 0 {
			text += fmt.Sprintf("; its battery lasts %s", span(d))
		}
		if d := u.Declared("low"); d > 0 {
			text += fmt.Sprintf(" and is low for the last %s", span(d))
		}
		lines = append(lines, text+".")
	}
	return lines
}

// accuse puts the violations in.
func (s *story) accuse() {
	for _, x := range s.opt.Violations {
		if x.T >= s.opt.From && (s.opt.To == 0 || x.T <= s.opt.To) {
			who := []string{x.ID + " VIOLATED"}
			s.lines = append(s.lines, entry{t: x.T, who: who, what: x.Text})
		}
	}
	slices.SortStableFunc(s.lines, func(a, b entry) int { return cmp.Compare(a.t, b.t) })
}

// merge puts lines together that say the same of several, and tells repetitions once.
func merge(lines []entry) []entry {
	var merged []entry
	for _, e := range lines {
		if i := sameRecently(merged, e); i >= 0 {
			m := &merged[i]
			if !slices.Contains(m.who, e.who[0]) {
				m.who, m.until = append(m.who, e.who[0]), e.t
				continue
			}
		}
		merged = append(merged, e)
	}
	return fold(merged)
}

// sameRecently finds the line that says the same as e and is told together with it, -1 if none is.
func sameRecently(lines []entry, e entry) int {
	for i := len(lines) - 1; i >= 0 && e.t.Sub(lines[i].t) <= together; i-- {
		if lines[i].what == e.what {
			return i
		}
	}
	return -1
}

// fold replaces repetitions of a sequence of lines by the sequence and a note.
func fold(lines []entry) []entry {
	var out []entry
	for i := 0; i < len(lines); {
		period, times := repetition(lines[i:])
		if times < minTimes {
			out = append(out, lines[i])
			i++
			continue
		}
		out = append(out, lines[i:i+period]...)
		last := lines[i+period*times-1]
		what := fmt.Sprintf("the same %s until %s",
			plural(int64(times-1), "time more", "times more"), stamp(last.t))
		out = append(out, entry{t: lines[i+period].t, note: true, what: what})
		i += period * times
	}
	return out
}

// repetition finds the shortest sequence at the beginning that comes again at once, and how often.
func repetition(lines []entry) (period, times int) {
	for period = 1; period <= maxPeriod && period*minTimes <= len(lines); period++ {
		times = 1
		for rest := lines[period:]; len(rest) >= period; rest = rest[period:] {
			if !equal(lines[:period], rest[:period]) {
				break
			}
			times++
		}
		if times >= minTimes {
			return period, times
		}
	}
	return 1, 1
}

func equal(a, b []entry) bool {
	return slices.EqualFunc(a, b, func(x, y entry) bool {
		return x.what == y.what && slices.Equal(x.who, y.who)
	})
}

// write aligns the lines in three columns.
func write(b *strings.Builder, lines []entry) {
	width := 0
	for i := range lines {
		width = max(width, utf8.RuneCountInString(lines[i].subject()))
	}
	for _, e := range lines {
		who := e.subject()
		pad := strings.Repeat(" ", width-utf8.RuneCountInString(who))
		what := e.what
		if len(e.who) > 1 && e.until > e.t {
			what += fmt.Sprintf(" (the last one at %s)", stamp(e.until))
		}
		fmt.Fprintf(b, "%s  %s%s  %s\n", stamp(e.t), who, pad, what)
	}
}

func (e entry) subject() string {
	if e.note {
		return "..."
	}
	return crowdOf(e.who, len(e.who))
}

// crowdOf names as many as fit in the column and counts the others.
func crowdOf(names []string, n int) string {
	if all := list(names); len(all) <= maxWho || n < 2 {
		return all
	}
	shown := 1
	for shown+1 < n && len(strings.Join(names[:shown+1], ", "))+len(" and 999 more") <= maxWho {
		shown++
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n-shown)
}
