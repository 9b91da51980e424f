package script

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Lengths of an exploration: the room settles, is hurt, is repaired and comes back.
const (
	settleTime  = time.Minute
	HurtTime    = 20 * time.Minute // faults begin within it
	recoverTime = 15 * time.Minute
)

// FaultKinds are what explore can do to a room, each drawn as a window of time.
var FaultKinds = []string{"outage", "partition", "delay", "stall", "kill", "silence"}

// A Hurt is one fault: begin and end, and what it does. A plan is a list of them: plain data,
// printed as lines of a script when a run fails.
type Hurt struct {
	At, Until time.Duration // since the room settled
	Kind      string        // one of FaultKinds
	A, B      string        // host and host, or host and service; or feed, or UPS
}

func (h Hurt) String() string {
	switch h.Kind {
	case "outage":
		return fmt.Sprintf("at %v: mains %s off until %v", h.At, h.A, h.Until)
	case "silence":
		return fmt.Sprintf("at %v: ups %s fault silent until %v", h.At, h.A, h.Until)
	case "stall":
		return fmt.Sprintf("at %v: proc %s %s pause until %v", h.At, h.A, h.B, h.Until)
	case "kill":
		return fmt.Sprintf("at %v: proc %s %s restart", h.At, h.A, h.B)
	}
	return fmt.Sprintf("at %v: %s of the link %s %s until %v", h.At, h.Kind, h.A, h.B, h.Until)
}

func (r *room) explore(args []string) error {
	if r.opt.Remake == nil {
		return fmt.Errorf("only the sim rung can explore; guard the line with [sim]")
	}
	m, err := pairs(args, "seeds", "faults")
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(m["seeds"])
	if err != nil || n < 1 {
		return fmt.Errorf("seeds=%s: want a number", m["seeds"])
	}
	kinds := strings.Split(m["faults"], ",")
	for _, k := range kinds {
		if !slices.Contains(FaultKinds, k) {
			return fmt.Errorf("faults=%s: want some of %s", k, strings.Join(FaultKinds, ","))
		}
	}
	for i := range uint64(n) {
		seed := r.seed*1_000_003 + i + 1
		plan, report, err := r.exploreOne(seed, kinds)
		if err != nil {
			return fmt.Errorf("seed %d: %w", seed, err)
		}
		r.explored++
		if !report.OK() {
			var lines []string
			for _, h := range plan {
				lines = append(lines, "  "+h.String())
			}
			return fmt.Errorf("seed %d breaks an oracle:\n%s\nthe faults were:\n%s", seed, report,
				strings.Join(lines, "\n"))
		}
	}
	r.ts.Logf("explored %d worlds", n)
	return nil
}

// exploreOne runs the room once more under a plan drawn from the seed.
func (r *room) exploreOne(seed uint64, kinds []string) ([]Hurt, check.Report, error) {
	g, err := r.opt.Remake(seed)
	if err != nil {
		return nil, check.Report{}, err
	}
	defer g.Close()
	for _, d := range r.declare {
		if err := d(g.Site()); err != nil {
			return nil, check.Report{}, err
		}
	}
	plan := draw(rand.New(rand.NewPCG(seed, 7)), g.Site(), kinds)
	if err := g.Start(r.plan); err != nil {
		return plan, check.Report{}, err
	}
	quiet, err := Play(g, plan)
	if err != nil {
		return plan, check.Report{}, err
	}
	return plan, check.Run(g.Trace(), g.Tolerance(), quiet), nil
}

// draw makes a plan: which kinds of faults this world knows, and when they come.
func draw(rng *rand.Rand, s *site.Site, kinds []string) []Hurt {
	var plan []Hurt
	window := func(max time.Duration) (at, until time.Duration) {
		at = time.Duration(rng.Int64N(int64(HurtTime)))
		return at, at + time.Second + time.Duration(rng.Int64N(int64(max)))
	}
	machines := s.Machines()
	pick := func() *site.Machine { return machines[rng.IntN(len(machines))] }
	for _, kind := range kinds {
		if kind != "outage" && rng.IntN(2) == 0 {
			continue
		}
		for range 1 + rng.IntN(3) {
			h := Hurt{Kind: kind}
			switch kind {
			case "outage":
				h.A = s.Feeds()[rng.IntN(len(s.Feeds()))].Name
				h.At, h.Until = window(15 * time.Minute)
			case "silence":
				h.A = s.UPSes()[rng.IntN(len(s.UPSes()))].Name
				h.At, h.Until = window(time.Minute)
			case "partition", "delay":
				h.A, h.B = pick().Name, pick().Name
				if h.A == h.B {
					continue
				}
				h.At, h.Until = window(2 * time.Minute)
			default:
				m := pick()
				h.A, h.B = m.Name, m.Services[rng.IntN(len(m.Services))]
				h.At, h.Until = window(30 * time.Second)
			}
			plan = append(plan, h)
		}
	}
	return plan
}

// Play hurts a room that was started as planned, repairs it and lets it recover. It returns when
// the repair was, which is what check.Run wants to know.
func Play(g rung.Rung, plan []Hurt) (quiet env.Instant, err error) {
	type step struct {
		at  time.Duration
		h   Hurt
		end bool
	}
	var steps []step
	for _, h := range plan {
		steps = append(steps, step{h.At, h, false}, step{h.Until, h, true})
	}
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	pass := func(d time.Duration) {
		if err == nil && d > 0 {
			_, err = g.Wait(d, func() bool { return false })
		}
	}
	pass(settleTime)
	countTasks(g, "idle")
	now := time.Duration(0)
	for _, s := range steps {
		pass(s.at - now)
		now = s.at
		inflict(g, s.h, s.end)
	}
	pass(HurtTime - now)
	if err != nil {
		return 0, err
	}
	if err := repair(g, nil); err != nil {
		return 0, err
	}
	quiet = g.Now()
	pass(recoverTime)
	countTasks(g, "after")
	return quiet, err
}

// inflict begins or ends one fault. A host that is off cannot be hurt: its errors are nothing.
func inflict(g rung.Rung, h Hurt, end bool) {
	s := g.Site()
	switch h.Kind {
	case "outage":
		mV := 0
		if end {
			mV = site.GoodMains
		}
		s.SetMains(s.Feed(h.A), mV)
	case "silence":
		if !end {
			s.UPS(h.A).Cable.SetFault(time.Duration(g.Now()), serve.Silent, h.Until-h.At)
			g.Emit(env.Event{Kind: env.Fault, UPS: h.A, Name: "silent", Value: "on",
				N: int64(h.Until - h.At)})
		}
	case "partition", "delay":
		action := map[string]string{"partition": "cut", "delay": "delay"}[h.Kind]
		if end {
			action = "heal"
		}
		_ = g.Net(action, h.A, h.B, 800*time.Millisecond)
	case "stall":
		_ = g.Proc(h.A, h.B, map[bool]string{false: "pause", true: "resume"}[end])
	case "kill":
		if !end {
			_ = g.Proc(h.A, h.B, "restart")
		}
	}
}
