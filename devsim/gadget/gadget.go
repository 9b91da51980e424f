// Package gadget is the device's side of USB: what an emulated device is to the port that serves
// it, and what all of them have in common, descriptors and the standard requests.
//
// A face implements [Gadget]. It answers the standard requests with [Descriptors.Answer] and the
// rest by itself; package serve plugs it into a virtual host, a socket or a bus.
package gadget

import (
	"encoding/binary"
	"time"
	"unicode/utf16"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A Gadget is an emulated device as its computer sees it. Time is the time since the start of the
// world. It keeps no slice that it is given. Calls come one at a time.
type Gadget interface {
	// Descriptors are those of the device; they do not change while it is plugged in.
	Descriptors() Descriptors
	// Control makes one control transfer: out is what was sent, in the answer, of which the host
	// sees as much as it asked for. The device holds the host off until ready, which may be past.
	// The error is transport.ErrStall, for a request that the device does not know.
	Control(now time.Duration, s transport.USBSetup, out []byte) (
		in []byte, ready time.Duration, err error)
	// Out takes a packet sent to an interrupt endpoint.
	Out(now time.Duration, endpoint byte, p []byte) error
	// In returns the next packet of an interrupt endpoint, and takes it off. Without one (nil),
	// again is when to ask again; 0: when the host next sends something, or OnIn's function was
	// called.
	In(now time.Duration, endpoint byte) (p []byte, again time.Duration, err error)
	// Reset is a bus reset, also that of plugging in: what waits to be fetched is lost.
	Reset(now time.Duration)
}

// A Caller is a Gadget that may have a packet at an instant that In could not tell. It calls f
// then.
type Caller interface {
	Gadget
	OnIn(f func())
}

// Standard requests and descriptor types (USB 2.0, tables 9-4 and 9-5), and the two requests of the
// HID class that bridges use (HID 1.11, 7.2).
const (
	GetStatus        = 0x00
	ClearFeature     = 0x01
	SetAddress       = 0x05
	GetDescriptor    = 0x06
	GetConfiguration = 0x08
	SetConfiguration = 0x09
	SetInterface     = 0x0b

	DeviceDescriptor        = 1
	ConfigurationDescriptor = 2
	StringDescriptor        = 3
	InterfaceDescriptor     = 4
	EndpointDescriptor      = 5
	HIDDescriptor           = 0x21
	ReportDescriptor        = 0x22

	GetReport = 0x01
	SetReport = 0x09
)

// English is the only language of most devices.
const English = 0x0409

// An Endpoint is one interrupt endpoint: bit 7 of the address is set when it leads to the host.
type Endpoint struct {
	Address  byte
	Size     int // bytes in a packet
	Interval int // ms
}

// Descriptors describe a device with one configuration and one interface.
type Descriptors struct {
	VendorID, ProductID, Release uint16
	// Vendor, Product and Serial are strings 1, 2 and 3; empty: the device has none.
	Vendor, Product, Serial string
	Class                   byte // of the interface: 3 is HID
	Endpoints               []Endpoint
	Report                  []byte // the HID report descriptor, when Class is HID
}

// ClassHID is the class of human interface devices.
const ClassHID = 3

// Device is the device descriptor, 18 bytes.
func (d Descriptors) Device() []byte {
	b := []byte{18, DeviceDescriptor, 0x10, 0x01, 0, 0, 0, 8}
	for _, v := range []uint16{d.VendorID, d.ProductID, d.Release} {
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	return append(b, present(d.Vendor, 1), present(d.Product, 2), present(d.Serial, 3), 1)
}

func present(text string, index byte) byte {
	if text == "" {
		return 0
	}
	return index
}

// Configuration is the configuration descriptor with all that belongs to it.
func (d Descriptors) Configuration() []byte {
	b := []byte{9, InterfaceDescriptor, 0, 0, byte(len(d.Endpoints)), d.Class, 0, 0, 0}
	if d.Class == ClassHID {
		b = append(b, d.HID()...)
	}
	for _, e := range d.Endpoints {
		b = append(b, 7, EndpointDescriptor, e.Address, 3)
		b = binary.LittleEndian.AppendUint16(b, uint16(e.Size))
		b = append(b, byte(e.Interval))
	}
	head := []byte{9, ConfigurationDescriptor}
	head = binary.LittleEndian.AppendUint16(head, uint16(9+len(b)))
	return append(append(head, 1, 1, 0, 0x80, 50), b...)
}

// HID is the HID descriptor, 9 bytes.
func (d Descriptors) HID() []byte {
	b := []byte{9, HIDDescriptor, 0x10, 0x01, 0, 1, ReportDescriptor}
	return binary.LittleEndian.AppendUint16(b, uint16(len(d.Report)))
}

// String is the string descriptor of an index; index 0 lists the languages.
func (d Descriptors) String(index byte) ([]byte, bool) {
	switch {
	case index == 0:
		return []byte{4, StringDescriptor, English & 0xff, English >> 8}, true
	case index == 1 && d.Vendor != "":
		return Text(d.Vendor), true
	case index == 2 && d.Product != "":
		return Text(d.Product), true
	case index == 3 && d.Serial != "":
		return Text(d.Serial), true
	}
	return nil, false
}

// Text is a string descriptor: UTF-16, at most 126 characters.
func Text(s string) []byte {
	words := utf16.Encode([]rune(s))
	words = words[:min(len(words), 126)]
	b := []byte{byte(2 + 2*len(words)), StringDescriptor}
	for _, w := range words {
		b = binary.LittleEndian.AppendUint16(b, w)
	}
	return b
}

// Answer answers a standard request; ok is false for all others, and for descriptors that there are
// not.
func (d Descriptors) Answer(s transport.USBSetup) (in []byte, ok bool) {
	switch kind, index := byte(s.Value>>8), byte(s.Value); {
	case s.RequestType&0x60 != 0: // class or vendor
		return nil, false
	case s.In() && s.Request == GetDescriptor && kind == DeviceDescriptor:
		return d.Device(), true
	case s.In() && s.Request == GetDescriptor && kind == ConfigurationDescriptor && index == 0:
		return d.Configuration(), true
	case s.In() && s.Request == GetDescriptor && kind == StringDescriptor:
		return d.String(index)
	case s.In() && s.Request == GetDescriptor && kind == HIDDescriptor && d.Class == ClassHID:
		return d.HID(), true
	case s.In() && s.Request == GetDescriptor && kind == ReportDescriptor && d.Report != nil:
		return d.Report, true
	case s.In() && s.Request == GetStatus:
		return []byte{0, 0}, true
	case s.In() && s.Request == GetConfiguration:
		return []byte{1}, true
	case !s.In() && (s.Request == ClearFeature || s.Request == SetConfiguration ||
		s.Request == SetInterface || s.Request == SetAddress):
		return nil, true
	}
	return nil, false
}
