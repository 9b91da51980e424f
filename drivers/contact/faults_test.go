package contact_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	driven "github.com/blackstart-ups/blackstart/drivers/contact"
)

// faultTime is how long a fault lasts, and recovery how long the driver may then need.
const (
	faultTime = time.Minute
	recovery  = 15 * time.Second
)

// phases are when a fault can begin. Each prepares a bench and returns what ups.status must be once
// the fault is over.
var phases = []struct {
	name string
	do   func(b *bench, f serve.Fault) (status string)
}{
	{"detection", func(b *bench, f serve.Fault) string {
		b.cable.SetFault(b.now(), f, 0)
		b.w.RunFor(time.Second)
		return "OL" // the driver may refuse to start: it is started again
	}},
	{"poll on line power", func(b *bench, f serve.Fault) string {
		b.start()
		b.cable.SetFault(b.now(), f, 0)
		return "OL"
	}},
	{"poll on battery", func(b *bench, f serve.Fault) string {
		b.start()
		b.body.SetMains(b.now(), 0)
		b.run(10 * time.Second)
		b.cable.SetFault(b.now(), f, 0)
		return "OB"
	}},
	{"mains fail meanwhile", func(b *bench, f serve.Fault) string {
		b.start()
		b.cable.SetFault(b.now(), f, 0)
		b.run(5 * time.Second)
		b.body.SetMains(b.now(), 0)
		return "OB"
	}},
	{"command", func(b *bench, f serve.Fault) string {
		b.start()
		b.cable.SetFault(b.now(), f, 0)
		b.run(time.Second)
		b.h.Start("genericups", []string{"-a", "closet", "-c", "reload"})
		return "OL"
	}},
}

func everyFault(t *testing.T) []serve.Fault {
	var all []serve.Fault
	for _, name := range serve.FaultNames() {
		f, err := serve.ParseFault(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// Whatever is wrong with the port, whenever it begins: the driver lives, says LB for nothing but an
// empty battery, does not go on about old data when the port is gone, and tells the truth again soon
// after. What it cannot know is that a unit which hung before the driver came has its lines low for
// that reason; see the package comment.
func TestFaultsAtEveryPhase(t *testing.T) {
	cells, blind := 0, 0
	for i, c := range driven.Cables {
		dead := strings.Join(c.Read(0).Words(), " ")
		for _, f := range everyFault(t) {
			for _, p := range phases {
				cells++
				b := newBench(t, power.Spec{Runtime: time.Hour}, contact.Options{Type: i}, typed(i))
				want := p.do(b, f)
				if len(b.h.Find("genericups")) == 0 {
					b.start()
				}
				b.run(faultTime)
				stale := slices.ContainsFunc(b.events, func(e string) bool {
					return strings.HasPrefix(e, "data ") && strings.Contains(e, "stale")
				})
				if f == serve.Unplug && len(b.h.Find("genericups")) > 0 && !stale {
					t.Errorf("type %d, %v at %s: the data is fresh a minute later", i, f, p.name)
				}
				b.cable.ClearFault(b.now(), f)
				if len(b.h.Find("genericups")) == 0 {
					if p.name != "detection" {
						t.Errorf("type %d, %v at %s: the driver has ended", i, f, p.name)
					}
					b.start()
				}
				b.run(recovery)
				all := b.statuses()
				if len(all) == 0 || all[len(all)-1] != want {
					t.Errorf("type %d, %v at %s: ups.status was %q; want %s in the end", i, f, p.name, all, want)
				}
				for _, s := range all {
					if p.name == "detection" && (f == serve.Silent || f == serve.Mute) && s == dead {
						blind++
						continue
					}
					if strings.Contains(s, "LB") || want == "OL" && s != "OL" {
						t.Errorf("type %d, %v at %s: ups.status was %q", i, f, p.name, all)
					}
				}
			}
		}
	}
	t.Logf("%d cells, in %d of which a hung unit cannot be told from one on battery", cells, blind)
}

// A kill-power run that meets a fault either says so, or the load goes off; once the fault is over,
// another one switches it off.
func TestFaultsDuringKill(t *testing.T) {
	cells := 0
	for i, c := range driven.Cables {
		if c.Off == driven.Unknown {
			continue
		}
		for _, f := range everyFault(t) {
			cells++
			b := newBench(t, power.Spec{Kill: power.OnBattOnly}, contact.Options{Type: i}, typed(i)+"\nsdtime = 5")
			b.outage()
			b.cable.SetFault(b.now(), f, 0)
			code := b.kill()
			b.run(10 * time.Second)
			deaf := f == serve.Silent // nobody can know that a level was not heard
			if code == 0 && b.body.Outlet() && !deaf {
				t.Errorf("type %d, %v: exit 0 and the load is on", i, f)
			}
			b.cable.ClearFault(b.now(), f)
			if b.body.Outlet() {
				b.kill()
			}
			b.run(10 * time.Second)
			if b.body.Outlet() {
				t.Errorf("type %d, %v: the load is on after another try", i, f)
			}
		}
	}
	t.Logf("%d cells", cells)
}
