package script

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// room is one run of one script.
type room struct {
	opt  Options
	seed uint64
	file string
	work string // folder with the script's files
	ts   *testscript.TestScript

	rung    rung.Rung
	plan    rung.Plan
	declare []func(*site.Site) error // the room's declarations, so that explore can repeat them
	started bool
	counted bool // the tasks, before the first action
	judge   *check.Judge
	judged  int // events that the judge has seen
	seen    seen
	since   int // events before the last action do not count for "event"
	nevers  []never
	last    rung.Output

	measures []Measure
	explored int
	paused   [][2]string // host, service
	why      string      // of a skip
}

type never struct {
	text string
	cond func() bool
}

// commands gives testscript the words of the language.
func (r *room) commands() map[string]func(*testscript.TestScript, bool, []string) {
	cmds := map[string]func(*testscript.TestScript, bool, []string){}
	for _, w := range words() {
		if w.run == nil {
			continue
		}
		cmds[w.name] = func(ts *testscript.TestScript, neg bool, args []string) {
			r.ts = ts
			err := r.open()
			if err == nil {
				err = w.run(r, args)
			}
			if r.why != "" {
				ts.Logf("skipped: %s", r.why)
				skipNow()
			}
			if neg && w.neg {
				if err == nil {
					ts.Fatalf("%s %s: succeeded; it must not", w.name, strings.Join(args, " "))
				}
				return
			}
			ts.Check(err)
		}
	}
	return cmds
}

// skipNow leaves the script the way T.Skip does.
func skipNow() { panic(errSkipNow) }

// open makes the rung at the first word, when the seed is known.
func (r *room) open() error {
	if r.rung != nil {
		return nil
	}
	g, err := r.opt.Rung(r.seed)
	if err != nil {
		return err
	}
	r.rung, r.seen = g, newSeen()
	r.judge = check.New(g.Tolerance())
	return nil
}

// capabilities of the rungs that exist.
var capabilities = []string{"mains-control", "outlet-sense", "proc-control", "net-control",
	"device-fault"}

func (r *room) needs(args []string) error {
	for _, c := range args {
		if !slices.Contains(capabilities, c) {
			r.why = fmt.Sprintf("rung %s cannot do %s (it can: %s)", r.opt.Name, c,
				strings.Join(capabilities, " "))
		}
	}
	return nil
}

// condition answers the guards of lines.
func (r *room) condition(cond string) (bool, error) {
	switch {
	case cond == "sim" || cond == "proc" || cond == "vm" || cond == "metal":
		return cond == r.opt.Name, nil
	case strings.HasPrefix(cond, "cap:"):
		return slices.Contains(capabilities, cond[4:]), nil
	}
	return false, fmt.Errorf("[%s]: no such guard; there are sim, proc, vm, metal and cap:NAME", cond)
}

func (r *room) add(d func(*site.Site) error) error {
	if r.started {
		return fmt.Errorf("declarations come before start")
	}
	r.declare = append(r.declare, d)
	return d(r.rung.Site())
}

func (r *room) setSeed(args []string) error {
	n, err := strconv.ParseUint(strings.Join(args, " "), 0, 64)
	if err != nil {
		return fmt.Errorf("%q: want a number", args)
	}
	if len(r.declare) > 0 {
		return fmt.Errorf("seed comes before all declarations")
	}
	if err := r.rung.Close(); err != nil {
		return err
	}
	r.seed, r.rung = n, nil
	return r.open()
}

// pairs splits key=value words and refuses keys that are not known.
func pairs(args []string, known ...string) (map[string]string, error) {
	m := map[string]string{}
	for _, a := range args {
		k, v, ok := strings.Cut(a, "=")
		if !ok || !slices.Contains(known, k) {
			return nil, fmt.Errorf("%q: want key=value with a key of: %s", a, strings.Join(known, " "))
		}
		m[k] = v
	}
	return m, nil
}

// durations fills durations from values; a missing key leaves its target alone.
func durations(m map[string]string, to map[string]*time.Duration) error {
	for k, v := range m { //house: order does not matter: one error is as good as another
		if d := to[k]; d != nil {
			var err error
			if *d, err = time.ParseDuration(v); err != nil || *d < 0 {
				return fmt.Errorf("%s=%s: want a time such as 90s or 5m", k, v)
			}
		}
	}
	return nil
}

func (r *room) ups(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which ups?")
	}
	if r.started {
		return r.upsAct(args)
	}
	name := args[0]
	m, err := pairs(args[1:], slices.Concat(bodyKeys, faceKeys())...)
	if err != nil {
		return err
	}
	face, err := makeFace(m)
	if err != nil {
		return err
	}
	bridged, err := makeBridge(m)
	if err != nil {
		return err
	}
	var spec power.Spec
	err = durations(m, map[string]*time.Duration{"runtime": &spec.Runtime, "low": &spec.Low,
		"recharge": &spec.Recharge, "restart": &spec.Restart, "minoff": &spec.MinOff})
	if err != nil {
		return err
	}
	if v := m["load"]; v != "" {
		if spec.Load, err = strconv.Atoi(strings.TrimSuffix(v, "%")); err != nil {
			return fmt.Errorf("load=%s: want percent", v)
		}
	}
	if v := m["kill"]; v != "" {
		if spec.Kill, err = power.ParseKillMode(v); err != nil {
			return err
		}
	}
	spec.DeepSleep = m["deepsleep"] == "yes"
	return r.add(func(s *site.Site) error {
		u, err := s.AddUPS(name, m["feed"], spec, face)
		if err == nil && bridged != nil {
			err = s.Bridge(u, bridged)
		}
		return err
	})
}

