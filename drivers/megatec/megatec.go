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
	d     dialect
	conf  *driver.Conf
	s     *driver.State
	packs milli // by what the reported battery voltage is multiplied; 0: not known

	known   Bits // of the last reading that was believed
	noisy   int  // counts down from wary
	account *Account
	polled  env.Instant // when the account was last kept
	asked   env.Instant // when the identity was last asked for
}

// open returns the Open function of a dialect.
func open(d dialect) func(env.Env, driver.Setup) (driver.Device, error) {
	return func(e env.Env, s driver.Setup) (driver.Device, error) {
		if s.Conf.Port() == "auto" {
			return nil, errors.New("port = auto means USB, which is not supported yet: " +
				"want a serial device such as /dev/ttyS0")
		}
		port, err := s.Ports.Serial(e, s.Conf.Port(), transport.Mode{Baud: 2400})
		if err != nil {
			return nil, err
		}
		dev := &device{conn: conn{port, s.Debug}, d: d, conf: s.Conf, s: s.State}
		if err := dev.identify(e); err != nil {
			dev.Close()
			return nil, fmt.Errorf("%s: %w", s.Conf.Port(), err)
		}
		return dev, nil
	}
}

// powers are the modem lines DTR and RTS by cablepower.
var powers = map[string]struct{ dtr, rts bool }{
	"normal": {dtr: true}, "reverse": {rts: true}, "both": {true, true}, "none": {},
}

// identify wakes the device up and asks for all that does not change.
func (d *device) identify(e env.Env) error {
	if lines, ok := d.port.(transport.Lines); ok {
		p := powers[d.conf.Text("cablepower")]
		if err := lines.SetLines(e, p.dtr, p.rts); err != nil {
			return fmt.Errorf("cablepower: %w", err)
		}
		if err := e.Sleep(d.d.settle); err != nil {
			return err
		}
	}
	first, err := repeat(e, &d.conn, "Q1", ParseStatus)
	if err != nil {
		return fmt.Errorf("no Megatec device there: %w", err)
	}
	if !d.conf.Flag("norating") {
		if err := d.rating(e); err != nil {
			return err
		}
	}
	if !d.conf.Flag("novendor") {
		if err := d.identity(e); err != nil {
			return err
		}
	}
	d.battery(first)
	d.delays()
	if d.d == qx {
		d.s.Set("driver.version.data", "Megatec "+version)
		d.s.SetInt("driver.parameter.pollfreq", seconds(d.conf.Duration("pollfreq")))
	}
	for _, c := range commands {
		d.s.Offer(c.name)
	}
	return nil
}

// repeat asks until the reply can be decoded, a few times.
func repeat[T any](e env.Env, c *conn, cmd string,
	decode func([]byte) (T, error)) (v T, err error) {
	for range tries {
		v, err = ask(e, c, cmd, decode)
		if err == nil || final(err) {
			return v, err
		}
	}
	return v, err
}

// final reports that asking again is of no use.
func final(err error) bool {
	return errors.Is(err, env.ErrStopped) || errors.Is(err, transport.ErrGone)
}

// rating asks F. Many devices do not know it.
func (d *device) rating(e env.Env) error {
	r, err := repeat(e, &d.conn, "F", ParseRating)
	if err != nil {
		d.debug(1, "no rating: %v", err)
		if final(err) {
			return err
		}
		return nil
	}
	for _, n := range f {
		d.publish(n.variable, *n.dst(&r), n.decimals)
	}
	return nil
}

// identity asks I. Many devices do not know it.
func (d *device) identity(e env.Env) error {
	d.asked = e.Now()
	id, err := repeat(e, &d.conn, "I", ParseIdentity)
	if err != nil {
		d.debug(1, "no identity: %v", err)
		if final(err) {
			return err
		}
		return nil
	}
	for _, v := range []struct{ variable, value string }{
		{d.d.maker, id.Maker}, {d.d.model, id.Model}, {"ups.firmware", id.Firmware},
		{"ups.serial", id.Serial}, {"battery.runtime", id.Runtime},
	} {
		if v.value != "" {
			d.s.Set(v.variable, v.value)
		}
	}
	return nil
}

