package check

import (
	"slices"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Constructors for events of which the runs in build_test.go have none.

func device(s float64, what string) env.Event {
	return env.Event{T: sec(s), Kind: env.Device, UPS: "rack", Name: what, Value: "wire"}
}

func command(s float64, name, why string) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "nutdrv_qx", Kind: env.Cmd, UPS: "rack",
		Name: name, Why: why}
}

func fsdBy(s float64, user, ups string) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "upsd", Kind: env.FSD, UPS: ups, Name: user,
		Value: "set", Why: user + "@10.0.0.9:4000"}
}

func exec(s float64, name, value string) env.Event {
	return env.Event{T: sec(s), Host: "nas", Prog: "upsmon", Kind: env.Exec, Name: name, Value: value}
}

func tasks(s float64, value string, n int64) env.Event {
	return env.Event{T: sec(s), Host: "nas", Kind: env.Tasks, Name: "upsd", Value: value, N: n}
}

func readLogins(s float64, value string, n int64) env.Event {
	return env.Event{T: sec(s), Kind: env.Probe, Host: "nas", UPS: "rack", Name: "logins",
		Value: value, N: n}
}

func delay(s float64, d time.Duration) env.Event {
	return env.Event{T: sec(s), Kind: env.Probe, Host: "nas", UPS: "rack", Name: "delay",
		Value: "reply", N: int64(d)}
}

// granting is what a upsd tells at its start whose only user is a primary.
func granting(s float64) []env.Event {
	told := func(k env.Kind, name, value string, n int64) env.Event {
		return env.Event{T: sec(s), Host: "nas", Prog: "upsd", Kind: k, Name: name, Value: value, N: n}
	}
	return []env.Event{told(env.Setting, "MAXAGE", "", 15e9), told(env.Setting, "MAXCONN", "", 3),
		told(env.Grant, "mon", "LOGIN", 0), told(env.Grant, "mon", "FSD", 0),
		told(env.Grant, "reader", "LOGIN", 0)}
}

// everyday is a healthy run with a bit of everything: commands, a device that is away for a moment,
// a UPS that nobody ever hears, a calibration, a false alarm and an order to shut down.
func everyday() []env.Event {
	return with(calm(), slices.Concat(granting(20), []env.Event{
		readLogins(23, "2", 2),
		monitors(30, "db", "secondary"),
		{T: sec(30), Host: "db", Prog: "upsmon", Kind: env.Monitor, UPS: "gone@far", Name: "secondary"},
		{T: sec(31), Host: "db", Prog: "upsmon", Kind: env.Comm, UPS: "gone@far", Value: "lost"},
		tasks(60, "idle", 9),
		device(100, "beeper"), command(100.1, "beeper.toggle", "accepted (Q)"),
		device(110, "test"), command(110.1, "test.battery.start.deep", "accepted (TL)"),
		status(112, "nas", "OB LB CAL"), notify(112, "nas", "ONBATT"), notify(112, "nas", "LOWBATT"),
		notify(112, "nas", "CAL"),
		status(120, "nas", "OL"), notify(120, "nas", "NOTCAL"), notify(120, "nas", "ONLINE"),
		proc(130, "db", "upsmon", "pause"), proc(131, "db", "upsmon", "resume"),
		fault(140, "silent", "on"), driver(150, "stale"), probe(150.5, "ERR DATA-STALE"),
		comm(151, "nas", "lost", "Data stale"), notify(151, "nas", "COMMBAD"),
		fault(160, "silent", "off"), driver(165, "fresh"), probe(165.5, "OL"),
		comm(166, "nas", "ok", ""), notify(166, "nas", "COMMOK"),
		exec(170, "notifycmd", "unprivileged"), exec(170, "shutdowncmd", "privileged"),
		exec(170, "notifycmd", "rootless"),
		tasks(300, "after", 10),
		fsdBy(400, "mon", "rack"), upsd(400, env.Served, "FSD OL", 0), probe(400.5, "FSD OL"),
		decide(400, "nas", "operator"),
	})...)
}

