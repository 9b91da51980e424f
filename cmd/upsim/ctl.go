package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
)

const ctlHelp = `upsim ctl: pulls a lever of an emulated UPS

  upsim ctl CONTROL REQUEST...

CONTROL is the socket that upsim serve was given. The requests are:

`

const ctlTail = `
state is printed for people; state json prints one JSON object. Times are written 30s, 5m.

  upsim ctl /tmp/ups.ctl mains off
  upsim ctl /tmp/ups.ctl fault silent for=30s
`

// patience is how long ctl waits for the reply.
const patience = time.Minute

func ctlMain(e env.Env, args []string) int {
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		fmt.Fprint(out, ctlHelp, serve.Help(), ctlTail)
		return 0
	}
	if len(args) < 2 {
		fmt.Fprintln(errOut, "upsim ctl: want CONTROL REQUEST...; see upsim ctl --help")
		return 2
	}
	request := strings.Join(args[1:], " ")
	people := request == "state"
	if request == "state json" {
		request = "state"
	}
	text, err := serve.Ask(e, args[0], request, e.Now().Add(patience))
	if err == nil && people {
		text, err = describe(text)
	}
	if err != nil {
		fmt.Fprintf(errOut, "upsim ctl: %v\n", err)
		return 1
	}
	fmt.Fprint(out, text)
	return 0
}

// describe turns the JSON of a state into lines for people.
func describe(text string) (string, error) {
	var s serve.State
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", fmt.Errorf("the state %q: %w", text, err)
	}
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	row("ups", "%s", s.UPS)
	row("input", "%s, %s", volts(s.Input), choose(s.OnBattery, "on battery", "on line"))
	row("battery", "%d %%, %s, %s remain%s", s.Charge, volts(s.Battery),
		s.Remaining.Truncate(time.Second), choose(s.Low, ", low", ""))
	row("outlet", "%s, %s, load %d %%", choose(s.Outlet, "on", "off"), volts(s.Output), s.Load)
	if s.OffIn >= 0 {
		row("shutdown", "outlet off in %v", s.OffIn.Truncate(time.Second))
	}
	if s.OnIn >= 0 {
		row("restart", "outlet on in %v", s.OnIn.Truncate(time.Second))
	}
	for _, f := range []struct {
		is   bool
		name string
	}{{s.Boost, "boost"}, {s.Trim, "trim"}, {s.Testing, "battery test runs"},
		{s.Failed, "battery test failed"}, {!s.Beeper, "beeper off"}, {!s.Alive, "dead"}} {
		if f.is {
			row("", "%s", f.name)
		}
	}
	if len(s.Faults) > 0 {
		row("faults", "%s", strings.Join(s.Faults, ", "))
	}
	return b.String(), nil
}

func volts(mV int) string { return fmt.Sprintf("%d.%d V", mV/1000, mV%1000/100) }

func choose(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}
