package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/scenarios/rung"
)

// benchVerb measures the simulator: one UPS, one primary, and secondaries that all poll its upsd.
func benchVerb(args []string, out, errOut io.Writer) int {
	fs := pflag.NewFlagSet("rehearse bench", pflag.ContinueOnError)
	fs.SetOutput(errOut)
	list := fs.String("hosts", "10,100,1000", "numbers of hosts")
	hours := fs.Int("hours", 1, "virtual hours")
	if err := fs.Parse(args); errors.Is(err, pflag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	fmt.Fprintf(out, "%7s %12s %10s %14s %16s\n", "hosts", "events", "CPU", "events/CPU s",
		"virtual h/wall s")
	for _, word := range strings.Split(*list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 20000 {
			fmt.Fprintf(errOut, "rehearse bench: --hosts=%s: want numbers from 1 to 20000\n", word)
			return 2
		}
		if err := bench(n, time.Duration(*hours)*time.Hour, out); err != nil {
			fmt.Fprintf(errOut, "rehearse bench: %v\n", err)
			return 1
		}
	}
	return 0
}

func bench(n int, d time.Duration, out io.Writer) error {
	s, err := rung.Crowd(n)
	if err != nil {
		return err
	}
	defer s.Close()
	wall, cpu := time.Now(), cpuTime()
	if _, err := s.Wait(d, func() bool { return false }); err != nil {
		return err
	}
	used, took := cpuTime()-cpu, time.Since(wall)
	events := s.World().Events()
	fmt.Fprintf(out, "%7d %12d %9.2fs %14.0f %16.2f\n", n, events, used.Seconds(),
		float64(events)/used.Seconds(), d.Hours()/took.Seconds())
	return nil
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
