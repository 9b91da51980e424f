package upslog

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/client/flags"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Main is the program upslog.
func Main(e env.Env, args []string) int {
	o, err := parseOptions(args)
	out, errOut := e.Host().Stdout(), e.Host().Stderr()
	switch {
	case err != nil:
		fmt.Fprintln(errOut, flags.Misuse("upslog", err))
		fallthrough // help is the answer to a wrong flag, and no error
	case o.help:
		fmt.Fprintf(out, title+"\n"+usage, defaultFormat)
		fmt.Fprint(out, flags.AuthHelp)
		return 0
	case o.version:
		fmt.Fprintln(out, title)
		return 0
	}
	if err := o.check(); err != nil {
		o.banner(e)
		fmt.Fprintln(errOut, err)
		return 1
	}
	return run(e, &o)
}

// run is the daemon.
func run(e env.Env, o *options) int {
	if !o.inForeground() {
		if err := e.Host().Detach(e); err != nil {
			e.Log().Error(fmt.Sprintf("cannot go to the background: %v", err))
			return 1
		}
	}
	o.banner(e)
	signals := e.Host().Signals()
	defer o.removePID(e)
	l, err := start(e, o)
	if err != nil {
		fmt.Fprintln(e.Host().Stderr(), err)
		return 1
	}
	e.Go("signals", func(e env.Env) error {
		for {
			s, err := signals.Get(e, env.Never)
			if err != nil {
				return err
			}
			l.in.Put(event{signal: s})
		}
	})
	e.Host().Ready(e, fmt.Sprintf("logging %d UPS", len(o.sources)))
	l.attend(e)
	return 0
}

// banner says what runs, unless the environment does not want to know.
func (o *options) banner(e env.Env) {
	switch strings.ToLower(e.Host().Getenv("NUT_QUIET_INIT_BANNER")) {
	case "true", "1":
	default:
		fmt.Fprintln(o.talk(e), title)
	}
}

// talk is where the program says what it does: with --json standard output is for objects only.
func (o *options) talk(e env.Env) io.Writer {
	if o.json {
		return e.Host().Stderr()
	}
	return e.Host().Stdout()
}

// start does all that may fail, in the order in which operators expect the complaints.
func start(e env.Env, o *options) (*logger, error) {
	auth, err := flags.Auth(e, o.auth)
	if err != nil {
		return nil, err
	}
	for _, s := range o.sources {
		if err := s.secure(e, auth); err != nil {
			return nil, err
		}
	}
	l := &logger{o: o, format: parseFormat(o.format), in: env.NewInbox[event](e, inboxSize)}
	var problem string
	if l.limit, problem = client.Wait(e, o.wait); problem != "" {
		fmt.Fprintln(e.Host().Stderr(), problem)
	}
	for _, s := range o.sources {
		to := s.file
		if to == stdout {
			to = "stdout"
		}
		fmt.Fprintf(o.talk(e), "logging status of %s to %s (%ds intervals)\n",
			s.given, to, o.every/time.Second)
	}
	l.connect(e)
	o.writePID(e)
	if err := o.become(e); err != nil {
		return nil, err
	}
	for _, s := range o.sources {
		if err := touch(e, s.file); err != nil {
			return nil, fmt.Errorf("could not open logfile %s: %w", s.file, err)
		}
	}
	return l, nil
}

// builtInUsers are the accounts to run as without -u: that of NUT's packages, else one without
// rights.
var builtInUsers = []string{"nut", "nobody"}

// become gives up root.
func (o *options) become(e env.Env) error {
	if o.user != "" {
		return e.Host().Become(o.user)
	}
	var err error
	for _, user := range builtInUsers {
		if err = e.Host().Become(user); err == nil {
			return nil
		}
	}
	return err
}

// touch makes a log file, and finds out whether it can be written. Its error is the system's,
// without the name of the file, in the words that strerror has for it.
func touch(e env.Env, file string) error {
	if file == stdout {
		return nil
	}
	err := e.Host().AppendFile(file, nil, filePerm)
	if cause := errors.Unwrap(err); cause != nil {
		text := cause.Error()
		return errors.New(strings.ToUpper(text[:1]) + text[1:])
	}
	return err
}

// filePerm is who may read a log: everybody, as ever.
const filePerm = 0o644

// An event is what the logger waits for: a signal, or the end of a round.
type event struct {
	signal env.Signal
	done   bool
}

// inboxSize bounds the signals that wait; those beyond repeat what is waiting.
const inboxSize = 64

// keepOpen is the longest interval over which connections stay open: servers hang up on those that
// say nothing for a minute.
const keepOpen = 30 * time.Second

