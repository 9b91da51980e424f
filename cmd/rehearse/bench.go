package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// benchVerb measures the simulator: one UPS, one primary, and secondaries that all poll its upsd.
func benchVerb(args []string, out, errOut io.Writer) int {
	fs := pflag.NewFlagSet("rehearse bench", pflag.ContinueOnError)
	fs.SetOutput(errOut)
	list := fs.String("hosts", "10,100,1000", "numbers of hosts")
	hours := fs.Int("hours", 1, "virtual hours")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	fmt.Fprintf(out, "%7s %12s %10s %14s %16s\n", "hosts", "events", "CPU", "events/CPU s", "virtual h/wall s")
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
	s, err := benchRoom(n)
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

// benchRoom is a room of n hosts on one UPS.
func benchRoom(n int) (*rung.Sim, error) {
	s := rung.NewSim(rung.SimOptions{Seed: 1})
	if err := s.Site().AddFeed("a"); err != nil {
		return nil, err
	}
	if _, err := s.Site().AddUPS("rack", "a", power.Spec{}, megatec.Options{}); err != nil {
		return nil, err
	}
	plan := rung.Plan{
		Cables: []rung.Cable{{UPS: "rack", Host: "h0", Port: "ser0"}},
		Files: []rung.File{
			{Host: "h0", Name: "ups.conf", Text: "[rack]\n driver = nutdrv_qx\n port = @ser0@\n"},
			{Host: "h0", Name: "upsd.conf", Text: "LISTEN @addr@ 3493\nMAXCONN 30000\n"},
			{Host: "h0", Name: "upsd.users", Text: "[p]\n password=pw\n upsmon primary\n[s]\n password=pw\n upsmon secondary\n"},
		},
	}
	for i := range n {
		name, role, user, at := fmt.Sprintf("h%d", i), "secondary", "s", "@addr:h0@"
		services := []string{"upsmon"}
		if i == 0 {
			role, user, at, services = "primary", "p", "@addr@", []string{"driver:rack", "upsd", "upsmon"}
		}
		m := &site.Machine{Name: name, Supplies: []site.Supply{{Source: "rack", N: 1}}, Services: services}
		if err := s.Site().AddMachine(m); err != nil {
			return nil, err
		}
		plan.Files = append(plan.Files, rung.File{Host: name, Name: "upsmon.conf",
			Text: fmt.Sprintf("MONITOR rack@%s 1 %s pw %s\nSHUTDOWNCMD \"@halt@\"\n", at, user, role)})
	}
	return s, s.Start(plan)
}

// cpuTime is what this process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
