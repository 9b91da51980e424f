package upscmd_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upscmd"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// An upsd knows its answers by heart, and remembers what it heard. A request that is not listed is
// not answered. Of several answers the last one stays.
type upsd struct {
	answers map[string][]string
	heard   []string
}

func newUpsd() *upsd {
	one := func(s string) []string { return []string{s} }
	return &upsd{answers: map[string][]string{
		"LIST CMD rack":                one("BEGIN LIST CMD rack\nCMD rack beeper.on\nCMD rack test.odd\nEND LIST CMD rack"),
		"LIST CMD bare":                one("BEGIN LIST CMD bare\nEND LIST CMD bare"),
		"LIST CMD shed":                one("ERR DRIVER-NOT-CONNECTED"),
		"GET CMDDESC rack beeper.on":   one(`CMDDESC rack beeper.on "Obsolete (use \"beeper.enable\")"`),
		"GET CMDDESC rack test.odd":    one("ERR UNKNOWN-COMMAND"),
		"USERNAME admin":               one("OK"),
		"PASSWORD secret":              one("OK"),
		"PASSWORD strange":             one("strange secret to repeat"),
		`PASSWORD "a b\#"`:             one("OK"),
		"SET TRACKING ON":              one("OK"),
		"INSTCMD rack beeper.on":       one("OK"),
		"INSTCMD rack test.good":       one("OK TRACKING 1"),
		"INSTCMD rack test.bad":        one("OK TRACKING 2"),
		"INSTCMD rack test.slow":       one("OK TRACKING 3"),
		"INSTCMD rack off.delay 120":   one("OK"),
		`INSTCMD rack off.delay "a b"`: one("OK"),
		"INSTCMD rack no.such":         one("ERR CMD-NOT-SUPPORTED"),
		"INSTCMD rack no.right":        one("ERR ACCESS-DENIED"),
		"INSTCMD rack no.sense":        one("hello"),
		"GET TRACKING 1":               {"PENDING", "PENDING", "SUCCESS"},
		"GET TRACKING 2":               one("ERR FAILED"),
		"GET TRACKING 3":               one("PENDING"),
		"LOGOUT":                       one("OK Goodbye"),
	}}
}

func (u *upsd) answer(request string) string {
	if request == "STARTTLS" { // said on each connection; there is no TLS here
		return "ERR FEATURE-NOT-CONFIGURED\n"
	}
	u.heard = append(u.heard, request)
	a := u.answers[request]
	if len(a) == 0 {
		return ""
	}
	if len(a) > 1 {
		u.answers[request] = a[1:]
	}
	return a[0] + "\n"
}

// run runs upscmd on a host that has a server.
func run(t *testing.T, u *upsd, environ []string, args ...string) (out, errOut string, code int, took time.Duration) {
	t.Helper()
	w := world.New(world.Options{Programs: func(_ *world.Host, name string) env.Main {
		if name != "upscmd" {
			return nil
		}
		return func(e env.Env, args []string) int {
			defer func() { took = time.Duration(e.Now()) }()
			return upscmd.Main(e, args)
		}
	}})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	h.WriteFile("/auth", []byte("[admin@localhost]\nPASS = secret\n"))
	h.WriteFile("/forced", []byte("FORCESSL = 1\n"))
	h.StartMain("upsd", upsdtest.Main(upsdtest.Each(u.answer)))
	var o, e strings.Builder
	p := h.StartTo(&o, &e, "upscmd", args, environ...)
	if err := w.RunFor(time.Minute); err != nil {
		t.Fatal(err)
	}
	status, ended := p.Status()
	if !ended {
		t.Fatal("upscmd has not ended after a minute")
	}
	return o.String(), e.String(), int(status), took
}

