// Package apcsmart drives UPSes that speak APC's smart signalling over a serial line at 2400 baud:
// Smart-UPS, Matrix-UPS and Back-UPS CS of the time before Microlink. It runs as apcsmart, and
// with the words of the driver before it as apcsmart-old: wugrace for awd, ups.firmware.old for what
// V answers.
//
// # On the wire
//
// A command is one character without an end, an answer is a line. There is no checksum.
//
//	> Y        < SM          smart mode; before, the device says nothing
//	> Q        < 08          status, two hexadecimal digits
//	> L        < 230.4       input voltage
//	> t        < NA          not known here
//	> p        < 020         a setting
//	> -        < OK          its next permitted value
//	> S        < OK          off, and on again with the mains; on line power NA or silence
//	> @000     < OK          the same on line power too
//
// The bits of the status, from the lowest: CAL, TRIM, BOOST, OL, OB, OVER, LB, RB; all clear is
// OFF. See [Status].
//
// # Finding out what a device knows
//
// V or b tells the firmware. A few old ones are in a table with the commands that they know. Others
// are asked: a lists the commands, ^Z the settings with their permitted values. A device that does
// not answer that either is asked for the few things that all know. Each variable is read once; one
// that answers NA is not there.
//
// # Alerts
//
// Between and inside answers the device cries out one character when something changes: ! on
// battery, % battery low. They are taken out of the answers. An alert is never believed by itself,
// since any damaged byte could be one: one in an answer makes the driver ask for the status once
// more. Between two polls nobody listens; the next poll begins with the status.
//
// # Noise
//
// A status is believed when it can be: two digits, not on line and on battery at once. One that
// differs from the last must be told twice in a row, and four times when it newly tells what can
// bring down hosts: on battery, battery low, off. That takes a twelfth of a second. After
// an answer that is late or damaged the line is drained, so that answers do not get out of step
// with questions. Numbers must look like numbers.
//
// # Killing the power
//
// S is refused on line power, so the status is read first, and what is refused is followed by @,
// which cycles the outlet with or without mains. Devices that tell neither commands nor settings
// are old ones, to which @000 means nothing: they get @001, off for six minutes, unless the option
// awd says otherwise. With sdtype or advorder exactly what they name is done.
//
// # What it does not do
//
// The device must have the whole line for itself: no second program, no dumb signalling.
package apcsmart
