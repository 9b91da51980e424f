package scenarios_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aRoom is one computer that is up, and its configuration; the steps of a test go between the two.
const aRoomStarts = `mains a
ups myups feed=a kind=megatec runtime=600s low=60s
host alpha fedby=myups boot=20s halt=30s
cable myups alpha:ser0
service alpha driver:myups upsd upsmon
start
await 90s ups myups status has OL
await 60s host alpha is up
`

const itsFiles = `-- alpha/etc/ups.conf --
[myups]
	driver = nutdrv_qx
	port = @ser0@
-- alpha/etc/upsd.users --
[mon]
	password = pw
	upsmon primary
-- alpha/etc/upsmon.conf --
MONITOR myups@@addr@ 1 mon pw primary
SHUTDOWNCMD "@halt@"
POWERDOWNFLAG @state@/killpower
`

// inARoom plays steps in a room and returns what the script says.
func inARoom(t *testing.T, steps string) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "steps.txtar")
	text := aRoomStarts + strings.TrimSpace(steps) + "\n" + itsFiles
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return onSim(file, 1, false).Err
}

func TestAButtonPressedOnTheWayDownDoesNotHaltTheNextBoot(t *testing.T) {
	if err := inARoom(t, `
host alpha halt
after 1s
host alpha halt
await 60s host alpha is halted
host alpha crash
await 60s host alpha is up
hold 120s host alpha is up`); err != nil {
		t.Error(err)
	}
}

func TestAComputerWithoutPowerDoesNotBootAfterACrash(t *testing.T) {
	if err := inARoom(t, `
mains a off
await 900s ups myups outlet is off
await 5s host alpha is off
host alpha crash
hold 120s host alpha is off`); err != nil {
		t.Error(err)
	}
}

func TestNeverOutlivesTheActionsOfTheScript(t *testing.T) {
	for name, steps := range map[string]string{
		"with a wait afterwards": "run alpha upsmon -c fsd\nmark x\nmark y\nafter 1s",
		"at the very end":        "run alpha upsmon -c fsd\nrun alpha upsmon -c stop\nrun alpha upsdrvctl stop",
	} {
		err := inARoom(t, "never host alpha event FSD\nnever host alpha event SHUTDOWN\n"+steps)
		if err == nil || !strings.Contains(err.Error(), "it happened") {
			t.Errorf("%s: %v; want to hear that it happened", name, err)
		}
	}
}

func TestNeverDoesNotHideEventsFromWhatFollows(t *testing.T) {
	if err := inARoom(t, `
mains a off
after 20s
never host alpha event SHUTDOWN
expect host alpha event ONBATT`); err != nil {
		t.Error(err)
	}
}

func TestAHaltedComputerServesNobody(t *testing.T) {
	err := inARoom(t, `
proc alpha upsd pause
host alpha halt
await 90s host alpha is halted
proc alpha upsd resume`)
	if err == nil || !strings.Contains(err.Error(), "no upsd runs there") {
		t.Errorf("%v; want no upsd to be there", err)
	}
}

func TestNothingOutlivesAReboot(t *testing.T) {
	if err := inARoom(t, `
proc alpha upsmon pause
host alpha reboot
after 35s
await 120s host alpha is up
await 60s upsd alpha logins myups == 1
hold 120s upsd alpha logins myups == 1`); err != nil {
		t.Error(err)
	}
}
