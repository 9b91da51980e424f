package apcsmart

import "time"

// A model is what differs between units.
type model struct {
	name     string // as on the command line
	commands string // what it knows besides Y, R and Q
	listed   string // the answer to a; "" means that it does not know a
	model    string // the answer to ^A
	version  string // to V
	firmware string // to b
	locale   byte   // which of the settings by country apply: the last letter of the firmware
	settings []setting
	old      bool // sleeps as old units do
	grace    time.Duration
}

// A setting is a value in the EEPROM that - turns to the next permitted one.
type setting struct {
	letter byte
	locale byte     // '4' is any
	values []string // all of one length, the first is the factory's
}

// Names of models.
const (
	SmartUPS = "smart-ups" // of the third generation, 50 Hz and 230 V
	OldUPS   = "old"       // of the first
	Matrix   = "matrix"
	BackCS   = "cs"
	Unknown  = "unknown" // an old one that no table knows
)

// Models are the names that Options.Model may have.
func Models() []string {
	var names []string
	for _, m := range models {
		names = append(names, m.name)
	}
	return names
}

var models = []model{
	{
		name: SmartUPS, model: "SMART-UPS 1400", version: "GWI", firmware: "50.11.I", locale: 'I',
		commands: "\x01\x0e\x1a@ABCDEFGKLMNOPSUVWXZabcefgjklmnopqrsuxyz789'~-",
		listed:   "\x01\x0e\x1a'789@ABCDEFGKLMNOPQRSUVWXYZabcefgjklmnopqrsuxyz",
		settings: []setting{
			{'u', 'I', []string{"253", "264", "271", "280"}},
			{'l', 'I', []string{"196", "188", "208", "204"}},
			{'u', 'D', []string{"127", "130", "133", "136"}},
			{'l', 'D', []string{"103", "100", "097", "106"}},
			{'e', '4', []string{"00", "15", "50", "90"}},
			{'o', 'I', []string{"230", "240", "220", "225"}},
			{'q', '4', []string{"02", "05", "07", "10"}},
			{'p', '4', []string{"020", "180", "300", "600"}},
			{'k', '4', []string{"0", "T", "L", "N"}},
			{'r', '4', []string{"000", "060", "180", "300"}},
			{'E', '4', []string{"336", "168", "ON ", "OFF"}},
			{'s', '4', []string{"H", "M", "L", "L"}},
		},
	},
	{
		name: OldUPS, version: "6QI", locale: 'I', old: true, grace: 20 * time.Second,
		commands: "@ABCDEFGKLMNOPSUVWXZcefgjklmnopqrsuxz79-",
		settings: []setting{
			{'u', 'I', []string{"253", "264"}},
			{'l', 'I', []string{"196", "188"}},
			{'E', '4', []string{"336", "168", "ON ", "OFF"}},
			{'e', '4', []string{"00"}},
			{'k', '4', []string{"0"}},
			{'o', '4', []string{"230"}},
			{'p', '4', []string{"020"}},
			{'q', '4', []string{"02"}},
			{'r', '4', []string{"000"}},
			{'s', '4', []string{"H"}},
		},
	},
	{
		name: Matrix, version: "0XI", locale: 'I',
		commands: "\x0c\x0e@ABCDEFGKLMNOPSTUVWXZcefgjklmnopqrsuwxz789/<>^-",
		settings: []setting{
			{'u', 'I', []string{"253", "264", "271", "280"}},
			{'l', 'I', []string{"176", "188", "208", "204"}},
			{'E', '4', []string{"336", "168", "ON ", "OFF"}},
			{'e', '4', []string{"00", "15", "50", "90"}},
			{'k', '4', []string{"0", "T", "L", "N"}},
			{'o', '4', []string{"230"}},
			{'p', '4', []string{"020", "180", "300", "600"}},
			{'q', '4', []string{"02", "05", "07", "10"}},
			{'r', '4', []string{"000", "060", "180", "300"}},
			{'s', '4', []string{"A"}},
		},
	},
	{
		name: BackCS, model: "BACK-UPS CS 500", firmware: "5.4.D", locale: 'D',
		commands: "\x01@ABPSUbdfgjmnx9", grace: 20 * time.Second,
	},
	{
		name: Unknown, version: "5YW", firmware: "476.18.W", locale: 'W', old: true,
		commands: "@BCLOPSUVWZKbf/", grace: 20 * time.Second,
	},
}

func modelNamed(name string) (model, bool) {
	for _, m := range models {
		if m.name == name {
			return m, true
		}
	}
	return model{}, false
}

// applies reports whether a unit of that country has the setting.
func (s setting) applies(locale byte) bool { return s.locale == '4' || s.locale == locale }

// capabilities is the answer to ^Z: # and then for each setting its letter, its locale, how many
// values, how long each is, and the values. Numbers are single characters that count from '0'.
func (m model) capabilities() string {
	out := []byte("#")
	for _, s := range m.settings {
		out = append(out, s.letter, s.locale, byte('0'+len(s.values)), byte('0'+len(s.values[0])))
		for _, v := range s.values {
			out = append(out, v...)
		}
	}
	return string(out)
}
