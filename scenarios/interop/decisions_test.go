package interop

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/user"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Both monitors get the same answers from a scripted server, at the same polls, and must decide the
// same, ours never later. Where they differ on purpose, decisionDeviations says why.
//
//	2 polls  OL
//	3 polls  the status
//	8 s      the event: the status goes on, or the server or its data go away

// decisionConf makes both poll every second, so that a poll is the grain of all times.
const decisionConf = `MONITOR rack@127.0.0.1:@port@ 1 mon pw %s
POLLFREQ 1
POLLFREQALERT 1
DEADTIME 4
HOSTSYNC 2
FINALDELAY 0
RUN_AS_USER %s
SHUTDOWNCMD "true"
`

const (
	calmPolls   = 2
	statusPolls = 3
	eventLasts  = 8 * time.Second
	// onePoll is by how much decisions at the same poll may be apart.
	onePoll = 1300 * time.Millisecond
)

// decisionEvents are what happens after the status was seen.
var decisionEvents = []string{"goes on", "server away", "data stale", "driver away", "server restarts", "mains return"}

// decisionStatuses are line power, battery, an empty battery, each with every other word.
func decisionStatuses() []string {
	all := []string{"CAL", "OFF", "BYPASS", "PLUGH"}
	for _, base := range []string{"OL", "OB", "OB LB"} {
		all = append(all, base)
		for _, word := range []string{"LB", "RB", "CHRG", "CAL", "OFF", "BYPASS", "OVER", "TRIM", "ALARM", "PLUGH", "FSD"} {
			if !strings.Contains(base, word) {
				all = append(all, base+" "+word)
			}
		}
	}
	return all
}

// decisionDeviations are where the decisions differ on purpose, each with the reason. The oracle is
// 2.8.0, which has no rules for OFF, BYPASS, OVER and ALARM, and
// none for silence but that of DEADTIME on battery: later releases shut down at once.
var decisionDeviations = []struct {
	why   string
	holds func(status, event string) bool
}{
	{"2.8.0 does not know that a UPS that falls silent in a calibration, and not on line power, may be dead",
		func(status, event string) bool {
			return silent(event) && has(status, "CAL") && !has(status, "OL")
		}},
	{"2.8.0 does not know that a UPS whose last status was OFF or on bypass, and not line power, may be dead",
		func(status, event string) bool {
			return silent(event) && !has(status, "OL") && !has(status, "OB") && (has(status, "OFF") || has(status, "BYPASS"))
		}},
	{"HOSTSYNC is over for a secondary when it is over, not at the first poll a second later, when mains are back",
		func(status, event string) bool {
			return event == "mains return" && has(status, "OB") && has(status, "LB")
		}},
}

func has(status, word string) bool { return slices.Contains(strings.Fields(status), word) }

func silent(event string) bool {
	return event == "server away" || event == "data stale" || event == "driver away"
}

// A decision is what a monitor did.
type decision struct {
	down  bool
	after time.Duration // since the first poll of the status
	fsd   bool
}

func (d decision) String() string {
	if !d.down {
		return "lives on"
	}
	return fmt.Sprintf("shuts down after %.1f s (FSD sent: %v)", d.after.Seconds(), d.fsd)
}

// A stage is a scripted server.
type stage struct {
	status, event string
	latched       bool          // the status is said from the first poll on
	spare         string        // the status of a second UPS, from the first
	others        int           // logins besides the monitor's
	leave         time.Duration // after which they log out when FSD is set
	stay          bool          // they do not

	mu    sync.Mutex
	polls int
	first time.Time // when the status was first said
	hit   time.Time // when the event began
	good  time.Time // when a status was last said
	fsd   bool
	set   time.Time // when FSD was
}

// answer is the reply to one line; "" ends the connection.
func (s *stage) answer(request string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	words := strings.Fields(request)
	switch {
	case len(words) == 0:
		return "ERR UNKNOWN-COMMAND"
	case words[0] == "FSD":
		if !s.fsd {
			s.fsd, s.set = true, time.Now()
		}
		return "OK FSD-SET"
	case words[0] == "STARTTLS":
		return "ERR FEATURE-NOT-CONFIGURED"
	case words[0] == "PRIMARY" || words[0] == "MASTER":
		return "OK " + words[0] + "-GRANTED"
	case strings.HasPrefix(request, "GET NUMLOGINS"):
		n := s.others
		if s.fsd && !s.stay && time.Since(s.set) > s.leave {
			n = 0
		}
		return fmt.Sprintf("NUMLOGINS %s %d", words[2], n+1)
	case s.spare != "" && strings.HasPrefix(request, "GET VAR spare ups.status"):
		return `VAR spare ups.status "` + s.spare + `"`
	case strings.HasPrefix(request, "GET VAR rack ups.status"):
		return s.poll()
	case words[0] == "LIST":
		return "BEGIN LIST CLIENT rack\nCLIENT rack 127.0.0.1\nEND LIST CLIENT rack"
	case words[0] == "GET":
		return "ERR VAR-NOT-SUPPORTED"
	case words[0] == "LOGOUT":
		return ""
	}
	return "OK"
}

