package upsmon

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// told is the line that people look for in the log when a rule begins to hold; empty when the
// announcements say it all.
func (v *View) told(r Rule, s *Settings, now env.Instant) string {
	const dead = "UPS [%s] was last seen %s and currently is not communicating, assuming dead"
	lost := func(state string) string { return fmt.Sprintf(dead, v.System, state) }
	switch r {
	case ruleFSDBygone:
		return fmt.Sprintf("UPS [%s] has FSD set from a shutdown before this host booted, and line power: "+
			"waiting for the server to clear it - not declaring a critical state", v.System)
	case ruleLostOver:
		return lost("overloaded for longer than the set threshold")
	case ruleLostAlarm:
		return lost("in an ALARM state")
	case ruleLostCal:
		return lost("calibrating")
	case ruleLostBypass:
		return lost("on BYPASS")
	case ruleLostOff:
		return lost("(administratively) OFF")
	case ruleOff:
		return fmt.Sprintf("UPS [%s] is reported as (administratively) OFF", v.System)
	case ruleLostOnline:
		if v.Status.Words.Any(nut.ALARM | nut.CAL | nut.BYPASS | nut.OFF | nut.OVER) {
			return fmt.Sprintf("UPS [%s] is not communicating and was last seen on line power: %q - waiting, "+
				"not declaring a critical state", v.System, v.Status.Text)
		}
	case ruleCal:
		return fmt.Sprintf("UPS [%s] is on battery and low, and also calibrating - "+
			"not declaring a critical state", v.System)
	case ruleOBLBWait:
		return fmt.Sprintf("UPS [%s] is on battery and low, and OBLBDURATION=%d - "+
			"not declaring a critical state just now", v.System, s.OBLBDuration/time.Second)
	case rulePrimarySilent:
		return fmt.Sprintf("Giving up on the primary for UPS [%s] after %d sec since last comms", v.System,
			now.Sub(v.lastFine())/time.Second)
	case ruleLow, rulePrimaryWait:
		if v.LowSince == env.Never {
			return fmt.Sprintf("UPS [%s] is silent for more than DEADTIME=%d and was last seen on battery, "+
				"taking it for low", v.System, s.DeadTime/time.Second)
		}
	}
	return ""
}