// A logger is the daemon's state, owned by its main task.
type logger struct {
	o      *options
	format *format
	limit  time.Duration
	in     *env.Inbox[event]

	due    env.Instant // of the next round
	busy   bool        // a round is going on
	asked  bool        // USR1 came
	rounds int
	began  time.Time // of the round
	failed []string  // files that the last line did not get into
}

// connect makes the first connections, so that whoever typed the command learns of a mistake.
func (l *logger) connect(e env.Env) {
	errs := make([]error, len(l.o.sources))
	sub, tasks := e.Scope("connect")
	for i, s := range l.o.sources {
		sub.Go("connect", func(e env.Env) error {
			errs[i] = s.connect(e, l.limit)
			return nil
		})
	}
	tasks.Wait(e)
	for _, err := range errs {
		if err != nil {
			fmt.Fprintf(e.Host().Stderr(), "Warning: initial connect failed: %v\n", err)
		}
	}
}

// attend logs rounds until it is over.
func (l *logger) attend(e env.Env) {
	for l.due = e.Now(); ; {
		until := l.due
		if l.busy {
			until = env.Never
		} else if l.asked || e.Now() >= l.due {
			l.begin(e)
			until = env.Never
		}
		ev, err := l.in.Get(e, until)
		switch {
		case errors.Is(err, env.ErrTimeout):
		case err != nil:
			return
		case ev.done:
			l.end(e)
			if l.rounds == l.o.rounds {
				fmt.Fprintf(l.o.talk(e), "%d loops have elapsed\n", l.rounds)
				l.farewell(e)
				return
			}
		case l.obey(e, ev.signal):
			l.farewell(e)
			return
		}
	}
}

// begin starts a round in a task of its own, so that signals are heard meanwhile.
func (l *logger) begin(e env.Env) {
	if e.Now() >= l.due {
		l.due = l.due.Add(l.o.every)
		if e.Now() >= l.due { // the missed ones are not made up for
			l.due = e.Now().Add(l.o.every)
		}
	}
	l.busy, l.asked, l.began = true, false, e.Wall()
	e.Go("round", func(e env.Env) error {
		sub, tasks := e.Scope("round")
		for _, s := range l.o.sources {
			sub.Go("source", func(e env.Env) error {
				s.read(e, l.limit, l.format.vars)
				if l.o.every > keepOpen {
					s.hangUp(e, true)
				}
				return nil
			})
		}
		tasks.Wait(e)
		l.in.Put(event{done: true})
		return nil
	})
}

// end writes the lines of a round, file by file.
func (l *logger) end(e env.Env) {
	l.busy = false
	l.rounds++
	var files []string
	text := map[string]*strings.Builder{}
	for _, s := range l.o.sources {
		b := text[s.file]
		if b == nil {
			b = &strings.Builder{}
			text[s.file] = b
			files = append(files, s.file)
		}
		for _, r := range s.said {
			about := &subject{host: e.Host().Name(), ups: r.ups, pid: e.Host().Pid(), at: l.began,
				vars: r.vars}
			if l.o.json {
				flags.JSON(b, l.format.object(about))
				continue
			}
			if l.o.names {
				b.WriteString(r.ups + "\t")
			}
			b.WriteString(l.format.line(about) + "\n")
		}
	}
	var failed []string
	for _, file := range files {
		if err := write(e, file, text[file].String()); err != nil {
			failed = append(failed, file)
			if !slices.Contains(l.failed, file) {
				e.Log().Error(fmt.Sprintf("could not write to logfile %s: %v", file, err))
			}
		}
	}
	l.failed = failed
}

func write(e env.Env, file, text string) error {
	if file == stdout {
		_, err := e.Host().Stdout().Write([]byte(text))
		return err
	}
	return e.Host().AppendFile(file, []byte(text), filePerm)
}

// numbers are those of the signals, for the words that are said about them.
var numbers = map[env.Signal]int{env.Hangup: 1, env.Interrupt: 2, env.Quit: 3, env.Terminate: 15}

// obey does what a signal says, and reports whether it is over.
func (l *logger) obey(e env.Env, s env.Signal) (over bool) {
	switch s {
	case env.User1:
		l.asked = true
	case env.Hangup:
		e.Log().Info(fmt.Sprintf("Signal %d: reopening log file", numbers[s]))
		for _, src := range l.o.sources {
			if err := touch(e, src.file); err != nil {
				e.Log().Error(fmt.Sprintf("could not reopen logfile %s: %v", src.file, err))
			}
		}
	case env.Terminate, env.Interrupt, env.Quit:
		e.Log().Info(fmt.Sprintf("Signal %d: exiting", numbers[s]))
		return true
	}
	return false
}

// farewell takes leave of the servers, if nobody is talking with them.
func (l *logger) farewell(e env.Env) {
	for _, s := range l.o.sources {
		if !l.busy {
			s.hangUp(e, true)
		}
	}
}
