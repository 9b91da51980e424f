package megatec

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/transport"
)

// bridges are all kinds, in the order in which people are told of them.
var bridges = []bridge{
	{name: "cypress", in: 0x81, start: always(cypress)},
	{name: "phoenixtec", in: 0x81, start: always(phoenixtec)},
	{name: "phoenix", in: 0x81, start: always(phoenix)},
	{name: "ippon", in: 0x81, start: always(ippon)},
	{name: "omron", in: 0x81, start: always(omronReports)},
	{name: "krauler", start: func(o bridgeOptions) talker {
		return texts{of: kraulerTexts, tries: 10, cycle: kraulerCycle, lang: o.lang, size: 511}
	}},
	{name: "fabula", start: always(texts{of: fabulaTexts, tries: 1, delays: true})},
	{name: "hunnox", start: func(o bridgeOptions) talker {
		return &hunnoxTexts{noVendor: o.noVendor,
			texts: texts{of: hunnoxIndexes, tries: 1, delays: true, lang: o.lang, size: 102}}
	}},
	{name: "fuji", in: 0x81, start: always(fuji{})},
	{name: "sgs", in: 0x81, start: always(sgs{})},
	{name: "snr", start: func(o bridgeOptions) talker {
		return snr{texts{of: kraulerTexts[:3], tries: 10, lang: max(o.lang, english), size: 102}}
	}},
	{name: "ablerex", start: always(ablerexReports{})},
	{name: "armac", in: 0x81, start: func(bridgeOptions) talker { return &armac{} }},
	{name: "gtec", in: 0x81, start: always(gtecReports)},
}

// always is the start of a bridge that has neither options nor memory.
func always(t talker) func(bridgeOptions) talker {
	return func(bridgeOptions) talker { return t }
}

// A usbID is what devices with a bridge say of themselves, and the kind of the bridge as nutdrv_qx
// and blazer_usb know it.
type usbID struct {
	vendorID, productID uint16
	vendor, product     string // "": any
	qx, blazer          string // "": not known there
}

func (u usbID) fits(id transport.USBID) bool {
	return u.vendorID == id.VendorID && u.productID == id.ProductID &&
		(u.vendor == "" || strings.EqualFold(u.vendor, id.Vendor)) &&
		(u.product == "" || strings.EqualFold(u.product, id.Product))
}

func byQx(u usbID) string     { return u.qx }
func byBlazer(u usbID) string { return u.blazer }

// usbIDs are those that are known. Of several that fit, the first counts that the program knows. An
// SNR cannot be told from a Hunnox; it needs the option subdriver, as do all with the CH340 of
// QinHeng.
//
//	numbers, maker, product, kind for nutdrv_qx, for blazer_usb
var usbIDs = []usbID{
	{0x05b8, 0x0000, "", "", "cypress", "cypress"},
	{0xffff, 0x0000, "", "", "ablerex", "krauler"},
	{0x1cb0, 0x0035, "", "", "krauler", ""},
	{0x0665, 0x5161, "", "", "cypress", "cypress"},
	{0x06da, 0x0002, "Phoenixtec Power", "USB Cable (V2.00)", "phoenixtec", ""},
	{0x06da, 0x0002, "", "", "cypress", "cypress"},
	{0x06da, 0x0003, "", "", "ippon", "ippon"},
	{0x06da, 0x0004, "", "", "cypress", "cypress"},
	{0x06da, 0x0005, "", "", "cypress", "cypress"},
	{0x06da, 0x0201, "", "", "cypress", "cypress"},
	{0x06da, 0x0601, "", "", "phoenix", "phoenix"},
	{0x0f03, 0x0001, "", "", "cypress", "cypress"},
	{0x14f0, 0x00c9, "", "", "phoenix", "phoenix"},
	{0x0483, 0x0035, "", "", "sgs", ""},
	{0x0590, 0x00b7, "", "", "omron", ""},
	{0x0001, 0x0000, "MEC", "MEC0003", "fabula", ""},
	{0x0001, 0x0000, "", "MEC0003", "hunnox", ""},
	{0x0001, 0x0000, "ATCL FOR UPS", "ATCL FOR UPS", "fuji", ""},
	{0x0001, 0x0000, "", "", "krauler", "krauler"},
	{0x0925, 0x1234, "", "", "armac", ""},
}

// blazerBridges are the kinds that blazer_usb knows.
var blazerBridges = []string{"cypress", "phoenix", "ippon", "krauler"}
