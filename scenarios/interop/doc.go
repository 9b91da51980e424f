// Package interop holds the tests that put our programs and the C ones of NUT, as Debian packages
// them, on the two ends of one wire: our upsd read by their clients, theirs by ours, our drivers
// compared with theirs on the same recordings, their upsmon hanging on our upsd in an outage.
//
// The museum holds the clients that others wrote: each does its whole job on our upsd, and the same
// on Debian's, so that a client's own limits are told from ours. Those written as a library are
// used by the small programs below the folder museum, each with the exact version of what it is
// made of.
//
// Everything runs as real processes on loopback, in folders of its own, and is gone at the end.
// Where Debian's programs are not installed the tests skip and say so; `make interop` installs them
// and sets BLACKSTART_INTEROP=required, with which a skip is a failure. They also skip with -short.
// The museum fetches its clients (Debian packages, Go modules, one package of Node) into temporary
// folders, and so skips without that variable.
//
// BLACKSTART_OTHER_NUTDRV_QX names the nutdrv_qx of another release, with which the dialects of
// serial UPSes and the USB bridges are compared as well: Debian's 2.8.0 does not know all of them.
//
// USB devices are emulated at unix sockets. Programs that know no such thing find them by a
// libusb-1.0 of ours, testdata/libusb, that is loaded in the place of the real one: so do Debian's
// drivers, and ours with gousb.
//
// # Where to look
//
// The harness is in bench_test.go: a bench is a configuration folder and the processes started in
// it. The museum's clients are in exhibits_test.go, what each does in visits_test.go. What may
// differ from the C programs is in tables, each line with its reason; what is in no table fails.
package interop
