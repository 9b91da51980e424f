package megatec

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/state"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// tries is how often a device is asked before it is taken for absent, and how often a shutdown
// command that it refuses is repeated.
const tries = 3

// wary is for how many replies after a damaged one the line is taken for noisy: critical bits
// then need two confirmations.
const wary = 10

// device is an open device.
type device struct {
	conn
	p       program
	dialect dialect
	conf    *driver.Conf
	s       *driver.State
	packs   milli // by what the reported battery voltage is multiplied; 0: not known

	also     []query         // of each poll, those that are answered
	slow     []query         // of each walk, likewise
	walked   env.Instant     // when they were last asked
	seldom   reading         // what they said
	measured bool            // the device tells its charge
	timed    bool            // and its runtime
	able     map[string]bool // what else it has said that it can

	killing bool              // it is only opened to be switched off
	told    string            // the dialect of the device that was there before
	heard   map[string][]byte // replies while the device is being opened
	known   Bits              // of the last reading that was believed
	noisy   int               // counts down from wary
	account *Account
	polled  env.Instant // when the account was last kept
}

// open returns the Open function of a program.
func open(p program) func(env.Env, driver.Setup) (driver.Device, error) {
	return func(e env.Env, s driver.Setup) (driver.Device, error) {
		cable, err := p.plug(e, s)
		if err != nil {
			return nil, err
		}
		dev := &device{conn: conn{cable: cable, debug: s.Debug}, p: p, conf: s.Conf,
			able: map[string]bool{}, s: s.State, told: s.Known, killing: s.Killing}
		if err := dev.identify(e); err != nil {
			dev.Close()
			return nil, fmt.Errorf("%s: %w", s.Conf.Port(), err)
		}
		return dev, nil
	}
}

// identify asks for all that does not change.
func (d *device) identify(e env.Env) error {
	var first reading
	var err error
	if d.dialect, first, err = d.detect(e); err != nil {
		return err
	}
	for _, v := range d.dialect.fixed {
		d.s.Set(v.variable, v.text)
	}
	d.learn(first)
	if err := d.explore(e); err != nil {
		return err
	}
	if err := d.delays(); err != nil {
		return err
	}
	d.battery(first.Status)
	if !d.p.light {
		d.s.Set("driver.version.data", d.dialect.data())
		d.s.SetInt("driver.parameter.pollfreq", inSeconds(d.conf.Duration("pollfreq")))
	}
	for _, o := range d.dialect.orders {
		if o.when == nil || o.when(d) {
			d.s.Offer(o.name)
		}
	}
	d.forewarn(e)
	return nil
}

// explore asks and sets what is to be asked and set once. Who only wants to switch the device off
// does with what the search has heard; sdcommands may want more.
func (d *device) explore(e env.Env) error {
	if !d.killing || d.conf.Given("sdcommands") {
		if err := d.presets(e); err != nil {
			return err
		}
		return d.walkOnce(e)
	}
	for _, q := range d.dialect.once {
		line, ok := d.heard[q.wire()]
		if !ok {
			continue
		}
		if r, err := q.decode(line); err == nil {
			d.learn(r)
		}
	}
	d.heard = nil
	return nil
}

// walkOnce asks for what does not change, and finds out which of the slow queries are answered.
func (d *device) walkOnce(e env.Env) error {
	d.also, d.slow, d.seldom = nil, nil, reading{}
	for _, q := range d.dialect.once {
		r, err := d.walk(e, q)
		if err != nil {
			return err
		}
		d.learn(r)
	}
	for _, q := range d.dialect.also {
		r, err := d.walk(e, q)
		if err != nil {
			return err
		}
		if len(d.last) > 0 {
			d.also = append(d.also, q)
			d.learn(r)
		}
	}
	slow := d.dialect.slow
	if d.p.light {
		slow = nil
	}
	for _, q := range slow {
		r, err := d.walk(e, q)
		if err != nil {
			return err
		}
		if len(d.last) > 0 {
			d.slow = append(d.slow, q)
			d.learn(r)
			d.seldom.add(r)
		}
	}
	d.walked, d.heard = e.Now(), nil
	return nil
}

// walk asks what the device may not know; then d.last is empty. Its error ends the walk.
func (d *device) walk(e env.Env, q query) (reading, error) {
	d.last = nil
	if d.unwanted(q) {
		return reading{}, nil
	}
	r, err := d.repeat(e, q)
	if err == nil {
		return r, nil
	}
	d.debug(1, "%v", err)
	d.last = nil
	if final(err) {
		return reading{}, err
	}
	return reading{}, nil
}

