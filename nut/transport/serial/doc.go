// Package serial opens the serial ports of this machine, pseudo-terminals included, as
// transport.Ports.
//
// It is the only package that names the library underneath; every error of the library and of the
// system is translated here, once, to the ones that drivers decide by.
//
// # Exclusive
//
// An open port is locked (flock), as the C drivers lock it, so that two programs never talk to
// one device: the second one gets transport.ErrBusy. The library asks the terminal layer for the
// same, but that does not stop root.
//
// # Deadlines
//
// The system knows real time only, and the program's clock may run faster in a rehearsal.
// Therefore a read waits in short slices of real time and looks at the program's clock between
// them. Bytes that come end a slice at once.
//
// # Rehearsals
//
// While BLACKSTART_REHEARSAL is set, nothing but a pseudo-terminal can be opened; see Allowed. A
// rehearsal must never switch a real UPS off.
package serial
