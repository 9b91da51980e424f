package check

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// An Oracle watches for one kind of wrong.
type Oracle interface {
	ID() string
	// Event is called after the view has taken in an event.
	Event(*View, env.Event) []Violation
	// Due is called when time has passed and nothing happened: before the next event is taken in,
	// and at the end. What should have happened before View.Now has not.
	Due(*View) []Violation
}

// A Violation is something that must not have happened, or that has not happened in time. Text is
// one sentence for a person on call; it names the events that prove it.
type Violation struct {
	ID   string // of the oracle
	Host string
	UPS  string
	T    env.Instant
	Text string
	// Excuse names the reason for which an oracle itself does not count the violation, as far as
	// that can be worked out from the events. Empty for the real ones.
	Excuse string
}

func (x Violation) String() string {
	return fmt.Sprintf("%s %s %s", stamp(x.T), x.ID, x.Text)
}

// wrong returns a violation with its text.
func wrong(id string, s subject, t env.Instant, format string, args ...any) Violation {
	return Violation{ID: id, Host: s.host, UPS: s.ups, T: t, Text: fmt.Sprintf(format, args...)}
}

// An Excuse is a group of violations that do not count, for one reason.
type Excuse struct {
	ID     string
	Host   string
	UPS    string
	Reason string // no-time, partitioned, ..., or what Allow was told
	N      int    // how many; 0 for a reason that Allow was told and nobody needed
	First  Violation
}

// covers reports whether an excuse given by Allow is meant for x.
func (e Excuse) covers(x Violation) bool {
	return e.ID == x.ID && (e.Host == "" || e.Host == "*" || e.Host == x.Host)
}

// maxViolations is how many violations a report keeps: a thing that goes wrong a thousand times is
// not understood better by the next one.
const maxViolations = 1000

// A Report is the judgement of a run.
type Report struct {
	Violations []Violation
	More       int // violations beyond the ones kept
	Excuses    []Excuse
	// Counts is how often each oracle had something to judge. A zero says that the run did not
	// come into the oracle's field, so that its silence means nothing.
	Counts map[string]int
	Events int
	End    env.Instant
}

// OK reports whether nothing was wrong.
func (r Report) OK() bool { return len(r.Violations) == 0 }

// String renders the report for people.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %d events until %s\n",
		plural(int64(len(r.Violations)+r.More), "violation", "violations"), r.Events, stamp(r.End))
	for _, x := range r.Violations {
		fmt.Fprintf(&b, "  %s\n", x)
	}
	for _, e := range r.Excuses {
		if e.N == 0 {
			fmt.Fprintf(&b, "  allowed and not needed: %s %s (%s)\n", e.ID, e.Host, e.Reason)
			continue
		}
		fmt.Fprintf(&b, "  excused %dx %s (%s): %s\n", e.N, e.ID, e.Reason, e.First.Text)
	}
	var judged, idle []string
	for _, d := range Oracles {
		if n := r.Counts[d.ID]; n > 0 {
			judged = append(judged, fmt.Sprintf("%s %d", d.ID, n))
		} else {
			idle = append(idle, d.ID)
		}
	}
	if n := r.Counts[Operator]; n > 0 {
		judged = append(judged, fmt.Sprintf("%d ordered by an operator", n))
	}
	fmt.Fprintf(&b, "  judged: %s; nothing to judge: %s\n", list(judged), list(idle))
	return b.String()
}

// A Judge lets the oracles watch one run. It is not safe for concurrent use.
type Judge struct {
	view    *View
	oracles []Oracle
	allowed []Excuse
	report  Report
}

// New returns a judge for one run. tolerance is by how much clocks and deadlines may be off: 0 in
// virtual time, 250 ms times the scale for processes.
func New(tolerance time.Duration) *Judge {
	j := &Judge{view: newView(tolerance)}
	for _, d := range Oracles {
		j.oracles = append(j.oracles, d.New())
	}
	return j
}

