package megatec

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// packCounts are tried in this order when the voltage fits neither a pack, nor a cell, nor a
// block.
var packCounts = []milli{
	120e3, 100e3, 80e3, 60e3, 48e3, 36e3, 30e3, 24e3, 18e3, 12e3, 8e3, 6e3, 4e3, 3e3, 2e3, 1e3, 500,
}

// Packs guesses by what a reported battery voltage must be multiplied to be that of the whole
// battery, whose nominal voltage is known. Devices report the pack, one lead-acid cell (1.6 to
// 2.5 V) or one block of six cells. 0 means that nothing fits.
//
// The order matters: 2.00 V of a 48 V battery is 24 cells; a search from the largest count would
// find 30, take a half-empty battery for a full one, and never see it fall.
func Packs(volts, nominal milli) milli {
	const cell, block = 2, 12
	fits := func(count milli) bool {
		v := volts * count / 1000
		return v*10 >= nominal*8 && v*100 <= nominal*125
	}
	if volts <= 0 || nominal <= 0 {
		return 0
	}
	for _, count := range []milli{1000, nominal / cell, nominal / block} {
		if (count == 1000 || count%1000 == 0) && count > 0 && fits(count) {
			return count
		}
	}
	for _, count := range packCounts {
		if fits(count) {
			return count
		}
	}
	return 0
}

// Window is the span of pack voltages from empty to full.
type Window struct{ Low, High milli }

// DefaultWindow is the span for a battery of which only the nominal voltage is known: a 12 V
// block is empty at 10.4 V and full at 13 V.
func DefaultWindow(nominal milli) Window {
	return Window{Low: nominal * 104 / 120, High: nominal * 130 / 120}
}

// Charge is the percentage at which a voltage stands in the window; false when the window is
// none.
func (w Window) Charge(volts milli) (milli, bool) {
	if w.High <= w.Low || w.Low < 0 {
		return 0, false
	}
	return min(max((volts-w.Low)*100e3/(w.High-w.Low), 0), 100e3), true
}

// Calibration is what the option runtimecal says: two measured runtimes, from which the runtime
// at any load follows by a power law.
type Calibration struct {
	nominal  float64 // seconds at full load
	exponent float64
}

// ParseCalibration reads "seconds,load,seconds,load": a runtime at a high load in percent, then
// one at a low load.
func ParseCalibration(text string) (Calibration, error) {
	words := strings.Split(text, ",")
	var n [4]float64
	if len(words) != len(n) {
		return Calibration{}, errors.New("want four numbers with commas")
	}
	for i, w := range words {
		v, err := parseMilli(strings.TrimSpace(w))
		if err != nil || v == absent {
			return Calibration{}, fmt.Errorf("%q: want a number", w)
		}
		n[i] = float64(v) / 1000
	}
	high, highLoad, low, lowLoad := n[0], n[1], n[2], n[3]
	switch {
	case high <= 0 || low < high:
		return Calibration{}, errors.New("want the runtime at low load to be the longer")
	case highLoad > 100 || lowLoad >= highLoad || lowLoad <= 0:
		return Calibration{}, errors.New("want loads of at most 100 percent, the high one first")
	}
	exponent := math.Log(low/high) / math.Log(highLoad/lowLoad)
	return Calibration{nominal: high * math.Pow(highLoad/100, exponent), exponent: exponent}, nil
}

// Account keeps the energy in a battery, counted in seconds at full load.
type Account struct {
	cal      Calibration
	recharge time.Duration // from empty to full
	idle     float64       // the least load that counts, percent
	seconds  float64
}

// NewAccount starts with a battery charged to some percentage.
func NewAccount(c Calibration, recharge time.Duration, idle float64, charge milli) *Account {
	return &Account{cal: c, recharge: recharge, idle: idle,
		seconds: c.nominal * float64(charge) / 100e3}
}

// Pass accounts for some time on line power or on battery. guess is the charge that the voltage
// speaks of; the account is not allowed to be more hopeful. A guess of absent is none.
func (a *Account) Pass(d time.Duration, onBattery bool, load, guess milli) {
	if onBattery {
		a.seconds = max(0, a.seconds-float64(d.Seconds()*a.effect(load)))
	} else {
		gained := a.cal.nominal * float64(d) / float64(a.recharge)
		a.seconds = min(a.cal.nominal, a.seconds+gained)
	}
	if guess != absent {
		a.seconds = min(a.seconds, float64(a.cal.nominal*float64(guess)/100e3))
	}
}

// Charge is the percentage left, Runtime how long it lasts at a load.
func (a *Account) Charge() milli { return milli(a.seconds / a.cal.nominal * 100e3) }

// Runtime is how long the battery lasts at a load.
func (a *Account) Runtime(load milli) time.Duration {
	return time.Duration(a.seconds/a.effect(load)) * time.Second
}

// effect is how much faster than at full load the battery empties; below 1 for part loads.
func (a *Account) effect(load milli) float64 {
	percent := max(float64(load)/1000, a.idle)
	return math.Pow(percent/100, a.cal.exponent)
}
