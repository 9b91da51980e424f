package check

import (
	"math"
	"slices"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// sec is an instant in seconds since the start.
func sec(s float64) env.Instant { return env.Instant(math.Round(s*1e3)) * 1e6 }

// Constructors for events. They are named after who tells and what.

func mains(s float64, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Mains, Name: "a", Value: value}
}

func power(s float64, name, value, why string) env.Event {
	return env.Event{T: sec(s), Kind: env.Power, UPS: "rack", Name: name, Value: value, Why: why}
}

func machine(s float64, host, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Machine, Host: host, Value: value}
}

func fed(s float64, host, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Fed, Host: host, Value: value}
}

func proc(s float64, host, service, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Proc, Host: host, Name: service, Value: value}
}

// failed is a service that does not start.
func failed(s float64, host, service string) env.Event {
	ev := proc(s, host, service, "start")
	ev.N = 1
	return ev
}

func link(s float64, name, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Link, Name: name, Value: value}
}

func fault(s float64, name, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Fault, UPS: "rack", Name: name, Value: value}
}

func spec(host, ups, name string, d time.Duration) env.Event {
	return env.Event{Kind: env.Spec, Host: host, UPS: ups, Name: name, N: int64(d)}
}

func wire(host string) env.Event { return env.Event{Kind: env.Wire, Host: host, UPS: "rack", N: 1} }

func probe(s float64, value string) env.Event {
	return env.Event{T: sec(s), Kind: env.Probe, Host: "nas", UPS: "rack", Name: "status",
		Value: value}
}

// upsd is an event of the upsd on nas.
func upsd(s float64, kind env.Kind, value string, n int64) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "upsd", Kind: kind, UPS: "rack", Value: value,
		N: n}
}

func driver(s float64, value string) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "nutdrv_qx", Kind: env.Data, UPS: "rack",
		Value: value}
}

// The events of upsmon about rack, or about its host.

func status(s float64, host, value string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Status, UPS: "rack@nas",
		Value: value}
}

func comm(s float64, host, value, why string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Comm, UPS: "rack@nas",
		Value: value, Why: why}
}

func notify(s float64, host, name string) env.Event {
	ups := "rack@nas"
	if name == "SHUTDOWN" || name == "SHUTDOWN_HOSTSYNC" {
		ups = ""
	}
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Notify, UPS: ups, Name: name}
}

func decide(s float64, host, name string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Decide, Name: name,
		Value: "shutdown"}
}

func critical(s float64, host string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Critical, UPS: "rack@nas",
		Value: "yes"}
}

func sent(s float64, host string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.FSD, UPS: "rack@nas",
		Value: "sent"}
}

func sync(s float64, host, value string, n int64) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Sync, UPS: "rack@nas",
		Value: value, N: n}
}

func flagFile(s float64, host, value string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Flag, Name: "/etc/killpower",
		Value: value}
}

func shutdowncmd(s float64, host string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.ShutdownCmd, Value: "halt"}
}

func setting(s float64, host, name string, n int64, value string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Setting, Name: name, N: n,
		Value: value}
}

func monitors(s float64, host, role string) env.Event {
	return env.Event{T: sec(s), Host: host, Prog: "upsmon", Kind: env.Monitor, UPS: "rack@nas",
		Name: role, N: 1}
}

func killpower(s float64, value string) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "nutdrv_qx", Kind: env.LoadKill, UPS: "rack",
		Name: "shutdown.return", Value: value}
}

// site is what a scenario declares: nas, the primary, and db, a secondary, hang on rack.
func site() []env.Event {
	return []env.Event{
		wire("nas"), wire("db"),
		spec("nas", "", "boot", 20*time.Second), spec("nas", "", "halt", 30*time.Second),
		spec("db", "", "boot", 20*time.Second), spec("db", "", "halt", 20*time.Second),
		spec("", "rack", "runtime", 600*time.Second), spec("", "rack", "low", 180*time.Second),
		spec("", "rack", "offdelay", 20*time.Second), spec("", "rack", "ondelay", 30*time.Second),
		mains(0, "on"), power(0, "input", "line", ""), power(0, "outlet", "on", ""),
		fed(0, "nas", "yes"), fed(0, "db", "yes"),
	}
}

// boot is nas and db starting at s; they are up 20 s later, and on line 2 s after that.
func boot(s float64) []env.Event {
	up := s + 20
	return []env.Event{
		machine(s, "nas", Booting), machine(s, "db", Booting),
		machine(up, "nas", Up), proc(up, "nas", "driver:rack", "start"),
		proc(up, "nas", "upsd", "start"),
		proc(up, "nas", "upsmon", "start"),
		machine(up, "db", Up), proc(up, "db", "upsmon", "start"),
		upsd(up+0.1, env.Data, "connected", 0), upsd(up+0.1, env.Data, "fresh", 0),
		upsd(up+0.1, env.Served, "OL", 0),
		setting(up+0.1, "nas", "FINALDELAY", int64(5*time.Second), ""),
		setting(up+0.1, "nas", "POWERDOWNFLAG", 0, "/etc/killpower"),
		monitors(up+0.1, "nas", "primary"),
		setting(up+0.1, "db", "FINALDELAY", int64(5*time.Second), ""),
		monitors(up+0.1, "db", "secondary"),
		flagFile(up+0.2, "nas", "removed"),
		upsd(up+1, env.Login, "127.0.0.1:4001", 1), comm(up+1, "nas", "ok", ""),
		status(up+1, "nas", "OL"),
		probe(up+1, "OL"),
		upsd(up+2, env.Login, "10.0.0.3:4002", 2), comm(up+2, "db", "ok", ""),
		status(up+2, "db", "OL"),
	}
}

