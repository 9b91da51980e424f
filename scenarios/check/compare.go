package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Comparison is C03: how the notifications of one rung compare to those of another.
type Comparison struct {
	Rows       []Row       // by host and type
	Violations []Violation // empty when the rungs tell the same story
	More       int         // violations beyond those kept
	Notes      []string    // what makes the differences of time less exact
}

// A Row is one type of notification on one host.
type Row struct {
	Host, Name string
	N          int           // how many were compared
	Worst      time.Duration // the largest difference: positive when later than in the reference
	At         env.Instant   // in the reference
}

// maxDisorders is how many pairs in wrong order a comparison keeps: they come in swarms.
const maxDisorders = 20

// Compare compares two runs of one script. On each host the same notifications about each UPS, and
// about the host itself, must have come. Their order, on a host and between hosts, must be the same
// wherever the reference has more than window between two of them; what a host notified the other
// way round within the window, as a poll that sees two steps at once does, is noted. Times
// are counted from the last thing the script did (mains, links, faults, marks), since scripts wait
// for things and so do not run equally fast.
func Compare(reference, other []env.Event, window time.Duration) Comparison {
	c := Comparison{}
	ref, got := notifications(reference), notifications(other)
	c.lists(ref, got)
	pairs := match(ref, got)
	c.order(pairs, max(window, 0))
	c.times(pairs, causes(reference), causes(other))
	return c
}

// OK reports whether the rungs tell the same story.
func (c Comparison) OK() bool { return len(c.Violations) == 0 }

// String renders the comparison as a table, with what is wrong below it.
func (c Comparison) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "host\tnotify\tcompared\tlargest difference\tat")
	for _, r := range c.Rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\n", r.Host, r.Name, r.N, seconds(r.Worst), stamp(r.At))
	}
	w.Flush()
	for _, n := range c.Notes {
		fmt.Fprintln(&b, "note:", n)
	}
	if c.OK() {
		fmt.Fprintln(&b, c.agreement())
	}
	for _, x := range c.Violations {
		fmt.Fprintln(&b, "differs:", x.Text)
	}
	if c.More > 0 {
		fmt.Fprintf(&b, "and %d more\n", c.More)
	}
	return b.String()
}

// agreement is the good news in a sentence.
func (c Comparison) agreement() string {
	n, worst := 0, time.Duration(0)
	hosts := map[string]bool{}
	for _, r := range c.Rows {
		n += r.N
		hosts[r.Host] = true
		worst = max(worst, r.Worst, -r.Worst)
	}
	return fmt.Sprintf("the same story: %d notifications on %d hosts agree, in order; the largest difference of time is %s",
		n, len(hosts), span(worst))
}

// A notification is a notify event, without what may differ between rungs.
type notification struct {
	host, ups, name string
	t               env.Instant
}

func (n notification) String() string { return strings.TrimRight(n.name+" "+n.ups, " ") }

func notifications(events []env.Event) []notification {
	var all []notification
	for _, ev := range events {
		if ev.Kind == env.Notify {
			all = append(all, notification{ev.Host, baseName(ev.UPS), ev.Name, ev.T})
		}
	}
	return all
}

// lists compares, for each host and UPS, what was notified about that UPS or about the host.
func (c *Comparison) lists(ref, got []notification) {
	var subjects []subject
	named := map[string]bool{}
	for _, n := range slices.Concat(ref, got) {
		if n.ups != "" {
			subjects = append(subjects, subject{n.host, n.ups})
			named[n.host] = true
		}
	}
	for _, n := range slices.Concat(ref, got) {
		if !named[n.host] {
			subjects = append(subjects, subject{n.host, ""})
		}
	}
	slices.SortFunc(subjects, func(a, b subject) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.ups, b.ups))
	})
	for _, s := range slices.Compact(subjects) {
		a, b := about(ref, s), about(got, s)
		for i := range max(len(a), len(b)) {
			if i < min(len(a), len(b)) && a[i].String() == b[i].String() {
				continue
			}
			if sameBag(a[i:], b[i:]) && twoPolls(a[i:], b[i:]) {
				// Whether they were too far apart for that, order says.
				c.Notes = append(c.Notes, fmt.Sprintf("%s notified %s and %s the other way round",
					s.host, a[i], b[i]))
			} else {
				c.Violations = append(c.Violations, differentAt(s, a[i:], b[i:]))
			}
			break // the rest of the list is shifted
		}
	}
}

// onePoll is how close together a host notifies what one poll told it.
const onePoll = 2 * time.Second

// twoPolls reports whether the first notifications of two lists, which differ, belong to different
// polls in one of the runs: then a poll that came later may have seen both steps at once in the
// other, and told them in the order of the words.
func twoPolls(a, b []notification) bool {
	apart := func(list []notification, other notification) time.Duration {
		for _, n := range list {
			if n.String() == other.String() {
				return n.t.Sub(list[0].t)
			}
		}
		return 0
	}
	return max(apart(a, b[0]), apart(b, a[0])) >= onePoll
}

