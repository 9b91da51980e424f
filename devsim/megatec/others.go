package megatec

import (
	"encoding/binary"
	"fmt"
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

// ablerex tells its battery and its load in raw bytes, which may be a CR as well, and remembers
// how the last battery test ended.
//
//	> Q5
//	< (FF....VVCCPP..AA....   output Hz in tenths; volts of 12 V of battery, now and when empty,
//	                          in hundredths; watts; error code; output A in tenths
//	> At
//	< (SSSS                   seconds of runtime
//	> TR
//	< #OK
func (d *Device) ablerex(_ time.Duration, cmd string) (string, bool) {
	r, s := d.body.Read(), d.body.Spec()
	switch cmd {
	case "Q5":
		line := []byte("(")
		for _, n := range []int{r.Frequency / 100, 0xa1a2, 0xa3a4,
			r.Battery * 1200 / s.BatteryNominal, 970, s.Rated / 100_000 * r.Load, 0,
			amperes(s, r), 0xa5a6, 0xa7a8} {
			line = binary.BigEndian.AppendUint16(line, uint16(n))
		}
		return string(line), true
	case "At":
		left := uint32(r.Remaining / time.Second)
		return string(binary.BigEndian.AppendUint32([]byte("("), left)), true
	case "TR":
		if r.Failed {
			return "#FAIL", true
		}
		return "#OK  ", true
	}
	return "", false
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
