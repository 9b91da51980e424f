// Package serve puts an emulated device where a driver can open it: on a cable or a USB plug in
// memory, on a socket for drivers in other processes, or on a pseudo-terminal for programs that
// open real ports.
//
//	body := power.New(power.Spec{})
//	cable := serve.NewCable(megatec.New(body, megatec.Options{}), serve.Options{})
//	ports := serve.Ports{"/dev/ttyS0": cable} // a transport.Ports
//
// A [Face] turns bytes into bytes and knows nothing of time passing on a wire, nor of what goes
// wrong there. Both are added here, once for every face: pacing by the baud rate, and the faults of
// [Fault].
//
// A USB device, a gadget.Gadget, is plugged in with a [Plug] in the same way:
//
//	ports["/dev/usb0"] = serve.NewPlug(device, serve.Options{}) // also found as transport.Auto
//
// Cable and Plug are written over env.Env alone and run in virtual time. [Socket] carries both;
// [Pty] carries the bytes of a serial line and needs a real machine. [Keep] lets time pass for a
// body, and [Control] is a socket through which another process pulls the levers.
package serve
