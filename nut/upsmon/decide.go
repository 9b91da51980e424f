package upsmon

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Settings are the directives that decisions depend on.
type Settings struct {
	MinSupplies   int
	HostSync      time.Duration
	DeadTime      time.Duration
	OffDuration   time.Duration // negative: OFF is never critical
	OBLBDuration  time.Duration
	OverDuration  time.Duration // negative: OVER is never critical
	AlarmCritical bool
	// NUTRules: a failed poll is evidence by itself, as for the C monitor; see the package comment.
	NUTRules bool
}

// A View is what is known of one UPS.
type View struct {
	System  string // as written in MONITOR
	Primary bool   // this host's role
	Power   int    // how many supplies it feeds

	Status Status
	Heard  env.Instant // when a status was last accepted; Never before
	Lost   bool        // the last poll failed
	// Bygone: FSD was set long before this host first asked, and mains are back. The server will
	// clear it; see Accept.
	Bygone bool

	// Since when the accepted status says so, with interruptions in neither; else Never.
	LowSince, OffSince, OverSince env.Instant
}

// Unheard is the View of a UPS that was not polled yet.
func Unheard(system string, primary bool, power int) View {
	return View{System: system, Primary: primary, Power: power, Heard: env.Never,
		LowSince: env.Never, OffSince: env.Never, OverSince: env.Never}
}

// Accept returns the view after a good poll.
func (v View) Accept(s Status, now env.Instant) View {
	since := func(at *env.Instant, on bool) {
		switch {
		case !on:
			*at = env.Never
		case *at == env.Never:
			*at = now
		}
	}
	v.Status, v.Heard, v.Lost = s, now, false
	since(&v.LowSince, s.low())
	since(&v.OffSince, s.Words.Has(nut.OFF))
	since(&v.OverSince, s.Words.Has(nut.OVER))
	return v
}

// dark reports silence that counts: from a UPS that was not on line power when last heard. By NUT's
// rules all silence does.
func (v *View) dark(s *Settings) bool {
	return v.Lost && (s.NUTRules || !v.Status.Words.Has(nut.OL))
}

// dead reports silence that has lasted for DEADTIME.
func (v *View) dead(s *Settings, now env.Instant) bool {
	return v.dark(s) && now.Sub(v.Heard) >= s.DeadTime
}

// given reports silence after which a UPS whose last status was an odd one is given up: that of
// DEADTIME. By NUT's rules it is the first failed poll.
func (v *View) given(s *Settings, now env.Instant) bool {
	return v.dead(s, now) || s.NUTRules && v.Lost
}

// emptySince is since when the UPS counts as on battery and low; Never when it does not.
func (v *View) emptySince(s *Settings, now env.Instant) env.Instant {
	switch {
	case v.LowSince != env.Never:
		return v.LowSince
	case v.Status.Battery && v.dead(s, now):
		return v.Heard.Add(s.DeadTime) // the battery must be taken for low
	}
	return env.Never
}

// lastFine is when the UPS was last known not to be on battery and low. The poll that first brings
// it counts as the last one that was fine; silence is no news.
func (v *View) lastFine() env.Instant {
	if v.LowSince != env.Never {
		return v.LowSince
	}
	return v.Heard
}

// A Rule is a reason why a UPS is critical or not.
type Rule struct {
	ID       string
	Critical bool
}

// The rules, in the order in which they are tried.
var (
	ruleUnheard       = Rule{"unheard", false}
	ruleFSDBygone     = Rule{"fsd-bygone", false}
	ruleFSD           = Rule{"fsd", true}
	ruleLostOver      = Rule{"lost-over", true}
	ruleLostAlarm     = Rule{"lost-alarm", true}
	ruleLostCal       = Rule{"lost-cal", true}
	ruleLostBypass    = Rule{"lost-bypass", true}
	ruleLostOff       = Rule{"lost-off", true}
	ruleOff           = Rule{"off", true}
	ruleLostOnline    = Rule{"lost-online", false}
	ruleFine          = Rule{"fine", false}
	ruleCal           = Rule{"cal", false}
	ruleOBLBWait      = Rule{"oblb-wait", false}
	ruleLow           = Rule{"low", true}
	rulePrimarySilent = Rule{"primary-silent", true}
	rulePrimaryWait   = Rule{"primary-wait", false}
)

