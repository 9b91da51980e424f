package config

import (
	"reflect"
	"testing"
	"time"
)

func TestDirectivesOfUpsd(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     func(*Upsd)
		problems []string
	}{
		{"nothing", "", func(*Upsd) {}, nil},
		{"MAXAGE", "MAXAGE 25\n", func(c *Upsd) { c.MaxAge = 25 * time.Second }, nil},
		{"TRACKINGDELAY", "TRACKINGDELAY 60\n",
			func(c *Upsd) { c.TrackingDelay = time.Minute }, nil},
		{"words for yes", "ALLOW_NO_DEVICE Yes\nALLOW_NOT_ALL_LISTENERS 7\nDISABLE_WEAK_SSL on\n",
			func(c *Upsd) {
				c.AllowNoDevice, c.AllowNotAllListeners, c.DisableWeakSSL = true, true, true
			}, nil},
		{"paths", "STATEPATH /run/x\nDATAPATH \"/a b\"\nCERTFILE c\nCERTPATH d\n", func(c *Upsd) {
			c.StatePath, c.DataPath, c.CertFile, c.CertPath = "/run/x", "/a b", "c", "d"
		}, nil},
		{"LISTEN", "LISTEN ::1\nLISTEN * 1234\nLISTEN 127.0.0.1 nut\n", func(c *Upsd) {
			c.Listen = []Listen{{"::1", 3493}, {"*", 1234}, {"127.0.0.1", 3493}}
		}, nil},
		{"certificates", "CERTIDENT \"my server\" pw\nCERTREQUEST require\n", func(c *Upsd) {
			c.CertIdent, c.CertRequest = [2]string{"my server", "pw"}, 2
		}, nil},
		{"any case for DEBUG_MIN", "debug_min 3\nMAXCONN 9\n",
			func(c *Upsd) { c.DebugMin, c.MaxConn = 3, 9 }, nil},

		{"a number with a unit", "MAXAGE 25s\n", func(c *Upsd) { c.MaxAge = 25 * time.Second },
			[]string{"1:8 warning MAXAGE: read as 25"}},
		{"a fraction", "MAXAGE 2.5\n", func(c *Upsd) { c.MaxAge = 2 * time.Second },
			[]string{"1:8 warning MAXAGE: read as 2"}},
		{"no number", "MAXAGE fast\n", func(*Upsd) {}, []string{"1:8 error MAXAGE: not a number"}},
		{"too small", "MAXAGE 0\n", func(*Upsd) {}, []string{"1:8 error MAXAGE: less than 1"}},
		{"too big", "MAXAGE 99999999999999999999\n", func(*Upsd) {},
			[]string{"1:8 error MAXAGE: more than 2147483647"}},
		{"with =", "MAXAGE = 25\nSTATEPATH = /x\n", func(*Upsd) {}, []string{
			"1:8 error invalid directive: there is no =",
			"2:11 error invalid directive: there is no ="}},
		{"no value", "MAXAGE\n", func(*Upsd) {},
			[]string{"1:1 error invalid directive: 0 words follow, 1 are needed"}},
		{"surplus", "MAXAGE 25 26\n", func(c *Upsd) { c.MaxAge = 25 * time.Second },
			[]string{"1:11 warning MAXAGE has words that nobody reads"}},
		{"twice", "MAXAGE 25\n\nMAXAGE 26\n", func(c *Upsd) { c.MaxAge = 26 * time.Second },
			[]string{"3:1 warning set in line 1 already"}},
		{"wrong case", "maxage 25\n", func(*Upsd) {}, []string{"1:1 error invalid directive"}},
		{"wrong port", "LISTEN 127.0.0.1 65536\nLISTEN ::1 x\n", func(*Upsd) {}, []string{
			"1:18 error LISTEN: not a port", "2:12 error LISTEN: not a port"}},
		{"wrong level", "CERTREQUEST 3\n", func(*Upsd) {},
			[]string{"1:13 error CERTREQUEST: not a level"}},
		{"neither yes nor no", "DISABLE_WEAK_SSL 7\nALLOW_NO_DEVICE maybe\n", func(*Upsd) {},
			[]string{
				"1:18 error DISABLE_WEAK_SSL: neither yes nor no",
				"2:17 error ALLOW_NO_DEVICE: neither yes nor no"}},
		{"obsolete", "ACL all 0.0.0.0/0\nACCEPT\n", func(*Upsd) {},
			[]string{"1:1 warning obsolete", "2:1 warning obsolete"}},
	} {
		want := DefaultUpsd()
		tt.want(want)
		got, problems := ParseUpsd("f.conf", []byte(tt.in))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
		expect(t, tt.in, problems, tt.problems...)
	}
}

func TestASlipInANameIsAnsweredWithTheName(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"maxage 5\n", "MAXAGE (capitals count)"},
		{"MAXAGES 5\n", "MAXAGE"},
		{"LISTNE ::1\n", "LISTEN"},
		{"ALOW_NO_DEVICE 1\n", "ALLOW_NO_DEVICE"},
		{"X 1\n", "a directive of the manual page"},
		{"MONITOR 1\n", "a directive of the manual page"},
	} {
		_, problems := ParseUpsd("f.conf", []byte(tt.in))
		if len(problems) != 1 || problems[0].Want != tt.want {
			t.Errorf("%q: %v, want %s", tt.in, problems, tt.want)
		}
	}
}
