package service

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// An Instance is the one process of a program that may run, by the file that holds its number: in
// decimal, with a line feed behind (DS-5).
type Instance struct {
	Program string // as the system knows it, such as upsd
	File    string
}

// Running returns the process that the file names, if it is of this program. A file that a crash or
// a power cut left behind names nobody, or somebody else, or, where numbers are few, this process.
func (i Instance) Running(e env.Env) (pid int, ok bool) {
	b, err := e.Host().ReadFile(i.File)
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 || pid == e.Host().Pid() {
		return 0, false
	}
	name, ok := e.Host().Process(pid)
	return pid, ok && (name == i.Program || anyName(e))
}

// anyName reports that the site's program runs under another name (DS-7).
func anyName(e env.Env) bool {
	on, _ := Truth(e.Host().Getenv("NUT_IGNORE_CHECKPROCNAME"))
	return on
}

// Truth reads a boolean of the environment: a word for yes or no in any letter case, or a number.
func Truth(word string) (value, ok bool) {
	switch strings.ToLower(word) {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	n, err := strconv.Atoi(word)
	return n != 0, err == nil
}

// Write says that this process is the one.
func (i Instance) Write(e env.Env) error {
	return e.Host().WriteFile(i.File, []byte(strconv.Itoa(e.Host().Pid())+"\n"), 0o644)
}

// Remove removes the file if it names this process.
func (i Instance) Remove(e env.Env) {
	b, err := e.Host().ReadFile(i.File)
	if err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(e.Host().Pid()) {
		e.Host().Remove(i.File)
	}
}

// Signal carries out -c: it signals a process, or the one that runs when pid is 0.
func (i Instance) Signal(e env.Env, pid int, s env.Signal) error {
	if pid == 0 {
		var ok bool
		if pid, ok = i.Running(e); !ok {
			return fmt.Errorf("no %s runs under the number in %s", i.Program, i.File)
		}
	}
	if err := e.Host().Kill(pid, s); err != nil {
		return fmt.Errorf("process %d: %w", pid, err)
	}
	return nil
}
