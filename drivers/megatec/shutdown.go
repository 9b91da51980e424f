package megatec

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// safeStart is the least start delay of a kill-power run. Without one some devices stay off when
// the mains are back before the cut, and after a shorter one early firmware never comes back. Who
// knows the device better says sdcommands = shutdown.return, which takes the delay as it is set.
const safeStart = 3 * time.Minute

// Shutdown implements driver.Device. A pending shutdown is cancelled first: some devices refuse a
// second one. Whatever they say to that, the shutdown counts.
func (d *device) Shutdown(e env.Env) (driver.Outcome, error) {
	delays := d.now()
	cancelled, err := d.insist(e, "shutdown.stop", delays)
	if err != nil && final(err) {
		return driver.Outcome{}, err
	}
	var out driver.Outcome
	if d.conf.Flag("stayoff") {
		out, err = d.insist(e, "shutdown.stayoff", delays)
	} else {
		out, err = d.cycle(e, delays)
	}
	out.Wire = cancelled.Wire + " " + out.Wire
	return out, err
}

// cycle switches the load off, to come back. Where the device does not know a start delay it goes
// without: then it comes back at least when the mains do.
func (d *device) cycle(e env.Env, delays Delays) (driver.Outcome, error) {
	if delays.Start < safeStart {
		e.Log().Info(fmt.Sprintf("the restart delay is %v here, not %v as set: with less some "+
			"UPSes stay off; sdcommands = shutdown.return sends it as it is",
			safeStart, delays.Start))
		delays.Start = safeStart
	}
	out, err := d.insist(e, "shutdown.return", delays)
	if !errors.Is(err, errRefused) || !d.dialect.bare {
		return out, err
	}
	d.debug(1, "%v; once more without a start delay", err)
	delays.Start = 0
	return d.insist(e, "shutdown.return", delays)
}

// insist gives a command up to three times.
func (d *device) insist(e env.Env, name string, delays Delays) (out driver.Outcome, err error) {
	for range tries {
		out, err = d.order(e, name, call{delays, d.p, "", d.s.Value})
		if err == nil || final(err) {
			break
		}
	}
	return out, err
}

// forewarned is under which name the State keeps that forewarn was there.
const forewarned = "forewarned"

// forewarn tells people, before the mains fail, that a kill-power run cannot switch the load off.
func (d *device) forewarn(e env.Env) {
	name := "shutdown.return"
	if d.conf.Flag("stayoff") {
		name = "shutdown.stayoff"
	}
	if d.s.Kept(forewarned) != "" || d.conf.Given("sdcommands") {
		return
	}
	d.s.Keep(forewarned, "yes")
	for _, o := range d.dialect.orders {
		if o.name != name {
			continue
		}
		wire, _ := o.wire(call{d.now(), d.p, "", d.s.Value})
		for cmd := range strings.Lines(wire) {
			if cmd = strings.TrimSpace(cmd); !d.cable.carries(cmd) {
				e.Log().Warn(fmt.Sprintf("%s: a kill-power run will not switch the load off: "+
					"the USB bridge cannot carry %s (%s)", d.conf.UPS, name, cmd))
				return
			}
		}
	}
}