// unwanted reports whether an option, or what is known of the device, forbids a question.
func (d *device) unwanted(q query) bool {
	return q.kind == ratingQuery && d.conf.Flag("norating") ||
		q.kind == vendorQuery && d.conf.Flag("novendor") ||
		q.when != nil && !q.when(d)
}

// learn publishes the values of a reading.
func (d *device) learn(r reading) {
	for _, a := range r.able {
		d.able[a] = true
	}
	d.learnValues(r.values)
	if r.later != nil {
		d.learnValues(r.later(d.s.Value))
	}
}

func (d *device) learnValues(values []value) {
	for _, v := range values {
		name := v.variable
		if other, ok := d.p.names[name]; ok {
			name = other
		}
		if v.absent {
			d.s.Delete(name)
			continue
		}
		d.s.Set(name, v.text)
		if name == "ups.id" {
			d.address = address(v.text)
		}
		d.measured = d.measured || name == "battery.charge"
		d.timed = d.timed || name == "battery.runtime"
	}
}

func (d *device) publish(variable string, v milli, decimals int) {
	if v == absent {
		d.s.Delete(variable)
		return
	}
	d.s.Set(variable, v.text(decimals))
}

// value reads a variable as a number, absent when it has none.
func (d *device) value(variable string) milli {
	v, err := parseMilli(d.s.Value(variable))
	if err != nil {
		return absent
	}
	return v
}

func inSeconds(d time.Duration) int { return int(d / time.Second) }

// delays publishes the delays. What was set before the device was lost stays.
func (d *device) delays() error {
	for _, set := range d.dialect.settings {
		if set.option == "" {
			continue
		}
		if d.s.Value(set.variable) == "" {
			n := inSeconds(d.conf.Duration(set.option))
			if set.own && !d.conf.Given(set.option) {
				n = set.standard
			}
			if err := set.check(strconv.Itoa(n), d.s.Value); err != nil {
				return fmt.Errorf("%s: %d seconds: %w (protocol %s)",
					set.option, n, err, d.dialect.name)
			}
			d.s.SetInt(set.variable, set.rounded(n))
		}
	}
	for _, set := range d.dialect.settings {
		if there, _ := d.s.Has(set.variable); there {
			form := set.limits(d.s.Value)
			d.s.Writable(set.variable, form)
			if set.bounds != nil && !set.hidden {
				d.s.SetInt(set.variable+".min", form.Ranges[0].Min)
				d.s.SetInt(set.variable+".max", form.Ranges[0].Max)
			}
		}
	}
	return nil
}

// Poll implements driver.Device.
func (d *device) Poll(e env.Env) error {
	r, err := d.read(e)
	if err != nil {
		return err
	}
	if len(d.slow) > 0 && e.Now().Sub(d.walked) >= d.conf.Duration("pollfreq") {
		if err := d.refresh(e); err != nil {
			return err
		}
	}
	if d.dialect.adjust != nil {
		d.dialect.adjust(d, &r)
	}
	own := r.values
	r.add(d.seldom)
	d.known = r.Bits
	d.learn(reading{values: own})
	if d.packs > 0 && (d.p.pack || d.conf.Flag("battery_voltage_reports_one_pack")) {
		d.publish("battery.voltage", d.pack(r.Status), 2)
	}
	ignore := d.conf.Flag("ignoresab")
	d.s.Status(append(r.Words(ignore), r.words...)...)
	d.s.Alarms(append(r.Alarms(ignore), r.alarms...)...)
	d.charge(e, r.Status)
	return nil
}

// read asks all that is asked at each poll.
func (d *device) read(e env.Env) (reading, error) {
	r, err := d.sure(e, d.dialect.status)
	for _, q := range d.also {
		if err != nil {
			break
		}
		var more reading
		if more, err = d.sure(e, q); err == nil {
			r.values = append(r.values, more.values...)
			r.add(more)
		}
	}
	return r, err
}

