package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

func (r *room) mains(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which feed?")
	}
	if !r.started {
		if len(args) > 1 && args[1] != "on" {
			return fmt.Errorf("before start a feed is only declared: mains %s", args[0])
		}
		return r.add(func(s *site.Site) error { return s.AddFeed(args[0]) })
	}
	f := r.rung.Site().Feed(args[0])
	if f == nil {
		return fmt.Errorf("no feed %q", args[0])
	}
	if len(args) < 2 {
		return fmt.Errorf("on, off, sag, swell or flicker?")
	}
	r.act()
	set := func(mV int) { r.rung.Site().SetMains(f, mV) }
	switch args[1] {
	case "on":
		set(site.GoodMains)
	case "off":
		set(0)
	case "sag", "swell":
		if len(args) != 3 {
			return fmt.Errorf("%s to how many volts?", args[1])
		}
		v, err := strconv.Atoi(strings.TrimSuffix(args[2], "V"))
		if err != nil || v < 1 || v > 1000 {
			return fmt.Errorf("%s: want volts, 1 to 1000", args[2])
		}
		set(v * 1000)
	case "flicker":
		return r.flicker(args[2:], set)
	default:
		return fmt.Errorf("%q: want on, off, sag, swell or flicker", args[1])
	}
	return nil
}

// flicker switches a feed off and on, N times a PERIOD.
func (r *room) flicker(args []string, set func(mV int)) error {
	if len(args) != 2 {
		return fmt.Errorf("want flicker N PERIOD")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 || n > 1000 {
		return fmt.Errorf("%q: want a number of times, 1 to 1000", args[0])
	}
	period, err := time.ParseDuration(args[1])
	if err != nil || period <= 0 {
		return fmt.Errorf("%q: want a time such as 400ms", args[1])
	}
	for range n {
		for _, mV := range []int{0, site.GoodMains} {
			set(mV)
			if err := r.pass(period / 2); err != nil {
				return err
			}
		}
	}
	return nil
}

// upsAct is the ups word after start.
func (r *room) upsAct(args []string) error {
	u := r.rung.Site().UPS(args[0])
	if u == nil {
		return fmt.Errorf("no ups %q", args[0])
	}
	if len(args) < 2 {
		return fmt.Errorf("fault, unplug, plug or battery?")
	}
	r.act()
	now := time.Duration(r.rung.Now())
	switch {
	case args[1] == "fault" && len(args) >= 3:
		var d time.Duration
		if len(args) == 5 && args[3] == "for" {
			var err error
			if d, err = time.ParseDuration(args[4]); err != nil || d <= 0 {
				return fmt.Errorf("for %s: want a time such as 30s", args[4])
			}
		} else if len(args) != 3 {
			return fmt.Errorf("want fault KIND [for D]")
		}
		return r.fault(u, args[2], now, d)
	case args[1] == "unplug":
		return r.fault(u, "unplug", now, 0)
	case args[1] == "plug":
		u.Cable.ClearFault(now, serve.Unplug)
		r.rung.Emit(env.Event{Kind: env.Fault, UPS: u.Name, Name: "unplug", Value: "off"})
		return nil
	case args[1] == "battery" && len(args) == 3:
		n, err := strconv.Atoi(strings.TrimSuffix(args[2], "%"))
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("battery %s: want percent", args[2])
		}
		u.Body.SetBattery(now, n)
		return nil
	}
	return fmt.Errorf("%q: want fault KIND [for D], unplug, plug or battery N%%",
		strings.Join(args[1:], " "))
}

func (r *room) fault(u *site.UPS, kind string, now, d time.Duration) error {
	f, err := serve.ParseFault(kind)
	if err != nil {
		return err
	}
	if err := u.Cable.Takes(f); err != nil {
		return err
	}
	u.Cable.SetFault(now, f, d)
	r.rung.Emit(env.Event{Kind: env.Fault, UPS: u.Name, Name: kind, Value: "on", N: int64(d)})
	if f == serve.Reset { // that was all of it
		r.rung.Emit(env.Event{Kind: env.Fault, UPS: u.Name, Name: kind, Value: "off"})
	}
	return nil
}