// Run judges a recording. Its quiesce phase begins at quiet; env.Never when it has none.
func Run(events []env.Event, tolerance time.Duration, quiet env.Instant) Report {
	j := New(tolerance)
	for _, ev := range events {
		if j.view.Quiet == env.Never && quiet != env.Never && ev.T >= quiet {
			j.Quiesce(quiet)
		}
		j.Observe(ev)
	}
	return j.End()
}

// View is the world as the judge knows it. It is not to be changed.
func (j *Judge) View() *View { return j.view }

// Observe takes in the next event.
func (j *Judge) Observe(ev env.Event) {
	j.Advance(ev.T)
	j.report.Events++
	j.see(ev)
}

func (j *Judge) see(ev env.Event) {
	j.view.apply(ev)
	for _, o := range j.oracles {
		j.take(o.Event(j.view, ev))
	}
}

// Advance says that nothing more happened until t, so that deadlines until then are judged.
func (j *Judge) Advance(t env.Instant) {
	for off, ok := j.view.ending(t); ok; off, ok = j.view.ending(t) {
		j.pass(off.T)
		j.see(off)
	}
	j.pass(t)
}

func (j *Judge) pass(t env.Instant) {
	if t <= j.view.Now {
		return
	}
	j.view.Now = t
	for _, o := range j.oracles {
		j.take(o.Due(j.view))
	}
}

// Quiesce says that from t on everything is repaired: mains on, network healed, devices plugged,
// daemons running. L01 and L06 judge from then on.
func (j *Judge) Quiesce(t env.Instant) {
	j.Advance(t)
	j.view.Quiet, j.view.calmSince = t, env.Never
	j.view.settle()
	j.see(env.Event{T: t, Kind: quiesced})
}

// quiesced is the kind of the event by which oracles hear of the quiesce phase. It is in no stream.
const quiesced env.Kind = "quiesced"

// Allow excuses the violations of one oracle that concern a host, for a reason; a host of "" or
// "*" means all.
func (j *Judge) Allow(id, host, reason string) {
	j.allowed = append(j.allowed, Excuse{ID: id, Host: host, Reason: reason})
}

// Secrets says which passwords no event may have in it. Short ones are passed over, as they may be
// part of any word.
func (j *Judge) Secrets(words ...string) {
	for _, w := range words {
		if len(w) >= shortestSecret {
			j.view.secrets = append(j.view.secrets, w)
		}
	}
}

// End closes the run and returns the judgement.
func (j *Judge) End() Report {
	r := j.report
	for _, a := range j.allowed {
		if a.N == 0 {
			r.Excuses = append(r.Excuses, a)
		}
	}
	r.Counts, r.End = j.view.judged, j.view.Now
	return r
}

func (j *Judge) take(found []Violation) {
	for _, x := range found {
		for i := range j.allowed {
			if a := &j.allowed[i]; a.covers(x) {
				a.N++
				x.Excuse = a.Reason
				break
			}
		}
		if h := j.view.hostNamed[x.Host]; x.Excuse == "" && h != nil && h.Interrupted {
			x.Excuse = Interrupted
		}
		switch {
		case x.Excuse != "":
			j.excuse(x)
		case len(j.report.Violations) < maxViolations:
			j.report.Violations = append(j.report.Violations, x)
		default:
			j.report.More++
		}
	}
}

// excuse counts a violation that does not count.
func (j *Judge) excuse(x Violation) {
	i := slices.IndexFunc(j.report.Excuses, func(e Excuse) bool {
		return e.ID == x.ID && e.Host == x.Host && e.UPS == x.UPS && e.Reason == x.Excuse
	})
	if i < 0 {
		i = len(j.report.Excuses)
		j.report.Excuses = append(j.report.Excuses,
			Excuse{ID: x.ID, Host: x.Host, UPS: x.UPS, Reason: x.Excuse, First: x})
	}
	j.report.Excuses[i].N++
}
