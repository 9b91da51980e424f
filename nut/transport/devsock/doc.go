// Package devsock reaches an emulated device in another process: bytes and modem lines of a serial
// port over a unix socket. In ups.conf:
//
//	port = devsim:/run/rehearsal/ups.sock
//
// A pseudo-terminal carries no modem lines; here a driver that lives on them finds them on any
// machine. [Ports] opens such names and leaves all others to the real ports. The device's end is
// served by devsim/serve.
//
// # On the wire
//
// A connection is an open port; closing it closes the port, however that happens. Both ends send
// frames: a byte that says what it is, the length of what follows as two bytes, high byte first,
// and at most 4096 bytes.
//
//	computer                          device
//	O "devsim1" speed(4) bits(1)
//	  parity(1) stops(1) keep(1)      O lines(1)        the port is open; lines is 1 when it has any
//	                                  E why(1) text     or it is not: b busy, n no port, x else
//	D bytes                           D bytes           what goes over the line
//	Q seq(1)                          S seq(1) lines(1) asks for the modem lines
//	L seq(1) lines(1)                 S seq(1) lines(1) sets the outputs
//	B seq(1) on(1)                    S seq(1) lines(1) begins and ends a break
//
// lines is a byte: DTR 1, RTS 2, CTS 4, DSR 8, DCD 16, RI 32. keep is Mode.KeepLines.
package devsock
