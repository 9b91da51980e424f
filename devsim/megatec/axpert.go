package megatec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// axpert is a solar inverter with one charger of two, that speaks protocol PI30: all lines carry a
// checksum.
//
//	> QMOD..
//	< (L..
//	> QPIWS..
//	< (00000000000010000000000000000000..
//	   32 warnings: the sixth the mains, the thirteenth low battery, the 21st the self test
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
	case "QVFW2":
		return "(VERFW2:00021.31"
	case "QVFW3":
		return "(VERFW3:00022.32"
	case "QPIWS":
		return "(" + axpertWarnings(r)
	case "QDI":
		return fmt.Sprintf("(%s %s 0031 %s %s %s %s 61 0 0 2 1 0 0 0 0 1 1 0 0 1 0 54.0 0 1 000",
			nominal, tenths(s.Frequency, 4), battery(104), battery(134), battery(140), battery(114))
	case "QPIGS2":
		return "(0011 120.4 52.10 00000 00000000 0000 0000 0012 121.6 52.20 00000 00000000 0000"
	case "QID":
		return "(92932004102443"
	case "QFLAG":
		return "(EbkxyDajuvz"
	case "QMD":
		return fmt.Sprintf("(%s %s 99 1/1 230 230 %02d 12.0",
			hashed(d.o.Model, 15), hashed(strconv.Itoa(s.Rated/1000), 7), s.BatteryNominal/12_000)
	case "QPIRI":
		return fmt.Sprintf("(%s %s %s %s %s %04d %04d %s %s %s %s %s 0 30 060 0 0 2 9 01 0 1 54.0 0 1 000",
			nominal, amps, nominal, tenths(s.Frequency, 4), amps, s.Rated/800, s.Rated/1000,
			battery(120), battery(115), battery(105), battery(141), battery(135))
	case "QPIGS":
		watts := s.Rated / 100_000 * r.Load
		return fmt.Sprintf("(%s %s %s %s %04d %04d %03d 370 %s 000 %03d %04d 0005 071.0 53.10 00007 000%c0%c00 00 00 00000 010",
			volts(r.Input), hertz, volts(r.Output), hertz, watts*5/4, watts, r.Load,
			hundredths(r.Battery), r.Charge, r.Temperature/1000, bit(r.Outlet),
			bit(!r.OnBattery && r.Charge < 100))
	}
	return "(NAK"
}

// axpertWarnings are the bits by what is wrong.
func axpertWarnings(r power.Reading) string {
	w := []byte(strings.Repeat("0", 32))
	w[5], w[12], w[20] = bit(r.OnBattery), bit(r.Low), bit(r.Failed)
	return string(w)
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