// sameBag reports whether two lists hold the same notifications in any order.
func sameBag(a, b []notification) bool {
	names := func(list []notification) []string {
		var all []string
		for _, n := range list {
			all = append(all, n.String())
		}
		slices.Sort(all)
		return all
	}
	return slices.Equal(names(a), names(b))
}

// differentAt says how two lists differ that differ in their first notification, or in that one of
// them has none.
func differentAt(s subject, ref, got []notification) Violation {
	switch {
	case len(got) == 0:
		return wrong("C03", s, ref[0].t, "%s did not notify %s, which the reference has at %s",
			s.host, ref[0], stamp(ref[0].t))
	case len(ref) == 0:
		return wrong("C03", s, got[0].t, "%s notified %s at %s, which the reference does not have",
			s.host, got[0], stamp(got[0].t))
	}
	return wrong("C03", s, got[0].t, "%s notified %s at %s where the reference has %s at %s",
		s.host, got[0], stamp(got[0].t), ref[0], stamp(ref[0].t))
}

func about(all []notification, s subject) []notification {
	var found []notification
	for _, n := range all {
		if n.host == s.host && (n.ups == s.ups || n.ups == "") {
			found = append(found, n)
		}
	}
	return found
}

// A pair is a notification in both runs.
type pair struct{ ref, got notification }

// match pairs the first ONBATT of a UPS on a host with the first, the second with the second.
func match(ref, got []notification) []pair {
	type key struct{ host, ups, name string }
	waiting := map[key][]notification{}
	for _, n := range got {
		k := key{n.host, n.ups, n.name}
		waiting[k] = append(waiting[k], n)
	}
	var pairs []pair
	for _, n := range ref {
		k := key{n.host, n.ups, n.name}
		if w := waiting[k]; len(w) > 0 {
			pairs = append(pairs, pair{n, w[0]})
			waiting[k] = w[1:]
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(a.ref.t, b.ref.t) })
	return pairs
}

// order looks for pairs that the reference has far apart and the other run the other way round.
func (c *Comparison) order(pairs []pair, window time.Duration) {
	last, i := -1, 0 // of those well before j, the one that came last in the other run
	disorders := 0
	for j := range pairs {
		for ; pairs[j].ref.t.Sub(pairs[i].ref.t) > window; i++ {
			if last < 0 || pairs[i].got.t > pairs[last].got.t {
				last = i
			}
		}
		if last < 0 || pairs[last].got.t <= pairs[j].got.t {
			continue
		}
		if disorders++; disorders > maxDisorders {
			c.More++
			continue
		}
		a, b := pairs[last], pairs[j]
		c.Violations = append(c.Violations, wrong("C03", subject{b.got.host, b.got.ups}, b.got.t,
			"%s notified %s at %s before %s notified %s at %s; "+
				"the reference has them the other way round, %s apart",
			b.got.host, b.got, stamp(b.got.t), a.got.host, a.got, stamp(a.got.t),
			span(b.ref.t.Sub(a.ref.t))))
	}
}

// A cause is something the script did.
type cause struct {
	what string
	t    env.Instant
}

func causes(events []env.Event) []cause {
	all := []cause{{"start", 0}}
	for _, ev := range events {
		switch ev.Kind {
		case env.Mains, env.Link, env.Fault, env.Mark:
			what := fmt.Sprintf("%s %s %s %s", ev.Kind, ev.UPS, ev.Name, ev.Value)
			all = append(all, cause{what, ev.T})
		}
	}
	return all
}

// times works out how much earlier or later each type of notification came.
func (c *Comparison) times(pairs []pair, ref, got []cause) {
	common := 0
	for common < min(len(ref), len(got)) && ref[common].what == got[common].what {
		common++
	}
	if common < max(len(ref), len(got)) {
		c.Notes = append(c.Notes, fmt.Sprintf(
			"the scripts did not do the same after step %d; later times count from there",
			common-1))
	}
	at := 0
	index := map[[2]string]int{}
	for _, p := range pairs {
		for at+1 < common && ref[at+1].t <= p.ref.t {
			at++
		}
		k := [2]string{p.ref.host, p.ref.name}
		i, known := index[k]
		if !known {
			i = len(c.Rows)
			index[k] = i
			c.Rows = append(c.Rows, Row{Host: p.ref.host, Name: p.ref.name, At: p.ref.t})
		}
		c.Rows[i].add(p, p.got.t.Sub(got[at].t)-p.ref.t.Sub(ref[at].t))
	}
	slices.SortStableFunc(c.Rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.At, b.At))
	})
}

func (r *Row) add(p pair, diff time.Duration) {
	if r.N++; max(diff, -diff) > max(r.Worst, -r.Worst) {
		r.Worst, r.At = diff, p.ref.t
	}
}