func (d *device) publish(variable string, v milli, decimals int) {
	if v == absent {
		d.s.Delete(variable)
		return
	}
	d.s.Set(variable, v.text(decimals))
}

// battery prepares what is guessed about the battery.
func (d *device) battery(first Status) {
	nominal := d.value("battery.voltage.nominal")
	if nominal <= 0 {
		return // unknown: no charge
	}
	if d.value("battery.voltage.low") == absent || d.value("battery.voltage.high") == absent {
		w := DefaultWindow(nominal)
		d.s.Set("battery.voltage.low", w.Low.text(2))
		d.s.Set("battery.voltage.high", w.High.text(2))
	}
	if d.packs = d.value("battery.packs"); d.packs == absent {
		if d.packs = Packs(first.Battery, nominal); d.packs == 0 {
			d.debug(1, "battery voltage %s does not fit %s nominal: no charge",
				first.Battery.text(2), nominal.text(1))
		}
	}
	if text := d.conf.Text("runtimecal"); text != "" {
		cal, _ := ParseCalibration(text) // checked with the options
		charge, ok := d.window().Charge(d.pack(first))
		if !ok || d.packs == 0 {
			charge = 100e3
		}
		idle := float64(d.conf.Int("idleload"))
		d.account = NewAccount(cal, d.conf.Duration("chargetime"), idle, charge)
	}
}

// value reads a variable as a number, absent when it has none.
func (d *device) value(variable string) milli {
	v, err := parseMilli(d.s.Value(variable))
	if err != nil {
		return absent
	}
	return v
}

func (d *device) window() Window {
	return Window{Low: d.value("battery.voltage.low"), High: d.value("battery.voltage.high")}
}

// pack is the voltage of the whole battery.
func (d *device) pack(s Status) milli {
	if s.Battery == absent {
		return absent
	}
	return s.Battery * d.packs / 1000
}

// A setting is a variable that can be set, with what the wire can say of it.
type setting struct {
	variable  string
	option    string
	low, high time.Duration
	round     func(time.Duration) time.Duration
}

