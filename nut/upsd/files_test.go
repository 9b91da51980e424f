package upsd

import (
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

// UD-A5, `upsd.md 5 LISTEN`.
func TestEndpoints(t *testing.T) {
	tests := []struct {
		name         string
		listen       []config.Listen
		only4, only6 bool
		want         string
	}{
		{"loopback by default (UD section 5)", nil, false, false,
			"localhost:3493 [{tcp4 127.0.0.1} {tcp6 ::1}]"},
		{"loopback of one family", nil, true, false, "localhost:3493 [{tcp4 127.0.0.1}]"},
		{"a star is both families", []config.Listen{{Addr: "*"}}, false, false,
			"*:3493 [{tcp6 ::} {tcp4 0.0.0.0}]"},
		{"a star with -6", []config.Listen{{Addr: "*", Port: 1}}, false, true, "*:1 [{tcp6 ::}]"},
		{"IPv4", []config.Listen{{Addr: "10.0.0.1"}}, false, false, "10.0.0.1:3493 [{tcp4 10.0.0.1}]"},
		{"IPv6, with and without brackets", []config.Listen{{Addr: "[fe80::1]"}, {Addr: "::1"}}, false, false,
			"[fe80::1]:3493 [{tcp6 fe80::1}] ::1:3493 [{tcp6 ::1}]"},
		{"a name is what it resolves to", []config.Listen{{Addr: "nas"}}, false, false,
			"nas:3493 [{tcp4 nas} {tcp6 nas}]"},
		{"an address of the wrong family is none", []config.Listen{{Addr: "::1"}}, true, false, "::1:3493 []"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, p := range endpoints(tt.listen, tt.only4, tt.only6) {
				got += fmt.Sprintf(" %s:%d %v", p.addr, p.port, p.at)
			}
			if got != " "+tt.want {
				t.Errorf("endpoints = %s, want %s", got, tt.want)
			}
		})
	}
}

// `upsd.md 6 sections`, `upsd.md 6 desc`, `upsd.md 6 duplicate name`.
func TestInventory(t *testing.T) {
	tests := []struct {
		name, text string
		want       []definition
		problems   int
	}{
		{"in the order of the file", "[b]\ndriver=d\nport=p\n[a]\ndriver=d\nport=p\ndesc=\"x y\"\n",
			[]definition{{"b", "d", "p", "", false}, {"a", "d", "p", "x y", true}}, 0},
		{"what is the drivers' business (`upsd.md 6 everything else`)", "pollinterval = x\nfoo = bar\n[a]\ndriver=d\nport=p\n" +
			"vendorid = 1\nnolock\nmaxretry = never\n", []definition{{"a", "d", "p", "", false}}, 0},
		{"half a section is left out (UD section 6)", "[a]\ndriver=d\n[b]\nport=p\n", nil, 2},
		{"a name counts once, in any letter case", "[a]\ndriver=d\nport=p\n[A]\ndriver=e\nport=p\n",
			[]definition{{"a", "d", "p", "", false}}, 1},
		{"a socket stays within the state folder", "[a]\ndriver=\"../../etc/x\"\nport=p\n", nil, 1},
		{"what is not ASCII is not seen", "[b\u00fcro]\ndriver=d\nport=p\ndesc=\"caf\u00e9\"\n",
			[]definition{{"bro", "d", "p", "caf", true}}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := config.ParseUPS("ups.conf", []byte(tt.text))
			inv, problems := takeInventory("ups.conf", c)
			if fmt.Sprint(inv.list) != fmt.Sprint(tt.want) || len(problems) != tt.problems {
				t.Errorf("inventory = %v with %v, want %v", inv.list, problems, tt.want)
			}
		})
	}
}

// DS-3.
func TestStatePath(t *testing.T) {
	tests := []struct{ environ, fromUPS, fromUpsd, want string }{
		{"", "", "", "/run/nut"},
		{"", "", "/c", "/c"},
		{"", "/b", "/c", "/b"},
		{"/a", "/b", "/c", "/a"},
	}
	for _, tt := range tests {
		e, err := osenv.New(osenv.Options{Prog: "upsd", Emit: func(env.Event) {},
			Extra: []string{"NUT_STATEPATH=" + tt.environ}})
		if err != nil {
			t.Fatal(err)
		}
		if got := statePath(e, tt.fromUPS, tt.fromUpsd); got != tt.want {
			t.Errorf("environment %q, ups.conf %q, upsd.conf %q: %q, want %q",
				tt.environ, tt.fromUPS, tt.fromUpsd, got, tt.want)
		}
	}
}

func TestTick(t *testing.T) {
	const s = env.Instant(time.Second)
	tests := []struct {
		name                string
		heard, pinged, now  env.Instant
		maxAge              time.Duration
		dumped, ok          bool
		wantPing, wantStale bool
		next                env.Instant
	}{
		{"just heard", 10 * s, 0, 10 * s, 15 * time.Second, true, true, false, false, 16 * s},
		{"silent for MAXAGE/3 is not more than that", 0, 0, 5 * s, 15 * time.Second, true, true, false, false, 6 * s},
		{"silent for more than MAXAGE/3 (DS-S2)", 0, 0, 6 * s, 15 * time.Second, true, true, true, false, 12 * s},
		{"pinged a moment ago", 0, 6 * s, 7 * s, 15 * time.Second, true, true, false, false, 12 * s},
		{"silent for MAXAGE is not stale yet (DS-S3)", 0, 12 * s, 15 * s, 15 * time.Second, true, true, false, false, 16 * s},
		{"silent for MAXAGE and a second", 0, 12 * s, 16 * s, 15 * time.Second, true, true, false, true, 18 * s},
		{"the driver says stale", 10 * s, 0, 10 * s, 15 * time.Second, true, false, false, true, 16 * s},
		{"before the end of the dump its word does not count", 10 * s, 0, 10 * s, 15 * time.Second, false, false, false,
			false, 16 * s},
		{"the least MAXAGE", 0, 0, s, time.Second, true, true, true, false, 2 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := &ups{heard: tt.heard, pinged: tt.pinged, dumped: tt.dumped, dataOK: tt.ok}
			next, ping := u.tick(tt.now, tt.maxAge)
			if ping != tt.wantPing || u.stale != tt.wantStale || next != tt.next {
				t.Errorf("tick = %v, ping %v, stale %v; want %v, %v, %v", time.Duration(next), ping, u.stale,
					time.Duration(tt.next), tt.wantPing, tt.wantStale)
			}
		})
	}
}
