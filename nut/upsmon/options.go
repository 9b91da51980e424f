package upsmon

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// options are the command line.
type options struct {
	command    string // -c
	pid        int    // -P
	file       string // -f
	user       string // -u
	wait       string // -W
	debug      int
	foreground bool
	background bool
	checkFlag  bool // -K
	test       bool
	asRoot     bool // -p
	only4      bool
	only6      bool
	version    bool
	help       bool
}

func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("upsmon", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVarP(&o.command, "command", "c", "", "")
	f.IntVarP(&o.pid, "pid", "P", 0, "")
	f.StringVarP(&o.file, "file", "f", "", "")
	f.StringVarP(&o.user, "user", "u", "", "")
	f.StringVarP(&o.wait, "wait", "W", "", "")
	f.CountVarP(&o.debug, "debug", "D", "")
	f.BoolVarP(&o.foreground, "foreground", "F", false, "")
	f.BoolVarP(&o.background, "background", "B", false, "")
	f.BoolVarP(&o.checkFlag, "check-flag", "K", false, "")
	f.BoolVarP(&o.test, "test", "t", false, "")
	f.BoolVarP(&o.asRoot, "privileged", "p", false, "")
	f.BoolVarP(&o.only4, "ipv4", "4", false, "")
	f.BoolVarP(&o.only6, "ipv6", "6", false, "")
	f.BoolVarP(&o.version, "version", "V", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	return f
}

// parseOptions reads the command line. After an error, help is what the caller wants to see. Words
// that belong to no flag are ignored, as ever.
func parseOptions(args []string) (options, error) {
	var o options
	f := o.flags()
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.Changed("command") && o.signal() == "" {
		return o, fmt.Errorf("-c %q: want fsd, reload or stop", o.command)
	}
	if f.Changed("pid") && o.pid <= 0 {
		return o, fmt.Errorf("-P %d: want the number of a process", o.pid)
	}
	return o, nil
}

// commands are the words of -c, which may be shortened, and the signals that they send.
var commands = []struct {
	word   string
	signal env.Signal
}{{"fsd", env.User1}, {"reload", env.Hangup}, {"stop", env.Terminate}}

// signal is what -c asks for; empty when it asks for nothing.
func (o *options) signal() env.Signal {
	for _, c := range commands {
		if o.command != "" && strings.HasPrefix(c.word, o.command) {
			return c.signal
		}
	}
	return ""
}

// inForeground reports whether the process keeps the terminal. Debugging does, unless -B is given.
func (o *options) inForeground() bool { return o.foreground || o.debug > 0 && !o.background }

// network is the kind of address to connect to.
func (o *options) network() string {
	switch {
	case o.only4:
		return "tcp4"
	case o.only6:
		return "tcp6"
	}
	return "tcp"
}

const title = "Network UPS Tools upsmon " + nut.Version

const usage = `Watches the UPSes that feed this host, and shuts it down in time and in order.

usage: upsmon [options]

To run it
  (no option)          read upsmon.conf, go to the background, watch
  -F, --foreground     stay in the foreground
  -B, --background     go to the background although -D is given
  -f, --file FILE      read this file in place of upsmon.conf
  -u, --user NAME      watch as this account, whatever RUN_AS_USER says; the process that keeps
                       root's rights, upsmon-root, does nothing but shut down
  -p, --privileged     be one process, with all rights, and NOTIFYCMD too
  -4, --ipv4           connect by IPv4 only
  -6, --ipv6           connect by IPv6 only
  -W, --wait SECONDS   what connecting may take, 10 by default; 0: as long as the system lets it

To see what it does
  -t, --test           say what is wrong with upsmon.conf and where, and exit:
                       0 when upsmon would start, 1 when it would not
  -D, --debug          stay in the foreground and say more: -DD notifications, -DDD every reply
  -V, --version        print the version and exit
  -h, --help           print this and exit

To talk to the upsmon that runs
  -c, --command fsd    shut down this host now, and all hosts on the UPSes it is primary of
  -c, --command reload read the configuration again
  -c, --command stop   end it: from then on nothing shuts this host down
  -P, --pid NUMBER     talk to this process, not to the one in the PID file

For the last script of a shutdown
  -K, --check-flag     exit with 0 when POWERDOWNFLAG says that the UPS is to cut the power, else 1:
                           if upsmon -K; then upsdrvctl shutdown; fi

Files
  %s   MONITOR ups@host power-value user password primary|secondary, one a UPS
      MINSUPPLIES, SHUTDOWNCMD, POWERDOWNFLAG, NOTIFYCMD, NOTIFYFLAG ...
      FORCESSL 1, CERTVERIFY 1 with CERTPATH file-of-CAs, CERTHOST: insist on TLS
      NUT_RULES yes: a failed poll alone may be critical, as for the C monitor
  %s   the number of the process that watches (NUT_PIDPATH)
  upsmon-root beside upsmon: the process that keeps root's rights

Communications lost, and nothing else? upsc ups@host shows what upsd has to say.
SSL error? It names the certificate, or the file; CERTPATH and CERTFILE are PEM.
Login failed? The user needs an upsmon line in upsd.users on the host of upsd.
`
