package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/blackstart-ups/blackstart/scenarios"
	"github.com/blackstart-ups/blackstart/scenarios/check"
)

// demoFile is the scenario of the demo.
const demoFile = "outage_dataroom.txtar"

// demoVerb rehearses one outage twice, in virtual time and with real processes, and shows that both
// tell the same story.
func demoVerb(args []string, out, errOut io.Writer) int {
	o, status, ok := parse(append(args, demoFile), errOut)
	if !ok {
		return status
	}
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		fmt.Fprintf(errOut, "rehearse demo: %v\n", err)
		return 2
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, demoFile)
	text, err := scenarios.Files.ReadFile(demoFile)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		fmt.Fprintf(errOut, "rehearse demo: %v\n", err)
		return 2
	}
	fmt.Fprintf(out,
		"An outage in a small data room: one UPS, the host on its cable (nas), two more on the\n"+
			"network (db, web). First in virtual time: the real upsd, upsmon and driver code on virtual hosts.\n\n")
	sim := play(o, "sim", file, errOut)
	if sim.Err != nil {
		fmt.Fprintf(out, "FAIL: %v\n", sim.Err)
		return 1
	}
	fmt.Fprintln(out, check.Timeline(sim.Trace, check.TimelineOptions{}))
	fmt.Fprintf(out,
		"%v of the room's time in %v; nobody lost power while running; "+
			"the same every time: trace %.12s\n\n",
		sim.Virtual.Round(time.Second), sim.Real.Round(time.Millisecond), check.Hash(sim.Trace))
	fmt.Fprintf(out,
		"Now the same script with the programs of %s as processes, on loopback addresses and a pty,\n"+
			"their clocks %d times faster. This takes about %v.\n\n", o.bin, o.scale,
		(sim.Virtual / time.Duration(o.scale)).Round(time.Second))
	proc := play(o, "proc", file, errOut)
	if proc.Err != nil {
		fmt.Fprintf(out, "FAIL: %v\n", proc.Err)
		return 1
	}
	c := check.Compare(sim.Trace, proc.Trace,
		compareWindow+time.Duration(o.scale)*250*time.Millisecond)
	fmt.Fprint(out, c)
	if !c.OK() {
		return 1
	}
	return 0
}