// refresh asks from time to time for what changes seldom. A question that is not answered this
// time leaves what is known as it was.
func (d *device) refresh(e env.Env) error {
	d.walked = e.Now()
	var fresh reading
	for _, q := range d.slow {
		r, err := d.sure(e, q)
		switch {
		case err == nil:
		case final(err):
			return err
		case errors.Is(err, transport.ErrTimeout):
			return nil // the next poll finds out whether it is silent
		}
		d.learn(r)
		fresh.add(r)
	}
	d.seldom = fresh
	return nil
}

// sure asks. What newly brings down hosts must be said more than once.
func (d *device) sure(e env.Env, q query) (reading, error) {
	r, err := d.heed(e, q)
	if err != nil {
		return r, err
	}
	confirmations := 1
	if d.noisy > 0 {
		confirmations = 2
	}
	for ; confirmations > 0 && r.alarming(d.known); confirmations-- {
		again, err := d.heed(e, q)
		if err != nil {
			return r, err
		}
		again.Status = confirm(d.known, r.Status, again.Status)
		r = again
	}
	return r, nil
}

// heed asks once, and keeps in mind how noisy the line is.
func (d *device) heed(e env.Env, q query) (reading, error) {
	r, err := d.ask(e, q)
	switch {
	case errors.Is(err, ErrMalformed):
		d.noisy = wary
	case err == nil && d.noisy > 0:
		d.noisy--
	}
	return r, err
}

// now returns the delays as they are.
func (d *device) now() Delays {
	value := func(variable string) time.Duration {
		return time.Duration(state.Int(d.s.Value(variable))) * time.Second
	}
	return Delays{Shutdown: value("ups.delay.shutdown"), Start: value("ups.delay.start")}
}

// Command implements driver.Device.
func (d *device) Command(e env.Env, name, value string) (driver.Outcome, error) {
	return d.order(e, name, call{d.now(), d.p, value, d.s.Value})
}

func (d *device) order(e env.Env, name string, c call) (driver.Outcome, error) {
	for _, o := range d.dialect.orders {
		if !strings.EqualFold(o.name, name) || o.when != nil && !o.when(d) {
			continue
		}
		wire, err := o.wire(c)
		if err != nil {
			return driver.Outcome{}, fmt.Errorf("%w: %w", driver.ErrInvalid, err)
		}
		out, err := d.send(e, wire)
		if err == nil && o.again != "" {
			err = d.reread(e, o.again)
		}
		return out, err
	}
	return driver.Outcome{}, driver.ErrUnknown
}

// send sends one command, or one after the other when they stand in several lines.
func (d *device) send(e env.Env, wire string) (driver.Outcome, error) {
	wire = d.addressed(wire)
	out := driver.Outcome{Wire: strings.ReplaceAll(wire, "\n", " ")}
	for cmd := range strings.Lines(wire) {
		ok, err := d.tell(e, strings.TrimSpace(cmd))
		if err != nil {
			return out, err
		}
		out.Acknowledged = ok
	}
	return out, nil
}

// Set implements driver.Device.
func (d *device) Set(e env.Env, name, value string) (driver.Outcome, error) {
	at := slices.IndexFunc(d.dialect.settings, func(s setting) bool {
		return strings.EqualFold(s.variable, name)
	})
	if at < 0 {
		return driver.Outcome{}, driver.ErrUnknown
	}
	set := d.dialect.settings[at]
	if err := set.check(value, d.s.Value); err != nil {
		return driver.Outcome{}, fmt.Errorf("%w: %s = %q: %w",
			driver.ErrInvalid, set.variable, value, err)
	}
	if set.wire == nil {
		d.s.SetInt(set.variable, set.rounded(state.Int(value)))
		return driver.Outcome{}, nil
	}
	wire, err := set.wire(value)
	if err != nil {
		return driver.Outcome{}, fmt.Errorf("%w: %w", driver.ErrInvalid, err)
	}
	out, err := d.send(e, wire)
	if err == nil {
		err = d.reread(e, set.again)
	}
	return out, err
}

// reread asks a query of the dialect again, after something was set.
func (d *device) reread(e env.Env, send string) error {
	for _, q := range slices.Concat(d.dialect.once, d.dialect.slow) {
		if q.send != send {
			continue
		}
		r, err := d.repeat(e, q)
		if err != nil {
			return err
		}
		d.learn(r)
	}
	return nil
}

// Known implements driver.Knower: the dialect, without which the search begins anew.
func (d *device) Known() string { return d.dialect.name }

// Close implements driver.Device. A device that lives on the modem lines loses its power with it.
func (d *device) Close() error { return d.cable.Close() }
