// Package usb opens the USB devices of this machine as transport.Ports.
//
// It stands on libusb, a C library, by way of github.com/google/gousb, and is the only package that
// names either; every error of theirs is translated here, once, to the ones that drivers decide by.
// Therefore it needs cgo: a C compiler, pkg-config and libusb-1.0 with its headers (Debian:
// libusb-1.0-0-dev). Built without cgo, or with the tag nousb, it has no USB and says so
// (transport.ErrNoUSB); everything else works.
//
// # How a device is found
//
// The system lists what is plugged in. Of all devices but those whose numbers a driver wants not
// even the strings are read. The others are opened one after the other, in the order of bus and
// port, and shown to the driver (USBWant.Match); the first one that it takes and that can be
// claimed is the port. The error of a search that found nothing has a line for each of them.
//
// USBID.Bus and Device are what lsusb prints. USBID.BusPort is the way from the root hub: 1.4 is
// the fourth socket of the hub in the first one. It stays when a device is plugged out and in
// again, while Device changes.
//
// # Detaching
//
// Many UPSes say that they are human interface devices, as keyboards are, and Linux gives them to
// its driver usbhid. While that driver holds an interface nobody else can. To claim an interface
// therefore detaches it from there, that interface only, and Close attaches it again. A driver that
// was killed does not; then the interface is without a driver of the system until the device is
// plugged in anew, which harms nobody.
//
// # Permission
//
// A device is a file, /dev/bus/usb/BUS/DEVICE, that belongs to root. Drivers run as another account
// (nut), which needs the right to write to it. That is done by a udev rule; one for the device
// 0665:5161 is
//
//	SUBSYSTEM=="usb", ATTR{idVendor}=="0665", ATTR{idProduct}=="5161", MODE="0660", GROUP="nut"
//
// in /etc/udev/rules.d/62-ups.rules, in force for devices that are plugged in after `udevadm
// control --reload`. Debian's package nut-server brings rules for the devices that it knows.
// Without the right the error wraps transport.ErrPermission and names the file.
//
// # Time
//
// The library cannot be interrupted in the middle of a control transfer and knows real time only.
// So every call of it runs beside the caller's task, which waits in its own time and goes on as
// soon as it is stopped. An interrupt transfer is then cancelled; a packet that it got just then is
// kept for the next reader. A control transfer ends by its own time limit, at most ten seconds: USB
// gives a device five (USB 2.0, 9.2.6.1). A call that does not come back in spite of that makes the
// device transport.ErrGone, and nothing more is asked of it.
//
// # Unplugging
//
// Each open device has a context of the library of its own, so that opening again after ErrGone
// begins from nothing, within the same process. Close cancels the transfers that run and waits for
// them, because the library must not lose its device under a transfer; if one does not end in time,
// the device is closed when it does. gousb panics where there is no USB at all, and at some
// malformed descriptors: that becomes an error.
//
// # Rehearsals
//
// While BLACKSTART_REHEARSAL is set no device is opened. A rehearsal must never switch a real UPS
// off.
//
// # Functions of libusb
//
// Someone who wants to stand in for the library, as scenarios/interop does, needs these, without
// their libusb_: init, exit, get_version, handle_events_timeout_completed; get_device_list,
// free_device_list, unref_device, get_device_descriptor, get_config_descriptor,
// free_config_descriptor, get_bus_number, get_device_address, get_port_numbers, get_device_speed;
// open, close, get_configuration, set_configuration (when the device has none),
// set_auto_detach_kernel_driver, claim_interface, release_interface, set_interface_alt_setting
// (when there are several), control_transfer (strings are read by it too), alloc_transfer,
// submit_transfer, cancel_transfer, free_transfer, clear_halt, reset_device. Linked but not called:
// set_option, get_string_descriptor_ascii, detach_kernel_driver.
package usb
