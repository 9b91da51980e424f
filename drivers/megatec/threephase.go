package megatec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The dialects of large units: Q1 for the status bits, and longer lines for the phases.
//
//	> Q6
//	< (227.0 225.6 230.0 50.0 229.9 000.0 000.0 49.9 007 000 000 327.8 000.0 23.0 06932 100 32
//	   00000000 00000000 11
//	   input V of three phases, Hz; output V of three, Hz; load of three; both halves of the
//	   battery; temperature; seconds; charge; unused; topology of input and output (one line)
//	> WA
//	< (001.4 000.0 000.0 001.4 000.0 000.0 001.4 001.4 006.5 000.0 000.0 007 00000000
//	   kW, kVA of three phases; kW, kVA; A of three; load
//	> BPS
//	< (230.4 000.0 000.0 49.9
//	   bypass V of three phases, Hz
var (
	q6 = dialect{name: "q6", title: "Q6", status: askBits,
		claim:  []query{{send: "Q6", read: q6Line}, {send: "WA", read: waLine}},
		slow:   []query{{send: "Q6", read: q6Line}, {send: "WA", read: waLine}},
		orders: usualOrders, settings: usualDelays, fixed: phasesOf(3, 3),
	}
	q2 = dialect{name: "q2", title: "Q2", status: askBits,
		claim:  []query{{send: "Q2", read: q2Line}, {send: "WA", read: waLine}},
		slow:   []query{{send: "Q2", read: q2Line}, {send: "WA", read: waLine}},
		orders: usualOrders, settings: usualDelays, fixed: phasesOf(3, 3),
	}
	// innovart31 has one phase at its output, innovart33 three.
	innovart31 = innovart("innovart31", "INNOVART31", q6To1Line, waTo1Line, bypass1Line, 1)
	innovart33 = innovart("innovart33", "INNOVART33", q6Line33, waLine, bypass3Line, 3)
)

// askBits is the status where other replies tell the numbers.
var askBits = query{send: "Q1", read: bitsLine}

func innovart(name, title string, q6, wa, bypass decoder, outputs int) dialect {
	// How many phases the output has shows in what is measured there while it is on.
	right := func(line []byte, r *reading) error {
		if err := q6(line, r); err != nil {
			return err
		}
		words := strings.Fields(string(line))
		on, three := words[4] != "000.0", words[5] != "000.0"
		if on && three != (outputs == 3) {
			return fmt.Errorf("%w: want %d phases at the output: %q", ErrMalformed, outputs, line)
		}
		return nil
	}
	firmware := query{send: "FW?", kind: vendorQuery,
		read: columns("", 1, text("ups.firmware").at(0, 0))}
	serial := query{send: "SASV07?", kind: vendorQuery,
		read: columns("", 8, text("ups.serial").at(7, 0))}
	lines := []query{{send: "Q6", read: q6}, {send: "WA", read: wa}, {send: "BPS", read: bypass}}
	return dialect{name: name, title: title, status: askBits,
		claim: append([]query{{send: "Q6", read: right}}, append(slices.Clone(lines[1:]),
			askRating, firmware, serial)...),
		once: []query{askRating, firmware, serial}, slow: lines,
		orders: but(usualOrders, order{name: "beeper.toggle"}), settings: usualDelays,
		fixed: append(phasesOf(3, outputs),
			value{variable: "input.bypass.phases", text: strconv.Itoa(outputs)}),
	}
}

// phasesOf are the numbers of phases that a dialect implies.
func phasesOf(input, output int) []value {
	return []value{{variable: "input.phases", text: strconv.Itoa(input)},
		{variable: "output.phases", text: strconv.Itoa(output)}}
}

// topology are two flags: how input and output are connected.
func topology(word string, r *reading) error {
	if err := flags(word, 2); err != nil {
		return err
	}
	r.set("experimental.input.topology", choose(word[0] == '1', "star", "delta"))
	r.set("experimental.output.topology", choose(word[1] == '1', "star", "delta"))
	return nil
}

var (
	inputs = []field{
		volts("input.L1-N.voltage"), volts("input.L2-N.voltage"), volts("input.L3-N.voltage"),
	}
	outputs = []field{
		volts("output.L1-N.voltage"), volts("output.L2-N.voltage"), volts("output.L3-N.voltage"),
	}
	loads = []field{
		percent("output.L1.load"), percent("output.L2.load"), percent("output.L3.load"),
	}
	q6Line = words("(", slices.Concat(inputs, []field{hertz("input.frequency")},
		outputs, []field{hertz("output.frequency")}, loads, []field{
			battery("battery.voltage").keep(pack),
			battery("experimental.battery.voltage.negative"),
			celsius("ups.temperature"), seconds("battery.runtime"), charge("battery.charge"),
			skipped(), skipped(), skipped(),
			{name: "topology", take: topology},
		})...)
	q6Line33 = words("(", slices.Concat(inputs, []field{hertz("input.frequency")},
		outputs, []field{hertz("output.frequency")}, loads, []field{
			battery("battery.voltage").keep(pack), battery("").unseen(),
			celsius("ups.temperature"), seconds("battery.runtime"), charge("battery.charge"),
			skipped(), skipped(), skipped(), skipped(),
		})...)
	q6To1Line = words("(", slices.Concat(inputs, []field{hertz("input.frequency"),
		volts("output.voltage"), volts("").unseen(), volts("").unseen(), hertz("output.frequency"),
		percent("ups.load"), percent("").unseen(), percent("").unseen(),
		battery("battery.voltage").keep(pack), battery("").unseen(),
		celsius("ups.temperature"), seconds("battery.runtime"), charge("battery.charge"),
		skipped(), skipped(), skipped(), skipped()})...)
	waLine = words("(",
		kilo("output.L1.realpower"), kilo("output.L2.realpower"), kilo("output.L3.realpower"),
		kilo("output.L1.power"), kilo("output.L2.power"), kilo("output.L3.power"),
		kilo("ups.realpower"), kilo("ups.power"),
		amperes("output.L1.current"), amperes("output.L2.current"), amperes("output.L3.current"),
		percent("ups.load"), skipped())
	waTo1Line = words("(",
		kilo("").unseen(), kilo("").unseen(), kilo("").unseen(),
		kilo("").unseen(), kilo("").unseen(), kilo("").unseen(),
		kilo("ups.realpower"), kilo("ups.power"),
		amperes("output.current"), amperes("").unseen(), amperes("").unseen(),
		percent("").unseen(), skipped())
	bypass1Line = words("(", volts("input.bypass.voltage"), volts("").unseen(),
		volts("").unseen(), hertz("input.bypass.frequency"))
	bypass3Line = words("(", volts("input.bypass.L1-N.voltage"),
		volts("input.bypass.L2-N.voltage"), volts("input.bypass.L3-N.voltage"),
		hertz("input.bypass.frequency"))

	// q2Line has fields in between of which nothing is known.
	q2Line = columns("(", 117,
		inputs[0].at(1, 5), inputs[1].at(7, 11), inputs[2].at(13, 17),
		volts("input.voltage.fault").at(19, 23),
		outputs[0].at(25, 29), outputs[1].at(31, 35), outputs[2].at(37, 41),
		loads[0].at(43, 45), loads[1].at(47, 49), loads[2].at(51, 53),
		hertz("input.frequency").at(55, 58),
		battery("battery.voltage").keep(pack).at(60, 64),
		celsius("ups.temperature").at(66, 69),
		minutes("battery.runtime").at(80, 85), charge("battery.charge").at(87, 89),
		field{name: "topology", take: topology}.at(115, 116))
)
