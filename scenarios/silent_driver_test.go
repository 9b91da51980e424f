package scenarios_test

import (
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// `upsmon.md 13.4`, its variant: the driver falls silent on battery. What NUT's daemons do 17, 32 and
// 37 s later, ours do within one POLLFREQ of that.
func TestDriverFallsSilentOnBattery(t *testing.T) {
	m := newMatrixRoom("no")
	defer m.w.Close()
	run := func(until time.Duration) {
		t.Helper()
		if err := m.w.RunFor(until - time.Duration(m.w.Now())); err != nil {
			t.Fatal(err)
		}
	}
	const mute, pollFreq = 18 * time.Second, 5 * time.Second
	run(mute - 1500*time.Millisecond) // so that its last line is about as late
	m.says("OB DISCHRG")
	run(mute)
	for _, p := range m.nas.Find("dummy-ups") {
		p.Pause()
	}
	run(2 * time.Minute)
	near := func(what, host string, got, want time.Duration) {
		t.Helper()
		if after := got - mute; after < want-pollFreq || after > want+pollFreq {
			t.Errorf("%s of %s %v after the silence began, want %v", what, host, after, want)
		}
	}
	for _, host := range []string{"nas", "web"} {
		lost, decided := time.Duration(0), time.Duration(0)
		for _, ev := range m.w.Trace() {
			switch {
			case ev.Host != host || ev.T < env.Instant(mute):
			case ev.Kind == env.Notify && ev.Name == "COMMBAD":
				lost = time.Duration(ev.T)
			case ev.Kind == env.Decide:
				decided = time.Duration(ev.T)
			}
		}
		near("COMMBAD", host, lost, 17*time.Second)
		near("the decision", host, decided, 32*time.Second)
		near("SHUTDOWNCMD", host, m.down[host], 37*time.Second)
	}
}
