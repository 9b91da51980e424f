package interop

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The canonical outages on both monitors, with the same settings and a scripted server: from what can
// be known to SHUTDOWNCMD.

// A canonical is one of them, seen by one host.
type canonical struct {
	name, role, status, event string
	others                    int  // who are logged in besides
	stay                      bool // and never log out
	spare                     string
	latched                   bool // the status is there from the first poll on
	signal                    bool // upsmon -c fsd
	since                     string
	lives                     bool
}

const (
	sinceStatus   = "first poll of the status"
	sinceLastGood = "last good poll"
	sinceOrder    = "the order"
)

var canonicals = []canonical{
	{name: "13.1 battery low, a primary alone", role: "primary", status: "OB LB", event: "goes on", since: sinceStatus},
	{name: "13.1 a primary with two secondaries", role: "primary", status: "OB LB", event: "goes on", others: 2, since: sinceStatus},
	{name: "13.1 a secondary sees FSD", role: "secondary", status: "FSD OB LB", event: "goes on", since: sinceStatus},
	{name: "13.2 battery, and mains return", role: "primary", status: "OB", event: "mains return", lives: true},
	{name: "13.3 on battery, the primary host dies", role: "secondary", status: "OB", event: "server away", since: sinceLastGood},
	{name: "13.3 on battery, the primary's upsmon dies", role: "secondary", status: "OB LB", event: "goes on", since: sinceStatus},
	{name: "13.3 on battery, upsd hangs", role: "secondary", status: "OB", event: "server hangs", since: sinceLastGood},
	{name: "13.3 on line power, the primary host dies", role: "secondary", status: "OL", event: "server away", lives: true},
	{name: "13.4 on battery, the driver is stale: a primary", role: "primary", status: "OB", event: "data stale", since: sinceLastGood},
	{name: "13.4 on battery, the driver is stale: a secondary", role: "secondary", status: "OB", event: "data stale", since: sinceLastGood},
	{name: "13.4 on line power, the driver is stale", role: "primary", status: "OL", event: "data stale", lives: true},
	{name: "13.5 two UPSes, one of them low", role: "primary", status: "OB LB", event: "goes on", spare: "OL", lives: true},
	{name: "13.5 two UPSes, both of them low", role: "primary", status: "OB LB", event: "goes on", spare: "OB LB", since: sinceStatus},
	{name: "13.6 upsmon -c fsd, a primary alone", role: "primary", status: "OL", event: "goes on", signal: true, since: sinceOrder},
	{name: "13.6 upsmon -c fsd, a primary with a secondary", role: "primary", status: "OL", event: "goes on", others: 1, signal: true, since: sinceOrder},
	{name: "13.7 a secondary never logs out", role: "primary", status: "OB LB", event: "goes on", others: 1, stay: true, since: sinceStatus},
	{name: "13.7 FSD is latched, a primary starts", role: "primary", status: "FSD OL", event: "goes on", latched: true, since: sinceStatus},
	{name: "13.7 FSD is latched, a secondary starts", role: "secondary", status: "FSD OL", event: "goes on", latched: true, since: sinceStatus},
	{name: "13.7 calibrating, battery low", role: "primary", status: "OB CAL LB", event: "goes on", lives: true},
}

// pace is the settings of both monitors, in seconds.
type pace struct{ poll, dead, sync, final int }

var (
	usualPace = pace{5, 15, 15, 5} // both programs' own
	quickPace = pace{1, 4, 3, 1}
)

func (p pace) conf(c canonical, user string) string {
	text := fmt.Sprintf("MONITOR rack@127.0.0.1:@port@ 1 mon pw %s\nPOLLFREQ %d\nPOLLFREQALERT %d\nDEADTIME %d\nHOSTSYNC %d\n"+
		"FINALDELAY %d\nRUN_AS_USER %s\nSHUTDOWNCMD \"touch @conf@/down\"\n", c.role, p.poll, p.poll, p.dead, p.sync, p.final, user)
	if c.spare != "" {
		text += fmt.Sprintf("MONITOR spare@127.0.0.1:@port@ 1 mon pw %s\n", c.role)
	}
	return text
}

// patience is after what both must have decided: the slowest are ten seconds for each of two
// connections to a server that hangs, besides.
func (p pace) patience() time.Duration {
	return time.Duration(calmPolls+statusPolls+3)*time.Duration(p.poll)*time.Second + time.Duration(p.dead+p.sync+p.final+22)*time.Second
}

// outlast runs a monitor to its end, or until it must have decided.
func (c canonical) outlast(t *testing.T, k kit, p pace) decision {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return decision{}
	}
	defer l.Close()
	s := &stage{status: c.status, event: c.event, others: c.others, stay: c.stay, spare: c.spare, latched: c.latched,
		// Secondaries take a poll to see FSD, and FINALDELAY.
		leave: time.Duration(p.poll+p.final) * time.Second}
	go s.serve(l)
	b := newBench(t, nil)
	_, b.port, _ = net.SplitHostPort(l.Addr().String())
	b.write("upsmon.conf", p.conf(c, me(t)))
	d := b.monitors(t, k, "-F", "-p")
	var since time.Time
	if c.signal {
		s.polled(calmPolls + 1)
		since = time.Now()
		d.cmd.Process.Signal(syscall.SIGUSR1)
	}
	select {
	case <-d.done:
	case <-time.After(p.patience()):
		return decision{fsd: s.forced()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.since {
	case sinceStatus:
		since = s.first
	case sinceLastGood:
		since = s.good
	}
	down, err := os.Stat(b.conf + "/down")
	if err != nil {
		t.Errorf("%s of %s: it has ended without SHUTDOWNCMD: %v: %s", c.name, k.name, err, d.said)
		return decision{fsd: s.fsd}
	}
	return decision{down: true, after: down.ModTime().Sub(since), fsd: s.fsd}
}

func (s *stage) forced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fsd
}

func TestCanonicalOutagesOfBothKinds(t *testing.T) {
	ours, theirs := kits(t)
	ownRun(t, "true")
	p := quickPace
	if os.Getenv("BLACKSTART_MATRIX") != "" {
		p = usualPace
	}
	type pair struct{ ours, theirs decision }
	found := make([]pair, len(canonicals))
	var wg sync.WaitGroup
	for i, c := range canonicals {
		wg.Go(func() { found[i].ours = c.outlast(t, ours, p) })
		wg.Go(func() { found[i].theirs = c.outlast(t, theirs, p) })
	}
	wg.Wait()
	var table strings.Builder
	fmt.Fprintf(&table, "seconds to SHUTDOWNCMD with POLLFREQ %d, DEADTIME %d, HOSTSYNC %d, FINALDELAY %d\n%-52s %10s %10s  since\n",
		p.poll, p.dead, p.sync, p.final, "", "Debian's", "ours")
	column := func(d decision) string {
		if !d.down {
			return "lives on"
		}
		return fmt.Sprintf("%.1f", d.after.Seconds())
	}
	for i, c := range canonicals {
		a, b := found[i].ours, found[i].theirs
		fmt.Fprintf(&table, "%-52s %10s %10s  %s\n", c.name, column(b), column(a), c.since)
		if a.down == c.lives || b.down == c.lives || a.fsd != b.fsd {
			t.Errorf("%s: ours %v, Debian's %v; both live on: %v wanted", c.name, a, b, c.lives)
		}
		if late := a.after - b.after; late > time.Duration(p.poll)*time.Second+300*time.Millisecond {
			t.Errorf("%s: ours is %.1f s later", c.name, late.Seconds())
		}
	}
	t.Log(table.String())
}
