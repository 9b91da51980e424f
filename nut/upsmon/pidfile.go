package upsmon

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// program is the name under which an instance is known to the system.
const program = "upsmon"

func pidFile(e env.Env) string { return nut.PidPath(e) + "/upsmon.pid" }

// running returns the process that the PID file names, if it is an upsmon. A file that a crash or a
// power cut left behind names nobody, or somebody else, or this very process.
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
	return pid, ok && name == program
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

// send carries out -c: it signals the instance that runs.
func send(e env.Env, o options) int {
	pid := o.pid
	if pid == 0 {
		var ok bool
		if pid, ok = running(e); !ok {
			return notSent(e, fmt.Sprintf("no upsmon runs under the number in %s", pidFile(e)))
		}
	}
	if err := e.Host().Kill(pid, o.signal()); err != nil {
		return notSent(e, fmt.Sprintf("process %d: %v", pid, err))
	}
	return 0
}

func notSent(e env.Env, why string) int {
	fmt.Fprintf(e.Host().Stderr(), "upsmon -c: cannot signal the upsmon that runs: %s\n", why)
	return 1
}
