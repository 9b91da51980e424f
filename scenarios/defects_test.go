package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

// room is a data room in which something is wrong: %s takes the steps.
const room = `# a room with a defect
mains a
ups myups feed=a runtime=300s low=120s
host alpha fedby=myups halt=30s BIOS
host beta fedby=myups halt=20s
cable myups alpha:ser0
service alpha driver:myups upsd upsmon
service beta upsmon
start
await 90s upsd alpha logins myups == 2
STEPS
-- alpha/etc/ups.conf --
[myups]
	driver = nutdrv_qx
	port = @ser0@
-- alpha/etc/upsd.users --
[mon]
	password = pw
	upsmon primary
[sec]
	password = pw
	upsmon secondary
-- alpha/etc/upsmon.conf --
MONITOR myups@@addr@ 1 mon pw primary
SHUTDOWNCMD "@halt@"
POWERDOWNFLAG @state@/killpower
-- beta/etc/upsmon.conf --
MONITOR myups@@addr:alpha@ 1 sec pw secondary
SHUTDOWNCMD "@halt@"
`

// TestOraclesCatchDefectsOfRunningPrograms plants defects in rooms where the real daemons run. The
// traces that prove each oracle by itself are in package check.
func TestOraclesCatchDefectsOfRunningPrograms(t *testing.T) {
	nothing := func(e env.Env, _ []string) int { return 0 }
	for _, tt := range []struct {
		name, oracle, steps, bios string
		replace                   map[string]env.Main
	}{
		{name: "nothing is wrong", steps: "after 60s\nquiesce 30s"},
		{name: "the kill command is given while hosts run", oracle: "S01",
			steps: "run alpha upsdrvctl shutdown\nafter 60s"},
		{name: "the kill command is given while a secondary is logged in", oracle: "S02",
			steps: "proc beta upsmon pause\nrun alpha upsmon -c fsd\nafter 2s\nrun alpha upsdrvctl shutdown\nafter 60s"},
		{name: "a host does not switch on when the power returns", oracle: "L01", bios: "bios=off",
			steps: "mains a off\nawait 400s ups myups outlet is off\nafter 60s\nmains a on\nquiesce 600s"},
		{name: "the monitor never comes back after the repair", oracle: "L06",
			replace: map[string]env.Main{"upsmon": dumbAfter(4)}, steps: "proc beta upsmon kill\nafter 30s\nquiesce 300s"},
		{name: "SHUTDOWNCMD does nothing", oracle: "L02", replace: map[string]env.Main{"halt": nothing},
			steps: "mains a off\nafter 500s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("STEPS", tt.steps, "BIOS", tt.bios).Replace(room)
			file := filepath.Join(t.TempDir(), "defect.txtar")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			res := script.Run(file, script.Options{Name: "sim", Seed: 1, Rung: func(seed uint64) (rung.Rung, error) {
				return rung.NewSim(rung.SimOptions{Seed: seed, Replace: tt.replace}), nil
			}})
			found := false
			for _, v := range res.Report.Violations {
				found = found || v.ID == tt.oracle
			}
			if tt.oracle == "" && res.Err != nil {
				t.Errorf("a healthy room: %v", res.Err)
			}
			if tt.oracle != "" && !found {
				t.Errorf("%s did not catch it: %v\n%s", tt.oracle, res.Err, res.Report)
			}
		})
	}
}

// dumbAfter is upsmon for the first n starts, two for each instance, and a program that watches nothing from then on.
func dumbAfter(n int) env.Main {
	return func(e env.Env, args []string) int {
		if len(args) > 0 {
			return upsmon.Main(e, args)
		}
		if n--; n >= 0 {
			return upsmon.Main(e, args)
		}
		e.Host().Detach(e)
		e.Host().Ready(e, "watching nothing")
		for e.Sleep(time.Hour) == nil {
		}
		return 0
	}
}
