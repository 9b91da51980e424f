package check

import (
	"fmt"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// crowd is the healthy outage with a number of secondaries in the place of db.
func crowdOutage(secondaries int) []env.Event {
	var streams [][]env.Event
	own := host("db")
	streams = append(streams, without(outage(), own))
	dbs := without(outage(), func(ev env.Event) bool { return ev.Host != "db" })
	for i := range secondaries {
		name := fmt.Sprintf("db%d", i)
		streams = append(streams, changed(dbs, func(ev *env.Event) { ev.Host = name }))
	}
	return Merge(streams...)
}

func BenchmarkJudgeAnOutageOfAThousandHosts(b *testing.B) {
	events := crowdOutage(1000)
	for b.Loop() {
		j := New(0)
		for _, ev := range events {
			if ev.T >= sec(810) && j.View().Quiet == env.Never {
				j.Quiesce(sec(810))
			}
			j.Observe(ev)
		}
		j.Advance(sec(1300))
		if r := j.End(); len(r.Violations) > 1 { // the logins are those of two hosts only
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(len(events)*b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkTimelineOfAThousandHosts(b *testing.B) {
	events := crowdOutage(1000)
	for b.Loop() {
		Timeline(events, TimelineOptions{})
	}
}
