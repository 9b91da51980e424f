package contact

import (
	"fmt"
	"strings"
)

// A Cable is what the lines of a model mean.
type Cable struct {
	Mfr, Model  string
	Description string
	Power       Lines // outputs that are up while the driver runs
	OL, LB      Input
	RB, Bypass  Input
	Off         Lines // outputs that switch the load off, all others low; ST is a break
}

func high(l Lines) Input { return Input{Mask: l, Value: l} }
func low(l Lines) Input  { return Input{Mask: l} }

// Cables are the models, by upstype.
var Cables = []Cable{
	{Mfr: "UPSONIC", Model: "LAN Saver 600", Description: "UPSONIC LAN Saver 600",
		Power: DTR | RTS, OL: low(CTS), LB: high(DCD), Off: RTS},
	{Mfr: "APC", Model: "Back-UPS", Description: "APC Back-UPS, cable 940-0095A or C",
		Power: DTR, OL: low(RI), LB: high(DCD), Off: RTS},
	{Mfr: "APC", Model: "Back-UPS", Description: "APC Back-UPS, cable 940-0020B or C",
		Power: RTS, OL: low(CTS), LB: high(DCD), Off: DTR | RTS},
	{Mfr: "PowerTech", Model: "Comp1000", Description: "PowerTech Comp1000, cable powered by DTR",
		Power: DTR, OL: low(CTS), LB: high(DCD), Off: DTR | RTS},
	{Mfr: "Generic", Model: "Generic RUPS model", Description: "generic RUPS",
		Power: RTS, OL: high(CTS), LB: low(DCD), Off: 0},
	{Mfr: "TrippLite", Model: "Internet Office Series",
		Description: "Tripp Lite with Lan2.2, black cable 73-0844",
		Power:       DTR, OL: high(CTS), LB: low(DCD), Off: DTR | RTS},
	{Mfr: "Best", Model: "Patriot", Description: "Best Patriot, cable INT51",
		Power: DTR, OL: high(CTS), LB: low(DCD), Off: RTS},
	{Mfr: "CyberPower", Model: "Power99", Description: "CyberPower Power99",
		Power: RTS, OL: high(CTS), LB: low(DCD), Off: DTR},
	{Mfr: "Nitram", Model: "Elite UPS", Description: "Nitram Elite 500",
		Power: DTR, OL: high(CTS), LB: low(DCD), Off: Unknown},
	{Mfr: "APC", Model: "Back-UPS", Description: "APC Back-UPS, cable 940-0023A",
		Power: 0, OL: low(DCD), LB: high(CTS), Off: RTS},
	{Mfr: "Victron", Model: "Lite", Description: "Victron Lite, crack cable",
		Power: RTS, OL: high(CTS), LB: low(DCD), Off: DTR},
	{Mfr: "Powerware", Model: "3115", Description: "Powerware 3115",
		Power: DTR, OL: low(CTS), LB: low(DCD), Off: ST},
	{Mfr: "APC", Model: "Back-UPS Office", Description: "APC Back-UPS Office, cable 940-0119A",
		Power: RTS, OL: low(CTS), LB: high(DCD), Off: DTR},
	{Mfr: "RPT", Model: "Repoteck", Description: "Repoteck RPT-800A, RPT-162A",
		Power: DTR | RTS, OL: high(DCD), LB: low(CTS), Off: ST},
	{Mfr: "Online", Model: "P250, P500, P750, P1250", Description: "Online P series",
		Power: DTR, OL: high(DCD), LB: low(CTS), Off: RTS},
	{Mfr: "Powerware", Model: "5119", Description: "Powerware 5119",
		Power: DTR, OL: high(CTS), LB: low(DCD), Off: ST},
	{Mfr: "Nitram", Model: "Elite UPS", Description: "Nitram Elite 2002",
		Power: DTR | RTS, OL: high(CTS), LB: low(DCD), Off: Unknown},
	{Mfr: "PowerKinetics", Model: "9001", Description: "PowerKinetics 9001",
		Power: DTR, OL: high(CTS), LB: low(DCD), Off: Unknown},
	{Mfr: "TrippLite", Model: "Omni 450LAN", Description: "Tripp Lite Omni, Martin's cable",
		Power: DTR, OL: high(CTS), LB: high(DCD), Off: Unknown},
	{Mfr: "Fideltronik", Model: "Ares Series", Description: "Fideltronik Ares",
		Power: DTR, OL: high(CTS), LB: low(DCD), Off: RTS},
	{Mfr: "Powerware", Model: "5119 RM", Description: "Powerware 5119 RM",
		Power: DTR, OL: low(CTS), LB: high(DCD), Off: ST},
	{Mfr: "Generic", Model: "Generic RUPS 2000",
		Description: "generic RUPS 2000, Megatec cable M2501",
		Power:       RTS, OL: high(CTS), LB: low(DCD), Off: RTS | DTR},
	{Mfr: "Gamatronic Electronic Industries", Model: "Generic Alarm UPS",
		Description: "Gamatronic with alarm interface",
		Power:       RTS, OL: high(CTS), LB: low(DCD), Off: DTR},
	{Mfr: "Generic", Model: "Generic FTTx Battery Backup",
		Description: "battery backup of fibre terminals, four wires",
		Power:       RTS, OL: high(CTS), LB: low(DCD), RB: low(RI), Bypass: low(DSR), Off: 0},
}

// models lists the cables for people.
func models() string {
	var b strings.Builder
	b.WriteString("the model and its cable, required:")
	for i, c := range Cables {
		fmt.Fprintf(&b, "\n%d %s", i, c.Description)
	}
	return b.String()
}

// A Reading is what the inputs say.
type Reading struct{ OL, LB, RB, Bypass bool }

// Read decodes the inputs. Where nothing tells of line power, it is there.
func (c *Cable) Read(l Lines) Reading {
	return Reading{OL: c.OL.True(l) || c.OL.Mask == 0, LB: c.LB.True(l), RB: c.RB.True(l), Bypass: c.Bypass.True(l)}
}

// Words are those of ups.status, in the order of the C driver. LB is said on line power, too.
func (r Reading) Words() []string {
	var words []string
	for _, w := range []struct {
		is   bool
		word string
	}{{r.LB, "LB"}, {r.OL, "OL"}, {!r.OL, "OB"}, {r.RB, "RB"}, {r.Bypass, "BYPASS"}} {
		if w.is {
			words = append(words, w.word)
		}
	}
	return words
}
