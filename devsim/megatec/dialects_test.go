package megatec

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
)

// A step is one command, or the passing of time when there is none, and how the answer begins.
type step struct {
	after time.Duration
	cmd   string
	want  string // "" is silence
	have  string // somewhere in the answer
}

// Each dialect with what makes it a dialect: settings that stick, timers that run down, tests that
// end, and its way to say no.
func TestDialects(t *testing.T) {
	tests := map[string][]step{
		"megatec/old": {{cmd: "D", want: "(230.0"}, {cmd: "Q1", want: "Q1"}},
		"mustek":      {{cmd: "QS", want: "(230.0"}, {cmd: "M", want: "M"}},
		"zinto":       {{cmd: "FW?", want: "#ACME POWER"}, {cmd: "I", want: "I"}},
		"q1":          {{cmd: "F", want: "F"}, {cmd: "I", want: "I"}, {cmd: "Q1", want: "(230.0"}},
		"hunnox":      {{cmd: "BL", want: "BL100"}},
		"mecer": {{cmd: "QPI", want: "(PI98"}, {cmd: "S.5R0001", want: "(ACK"},
			{cmd: "Q1", want: "(", have: "00001011"}, {cmd: "C", want: "(ACK"}, {cmd: "QX", want: "(NAK"}},
		"innovatae": {{cmd: "I", want: "#2222", have: "R1.00.48"}, {cmd: "QX", want: "NAK"}},
		"voltronic-qs": {{cmd: "M", want: "V"}, {cmd: "QS", want: "(230.0", have: " --.- 00001001"},
			{cmd: "T", want: ""}, {cmd: "QS", want: "(", have: "00001101"},
			{after: 11 * time.Second, cmd: "QS", want: "(", have: "00001001"}, {cmd: "T05", want: "T05"}},
		"voltronic-qs-h":   {{cmd: "M", want: "H"}, {cmd: "QI", want: "(100 00600 50.0"}},
		"voltronic-qs-hex": {{cmd: "M", want: "T"}, {cmd: "QS", want: "#"}, {cmd: "F", want: "N"}},
		"voltronic": {
			{cmd: "QPI", want: "(PI01"}, {cmd: "QMOD", want: "(L"}, {cmd: "T", want: "(ACK"},
			{cmd: "QMOD", want: "(T"}, {after: 11 * time.Second, cmd: "QMOD", want: "(L"},
			{cmd: "QFLAG", want: "(EpashcjrDbdoegf"}, {cmd: "PDA", want: "(ACK"},
			{cmd: "QFLAG", want: "(EpshcjrDabdoegf"}, {cmd: "PDY", want: "(NAK"},
			{cmd: "HEH250", want: "(ACK"}, {cmd: "QHE", want: "(250 218"}, {cmd: "HEH25", want: "(NAK"},
			{cmd: "BZOFF", want: "(ACK"}, {cmd: "QGS", want: "(230.0", have: "100000000101"},
			{cmd: "SKOFF2", want: "(ACK"}, {cmd: "QSK2", want: "(0"}, {cmd: "QSK3", want: "(NAK"},
			{cmd: "S.2R0001", want: "(ACK"}, {after: 13 * time.Second, cmd: "QMOD", want: "(S"},
			{after: time.Minute, cmd: "QMOD", want: "(L"},
		},
		"voltronic-axpert": {{cmd: "QPI", want: "(NAK"}, {cmd: "QPI\xbe\xac", want: "(PI30\x9a\x0b"},
			{cmd: "QMODI\xc1", want: "(L"}, {cmd: "QPIGS\xb7\xa9", want: "(230.0 50.0"},
			{cmd: "QPIWS\xb4\xda", want: "(00000000000000000000000000000000"}},
		"bestups": {{cmd: "ID", want: "FOR,600,230,230,20.8,26.0"}, {cmd: "RT", want: "010"},
			{cmd: "S.2", want: ""}, {after: 13 * time.Second, cmd: "Q1", want: "(230.0 167.9 000.0"},
			{after: time.Hour, cmd: "Q1", want: "(230.0 167.9 000.0"}, {cmd: "C", want: ""},
			{cmd: "Q1", want: "(230.0 167.9 228.9"}},
		"ablerex": {{cmd: "TR", want: "#OK"}, {cmd: "At", want: "(\x00\x00\x02"},
			{cmd: "Q5", want: "(\x01\xf4"}},
		"gtec": {{cmd: "Q4", want: "(230.0", have: " M"}, {cmd: "Q1", want: "Q1"}},
		"q2":   {{cmd: "Q2", want: "(230.0 229.3 228.6"}, {cmd: "WA", want: "(000.1"}},
		"q6":   {{cmd: "Q6", want: "(230.0 229.3 228.6", have: "00600 100"}},
		"innovart31": {{cmd: "Q6", want: "(230.0", have: "228.9 000.0 000.0"}, {cmd: "BPS", want: "(230.0"},
			{cmd: "Q5", want: "NAK"}},
		"innovart33": {{cmd: "Q6", want: "(230.0", have: "228.9 228.6 228.3"}},
		"omron": {{cmd: "Bl ?", want: "100"}, {cmd: "UN", want: "0600W/0750VA/024V"},
			{cmd: "S.2", want: "NAK"}, {cmd: "An", want: "OK"}, {cmd: "S.2", want: "OK"},
			{after: 13 * time.Second, cmd: "Q1", want: "(230.0 167.9 000.0"},
			{after: time.Minute, cmd: "Q1", want: "(230.0 167.9 228.9"}},
		"masterguard": {{cmd: "WH", want: "(00 01.06 02.03 A 1000  + 1 Bat Pack-19"}, {cmd: "GS,00", want: "(00,00 1 1"},
			{cmd: "SS---0,00", want: ""}, {cmd: "GS,00", want: "(00,00 1 0"}, {cmd: "GS,01", want: "GS,01"}, {cmd: "FLT,00", want: "(00,7 0043 0012:16:48:06 3 0071"},
			{cmd: "FCLR,00", want: ""}, {cmd: "FLT,00", want: "(00,0 0000 0000:00:00:00 0"},
			{cmd: "FOFF", want: ""}, {cmd: "Q3", want: "(00", have: " 00101000 "}, {cmd: "FON", want: ""},
			{cmd: "GSN,00", want: "(00,SSN=6RX20011234 0815"}, {cmd: "PNV", want: "(PNV=230"},
			{cmd: "S.2R0120", want: ""}, {after: 13 * time.Second, cmd: "Q3", want: "(00 230.0 167.9 000.0"},
			{after: 110 * time.Second, cmd: "Q3", want: "(00 230.0 167.9 000.0"},
			{after: 20 * time.Second, cmd: "Q3", want: "(00 230.0 167.9 228.9"}},
	}
	for _, name := range Dialects() {
		if name != "megatec" && tests[name] == nil {
			t.Errorf("dialect %s has no test: add %q: {{cmd: what it is asked, want: how the "+
				"answer begins}} to tests", name, name)
		}
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			body := power.New(power.Spec{})
			dev := New(body, Options{Dialect: name})
			now := time.Duration(0)
			for _, s := range steps {
				now += s.after
				got := string(dev.Receive(now, []byte(s.cmd+"\r")))
				if !strings.HasPrefix(got, s.want) || !strings.Contains(got, s.have) || (got == "") != (s.want == "") {
					t.Errorf("at %v: %q answers %q, want %q ... %q", now, s.cmd, got, s.want, s.have)
				}
			}
		})
	}
}
