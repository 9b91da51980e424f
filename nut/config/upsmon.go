package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Upsmon is upsmon.conf.
type Upsmon struct {
	Monitors    []Monitor
	MinSupplies int

	PollFreq       time.Duration
	PollFreqAlert  time.Duration
	HostSync       time.Duration
	DeadTime       time.Duration
	FinalDelay     time.Duration
	RBWarnTime     time.Duration
	NoCommWarnTime time.Duration
	OffDuration    time.Duration // negative: never
	OBLBDuration   time.Duration
	OverDuration   time.Duration // negative: never
	ShutdownExit   time.Duration // 0: at once; negative: stay

	PollFailLogThrottleMax int // -1: log each failed poll; 0: only changes; n: every n-th
	AlarmCritical          bool

	ShutdownCmd   string   // a line for the shell
	NotifyCmd     []string // the program, and arguments; one word with blanks is for the shell, as before 2.8.6
	PowerdownFlag string
	NotifyMsg     map[string]string // by type; missing types have their usual text
	NotifyFlag    map[string]NotifyFlag
	RunAsUser     string

	CertPath   string
	CertFile   string
	CertIdent  [2]string // name, password
	CertHosts  []CertHost
	CertVerify bool
	ForceSSL   bool
	DebugMin   int
}

// A Monitor is one MONITOR line. System is ups[@host[:port]] as written.
type Monitor struct {
	System     string
	PowerValue int
	User       string
	Password   string
	Role       Role
	Line       int
}

// A NotifyFlag says where notifications of a type go.
type NotifyFlag struct{ Syslog, Wall, Exec, Ignore bool }

// A CertHost is what is special about one server; -1 in Verify or Force means the global setting.
type CertHost struct {
	Host, Cert    string
	Verify, Force int
}

// NotifyTypes are the types that NOTIFYMSG and NOTIFYFLAG know, in the order of the manual page.
var NotifyTypes = []string{
	"ONLINE", "ONBATT", "LOWBATT", "FSD", "COMMOK", "COMMBAD", "SHUTDOWN", "SHUTDOWN_HOSTSYNC", "REPLBATT",
	"NOCOMM", "NOPARENT", "CAL", "NOTCAL", "OFF", "NOTOFF", "BYPASS", "NOTBYPASS", "ECO", "NOTECO", "ALARM",
	"NOTALARM", "OVER", "NOTOVER", "TRIM", "NOTTRIM", "BOOST", "NOTBOOST", "OTHER", "NOTOTHER",
	"SUSPEND_STARTING", "SUSPEND_FINISHED", "SUSPEND_TIMEJUMP_UNEXPECTED",
}

