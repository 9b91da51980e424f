// Package upsc is the program upsc: it asks upsd what it knows, and prints it.
//
//	upsc rack@nas                 every variable, one a line
//	upsc rack@nas ups.status      one value
//	upsc -l nas                   the UPSes that upsd serves; -L with their descriptions
//	upsc -c rack@nas              the clients that are logged in
//
// With -j everything is JSON. What it prints is, to the byte, what scripts have parsed for decades;
// its errors go to standard error, and its exit code is 0 or 1.
package upsc

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/client/flags"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// options are the command line.
type options struct {
	list, describe, clients bool
	json                    bool
	help, version           bool
	debug                   int
	wait                    string
	auth                    string
	args                    []string
}

func parse(args []string) (options, error) {
	var o options
	f := pflag.NewFlagSet("upsc", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.SetInterspersed(false)
	f.BoolVarP(&o.list, "list", "l", false, "")
	f.BoolVarP(&o.describe, "describe", "L", false, "")
	f.BoolVarP(&o.clients, "clients", "c", false, "")
	f.BoolVarP(&o.json, "json", "j", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	f.BoolVarP(&o.version, "version", "V", false, "")
	f.CountVarP(&o.debug, "debug", "D", "")
	f.StringVarP(&o.wait, "wait", "W", "", "")
	f.StringVarP(&o.auth, "auth", "A", "", "")
	err := f.Parse(args)
	o.args = f.Args()
	return o, err
}

// arg is the i-th word that is no flag; empty when there is none.
func (o *options) arg(i int) string {
	if i < len(o.args) {
		return o.args[i]
	}
	return ""
}

// Main is the program upsc.
func Main(e env.Env, args []string) int {
	o, err := parse(args)
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	switch {
	case err != nil:
		fmt.Fprintln(errOut, flags.Misuse("upsc", err))
		fallthrough // help is the answer to a wrong flag, and no error
	case o.help:
		fmt.Fprint(out, title+usage+flags.AuthHelp)
		return 0
	case o.version:
		fmt.Fprint(out, title)
		return 0
	}
	if err := run(e, &o); err != nil {
		return complain(e, &o, err)
	}
	return 0
}

// A misuse is a command line that cannot be carried out; form is what it should look like.
type misuse struct{ what, form string }

func (m misuse) Error() string { return m.what }

// complain prints an error as the C program does.
func complain(e env.Env, o *options, err error) int {
	fmt.Fprintf(e.Host().Stderr(), "Error: %v\n", err)
	var m misuse
	if errors.As(err, &m) {
		fmt.Fprintf(e.Host().Stderr(), "Required format: %s\n", m.form)
	}
	if o.json {
		fmt.Fprintf(e.Host().Stdout(), "{\n  \"error\": %s\n}\n", quote(err.Error()))
	}
	return 1
}

// run asks, and prints the answer.
func run(e env.Env, o *options) error {
	ups, host, port, err := o.target(e)
	if err != nil {
		return err
	}
	auth, err := flags.Auth(e, o.auth)
	if err != nil {
		return err
	}
	limit, problem := client.Wait(e, o.wait)
	if problem != "" {
		fmt.Fprintln(e.Host().Stderr(), problem)
	}
	c, err := client.Dial(e, host, port, client.Options{}.With(auth.Lookup("", host, port)),
		client.Until(e, limit))
	if err != nil {
		return err
	}
	defer c.Close()
	until := e.Now().Add(answerTime)
	p := &printer{out: e.Host().Stdout(), json: o.json}
	switch {
	case o.list || o.describe:
		err = listUPS(e, c, until, p, o.describe)
	case o.clients:
		err = listClients(e, c, until, p, ups)
	case len(o.args) > 1:
		err = value(e, c, until, p, ups, o.arg(1))
	default:
		err = values(e, c, until, p, ups)
	}
	if err == nil {
		c.Logout(e, e.Now().Add(client.ByeTime))
	}
	return err
}

// answerTime is what a whole answer may take, however long the list.
const answerTime = 30 * time.Second

// target is the UPS and the server that are meant.
func (o *options) target(e env.Env) (ups, host string, port int, err error) {
	if o.list || o.describe {
		addr := "localhost"
		if len(o.args) > 0 {
			addr = o.arg(0)
		}
		host, port, err = client.SplitAddr(addr)
		if err != nil {
			fmt.Fprintln(e.Host().Stderr(), err)
			err = misuse{"invalid hostname.", "[hostname[:port]]"}
		}
		return "", host, port, err
	}
	bad := misuse{"invalid UPS definition.", "upsname[@hostname[:port]]"}
	if len(o.args) == 0 {
		return "", "", 0, bad
	}
	if ups, host, port, err = client.SplitName(o.arg(0)); err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		err = bad
	}
	return ups, host, port, err
}

// listUPS prints the UPSes of a server.
func listUPS(e env.Env, c *client.Conn, until env.Instant, p *printer, describe bool) error {
	p.begin(describe)
	err := c.List(e, until, func(row []string) error {
		text := ""
		if len(row) > 1 {
			text = row[1]
		}
		if describe {
			p.pair(row[0], text)
		} else {
			p.item(row[0])
		}
		return nil
	}, "UPS")
	return p.end(err)
}

// listClients prints the addresses of the clients that are logged in to a UPS.
func listClients(e env.Env, c *client.Conn, until env.Instant, p *printer, ups string) error {
	p.begin(false)
	err := c.List(e, until, func(row []string) error {
		p.item(row[0])
		return nil
	}, "CLIENT", ups)
	return p.end(err)
}

// values prints all variables of a UPS.
func values(e env.Env, c *client.Conn, until env.Instant, p *printer, ups string) error {
	p.begin(true)
	err := c.List(e, until, func(row []string) error {
		if len(row) < 2 {
			return fmt.Errorf("insufficient data (got %d args, need at least 4)", len(row)+2)
		}
		p.pair(row[0], row[1])
		return nil
	}, "VAR", ups)
	return p.end(err)
}

// value prints one variable.
func value(e env.Env, c *client.Conn, until env.Instant, p *printer, ups, name string) error {
	if !strings.Contains(name, ".") {
		return errors.New("old-style variable names are not supported")
	}
	v, err := c.Var(e, until, ups, name)
	if err != nil {
		return err
	}
	if p.json {
		v = quote(v)
	}
	fmt.Fprintln(p.out, v)
	return nil
}

const title = "Network UPS Tools upsc " + nut.Version + "\n"

const usage = `
Shows what upsd knows about a UPS: its state, its measurements, its settings.

usage: upsc [options] UPS [VARIABLE]         every variable, or one
       upsc [options] -l | -L [HOST[:PORT]]  the UPSes of a server; -L with descriptions
       upsc [options] -c UPS                 the clients that are logged in to a UPS

  upsc -l nas                                what is there?
  upsc rack@nas ups.status                   OL: on line, OB: on battery, LB: battery low

UPS is NAME[@HOST[:PORT]], by default on localhost, port 3493; an IPv6 address
stands in brackets: rack@[fe80::1]:3493.
Options come before the UPS.

  -j, --json           print JSON: an object of names and values, all of them strings; a list
                       with -l and -c; a string for one VARIABLE; {"error": "..."}
  -W, --wait SECONDS   what connecting may take, 10 by default; 0: as long as the
                       system lets it (NUT_DEFAULT_CONNECT_TIMEOUT)
  -A, --auth FILE      nutauth.conf, for how to encrypt; none: do without; default: the
                       usual one must be there
  -D, --debug          accepted; has no effect
  -V, --version        print the version and exit
  -h, --help           print this and exit

Exit code: 0, or 1 after an error, which is told on standard error.

Connection refused? upsd does not run there, or does not LISTEN for this host.
Driver not connected? upsdrvctl start, on the host of upsd. Data stale? The driver
runs, but the device does not answer it.
`
