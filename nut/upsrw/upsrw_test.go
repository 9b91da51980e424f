package upsrw_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsrw"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// answers are those of the server in these tests. A request that is not listed is not answered.
var answers = map[string]string{
	"LIST RW rack": `BEGIN LIST RW rack
RW rack battery.charge.low "20"
RW rack input.sensitivity "high"
RW rack input.transfer.low "200"
RW rack odd.one "1"
RW rack odd.two "2"
RW rack ups.delay.start "12"
RW rack ups.id "sh\"ort"
END LIST RW rack`,
	"GET DESC rack battery.charge.low":   `DESC rack battery.charge.low "Remaining battery level (percent)"`,
	"GET TYPE rack battery.charge.low":   "TYPE rack battery.charge.low RW RANGE NUMBER",
	"LIST RANGE rack battery.charge.low": "BEGIN LIST RANGE rack battery.charge.low\nRANGE rack battery.charge.low \"10\" \"30\"\nRANGE rack battery.charge.low \"50\" \"60\"\nEND LIST RANGE rack battery.charge.low",
	"GET DESC rack input.sensitivity":    `DESC rack input.sensitivity "Input power sensitivity"`,
	"GET TYPE rack input.sensitivity":    "TYPE rack input.sensitivity RW ENUM STRING:10",
	"LIST ENUM rack input.sensitivity":   "BEGIN LIST ENUM rack input.sensitivity\nENUM rack input.sensitivity \"low\"\nENUM rack input.sensitivity \"high\"\nEND LIST ENUM rack input.sensitivity",
	"GET DESC rack input.transfer.low":   `DESC rack input.transfer.low "Low voltage transfer point (V)"`,
	"GET TYPE rack input.transfer.low":   "TYPE rack input.transfer.low RW ENUM NUMBER",
	"LIST ENUM rack input.transfer.low":  "BEGIN LIST ENUM rack input.transfer.low\nENUM rack input.transfer.low \"190\"\nENUM rack input.transfer.low \"200.0\"\nEND LIST ENUM rack input.transfer.low",
	"GET DESC rack odd.one":              "ERR UNKNOWN-COMMAND",
	"GET TYPE rack odd.one":              "TYPE rack odd.one RW TEA",
	"GET DESC rack odd.two":              `DESC rack odd.two "Odd"`,
	"GET TYPE rack odd.two":              "ERR VAR-NOT-SUPPORTED",
	"GET DESC rack ups.delay.start":      `DESC rack ups.delay.start "Interval (seconds)"`,
	"GET TYPE rack ups.delay.start":      "TYPE rack ups.delay.start RW NUMBER",
	"GET DESC rack ups.id":               `DESC rack ups.id "UPS system identifier"`,
	"GET TYPE rack ups.id":               "TYPE rack ups.id RW STRING:8",
	"LIST RW bare":                       "BEGIN LIST RW bare\nEND LIST RW bare",
	"LIST RW shed":                       "ERR DATA-STALE",
	"USERNAME admin":                     "OK",
	"PASSWORD secret":                    "OK",
	"SET TRACKING ON":                    "OK",
	"SET VAR rack ups.id new":            "OK",
	`SET VAR rack ups.id "a=b c"`:        "OK",
	`SET VAR rack ups.id ""`:             "OK",
	"SET VAR rack ups.id tracked":        "OK TRACKING 1",
	"SET VAR rack ups.id refused":        "OK TRACKING 2",
	"SET VAR rack ups.id toolongvalue":   "ERR TOO-LONG",
	"SET VAR rack ups.status OL":         "ERR READONLY",
	"SET VAR rack ups.id odd":            "hello",
	"GET TRACKING 1":                     "SUCCESS",
	"GET TRACKING 2":                     "ERR INVALID-ARGUMENT",
	"LOGOUT":                             "OK Goodbye",
}

const listing = `[battery.charge.low]
Remaining battery level (percent)
Type: RANGE NUMBER
Option: "10-30" SELECTED
Option: "50-60"

[input.sensitivity]
Input power sensitivity
Type: ENUM STRING
Maximum length: 10
Option: "low"
Option: "high" SELECTED

[input.transfer.low]
Low voltage transfer point (V)
Type: ENUM NUMBER
Option: "190"
Option: "200.0"

[odd.one]
Description unavailable
Type: TEA (unrecognized)

[odd.two]
Odd
Unknown type

[ups.delay.start]
Interval (seconds)
Type: NUMBER
Value: 12

[ups.id]
UPS system identifier
Type: STRING
Maximum length: 8
Value: sh"ort

`

const objects = `{"ups":"rack","variable":"battery.charge.low","description":"Remaining battery level (percent)","type":"number","value":"20","ranges":[{"min":10,"max":30},{"min":50,"max":60}]}
{"ups":"rack","variable":"input.sensitivity","description":"Input power sensitivity","type":"string","maxLength":10,"value":"high","options":["low","high"]}
{"ups":"rack","variable":"input.transfer.low","description":"Low voltage transfer point (V)","type":"number","value":"200","options":["190","200.0"]}
{"ups":"rack","variable":"odd.one","description":"Description unavailable","type":"string","value":"1"}
{"ups":"rack","variable":"odd.two","description":"Odd","type":"string","value":"2"}
{"ups":"rack","variable":"ups.delay.start","description":"Interval (seconds)","type":"number","value":"12"}
{"ups":"rack","variable":"ups.id","description":"UPS system identifier","type":"string","maxLength":8,"value":"sh\"ort"}
`

