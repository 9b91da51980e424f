package apcsmart

import (
	"fmt"
	"time"
)

// order obeys a command that does something.
func (d *Device) order(now time.Duration, c byte) string {
	switch c {
	case 'S':
		return d.sleep(now)
	case 'K', 'Z', 0x0e:
		return d.press(now, c)
	case 'W':
		return d.selfTest(now)
	case 'D':
		return d.calibrate(now)
	case 'U':
		if !d.test(now, 'U', selfTest) {
			return "NA"
		}
		return "OK"
	case '^':
		d.mu.Lock()
		d.s.bypass = !d.s.bypass
		d.mu.Unlock()
	}
	return "OK"
}

// test runs the load from the battery; the unit calls that a transfer of its own.
func (d *Device) test(now time.Duration, which byte, length time.Duration) bool {
	d.mu.Lock()
	was := d.s
	d.s.testing, d.s.reason = which, 'S'
	d.mu.Unlock()
	ok := d.body.StartTest(now, length)
	if !ok {
		d.mu.Lock()
		d.s.testing, d.s.reason = was.testing, was.reason
		d.mu.Unlock()
	}
	return ok
}

// selfTest runs a short test, or ends the one that runs.
func (d *Device) selfTest(now time.Duration) string {
	d.mu.Lock()
	running := d.s.testing == 'W'
	d.mu.Unlock()
	if running {
		d.heard("stop", "W")
		d.body.StopTest(now)
		return "OK"
	}
	d.heard("test", "W")
	if !d.test(now, 'W', selfTest) {
		return "NO"
	}
	return "OK"
}

// calibrate discharges a full battery until it is low, or ends that.
func (d *Device) calibrate(now time.Duration) string {
	d.mu.Lock()
	running := d.s.testing == 'D'
	d.mu.Unlock()
	switch {
	case running && d.body.StopTest(now):
		return "OK"
	case d.body.Read().Charge < 100 || !d.test(now, 'D', 0):
		return "NO"
	}
	return "OK"
}

// grace is the time from an order to the outlet going off.
func (d *Device) grace() time.Duration {
	if _, ok := d.setting('p'); ok {
		return time.Duration(d.number('p')) * time.Second
	}
	return d.m.grace
}

// accepted is the answer to an order to switch off.
func (d *Device) accepted(ok bool) string {
	switch {
	case !ok:
		return "NA"
	case d.o.Star:
		return star
	}
	return "OK"
}

// sleep is S: off until the mains are back. On the mains the unit refuses.
func (d *Device) sleep(now time.Duration) string {
	d.heard("kill", "S")
	if d.status()&onBattery == 0 {
		return d.accepted(false)
	}
	return d.accepted(d.off(now, 0))
}

// off orders the outlet off until the mains are back and the delay and the charge that are set
// have been reached, and more later than that.
func (d *Device) off(now time.Duration, more time.Duration) bool {
	delay := max(d.body.Spec().Restart, time.Duration(d.number('r'))*time.Second) + more
	charge := d.number('e')
	if d.m.old {
		delay, charge = 0, 0
	}
	ok := d.body.ScheduleOff(now, d.grace(), delay, true)
	if ok {
		d.body.SetRestart(now, delay, charge)
	}
	return ok
}

// hibernate is @ with its number.
func (d *Device) hibernate(now time.Duration, n int) string {
	d.heard("kill", fmt.Sprintf("@%03d", n))
	more := time.Duration(n) * hibernateUnit
	switch {
	case !d.m.old:
		return d.accepted(d.off(now, more))
	case n == 0:
		return d.accepted(true) // and nothing happens
	}
	return d.accepted(d.body.ScheduleSleep(now, d.grace(), more))
}

// press is one of the letters that count when they are pressed a second time a moment later.
func (d *Device) press(now time.Duration, c byte) string {
	d.mu.Lock()
	gap := now - d.s.pressedAt
	again := d.s.pressed == c && gap >= againFrom && gap <= againTo
	d.s.pressed, d.s.pressedAt = c, now
	if again {
		d.s.pressed = 0
	}
	d.mu.Unlock()
	switch {
	case !again:
		return ""
	case c == 'K':
		d.heard("kill", "K")
		return d.accepted(d.body.ScheduleOff(now, d.grace(), 0, false))
	case c == 'Z':
		d.heard("kill", "Z")
		d.body.ScheduleOff(now, 0, 0, false)
	default:
		d.heard("cancel", "^N")
		d.body.TurnOn(now)
	}
	return "" // gone, or come, without a word
}
