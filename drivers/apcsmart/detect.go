package apcsmart

import (
	"errors"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// again is how often a question is repeated whose answer was lost or damaged, when the device is
// opened; silentMost is how many questions it may leave without an answer before it is given up.
const again, silentMost = 3, 4

// identify finds out what the device knows.
func (d *device) identify(e env.Env) error {
	firmware, err := d.firmware(e)
	if err != nil {
		return err
	}
	d.s.Set("ups.mfr", "APC")
	commands, err := d.commands(e, firmware)
	if err != nil {
		return err
	}
	if err := d.probe(e, commands); err != nil {
		return err
	}
	d.listed = commands
	d.offer()
	d.refreshd = e.Now()
	if d.tells && strings.Contains(commands, "\x1a") {
		return d.capabilities(e)
	}
	return nil
}

// patient asks a question a few times. A device that does not know it says so, or nothing.
func (d *device) patient(e env.Env, ask func() (string, error)) (answer string, err error) {
	for range again {
		answer, err = ask()
		if err == nil || final(err) || unavailable(err) || errors.Is(err, transport.ErrTimeout) {
			return answer, err
		}
	}
	return answer, err
}

// firmware asks an old device (V), else a newer one (b). "" is for one that knows neither.
func (d *device) firmware(e env.Env) (string, error) {
	for _, cmd := range []string{"V", "b"} {
		answer, err := d.patient(e, func() (string, error) { return d.ask(e, cmd) })
		switch {
		case err == nil && answer != "" && answer != "SM":
			if d.older() && cmd == "V" {
				d.s.Set("ups.firmware.old", answer)
			}
			return answer, nil
		case final(err):
			return "", err
		}
		d.debug(1, "no firmware by %s: %q %v", cmd, answer, err)
	}
	return "", nil
}

// older reports whether the program is the one that came before, for which the answer to V has a
// variable of its own.
func (d *device) older() bool { return d.conf.Program == "apcsmart-old" }

// model is what an old device is called by its firmware.
func model(firmware string) string {
	if strings.HasPrefix(firmware, "0") || strings.HasPrefix(firmware, "5") {
		return "Matrix-UPS"
	}
	return "Smart-UPS"
}

// commands finds out which commands the device has. What is not one character of its own is
// behind them, see second.
func (d *device) commands(e env.Env, firmware string) (string, error) {
	if commands, ok := commandsOf(firmware); ok {
		d.tells = firmware == backCS
		d.s.Set("ups.model", model(firmware))
		return commands, nil
	}
	answer, err := d.patient(e, func() (string, error) {
		a, err := d.exchange(e, "a", list, longTime)
		a = strings.TrimLeft(a, "#") // replace battery, an alert
		if err == nil && !describes.MatchString(a) {
			d.dirty = true
			return "", ErrMalformed
		}
		return a, err
	})
	if final(err) {
		return "", err
	}
	parts := describes.FindStringSubmatch(answer)
	if parts == nil {
		d.debug(1, "the device does not tell its commands (%v): little is known of it", err)
		d.s.Set("ups.model", model(firmware))
		return basic, nil
	}
	d.tells = true
	if parts[3] != "" {
		d.two(parts[3])
	}
	return parts[2], nil
}

// two takes over variables of the second set: a prefix, a colon, and the second bytes.
func (d *device) two(part string) {
	for _, v := range second {
		if part[0] == v.cmd[0] && strings.Contains(part[1:], v.cmd[1:]) {
			d.late = append(d.late, v)
		}
	}
}

// probe reads each variable once that the device may have.
func (d *device) probe(e env.Env, commands string) error {
	d.vars = nil
	candidates := d.late
	d.late = nil
	dual := slices.ContainsFunc(candidates, func(v variable) bool { return v.name == "input.frequency" })
	for _, v := range variables {
		if d.older() && v.cmd == "V" {
			continue
		}
		if dual && v.cmd == outputFrequency.cmd {
			v = outputFrequency
		}
		if strings.Contains(commands, v.cmd) && !strings.Contains(unprobed, v.cmd) {
			candidates = append(candidates, v)
		}
	}
	silent := 0
	asked := map[string]string{} // answers, by command
	for _, v := range candidates {
		answer, known := asked[v.cmd]
		if !known {
			var err error
			answer, err = d.patient(e, func() (string, error) { return d.ask(e, v.cmd) })
			if errors.Is(err, transport.ErrTimeout) {
				silent++
			}
			if final(err) || silent > silentMost {
				return err
			}
			if err != nil && !unavailable(err) {
				d.late = append(d.late, v)
			}
			asked[v.cmd] = answer
		}
		d.consider(v, answer)
	}
	d.forget()
	return nil
}

// consider takes over a variable if the answer is one about it.
func (d *device) consider(v variable, answer string) {
	if answer == "" {
		return
	}
	if err := v.accepts(answer); err != nil {
		d.debug(1, "not there: %v", err)
		return
	}
	if slices.ContainsFunc(d.vars, func(o variable) bool { return o.name == v.name }) {
		return
	}
	d.vars = append(d.vars, v)
	d.publish(v, answer)
	if v.size > 0 {
		d.s.Writable(v.name, driver.Form{Max: v.size})
	}
}

// forget takes away what another device had that was here before.
func (d *device) forget() {
	for _, v := range variables {
		if v.name == "ups.model" || slices.ContainsFunc(d.vars, func(o variable) bool { return o.name == v.name }) {
			continue
		}
		for _, p := range v.values("") {
			d.s.Delete(p[0])
		}
	}
}

// lookForLate tries again what did not answer properly at first.
func (d *device) lookForLate(e env.Env) error {
	late := d.late
	d.late = nil
	for _, v := range late {
		answer, err := d.ask(e, v.cmd)
		switch {
		case final(err):
			return err
		case err != nil && !unavailable(err):
			d.late = append(d.late, v)
		default:
			d.consider(v, answer)
		}
	}
	return nil
}

// capabilities asks what settings may be.
func (d *device) capabilities(e env.Env) error {
	var all []Capability
	_, err := d.patient(e, func() (string, error) {
		answer, err := d.exchange(e, "\x1a", list, longTime)
		if err == nil {
			all, err = ParseCapabilities([]byte(answer))
		}
		d.dirty = d.dirty || err != nil
		return answer, err
	})
	if err != nil {
		d.debug(1, "capabilities: %v", err)
		if final(err) {
			return err
		}
	}
	firmware := d.s.Value("ups.firmware")
	for _, c := range all {
		if c.Applies(firmware) {
			d.permit(c)
		}
	}
	return nil
}

// permit makes a variable writable.
func (d *device) permit(c Capability) {
	at := slices.IndexFunc(d.vars, func(v variable) bool { return v.cmd == string(rune(c.Command)) })
	if at < 0 || d.vars[at].packed {
		return
	}
	v := d.vars[at]
	d.values[v.cmd] = c.Values
	var form driver.Form
	for _, raw := range c.Values {
		form.Enum = append(form.Enum, v.publish(raw))
	}
	d.s.Writable(v.name, form)
}
