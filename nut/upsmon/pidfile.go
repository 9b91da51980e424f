package upsmon

import (
	"fmt"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// program is the name under which an instance is known to the system.
const program = "upsmon"

func pidFile(e env.Env) string { return nut.PidPath(e) + "/upsmon.pid" }

// instance is the upsmon that may run on this machine.
func instance(e env.Env) service.Instance {
	return service.Instance{Program: program, File: pidFile(e)}
}

// send carries out -c: it signals the instance that runs.
func send(e env.Env, o options) int {
	if err := instance(e).Signal(e, o.pid, o.signal()); err != nil {
		fmt.Fprintf(e.Host().Stderr(), "upsmon -c: cannot signal the upsmon that runs: %v\n", err)
		return 1
	}
	return 0
}
