package check

import (
	"fmt"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// logins is S18: NUMLOGINS is the number of live connections that have logged in to the UPS; each
// counts for one UPS.
type logins struct {
	conns map[string]map[string]string // by host of the upsd: client address to UPS
	told  promises
}

func newLogins() Oracle { return &logins{conns: map[string]map[string]string{}} }

func (o *logins) ID() string              { return "S18" }
func (o *logins) Due(v *View) []Violation { return o.told.late("S18", v) }

func (o *logins) Event(v *View, ev env.Event) []Violation {
	switch {
	case ev.Host == "":
	case ev.Kind == env.Proc && ev.Name == "upsd" && ev.Value != "pause" && ev.Value != "resume" &&
		ev.Value != "reload" && ev.Value != "start",
		ev.Kind == env.Machine && ev.Value != Up && ev.Value != Stopping:
		delete(o.conns, ev.Host)
		for _, u := range v.upses {
			o.told.drop(subject{ev.Host, u.Name})
		}
	case ev.Prog == "upsd" && (ev.Kind == env.Login || ev.Kind == env.Logout):
		return o.turn(v, ev)
	case ev.Kind == env.Probe && ev.Name == "logins":
		o.read(v, ev)
	}
	return nil
}

// turn is a login or a logout.
func (o *logins) turn(v *View, ev env.Event) []Violation {
	v.judge("S18")
	conns := o.conns[ev.Host]
	if conns == nil {
		conns = map[string]string{}
		o.conns[ev.Host] = conns
	}
	who := ev.Name
	if who == "" {
		who = ev.Value
	}
	on, known := conns[who]
	why := ""
	switch {
	case !v.Host(ev.Host).Service("upsd").Works():
		return nil // its last words
	case ev.Kind == env.Login && known:
		why = "it is logged in to " + on + " already"
	case ev.Kind == env.Logout && on != ev.UPS:
		why = "it is not logged in"
	}
	if ev.Kind == env.Login {
		conns[who] = ev.UPS
	} else if on == ev.UPS {
		delete(conns, who)
	}
	n := count(conns, ev.UPS)
	if why == "" && ev.N != n {
		why = fmt.Sprintf("%s says that %d are, and it is %d", ev.Host, ev.N, n)
	}
	o.compare(v, ev.Host, ev.UPS)
	if why == "" {
		return nil
	}
	return []Violation{wrong("S18", subject{ev.Host, ev.UPS}, v.Now, "%s of %s on %s at %s: %s",
		ev.Kind, who, ev.UPS, stamp(v.Now), why)}
}

func count(conns map[string]string, ups string) (n int64) {
	for _, on := range conns { //house: order does not matter: a count
		if on == ups {
			n++
		}
	}
	return n
}

// read takes in what an independent client reads.
func (o *logins) read(v *View, ev env.Event) {
	u := v.UPS(ev.UPS)
	u.ReadLogins = ev.N
	if isError(ev.Value) {
		u.ReadLogins = -1
	}
	o.compare(v, ev.Host, ev.UPS)
}

// compare asks that what clients read is the count, soon.
func (o *logins) compare(v *View, host, ups string) {
	s, u := subject{host, ups}, v.UPS(ups)
	n := count(o.conns[host], ups)
	if u.ReadLogins < 0 || u.ReadLogins == n || !v.Host(host).Service("upsd").Works() {
		o.told.drop(s)
		return
	}
	o.told.hold(s, v.Now.Add(probeTime), func() string {
		if !v.Host(host).Service("upsd").Works() {
			return ""
		}
		return fmt.Sprintf("clients read that %s on %s has %s, and %s", ups, host,
			plural(u.ReadLogins, "login", "logins"), plural(n, "client has", "clients have"))
	})
}

// isolation is S19: upsd answers an independent client within a second, whatever hangs or floods.
type isolation struct{}

// answerTime is how long upsd may keep a client waiting while it runs itself.
const answerTime = time.Second

func newIsolation() Oracle { return isolation{} }

func (isolation) ID() string            { return "S19" }
func (isolation) Due(*View) []Violation { return nil }

func (isolation) Event(v *View, ev env.Event) []Violation {
	if ev.Host == "" {
		return nil
	}
	if ev.Kind == env.Proc && ev.Value == "pause" && ev.Name != "upsd" {
		v.judge("S19")
	}
	waited := time.Duration(ev.N)
	if ev.Kind != env.Probe || ev.Name != "delay" || waited <= answerTime+v.Tolerance {
		return nil
	}
	h := v.Host(ev.Host)
	s, asked := h.Service("upsd"), v.Now.Add(-waited)
	switch {
	case h.Machine != Up || !s.Works(), h.Since > asked,
		s.Since != env.Never && s.Since > asked, s.FixedAt != env.Never && s.FixedAt > asked:
		return nil // it did not run all the time
	}
	return []Violation{wrong("S19", subject{ev.Host, ev.UPS}, v.Now,
		"upsd on %s kept a client waiting for %s until %s (%s), although it ran",
		ev.Host, span(waited), stamp(v.Now), ev.Value)}
}

// bounds is S21: no more connections than MAXCONN are logged in, queues do not overflow, no program
// goes mad within an instant, and when all is over each has as many tasks as before.
type bounds struct {
	at    env.Instant
	n     map[[2]string]int   // events of the present instant, by host and program
	tasks map[[2]string]int64 // when nothing was going on
}

// Bounds of S21.
const (
	busiest   = 500 // events of one program in one instant, and twenty more for each host and UPS
	spareTask = 4   // tasks more than before that a program may have: a request that is under way
)

func newBounds() Oracle {
	return &bounds{at: env.Never, n: map[[2]string]int{}, tasks: map[[2]string]int64{}}
}

func (o *bounds) ID() string            { return "S21" }
func (o *bounds) Due(*View) []Violation { return nil }

func (o *bounds) Event(v *View, ev env.Event) []Violation {
	s := subject{ev.Host, ev.UPS}
	switch {
	case ev.Kind == env.Drop && ev.N > 0:
		v.judge("S21")
		return []Violation{wrong("S21", s, v.Now, "%s on %s lost %d %s: too many were waiting",
			ev.Prog, ev.Host, ev.N, ev.Name)}
	case ev.Kind == env.Tasks:
		return o.count(v, ev)
	case ev.Kind == env.Login && ev.Host != "":
		if most := v.Host(ev.Host).Server["MAXCONN"].N; most > 0 && ev.N > most {
			return []Violation{wrong("S21", s, v.Now, "%s has %d clients logged in to %s, and MAXCONN "+
				"is %d", ev.Host, ev.N, ev.UPS, most)}
		}
	}
	return o.flood(v, ev)
}

// flood counts the events of an instant.
func (o *bounds) flood(v *View, ev env.Event) []Violation {
	if ev.Prog == "" {
		return nil
	}
	if ev.T != o.at {
		clear(o.n)
		o.at = ev.T
	}
	who := [2]string{ev.Host, ev.Prog}
	o.n[who]++
	if o.n[who] != busiest+20*(len(v.hosts)+len(v.upses)) {
		return nil
	}
	return []Violation{wrong("S21", subject{host: ev.Host}, v.Now,
		"%s on %s told %d events in one instant, %s", ev.Prog, ev.Host, o.n[who], stamp(v.Now))}
}

func (o *bounds) count(v *View, ev env.Event) []Violation {
	who := [2]string{ev.Host, ev.Name}
	if ev.Value == "idle" {
		o.tasks[who] = ev.N
		return nil
	}
	idle, known := o.tasks[who]
	if !known {
		return nil
	}
	v.judge("S21")
	if ev.N <= idle+spareTask {
		return nil
	}
	return []Violation{wrong("S21", subject{host: ev.Host}, v.Now,
		"%s on %s has %d tasks at %s, when all is over; it had %d before",
		ev.Name, ev.Host, ev.N, stamp(v.Now), idle)}
}

// progress is L08: time goes on: the world has not come to a stop, and no instant goes on for ever.
type progress struct {
	at env.Instant
	n  int
}

// instantLimit is how many events one instant may have; a hundred more for each host and UPS.
const instantLimit = 10_000

func newProgress() Oracle { return &progress{at: env.Never} }

func (o *progress) ID() string            { return "L08" }
func (o *progress) Due(*View) []Violation { return nil }

func (o *progress) Event(v *View, ev env.Event) []Violation {
	if ev.Kind == env.Stuck {
		return []Violation{wrong("L08", subject{host: ev.Host}, v.Now, "time has stopped at %s: %s",
			stamp(v.Now), ev.Why)}
	}
	if ev.T != o.at {
		o.at, o.n = ev.T, 0
		v.judge("L08")
	}
	o.n++
	if o.n != instantLimit+100*(len(v.hosts)+len(v.upses)) {
		return nil
	}
	return []Violation{wrong("L08", subject{}, v.Now, "the instant %s has %d events and goes on",
		stamp(v.Now), o.n)}
}
