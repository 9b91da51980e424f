// Package apcsmart shows an emulated UPS in the words of APC's smart signalling, as spoken by
// Smart-UPS, Matrix-UPS and Back-UPS CS units over a serial line of 2400 baud.
//
//	body := power.New(power.Spec{})
//	dev := apcsmart.New(body, apcsmart.Options{})
//	dev.Receive(now, []byte("Y"))
//
// # On the wire
//
// A command is one character without an end. An answer ends in CR LF. Before Y the unit is dumb
// and silent; so it is again after R and after it was without power.
//
//	> Y
//	< SM
//	> Q           status, two hexadecimal digits
//	< 08
//	> L           input voltage
//	< 230.0
//	> p           a setting,
//	< 020
//	> -           and its next permitted value
//	< OK
//	> S           off after the time that p says; on battery only
//	< NA
//	> @000        the same, on the mains too
//	< OK
//	> K ... K     off for good, pressed twice
//	< OK
//
// The bits of Q, from the lowest: calibrating, trim, boost, on line, on battery, overload, battery
// low, replace battery; all clear is switched off.
//
// Whatever changes meanwhile is cried out in one character without an end, also between and
// before answers: ! on battery, $ back on line, % battery low, + no longer, # replace battery, ?
// overload, = no longer, | a setting has changed.
//
// # Models
//
// A model is a row of a table: what it answers, which settings it keeps, how it sleeps. New units
// tell their commands (a) and what settings may be (^Z), and after a sleep wait for the mains, the
// time r and the charge e. Old ones tell nothing, wake up with the mains, and from @ after so many
// times six minutes whether there are mains or not; @000 does nothing to them.
//
// It is written from descriptions of the protocol and not from the driver that will read it.
package apcsmart
