// Package megatec drives UPSes of the Megatec family: the Q1 protocol and its many dialects, over a
// serial line at 2400 baud or one of the bridges on USB that imitate one. It runs as nutdrv_qx (or
// megatec) and, with the older drivers' units and fewer dialects, as blazer_ser and blazer_usb.
//
// # Dialects
//
// A [dialect] is a table: which query is asked at each poll, which now and then, which once; what
// the words of the replies mean; which commands and settings there are. Without the option
// protocol a device is tried for one after the other in the order of dialects. A question that is
// rejected (repeated, or answered NAK or N) is not asked twice, one without a reply once more. A
// device that was lost is taken for what it was, unless it rejects that. In a kill-power run the
// dialect that the driver found before is tried first.
//
// Different from NUT, on purpose: innovatae, whose status proves nothing, is not tried before
// q1 but only on request, as is omron where USB does not name that maker; q1 asks for the rating
// as well.
//
// # On the wire
//
// Commands and replies are ASCII lines that end in CR. The host speaks first; there is no
// checksum. A device that does not know a command repeats it, answers NAK, or says nothing.
//
//	> Q1
//	< (231.4 229.8 230.1 027 50.0 13.6 28.5 00001001
//	   input fault output load Hz battery temperature, then eight status bits
//	> F
//	< #230.0 004 024.0 50.0
//	   nominal input voltage, current, battery voltage, frequency
//	> I
//	< #ACME            UPS1000    V1.00
//	   maker (15 columns), model (10), firmware (10)
//	> S.5R0003
//	   off after half a minute, on again three minutes later at the earliest; usually no reply
//	> C
//	   cancels a pending shutdown, switches the load on
//
// The bits, from the left: utility fail, battery low, boost or buck active, UPS failed, standby
// type, test running, shutdown active, beeper on.
//
// # Over USB
//
// A [bridge] is a kind of adapter. Its kind follows from numbers and texts of the device, or from
// the option subdriver; the same numbers are in use for several kinds. Most take a command by
// reports of eight bytes and give the reply in packets of eight; the reply to a few is a string
// descriptor whose index is the command, and those cannot carry all commands; what they cannot is
// refused and never sent. Krauler has one command for switching off and coming back, with a delay
// of the device's own.
//
// A device is found again by its numbers and texts, whatever its number on the bus is then. What
// is left of an exchange that failed is dropped before the next. A stall is cleared; the third in a
// row, or the third overflow, resets the device. Lengths and times of all transfers are those of
// nutdrv_qx, except that a bridge that takes nothing for five seconds then gets one second.
//
// # What it cannot tell
//
// Most dialects have no battery charge and no runtime. The charge is guessed from the voltage (see
// [Battery]); with the option runtimecal it is kept as an account of energy, and battery.runtime
// exists. Without F the nominal battery voltage is unknown: give
// override.battery.voltage.nominal. Nothing tells charging from floating, and a worn battery is
// not reported.
//
// # Noise
//
// A reply is believed only as a whole: the right first byte, the right number of words, every
// number within reason, eight bits. Since 0 and 1 differ in one bit of a byte, one flipped bit
// could still announce an outage; so a reply that newly reports utility fail, battery low or
// shutdown active is asked for a second time, and only what both say is believed. That costs one
// exchange (a third of a second) at the begin of an outage.
//
// # Killing the power
//
// First C, because some devices refuse a second shutdown while one is pending, then S with the
// restart delay, which makes the device cycle the outlet even when the mains are back already.
// Silence is the usual answer to both.
//
// That delay is at least three minutes: with none some devices stay off when the mains are back
// before the cut, and with one or two early firmware never comes back (the manual of nutdrv_qx
// warns of that). A device that does not know R gets S without it. sdcommands = shutdown.return
// sends the delays as they are set. When a bridge cannot carry the command, forewarn says so at the
// start; a device that leaves the bus with the command has obeyed it.
//
// Some devices ignore S on line power, or drop it when the mains return before the cut, and those
// that answer nothing do not tell. No command helps a host that has halted by then: let it reboot
// when its power stays for longer than offdelay after the halt.
package megatec