// hostAct is the host word after start.
func (r *room) hostAct(args []string) error {
	m := r.rung.Site().Machine(args[0])
	if m == nil {
		return fmt.Errorf("no host %q", args[0])
	}
	r.act()
	switch strings.Join(args[1:], " ") {
	case "crash":
		m.Crash()
	case "halt", "reboot":
		m.Press(args[1])
	case "wedge":
		r.rung.Emit(env.Event{Kind: env.Mark, Host: m.Name, Name: "wedged"})
	default:
		return fmt.Errorf("%q: want crash, halt, reboot or wedge", strings.Join(args[1:], " "))
	}
	return nil
}

func (r *room) net(args []string) error {
	if len(args) < 3 || !slices.Contains(rung.NetActions, args[0]) {
		return fmt.Errorf("want one of %v and two hosts", rung.NetActions)
	}
	var d time.Duration
	if args[0] == "delay" {
		var err error
		if len(args) != 4 {
			return fmt.Errorf("delay by how much?")
		}
		if d, err = time.ParseDuration(args[3]); err != nil || d < 0 {
			return fmt.Errorf("%q: want a time such as 800ms", args[3])
		}
	}
	for _, h := range args[1:3] {
		if err := r.known(h); err != nil {
			return err
		}
	}
	r.act()
	return r.rung.Net(args[0], args[1], args[2], d)
}

func (r *room) proc(args []string) error {
	if len(args) != 3 || !slices.Contains(rung.ProcActions, args[2]) {
		return fmt.Errorf("want HOST SERVICE and one of %v", rung.ProcActions)
	}
	if err := r.known(args[0]); err != nil {
		return err
	}
	r.act()
	switch args[2] {
	case "pause":
		r.paused = append(r.paused, [2]string{args[0], args[1]})
	case "resume", "kill", "restart":
		r.paused = slices.DeleteFunc(r.paused, func(p [2]string) bool {
			return p[0] == args[0] && p[1] == args[1]
		})
	}
	return r.rung.Proc(args[0], args[1], args[2])
}

// clocks is what a rung can do to clocks.
type clocks interface {
	Jump(host string, d time.Duration)
	Drift(host string, ppm int64)
}

func (r *room) clock(args []string) error {
	c, ok := r.rung.(clocks)
	switch {
	case !ok:
		return fmt.Errorf("only the sim rung has clocks of its own; guard the line with [sim]")
	case len(args) != 3:
		return fmt.Errorf("want HOST jump D, or HOST drift PPM")
	}
	if err := r.known(args[0]); err != nil {
		return err
	}
	switch args[1] {
	case "jump":
		d, err := time.ParseDuration(args[2])
		if err != nil {
			return fmt.Errorf("%q: want a time such as 1h or -90s", args[2])
		}
		r.act()
		c.Jump(args[0], d)
		return nil
	case "drift":
		ppm, err := strconv.ParseInt(args[2], 10, 64)
		if err != nil || ppm < -maxDrift || ppm > maxDrift || r.started {
			return fmt.Errorf("%q: want parts per million, at most %d, before start", args[2], maxDrift)
		}
		return r.add(func(*site.Site) error {
			c.Drift(args[0], ppm)
			return nil
		})
	}
	return fmt.Errorf("%q: want jump or drift", args[1])
}

// maxDrift is far more than any clock of a computer is wrong, in parts per million.
const maxDrift = 10_000

// try is for plans that were drawn: a service that does not run cannot be stopped.
func (r *room) try(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("try what?")
	}
	for _, w := range words() {
		if w.name == args[0] && w.run != nil {
			if err := w.run(r, args[1:]); err != nil {
				r.ts.Logf("%s: %v", strings.Join(args, " "), err)
			}
			return nil
		}
	}
	return fmt.Errorf("%q: no such word", args[0])
}