// ending is how nas and db go down when nas has seen the battery low at 522 s: db follows the FSD,
// nas waits for it, the load is switched off at 585.3 s when both are down.
func ending() []env.Event {
	return []env.Event{
		critical(522, "nas"), decide(522, "nas", "power"), sent(522, "nas"),
		upsd(522, env.FSD, "set", 0), upsd(522, env.Served, "FSD OB LB", 0),
		sync(522, "nas", "wait", 2), notify(522, "nas", "FSD"),
		notify(522, "nas", "SHUTDOWN_HOSTSYNC"),
		probe(522.5, "FSD OB LB"),
		status(525, "db", "FSD OB LB"), notify(525, "db", "FSD"), decide(525, "db", "power"),
		notify(525, "db", "SHUTDOWN"),
		shutdowncmd(530, "db"), machine(530, "db", Stopping),
		upsd(530, env.Logout, "10.0.0.3:4002", 1),
		proc(530, "db", "upsmon", "exit"),
		sync(530.3, "nas", "done", 1), notify(530.3, "nas", "SHUTDOWN"),
		flagFile(535.3, "nas", "written"), shutdowncmd(535.3, "nas"),
		machine(535.3, "nas", Stopping),
		proc(535.3, "nas", "upsmon", "exit"), upsd(535.3, env.Logout, "127.0.0.1:4001", 0),
		proc(540, "nas", "upsd", "exit"), probe(541, "ERR connection refused"),
		machine(550, "db", Halted),
		killpower(565.2, "accepted"), machine(565.3, "nas", Halted),
		power(585.3, "outlet", "off", "shutdown command"),
		fed(585.3, "nas", "no"), machine(585.3, "nas", Off),
		fed(585.3, "db", "no"), machine(585.3, "db", Off),
	}
}

// outage is a healthy run: mains fail at 100 s, the battery is low at 520 s, everybody goes down in
// order; mains come back at 800 s, everybody comes back and is well at 872 s.
func outage() []env.Event {
	return slices.Concat(site(), boot(0), failing(), ending(), returning())
}

// toldOutage is outage with a notification more, which no monitor gives after a boot: for tests of how
// runs are compared and shown.
func toldOutage() []env.Event { return with(outage(), notify(852, "nas", "ONLINE")) }

func failing() []env.Event {
	return []env.Event{
		mains(100, "off"), power(100, "input", "battery", "mains failed"),
		upsd(101, env.Served, "OB", 0), probe(101.5, "OB"),
		status(102, "nas", "OB"), notify(102, "nas", "ONBATT"),
		status(104, "db", "OB"), notify(104, "db", "ONBATT"),
		power(520, "low", "yes", ""), upsd(521, env.Served, "OB LB", 0), probe(521.5, "OB LB"),
		status(522, "nas", "OB LB"), notify(522, "nas", "LOWBATT"),
	}
}

func returning() []env.Event {
	return slices.Concat(
		[]env.Event{mains(800, "on"), power(800, "input", "line", ""), power(830, "low", "no", ""),
			power(830, "outlet", "on", ""), fed(830, "nas", "yes"), fed(830, "db", "yes")},
		boot(830))
}

// calm is a healthy run in which nothing happens after both hosts are up.
func calm() []env.Event { return slices.Concat(site(), boot(0)) }

// Edits of a run.

// without leaves out what matches.
func without(events []env.Event, match ...func(env.Event) bool) []env.Event {
	return slices.DeleteFunc(slices.Clone(events),
		func(ev env.Event) bool { return all(ev, match) })
}

// with adds events; what comes at the same time as others comes after them.
func with(events []env.Event, more ...env.Event) []env.Event { return Merge(events, more) }

// until cuts a run off.
func until(events []env.Event, s float64) []env.Event {
	return without(events, func(ev env.Event) bool { return ev.T > sec(s) })
}

// moved puts what matches later, by a number of seconds, or earlier.
func moved(events []env.Event, by float64, match ...func(env.Event) bool) []env.Event {
	return changed(events, func(ev *env.Event) { ev.T += sec(by) }, match...)
}

// changed edits what matches.
func changed(events []env.Event, edit func(*env.Event), match ...func(env.Event) bool) []env.Event {
	out := slices.Clone(events)
	for i := range out {
		if all(out[i], match) {
			edit(&out[i])
		}
	}
	return Merge(out)
}

func all(ev env.Event, match []func(env.Event) bool) bool {
	for _, m := range match {
		if !m(ev) {
			return false
		}
	}
	return true
}

func kind(k env.Kind) func(env.Event) bool {
	return func(ev env.Event) bool { return ev.Kind == k }
}

func host(h string) func(env.Event) bool {
	return func(ev env.Event) bool { return ev.Host == h }
}

func value(v string) func(env.Event) bool {
	return func(ev env.Event) bool { return ev.Value == v }
}

func named(n string) func(env.Event) bool {
	return func(ev env.Event) bool { return ev.Name == n }
}

// between matches the events from one second to another, both included.
func between(from, to float64) func(env.Event) bool {
	return func(ev env.Event) bool { return ev.T >= sec(from) && ev.T <= sec(to) }
}
