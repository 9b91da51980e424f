package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A lever is one request.
type lever struct {
	name, args, help string
	do               func(c *Control, e env.Env, args []string) (reply string, err error)
}

// levers are in the order of the help text.
func levers() []lever {
	return []lever{
		{"mains", "off|on|VOLTS", "the voltage at the input; on is the nominal one", (*Control).mains},
		{"battery", "PERCENT", "the charge", (*Control).battery},
		{"load", "PERCENT", "the load, in percent of the rated power", (*Control).load},
		{"fault", "KIND [for=TIME]", "something is wrong with the port, see below",
			(*Control).fault},
		{"clear", "KIND|all", "ends a fault", (*Control).clear},
		{"unplug", "[for=TIME]", "the same as fault unplug", (*Control).unplug},
		{"plug", "", "the same as clear unplug", (*Control).plug},
		{"stuck-low", "on|off", "the low-battery sensor says low", (*Control).stuckLow},
		{"bad-battery", "on|off", "battery tests fail", (*Control).badBattery},
		{"button", "", "switches the outlet on, as the one on the front does", (*Control).button},
		{"state", "", "everything that is true of the UPS", (*Control).state},
		{"seen", "", "the commands that the device has got, one a line", (*Control).seen},
		{"quit", "", "ends the emulation", (*Control).quit},
		{"help", "", "this list", (*Control).help},
	}
}

// Help is the list of requests, for people.
func Help() string {
	var b strings.Builder
	for _, l := range levers() {
		fmt.Fprintf(&b, "  %-24s %s\n", strings.TrimSpace(l.name+" "+l.args), l.help)
	}
	b.WriteString("\nA fault lasts until it is cleared, or for the TIME. The kinds are:\n\n")
	for f := range faults {
		where := ""
		if f >= Halt {
			where = "USB: "
		}
		fmt.Fprintf(&b, "  %-10s %s%s\n", f, where, faultHelp[f])
	}
	return b.String()
}

// errUsage stands for the usage of the lever.
var errUsage = errors.New("usage")

// errQuit is how the request quit succeeds.
var errQuit = errors.New("quit")

// percent reads 20 or 20%.
func percent(args []string, max int) (int, error) {
	if len(args) != 1 {
		return 0, errUsage
	}
	n, err := strconv.Atoi(strings.TrimSuffix(args[0], "%"))
	if err != nil || n < 0 || n > max {
		return 0, fmt.Errorf("want 0 to %d percent", max)
	}
	return n, nil
}

// onOff reads on or off.
func onOff(args []string) (bool, error) {
	if len(args) != 1 || args[0] != "on" && args[0] != "off" {
		return false, errUsage
	}
	return args[0] == "on", nil
}

// period reads for=30s; no word is 0, for ever.
func period(args []string) (time.Duration, error) {
	if len(args) == 0 {
		return 0, nil
	}
	v, ok := strings.CutPrefix(args[0], "for=")
	if len(args) > 1 || !ok {
		return 0, errUsage
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("for %q: want a time such as 30s or 5m", v)
	}
	return d, nil
}

func (c *Control) now(e env.Env) time.Duration { return c.Cable.now(e) }

func (c *Control) mains(e env.Env, args []string) (string, error) {
	if len(args) != 1 {
		return "", errUsage
	}
	mV := 0
	switch args[0] {
	case "off":
	case "on":
		mV = c.Body.Spec().Nominal
	default:
		v, err := strconv.Atoi(args[0])
		if err != nil || v < 0 || v > 1000 {
			return "", errors.New("want off, on, or 0 to 1000 volts")
		}
		mV = v * 1000
	}
	e.Emit(env.Event{Kind: env.Mains, Name: c.Name, Value: args[0]})
	c.Body.SetMains(c.now(e), mV)
	return "", nil
}

func (c *Control) battery(e env.Env, args []string) (string, error) {
	n, err := percent(args, 100)
	if err == nil {
		c.Body.SetBattery(c.now(e), n)
	}
	return "", err
}

func (c *Control) load(e env.Env, args []string) (string, error) {
	n, err := percent(args, 200)
	if err == nil {
		c.Body.SetLoad(c.now(e), n)
	}
	return "", err
}

func (c *Control) fault(e env.Env, args []string) (string, error) {
	if len(args) == 0 {
		return "", errUsage
	}
	f, err := ParseFault(args[0])
	if err != nil {
		return "", err
	}
	d, err := period(args[1:])
	if err == nil {
		err = c.Cable.Takes(f)
	}
	if err != nil {
		return "", err
	}
	e.Emit(env.Event{Kind: env.Fault, UPS: c.Name, Name: f.String(), Value: "on", N: int64(d)})
	c.Cable.SetFault(c.now(e), f, d)
	if f == Reset { // that was all of it
		e.Emit(env.Event{Kind: env.Fault, UPS: c.Name, Name: f.String(), Value: "off"})
	}
	return "", nil
}

func (c *Control) clear(e env.Env, args []string) (string, error) {
	if len(args) != 1 {
		return "", errUsage
	}
	names := args
	if args[0] == "all" {
		names = c.Cable.Faults(c.now(e))
	}
	for _, name := range names {
		f, err := ParseFault(name)
		if err != nil {
			return "", err
		}
		e.Emit(env.Event{Kind: env.Fault, UPS: c.Name, Name: f.String(), Value: "off"})
		c.Cable.ClearFault(c.now(e), f)
	}
	return "", nil
}

func (c *Control) unplug(e env.Env, args []string) (string, error) {
	return c.fault(e, append([]string{Unplug.String()}, args...))
}

func (c *Control) plug(e env.Env, args []string) (string, error) {
	return c.clear(e, append([]string{Unplug.String()}, args...))
}

func (c *Control) stuckLow(e env.Env, args []string) (string, error) {
	on, err := onOff(args)
	if err == nil {
		c.Body.SetLowStuck(c.now(e), on)
	}
	return "", err
}

func (c *Control) badBattery(e env.Env, args []string) (string, error) {
	on, err := onOff(args)
	if err == nil {
		c.Body.SetBroken(c.now(e), on)
	}
	return "", err
}

func (c *Control) button(e env.Env, args []string) (string, error) {
	if len(args) != 0 {
		return "", errUsage
	}
	if !c.Body.TurnOn(c.now(e)) {
		return "", errors.New("there is neither mains nor battery")
	}
	return "", nil
}

func (c *Control) state(e env.Env, args []string) (string, error) {
	if len(args) != 0 {
		return "", errUsage
	}
	c.Body.Advance(c.now(e))
	s := State{UPS: c.Name, Faults: c.Cable.Faults(c.now(e)), Seen: []string{}, Reading: c.Body.Read()}
	if c.Seen != nil {
		s.Seen = append(s.Seen, c.Seen()...)
	}
	b, err := json.Marshal(s)
	return string(b) + "\n", err
}

func (c *Control) seen(_ env.Env, args []string) (string, error) {
	if len(args) != 0 || c.Seen == nil {
		return "", errUsage
	}
	var b strings.Builder
	for _, cmd := range c.Seen() {
		fmt.Fprintf(&b, "%s\n", strings.Trim(strconv.QuoteToASCII(cmd), `"`))
	}
	return b.String(), nil
}

func (c *Control) quit(env.Env, []string) (string, error) {
	if c.Quit == nil {
		return "", errors.New("not possible here")
	}
	return "", errQuit
}

func (c *Control) help(env.Env, []string) (string, error) { return Help(), nil }
