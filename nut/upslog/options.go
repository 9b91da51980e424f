package upslog

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
)

// options are the command line.
type options struct {
	ups, file  string // -s, -l
	pairs      []string
	interval   string
	rounds     int
	format     string
	names      bool // -N
	json       bool
	foreground bool
	background bool
	pidBase    string
	user       string
	debug      int
	wait       string
	auth       string
	version    bool
	help       bool

	args    []string
	every   time.Duration // of interval
	sources []*source
}

// The intervals that make sense, in seconds: up to a month.
const (
	defaultInterval = "30"
	maxInterval     = 31 * 24 * 60 * 60
)

func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("upslog", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.SetInterspersed(false)
	f.StringVarP(&o.ups, "ups", "s", "", "")
	f.StringVarP(&o.file, "log", "l", "", "")
	f.FuncP("pair", "m", "", func(s string) error { o.pairs = append(o.pairs, s); return nil })
	f.StringVarP(&o.interval, "interval", "i", defaultInterval, "")
	f.IntVarP(&o.rounds, "rounds", "d", 0, "")
	f.StringVarP(&o.format, "format", "f", defaultFormat, "")
	f.BoolVarP(&o.names, "names", "N", false, "")
	f.BoolVar(&o.json, "json", false, "")
	f.BoolVarP(&o.foreground, "foreground", "F", false, "")
	f.BoolVarP(&o.background, "background", "B", false, "")
	f.StringVarP(&o.pidBase, "pid-base", "p", program, "")
	f.StringVarP(&o.user, "user", "u", "", "")
	f.CountVarP(&o.debug, "debug", "D", "")
	f.StringVarP(&o.wait, "wait", "W", "", "")
	f.StringVarP(&o.auth, "auth", "A", "", "")
	f.BoolVarP(&o.version, "version", "V", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	return f
}

// parseOptions reads the command line. After an error, help is what the caller wants to see.
func parseOptions(args []string) (options, error) {
	var o options
	f := o.flags()
	err := f.Parse(args)
	o.args = f.Args()
	if n := len(o.args); n == 1 || n == 2 {
		o.help = true
	}
	return o, err
}

// old takes the words of a command line of long ago: UPS FILE INTERVAL [FORMAT...]. Each word of
// the format is followed by a blank.
func (o *options) old() {
	if len(o.args) < 3 {
		return
	}
	o.ups, o.file, o.interval = o.args[0], o.args[1], o.args[2]
	if len(o.args) > 3 {
		o.format = strings.Join(o.args[3:], " ") + " "
	}
}

// check judges the values, and fills in every and sources. Its errors are complete sentences.
func (o *options) check() error {
	o.old()
	n, err := strconv.Atoi(o.interval)
	switch {
	case err != nil || n < 1 || n > maxInterval:
		return fmt.Errorf("-i %s: want a number of seconds, from 1 to %d", o.interval, maxInterval)
	case o.rounds < 0:
		return fmt.Errorf("-d %d: want a number of rounds, or 0 for no end", o.rounds)
	case o.ups == "" && (o.file != "" || len(o.pairs) == 0):
		return errors.New("No UPS defined for monitoring - use -s <system>")
	case o.ups != "" && o.file == "":
		return errors.New("No filename defined for logging - use -l <file>")
	case o.format == "":
		return errors.New("No format defined - but this should be impossible")
	}
	o.every = time.Duration(n) * time.Second
	if o.ups != "" {
		if err := o.add(o.ups, o.file); err != nil {
			return err
		}
	}
	for _, pair := range o.pairs {
		ups, file, _ := strings.Cut(pair, ",")
		if ups == "" || file == "" {
			return fmt.Errorf("-m %s: want a UPS, a comma and a file", pair)
		}
		if err := o.add(ups, file); err != nil {
			return err
		}
	}
	return nil
}

// add notes a UPS, or all of a server, and the file to log to.
func (o *options) add(ups, file string) error {
	name, host, port, err := client.SplitName(ups)
	if err != nil {
		return fmt.Errorf("%w\nError: invalid UPS definition.  "+
			"Required format: upsname[@hostname[:port]]", err)
	}
	s := &source{given: ups, file: file, host: host, port: port, all: name == "*"}
	if !s.all {
		s.names = []string{name}
	}
	o.sources = append(o.sources, s)
	return nil
}

// inForeground reports whether the process keeps the terminal: where lines go there, or when asked
// to. Debugging does too.
func (o *options) inForeground() bool {
	for _, s := range o.sources {
		if s.file == stdout && !o.background {
			return true
		}
	}
	return o.foreground || o.debug > 0 && !o.background
}

const title = "Network UPS Tools upslog " + nut.Version

const usage = `
Writes a line about a UPS to a file, at intervals.

usage: upslog -s UPS -l FILE [options]
       upslog -m UPS,FILE [-m UPS,FILE ...] [options]

  upslog -s rack@nas -l - -i 5              watch it
  upslog -s rack@nas -l /var/log/rack.log   a line every 30 seconds, from the background

UPS is NAME[@HOST[:PORT]], by default on localhost, port 3493; an IPv6 address
stands in brackets: rack@[fe80::1]:3493. The name * means all UPSes of a server:
-s '*@nas'. The file - is standard output.

What to write
  -s, --ups UPS            the UPS
  -l, --log FILE           its log
  -m, --pair UPS,FILE      one UPS and its log; may be repeated
  -i, --interval SECONDS   from line to line, 30 by default
  -d, --rounds NUMBER      stop after so many lines about each UPS
  -f, --format FORMAT      what a line says; quote it for the shell
  -N, --names              begin each line with the UPS and a tab
      --json               write an object a line, with the variables of the format:
                           {"time":"2026-11-21T07:49:00Z","ups":"rack@nas",
                            "values":{"ups.load":null,"ups.status":"OL"}}

How to run
  -F, --foreground         stay in the foreground; done by itself when a log is -
  -B, --background         go to the background although a log is -
  -p, --pid-base NAME      the PID file is NAME.pid, upslog.pid by default
  -u, --user NAME          the account to run as when started as root
  -W, --wait SECONDS       what connecting may take, 10 by default; 0: as long as the
                           system lets it (NUT_DEFAULT_CONNECT_TIMEOUT)
  -A, --auth FILE          nutauth.conf, for how to encrypt; none: do without; default:
                           the usual one must be there
  -D, --debug              stay in the foreground
  -V, --version            print the version and exit
  -h, --help               print this and exit

Formats: text, and
  %%VAR name%%     the value of a variable; NA when there is none
  %%TIME format%%  the time by strftime, with @ in place of its percent signs
  %%ETIME%%        the time in seconds since 1970
  %%HOST%%         this host
  %%UPSHOST%%      the UPS, as it was given
  %%PID%%          the number of this process
  %%t%%            a tab
  %%%%             a percent sign
The default is
  %s

Signals: USR1 logs a round now; HUP makes the files anew after they were moved away
(the next line does so as well); TERM and INT end the program, with exit code 0.
To rotate a log it is enough to move it away: logrotate needs no postrotate script.

All NA? upsc UPS shows what upsd has to say.
`
