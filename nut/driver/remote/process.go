package remote

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Why a PID file leads to no process, with the numbers that upsdrvctl status prints.
var (
	ErrNoFile    = errors.New("No such file or directory") //lint:ignore ST1005 strerror's words
	ErrBadFile   = errors.New("PID file is unreadable or holds no number")
	ErrNoProcess = errors.New("no such process, or another program has its number")
)

// Code is the number for one of the errors of ReadPID.
func Code(err error) int {
	switch {
	case errors.Is(err, ErrNoFile):
		return -3
	case errors.Is(err, ErrBadFile):
		return -2
	}
	return -1
}

// ReadPID returns the process that a PID file names, which must be the driver prog of that UPS. A
// number that now belongs to somebody else, be it the same program for another UPS, is
// ErrNoProcess, unless NUT_IGNORE_CHECKPROCNAME is true; the number is returned with it.
func ReadPID(e env.Env, file, prog, ups string) (int, error) {
	b, err := e.Host().ReadFile(file)
	if err != nil {
		return 0, ErrNoFile
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return 0, ErrBadFile
	}
	name, ok := e.Host().Process(pid)
	if !ok || !sameProgram(e, name, prog, pid, ups) {
		return pid, ErrNoProcess
	}
	return pid, nil
}

// sameProgram compares names; all drivers of this project may also run under the name of the
// program that holds them all.
func sameProgram(e env.Env, name, prog string, pid int, ups string) bool {
	if strings.EqualFold(e.Host().Getenv("NUT_IGNORE_CHECKPROCNAME"), "true") {
		return true
	}
	return (name == prog || name == "upsdrv") && drives(e.Host().Arguments(pid), ups)
}

// valued are the flags of a driver that are followed by a value.
const valued = "asxdirugcP"

// drives reports whether the arguments of a driver say that it drives that UPS. When they name
// none, as on a system that does not show them, it may.
func drives(args []string, ups string) bool {
	named := false
	for i := 0; i < len(args); i++ {
		cluster, ok := strings.CutPrefix(args[i], "-")
		at := strings.IndexAny(cluster, valued)
		if !ok || strings.HasPrefix(cluster, "-") || at < 0 {
			continue
		}
		value := cluster[at+1:]
		if value == "" && i+1 < len(args) {
			i++
			value = args[i]
		}
		if cluster[at] == 'a' || cluster[at] == 's' {
			if value == ups {
				return true
			}
			named = true
		}
	}
	return !named
}

// How long a driver is given to go: a second after each of five looks, after TERM, then KILL.
const (
	stopTries = 5
	stopPause = time.Second
)

// Stop ends a process with TERM and, when that does not help, KILL. ErrNoProcess means that it
// was gone already.
func Stop(e env.Env, pid int) error {
	if err := e.Host().Kill(pid, env.Terminate); err != nil {
		return err
	}
	for range stopTries {
		gone, err := Gone(e, pid, stopPause)
		if gone || err != nil {
			return err
		}
	}
	if err := e.Host().Kill(pid, env.Kill); err != nil && !errors.Is(err, env.ErrNoProcess) {
		return err
	}
	return nil
}

// glance is how often a process that should end is looked at.
const glance = 100 * time.Millisecond

// Gone waits until a process has ended, at most for a time.
func Gone(e env.Env, pid int, wait time.Duration) (bool, error) {
	for end := e.Now().Add(wait); ; {
		if _, ok := e.Host().Process(pid); !ok {
			return true, nil
		}
		if e.Now() >= end {
			return false, nil
		}
		if err := e.Sleep(glance); err != nil {
			return false, err
		}
	}
}
