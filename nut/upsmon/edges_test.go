package upsmon

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// step is a poll: a status at a time, or a failure.
type step struct {
	sec    float64
	status string // "-" is a failed poll
	alarm  string
}

// announcements are the types, with details, that polls bring.
func announcements(polls []step) string {
	m, w := Fresh(), Warnings{NoComm: 300 * time.Second, ReplBatt: 12 * time.Hour}
	var said []string
	for _, p := range polls {
		var out []Notice
		if p.status == "-" {
			m, out = m.Fail("u", w, at(p.sec))
		} else {
			m, out = m.Accept("u", ParseStatus(p.status), p.alarm, w, at(p.sec))
		}
		for _, n := range out {
			text := string(n.Type)
			if n.Detail != "" {
				text += "[" + n.Detail + "]"
			}
			said = append(said, text)
		}
	}
	return strings.Join(said, " ")
}

// UM section 6.
func TestAnnouncements(t *testing.T) {
	s := func(statuses ...string) []step {
		var polls []step
		for i, status := range statuses {
			polls = append(polls, step{sec: float64(5 * i), status: status})
		}
		return polls
	}
	tests := []struct {
		name  string
		polls []step
		want  string
	}{
		{"the first OL says nothing", s("OL"), ""},
		{"the first OB says ONBATT", s("OB DISCHRG"), "ONBATT"},
		{"battery and back", s("OL", "OB", "OB", "OL CHRG", "OL"), "ONBATT ONLINE"},
		{"a status without OL or OB changes neither", s("OL", "ALARM", "OL"), "ALARM[n/a] NOTALARM"},
		{"LOWBATT comes with OL too and has no end", s("OL", "OL LB", "OL", "OL LB"), "LOWBATT LOWBATT"},
		{"FSD once until a status without it", s("OL", "FSD OL", "FSD OL", "OL", "FSD OL"), "FSD FSD"},
		{"words are announced in the order of the status", s("OL", "FSD OB LB"), "FSD ONBATT LOWBATT"},
		{"calibration", s("OL", "OL CAL", "OL CAL", "OL"), "CAL NOTCAL"},
		{"off and on", s("OL", "OFF OL", "OL"), "OFF NOTOFF"},
		{"bypass, overload, trim, boost, eco", s("OL BYPASS", "OL OVER", "OL TRIM", "OL BOOST", "OL ECO", "OL"),
			"BYPASS NOTBYPASS OVER NOTOVER TRIM NOTTRIM BOOST NOTBOOST ECO NOTECO"},
		{"what goes is announced before what comes", s("OL CAL", "OB LB"), "CAL NOTCAL ONBATT LOWBATT"},
		{"HB, CHRG and DISCHRG are nobody's concern", s("OL HB", "OL CHRG", "OL DISCHRG"), ""},
		{"words are compared whole", s("OL", "OL XLB ALBUM OFFLINE", "OL XLB ALBUM OFFLINE"), "OTHER[XLB ALBUM OFFLINE]"},
		{"unknown words each time their set changes", s("OL XYZZY", "OL XYZZY PLUGH", "OL"), "OTHER[XYZZY] OTHER[XYZZY PLUGH] NOTOTHER"},
		{"letter case means nothing", s("ol", "ob lb", "OB LB", "ol"), "ONBATT LOWBATT ONLINE"},
		{"both OL and OB: the last one counts, once", s("OL OB", "OL OB", "OB OL", "OB OL"), "ONBATT ONLINE"},

		{"an alarm has its text", []step{{0, "ALARM OL", "too hot"}, {5, "ALARM OL", "too hot"}, {10, "OL", ""}},
			"ALARM[too hot] NOTALARM"},
		{"an alarm with another text is another one", []step{{0, "ALARM OL", "too hot"}, {5, "ALARM OL", "on fire"}},
			"ALARM[too hot] ALARM[on fire]"},
		{"REPLBATT at once, and again after RBWARNTIME", []step{{0, "OL RB", ""}, {5, "OL RB", ""}, {43200, "OL RB", ""},
			{43201, "OL RB", ""}}, "REPLBATT REPLBATT"},
		{"RB that toggles is no news", []step{{0, "OL RB", ""}, {5, "OL", ""}, {10, "OL RB", ""}}, "REPLBATT"},

		{"the very first poll may fail", s("-", "-", "OL"), "COMMBAD NOCOMM COMMOK"},
		{"once per loss", s("OL", "-", "-", "-", "OL", "-"), "COMMBAD COMMOK COMMBAD"},
		{"first contact is no COMMOK", s("OL", "OL"), ""},
		{"NOCOMM after NOCOMMWARNTIME without a good poll", []step{{0, "OL", ""}, {5, "-", ""}, {295, "-", ""}, {300, "-", ""}},
			"COMMBAD NOCOMM"},
		{"NOCOMM again after more than NOCOMMWARNTIME", []step{{0, "OL", ""}, {5, "-", ""}, {300, "-", ""}, {600, "-", ""},
			{605, "-", ""}}, "COMMBAD NOCOMM NOCOMM"},
		{"a UPS never reached is unavailable at the second failure", s("-", "-", "-"), "COMMBAD NOCOMM"},
		{"a loss does not forget the battery", s("OB", "-", "OL"), "ONBATT COMMBAD COMMOK ONLINE"},
		{"COMMOK comes before what the status says", s("OL", "-", "OB LB"), "COMMBAD COMMOK ONBATT LOWBATT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := announcements(tt.polls); got != tt.want {
				t.Errorf("%v is announced as %q, want %q", tt.polls, got, tt.want)
			}
		})
	}
}

