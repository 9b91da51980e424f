package upsmon

import (
	"fmt"
	"strconv"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// What the debug levels add to the log: 1 connections and rules, 2 announcements too, 3 every reply.

// debugLevel is how much more is logged: what the command line says, else the environment, but not
// less than the file says.
func (o *options) debugLevel(e env.Env, c *config.Upsmon) int {
	level := o.debug
	if level == 0 {
		level, _ = strconv.Atoi(e.Host().Getenv("NUT_DEBUG_LEVEL"))
	}
	return max(level, c.DebugMin)
}

// debugs reports whether lines of a level are wanted.
func (p *plan) debugs(level int) bool { return int(p.debug.Load()) >= level }

// debugf logs a line that only some level of debugging shows.
func (p *plan) debugf(e env.Env, level int, format string, args ...any) {
	if p.debugs(level) {
		e.Log().Info(fmt.Sprintf("[D%d] ", level) + fmt.Sprintf(format, args...))
	}
}