// run runs upsrw on a host that has a server, and returns what the server heard.
func run(t *testing.T, args ...string) (out, errOut string, code int, heard []string) {
	t.Helper()
	w := world.New(world.Options{Programs: func(_ *world.Host, name string) env.Main {
		return map[string]env.Main{"upsrw": upsrw.Main}[name]
	}})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	h.StartMain("upsd", upsdtest.Main(upsdtest.Each(func(request string) string {
		if request == "STARTTLS" { // said on each connection; there is no TLS here
			return "ERR FEATURE-NOT-CONFIGURED\n"
		}
		heard = append(heard, request)
		if a, ok := answers[request]; ok {
			return a + "\n"
		}
		return ""
	})))
	var o, e strings.Builder
	p := h.StartTo(&o, &e, "upsrw", args, "NUT_QUIET_OK_NOTRACKING=true")
	if err := w.RunFor(time.Minute); err != nil {
		t.Fatal(err)
	}
	status, ended := p.Status()
	if !ended {
		t.Fatal("upsrw has not ended after a minute")
	}
	return o.String(), e.String(), int(status), heard
}

// CL-2, CL-8, UPSRW-1 to UPSRW-4.
func TestOutput(t *testing.T) {
	const (
		form = "Error: invalid UPS definition.  Required format: upsname[@hostname[:port]]\n"
		as   = "-u admin -p secret "
	)
	tests := []struct {
		name   string
		args   string
		out    string
		errOut string
		code   int
	}{
		{"what can be set, a block each", "rack", listing, "", 0},
		{"-l is the same", "-l rack", listing, "", 0},
		{"more words are ignored", "-l rack and more", listing, "", 0},
		{"nothing can be set", "bare", "", "", 0},
		{"-l after -s lists", "-s ups.id=new -l bare", "", "Listing mode requested, overriding setvar specified earlier!\n", 0},
		{"-s after -l sets", as + "-l -s ups.id=new rack", "", "OK\n", 0},
		{"the last -s counts", as + "-s ups.id=odd -s ups.id=new rack", "", "OK\n", 0},

		{"a value is taken", as + "-s ups.id=new rack", "", "OK\n", 0},
		{"an empty value is one", as + "-s ups.id= rack", "", "OK\n", 0},
		{"a value is refused", as + "-s ups.id=toolongvalue rack", "", "Unexpected response from upsd: ERR TOO-LONG\n", 1},
		{"a variable is not writable", as + "-s ups.status=OL rack", "", "Unexpected response from upsd: ERR READONLY\n", 1},
		{"an answer that is none", as + "-s ups.id=odd rack", "",
			"Set variable failed: Protocol error: SET VAR rack ups.id: got \"hello\", want OK\n", 1},
		{"a name without a dot", as + "-s status=1 rack", "", "Error: old variable names are not supported\n", 1},
		{"a variable with blanks around it", as + "-s _ups.id_=new rack", "", "OK\n", 0},
		{"no name", as + "-s =1 rack", "", "Error: old variable names are not supported\n", 1},
		{"nobody to give the value sets nothing", as + "-s ups.id rack", "Enter new value for ups.id: ",
			"Error reading from stdin!\n", 1},
		{"nobody to say who it is", "-s ups.id=new rack", "Username (root): ", "Error reading from stdin!\n", 1},

		{"tracked: the device took it", as + "-w -s ups.id=tracked rack", "", "SUCCESS\n", 0},
		{"tracked: the device refused, which is an error (BUG-7)", as + "-w -s ups.id=refused rack", "", "ERR INVALID-ARGUMENT\n", 1},
		{"a limit that is no number", "-t -1 rack", "",
			"Could not convert the provided value for timeout ('-t' option) to unsigned int: Invalid argument\n", 1},

		{"JSON: what can be set, an object each", "--json rack", objects, "", 0},
		{"JSON: a value is taken", as + "--json -s ups.id=new rack",
			`{"ups":"rack","variable":"ups.id","value":"new","result":"OK"}` + "\n", "OK\n", 0},
		{"JSON: an error", "--json shed", `{"error":"Error: Data stale"}` + "\n", "Error: Data stale\n", 1},

		{"the data is stale", "shed", "", "Error: Data stale\n", 1},
		{"no server", "rack@localhost:4000", "", "Error: Connection failure: Connection refused\n", 1},
		{"no host after the @", "rack@", "", "upscli_splitaddr: can't parse empty string\n" + form, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := strings.Fields(tt.args)
			for i, arg := range args {
				args[i] = strings.ReplaceAll(arg, "_", " ")
			}
			out, errOut, code, _ := run(t, args...)
			if out != tt.out || errOut != tt.errOut || code != tt.code {
				t.Errorf("upsrw %s: exit %d, want %d\nstdout %q\nwant   %q\nstderr %q\nwant   %q",
					tt.args, code, tt.code, out, tt.out, errOut, tt.errOut)
			}
		})
	}
}

func TestAValueMayContainBlanksAndEqualSigns(t *testing.T) {
	_, errOut, code, heard := run(t, "-u", "admin", "-p", "secret", "-s", "ups.id=a=b c", "rack")
	want := []string{"USERNAME admin", "PASSWORD secret", `SET VAR rack ups.id "a=b c"`, "LOGOUT"}
	if code != 0 || !slices.Equal(heard, want) {
		t.Errorf("exit %d, %q; the server heard %q, want %q", code, errOut, heard, want)
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"-h": "usage: upsrw", "-Z": "usage: upsrw", "": "usage: upsrw", "-l": "usage: upsrw", "-s a.b=c": "usage: upsrw",
		"-s": "usage: upsrw", "-V": "Network UPS Tools upsrw 2.8.5 (blackstart",
	} {
		if out, _, code, _ := run(t, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("upsrw %s: exit %d, %q; want 0, %q", args, code, out, want)
		}
	}
}
