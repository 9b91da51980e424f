// Package contact drives UPSes that speak by contact closures: their relays switch modem lines of a
// serial port, and the computer's outputs power the cable and switch the UPS off. It is the program
// genericups.
//
// # On the wire
//
// There are no bytes. Of each kind of cable ([Cables]) the driver knows which outputs power it,
// which input says what, and which outputs mean off:
//
//	upstype = 2, APC 940-0020B
//	  RTS up            powers the cable
//	  CTS low           on line power
//	  DCD high          battery low
//	  DTR and RTS up    switch the load off
//
// # What it cannot tell
//
// Charge and runtime: there are none. Whether a UPS has obeyed: see below. Whether the cable is
// plugged in and the UPS alive: if not, all inputs are low, which on types 4 to 8, 10 and 13 to 23
// but 18 and 20 says OB LB, on 18 OB, on 11 LB OL. It is reported as such, as by the C driver: a
// battery that is low when a computer starts looks the same, and needs a shutdown.
//
// # Switching the load off
//
// The UPS acts when the outputs have been at a level for a while, and nearly all units act only on
// battery; the load comes back with the mains. So there are three outcomes of a kill-power run:
//
//   - on battery: the levels are set and stay when the driver ends; with sdtime it waits so long
//     for its own end, as C drivers do. If it lives on and line power is back, that is an error.
//   - on line power the levels are set as well, for the units that drop the load then too. A
//     computer that lives on after sdtime, at least [onLineHold], is told by an error that its
//     load stays on: it must start again by itself, since no power will come back to wake it.
//     The levels are taken back, so that the next outage does not find them.
//   - the cable has no way to do it: an error, unless SD says how.
//
// # Different from the C driver, on purpose
//
//   - A change of OL or LB must be seen in three readings within 0.3 s: relays bounce.
//   - ST together with lines in SD sets the lines and sends the break.
//   - A running driver that has switched the load off and finds its computer alive a minute later
//     takes the levels back and goes on.
package contact
