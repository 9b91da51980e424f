// Package power is the body of an emulated UPS: mains input, battery, charger, inverter, load,
// outlet and the timers that switch it. It knows no protocol; faces such as devsim/megatec show one
// body in the words of a family of devices.
//
//	body := power.New(power.Spec{Runtime: 10 * time.Minute, Low: 3 * time.Minute})
//	body.SetMains(20*time.Second, 0) // the mains fail at 20 s
//	body.Advance(8 * time.Minute)
//	body.Low() // true
//
// # Time
//
// Time is an argument: the time since the start of the world. Nothing happens between calls. The
// owner of a UPS calls Advance when the instant that Next names has come; every other call that
// takes a time catches up to it first. Getters tell the state at the time of the last such call.
//
// # Numbers
//
// All quantities are integers, so that the same run gives the same result on every processor:
// millivolts, milliwatts, microjoules (mW x ms), thousandths of a degree. Energy flows in whole
// milliseconds; timers are exact.
//
// # What it leaves out
//
// One outlet, one phase. Discharge is linear: twice the load is half the runtime. A battery does
// not age, and an outlet that is off draws nothing from it.
package power
