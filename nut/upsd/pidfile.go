package upsd

import (
	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// program is the name under which an instance is known to the system.
const program = "upsd"

func pidFile(e env.Env) string { return nut.PidPath(e) + "/upsd.pid" }

// instance is the upsd that may run on this machine.
func instance(e env.Env) service.Instance {
	return service.Instance{Program: program, File: pidFile(e)}
}

// signals are what the commands of -c send.
var signals = map[string]env.Signal{"reload": env.Hangup, "stop": env.Terminate}

// send carries out -c: it signals the instance that runs.
func send(e env.Env, o options) int {
	err := instance(e).Signal(e, o.pid, signals[o.signal()])
	if err != nil {
		e.Log().Error(notSignalled + err.Error())
		e.Log().Error(useManager)
		return 1
	}
	return 0
}