// CL-2, CL-8, UPSCMD-1 to UPSCMD-4.
func TestOutput(t *testing.T) {
	const (
		list = "Instant commands supported on UPS [rack]:\n\n" +
			"beeper.on - Obsolete (use \"beeper.enable\")\ntest.odd - Description unavailable\n"
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
		{"the list of commands", "-l rack", list, "", 0},
		{"a list ignores further words", "-l rack beeper.on", list, "", 0},
		{"a UPS that knows no command", "-l bare", "Instant commands supported on UPS [bare]:\n\n", "", 0},
		{"a list that is refused has no heading", "-l shed", "", "Error: Driver not connected\n", 1},

		{"a command is taken", as + "rack beeper.on", "", "OK\n", 0},
		{"a command with a value", as + "rack off.delay 120", "", "OK\n", 0},
		{"words after the value are ignored", as + "rack off.delay 120 -Z", "", "OK\n", 0},
		{"a command is refused", as + "rack no.such", "", "Unexpected response from upsd: ERR CMD-NOT-SUPPORTED\n", 1},
		{"a right is missing", as + "rack no.right", "", "Unexpected response from upsd: ERR ACCESS-DENIED\n", 1},
		{"an answer that is none", as + "rack no.sense", "",
			"Instant command failed: Protocol error: INSTCMD rack no.sense: got \"hello\", want OK\n", 1},
		{"a name without a dot", as + "rack beeper", "", "Error: old command names are not supported\n", 1},
		{"an error does not repeat the password", "-u admin -p strange rack beeper.on", "",
			"Authentication failed: Protocol error: PASSWORD: got \"...\", want OK\n", 1},

		{"tracked: the device did it", as + "-w rack test.good", "", "SUCCESS\n", 0},
		{"tracked: the device refused, which is an error (BUG-7)", as + "-w rack test.bad", "", "ERR FAILED\n", 1},
		{"tracked: no result in time", as + "-w -t 3 rack test.slow", "", "Can't receive status tracking information: timeout\n", 1},
		{"tracked: a server that does not track", as + "-w rack beeper.on", "", "OK\n", 0},
		{"a limit that is no number", as + "-t x rack beeper.on", "",
			"Could not convert the provided value for timeout ('-t' option) to unsigned int: Invalid argument\n", 1},

		{"nobody to say who it is", "-u admin rack beeper.on", "", "Password: Error reading from stdin!\n", 1},
		{"no name", "rack beeper.on", "Username (root): ", "Error reading from stdin!\n", 1},
		{"no server", as + "rack@localhost:4000 beeper.on", "", "Error: Connection failure: Connection refused\n", 1},
		{"no host after the @", "-l rack@", "", "upscli_splitaddr: can't parse empty string\n" + form, 1},
		{"nutauth.conf says who it is", "-A /auth rack beeper.on", "", "OK\n", 0},
		{"for the user that is given, too", "-A /auth -u admin rack beeper.on", "", "OK\n", 0},
		{"a flag counts before it", "-A /auth -p strange rack beeper.on", "",
			"Authentication failed: Protocol error: PASSWORD: got \"...\", want OK\n", 1},
		{"a nutauth.conf that is not there", "-A /no/such -l rack", "",
			"Error: cannot read /no/such: no such file or directory\n", 1},
		{"it may forbid to talk in clear", "-A /forced -l rack", "",
			"Error: SSL is not available: STARTTLS was answered with \"ERR FEATURE-NOT-CONFIGURED\", and FORCESSL forbids to go on in clear\n", 1},

		{"JSON: a list", "--json -l rack", `{"ups":"rack","command":"beeper.on","description":"Obsolete (use \"beeper.enable\")"}` + "\n" +
			`{"ups":"rack","command":"test.odd","description":"Description unavailable"}` + "\n", "", 0},
		{"JSON: an empty list", "--json -l bare", "", "", 0},
		{"JSON: an order is taken", as + "--json rack off.delay 120",
			`{"ups":"rack","command":"off.delay","value":"120","result":"OK"}` + "\n", "OK\n", 0},
		{"JSON: an order is carried out", as + "--json -w rack test.good",
			`{"ups":"rack","command":"test.good","result":"SUCCESS"}` + "\n", "SUCCESS\n", 0},
		{"JSON: an order fails", as + "--json -w rack test.bad", `{"error":"ERR FAILED"}` + "\n", "ERR FAILED\n", 1},
		{"flags that change nothing", "-D -W 3 -A none -l bare", "Instant commands supported on UPS [bare]:\n\n", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			quiet := []string{"NUT_QUIET_OK_NOTRACKING=true"}
			out, errOut, code, _ := run(t, newUpsd(), quiet, strings.Fields(tt.args)...)
			if out != tt.out || errOut != tt.errOut || code != tt.code {
				t.Errorf("upscmd %s: exit %d, want %d\nstdout %q\nwant   %q\nstderr %q\nwant   %q",
					tt.args, code, tt.code, out, tt.out, errOut, tt.errOut)
			}
		})
	}
}

// NP-X4.
func TestWhatTheServerHears(t *testing.T) {
	u := newUpsd()
	if _, errOut, code, _ := run(t, u, nil, "-u", "admin", "-p", "a b#", "rack", "off.delay", "a b"); code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	want := []string{"USERNAME admin", `PASSWORD "a b\#"`, `INSTCMD rack off.delay "a b"`, "LOGOUT"}
	if !slices.Equal(u.heard, want) {
		t.Errorf("the server heard %q, want %q", u.heard, want)
	}
}

func TestWaitingIsBounded(t *testing.T) {
	for flag, want := range map[string]time.Duration{"-t3": 3 * time.Second, "-t0": 0, "-w": 10 * time.Second} {
		_, _, code, took := run(t, newUpsd(), nil, "-u", "admin", "-p", "secret", "-w", flag, "rack", "test.slow")
		if code != 1 || took < want || took > want+time.Second {
			t.Errorf("%s: exit %d after %v, want 1 after %v", flag, code, took, want)
		}
	}
}

func TestOKWarnsThatNothingIsKnownOfTheDevice(t *testing.T) {
	_, errOut, code, _ := run(t, newUpsd(), nil, "-u", "admin", "-p", "secret", "rack", "beeper.on")
	if code != 0 || !strings.HasPrefix(errOut, "OK\n") || !strings.Contains(errOut, "-w") {
		t.Errorf("exit %d, %q; want 0, OK and a word about -w", code, errOut)
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"-h": "usage: upscmd", "-Z": "usage: upscmd", "": "usage: upscmd", "-l": "usage: upscmd", "rack": "usage: upscmd",
		"-t": "usage: upscmd", "-V": "Network UPS Tools upscmd 2.8.5 (blackstart",
	} {
		if out, _, code, _ := run(t, newUpsd(), nil, strings.Fields(args)...); code != 0 || !strings.Contains(out, want) {
			t.Errorf("upscmd %s: exit %d, %q; want 0, %q", args, code, out, want)
		}
	}
}

func TestAServerThatDoesNotSayGoodbyeCostsASecond(t *testing.T) {
	u := newUpsd()
	delete(u.answers, "LOGOUT")
	if _, errOut, code, took := run(t, u, nil, "-l", "bare"); code != 0 || took > 2*time.Second {
		t.Errorf("exit %d after %v, %q; want 0 within 2 s", code, took, errOut)
	}
}
