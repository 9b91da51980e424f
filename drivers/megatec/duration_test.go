package megatec_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
)

// habits are how units answer what they do not know.
var habits = []struct {
	name   string
	reject megatec.Rejection
}{{"echo", megatec.Echo}, {"NAK", megatec.Nak}, {"silent", megatec.Ignore}}

// until runs in steps of a tenth of a second until done says so, and returns how long that took.
func (b *bench) until(done func() bool) (time.Duration, bool) {
	begin := b.now()
	for b.now()-begin < 2*time.Minute {
		if done() {
			return b.now() - begin, true
		}
		b.run(100 * time.Millisecond)
	}
	return 0, false
}

// How long it takes to find each dialect, and to kill the power by a process that has to find it
// first, with units that reject questions in each way.
func TestDurations(t *testing.T) {
	var table strings.Builder
	fmt.Fprintf(&table, "\n%-18s", "dialect")
	for _, h := range habits {
		fmt.Fprintf(&table, "%8s %5s", h.name, "-k")
	}
	for _, s := range spokenDialects {
		fmt.Fprintf(&table, "\n%-18s", s.dialect)
		for _, h := range habits {
			found, kill := durations(t, s, h.reject)
			fmt.Fprintf(&table, "%8.1f %5.1f", found.Seconds(), kill.Seconds())
		}
	}
	t.Log(table.String())
}

func durations(t *testing.T, s spoken, reject megatec.Rejection) (found, kill time.Duration) {
	t.Helper()
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect, Reject: reject})
	b.conf("nutdrv_qx", s.conf)
	b.h.Start("nutdrv_qx", []string{"-a", "office"})
	found, ok := b.until(func() bool {
		return strings.Contains(strings.Join(b.events, "\n"), "data =fresh")
	})
	if !ok {
		t.Errorf("%s: no data within two minutes", s.dialect)
	}
	b = newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect, Reject: reject})
	b.conf("nutdrv_qx", s.conf)
	p := b.h.Start("nutdrv_qx", []string{"-a", "office", "-k"})
	kill, ok = b.until(func() bool { _, ended := p.Status(); return ended })
	if !ok {
		t.Errorf("%s: the kill took more than two minutes", s.dialect)
	}
	return found, kill
}
