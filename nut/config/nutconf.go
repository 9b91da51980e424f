package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// Nut is nut.conf, which the scripts of the service manager source. It has the grammar of the shell
// and not that of the other files: NAME=value, no blanks around the equals sign.
type Nut struct {
	Mode          Mode
	UpsdOptions   string
	UpsmonOptions string
	PoweroffWait  time.Duration // from ordering power off to a reboot; negative: not set
	PoweroffQuiet bool
	Env           []Pair // the rest, for the environment of the programs, in the order of the file
}

// Mode says which programs a host runs.
type Mode string

// The modes. A host whose file is missing has ModeNone.
const (
	ModeNone       Mode = "none"
	ModeStandalone Mode = "standalone" // drivers, upsd, upsmon
	ModeNetserver  Mode = "netserver"  // the same, for others as well
	ModeNetclient  Mode = "netclient"  // upsmon
)

var modes = []Mode{ModeNone, ModeStandalone, ModeNetserver, ModeNetclient}

// environment are the beginnings of the names that mean something to the programs.
var environment = []string{"NUT_", "ALLOW_NO_DEVICE", "ALLOW_NOT_ALL_LISTENERS"}

// ParseNut reads nut.conf.
func ParseNut(file string, text []byte) (*Nut, []Problem) {
	r := &reader{file: file}
	c := &Nut{Mode: ModeNone, PoweroffWait: -1}
	n := 0
	for physical := range strings.Lines(string(text)) {
		n++
		r.assignment(c, n, strings.TrimRight(physical, " \t\r\n"))
	}
	return c, r.sorted()
}

// assignment reads one line.
func (r *reader) assignment(c *Nut, n int, s string) {
	body := strings.TrimLeft(s, " \t")
	at := line.Word{Text: body, Line: n, Col: len(s) - len(body) + 1}
	if body == "" || body[0] == '#' {
		return
	}
	name, rest, ok := strings.Cut(strings.TrimPrefix(body, "export "), "=")
	switch {
	case !ok || !isName(strings.TrimRight(name, " \t")):
		r.wrong(at, "not an assignment", "NAME=value")
		return
	case name != strings.TrimRight(name, " \t") || rest != strings.TrimLeft(rest, " \t"):
		r.wrong(at, "blanks around the =: the shell reads something else", "NAME=value")
		return
	}
	value, tail, ok := shellValue(rest)
	at.Text = name
	if !ok {
		r.wrong(at, "quote is not closed on its line", "NAME=value, quoted where it has blanks")
		return
	}
	if tail != "" {
		r.wrong(at, fmt.Sprintf("a command follows the value: %q", tail),
			"quotes around a value with blanks")
		return
	}
	r.variable(c, at, value)
}

func (r *reader) variable(c *Nut, name line.Word, value string) {
	a := args{r: r, name: name, words: []line.Word{{Text: value, Line: name.Line, Col: name.Col}}}
	switch name.Text {
	case "MODE":
		c.Mode = Mode(value)
		if !slices.Contains(modes, c.Mode) {
			a.want = "MODE=none, standalone, netserver or netclient"
			a.wrong(0, "not a mode; taken for none")
			c.Mode = ModeNone
		}
	case "UPSD_OPTIONS":
		c.UpsdOptions = value
	case "UPSMON_OPTIONS":
		c.UpsmonOptions = value
	case "POWEROFF_WAIT":
		a.want = "POWEROFF_WAIT=SECONDS"
		if value != "" {
			a.seconds(0, 0, &c.PoweroffWait)
		}
	case "POWEROFF_QUIET":
		a.want = "POWEROFF_QUIET=true"
		a.boolean(0, &c.PoweroffQuiet)
	default:
		known := func(p string) bool { return strings.HasPrefix(name.Text, p) }
		if !slices.ContainsFunc(environment, known) {
			r.warn(name, "no program of NUT reads this variable", "one of nut.conf(5)")
		}
		c.Env = append(c.Env, Pair{Key: name.Text, Value: value, Line: name.Line, Col: name.Col})
	}
}

// isName reports whether the shell takes s for the name of a variable.
func isName(s string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && strings.Trim(s, "_0123456789"+letters) == ""
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// shellValue reads a value as the shell does, without its substitutions, and what follows it up to
// a comment. It is not ok when a quote is open at the end.
func shellValue(s string) (value, tail string, ok bool) {
	var b strings.Builder
	quote := byte(0)
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == 0 && (c == ' ' || c == '\t'):
			tail = strings.TrimLeft(s[i:], " \t")
			if strings.HasPrefix(tail, "#") {
				tail = ""
			}
			return b.String(), tail, true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(s) && escapes(quote, s[i+1]):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), "", quote == 0
}

// escapes reports whether a backslash takes the next character as it is, inside a quote or none.
func escapes(quote, next byte) bool {
	switch quote {
	case 0:
		return true
	case '"':
		return strings.IndexByte("\"\\$`", next) >= 0
	}
	return false
}

// Text is the file again.
func (c *Nut) Text() []byte {
	var t text
	put := func(name, value string) {
		t.WriteString(name + "=" + shellWord(value) + "\n")
	}
	put("MODE", string(c.Mode))
	if c.UpsdOptions != "" {
		put("UPSD_OPTIONS", c.UpsdOptions)
	}
	if c.UpsmonOptions != "" {
		put("UPSMON_OPTIONS", c.UpsmonOptions)
	}
	if c.PoweroffWait >= 0 {
		put("POWEROFF_WAIT", fmt.Sprint(int64(c.PoweroffWait/time.Second)))
	}
	if c.PoweroffQuiet {
		put("POWEROFF_QUIET", "true")
	}
	for _, p := range c.Env {
		put(p.Key, p.Value)
	}
	return []byte(t.String())
}

// shellWord quotes a value for the shell and for systemd, which both read double quotes.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, letters+"0123456789_-./:@%+,") == "" {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s) + `"`
}
