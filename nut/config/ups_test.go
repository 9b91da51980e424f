package config

import (
	"fmt"
	"strings"
	"testing"
)

// oneLine is ups.conf as one line.
func oneLine(u *UPS) string {
	var b strings.Builder
	put := func(s Section) {
		for _, p := range s.Pairs {
			if p.Flag {
				fmt.Fprintf(&b, "%s ", p.Key)
				continue
			}
			fmt.Fprintf(&b, "%s=%s ", p.Key, p.Value)
		}
	}
	put(u.Global)
	for _, s := range u.Sections {
		fmt.Fprintf(&b, "[%s] ", s.Name)
		put(s)
	}
	return strings.TrimSpace(b.String())
}

func TestSettingsOfUPSes(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		problems       []string
	}{
		{"the usual file",
			"maxretry = 3\n[a]\n\tdriver=usbhid-ups\n\tport = auto # x\n\tdesc = \"My UPS\"\n\tignorelb\n",
			"maxretry=3 [a] driver=usbhid-ups port=auto desc=My UPS ignorelb", nil},
		{"CR LF", "[a]\r\ndriver = x\r\nport = y\r\n", "[a] driver=x port=y", nil},
		{"a lone flag ends the file", "[a]\ndriver = x\nnolock", "[a] driver=x nolock",
			[]string{"3:1 warning Parse error: last line has no line feed"}},
		{"two words say nothing", "[a]\nport /dev/x\ndriver = y\n", "[a] driver=y",
			[]string{"2:6 error port is followed by a word"}},
		{"nor does an empty value", "[a]\nport =\n", "[a]",
			[]string{"2:6 error port has no value"}},
		{"nor three without =", "[a]\ndesc My UPS\n", "[a]",
			[]string{"2:6 error desc is followed by a word"}},
		{"nor what begins with =", "[a]\n= x y\n", "[a]",
			[]string{"2:1 error a setting begins with its name"}},
		{"an empty text is a value", "[a]\ndesc = \"\"\n", "[a] desc=", nil},
		{"one value only", "[a]\ndesc = My UPS\n", "[a] desc=My",
			[]string{"2:11 warning desc has one value"}},
		{"a value is a word", "[a]\nlowbatt = a=b\n", "[a] lowbatt=a",
			[]string{"2:12 warning lowbatt has one value"}},
		{"set twice", "[a]\nport = x\nport = y\n", "[a] port=x port=y",
			[]string{"3:1 warning set in line 2 already"}},
		{"the same in two sections", "[a]\nport = x\n[b]\nport = y\n",
			"[a] port=x [b] port=y", nil},
		{"a slip in front of the sections", "maxretries = 3\n[a]\n", "maxretries=3 [a]",
			[]string{"1:1 warning not a setting for all"}},
		{"a comment behind a header", "[a] UPS in the hall\nport = x\n", "[a] port=x",
			[]string{"1:5 warning nothing may follow"}},
		{"a quoted name with blanks", "\"[my ups]\"\nport = x\n", "[my ups] port=x",
			[]string{"1:1 warning a name with blanks"}},
		{"blanks in a header cost its section and no other",
			"[a]\nport = x\n[my ups]\nport = y\n[b]\nport = z\n",
			"[a] port=x [b] port=z", []string{"3:1 error a section name has no blanks"}},
		{"so does a missing bracket", "[a]\nport = x\n[b\nport = y\n", "[a] port=x",
			[]string{"3:1 error not a section header"}},
		{"an empty name", "[]\nport = y\n", "", []string{"1:1 error not a section header"}},
		{"# in a description", "[a]\ndesc = \"UPS #1\"\nport = x\n", "[a] port=x",
			[]string{"2:13 error Parse error: Unbalanced"}},
		{"descriptions travel as ASCII", "[a]\ndesc = \"Büro\"\n", "[a] desc=Bro",
			[]string{"2:8 warning text beyond ASCII"}},
		{"names are compared as ASCII", "[büro]\nport = x\n", "[bro] port=x",
			[]string{"1:1 warning text beyond ASCII"}},
		{"settings of drivers keep their text", "[a]\nport = /tmp/büro.dev\n",
			"[a] port=/tmp/büro.dev", nil},
	} {
		u, problems := ParseUPS("f.conf", []byte(tt.in))
		if got := oneLine(u); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		expect(t, tt.in, problems, tt.problems...)
	}
}

func TestTheLastValueOfASettingCounts(t *testing.T) {
	u, _ := ParseUPS("f.conf", []byte("[a]\nport = x\nflag\nport = y\n"))
	s := u.Section("a")
	if v, ok := s.Get("port"); v != "y" || !ok {
		t.Errorf("port = %q, %v; want y", v, ok)
	}
	if v, ok := s.Get("flag"); v != "" || !ok {
		t.Errorf("flag = %q, %v; want it set", v, ok)
	}
	if _, ok := s.Get("none"); ok || u.Section("A") != nil {
		t.Error("found what is not there")
	}
	if p := s.Pairs[2]; p.Line != 4 || p.Col != 1 || s.Line != 1 {
		t.Errorf("place of %+v in section of line %d", p, s.Line)
	}
}
