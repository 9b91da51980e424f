package upsmon

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// reload reads the configuration again. Whatever is wrong with it, the old one stays at work. It
// returns true when that takes the rights that the parent has: then the program is started over.
//
// The parent is not told what to run from now on, and reads no file, so that nobody who gets hold of
// this process can have it run anything. To end is something that this process can do anyhow, and
// what a service manager does then is what its parent does: start from the file, as root.
func (m *monitor) reload(e env.Env) (over bool) {
	e.Log().Info("Reloading configuration")
	e.Host().Tell(env.Reloading, "")
	c, problems, err := m.o.read(e)
	if m.parent != nil && errors.Is(err, fs.ErrPermission) && m.calm() {
		e.Log().Info(err.Error() + "; starting over, with the rights to do so")
		return true
	}
	if what := m.redefined(c); what != "" && err == nil {
		if m.calm() {
			e.Log().Info(what + " redefined: starting over, so that the parent process learns it")
			return true
		}
		e.Log().Error(what + " redefined in split-process mode! The old one stays, until upsmon is " +
			"reloaded while every UPS is heard and on line power, or restarted")
	}
	complain(e, problems)
	if err == nil {
		err = m.adopt(e, c)
	}
	e.Host().Tell(env.Serving, m.state())
	if err != nil {
		e.Log().Error(fmt.Sprintf("Reload failed, the old configuration stays: %v", err))
	}
	return false
}

// redefined names what the parent was given and the new configuration says otherwise.
func (m *monitor) redefined(c *config.Upsmon) string {
	switch {
	case m.parent == nil || c == nil:
		return ""
	case c.ShutdownCmd != m.first.ShutdownCmd:
		return "SHUTDOWNCMD"
	case c.PowerdownFlag != m.first.PowerdownFlag:
		return "POWERDOWNFLAG"
	case c.RunAsUser != m.first.RunAsUser && m.o.user == "":
		return "RUN_AS_USER"
	}
	return ""
}

// calm reports whether nothing is lost by forgetting all that is known: it is heard again at once.
func (m *monitor) calm() bool {
	for i := range m.views {
		if v := &m.views[i]; v.Heard == env.Never || v.Lost || v.Status.Words.Any(nut.OB|nut.FSD) {
			return false
		}
	}
	return m.mournAt == env.Never
}

// adopt puts a configuration to work: at the start, and at a reload, where lines that have not
// changed keep all that is known. It does nothing when it returns an error.
func (m *monitor) adopt(e env.Env, c *config.Upsmon) error {
	lines := make([]*watched, len(c.Monitors))
	views := make([]View, len(c.Monitors))
	var fresh []*watched
	dialing, err := m.o.dialing(e, c)
	if err != nil {
		return err
	}
	connect, problem := client.Wait(e, m.o.wait)
	if problem != "" {
		e.Log().Warn(problem)
	}
	for i, line := range c.Monitors {
		old := m.find(line.System)
		primary := line.Role == config.Primary
		views[i] = Unheard(line.System, primary, line.PowerValue)
		lines[i] = &watched{memory: Fresh(), rule: ruleUnheard}
		if old >= 0 {
			views[i] = m.views[old]
			views[i].Primary, views[i].Power = primary, line.PowerValue
			copied := *m.lines[old]
			lines[i] = &copied
		}
		if old >= 0 && m.same(old, line, c, dialing[i]) {
			continue
		}
		w, err := newWatcher(e, m.plan, line, dialing[i], connect)
		if err != nil {
			return err
		}
		w.throttle = c.PollFailLogThrottleMax
		if old >= 0 {
			w.heard.Store(m.lines[old].heard.Load())
		}
		lines[i].watcher = w
		fresh = append(fresh, lines[i])
	}
	m.replace(e, c, lines, views)
	for _, l := range fresh {
		l.watcher.start(e)
	}
	return nil
}

// find returns the index of a UPS that is watched, or -1.
func (m *monitor) find(system string) int {
	return slices.IndexFunc(m.lines, func(l *watched) bool { return l.line.System == system })
}

// same reports that the watcher at i can go on as it is.
func (m *monitor) same(i int, line config.Monitor, c *config.Upsmon, opt client.Options) bool {
	had := m.lines[i].line
	had.Line = line.Line
	return had == line && m.lines[i].opt.Same(opt) &&
		m.conf.PollFailLogThrottleMax == c.PollFailLogThrottleMax
}

// replace makes the new lines the ones at work, and sends the watchers away that are in none.
func (m *monitor) replace(e env.Env, c *config.Upsmon, lines []*watched, views []View) {
	for _, l := range m.lines {
		if !slices.ContainsFunc(lines, func(n *watched) bool { return n.watcher == l.watcher }) {
			l.orders.give(quit)
			m.leaving = append(m.leaving, l.watcher)
		}
		if !slices.ContainsFunc(lines, func(n *watched) bool { return n.line.System == l.line.System }) {
			e.Log().Info(fmt.Sprintf("No longer monitoring UPS [%s]", l.line.System))
		}
	}
	if m.parent == nil && m.conf != nil {
		m.split.Command = c.ShutdownCmd
		if m.conf.PowerdownFlag != c.PowerdownFlag {
			m.split.Flag = lowerFlag(e, c.PowerdownFlag)
		}
	}
	m.lines, m.views, m.conf = lines, views, c
	m.plan.debug.Store(int32(m.o.debugLevel(e, c)))
	m.set = decisive(c)
	m.warn = Warnings{NoComm: c.NoCommWarnTime, ReplBatt: c.RBWarnTime}
	m.tell(e)
	remindTLS(e, c)
	m.pace()
}
