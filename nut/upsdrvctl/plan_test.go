package upsdrvctl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
)

func surveyOf(t *testing.T, text string) (site, []string) {
	t.Helper()
	parsed, problems := config.ParseUPS("ups.conf", []byte(text))
	for _, p := range problems {
		t.Log(p)
	}
	return survey(parsed)
}

func TestOrderOfShutdown(t *testing.T) {
	tests := []struct{ name, orders, want string }{
		{"ascending", "u1=2 u2=0 u4=1", "u2 | u4 | u1"},
		{"-1 is left out", "u1=2 u2=0 u3=-1 u4=1", "u2 | u4 | u1"},
		{"equal orders at the same time, in the order of the file", "a=1 b=0 c=1 d=0", "b d | a c"},
		{"the default is 0", "a= b=1", "a | b"},
		{"all are left out", "a=-1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := ""
			for _, o := range strings.Fields(tt.orders) {
				name, order, _ := strings.Cut(o, "=")
				text += "[" + name + "]\ndriver = d\n"
				if order != "" {
					text += "sdorder = " + order + "\n"
				}
			}
			s, _ := surveyOf(t, text)
			var got []string
			for _, round := range rounds(s.units) {
				var names []string
				for _, u := range round {
					names = append(names, u.name)
				}
				got = append(got, strings.Join(names, " "))
			}
			if g := strings.Join(got, " | "); g != tt.want {
				t.Errorf("rounds of %q: %q, want %q", tt.orders, g, tt.want)
			}
		})
	}
}

func TestSurvey(t *testing.T) {
	s, problems := surveyOf(t, `driverpath = /lib/nut
maxretry = 3
retrydelay = 2
nowait
[one]
driver = dummy-ups
port = a
maxretry = 5
[two]
driver = nutdrv_qx
port = b
retrydelay = soon
[three]
port = c
[one]
sdorder = 4
`)
	got := fmt.Sprintf("%+v", s)
	want := site{driverPath: "/lib/nut", hurry: true, units: []unit{
		{"one", "dummy-ups", "a", 4, 75 * time.Second, 5, 2 * time.Second},
		{"two", "nutdrv_qx", "b", 0, 75 * time.Second, 3, 2 * time.Second},
	}}
	if got != fmt.Sprintf("%+v", want) {
		t.Errorf("survey: %s\nwant %+v", got, want)
	}
	text := strings.Join(problems, "\n")
	for _, says := range []string{`retrydelay = "soon": want a number, 0 or more`, "UPS three: driver is missing"} {
		if !strings.Contains(text, says) {
			t.Errorf("problems %q, want %q", text, says)
		}
	}
}
