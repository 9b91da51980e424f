package megatec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
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
		fmt.Fprintf(&table, "%8s %5s %5s", h.name, "-k", "again")
	}
	for _, s := range spokenDialects {
		fmt.Fprintf(&table, "\n%-18s", s.dialect)
		for _, h := range habits {
			d := durations(t, s, h.reject)
			fmt.Fprintf(&table, "%8.1f %5.1f %5.1f", d.found.Seconds(), d.kill.Seconds(), d.again.Seconds())
			if d.again > 4*time.Second {
				t.Errorf("%s %s: to kill the power of a known device takes %v", s.dialect, h.name, d.again)
			}
		}
	}
	t.Log(table.String())
}

// spent are the durations of one device: from the start of the driver to its first data, of a
// kill-power run on a machine where it never ran, and of one where it did.
type spent struct{ found, kill, again time.Duration }

func durations(t *testing.T, s spoken, reject megatec.Rejection) (d spent) {
	t.Helper()
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect, Reject: reject})
	b.conf("nutdrv_qx", s.conf)
	d.kill = b.killed(t, s)
	b = newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect, Reject: reject})
	b.conf("nutdrv_qx", s.conf)
	b.h.Start("nutdrv_qx", []string{"-a", "office"})
	var ok bool
	if d.found, ok = b.until(func() bool {
		return strings.Contains(strings.Join(b.events, "\n"), "data =fresh")
	}); !ok {
		t.Errorf("%s: no data within two minutes", s.dialect)
	}
	b.start("nutdrv_qx", "-c", "exit")
	d.again = b.killed(t, s)
	return d
}

// killed is how long a kill-power run takes.
func (b *bench) killed(t *testing.T, s spoken) time.Duration {
	t.Helper()
	p := b.h.Start("nutdrv_qx", []string{"-a", "office", "-k"})
	took, ok := b.until(func() bool { _, ended := p.Status(); return ended })
	status, _ := p.Status()
	if able := s.dialect != "voltronic-axpert"; !ok || able != (status == 0) {
		t.Errorf("%s: a kill-power run: ended %v, status %d; can be switched off: %v",
			s.dialect, ok, status, able)
	}
	return took
}

// What was known of a device that has been replaced is no hindrance.
func TestKillOfAnotherDevice(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "mustek"})
	b.h.WriteFile("/run/nut/nutdrv_qx-office.known", []byte("/dev/ttyS0\tgtec\n"))
	kill := b.start("nutdrv_qx", "-k")
	b.run(10 * time.Second)
	b.wantExit(kill, 0)
	if seen := b.dev.Seen(); !slices.Contains(seen, "S.5R0003") {
		t.Errorf("the device was not told to cut: %q", seen)
	}
	for _, text := range []string{"", "\t\n", "/dev/ttyS0\tnonsense\n", "/dev/ttyS1\tgtec\n",
		strings.Repeat("x", 5000)} {
		b = newBench(t, power.Spec{}, megatec.Options{Dialect: "mustek"})
		b.h.WriteFile("/run/nut/nutdrv_qx-office.known", []byte(text))
		kill := b.start("nutdrv_qx", "-k")
		b.run(10 * time.Second)
		b.wantExit(kill, 0)
		if slices.Contains(b.dev.Seen(), "Q4") {
			t.Errorf("what was known, %.20q, was believed: %q", text, b.dev.Seen())
		}
	}
}

// A lossy face loses one of its answers.
type lossy struct {
	serve.Face
	lost  int // which, from 1
	heard *int
}

func (l lossy) Receive(now time.Duration, p []byte) []byte {
	out := l.Face.Receive(now, p)
	if *l.heard++; *l.heard == l.lost {
		return nil
	}
	return out
}

// Whichever answer is lost on the way, each dialect is found for what it is: silence is heard
// twice before it counts.
func TestEachDialectIsFoundThoughAnAnswerIsLost(t *testing.T) {
	runs := 0
	for _, s := range spokenDialects {
		for lost := 1; lost <= 30; lost++ {
			b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect})
			heard := 0
			b.cable = serve.NewCable(lossy{b.dev, lost, &heard}, serve.Options{Now: b.now})
			b.conf("nutdrv_qx", s.conf)
			if got := b.dump("nutdrv_qx")["driver.version.data"]; got != s.title+" 0.1" {
				t.Errorf("a %s whose answer %d is lost is taken for %q", s.dialect, lost, got)
			}
			if runs++; heard < lost {
				break
			}
		}
	}
	t.Logf("%d answers lost, one at a time", runs)
}
