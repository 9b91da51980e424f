package upsc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsc"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// answers are those of the server in these tests.
var answers = map[string]string{
	"LIST VAR rack": "BEGIN LIST VAR rack\nVAR rack battery.charge \"100\"\n" +
		"VAR rack ups.mfr \"Quo\\\"te \\\\ back \\# hash\"\nVAR rack ups.status \"OL\"\nEND LIST VAR rack\n",
	"GET VAR rack ups.status": "VAR rack ups.status \"OL\"\n",
	"GET VAR rack ups.mfr":    "VAR rack ups.mfr \"Quo\\\"te \\\\ back \\# hash\"\n",
	"GET VAR rack no.such":    "ERR VAR-NOT-SUPPORTED\n",
	"LIST UPS":                "BEGIN LIST UPS\nUPS rack \"Lab \\\"one\\\"\"\nUPS shed \"Description unavailable\"\nEND LIST UPS\n",
	"LIST CLIENT rack":        "BEGIN LIST CLIENT rack\nCLIENT rack 127.0.0.1\nCLIENT rack ::1\nEND LIST CLIENT rack\n",
	"LIST CLIENT shed":        "BEGIN LIST CLIENT shed\nEND LIST CLIENT shed\n",
	"LIST VAR shed":           "ERR DRIVER-NOT-CONNECTED\n",
	"LIST VAR stale":          "ERR DATA-STALE\n",
	"LIST VAR nosuch":         "ERR UNKNOWN-UPS\n",
	"LIST VAR broken":         "BEGIN LIST VAR broken\nVAR broken a.b \"1\"\nVAR broken c.d\n",
	`LIST VAR "two words"`:    "ERR UNKNOWN-UPS\n",
	"LIST VAR strange":        "hello\n",
	"STARTTLS":                "ERR FEATURE-NOT-CONFIGURED\n",
	"LOGOUT":                  "OK Goodbye\n",
}

// CL-1, CL-2, CL-3, CL-4, CL-5, CL-8, CLI-1, CLI-2, UPSC-1 to UPSC-6.
func TestOutput(t *testing.T) {
	const form = "Error: invalid UPS definition.\nRequired format: upsname[@hostname[:port]]\n"
	tests := []struct {
		name   string
		args   string
		out    string
		errOut string
		code   int
	}{
		{"all variables, unescaped", "rack", "battery.charge: 100\nups.mfr: Quo\"te \\ back # hash\nups.status: OL\n", "", 0},
		{"one variable", "rack ups.status", "OL\n", "", 0},
		{"more words are ignored", "rack ups.status and more", "OL\n", "", 0},
		{"flags after the UPS are words", "rack ups.status -Z", "OL\n", "", 0},
		{"a host may be given", "rack@localhost:3493 ups.status", "OL\n", "", 0},
		{"the list of UPSes", "-l", "rack\nshed\n", "", 0},
		{"with descriptions", "-L localhost", "rack: Lab \"one\"\nshed: Description unavailable\n", "", 0},
		{"clients", "-c rack", "127.0.0.1\n::1\n", "", 0},
		{"no clients", "-c shed", "", "", 0},
		{"flags that change nothing", "-D -W 3 -A none rack ups.status", "OL\n", "", 0},
		{"a time limit that is none", "-W soon rack ups.status", "OL\n", "-W \"soon\" is ignored: want a number of seconds\n", 0},

		{"JSON: all variables", "-j rack", "{\n  \"battery.charge\": \"100\",\n  \"ups.mfr\": \"Quo\\\"te \\\\ back # hash\",\n" +
			"  \"ups.status\": \"OL\"\n}\n", "", 0},
		{"JSON: one variable", "-j rack ups.mfr", "\"Quo\\\"te \\\\ back # hash\"\n", "", 0},
		{"JSON: the list of UPSes", "-j -l", "[\n  \"rack\",\n  \"shed\"\n]\n", "", 0},
		{"JSON: with descriptions", "-j -L", "{\n  \"rack\": \"Lab \\\"one\\\"\",\n  \"shed\": \"Description unavailable\"\n}\n", "", 0},
		{"JSON: no clients leave an empty line", "-j -c shed", "[\n\n]\n", "", 0},
		{"JSON: an error", "-j shed", "{\n  \"error\": \"Driver not connected\"\n}\n", "Error: Driver not connected\n", 1},

		{"the driver is down", "shed", "", "Error: Driver not connected\n", 1},
		{"the data is stale", "stale", "", "Error: Data stale\n", 1},
		{"an unknown UPS", "nosuch", "", "Error: Unknown UPS\n", 1},
		{"an unknown variable", "rack no.such", "", "Error: Variable not supported by UPS\n", 1},
		{"a name without a dot", "rack status", "", "Error: old-style variable names are not supported\n", 1},
		{"no server", "rack@localhost:4000", "", "Error: Connection failure: Connection refused\n", 1},
		{"no such host", "rack@nowhere", "", "Error: No such host\n", 1},
		{"no argument", "", "", form, 1},
		{"no host after the @", "rack@", "", "upscli_splitaddr: can't parse empty string\n" + form, 1},
		{"no host to list", "-l @", "", "Error: No such host\n", 1},
		{"a bad address to list", "-l a:b", "", "upscli_splitaddr: no port specified after ':' separator in \"a:b\", want 1-65535\n" +
			"Error: invalid hostname.\nRequired format: [hostname[:port]]\n", 1},
		{"a row that breaks off", "broken", "a.b: 1\n", "Error: insufficient data (got 3 args, need at least 4)\n", 1},
		{"JSON: half a list is none", "-j broken", "{\n  \"error\": \"insufficient data (got 3 args, need at least 4)\"\n}\n",
			"Error: insufficient data (got 3 args, need at least 4)\n", 1},
		{"a server of another kind", "strange", "",
			"Error: Protocol error: LIST VAR strange: got \"hello\", want BEGIN LIST and the words of the query\n", 1},
		{"credentials that are not there", "-A /no/such rack", "", "Error: cannot read /no/such: no such file or directory\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errOut, code := run(t, strings.Fields(tt.args)...)
			if out != tt.out || errOut != tt.errOut || code != tt.code {
				t.Errorf("upsc %s: exit %d, want %d\nstdout %q\nwant   %q\nstderr %q\nwant   %q",
					tt.args, code, tt.code, out, tt.out, errOut, tt.errOut)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for flag, want := range map[string]string{"-h": "usage: upsc", "-Z": "usage: upsc", "-V": "Network UPS Tools upsc 2.8.5 (blackstart"} {
		if out, _, code := run(t, flag); code != 0 || !strings.Contains(out, want) {
			t.Errorf("upsc %s: exit %d, %q; want 0, %q", flag, code, out, want)
		}
	}
}

// run runs upsc on a host that has a server.
func run(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	w := world.New(world.Options{Programs: func(_ *world.Host, name string) env.Main {
		return map[string]env.Main{"upsc": upsc.Main}[name]
	}})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	h.StartMain("upsd", upsdtest.Main(upsdtest.Each(func(request string) string {
		return answers[request]
	})))
	var o, e strings.Builder
	p := h.StartTo(&o, &e, "upsc", args)
	if err := w.RunFor(time.Minute); err != nil {
		t.Fatal(err)
	}
	status, ended := p.Status()
	if !ended {
		t.Fatal("upsc has not ended after a minute")
	}
	return o.String(), e.String(), int(status)
}
