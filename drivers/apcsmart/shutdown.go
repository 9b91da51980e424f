package apcsmart

import (
	"errors"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// pressPause is the time between two presses of a letter that counts when it comes twice.
const pressPause = 1500 * time.Millisecond

// A method is one way to switch the load off.
type method byte

// The methods, by their digit in advorder.
const (
	soft   method = '0' // S: on battery only
	hard   method = '1' // @
	stay   method = '2' // K: for good, after a while
	cut    method = '3' // Z: for good, at once
	forced method = '4' // U, then S
)

// types are the methods of sdtype; 0 and 1 depend on the status.
var types = map[string][]method{"2": {cut}, "3": {stay}, "4": {forced}, "5": {hard}}

// Shutdown implements driver.Device.
func (d *device) Shutdown(e env.Env) (driver.Outcome, error) {
	if order := d.conf.Text("advorder"); order != "" && !strings.EqualFold(order, "no") {
		var methods []method
		for _, digit := range []byte(order) {
			methods = append(methods, method(digit))
		}
		return d.first(e, methods)
	}
	if methods, ok := types[d.conf.Text("sdtype")]; ok {
		return d.first(e, methods)
	}
	return d.first(e, d.cycle(e))
}

// cycle are the methods that bring the load back, in their order: S is only obeyed on battery, @
// always. One that does not tell its status is asked for both.
func (d *device) cycle(e env.Env) []method {
	s, err := d.status(e)
	if err != nil && !final(err) && d.smart(e, 1) == nil {
		s, err = d.status(e)
	}
	if err == nil && s&OnLine != 0 {
		return []method{hard, soft}
	}
	return []method{soft, hard}
}

// first tries methods until one is accepted.
func (d *device) first(e env.Env, methods []method) (driver.Outcome, error) {
	var errs []error
	for _, m := range methods {
		out, err := d.by(e, m)
		if err == nil || final(err) {
			return out, err
		}
		d.debug(1, "%v", err)
		errs = append(errs, err)
	}
	return driver.Outcome{}, errors.Join(errs...)
}

func (d *device) by(e env.Env, m method) (driver.Outcome, error) {
	switch m {
	case hard:
		return d.hard(e, d.delay())
	case stay:
		return d.twice(e, "K", true)
	case cut:
		return d.twice(e, "Z", false)
	case forced:
		return d.forced(e)
	}
	return single("S")(d, e, "")
}

// delay is what the options say about @.
func (d *device) delay() string {
	if digits := d.conf.Text("awd"); digits != "" || !d.older() {
		return digits
	}
	return d.conf.Text("wugrace")
}

// forced is S after a simulated failure of the mains, where these are there.
func (d *device) forced(e env.Env) (driver.Outcome, error) {
	s, err := d.status(e)
	if err == nil && s&OnLine != 0 {
		if err := d.tell(e, "U"); err != nil {
			return driver.Outcome{Wire: "U"}, err
		}
		if err := e.Sleep(seconds(d.conf.Text("cshdelay"))); err != nil {
			return driver.Outcome{}, err
		}
	}
	out, err := single("S")(d, e, "")
	out.Wire = "U S"
	return out, err
}

// hard is @ with digits: how many times six minutes more the load stays off. Without any it is
// none, or one where none means that nothing happens. Two digits are for a few devices that want
// two; others get three in the end.
func (d *device) hard(e env.Env, digits string) (driver.Outcome, error) {
	if digits == "" {
		digits = "000"
		if !d.tells {
			digits = "001"
		}
	}
	if len(digits) == 2 {
		if out, err := d.at(e, digits); err == nil || final(err) {
			return out, err
		}
		if err := d.smart(e, 2); err != nil {
			return driver.Outcome{}, err
		}
	}
	return d.at(e, strings.Repeat("0", 3-len(digits))+digits)
}

func (d *device) at(e env.Env, digits string) (driver.Outcome, error) {
	out := driver.Outcome{Wire: "@" + digits}
	if err := d.clean(e); err != nil {
		return out, err
	}
	if err := d.send(e, "@"); err != nil {
		return out, err
	}
	err := d.slowly(e, "@", digits)
	out.Acknowledged = err == nil
	return out, err
}

// twice presses a letter twice. Where no answer belongs to it, silence is yes.
func (d *device) twice(e env.Env, letter string, answers bool) (driver.Outcome, error) {
	out := driver.Outcome{Wire: letter + " " + letter}
	if err := d.clean(e); err != nil {
		return out, err
	}
	if err := d.send(e, letter); err != nil {
		return out, err
	}
	if err := e.Sleep(pressPause); err != nil {
		return out, err
	}
	err := d.tell(e, letter)
	if errors.Is(err, transport.ErrTimeout) && !answers {
		return out, nil
	}
	out.Acknowledged = err == nil
	return out, err
}

// seconds reads a number of seconds with at most one decimal, which was checked with the options.
func seconds(text string) time.Duration {
	d, err := time.ParseDuration(strings.TrimSuffix(text, ".") + "s")
	if err != nil {
		return 0
	}
	return d
}
