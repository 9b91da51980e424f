package config

import (
	"slices"
	"strings"
	"time"
)

// Upssched is upssched.conf.
type Upssched struct {
	CmdScript []string // program and arguments; a single word with blanks is for the shell
	PipeFN    string   // socket of the process that holds the timers
	LockFN    string   // held while one looks whether there is such a process
	Rules     []AtRule
	DebugMin  int
}

// An AtRule is one AT line: what to do when a notification of a type comes for a UPS.
type AtRule struct {
	Type  string // a notify type, in capitals
	UPS   string // as upsmon says it, or * for all, those of no UPS included
	Do    AtVerb
	Name  string        // of the timer, or what EXECUTE hands to CMDSCRIPT
	After time.Duration // START-TIMER: until it fires; 0: at once
	Else  string        // CANCEL-TIMER: handed to CMDSCRIPT when there was no such timer
	Line  int           // where it stands in the file
}

// Matches reports whether the rule is about a notification.
func (r AtRule) Matches(notifyType, ups string) bool {
	return strings.EqualFold(r.Type, notifyType) && (r.UPS == "*" || r.UPS == ups)
}

// AtVerb is what an AT line may do.
type AtVerb string

// The verbs of AT.
const (
	Execute       AtVerb = "EXECUTE"
	StartTimer    AtVerb = "START-TIMER"
	StartShared   AtVerb = "START-TIMER-SHARED"
	CancelTimer   AtVerb = "CANCEL-TIMER"
	CancelMatched AtVerb = "CANCEL-TIMER-MATCHED"
)

// atForms are the words after each verb.
var atForms = []struct {
	verb AtVerb
	form string
}{
	{Execute, "NAME"},
	{StartTimer, "NAME [SECONDS]"},
	{StartShared, "NAME [SECONDS]"},
	{CancelTimer, "NAME [COMMAND]"},
	{CancelMatched, "NAME [COMMAND]"},
}

var upsschedDirectives = []directive[Upssched]{
	{"CMDSCRIPT", "PROGRAM [ARGUMENT...]", setCmdScript},
	{"PIPEFN", "FILE", func(c *Upssched, a *args) { c.PipeFN = a.text(0) }},
	{"LOCKFN", "FILE", func(c *Upssched, a *args) { c.LockFN = a.text(0) }},
	{"AT", "TYPE UPS|* COMMAND NAME [WORD]", setAt},
	{"DEBUG_MIN", "LEVEL", func(c *Upssched, a *args) { a.number(0, 0, &c.DebugMin) }},
}

func setCmdScript(c *Upssched, a *args) {
	c.CmdScript = nil
	for _, w := range a.words {
		c.CmdScript = append(c.CmdScript, w.Text)
	}
}

func setAt(c *Upssched, a *args) {
	if name := c.Missing(); name != "" {
		a.r.warn(a.name, name+" must be set before any ATs in the config file: "+
			"NUT's upssched stops here", name+" above this line")
	}
	r := AtRule{Type: strings.ToUpper(a.text(0)), UPS: a.ascii(1), Do: AtVerb(a.text(2)),
		Name: a.text(3), Line: a.name.Line}
	i := slices.IndexFunc(atForms, func(f struct {
		verb AtVerb
		form string
	}) bool {
		return f.verb == r.Do
	})
	if i < 0 {
		a.want = "AT TYPE UPS|* " + verbList()
		a.wrong(2, "invalid command")
		return
	}
	a.want = "AT TYPE UPS|* " + string(r.Do) + " " + atForms[i].form
	if !slices.Contains(NotifyTypes, r.Type) {
		a.warn(0, "upsmon has no such notify type")
	}
	switch r.Do {
	case StartTimer, StartShared:
		if !a.delay(&r.After) {
			return
		}
	case CancelTimer, CancelMatched:
		if a.has(4) {
			r.Else = a.text(4)
		}
	default:
		if a.has(4) {
			a.warn(4, "nobody reads this word")
		}
	}
	c.Rules = append(c.Rules, r)
}

// delay reads the seconds of a timer. None is 0; with a negative number nothing is ever started.
func (a *args) delay(to *time.Duration) bool {
	if !a.has(4) {
		a.r.warn(a.name, "no seconds: the timer fires at once", a.want)
		return true
	}
	n := 0
	if !a.number(4, never, &n) {
		return false
	}
	if n < 0 {
		a.wrong(4, "bogus offset for a timer")
		return false
	}
	*to = time.Duration(n) * time.Second
	return true
}

func verbList() string {
	var all []string
	for _, f := range atForms {
		all = append(all, string(f.verb))
	}
	return strings.Join(all, "|")
}

// Missing is the first directive without which no AT line can be followed; "" when all are there.
func (c *Upssched) Missing() string {
	switch {
	case len(c.CmdScript) == 0:
		return "CMDSCRIPT"
	case c.PipeFN == "":
		return "PIPEFN"
	case c.LockFN == "":
		return "LOCKFN"
	}
	return ""
}

// ParseUpssched reads upssched.conf.
func ParseUpssched(file string, text []byte) (*Upssched, []Problem) {
	r := &reader{file: file}
	c := &Upssched{}
	apply(r, c, text, upsschedDirectives)
	return c, r.sorted()
}

// Text is the file again.
func (c *Upssched) Text() []byte {
	var t text
	if len(c.CmdScript) > 0 {
		t.put("CMDSCRIPT", anys(c.CmdScript)...)
	}
	t.putSome("PIPEFN", c.PipeFN)
	t.putSome("LOCKFN", c.LockFN)
	for _, r := range c.Rules {
		words := []any{r.Type, r.UPS, string(r.Do), r.Name}
		switch {
		case r.Do == StartTimer || r.Do == StartShared:
			words = append(words, r.After)
		case r.Else != "":
			words = append(words, r.Else)
		}
		t.put("AT", words...)
	}
	t.put("DEBUG_MIN", c.DebugMin)
	return []byte(t.String())
}
