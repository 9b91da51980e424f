package bridge

import (
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A kind is the firmware of a bridge.
type kind struct {
	name string
	id   gadget.Descriptors
	pack packing // on its interrupt endpoint to the host
	// control makes the control transfers that are not standard requests; nil: stalls them.
	control func(b *Bridge, now time.Duration, s transport.USBSetup, out []byte) (
		in []byte, ready time.Duration, err error)
	// out takes packets of its interrupt endpoint from the host; nil: ignores them.
	out func(b *Bridge, now time.Duration, p []byte)
	// reply does with the answer of the unit what the chip does.
	reply func(b *Bridge, a answer)
	// text: its commands are strings.
	text *texts
}

// Endpoints of most bridges.
var (
	in8   = []gadget.Endpoint{{Address: 0x81, Size: 8, Interval: 10}}
	in64  = []gadget.Endpoint{{Address: 0x81, Size: 64, Interval: 10}}
	inOut = []gadget.Endpoint{
		{Address: 0x81, Size: 8, Interval: 10}, {Address: 0x02, Size: 8, Interval: 10}}
)

// kinds are all bridges. The numbers and strings are such that NUT picks the subdriver of that name
// by itself, except for snr and gtec.
var kinds = []kind{
	{
		name: "cypress",
		id: hid(0x0665, 0x5161, 0x0002, "INNO TECH", "USB to Serial",
			in8, reports(8, 8)),
		pack:    packing{data: 8, pad: 8, keep: 16},
		control: setReport(8, 0x0200),
		reply:   stream,
	}, {
		name: "phoenixtec",
		id: gadget.Descriptors{VendorID: 0x06da, ProductID: 0x0002, Release: 0x0200,
			Vendor: "Phoenixtec Power", Product: "USB Cable (V2.00)", Class: 0xff, Endpoints: in8},
		pack:    packing{data: 8, keep: 16, closed: true, single: true},
		control: vendorWrite,
		reply:   stream,
	}, {
		name:    "phoenix",
		id:      hid(0x06da, 0x0601, 0x0100, "", "", in8, reports(8, 8)),
		pack:    packing{data: 8, pad: 8, keep: 16},
		control: setReport(8, 0x0200),
		reply:   twice,
	}, {
		name:    "ippon",
		id:      hid(0x06da, 0x0003, 0x0100, "", "", in64, reports(64, 8)),
		pack:    packing{data: 64, pad: 64, keep: 1, single: true},
		control: setReport(8, 0x0002),
		reply:   always,
	}, {
		name:    "omron",
		id:      hid(0x0590, 0x00b7, 0x0100, "OMRON", "BN150T", in64, reports(64, 16)),
		pack:    packing{data: 64, pad: 64, keep: 1, single: true},
		control: setReport(16, 0x0002),
		reply:   once,
	}, {
		name: "krauler",
		id:   hid(0x0001, 0x0000, 0x0100, "", "", inOut, reports(8, 8)),
		text: &texts{cr: true, accepts: true, starred: true, cancels: "CT\rC\r"},
	}, {
		name: "fabula",
		id:   hid(0x0001, 0x0000, 0x0100, "MEC", "MEC0003", inOut, reports(8, 8)),
		text: &texts{cancels: "CT\r"},
	}, {
		name: "hunnox",
		id:   hid(0x0001, 0x0000, 0x0100, "", "MEC0003", inOut, reports(8, 8)),
		text: &texts{cr: true, cancels: "CT\r", knocks: true, charge: true},
	}, {
		name:  "fuji",
		id:    hid(0x0001, 0x0000, 0x0100, "ATCL FOR UPS", "ATCL FOR UPS", inOut, reports(8, 8)),
		pack:  packing{data: 8, pad: 8, keep: 16},
		out:   fuji,
		reply: stream,
	}, {
		name:    "sgs",
		id:      hid(0x0483, 0x0035, 0x0100, "", "", in8, reports(8, 8)),
		pack:    packing{data: 7, pad: 8, keep: 16, head: func(n int) byte { return byte(n) }},
		control: counted,
		reply:   stream,
	}, {
		name: "snr",
		id:   hid(0x0001, 0x0000, 0x0100, "", "MEC0003", inOut, reports(8, 8)),
		text: &texts{cr: true, cancels: "CT\r", sleeps: true},
	}, {
		name:    "ablerex",
		id:      hid(0xffff, 0x0000, 0x0100, "", "010937", in8, feature(5, ablerexReport)),
		control: ablerex,
		reply:   hold,
		text:    &texts{accepts: true, cancels: "CT\rC\r"},
	}, {
		name: "armac",
		id: hid(0x0925, 0x1234, 0x0000, "RICHCOMM", "UPS USB Mon V2.0",
			inOut, reports(6, 4)),
		pack:    packing{data: armacData, keep: 32},
		control: armac,
		reply:   ticked,
	}, {
		name: "gtec",
		id: hid(0x0665, 0x5161, 0x0002, "INNO TECH", "USB to Serial",
			in8, reports(8, 8)),
		pack:    packing{data: 8, keep: 16, closed: true},
		control: setReport(8, 0x0002, 0x0200),
		reply:   stream,
	},
}

// wide is the armac with packets of 64 bytes.
var wide = kind{
	name: "armac",
	id: hid(0x0925, 0x1234, 0x0000, "RICHCOMM", "UPS USB Mon V2.0", []gadget.Endpoint{
		{Address: 0x82, Size: 64, Interval: 1}, {Address: 0x02, Size: 64, Interval: 1},
	}, reports(64, 64)),
	pack:  packing{data: 63, pad: 64, keep: 4, head: func(n int) byte { return 0x80 | byte(n) }},
	out:   wideOut,
	reply: stream,
}

func hid(vendor, product, release uint16, maker, name string, ends []gadget.Endpoint,
	report []byte) gadget.Descriptors {
	return gadget.Descriptors{VendorID: vendor, ProductID: product, Release: release,
		Vendor: maker, Product: name, Class: gadget.ClassHID, Endpoints: ends, Report: report}
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

// feature is the report descriptor of a bridge with one feature report of n bytes, its number
// counted.
func feature(number byte, n int) []byte {
	return []byte{
		0x06, 0xa0, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x85, number,
		0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08,
		0x09, 0x02, 0x95, byte(n - 1), 0xb1, 0x02, // feature
		0xc0,
	}
}
