package megatec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// voltronic is an online unit with two switched outlets that speaks protocol P01: each subject has
// its query, settings stick, and every command is acknowledged.
//
//	> QGS
//	< (230.0 50.0 228.9 50.0 000.7 027 369.1 ---.- 026.3 ---.- 025.7 100000000001
//	> QMOD
//	< (L
//	> PDR
//	< (ACK
func (d *Device) voltronic(now time.Duration, cmd string) (string, bool) {
	if reply, ok := d.voltronicValue(cmd); ok {
		return "(" + reply, true
	}
	switch {
	case cmd == "F":
		return d.rating(), true
	case cmd == "RE0":
		return "#" + d.setting("RE0", "20"), true
	case d.voltronicOrder(now, cmd), d.voltronicSetting(cmd):
		return "(ACK", true
	}
	return "", false
}

// voltronicValue answers a query.
func (d *Device) voltronicValue(cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	switch cmd {
	case "QPI":
		return "PI01", true
	case "QGS":
		return d.voltronicStatus(), true
	case "QMOD":
		return voltronicMode(r), true
	case "QRI":
		return fmt.Sprintf("%s %03d %s %s", volts(s.Nominal), amperesRated(s),
			volts(s.BatteryNominal), tenths(s.Frequency, 4)), true
	case "QMD":
		return fmt.Sprintf("%s %s 80 1/1 %03d %03d %02d 12.0", hashed(d.o.Model, 15),
			hashed(strconv.Itoa(s.Rated/800), 7), s.Nominal/1000, s.Nominal/1000,
			s.BatteryNominal/12_000), true
	case "QMF":
		return d.o.Maker, true
	case "QVFW":
		return "VERFW:00322.02", true
	case "QID":
		return "83221404100234", true
	case "QFS":
		return "OK", true
	case "QWS":
		return voltronicWarnings(r), true
	case "QBV":
		return fmt.Sprintf("%s %02d %s %03d %03d", volts(r.Battery), s.BatteryNominal/12_000,
			d.setting("BATGN", "01"), r.Charge, minutesLeft(r)), true
	case "QLDL":
		return "022 025", true
	case "QPD":
		return "000 " + d.setting("PPD", "120"), true
	case "QPAR":
		return "001", true
	case "QFLAG":
		return d.voltronicFlags(), true
	case "QHE":
		return d.setting("HEH", "242") + " " + d.setting("HEL", "218"), true
	case "QFRE":
		return d.setting("FREH", "53.0") + " " + d.setting("FREL", "47.0"), true
	case "QBYV":
		return d.setting("PHV", "264") + " " + d.setting("PLV", "170"), true
	case "QBYF":
		return d.setting("PGF", "53.0") + " " + d.setting("PSF", "47.0"), true
	case "QSK1", "QSK2":
		return d.setting("SK"+cmd[3:], "1"), true
	case "QSKT1", "QSKT2":
		return d.setting("PSK"+cmd[4:], "005"), true
	}
	return "", false
}

func (d *Device) voltronicStatus() string {
	r, s := d.body.Read(), d.body.Spec()
	return fmt.Sprintf("%s %s %s %s %s %03d 369.1 ---.- %s ---.- %s 10%s01",
		volts(r.Input), tenths(r.Frequency, 4), volts(r.Output), tenths(r.Frequency, 4),
		tenths(amperes(s, r)*100, 5), r.Load, volts(r.Battery), tenths(r.Temperature, 5),
		bits(r.OnBattery, r.Low, r.Boost || r.Trim, r.Failed, false,
			r.Testing, r.OffIn >= 0, !r.Beeper))
}

// voltronicMode is the letter of what the unit does.
func voltronicMode(r power.Reading) string {
	switch {
	case r.OffIn >= 0 && r.OffIn < time.Second:
		return "D"
	case !r.Outlet:
		return "S"
	case r.Testing:
		return "T"
	case r.OnBattery:
		return "B"
	}
	return "L"
}

// voltronicWarnings are 64 bits; low battery is the eighth, a battery to be replaced the 56th.
func voltronicWarnings(r power.Reading) string {
	w := []byte(strings.Repeat("0", 64))
	w[7], w[55] = bit(r.Low), bit(r.Failed)
	return string(w)
}

// The switches of the unit: those that are on at first, and off.
const voltronicOn, voltronicOff = "pashcjr", "bdoegf"

// voltronicFlags are the letters of what is enabled, behind E, and disabled, behind D.
func (d *Device) voltronicFlags() string {
	var on, off strings.Builder
	for _, c := range voltronicOn + voltronicOff {
		standard := "D"
		if strings.ContainsRune(voltronicOn, c) {
			standard = "E"
		}
		if d.setting("P"+strings.ToUpper(string(c)), standard) == "E" {
			on.WriteRune(c)
		} else {
			off.WriteRune(c)
		}
	}
	return "E" + on.String() + "D" + off.String()
}

// voltronicOrder obeys a command; false when there is none, or it cannot be obeyed now.
func (d *Device) voltronicOrder(now time.Duration, cmd string) bool {
	switch cmd {
	case "SON":
		d.body.TurnOn(now)
	case "SOFF":
		return d.body.ScheduleOff(now, 0, 0, false)
	case "CS":
		if d.o.NoCancel {
			return false
		}
		d.body.CancelOff(now)
	case "BZON", "BZOFF":
		if d.body.Read().Beeper != (cmd == "BZON") {
			d.body.ToggleBeeper(now)
		}
	case "SKON1", "SKON2":
		d.keep("SK"+cmd[4:], "1")
	case "SKOFF1", "SKOFF2":
		d.keep("SK"+cmd[5:], "0")
	case "PF": // forgets the switches; only in standby
		if d.body.Read().Outlet {
			return false
		}
		for _, c := range voltronicOn + voltronicOff {
			d.keep("P"+strings.ToUpper(string(c)), "")
		}
	case "C", "Q":
		return false
	default:
		_, done := d.obey(now, cmd)
		return done
	}
	return true
}

// voltronicSettings are the commands that set a number, with how many characters it has.
var voltronicSettings = []struct {
	name string
	size int
}{
	{"HEH", 3}, {"HEL", 3}, {"FREH", 4}, {"FREL", 4}, {"PHV", 3}, {"PLV", 3}, {"PGF", 4},
	{"PSF", 4}, {"BATGN", 2}, {"BATN", 1}, {"PPD", 3}, {"PSK1", 3}, {"PSK2", 3},
}

// voltronicSetting sets something; false when it does not exist.
func (d *Device) voltronicSetting(cmd string) bool {
	if low, ok := strings.CutPrefix(cmd, "W0E"); ok && len(low) == 2 {
		d.keep("RE0", low)
		return true
	}
	for _, s := range voltronicSettings {
		if v, ok := strings.CutPrefix(cmd, s.name); ok && len(v) == s.size {
			d.keep(s.name, v)
			return true
		}
	}
	if len(cmd) == 3 && (cmd[:2] == "PE" || cmd[:2] == "PD") &&
		strings.Contains(voltronicOn+voltronicOff, strings.ToLower(cmd[2:])) {
		d.keep("P"+cmd[2:], cmd[1:2])
		return true
	}
	return false
}

// hashed fills a text with # in front.
func hashed(s string, n int) string {
	return strings.Repeat("#", max(n-len(s), 0)) + s[:min(len(s), n)]
}

func amperesRated(s power.Spec) int { return min((s.Rated+s.Nominal/2)/s.Nominal, 999) }
