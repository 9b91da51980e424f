package check

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// mindful is the record of a secondary whose server fell silent on battery, and of a bystander.
func mindful() []env.Event {
	at := func(sec float64, host string, ev env.Event) env.Event {
		ev.T, ev.Host, ev.Prog = env.Instant(sec*float64(time.Second)), host, "upsmon"
		return ev
	}
	return []env.Event{
		at(1, "web", env.Event{Kind: env.Setting, Name: "MINSUPPLIES", N: 1}),
		at(1, "web", env.Event{Kind: env.Setting, Name: "DEADTIME", N: int64(15 * time.Second)}),
		at(1, "web", env.Event{Kind: env.Monitor, UPS: "rack@nas", Name: "secondary", N: 1}),
		at(1, "lab", env.Event{Kind: env.Monitor, UPS: "rack@nas", Name: "primary", N: 0}),
		at(2, "web", env.Event{Kind: env.Status, UPS: "rack@nas", Value: "OL"}),
		at(2, "web", env.Event{Kind: env.Judge, UPS: "rack@nas", Name: "fine", Value: "no", Why: "its status is \"OL\""}),
		at(60, "web", env.Event{Kind: env.Status, UPS: "rack@nas", Value: "OB"}),
		at(65, "web", env.Event{Kind: env.Comm, UPS: "rack@nas", Value: "lost", Why: "Connection timed out"}),
		at(80, "web", env.Event{Kind: env.Judge, UPS: "rack@nas", Name: "primary-silent", Value: "yes", Why: "silent for 20 sec"}),
		at(80, "web", env.Event{Kind: env.Decide, Name: "power", Value: "shutdown", N: 0}),
		at(85, "web", env.Event{Kind: env.ShutdownCmd, Value: "halt"}),
	}
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		name string
		host string
		sec  float64
		want []string
	}{
		{"on line power", "web", 30, []string{"not shutting down", "power value of 1, of 1; MINSUPPLIES is 1",
			`Its status is "OL", accepted first at +00:00:02.000, 28s before.`, "only FSD would make it critical"}},
		{"on battery", "web", 62, []string{"not shutting down", "LB would after HOSTSYNC (15s), silence after DEADTIME (15s)"}},
		{"silent", "web", 70, []string{"It is silent: Connection timed out (noticed at +00:01:05.000, 5s before)",
			"when the silence has lasted for DEADTIME (15s)"}},
		{"after the decision", "web", 90, []string{"shutting down since +00:01:20.000", "power value of 0, of 1", "CRITICAL",
			"Rule primary-silent holds since +00:01:20.000: silent for 20 sec.", "+00:01:25.000  SHUTDOWNCMD was run: halt"}},
		{"a watcher", "lab", 90, []string{"Nothing was ever heard from it.", "feeds nothing of this host"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Explain(mindful(), tt.host, env.Instant(tt.sec*float64(time.Second)))
			for _, want := range tt.want {
				if err != nil || !strings.Contains(got, want) {
					t.Errorf("%v, does not say %q:\n%s", err, want, got)
				}
			}
		})
	}
	for _, tt := range []struct {
		host, want string
		events     []env.Event
	}{
		{"db", `no monitor on a host "db": want lab, web`, mindful()},
		{"web", "had not started at +00:00:00.000", mindful()},
		{"web", "no monitor has recorded anything", nil},
	} {
		if _, err := Explain(tt.events, tt.host, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %s", err, tt.want)
		}
	}
}

// Streams of real machines are put in order by the calendar.
func TestOnOneClock(t *testing.T) {
	events := []env.Event{
		{T: 900, Host: "b", Wall: "2026-03-01T02:13:07.5Z"},
		{T: 1e9, Host: "a", Wall: "2026-03-01T02:13:05Z"},
	}
	zero := OnOneClock(events)
	if events[0].Host != "a" || events[0].T != 0 || events[1].T != env.Instant(2500*time.Millisecond) ||
		zero.Format(time.TimeOnly) != "02:13:05" {
		t.Errorf("%v since %v", events, zero)
	}
	rehearsed := []env.Event{{T: 5}, {T: 3}}
	if zero := OnOneClock(rehearsed); !zero.IsZero() || rehearsed[0].T != 5 {
		t.Errorf("%v since %v, want them as they were", rehearsed, zero)
	}
}
