package apcsmart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
)

// phases are when a fault begins. It lasts a minute; by then a driver that was refused at its start
// has been started again, as a service manager would.
var phases = []struct {
	name string
	do   func(b *bench, hurt func())
}{
	{"before the start", func(b *bench, hurt func()) { hurt(); b.start() }},
	{"while the device is looked at", func(b *bench, hurt func()) {
		b.start()
		b.run(700 * time.Millisecond)
		hurt()
	}},
	{"at the first poll", func(b *bench, hurt func()) {
		b.start()
		for i := 0; i < 300 && len(b.statuses()) == 0; i++ {
			b.run(20 * time.Millisecond)
		}
		hurt()
	}},
	{"in the middle of a poll", func(b *bench, hurt func()) {
		b.driving()
		b.run(2*time.Second + 130*time.Millisecond)
		hurt()
	}},
	{"at a command", func(b *bench, hurt func()) {
		b.driving()
		hurt()
		b.command("test.battery.start", "")
	}},
	{"while a setting is written", func(b *bench, hurt func()) {
		b.driving()
		hurt()
		b.set("ups.delay.shutdown", "600")
	}},
	{"at the kill-power run", func(b *bench, hurt func()) {
		b.driving()
		hurt()
		p := b.start("-k")
		b.run(50 * time.Second)
		if _, ended := p.Status(); !ended {
			b.t.Error("the kill-power run does not end")
		}
	}},
}

var everyFault = []serve.Fault{
	serve.Silent, serve.Mute, serve.Garbage, serve.Noise, serve.Truncate, serve.Slow, serve.Unplug,
}

// Whatever is wrong with the line, and whenever: the driver lives, tells in time that its data is
// stale, tells no outage that is none, and is back soon after the fault.
func TestFaultsAtEveryPhase(t *testing.T) {
	cells := 0
	for _, phase := range phases {
		for _, f := range everyFault {
			cells++
			t.Run(fmt.Sprintf("%s: %v", phase.name, f), func(t *testing.T) {
				b := newBench(t, power.Spec{}, apcsmart.Options{})
				const lasts = time.Minute
				var hurt time.Duration
				phase.do(b, func() {
					hurt = b.now()
					b.cable.SetFault(b.now(), f, lasts)
				})
				killed := phase.name == "at the kill-power run"
				b.run(hurt + 20*time.Second - b.now())
				stale := slices.ContainsFunc(b.events, func(e string) bool { return strings.HasPrefix(e, "data =stale") })
				running := len(b.h.Find("apcsmart")) > 0
				if f != serve.Slow && f != serve.Noise && running && len(b.statuses()) > 0 && !stale && !killed {
					t.Errorf("20 s after the beginning the data is not stale:\n%s", strings.Join(b.events, "\n"))
				}
				b.run(hurt + lasts - b.now())
				if len(b.h.Find("apcsmart")) == 0 {
					if len(b.statuses()) > 0 && !killed {
						t.Fatalf("the driver has died:\n%s", strings.Join(b.log, "\n"))
					}
					b.start()
				}
				b.run(30 * time.Second)
				b.wantNoFalseAlarm(killed || phase.name == "at a command", false)
				if last := b.lastData(); last != "fresh" {
					t.Errorf("30 s after the fault the data is %s:\n%s\n%s", last,
						strings.Join(b.events, "\n"), strings.Join(b.log, "\n"))
				}
			})
		}
	}
	t.Logf("%d cells", cells)
}

// lastData is what was last said about the data.
func (b *bench) lastData() string {
	for _, e := range slices.Backward(b.events) {
		if value, ok := strings.CutPrefix(e, "data ="); ok {
			return strings.Fields(value)[0]
		}
	}
	return "unknown"
}

// wantNoFalseAlarm looks for words that bring down hosts. A battery test, or an order to switch off,
// may put the UPS on battery, or off, in truth.
func (b *bench) wantNoFalseAlarm(ordered, dark bool) {
	b.t.Helper()
	for _, s := range b.statuses() {
		words := strings.Fields(s)
		if slices.Contains(words, "LB") || slices.Contains(words, "FSD") ||
			!ordered && (!dark && slices.Contains(words, "OB") || slices.Contains(words, "OFF")) {
			b.t.Errorf("status %q with a full battery, on battery: %v", s, dark)
		}
	}
}

// An outage that begins while the line is bad is told once the line is good, and not as more than
// it is.
func TestFaultsDuringAnOutage(t *testing.T) {
	for _, f := range everyFault {
		t.Run(f.String(), func(t *testing.T) {
			b := newBench(t, power.Spec{Runtime: time.Hour, Low: time.Minute}, apcsmart.Options{})
			b.driving()
			b.cable.SetFault(b.now(), f, 10*time.Minute)
			b.run(time.Second)
			b.body.SetMains(b.now(), 0)
			b.run(11 * time.Minute)
			for _, s := range b.statuses() {
				if strings.Contains(s, "LB") {
					t.Errorf("status %q with 49 minutes left", s)
				}
			}
			if last := b.statuses(); !strings.HasPrefix(last[len(last)-1], "OB") {
				t.Errorf("statuses %q", last)
			}
		})
	}
}

// On a line that damages one bit of each answer every now and then, for hours, nothing that
// brings down hosts is ever believed: on line power no outage, on battery no empty one.
func TestHoursOfNoise(t *testing.T) {
	for _, dark := range []bool{false, true} {
		b := newBench(t, power.Spec{Runtime: 100 * time.Hour, Low: time.Minute}, apcsmart.Options{})
		b.driving()
		if dark {
			b.body.SetMains(b.now(), 0)
		}
		for range 6 * 60 * 4 {
			b.cable.SetFault(b.now(), serve.Noise, 5*time.Second)
			b.run(15 * time.Second)
		}
		b.wantNoFalseAlarm(false, dark)
		if b.lastData() != "fresh" {
			t.Error("at the end the data is not fresh")
		}
	}
}

// A unit that was without power is dumb when it is back: the driver brings it to speak within one
// poll, and does not call its data stale for it.
func TestDumbUnitIsWokenUp(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	b.driving()
	b.dev.Receive(b.now(), []byte("R"))
	b.run(10 * time.Second)
	if seen := b.dev.Seen(); seen[len(seen)-1] != "Y" {
		t.Errorf("the device saw %q, want Y at the end", seen)
	}
	if b.lastData() != "fresh" {
		t.Error("the data is stale")
	}
}

// A deaf device takes its time out of the driver and not out of who asks the driver.
func TestSocketAnswersWhileTheDeviceIsSilent(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	b.driving()
	b.cable.SetFault(b.now(), serve.Silent, 0)
	for range 50 {
		began := b.now()
		b.ping()
		if took := b.now() - began; took > 200*time.Millisecond {
			t.Fatalf("PING took %v", took)
		}
		b.run(300 * time.Millisecond)
	}
}
