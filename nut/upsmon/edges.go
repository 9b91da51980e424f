package upsmon

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A Memory is what has been announced about one UPS, so that each thing is announced once.
type Memory struct {
	words  nut.Status // announced and still on
	line   line
	other  string
	alarm  string
	failed bool // COMMBAD was announced

	heard    env.Instant // the last good poll; Never before
	noComm   env.Instant // the last NOCOMM, Never before
	replBatt env.Instant // the last REPLBATT, Never before
}

// line is what the UPS was last said to be on.
type line uint8

const (
	unknown line = iota
	onLine
	onBattery
)

// Fresh is the Memory of a UPS that nothing was said about.
func Fresh() Memory { return Memory{heard: env.Never, noComm: env.Never, replBatt: env.Never} }

// Warnings are the intervals at which something is announced again.
type Warnings struct{ NoComm, ReplBatt time.Duration }

// edges are the words that are announced when they come, and some when they go. Those that go are
// announced first, in this order; those that come, in the order of the status.
var edges = []struct {
	word       nut.Status
	rise, fall Type
}{
	{nut.LB, LowBatt, ""},
	{nut.FSD, ForcedShutdown, ""},
	{nut.CAL, CalOn, CalOff},
	{nut.OFF, Off, NotOff},
	{nut.BYPASS, Bypass, NotBypass},
	{nut.ALARM, Alarm, NotAlarm},
	{nut.OVER, Over, NotOver},
	{nut.TRIM, Trim, NotTrim},
	{nut.BOOST, Boost, NotBoost},
	{nut.ECO, Eco, NotEco},
}

// noAlarm is the detail of an ALARM whose text the server does not have.
const noAlarm = "n/a"

// Accept is a good poll: it returns what to announce, and the Memory after it. alarm is the value of
// ups.alarm, if the status has ALARM and the variable exists.
func (m Memory) Accept(ups string, s Status, alarm string, w Warnings,
	now env.Instant) (Memory, []Notice) {

	var out []Notice
	say := func(t Type, detail string) {
		if t != "" {
			out = append(out, Notice{t, ups, detail})
		}
	}
	if m.failed {
		say(CommOK, "")
	}
	m.failed, m.noComm, m.heard = false, env.Never, now
	for _, e := range edges {
		if m.words.Has(e.word) && !s.Words.Has(e.word) {
			say(e.fall, "")
		}
	}
	if alarm == "" {
		alarm = noAlarm
	}
	for _, word := range s.order {
		switch {
		case word == nut.OL || word == nut.OB:
			m = m.supply(s, say)
		case word == nut.RB:
			if due(m.replBatt, w.ReplBatt, now) {
				m.replBatt = now
				say(ReplBatt, "")
			}
		case word == nut.ALARM && (!m.words.Has(nut.ALARM) || m.alarm != alarm):
			say(Alarm, alarm)
			m.alarm = alarm
		case !m.words.Has(word):
			say(rise(word), "")
		}
	}
	if s.Other != m.other {
		if s.Other == "" {
			say(NotOther, "")
		} else {
			say(Other, s.Other)
		}
	}
	m.words, m.other = s.Words, s.Other
	return m, out
}

// supply announces a change between line power and battery.
func (m Memory) supply(s Status, say func(Type, string)) Memory {
	switch {
	case s.Battery && m.line != onBattery:
		say(OnBatt, "")
		m.line = onBattery
	case !s.Battery && m.line != onLine:
		if m.line == onBattery {
			say(Online, "")
		}
		m.line = onLine
	}
	return m
}

func rise(word nut.Status) Type {
	for _, e := range edges {
		if e.word == word {
			return e.rise
		}
	}
	return ""
}

// due reports that something was never announced, or longer ago than the interval.
func due(last env.Instant, interval time.Duration, now env.Instant) bool {
	return last == env.Never || now.Sub(last) > interval
}

// Fail is a failed poll.
func (m Memory) Fail(ups string, w Warnings, now env.Instant) (Memory, []Notice) {
	if !m.failed {
		m.failed = true
		return m, []Notice{{Type: CommBad, UPS: ups}}
	}
	if m.heard != env.Never && now.Sub(m.heard) < w.NoComm || !due(m.noComm, w.NoComm, now) {
		return m, nil
	}
	m.noComm = now
	return m, []Notice{{Type: NoComm, UPS: ups}}
}

// ForcedByUs notes that this host itself has set FSD, and announces it.
func (m Memory) ForcedByUs(ups string) (Memory, []Notice) {
	if m.words.Has(nut.FSD) {
		return m, nil
	}
	m.words |= nut.FSD
	return m, []Notice{{Type: ForcedShutdown, UPS: ups}}
}
