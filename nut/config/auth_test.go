package config

import (
	"io/fs"
	"strings"
	"testing"
)

// folder is where the files of these tests are.
type folder map[string]string

func (f folder) include(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// shown is a login in one line.
func shownLogin(l Login) string {
	var words []string
	for s := range strings.Lines(string((&Auth{Common: l}).Text())) {
		words = append(words, strings.ReplaceAll(strings.TrimSpace(s), " = ", "="))
	}
	return strings.Join(words, " ")
}

// CLI-3 and the paragraph on nutauth.conf behind CL-8: from the most to the least specific.
func TestTheMostSpecificSectionCounts(t *testing.T) {
	const file = `USER = anybody
PASS = common
CERTVERIFY = 1
INCLUDE more.conf
[@nas:3494]
	USER = host
	FORCESSL = yes
[admin@nas:3494]
	PASS = "of admin"
	FORCESSL = no
[shed]
	pass = "shed's"
[@[fe80::1]]
	USER = six
[one@lone]
	PASS = single
`
	conf, problems := ParseAuth("/etc/f.conf", []byte(file), folder{
		"/etc/more.conf":    "[@other]\nCERTHOST = Other\nINCLUDE deep/er.conf\nUSER = o\n",
		"/etc/deep/er.conf": "CERTPATH /ca.pem\n",
	}.include)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for _, tt := range []struct {
		name, user, host string
		port             int
		want             string
	}{
		{"a server without a section", "", "far", 3493, "USER=anybody PASS=common CERTVERIFY=1"},
		{"a section of a server", "", "nas", 3494, "USER=host PASS=common CERTVERIFY=1 FORCESSL=1"},
		{"another port is another server", "", "nas", 3493, "USER=anybody PASS=common CERTVERIFY=1"},
		{"a section of a user", "admin", "NAS", 3494, `USER=admin PASS="of admin" CERTVERIFY=1 FORCESSL=0`},
		{"a user without a section", "eve", "nas", 3494, "USER=eve PASS=common CERTVERIFY=1 FORCESSL=1"},
		{"a bare word is a host", "", "shed", 3493, `USER=anybody PASS=shed's CERTVERIFY=1`},
		{"IPv6", "", "fe80::1", 3493, "USER=six PASS=common CERTVERIFY=1"},
		{"files included in files", "", "other", 3493, "USER=o PASS=common CERTPATH=/ca.pem CERTHOST=Other CERTVERIFY=1"},
	} {
		if got := strings.ReplaceAll(shownLogin(conf.Lookup(tt.user, tt.host, tt.port)), `"shed's"`, "shed's"); got != tt.want {
			t.Errorf("%s: %q to %s:%d is %s, want %s", tt.name, tt.user, tt.host, tt.port, got, tt.want)
		}
	}
	conf.Common = Login{}
	if got := shownLogin(conf.Lookup("", "lone", 3493)); got != "USER=one PASS=single" {
		t.Errorf("the only user of a server is %s", got)
	}
	again, problems := ParseAuth("f.conf", conf.Text(), nil)
	if string(again.Text()) != string(conf.Text()) || len(problems) > 0 {
		t.Errorf("written\n%s\nand read again\n%s%v", conf.Text(), again.Text(), problems)
	}
}

func TestMistakesInNutauthConf(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []string
	}{
		{"USRE = x\n", []string{"1:1 error no setting of this file"}},
		{"USER\n", []string{"1:1 error USER has no value"}},
		{"FORCESSL = maybe\n", []string{"1:12 error FORCESSL: neither yes nor no"}},
		{"PASS = a b\n", []string{"1:10 warning PASS: nobody reads what follows"}},
		{"[@h:x]\nUSER = u\n", []string{"1:1 error not a port (1 to 65535)"}},
		{"[@[::1]\nUSER = u\n", []string{"1:1 error the bracket of the address is not closed"}},
		{"[open\nUSER = u\n", []string{"1:1 error not a section header"}},
		{"[u@h]\nUSER = v\n", []string{"2:8 warning USER: this section is about u"}},
		{"INCLUDE\n", []string{"1:1 error no file is named"}},
		{"INCLUDE nothing\n", nil},
		{"INCLUDE_REQUIRED nothing\n", []string{"1:18 error cannot be read: file does not exist"}},
		{"[@h]\nINCLUDE sections\nUSER = u\n", []string{"1:1 error a file that is included in a section has no sections"}},
		{"INCLUDE circle\n", []string{"1:9 error files include each other"}},
	} {
		conf, problems := ParseAuth("f.conf", []byte(tt.in),
			folder{"sections": "[@x]\nUSER = x\n", "circle": "INCLUDE circle\n"}.include)
		for i := range problems {
			problems[i].File = "f.conf" // expect knows no other
		}
		expect(t, tt.in, problems, tt.want...)
		if conf.Common.User != nil || conf.Common.ForceSSL != nil {
			t.Errorf("%q holds for all: %s", tt.in, shownLogin(conf.Common))
		}
	}
}
