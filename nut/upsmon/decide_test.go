package upsmon

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func usualSettings() Settings {
	return Settings{MinSupplies: 1, HostSync: 15 * time.Second, DeadTime: 15 * time.Second,
		OffDuration: 30 * time.Second, OverDuration: -time.Second, AlarmCritical: true}
}

func at(seconds float64) env.Instant { return env.Instant(seconds * float64(time.Second)) }

// A heardAt is a good poll.
type heardAt struct {
	sec    float64
	status string
}

// known is the view after these polls; lostAt is when the first poll failed, 0 when none did.
func viewAfter(primary bool, lostAt float64, polls ...heardAt) View {
	v := Unheard("rack@nas", primary, 1)
	for _, p := range polls {
		v = v.Accept(ParseStatus(p.status), at(p.sec))
	}
	v.Lost = lostAt > 0
	return v
}

// The rules, by the numbers of NUT's, and where ours differ. Rules 2 to 6 hold for ours after DEADTIME,
// unless NUT_RULES is on.
func TestRules(t *testing.T) {
	const primary, secondary = true, false
	type edit = func(*Settings)
	none := func(*Settings) {}
	nutRules := func(s *Settings) { s.NUTRules = true }
	tests := []struct {
		name  string
		role  bool
		set   edit
		polls []heardAt
		lost  float64
		now   float64
		want  Rule
	}{
		{"UM-A3: a UPS never reached is healthy", primary, none, nil, 5, 3600, ruleUnheard},
		{"upsmon.md 7 1: FSD is critical", secondary, none, []heardAt{{0, "FSD OL"}}, 0, 0, ruleFSD},
		{"upsmon.md 7 1: FSD stays when the server goes", secondary, none, []heardAt{{0, "FSD OL"}}, 5, 5, ruleFSD},
		{"line power is fine", primary, none, []heardAt{{0, "OL"}}, 0, 3600, ruleFine},
		{"a low battery on line power is fine", primary, none, []heardAt{{0, "OL CHRG LB"}}, 0, 3600, ruleFine},
		{"upsmon.md 7 8: battery alone is fine", primary, none, []heardAt{{0, "OB DISCHRG"}}, 0, 3600, ruleFine},
		{"upsmon.md 7 11: on battery and low, for a primary", primary, none, []heardAt{{0, "OB DISCHRG LB"}}, 0, 0, ruleLow},
		{"upsmon.md 7 13: a secondary waits for the primary", secondary, none, []heardAt{{0, "OB LB"}}, 0, 14.9, rulePrimaryWait},
		{"upsmon.md 7 12: for HOSTSYNC and no longer", secondary, none, []heardAt{{0, "OB LB"}, {15, "OB LB"}}, 0, 15, rulePrimarySilent},
		{"upsmon.md 7 12: the time runs from the first low poll", secondary, none,
			[]heardAt{{0, "OB"}, {5, "OB LB"}, {10, "OB LB"}, {19, "OB LB"}}, 0, 19, rulePrimaryWait},
		{"upsmon.md 7 12: an interruption begins anew", secondary, none,
			[]heardAt{{0, "OB LB"}, {10, "OL LB"}, {15, "OB LB"}}, 0, 29, rulePrimaryWait},
		{"upsmon.md 7 12: it runs from the last good poll for a dead server", secondary, none, []heardAt{{0, "OB"}}, 5, 15, rulePrimarySilent},
		{"upsmon.md 7 12: HOSTSYNC may be longer than DEADTIME", secondary, func(s *Settings) { s.HostSync = 60 * time.Second },
			[]heardAt{{0, "OB"}}, 5, 16, rulePrimaryWait},
		{"upsmon.md 7 9: a calibration is no outage", primary, none, []heardAt{{0, "OB CAL LB"}}, 0, 3600, ruleCal},
		{"upsmon.md 7 10: OBLBDURATION must pass", primary, func(s *Settings) { s.OBLBDuration = 9 * time.Second },
			[]heardAt{{0, "OB LB"}}, 0, 8.9, ruleOBLBWait},
		{"upsmon.md 7 10: and then has passed", primary, func(s *Settings) { s.OBLBDuration = 9 * time.Second },
			[]heardAt{{0, "OB LB"}, {9, "OB LB"}}, 0, 9, ruleLow},
		{"upsmon.md 7 7: OFF is not critical yet", primary, none, []heardAt{{0, "OFF"}, {29, "OFF"}}, 0, 29, ruleFine},
		{"upsmon.md 7 7: OFF for OFFDURATION", primary, none, []heardAt{{0, "OFF"}, {30, "OFF"}}, 0, 30, ruleOff},
		{"upsmon.md 7 7: with line power too", primary, none, []heardAt{{0, "OFF OL"}, {31, "OL OFF"}}, 0, 31, ruleOff},
		{"upsmon.md 7 7: OFFDURATION 0 is at once", primary, func(s *Settings) { s.OffDuration = 0 }, []heardAt{{0, "OFF"}}, 0, 0, ruleOff},
		{"upsmon.md 7 7: negative is never", primary, func(s *Settings) { s.OffDuration = -time.Second },
			[]heardAt{{0, "OFF"}, {3600, "OFF"}}, 0, 3600, ruleFine},

		{"DEADTIME: silence on battery is waited for", primary, none, []heardAt{{0, "OB"}}, 5, 14.9, ruleFine},
		{"DEADTIME: and is low battery after it", primary, none, []heardAt{{0, "OB"}}, 5, 15, ruleLow},
		{"DEADTIME: it runs from the last good poll", primary, none, []heardAt{{0, "OB"}, {10, "OB"}}, 15, 24, ruleFine},
		{"DEADTIME: slow polls are no silence", primary, none, []heardAt{{0, "OB"}}, 0, 60, ruleFine},
		{"OBLBDURATION runs on after DEADTIME", primary, func(s *Settings) { s.OBLBDuration = 10 * time.Second },
			[]heardAt{{0, "OB"}}, 5, 24.9, ruleOBLBWait},

		{"upsmon.md 7 2: lost while overloaded", primary, func(s *Settings) { s.OverDuration = 20 * time.Second },
			[]heardAt{{0, "BYPASS OVER"}}, 5, 20, ruleLostOver},
		{"upsmon.md 7 2: OVERDURATION must pass", primary, func(s *Settings) { s.OverDuration = 20 * time.Second },
			[]heardAt{{0, "OVER"}}, 4, 19.9, ruleFine},
		{"upsmon.md 7 2: negative is never", primary, none, []heardAt{{0, "OVER"}}, 5, 3600, ruleFine},
		{"upsmon.md 7 3: lost during an alarm", primary, none, []heardAt{{0, "ALARM OB"}}, 5, 15, ruleLostAlarm},
		{"ours: not before DEADTIME", primary, none, []heardAt{{0, "ALARM OB"}}, 5, 14.9, ruleFine},
		{"upsmon.md 7 3: unless ALARMCRITICAL is 0", primary, func(s *Settings) { s.AlarmCritical = false },
			[]heardAt{{0, "ALARM OB"}}, 5, 5, ruleFine},
		{"upsmon.md 7 4: lost during a calibration", primary, none, []heardAt{{0, "OB CAL"}}, 5, 15, ruleLostCal},
		{"ours: not before DEADTIME", primary, none, []heardAt{{0, "OB CAL"}}, 5, 14.9, ruleFine},
		{"upsmon.md 7 5: lost on bypass", primary, none, []heardAt{{0, "BYPASS"}}, 5, 15, ruleLostBypass},
		{"upsmon.md 7 6: lost while off", primary, none, []heardAt{{0, "OFF"}}, 5, 15, ruleLostOff},
		{"upsmon.md 7 6: unless OFF does not matter", primary, func(s *Settings) { s.OffDuration = -time.Second },
			[]heardAt{{0, "OFF"}}, 5, 5, ruleFine},

		{"S05: silence on line power", primary, none, []heardAt{{0, "OL"}}, 5, 1e6, ruleLostOnline},
		{"S05: with a low battery", primary, none, []heardAt{{0, "OL LB"}}, 5, 1e6, ruleLostOnline},
		{"ours: silence on line power during an alarm", primary, none, []heardAt{{0, "ALARM OL"}}, 5, 1e6, ruleLostOnline},
		{"ours: ... during a calibration", primary, none, []heardAt{{0, "OL CAL"}}, 5, 1e6, ruleLostOnline},
		{"ours: ... on bypass", primary, none, []heardAt{{0, "OL BYPASS"}}, 5, 1e6, ruleLostOnline},
		{"ours: ... while overloaded", primary, func(s *Settings) { s.OverDuration = 0 }, []heardAt{{0, "OL OVER"}}, 5, 1e6, ruleLostOnline},
		{"ours: ... while off, for however long it is silent", primary, none, []heardAt{{0, "OL OFF"}}, 5, 1e6, ruleLostOnline},
		{"but silence does not make up for what was heard", primary, none, []heardAt{{0, "OL OFF"}, {31, "OL OFF"}}, 32, 1e6, ruleOff},
		{"NUT_RULES: a failed poll is enough during an alarm", primary, nutRules, []heardAt{{0, "ALARM OL"}}, 5, 5, ruleLostAlarm},
		{"NUT_RULES: ... during a calibration", primary, nutRules, []heardAt{{0, "OL CAL"}}, 5, 5, ruleLostCal},
		{"NUT_RULES: ... on bypass", secondary, nutRules, []heardAt{{0, "OL BYPASS"}}, 5, 5, ruleLostBypass},
		{"NUT_RULES: ... while off", primary, nutRules, []heardAt{{0, "OL OFF"}}, 5, 5, ruleLostOff},
		{"NUT_RULES: ... on battery too", primary, nutRules, []heardAt{{0, "OB CAL"}}, 5, 5, ruleLostCal},
		{"NUT_RULES: an overload waits for OVERDURATION", primary,
			func(s *Settings) { nutRules(s); s.OverDuration = 7 * time.Second }, []heardAt{{0, "OL OVER"}}, 5, 6.9, ruleLostOnline},
		{"NUT_RULES: and then counts", primary,
			func(s *Settings) { nutRules(s); s.OverDuration = 7 * time.Second }, []heardAt{{0, "OL OVER"}}, 5, 7, ruleLostOver},
		{"NUT_RULES: line power alone is safe", primary, nutRules, []heardAt{{0, "OL"}}, 5, 1e6, ruleLostOnline},
		{"NUT_RULES: battery waits for DEADTIME", primary, nutRules, []heardAt{{0, "OB"}}, 5, 14.9, ruleFine},

		{"unknown words mean nothing", primary, none, []heardAt{{0, "OB XLB ALBUM"}}, 0, 1e6, ruleFine},
		{"letter case means nothing", primary, none, []heardAt{{0, "ob lb"}}, 0, 0, ruleLow},
		{"of OL and OB the last one counts", primary, none, []heardAt{{0, "OB OL LB"}}, 0, 0, ruleFine},
		{"... either way", primary, none, []heardAt{{0, "OL OB LB"}}, 0, 0, ruleLow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := usualSettings()
			tt.set(&s)
			v := viewAfter(tt.role, tt.lost, tt.polls...)
			got := Decide([]View{v}, &s, at(tt.now)).Rules[0]
			if got != tt.want {
				t.Errorf("at %vs after %v (lost %v): rule %s, want %s", tt.now, tt.polls, tt.lost > 0, got.ID, tt.want.ID)
			}
			if why := v.Why(got, &s, at(tt.now)); why == "" || strings.Contains(why, "%!") {
				t.Errorf("the reason is %q", why)
			}
		})
	}
}