func (r *room) run(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want HOST PROGRAM ARGS...")
	}
	if err := r.known(args[0]); err != nil {
		return err
	}
	r.act()
	out, err := r.rung.Run(args[0], args[1:])
	r.judgeNew()
	if err != nil {
		return err
	}
	r.last = out
	for _, text := range []string{out.Stdout, out.Stderr} {
		if text != "" {
			r.ts.Logf("%s", strings.TrimRight(text, "\n"))
		}
	}
	if out.Code != 0 {
		return fmt.Errorf("%s ended with %d: %s", args[1], out.Code, strings.TrimSpace(out.Stderr))
	}
	return nil
}

func (r *room) printed(args []string) error {
	text := strings.Join(args, " ")
	if !strings.Contains(r.last.Stdout, text) && !strings.Contains(r.last.Stderr, text) {
		return fmt.Errorf("%q was not printed; this was:\n%s%s", text, r.last.Stdout, r.last.Stderr)
	}
	return nil
}

// pass lets exactly d go by.
func (r *room) pass(d time.Duration) error {
	_, err := r.wait(d, func() bool { return false })
	return err
}

func (r *room) after(args []string) error {
	d, err := duration(args)
	if err != nil {
		return err
	}
	return r.pass(d)
}

// duration reads the first word as a time.
func duration(args []string) (time.Duration, error) {
	if len(args) == 0 {
		return 0, fmt.Errorf("how long?")
	}
	d, err := time.ParseDuration(args[0])
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q: want a time such as 90s or 5m", args[0])
	}
	return d, nil
}

// timed reads a time and a condition.
func (r *room) timed(args []string) (time.Duration, func() bool, error) {
	d, err := duration(args)
	if err != nil {
		return 0, nil, err
	}
	cond, err := r.parse(args[1:])
	return d, cond, err
}

func (r *room) await(args []string) error {
	d, cond, err := r.timed(args)
	if err != nil {
		return err
	}
	ok, err := r.wait(d+r.rung.Tolerance(), cond)
	if err == nil && !ok {
		return fmt.Errorf("at %v: not within %s: %s; %s", clock(r.rung), args[0],
			strings.Join(args[1:], " "), r.summary())
	}
	return err
}

func (r *room) hold(args []string) error {
	d, cond, err := r.timed(args)
	if err != nil {
		return err
	}
	broke, err := r.wait(d, func() bool { return !cond() })
	if err == nil && broke {
		return fmt.Errorf("at %v: no longer so: %s; %s", clock(r.rung), strings.Join(args[1:], " "),
			r.summary())
	}
	return err
}

func (r *room) expect(args []string) error {
	cond, err := r.parse(args)
	if err == nil && !cond() {
		return fmt.Errorf("at %v: not so: %s; %s", clock(r.rung), strings.Join(args, " "), r.summary())
	}
	return err
}

func (r *room) never(args []string) error {
	cond, err := r.parse(args)
	if err == nil {
		r.catchUp()
		r.nevers = append(r.nevers, never{strings.Join(args, " "), r.countingFrom(r.seen.n, cond)})
	}
	return err
}

// countingFrom asks cond with events counted from index on, not from the last action: never goes on
// when the script acts.
func (r *room) countingFrom(index int, cond func() bool) func() bool {
	return func() bool {
		now := r.since
		defer func() { r.since = now }()
		r.since = index
		return cond()
	}
}

func (r *room) hasFile(args []string) error {
	return r.expect(append([]string{"file"}, args...))
}

// summary is what the room looks like, for a failure's last words.
func (r *room) summary() string {
	r.catchUp()
	var parts []string
	s := r.rung.Site()
	for _, m := range s.Machines() {
		parts = append(parts, m.Name+" is "+r.seen.machine[m.Name])
	}
	for _, u := range s.UPSes() {
		outlet := "off"
		if !r.seen.dark[u.Name] {
			outlet = "on"
		}
		parts = append(parts, fmt.Sprintf("%s: clients read %q, outlet %s, %v of battery left", u.Name,
			r.seen.status[u.Name], outlet, u.Body.Remaining().Round(time.Second)))
	}
	return strings.Join(parts, "; ")
}

func (r *room) state([]string) error {
	r.ts.Logf("%v: %s", clock(r.rung), r.summary())
	return nil
}