func (r *room) host(args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which host?")
	}
	if r.started {
		return r.hostAct(args)
	}
	m, err := pairs(args[1:], "fedby", "min", "boot", "halt", "fallback", "bios")
	if err != nil {
		return err
	}
	var boot, halt, fallback time.Duration
	if v, ok := m["fallback"]; ok {
		m["fallback"] = strings.TrimPrefix(v, "reboot:")
	}
	err = durations(m, map[string]*time.Duration{"boot": &boot, "halt": &halt, "fallback": &fallback})
	if err != nil {
		return err
	}
	need := 0
	if v := m["min"]; v != "" {
		if need, err = strconv.Atoi(v); err != nil || need < 1 {
			return fmt.Errorf("min=%s: want a number of supplies", v)
		}
	}
	if v := m["bios"]; v != "" && v != "on" && v != "last" && v != "off" {
		return fmt.Errorf("bios=%s: want on, last or off", v)
	}
	var supplies []site.Supply
	for _, s := range strings.Split(m["fedby"], ",") {
		source, n, counted := strings.Cut(s, ":")
		sup := site.Supply{Source: source, N: 1}
		if counted {
			if sup.N, err = strconv.Atoi(n); err != nil || sup.N < 1 {
				return fmt.Errorf("fedby=%s: want UPS:N", s)
			}
		}
		if source != "" {
			supplies = append(supplies, sup)
		}
	}
	return r.add(func(s *site.Site) error {
		return s.AddMachine(&site.Machine{Name: args[0], Supplies: supplies, Need: need, Boot: boot,
			Halt: halt, Fallback: fallback, BIOS: m["bios"]})
	})
}

func (r *room) known(host string) error {
	if r.rung.Site().Machine(host) == nil {
		return fmt.Errorf("no host %q; declare it with: host %s fedby=...", host, host)
	}
	return nil
}

func (r *room) cable(args []string) error {
	host, port, ok := "", "", false
	if len(args) == 2 {
		host, port, ok = strings.Cut(args[1], ":")
	}
	if !ok || port == "" {
		return fmt.Errorf("want UPS HOST:PORT")
	}
	if r.rung.Site().UPS(args[0]) == nil {
		return fmt.Errorf("no ups %q", args[0])
	}
	r.plan.Cables = append(r.plan.Cables, rung.Cable{UPS: args[0], Host: host, Port: port})
	return r.known(host)
}

func (r *room) link(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want A B")
	}
	l := rung.Link{A: args[0], B: args[1]}
	m, err := pairs(args[2:], "latency", "loss")
	if err == nil {
		err = durations(m, map[string]*time.Duration{"latency": &l.Latency})
	}
	if err != nil {
		return err
	}
	if v := m["loss"]; v != "" {
		if l.Loss, err = strconv.Atoi(strings.TrimSuffix(v, "%")); err != nil || l.Loss < 0 ||
			l.Loss > 99 {
			return fmt.Errorf("loss=%s: want percent, at most 99", v)
		}
	}
	for _, h := range args[:2] {
		if err := r.known(h); err != nil {
			return err
		}
	}
	r.plan.Links = append(r.plan.Links, l)
	return nil
}

func (r *room) service(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("want HOST SERVICE...")
	}
	if err := r.known(args[0]); err != nil {
		return err
	}
	for _, s := range args[1:] {
		if name, ok := strings.CutPrefix(s, "driver:"); ok && r.rung.Site().UPS(name) == nil {
			return fmt.Errorf("%s: no ups %s", s, name)
		} else if !ok && s != "upsd" && s != "upsmon" {
			return fmt.Errorf("%q: want driver:UPS, upsd or upsmon", s)
		}
	}
	return r.add(func(s *site.Site) error {
		s.Machine(args[0]).Services = args[1:]
		return nil
	})
}

func (r *room) start(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("start takes no words")
	}
	for _, m := range r.rung.Site().Machines() {
		files, err := os.ReadDir(filepath.Join(r.work, m.Name, "etc"))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(r.work, m.Name, "etc", f.Name()))
			if err != nil {
				return err
			}
			r.plan.Files = append(r.plan.Files, rung.File{Host: m.Name, Name: f.Name(), Text: string(b)})
		}
	}
	r.started = true
	r.judge.Secrets(rung.Secrets(r.plan.Files)...)
	return r.rung.Start(r.plan)
}

// wait lets time pass until cond holds; what must never happen is watched meanwhile.
func (r *room) wait(max time.Duration, cond func() bool) (bool, error) {
	if !r.started {
		return false, fmt.Errorf("the room has no power yet: say start first")
	}
	var broken string
	ok, err := r.rung.Wait(max, func() bool {
		r.catchUp()
		broken = r.broken()
		return broken != "" || cond()
	})
	r.judgeNew()
	if broken != "" {
		return false, fmt.Errorf("at %v: never %s: it happened", clock(r.rung), broken)
	}
	return ok, err
}

// broken is what should never happen and has, "" while all is well.
func (r *room) broken() string {
	for _, n := range r.nevers {
		if n.cond() {
			return n.text
		}
	}
	return ""
}

// judgeNew shows the oracles what is new.
func (r *room) judgeNew() {
	trace := r.rung.Trace()
	for ; r.judged < len(trace); r.judged++ {
		r.judge.Observe(trace[r.judged])
	}
}

func clock(g rung.Rung) time.Duration { return time.Duration(g.Now()).Round(time.Millisecond) }

// act begins an action: events from here on count as its consequences.
func (r *room) act() {
	if r.started && !r.counted {
		r.counted = true
		countTasks(r.rung, "idle")
	}
	r.catchUp()
	r.since = r.seen.n
}
