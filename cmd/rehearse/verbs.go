package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

// A verb is one thing that rehearse does. Exit codes: 0 all well, 1 a scenario failed or an oracle
// was broken, 2 the call was wrong or the machine cannot do it.
type verb struct {
	name  string
	usage string
	help  string
	run   func(args []string, out, errOut io.Writer) int
}

func verbs() []verb {
	return []verb{
		{"run", "run [--rung=sim|proc] [--seed=N] [--compare] [--timeline] [--json] FILE...",
			"run scenarios; the oracles watch each of them", runVerb},
		{"demo", "demo [--bin=DIR]",
			"an outage in a small data room, in virtual time and with real processes", demoVerb},
		{"judge", "judge FILE.jsonl...",
			"let the oracles judge a recorded event stream", judgeVerb},
		{"explain", "explain FILE HOST [TIME]",
			"why a host shut down, or did not, at that time", explainVerb},
		{"bench", "bench [--hosts=10,100,1000] [--hours=1]",
			"how fast the simulator runs the full daemons", benchVerb},
		{"words", "words", "the language of scenarios", wordsVerb},
		{"oracles", "oracles", "what must hold in every run, and what may excuse it", oraclesVerb},
	}
}

func help() string {
	var b strings.Builder
	b.WriteString("rehearse: power failures, before they happen\n\nUsage:\n")
	for _, v := range verbs() {
		fmt.Fprintf(&b, "  rehearse %s\n      %s\n", v.usage, v.help)
	}
	b.WriteString(`
A scenario is a text file (scenarios/*.txtar) that declares hosts, UPSes and wiring, lets the mains
fail, and says what must happen. On the rung sim everything runs in this process in virtual time;
the same seed gives the same bytes. On the rung proc the programs of bin/ run as processes on
loopback addresses and ptys, with their clocks running faster.

Exit status: 0 all well, 1 a scenario failed, 2 the call was wrong or cannot be done here.
`)
	return b.String()
}

func wordsVerb(_ []string, out, _ io.Writer) int {
	fmt.Fprint(out, script.Usage())
	return 0
}

func oraclesVerb(_ []string, out, _ io.Writer) int {
	fmt.Fprintln(out, "Oracles (S: what must never happen; L: what must happen in time):")
	for _, o := range check.Oracles {
		fmt.Fprintf(out, "  %s  %s\n", o.ID, o.Claim)
	}
	fmt.Fprintln(out, "\nExcuses (counted in the report; a script adds its own with allow):")
	for _, r := range check.Reasons {
		fmt.Fprintf(out, "  %-11s  %s\n", r.Name, r.Meaning)
	}
	return 0
}
