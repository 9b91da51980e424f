package megatec

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// kilo writes milliwatts as kilowatts with one decimal in five characters.
func kilo(mW int) string { return tenths(mW/1000, 5) }

// q6 is a unit with three phases in and out.
//
//	> Q6
//	< (227.0 225.6 230.0 50.0 229.9 229.1 229.4 49.9 027 026 028 327.8 327.5 25.7 00600 100 32
//	   00000000 00000000 11
//	> WA
//	< (000.1 000.1 000.1 000.1 000.1 000.1 000.2 000.2 000.2 000.2 000.2 027 00000000
func (d *Device) q6(_ time.Duration, cmd string) (string, bool) {
	switch r := d.body.Read(); cmd {
	case "Q6":
		return d.phases(r, 3, r.Load), true
	case "WA":
		return d.watts(r, 3), true
	}
	return "", false
}

// phases is the line of Q6 for a unit with one or three phases at its output.
func (d *Device) phases(r power.Reading, outputs, load int) string {
	out2, out3, load2, load3 := "000.0", "000.0", 0, 0
	if outputs == 3 {
		out2, out3 = volts(max(r.Output-300, 0)), volts(max(r.Output-600, 0))
		load2, load3 = max(load-1, 0), load+1
	}
	return fmt.Sprintf("(%s %s %s %s %s %s %s %s %03d %03d %03d %s %s %s %05d %03d 32 00000000 00000000 11",
		volts(r.Input), volts(max(r.Input-700, 0)), volts(max(r.Input-1400, 0)),
		tenths(r.Frequency, 4), volts(r.Output), out2, out3, tenths(r.Frequency, 4),
		load, load2, load3, volts(r.Battery), volts(max(r.Battery-200, 0)),
		tenths(r.Temperature, 4), min(int(r.Remaining/time.Second), 99999), r.Charge)
}

// watts is the line of WA.
func (d *Device) watts(r power.Reading, outputs int) string {
	s := d.body.Spec()
	total := s.Rated / 100 * r.Load
	each, current := kilo(total/outputs), tenths(amperes(s, r)*100/outputs, 5)
	others, otherCurrent := each, current
	if outputs == 1 {
		others, otherCurrent = "000.0", "000.0"
	}
	return fmt.Sprintf("(%s %s %s %s %s %s %s %s %s %s %s %03d 00000000",
		each, others, others, each, others, others, kilo(total), kilo(total*5/4),
		current, otherCurrent, otherCurrent, r.Load)
}

// q2 is an older unit of that kind: the numbers are in another order, with more between them.
func (d *Device) q2(_ time.Duration, cmd string) (string, bool) {
	r := d.body.Read()
	switch cmd {
	case "Q2":
		return fmt.Sprintf("(%s %s %s %s %s %s %s %03d %03d %03d %s %s %s 000.0 00 %s %03d %s 11",
			volts(r.Input), volts(max(r.Input-700, 0)), volts(max(r.Input-1400, 0)),
			volts(r.Fault), volts(r.Output), volts(max(r.Output-300, 0)),
			volts(max(r.Output-600, 0)), r.Load, max(r.Load-1, 0), r.Load+1,
			tenths(r.Frequency, 4), volts(r.Battery), tenths(r.Temperature, 4),
			tenths(int(r.Remaining/time.Minute)*1000, 6), r.Charge,
			"00000000 00000000 00000"), true
	case "WA":
		return d.watts(r, 3), true
	}
	return "", false
}

// innovart31 has three phases at its input and one at its output; it can bypass itself.
func (d *Device) innovart31(now time.Duration, cmd string) (string, bool) {
	return d.innovart(now, cmd, 1)
}

func (d *Device) innovart33(now time.Duration, cmd string) (string, bool) {
	return d.innovart(now, cmd, 3)
}

func (d *Device) innovart(_ time.Duration, cmd string, outputs int) (string, bool) {
	r := d.body.Read()
	switch cmd {
	case "Q6":
		return d.phases(r, outputs, r.Load), true
	case "WA":
		return d.watts(r, outputs), true
	case "BPS":
		return fmt.Sprintf("(%s %s %s %s", volts(r.Input), volts(max(r.Input-700, 0)),
			volts(max(r.Input-1400, 0)), tenths(r.Frequency, 4)), true
	case "FW?":
		return "05516-1100", true
	case "SASV07?":
		return "GASV07DN05K10KB100004      ", true
	}
	return "", false
}

// gtec tells its state in letters.
//
//	> Q4
//	< (230.0 000.0 000.0 169.0 228.9 000 027 50.0 000 000 026.3 25.7 M
func (d *Device) gtec(_ time.Duration, cmd string) (string, bool) {
	r := d.body.Read()
	letters := ""
	for _, l := range []struct {
		is     bool
		letter string
	}{{r.OnBattery, "A"}, {r.Low, "B"}, {r.Testing, "E"}, {r.OffIn >= 0, "F"},
		{r.Failed, "J"}, {!r.OnBattery, "M"}} {
		if l.is {
			letters += l.letter
		}
	}
	return fmt.Sprintf("(%s 000.0 000.0 %s %s 000 %03d %s 000 000 %s %s %s",
		volts(r.Input), volts(r.Fault), volts(r.Output), r.Load, tenths(r.Frequency, 4),
		volts(r.Battery), tenths(r.Temperature, 4), letters), cmd == "Q4"
}
