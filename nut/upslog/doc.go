// Package upslog is the program upslog: at intervals it writes a line about a UPS to a file.
//
//	upslog -s rack@nas -l /var/log/ups.log -i 60
//	20261121 074900 100 230.1 12 [OL] 25 50.0
//
// What a line says is a format of literal text and tokens between percent signs; see usage.
//
// # Rounds
//
// In a round all UPSes are asked, each server by a task of its own, so that one that is silent
// holds up nobody. Rounds are due at fixed times; one that takes longer than the interval is
// followed by the next at once, and those missed are not made up for. What cannot be had is NA: the
// line comes in any case, since a gap in the log would look like a logger that was off.
//
// # Files
//
// A log file is opened for each round, so one that was moved away is made anew with the next line;
// a hangup only does so at once.
//
// # Better than the C program, on purpose
//
//   - an -i without a number is an error, not a pause of 0 s;
//   - %TIME% without a format is INVALID, and no crash.
package upslog
