package fuzz

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

// play runs a room on virtual hosts.
func play(file string, r room) script.Result {
	if err := os.WriteFile(file, []byte(r.String()), 0o600); err != nil {
		return script.Result{Err: err}
	}
	return script.Run(file, script.Options{Name: "sim", Rung: func(seed uint64) (rung.Rung, error) {
		return rung.NewSim(rung.SimOptions{Seed: seed, Watch: true}), nil
	}})
}

// verdict is what was wrong with a run: the first oracle that it broke, or "script".
func verdict(res script.Result) string {
	switch {
	case !res.Report.OK():
		return res.Report.Violations[0].ID
	case res.Err != nil:
		return "script"
	}
	return ""
}

// How many rooms there are. The usual number keeps the test well below a minute on a small machine;
// then the same ones are drawn each time, so that a change is judged and not its luck. From enough
// rooms on, everything that marks name must have happened.
const (
	usualWorlds = 300
	enough      = 2000
)

// set sets a flag of rapid for one test.
func set(t *testing.T, name, value string) {
	t.Helper()
	before := flag.Lookup(name).Value.String()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flag.Set(name, before) })
}

// TestNoRoomBreaksAnOracle draws rooms and what happens to them, and lets all oracles judge. A
// failure prints the smallest room that still breaks the same oracle, as a scenario to be run by
// rehearse. BLACKSTART_WORLDS says how many rooms; nights have time for ten thousand.
func TestNoRoomBreaksAnOracle(t *testing.T) {
	n, seed := usualWorlds, "1"
	if testing.Short() {
		n /= 10
	}
	if text := os.Getenv("BLACKSTART_WORLDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 1 {
			t.Fatalf("BLACKSTART_WORLDS=%s: want a number of rooms", text)
		}
		seed = strconv.FormatInt(time.Now().UnixNano(), 10)
	}
	set(t, "rapid.checks", strconv.Itoa(n))
	if flag.Lookup("rapid.seed").Value.String() == "0" {
		set(t, "rapid.seed", seed)
		t.Logf("seed %s", seed)
	}
	file := filepath.Join(t.TempDir(), "drawn.txtar")
	stats := newStatistics()
	first := "" // the oracle that broke first: shrinking must not slip to another one
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoom(t)
		res := play(file, r)
		wrong := verdict(res)
		if first == "" {
			stats.add(res)
			first = wrong
		}
		if wrong != "" && wrong == first {
			t.Fatalf("%v\n%s", res.Err, r)
		}
	})
	t.Log(stats)
	if n >= enough && first == "" {
		stats.complain(t)
	}
}

// TestRoomsReplay is C01 for drawn rooms: the same room gives the same run.
func TestRoomsReplay(t *testing.T) {
	set(t, "rapid.checks", "20")
	file := filepath.Join(t.TempDir(), "drawn.txtar")
	rapid.Check(t, func(t *rapid.T) {
		r := drawRoom(t)
		if x := check.Replay(play(file, r).Trace, play(file, r).Trace); x != nil {
			t.Fatalf("%s\n%s", x, r)
		}
	})
}

// marks are what a set of worlds must have seen; a set in which nothing happens proves nothing.
var marks = []struct {
	name string
	seen func([]env.Event) bool
}{
	{"nobody shut down", none(func(ev env.Event) bool { return ev.Kind == env.ShutdownCmd })},
	{"a host shut down", some(func(ev env.Event) bool { return ev.Kind == env.ShutdownCmd })},
	{"two hosts shut down", shutdowns(2)},
	{"an operator ordered it", some(is(env.Decide, "operator", "shutdown"))},
	{"the power decided it", some(is(env.Decide, "power", "shutdown"))},
	{"FSD was set", some(is(env.FSD, "*", "set"))},
	{"a secondary was waited for", some(is(env.Sync, "", "wait"))},
	{"HOSTSYNC expired", some(is(env.Sync, "", "expired"))},
	{"a battery was low", some(is(env.Power, "low", "yes"))},
	{"a battery was empty", some(is(env.Power, "empty", "yes"))},
	{"the load was killed", some(is(env.LoadKill, "*", "accepted", "sent"))},
	{"a power race: mains back after the FSD and before the cut", race},
	{"a host booted again", boots},
	{"data were stale", some(is(env.Data, "", "stale"))},
	{"a monitor lost a UPS", some(is(env.Comm, "", "lost"))},
	{"silence on battery was taken for an empty battery", some(func(ev env.Event) bool {
		return ev.Kind == env.Critical && ev.Value == "yes" && strings.Contains(ev.Why, "DEADTIME")
	})},
	{"a UPS calibrated", some(func(ev env.Event) bool {
		return ev.Kind == env.Status && slices.Contains(strings.Fields(ev.Value), "CAL")
	})},
	{"an instant command was given", some(is(env.Cmd, "*", "*"))},
	{"a driver did not start", some(func(ev env.Event) bool {
		return ev.Kind == env.Proc && strings.HasPrefix(ev.Name, "driver") && ev.N != 0
	})},
	{"a link was cut", some(is(env.Link, "*", "cut", "cut-to"))},
	{"upsd was frozen", some(is(env.Proc, "upsd", "pause"))},
	{"upsmon was frozen", some(is(env.Proc, "upsmon", "pause"))},
	{"upsd was killed", some(is(env.Proc, "upsd", "kill", "restart"))},
	{"upsmon was killed", some(is(env.Proc, "upsmon", "kill", "restart"))},
	{"a host crashed", some(func(ev env.Event) bool { return ev.Kind == env.Machine && ev.Why == "reset" })},
	{"the flag was removed at a start", some(is(env.Flag, "*", "removed"))},
}

