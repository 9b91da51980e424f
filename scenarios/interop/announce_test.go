package interop

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// classicTypes are what 2.8.0 announces. It has CAL too, but no end of it, and forgets none.
var classicTypes = []string{"ONLINE", "ONBATT", "LOWBATT", "FSD", "COMMOK", "COMMBAD", "SHUTDOWN", "REPLBATT", "NOCOMM"}

// announced plays a stage to a monitor, until some polls after the event. The result is what
// NOTIFYCMD was given up to now, in the order of the alphabet: the C monitor's commands overtake each
// other, and may still be on their way.
func announced(t *testing.T, k kit, status, event string) func() []string {
	none := func() []string { return nil }
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Error(err)
		return none
	}
	t.Cleanup(func() { l.Close() })
	s := &stage{status: status, event: event}
	go s.serve(l)
	b := newBench(t, nil)
	_, b.port, _ = net.SplitHostPort(l.Addr().String())
	text := fmt.Sprintf(decisionConf, "primary", me(t)) + "MINSUPPLIES 0\nNOTIFYCMD @conf@/notify\n"
	for _, typ := range classicTypes {
		text += "NOTIFYFLAG " + typ + " EXEC\n"
	}
	b.write("upsmon.conf", text)
	script := fmt.Sprintf("#!/bin/sh\necho \"$NOTIFYTYPE of $UPSNAME: $*\" >>%s/told\n", b.conf)
	if err := os.WriteFile(b.conf+"/notify", []byte(script), 0o700); err != nil {
		t.Error(err)
		return none
	}
	b.monitors(t, k, "-F", "-p")
	if !s.polled(calmPolls + statusPolls + 4) {
		t.Errorf("%s is not polled", k.name)
	}
	return func() []string {
		told, _ := os.ReadFile(b.conf + "/told")
		lines := strings.Split(strings.ReplaceAll(string(told), ":"+b.port, ""), "\n")
		slices.Sort(lines)
		return lines
	}
}

// UM section 6 beside 2.8.0: whatever is heard, both announce the same, in the same words.
func TestMonitorsOfBothKindsAnnounceTheSame(t *testing.T) {
	ours, theirs := kits(t)
	ownRun(t, "true")
	every := 5
	if os.Getenv("BLACKSTART_MATRIX") != "" {
		every = 1
	}
	var mu sync.Mutex
	n, compared, lines := 0, 0, 0
	seats := make(chan struct{}, 50)
	var wg sync.WaitGroup
	for _, status := range decisionStatuses() {
		for _, event := range []string{"data stale", "server away", "mains return"} {
			if n++; n%every != 0 {
				continue
			}
			compared++
			wg.Go(func() {
				seats <- struct{}{}
				defer func() { <-seats }()
				var a, b func() []string
				var both sync.WaitGroup
				both.Go(func() { a = announced(t, ours, status, event) })
				both.Go(func() { b = announced(t, theirs, status, event) })
				both.Wait()
				begin := time.Now()
				for !slices.Equal(a(), b()) && time.Since(begin) < startLimit {
					time.Sleep(20 * time.Millisecond)
				}
				if !slices.Equal(a(), b()) {
					t.Errorf("%q, then %s:\nours     %q\nDebian's %q", status, event, a(), b())
				}
				mu.Lock()
				defer mu.Unlock()
				lines += len(a()) - 1
			})
		}
	}
	wg.Wait()
	t.Logf("%d stories are announced alike, in %d announcements", compared, lines)
	if lines < compared {
		t.Error("too little is announced to prove anything")
	}
}
