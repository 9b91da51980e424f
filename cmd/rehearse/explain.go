package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

const explainUsage = `rehearse explain FILE HOST [TIME]

Why does this host shut down, or not? FILE is a recorded event stream (rehearse run --json, or what
a program wrote to BLACKSTART_EVENTS), or a scenario, which is run first. TIME is when to ask:
  10m36s, 636, +00:10:36.2     since the beginning
  02:13:07, 2026-03-01T02:13:07Z   by the calendar, for streams of real machines
  shutdown                     when the host decided to shut down (the default, if it did)
  end                          at the end (the default, if it did not)
`

// explainVerb carries out rehearse explain.
func explainVerb(args []string, out, errOut io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		fmt.Fprint(out, explainUsage)
		return 0
	}
	if len(args) < 2 || len(args) > 3 {
		fmt.Fprint(errOut, explainUsage)
		return 2
	}
	events, err := stream(args[0])
	if err != nil {
		fmt.Fprintf(errOut, "rehearse explain: %v\n", err)
		return 2
	}
	zero := check.OnOneClock(events)
	when := "shutdown"
	if len(args) == 3 {
		when = args[2]
	}
	at, err := moment(events, args[1], when, zero)
	if err != nil && len(args) == 2 {
		at, err = env.Never, nil // it never shut down
	}
	if err == nil {
		if last := events[len(events)-1].T; at > last {
			at = last
		}
		var text string
		if text, err = check.Explain(events, args[1], at); err == nil {
			if !zero.IsZero() {
				fmt.Fprintf(out, "(times are counted from %s)\n", zero.Format(time.RFC3339))
			}
			fmt.Fprint(out, text)
			return 0
		}
	}
	fmt.Fprintf(errOut, "rehearse explain: %v\n", err)
	return 2
}

// stream reads the events of a file, or those of a scenario's run.
func stream(name string) ([]env.Event, error) {
	if strings.HasSuffix(name, ".txtar") {
		res := script.Run(name, script.Options{Name: "sim", Rung: func(seed uint64) (rung.Rung, error) {
			return rung.NewSim(rung.SimOptions{Seed: seed}), nil
		}})
		if len(res.Trace) == 0 {
			return nil, fmt.Errorf("%s: %w", name, res.Err)
		}
		return res.Trace, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	events, err := check.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("%s: no events in it", name)
	}
	return events, nil
}

// moment finds the instant that a word means.
func moment(events []env.Event, host, word string, zero time.Time) (env.Instant, error) {
	switch word {
	case "end":
		return env.Never, nil
	case "shutdown":
		decided := env.Never
		for _, ev := range events {
			if ev.Host != host || ev.Prog != "upsmon" {
				continue
			}
			if ev.Kind == env.Decide && decided == env.Never {
				decided = ev.T
			}
			if ev.Kind == env.ShutdownCmd && decided != env.Never {
				return ev.T, nil // so that what followed is told
			}
		}
		if decided != env.Never {
			return decided, nil
		}
		return 0, fmt.Errorf("%s never decided to shut down; try: end", host)
	}
	if d, err := time.ParseDuration(word); err == nil {
		return env.Instant(d), nil
	}
	if s, err := strconv.ParseFloat(word, 64); err == nil && s >= 0 && s < 1e9 {
		return env.Instant(s * float64(time.Second)), nil
	}
	if rest, ok := strings.CutPrefix(word, "+"); ok {
		if t, err := time.Parse("15:04:05.999", rest); err == nil {
			return env.Instant(t.Sub(t.Truncate(24 * time.Hour))), nil
		}
	}
	if !zero.IsZero() {
		if t, err := time.Parse(time.RFC3339Nano, word); err == nil {
			return env.Instant(t.Sub(zero)), nil
		}
		if t, err := time.Parse("15:04:05", word); err == nil {
			day := time.Date(zero.Year(), zero.Month(), zero.Day(), t.Hour(), t.Minute(), t.Second(), 0,
				zero.Location())
			if day.Before(zero) {
				day = day.AddDate(0, 0, 1)
			}
			return env.Instant(day.Sub(zero)), nil
		}
	}
	return 0, fmt.Errorf("%q is no time: want 10m36s, 636, +00:10:36, shutdown or end", word)
}
