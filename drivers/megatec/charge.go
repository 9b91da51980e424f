package megatec

import (
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// What a device publishes of its battery when it does not tell charge or runtime itself; see
// battery.go for how that is guessed.

// battery prepares what is guessed about the battery.
func (d *device) battery(first Status) {
	nominal := d.value("battery.voltage.nominal")
	low, high := d.value("battery.voltage.low"), d.value("battery.voltage.high")
	known := low != absent && high != absent
	if nominal <= 0 && !known || d.measured && d.timed {
		return // unknown, or the device knows better
	}
	if !known {
		w := DefaultWindow(nominal)
		d.s.Set("battery.voltage.low", w.Low.text(2))
		d.s.Set("battery.voltage.high", w.High.text(2))
	}
	switch d.packs = d.value("battery.packs"); {
	case d.packs != absent:
	case nominal <= 0:
		d.packs = 1000 // the window is for what the device reports
	default:
		if d.packs = Packs(first.Battery, nominal); d.packs == 0 {
			d.debug(1, "battery voltage %s does not fit %s nominal: no charge",
				first.Battery.text(2), nominal.text(1))
		}
	}
	if text := d.conf.Text("runtimecal"); text != "" {
		cal, _ := ParseCalibration(text) // checked with the options
		charge, ok := d.guess(first)
		if !ok {
			charge = 100e3
		}
		idle := float64(d.conf.Int("idleload"))
		d.account = NewAccount(cal, d.conf.Duration("chargetime"), idle, charge)
	}
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

// guess is the charge that the device tells, or else that of the voltage.
func (d *device) guess(s Status) (charge milli, ok bool) {
	if d.measured {
		charge = d.value("battery.charge")
		return charge, charge != absent
	}
	pack := d.pack(s)
	if d.packs <= 0 || pack == absent {
		return 0, false
	}
	return d.window().Charge(pack)
}

// charge publishes what is guessed about the battery, of what the device does not tell.
func (d *device) charge(e env.Env, s Status) {
	if d.measured && d.timed {
		return
	}
	guess, ok := d.guess(s)
	if !ok {
		guess = absent
	}
	charge := guess
	if d.account != nil {
		load := max(s.Load, 0)
		if d.polled != 0 {
			d.account.Pass(e.Now().Sub(d.polled), s.Bits&UtilityFail != 0, load, guess)
		}
		d.polled = e.Now()
		charge = d.account.Charge()
		if !d.timed {
			d.s.SetInt("battery.runtime", int(d.account.Runtime(load)/time.Second))
		}
	}
	if !d.measured {
		d.publish("battery.charge", charge, 0)
	}
}