// UM-A1, UM-A2, UM-A4; `upsmon.md 3 MINSUPPLIES n`.
func TestPowerSum(t *testing.T) {
	fine, low := heardAt{0, "OL"}, heardAt{0, "OB LB"}
	tests := []struct {
		name     string
		need     int
		power    []int
		polls    []heardAt
		healthy  int
		shutdown bool
	}{
		{"one of one", 1, []int{1}, []heardAt{low}, 0, true},
		{"one of two is enough", 1, []int{1, 1}, []heardAt{low, fine}, 1, false},
		{"both of two", 1, []int{1, 1}, []heardAt{low, low}, 0, true},
		{"a host that needs both", 2, []int{1, 1}, []heardAt{low, fine}, 1, true},
		{"a UPS that only is watched", 1, []int{1, 0}, []heardAt{fine, low}, 1, false},
		{"MINSUPPLIES 0 never shuts down", 0, []int{1}, []heardAt{low}, 0, false},
		{"a UPS that feeds two supplies", 2, []int{2, 1}, []heardAt{fine, low}, 2, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := usualSettings()
			s.MinSupplies = tt.need
			var views []View
			for i, p := range tt.power {
				v := Unheard("u", true, p)
				views = append(views, v.Accept(ParseStatus(tt.polls[i].status), 0))
			}
			d := Decide(views, &s, 0)
			if d.Healthy != tt.healthy || d.Shutdown() != tt.shutdown {
				t.Errorf("Decide = %d healthy, shutdown %v; want %d, %v", d.Healthy, d.Shutdown(), tt.healthy, tt.shutdown)
			}
		})
	}
}

