package nut

import (
	"slices"
	"strings"
)

// Describe returns one line about a variable, "" when its name means nothing to us. Clients see the
// line as it is in answers to GET DESC. The wording is our own: a site that wants the wording of
// the C server gives upsd its cmdvartab with DATAPATH.
//
// Names of several forms are described by what they are made of:
//
//	outlet.3.current            an outlet; so are outlet.group.2.load, device.1.ups.load
//	input.L1-L2.voltage         a phase
//	battery.voltage.high        a limit or rating of another variable
//	driver.parameter.pollfreq   a setting of the driver
func Describe(name string) string {
	name = strings.ToLower(name)
	for _, p := range settings {
		if key, ok := strings.CutPrefix(name, p.prefix); ok && key != "" {
			return p.text + key
		}
	}
	return describe(strings.Split(name, "."), variables)
}

// DescribeCommand returns one line about an instant command, "" when its name means nothing to us.
// Clients see it as it is in answers to GET CMDDESC and in the list of upscmd -l.
func DescribeCommand(name string) string {
	return describe(strings.Split(strings.ToLower(name), "."), commands)
}

// settings are the variables in which a driver shows its configuration.
var settings = []struct{ prefix, text string }{
	{"driver.parameter.", "Setting of the driver: "},
	{"driver.flag.", "Switch of the driver: "},
}

// places are words in names that say which of several: the part of the name, its table entry with
// the number left out, and how it is put behind the description.
var places = []struct {
	before []string // the words in front of the number
	text   string
}{
	{[]string{"outlet", "group"}, "outlet group "},
	{[]string{"outlet"}, "outlet "},
	{[]string{"device"}, "device "},
	{[]string{"ambient", "contacts"}, "contact "},
	{[]string{"ambient"}, "sensor "},
	{[]string{"input"}, "input "},
}

// phases are the parts of names that say between which wires, as they are shown.
var phases = map[string]string{
	"l1": "phase L1", "l2": "phase L2", "l3": "phase L3", "n": "neutral",
	"l1-n": "L1 to neutral", "l2-n": "L2 to neutral", "l3-n": "L3 to neutral",
	"l1-l2": "L1 to L2", "l2-l3": "L2 to L3", "l3-l1": "L3 to L1",
}

// describe looks a name up: whole, without its number, without its phase, without its last words.
func describe(parts []string, table map[string]string) string {
	if text, ok := table[strings.Join(parts, ".")]; ok {
		return text
	}
	if rest, place := withoutNumber(parts); place != "" {
		return behind(describe(rest, table), place)
	}
	for i, p := range parts {
		if phase, ok := phases[p]; ok && i > 0 && i+1 < len(parts) {
			return behind(describe(slices.Delete(slices.Clone(parts), i, i+1), table), phase)
		}
	}
	for _, l := range limits {
		if rest, ok := strings.CutSuffix(strings.Join(parts, "."), "."+l.suffix); ok {
			return inFront(l.text, describe(strings.Split(rest, "."), table))
		}
	}
	return ""
}

// withoutNumber takes the first number that means a place out of a name. What remains of
// device.1.ups.load is ups.load; of outlet.3.current it is outlet.current.
func withoutNumber(parts []string) (rest []string, place string) {
	for _, p := range places {
		n := len(p.before)
		if len(parts) < n+2 || !slices.Equal(parts[:n], p.before) || !isNumber(parts[n]) {
			continue
		}
		keep := n
		if p.before[0] == "device" {
			keep = 0
		}
		return append(slices.Clone(parts[:keep]), parts[n+1:]...), p.text + parts[n]
	}
	return nil, ""
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func behind(text, place string) string {
	if text == "" {
		return ""
	}
	return text + ", " + place
}

func inFront(limit, text string) string {
	if text == "" {
		return ""
	}
	return limit + " " + strings.ToLower(text[:1]) + text[1:]
}

// limits are endings that make a limit, an extreme or a rating of a variable, longest first where
// one ends with another.
var limits = []struct{ suffix, text string }{
	{"high.warning", "Upper warning limit of the"},
	{"high.critical", "Upper critical limit of the"},
	{"low.warning", "Lower warning limit of the"},
	{"low.critical", "Lower critical limit of the"},
	{"alarm.maximum", "Upper alarm limit of the"},
	{"alarm.minimum", "Lower alarm limit of the"},
	{"alarm.high", "Upper alarm limit of the"},
	{"alarm.low", "Lower alarm limit of the"},
	{"alarm.enable", "Whether alarms are raised for the"},
	{"alarm", "Whether there is an alarm about the"},
	{"maximum.percent", "Highest value, in percent of the rating, of the"},
	{"minimum.percent", "Lowest value, in percent of the rating, of the"},
	{"percent", "In percent of the rating: the"},
	{"maximum", "Highest value seen of the"},
	{"minimum", "Lowest value seen of the"},
	{"nominal", "Rated value of the"},
	{"high", "Upper limit of the"},
	{"low", "Lower limit of the"},
	{"status", "Judgement of the unit on the"},
}
