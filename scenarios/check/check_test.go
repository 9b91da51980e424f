package check

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A scene is a run and what is to be said of it.
type scene struct {
	claim  string
	events []env.Event
	quiet  float64 // when the quiesce phase begins, in seconds; 0 never
	end    float64 // until when nothing more happens
	want   string  // the violations: "S01 db, S01 nas"; with an excuse "S01 db no-time"
}

func (s scene) judge(tolerance time.Duration) Report {
	j := New(tolerance)
	j.Secrets(password, "pw")
	quiet := env.Never
	if s.quiet > 0 {
		quiet = sec(s.quiet)
	}
	for _, ev := range s.events {
		if ev.T >= quiet {
			j.Quiesce(quiet)
			quiet = env.Never
		}
		j.Observe(ev)
	}
	if quiet != env.Never {
		j.Quiesce(quiet)
	}
	j.Advance(sec(s.end))
	return j.End()
}

// password is one that no event may have in it.
const password = "tea4two!"

// found writes what a report says as scene.want does.
func found(r Report) string {
	var all []string
	for _, x := range r.Violations {
		all = append(all, strings.TrimSpace(x.ID+" "+x.Host))
	}
	for _, e := range r.Excuses {
		all = append(all, e.ID+" "+e.Host+" "+e.Reason)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

func judgeAll(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(s.claim, func(t *testing.T) {
			r := s.judge(0)
			if got := found(r); got != s.want {
				t.Errorf("judged %q, want %q\n%s", got, s.want, r)
			}
		})
	}
}

func TestHealthyRunsPass(t *testing.T) {
	judgeAll(t, []scene{
		{"an outage with an orderly end and return", outage(), 900, 1300, ""},
		{"a quiet day", calm(), 50, 3600, ""},
		{"a busy day", everyday(), 0, 401, ""},
	})
}

func TestEveryBeginningOfAHealthyRunPasses(t *testing.T) {
	events := outage()
	for n := range events {
		s := scene{events: events[:n]}
		if got := found(s.judge(0)); got != "" {
			t.Errorf("after %d events, up to %s: judged %q", n, line(events[max(n-1, 0)]), got)
		}
	}
}

func TestHealthyRunsGiveEveryOracleSomethingToJudge(t *testing.T) {
	counts := map[string]int{}
	for _, s := range []scene{
		{events: outage(), quiet: 900, end: 1300},
		{events: silentOnLine(), end: 3600},
		{events: silentOnBattery(), end: 300},
		{events: everyday(), end: 401},
	} {
		for id, n := range s.judge(0).Counts {
			counts[id] += n
		}
	}
	for _, o := range Oracles {
		if counts[o.ID] == 0 {
			t.Errorf("%s (%s) had nothing to judge", o.ID, o.Claim)
		}
	}
}

// silentOnLine is a healthy run in which the driver hangs for an hour on good mains.
func silentOnLine() []env.Event {
	return with(calm(), proc(100, "nas", "driver:rack", "pause"),
		upsd(116, env.Data, "stale", 0), probe(117, "ERR DATA-STALE"),
		comm(120, "nas", "lost", "Data stale"), comm(121, "db", "lost", "Data stale"))
}

// silentOnBattery is a healthy run in which the driver hangs while on battery, so that all go down
// by themselves when DEADTIME has passed.
func silentOnBattery() []env.Event {
	return with(until(slices.Concat(site(), boot(0), failing()), 200),
		proc(200, "nas", "driver:rack", "pause"),
		upsd(216, env.Data, "stale", 0), probe(217, "ERR DATA-STALE"),
		comm(217, "nas", "lost", "Data stale"), comm(219, "db", "lost", "Data stale"),
		decide(229, "nas", "power"), sent(229, "nas"), upsd(229, env.FSD, "set", 0),
		notify(229, "nas", "SHUTDOWN"),
		decide(233, "db", "power"), notify(233, "db", "SHUTDOWN"),
		flagFile(234, "nas", "written"), shutdowncmd(234, "nas"), machine(234, "nas", Stopping),
		shutdowncmd(238, "db"), machine(238, "db", Stopping),
		machine(258, "db", Halted), machine(264, "nas", Halted))
}

func TestPlantedDefectsAreCaughtByTheirOracleAlone(t *testing.T) {
	after := func(s float64) func(env.Event) bool { return between(s, 1e6) }
	nas, db := host("nas"), host("db")
	judgeAll(t, []scene{
		{"the UPS cuts the load while both still stop",
			with(until(outage(), 544), power(545, "outlet", "off", "shutdown command"),
				fed(545, "nas", "no"), machine(545, "nas", Off), fed(545, "db", "no"),
				machine(545, "db", Off)),
			0, 600, "S01 db, S01 nas"},
		{"the load is killed four seconds after FSD with the secondary still logged in",
			with(outage(), flagFile(525, "nas", "written"), killpower(526, "sent")), 0, 600, "S02 nas"},
		{"the primary takes a battery that is not low for an emergency",
			changed(without(outage(), named("LOWBATT")), func(ev *env.Event) { ev.Value = "OB" }, nas,
				kind(env.Status), between(522, 522)),
			0, 600, "S04 nas"},
		{"a monitor does not wait for DEADTIME",
			moved(silentOnBattery(), -11, nas, between(229, 300)), 0, 300, "S04 nas"},
		{"a secondary does not wait for HOSTSYNC",
			with(until(outage(), 521.9), status(522, "db", "OB LB"), decide(525, "db", "power"),
				notify(525, "db", "SHUTDOWN"),
				shutdowncmd(530, "db"), machine(530, "db", Stopping), machine(550, "db", Halted)),
			0, 551, "S04 db"},
		{"silence on line power shuts the primary down",
			with(silentOnLine(), decide(200, "nas", "power"), notify(200, "nas", "SHUTDOWN"),
				flagFile(205, "nas", "written"), shutdowncmd(205, "nas"),
				machine(205, "nas", Stopping),
				machine(230, "nas", Halted)),
			0, 300, "S05 nas"},
		{"OFF that was heard for a moment only, then silence",
			with(calm(), fault(99, "lies", "on"), status(100, "nas", "OL OFF"),
				comm(110, "nas", "lost", ""), decide(131, "nas", "power")),
			0, 132, "S05 nas"},
		{"a monitor calls a UPS critical that is silent on line power",
			with(silentOnLine(), critical(200, "db")), 0, 300, "S05 db"},
		{"a status without FSD is served after FSD",
			with(outage(), upsd(528, env.Served, "OB LB", 0),
				upsd(529, env.Served, "FSD OB LB", 0)), 0, 600, "S08 nas"},
		{"clients never see the FSD",
			without(outage(), kind(env.Probe), value("FSD OB LB")), 0, 600, "S08 nas"},
		{"SHUTDOWNCMD runs twice",
			with(outage(), shutdowncmd(531, "db")), 0, 600, "S10 db"},
		{"old data are served for a minute after the driver froze",
			without(silentOnLine(), kind(env.Probe), value("ERR DATA-STALE")), 0, 160, "S12 nas"},
		{"old data are served although the driver called them stale",
			with(calm(), driver(100, "stale"), driver(110, "fresh")), 0, 160, "S12 nas"},
		{"a silent device is not noticed",
			with(calm(), fault(100, "silent", "on"), fault(130, "silent", "off")),
			0, 160, "S12 nas"},
		{"FINALDELAY is cut short",
			moved(outage(), -3, db, kind(env.ShutdownCmd)), 0, 600, "S14 db"},
		{"FINALDELAY is overrun",
			moved(outage(), 2, db, between(530, 550)), 0, 600, "S14 db"},
		{"nobody is warned of the shutdown",
			without(outage(), nas, named("SHUTDOWN")), 0, 600, "S14 nas"},
		{"the primary leaves no POWERDOWNFLAG",
			without(outage(), value("written"), kind(env.Flag)), 0, 600, "S03 nas, S15 nas"},
		{"the flag of the last shutdown is still there",
			without(outage(), value("removed"), after(800)), 0, 1000, "S15 nas"},
		{"a host stays off",
			without(outage(), db, after(829)), 900, 1300, "L01 db"},
		{"a host boots again and again",
			with(outage(), machine(1000, "db", Booting), machine(1010, "db", Booting),
				machine(1020, "db", Booting), machine(1030, "db", Booting)), 900, 1031, "L01 db"},
		{"low batteries do not bring anybody down",
			with(until(outage(), 521.9), status(522, "nas", "OB LB"), status(522, "db", "OB LB")),
			0, 550, "L02 db, L02 nas"},
		{"a shutdown never ends",
			until(outage(), 549), 0, 700, "L02 db, L02 nas"},
		{"a secondary does not follow the FSD",
			without(until(outage(), 560), db, after(522)), 0, 560, "L04 db"},
		{"the primary waits longer than HOSTSYNC",
			moved(moved(until(outage(), 565), 10, nas, between(530.1, 540)), 10, kind(env.Probe),
				after(541)),
			0, 579, "L05 nas"},
		{"a monitor does not find its UPS again",
			without(outage(), db, kind(env.Comm), after(830)), 900, 1000, "L06 db"},
		{"a monitor does not notice that the power is back",
			changed(outage(), func(ev *env.Event) { ev.Value = "OB" }, db, kind(env.Status),
				after(830)), 900, 1000, "L06 db"},
		{"a driver does not start, however often",
			with(without(without(outage(), db, kind(env.Comm), after(830)), kind(env.Probe), after(830)),
				failed(891, "nas", "driver:rack"), failed(906, "nas", "driver:rack"),
				failed(921, "nas", "driver:rack"), failed(936, "nas", "driver:rack")), 900, 950, "L06 db"},
		{"a monitor does not log in again",
			without(outage(), kind(env.Login), value("10.0.0.3:4002"), after(830)),
			900, 1000, "L06"},
	})
}
