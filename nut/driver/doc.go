// Package driver is what a driver is written against, and what turns it into a program.
//
// A driver is a [Spec]: names, options, and a function that opens a device. Everything else is
// done here, alike for every family:
//
//   - the command line, ups.conf, -x, and the check of every option before the device is touched;
//   - taking over from an older instance, the PID file, the background;
//   - the poll loop, what counts as stale, and finding a lost device again;
//   - the socket for upsd, with dumps, changes, commands and their results;
//   - the rules for ups.status, default., override., ignorelb, the driver.* variables;
//   - the kill-power run.
//
// # Who runs
//
//   - the device task: the only one that calls a [Device]; polls it, and runs commands and
//     settings one at a time between two polls;
//   - the socket task, with a reader and a writer for each connection: answers PING, dumps and
//     the like at once from what was last published, whatever the device is doing;
//   - the main task: signals, the end.
//
// A device that is slow or silent therefore never delays an answer on the socket, and a client
// that does not read never delays a poll: its connection is closed when too much waits for it.
//
// # How a device publishes
//
// A [Device] puts values into a [State]. After each poll, command or setting the whole State is
// compared with what was published before, and the changes go to all clients in one piece. A poll
// that fails publishes nothing.
//
// # Different from the C drivers, on purpose
//
//   - An unknown or malformed option ends the program with exit code 1 and the line of ups.conf;
//     the C drivers print a message and exit 0, which a service manager takes for success.
//   - Values in broadcasts are escaped as they are in dumps.
//   - CHRG and DISCHRG are deduced only from a charge that moves as the side of the UPS would have
//     it, and a device that says one of them is believed.
//   - WINCH makes a driver print what it knows, and URG does not: Go's own runtime uses it.
//   - A PID file kills nobody but an older instance for the same UPS: the arguments of the process
//     are looked at.
//   - driver.state does not change at each poll; upsd asks for a sign of life when it wants one.
//   - synchronous is accepted and without effect: no client can delay the driver, none need be
//     dropped for being a little slow.
package driver
