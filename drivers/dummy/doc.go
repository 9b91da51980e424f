// Package dummy plays a UPS from a file: for trying out a configuration, and for serving what was
// recorded from a real device. It runs as dummy-ups.
//
// # The file
//
//	# A line is a variable with its value, TIMER or ALARM.
//	ups.status: OL
//	battery.charge: 100
//	TIMER 60
//	ups.status: OB
//	ALARM Battery is hot
//	TIMER 60
//
// A line is read by the grammar of all NUT files: blanks part words, quotes group, # begins a
// comment. The words of a value are joined by single blanks; without words, the variable is
// deleted. The colon behind the name may be left out. Names that begin with driver. are ignored.
//
// TIMER stops the reading for so many seconds; the values so far are published. ALARM adds a text
// to ups.alarm, and alone it clears them. Statuses and alarms begin empty at each pass through
// the file.
//
// # When it is read
//
// The option mode says it, or else the file's name: a .dev file is read once, and again whenever
// it has changed (dummy-once); any other is read over and over (dummy-loop).
//
// # A repeater
//
// With a port like ups@host the driver shows a UPS of another upsd: all of its variables but
// driver.*. When that upsd is away, or says that its data is stale, the data here is stale too, and
// a variable that is gone there is gone here. With username and password, an account in the other
// upsd.users, settings and commands are passed on. The option authconf names a nutauth.conf that
// says who the driver is, unless those two do, and how it encrypts; without it none is read.
//
// # Recordings
//
// A file that names driver.version with a colon, as every output of upsc does, is a recording.
// Its values are taken to the letter: inner and leading blanks, quotes, # and = are part of them,
// and an empty value is a value. So upsc prints what was recorded; the driver.* variables are
// those of this driver, and bytes that are not printable ASCII are left out, because no program
// of NUT passes them on.
//
// # Settings and commands
//
// Every variable can be set, until the file is read again. Instant commands change ups.status and
// what goes with it; see [effects]. The kill-power run fails, since there is nothing to switch.
package dummy
