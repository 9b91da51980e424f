package apcsmart

import (
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

const (
	// tries is how often a device is asked for smart mode when it is opened.
	tries = 5
	// settling is how many more statuses are read for a poll before it gives up.
	settling = 8
	// pollTime bounds the reading of variables in one poll. On a slow line the rest has its turn
	// in the next one; the status is read each time.
	pollTime = 2 * time.Second
	// refreshTime is when variables that do not change by themselves are read again.
	refreshTime = time.Hour
	// hopeless is how many polls in a row may have a status and no variable.
	hopeless = 5
)

// device is an open device.
type device struct {
	conn
	conf *driver.Conf
	s    *driver.State

	vars []variable // that the device has
	late []variable // that did not answer properly when they were looked for
	// values are what settings may be, as the device writes them, by its command.
	values map[string][]string
	listed string // the commands that the device has
	tells  bool   // its commands when it is asked, as devices do that are not very old
	armed  map[string]env.Instant

	known    Status // the last one that was believed
	has      bool   // there is one
	next     int    // where in vars the next poll goes on
	failed   int    // polls in a row without a variable
	refreshd env.Instant
}

// open opens a device and finds out what it knows.
func open(e env.Env, s driver.Setup) (driver.Device, error) {
	port, err := s.Ports.Serial(e, s.Conf.Port(), transport.Mode{Baud: 2400})
	if err != nil {
		return nil, err
	}
	d := &device{conn: conn{port: port, debug: s.Debug}, conf: s.Conf, s: s.State,
		values: map[string][]string{}, armed: map[string]env.Instant{}}
	if err := d.begin(e); err != nil {
		port.Close()
		return nil, fmt.Errorf("%s: %w", s.Conf.Port(), err)
	}
	return d, nil
}

// dualCable is the cable that is for simple signalling as well.
const dualCable = "940-0095B"

// begin sets up the line, enters smart mode and looks at the device.
func (d *device) begin(e env.Env) error {
	if lines, err := transport.LinesOf(d.port); err == nil && d.conf.Text("cable") == dualCable {
		if err := lines.SetLines(e, true, false); err != nil {
			return fmt.Errorf("cable %s: %w", dualCable, err)
		}
	}
	if err := d.smart(e, tries); err != nil {
		return fmt.Errorf("no APC device with smart signalling there: %w", err)
	}
	return d.identify(e)
}

// Poll implements driver.Device.
func (d *device) Poll(e env.Env) error {
	if err := d.look(e); err != nil {
		return err
	}
	err := d.measure(e)
	if final(err) {
		return err
	}
	if err == nil {
		d.failed = 0
	} else if d.failed++; d.failed > hopeless {
		return err // the status alone is not worth much
	}
	if d.alerted && err == nil {
		return d.look(e)
	}
	return nil
}

// look reads the status and publishes it.
func (d *device) look(e env.Env) error {
	s, err := d.read(e)
	if err != nil {
		return err
	}
	d.known, d.has = s, true
	d.s.Status(s.Words()...)
	return nil
}

// read asks for the status. What is new must be said more than once.
func (d *device) read(e env.Env) (Status, error) {
	d.alerted = false
	s, err := d.status(e)
	if errors.Is(err, transport.ErrTimeout) { // it may have been without power and be dumb now
		if err := d.smart(e, 1); err != nil {
			return 0, err
		}
		s, err = d.status(e)
	}
	if err != nil {
		return 0, err
	}
	said := 0
	for range settling {
		if d.has && s == d.known || said >= s.needs(d.known) {
			return s, nil
		}
		again, err := d.status(e)
		if err != nil {
			return 0, err
		}
		if said++; again != s {
			s, said = again, 0
		}
	}
	return 0, fmt.Errorf("%w: the status does not settle", ErrMalformed)
}

// status asks for the status once.
func (d *device) status(e env.Env) (Status, error) {
	line, err := d.exchange(e, "Q", plain, statusTime)
	var s Status
	if err == nil {
		s, err = ParseStatus([]byte(line))
	}
	d.dirty = d.dirty || err != nil
	return s, err
}

// measure reads variables: those that change by themselves, from time to time all.
func (d *device) measure(e env.Env) error {
	all := e.Now().Sub(d.refreshd) >= refreshTime
	if all {
		if err := d.lookForLate(e); err != nil {
			return err
		}
	}
	until := e.Now().Add(pollTime)
	for range len(d.vars) {
		if d.next >= len(d.vars) {
			d.next = 0
		}
		v := d.vars[d.next]
		if v.poll || all {
			if err := d.update(e, v); err != nil {
				return err
			}
		}
		if d.next++; e.Now() >= until {
			return nil
		}
	}
	if all {
		d.refreshd = e.Now()
	}
	return nil
}

// update reads one variable. One that is no longer known is taken away.
func (d *device) update(e env.Env, v variable) error {
	answer, err := d.ask(e, v.cmd)
	if unavailable(err) {
		for _, p := range v.values("") {
			d.s.Delete(p[0])
		}
		return nil
	}
	if err == nil {
		err = v.accepts(answer)
	}
	if err != nil {
		d.dirty = true
		d.next++ // so that one bad variable does not hide the others
		return err
	}
	d.publish(v, answer)
	return nil
}

// publish puts what an answer tells into the State.
func (d *device) publish(v variable, answer string) {
	for _, p := range v.values(answer) {
		if p[1] == "" {
			d.s.Delete(p[0])
			continue
		}
		d.s.Set(p[0], p[1])
	}
}

// Close implements driver.Device. The device is not sent back to dumb signalling: that would take
// an Env, and the next program to come says Y anyway.
func (d *device) Close() error { return d.port.Close() }
