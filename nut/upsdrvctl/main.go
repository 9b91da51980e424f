package upsdrvctl

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

const title = "Network UPS Tools - UPS driver controller " + nut.Version

// listing are the command words whose output is read by programs: no title is printed.
var listing = []string{"list", "status"}

const help = `Starts and stops the drivers that ups.conf names.

usage: upsdrvctl [options] (start | stop | shutdown | status | list) [<ups>]
       upsdrvctl [options] -c <command> [<ups>]

Without the name of a UPS, all of them are meant.

  start        start the driver
  stop         stop the driver
  shutdown     let the driver switch the UPS's load off; see sdorder in ups.conf(5)
  status       say which drivers run, what they know, and why one does not; exit code 1 if there
               is a driver that does not answer
  list         print the names of the UPSes

Drivers are started at the same time, each maxretry times; what failed is told by name, with the
last words of the driver, and the exit code is 1. With nowait in ups.conf they are only watched
for a second. With -F they are started again when they end without being told to.

`

// flags is the command line.
type flags struct {
	chroot     string
	user       string
	test       bool
	debug      int
	pass       bool
	foreground int
	background bool
	tell       string
	json       bool
	list       bool
	version    bool
	help       bool
}

// uncounted begins the help of a flag that is repeated and has no value: pflag takes the word in
// backquotes for the name of the value.
const uncounted = "``"

func (f *flags) set() *pflag.FlagSet {
	s := pflag.NewFlagSet("upsdrvctl", pflag.ContinueOnError)
	s.SetOutput(io.Discard)
	s.Usage = func() {}
	s.SortFlags = false
	s.StringVarP(&f.chroot, "root", "r", "", "drivers change their root folder to `DIR`")
	s.StringVarP(&f.user, "user", "u", "", "drivers run as account `NAME`")
	s.BoolVarP(&f.test, "test", "t", false, "print what would be done, and do nothing")
	s.CountVarP(&f.debug, "debug", "D", uncounted+"more messages, each time")
	s.BoolVarP(&f.pass, "pass", "d", false, "pass -D on to the drivers")
	s.CountVarP(&f.foreground, "foreground", "F",
		uncounted+"stay, with the drivers as children; twice: they write PID files")
	s.BoolVarP(&f.background, "background", "B", false,
		"drivers go to the background in spite of -D")
	s.StringVarP(&f.tell, "command", "c", "",
		"tell running drivers `WHAT` to do: dump, reload, reload-or-error, reload-or-exit, exit")
	s.BoolVar(&f.json, "json", false, "status and list: print JSON")
	s.BoolVarP(&f.list, "list", "l", false, "as the command list")
	s.BoolVarP(&f.version, "version", "V", false, "print the version")
	s.BoolVarP(&f.help, "help", "h", false, "print this")
	return s
}

// Main is the program.
func Main(e env.Env, args []string) int {
	var f flags
	set := f.set()
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	err := set.Parse(args)
	word, words := "", set.Args()
	if f.list {
		words = append([]string{"list"}, words...)
	}
	switch {
	case f.version && err == nil:
		fmt.Fprintln(out, title)
		return 0
	case err != nil || f.help || len(words) == 0 && f.tell == "":
		if err != nil {
			fmt.Fprintf(errOut, "upsdrvctl: %v\n", err)
		}
		fmt.Fprint(out, title, "\n", help, set.FlagUsagesWrapped(100))
		return 0 // as the C program, and scripts that look for its help
	case f.tell == "":
		word, words = words[0], words[1:]
	}
	if !slices.Contains(listing, word) {
		fmt.Fprintln(out, title)
	}
	c := &controller{flags: f, e: e, out: out}
	if err := c.run(word, words); err != nil {
		fmt.Fprintf(errOut, "%s\n", strings.TrimSpace(err.Error()))
		return 1
	}
	return 0
}

// A controller is one run of the program.
type controller struct {
	flags
	site
	e   env.Env
	out io.Writer

	leaving atomic.Bool // a supervisor was told to end
}

// actions are the command words.
var actions = map[string]func(c *controller, units []unit, named bool) error{
	"start":    (*controller).start,
	"stop":     (*controller).stop,
	"shutdown": (*controller).shutdown,
	"status":   (*controller).status,
	"list":     (*controller).names,
}

// run carries out a command word, or -c without one, for the UPS that words name.
func (c *controller) run(word string, words []string) error {
	act, known := actions[word]
	switch {
	case c.tell != "":
		act = (*controller).order
	case !known:
		//lint:ignore ST1005 NUT's words
		return fmt.Errorf("Error: unrecognized command [%s]", word)
	}
	if len(words) > 1 {
		return fmt.Errorf("surplus words after %s: %q", cmp.Or(word, "-c "+c.tell), words[1:])
	}
	if err := c.load(); err != nil {
		return err
	}
	c.hurry = c.hurry && word == "start"
	name := strings.Join(words, "")
	units, err := c.pick(name)
	if err != nil {
		return err
	}
	if c.test {
		fmt.Fprintln(c.out, "*** Testing mode: not calling exec/kill")
	}
	return act(c, units, name != "")
}

// load reads ups.conf.
func (c *controller) load() error {
	file := nut.ConfPath(c.e) + "/ups.conf"
	text, err := c.e.Host().ReadFile(file)
	if err != nil {
		return fmt.Errorf("Can't open %s: %w", file, err) //lint:ignore ST1005 NUT's words
	}
	parsed, problems := config.ParseUPS(file, text)
	for _, p := range problems {
		c.e.Log().Warn(p.Error())
	}
	var warnings []string
	c.site, warnings = survey(parsed)
	for _, w := range warnings {
		c.e.Log().Warn("ups.conf: " + w)
	}
	if c.e.Host().Getenv("NUT_IGNORE_NOWAIT") != "" {
		c.hurry = false
	}
	if len(c.units) == 0 {
		return errors.New("no UPS definitions found in ups.conf")
	}
	return nil
}

// names prints the UPSes.
func (c *controller) names(units []unit, _ bool) error {
	if c.json {
		all := make([]any, len(units))
		for i, u := range units {
			all[i] = struct {
				UPS    string `json:"ups"`
				Driver string `json:"driver"`
				Port   string `json:"port"`
			}{u.name, u.driver, u.port}
		}
		return c.printJSON(all)
	}
	for _, u := range units {
		fmt.Fprintln(c.out, u.name)
	}
	return nil
}
