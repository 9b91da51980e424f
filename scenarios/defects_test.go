package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsd"
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
	password = moreSecretThanMost
	upsmon primary
[sec]
	password = moreSecretThanMost
	upsmon secondary
-- alpha/etc/upsmon.conf --
MONITOR myups@@addr@ 1 mon moreSecretThanMost primary
SHUTDOWNCMD "@halt@"
POWERDOWNFLAG @state@/killpower
-- beta/etc/upsmon.conf --
MONITOR myups@@addr:alpha@ 1 sec moreSecretThanMost secondary
SHUTDOWNCMD "@halt@"
`

// TestOraclesCatchDefectsOfRunningPrograms plants defects in rooms where the real daemons run. The
// traces that prove each oracle by itself are in package check.
func TestOraclesCatchDefectsOfRunningPrograms(t *testing.T) {
	nothing := func(e env.Env, _ []string) int { return 0 }
	said := func(ev env.Event) func(env.Env) error {
		return func(e env.Env) error {
			e.Emit(ev)
			return nil
		}
	}
	for _, tt := range []struct {
		name, oracle, steps, bios string
		replace                   map[string]env.Main
	}{
		{name: "nothing is wrong", steps: "after 60s\nquiesce 30s"},
		{name: "the kill command is given while hosts run", oracle: "S01",
			steps: "run alpha upsdrvctl shutdown\nafter 60s"},
		{name: "the kill command is given by a primary without its flag", oracle: "S03",
			steps: "proc alpha driver:myups kill\nrun alpha upsdrvctl shutdown\nafter 60s"},
		{name: "the kill command is given while a secondary is logged in", oracle: "S02",
			steps: "proc beta upsmon pause\nrun alpha upsmon -c fsd\nafter 2s\nrun alpha upsdrvctl shutdown\nafter 60s"},
		{name: "a host does not switch on when the power returns", oracle: "L01", bios: "bios=off",
			steps: "mains a off\nawait 400s ups myups outlet is off\nafter 60s\nmains a on\nquiesce 600s"},
		{name: "the monitor never comes back after the repair", oracle: "L06",
			replace: map[string]env.Main{"upsmon": dumbAfter(4)}, steps: "proc beta upsmon kill\nafter 30s\nquiesce 300s"},
		{name: "SHUTDOWNCMD does nothing", oracle: "L02", replace: map[string]env.Main{"halt": nothing},
			steps: "mains a off\nafter 500s"},
		{name: "a monitor stops its host on good power", oracle: "S11", steps: "after 120s",
			replace: map[string]env.Main{"upsmon": beside(upsmon.Main, said(env.Event{Kind: env.Decide,
				Name: "power", Value: "shutdown"}))}},
		{name: "a monitor announces the end of an outage that never was", oracle: "S13", steps: "after 120s",
			replace: map[string]env.Main{"upsmon": beside(upsmon.Main, said(env.Event{Kind: env.Notify,
				UPS: "myups@10.0.0.2", Name: "ONLINE"}))}},
		{name: "FSD is set by nobody", oracle: "S09", steps: "after 120s",
			replace: map[string]env.Main{"upsd": beside(upsd.Main, said(env.Event{Kind: env.FSD,
				UPS: "myups", Value: "set"}))}},
		{name: "a monitor runs NOTIFYCMD with privilege", oracle: "S20", steps: "after 120s",
			replace: map[string]env.Main{"upsmon": beside(upsmon.Main, said(env.Event{Kind: env.Exec,
				Name: "notifycmd", Value: "privileged"}))}},
		{name: "a server takes a second and a half for each answer", oracle: "S19",
			replace: map[string]env.Main{"slow": slow}, steps: "proc alpha upsd kill\nrun alpha slow\nafter 60s"},
		{name: "a monitor starts more and more tasks", oracle: "S21", steps: "after 1s\nmark x\nrun beta upsc -l alpha\nafter 120s\nquiesce 60s",
			replace: map[string]env.Main{"upsmon": beside(upsmon.Main, multiply)}},
		{name: "a program shows its password", oracle: "S22", steps: "run beta chatter\nafter 1s",
			replace: map[string]env.Main{"chatter": func(e env.Env, _ []string) int {
				e.Log().Info("logging in with " + secret)
				return 0
			}}},
		{name: "a program never lets time go on", oracle: "L08", steps: "! run beta spin",
			replace: map[string]env.Main{"spin": func(e env.Env, _ []string) int {
				for e.Sleep(0) == nil {
				}
				return 0
			}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("STEPS", tt.steps, "BIOS", tt.bios).Replace(room)
			file := filepath.Join(t.TempDir(), "defect.txtar")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			res := script.Run(file, script.Options{Name: "sim", Seed: 1, Rung: func(seed uint64) (rung.Rung, error) {
				return rung.NewSim(rung.SimOptions{Seed: seed, Replace: tt.replace, Watch: true}), nil
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

// secret is the password of everybody in the room.
const secret = "moreSecretThanMost"

// beside runs a program and, a minute after it has started, something else in the same process.
func beside(main env.Main, also func(env.Env) error) env.Main {
	return func(e env.Env, args []string) int {
		if len(args) == 0 {
			e.Go("beside", func(e env.Env) error {
				if err := e.Sleep(time.Minute); err != nil {
					return err
				}
				return also(e)
			})
		}
		return main(e, args)
	}
}

// multiply starts tasks that never end.
func multiply(e env.Env) error {
	for range 100 {
		e.Go("idle", func(e env.Env) error { return e.Sleep(time.Hour) })
	}
	return nil
}

// slow is a server that thinks long before it says that it knows nothing.
func slow(e env.Env, _ []string) int {
	l, err := e.Net().Listen(e, "tcp", "0.0.0.0:3493")
	if err != nil {
		e.Log().Error(err.Error())
		return 1
	}
	e.Host().Detach(e)
	e.Host().Ready(e, "listening")
	e.Emit(env.Event{Kind: env.Proc, Name: "upsd", Value: "start"})
	for {
		c, err := l.Accept(e, env.Never)
		if err != nil {
			return 1
		}
		e.Go("client", func(e env.Env) error {
			for buf := make([]byte, 512); ; {
				if _, err := c.Read(e, buf, env.Never); err != nil {
					return c.Close()
				}
				if err := e.Sleep(1500 * time.Millisecond); err != nil {
					return err
				}
				if _, err := c.Write(e, []byte("ERR UNKNOWN-UPS\n"), env.Never); err != nil {
					return c.Close()
				}
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
