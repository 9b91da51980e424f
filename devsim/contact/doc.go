// Package contact shows an emulated UPS by contact closures: relays or transistors on the modem
// lines of a serial port, without a single byte.
//
//	body := power.New(power.Spec{Kill: power.OnBattOnly})
//	dev, err := contact.New(body, contact.Options{Type: 2})
//	dev.Drive(now, false, true, false) // the computer powers the cable
//	dev.Inputs(now)                    // CTS tells of the mains, DCD of the battery
//
// # The cable
//
// Its electronics live on the lines that the computer holds up. Without that power all inputs are
// low, whatever that means on the model: often an outage with an empty battery. The same is seen
// of a UPS that is dead, and of a cable that is not plugged in.
//
// # Shutdown
//
// A model listens for a pattern on the outputs, or for a break. Held for Options.Hold the order
// counts, and after Options.Delay more the outlet goes off, until the mains are back. What else
// can happen is a matter of the model, and can be chosen:
//
//   - power.OnBattOnly units obey on battery only: on mains the pattern means nothing, and mains
//     that come back before the cut end it. power.Cycle units drop their relay on mains as well.
//   - When the pattern ends within Hold, nothing happens. When it ends in Delay, that ends the
//     order, except on a unit that latches it (Options.Latch), as all do that listen for a break.
//   - A pattern that is there already when the mains fail counts from then on.
//
// It is written from lists of cables and not from the driver that will read it.
package contact
