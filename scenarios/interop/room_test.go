package interop

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// In one outage of an emulated UPS our upsmon and Debian's, each secondary on a host of its own, shut
// down when our primary says so; then the load is cut. Foreign programs know no faster clock, so this
// takes its time.
func TestSecondariesOfBothKindsShutDownInOneOutage(t *testing.T) {
	ours, theirs := kits(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	p, err := rung.NewProc(rung.ProcOptions{Bin: filepath.Dir(ours.upsmon), Scale: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	s := p.Site()
	if err := s.AddFeed("a"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddUPS("rack", "a", power.Spec{Runtime: 40 * time.Second, Low: 25 * time.Second}, site.Megatec); err != nil {
		t.Fatal(err)
	}
	plan := rung.Plan{Cables: []rung.Cable{{UPS: "rack", Host: "first", Port: "ser0"}}, Files: []rung.File{
		{Host: "first", Name: "ups.conf", Text: "pollinterval = 1\n[rack]\n driver = nutdrv_qx\n port = @ser0@\n offdelay = 12\n"},
		{Host: "first", Name: "upsd.users", Text: "[p]\n password=pw\n upsmon primary\n[s]\n password=pw\n upsmon secondary\n"},
	}}
	for _, h := range []struct {
		name, system, login, instead string
		services                     []string
	}{
		{"first", "rack@@addr@", "p pw primary", "", []string{"driver:rack", "upsd", "upsmon"}},
		{"ours", "rack@@addr:first@", "s pw secondary", "", []string{"upsmon"}},
		{"theirs", "rack@@addr:first@", "s pw secondary", inOwnRun(t, theirs.upsmon), []string{"upsmon"}},
	} {
		m := &site.Machine{Name: h.name, Supplies: []site.Supply{{Source: "rack", N: 1}}, Services: h.services,
			Boot: time.Millisecond, Halt: time.Second, Steady: true}
		if h.instead != "" {
			m.Instead = map[string]string{"upsmon": h.instead}
		}
		if err := s.AddMachine(m); err != nil {
			t.Fatal(err)
		}
		plan.Files = append(plan.Files, rung.File{Host: h.name, Name: "upsmon.conf", Text: fmt.Sprintf(
			"MONITOR %s 1 %s\nPOLLFREQ 1\nPOLLFREQALERT 1\nFINALDELAY 1\nRUN_AS_USER %s\nSHUTDOWNCMD \"@halt@\"\nPOWERDOWNFLAG @state@/killpower\n",
			h.system, h.login, me.Username)})
	}
	if err := p.Start(plan); err != nil {
		t.Fatal(err)
	}
	await := func(what string, is func(env.Event) bool) {
		t.Helper()
		read := 0
		ok, err := p.Wait(time.Minute, func() bool {
			for trace := p.Trace(); read < len(trace); read++ {
				if is(trace[read]) {
					return true
				}
			}
			return false
		})
		if err != nil || !ok {
			t.Fatalf("not within a minute: %s (%v)\n%s", what, err, check.Timeline(p.Trace(), check.TimelineOptions{}))
		}
	}
	await("all three are logged in", func(ev env.Event) bool { return ev.Kind == env.Login && ev.N == 3 })
	s.SetMains(s.Feed("a"), 0)
	await("the load of the last host is cut", func(ev env.Event) bool {
		return ev.Kind == env.Machine && ev.Host == "theirs" && ev.Value == site.Off
	})
	story := check.Timeline(p.Trace(), check.TimelineOptions{})
	for _, host := range []string{"first", "ours", "theirs"} {
		if state := halts(p.Trace(), host); state != "stopping halted off" {
			t.Errorf("%s went %q; want it stopped and halted before its power was cut\n%s", host, state, story)
		}
	}
	if r := check.Run(p.Trace(), p.Tolerance(), env.Never); !r.OK() {
		t.Errorf("%s\n%s", r, story)
	}
}

// halts lists the states of a host from the moment it began to stop.
func halts(trace []env.Event, host string) string {
	var states []string
	for _, ev := range trace {
		if ev.Kind == env.Machine && ev.Host == host && (len(states) > 0 || ev.Value == site.Stopping) {
			states = append(states, ev.Value)
		}
	}
	return strings.Join(states, " ")
}

// inOwnRun writes a program that runs another one with a /run of its own.
func inOwnRun(t *testing.T, program string) string {
	t.Helper()
	args := ownRun(t, "exec "+program+` "$@"`)
	for i, a := range args {
		args[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	name := filepath.Join(t.TempDir(), "upsmon")
	text := "#!/bin/sh\nexec unshare " + strings.Join(args, " ") + " upsmon \"$@\"\n"
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}
