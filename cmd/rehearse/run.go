package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

// options of the verbs that run scenarios.
type options struct {
	rung     string
	seed     uint64
	scale    int64
	bin      string
	compare  bool
	timeline bool
	json     bool
	verbose  bool
	console  bool
	files    []string
}

// parse reads the words of a call; ok is false when there is nothing to run, and status says why.
func parse(args []string, errOut io.Writer) (o options, status int, ok bool) {
	o = options{rung: "sim"}
	fs := pflag.NewFlagSet("rehearse run", pflag.ContinueOnError)
	fs.SetOutput(errOut)
	fs.StringVar(&o.rung, "rung", o.rung, "where to run: sim (virtual time) or proc (real processes)")
	fs.Uint64Var(&o.seed, "seed", 1, "seed of all that is random on sim")
	fs.Int64Var(&o.scale, "scale", rung.DefaultScale,
		"proc: how many times faster than real the clocks run")
	fs.StringVar(&o.bin, "bin", binDir(), "proc: folder with the programs")
	fs.BoolVar(&o.compare, "compare", false, "run on sim and proc and compare what happened")
	fs.BoolVar(&o.timeline, "timeline", false, "print what happened, for people")
	fs.BoolVar(&o.json, "json", false, "print the events, one JSON object a line")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "print each line of the script as it runs")
	fs.BoolVar(&o.console, "console", false, "print what the programs print and log")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return o, 0, false
		}
		fmt.Fprintf(errOut, "rehearse run: %v\n", err)
		return o, 2, false
	}
	o.files = fs.Args()
	if o.rung != "sim" && o.rung != "proc" {
		fmt.Fprintf(errOut, "rehearse run: --rung=%s: want sim or proc\n", o.rung)
		return o, 2, false
	}
	if len(o.files) == 0 {
		fmt.Fprintln(errOut, "rehearse run: which scenario? e.g. scenarios/outage_simple.txtar")
		return o, 2, false
	}
	return o, 0, true
}

// binDir is where this program is.
func binDir() string {
	exe, err := os.Executable()
	if err != nil {
		return "bin"
	}
	return filepath.Dir(exe)
}

// play runs one scenario on one rung.
func play(o options, kind, file string, errOut io.Writer) script.Result {
	var console func(t env.Instant, host, prog, line string)
	if o.console {
		console = func(t env.Instant, host, prog, line string) {
			fmt.Fprintf(errOut, "%s %s %s: %s\n", stamp(t), host, prog, line)
		}
	}
	sim := func(seed uint64) (rung.Rung, error) {
		return rung.NewSim(rung.SimOptions{Seed: seed, Console: console}), nil
	}
	so := script.Options{Name: kind, Seed: o.seed, Rung: sim, Remake: sim}
	ctx := context.Background()
	if kind == "proc" { // without this an interrupt would leave the room's processes behind
		var cancel context.CancelFunc
		ctx, cancel = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer cancel()
		so.Remake = nil
		so.Rung = func(uint64) (rung.Rung, error) {
			return rung.NewProc(rung.ProcOptions{Bin: o.bin, Scale: o.scale, Console: console,
				Stop: ctx.Done()})
		}
	}
	if o.verbose {
		so.Log = func(line string) { fmt.Fprintln(errOut, line) }
	}
	res := script.Run(file, so)
	if ctx.Err() != nil {
		res.Err = fmt.Errorf("%s: %w", filepath.Base(file), rung.ErrInterrupted)
		return res
	}
	if kind == "proc" && res.Err != nil && res.Late*time.Duration(o.scale) > maxLate && o.scale > 2 {
		o.scale /= 2
		fmt.Fprintf(errOut,
			"%s: this machine kept programs waiting for %v, which their clocks took for %v; "+
				"once more with clocks %d times faster\n", filepath.Base(file), res.Late.Round(time.Millisecond),
			(res.Late * time.Duration(2*o.scale)).Round(time.Second), o.scale)
		return play(o, kind, file, errOut)
	}
	return res
}

// maxLate is how long programs may have waited for a processor, in the room's time, for a failure
// to be theirs and not the machine's.
const maxLate = time.Second

// stamp renders a time of the room.
func stamp(t env.Instant) string {
	d := time.Duration(t)
	return fmt.Sprintf("+%02d:%02d:%06.3f", int(d.Hours()), int(d.Minutes())%60,
		(d % time.Minute).Seconds())
}