var upsmonDirectives = []directive[Upsmon]{
	{"MONITOR", 4, "MONITOR ups@host POWERVALUE USER PASSWORD primary|secondary", setMonitor},
	{"MINSUPPLIES", 1, "MINSUPPLIES 1", func(c *Upsmon, a []string) error { return keepNumber(&c.MinSupplies, a, 0) }},
	{"POLLFREQ", 1, "POLLFREQ 5 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.PollFreq, a, 1) }},
	{"POLLFREQALERT", 1, "POLLFREQALERT 5 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.PollFreqAlert, a, 1) }},
	{"HOSTSYNC", 1, "HOSTSYNC 15 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.HostSync, a, 0) }},
	{"DEADTIME", 1, "DEADTIME 15 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.DeadTime, a, 0) }},
	{"FINALDELAY", 1, "FINALDELAY 5 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.FinalDelay, a, 0) }},
	{"RBWARNTIME", 1, "RBWARNTIME 43200 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.RBWarnTime, a, 0) }},
	{"NOCOMMWARNTIME", 1, "NOCOMMWARNTIME 300 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.NoCommWarnTime, a, 0) }},
	{"OFFDURATION", 1, "OFFDURATION 30 (seconds; negative: never)", func(c *Upsmon, a []string) error { return keep(&c.OffDuration, a, -maxNumber) }},
	{"OBLBDURATION", 1, "OBLBDURATION 0 (seconds)", func(c *Upsmon, a []string) error { return keep(&c.OBLBDuration, a, -maxNumber) }},
	{"OVERDURATION", 1, "OVERDURATION -1 (seconds; negative: never)", func(c *Upsmon, a []string) error { return keep(&c.OverDuration, a, -maxNumber) }},
	{"POLLFAIL_LOG_THROTTLE_MAX", 1, "POLLFAIL_LOG_THROTTLE_MAX 100", func(c *Upsmon, a []string) error { return keepNumber(&c.PollFailLogThrottleMax, a, -1) }},
	{"ALARMCRITICAL", 1, "ALARMCRITICAL 1", func(c *Upsmon, a []string) error { return keepBool(&c.AlarmCritical, a) }},
	{"SHUTDOWNEXIT", 1, "SHUTDOWNEXIT yes, no or seconds", setShutdownExit},
	{"SHUTDOWNCMD", 1, `SHUTDOWNCMD "/sbin/shutdown -h +0"`, setShutdownCmd},
	{"NOTIFYCMD", 1, "NOTIFYCMD /usr/sbin/upssched", func(c *Upsmon, a []string) error { c.NotifyCmd = slices.Clone(a); return nil }},
	{"POWERDOWNFLAG", 1, "POWERDOWNFLAG /etc/killpower", func(c *Upsmon, a []string) error { c.PowerdownFlag = a[0]; return nil }},
	{"NOTIFYMSG", 2, `NOTIFYMSG ONBATT "UPS %s on battery"`, setNotifyMsg},
	{"NOTIFYFLAG", 2, "NOTIFYFLAG ONBATT SYSLOG+WALL+EXEC, or IGNORE", setNotifyFlag},
	{"RUN_AS_USER", 1, "RUN_AS_USER nut", func(c *Upsmon, a []string) error { c.RunAsUser = a[0]; return nil }},
	{"CERTPATH", 1, "CERTPATH /etc/nut/certs", func(c *Upsmon, a []string) error { c.CertPath = a[0]; return nil }},
	{"CERTFILE", 1, "CERTFILE /etc/nut/client.pem", func(c *Upsmon, a []string) error { c.CertFile = a[0]; return nil }},
	{"CERTIDENT", 2, `CERTIDENT "certificate name" "password"`, func(c *Upsmon, a []string) error { c.CertIdent = [2]string{a[0], a[1]}; return nil }},
	{"CERTHOST", 4, `CERTHOST HOST "certificate name" VERIFY FORCE`, setCertHost},
	{"CERTVERIFY", 1, "CERTVERIFY 1", func(c *Upsmon, a []string) error { return keepBool(&c.CertVerify, a) }},
	{"FORCESSL", 1, "FORCESSL 1", func(c *Upsmon, a []string) error { return keepBool(&c.ForceSSL, a) }},
	{"DEBUG_MIN", 1, "DEBUG_MIN 0", func(c *Upsmon, a []string) error { return keepNumber(&c.DebugMin, a, 0) }},
}

// errOldMonitor is NUT's word for a line without a user name, which ends the start.
var errOldMonitor = errors.New("Unable to use old-style MONITOR line without a username") //lint:ignore ST1005 scripts look for it

// setMonitor reads a MONITOR line. Any role but primary is a secondary, as with NUT, but an unknown
// one is reported.
func setMonitor(c *Upsmon, a []string) error {
	if len(a) < 5 {
		return errOldMonitor
	}
	value, err := number(a, 1, 0)
	if err != nil {
		return err
	}
	for _, m := range c.Monitors {
		if m.System == a[0] {
			return badWord{0, "this UPS has a MONITOR line already; the first one counts"}
		}
	}
	role, known := roles[a[4]]
	if !known {
		role = Secondary
	}
	c.Monitors = append(c.Monitors, Monitor{System: a[0], PowerValue: value, User: a[2], Password: a[3], Role: role})
	if !known {
		return badWord{4, "not a role; taken for secondary"}
	}
	return nil
}

func setShutdownExit(c *Upsmon, a []string) error {
	if n, err := strconv.Atoi(a[0]); err == nil {
		if n > maxNumber {
			return badWord{0, "not a number of seconds"}
		}
		c.ShutdownExit = time.Duration(n) * time.Second
		return nil
	}
	yes, err := boolean(a, 0)
	if err == nil {
		c.ShutdownExit = map[bool]time.Duration{true: 0, false: -time.Second}[yes]
	}
	return err
}

// setShutdownCmd: words after the first are arguments, quoted for the shell.
func setShutdownCmd(c *Upsmon, a []string) error {
	c.ShutdownCmd = a[0]
	for _, w := range a[1:] {
		c.ShutdownCmd += " '" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return nil
}

// notifyType reads a type in any letter case.
func notifyType(a []string) (string, error) {
	name := strings.ToUpper(a[0])
	if !slices.Contains(NotifyTypes, name) {
		return "", badWord{0, "not a notify type"}
	}
	return name, nil
}

func setNotifyMsg(c *Upsmon, a []string) error {
	name, err := notifyType(a)
	if err == nil {
		c.NotifyMsg[name] = a[1]
	}
	return err
}

func setNotifyFlag(c *Upsmon, a []string) error {
	name, err := notifyType(a)
	if err != nil {
		return err
	}
	f, err := ParseNotifyFlag(a[1])
	if err != nil {
		return badWord{1, err.Error()}
	}
	c.NotifyFlag[name] = f
	return nil
}

// ParseNotifyFlag reads words such as SYSLOG+WALL.
func ParseNotifyFlag(s string) (NotifyFlag, error) {
	var f NotifyFlag
	for _, w := range strings.Split(s, "+") {
		switch w {
		case "SYSLOG":
			f.Syslog = true
		case "WALL":
			f.Wall = true
		case "EXEC":
			f.Exec = true
		case "IGNORE":
			f.Ignore = true
		default:
			return f, fmt.Errorf("%q is not SYSLOG, WALL, EXEC or IGNORE", w)
		}
	}
	return f, nil
}

func (f NotifyFlag) String() string {
	var words []string
	for _, w := range []struct {
		on   bool
		name string
	}{{f.Syslog, "SYSLOG"}, {f.Wall, "WALL"}, {f.Exec, "EXEC"}, {f.Ignore, "IGNORE"}} {
		if w.on {
			words = append(words, w.name)
		}
	}
	if len(words) == 0 {
		return "IGNORE"
	}
	return strings.Join(words, "+")
}

func setCertHost(c *Upsmon, a []string) error {
	h := CertHost{Host: a[0], Cert: a[1]}
	for i, to := range []*int{&h.Verify, &h.Force} {
		n, err := number(a, i+2, -1)
		if err != nil || n > 1 {
			return badWord{i + 2, "not -1, 0 or 1"}
		}
		*to = n
	}
	c.CertHosts = append(c.CertHosts, h)
	return nil
}

// DefaultUpsmon is an upsmon.conf that says nothing.
func DefaultUpsmon() *Upsmon {
	return &Upsmon{
		MinSupplies: 1, PollFreq: 5 * time.Second, PollFreqAlert: 5 * time.Second,
		HostSync: 15 * time.Second, DeadTime: 15 * time.Second, FinalDelay: 5 * time.Second,
		RBWarnTime: 12 * time.Hour, NoCommWarnTime: 5 * time.Minute, OffDuration: 30 * time.Second,
		OverDuration: -time.Second, PollFailLogThrottleMax: -1, AlarmCritical: true,
		NotifyMsg: map[string]string{}, NotifyFlag: map[string]NotifyFlag{},
	}
}

// ParseUpsmon reads upsmon.conf.
func ParseUpsmon(file string, text []byte) (*Upsmon, []Problem) {
	r := &reader{file: file}
	c := DefaultUpsmon()
	apply(r, c, text, upsmonDirectives)
	return c, r.problems
}

// Text is the file again.
func (c *Upsmon) Text() []byte {
	var t text
	for _, m := range c.Monitors {
		t.put("MONITOR", m.System, m.PowerValue, m.User, m.Password, string(m.Role))
	}
	t.put("MINSUPPLIES", c.MinSupplies)
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"POLLFREQ", c.PollFreq}, {"POLLFREQALERT", c.PollFreqAlert}, {"HOSTSYNC", c.HostSync},
		{"DEADTIME", c.DeadTime}, {"FINALDELAY", c.FinalDelay}, {"RBWARNTIME", c.RBWarnTime},
		{"NOCOMMWARNTIME", c.NoCommWarnTime}, {"OFFDURATION", c.OffDuration}, {"OBLBDURATION", c.OBLBDuration},
		{"OVERDURATION", c.OverDuration}, {"SHUTDOWNEXIT", c.ShutdownExit}} {
		t.put(d.name, d.value)
	}
	t.put("POLLFAIL_LOG_THROTTLE_MAX", c.PollFailLogThrottleMax)
	t.put("ALARMCRITICAL", c.AlarmCritical)
	for _, s := range []struct{ name, value string }{{"SHUTDOWNCMD", c.ShutdownCmd}, {"POWERDOWNFLAG", c.PowerdownFlag},
		{"RUN_AS_USER", c.RunAsUser}, {"CERTPATH", c.CertPath}, {"CERTFILE", c.CertFile}} {
		if s.value != "" {
			t.put(s.name, s.value)
		}
	}
	if len(c.NotifyCmd) > 0 {
		args := make([]any, len(c.NotifyCmd))
		for i, w := range c.NotifyCmd {
			args[i] = w
		}
		t.put("NOTIFYCMD", args...)
	}
	for _, name := range NotifyTypes {
		if m, ok := c.NotifyMsg[name]; ok {
			t.put("NOTIFYMSG", name, m)
		}
		if f, ok := c.NotifyFlag[name]; ok {
			t.put("NOTIFYFLAG", name, f.String())
		}
	}
	if c.CertIdent[0] != "" {
		t.put("CERTIDENT", c.CertIdent[0], c.CertIdent[1])
	}
	for _, h := range c.CertHosts {
		t.put("CERTHOST", h.Host, h.Cert, h.Verify, h.Force)
	}
	t.put("CERTVERIFY", c.CertVerify)
	t.put("FORCESSL", c.ForceSSL)
	t.put("DEBUG_MIN", c.DebugMin)
	return []byte(t.String())
}
