// Package devsock reaches an emulated device in another process: bytes and modem lines of a serial
// port, or the transfers of a USB device, over a unix socket. In ups.conf:
//
//	port = devsim:/run/rehearsal/ups.sock
//
// A pseudo-terminal carries no modem lines and no USB; here a driver that lives on them finds them
// on any machine. For a USB device the path may be that of a folder: each socket in it is a device
// that is plugged in, and the driver looks at all of them, as it does with port = auto on a real
// bus. [Ports] opens such names and leaves all others to the real ports. The device's end is served
// by devsim/serve.
//
// # On the wire
//
// A connection is an open port; closing it closes the port, however that happens. Both ends send
// frames: a byte that says what it is, the length of what follows as two bytes, high byte first,
// and at most 4096 bytes.
//
//	computer                          device
//	O "devsim1" speed(4) bits(1)
//	  parity(1) stops(1) keep(1)      O lines(1)        the port is open; lines is 1 when it has
//	                                                    any
//	                                  E why(1) text     or it is not: b busy, n no port,
//	                                                    p no permission, x else
//	D bytes                           D bytes           what goes over the line
//	Q seq(1)                          S seq(1) lines(1) asks for the modem lines
//	L seq(1) lines(1)                 S seq(1) lines(1) sets the outputs
//	B seq(1) on(1)                    S seq(1) lines(1) begins and ends a break
//
// lines is a byte: DTR 1, RTS 2, CTS 4, DSR 8, DCD 16, RI 32. keep is Mode.KeepLines.
//
// # USB
//
// All numbers have their high byte first.
//
//	computer                                      device
//	U "devsim1"                                   U "BUS DEVICE PORT"    it is open and claimed:
//	                                                                     "001 004 1.4"
//	                                              E why(1) text          or it is not, as above
//	C seq(1) ms(4) requesttype(1) request(1)
//	  value(2) index(2) len(2) data when out      R seq(1) status(1) data when in
//	I seq(1) ms(4) endpoint(1) len(2)
//	  data when out                               R seq(1) status(1) data when in
//	H seq(1) endpoint(1)                          R seq(1) status(1)     ends a halt
//	Z seq(1)                                      R seq(1) status(1)     resets the device
//
// ms is the time that is left, in the time of the program; ffffffff is for ever. len is how much is
// asked for or sent, at most 4080. status is 0 for success, t timeout, s stall, o overflow, g gone,
// or x and a text. Data may come with t: what had come until then.
//
// A computer may have up to 64 requests under way; their order among each other is not defined. An
// answer has the seq of its request. When the device is unplugged its end closes the connection. A
// computer that only wants to look opens the device, reads its descriptors and closes it.
package devsock