func runVerb(args []string, out, errOut io.Writer) int {
	o, status, ok := parse(args, errOut)
	if !ok {
		return status
	}
	for _, file := range o.files {
		err := runFile(o, file, out, errOut)
		if errors.Is(err, rung.ErrInterrupted) {
			return 1
		}
		if err != nil {
			status = 1
		}
	}
	return status
}

// errDiffer is a comparison that failed; what differs was printed.
var errDiffer = errors.New("the rungs tell different stories")

// runFile runs one scenario as the options say, prints what became of it, and returns what was
// wrong.
func runFile(o options, file string, out, errOut io.Writer) error {
	if !o.compare {
		res := play(o, o.rung, file, errOut)
		show(o, o.rung, file, res, out, errOut)
		return res.Err
	}
	sim := play(o, "sim", file, errOut)
	show(o, "sim", file, sim, out, errOut)
	proc := play(o, "proc", file, errOut)
	show(o, "proc", file, proc, out, errOut)
	if sim.Err != nil || proc.Err != nil || sim.Skipped != "" || proc.Skipped != "" {
		return errors.Join(sim.Err, proc.Err)
	}
	c := check.Compare(sim.Trace, proc.Trace,
		compareWindow+time.Duration(o.scale)*250*time.Millisecond)
	fmt.Fprint(out, c)
	if !c.OK() {
		return errDiffer
	}
	return nil
}

// compareWindow is how far apart two hosts' notifications must be for their order to mean
// something: each upsmon polls every 5 s in a phase of its own.
const compareWindow = 6 * time.Second

// show prints what became of a scenario.
func show(o options, kind, file string, res script.Result, out, errOut io.Writer) {
	if o.json {
		w := check.NewWriter(out)
		for _, ev := range res.Trace {
			w.Write(ev)
		}
		if res.Err != nil {
			fmt.Fprintf(errOut, "FAIL  %-4s %s: %v\n", kind, filepath.Base(file), res.Err)
		}
		return
	}
	name := filepath.Base(file)
	switch {
	case res.Skipped != "":
		fmt.Fprintf(out, "skip  %-4s %s: %s\n", kind, name, res.Skipped)
		return
	case res.Err != nil:
		fmt.Fprintf(out, "FAIL  %-4s %s: %v\n", kind, name, res.Err)
		if kind == "sim" {
			fmt.Fprintf(out, "      again: rehearse run --rung=sim --seed=%d %s\n", o.seed, file)
		}
	default:
		fmt.Fprintf(out, "ok    %-4s %s: %v of the room's time in %v", kind, name,
			res.Virtual.Round(time.Second), res.Real.Round(time.Millisecond))
		if kind == "sim" {
			fmt.Fprintf(out, ", trace %.12s", check.Hash(res.Trace))
		}
		if res.Explored > 0 {
			fmt.Fprintf(out, ", %d more worlds explored", res.Explored)
		}
		fmt.Fprintln(out)
	}
	for _, m := range res.Measures {
		fmt.Fprintf(out, "      %s: %v\n", m.Name, m.Value.Round(time.Second))
	}
	for _, e := range res.Report.Excuses {
		fmt.Fprintf(out, "      excused: %s on %s, %s (%d)\n", e.ID, e.Host, e.Reason, e.N)
	}
	if o.timeline {
		fmt.Fprintln(out)
		fmt.Fprint(out, check.Timeline(res.Trace, check.TimelineOptions{}))
		fmt.Fprintln(out)
	}
}

func judgeVerb(args []string, out, errOut io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		fmt.Fprint(out, help())
		return 0
	}
	if len(args) == 0 {
		fmt.Fprintln(errOut,
			"rehearse judge: which file? Record one with: rehearse run --json FILE > events.jsonl")
		return 2
	}
	status := 0
	for _, name := range args {
		f, err := os.Open(name)
		if err != nil {
			fmt.Fprintf(errOut, "rehearse judge: %v\n", err)
			return 2
		}
		events, err := check.ReadAll(f)
		f.Close()
		if err != nil {
			fmt.Fprintf(errOut, "rehearse judge: %s: %v\n", name, err)
			return 2
		}
		r := check.Run(events, 0, env.Never)
		fmt.Fprintf(out, "%s: %s\n", name, r)
		if !r.OK() {
			status = 1
		}
	}
	return status
}
