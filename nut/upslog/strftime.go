package upslog

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// layouts are the conversions of strftime, in the C locale, that Go's package time can do.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'h': "Jan", 'B': "January",
	'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002",
	'm': "01", 'M': "04", 'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05",
	'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006",
	'z': "-0700", 'Z': "MST",
}

// computed are the conversions that it cannot do.
var computed = map[byte]func(t time.Time) string{
	'%': func(time.Time) string { return "%" },
	'n': func(time.Time) string { return "\n" },
	't': func(time.Time) string { return "\t" },
	's': func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
	'C': func(t time.Time) string { return fmt.Sprintf("%02d", t.Year()/100) },
	'k': func(t time.Time) string { return fmt.Sprintf("%2d", t.Hour()) },
	'l': func(t time.Time) string { return fmt.Sprintf("%2d", (t.Hour()+11)%12+1) },
	'u': func(t time.Time) string { return strconv.Itoa((int(t.Weekday())+6)%7 + 1) },
	'w': func(t time.Time) string { return strconv.Itoa(int(t.Weekday())) },
	'U': func(t time.Time) string { return week(t, int(t.Weekday())) },
	'W': func(t time.Time) string { return week(t, (int(t.Weekday())+6)%7) },
	'V': func(t time.Time) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	'G': func(t time.Time) string { y, _ := t.ISOWeek(); return strconv.Itoa(y) },
	'g': func(t time.Time) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%02d", y%100) },
}

// week is the week of the year; day is how many days ago its first day was.
func week(t time.Time, day int) string {
	return fmt.Sprintf("%02d", (t.YearDay()+6-day)/7)
}

// strftime is the C function, with @ for the percent sign; both may stand in a format. What it does
// not know stays as it is, with a percent sign, as the C library leaves it.
func strftime(t time.Time, format string) string {
	format = strings.ReplaceAll(format, "@", "%")
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch c := format[i]; {
		case layouts[c] != "":
			b.WriteString(t.Format(layouts[c]))
		case computed[c] != nil:
			b.WriteString(computed[c](t))
		default:
			b.WriteByte('%')
			b.WriteByte(c)
		}
	}
	return b.String()
}
