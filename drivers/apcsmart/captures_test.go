package apcsmart_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/captures"
)

// A recorded device answers as one did, to what was asked then, and says nothing else.
type recorded struct{ answers map[byte]string }

func (r recorded) Receive(_ time.Duration, p []byte) []byte {
	var out []byte
	for _, c := range p {
		out = append(out, r.answers[c]...)
	}
	return out
}

// recordings reads the units of a transcript: each begins with a comment about it.
func recordings(t *testing.T) map[string]recorded {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(captures.Dir(t, "serial"), "apc-smart-firmware-probes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	units := map[string]recorded{}
	var name, cmd string
	for l := range strings.Lines(string(text)) {
		l = strings.TrimRight(l, "\n")
		switch c, isCmd := strings.CutPrefix(l, "C> "); {
		case strings.HasPrefix(l, "# "):
			name = l[2:]
			units[name] = recorded{map[byte]string{}}
		case isCmd:
			cmd = c
		case strings.HasPrefix(l, "S> <"):
		case strings.HasPrefix(l, "S> "):
			answer, err := strconv.Unquote(`"` + l[3:] + `"`)
			if err != nil || len(cmd) != 1 {
				t.Fatalf("%q %q: %v", cmd, l, err)
			}
			units[name].answers[cmd[0]] = answer
		}
	}
	return units
}

// What units said in the field becomes the variables that they meant. Smart mode and the status
// were not recorded; they are added.
func TestRecordings(t *testing.T) {
	units := recordings(t)
	for name, want := range map[string]map[string]string{
		"Smart-UPS 1500 RM (SUA1500RMI2U)":                           {"output.current": "00.88", "ups.model": "Smart-UPS"},
		"older Smart-UPS 1500 RM: no reply to the command-set query": {"ups.model": "Smart-UPS", "ups.firmware": ""},
		"Smart-UPS RT 10000 XL": {"battery.voltage": "219.2", "input.voltage": "227.5",
			"output.voltage": "230.4", "output.current": "07.29", "ups.load": "016.0",
			"ups.temperature": "022.9", "battery.charge": "100.0", "ups.firmware": "476.18.W"},
	} {
		unit, ok := units[name]
		if !ok {
			t.Errorf("no recording of %q", name)
			continue
		}
		unit.answers['Y'], unit.answers['Q'] = "SM\r\n", "08\r\n"
		for c := range byte(128) {
			if unit.answers[c] == "" && c != 'a' {
				unit.answers[c] = "NA\r\n"
			}
		}
		b := newBench(t, power.Spec{}, apcsmart.Options{})
		b.plug(unit)
		got := b.dump()
		want["ups.status"], want["ups.mfr"] = "OL", "APC"
		for variable, value := range want {
			if got[variable] != value {
				t.Errorf("%s: %s = %q, want %q", name, variable, got[variable], value)
			}
		}
	}
}
