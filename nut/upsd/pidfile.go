package upsd

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// program is the name under which an instance is known to the system.
const program = "upsd"

func pidFile(e env.Env) string { return nut.PidPath(e) + "/upsd.pid" }

// running returns the process that the PID file names, if it is an upsd. A file that a crash or a
// power cut left behind names nobody, or somebody else, or, where numbers are few, this process.
func running(e env.Env) (pid int, ok bool) {
	b, err := e.Host().ReadFile(pidFile(e))
	if err != nil {
		return 0, false
	}
	pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 || pid == e.Host().Pid() {
		return 0, false
	}
	name, ok := e.Host().Process(pid)
	return pid, ok && (name == program || anyName(e))
}

// anyName reports that the site's upsd runs under another name.
func anyName(e env.Env) bool {
	on, _ := truth(e.Host().Getenv("NUT_IGNORE_CHECKPROCNAME"))
	return on
}

// truth reads a boolean of the environment.
func truth(word string) (value, ok bool) {
	switch strings.ToLower(word) {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	n, err := strconv.Atoi(word)
	return n != 0, err == nil
}

func writePID(e env.Env) error {
	return e.Host().WriteFile(pidFile(e), []byte(strconv.Itoa(e.Host().Pid())+"\n"), 0o644)
}

// removePID removes the PID file if it is ours.
func removePID(e env.Env) {
	b, err := e.Host().ReadFile(pidFile(e))
	if err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(e.Host().Pid()) {
		e.Host().Remove(pidFile(e))
	}
}

// signals are what the commands of -c send.
var signals = map[string]env.Signal{"reload": env.Hangup, "stop": env.Terminate}

// send carries out -c: it signals the instance that runs.
func send(e env.Env, o options) int {
	pid := o.pid
	if pid == 0 {
		var ok bool
		if pid, ok = running(e); !ok {
			return notSent(e, fmt.Sprintf("no upsd runs under the number in %s", pidFile(e)))
		}
	}
	if err := e.Host().Kill(pid, signals[o.signal()]); err != nil {
		return notSent(e, fmt.Sprintf("process %d: %s", pid, reason(err)))
	}
	return 0
}

func notSent(e env.Env, why string) int {
	e.Log().Error(notSignalled + why)
	e.Log().Error(useManager)
	return 1
}
