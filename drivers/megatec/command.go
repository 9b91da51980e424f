package megatec

import (
	"fmt"
	"strconv"
	"time"
)

// Delays are the two settings that shutdown commands are made of.
type Delays struct {
	Shutdown time.Duration // from the command to power-off
	Start    time.Duration // from power-off to power-on, at the least
}

// Bounds of the settings. A device takes ".2" (12 s) to "10" (ten minutes) as its shutdown delay
// and four digits of minutes as its start delay.
const (
	minShutdown = 12 * time.Second
	maxShutdown = 600 * time.Second
	maxStart    = 9999 * time.Minute
)

// roundShutdown rounds a shutdown delay down to what the wire can say: six seconds below a
// minute, whole minutes from there.
func roundShutdown(d time.Duration) time.Duration {
	if d < time.Minute {
		return d.Truncate(6 * time.Second)
	}
	return d.Truncate(time.Minute)
}

// roundStart rounds a start delay down to whole minutes.
func roundStart(d time.Duration) time.Duration { return d.Truncate(time.Minute) }

// delay is the text of a shutdown delay: ".5" or "02".
func (d Delays) delay() string {
	if d.Shutdown < time.Minute {
		return fmt.Sprintf(".%d", d.Shutdown/(6*time.Second))
	}
	return fmt.Sprintf("%02d", d.Shutdown/time.Minute)
}

// shutdownReturn is the command for a full cycle. Without a start delay the device's own applies,
// which may be to return at once or not at all.
func (d Delays) shutdownReturn() string {
	if d.Start < time.Minute {
		return "S" + d.delay()
	}
	return fmt.Sprintf("S%sR%04d", d.delay(), d.Start/time.Minute)
}

func (d Delays) shutdownStayOff() string { return "S" + d.delay() + "R0000" }

// commands are the instant commands in the order of the manual, each with what goes over the
// wire.
var commands = []struct {
	name string
	wire command
}{
	{"beeper.toggle", plain("Q")},
	{"load.off", plain("S00R0000")},
	{"load.on", plain("C")},
	{"shutdown.return", delayed(Delays.shutdownReturn)},
	{"shutdown.stayoff", delayed(Delays.shutdownStayOff)},
	{"shutdown.stop", plain("C")},
	{"test.battery.start", timed(dialect.test)},
	{"test.battery.start.deep", plain("TL")},
	{"test.battery.start.quick", plain("T")},
	{"test.battery.stop", plain("CT")},
}

// A command gives what goes over the wire, from the settings, the program's units and the value
// that came with it.
type command func(d Delays, u dialect, value string) (string, error)

func plain(wire string) command {
	return func(Delays, dialect, string) (string, error) { return wire, nil }
}

func delayed(wire func(Delays) string) command {
	return func(d Delays, _ dialect, _ string) (string, error) { return wire(d), nil }
}

func timed(wire func(dialect, string) (string, error)) command {
	return func(_ Delays, u dialect, value string) (string, error) { return wire(u, value) }
}

// maxTest is the longest test that two digits of minutes can ask for.
const maxTest = 99 * time.Minute

// test is the command for a battery test of some length, by default ten minutes.
func (u dialect) test(value string) (string, error) {
	length := 10 * time.Minute
	if value != "" {
		n, err := strconv.Atoi(value)
		least, most := int(time.Minute/u.testUnit), int(maxTest/u.testUnit)
		if err != nil || n < least || n > most {
			return "", fmt.Errorf("length %q: want %d to %d", value, least, most)
		}
		length = time.Duration(n) * u.testUnit
	}
	return fmt.Sprintf("T%02d", length/time.Minute), nil
}
