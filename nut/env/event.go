package env

// An Event is one fact about a run, for machines: oracles, timelines, comparisons between rungs,
// reports. Programs emit the same events on a virtual host and as real processes; there, when the
// environment variable BLACKSTART_EVENTS names a sink, each is one JSON object on a line:
//
//	{"t":12004000000,"host":"nas","prog":"upsmon","kind":"notify","ups":"rack@nas","name":"ONBATT","value":"UPS rack@nas on battery"}
//
// The sink is a file to append to, or unixgram:PATH, a datagram socket that gets one event each.
// Fields are never renamed; new kinds and names may be added. No event carries a password.
type Event struct {
	T     Instant `json:"t"`              // ns since the machine's origin; in a rehearsal all hosts share it
	Host  string  `json:"host,omitempty"` // the machine
	Prog  string  `json:"prog,omitempty"` // the program; empty for facts about the world
	Kind  Kind    `json:"kind"`
	UPS   string  `json:"ups,omitempty"`   // upsmon: as written in MONITOR; others: the name in ups.conf
	Name  string  `json:"name,omitempty"`  // what, within the kind
	Value string  `json:"value,omitempty"` // its value
	N     int64   `json:"n,omitempty"`     // a count, or nanoseconds for durations
	Why   string  `json:"why,omitempty"`   // the reason, in words
	Wall  string  `json:"wall,omitempty"`  // RFC 3339: the calendar, on real machines outside rehearsals
}

// Kind says what an event is about. The table gives the meaning of the other fields.
type Kind string

// Facts about the world; only rehearsals have them. Host is the machine concerned.
const (
	Mains   Kind = "mains"   // Name=feed, Value=on|off (or volts)
	Power   Kind = "power"   // UPS; Name=input Value=line|battery; Name=low Value=yes|no; Name=outlet Value=on|off Why; Name=empty Value=yes|no
	Machine Kind = "machine" // Value=off|booting|up|stopping|halted, Why
	Fed     Kind = "fed"     // Value=yes|no, N=supplies with power
	Proc    Kind = "proc"    // Name=service, Value=start|exit|kill|pause|resume, N=exit code
	Link    Kind = "link"    // Name="a b" (directed, sorted both ways for both), Value=cut|heal|delay, N=delay
	Fault   Kind = "fault"   // UPS; Name=kind of fault, Value=on|off
	Mark    Kind = "mark"    // Name
	Wire    Kind = "wire"    // UPS feeds N supplies of Host
	Spec    Kind = "spec"    // a declared property of Host (Name=boot|halt|min|fallback|bios: 0 on, 1 last, 2 off) or of UPS (Name=runtime|low|offdelay|ondelay|kill: 0 always, 1 on battery only, 2 never): N
	Probe   Kind = "probe"   // what an independent client reads of UPS from the upsd on Host: Name=status|logins, Value=reply or "ERR ...", N=logins; on change. Name=delay: N=how long it waited, when more than a second; Value=reply|none
	Device  Kind = "device"  // a command that has reached the electronics of UPS: Name=kill|cancel|test|stop|beeper, Value=as it came; queries are not told
	Tasks   Kind = "tasks"   // Name=program, N=tasks that its process on Host has; Value=idle before a plan of faults, after when all is repaired
	Leak    Kind = "leak"    // a password was seen: Name=console, Value=the program's line without it
	Stuck   Kind = "stuck"   // virtual time cannot go on: Why
)

// Facts from upsd (Prog "upsd"); UPS is the name in ups.conf.
const (
	Data   Kind = "data"   // Value=connected|lost|fresh|stale, Why; also from drivers (fresh|stale)
	Served Kind = "served" // Value=the status clients read, FSD included; on change
	Login  Kind = "login"  // Name=ip:port of the client, Value=its address, N=count after
	Logout Kind = "logout" // Name=ip:port of the client, Value=its address, N=count after, Why
	FSD    Kind = "fsd"    // Value=set|cleared, Name=user, Why=who; from upsmon: Value=sent|refused, Why
	Grant  Kind = "grant"  // at start and reload, after the setting MAXCONN: Name=user, Value=an action that upsd.users allows, in upper case
)

// Facts from upsmon (Prog "upsmon").
const (
	Setting     Kind = "setting"     // at start and reload: Name=directive, N=value (durations in ns); also from upsd (MAXAGE, MAXCONN) and drivers (pollinterval, offdelay, ondelay)
	Monitor     Kind = "monitor"     // at start and reload, one a MONITOR line: UPS, Name=primary|secondary, N=power value
	Comm        Kind = "comm"        // UPS, Value=ok|lost, Why; on change, the first poll included
	Status      Kind = "status"      // UPS, Value=the accepted status; on change; also from drivers
	Judge       Kind = "judge"       // UPS, Name=the rule that holds from now on, Value=yes|no (critical), N=ns until time alone may end it (0: never), Why
	Critical    Kind = "critical"    // UPS, Value=yes|no, Name=rule, Why; on change
	Decide      Kind = "decide"      // Value=shutdown, Name=power|operator, N=healthy power value, Why
	Notify      Kind = "notify"      // Name=type (ONBATT ...), UPS or empty, Value=message
	Sync        Kind = "sync"        // UPS, Value=wait|done|expired, N=logins
	Flag        Kind = "flag"        // POWERDOWNFLAG: Name=file, Value=written|removed|foreign|set|unset
	ShutdownCmd Kind = "shutdowncmd" // Value=the command about to run
)

// Facts from upssched (Prog "upssched").
const (
	Timer Kind = "timer" // UPS, Name, Value=start|join|cancel|fire|execute|refused, N=ns until it fires
)

// Facts from every program.
const (
	// Exec is a command that a program starts: Name=shutdowncmd|notifycmd|driver, Value=privileged,
	// unprivileged, or rootless where there is no privileged part. A virtual host tells it of its
	// programs; the programs themselves do not.
	Exec Kind = "exec"
	Drop Kind = "drop" // Name=queue, N=how much it had to drop since the last time
)

// Facts from drivers (Prog is the driver's program name, e.g. nutdrv_qx); UPS is the name in
// ups.conf.
const (
	Cmd      Kind = "command" // an instant command or setting that reached the device: Name, Value=argument, Why=outcome
	LoadKill Kind = "kill"    // the kill-power run: Name=command, Value=accepted|refused|sent, Why=what went over the wire
	Port     Kind = "port"    // Value=open|gone|retry, Why
)
