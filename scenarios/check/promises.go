package check

import (
	"cmp"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A subject is what a promise is about.
type subject struct{ host, ups string }

// A promise is something that must happen, and by when. say tells what is wrong if it did not, ""
// when all is well after all.
type promise struct {
	by   env.Instant
	say  func() string
	told bool // that it was broken; it stays until its reason is gone
	// excuse names the reason why it does not count when it is broken, "" when it does; may be nil.
	excuse func() string
}

// promises are the open ones of an oracle.
type promises struct {
	open map[subject]*promise
	next env.Instant // no open promise is due before this
}

// hold opens a promise, or gives an open one its newest deadline. say is called when it is broken.
func (p *promises) hold(s subject, by env.Instant, say func() string) {
	if p.open == nil {
		p.open, p.next = map[subject]*promise{}, env.Never
	}
	o := p.open[s]
	if o == nil {
		o = &promise{}
		p.open[s] = o
	}
	o.by, o.say = by, say
	p.next = min(p.next, by)
}

// excuse gives an open promise an excuse.
func (p *promises) excuse(s subject, excuse func() string) { p.open[s].excuse = excuse }

// drop closes a promise: it was kept, or its reason is gone.
func (p *promises) drop(s subject) { delete(p.open, s) }

// holds reports whether a promise is open.
func (p *promises) holds(s subject) bool { return p.open[s] != nil }

// subjects are those of the open promises, sorted.
func (p *promises) subjects() []subject {
	var all []subject
	for s := range p.open {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b subject) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.ups, b.ups))
	})
	return all
}

// late returns the promises that were due before now, each once.
func (p *promises) late(id string, v *View) []Violation {
	if len(p.open) == 0 || v.Now <= p.next.Add(v.Tolerance) {
		return nil
	}
	var found []Violation
	p.next = env.Never
	for _, s := range p.subjects() {
		switch o := p.open[s]; {
		case o.told:
		case v.Now > o.by.Add(v.Tolerance):
			o.told = true
			text := o.say()
			if text == "" {
				p.drop(s)
				continue
			}
			x := wrong(id, s, o.by, "%s", text)
			if o.excuse != nil {
				x.Excuse = o.excuse()
			}
			found = append(found, x)
		default:
			p.next = min(p.next, o.by)
		}
	}
	return found
}

// judge counts that an oracle had something to judge.
func (v *View) judge(id string) { v.judged[id]++ }
