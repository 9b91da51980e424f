package megatec

import (
	"errors"
	"fmt"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// silences is how often a device may leave a question without an answer before it is taken for
// one that it does not know.
const silences = 2

// A search remembers what a device said to questions that several dialects have in common.
type search struct {
	*device
	errs map[string]error
}

// detect finds the dialect that the device speaks, and returns its status as a first reading.
func (d *device) detect(e env.Env) (dialect, reading, error) {
	d.heard = map[string][]byte{}
	s := search{d, map[string]error{}}
	if name := d.conf.Text("protocol"); name != "" {
		only, _ := dialectBy(named(name)) // checked with the options
		first, err := s.claims(e, only)
		if err != nil {
			err = fmt.Errorf("protocol = %s: the device does not speak it: %w", name, err)
		}
		return only, first, err
	}
	was := d.s.Value("driver.version.data")
	known, ok := dialectBy(func(c dialect) bool { return c.data() == was })
	if !ok && d.told != "" {
		// Of a kill-power run: what the driver found that ran before. A wrong guess costs little.
		hint, _ := dialectBy(named(d.told))
		if slices.ContainsFunc(d.p.dialects, named(hint.name)) {
			found, first, err := s.try(e, []dialect{hint})
			if err == nil || final(err) {
				return found, first, err
			}
		}
	}
	if !ok {
		return s.try(e, slices.DeleteFunc(slices.Clone(d.p.dialects), d.notLookedFor))
	}
	// A device that was lost and is back speaks as before. Only one that says that it does not
	// understand is another device.
	found, first, err := s.try(e, []dialect{known})
	if errors.Is(err, errRefused) {
		return s.try(e, slices.DeleteFunc(slices.Clone(d.p.dialects), d.notLookedFor))
	}
	return found, first, err
}

// notLookedFor reports whether a device is only taken for one of a dialect on request.
func (d *device) notLookedFor(c dialect) bool {
	return c.onRequest && (c.vendorID == "" || d.s.Value("ups.vendorid") != c.vendorID)
}

// try returns the first dialect whose questions are answered. Its error is that of the last.
func (s search) try(e env.Env, list []dialect) (dialect, reading, error) {
	var err error
	for _, c := range list {
		var first reading
		if first, err = s.claims(e, c); err == nil {
			return c, first, nil
		}
		s.debug(2, "not %s: %v", c.name, err)
		if final(err) {
			break
		}
	}
	return dialect{}, reading{}, fmt.Errorf("no device of the Megatec family there: %w", err)
}

// claims reports whether the device speaks a dialect.
func (s search) claims(e env.Env, c dialect) (reading, error) {
	first, err := s.repeat(e, c.status)
	if err != nil || s.p.light {
		return first, err
	}
	for _, q := range c.claim {
		if s.unwanted(q) {
			continue
		}
		r, err := s.repeat(e, q)
		if err == nil {
			err = s.addressee(r)
		}
		if err != nil {
			return first, err
		}
	}
	return first, nil
}

// addressee fails for a unit that has another address than the one that is wanted.
func (s search) addressee(r reading) error {
	if s.p.light || !s.conf.Given("slave_address") {
		return nil
	}
	want := s.conf.Int("slave_address")
	for _, v := range r.values {
		if v.variable == "ups.id" && v.text != fmt.Sprintf("%02d", want) {
			return fmt.Errorf("%w: the unit has the address %s, not %d", errRefused, v.text, want)
		}
	}
	return nil
}

// repeat is [device.repeat], for questions that were asked before as well.
func (s search) repeat(e env.Env, q query) (reading, error) {
	wire := q.wire()
	if err, ok := s.errs[wire]; ok {
		return reading{}, err
	}
	r, err := s.device.repeat(e, q)
	if err != nil && !errors.Is(err, ErrMalformed) { // another dialect may understand it
		s.errs[wire] = err
	}
	return r, err
}

// repeat asks until the reply can be decoded, a few times; while the device is being opened, not
// for what was asked already.
func (d *device) repeat(e env.Env, q query) (r reading, err error) {
	if line, ok := d.heard[q.wire()]; ok {
		d.last = line
		return q.decode(line)
	}
	silent := 0
	var odd error // an answer, if none to this question: it is not unknown to the device
	defer d.hurry(false)
	for range tries {
		d.hurry(d.heard != nil && (silent > 0 || len(d.heard) > 0))
		r, err = d.ask(e, q)
		switch {
		case errors.Is(err, transport.ErrTimeout):
			silent++
		case errors.Is(err, ErrMalformed):
			odd = err
		}
		if err == nil && d.heard != nil {
			d.heard[q.wire()] = d.last
		}
		if err == nil || final(err) || errors.Is(err, errRefused) ||
			odd == nil && silent == silences {
			return r, err
		}
	}
	if odd != nil {
		err = odd
	}
	return r, err
}

// final reports that asking again is of no use.
func final(err error) bool {
	return errors.Is(err, env.ErrStopped) || errors.Is(err, transport.ErrGone)
}
