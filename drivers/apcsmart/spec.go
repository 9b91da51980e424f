package apcsmart

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/driver"
)

// tolerance is how many polls in a row may fail: the third makes the data stale.
const tolerance = 2

// Spec is the driver.
var Spec = driver.Spec{
	Name:      "apcsmart",
	Version:   version,
	Summary:   "APC Smart protocol driver",
	Options:   options,
	Tolerance: tolerance,
	Open:      open,
}

// Old is the driver under the name and with the words of the one that came before it.
var Old = driver.Spec{
	Name:    oldName,
	Version: version,
	Summary: "APC Smart protocol driver",
	Options: slices.Concat(options, []driver.Option{{Key: "wugrace",
		Check: matches(`^[0-9]{1,3}$`, "one to three digits"), Help: "the older word for awd"}}),
	Tolerance: tolerance,
	Open:      open,
}

const version, oldName = "0.1", "apcsmart-old"

var options = []driver.Option{
	{Key: "cable", Help: "940-0095B sets the modem lines as that cable wants them; " +
		"any other value means 940-0024C"},
	{Key: "ttymode", Help: "accepted for compatibility: any line works alike"},
	{Key: "sdtype", Default: "0", Check: matches(`^[0-5]$`, "one digit, 0 to 5"),
		Help: "kill power by: 0, 1 S on battery, else @; 2 Z; 3 K; 4 U and S; 5 @"},
	{Key: "advorder", Check: matches(`^([0-4]{1,5}|[Nn][Oo])$`, "one to five digits, 0 to 4, or no"),
		Help: "kill power by these, in turn, instead: 0 S; 1 @; 2 K; 3 Z; 4 U and S"},
	{Key: "awd", Check: matches(`^[0-9]{1,3}$`, "one to three digits"),
		Help: "the load stays off so many times six minutes longer after @ " +
			"(000; 001 for old devices, to which 000 means nothing)"},
	{Key: "cshdelay", Default: "3.5",
		Check: matches(`^([0-9]\.?|[0-9]?\.[0-9])$`, "seconds, 0 to 9.9"),
		Help:  "seconds from U to S"},
}

// matches is a check by a pattern.
func matches(pattern, want string) func(string) error {
	re := regexp.MustCompile(pattern)
	return func(value string) error {
		if !re.MatchString(value) {
			return fmt.Errorf("want %s", want)
		}
		return nil
	}
}
