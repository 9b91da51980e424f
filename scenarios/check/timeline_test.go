package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
)

const wantTimeline = `
rack feeds nas and db; its battery lasts 10m0s and is low for the last 3m0s.

+00:00:00.000  nas and db    booted
+00:00:20.000  nas and db    came up
+00:00:20.200  nas           removed POWERDOWNFLAG /etc/killpower
+00:01:40.000  mains a       failed
+00:01:40.000  rack          went on battery: mains failed
+00:01:42.000  nas and db    saw rack on battery (the last one at +00:01:42.500)
+00:03:20.000  nas           saw rack on line power
+00:03:25.000  nas           saw rack on battery
+00:03:30.000  ...           the same 3 times more until +00:03:55.000
+00:08:40.000  rack          battery became low
+00:08:42.000  nas           saw the battery of rack low
+00:08:42.000  nas           called rack critical
+00:08:42.000  nas           decided to shut down: power
+00:08:42.000  nas           upsd set FSD on rack
+00:08:42.000  nas           saw FSD on rack
+00:08:42.000  nas           waited for the secondaries to log out
+00:08:45.000  db            saw FSD on rack
+00:08:45.000  db            decided to shut down: power
+00:08:45.000  db            announced shutdown (SHUTDOWN)
+00:08:50.000  db            ran SHUTDOWNCMD: halt
+00:08:50.000  db            began to stop
+00:08:50.300  nas           found that all secondaries of rack had logged out
+00:08:50.300  nas           announced shutdown (SHUTDOWN)
+00:08:51.000  db            ran SHUTDOWNCMD: halt
+00:08:51.000  S10 VIOLATED  db ran SHUTDOWNCMD again at +00:08:51.000, the first time was at +00:08:50.000, and it has not booted since
+00:08:55.300  nas           wrote POWERDOWNFLAG /etc/killpower
+00:08:55.300  nas           ran SHUTDOWNCMD: halt
+00:08:55.300  nas           began to stop
+00:09:10.000  db            went down, with 2m30s left in the battery of rack
+00:09:25.200  nas           told rack to switch the load off (shutdown.return): accepted
+00:09:25.300  nas           went down
+00:09:45.300  rack          switched the load off: shutdown command, with about 1m54.7s left in the battery
+00:09:45.300  nas           lost power, 20s after it went down
+00:09:45.300  db            lost power, 35.3s after it went down
+00:13:20.000  mains a       came back
+00:13:20.000  rack          went back to line power
+00:13:50.000  rack          switched the load on
+00:13:50.000  nas and db    booted
+00:14:10.000  nas           came up again, 4m44.7s after it went down
+00:14:10.000  db            came up again, 5m0s after it went down
+00:14:10.200  nas           removed POWERDOWNFLAG /etc/killpower
+00:14:12.000  nas           saw rack on line power

host  saw battery    announced      down           power cut      up again
nas   +00:03:55.000  +00:08:50.300  +00:09:25.300  +00:09:45.300  +00:14:10.000
db    +00:01:42.500  +00:08:45.000  +00:09:10.000  +00:09:45.300  +00:14:10.000
`

func TestTimelineTellsAnOutageAndItsViolations(t *testing.T) {
	events := moved(with(toldOutage(), shutdowncmd(531, "db"),
		env.Event{T: sec(550), Kind: env.Power, Host: "db", UPS: "rack", Name: "left",
			Value: Halted, N: 150e9}),
		-1.5, host("db"), named("ONBATT"))
	for i := range 4 {
		s := 200 + 10*float64(i)
		events = with(events, notify(s, "nas", "ONLINE"), notify(s+5, "nas", "ONBATT"))
	}
	twice := slices.DeleteFunc(Run(events, 0, env.Never).Violations,
		func(x Violation) bool { return x.ID != "S10" })
	got := "\n" + Timeline(events, TimelineOptions{Violations: twice})
	if got != wantTimeline {
		t.Errorf("timeline:\n%s\nwant:\n%s", got, wantTimeline)
	}
}

func TestTimelineSaysWhatOthersWouldMiss(t *testing.T) {
	cut := with(until(outage(), 544), power(545, "outlet", "off", "the battery is empty"),
		fed(545, "db", "no"))
	tests := []struct {
		claim  string
		events []env.Event
		want   string
	}{
		{"power lost while running", cut, "lost power while it was stopping"},
		{"and in the table", cut, "+00:09:05.000 WHILE RUNNING"},
		{"a quiet day", calm(), "Nobody shut down and nobody lost power."},
		{"an outage that everybody lived through",
			until(outage(), 500), "Nobody shut down and nobody lost power."},
		{"a frozen daemon", with(calm(), proc(100, "nas", "upsd", "pause")), "upsd was frozen"},
		{"a link cut in one direction",
			with(calm(), link(100, "nas db", "cut-to")), "from nas to db was cut"},
		{"a fault with its duration",
			with(calm(), env.Event{T: sec(100), Kind: env.Fault, UPS: "rack",
				Name: "silent", Value: "on", N: 30e9}), "fault silent began, for 30s"},
		{"a notification of a type that is new",
			with(calm(), env.Event{T: sec(100), Host: "nas", Prog: "upsmon",
				Kind: env.Notify, Name: "MOOD", Value: "UPS is sad"}), "notified MOOD: UPS is sad"},
		{"a service that does not start",
			with(calm(), env.Event{T: sec(100), Kind: env.Proc, Host: "db",
				Name: "upsmon", Value: "start", N: 1}), "upsmon did not start: code 1"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			if got := Timeline(tt.events, TimelineOptions{}); !strings.Contains(got, tt.want) {
				t.Errorf("timeline lacks %q:\n%s", tt.want, got)
			}
		})
	}
}

func TestTimelineShowsWhatIsAskedFor(t *testing.T) {
	part := Timeline(outage(), TimelineOptions{From: sec(522), To: sec(540), Hosts: []string{"db"}})
	for _, absent := range []string{"nas  ", "booted", "went down"} {
		if strings.Contains(part, absent) {
			t.Errorf("db from 522 s to 540 s: %q is not asked for:\n%s", absent, part)
		}
	}
	all := Timeline(outage(), TimelineOptions{Verbose: true})
	for _, present := range []string{"nas upsmon setting FINALDELAY n=5000000000",
		`db upsmon status rack@nas "OL"`} {
		if !strings.Contains(all, present) {
			t.Errorf("the verbose timeline lacks %q:\n%s", present, all)
		}
	}
}

func TestManyHostsThatSayTheSameAreOneLine(t *testing.T) {
	var events []env.Event
	for _, h := range []string{"mail", "web", "backup", "build", "archive", "proxy"} {
		events = append(events, notify(100, h, "ONBATT"))
	}
	got := Timeline(events, TimelineOptions{})
	if want := "+00:01:40.000  mail, web and 4 more  saw rack on battery\n"; !strings.HasPrefix(got,
		want) {
		t.Errorf("timeline:\n%s\nwant it to begin with %q", got, want)
	}
}

func TestStampsAreReadable(t *testing.T) {
	for at, want := range map[env.Instant]string{
		0: "+00:00:00.000", sec(724.25): "+00:12:04.250", sec(-1.5): "-00:00:01.500",
		sec(360000): "+100:00:00.000",
	} {
		if got := stamp(at); got != want {
			t.Errorf("stamp(%d) = %s, want %s", at, got, want)
		}
	}
	if got := stamp(env.Never); !slices.Contains([]byte(got), '+') {
		t.Errorf("stamp(Never) = %s", got)
	}
}
