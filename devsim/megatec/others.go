package megatec

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// bestUPS is a Fortress of Best Power.
//
//	> ID
//	< FOR,600,230,230,20.8,26.0
//	> RT
//	< 010
//	> M
//	< 4
func (d *Device) bestUPS(now time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	switch cmd {
	case "ID":
		return fmt.Sprintf("FOR,%03d,%03d,%03d,%s,%s", s.Rated/1000, s.Nominal/1000,
			s.Nominal/1000, tenths(s.BatteryNominal*104/120, 4),
			tenths(s.BatteryNominal*130/120, 4)), true
	case "RT":
		return fmt.Sprintf("%03d", minutesLeft(r)), true
	case "M":
		return d.setting("M", "4"), true
	case "SS?":
		return d.setting("SS", "0"), true
	}
	if mode, ok := strings.CutPrefix(cmd, "SS"); ok && len(mode) == 1 {
		d.keep("SS", mode)
		return "", true
	}
	// Without R it stays off.
	if order, ok := parseShutdown(cmd); ok && !order.delayed {
		d.shutdown(now, shutdown{off: order.off}, true)
		return "", true
	}
	return "", false
}

// ablerex remembers how the last battery test ended.
//
//	> TR
//	< #OK
func (d *Device) ablerex(_ time.Duration, cmd string) (string, bool) {
	result := "OK  "
	if d.body.Read().Failed {
		result = "FAIL"
	}
	return "#" + result, cmd == "TR"
}

// omron answers each question with one word, and each command with OK. What S does, it wants to
// be told before: An for coming back, Af for staying off.
func (d *Device) omron(now time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	switch cmd {
	case "Bl ?":
		return fmt.Sprintf("%03d", r.Charge), true
	case "RTS":
		return fmt.Sprintf("%04d", minutesLeft(r)), true
	case "TPb":
		return "+" + tenths(r.Temperature-3000, 4), true
	case "Lf ?":
		return tenths(r.Frequency, 4), true
	case "PSNR":
		return "A0Z25110005109G ", true
	case "FWV":
		return "M:0.17(S:2.00)", true
	case "BRR":
		return "20260730", true
	case "UN":
		return fmt.Sprintf("%04dW/%04dVA/%03dV/160W/020W",
			s.Rated/1000, s.Rated/800, s.BatteryNominal/1000), true
	case "An", "Af":
		d.keep("A", cmd)
		return "OK", true
	case "C":
		_, done := d.cancel(now)
		return "OK", done
	}
	mode := "An"
	arg, ok := strings.CutPrefix(cmd, "Sf")
	if ok {
		mode = "Af"
	} else if arg, ok = strings.CutPrefix(cmd, "S"); !ok {
		return "", false
	}
	after, ok := parseMinutes(arg)
	if !ok || d.setting("A", "") != mode {
		return "", false
	}
	_, done := d.shutdown(now, shutdown{off: after, restart: mode == "An"}, true)
	return "OK", done
}

// axpert is a solar inverter: all lines carry a checksum.
//
//	> QMOD..
//	< (L..
func (d *Device) axpert(_ time.Duration, line string) (string, bool) {
	cmd := line[:max(len(line)-2, 0)]
	reply := "(NAK"
	if line == cmd+crc16(cmd) {
		reply = d.axpertValue(cmd)
	}
	return reply + crc16(reply), true
}

func (d *Device) axpertValue(cmd string) string {
	r, s := d.body.Read(), d.body.Spec()
	hertz, nominal := tenths(r.Frequency, 4), volts(s.Nominal)
	amps := tenths(amperesRated(s)*1000, 4)
	battery := func(of int) string { return tenths(s.BatteryNominal*of/120, 4) }
	switch cmd {
	case "QPI":
		return "(PI30"
	case "QMOD":
		switch {
		case !r.Outlet:
			return "(S"
		case r.OnBattery:
			return "(B"
		}
		return "(L"
	case "QVFW":
		return "(VERFW:00074.50"
	case "QID":
		return "(92932004102443"
	case "QFLAG":
		return "(EbgpDa"
	case "QMD":
		return fmt.Sprintf("(%s %s 99 1/1 230 230 %02d 12.0",
			hashed(d.o.Model, 15), hashed(strconv.Itoa(s.Rated/1000), 7), s.BatteryNominal/12_000)
	case "QPIRI":
		return fmt.Sprintf("(%s %s %s %s %s %04d %04d %s %s %s %s %s 0 30 060 0 0 2 9 01 0 1 54.0 0 1 000",
			nominal, amps, nominal, tenths(s.Frequency, 4), amps, s.Rated/800, s.Rated/1000,
			battery(120), battery(115), battery(105), battery(141), battery(135))
	case "QPIGS":
		watts := s.Rated / 100_000 * r.Load
		return fmt.Sprintf("(%s %s %s %s %04d %04d %03d 370 %s 000 %03d %04d 0000 000.0 00.00 00000 000%c0%c00 00 00 00000 010",
			volts(r.Input), hertz, volts(r.Output), hertz, watts*5/4, watts, r.Load,
			hundredths(r.Battery), r.Charge, r.Temperature/1000, bit(r.Outlet),
			bit(!r.OnBattery && r.Charge < 100))[:]
	}
	return "(NAK"
}

func hundredths(mV int) string { return fmt.Sprintf("%02d.%02d", mV/1000, mV%1000/10) }

// crc16 is the checksum of a line: CRC-16 of XMODEM, but none of its bytes is one that has a
// meaning on the line.
func crc16(line string) string {
	crc := 0
	for i := range len(line) {
		crc ^= int(line[i]) << 8
		for bit := 0; bit < 8; bit++ {
			if crc <<= 1; crc&0x10000 != 0 {
				crc ^= 0x11021
			}
		}
	}
	two := []byte{byte(crc >> 8), byte(crc)}
	for i := range two {
		if strings.IndexByte("\n\r(", two[i]) >= 0 {
			two[i]++
		}
	}
	return string(two)
}

// masterguard is a small online unit of Masterguard with the address 00.
func (d *Device) masterguard(now time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	cells := s.BatteryNominal / cell
	switch cmd {
	case "WH":
		return fmt.Sprintf("(%s 01.06 02.03 %-30s   %03d %s %03d 02.00 006.00 003.00 008 00 40 180 270 47.00 53.00",
			d.setting("id", "00"), "A  700-19", s.Nominal/1000,
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
			bits(r.OnBattery, r.Low, false, r.Failed, true, r.Testing, r.OffIn >= 0), test), true
	case "GS," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,---%s,%c", d.setting("id", "00"), d.setting("packs", "1"),
			bit(r.Beeper)), true
	case "GSN," + d.setting("id", "00"):
		return fmt.Sprintf("(%s,GSN %11s %4s", d.setting("id", "00"), "6RX20011234", "0815"), true
	case "GBS," + d.setting("id", "00"):
		return fmt.Sprintf("(%s %03d 000000000 1.00 0000000000100 00000",
			d.setting("id", "00"), r.Charge), true
	case "DRC," + d.setting("id", "00"):
		return fmt.Sprintf("(%s %s", d.setting("id", "00"), d.setting("SRC", "0123:04:05:06")), true
	case "MSO":
		return "(220 230 240", true
	case "PNV":
		return "PNV= " + d.setting("PNV", strconv.Itoa(s.Nominal/1000)), true
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
