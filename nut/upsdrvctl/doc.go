// Package upsdrvctl starts and stops the drivers that ups.conf names, and lets them switch the
// load off at the end of a shutdown.
//
// # Order
//
// Drivers start in the order of the file, one after the other; with nowait, all at once. A start
// that fails is repeated maxretry times in all, with pauses of retrydelay. One that is not over
// after maxstartdelay is left alone and counts as failed.
//
// The shutdown follows sdorder, lowest first; UPSes of the same order are switched off at the
// same time, because the first of them may feed this very host. An order of -1 excludes a UPS,
// unless it is named.
//
// # Different from the C program, on purpose
//
//   - shutdown handles all orders, as documented; release 2.8.5 handles the lowest only.
//   - -t prints its plan without further flags.
//   - With nowait it still waits for all drivers, together, so that its exit code means
//     something.
package upsdrvctl
