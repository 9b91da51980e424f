package megatec

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// milli is a decimal number from the wire in thousandths. Floats would give other last digits on
// other processors.
type milli int64

// absent stands for a number that the device left out: "--.-".
const absent milli = math.MinInt64

var errNumber = errors.New("not a decimal number")

// parseMilli reads a plain decimal: digits, perhaps one dot, perhaps a minus. No device sends
// more than seven digits or three of them after the dot.
func parseMilli(word string) (milli, error) {
	if strings.Trim(word, "-.") == "" && strings.Contains(word, "-") {
		return absent, nil
	}
	digits, negative := strings.CutPrefix(word, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if len(whole) > 7 || len(fraction) > 3 || whole+fraction == "" ||
		strings.Trim(whole+fraction, "0123456789") != "" {
		return 0, errNumber
	}
	n, err := strconv.ParseInt(whole+fraction+"000"[len(fraction):], 10, 64)
	if err != nil {
		return 0, errNumber
	}
	if negative {
		n = -n
	}
	return milli(n), nil
}

// text prints m with some decimals, the last one rounded half away from zero.
func (m milli) text(decimals int) string {
	unit := [...]int64{1000, 100, 10, 1}[decimals]
	n, sign := int64(m), ""
	if n < 0 {
		n, sign = -n, "-"
	}
	n = (n + unit/2) / unit
	s := strconv.FormatInt(n, 10)
	if decimals == 0 {
		return sign + s
	}
	if len(s) <= decimals {
		s = strings.Repeat("0", decimals+1-len(s)) + s
	}
	return sign + s[:len(s)-decimals] + "." + s[len(s)-decimals:]
}
