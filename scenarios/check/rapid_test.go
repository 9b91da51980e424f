package check

import (
	"reflect"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"pgregory.net/rapid"
)

// words of events, so that arbitrary sequences get deep into the oracles, and some unknown ones.
var (
	anyHost = []string{"nas", "db", "web", ""}
	anyProg = []string{"", "upsd", "upsmon", "nutdrv_qx"}
	anyUPS  = []string{"rack", "spare", "rack@nas", "spare@nas:3493", "@", ""}
	anyName = []string{"", "a", "input", "low", "empty", "outlet", "left", "status", "logins",
		"boot", "halt", "min",
		"runtime", "offdelay", "ondelay", "fallback", "upsd", "upsmon", "driver", "driver:rack",
		"nas db", "db nas", "silent",
		"wedged", "primary", "secondary", "power", "operator", "ONBATT", "ONLINE", "SHUTDOWN",
		"SHUTDOWN_HOSTSYNC", "FINALDELAY",
		"HOSTSYNC", "DEADTIME", "MINSUPPLIES", "POLLFREQ", "POWERDOWNFLAG", "SHUTDOWNEXIT", "\xff"}
	anyValue = []string{"", "on", "off", "yes", "no", "line", "battery", "start", "exit", "kill",
		"pause", "resume", "restart",
		"cut", "cut-to", "heal", "delay", "ok", "lost", "fresh", "stale", "set", "cleared", "sent",
		"refused", "accepted",
		"wait", "done", "expired", "written", "removed", "foreign", "shutdown", Off, Booting, Up,
		Stopping, Halted,
		"OL", "OB", "OB LB", "FSD OL", "FSD OB LB", "OL CAL", "OFF", "ALARM OL", "ERR DATA-STALE",
		"\xfe\xff"}
	anyKind = []env.Kind{env.Mains, env.Power, env.Machine, env.Fed, env.Proc, env.Link, env.Fault,
		env.Mark, env.Wire, env.Spec,
		env.Probe, env.Data, env.Served, env.Login, env.Logout, env.FSD, env.Setting, env.Monitor,
		env.Comm, env.Status,
		env.Critical, env.Decide, env.Notify, env.Sync, env.Flag, env.ShutdownCmd, env.Cmd, env.Device, env.Tasks, env.Leak, env.Stuck, env.Grant, env.Exec, env.Drop,
		env.LoadKill, env.Port, "", "new"}
)

func anyEvents(t *rapid.T) []env.Event {
	at := env.Instant(0)
	step := rapid.Custom(func(t *rapid.T) env.Event {
		d := rapid.SampledFrom([]time.Duration{0, time.Millisecond, time.Second, 7 * time.Second,
			40 * time.Second, time.Hour}).Draw(t, "d")
		at = at.Add(d)
		ev := env.Event{
			T:     at,
			Host:  rapid.SampledFrom(anyHost).Draw(t, "host"),
			Prog:  rapid.SampledFrom(anyProg).Draw(t, "prog"),
			Kind:  rapid.SampledFrom(anyKind).Draw(t, "kind"),
			UPS:   rapid.SampledFrom(anyUPS).Draw(t, "ups"),
			Name:  rapid.SampledFrom(anyName).Draw(t, "name"),
			Value: rapid.SampledFrom(anyValue).Draw(t, "value"),
			N:     rapid.SampledFrom([]int64{0, 1, 2, -1, 5e9, 1 << 62, -1 << 63}).Draw(t, "n"),
		}
		if rapid.IntRange(0, 50).Draw(t, "odd") == 50 {
			ev.T = env.Instant(rapid.Int64().Draw(t, "t"))
			ev.Name = rapid.String().Draw(t, "anyname")
		}
		return ev
	})
	return rapid.SliceOfN(step, 0, 120).Draw(t, "events")
}

// anyRun is a healthy run with arbitrary events in between, or arbitrary events alone.
func anyRun(t *rapid.T) []env.Event {
	events := anyEvents(t)
	if rapid.Bool().Draw(t, "onto a healthy run") {
		healthy := outage()
		for i := range events {
			if len(healthy) > 0 {
				events[i].T = healthy[i*len(healthy)/len(events)].T
			}
		}
		events = with(healthy, events...)
	}
	return events
}

func TestNothingPanicsOnAnyEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyRun(t)
		tolerance := rapid.SampledFrom([]time.Duration{0, time.Second, -1, 1 << 62}).Draw(t,
			"tolerance")
		quiet := rapid.SampledFrom([]env.Instant{env.Never, 0, sec(900), -5}).Draw(t, "quiet")
		r := Run(events, tolerance, quiet)
		_ = r.String()
		_ = Timeline(events, TimelineOptions{Verbose: true, Violations: r.Violations})
		_ = Compare(outage(), events, tolerance).String()
		_ = Compare(events, outage(), -tolerance)
		_ = Replay(outage(), events)
	})
}

func TestARecordingIsJudgedLikeTheRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyRun(t)
		back, err := ReadAll(writeAll(t, events))
		if err != nil {
			t.Fatal(err)
		}
		if Hash(back) != Hash(events) {
			t.Fatal("the hash has changed")
		}
		if a, b := Run(events, 0, sec(900)), Run(events, 0, sec(900)); !reflect.DeepEqual(a, b) {
			t.Fatalf("two judgements of one run differ:\n%s\n%s", a, b)
		}
	})
}

// Breaking one thing in a healthy run by leaving an event out never makes an oracle of another
// host's monitor speak: db's own silence is db's.
func TestWhatOneHostLeavesOutIsItsOwnFault(t *testing.T) {
	events := outage()
	for i, ev := range events {
		if ev.Host != "db" || ev.Prog != "upsmon" {
			continue
		}
		r := scene{events: append(append([]env.Event(nil), events[:i]...), events[i+1:]...),
			quiet: 900, end: 1300}.judge(0)
		for _, x := range r.Violations {
			if x.Host == "nas" {
				t.Errorf("without %s: nas is blamed: %s", line(ev), x)
			}
		}
	}
}
