package megatec

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// A dialect is in what units of a family differ from each other.
type dialect struct {
	status   string // the name of the status query; "" when own has another
	vendor   string // of the question who is there; "" when there is none
	noRating bool   // does not know F
	noOrders bool   // obeys only what own knows
	yes, no  string // to commands and to what is unknown; no = "" means as Options say
	// own is what only this dialect knows; it is asked first.
	own func(d *Device, now time.Duration, cmd string) (answer string, known bool)
}

// dialects are all that can be emulated, by the names that NUT gives them.
var dialects = map[string]dialect{
	"megatec":     {status: "Q1", vendor: "I"},
	"megatec/old": {status: "D", vendor: "I"},
	"mustek":      {status: "QS", vendor: "I"},
	"zinto":       {status: "Q1", vendor: "FW?"},
	"q1":          {status: "Q1", noRating: true},
	"hunnox":      {status: "Q1", vendor: "FW?", own: (*Device).hunnox},
	"mecer":       {status: "Q1", vendor: "I", yes: "(ACK", no: "(NAK", own: (*Device).mecer},
	"innovatae":   {status: "Q1", no: "NAK", own: (*Device).innovatae},

	"voltronic-qs":     {status: "QS", own: (*Device).qs},
	"voltronic-qs-h":   {status: "QS", own: (*Device).qsH},
	"voltronic-qs-hex": {noRating: true, no: "N", own: (*Device).qsHex},
	"bestups":          {status: "Q1", noRating: true, own: (*Device).bestUPS},
	"ablerex":          {status: "Q1", vendor: "I", own: (*Device).ablerex},
	"gtec":             {vendor: "I", own: (*Device).gtec},
	"q2":               {status: "Q1", noRating: true, own: (*Device).q2},
	"q6":               {status: "Q1", noRating: true, own: (*Device).q6},
	"innovart31":       {status: "Q1", no: "NAK", own: (*Device).innovart31},
	"innovart33":       {status: "Q1", no: "NAK", own: (*Device).innovart33},
	"omron":            {status: "Q1", noRating: true, noOrders: true, no: "NAK", own: (*Device).omron},
	"masterguard":      {noRating: true, own: (*Device).masterguard},

	"voltronic-axpert": {noRating: true, noOrders: true, no: "(NAKss", own: (*Device).axpert},
	"voltronic":        {noOrders: true, no: "(NAK", own: (*Device).voltronic},
}

// Dialects returns the names of all dialects, sorted.
func Dialects() []string { return slices.Sorted(maps.Keys(dialects)) }

func (d *Device) hunnox(_ time.Duration, cmd string) (string, bool) {
	return fmt.Sprintf("BL%03d", d.body.Read().Charge), cmd == "BL"
}

// mecer says which version of the protocol it speaks.
func (d *Device) mecer(_ time.Duration, cmd string) (string, bool) {
	return "(PI98", cmd == "QPI"
}

// innovatae fills what it has no text for.
func (d *Device) innovatae(_ time.Duration, cmd string) (string, bool) {
	return fmt.Sprintf("#%.27s%-10.10s", "222222222222222222222222222", "R1.00.48"), cmd == "I"
}

// amperes is the current of the load, in tenths.
func amperes(s power.Spec, r power.Reading) int {
	return s.Rated / 100 * r.Load * 10 / s.Nominal
}

// minutesLeft is the runtime that the unit estimates, at most 999.
func minutesLeft(r power.Reading) int { return min(int(r.Remaining/time.Minute), 999) }

func bit(b bool) byte {
	if b {
		return '1'
	}
	return '0'
}
