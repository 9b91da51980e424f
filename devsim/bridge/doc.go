// Package bridge is the chips behind which small UPSes hide their serial line from USB: each takes
// commands in its own way, feeds them to the unit at 2400 baud, and hands out the answer in packets.
//
//	dev := megatec.New(body, megatec.Options{})
//	usb, err := bridge.New("cypress", dev, bridge.Options{}) // a gadget.Gadget
//
// The chip is powered by the computer: it is there when the unit behind it has lost its power, and
// has nothing to say then.
package bridge
