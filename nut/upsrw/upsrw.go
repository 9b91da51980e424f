// Package upsrw is the program upsrw: it shows what can be set in a UPS, and sets it.
//
//	upsrw rack@nas                                         what can be set, and to what
//	upsrw -s battery.charge.low=25 -u admin -w rack@nas    set it, and wait for the result
//
// The list goes to standard output; what became of a change goes to standard error. See package
// operator for the exit codes.
package upsrw

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/client/flags"
	"github.com/blackstart-ups/blackstart/nut/client/operator"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// options are the command line.
type options struct {
	operator.Options
	set    string // -s
	change bool   // -s, and no -l after it
	unsaid bool   // -l came after -s
	args   []string
}

// parse reads the command line. misused asks for help; bad is the end.
func parse(args []string) (o options, misused, bad error) {
	f := pflag.NewFlagSet("upsrw", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.SetInterspersed(false)
	f.FuncP("set", "s", "", func(s string) error { o.set, o.change = s, true; return nil })
	f.BoolFuncP("list", "l", "", func(string) error {
		o.unsaid = o.unsaid || o.change
		o.change = false
		return nil
	})
	o.Register(f)
	misused = f.Parse(args)
	o.args = f.Args()
	if misused == nil {
		bad = o.Check(f)
	}
	return o, misused, bad
}

// Main is the program upsrw.
func Main(e env.Env, args []string) int {
	o, misused, err := parse(args)
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	if o.unsaid {
		fmt.Fprintln(errOut, "Listing mode requested, overriding setvar specified earlier!")
	}
	switch {
	case misused != nil:
		fmt.Fprintln(errOut, flags.Misuse("upsrw", misused))
		fallthrough // help is the answer to a wrong flag, and no error
	case o.Help:
		fmt.Fprint(out, title+usage+flags.AuthHelp)
		return 0
	case o.Version:
		fmt.Fprint(out, title)
		return 0
	case err == nil && len(o.args) == 0:
		fmt.Fprint(out, title+usage+flags.AuthHelp)
		return 0
	case err == nil:
		err = run(e, &o)
	}
	if err != nil {
		fmt.Fprintln(errOut, err)
		if o.JSON {
			flags.Failed(out, err)
		}
		return 1
	}
	return 0
}

func run(e env.Env, o *options) error {
	c, ups, err := o.Dial(e, o.args[0])
	if err != nil {
		return err
	}
	defer c.Close()
	if !o.change {
		err = o.show(e, c, ups)
	} else {
		err = set(e, o, c, ups)
	}
	if err == nil {
		c.Logout(e, e.Now().Add(client.ByeTime))
	}
	return err
}

// A changed is what --json writes about a change.
type changed struct {
	UPS      string `json:"ups"`
	Variable string `json:"variable"`
	Value    string `json:"value"`
	Result   string `json:"result"`
}

// set changes a variable. The value may contain what it likes, an equal sign too.
func set(e env.Env, o *options, c *client.Conn, ups string) error {
	name, value, given := strings.Cut(o.set, "=")
	name = strings.TrimSpace(name)
	if !strings.Contains(name, ".") {
		return errors.New("Error: old variable names are not supported")
	}
	err := o.AskWho(e.Host())
	if err == nil && !given {
		value, err = operator.Ask(e.Host(), fmt.Sprintf("Enter new value for %s: ", name))
	}
	if err != nil {
		return err
	}
	result, err := o.Give(e, c, operator.Order{
		Track: "set variable",
		Name:  "Set variable",
		Send:  func(until env.Instant) (string, error) { return c.Set(e, until, ups, name, value) },
	})
	if err == nil && o.JSON {
		flags.JSON(e.Host().Stdout(), changed{UPS: ups, Variable: name, Value: value, Result: result})
	}
	return err
}

const title = "Network UPS Tools upsrw " + nut.Version + "\n"

const usage = `
Shows what can be set in a UPS, and sets it.

usage: upsrw [options] [-l] UPS                 what can be set, and to what
       upsrw [options] -s VARIABLE[=VALUE] UPS  set it; the value is asked for when not given

  upsrw rack@nas
  upsrw -s battery.charge.low=25 -u admin -w rack@nas

UPS is NAME[@HOST[:PORT]], by default on localhost, port 3493; an IPv6 address
stands in brackets: rack@[fe80::1]:3493.
Options come before the UPS.

  -s, --set VARIABLE=VALUE what to set
  -l, --list               show what can be set; this is what happens without -s
  -u, --user NAME          who you are, in upsd.users on the host of upsd; else as
                           nutauth.conf says, else asked for
  -p, --password WORD      your password, for all to see in the list of processes; better
                           let it be asked for, or write it into nutauth.conf
  -w, --wait-result        wait until the device has taken it, and print how it went
  -t, --limit SECONDS      how long -w waits, 10 by default
      --json               write JSON, an object a line; see below
  -W, --wait SECONDS       what connecting may take, 10 by default; 0: as long as the
                           system lets it (NUT_DEFAULT_CONNECT_TIMEOUT)
  -A, --auth FILE          nutauth.conf, see below; none: do without; default: the usual
                           one must be there
  -D, --debug              accepted; has no effect
  -V, --version            print the version and exit
  -h, --help               print this and exit

Exit code: 0 when upsd took the value, with -w when the device has carried it out and
SUCCESS is printed; 1 after an error, after -w also when the result is ERR and a word,
or when there is none in time. Results go to standard error.

With --json standard output has an object for each variable, or for the change:
  {"ups":"rack","variable":"input.sensitivity","description":"...","type":"string",
   "maxLength":10,"value":"high","options":["low","high"]}
  {"ups":"rack","variable":"battery.charge.low","description":"...","type":"number",
   "value":"20","ranges":[{"min":10,"max":30}]}
  {"ups":"rack","variable":"ups.id","value":"new","result":"SUCCESS"}
  {"error":"Error: Unknown UPS"}
The result is OK without -w. What goes to standard error stays the same.

ACCESS-DENIED? The user needs "actions = SET" in upsd.users. INVALID-VALUE? The
list shows the values that the device takes.
`
