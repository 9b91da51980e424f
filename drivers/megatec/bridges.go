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

// A usbID is what devices with a bridge of a kind say of themselves; a text that is empty is any.
type usbID struct {
	vendorID, productID uint16
	vendor, product     string
	bridge              string
}

func (u usbID) fits(id transport.USBID) bool {
	return u.vendorID == id.VendorID && u.productID == id.ProductID &&
		(u.vendor == "" || strings.EqualFold(u.vendor, id.Vendor)) &&
		(u.product == "" || strings.EqualFold(u.product, id.Product))
}

// qxIDs are those of nutdrv_qx. Of several that fit the first counts. An SNR cannot be told from a
// Hunnox; it needs the option subdriver, as do all with the CH340 of QinHeng.
var qxIDs = []usbID{
	{0x05b8, 0x0000, "", "", "cypress"},
	{0xffff, 0x0000, "", "", "ablerex"},
	{0x1cb0, 0x0035, "", "", "krauler"},
	{0x0665, 0x5161, "", "", "cypress"},
	{0x06da, 0x0002, "Phoenixtec Power", "USB Cable (V2.00)", "phoenixtec"},
	{0x06da, 0x0002, "", "", "cypress"},
	{0x06da, 0x0003, "", "", "ippon"},
	{0x06da, 0x0004, "", "", "cypress"},
	{0x06da, 0x0005, "", "", "cypress"},
	{0x06da, 0x0201, "", "", "cypress"},
	{0x06da, 0x0601, "", "", "phoenix"},
	{0x0f03, 0x0001, "", "", "cypress"},
	{0x14f0, 0x00c9, "", "", "phoenix"},
	{0x0483, 0x0035, "", "", "sgs"},
	{0x0590, 0x00b7, "", "", "omron"},
	{0x0001, 0x0000, "MEC", "MEC0003", "fabula"},
	{0x0001, 0x0000, "", "MEC0003", "hunnox"},
	{0x0001, 0x0000, "ATCL FOR UPS", "ATCL FOR UPS", "fuji"},
	{0x0001, 0x0000, "", "", "krauler"},
	{0x0925, 0x1234, "", "", "armac"},
}

// blazerIDs are those of blazer_usb.
var blazerIDs = []usbID{
	{0x05b8, 0x0000, "", "", "cypress"},
	{0x0001, 0x0000, "", "", "krauler"},
	{0xffff, 0x0000, "", "", "krauler"},
	{0x0665, 0x5161, "", "", "cypress"},
	{0x06da, 0x0002, "", "", "cypress"},
	{0x06da, 0x0003, "", "", "ippon"},
	{0x06da, 0x0004, "", "", "cypress"},
	{0x06da, 0x0005, "", "", "cypress"},
	{0x06da, 0x0201, "", "", "cypress"},
	{0x06da, 0x0601, "", "", "phoenix"},
	{0x0f03, 0x0001, "", "", "cypress"},
	{0x14f0, 0x00c9, "", "", "phoenix"},
}

// blazerBridges are the kinds that blazer_usb knows.
var blazerBridges = []string{"cypress", "phoenix", "ippon", "krauler"}
