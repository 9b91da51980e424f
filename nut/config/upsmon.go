package config

import (
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
	NUTRules               bool // decide as the C monitor does

	ShutdownCmd   string   // a line for the shell
	NotifyCmd     []string // program and arguments; a single word with blanks is for the shell
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
	Line       int // where it stands in the file
}

// A CertHost is what is special about one server; -1 in Verify or Force means the global setting.
type CertHost struct {
	Host, Cert    string
	Verify, Force int
}

// never is the least number where every negative one means never.
const never = -maxNumber

var upsmonDirectives = []directive[Upsmon]{
	{"MONITOR", "UPS@HOST POWERVALUE USER PASSWORD [primary|secondary]", setMonitor},
	{"MINSUPPLIES", "POWERVALUE", func(c *Upsmon, a *args) { a.number(0, 0, &c.MinSupplies) }},
	{"POLLFREQ", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 1, &c.PollFreq) }},
	{"POLLFREQALERT", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 1, &c.PollFreqAlert) }},
	{"HOSTSYNC", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 0, &c.HostSync) }},
	{"DEADTIME", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 0, &c.DeadTime) }},
	{"FINALDELAY", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 0, &c.FinalDelay) }},
	{"RBWARNTIME", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 0, &c.RBWarnTime) }},
	{"NOCOMMWARNTIME", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, 0, &c.NoCommWarnTime) }},
	{"OFFDURATION", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, never, &c.OffDuration) }},
	{"OBLBDURATION", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, never, &c.OBLBDuration) }},
	{"OVERDURATION", "SECONDS", func(c *Upsmon, a *args) { a.seconds(0, never, &c.OverDuration) }},
	{"POLLFAIL_LOG_THROTTLE_MAX", "POLLS", func(c *Upsmon, a *args) {
		a.number(0, -1, &c.PollFailLogThrottleMax)
	}},
	{"ALARMCRITICAL", "1|0", func(c *Upsmon, a *args) { a.digit(0, &c.AlarmCritical) }},
	{"NUT_RULES", "yes|no", func(c *Upsmon, a *args) { a.boolean(0, &c.NUTRules) }},
	{"SHUTDOWNEXIT", "yes|no|SECONDS", setShutdownExit},
	{"SHUTDOWNCMD", "COMMAND [ARGUMENT...]", setShutdownCmd},
	{"NOTIFYCMD", "PROGRAM [ARGUMENT...]", setNotifyCmd},
	{"POWERDOWNFLAG", "FILE", func(c *Upsmon, a *args) { c.PowerdownFlag = a.text(0) }},
	{"NOTIFYMSG", "TYPE MESSAGE", setNotifyMsg},
	{"NOTIFYFLAG", "TYPE SYSLOG+WALL+EXEC|IGNORE", setNotifyFlag},
	{"RUN_AS_USER", "ACCOUNT", func(c *Upsmon, a *args) { c.RunAsUser = a.text(0) }},
	{"CERTPATH", "FOLDER", func(c *Upsmon, a *args) { c.CertPath = a.text(0) }},
	{"CERTFILE", "FILE", func(c *Upsmon, a *args) { c.CertFile = a.text(0) }},
	{"CERTIDENT", "NAME PASSWORD", func(c *Upsmon, a *args) { setCertIdent(&c.CertIdent, a) }},
	{"CERTHOST", "HOST NAME VERIFY FORCE", setCertHost},
	{"CERTVERIFY", "1|0", func(c *Upsmon, a *args) { a.digit(0, &c.CertVerify) }},
	{"FORCESSL", "1|0", func(c *Upsmon, a *args) { a.digit(0, &c.ForceSSL) }},
	{"DEBUG_MIN", "LEVEL", func(c *Upsmon, a *args) { a.number(0, 0, &c.DebugMin) }},
}

// setMonitor reads a MONITOR line. Any role but primary is a secondary, as with NUT.
func setMonitor(c *Upsmon, a *args) {
	a.want = "MONITOR UPS@HOST POWERVALUE USER PASSWORD primary|secondary"
	if !a.has(4) { // the words of releases before 1.5, which had no users
		a.r.wrong(a.name, "Unable to use old-style MONITOR line without a username", a.want)
		return
	}
	m := Monitor{System: a.ascii(0), User: a.ascii(2), Password: a.secret(3), Role: Secondary,
		Line: a.name.Line}
	if !a.number(1, 0, &m.PowerValue) {
		return
	}
	i := slices.IndexFunc(c.Monitors, func(other Monitor) bool { return other.System == m.System })
	switch {
	case m.System == "":
		a.wrong(0, "the name of the UPS is empty")
		return
	case i >= 0:
		a.warn(0, "ignoring duplicate UPS; line "+strconv.Itoa(c.Monitors[i].Line)+" counts")
		return
	}
	if role, ok := roles[strings.ToLower(a.text(4))]; ok {
		m.Role = role
	} else {
		a.warn(4, "not a role; taken for secondary")
	}
	c.Monitors = append(c.Monitors, m)
}

