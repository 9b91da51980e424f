package driver

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// flags is the command line of every driver.
type flags struct {
	name       string // -a
	alone      string // -s
	extra      []string
	kill       bool
	dump       int // -d
	debug      int
	quiet      int
	foreground int
	background bool
	interval   int
	chroot     string
	user       string
	group      string
	tell       string // -c
	pid        int    // -P
	list       bool
	version    bool
	help       bool
}

// uncounted begins the help of a flag that is repeated and has no value: pflag takes the word in
// backquotes for the name of the value.
const uncounted = "``"

func (f *flags) set() *pflag.FlagSet {
	s := pflag.NewFlagSet("driver", pflag.ContinueOnError)
	s.SetOutput(io.Discard)
	s.Usage = func() {}
	s.SortFlags = false
	s.StringVarP(&f.name, "ups", "a", "", "drive the UPS of section `UPS` of ups.conf")
	s.StringVarP(&f.alone, "alone", "s", "",
		"drive a UPS named `UPS` without ups.conf; give port and all else by -x")
	s.StringArrayVarP(&f.extra, "set", "x", nil,
		"`KEY=VALUE`, or a flag, as in ups.conf, over which it wins")
	s.BoolVarP(&f.kill, "kill", "k", false,
		"switch the UPS's load off, by way of the running driver if there is one")
	s.IntVarP(&f.dump, "dump", "d", 0, "update `NUMBER` times, print the variables and exit")
	s.CountVarP(&f.debug, "debug", "D", uncounted+"more messages, each time; stay in the foreground")
	s.CountVarP(&f.quiet, "quiet", "q", uncounted+"log less: no notices; twice: no warnings either")
	s.CountVarP(&f.foreground, "foreground", "F",
		uncounted+"stay in the foreground; twice: and write the PID file all the same")
	s.BoolVarP(&f.background, "background", "B", false, "go to the background in spite of -D")
	s.IntVarP(&f.interval, "interval", "i", 0, "`SECONDS` between two polls")
	s.StringVarP(&f.chroot, "root", "r", "", "change the root folder to `DIR`")
	s.StringVarP(&f.user, "user", "u", "",
		"run as account `NAME` when root starts the driver, instead of as nut")
	s.StringVarP(&f.group, "group", "g", "", "`GROUP` of the socket: who may connect as well")
	s.StringVarP(&f.tell, "command", "c", "",
		"tell the running driver `WHAT` to do: dump, reload, reload-or-error, reload-or-exit, exit")
	s.IntVarP(&f.pid, "pid", "P", 0, "-c is for process `NUMBER`, not for the one in the PID file")
	s.BoolVarP(&f.list, "list", "L", false, "print the driver's own keys, for programs")
	s.BoolVarP(&f.version, "version", "V", false, "print the version")
	s.BoolVarP(&f.help, "help", "h", false, "print this")
	return s
}

// parseFlags reads a command line.
func parseFlags(args []string) (flags, error) {
	var f flags
	s := f.set()
	if err := s.Parse(args); err != nil {
		return f, err
	}
	switch {
	case f.help || f.version || f.list:
		return f, nil
	case s.NArg() > 0:
		return f, fmt.Errorf("surplus words: %q", s.Args())
	case f.name == "" && f.alone == "":
		return f, fmt.Errorf("specifying '-a id' or '-s id' is now mandatory")
	case f.name != "" && f.alone != "":
		return f, fmt.Errorf("options '-a id' and '-s id' are mutually exclusive")
	case s.Changed("interval") && f.interval <= 0:
		return f, fmt.Errorf("-i %d: want a number of seconds, 1 or more", f.interval)
	case s.Changed("dump") && f.dump <= 0:
		return f, fmt.Errorf("-d %d: want a number of updates, 1 or more", f.dump)
	}
	return f, nil
}

// ups is the name of the UPS.
func (f flags) ups() string {
	if f.alone != "" {
		return f.alone
	}
	return f.name
}

// level is from which level on log lines are written.
func (f flags) level() slog.Level {
	levels := []slog.Level{slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	return levels[min(f.quiet, len(levels)-1)]
}

// drives reports whether the program is to drive a device and not something else.
func (f flags) drives() bool {
	return !f.help && !f.version && !f.list && !f.kill && f.tell == ""
}

// stays reports whether the driver stays in the foreground.
func (f flags) stays() bool {
	return f.foreground > 0 || f.dump > 0 || f.kill || f.debug > 0 && !f.background
}

// usage prints the help.
func usage(w io.Writer, s Spec, prog string) {
	var f flags
	fmt.Fprintf(w, "\nusage: %s -a <ups> [options]\n", prog)
	fmt.Fprintf(w, "       %s -s <ups> -x port=<port> [-x ...] [options]\n\n", prog)
	fmt.Fprintf(w, "Drives a UPS: %s.\n\n%s", s.Summary, f.set().FlagUsagesWrapped(100))
	s.manual(w)
}