func TestPlantedDefectsOfDevicesAndServersAreCaught(t *testing.T) {
	db := host("db")
	unheard := with(without(calm(), db, kind(env.Status)),
		critical(100, "db"), comm(100, "db", "lost", ""))
	calibrates := with(calm(), status(100, "nas", "OB LB CAL"))
	judgeAll(t, []scene{
		{"a secondary switches the load off",
			changed(outage(), func(ev *env.Event) { ev.Host = "db" }, kind(env.LoadKill)), 0, 600, "S03 db"},
		{"a primary switches the load off that never shut down",
			with(calm(), killpower(100, "sent")), 0, 200, "S03 nas"},
		{"a UPS that was never heard is called critical", unheard, 0, 101, "S06 db"},
		{"a UPS that was never heard shuts its host down",
			with(without(unheard, kind(env.Critical)), decide(100, "db", "power")), 0, 101, "S06 db, S11 db"},
		{"a calibration is called critical", with(calibrates, critical(100, "nas")), 0, 101, "S07 nas"},
		{"a calibration shuts its host down", with(calibrates, fault(99, "lies", "on"),
			decide(100, "nas", "power")), 0, 101, "S07 nas"},
		{"FSD is set by somebody who may only read",
			with(calm(), append(granting(20), fsdBy(100, "reader", "rack"))...), 0, 101, "S09 nas"},
		{"FSD is set by nobody",
			with(calm(), append(granting(20), fsdBy(100, "", "rack"))...), 0, 101, "S09 nas"},
		{"FSD is set on a UPS that does not exist",
			with(calm(), append(granting(20), fsdBy(100, "mon", "shed"))...), 0, 101, "S09 nas"},
		{"rights that a reload took away still count",
			with(calm(), slices.Concat(granting(20), granting(50)[:2], []env.Event{
				fsdBy(100, "mon", "rack")})...), 0, 101, "S09 nas"},
		{"a host stops although its UPS is fine",
			with(calm(), status(100, "db", "OB LB"), status(100, "nas", "OL"),
				decide(120, "db", "power")), 0, 121, "S11 db"},
		{"an outage is announced twice", with(outage(), notify(110, "nas", "ONBATT")), 0, 200, "S13 nas"},
		{"the end of an outage is announced that was never announced",
			with(calm(), notify(110, "nas", "ONLINE")), 0, 200, "S13 nas"},
		{"an outage is announced that is none", with(calm(), notify(110, "nas", "ONBATT")), 0, 200,
			"S13 nas"},
		{"a loss is announced of a UPS that speaks", with(calm(), notify(110, "db", "COMMBAD")), 0, 200,
			"S13 db"},
		{"a return is announced of a UPS that is silent", with(silentOnLine(),
			notify(120, "nas", "COMMBAD"), notify(130, "nas", "COMMOK")), 0, 200, "S13 nas"},
		{"the end of an overload is announced while it lasts", with(calm(), status(100, "nas", "OL OVER"),
			notify(100, "nas", "OVER"), notify(110, "nas", "NOTOVER")), 0, 200, "S13 nas"},
		{"a driver tests the battery unasked", with(calm(), device(100, "test")), 0, 200, "S16 test"},
		{"a driver switches the load off when asked for a beep",
			with(calm(), device(100, "beeper"), device(100, "kill"),
				command(101, "beeper.toggle", "accepted (Q)")), 0, 200, "S16 kill"},
		{"a command is reported as accepted that never arrived",
			with(calm(), command(101, "test.battery.start", "accepted (T10)")), 0, 200, "S17 nas"},
		{"a command is carried out twice",
			with(calm(), device(100, "beeper"), device(100.5, "beeper"),
				command(101, "beeper.toggle", "sent (Q)")), 0, 200, "S17 nas"},
		{"a command that failed was carried out twice",
			with(calm(), device(100, "beeper"), device(100.5, "beeper"),
				command(101, "beeper.toggle", "failed: no answer")), 0, 200, "S17 nas"},
		{"one connection counts twice", with(calm(), upsd(100, env.Login, "10.0.0.3:4002", 3)), 0, 200,
			"S18 nas"},
		{"who is not logged in logs out", with(calm(), upsd(100, env.Logout, "10.0.0.9:4002", 1)), 0, 200,
			"S18 nas"},
		{"a logout is not counted", with(calm(), upsd(100, env.Logout, "10.0.0.3:4002", 2)), 0, 200,
			"S18 nas"},
		{"clients read another count", with(calm(), readLogins(30, "3", 3)), 0, 200, "S18 nas"},
		{"a frozen client holds up another", with(calm(), proc(100, "db", "upsmon", "pause"),
			delay(110, 1500*time.Millisecond)), 0, 200, "S19 nas"},
		{"NOTIFYCMD runs as root", with(calm(), exec(100, "notifycmd", "privileged")), 0, 200, "S20 nas"},
		{"SHUTDOWNCMD runs as nobody", with(calm(), exec(100, "shutdowncmd", "unprivileged")), 0, 200,
			"S20 nas"},
		{"a driver runs as root", with(calm(), exec(100, "driver", "privileged")), 0, 200, "S20 nas"},
		{"notifications get lost", with(calm(), env.Event{T: sec(100), Host: "nas", Prog: "upsmon",
			Kind: env.Drop, Name: "notifications", N: 3}), 0, 200, "S21 nas"},
		{"more clients than MAXCONN", with(calm(), append(granting(20),
			upsd(30, env.Login, "10.0.0.4:1", 3), upsd(31, env.Login, "10.0.0.5:1", 4))...), 0, 200,
			"S21 nas"},
		{"tasks pile up", with(calm(), tasks(60, "idle", 9), tasks(300, "after", 90)), 0, 400, "S21 nas"},
		{"a program goes mad", with(calm(), slices.Repeat([]env.Event{status(100, "db", "OL")}, 600)...),
			0, 200, "S21 db"},
		{"a password is in the reason of an event",
			with(calm(), comm(100, "db", "ok", "sent PASSWORD "+password)), 0, 200, "S22 db"},
		{"a password is on a console", with(calm(), env.Event{T: sec(100), Host: "db", Prog: "upsmon",
			Kind: env.Leak, Name: "console", Value: "login with ***"}), 0, 200, "S22 db"},
		{"silence on battery is never taken for an empty battery",
			without(until(silentOnBattery(), 300), func(ev env.Event) bool { return ev.T > sec(228) }),
			0, 300, "L03 db, L03 nas"},
		{"a driver does not find its device again",
			with(calm(), fault(100, "silent", "on"), driver(110, "stale"), probe(110.5, "ERR DATA-STALE"),
				fault(120, "silent", "off")), 0, 200, "L07 nas"},
		{"time stops", with(calm(), env.Event{T: sec(100), Kind: env.Stuck, Why: "10001 events"}), 0, 200,
			"L08"},
		{"an instant does not end", with(calm(),
			slices.Repeat([]env.Event{{T: sec(100), Kind: env.Mark, Name: "again"}}, 11_000)...), 0, 200,
			"L08"},
	})
}