// drawStatus draws a status, mostly of words that mean something.
func drawStatus(t *rapid.T, must string) string {
	words := rapid.SliceOfN(rapid.SampledFrom([]string{"OL", "OB", "LB", "FSD", "CAL", "OFF", "BYPASS", "ALARM",
		"OVER", "TRIM", "RB", "CHRG", "XLB", "ob", "#"}), 0, 6).Draw(t, "words")
	if must != "" {
		words = append(words, must)
	}
	return strings.Join(words, " ")
}

func drawSettings(t *rapid.T) Settings {
	sec := func(name string, min int) time.Duration {
		return time.Duration(rapid.IntRange(min, 40).Draw(t, name)) * time.Second
	}
	return Settings{MinSupplies: 1, HostSync: sec("hostsync", 0), DeadTime: sec("deadtime", 0), OffDuration: sec("off", -1),
		OBLBDuration: sec("oblb", 0), OverDuration: sec("over", -1), AlarmCritical: rapid.Bool().Draw(t, "alarmcritical"),
		NUTRules: rapid.Bool().Draw(t, "nutrules")}
}

// drawView draws a few polls and then, perhaps, silence.
func drawView(t *rapid.T, must string) (View, env.Instant) {
	v := Unheard("u", rapid.Bool().Draw(t, "primary"), 1)
	now := at(0)
	for range rapid.IntRange(1, 5).Draw(t, "polls") {
		now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "interval")) * time.Second)
		v = v.Accept(ParseStatus(drawStatus(t, must)), now)
	}
	v.Lost = rapid.Bool().Draw(t, "lost")
	return v, now
}

