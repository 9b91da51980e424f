package transport

import (
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Conditions of USB, besides those that all ports have.
var (
	ErrStall    = errors.New("the device refuses the transfer (stall)")
	ErrOverflow = errors.New("the device sent more than was asked for")
	ErrNoUSB    = errors.New("this program was built without USB")
)

// Auto is the name of the port under which drivers of USB devices look at all that are plugged in.
const Auto = "auto"

// A USBID is what a device says of itself, and where it is plugged in.
type USBID struct {
	VendorID, ProductID uint16
	Release             uint16 // bcdDevice
	// Vendor, Product and Serial are the texts of the string descriptors, without blanks around
	// them; empty when the device has none or does not tell.
	Vendor, Product, Serial string
	Bus, Device             string // as the system counts them: 001, 004
	BusPort                 string // of the chain of hubs: 1, or 1.4
}

// String is the device as a system would list it: 0665:5161 "INNO TECH" "USB to Serial" at 001/004.
func (id USBID) String() string {
	return fmt.Sprintf("%04x:%04x %q %q at %s/%s",
		id.VendorID, id.ProductID, id.Vendor, id.Product, id.Bus, id.Device)
}

// A USBWant says which device to open, and how.
type USBWant struct {
	// Numbers tells from the numbers alone whether to look closer: other devices are not opened.
	Numbers func(vendor, product uint16) bool
	// Match is asked about each of those that are left; the first for which it returns nil is
	// taken. Its error says what does not fit.
	Match func(USBID) error
	// Interface is claimed, with its alternate setting AltSetting. A driver of the system that
	// holds it is detached.
	Interface, AltSetting int
}

// A USBSetup is the head of a control transfer (USB 2.0, 9.3).
type USBSetup struct {
	RequestType, Request byte
	Value, Index         uint16
}

// In reports whether the data of the transfer come from the device.
func (s USBSetup) In() bool { return s.RequestType&0x80 != 0 }

// A USB is one open device with its interface claimed. until is the deadline of a transfer, in the
// caller's time: it then fails with ErrTimeout. A device that was unplugged gives ErrGone.
type USB interface {
	ID() USBID
	// Control makes one control transfer. data is sent, or filled when the setup says In; n is how
	// much of it.
	Control(e env.Env, s USBSetup, data []byte, until env.Instant) (n int, err error)
	// Interrupt makes one transfer on an interrupt endpoint: in when bit 7 of its address is set.
	Interrupt(e env.Env, endpoint byte, data []byte, until env.Instant) (n int, err error)
	// ClearHalt ends the stall of an endpoint.
	ClearHalt(e env.Env, endpoint byte) error
	// Reset resets the device. The handle may be ErrGone afterwards; open again then.
	Reset(e env.Env) error
	Close() error
}

// A Librarian is a USB that is reached by a library of the system.
type Librarian interface {
	// Library is which: libusb-1.0.26 (API: 0x1000109), say.
	Library() string
}
