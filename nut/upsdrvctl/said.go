package upsdrvctl

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A said keeps the last lines that a driver prints, which tell why it failed, and passes
// everything on.
type said struct {
	out, errOut io.Writer // nil: the driver prints where this program does, and nothing is kept

	mu    sync.Mutex // guards what follows
	part  string     // of a line
	lines []string   // the last ones
	fatal bool       // a C driver said that it gives up, and may end with status 0
}

// keepLines is how many lines are kept: C drivers tell the cause in the last one or two.
const keepLines = 2

// listenTo returns the ear for one run of a driver. With NUT_DEBUG_SYSLOG=stderr a driver in the
// background goes on printing, to where this program will no longer be: then it is not listened
// to.
func (c *controller) listenTo() *said {
	h := c.e.Host()
	if h.Getenv("NUT_DEBUG_SYSLOG") == "stderr" {
		return &said{}
	}
	return &said{out: h.Stdout(), errOut: h.Stderr()}
}

// command is a driver's command line with its output led here.
func (s *said) command(args []string) env.Command {
	if s.out == nil {
		return env.Command{Args: args}
	}
	return env.Command{Args: args, Stdout: ear{s, s.out}, Stderr: ear{s, s.errOut}}
}

type ear struct {
	s  *said
	to io.Writer
}

func (w ear) Write(b []byte) (int, error) {
	w.s.hear(string(b))
	return w.to.Write(b)
}

func (s *said) hear(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Split(s.part+text, "\n")
	s.part = all[len(all)-1]
	for _, l := range all[:len(all)-1] {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "Network UPS Tools") {
			continue
		}
		s.fatal = s.fatal || strings.HasPrefix(l, "Fatal error:")
		s.lines = append(s.lines, l)
		if len(s.lines) > keepLines {
			s.lines = s.lines[1:]
		}
	}
}

// cause is what the driver said last, as the end of a sentence.
func (s *said) cause() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return ""
	}
	return ": " + strings.Join(s.lines, "; ")
}

// missing is the error of a driver that is not installed.
type missing struct{ ups, prog string }

func (m missing) Error() string {
	return fmt.Sprintf("UPS %s: Can't start %s: No such file or directory"+
		" (driverpath in ups.conf names the folder of the drivers)", m.ups, m.prog)
}

func (m missing) Unwrap() error { return fs.ErrNotExist }

// errKilled is for a driver that somebody killed, or the system for want of memory: it is not to
// blame.
var errKilled = errors.New("driver was killed")

const sigkill = 9

// judge returns how a run of a driver failed, nil if it did not.
func (s *said) judge(u unit, args []string, status int, err error) error {
	prog, failed := args[0], "Driver failed to start"
	if slices.Contains(args, "-c") {
		failed = "the command failed"
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing{u.name, prog}
	case err != nil:
		return fmt.Errorf("UPS %s: %w", u.name, err)
	case status == killed+sigkill:
		return fmt.Errorf("UPS %s: %w%s", u.name, errKilled, s.cause())
	case status > killed:
		return fmt.Errorf("UPS %s: driver was ended by signal %d%s", u.name, status-killed, s.cause())
	case status != 0 || s.fatal:
		return fmt.Errorf("UPS %s: %s (exit status=%d)%s", u.name, failed, status, s.cause())
	}
	return nil
}
