package config

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// at is a problem as tests write it: place, kind, cause.
func at(p Problem) string {
	kind := "error"
	if p.Warning {
		kind = "warning"
	}
	return fmt.Sprintf("%d:%d %s %s", p.Line, p.Col, kind, p.Cause)
}

// expect compares problems with their descriptions, each of which must be the beginning of one, and
// checks that each says all that a person needs.
func expect(t *testing.T, in string, got []Problem, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%q: problems %v, want %q", in, got, want)
		return
	}
	for i, p := range got {
		if !strings.HasPrefix(at(p), want[i]) {
			t.Errorf("%q: problem %s, want %s", in, at(p), want[i])
		}
		place := fmt.Sprintf("f.conf:%d:%d: ", p.Line, p.Col)
		if p.File != "f.conf" || p.Want == "" || !strings.HasPrefix(p.Error(), place) {
			t.Errorf("%q: incomplete problem %v", in, p)
		}
	}
}

// parsers are all files, and what each does with its own text.
var parsers = []struct {
	name  string
	parse func(file string, text []byte) (again []byte, problems []Problem)
}{
	{"ups.conf", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseUPS(f, b); return c.Text(), p }},
	{"upsd.conf", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseUpsd(f, b); return c.Text(), p }},
	{"upsd.users", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseUsers(f, b); return c.Text(), p }},
	{"upsmon.conf", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseUpsmon(f, b); return c.Text(), p }},
	{"upssched.conf", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseUpssched(f, b); return c.Text(), p }},
	{"nut.conf", func(f string, b []byte) ([]byte, []Problem) { c, p := ParseNut(f, b); return c.Text(), p }},
	{"nutauth.conf", func(f string, b []byte) ([]byte, []Problem) {
		c, p := ParseAuth(f, b, folder{}.include)
		return c.Text(), p
	}},
}

// What the C programs lose in silence, or misread, in every file of words: it has a place and a
// cause, and the lines around it are read.
func TestMalformedLinesAreReportedWithTheirPlace(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"# in quotes", "X \"a#b\" c\n",
			"2:5 error Parse error: Unbalanced word due to unescaped # in quotes"},
		{"open quote", "X \"open\nNEXT y\n", "2:3 warning Parse error: quote is not closed"},
		{"open quote at the end", "X \"open",
			"2:3 warning Parse error: quote is not closed at the end of the file"},
		{"line feed in quotes", "X \"a\nb\" c\n",
			"2:3 warning Parse error: quote is not closed on its line"},
		{"lone word at the end", "X", "2:1 warning Parse error: last line has no line feed"},
		{"control character", "X a\x01b\n", "2:4 warning Parse error: control character 0x01"},
		{"stray byte", "X a\x80b\n", "2:4 warning Parse error: invisible character or stray byte"},
		{"no-break space", "X\u00a0a\n",
			"2:2 warning Parse error: invisible character or stray byte"},
		{"CR LF behind a backslash", "X a\\\r\n",
			"2:5 warning Parse error: backslash before CR LF"},
		{"word 129", "X" + strings.Repeat(" y", 128) + "\n",
			"2:257 error Parse error: too many words"},
		{"character 8193", "X " + strings.Repeat("y", 8193) + "\n",
			"2:8195 error Parse error: word is too long"},
	} {
		for _, p := range parsers[:4] {
			_, problems := p.parse("f.conf", []byte("# comment\n"+tt.in))
			found := false
			for _, q := range problems {
				found = found || strings.HasPrefix(at(q), tt.want) && q.Want != ""
			}
			if !found {
				t.Errorf("%s in %s: problems %v, want %s", tt.name, p.name, problems, tt.want)
			}
		}
	}
}

func TestAByteOrderMarkDoesNotSpoilTheFirstLine(t *testing.T) {
	c, problems := ParseUpsd("f.conf", []byte("\ufeffMAXAGE 20\n"))
	expect(t, "BOM", problems, "1:1 warning Parse error: byte order mark")
	if c.MaxAge.Seconds() != 20 {
		t.Errorf("MAXAGE %v, want 20 s", c.MaxAge)
	}
}

