package interop

import (
	"slices"
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

// upsc of either kind sees the same in upsd of either kind.
func TestEveryClientReadsEveryServer(t *testing.T) {
	ours, theirs := kits(t)
	type pair struct{ client, server kit }
	oracle := pair{theirs, theirs}
	benches := map[string]*bench{}
	for _, server := range []kit{theirs, ours} {
		b := newBench(t, office)
		b.drivers(server.dummy, "rack", "desk")
		b.serve(server, "rack", "desk")
		benches[server.name] = b
	}
	ask := func(p pair, args []string) answer {
		b := benches[p.server.name]
		a := b.ask(p.client.upsc, strings.Split(
			strings.ReplaceAll(withAddress(strings.Join(args, "\n")), "port", b.port), "\n")...)
		a.err = strings.ReplaceAll(a.err, "Init SSL without certificate database\n", "")
		return a
	}
	for _, tt := range calls {
		t.Run(tt.name, func(t *testing.T) {
			want := ask(oracle, tt.args)
			for _, p := range []pair{{theirs, ours}, {ours, theirs}, {ours, ours}} {
				if got := ask(p, tt.args); got != want {
					t.Errorf("upsc of %s, upsd and driver of %s:\n%v\nDebian's pair:\n%v",
						p.client.name, p.server.name, got, want)
				}
			}
		})
	}
	t.Run("all variables", func(t *testing.T) {
		want := parseList(ask(oracle, []string{"rack@"}).out)
		for _, p := range []pair{{theirs, ours}, {ours, theirs}, {ours, ours}} {
			got := parseList(ask(p, []string{"rack@"}).out)
			for _, d := range compare(got, want) {
				if !slices.Contains(versions, d.name) {
					t.Errorf("upsc of %s, upsd and driver of %s: %v", p.client.name, p.server.name, d)
				}
			}
		}
	})
}

// withAddress lets "ups@" mean a UPS of the bench.
func withAddress(args string) string {
	before, after, ok := strings.Cut(args, "@")
	if !ok || strings.HasPrefix(after, "127.") {
		return args
	}
	return before + "@127.0.0.1:port" + after
}

// versions differ between two programs of the same name, and should.
var versions = []string{"driver.version", "driver.version.internal", "driver.version.data"}
