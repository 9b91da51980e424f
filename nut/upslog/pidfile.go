package upslog

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// program is the default base name of the PID file.
const program = "upslog"

// pidFile is NAME.pid in the usual folder; a name that begins with a slash is the file.
func (o *options) pidFile(e env.Env) string {
	if strings.HasPrefix(o.pidBase, "/") {
		return o.pidBase
	}
	return nut.PidPath(e) + "/" + o.pidBase + ".pid"
}

// writePID tells scripts whom to signal. In the foreground they need not know.
func (o *options) writePID(e env.Env) {
	number := []byte(strconv.Itoa(e.Host().Pid()) + "\n")
	err := e.Host().WriteFile(o.pidFile(e), number, filePerm)
	if err != nil && !o.inForeground() {
		e.Log().Warn(fmt.Sprintf("cannot write the PID file %s: %v", o.pidFile(e), err))
	}
}

// removePID removes the PID file if it is ours, and if this account may.
func (o *options) removePID(e env.Env) {
	b, err := e.Host().ReadFile(o.pidFile(e))
	if err == nil && strings.TrimSpace(string(b)) == strconv.Itoa(e.Host().Pid()) {
		e.Host().Remove(o.pidFile(e))
	}
}
