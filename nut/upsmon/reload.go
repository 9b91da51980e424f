package upsmon

import (
	"fmt"
	"slices"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// reload reads the configuration again. Whatever is wrong with it, the old one stays at work.
func (m *monitor) reload(e env.Env) {
	e.Log().Info("Reloading configuration")
	c, problems, err := m.o.read(e)
	complain(e, problems)
	user := m.user
	if err == nil && c.RunAsUser != m.conf.RunAsUser {
		user, err = m.o.notifyUser(e, c)
	}
	if err == nil {
		err = m.adopt(e, c)
	}
	if err != nil {
		e.Log().Error(fmt.Sprintf("Reload failed, the old configuration stays: %v", err))
		return
	}
	m.user = user
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
	if m.conf != nil && m.conf.PowerdownFlag != c.PowerdownFlag {
		m.flag = lowerFlag(e, c.PowerdownFlag)
	}
	m.lines, m.views, m.conf = lines, views, c
	m.set = decisive(c)
	m.warn = Warnings{NoComm: c.NoCommWarnTime, ReplBatt: c.RBWarnTime}
	m.tell(e)
	remindTLS(e, c)
	m.pace()
}
