package upsmon

import "strings"

// A Type is a kind of announcement, as NOTIFYMSG, NOTIFYFLAG and NOTIFYTYPE spell it.
type Type string

// The types that this monitor announces. SUSPEND_STARTING and SUSPEND_FINISHED are accepted in the
// configuration and never come: it notices afterwards that the machine slept.
const (
	Online           Type = "ONLINE"
	OnBatt           Type = "ONBATT"
	LowBatt          Type = "LOWBATT"
	ForcedShutdown   Type = "FSD"
	CommOK           Type = "COMMOK"
	CommBad          Type = "COMMBAD"
	Shutdown         Type = "SHUTDOWN"
	ShutdownHostSync Type = "SHUTDOWN_HOSTSYNC"
	ReplBatt         Type = "REPLBATT"
	NoComm           Type = "NOCOMM"
	CalOn            Type = "CAL"
	CalOff           Type = "NOTCAL"
	Off              Type = "OFF"
	NotOff           Type = "NOTOFF"
	Bypass           Type = "BYPASS"
	NotBypass        Type = "NOTBYPASS"
	Eco              Type = "ECO"
	NotEco           Type = "NOTECO"
	Alarm            Type = "ALARM"
	NotAlarm         Type = "NOTALARM"
	Over             Type = "OVER"
	NotOver          Type = "NOTOVER"
	Trim             Type = "TRIM"
	NotTrim          Type = "NOTTRIM"
	Boost            Type = "BOOST"
	NotBoost         Type = "NOTBOOST"
	Other            Type = "OTHER"
	NotOther         Type = "NOTOTHER"
	NoParent         Type = "NOPARENT"
	TimeJump         Type = "SUSPEND_TIMEJUMP_UNEXPECTED"
)

// usual are the texts of types that have no NOTIFYMSG. The first %s is the UPS, the second the detail.
var usual = map[Type]string{
	Online:           "UPS %s on line power",
	OnBatt:           "UPS %s on battery",
	LowBatt:          "UPS %s battery is low",
	ForcedShutdown:   "UPS %s: forced shutdown in progress",
	CommOK:           "Communications with UPS %s established",
	CommBad:          "Communications with UPS %s lost",
	Shutdown:         "Auto logout and shutdown proceeding",
	ShutdownHostSync: "Shutdown initiated; primary system is waiting for secondaries to log out or time out",
	ReplBatt:         "UPS %s battery needs to be replaced",
	NoComm:           "UPS %s is unavailable",
	CalOn:            "UPS %s: calibration in progress",
	CalOff:           "UPS %s: calibration finished",
	Off:              "UPS %s: administratively OFF or asleep",
	NotOff:           "UPS %s: no longer administratively OFF or asleep",
	Bypass:           "UPS %s: on bypass (powered, not protecting)",
	NotBypass:        "UPS %s: no longer on bypass",
	Eco:              "UPS %s: in ECO mode (as defined by vendor)",
	NotEco:           "UPS %s: no longer in ECO mode",
	Alarm:            "UPS %s: one or more active alarms: [%s]",
	NotAlarm:         "UPS %s is no longer in an alarm state (no active alarms)",
	Over:             "UPS %s: overloaded",
	NotOver:          "UPS %s: no longer overloaded",
	Trim:             "UPS %s: trimming incoming voltage",
	NotTrim:          "UPS %s: no longer trimming incoming voltage",
	Boost:            "UPS %s: boosting incoming voltage",
	NotBoost:         "UPS %s: no longer boosting incoming voltage",
	Other:            "UPS %s: has at least one unclassified status token: [%s]",
	NotOther:         "UPS %s has no unclassified status tokens anymore",
	NoParent:         "upsmon parent process died - shutdown impossible",
	TimeJump:         "Unexpected clock change by %s, treating as wake up from sleep",
}

// A Notice is something to announce.
type Notice struct {
	Type   Type
	UPS    string // as written in MONITOR; empty for what concerns the host
	Detail string // for ALARM, OTHER and SUSPEND_TIMEJUMP_UNEXPECTED
}

// maxMessage is the longest announcement: programs that take them have buffers of 512 bytes.
const maxMessage = 511

// Text is the announcement in words. format is a NOTIFYMSG, or empty for the usual text.
func (n Notice) Text(format string) string {
	if format == "" {
		format = usual[n.Type]
	}
	values := []string{n.UPS, n.Detail}
	if n.Type == TimeJump {
		values = values[1:]
	}
	text := fill(format, values...)
	return text[:min(len(text), maxMessage)]
}

// fill puts the values in the place of %s, and a percent sign in the place of %%. Any other use of
// the percent sign is no mistake worth losing an announcement for, and stays as it is.
func fill(format string, values ...string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		b.WriteString(before)
		switch {
		case !found:
			return b.String()
		case strings.HasPrefix(after, "%"):
			b.WriteByte('%')
			format = after[1:]
		case strings.HasPrefix(after, "s") && len(values) > 0:
			b.WriteString(values[0])
			format, values = after[1:], values[1:]
		default:
			b.WriteByte('%')
			format = after
		}
	}
}
