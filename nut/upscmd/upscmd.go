// Package upscmd is the program upscmd: it gives a UPS instant commands.
//
//	upscmd -l rack@nas                                 the commands that the UPS knows
//	upscmd -u admin -p secret -w rack@nas beeper.mute  do it, and wait for the result
//	upscmd rack@nas load.off.delay 120                 a command with a value; asks who you are
//
// The list goes to standard output; what became of a command goes to standard error. See package
// operator for the exit codes.
package upscmd

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
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// options are the command line.
type options struct {
	operator.Options
	list bool
	args []string
}

// parse reads the command line. misused asks for help; bad is the end.
func parse(args []string) (o options, misused, bad error) {
	f := pflag.NewFlagSet("upscmd", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.SetInterspersed(false)
	f.BoolVarP(&o.list, "list", "l", false, "")
	o.Register(f)
	misused = f.Parse(args)
	o.args = f.Args()
	if misused == nil {
		bad = o.Check(f)
	}
	return o, misused, bad
}

// enough reports whether there are the words that the command line needs.
func (o *options) enough() bool { return len(o.args) >= 2 || o.list && len(o.args) == 1 }

// Main is the program upscmd.
func Main(e env.Env, args []string) int {
	o, misused, err := parse(args)
	out := e.Host().Stdout()
	switch {
	case misused != nil:
		fmt.Fprintln(e.Host().Stderr(), flags.Misuse("upscmd", misused))
		fallthrough // help is the answer to a wrong flag, and no error
	case o.Help:
		fmt.Fprint(out, title+usage+flags.AuthHelp)
		return 0
	case o.Version:
		fmt.Fprint(out, title)
		return 0
	case err == nil && !o.enough():
		fmt.Fprint(out, title+usage+flags.AuthHelp)
		return 0
	case err == nil:
		err = run(e, &o)
	}
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
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
	if o.list {
		err = o.show(e, c, ups)
	} else {
		err = command(e, o, c, ups)
	}
	if err == nil {
		c.Logout(e, e.Now().Add(client.ByeTime))
	}
	return err
}

// A row is what --json writes about a command: what it does, or what became of it.
type row struct {
	UPS         string `json:"ups"`
	Command     string `json:"command"`
	Description string `json:"description,omitempty"` // of a list
	Value       string `json:"value,omitempty"`       // of an order, as is the result
	Result      string `json:"result,omitempty"`
}

// show prints the commands that a UPS knows.
func (o *options) show(e env.Env, c *client.Conn, ups string) error {
	var names []string
	end := e.Now().Add(operator.ListTime)
	err := c.List(e, operator.Soon(e), func(row []string) error {
		names = append(names, row[0])
		return nil
	}, "CMD", ups)
	if err != nil {
		return fmt.Errorf("Error: %w", err)
	}
	out := e.Host().Stdout()
	if !o.JSON {
		fmt.Fprintf(out, "Instant commands supported on UPS [%s]:\n\n", ups)
	}
	for _, name := range names {
		text, err := describe(e, c, min(operator.Soon(e), end), ups, name)
		if err != nil {
			return fmt.Errorf("Error: %w", err)
		}
		if o.JSON {
			flags.JSON(out, row{UPS: ups, Command: name, Description: text})
		} else {
			fmt.Fprintf(out, "%s - %s\n", name, text)
		}
	}
	return nil
}

// describe returns what a command does, in the server's words.
func describe(e env.Env, c *client.Conn, until env.Instant, ups, name string) (string, error) {
	words, err := c.Get(e, until, "CMDDESC", ups, name)
	var refused netproto.Err
	switch {
	case errors.As(err, &refused):
		return "Description unavailable", nil
	case err != nil:
		return "", err
	}
	return words[0], nil
}

// command gives the command. Words after its value are ignored, as ever.
func command(e env.Env, o *options, c *client.Conn, ups string) error {
	name, value := o.args[1], ""
	if len(o.args) > 2 {
		value = o.args[2]
	}
	if !strings.Contains(name, ".") {
		return errors.New("Error: old command names are not supported")
	}
	if err := o.AskWho(e.Host()); err != nil {
		return err
	}
	result, err := o.Give(e, c, operator.Order{
		Track: "command",
		Name:  "Instant command",
		Send:  func(until env.Instant) (string, error) { return c.Command(e, until, ups, name, value) },
	})
	if err == nil && o.JSON {
		flags.JSON(e.Host().Stdout(), row{UPS: ups, Command: name, Value: value, Result: result})
	}
	return err
}

const title = "Network UPS Tools upscmd " + nut.Version + "\n"

const usage = `
Gives a UPS an instant command: test the battery, mute the beeper, switch the load.

usage: upscmd [options] -l UPS               the commands that the UPS knows
       upscmd [options] UPS COMMAND [VALUE]  give one; some take a value, such as seconds

  upscmd -l rack@nas
  upscmd -u admin -w rack@nas test.battery.start.quick

UPS is NAME[@HOST[:PORT]], by default on localhost, port 3493; an IPv6 address
stands in brackets: rack@[fe80::1]:3493.
Options come before the UPS.

  -u, --user NAME          who you are, in upsd.users on the host of upsd; else as
                           nutauth.conf says, else asked for
  -p, --password WORD      your password, for all to see in the list of processes; better
                           let it be asked for, or write it into nutauth.conf
  -w, --wait-result        wait until the device has done it, and print how it went
  -t, --limit SECONDS      how long -w waits, 10 by default
      --json               write JSON, an object a line; see below
  -W, --wait SECONDS       what connecting may take, 10 by default; 0: as long as the
                           system lets it (NUT_DEFAULT_CONNECT_TIMEOUT)
  -A, --auth FILE          nutauth.conf, see below; none: do without; default: the usual
                           one must be there
  -D, --debug              accepted; has no effect
  -V, --version            print the version and exit
  -h, --help               print this and exit

Exit code: 0 when upsd took the command, with -w when the device has carried it out and
SUCCESS is printed; 1 after an error, after -w also when the result is ERR and a word,
or when there is none in time. Results go to standard error.

With --json standard output has, for -l, an object for each command, else one:
  {"ups":"rack","command":"load.off","description":"Turn off the load immediately"}
  {"ups":"rack","command":"load.off.delay","value":"120","result":"SUCCESS"}
  {"error":"Error: Unknown UPS"}
The result is OK without -w. What goes to standard error stays the same.

ACCESS-DENIED? The user needs "instcmds = COMMAND" or "instcmds = ALL" in
upsd.users. CMD-NOT-SUPPORTED? upscmd -l shows what this UPS can do.
`