func setShutdownExit(c *Upsmon, a *args) {
	if yes, ok := truth(a.text(0)); ok && strings.Trim(a.text(0), "01") != "" {
		c.ShutdownExit = 0
		if !yes {
			c.ShutdownExit = -time.Second
		}
		return
	}
	a.seconds(0, never, &c.ShutdownExit)
}

// setShutdownCmd: words after the first are arguments, quoted for the shell, as since 2.8.6.
func setShutdownCmd(c *Upsmon, a *args) {
	c.ShutdownCmd = a.text(0)
	for _, w := range a.words[1:] {
		c.ShutdownCmd += " '" + strings.ReplaceAll(w.Text, "'", `'\''`) + "'"
	}
}

func setNotifyCmd(c *Upsmon, a *args) {
	c.NotifyCmd = nil
	for _, w := range a.words {
		c.NotifyCmd = append(c.NotifyCmd, w.Text)
	}
}

func setCertHost(c *Upsmon, a *args) {
	h := CertHost{Host: a.text(0), Cert: a.text(1)}
	for i, to := range []*int{&h.Verify, &h.Force} {
		if !a.number(i+2, -1, to) {
			return
		}
		*to = min(*to, 1)
	}
	c.CertHosts = append(c.CertHosts, h)
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
	return c, r.sorted()
}

// A Duration is a directive whose value is a time.
type Duration struct {
	Name  string
	Value time.Duration
}

// Durations are the settings that are times, by the names of their directives.
func (c *Upsmon) Durations() []Duration {
	return []Duration{
		{"POLLFREQ", c.PollFreq}, {"POLLFREQALERT", c.PollFreqAlert}, {"HOSTSYNC", c.HostSync},
		{"DEADTIME", c.DeadTime}, {"FINALDELAY", c.FinalDelay}, {"RBWARNTIME", c.RBWarnTime},
		{"NOCOMMWARNTIME", c.NoCommWarnTime}, {"OFFDURATION", c.OffDuration},
		{"OBLBDURATION", c.OBLBDuration}, {"OVERDURATION", c.OverDuration},
		{"SHUTDOWNEXIT", c.ShutdownExit},
	}
}

// Text is the file again.
func (c *Upsmon) Text() []byte {
	var t text
	for _, m := range c.Monitors {
		t.put("MONITOR", m.System, m.PowerValue, m.User, m.Password, string(m.Role))
	}
	t.put("MINSUPPLIES", c.MinSupplies)
	for _, d := range c.Durations() {
		t.put(d.Name, d.Value)
	}
	t.put("POLLFAIL_LOG_THROTTLE_MAX", c.PollFailLogThrottleMax)
	t.put("ALARMCRITICAL", c.AlarmCritical)
	if c.NUTRules {
		t.put("NUT_RULES", "yes") // no other program knows it
	}
	t.putSome("SHUTDOWNCMD", c.ShutdownCmd)
	if len(c.NotifyCmd) > 0 {
		t.put("NOTIFYCMD", anys(c.NotifyCmd)...)
	}
	t.putSome("POWERDOWNFLAG", c.PowerdownFlag)
	for _, name := range NotifyTypes {
		if m, ok := c.NotifyMsg[name]; ok {
			t.put("NOTIFYMSG", name, m)
		}
		if f, ok := c.NotifyFlag[name]; ok {
			t.put("NOTIFYFLAG", name, f.String())
		}
	}
	t.putSome("RUN_AS_USER", c.RunAsUser)
	c.writeTLS(&t)
	t.put("DEBUG_MIN", c.DebugMin)
	return []byte(t.String())
}

func (c *Upsmon) writeTLS(t *text) {
	t.putSome("CERTPATH", c.CertPath)
	t.putSome("CERTFILE", c.CertFile)
	if c.CertIdent[0] != "" {
		t.put("CERTIDENT", c.CertIdent[0], c.CertIdent[1])
	}
	for _, h := range c.CertHosts {
		t.put("CERTHOST", h.Host, h.Cert, h.Verify, h.Force)
	}
	t.put("CERTVERIFY", c.CertVerify)
	t.put("FORCESSL", c.ForceSSL)
}
