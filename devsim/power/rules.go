package power

import "time"

// next is the earliest instant after now at which settle would change something, or never.
func (u *UPS) next() time.Duration {
	at := never
	if u.off.set {
		at = min(at, u.off.at)
	}
	if u.test.on && u.test.bounded {
		at = min(at, u.test.end)
	}
	if !u.outlet && u.wake.byItself && u.input {
		at = min(at, max(u.onAt(), u.tick(u.untilCharged())))
	}
	if u.wakesBlindly() {
		at = min(at, u.wake.notUntil)
	}
	switch c := u.current(); {
	case c < 0:
		if !u.low {
			at = min(at, u.tick(u.remaining()-ms(u.set.low)+1))
		}
		at = min(at, u.tick(ceil(u.energy, -c)))
	case c > 0:
		if up := u.lowEnd() * u.draw(); u.low && !u.stuck && up <= u.capacity {
			at = min(at, u.tick(ceil(up-u.energy, c)))
		}
		at = min(at, u.tick(ceil(u.capacity-u.energy, c)))
	}
	return max(at, u.now)
}

// tick is the instant k whole milliseconds from now, on the grid on which energy flows.
func (u *UPS) tick(k int64) time.Duration {
	return time.Duration(ms(u.now)+max(k, 0)) * time.Millisecond
}

// onAt is the earliest instant at which an outlet that waits for the mains comes on.
func (u *UPS) onAt() time.Duration { return max(u.wake.notUntil, u.since+u.set.restart) }

// untilCharged is how many milliseconds of charging are missing to RestartCharge.
func (u *UPS) untilCharged() int64 { return ceil(u.restartEnergy()-u.energy, u.charger) }

func (u *UPS) restartEnergy() int64 { return u.capacity / 100 * int64(u.set.charge) }

// lowEnd is the remaining time in ms at which the battery stops being low: a tenth above the point
// where it began to be, so that the bit does not flap.
func (u *UPS) lowEnd() int64 {
	low := ms(u.set.low)
	return max(low, min(low+low/10, u.capacity/u.draw()))
}

// ceil is a/b rounded up, for b > 0; 0 when a is negative.
func ceil(a, b int64) int64 { return (max(a, 0) + b - 1) / b }

// settle applies the rules to the present instant, in the order in which a unit's controller would
// notice: battery, test, timers.
func (u *UPS) settle() {
	u.settleLow()
	u.settleTest()
	if u.discharging() && u.energy == 0 {
		u.exhaust()
	}
	u.settleEmpty()
	if u.off.set && u.off.at <= u.now {
		u.trip()
	}
	if !u.outlet && u.wake.byItself && u.input && u.onAt() <= u.now &&
		u.energy >= u.restartEnergy() {
		u.switchOn("mains are back and the restart delay has passed")
	}
	if u.wakesBlindly() && u.wake.notUntil <= u.now {
		u.switchOn("its time off is over")
	}
}

// wakesBlindly reports whether time alone will switch the outlet on; it cannot when there is
// neither mains nor battery.
func (u *UPS) wakesBlindly() bool {
	return !u.outlet && u.wake.blind && (u.input || u.energy > 0)
}

func (u *UPS) settleLow() {
	left := u.remaining()
	switch {
	case !u.low && (u.stuck || left < ms(u.set.low)):
		u.low = true
		u.tell(Low, "yes", "remaining time is below the limit")
	case u.low && !u.stuck && left >= u.lowEnd():
		u.low = false
		u.tell(Low, "no", "remaining time is above the limit")
	}
}

func (u *UPS) settleTest() {
	switch {
	case !u.test.on:
	case !u.input:
		u.endTest("the mains failed")
	case u.broken:
		u.failed = true
		u.endTest("the battery is bad")
	case u.low:
		u.failed = u.test.bounded // a deep test is meant to end here
		u.endTest("the battery is low")
	case u.test.bounded && u.test.end <= u.now:
		u.endTest("its time is over")
	}
}

func (u *UPS) endTest(why string) {
	u.test = testRun{}
	u.tell(Test, "no", why)
}

// exhaust is the end of the battery. The controller dies with it: an armed timer is forgotten, and
// the unit starts by itself when the mains are back.
func (u *UPS) exhaust() {
	if u.off.set {
		u.disarm("the battery is empty")
	}
	u.wake = wake{byItself: true}
	u.switchOff("the battery is empty")
}

func (u *UPS) settleEmpty() {
	switch empty := u.energy == 0 && !u.input; {
	case empty && !u.empty:
		u.empty = true
		u.tell(Empty, "yes", "nothing left in the battery")
	case !empty && u.empty:
		u.empty = false
		u.tell(Empty, "no", "mains or battery are back")
	}
}

// trip is the off timer coming to its end.
func (u *UPS) trip() {
	order := u.off
	u.disarm("its time is over")
	u.wake = wake{
		byItself: order.restart || order.edge && !u.input,
		blind:    order.blind,
		edge:     order.edge && u.input,
		notUntil: u.now + max(order.onAfter, u.spec.MinOff),
	}
	u.switchOff("shutdown command")
}

func (u *UPS) disarm(why string) {
	u.off = offTimer{}
	u.tell(Shutdown, "no", why)
}

func (u *UPS) switchOff(why string) {
	if u.test.on {
		u.endTest("the outlet goes off")
	}
	if u.outlet {
		u.outlet = false
		u.tell(Outlet, "off", why)
	}
}

func (u *UPS) switchOn(why string) {
	if !u.outlet {
		u.outlet, u.wake = true, wake{}
		u.tell(Outlet, "on", why)
	}
}
