package bridge

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// kinds are all bridges. The numbers and strings are such that NUT picks the subdriver of that name
// by itself.
var kinds = []kind{
	{
		name: "cypress",
		id: gadget.Descriptors{
			VendorID: 0x0665, ProductID: 0x5161, Release: 0x0002,
			Vendor: "INNO TECH", Product: "USB to Serial",
			Class:     gadget.ClassHID,
			Endpoints: []gadget.Endpoint{{Address: 0x81, Size: 8, Interval: 10}},
			Report:    reports(8, 8),
		},
		in:      0x81,
		pack:    packing{data: 8, pad: 8, keep: 16},
		control: setReport(0x0200, 1, 8),
	},
}

// setReport takes commands in output reports of low to high bytes.
func setReport(value uint16, low, high int) func(*Bridge, time.Duration, transport.USBSetup,
	[]byte) ([]byte, time.Duration, error) {
	want := transport.USBSetup{RequestType: 0x21, Request: gadget.SetReport, Value: value}
	return func(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
		[]byte, time.Duration, error) {
		if s != want || len(out) < low || len(out) > high {
			return nil, now, stall(s, out)
		}
		b.write(now, out)
		return nil, now, nil
	}
}

// stall refuses a control transfer.
func stall(s transport.USBSetup, out []byte) error {
	return fmt.Errorf("request %02x/%02x, value %04x, index %04x, %d bytes: %w",
		s.RequestType, s.Request, s.Value, s.Index, len(out), transport.ErrStall)
}

// reports is the report descriptor of a bridge: one input report of in bytes, one output report of
// out bytes, on a page of its vendor.
func reports(in, out int) []byte {
	return []byte{
		0x06, 0xa0, 0xff, 0x09, 0x01, 0xa1, 0x01, // usage page ffa0, usage 1, collection
		0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, // 0 to 255, 8 bits
		0x09, 0x02, 0x95, byte(in), 0x81, 0x02, // input
		0x09, 0x03, 0x95, byte(out), 0x91, 0x02, // output
		0xc0,
	}
}
