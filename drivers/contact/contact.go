package contact

import (
	"errors"
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

const (
	// settle is how long a cable needs from getting its power to telling the truth.
	settle = 200 * time.Millisecond
	// A change must be seen in so many further readings, with a pause before each.
	confirmations = 2
	confirmPause  = 150 * time.Millisecond
	// maxDoubts is how many polls in a row may leave it open whether something changed; then the last
	// reading is believed.
	maxDoubts = 5
	// breakTime is the length of a break: what the C driver asks of Linux.
	breakTime = 5 * time.Second
	// onLineHold is how long, on line power, the levels for off are there at least.
	onLineHold = 5 * time.Second
	// takeBack is from switching the load off to the doubt that it will happen.
	takeBack = time.Minute
)

// Spec is the driver.
var Spec = driver.Spec{
	Name:    "genericups",
	Version: "0.1",
	Summary: "Generic contact-closure UPS driver",
	Options: []driver.Option{
		{Key: "upstype", Kind: driver.Whole, Max: len(Cables) - 1, Help: models()},
		{Key: "mfr", Help: "ups.mfr, instead of the model's"},
		{Key: "model", Help: "ups.model, instead of the model's"},
		{Key: "serial", Help: "ups.serial"},
		{Key: "CP", Check: isOutput, Help: "outputs that power the cable: DTR, RTS, NULL for none"},
		{Key: "OL", Check: isInput, Help: "input for line power: CTS, DCD, RNG, DSR; -CTS: when low; NULL: always"},
		{Key: "LB", Check: isInput, Help: "input for a low battery"},
		{Key: "RB", Check: isInput, Help: "input for a battery to be replaced"},
		{Key: "BYPASS", Check: isInput, Help: "input for bypass"},
		{Key: "SD", Check: isOutput,
			Help: "outputs that switch the load off: DTR, RTS, ST for a break, NULL for all low"},
		{Key: "sdtime", Kind: driver.Seconds, Default: "0", Max: 86400,
			Help: "how long to wait for the UPS to switch off; longer than it takes"},
	},
	Open: open,
}

func isOutput(value string) error {
	_, err := ParseOutput(value)
	return err
}

func isInput(value string) error {
	_, err := ParseInput(value)
	return err
}

// device is an open device.
type device struct {
	port  transport.Serial
	lines transport.Lines
	cable Cable
	s     *driver.State
	debug func(level int, format string, args ...any)

	sdtime time.Duration
	known  Reading
	sure   bool        // known was read
	doubts int         // polls in a row that left a change open
	off    bool        // the outputs say off
	until  env.Instant // when that is taken back
}

// open opens the port and powers the cable.
func open(e env.Env, s driver.Setup) (driver.Device, error) {
	d := &device{s: s.State, debug: s.Debug, sdtime: s.Conf.Duration("sdtime")}
	var err error
	if d.cable, err = cable(s.Conf); err != nil {
		return nil, err
	}
	d.port, err = s.Ports.Serial(e, s.Conf.Port(), transport.Mode{KeepLines: true})
	if err != nil {
		return nil, err
	}
	if d.lines, err = transport.LinesOf(d.port); err == nil {
		err = d.power(e)
	}
	if err != nil {
		d.port.Close()
		return nil, fmt.Errorf("%s: %w", s.Conf.Port(), err)
	}
	d.s.Set("ups.mfr", d.cable.Mfr)
	d.s.Set("ups.model", d.cable.Model)
	if serial := s.Conf.Text("serial"); serial != "" {
		d.s.Set("ups.serial", serial)
	}
	return d, nil
}

// cable is the model's, as the options change it.
func cable(conf *driver.Conf) (Cable, error) {
	if !conf.Given("upstype") {
		return Cable{}, fmt.Errorf("upstype is missing: want the number of the model and its cable, "+
			"0 to %d; -h lists them", len(Cables)-1)
	}
	c := Cables[conf.Int("upstype")]
	for _, o := range []struct {
		key string
		to  *string
	}{{"mfr", &c.Mfr}, {"model", &c.Model}} {
		if conf.Given(o.key) {
			*o.to = conf.Text(o.key)
		}
	}
	for _, o := range []struct {
		key string
		to  *Lines
	}{{"CP", &c.Power}, {"SD", &c.Off}} {
		if conf.Given(o.key) {
			*o.to, _ = ParseOutput(conf.Text(o.key)) // checked with the options
		}
	}
	for _, o := range []struct {
		key string
		to  *Input
	}{{"OL", &c.OL}, {"LB", &c.LB}, {"RB", &c.RB}, {"BYPASS", &c.Bypass}} {
		if conf.Given(o.key) {
			*o.to, _ = ParseInput(conf.Text(o.key)) // likewise
		}
	}
	return c, nil
}

// power gives the cable its power, and nothing else.
func (d *device) power(e env.Env) error {
	d.off = false
	if err := d.set(e, d.cable.Power); err != nil {
		return fmt.Errorf("cable power: %w", err)
	}
	return e.Sleep(settle)
}

func (d *device) set(e env.Env, l Lines) error {
	d.debug(2, "outputs: %v", l)
	return d.lines.SetLines(e, l&DTR != 0, l&RTS != 0)
}

func (d *device) read(e env.Env) (Reading, error) {
	s, err := d.lines.Lines(e)
	if err != nil {
		return Reading{}, err
	}
	d.debug(5, "lines: %+v", s)
	return d.cable.Read(of(s)), nil
}

// Poll implements driver.Device.
func (d *device) Poll(e env.Env) error {
	if d.off && e.Now() >= d.until {
		d.debug(0, "the load was to be switched off, and is not: going on")
		if err := d.power(e); err != nil {
			return err
		}
	}
	if d.off && !d.readable() {
		return nil // what the inputs say without cable power means nothing
	}
	r, err := d.steady(e)
	if err != nil {
		return err
	}
	d.known, d.sure = r, true
	d.s.Status(r.Words()...)
	return nil
}

// steady is what the inputs say; a change counts when it is still there a little later.
func (d *device) steady(e env.Env) (Reading, error) {
	r, err := d.read(e)
	if err != nil || d.sure && r == d.known {
		d.doubts = 0
		return r, err
	}
	for range confirmations {
		if err := e.Sleep(confirmPause); err != nil {
			return r, err
		}
		again, err := d.read(e)
		if err != nil {
			return r, err
		}
		if again == r {
			continue
		}
		if d.doubts++; d.sure && d.doubts < maxDoubts {
			d.debug(1, "%+v did not last: %+v", r, again)
			return d.known, nil
		}
		r = again
	}
	d.doubts = 0
	return r, nil
}

// readable reports whether the inputs tell the truth while the outputs say off.
func (d *device) readable() bool {
	return d.cable.Off == ST || d.cable.Off&d.cable.Power == d.cable.Power
}

// errOnLine is for a load that stays on.
var errOnLine = errors.New("line power is there and the UPS keeps the load on: " +
	"the computer must start again by itself")

// Shutdown implements driver.Device.
func (d *device) Shutdown(e env.Env) (driver.Outcome, error) {
	if d.cable.Off == Unknown {
		return driver.Outcome{}, errors.New("how to switch this UPS off is not known: " +
			"set SD in ups.conf to the outputs that do it")
	}
	out := driver.Outcome{Wire: d.cable.Off.String()}
	if d.off { // what the inputs say now may mean nothing
		if err := d.power(e); err != nil {
			return out, err
		}
	}
	before, err := d.steady(e)
	if err != nil {
		return out, err
	}
	hold := d.sdtime
	if before.OL {
		hold = max(hold, onLineHold)
	}
	if err := d.switchOff(e, hold); err != nil || hold == 0 && d.cable.Off&ST == 0 {
		return out, err
	}
	return out, d.survived(e)
}

// switchOff says off, and waits.
func (d *device) switchOff(e env.Env, hold time.Duration) error {
	d.off, d.until = true, e.Now().Add(max(d.sdtime, takeBack))
	if d.cable.Off != ST {
		if err := d.set(e, d.cable.Off); err != nil {
			return err
		}
	}
	if d.cable.Off&ST != 0 {
		if err := d.lines.Break(e, breakTime); err != nil {
			return err
		}
		hold -= breakTime
	}
	return e.Sleep(max(hold, 0))
}

// survived is for a computer that still runs: it finds out why.
func (d *device) survived(e env.Env) error {
	if !d.readable() {
		if err := d.power(e); err != nil {
			return err
		}
	}
	r, err := d.read(e)
	if err != nil {
		return err
	}
	if r.OL {
		return errors.Join(errOnLine, d.power(e))
	}
	if d.off {
		return nil
	}
	return d.switchOff(e, 0) // the UPS is slower than sdtime
}

// Command implements driver.Device: there are none.
func (d *device) Command(env.Env, string, string) (driver.Outcome, error) {
	return driver.Outcome{}, driver.ErrUnknown
}

// Set implements driver.Device: nothing can be set.
func (d *device) Set(env.Env, string, string) (driver.Outcome, error) {
	return driver.Outcome{}, driver.ErrUnknown
}

// Close implements driver.Device. The outputs stay as they are.
func (d *device) Close() error { return d.port.Close() }
