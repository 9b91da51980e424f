// Package interop holds the tests that put our programs and the C ones of NUT, as Debian packages
// them, on the two ends of one wire: our upsd read by their clients, theirs by ours, our drivers
// compared with theirs on the same recordings, their upsmon hanging on our upsd in an outage.
//
// Everything runs as real processes on loopback, in folders of its own, and is gone at the end.
// Where Debian's programs are not installed the tests skip and say so; `make interop` installs them
// and sets BLACKSTART_INTEROP=required, with which a skip is a failure. They also skip with -short.
//
// # Where to look
//
// The harness is in bench_test.go: a bench is a configuration folder and the processes started in
// it. What may differ from the C programs is in tables, each line with its reason; what is in no
// table fails.
package interop
