package rung

import (
	"fmt"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Crowd is a room of n hosts on one UPS, already started: h0 is the primary and runs upsd and the
// driver, all others are secondaries that poll it. It measures the simulator, and is the
// room that properties hurt.
func Crowd(n int) (*Sim, error) {
	s := NewSim(SimOptions{Seed: 1})
	if err := s.Site().AddFeed("a"); err != nil {
		return nil, err
	}
	if _, err := s.Site().AddUPS("rack", "a", power.Spec{}, site.Megatec); err != nil {
		return nil, err
	}
	plan := Plan{
		Cables: []Cable{{UPS: "rack", Host: "h0", Port: "ser0"}},
		Files: []File{
			{Host: "h0", Name: "ups.conf", Text: "[rack]\n driver = nutdrv_qx\n port = @ser0@\n"},
			{Host: "h0", Name: "upsd.conf", Text: "LISTEN @addr@ 3493\nMAXCONN 30000\n"},
			{Host: "h0", Name: "upsd.users",
				Text: "[p]\n password=pw\n upsmon primary\n[s]\n password=pw\n upsmon secondary\n"},
		},
	}
	for i := range n {
		name, role, user, at := fmt.Sprintf("h%d", i), "secondary", "s", "@addr:h0@"
		services := []string{"upsmon"}
		if i == 0 {
			role, user, at, services = "primary", "p", "@addr@", []string{"driver:rack", "upsd", "upsmon"}
		}
		m := &site.Machine{Name: name, Supplies: []site.Supply{{Source: "rack", N: 1}},
			Services: services}
		if err := s.Site().AddMachine(m); err != nil {
			return nil, err
		}
		plan.Files = append(plan.Files, File{Host: name, Name: "upsmon.conf",
			Text: fmt.Sprintf("MONITOR rack@%s 1 %s pw %s\nSHUTDOWNCMD \"@halt@\"\nPOWERDOWNFLAG @state@/killpower\n", at, user, role)})
	}
	return s, s.Start(plan)
}