func (s *stage) poll() string {
	s.polls++
	status := s.status
	switch {
	case s.polls <= calmPolls && !s.latched:
		status = "OL"
	case s.first.IsZero():
		s.first = time.Now()
	case s.polls > calmPolls+statusPolls:
		if s.hit.IsZero() {
			s.hit = time.Now()
		}
		switch s.event {
		case "data stale":
			return "ERR DATA-STALE"
		case "driver away":
			return "ERR DRIVER-NOT-CONNECTED"
		case "server away":
			return ""
		case "server restarts":
			if s.polls == calmPolls+statusPolls+1 {
				return ""
			}
		case "mains return":
			status = "OL"
		}
	}
	if s.event != "server hangs" || s.polls <= calmPolls+statusPolls {
		s.good = time.Now()
	}
	return `VAR rack ups.status "` + status + `"`
}

// hung reports that the server takes requests, and answers none.
func (s *stage) hung() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.event == "server hangs" && s.polls > calmPolls+statusPolls
}

// away reports that the server does not take connections.
func (s *stage) away() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.event == "server away" && !s.hit.IsZero()
}

func (s *stage) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if s.away() {
			s.mu.Lock()
			s.polls++ // it was tried
			s.mu.Unlock()
			c.Close()
			continue
		}
		go func() {
			defer c.Close()
			for in := bufio.NewScanner(c); in.Scan(); {
				reply := s.answer(in.Text())
				if s.hung() {
					continue
				}
				if reply == "" {
					return
				}
				fmt.Fprintln(c, reply)
			}
		}()
	}
}

// me is this account.
func me(t *testing.T) string {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return u.Username
}

// decide runs a monitor on a stage to its decision, or to the end of the event.
func decide(t *testing.T, k kit, status, event, role string) decision {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := &stage{status: status, event: event}
	go s.serve(l)
	b := newBench(t, nil)
	_, b.port, _ = net.SplitHostPort(l.Addr().String())
	b.write("upsmon.conf", fmt.Sprintf(decisionConf, role, me(t)))
	var d *daemon
	if k == debian {
		d = b.start("unshare", ownRun(t, "exec "+k.upsmon+" -F -p")...)
	} else {
		d = b.start(k.upsmon, "-F", "-p")
	}
	const wholeStory = (calmPolls+statusPolls+4)*time.Second + eventLasts
	var got decision
	select {
	case <-d.done:
		got.down = true
	case <-time.After(wholeStory):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got.fsd = s.fsd
	if s.first.IsZero() {
		t.Errorf("%s on %q: never polled the status: %s", k.name, status, d.said)
	} else if got.down {
		got.after = time.Since(s.first)
	}
	return got
}

func TestMonitorsOfBothKindsDecideTheSame(t *testing.T) {
	ours, theirs := kits(t)
	ownRun(t, "true")
	every := 5
	if os.Getenv("BLACKSTART_MATRIX") != "" {
		every = 1
	}
	var mu sync.Mutex
	same, deviating, n := 0, map[string]int{}, 0
	latest := -time.Hour
	seats := make(chan struct{}, 100) // monitors that run at a time
	var wg sync.WaitGroup
	for _, role := range []string{"primary", "secondary"} {
		for _, status := range decisionStatuses() {
			for _, event := range decisionEvents {
				if n++; n%every != 0 {
					continue
				}
				wg.Go(func() {
					seats <- struct{}{}
					var a, b decision
					var both sync.WaitGroup
					both.Go(func() { a = decide(t, ours, status, event, role) })
					both.Go(func() { b = decide(t, theirs, status, event, role) })
					both.Wait()
					<-seats
					mu.Lock()
					defer mu.Unlock()
					later := a.after - b.after
					agree := a.down == b.down && a.fsd == b.fsd && later <= onePoll
					if agree && a.down {
						latest = max(latest, later)
					}
					i := slices.IndexFunc(decisionDeviations, func(d struct {
						why   string
						holds func(status, event string) bool
					}) bool {
						return d.holds(status, event)
					})
					switch {
					case agree:
						same++
					case i >= 0:
						deviating[decisionDeviations[i].why]++
					default:
						t.Errorf("%s, %q, %s: ours %v, Debian's %v", role, status, event, a, b)
					}
				})
			}
		}
	}
	wg.Wait()
	t.Logf("%d times the same decision, ours at most %.1f s after Debian's (a poll is 1 s)", same, latest.Seconds())
	for why, count := range deviating {
		t.Logf("%d times another: %s", count, why)
	}
	if same < n/every/2 {
		t.Errorf("only %d of %d decisions are compared", same, n/every)
	}
}