func TestNearMissesOfDevicesAndServersAreNotFlagged(t *testing.T) {
	db := host("db")
	judgeAll(t, []scene{
		{"a person asks for the kill-power run",
			with(calm(), command(100.1, "driver.killpower", "accepted (S.5)"), killpower(100, "accepted")),
			0, 200, ""},
		{"a monitor of another maker tells nothing, and its host kills",
			with(without(calm(), func(ev env.Event) bool {
				return ev.Prog == "upsmon" || ev.Kind == env.Login
			}), killpower(100, "sent")), 0, 200, ""},
		{"FSD on a upsd that tells nothing of rights", with(calm(), fsdBy(100, "reader", "rack"),
			upsd(100, env.Served, "FSD OL", 0), probe(101, "FSD OL")), 0, 100.5, ""},
		{"a calibration that OFF joins for OFFDURATION",
			with(calm(), fault(99, "lies", "on"), status(100, "nas", "OB LB CAL OFF"),
				critical(131, "nas"), decide(131, "nas", "power")), 0, 132, ""},
		{"a host stops a moment after its UPS is fine again",
			with(calm(), fault(50, "silent", "on"), driver(51, "stale"), probe(52, "ERR DATA-STALE"),
				status(49, "db", "OB"), comm(52, "db", "lost", "stale"), fault(60, "silent", "off"),
				decide(67, "db", "power")), 0, 68, ""},
		{"an outage is announced again after the monitor was started anew",
			with(until(outage(), 500), proc(200, "nas", "upsmon", "kill"),
				upsd(200, env.Logout, "127.0.0.1:4001", 1), proc(210, "nas", "upsmon", "start"),
				comm(211, "nas", "ok", ""), status(211, "nas", "OB"), notify(211, "nas", "ONBATT")),
			0, 500, ""},
		{"a low battery is announced again when it was fine in between",
			with(until(outage(), 500), status(300, "nas", "OB LB"), notify(300, "nas", "LOWBATT"),
				status(302, "nas", "OB"), status(304, "nas", "OB LB"), notify(304, "nas", "LOWBATT"),
				status(306, "nas", "OB")), 0, 500, ""},
		{"an alarm whose text changes is announced again",
			with(calm(), status(100, "nas", "ALARM OL"), notify(100, "nas", "ALARM"),
				notify(120, "nas", "ALARM")), 0, 200, ""},
		{"a primary announces the FSD that it has set itself",
			without(until(outage(), 545), named("SHUTDOWN_HOSTSYNC")), 0, 545, ""},
		{"a driver is killed before it can tell what it did",
			with(calm(), device(100, "test"), proc(100.1, "nas", "driver:rack", "kill"),
				probe(103, "ERR DRIVER-NOT-CONNECTED")), 0, 300, ""},
		{"a command that the device refused and did not carry out",
			with(calm(), command(100, "beeper.toggle", "failed: refused")), 0, 200, ""},
		{"a shutdown cancels the pending one first",
			with(calm(), device(100, "cancel"), device(100.2, "kill"),
				command(100.5, "shutdown.default", "accepted (C S.5)")), 0, 200, ""},
		{"a command that the driver itself carries out",
			with(calm(), command(100, "driver.reload", "done")), 0, 200, ""},
		{"clients read the old count for a second",
			with(calm(), readLogins(25, "2", 2), upsd(100, env.Logout, "10.0.0.3:4002", 1),
				readLogins(101.5, "1", 1)), 0, 200, ""},
		{"upsd starts anew and the same clients log in",
			with(calm(), proc(100, "nas", "upsd", "restart"), readLogins(100.1, "ERR no answer", 0),
				upsd(101, env.Login, "10.0.0.3:4002", 1), upsd(102, env.Login, "127.0.0.1:4001", 2)),
			0, 200, ""},
		{"an answer of just a second", with(calm(), delay(110, time.Second)), 0, 200, ""},
		{"an answer that comes late because upsd was frozen",
			with(calm(), proc(100, "nas", "upsd", "pause"), proc(101.5, "nas", "upsd", "resume"),
				delay(101.6, 1600*time.Millisecond)), 0, 200, ""},
		{"an answer that comes late because upsd had just started",
			with(calm(), proc(100, "nas", "upsd", "restart"), delay(101.6, 1700*time.Millisecond)),
			0, 200, ""},
		{"as many clients as MAXCONN", with(calm(), append(granting(20),
			upsd(30, env.Login, "10.0.0.4:1", 3))...), 0, 200, ""},
		{"a short password that is part of a word", with(calm(), comm(100, "db", "ok", "upwards")),
			0, 200, ""},
		{"silence on battery of DEADTIME less a second",
			with(without(until(silentOnBattery(), 228), db), comm(227, "nas", "ok", "")), 0, 300, ""},
		{"a frozen monitor takes nothing for empty",
			with(without(until(silentOnBattery(), 228), db), proc(228, "nas", "upsmon", "pause")),
			0, 300, ""},
		{"a monitor that stood still for DEADTIME asks anew, and is right to know nothing",
			with(without(until(silentOnBattery(), 210), kind(env.Comm), between(201, 300)),
				proc(205, "nas", "upsmon", "pause"), proc(230, "nas", "upsmon", "resume"),
				env.Event{T: sec(230), Host: "nas", Prog: "upsmon", Kind: env.Notify,
					Name: "SUSPEND_TIMEJUMP_UNEXPECTED"},
				probe(217, "ERR DATA-STALE"), comm(231, "nas", "lost", "Data stale")), 0, 400, ""},
		{"a secondary waits for its primary as well",
			without(until(silentOnBattery(), 250), db, func(ev env.Event) bool { return ev.T > sec(228) }),
			0, 254, ""},
		{"a driver that cannot find a device that is still away",
			with(calm(), fault(100, "silent", "on"), driver(110, "stale"), probe(110.5, "ERR DATA-STALE")),
			0, 400, ""},
		{"a driver that did not start has no data to refresh",
			with(calm(), fault(100, "silent", "on"), driver(110, "stale"), probe(110.5, "ERR DATA-STALE"),
				proc(111, "nas", "driver:rack", "exit"), fault(120, "silent", "off")), 0, 400, ""},
	})
}