var settings = []setting{
	{variable: "ups.delay.shutdown", option: "offdelay",
		low: minShutdown, high: maxShutdown, round: roundShutdown},
	{variable: "ups.delay.start", option: "ondelay", high: maxStart, round: roundStart},
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// delays publishes the settings. What was set before the device was lost stays.
func (d *device) delays() {
	for _, set := range settings {
		if d.s.Value(set.variable) == "" {
			d.s.SetInt(set.variable, seconds(set.round(d.conf.Duration(set.option))))
		}
		span := state.Range{Min: seconds(set.low), Max: seconds(set.high)}
		d.s.Writable(set.variable, driver.Form{Ranges: []state.Range{span}})
	}
}

// Poll implements driver.Device.
func (d *device) Poll(e env.Env) error {
	s, err := d.read(e)
	if err != nil {
		return err
	}
	d.known = s.Bits
	for _, n := range q1 {
		d.publish(n.variable, *n.dst(&s), n.decimals)
	}
	if d.packs > 0 && (d.d.pack || d.conf.Flag("battery_voltage_reports_one_pack")) {
		d.publish("battery.voltage", d.pack(s), 2)
	}
	kind, beeper := "online", "disabled"
	if s.Bits&Standby != 0 {
		kind = "offline / line interactive"
	}
	if s.Bits&BeeperOn != 0 {
		beeper = "enabled"
	}
	d.s.Set("ups.type", kind)
	d.s.Set("ups.beeper.status", beeper)
	d.s.Status(s.Words(d.conf.Flag("ignoresab"))...)
	d.s.Alarms(s.Alarms(d.conf.Flag("ignoresab"))...)
	d.charge(e, s)
	return d.refresh(e)
}

// read asks for the status. What newly brings down hosts must be said more than once.
func (d *device) read(e env.Env) (Status, error) {
	s, err := d.status(e)
	if err != nil {
		return s, err
	}
	confirmations := 1
	if d.noisy > 0 {
		confirmations = 2
	}
	for ; confirmations > 0 && s.alarming(d.known); confirmations-- {
		again, err := d.status(e)
		if err != nil {
			return s, err
		}
		s = confirm(d.known, s, again)
	}
	return s, nil
}

// status asks for the status once, and keeps in mind how noisy the line is.
func (d *device) status(e env.Env) (Status, error) {
	s, err := ask(e, &d.conn, "Q1", ParseStatus)
	switch {
	case errors.Is(err, ErrMalformed):
		d.noisy = wary
	case err == nil && d.noisy > 0:
		d.noisy--
	}
	return s, err
}

// charge publishes what is guessed about the battery's charge.
func (d *device) charge(e env.Env, s Status) {
	guess := absent
	if pack := d.pack(s); d.packs > 0 && pack != absent {
		if c, ok := d.window().Charge(pack); ok {
			guess = c
		}
	}
	if d.account == nil {
		d.publish("battery.charge", guess, 0)
		return
	}
	load := max(s.Load, 0)
	if d.polled != 0 {
		d.account.Pass(e.Now().Sub(d.polled), s.Bits&UtilityFail != 0, load, guess)
	}
	d.polled = e.Now()
	d.publish("battery.charge", d.account.Charge(), 0)
	d.s.SetInt("battery.runtime", int(d.account.Runtime(load)/time.Second))
}

// refresh asks from time to time for what changes seldom: a runtime, where the device has one.
func (d *device) refresh(e env.Env) error {
	if d.account != nil || d.s.Value("ups.serial") == "" || d.d != qx ||
		e.Now().Sub(d.asked) < d.conf.Duration("pollfreq") {
		return nil
	}
	return d.identity(e)
}

// now returns the settings as they are.
func (d *device) now() Delays {
	value := func(s setting) time.Duration {
		return time.Duration(state.Int(d.s.Value(s.variable))) * time.Second
	}
	return Delays{Shutdown: value(settings[0]), Start: value(settings[1])}
}

// Command implements driver.Device.
func (d *device) Command(e env.Env, name, value string) (driver.Outcome, error) {
	for _, c := range commands {
		if !strings.EqualFold(c.name, name) {
			continue
		}
		wire, err := c.wire(d.now(), d.d, value)
		if err != nil {
			return driver.Outcome{}, fmt.Errorf("%w: %w", driver.ErrInvalid, err)
		}
		return d.send(e, wire)
	}
	return driver.Outcome{}, driver.ErrUnknown
}

func (d *device) send(e env.Env, wire string) (driver.Outcome, error) {
	ok, err := d.tell(e, wire)
	return driver.Outcome{Wire: wire, Acknowledged: ok}, err
}

// Set implements driver.Device.
func (d *device) Set(_ env.Env, name, value string) (driver.Outcome, error) {
	at := slices.IndexFunc(settings, func(s setting) bool {
		return strings.EqualFold(s.variable, name)
	})
	if at < 0 {
		return driver.Outcome{}, driver.ErrUnknown
	}
	set := settings[at]
	n, err := strconv.Atoi(value)
	if err != nil || n < seconds(set.low) || n > seconds(set.high) {
		return driver.Outcome{}, fmt.Errorf("%w: %s = %q: want %d to %d seconds", driver.ErrInvalid,
			set.variable, value, seconds(set.low), seconds(set.high))
	}
	d.s.SetInt(set.variable, seconds(set.round(time.Duration(n)*time.Second)))
	return driver.Outcome{}, nil
}

// Shutdown implements driver.Device. A pending shutdown is cancelled first: some devices refuse a
// second one. Whatever they say to that, the shutdown counts.
func (d *device) Shutdown(e env.Env) (driver.Outcome, error) {
	wire := d.now().shutdownReturn()
	if d.conf.Flag("stayoff") {
		wire = d.now().shutdownStayOff()
	}
	for range tries {
		_, err := d.tell(e, "C")
		if err == nil {
			break
		}
		if final(err) {
			return driver.Outcome{}, err
		}
	}
	var out driver.Outcome
	var err error
	for range tries {
		if out, err = d.send(e, wire); err == nil || final(err) {
			break
		}
	}
	return driver.Outcome{Wire: "C " + wire, Acknowledged: out.Acknowledged}, err
}

// Close implements driver.Device. A device that lives on the modem lines loses its power with it.
func (d *device) Close() error { return d.port.Close() }