func some(f func(env.Event) bool) func([]env.Event) bool {
	return func(trace []env.Event) bool { return slices.ContainsFunc(trace, f) }
}

func none(f func(env.Event) bool) func([]env.Event) bool {
	return func(trace []env.Event) bool { return !slices.ContainsFunc(trace, f) }
}

// is matches an event; * matches any name or value.
func is(kind env.Kind, name string, values ...string) func(env.Event) bool {
	return func(ev env.Event) bool {
		return ev.Kind == kind && (name == "*" || name == "" || ev.Name == name) &&
			(values[0] == "*" || slices.Contains(values, ev.Value))
	}
}

func shutdowns(n int) func([]env.Event) bool {
	return func(trace []env.Event) bool {
		hosts := map[string]bool{}
		for _, ev := range trace {
			if ev.Kind == env.ShutdownCmd {
				hosts[ev.Host] = true
			}
		}
		return len(hosts) >= n
	}
}

func race(trace []env.Event) bool {
	forced := map[string]bool{}
	for _, ev := range trace {
		switch {
		case ev.Kind == env.FSD && ev.Value == "set":
			forced[ev.UPS] = true
		case ev.Kind == env.Power && ev.Name == "outlet":
			delete(forced, ev.UPS)
		case ev.Kind == env.Power && ev.Name == "input" && ev.Value == "line" && forced[ev.UPS]:
			return true
		}
	}
	return false
}

func boots(trace []env.Event) bool {
	up := map[string]bool{}
	for _, ev := range trace {
		if ev.Kind == env.Machine && ev.Value == "booting" && up[ev.Host] {
			return true
		}
		if ev.Kind == env.Machine && ev.Value == "up" {
			up[ev.Host] = true
		}
	}
	return false
}

// statistics are counted over worlds.
type statistics struct {
	mu      sync.Mutex
	worlds  int
	events  int
	virtual time.Duration
	marks   map[string]int
	excuses map[string]int // worlds in which an excuse was needed
	judged  map[string]int // worlds in which an oracle had something to judge
	began   time.Time
}

func newStatistics() *statistics {
	return &statistics{marks: map[string]int{}, excuses: map[string]int{}, judged: map[string]int{},
		began: time.Now()}
}

func (s *statistics) add(res script.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.worlds++
	s.events += len(res.Trace)
	s.virtual += res.Virtual
	for _, m := range marks {
		if m.seen(res.Trace) {
			s.marks[m.name]++
		}
	}
	needed := map[string]bool{}
	for _, e := range res.Report.Excuses {
		if e.N > 0 {
			needed[e.ID+" "+e.Reason] = true
		}
	}
	for name := range needed {
		s.excuses[name]++
	}
	for id, n := range res.Report.Counts {
		if n > 0 {
			s.judged[id]++
		}
	}
}

func (s *statistics) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d worlds, %d events, %v of virtual time in %v\n", s.worlds, s.events,
		s.virtual.Round(time.Hour), time.Since(s.began).Round(time.Second))
	for _, m := range marks {
		fmt.Fprintf(&b, "%6d worlds: %s\n", s.marks[m.name], m.name)
	}
	names := []string(nil)
	for name := range s.excuses {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&b, "%6d worlds: excused %s\n", s.excuses[name], name)
	}
	for _, o := range check.Oracles {
		fmt.Fprintf(&b, "%6d worlds: judged by %s (%s)\n", s.judged[o.ID], o.ID, o.Claim)
	}
	return b.String()
}

// complain fails the test for what no world has seen.
func (s *statistics) complain(t *testing.T) {
	for _, m := range marks {
		if s.marks[m.name] == 0 {
			t.Errorf("in none of %d worlds: %s", s.worlds, m.name)
		}
	}
}
