package megatec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// masterguard is a small online unit of Masterguard with the address 00.
//
//	> GS,00
//	< (00,00 1 1           packs, beeper
//	> GBS,00
//	< (00,100 0010 0000 0708 0712 0994 115 02.19
//	   charge, minutes on battery and to be charged, three factors of ageing in thousandths,
//	   calibration in percent, V of a cell
//	> GSN,00
//	< (00,SSN=6RX20011234 0815
//	> DRC,00
//	< (00,0123:04:05:06    in use for days, hours, minutes, seconds
//	> FLT,00
//	< (00,7 0043 0012:16:48:06 0 0000 0000:00:00:00 ...
//	   five faults, the last one first: what, a number, when
func (d *Device) masterguard(now time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	cells := s.BatteryNominal / cell
	switch cmd {
	case "WH":
		return fmt.Sprintf("(%s 01.06 02.03 %-30s   %03d %s %03d 02.00 006.30 003.15 008 00 40 180 270 47.00 53.00",
			d.setting("id", "00"), "A 1000  + 1 Bat Pack-19", s.Nominal/1000,
			fmt.Sprintf("%02d.00", s.Frequency/1000), cells)[:112], true
	case "Q3":
		left := r.Remaining / time.Second
		test := "000"
		if r.Testing {
			test = "001"
		}
		return fmt.Sprintf("(%s %s %s %s %03d %s %02d.%02d %s %03d.%02d %03d %s0 00000%s",
			d.setting("id", "00"), volts(r.Input), volts(r.Fault), volts(r.Output), r.Load,
			tenths(r.Frequency, 4), r.Battery/cells/1000, r.Battery/cells%1000/10,
			tenths(r.Temperature, 4), min(left/60, 999), left%60, r.Charge,
			bits(r.OnBattery, r.Low, d.setting("bypass", "") == "FOFF", r.Failed, true, r.Testing, r.OffIn >= 0), test), true
	case "GS," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,00 %s %c", d.setting("id", "00"), d.setting("packs", "1"),
			bit(r.Beeper)), true
	case "GSN," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,SSN=%-11s %4s", d.setting("id", "00"), "6RX20011234", "0815"), true
	case "GBS," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,%03d %04d 0000 0708 0712 0994 115 %02d.%02d", d.setting("id", "00"),
			r.Charge, minutesLeft(r), r.Battery/cells/1000, r.Battery/cells%1000/10), true
	case "DRC," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,%s", d.setting("id", "00"), d.setting("SRC", "0123:04:05:06")), true
	case "MSO":
		return "(220 230 240", true
	case "PNV":
		return "(PNV=" + d.setting("PNV", strconv.Itoa(s.Nominal/1000)), true
	case "FLT," + d.setting("id", "00"):
		return "(" + d.setting("id", "00") + "," + d.faults(), true
	case "FCLR," + d.setting("id", "00"):
		d.keep("faults", "none")
		return "", true
	case "FOFF", "FON":
		d.keep("bypass", cmd)
		return "", true
	case "TUD," + d.setting("id", "00"):
		d.body.StartTest(now, 0)
		return "", true
	case "SS---1," + d.setting("id", "00"), "SS---0," + d.setting("id", "00"):
		if r.Beeper != (cmd[5] == '1') {
			d.body.ToggleBeeper(now)
		}
		return "", true
	}
	if d.masterguardSetting(cmd) {
		return "", true
	}
	return d.masterguardOff(now, cmd)
}

// faults are the five that the unit remembers, the last one first.
func (d *Device) faults() string {
	none := "0 0000 0000:00:00:00"
	list := []string{"7 0043 0012:16:48:06", "3 0071 0011:02:03:04", none, none, none}
	if d.setting("faults", "") == "none" {
		list = []string{none, none, none, none, none}
	}
	return strings.Join(list, " ")
}

// masterguardSetting keeps what SS<address>--, SS--<packs>-, SRC<time> and PNV=<volts> set, all
// but the last with the unit's address behind; false when the command is none of them.
func (d *Device) masterguardSetting(cmd string) bool {
	if v, ok := strings.CutPrefix(cmd, "PNV="); ok && len(v) == 3 {
		d.keep("PNV", v)
		return true
	}
	body, ok := strings.CutSuffix(cmd, ","+d.setting("id", "00"))
	if uptime, is := strings.CutPrefix(body, "SRC"); ok && is && len(uptime) == 13 {
		d.keep("SRC", uptime)
		return true
	}
	v, is := strings.CutPrefix(body, "SS")
	if !ok || !is || len(v) != 4 {
		return false
	}
	if _, number := digits(v[:2], 2); number && v[2:] == "--" {
		d.keep("id", v[:2])
		return true
	}
	if _, number := digits(v[2:3], 1); number && v[:2] == "--" && v[3] == '-' {
		d.keep("packs", v[2:3])
		return true
	}
	return false
}

// masterguardOff obeys S<n>R<ssss>: the start delay is in seconds here; without R it stays off.
func (d *Device) masterguardOff(now time.Duration, cmd string) (string, bool) {
	arg, ok := strings.CutPrefix(cmd, "S")
	n, on, back := strings.Cut(arg, "R")
	off, okOff := parseMinutes(n)
	if !ok || !okOff {
		return "", false
	}
	seconds, okOn := digits(on, 4)
	if back && !okOn {
		return "", false
	}
	known, _ := d.shutdown(now, shutdown{off: off, on: time.Duration(seconds) * time.Second,
		restart: seconds > 0, delayed: back}, true)
	return "", known
}
