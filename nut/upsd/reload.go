package upsd

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/state"
)

func newUPS(def definition) *ups { return &ups{definition: def, dev: state.New()} }

// index rebuilds byName. The caller holds the lock.
func (s *server) index() {
	s.byName = make(map[string]*ups, len(s.order))
	for _, u := range s.order {
		s.byName[strings.ToLower(u.name)] = u
	}
}

// reload reads the files again (UD section 8). Logins, FSD and connections of UPSes that stay are
// kept. What cannot be read, or has errors that it had not before, leaves its part as it was: a
// slip of the keyboard does not take a UPS or a user away from a server that runs.
func (d *daemon) reload(e env.Env) {
	e.Log().Info("SIGHUP: reloading configuration")
	conf, problems, err := readUpsd(e)
	if err != nil {
		e.Log().Error("Reload failed: " + lowerFirst(err.Error()))
		return
	}
	if d.accepts(e, "upsd.conf", problems) {
		d.conf = conf
		d.reloadTLS(e, conf)
	}
	inv, problems, err := readUPS(e)
	if err != nil {
		e.Log().Error("Reload failed: " + lowerFirst(err.Error()))
	} else if d.accepts(e, "ups.conf", problems) {
		d.inv = inv
	}
	users, problems, err := readUsers(e)
	if err != nil {
		e.Log().Error("Reload of users failed: " + lowerFirst(err.Error()))
	} else if !d.accepts(e, "upsd.users", problems) {
		users = nil
	}
	set, err := d.settings(e, d.conf, d.inv)
	if err != nil {
		e.Log().Error("Reload failed: " + err.Error() + "; the old number stays")
		set.maxConn = d.set.maxConn
	}
	t := readTexts(e, d.conf.DataPath)
	var c changes
	d.do(e, func() {
		moved := set.statePath != d.set.statePath
		d.set, d.texts = set, t
		if users != nil {
			d.users = users
		}
		d.announce()
		c = d.redefine(d.inv.list, moved)
	})
	d.carryOut(e, c)
}

// flaws are the errors of a file, without their places.
type flaws map[string]bool

// learn logs the problems of a file that counts, and remembers its errors.
func (d *daemon) learn(e env.Env, name string, problems []config.Problem) {
	complain(e, problems)
	d.flaws[name] = flaws{}
	for _, p := range problems {
		if !p.Warning {
			d.flaws[name][p.Value+p.Cause] = true
		}
	}
}

// accepts learns a file that was read again, unless it has got worse.
func (d *daemon) accepts(e env.Env, name string, problems []config.Problem) bool {
	fresh := 0
	for _, p := range problems {
		if !p.Warning && !d.flaws[name][p.Value+p.Cause] {
			fresh++
		}
	}
	if fresh == 0 {
		d.learn(e, name, problems)
		return true
	}
	complain(e, problems)
	e.Log().Error(fmt.Sprintf("Reload of %s failed: %d new errors in it; "+
		"what it said before stays in force", name, fresh))
	return false
}

// lowerFirst puts a sentence after a colon.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// changes are what a reload has to do outside the lock.
type changes struct {
	detach, attach []*ups
	kick           []*session
}

// redefine makes the list of UPSes that of the file. The caller holds the lock.
func (s *server) redefine(defs []definition, moved bool) changes {
	var c changes
	old := s.order
	s.order = nil
	for _, u := range old {
		at := slices.IndexFunc(defs, func(d definition) bool {
			return strings.EqualFold(d.name, u.name)
		})
		if at < 0 {
			s.remove(u, &c)
			continue
		}
		def := defs[at]
		if moved || def.driver != u.driver || def.port != u.port || def.name != u.name {
			s.log(slog.LevelInfo, "Redefined UPS [%s]", u.name)
			c.detach = append(c.detach, u)
			c.attach = append(c.attach, u)
		}
		u.definition = def
		s.order = append(s.order, u)
	}
	for _, def := range defs {
		if s.byName[strings.ToLower(def.name)] == nil {
			u := newUPS(def)
			u.settled = true // nobody waits for it
			s.order = slices.Insert(s.order, 0, u)
			c.attach = append(c.attach, u)
		}
	}
	s.index()
	if len(s.order) == 0 {
		s.log(slog.LevelWarn, "Warning: no UPSes currently defined!")
	}
	return c
}

// remove takes a UPS out. Those who logged into it are sent away: what they protect themselves by
// is no longer watched, and they must notice.
func (s *server) remove(u *ups, c *changes) {
	s.log(slog.LevelInfo, "Deleting UPS [%s]", u.name)
	c.detach = append(c.detach, u)
	for at := s.sessions.Front(); at != nil; at = at.Next() {
		if peer := at.Value.(*session); peer.login == u {
			peer.kicked = true
			s.log(slog.LevelInfo, "Kicking client %s (was on UPS [%s])", peer.addr, u.name)
			c.kick = append(c.kick, peer)
		}
	}
	if u.fsd.set {
		u.fsd = lease{}
		s.event(env.Event{Kind: env.FSD, UPS: u.name, Value: "cleared",
			Why: "the UPS was removed from ups.conf"})
	}
}

// carryOut ends and starts the links that redefine named, and closes connections.
func (d *daemon) carryOut(e env.Env, c changes) {
	for _, peer := range c.kick {
		peer.conn.Close()
	}
	for _, u := range c.detach {
		u.scope.Stop()
	}
	for _, u := range c.detach {
		u.scope.Wait(e)
	}
	for _, u := range c.attach {
		d.attach(u)
	}
}
