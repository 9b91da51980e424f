package megatec

import (
	"fmt"
	"strings"
	"time"
)

// status is the answer to Q1.
func (d *Device) status() string {
	r := d.body.Read()
	return fmt.Sprintf("(%s %s %s %03d %s %s %s %s",
		volts(r.Input), volts(r.Fault), volts(r.Output), r.Load,
		tenths(r.Frequency, 4), d.battery(r.Battery), tenths(r.Temperature, 4),
		statusBits(r))
}

// rating is the answer to F.
func (d *Device) rating() string {
	s := d.body.Spec()
	return fmt.Sprintf("#%s %03d %s %s",
		volts(s.Nominal), amperesRated(s), volts(s.BatteryNominal), tenths(s.Frequency, 4))
}

// cell is the nominal voltage of a lead cell, in mV.
const cell = 2000

// battery writes a battery voltage in the four characters of Q1: of the pack 26.3, of a cell 2.19.
func (d *Device) battery(mV int) string {
	if !d.o.PerCell {
		return tenths(mV, 4)
	}
	cells := max(1, d.body.Spec().BatteryNominal/cell)
	hundredths := (mV/cells + 5) / 10
	return fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100)
}

// volts writes a voltage of the mains, at most 999.9.
func volts(mV int) string { return tenths(min(mV, 999_900), 5) }

// tenths writes thousandths with one decimal, in width characters with leading zeros.
func tenths(v, width int) string {
	v = (v + 50) / 100
	return fmt.Sprintf("%0*d.%d", width-2, v/10, v%10)
}

func bits(flags ...bool) string {
	var b strings.Builder
	for _, f := range flags {
		if f {
			b.WriteByte('1')
		} else {
			b.WriteByte('0')
		}
	}
	return b.String()
}

// parseTest reads T<n>: a test of n minutes, written as in S.
func parseTest(cmd string) (time.Duration, bool) {
	arg, ok := strings.CutPrefix(cmd, "T")
	d, okN := parseMinutes(arg)
	return d, ok && okN && d > 0
}

// parseMinutes reads 05 (minutes) or .5 (tenths of a minute).
func parseMinutes(s string) (time.Duration, bool) {
	if tenth, ok := strings.CutPrefix(s, "."); ok {
		n, ok := digits(tenth, 1)
		return time.Duration(n) * time.Minute / 10, ok
	}
	n, ok := digits(s, 2)
	return time.Duration(n) * time.Minute, ok
}

// digits reads a number of exactly n digits.
func digits(s string, n int) (v int, ok bool) {
	if len(s) != n {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}
