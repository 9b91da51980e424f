package script

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// find returns the index of the first event from i on that a script calls name, -1 when there is
// none.
func find(trace []env.Event, i int, name string) int {
	for ; i < len(trace); i++ {
		if is(trace[i], name) {
			return i
		}
	}
	return -1
}

func (r *room) order(args []string) error {
	trace := r.rung.Trace()
	at := -1
	for i, name := range args {
		next := find(trace, at+1, name)
		if next < 0 && find(trace, 0, name) < 0 {
			return fmt.Errorf("%s did not happen", name)
		} else if next < 0 {
			return fmt.Errorf("%s did not happen after %s", name, args[i-1])
		}
		at = next
	}
	return nil
}

func (r *room) mark(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("want one name")
	}
	r.rung.Emit(env.Event{Kind: env.Mark, Name: args[0]})
	return nil
}

// span finds the last b, and the last a before it.
func span(trace []env.Event, a, b string) (from, to *env.Event, err error) {
	for i := len(trace) - 1; i >= 0; i-- {
		switch ev := &trace[i]; {
		case to == nil && is(*ev, b):
			to = ev
		case to != nil && is(*ev, a):
			return ev, to, nil
		}
	}
	if to == nil {
		return nil, nil, fmt.Errorf("%s did not happen", b)
	}
	return nil, nil, fmt.Errorf("%s did not happen before %s", a, b)
}

func (r *room) between(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want A B MIN MAX")
	}
	min, err := duration(args[2:])
	if err != nil {
		return err
	}
	max, err := duration(args[3:])
	if err != nil {
		return err
	}
	from, to, err := span(r.rung.Trace(), args[0], args[1])
	if err != nil {
		return err
	}
	tol := r.rung.Tolerance()
	if d := to.T.Sub(from.T); d < min-tol || d > max+tol {
		return fmt.Errorf("from %s to %s it took %v; want %v to %v", args[0], args[1],
			d.Round(time.Millisecond), min, max)
	}
	return nil
}

func (r *room) measure(args []string) error {
	if len(args) < 4 || args[2] != "runtime-left-at" {
		return fmt.Errorf("want NAME UPS runtime-left-at HOST:STATE [min=D] [max=D]")
	}
	limit := map[string]*time.Duration{"min": new(time.Duration), "max": new(time.Duration)}
	m, err := pairs(args[4:], "min", "max")
	if err == nil {
		err = durations(m, limit)
	}
	if err != nil {
		return err
	}
	host, state, _ := strings.Cut(args[3], ":")
	left := time.Duration(-1)
	for _, ev := range r.rung.Trace() {
		if ev.Kind == env.Power && ev.Name == "left" && ev.Host == host && ev.UPS == args[1] &&
			ev.Value == state {
			left = time.Duration(ev.N)
		}
	}
	if left < 0 {
		return fmt.Errorf("%s did not happen, or %s does not feed %s", args[3], args[1], host)
	}
	r.measures = append(r.measures, Measure{args[0], left})
	r.ts.Logf("%s = %v", args[0], left.Round(time.Second))
	if left < *limit["min"] || *limit["max"] > 0 && left > *limit["max"] {
		return fmt.Errorf("%s is %v; want %s", args[0], left.Round(time.Second),
			strings.Join(args[4:], " "))
	}
	return nil
}

func (r *room) allow(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which oracle?")
	}
	m, err := pairs(args[1:], "host", "reason")
	if err != nil {
		return err
	}
	if m["reason"] == "" {
		return fmt.Errorf("an excuse needs a reason=WORD")
	}
	r.judge.Allow(args[0], m["host"], m["reason"])
	return nil
}

// hurtLinks returns the links that were cut or delayed and not healed since, each "a b".
func hurtLinks(trace []env.Event) []string {
	var hurt []string
	for _, ev := range trace {
		if ev.Kind != env.Link {
			continue
		}
		a, b, _ := strings.Cut(ev.Name, " ")
		same := func(l string) bool { return l == ev.Name || l == b+" "+a }
		if ev.Value == "heal" {
			hurt = slices.DeleteFunc(hurt, same)
		} else if !slices.ContainsFunc(hurt, same) {
			hurt = append(hurt, ev.Name)
		}
	}
	return hurt
}

// repair puts everything right that a script, or a plan of faults, may have broken.
func repair(g rung.Rung, paused [][2]string) error {
	s := g.Site()
	for _, hosts := range hurtLinks(g.Trace()) {
		a, b, _ := strings.Cut(hosts, " ")
		if err := g.Net("heal", a, b, 0); err != nil {
			return err
		}
	}
	for _, u := range s.UPSes() {
		for _, name := range u.Cable.Faults(time.Duration(g.Now())) {
			f, err := serve.ParseFault(name)
			if err != nil {
				return err
			}
			u.Cable.ClearFault(time.Duration(g.Now()), f)
			g.Emit(env.Event{Kind: env.Fault, UPS: u.Name, Name: name, Value: "off"})
		}
	}
	for _, p := range paused {
		// What was paused may have gone down with its host since: then there is nothing to resume.
		_ = g.Proc(p[0], p[1], "resume")
	}
	for _, f := range s.Feeds() {
		s.SetMains(f, site.GoodMains)
	}
	for _, dead := range killed(g.Trace()) {
		// A host that went down since starts its services itself.
		_ = g.Proc(dead[0], dead[1], "restart")
	}
	return nil
}

// killed returns the services that were killed, or ended, and not started since, each with its
// host.
func killed(trace []env.Event) [][2]string {
	var dead [][2]string
	for _, ev := range trace {
		about := func(d [2]string) bool { return d[0] == ev.Host }
		switch {
		case ev.Kind == env.Machine && ev.Value != site.Up:
			dead = slices.DeleteFunc(dead, about)
		case ev.Kind == env.Proc && (ev.Value == "kill" || ev.Value == "exit"):
			dead = append(dead, [2]string{ev.Host, ev.Name})
		case ev.Kind == env.Proc && ev.Value == "restart":
			dead = slices.DeleteFunc(dead, func(d [2]string) bool { return about(d) && d[1] == ev.Name })
		}
	}
	return dead
}

func (r *room) quiesce(args []string) error {
	d, err := duration(args)
	if err != nil {
		return err
	}
	r.act()
	if err := repair(r.rung, r.paused); err != nil {
		return err
	}
	r.paused = nil
	r.judgeNew()
	r.judge.Quiesce(r.rung.Now())
	if err := r.pass(d); err != nil {
		return err
	}
	countTasks(r.rung, "after")
	r.judgeNew()
	return nil
}

// countTasks tells how many tasks programs have, on a rung that knows.
func countTasks(g rung.Rung, value string) {
	if c, ok := g.(interface{ CountTasks(string) }); ok {
		c.CountTasks(value)
	}
}
