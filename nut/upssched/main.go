package upssched

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// options are the command line.
type options struct {
	debug   int
	list    bool
	test    bool
	version bool
	help    bool
	message string
}

func parseOptions(args []string) (options, error) {
	var o options
	f := pflag.NewFlagSet("upssched", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.CountVarP(&o.debug, "debug", "D", "")
	f.BoolVarP(&o.list, "list", "l", false, "")
	f.BoolVarP(&o.test, "test", "t", false, "")
	f.BoolVarP(&o.version, "version", "V", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	err := f.Parse(args)
	o.message = f.Arg(0)
	return o, err
}

// debugLevel is how much more is logged: what the command line says, else the environment, but not
// less than the file says.
func (o *options) debugLevel(e env.Env, c *config.Upssched) int {
	level := o.debug
	if level == 0 {
		level, _ = strconv.Atoi(e.Host().Getenv("NUT_DEBUG_LEVEL"))
	}
	return max(level, c.DebugMin)
}

const title = "Network UPS Tools upssched " + nut.Version

const usage = `Gives the notifications of upsmon a delay: "when it has been on battery for half a minute, run this".

usage: upssched [options] [message]

upsmon runs it: name it in upsmon.conf, and say which types it is to see:
    NOTIFYCMD /sbin/upssched
    NOTIFYFLAG ONBATT SYSLOG+WALL+EXEC
    NOTIFYFLAG ONLINE SYSLOG+WALL+EXEC

  -l, --list           list the timers that run, one a line, with tabs: name, when it fires (seconds
                       since 1970), seconds it was started with, types, UPSes, messages;
                       exit status 1 when no timer runs
  -t, --test           say what is wrong with upssched.conf, and what it would never do, and exit:
                       0 when it can be used, 1 when it cannot
  -D, --debug          say more: which line of the file does what
  -V, --version        print the version and exit
  -h, --help           print this and exit

What it reads
  %s
      CMDSCRIPT PROGRAM [ARGUMENT...]     run with one more word, the name of a timer
      PIPEFN FILE                         socket of the process that keeps the timers
      LOCKFN FILE                         lock for starting that process
      AT TYPE UPS|* START-TIMER NAME SECONDS
      AT TYPE UPS|* START-TIMER-SHARED NAME SECONDS    one timer, however many UPSes want it
      AT TYPE UPS|* CANCEL-TIMER NAME [WORD]           WORD: run CMDSCRIPT with it if none was pending
      AT TYPE UPS|* CANCEL-TIMER-MATCHED NAME [WORD]   only what was started for this UPS
      AT TYPE UPS|* EXECUTE NAME                       at once
  NOTIFYTYPE, UPSNAME  environment variables, set by upsmon: what happened, and to which UPS

CMDSCRIPT finds NOTIFYTYPE, UPSNAME and NOTIFYMSG of its own event in its environment. To try a rule:
    NOTIFYTYPE=ONBATT UPSNAME=rack@nas upssched 'UPS rack@nas on battery'
`

// Main is the program upssched.
func Main(e env.Env, args []string) int {
	o, err := parseOptions(args)
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	file := nut.ConfPath(e) + "/upssched.conf"
	switch {
	case err != nil:
		fmt.Fprintf(errOut, "upssched: %v\n\n%s\n", err, title)
		fmt.Fprintf(errOut, usage, file)
		return 1
	case o.version:
		fmt.Fprintln(out, title)
		return 0
	case o.help:
		fmt.Fprintln(out, title)
		fmt.Fprintf(out, usage, file)
		return 0
	case o.test:
		return lint(e, file)
	}
	c, err := load(e, file, !o.list)
	switch {
	case err != nil:
		fmt.Fprintln(errOut, err)
		return 1
	case o.list:
		return list(e, c)
	}
	about := notice{kind: e.Host().Getenv("NOTIFYTYPE"), ups: e.Host().Getenv("UPSNAME"),
		text: o.message}
	if about.kind == "" {
		fmt.Fprintln(errOut, "Error: environment variables UPSNAME and NOTIFYTYPE must be set.\n"+
			"upssched is meant to be run by upsmon, as NOTIFYCMD; to try a rule: "+
			"NOTIFYTYPE=ONBATT UPSNAME=ups@host upssched message")
		return 1
	}
	return follow(e, c, about, o.debugLevel(e, c))
}

// load reads the file. Entries that are wrong are left out, aloud.
func load(e env.Env, file string, aloud bool) (*config.Upssched, error) {
	b, err := e.Host().ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("Can't open %s: %w", file, reason(err)) //lint:ignore ST1005 NUT's words
	}
	c, problems := config.ParseUpssched(file, b)
	ignored := 0
	for _, p := range problems {
		if !p.Warning {
			ignored++
		}
		if aloud {
			e.Log().Warn(p.Error())
		}
	}
	if ignored > 0 && aloud {
		e.Log().Warn(fmt.Sprintf("Encountered %d config errors, those entries were ignored", ignored))
	}
	if name := c.Missing(); name != "" && len(c.Rules) > 0 {
		//lint:ignore ST1005 NUT's words
		return nil, fmt.Errorf("%s must be set before any ATs in the config file! (%s)", name, file)
	}
	return c, nil
}

// reason is the cause of an error of a file, without the file's name.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// list prints the timers.
func list(e env.Env, c *config.Upssched) int {
	k, err := dial(e, c.PipeFN)
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), "upssched: no timer runs")
		return 1
	}
	defer k.c.Close()
	rows, err := k.ask(e, request{verb: listVerb})
	if err != nil {
		fmt.Fprintf(e.Host().Stderr(), "upssched: %v\n", err)
		return 1
	}
	for _, r := range rows {
		if r != listBegin && r != listEnd {
			fmt.Fprintln(e.Host().Stdout(), r)
		}
	}
	return 0
}

