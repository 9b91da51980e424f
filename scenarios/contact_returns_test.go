package scenarios_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/contact"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/drivers"
	closures "github.com/blackstart-ups/blackstart/drivers/contact"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// Contact closures: what the unit ignores on mains, the host's own reboot must make good.

// A closetKind is a unit, as what it can do.
type closetKind struct {
	name string
	kill power.KillMode
	opt  contact.Options
}

func seconds(hold, delay int, o contact.Options) contact.Options {
	o.Hold, o.Delay = time.Duration(hold)*time.Second, time.Duration(delay)*time.Second
	return o
}

var closetKinds = []closetKind{
	{"obeys on battery, at once", power.OnBattOnly, seconds(1, 0, contact.Options{Type: 2})},
	{"obeys on battery, slowly", power.OnBattOnly, seconds(3, 12, contact.Options{Type: 1})},
	{"obeys on battery, latches", power.OnBattOnly,
		seconds(1, 12, contact.Options{Type: 7, Latch: true})},
	{"obeys on battery, to a break", power.OnBattOnly, seconds(1, 3, contact.Options{Type: 15})},
	{"obeys on battery, to low lines", power.OnBattOnly, seconds(2, 5, contact.Options{Type: 4})},
	{"drops its relay on mains too", power.Cycle, seconds(1, 0, contact.Options{Type: 3})},
	{"drops it slowly, latches", power.Cycle, seconds(2, 10, contact.Options{Type: 6, Latch: true})},
}

// on is a host on a unit of the kind.
func (k closetKind) on(host comeback) comeback {
	host.name = fmt.Sprintf("%-29s host %s", k.name, host.name)
	host.driver, host.spec = "genericups", power.Spec{Kill: k.kill}
	host.conf += fmt.Sprintf("\nupstype = %d", k.opt.Type)
	host.face = func(body *power.UPS) site.Face {
		d, err := contact.New(body, k.opt)
		if err != nil {
			panic(err)
		}
		return d
	}
	return host
}

func TestEverythingComesBackWithContactClosures(t *testing.T) {
	var all []comeback
	for _, k := range closetKinds {
		all = append(all,
			k.on(comeback{name: "reboots a minute after its halt", fallback: time.Minute}),
			k.on(comeback{name: "reboots when the kill-power run fails", conf: "sdtime = 20",
				refused: true}))
	}
	allComeBack(t, all)
}

// The C driver's rules, on hosts that stay halted: what the kill-power run knows of the mains
// decides.
func TestNUTsKillPowerRunLeavesHostsOff(t *testing.T) {
	var all []comeback
	for _, k := range closetKinds {
		all = append(all, k.on(comeback{name: "stays halted, rules of NUT", refused: true,
			killer: func(cable serve.Port) env.Main {
				return killAsNUT(cable, closures.Cables[k.opt.Type])
			}}))
	}
	someStayOff(t, all)
}

// killAsNUT is genericups whose kill-power run goes by the C driver's rules: the levels are set,
// whatever the inputs say, and that is all.
func killAsNUT(cable serve.Port, c closures.Cable) env.Main {
	ours := driver.Main(drivers.All, serve.Ports{"/dev/ser0": cable}, "genericups")
	return func(e env.Env, args []string) int {
		if !slices.Contains(args, "-k") {
			return ours(e, args)
		}
		s, err := cable.(*serve.Cable).OpenMode(e, transport.Mode{KeepLines: true})
		if err != nil {
			return 1
		}
		defer s.Close()
		l, err := transport.LinesOf(s)
		for _, out := range []closures.Lines{c.Power, c.Off} {
			if err == nil && out != closures.ST {
				err = l.SetLines(e, out&closures.DTR != 0, out&closures.RTS != 0)
			}
		}
		if err == nil && c.Off == closures.ST {
			err = l.Break(e, 5*time.Second)
		}
		if err != nil {
			return 1
		}
		return 0
	}
}
