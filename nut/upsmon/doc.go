// Package upsmon is the monitor: it watches the UPSes that feed this host and shuts the host down
// in time, and in order, when they can no longer carry it.
//
// # The decision
//
// [Decide] is a pure function of what is known and the time. A UPS is critical or not by the first
// of these rules that holds; each has an id, which logs and events show:
//
//	unheard         no    nothing was ever heard from it
//	fsd-bygone      no    FSD was set minutes before it was first heard, and it is on line power
//	fsd             yes   its status has FSD
//	lost-over       yes   silent for DEADTIME, last seen OVER, for OVERDURATION
//	lost-alarm      yes   silent for DEADTIME, last seen ALARM, unless ALARMCRITICAL is 0
//	lost-cal        yes   silent for DEADTIME, last seen calibrating
//	lost-bypass     yes   silent for DEADTIME, last seen on bypass
//	lost-off        yes   silent for DEADTIME, last seen OFF, unless OFFDURATION is negative
//	off             yes   heard OFF for OFFDURATION
//	lost-online     no    silent, last seen on line power
//	fine            no    not on battery with a low battery, nor silent on battery for DEADTIME
//	cal             no    on battery, low, and calibrating
//	oblb-wait       no    on battery and low for less than OBLBDURATION
//	low             yes   on battery and low, and this host is the primary
//	primary-silent  yes   on battery and low for HOSTSYNC, and the primary did not speak
//	primary-wait    no    on battery and low; the primary will speak
//
// The five rules lost-over to lost-off do not hold for a UPS whose last status had OL: silence
// alone never shuts down a host that last saw line power. For the C monitor they do, and all five
// hold at the first failed poll, so that a restart of upsd during a battery test is a shutdown. The
// directive NUT_RULES yes brings that back.
// When the power values of the UPSes that are not critical add up to less than MINSUPPLIES, the
// host shuts down.
//
// # Who runs
//
//   - a [watcher] for each MONITOR line, with a connection of its own, so that a slow or dead server
//     delays nobody else;
//   - the main task ([monitor]): takes what the watchers report, announces, decides, and carries out
//     the shutdown, during which the watchers keep the logins;
//   - the [notifier], which delivers announcements in order and never holds up the main task.
//
// Only monotonic time decides anything: setting the clock has no effect.
//
// # Better than the C monitor, on purpose
//
//   - silence on line power, above;
//   - a status is compared word by word: an unknown word that contains LB is not LB;
//   - a host that boots while FSD is still set from the last shutdown, with mains back, waits for
//     our upsd to clear it, instead of shutting down again and again;
//   - UPSes are polled at the same time, not one after the other, and a time limit is judged when it
//     ends, after one more look, not at the next poll;
//   - a failed LOGIN is tried again on the open connection;
//   - a login that was refused is not taken for one of the NUMLOGINS;
//   - a reload that fails, for whatever reason, leaves the old configuration at work, and one that
//     succeeds sets what the new file does not mention back to its usual value;
//   - FSD is tried for 5 s, and set again on a server that restarted;
//   - secondaries are waited for although NUMLOGINS cannot be read: those of a stale UPS are counted
//     by LIST CLIENT, those once seen logged in have until HOSTSYNC;
//   - a SHUTDOWNCMD that fails is tried five times, and then upsmon ends with 1;
//   - SUSPEND_TIMEJUMP_UNEXPECTED says by how much;
//   - POLLFREQ 0, a busy loop, is refused, and so is a number that is none;
//   - -u counts more than RUN_AS_USER;
//   - ECO comes from the status alone, not from any text in the variables about modes;
//   - announcements are in order, a slow NOTIFYCMD delays nobody, and a stale PID file stops nobody.
//
// # Rights
//
// What is typed prepares, with its rights: it reads the configuration, lowers an old POWERDOWNFLAG,
// looks up the account. Then it divides (env.Split): a small program takes its place, as root, with
// the command prepared; and this one starts again as its child, with the rights of RUN_AS_USER. The
// child is told the text of the file, so that it need not be able to read it. What it can have done
// as root, whoever may have got hold of it, is the shutdown, and being started again from the file.
//
// A reload that changes what was prepared, or that must read a file for root only, ends the child
// in a way that has its parent start all over, unless what is known of a UPS is worth more than
// that: on battery, or silent. A child whose parent is dead goes on, tells FSD, waits for the
// others, and tries SHUTDOWNCMD with the rights that it has.
//
// # Time
//
// The monotonic clock decides, and it does not notice that the machine sleeps. A watcher that finds
// out that nobody listened for a while says so ([clocks]); silence then starts anew, and what was
// known from before a gap of DEADTIME is forgotten.
package upsmon