func TestForcedByUsIsAnnouncedOnce(t *testing.T) {
	m, out := Fresh().ForcedByUs("u")
	if len(out) != 1 || out[0].Type != ForcedShutdown {
		t.Errorf("the first FSD of ours is announced as %v, want FSD", out)
	}
	if _, out = m.Accept("u", ParseStatus("FSD OB LB"), "", Warnings{}, 0); slices.ContainsFunc(out, func(n Notice) bool {
		return n.Type == ForcedShutdown
	}) {
		t.Error("seeing it in the status is announced again")
	}
}

// S13: what has two ends is announced in turn.
func TestPairsAlternate(t *testing.T) {
	pairs := map[Type]Type{Online: OnBatt, OnBatt: Online, CommOK: CommBad, CommBad: CommOK}
	for _, e := range edges {
		if e.fall != "" && e.rise != Alarm { // an alarm with a new text is announced within one
			pairs[e.rise], pairs[e.fall] = e.fall, e.rise
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m, now := Fresh(), env.Instant(0)
		last := map[Type]Type{} // by the first of a pair's names
		for range rapid.IntRange(1, 30).Draw(t, "polls") {
			now = now.Add(5 * time.Second)
			var out []Notice
			status := drawStatus(t, "")
			if rapid.IntRange(0, 3).Draw(t, "fails") == 0 || ParseStatus(status).Empty() {
				m, out = m.Fail("u", Warnings{}, now)
			} else {
				m, out = m.Accept("u", ParseStatus(status), "", Warnings{}, now)
			}
			for _, n := range out {
				other, paired := pairs[n.Type]
				if !paired {
					continue
				}
				key := min(n.Type, other)
				if last[key] == n.Type {
					t.Fatalf("%s twice without %s", n.Type, other)
				}
				last[key] = n.Type
			}
		}
	})
}

func TestTexts(t *testing.T) {
	alarm := Notice{Alarm, "rack@nas", "too hot"}
	tests := []struct {
		name   string
		notice Notice
		format string
		want   string
	}{
		{"the usual text", Notice{OnBatt, "rack@nas", ""}, "", "UPS rack@nas on battery"},
		{"two details", alarm, "", "UPS rack@nas: one or more active alarms: [too hot]"},
		{"a format with one %s drops the detail (UM-N6)", alarm, "alarm on %s", "alarm on rack@nas"},
		{"a format without any", alarm, "alarm", "alarm"},
		{"more than there are values for", Notice{OnBatt, "rack@nas", ""}, "%s %s %s", "rack@nas  %s"},
		{"percent signs", Notice{OnBatt, "rack@nas", ""}, "100%% of %s, %d, %", "100% of rack@nas, %d, %"},
		{"values are not formats", Notice{Other, "%s", "%s%n"}, "", "UPS %s: has at least one unclassified status token: [%s%n]"},
		{"the host has no UPS", Notice{Type: Shutdown}, "", "Auto logout and shutdown proceeding"},
		{"a long text is cut (UM-N5)", Notice{Other, "u", strings.Repeat("x", 1000)}, "%s%s", "u" + strings.Repeat("x", 510)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.notice.Text(tt.format); got != tt.want {
				t.Errorf("Text(%q) of %+v = %q, want %q", tt.format, tt.notice, got, tt.want)
			}
		})
	}
}
