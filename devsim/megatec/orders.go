package megatec

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Reactions are how units differ in what they make of orders. The zero value is a unit that does
// what the protocol says.
type Reactions struct {
	// Stubborn units ignore a shutdown command while another one is pending; they want C first.
	Stubborn bool
	// NoCancel units do not know C.
	NoCancel bool
	// NoRestart units do not know R: they take S<n> alone.
	NoRestart bool
	// Bare is what S<n> without R does.
	Bare Bare
	// Hasty units come back as soon as the mains are there, whatever R says.
	Hasty bool
	// Early firmware goes off and never comes back when R is less than three minutes.
	Early bool
}

// Bare is what a shutdown command without a restart delay does.
type Bare int

// What S<n> alone does.
const (
	BareReturns Bare = iota // off, and on again as soon as there are mains
	BareWaits               // off, and on when the mains come back; not while they are there
	BareStays               // off for good
)

// bares are the words of scripts and command lines, in the order of Bare.
var bares = []string{"returns", "waits", "stays"}

// ParseBare reads one of returns, waits and stays.
func ParseBare(s string) (Bare, error) {
	if i := slices.Index(bares, s); i >= 0 {
		return Bare(i), nil
	}
	return 0, fmt.Errorf("bare %q: want one of %s", s, strings.Join(bares, ", "))
}

// earliest is the shortest restart delay that early firmware survives.
const earliest = 3 * time.Minute

// quickTest is how long the test lasts that T starts.
const quickTest = 10 * time.Second

// obey executes a command that most dialects have; done is false where the unit does not do it now.
func (d *Device) obey(now time.Duration, cmd string) (known, done bool) {
	switch cmd {
	case "T":
		return true, d.body.StartTest(now, quickTest)
	case "TL":
		return true, d.body.StartTest(now, 0)
	case "CT":
		d.body.StopTest(now)
	case "Q":
		d.body.ToggleBeeper(now)
	case "C":
		return d.cancel(now)
	default:
		if t, ok := parseTest(cmd); ok {
			return true, d.body.StartTest(now, t)
		}
		s, ok := parseShutdown(cmd)
		return d.shutdown(now, s, ok)
	}
	return true, true
}

// cancel stops a pending shutdown; without one it switches the outlet on.
func (d *Device) cancel(now time.Duration) (known, done bool) {
	if d.o.NoCancel {
		return false, false
	}
	if !d.body.CancelOff(now) {
		d.body.TurnOn(now)
	}
	return true, true
}

// A shutdown is the content of an S command.
type shutdown struct {
	off, on time.Duration
	restart bool // it is meant to come back
	delayed bool // not before on: it has an R
}

// parseShutdown reads S<n>, S<n>R<mmmm>: n is minutes, two digits, or tenths of a minute, a dot
// and a digit; mmmm minutes. R0000 is the word for staying off. Without R the outlet comes back
// as soon as the unit allows it.
func parseShutdown(cmd string) (shutdown, bool) {
	arg, ok := strings.CutPrefix(cmd, "S")
	n, m, hasR := strings.Cut(arg, "R")
	off, okN := parseMinutes(n)
	if !ok || !okN {
		return shutdown{}, false
	}
	if !hasR {
		return shutdown{off: off, restart: true}, true
	}
	minutes, okM := digits(m, 4)
	on := time.Duration(minutes) * time.Minute
	return shutdown{off: off, on: on, restart: minutes > 0, delayed: true}, okM
}

// shutdown carries an order out as the unit's reactions have it; ok is whether it is one.
func (d *Device) shutdown(now time.Duration, s shutdown, ok bool) (known, done bool) {
	switch {
	case !ok || s.delayed && d.o.NoRestart:
		return false, false
	case d.o.Stubborn && d.body.Read().OffIn >= 0:
		return true, false
	case !s.delayed && s.restart && d.o.Bare == BareWaits:
		return true, d.body.ScheduleOffTillReturn(now, s.off)
	}
	returns := s.restart
	switch {
	case !s.delayed:
		returns = returns && d.o.Bare != BareStays
	case d.o.Early && s.on < earliest:
		returns = false
	}
	if d.o.Hasty {
		s.on = 0
	}
	return true, d.body.ScheduleOff(now, s.off, s.on, returns)
}
