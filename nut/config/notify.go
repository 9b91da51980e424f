package config

import (
	"fmt"
	"slices"
	"strings"
)

// NotifyTypes are the types that NOTIFYMSG and NOTIFYFLAG know, in the order of the manual page.
var NotifyTypes = []string{
	"ONLINE", "ONBATT", "LOWBATT", "FSD", "COMMOK", "COMMBAD", "SHUTDOWN", "SHUTDOWN_HOSTSYNC",
	"REPLBATT", "NOCOMM", "NOPARENT", "CAL", "NOTCAL", "OFF", "NOTOFF", "BYPASS", "NOTBYPASS",
	"ECO", "NOTECO", "ALARM", "NOTALARM", "OVER", "NOTOVER", "TRIM", "NOTTRIM", "BOOST", "NOTBOOST",
	"OTHER", "NOTOTHER",
	"SUSPEND_STARTING", "SUSPEND_FINISHED", "SUSPEND_TIMEJUMP_UNEXPECTED",
}

// detailed are the types whose message may have a second %s, for the alarms or words in question.
var detailed = []string{"ALARM", "OTHER"}

// A NotifyFlag says where notifications of a type go. Ignore beats the others.
type NotifyFlag struct{ Syslog, Wall, Exec, Ignore bool }

type notifyWord struct {
	word string
	flag func(*NotifyFlag) *bool
}

// notifyWords are the words of NOTIFYFLAG.
var notifyWords = []notifyWord{
	{"SYSLOG", func(f *NotifyFlag) *bool { return &f.Syslog }},
	{"WALL", func(f *NotifyFlag) *bool { return &f.Wall }},
	{"EXEC", func(f *NotifyFlag) *bool { return &f.Exec }},
	{"IGNORE", func(f *NotifyFlag) *bool { return &f.Ignore }},
}

// ParseNotifyFlag reads words such as SYSLOG+WALL. The error is about the words that mean nothing;
// the others are in the flag.
func ParseNotifyFlag(s string) (NotifyFlag, error) {
	var f NotifyFlag
	var bad []string
	for w := range strings.SplitSeq(s, "+") {
		i := slices.IndexFunc(notifyWords, func(n notifyWord) bool { return n.word == w })
		if i < 0 {
			bad = append(bad, w)
			continue
		}
		*notifyWords[i].flag(&f) = true
	}
	if bad != nil {
		return f, fmt.Errorf("Invalid notify flag: %q", bad) //lint:ignore ST1005 upsmon's words
	}
	return f, nil
}

// String is what ParseNotifyFlag reads; a flag that says nothing is IGNORE.
func (f NotifyFlag) String() string {
	var list []string
	for _, n := range notifyWords {
		if *n.flag(&f) {
			list = append(list, n.word)
		}
	}
	if list == nil {
		return "IGNORE"
	}
	return strings.Join(list, "+")
}

// notifyType reads the first word as a type, in any letter case.
func (a *args) notifyType() (string, bool) {
	name := strings.ToUpper(a.text(0))
	if !slices.Contains(NotifyTypes, name) {
		a.wrong(0, "invalid notify type")
		return "", false
	}
	return name, true
}

func setNotifyMsg(c *Upsmon, a *args) {
	name, ok := a.notifyType()
	if !ok {
		return
	}
	if _, twice := c.NotifyMsg[name]; twice {
		a.warn(0, "has a message already; this one counts")
	}
	most := 1
	if slices.Contains(detailed, name) {
		most = 2
	}
	if n, odd := verbs(a.text(1)); odd != "" {
		a.warn(1, odd+" means nothing; only %s does")
	} else if n > most {
		a.warn(1, fmt.Sprintf("%d times %%s; this type has %d", n, most))
	}
	c.NotifyMsg[name] = a.text(1)
}

// verbs counts the %s of a message and returns the first thing after a % that is none.
func verbs(message string) (n int, odd string) {
	for i := 0; i < len(message); i++ {
		if message[i] != '%' {
			continue
		}
		i++
		switch {
		case i < len(message) && message[i] == 's':
			n++
		case i < len(message) && message[i] == '%':
		case odd == "":
			odd = message[i-1 : min(i+1, len(message))]
		}
	}
	return n, odd
}

// setNotifyFlag keeps what it understands. Of a line where it understands nothing the usual flags
// remain: a slip must not silence an alarm.
func setNotifyFlag(c *Upsmon, a *args) {
	name, ok := a.notifyType()
	if !ok {
		return
	}
	f, err := ParseNotifyFlag(a.text(1))
	if err != nil {
		a.wrong(1, err.Error())
	}
	if f == (NotifyFlag{}) {
		return
	}
	if _, twice := c.NotifyFlag[name]; twice {
		a.warn(0, "has flags already; these count")
	}
	c.NotifyFlag[name] = f
}
