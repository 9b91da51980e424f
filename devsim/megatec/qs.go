package megatec

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// qs is a unit with the short dialect: the status has no temperature.
//
//	> M
//	< V
//	> QS
//	< (228.6 228.7 228.6 000 50.0 13.5 --.- 00001000
func (d *Device) qs(_ time.Duration, cmd string) (string, bool) {
	r := d.body.Read()
	switch cmd {
	case "M":
		return "V", true
	case "QS":
		return fmt.Sprintf("(%s %s %s %03d %s %s --.- %s",
			volts(r.Input), volts(r.Fault), volts(r.Output), r.Load,
			tenths(r.Frequency, 4), d.battery(r.Battery), statusBits(r)), true
	case "T", "S00R0000", "C", "Q":
		return "", false
	}
	if t, ok := parseTest(cmd); ok && t > 0 || cmd == "TL" || cmd == "CT" {
		return d.reject(cmd), true // knows only the quick test
	}
	return "", false
}

// qsH is a newer unit of that kind: QI tells the battery.
//
//	> M
//	< H
//	> QI
//	< (099 02920 50.1 000.0 169 279 0 0000010000102000
func (d *Device) qsH(now time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	switch cmd {
	case "M":
		return "H", true
	case "QI":
		return fmt.Sprintf("(%03d %05d %s %s %03d %03d 0 0000010000102000",
			r.Charge, min(int(r.Remaining/time.Second), 99999), tenths(r.Frequency, 4),
			tenths(amperes(s, r)*100, 5), s.TransferLow/1000, s.TransferHigh/1000), true
	}
	return d.qs(now, cmd)
}

// statusBits are the eight bits of a status.
func statusBits(r power.Reading) string {
	return bits(r.OnBattery, r.Low, r.Boost || r.Trim, r.Failed,
		true, // line interactive
		r.Testing, r.OffIn >= 0, r.Beeper)
}

// qsHex is a unit whose status comes as raw bytes, with ratings behind it.
//
//	> M
//	< T
//	> QS
//	< #ab cd e fg hi j k
//
// The fields are two bytes each of input and output voltage, one of load, two factors of the
// frequency's period, two of the battery voltage, the status bits, the ratings. Bytes that mean
// something on the line are escaped by an opening bracket.
func (d *Device) qsHex(_ time.Duration, cmd string) (string, bool) {
	switch cmd {
	case "M":
		return "T", true
	case "QS":
		return string(d.hexStatus()), true
	case "F", "I", "TL", "CT":
		return d.reject(cmd), true
	}
	if t, ok := parseTest(cmd); ok && t > 0 {
		return d.reject(cmd), true
	}
	return "", false
}

// What the raw status is made of.
const (
	voltFactor = 53     // in volts = first * second / 51 / 256
	hertzUnit  = 0x519a // hertz = second / first
)

func (d *Device) hexStatus() []byte {
	r, s := d.body.Read(), d.body.Spec()
	mains := func(mV int) []byte {
		n := min(mV, 300_000) * 51 * 256 / voltFactor / 1000
		return []byte{byte(n >> 8), byte(n)}
	}
	period := hertzUnit * r.Frequency / 1000
	factor := min(30*s.BatteryNominal/12_000, 255)
	fields := [][]byte{
		mains(r.Input), {voltFactor}, mains(r.Output), {voltFactor}, {byte(r.Load)},
		{hertzUnit >> 8, hertzUnit & 0xff}, {byte(period >> 16), byte(period >> 8), byte(period)},
		{byte(min(r.Battery*510/factor/1000, 255))}, {byte(factor)},
		{packed(statusBits(r))}, {ratingBits(s)},
	}
	line := []byte("#")
	for i, f := range fields {
		if i > 0 {
			line = append(line, ' ')
		}
		for _, b := range f {
			line = append(line, escaped(b)...)
		}
	}
	return line
}

// escapes are the second bytes of those that mean something on the line.
var escapes = map[byte]byte{'\r': 0, 0x11: 1, 0x13: 2, '\n': 3, ' ': 4}

// escaped is a byte as it goes over the line. The bracket itself has no escape: the unit is off by
// one rather than ambiguous.
func escaped(b byte) []byte {
	if code, ok := escapes[b]; ok {
		return []byte{'(', code}
	}
	if b == '(' {
		b++
	}
	return []byte{b}
}

func packed(bits string) (b byte) {
	for i := range len(bits) {
		b = b<<1 | bits[i]&1
	}
	return b
}

// ratingBits are: 60 Hz, two bits of battery voltage, two unused, three of output voltage.
func ratingBits(s power.Spec) byte {
	b := packed(bits(s.Frequency > 55_000)) << 7
	for i, v := range []int{12, 24, 36, 48} {
		if s.BatteryNominal == v*1000 {
			b |= byte(i) << 5
		}
	}
	for i, v := range []int{110, 120, 220, 230, 240} {
		if s.Nominal == v*1000 {
			b |= byte(i)
		}
	}
	return b
}
