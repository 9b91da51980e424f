package power

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A KillMode says when a UPS obeys the command to switch its outlet off.
type KillMode int

// The kill modes. The first is the device nobody has trouble with.
const (
	Cycle      KillMode = iota // always, and it completes the cycle when the mains come back meanwhile
	OnBattOnly                 // on battery only; mains that come back before the cut cancel it
	None                       // never
	Cancels                    // always; mains that come back before the cut cancel it
	Completes                  // on battery only, but mains that come back meanwhile change nothing
)

// killModes are the words of scripts and command lines, in the order of the modes.
var killModes = []string{"cycle", "onbatt-only", "none", "cancels", "completes"}

// String returns the words that scripts and command lines use.
func (k KillMode) String() string {
	if k < Cycle || int(k) >= len(killModes) {
		return fmt.Sprintf("KillMode(%d)", int(k))
	}
	return killModes[k]
}

// ParseKillMode is the inverse of String.
func ParseKillMode(s string) (KillMode, error) {
	if i := slices.Index(killModes, s); i >= 0 {
		return KillMode(i), nil
	}
	last := len(killModes) - 1
	return 0, fmt.Errorf("kill mode %q: want %s or %s", s, strings.Join(killModes[:last], ", "),
		killModes[last])
}

// deaf reports whether the unit ignores the command on mains, or on battery.
func (k KillMode) deaf(onMains bool) bool {
	return k == None || onMains && (k == OnBattOnly || k == Completes)
}

// yields reports whether mains that come back before the cut cancel it.
func (k KillMode) yields() bool { return k == OnBattOnly || k == Cancels }

// A Spec is what is known of a UPS before it is switched on. A zero field gets the value of a
// believable small line-interactive unit, named in the field's comment.
type Spec struct {
	Runtime  time.Duration // on battery, from full to empty, at Load; 10 min
	Low      time.Duration // the battery is low when less than this remains; 3 min, or Runtime/4
	Recharge time.Duration // from empty to full on mains; 4 h
	Load     int           // percent of Rated; 27
	Kill     KillMode      // Cycle

	Restart       time.Duration // from the return of the mains to the outlet coming on; 5 s
	RestartCharge int           // and not before the battery has this many percent; 0
	MinOff        time.Duration // a cycle keeps the outlet off at least this long; 10 s
	DeepSleep     bool          // off on battery, the unit does not answer its port either

	Rated          int // mW; 600 W
	Nominal        int // mV of the mains; 230 V
	Frequency      int // mHz; 50 Hz
	TransferLow    int // mV below which the battery takes over; 74 % of Nominal
	TransferHigh   int // mV above which it does; 122 % of Nominal
	BatteryNominal int // mV; 24 V
}

// Limits of a Spec. Their reason is int64: energy in mW x ms stays far below it.
const (
	maxDuration = 10000 * time.Hour
	maxRated    = 1_000_000_000 // mW: 1 MW, more than any single UPS
	maxVolts    = 1_000_000     // mV
	maxLoad     = 200           // percent
)

// withDefaults fills the zero fields.
func (s Spec) withDefaults() Spec {
	def(&s.Runtime, 10*time.Minute)
	def(&s.Low, min(3*time.Minute, s.Runtime/4))
	def(&s.Recharge, 4*time.Hour)
	def(&s.Load, 27)
	def(&s.Restart, 5*time.Second)
	def(&s.MinOff, 10*time.Second)
	def(&s.Rated, 600_000)
	def(&s.Nominal, 230_000)
	def(&s.Frequency, 50_000)
	def(&s.TransferLow, s.Nominal/100*74)
	def(&s.TransferHigh, s.Nominal/100*122)
	def(&s.BatteryNominal, 24_000)
	return s
}

func def[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Check says what is wrong with a Spec, zero fields being filled first.
func (s Spec) Check() error {
	s = s.withDefaults()
	for _, d := range []struct {
		name     string
		v        time.Duration
		min, max time.Duration
	}{
		{"runtime", s.Runtime, time.Second, maxDuration},
		{"low", s.Low, time.Millisecond, s.Runtime - time.Millisecond},
		{"recharge", s.Recharge, time.Second, maxDuration},
		{"restart", s.Restart, 0, maxDuration},
		{"minoff", s.MinOff, 0, maxDuration},
	} {
		if d.v < d.min || d.v > d.max {
			return fmt.Errorf("%s %v: want %v to %v", d.name, d.v, d.min, d.max)
		}
	}
	for _, n := range []struct {
		name        string
		v, min, max int
	}{
		{"load (percent)", s.Load, 1, maxLoad},
		{"kill mode", int(s.Kill), int(Cycle), len(killModes) - 1},
		{"restart charge (percent)", s.RestartCharge, 0, 100},
		{"rated power (mW)", s.Rated, 1000, maxRated},
		{"nominal voltage (mV)", s.Nominal, 1000, maxVolts},
		{"frequency (mHz)", s.Frequency, 1000, 1_000_000},
		{"transfer low (mV)", s.TransferLow, 1, s.Nominal - 1},
		{"transfer high (mV)", s.TransferHigh, s.Nominal + 1, 2 * maxVolts},
		{"battery voltage (mV)", s.BatteryNominal, 1000, maxVolts},
	} {
		if n.v < n.min || n.v > n.max {
			return fmt.Errorf("%s %d: want %d to %d", n.name, n.v, n.min, n.max)
		}
	}
	return nil
}
