package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// rights is S09: FSD is set on a UPS that exists, by a user whom upsd.users lets set it. A primary
// may do so.
type rights struct {
	granted map[string]map[string]bool // by host of the upsd: users that may set FSD
}

func newRights() Oracle { return &rights{granted: map[string]map[string]bool{}} }

func (o *rights) ID() string            { return "S09" }
func (o *rights) Due(*View) []Violation { return nil }

func (o *rights) Event(v *View, ev env.Event) []Violation {
	if ev.Prog != "upsd" || ev.Host == "" {
		return nil
	}
	switch {
	case ev.Kind == env.Setting && ev.Name == "MAXCONN": // a new announcement
		o.granted[ev.Host] = map[string]bool{}
	case ev.Kind == env.Grant && o.granted[ev.Host] != nil:
		if ev.Value == "FSD" {
			o.granted[ev.Host][ev.Name] = true
		}
	case ev.Kind == env.FSD && ev.Value == "set":
		return o.judge(v, ev)
	}
	return nil
}

func (o *rights) judge(v *View, ev env.Event) []Violation {
	may := o.granted[ev.Host]
	if may == nil {
		return nil // this upsd tells nothing about rights
	}
	v.judge("S09")
	u, why := v.UPS(ev.UPS), ""
	switch {
	case ev.Name == "":
		why = "by nobody in particular"
	case !may[ev.Name]:
		why = fmt.Sprintf("by %s, whom upsd.users does not let do that", ev.Name)
	case len(u.Spec)+len(u.Driver) == 0 && u.Served == "":
		why = "but there is no such UPS"
	default:
		return nil
	}
	return []Violation{wrong("S09", subject{ev.Host, ev.UPS}, v.Now,
		"FSD of %s was set on %s at %s %s (%s)", ev.UPS, ev.Host, stamp(v.Now), why, ev.Why)}
}

// privilege is S20: SHUTDOWNCMD runs in the privileged part of a program, all else without
// privilege. Where a program has no privileged part, it runs everything as what it is. It has
// nothing to judge where nobody tells of commands: the virtual rung does, for upsmon.
type privilege struct{}

func newPrivilege() Oracle { return privilege{} }

func (privilege) ID() string            { return "S20" }
func (privilege) Due(*View) []Violation { return nil }

// privileged are the commands that need privilege.
var privileged = []string{"shutdowncmd"}

func (privilege) Event(v *View, ev env.Event) []Violation {
	if ev.Kind != env.Exec {
		return nil
	}
	v.judge("S20")
	want := "unprivileged"
	if slices.Contains(privileged, strings.ToLower(ev.Name)) {
		want = "privileged"
	}
	if ev.Value == want || ev.Value == "rootless" {
		return nil
	}
	return []Violation{wrong("S20", subject{host: ev.Host}, v.Now, "%s on %s ran its %s %s at %s; it "+
		"is to run %s", ev.Prog, ev.Host, ev.Name, ev.Value, stamp(v.Now), want)}
}

// secrets is S22: no password is in any event, nor, as far as a rehearsal reads them, in any line
// that a program prints or logs. Judge.Secrets says what the passwords are.
type secrets struct{}

func newSecrets() Oracle { return secrets{} }

func (secrets) ID() string            { return "S22" }
func (secrets) Due(*View) []Violation { return nil }

// shortestSecret is the length below which a password is too likely to be in a text by chance.
const shortestSecret = 6

func (secrets) Event(v *View, ev env.Event) []Violation {
	if ev.Kind == env.Leak {
		v.judge("S22")
		return []Violation{wrong("S22", subject{host: ev.Host}, v.Now,
			"%s on %s told a password on its %s at %s: %s",
			ev.Prog, ev.Host, ev.Name, stamp(v.Now), ev.Value)}
	}
	for _, s := range v.secrets {
		v.judge("S22")
		for _, text := range [...]string{ev.Host, ev.UPS, ev.Name, ev.Value, ev.Why} {
			if strings.Contains(text, s) {
				return []Violation{wrong("S22", subject{ev.Host, ""}, v.Now,
					"an event of %s on %s at %s, of kind %s, has a password in it",
					ev.Prog, ev.Host, stamp(v.Now), ev.Kind)}
			}
		}
	}
	return nil
}
