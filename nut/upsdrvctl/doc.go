// Package upsdrvctl starts and stops the drivers that ups.conf names, and lets them switch the
// load off at the end of a shutdown.
//
// # Order
//
// Drivers start in the order of the file and do not wait for each other. A start that fails is
// tried maxretry times in all, with pauses of retrydelay. One that is not over after maxstartdelay
// is left alone and counts as failed. With nowait, drivers are watched for a second only.
//
// The shutdown follows sdorder, lowest first; UPSes of the same order are switched off at the
// same time, because the first of them may feed this very host. An order of -1 excludes a UPS,
// unless it is named.
//
// # Different from the C program, on purpose
//
//   - shutdown handles all orders, as documented; release 2.8.5 handles the lowest only.
//   - -t prints its plan without further flags.
//   - Drivers do not wait for each other, so that one that is slow keeps nobody from protection.
//   - With nowait it still sees drivers that fail at once, so that its exit code means something.
//   - A driver that a C program would call started because it says its fatal error with exit
//     status 0 counts as failed.
//   - status ends with 1 when there is a driver that does not answer, and says why.
//   - With -F, drivers that crash or are killed are started again.
package upsdrvctl
