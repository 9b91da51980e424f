// Package megatec shows an emulated UPS in the words of the Megatec (Q1) protocol, as spoken by
// many small line-interactive units over a serial line of 2400 baud, and of its dialects (see
// [Dialects]), of which some are other protocols altogether.
//
//	body := power.New(power.Spec{})
//	dev := megatec.New(body, megatec.Options{})
//	dev.Receive(now, []byte("Q1\r"))
//
// # On the wire
//
// Commands and answers end in CR. What the device does not know, it repeats.
//
//	> Q1
//	< (230.0 169.0 228.9 027 50.0 26.3 25.7 00001001
//	> F
//	< #230.0 003 024.0 50.0
//	> I
//	< #ACME POWER      SIM-600    V1.07
//	> S.5R0003        off after 30 s, on again 3 minutes later; there is no answer
//	> QGS
//	< QGS
//
// The words of Q1 are input, fault, output (V), load (%), input frequency (Hz), battery (V),
// temperature (C) and eight bits: utility fail, battery low, boost or buck, failed, line
// interactive, test running, shutdown active, beeper on.
//
// It is written from descriptions of the protocol and not from the driver that will read it, so
// that a mistake in one does not hide behind the same mistake in the other.
package megatec
