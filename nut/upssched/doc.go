// Package upssched gives notifications a delay. It is what an administrator names as NOTIFYCMD of
// upsmon, to have something done "when the power has been out for half a minute":
//
//	CMDSCRIPT /etc/nut/upssched-cmd
//	PIPEFN /run/nut/upssched.pipe
//	LOCKFN /run/nut/upssched.lock
//	AT ONBATT * START-TIMER on-battery 30
//	AT ONLINE * CANCEL-TIMER on-battery power-is-back
//
// # Who runs
//
// [Main] is run once for each notification and ends at once. The first one that starts a timer goes
// to the background and becomes the keeper of all timers (keeper.go); later ones hand their timers
// to it over the socket PIPEFN (wire.go). The keeper ends when it has had nothing to keep for 15 s.
//
// Whether there is a keeper is decided under the lock LOCKFN, by those who start one and by the
// keeper that ends: two notifications at the same instant make one keeper, and a timer is never
// handed to a keeper that is about to go. The set of timers itself (timers.go) is pure.
//
// # Better than the C program, on purpose
//
//   - each script gets the NOTIFYTYPE, UPSNAME and NOTIFYMSG of its own event, not those of the
//     event that happened to start the keeper;
//   - a slow script delays no timer, and holds up the next script for 5 s at most;
//   - the text of the event, NOTIFYMSG, is there for EXECUTE too; a UPSNAME that is not set is empty;
//   - CANCEL-TIMER that finds no keeper starts none to run its command;
//   - CANCEL-TIMER cancels all timers of a name, and CANCEL-TIMER-MATCHED those of one UPS;
//   - timers fire on time, not at the next full second;
//   - a socket that a killed keeper left behind is no obstacle;
//   - -t tells what the configuration would never do, and why.
package upssched
