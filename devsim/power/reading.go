package power

import "time"

// A Reading is everything a unit measures and knows, at one instant. Ordinary values are pairwise
// different on purpose: a reader that swaps two of them is caught.
type Reading struct {
	At time.Duration `json:"at_ns"` // since the start of the world

	Input       int `json:"input_mV"`
	Fault       int `json:"fault_mV"` // the input voltage that last made the battery take over
	Output      int `json:"output_mV"`
	Frequency   int `json:"frequency_mHz"`
	Load        int `json:"load_percent"`
	Battery     int `json:"battery_mV"`
	Charge      int `json:"charge_percent"`
	Temperature int `json:"temperature_mC"`

	Remaining time.Duration `json:"remaining_ns"` // on battery at this load
	OffIn     time.Duration `json:"off_in_ns"`    // until the outlet is switched off; -1: not ordered
	OnIn      time.Duration `json:"on_in_ns"`     // until it comes on; -1: not by itself, or no mains

	OnBattery bool `json:"on_battery"` // the mains cannot be used
	Low       bool `json:"low"`
	Empty     bool `json:"empty"`
	Outlet    bool `json:"outlet"`
	Boost     bool `json:"boost"` // the transformer raises the mains
	Trim      bool `json:"trim"`  // or lowers them
	Testing   bool `json:"testing"`
	Failed    bool `json:"failed"` // the last battery test found it bad
	Beeper    bool `json:"beeper"` // enabled
	Alive     bool `json:"alive"`  // the controller runs and can answer
}

// Input reports whether the mains are good enough to be used.
func (u *UPS) Input() bool { return get(u, func() bool { return u.input }) }

// OnBattery is the contrary of Input: the battery carries the load, if any.
func (u *UPS) OnBattery() bool { return !u.Input() }

// Low reports whether the low-battery sensor says low.
func (u *UPS) Low() bool { return get(u, func() bool { return u.low }) }

// Outlet reports whether the load has power.
func (u *UPS) Outlet() bool { return get(u, func() bool { return u.outlet }) }

// Empty reports whether nothing is left in the battery and there are no mains.
func (u *UPS) Empty() bool { return get(u, func() bool { return u.empty }) }

// Alive reports whether the controller has power, so that a face can answer.
func (u *UPS) Alive() bool { return get(u, u.alive) }

// Remaining is how long the battery would carry the present load.
func (u *UPS) Remaining() time.Duration {
	return get(u, func() time.Duration { return time.Duration(u.remaining()) * time.Millisecond })
}

// Read returns all values at once.
func (u *UPS) Read() Reading { return get(u, u.read) }

func get[T any](u *UPS, f func() T) T {
	u.mu.Lock()
	defer u.mu.Unlock()
	return f()
}

func (u *UPS) alive() bool {
	return u.input || u.energy > 0 && (u.outlet || !u.spec.DeepSleep)
}

func (u *UPS) read() Reading {
	boost, trim := u.regulating()
	r := Reading{
		At:          u.now,
		Input:       u.mains,
		Fault:       u.fault,
		Frequency:   u.spec.Frequency,
		Battery:     u.volts(),
		Charge:      int(u.energy * 100 / u.capacity),
		Temperature: 25_400 + 11*u.spec.Load,
		Remaining:   time.Duration(u.remaining()) * time.Millisecond,
		OffIn:       -1,
		OnIn:        -1,
		OnBattery:   !u.input,
		Low:         u.low,
		Empty:       u.empty,
		Outlet:      u.outlet,
		Boost:       boost,
		Trim:        trim,
		Testing:     u.test.on,
		Failed:      u.failed,
		Beeper:      !u.silent,
		Alive:       u.alive(),
	}
	if u.outlet {
		r.Output, r.Load = u.output(boost, trim), u.load
	}
	if u.discharging() {
		r.Temperature += 3_700 // the inverter is warm
	}
	if u.off.set {
		r.OffIn = u.off.at - u.now
	}
	if !u.outlet && u.wake.byItself && u.input {
		r.OnIn = max(u.onAt(), u.tick(u.untilCharged())) - u.now
	}
	return r
}

// regulating reports whether the unit corrects the mains: it does when they are more than a tenth
// off.
func (u *UPS) regulating() (boost, trim bool) {
	if !u.input || u.test.on || !u.outlet {
		return false, false
	}
	return u.mains < u.spec.Nominal/10*9, u.mains > u.spec.Nominal/10*11
}

// output is the voltage at the outlet while it is on.
func (u *UPS) output(boost, trim bool) int {
	switch {
	case u.discharging():
		return u.spec.Nominal - u.spec.Nominal/300 // the inverter sags a little
	case boost:
		return u.mains / 100 * 115
	case trim:
		return u.mains / 100 * 87
	}
	return u.mains - u.spec.Nominal/200 // what is lost in filter and relay
}

// volts is the voltage of the battery: a lead battery of 12 V has 10.4 V when empty and 13 V when
// full, and 0.15 V more while the charger holds it.
func (u *UPS) volts() int {
	n := int64(u.spec.BatteryNominal)
	v := n*104/120 + n*26/120*u.energy/u.capacity
	if !u.discharging() && u.input {
		v += n / 80
	}
	return int(v)
}
