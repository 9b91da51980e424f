package power

import "time"

// SetMains sets the voltage of the mains, in mV; 0 is an outage.
func (u *UPS) SetMains(now time.Duration, mV int) {
	u.do(now, func() {
		u.mains = min(max(mV, 0), 2*maxVolts)
		good := u.usable(u.mains)
		if good == u.input {
			return
		}
		u.input = good
		if !good {
			u.fault = (u.mains + u.crossed()) / 2
			u.tell(Input, "battery", "mains failed")
			return
		}
		u.since = u.now
		u.tell(Input, "line", "mains are back")
		if u.wake.edge {
			u.wake.byItself, u.wake.edge = true, false
		}
		if u.off.set && u.spec.Kill.yields() {
			u.disarm("the mains came back first")
		}
	})
}

// usable reports whether the unit runs on mains of mV. Once on battery it wants them 2 % better.
func (u *UPS) usable(mV int) bool {
	margin := 0
	if !u.input {
		margin = u.spec.Nominal / 50
	}
	return mV >= u.spec.TransferLow+margin && mV <= u.spec.TransferHigh-margin
}

// crossed is the transfer limit that the mains have left.
func (u *UPS) crossed() int {
	if u.mains < u.spec.TransferLow {
		return u.spec.TransferLow
	}
	return u.spec.TransferHigh
}

// SetBattery sets the charge, in percent.
func (u *UPS) SetBattery(now time.Duration, percent int) {
	u.do(now, func() { u.energy = u.capacity * int64(min(max(percent, 0), 100)) / 100 })
}

// SetLoad sets the load, in percent of Rated, at least 1.
func (u *UPS) SetLoad(now time.Duration, percent int) {
	u.do(now, func() { u.load = min(max(percent, 1), maxLoad) })
}

// SetLowStuck makes the low-battery sensor say low whatever the battery does.
func (u *UPS) SetLowStuck(now time.Duration, stuck bool) {
	u.do(now, func() { u.stuck = stuck })
}

// SetBroken makes battery tests fail.
func (u *UPS) SetBroken(now time.Duration, broken bool) {
	u.do(now, func() { u.broken = broken })
}

// ScheduleOff orders the outlet off after offAfter. With restart it comes on again onAfter later,
// or when the mains are back, whichever is last; without, only TurnOn switches it on. A second
// order replaces the first. ok is false when the unit ignores the order (see KillMode).
func (u *UPS) ScheduleOff(now, offAfter, onAfter time.Duration, restart bool) (ok bool) {
	return u.arm(now, offTimer{at: offAfter, onAfter: onAfter, restart: restart})
}

// ScheduleOffTillReturn orders the outlet off after offAfter, and on again when the mains come back
// after that. Mains that are there all the time do not bring it back.
func (u *UPS) ScheduleOffTillReturn(now, offAfter time.Duration) (ok bool) {
	return u.arm(now, offTimer{at: offAfter, edge: true})
}

// ScheduleSleep orders the outlet off after offAfter and on again onAfter later, whether the mains
// are back by then or not.
func (u *UPS) ScheduleSleep(now, offAfter, onAfter time.Duration) (ok bool) {
	return u.arm(now, offTimer{at: offAfter, onAfter: onAfter, blind: true})
}

// arm starts the off timer; order.at counts from now.
func (u *UPS) arm(now time.Duration, order offTimer) (ok bool) {
	u.do(now, func() {
		if u.spec.Kill.deaf(u.input) {
			return
		}
		ok = true
		order.set, order.at = true, u.now+max(order.at, 0)
		u.off = order
		u.tell(Shutdown, "yes", "ordered")
	})
	return ok
}

// SetRestart changes when an outlet comes on that waits for the mains: so long after their return,
// and not before the battery has so many percent.
func (u *UPS) SetRestart(now, delay time.Duration, charge int) {
	u.do(now, func() {
		u.set.restart, u.set.charge = max(delay, 0), min(max(charge, 0), 100)
	})
}

// SetLow changes how much time must remain for the battery not to be low.
func (u *UPS) SetLow(now, low time.Duration) {
	u.do(now, func() { u.set.low = max(low, time.Millisecond) })
}

// CancelOff stops the off timer; ok is false when none ran.
func (u *UPS) CancelOff(now time.Duration) (ok bool) {
	u.do(now, func() {
		if ok = u.off.set; ok {
			u.disarm("cancelled")
		}
	})
	return ok
}

// TurnOn switches the outlet on, as the button on the front does; ok is false when there is
// neither mains nor battery to feed it.
func (u *UPS) TurnOn(now time.Duration) (ok bool) {
	u.do(now, func() {
		if ok = u.input || u.energy > 0; ok {
			u.switchOn("switched on by command")
		}
	})
	return ok
}

// StartTest runs the load from the battery for d; with d = 0 until the battery is low. ok is false
// on battery, with the outlet off, or while a test runs.
func (u *UPS) StartTest(now, d time.Duration) (ok bool) {
	u.do(now, func() {
		if ok = u.input && u.outlet && !u.test.on; ok {
			u.failed = false
			u.test = testRun{on: true, bounded: d > 0, end: u.now + d}
			u.tell(Test, "yes", "ordered")
		}
	})
	return ok
}

// StopTest ends a battery test; ok is false when none ran.
func (u *UPS) StopTest(now time.Duration) (ok bool) {
	u.do(now, func() {
		if ok = u.test.on; ok {
			u.endTest("stopped by command")
		}
	})
	return ok
}

// ToggleBeeper switches the beeper on or off.
func (u *UPS) ToggleBeeper(now time.Duration) {
	u.do(now, func() { u.silent = !u.silent })
}