// judge finds the rule for one UPS.
func (v *View) judge(s *Settings, now env.Instant) Rule {
	words, given := v.Status.Words, v.given(s, now)
	switch {
	case v.Heard == env.Never:
		return ruleUnheard
	case words.Has(nut.FSD) && v.Bygone && words.Has(nut.OL) && !v.Status.Battery && !s.NUTRules:
		return ruleFSDBygone
	case words.Has(nut.FSD):
		return ruleFSD
	case given && words.Has(nut.OVER) && passed(v.OverSince, s.OverDuration, now):
		return ruleLostOver
	case given && words.Has(nut.ALARM) && s.AlarmCritical:
		return ruleLostAlarm
	case given && words.Has(nut.CAL):
		return ruleLostCal
	case given && words.Has(nut.BYPASS):
		return ruleLostBypass
	case given && words.Has(nut.OFF) && s.OffDuration >= 0:
		return ruleLostOff
	case words.Has(nut.OFF) && passed(v.OffSince, s.OffDuration, v.Heard):
		return ruleOff // as heard, not as time goes by in silence
	case v.Lost && words.Has(nut.OL):
		return ruleLostOnline
	}
	empty := v.emptySince(s, now)
	switch {
	case empty == env.Never:
		return ruleFine
	case words.Has(nut.CAL):
		return ruleCal
	case now.Sub(empty) < s.OBLBDuration:
		return ruleOBLBWait
	case v.Primary:
		return ruleLow
	case now.Sub(v.lastFine()) >= s.HostSync:
		return rulePrimarySilent
	}
	return rulePrimaryWait
}

// passed reports that something has lasted for as long as a limit. Zero holds at once, a negative
// limit never.
func passed(since env.Instant, limit time.Duration, now env.Instant) bool {
	return limit >= 0 && now.Sub(since) >= limit
}

// A Verdict is what the host is to do, and why.
type Verdict struct {
	Rules   []Rule // one for each View
	Healthy int    // sum of the power values of the UPSes that are not critical
	Need    int    // MINSUPPLIES
	// Next is when time alone may change the verdict; Never when it cannot.
	Next env.Instant
}

// Shutdown reports that too little power is left.
func (v Verdict) Shutdown() bool { return v.Healthy < v.Need }

// Decide judges every UPS and the sum. It reads no clock and calls nobody.
func Decide(views []View, s *Settings, now env.Instant) Verdict {
	d := Verdict{Rules: make([]Rule, len(views)), Need: s.MinSupplies, Next: env.Never}
	for i := range views {
		v := &views[i]
		d.Rules[i] = v.judge(s, now)
		if !d.Rules[i].Critical {
			d.Healthy += v.Power
		}
		d.Next = min(d.Next, v.Next(s, now))
	}
	return d
}

// Next is the earliest instant after now at which a time limit of the UPS ends.
func (v *View) Next(s *Settings, now env.Instant) env.Instant {
	next := env.Never
	limit := func(since env.Instant, d time.Duration) {
		if since == env.Never || d < 0 {
			return
		}
		if at := since.Add(d); at > now {
			next = min(next, at)
		}
	}
	if v.Heard == env.Never || v.Status.Calm() {
		return env.Never
	}
	if v.dark(s) {
		limit(v.OverSince, s.OverDuration)
		limit(v.Heard, s.DeadTime)
	}
	if !v.Lost {
		limit(v.OffSince, s.OffDuration)
	}
	if empty := v.emptySince(s, now); empty != env.Never {
		limit(empty, s.OBLBDuration)
		limit(v.lastFine(), s.HostSync)
	}
	return next
}

// Why says in words why a rule holds for a UPS.
func (v *View) Why(r Rule, s *Settings, now env.Instant) string {
	seconds := func(since env.Instant) int64 { return int64(now.Sub(since) / time.Second) }
	switch r {
	case ruleUnheard:
		return "nothing was ever heard from it"
	case ruleFSDBygone:
		return fmt.Sprintf("its status is %q, from a shutdown before this host booted", v.Status.Text)
	case ruleFSD:
		return fmt.Sprintf("its status is %q", v.Status.Text)
	case ruleLostOver, ruleLostAlarm, ruleLostCal, ruleLostBypass, ruleLostOff:
		limit := fmt.Sprintf("DEADTIME is %d", s.DeadTime/time.Second)
		if s.NUTRules {
			limit = "NUT_RULES is on"
		}
		return fmt.Sprintf("silent for %d sec, %s, last status %q", seconds(v.Heard), limit,
			v.Status.Text)
	case ruleOff:
		return fmt.Sprintf("its status has had OFF for %d sec, OFFDURATION is %d",
			seconds(v.OffSince), s.OffDuration/time.Second)
	case ruleLostOnline:
		return fmt.Sprintf("silent for %d sec, but last seen on line power: %q",
			seconds(v.Heard), v.Status.Text)
	case ruleFine:
		return fmt.Sprintf("its status is %q", v.Status.Text)
	}
	if v.LowSince != env.Never {
		return fmt.Sprintf("on battery and low for %d sec: %q", seconds(v.LowSince), v.Status.Text)
	}
	return fmt.Sprintf("silent for %d sec, DEADTIME is %d, last status %q", seconds(v.Heard),
		s.DeadTime/time.Second, v.Status.Text)
}
