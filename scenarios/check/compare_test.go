package check

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func TestRungsThatTellTheSameStory(t *testing.T) {
	onDB := func(ev env.Event) bool { return ev.Host == "db" && ev.Kind == env.Notify }
	later := func(ev env.Event) bool { return ev.T >= sec(100) }
	tests := []struct {
		claim  string
		other  []env.Event
		window time.Duration
		want   string // of the violations, in one text
	}{
		{"the same run", outage(), 0, ""},
		{"everything later, the cause too", moved(outage(), 30, later), 0, ""},
		{"other names for the server", changed(outage(), func(ev *env.Event) {
			ev.UPS = strings.Replace(ev.UPS, "@nas", "@127.0.1.1:3493", 1)
		}), 0, ""},
		{"the order of two hosts, within the window",
			moved(outage(), -3, onDB, between(104, 104)), 5 * time.Second, ""},
		{"the order of two hosts, beyond it",
			moved(outage(), -3, onDB, between(104, 104)), time.Second,
			"db notified ONBATT rack at +00:01:41.000 before nas notified ONBATT rack at " +
				"+00:01:42.000; the reference has them the other way round, 2s apart"},
		{"a notification less", without(outage(), named("LOWBATT")), 0, "nas notified FSD rack at"},
		{"the last one is missing", without(outage(), host("db"), named("SHUTDOWN")), 0,
			"db did not notify SHUTDOWN, which the reference has at +00:08:45.000"},
		{"a notification more", with(outage(), notify(900, "db", "ONLINE")), 0,
			"db notified ONLINE rack at +00:15:00.000, which the reference does not have"},
		{"the order within one poll of one host, whatever the window",
			moved(outage(), -1, host("db"), named("SHUTDOWN")), time.Minute,
			"db notified SHUTDOWN at +00:08:44.000 where the reference has FSD rack"},
		{"a host that says nothing", without(outage(), onDB), 0, "db did not notify ONBATT rack"},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			c := Compare(outage(), tt.other, tt.window)
			if tt.want == "" != c.OK() || !strings.Contains(c.String(), tt.want) {
				t.Errorf("compared:\n%s\nwant %q", c, tt.want)
			}
		})
	}
}

func TestTwoStepsSeenByOnePollMayBeToldInAnyOrder(t *testing.T) {
	ref := []env.Event{notify(10, "nas", "LOWBATT"), notify(14, "nas", "FSD")}
	got := []env.Event{notify(15, "nas", "FSD"), notify(15.1, "nas", "LOWBATT")}
	c := Compare(ref, got, 5*time.Second)
	if !c.OK() || len(c.Notes) != 1 {
		t.Errorf("compared:\n%s\nwant a note", c)
	}
	if c := Compare(ref, got, time.Second); c.OK() {
		t.Errorf("beyond the window they may not; compared:\n%s", c)
	}
}

func TestTwoUPSesOfOneHostMaySwapWithinTheWindow(t *testing.T) {
	spare := func(ev env.Event) env.Event { ev.UPS = "spare@nas"; return ev }
	ref := []env.Event{notify(10, "nas", "ONBATT"), spare(notify(10.1, "nas", "ONBATT"))}
	got := []env.Event{spare(notify(10, "nas", "ONBATT")), notify(10.2, "nas", "ONBATT")}
	if c := Compare(ref, got, time.Second); !c.OK() {
		t.Errorf("compared:\n%s", c)
	}
	if c := Compare(ref, got, 0); c.OK() {
		t.Error("without a window they may not")
	}
}

const wantComparison = `
host  notify             compared  largest difference  at
db    ONBATT             1         +1.200s             +00:01:44.000
db    FSD                1         +0.000s             +00:08:45.000
db    SHUTDOWN           1         +0.000s             +00:08:45.000
nas   ONBATT             1         +0.000s             +00:01:42.000
nas   LOWBATT            1         -0.250s             +00:08:42.000
nas   FSD                1         +0.000s             +00:08:42.000
nas   SHUTDOWN_HOSTSYNC  1         +0.000s             +00:08:42.000
nas   SHUTDOWN           1         +0.000s             +00:08:50.300
nas   ONLINE             1         +0.000s             +00:14:12.000
the same story: 9 notifications on 2 hosts agree, in order; the largest difference of time is 1.2s
`

func TestDifferencesOfTimeAreCountedFromTheScriptsActions(t *testing.T) {
	other := moved(toldOutage(), 1.2, host("db"), named("ONBATT"))
	other = moved(other, -0.25, named("LOWBATT"))
	other = moved(other, 60, between(800, 1e6)) // the script was later, and with it its effects
	got := "\n" + Compare(toldOutage(), other, 5*time.Second).String()
	if got != wantComparison {
		t.Errorf("table:\n%s\nwant:\n%s", got, wantComparison)
	}
}

func TestScriptsThatDidOtherThingsAreNoted(t *testing.T) {
	c := Compare(outage(), with(outage(), link(300, "nas db", "cut")), time.Second)
	const note = "note: the scripts did not do the same after step 2"
	if !c.OK() || len(c.Notes) != 1 || !strings.Contains(c.String(), note) {
		t.Errorf("compared:\n%s", c)
	}
}

func TestASwarmOfDisordersIsCutShort(t *testing.T) {
	var ref, got []env.Event
	for i := range 100 {
		h := "h" + string(rune('0'+i/10)) + string(rune('0'+i%10))
		ref = append(ref, notify(float64(i), h, "ONBATT"))
		got = append(got, notify(float64(100-i), h, "ONBATT"))
	}
	c := Compare(ref, Merge(got), 0)
	if len(c.Violations) != maxDisorders || c.More != 99-maxDisorders {
		t.Errorf("%d violations and %d more, want %d and %d", len(c.Violations), c.More,
			maxDisorders, 99-maxDisorders)
	}
}
