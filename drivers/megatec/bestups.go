package megatec

import (
	"fmt"
	"strconv"
	"strings"
)

// bestUPS is the dialect of Best Power and Sola Australia.
//
//	> ID
//	< FOR,750,120,120,20.0,27.6
//	   model, VA, input V, output V, battery V when empty and full
//	> RT
//	< 015                  minutes
//	> M
//	< 0                    the profile of transfer voltages
//	> S.5R0003, S.5        off, and on again or not
var bestUPS = dialect{name: "bestups", title: "BestUPS",
	status: query{send: "Q1", read: words("(", append(q1[:len(q1):len(q1)],
		field{name: "status bits", take: bestBits})...)},
	adjust: bestRegulation,
	claim:  []query{{send: "ID", read: bestIdentity}},
	once: []query{
		{send: "ID", read: bestIdentity},
		{send: "BP?", when: can("packs"), read: columns("", 1,
			number("battery.packs", 99e3, 0).at(0, 1))},
		{send: "M", read: bestProfile},
	},
	slow: []query{{send: "RT", when: can("runtime"), read: words("", minutes("battery.runtime"))}},
	orders: but(usualOrders, order{name: "beeper.toggle"}, order{name: "shutdown.stayoff", wire: func(c call) (string, error) {
		return "S" + c.delay(), nil
	}}),
	presets: bestPresets,
	settings: []setting{
		shutdownDelay(12, 5940), startDelay(60, maxStartSeconds),
		{variable: "battery.packs", form: within(0, 5), wire: whole("BP%d", 1), again: "BP?"},
	},
}

// bestBits are those of Q1 without the beeper.
func bestBits(word string, r *reading) error {
	bits, err := parseBits(word)
	r.Bits = bits &^ BeeperOn
	r.set("ups.type", choose(bits&Standby != 0, "offline / line interactive", "online"))
	return err
}

// bestModels are by the first word of ID, with what else they know.
var bestModels = []struct {
	code, maker, model string
	noRuntime, packs   bool
}{
	{code: "AX1", maker: "Best Power", model: "Axxium Rackmount", packs: true},
	{code: "FOR", maker: "Best Power", model: "Fortress"},
	{code: "FTC", maker: "Best Power", model: "Fortress Telecom"},
	{code: "PR2", maker: "Best Power", model: "Patriot Pro II"},
	{code: "PRO", maker: "Best Power", model: "Patriot Pro", noRuntime: true},
	{code: "320", maker: "Sola Australia", model: "Sola 320", noRuntime: true},
	{code: "325", maker: "Sola Australia", model: "Sola 325"},
	{code: "520", maker: "Sola Australia", model: "Sola 520"},
	{code: "525", maker: "Sola Australia", model: "Sola 525"},
	{code: "620", maker: "Sola Australia", model: "Sola 620", packs: true},
}

// bestIdentity decodes a reply to ID.
func bestIdentity(line []byte, r *reading) error {
	code, rest, ok := strings.Cut(string(line), ",")
	if !ok || len(code) != 3 {
		return fmt.Errorf("%w: want a model and five numbers with commas: %q", ErrMalformed, line)
	}
	maker, model, runtime, packs := "Unknown", "Unknown (unknown)", true, false
	for _, m := range bestModels {
		if m.code == code {
			maker, model, runtime, packs = m.maker, m.model, !m.noRuntime, m.packs
		}
	}
	r.set("device.mfr", maker)
	r.set("device.model", model)
	if runtime {
		r.able = append(r.able, "runtime")
	}
	if packs {
		r.able = append(r.able, "packs")
	}
	if code == "PRO" || code == "PR2" {
		r.able = append(r.able, "inverted")
	}
	return words("",
		number("ups.power.nominal", 99999e3, 0),
		volts("input.voltage.nominal").with(0),
		volts("output.voltage.nominal").with(0),
		battery("battery.voltage.low"),
		battery("battery.voltage.high"),
	)([]byte(strings.ReplaceAll(rest, ",", " ")), r)
}

// bestRegulation corrects the bit for boost and buck: some models have it the other way round,
// and it means nothing while the unit does something else.
func bestRegulation(d *device, r *reading) {
	if d.able["inverted"] {
		r.Bits ^= Regulating
	}
	if r.Bits&(UtilityFail|Testing|ShuttingDown) != 0 {
		r.Bits &^= Regulating
	}
}

// bestProfiles are the transfer voltages by the reply to M, of units for up to 160 V and of the
// others: low, where boost begins, nominal, where buck begins, high. 0 means that there is none.
var bestProfiles = map[bool][10][5]int{
	false: {
		{96, 109, 120, 130, 146}, {96, 109, 120, 138, 156}, {90, 104, 120, 130, 146},
		{90, 104, 120, 138, 156}, {90, 104, 110, 120, 130}, {90, 104, 110, 130, 146},
		{90, 96, 110, 120, 130}, {90, 96, 110, 130, 146}, {96, 109, 128, 146, 156},
		{90, 104, 128, 146, 156},
	},
	true: {
		{200, 222, 240, 250, 284}, {200, 222, 240, 264, 290}, {188, 210, 240, 250, 284},
		{188, 210, 240, 264, 290}, {188, 210, 230, 244, 270}, {188, 210, 230, 250, 284},
		{180, 200, 230, 244, 270}, {180, 200, 230, 250, 284}, {165, 188, 208, 222, 244},
		{165, 188, 208, 244, 270},
	},
}

// bestProfile keeps the profile for when the nominal voltage is known.
func bestProfile(line []byte, r *reading) error {
	if len(line) != 1 || line[0] < '0' || line[0] > '9' {
		return fmt.Errorf("%w: want a digit: %q", ErrMalformed, line)
	}
	r.later = func(known func(string) string) []value {
		nominal, _ := parseMilli(known("input.voltage.nominal"))
		p := bestProfiles[nominal > 160e3][line[0]-'0']
		var all []value
		for _, v := range []struct {
			variable string
			volts    int
		}{
			{"input.transfer.low", p[0]},
			{"input.transfer.boost.low", p[0]}, {"input.transfer.boost.high", p[1]},
			{"input.voltage.nominal", p[2]}, {"output.voltage.nominal", p[2]},
			{"input.transfer.trim.low", p[3]}, {"input.transfer.trim.high", p[4]},
			{"input.transfer.high", p[4]},
		} {
			all = append(all, value{variable: v.variable, text: strconv.Itoa(v.volts)})
		}
		return all
	}
	return nil
}