func TestNoMessageShowsAPassword(t *testing.T) {
	const secret = "hunter"
	for _, tt := range []struct{ file, in string }{
		{"upsd.users", "[u]\npassword = hunter2 hunter3\npassword = hunter4\n"},
		{"upsd.users", "[u]\npassword = hüntérhunter\n"},
		{"upsd.users", "[u]\npassword = \"hunter#2\"\n"},
		{"upsd.users", "[u]\npassword = \"hunter2\n"},
		{"upsd.users", "[u]\npassword = hunter\x012\n"},
		{"ups.conf", "[u]\ncommunity = hunter2 hunter3\n"},
		{"ups.conf", "[u]\nauthPassword hunter2\n"},
		{"upsmon.conf", "MONITOR u@h 1 a hunter2 hunter3 primary\n"},
		{"upsmon.conf", "MONITOR u@h x a hunter2 hunter3 primary\n"},
		{"upsmon.conf", "MONITOR u@h 1 hunter2 primary\n"},
		{"upsmon.conf", "MONITOR u@h 1 a hunteré primary\n"},
		{"upsmon.conf", "CERTIDENT nick hunter2 hunter3\n"},
		{"upsd.conf", "CERTIDENT \"\" hunter2\n"},
		{"nutauth.conf", "PASS = hunter2 hunter3\n"},
		{"nutauth.conf", "[u@h]\npassword huntér2\n"},
		{"nutauth.conf", "CERTIDENT_PASS = hunter2 hunter3\n"},
	} {
		for _, p := range parsers {
			if p.name != tt.file {
				continue
			}
			_, problems := p.parse(tt.file, []byte(tt.in))
			if len(problems) == 0 {
				t.Errorf("%s %q: no problem", tt.file, tt.in)
			}
			for _, q := range problems {
				if strings.Contains(q.Error(), secret) {
					t.Errorf("%s %q: %v", tt.file, tt.in, q)
				}
			}
		}
	}
}

// oddities are all that is wrong with recorded files: place and cause, in the order of the walk.
// Masked passwords have become several words, templates were not filled in; the rest is real.
var oddities = []string{
	`akira215__servers-configs/upsmon.conf:22:21: "SYSLOG+EXE": NOTIFYFLAG: Invalid notify flag: ["EXE"]`,
	`chr0n1x__rpi-talos/upsmon.conf:4:52: MONITOR: not a role; taken for secondary`,
	`chr0n1x__rpi-talos/upsmon.conf:4:59: MONITOR has words that nobody reads`,
	`dajiangfu__pve/nut.conf:45:1: "UPSSCHED": no program of NUT reads this variable`,
	`dajiangfu__pve/ups.conf:83:18: "BK650": desc has one value; what follows is ignored`,
	`hassio-addons__addon-nut/nut.conf:32:1: "%%nutmode%%": MODE: not a mode; taken for none`,
	`jodumont__config/upsd.users:2:21: a password is one word; what follows is ignored`,
	`jodumont__config/upsmon.conf:3:44: MONITOR: not a role; taken for secondary`,
	`jodumont__config/upsmon.conf:3:49: MONITOR has words that nobody reads`,
	`steven-geo__proxmox-nut/ups.conf:6:5: "=": port has no value; ignored`,
	`twproject__various/upsd.conf:2:14: "ip>": LISTEN: not a port (1 to 65535)`,
	`twproject__various/upsd.conf:2:18: "3493": LISTEN has words that nobody reads`,
	`twproject__various/upsmon.conf:17:1: "NOTIFYCMD": set in line 10 already; this line counts`,
	`wildone__synology-power-manager-nut-ecoflow/upsmon.conf:555:1: "SHUTDOWNCMD": set in line 160 already`,
	`zephrfish__rpi-snmp-ups-synology-nas/upsd.conf:34:1: "DEBUG_LEVEL": invalid directive`,
	`zephrfish__rpi-snmp-ups-synology-nas/upsmon.conf:67:1: "LOWBATT": invalid directive`,
}

func TestRecordedSitesAreRead(t *testing.T) {
	sites := captures.FS(t, "conf")
	read, odd := 0, oddities
	err := fs.WalkDir(sites, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sites, name)
		if err != nil {
			return err
		}
		for _, p := range parsers {
			if path.Base(name) != p.name {
				continue
			}
			read++
			again, problems := p.parse(name, text)
			for _, q := range problems {
				if len(odd) == 0 || !strings.HasPrefix(q.Error(), odd[0]) {
					t.Errorf("%v; want %q", q, odd)
					continue
				}
				odd = odd[1:]
			}
			if third, _ := p.parse(name, again); string(third) != string(again) {
				t.Errorf("%s: written\n%s\nand read again\n%s", name, again, third)
			}
		}
		return nil
	})
	if err != nil || read < 100 || len(odd) > 0 {
		t.Errorf("%d files, %v; not reported: %q", read, err, odd)
	}
}
