package config

import (
	"reflect"
	"testing"
	"time"
)

func TestModeOfAHost(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     func(*Nut)
		problems []string
	}{
		{"nothing", "# x\n\n", func(*Nut) {}, nil},
		{"the usual file",
			"MODE=standalone\nUPSD_OPTIONS=\"-D -4\" # x\nexport UPSMON_OPTIONS='-p'\n",
			func(c *Nut) {
				c.Mode, c.UpsdOptions, c.UpsmonOptions = ModeStandalone, "-D -4", "-p"
			}, nil},
		{"quotes of the shell", "UPSD_OPTIONS=a\\ b\"\\$c\\d\"'\\e'\n",
			func(c *Nut) { c.UpsdOptions = `a b$c\d\e` }, nil},
		{"power race", "POWEROFF_WAIT=15\nPOWEROFF_QUIET=true\n",
			func(c *Nut) { c.PoweroffWait, c.PoweroffQuiet = 15*time.Second, true }, nil},
		{"for the programs", "NUT_DEBUG_LEVEL=3\nALLOW_NO_DEVICE=true\n", func(c *Nut) {
			c.Env = []Pair{{Key: "NUT_DEBUG_LEVEL", Value: "3", Line: 1, Col: 1}, {Key: "ALLOW_NO_DEVICE", Value: "true", Line: 2, Col: 1}}
		}, nil},
		{"blanks around =", "MODE = netserver\n MODE= netclient\n", func(*Nut) {}, []string{
			"1:1 error blanks around the =", "2:2 error blanks around the ="}},
		{"a mode that is none", "MODE=manual\n", func(*Nut) {},
			[]string{"1:1 error MODE: not a mode; taken for none"}},
		{"a command", "MODE=none reboot\n", func(*Nut) {},
			[]string{"1:1 error a command follows the value"}},
		{"an open quote", "UPSD_OPTIONS=\"-D\n", func(*Nut) {},
			[]string{"1:1 error quote is not closed"}},
		{"no assignment", "MODE\nif true; then\n1=2\n", func(*Nut) {}, []string{
			"1:1 error not an assignment", "2:1 error not an assignment",
			"3:1 error not an assignment"}},
		{"no time", "POWEROFF_WAIT=long\nPOWEROFF_WAIT=\n", func(*Nut) {},
			[]string{"1:1 error POWEROFF_WAIT: not a number"}},
		{"unknown", "UPSSCHED=true\n",
			func(c *Nut) { c.Env = []Pair{{Key: "UPSSCHED", Value: "true", Line: 1, Col: 1}} },
			[]string{"1:1 warning no program of NUT reads this variable"}},
	} {
		want := &Nut{Mode: ModeNone, PoweroffWait: -1}
		tt.want(want)
		got, problems := ParseNut("f.conf", []byte(tt.in))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, want)
		}
		expect(t, tt.in, problems, tt.problems...)
	}
}