func later(t *rapid.T, now env.Instant) env.Instant {
	return now.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "later")) * time.Millisecond)
}

func TestSilenceOnLinePowerChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		s.NUTRules = false
		v, now := drawView(t, "OL")
		v.Lost = false
		before := Decide([]View{v}, &s, now).Rules[0]
		v.Lost = true
		if after := Decide([]View{v}, &s, later(t, now)).Rules[0]; after.Critical && !before.Critical {
			t.Errorf("%q was %s and is %s for nothing but silence", v.Status.Text, before.ID, after.ID)
		}
	})
}

func TestTimeAloneNeverMakesAUPSHealthy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		v, now := drawView(t, "")
		before := Decide([]View{v}, &s, now).Rules[0]
		if after := Decide([]View{v}, &s, later(t, now)).Rules[0]; before.Critical && !after.Critical {
			t.Errorf("%q was %s and is %s", v.Status.Text, before.ID, after.ID)
		}
	})
}

func TestWhatGoodCommunicationDoesNotJustifyNeedsSilence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		v, now := drawView(t, "")
		v.Lost = false
		r := Decide([]View{v}, &s, later(t, now)).Rules[0]
		w := v.Status
		if r.Critical && !strings.Contains(w.Text, "FSD") && !strings.Contains(w.Text, "OFF") && !w.low() {
			t.Errorf("%q is %s", w.Text, r.ID)
		}
		if r.Critical && w.low() && strings.Contains(w.Text, "CAL") && !strings.Contains(w.Text, "FSD") && !strings.Contains(w.Text, "OFF") {
			t.Errorf("S07: %q is %s", w.Text, r.ID)
		}
	})
}

// Nothing changes before Next.
func TestNextIsWhenTimeMatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSettings(t)
		v, now := drawView(t, "")
		if !v.Lost && v.OffSince != env.Never {
			return // OFF is judged as heard
		}
		views := []View{v}
		for range 100 {
			d := Decide(views, &s, now)
			until := min(d.Next, now.Add(time.Hour))
			if until <= now {
				t.Fatalf("Next is %v at %v", d.Next, now)
			}
			if end := Decide(views, &s, until-1).Rules[0]; end != d.Rules[0] {
				t.Fatalf("%q: %s becomes %s between %v and %v", v.Status.Text, d.Rules[0].ID, end.ID, now, d.Next)
			}
			if d.Next == env.Never {
				return
			}
			now = d.Next
		}
		t.Fatal("a hundred limits")
	})
}

func TestAnyStatusCanBeParsed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		s := ParseStatus(text)
		if s.Empty() != (strings.TrimSpace(text) == "") && len(strings.Fields(text)) > 0 {
			t.Errorf("ParseStatus(%q) = %+v", text, s)
		}
	})
}
