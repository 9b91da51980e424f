// Package bridge is the chips behind which small UPSes hide their serial line from USB: each takes
// commands in its own way, feeds them to the unit at 2400 baud, and hands out the answer in
// packets.
//
//	dev := megatec.New(body, megatec.Options{})
//	usb, err := bridge.New("cypress", dev, bridge.Options{}) // a gadget.Gadget
//
// The kinds have the names of NUT's subdrivers. Numbers are hexadecimal; 21/09 0200 is a control
// transfer with its request type, request and value; 81 and 82 are interrupt endpoints to the host.
//
//	kind        a command goes                               the answer comes
//	cypress     21/09 0200, 8 bytes, zeros behind the CR     81, 8 bytes, zeros behind the CR
//	phoenix     as cypress                                   as cypress, the last packet twice
//	gtec        21/09 0002 or 0200, 8 bytes                  81, up to 8 bytes, the last shorter
//	phoenixtec  42/0d 0000, all of it                        81, as gtec
//	ippon       21/09 0002, 8 bytes                          81, 64 bytes at once, zeros behind;
//	                                                         00 0d when the unit is silent
//	omron       21/09 0002, 16 bytes                         81, 64 bytes at once, zeros behind
//	sgs         21/09 0200, 8 bytes: n, then n bytes         81, 8 bytes: n, then n bytes
//	fuji        packet to 02: 80 06 n+1 03 c1 c2 c3 want     81, 8 bytes, cut at want bytes in all
//	ablerex     21/09 0305, 47 bytes: 05 00 n, n bytes       a1/01 0305, 47 bytes, zeros until all
//	                                                         of it has come
//	armac       21/09 0200, 4 bytes: a0+n, n bytes           81, 6 bytes: 80 or c0 + n, n bytes,
//	                                                         then what was there before; n = 0
//	                                                         is the end
//	armac Wide  packet to 02: a0+n, n bytes                  82, 64 bytes: 80+n, n bytes
//	krauler, fabula, hunnox, snr, ablerex: a command is a string index, see below
//
// What is asked in another way stalls. A packet is there when its last byte has come over the wire.
// What nobody fetches waits: 16 packets or so, the rest is lost; the next answer comes behind it.
// In phoenixtec, ippon and omron the next command drops it. A reset of the bus drops all.
//
// The chip is powered by the computer: it is there when the unit behind it has lost its power, and
// has nothing to say then.
//
// # Strings
//
// Where commands are strings, the low digit of the index says what, the high digit mostly nothing.
//
//	x3 Q1   xc I   xd F   x4 T   x5 TL   x7 Q   xa C   xb CT   f3 BL (hunnox only)
//	h0      off after a delay and not on again: S<n>R0000
//	h8      off after a delay, on again when the unit can: S<n>; h = 1 to 5 are n = .5 to .9
//	        (30 to 54 s), h = 6 to f are n = 01 to 10 (minutes)
//
// Krauler and ablerex cancel whatever there is at xb, CT and C. Strings 0, 1 and 2 are what they
// are everywhere; all others are unknown.
//
// The host is held off until the answer is there, half a second at most: then, as to what is
// unknown, the chip says "UPS No Ack", and has the answer when it is asked again. After a query
// without an answer it does so at once, until the unit is heard. To an order fabula, hunnox and snr
// always say it; krauler and ablerex have an empty line for an order that the unit obeyed in
// silence, and the next status of krauler begins with a star. Krauler, hunnox and snr leave the CR
// in the text.
//
// Hunnox has zeros for every query until string 0 was asked for twice and then string 1, in English
// (or LangID); from then on, the query that was answered last is answered with the same text until
// another command was in between. Snr has zeros unless its interrupt endpoint was polled in the
// last five seconds.
//
// # What is not known
//
// Sizes of queues, patience, what exactly phoenix leaves behind, and how an armac divides an answer
// are guesses that fit what was seen. A hunnox that locks up when it is asked for more than 102
// bytes cannot be shown here: a gadget is not told how much the host asks for.
package bridge
