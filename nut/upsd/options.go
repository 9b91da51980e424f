package upsd

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// options are the command line.
type options struct {
	command    string // -c
	process    string // -P
	pid        int    // of -P
	debug      int
	foreground int
	background bool
	chroot     string
	user       string
	quiet      int
	only4      bool
	only6      bool
	test       bool
	version    bool
	help       bool
	address    string // -i, no longer served
	port       string // -p, no longer served
}

func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("upsd", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.StringVarP(&o.command, "command", "c", "", "")
	f.StringVarP(&o.process, "pid", "P", "", "")
	f.CountVarP(&o.debug, "debug", "D", "")
	f.CountVarP(&o.foreground, "foreground", "F", "")
	f.BoolVarP(&o.background, "background", "B", false, "")
	f.StringVarP(&o.chroot, "chroot", "r", "", "")
	f.CountVarP(&o.quiet, "quiet", "q", "")
	f.StringVarP(&o.user, "user", "u", "", "")
	f.BoolVarP(&o.only4, "ipv4", "4", false, "")
	f.BoolVarP(&o.only6, "ipv6", "6", false, "")
	f.BoolVarP(&o.test, "test", "t", false, "")
	f.BoolVarP(&o.version, "version", "V", false, "")
	f.BoolVarP(&o.help, "help", "h", false, "")
	f.StringVarP(&o.address, "address", "i", "", "")
	f.StringVarP(&o.port, "port", "p", "", "")
	return f
}

// parseOptions reads the command line. After an error, help is what the caller wants to see, except
// when it is a complaint.
func parseOptions(args []string) (options, error) {
	var o options
	f := o.flags()
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if f.Changed("command") && o.signal() == "" {
		return o, fmt.Errorf("-c %q: want reload or stop", o.command)
	}
	if f.Changed("pid") {
		var err error
		if o.pid, err = strconv.Atoi(o.process); err != nil || o.pid <= 0 {
			return o, complaintf("-P %s: want the number of a process", o.process)
		}
	}
	if f.Changed("address") || f.Changed("port") {
		o.address = orElse(o.address, "*")
	}
	return o, nil
}

// commands are the words of -c, which may be shortened.
var commands = []string{"reload", "stop"}

// signal is the command of -c written out, "" when there is none.
func (o *options) signal() string {
	for _, c := range commands {
		if o.command != "" && strings.HasPrefix(c, o.command) {
			return c
		}
	}
	return ""
}

// inForeground reports whether the process keeps the terminal. Debugging does, unless -B is given.
func (o *options) inForeground() bool {
	return o.foreground > 0 || o.debug > 0 && !o.background
}

// wantsPIDFile reports whether the process is to be found by -c.
func (o *options) wantsPIDFile() bool { return !o.inForeground() || o.foreground > 1 }

const usage = `Serves what the drivers of this host know about their UPSes to clients such as
upsmon and upsc, on TCP port 3493.

usage: upsd [options]

To run it
  (no option)       read the files below, go to the background, serve
  -F, --foreground  stay in the foreground, write no PID file
  -FF               stay in the foreground, write the PID file all the same
  -B, --background  go to the background although -D is given
  -u, --user NAME   serve as this account when started by root, instead of nut
                    (root itself stays root)
  -r, --chroot DIR  serve from within this folder
  -4, --ipv4        listen on IPv4 only
  -6, --ipv6        listen on IPv6 only

To see what it does
  -t, --test        read all files, say what is wrong with them and where, and exit:
                    with 0 when every entry is good, else with 1
  -D, --debug       say more, and stay in the foreground; -DD shows connections,
                    -DDD requests (never passwords)
  -q, --quiet       log less: no notices; -qq no warnings either
  -V, --version     print the version and exit
  -h, --help        print this and exit

To talk to the upsd that runs
  -c, --command reload   read the files and certificates again; LISTEN wants a restart
  -c, --command stop     end it
  -P, --pid NUMBER       talk to this process, not to the one in the PID file

Files, in %s (NUT_CONFPATH)
  upsd.conf    LISTEN address [port], default 127.0.0.1 and ::1, port 3493
               FSDLEASE seconds, default 300: on line power FSD ends so long after the
               one who set it has gone; 0: never
               MAXAGE seconds, default 15: a driver silent for longer is stale
               CERTFILE file: serve STARTTLS with this certificate and key, in PEM;
               CERTREQUEST and CERTPATH ask for those of clients; DISABLE_WEAK_SSL
               MAXCONN, TRACKINGDELAY, STATEPATH, ALLOW_NO_DEVICE ...
  ups.conf     the UPSes: a section each, with driver and port
  upsd.users   who may set, command, log in: a section each, with password and rights
Sockets of drivers are in %s (NUT_STATEPATH); the PID file is %s.

Nobody can connect from another machine? upsd listens on this host alone until upsd.conf
says LISTEN. Nothing but ERR DRIVER-NOT-CONNECTED? Start the driver: upsdrvctl start.
No start because of SSL? The message names the file; upsd -t says it without starting.
Nothing but ERR ACCESS-DENIED? Wrong user, password or right: upsd.users, then -c reload.
`
