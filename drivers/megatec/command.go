package megatec

import (
	"fmt"
	"slices"
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

	maxStartSeconds = int(maxStart / time.Second)
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

// An order is an instant command with what goes over the wire for it. Two lines of text are two
// commands, of which the second is sent when the first was taken.
type order struct {
	name  string
	wire  func(call) (string, error)
	when  func(*device) bool // whether the device has it; nil: always
	again string             // the query that the command changes; "" for none
}

// A call is what a command may depend on.
type call struct {
	Delays
	program
	value string                       // what came with the command
	state func(variable string) string // what is known of the device
}

// usualOrders are the instant commands of most dialects.
var usualOrders = []order{
	{name: "beeper.toggle", wire: plain("Q")},
	{name: "load.off", wire: plain("S00R0000")},
	{name: "load.on", wire: plain("C")},
	{name: "shutdown.return", wire: func(c call) (string, error) { return c.shutdownReturn(), nil }},
	{name: "shutdown.stayoff", wire: func(c call) (string, error) { return c.shutdownStayOff(), nil }},
	{name: "shutdown.stop", wire: plain("C")},
	{name: "test.battery.start", wire: func(c call) (string, error) { return c.test(c.value) }},
	{name: "test.battery.start.deep", wire: plain("TL")},
	{name: "test.battery.start.quick", wire: plain("T")},
	{name: "test.battery.stop", wire: plain("CT")},
}

func plain(wire string) func(call) (string, error) {
	return func(call) (string, error) { return wire, nil }
}

// but is a list of orders with some of them replaced, added, or, without wire, taken out.
func but(base []order, changes ...order) []order {
	list := slices.Clone(base)
	for _, c := range changes {
		list = slices.DeleteFunc(list, func(o order) bool { return o.name == c.name })
		if c.wire != nil {
			list = append(list, c)
		}
	}
	return list
}

// maxTest is the longest test that two digits of minutes can ask for.
const maxTest = 99 * time.Minute

// test is the command for a battery test of some length, by default ten minutes.
func (p program) test(value string) (string, error) {
	length, err := p.testLength(value, time.Minute)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("T%02d", length/time.Minute), nil
}

// testLength reads the length of a test.
func (p program) testLength(value string, shortest time.Duration) (time.Duration, error) {
	if value == "" {
		return 10 * time.Minute, nil
	}
	n, err := strconv.Atoi(value)
	least, most := int(max(shortest, p.testUnit)/p.testUnit), int(maxTest/p.testUnit)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("length %q: want %d to %d", value, least, most)
	}
	return time.Duration(n) * p.testUnit, nil
}

// shortTest is the command for a battery test where the device takes tenths of a minute as well.
func shortTest(c call) (string, error) {
	length, err := c.testLength(c.value, minShutdown)
	if err != nil {
		return "", err
	}
	return "T" + Delays{Shutdown: length}.delay(), nil
}

// mecerTest is shortTest, for the firmware that calls itself P98; older ones take minutes.
func mecerTest(c call) (string, error) {
	if c.state("ups.firmware.aux") == p98 {
		return shortTest(c)
	}
	return c.test(c.value)
}
