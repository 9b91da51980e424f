package apcsmart

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// Bits of the status.
const (
	calibrating byte = 1 << iota
	trimming
	boosting
	onLine
	onBattery
	overload
	batteryLow
	replaceBattery
)

// status is the answer to Q as a number.
func (d *Device) status() byte {
	r := d.body.Read()
	d.mu.Lock()
	testing := d.s.testing
	d.mu.Unlock()
	var b byte
	set := func(bit byte, on bool) {
		if on {
			b |= bit
		}
	}
	set(replaceBattery, r.Failed)
	if !r.Outlet {
		return b &^ replaceBattery // it shows nothing while it sleeps
	}
	discharging := r.OnBattery || r.Testing && testing != 'D'
	set(calibrating, r.Testing && testing == 'D')
	set(trimming, r.Trim)
	set(boosting, r.Boost)
	set(onLine, !discharging)
	set(onBattery, discharging)
	set(overload, r.Load > 100)
	set(batteryLow, r.Low)
	return b
}

// knows reports whether the model has a command.
func (d *Device) knows(c byte) bool {
	return strings.IndexByte(d.m.commands, c) >= 0
}

// command obeys one character in smart mode and returns the answer.
func (d *Device) command(now time.Duration, c byte) string {
	d.mu.Lock()
	last := d.s.last
	d.s.last = c
	d.mu.Unlock()
	switch c {
	case '\r', '\n', 0x1b:
		return ""
	case 'Q':
		d.note("Q")
		return fmt.Sprintf("%02X", d.status())
	case 'R':
		d.note("R")
		d.mu.Lock()
		d.s.smart = false
		d.mu.Unlock()
		return "BYE"
	case '@':
		if d.knows(c) {
			d.mu.Lock()
			d.s.taking, d.s.taken = '@', nil
			d.mu.Unlock()
			return ""
		}
	}
	d.note(string(rune(c)))
	switch {
	case !d.knows(c) && c != '-':
		return "NA"
	case c == '-':
		return d.edit(now, last)
	case strings.IndexByte("SKZ\x0eUWDA^", c) >= 0:
		return d.order(now, c)
	}
	if v, ok := d.value(c); ok {
		return v
	}
	return d.measured(now, c)
}

// setting finds a setting of this unit.
func (d *Device) setting(c byte) (setting, bool) {
	for _, s := range d.m.settings {
		if s.letter == c && s.applies(d.m.locale) {
			return s, true
		}
	}
	return setting{}, false
}

// value is the answer about a setting, or a text.
func (d *Device) value(c byte) (string, bool) {
	s, ok := d.setting(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	if text, has := d.s.text[c]; has {
		return text, true
	}
	if !ok {
		return "", false
	}
	return s.values[d.s.eeprom[c]], true
}

// edit is - behind the letter of a setting: the next value, or eight characters to come.
func (d *Device) edit(now time.Duration, c byte) string {
	s, ok := d.setting(c)
	d.mu.Lock()
	switch _, text := d.s.text[c]; {
	case text:
		d.s.taking, d.s.taken = c, nil
		d.mu.Unlock()
		return ""
	case !ok || len(s.values) < 2:
		d.mu.Unlock()
		return "NO"
	}
	d.s.eeprom[c] = (d.s.eeprom[c] + 1) % len(s.values)
	d.s.last = c
	d.mu.Unlock()
	d.apply(now, c)
	return settled
}

// apply lets a setting have its effect.
func (d *Device) apply(now time.Duration, c byte) {
	if c == 'q' {
		d.body.SetLow(now, time.Duration(d.number('q'))*time.Minute)
	}
}

// number is the value of a setting that counts; 0 when the unit has none.
func (d *Device) number(c byte) int {
	v, ok := d.value(c)
	n := 0
	for _, digit := range []byte(v) {
		if !ok || digit < '0' || digit > '9' {
			return 0
		}
		n = n*10 + int(digit-'0')
	}
	return n
}

// fixed are answers that never change.
var fixed = map[byte]string{
	'A': "OK", '7': "00", '8': "00", '\'': "00", '~': "00", 'y': "(C) APCC", 0x0c: "1", 'd': "00",
	'w': "00", '>': "002", '<': "000", 'T': "123.4",
}

// measured is the answer about what the unit measures, or is.
func (d *Device) measured(now time.Duration, c byte) string {
	if v, ok := fixed[c]; ok {
		return v
	}
	r, spec := d.body.Read(), d.body.Spec()
	switch c {
	case 'B':
		if spec.BatteryNominal >= 100_000 {
			return decimals(r.Battery, 3, 1)
		}
		return decimals(r.Battery, 2, 2)
	case 'C':
		return decimals(r.Temperature, 3, 1)
	case 'F':
		return decimals(r.Frequency, 2, 2)
	case 'L':
		return decimals(r.Input, 3, 1)
	case 'M': // between two looks the mains were a little higher
		return decimals(r.Input+1_400, 3, 1)
	case 'N':
		return decimals(max(r.Input-2_700, 0), 3, 1)
	case 'O':
		return decimals(r.Output, 3, 1)
	case 'P':
		return decimals(r.Load*1000, 3, 1)
	case '/':
		return decimals(spec.Rated/100*r.Load/max(1, r.Output/1000), 2, 2)
	case 'f':
		return decimals(r.Charge*1000, 3, 1)
	case 'g':
		return fmt.Sprintf("%03d", spec.BatteryNominal/1000)
	case 'j':
		return fmt.Sprintf("%04d:", min(int(r.Remaining/time.Minute), 9999))
	case '9':
		return map[bool]string{true: "00", false: "FF"}[r.OnBattery]
	case 'X':
		return d.result(now, r)
	}
	return d.identity(c)
}

// identity is the answer about what never changes and is this unit's own.
func (d *Device) identity(c byte) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch c {
	case 0x01:
		return d.m.model
	case 0x1a:
		return d.m.capabilities()
	case 'G':
		return string(rune(d.s.reason))
	case 'V':
		return d.m.version
	case 'a':
		return "3.!$%+?=#|." + d.m.listed
	case 'b':
		return d.m.firmware
	case 'm':
		return d.o.Date
	case 'n':
		return d.o.Serial
	case 'z':
		d.s.eeprom = map[byte]int{}
		return "CLEAR"
	}
	return "NA"
}

// result is what the last self test found, for a while.
func (d *Device) result(now time.Duration, r power.Reading) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.s.tested == 0 || now-d.s.tested > recent:
		return "NO"
	case r.Failed:
		return "BT"
	}
	return "OK"
}

// decimals writes thousandths with leading zeros and some decimals.
func decimals(v, width, places int) string {
	unit := [...]int{1000, 100, 10}[places]
	v = (v + unit/2) / unit
	scale := 1000 / unit
	return fmt.Sprintf("%0*d.%0*d", width, v/scale, places, v%scale)
}
