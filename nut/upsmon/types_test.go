package upsmon

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// told is what polls have people read, in the usual words.
func told(polls []step) []string {
	m, w := Fresh(), Warnings{NoComm: 300 * time.Second, ReplBatt: 12 * time.Hour}
	var texts []string
	for _, p := range polls {
		var out []Notice
		if p.status == "-" {
			m, out = m.Fail("u@h", w, at(p.sec))
		} else {
			m, out = m.Accept("u@h", ParseStatus(p.status), p.alarm, w, at(p.sec))
		}
		for _, n := range out {
			texts = append(texts, string(n.Type)+": "+n.Text(""))
		}
	}
	return texts
}

// Each type: what brings it, that nothing else does, how often, and its usual text.
func TestNotifyTypes(t *testing.T) {
	const day = 24 * 3600.0
	s := func(statuses ...string) []step {
		var polls []step
		for i, status := range statuses {
			polls = append(polls, step{sec: float64(5 * i), status: status})
		}
		return polls
	}
	pair := func(word, on, off string) []string {
		return []string{word + ": " + on, "NOT" + word + ": " + off, word + ": " + on}
	}
	edges := func(word string) []step {
		return s("OL", "OL "+word, word+" OL", "OL", "OL", "OL "+word)
	}
	tests := []struct {
		name  string
		polls []step
		want  []string
	}{
		{"upsmon.md 6 ONLINE", s("OL", "OL", "OB", "OL", "OL"),
			[]string{"ONBATT: UPS u@h on battery", "ONLINE: UPS u@h on line power"}},
		{"upsmon.md 6 ONBATT", s("OB", "OB", "-", "OB"), []string{"ONBATT: UPS u@h on battery",
			"COMMBAD: Communications with UPS u@h lost", "COMMOK: Communications with UPS u@h established"}},
		{"upsmon.md 6 LOWBATT", s("OL LB", "OL LB", "OL", "OL LB"),
			[]string{"LOWBATT: UPS u@h battery is low", "LOWBATT: UPS u@h battery is low"}},
		{"upsmon.md 6 FSD", s("FSD OL", "FSD OL", "OL", "FSD OL"),
			[]string{"FSD: UPS u@h: forced shutdown in progress", "FSD: UPS u@h: forced shutdown in progress"}},
		{"upsmon.md 6 COMMOK", s("OL", "-", "OL", "OL"), []string{"COMMBAD: Communications with UPS u@h lost",
			"COMMOK: Communications with UPS u@h established"}},
		{"upsmon.md 6 COMMBAD", s("-"), []string{"COMMBAD: Communications with UPS u@h lost"}},
		{"upsmon.md 6 REPLBATT", []step{{0, "OL RB", ""}, {5, "OL", ""}, {10, "OL RB", ""}, {day / 2, "OL RB", ""},
			{day/2 + 5, "OL RB", ""}}, []string{"REPLBATT: UPS u@h battery needs to be replaced",
			"REPLBATT: UPS u@h battery needs to be replaced"}},
		{"upsmon.md 6 NOCOMM", []step{{0, "OL", ""}, {5, "-", ""}, {295, "-", ""}, {300, "-", ""}, {600, "-", ""}, {605, "-", ""}},
			[]string{"COMMBAD: Communications with UPS u@h lost", "NOCOMM: UPS u@h is unavailable", "NOCOMM: UPS u@h is unavailable"}},
		{"upsmon.md 6 NOCOMM: a UPS never reached", s("-", "-", "-"),
			[]string{"COMMBAD: Communications with UPS u@h lost", "NOCOMM: UPS u@h is unavailable"}},
		{"upsmon.md 6 CAL", edges("CAL"), pair("CAL", "UPS u@h: calibration in progress", "UPS u@h: calibration finished")},
		{"upsmon.md 6 OFF", edges("OFF"), pair("OFF", "UPS u@h: administratively OFF or asleep",
			"UPS u@h: no longer administratively OFF or asleep")},
		{"upsmon.md 6 BYPASS", edges("BYPASS"), pair("BYPASS", "UPS u@h: on bypass (powered, not protecting)",
			"UPS u@h: no longer on bypass")},
		// Ours takes no mode buzzwords: any text in those variables would be ECO.
		{"upsmon.md 6 ECO", edges("ECO"), pair("ECO", "UPS u@h: in ECO mode (as defined by vendor)",
			"UPS u@h: no longer in ECO mode")},
		{"upsmon.md 6 ALARM", []step{{0, "ALARM OL", ""}, {5, "ALARM OL", "hot"}, {10, "ALARM OL", "hot"}, {15, "OL", ""}},
			[]string{"ALARM: UPS u@h: one or more active alarms: [n/a]", "ALARM: UPS u@h: one or more active alarms: [hot]",
				"NOTALARM: UPS u@h is no longer in an alarm state (no active alarms)"}},
		{"upsmon.md 6 OVER", edges("OVER"), pair("OVER", "UPS u@h: overloaded", "UPS u@h: no longer overloaded")},
		{"upsmon.md 6 TRIM", edges("TRIM"), pair("TRIM", "UPS u@h: trimming incoming voltage",
			"UPS u@h: no longer trimming incoming voltage")},
		{"upsmon.md 6 BOOST", edges("BOOST"), pair("BOOST", "UPS u@h: boosting incoming voltage",
			"UPS u@h: no longer boosting incoming voltage")},
		// The second step back is what C programs crashed at.
		{"upsmon.md 6 OTHER", s("OL XYZZY", "OL XYZZY", "OL XYZZY PLUGH", "OL"),
			[]string{"OTHER: UPS u@h: has at least one unclassified status token: [XYZZY]",
				"OTHER: UPS u@h: has at least one unclassified status token: [XYZZY PLUGH]",
				"NOTOTHER: UPS u@h has no unclassified status tokens anymore"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := told(tt.polls); !slices.Equal(got, tt.want) {
				t.Errorf("people read\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

// The usual texts of what concerns the host. When they come: the tests of shutdowns, of the parent,
// and of clocks.
func TestTextsOfTheHost(t *testing.T) {
	for _, tt := range []struct {
		notice Notice
		want   string
	}{
		{Notice{Type: Shutdown}, "Auto logout and shutdown proceeding"},
		{Notice{Type: ShutdownHostSync}, "Shutdown initiated; primary system is waiting for secondaries to log out or time out"},
		{Notice{Type: NoParent}, "upsmon parent process died - shutdown impossible"},
		{Notice{Type: TimeJump, Detail: "+60 seconds"}, "Unexpected clock change by +60 seconds, treating as wake up from sleep"},
	} {
		if got := tt.notice.Text(""); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.notice.Type, got, tt.want)
		}
	}
}
