package interop

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// office is a bench with three UPSes: two with data, one whose driver does not run.
var office = map[string]string{
	"ups.conf": `
pollinterval = 1
[rack]
	driver = dummy-ups
	port = rack.dev
	desc = "The \"big\" one"
[desk]
	driver = dummy-ups
	port = desk.dev
[gone]
	driver = dummy-ups
	port = gone.dev
`,
	"upsd.conf":  "LISTEN 127.0.0.1 @port@\nMAXAGE 15\n",
	"upsd.users": "[admin]\n\tpassword = secret\n\tactions = SET FSD\n\tinstcmds = ALL\n\tupsmon primary\n",
	"rack.dev": `
ups.status: OB DISCHRG
ups.model: "Quo\"te \\ back \# hash"
ups.mfr: Acme  Power   Works
battery.charge: 42
input.voltage: 229.8
Zulu.first: upper
`,
	"desk.dev": "ups.status: OL CHRG\nbattery.charge: 99.5\n",
	"gone.dev": "ups.status: OL\n",
}

// calls of upsc whose every byte must be the same from both clients on both servers.
var calls = []struct {
	name string
	args []string // @ is @127.0.0.1:port
}{
	{"one variable", []string{"rack@", "battery.charge"}},
	{"a value with quotes, backslash and hash", []string{"rack@", "ups.model"}},
	{"blanks run together", []string{"rack@", "ups.mfr"}},
	{"another UPS", []string{"desk@", "ups.status"}},
	{"the names", []string{"-l", "127.0.0.1:port"}},
	{"names and descriptions", []string{"-L", "127.0.0.1:port"}},
	{"nobody is logged in", []string{"-c", "rack@"}},
	{"an unknown UPS", []string{"nobody@"}},
	{"an unknown UPS, one variable", []string{"nobody@", "ups.status"}},
	{"an unknown variable", []string{"rack@", "no.such"}},
	{"a name without a dot", []string{"rack@", "status"}},
	{"a UPS whose driver does not run", []string{"gone@"}},
	{"one variable of it", []string{"gone@", "ups.status"}},
	{"nobody listens", []string{"rack@127.0.0.1:1"}},
	{"a port that is none", []string{"rack@127.0.0.1:x"}},
	{"an empty name", []string{""}},
}

// asides are lines on standard error that come before the message: the C library tells of its TLS
// start-up, and both say what is wrong with an address, ours with the address.
var asides = regexp.MustCompile(`(?m)^(Init SSL without|upscli_splitaddr:).*\n`)

// A trio is one program of each kind on one wire; each may be ours or Debian's.
type trio struct{ client, server, driver kit }

func (x trio) String() string {
	return fmt.Sprintf("upsc of %s, upsd of %s, dummy-ups of %s", x.client.name, x.server.name, x.driver.name)
}

// upsc of either kind sees the same in upsd of either kind, which reads a driver of either kind.
func TestEveryClientReadsEveryServerAndDriver(t *testing.T) {
	ours, theirs := kits(t)
	oracle := trio{theirs, theirs, theirs}
	var trios []trio
	benches := map[trio]*bench{}
	for _, server := range []kit{theirs, ours} {
		for _, driver := range []kit{theirs, ours} {
			b := newBench(t, office)
			b.drivers(driver.dummy, "rack", "desk")
			b.serve(server, "rack", "desk")
			for _, client := range []kit{theirs, ours} {
				x := trio{client, server, driver}
				benches[x] = b
				trios = append(trios, x)
			}
		}
	}
	ask := func(x trio, args ...string) answer {
		b := benches[x]
		full := make([]string, len(args))
		for i, arg := range args {
			full[i] = strings.ReplaceAll(withAddress(arg), "port", b.port)
		}
		a := b.ask(x.client.upsc, full...)
		a.err = asides.ReplaceAllString(a.err, "")
		return a
	}
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			want := ask(oracle, tt.args...)
			for _, x := range trios[1:] {
				if got := ask(x, tt.args...); got != want {
					t.Errorf("%v:\n%v\nall of Debian:\n%v", x, got, want)
				}
			}
		})
	}
	t.Run("all variables", func(t *testing.T) {
		want := parseList(ask(oracle, "rack@").out)
		for _, x := range trios[1:] {
			for _, diff := range compare(parseList(ask(x, "rack@").out), want) {
				if why(always, diff, dump{}, nil) == "" {
					t.Errorf("%v: %v", x, diff)
				}
			}
		}
	})
}

// withAddress lets "ups@" mean a UPS of the bench.
func withAddress(arg string) string {
	if strings.HasSuffix(arg, "@") {
		return arg + "127.0.0.1:port"
	}
	return arg
}