// follow does what the rules say about a notification, in their order.
func follow(e env.Env, c *config.Upssched, about notice, debug int) int {
	var acts []config.AtRule
	for _, r := range c.Rules {
		if r.Matches(about.kind, about.ups) {
			acts = append(acts, r)
		}
	}
	timed := slices.ContainsFunc(acts, func(r config.AtRule) bool { return r.Do != config.Execute })
	starts := slices.ContainsFunc(acts, func(r config.AtRule) bool {
		return r.Do == config.StartTimer || r.Do == config.StartShared
	})
	d := &doer{c: c, about: about, debug: debug}
	if timed {
		if err := d.find(e, starts); err != nil {
			e.Log().Error(fmt.Sprintf("%s for %s: the timers cannot be reached: %v",
				about.kind, about.ups, err))
		}
	}
	if d.keeper != nil {
		return d.stay(e, acts)
	}
	for _, r := range acts {
		d.do(e, r)
	}
	if d.client != nil {
		d.client.c.Close()
	}
	return d.code
}

// A doer carries out rules, through the keeper that runs, as the keeper, or without one.
type doer struct {
	c      *config.Upssched
	about  notice
	client *client
	keeper *keeper
	code   int
	debug  int // level
}

// lockTime is how long finding the keeper may take the process before this one.
const lockTime = 2 * keeperTime

// find connects to the keeper. When there is none and a timer is to be started, this process goes
// to the background and becomes it. That comes before anything is done, since on a real machine
// the program begins anew there.
func (d *doer) find(e env.Env, become bool) error {
	unlock := d.lock(e)
	if d.connect(e) || !become {
		unlock()
		return nil
	}
	unlock()
	if err := e.Host().Detach(e); err != nil {
		return fmt.Errorf("cannot go to the background: %w", err)
	}
	unlock = d.lock(e)
	defer unlock()
	if d.connect(e) {
		return nil // another one was faster
	}
	var err error
	d.keeper, err = newKeeper(e, d.c)
	return err
}

// lock takes LOCKFN. Without it things go on: a lost timer is certain then, a race unlikely.
func (d *doer) lock(e env.Env) (unlock func()) {
	unlock, err := e.Host().Lock(e, d.c.LockFN, e.Now().Add(lockTime))
	if err != nil {
		e.Log().Warn(fmt.Sprintf("LOCKFN: %v", err))
		return func() {}
	}
	return unlock
}

// connect finds the keeper and makes sure that it knows of this client.
func (d *doer) connect(e env.Env) bool {
	c, err := dial(e, d.c.PipeFN)
	if err != nil {
		return false
	}
	if _, err := c.ask(e, request{verb: listVerb}); err != nil {
		e.Log().Warn(fmt.Sprintf("PIPEFN %s: %v", d.c.PipeFN, err))
		c.c.Close()
		return false
	}
	d.client = c
	return true
}

// stay does what the rules say as the keeper, lets the command that was typed return, and keeps the
// timers until there are none.
func (d *doer) stay(e env.Env, acts []config.AtRule) int {
	ended := env.NewInbox[struct{}](e, 1)
	e.Go("keeper", func(e env.Env) error {
		d.keeper.keep(e)
		ended.Put(struct{}{})
		return nil
	})
	for _, r := range acts {
		d.do(e, r)
	}
	d.keeper.release(e)
	e.Host().Ready(e, "keeps the timers of upssched")
	ended.Get(e, env.Never)
	return 0
}

// verbs are the requests that rules become.
var verbs = map[config.AtVerb]string{
	config.StartTimer: startVerb, config.StartShared: startSharedVerb,
	config.CancelTimer: cancelVerb, config.CancelMatched: cancelMatchedVerb,
}

// do carries out one rule.
func (d *doer) do(e env.Env, a config.AtRule) {
	r := request{verb: verbs[a.Do], name: a.Name, after: min(a.After, maxOffset), other: a.Else,
		about: d.about}
	if d.debug > 0 {
		e.Log().Info(fmt.Sprintf("[D1] %s for %s: line %d: %s %s", d.about.kind, d.about.ups, a.Line, a.Do,
			a.Name))
	}
	switch {
	case a.Do == config.Execute:
		e.Emit(env.Event{Kind: env.Timer, UPS: d.about.ups, Name: a.Name, Value: "execute"})
		run(e, d.c, a.Name, d.about)
	case d.keeper != nil:
		d.keeper.obey(e, r)
	case d.client != nil:
		if _, err := d.client.ask(e, r); err != nil {
			e.Log().Error(fmt.Sprintf("line %d of upssched.conf: %v", a.Line, err))
			d.code = 1
		}
	case r.verb == startVerb || r.verb == startSharedVerb:
		e.Log().Error(fmt.Sprintf("line %d of upssched.conf: timer %s (%d seconds) is not started",
			a.Line, a.Name, a.After/time.Second))
		d.code = 1
	case a.Else != "": // no keeper: no timer was pending
		run(e, d.c, a.Else, d.about)
	}
}
