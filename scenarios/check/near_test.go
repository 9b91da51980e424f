package check

import (
	"slices"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func TestNearMissesAreNotFlagged(t *testing.T) {
	after := func(s float64) func(env.Event) bool { return between(s, 1e6) }
	nas, db := host("nas"), host("db")
	low := until(outage(), 521.9)
	judgeAll(t, []scene{
		{"a host that is halted loses its power", outage(), 0, 700, ""},
		{"a host that boots loses its power",
			with(until(outage(), 849), fed(845, "db", "no"), machine(845, "db", Off)), 0, 850, ""},
		{"the load is killed with the secondary logged in, after HOSTSYNC",
			with(without(until(outage(), 529), nas, after(528)), killpower(537.5, "sent")),
			0, 538, ""},
		{"a kill that the device refused",
			with(outage(), killpower(526, "refused")), 0, 600, ""},
		{"silence on battery brings both down after DEADTIME", silentOnBattery(), 0, 300, ""},
		{"a monitor that was frozen counts that as silence",
			with(until(slices.Concat(site(), boot(0), failing()), 200),
				proc(200, "db", "upsmon", "pause"),
				proc(216, "db", "upsmon", "resume"), comm(216, "db", "lost", "Data stale"),
				decide(216, "db", "power")), 0, 217, ""},
		{"a poll that hung counts towards DEADTIME",
			changed(moved(silentOnBattery(), -11, between(229, 300)),
				func(ev *env.Event) { ev.Why = "request timed out" }, kind(env.Comm), after(200)),
			0, 300, ""},
		{"a secondary gives up on its primary after HOSTSYNC",
			with(low, status(522, "db", "OB LB"), proc(522, "nas", "upsmon", "kill"),
				decide(537, "db", "power"), notify(537, "db", "SHUTDOWN"),
				shutdowncmd(542, "db"), machine(542, "db", Stopping), machine(562, "db", Halted)),
			0, 600, ""},
		{"an operator shuts down on good mains",
			with(calm(), decide(100, "nas", "operator"), sent(100, "nas"),
				upsd(100, env.FSD, "set", 0),
				upsd(100, env.Served, "FSD OL", 0), probe(100.9, "FSD OL"),
				notify(100, "nas", "SHUTDOWN_HOSTSYNC"),
				status(103, "db", "FSD OL"), decide(103, "db", "power"),
				notify(103, "db", "SHUTDOWN"),
				shutdowncmd(108, "db"), machine(108, "db", Stopping),
				upsd(108, env.Logout, "10.0.0.3:4002", 1),
				notify(108.2, "nas", "SHUTDOWN"), flagFile(113.2, "nas", "written"),
				shutdowncmd(113.2, "nas"),
				machine(113.2, "nas", Stopping), machine(128, "db", Halted),
				machine(143.2, "nas", Halted)), 0, 200, ""},
		{"an hour of silence on line power", silentOnLine(), 0, 4000, ""},
		{"a UPS that is off for OFFDURATION",
			with(calm(), fault(99, "lies", "on"), status(100, "nas", "OL OFF"),
				decide(130, "nas", "power"),
				notify(130, "nas", "SHUTDOWN"),
				flagFile(135, "nas", "written"), shutdowncmd(135, "nas"),
				machine(135, "nas", Stopping),
				machine(165, "nas", Halted)), 0, 200, ""},
		{"a driver starts at the second try",
			with(without(without(outage(), db, kind(env.Comm), after(830)), kind(env.Probe), after(830)),
				failed(891, "nas", "driver:rack"), proc(915, "nas", "driver:rack", "start"), comm(929, "db", "ok", "")), 900, 1000, ""},
		{"a UPS that was never heard is lost", with(calm(), monitors(30, "db", "secondary"),
			env.Event{T: sec(31), Host: "db", Prog: "upsmon", Kind: env.Comm, UPS: "gone@far",
				Value: "lost"}), 0, 4000, ""},
		{"a probe that was under way when FSD was set",
			with(without(outage(), kind(env.Probe), between(522, 523)), probe(522.1, "OB LB CHRG"),
				probe(523.1, "FSD OB LB")),
			0, 600, ""},
		{"upsd starts anew and knows no FSD",
			with(until(outage(), 524), proc(524, "nas", "upsd", "kill"), probe(524.1, "ERR gone"),
				proc(524.2, "nas", "upsd", "start"), upsd(524.5, env.Served, "OB LB", 0),
				probe(525, "OB LB")), 0, 527, ""},
		{"upsd takes FSD back",
			with(until(outage(), 524), upsd(524, env.FSD, "cleared", 0),
				upsd(524.1, env.Served, "OB LB", 0),
				probe(525, "OB LB")), 0, 527, ""},
		{"data are stale while FSD is set",
			with(until(outage(), 524), driver(524, "stale"), upsd(524, env.Data, "stale", 0),
				upsd(524, env.Served, "OB LB", 0),
				probe(524.5, "ERR DATA-STALE")), 0, 530, ""},
		{"SHUTDOWNCMD runs once in each of two boots",
			with(outage(), decide(1000, "db", "operator"), notify(1000, "db", "SHUTDOWN"),
				shutdowncmd(1005, "db"),
				machine(1005, "db", Stopping), machine(1020, "db", Halted)), 0, 1100, ""},
		{"a driver that is frozen for ten seconds",
			with(calm(), proc(100, "nas", "driver:rack", "pause"),
				proc(110, "nas", "driver:rack", "resume")), 0, 200, ""},
		{"a frozen driver is noticed after MAXAGE, a second, a poll and the next probe",
			changed(silentOnLine(), func(ev *env.Event) { ev.T = sec(120) },
				value("ERR DATA-STALE")), 0, 200, ""},
		{"a driver that was frozen finds a silent device anew",
			with(silentOnLine(), fault(110, "silent", "on"),
				proc(130, "nas", "driver:rack", "resume"), upsd(130, env.Data, "fresh", 0),
				probe(131, "OL"), probe(140, "ERR DATA-STALE")), 0, 200, ""},
		{"a silent device behind a upsd that is frozen too",
			with(calm(), fault(100, "silent", "on"), proc(101, "nas", "upsd", "pause")),
			0, 200, ""},
		{"FINALDELAY is overrun by less than a second",
			moved(outage(), 0.9, db, between(530, 550)), 0, 600, ""},
		{"FINALDELAY is overrun by a monitor that was frozen meanwhile",
			with(moved(outage(), 3, db, between(530, 550)), proc(526, "db", "upsmon", "pause"),
				proc(529, "db", "upsmon", "resume")), 0, 600, ""},
		{"a secondary writes no flag, and a primary without the feature neither",
			without(outage(),
				func(ev env.Event) bool {
					return ev.Kind == env.Flag || ev.Name == "POWERDOWNFLAG" ||
						ev.Kind == env.LoadKill
				}),
			900, 1300, ""},
		{"the flag is a foreign file", changed(without(outage(), func(ev env.Event) bool {
			return ev.Value == "written" || ev.Kind == env.LoadKill
		}),
			func(ev *env.Event) { ev.Value = "foreign" }, kind(env.Flag)), 0, 1300, ""},
		{"the flag is removed just in time",
			moved(outage(), 0.7, kind(env.Flag), value("removed"), after(800)), 0, 1300, ""},
		{"a host stays off while the mains are off", until(outage(), 799), 700, 3600, ""},
		{"a host is back a minute later than declared",
			moved(outage(), 59, db, between(830, 1000)), 900, 1300, ""},
		{"a shutdown that takes long because the UPS does not answer",
			with(moved(until(outage(), 566), 30, host("nas"), between(565, 566)),
				fault(540, "silent", "on"),
				fault(580, "silent", "off")), 0, 595, ""},
		{"OFF that was heard long enough, then silence",
			with(calm(), fault(99, "lies", "on"), status(100, "nas", "OL OFF"),
				comm(131, "nas", "lost", ""),
				critical(131, "nas"),
				decide(131, "nas", "power")), 0, 132, ""},
		{"letter case of status words",
			with(calm(), fault(99, "lies", "on"), status(100, "nas", "ob lb"), decide(100, "nas", "power")), 0, 101, ""},
		{"a calibration runs the battery low",
			with(calm(), status(100, "nas", "OB LB CAL"), status(101, "db", "OB LB CAL")),
			0, 600, ""},
		{"a monitor that is frozen does nothing about a low battery",
			with(low, status(522, "nas", "OB LB"), proc(523, "nas", "upsmon", "pause")),
			0, 580, ""},
		{"a shutdown that takes longer because its monitor was frozen meanwhile",
			moved(with(until(outage(), 584), proc(526, "db", "upsmon", "pause"),
				proc(576, "db", "upsmon", "resume")), 50, db, between(530, 551)), 0, 601, ""},
		{"a battery low for five seconds only",
			with(low, status(522, "nas", "OB LB"), status(527, "nas", "OB")), 0, 580, ""},
		{"a secondary that only watches does not follow the FSD",
			changed(without(until(outage(), 560), db, after(522)), func(ev *env.Event) { ev.N = 0 },
				db, kind(env.Monitor)), 0, 560, ""},
		{"a secondary that is cut off does not follow the FSD",
			with(without(until(outage(), 560), db, after(522)), link(524, "db nas", "cut")),
			0, 560, ""},
		{"a secondary behind a link that became slow follows later",
			with(moved(outage(), 4, db, between(525, 550)),
				env.Event{T: sec(524), Kind: env.Link, Name: "db nas", Value: "delay", N: 800e6},
				link(526, "nas db", "heal")), 0, 560, ""},
		{"a secondary that is frozen does not follow the FSD",
			with(without(until(outage(), 560), db, after(522)), proc(524, "db", "upsmon", "pause")),
			0, 560, ""},
		{"a secondary that started after the FSD waits",
			with(until(calm(), 19), machine(20, "nas", Up), proc(20, "nas", "upsd", "start"),
				upsd(21, env.FSD, "set", 0),
				upsd(21, env.Served, "FSD OL", 0), monitors(22, "db", "secondary"),
				comm(23, "db", "ok", ""),
				status(23, "db", "FSD OL")), 0, 100, ""},
		{"the primary waits 15.8 seconds for a secondary that never logs out",
			moved(moved(until(outage(), 565), 7.5, nas, between(530.1, 536)), 10, nas,
				between(540, 541)), 0, 575, ""},
		{"the primary waits longer because upsd has gone",
			with(moved(moved(without(until(outage(), 565), kind(env.Logout), after(531)), 15, nas,
				between(530.1, 536)), 20, nas, between(540, 541)),
				proc(531, "nas", "upsd", "kill"), probe(531.5, "ERR gone")), 0, 580, ""},
		{"a monitor recovers ten seconds after the others",
			moved(outage(), 10, db,
				func(ev env.Event) bool { return ev.Prog == "upsmon" && ev.T >= sec(851) }),
			900, 1300, ""},
		{"a login less while its host is down",
			with(outage(), proc(1000, "db", "upsmon", "kill"),
				upsd(1000, env.Logout, "10.0.0.3:4002", 1)), 900, 1100, ""},
	})
}

func TestRedundancyIsCounted(t *testing.T) {
	second := func(s float64, h, role string) env.Event {
		ev := monitors(s, h, role)
		ev.UPS = "spare@nas"
		return ev
	}
	spare := func(ev env.Event) env.Event { ev.UPS = "spare@nas"; return ev }
	two := with(until(outage(), 521.9),
		second(20.5, "nas", "primary"), spare(comm(21, "nas", "ok", "")),
		spare(status(21, "nas", "OL")),
		second(20.5, "db", "secondary"), spare(comm(22, "db", "ok", "")),
		spare(status(22, "db", "OL")))
	judgeAll(t, []scene{
		{"one of two batteries low is no reason to stop",
			with(two, status(522, "nas", "OB LB"), status(522, "db", "OB LB")), 0, 600, ""},
		{"nor is FSD on one of two",
			with(two, upsd(522, env.FSD, "set", 0), upsd(522, env.Served, "FSD OB LB", 0),
				probe(522.5, "FSD OB LB"),
				status(525, "db", "FSD OB LB")), 0, 600, ""},
		{"and stopping for it is unfounded",
			with(two, status(522, "nas", "OB LB"), decide(522, "nas", "power")), 0, 523, "S04 nas"},
		{"both low are one",
			with(two, status(522, "nas", "OB LB"), spare(status(530, "nas", "OB LB")),
				decide(530, "nas", "power")), 0, 533, ""},
		{"and the primary must stop then",
			with(two, status(522, "nas", "OB LB"), spare(status(530, "nas", "OB LB"))),
			0, 537, "L02 nas"},
		{"a line that is gone from the file counts no more",
			with(two, setting(400, "nas", "FINALDELAY", 5e9, ""), monitors(400, "nas", "primary"),
				status(522, "nas", "OB LB"), decide(522, "nas", "power")), 0, 523, ""},
	})
}

func TestSettingsAreFollowed(t *testing.T) {
	set := func(name string, d time.Duration) func([]env.Event) []env.Event {
		return func(events []env.Event) []env.Event {
			return with(events, setting(20.1, "nas", name, int64(d), ""),
				setting(20.1, "db", name, int64(d), ""))
		}
	}
	low := with(until(outage(), 521.9), status(522, "nas", "OB LB"))
	judgeAll(t, []scene{
		{"OBLBDURATION delays the duty to stop",
			set("OBLBDURATION", 20*time.Second)(low), 0, 547, ""},
		{"and does not abolish it",
			set("OBLBDURATION", 20*time.Second)(low), 0, 549, "L02 nas"},
		{"stopping before OBLBDURATION is unfounded",
			with(set("OBLBDURATION", 20*time.Second)(low), decide(530, "nas", "power")),
			0, 531, "S04 nas"},
		{"MINSUPPLIES 0 never stops", set("MINSUPPLIES", 0)(low), 0, 600, ""},
		{"a longer DEADTIME is waited for",
			set("DEADTIME", time.Minute)(silentOnBattery()), 0, 300, "S04 db, S04 nas"},
		{"a shorter FINALDELAY is the measure",
			set("FINALDELAY", time.Second)(outage()), 0, 600, "S14 db, S14 nas"},
	})
}

func TestExcusesOfACut(t *testing.T) {
	// The battery is empty 10 s after the outage; both hosts are up.
	short := with(until(outage(), 100), upsd(101, env.Served, "OB", 0), status(102, "nas", "OB"),
		status(104, "db", "OB"),
		power(110, "outlet", "off", "the battery is empty"), power(110, "empty", "yes", ""),
		fed(110, "nas", "no"), machine(110, "nas", Off), fed(110, "db", "no"),
		machine(110, "db", Off))
	// The battery is empty 90 s after the outage and nobody has done anything about it.
	idle := moved(short, 80, between(110, 110))
	// db never hears of the outage and is cut by the primary's kill.
	deaf := changed(without(outage(), func(ev env.Event) bool {
		return ev.Host == "db" && ev.T > sec(50) && ev.T < sec(585) ||
			ev.Kind == env.Logout && ev.N == 1
	}), func(ev *env.Event) { ev.N = 1 }, kind(env.Logout))
	slow := without(outage(), host("db"), kind(env.Machine), value(Halted))
	halts := func(events []env.Event, d time.Duration) []env.Event {
		return changed(events, func(ev *env.Event) { ev.N = int64(d) }, host("db"), kind(env.Spec),
			named("halt"))
	}
	judgeAll(t, []scene{
		{"a battery that lasts ten seconds gives no time",
			short, 0, 200, "S01 db no-time, S01 nas no-time"},
		{"one of ninety seconds does", idle, 0, 200, "S01 db, S01 nas"},
		{"not when the device was silent for most of them",
			with(idle, fault(99, "garbage", "on"), fault(170, "garbage", "off")),
			0, 200, "S01 db no-time, S01 nas no-time"},
		{"nor when only a moment of them was clear",
			with(idle, fault(99, "garbage", "on"), fault(120, "garbage", "off"),
				fault(125, "garbage", "on")),
			0, 200, "S01 db no-time, S01 nas no-time"},
		{"a low-battery reserve that is shorter than a shutdown is a matter of configuration",
			changed(idle, func(ev *env.Event) { ev.N = int64(30 * time.Second) }, kind(env.Spec),
				named("low")),
			0, 200, "S01 db config, S01 nas config"},
		{"a host behind a cut link that last saw line power",
			with(deaf, link(90, "db nas", "cut"), link(90, "nas db", "cut")),
			0, 600, "S01 db partitioned"},
		{"the same when the link heals five seconds before the end",
			with(deaf, link(90, "db nas", "cut"), link(580, "db nas", "heal")),
			0, 600, "S01 db partitioned"},
		{"not when it healed in time",
			with(deaf, link(90, "db nas", "cut"), link(523, "db nas", "heal")), 0, 600, "S01 db"},
		{"the same when it is cut after the FSD and before the next poll",
			with(deaf, link(523, "db nas", "cut")), 0, 600, "S01 db partitioned"},
		{"not when it is cut later",
			with(deaf, link(534, "db nas", "cut")), 0, 600, "L04 db, S01 db"},
		{"the same when the device talks garbage, so that nobody reads the FSD",
			with(deaf, fault(90, "garbage", "on"), fault(533, "garbage", "off")),
			0, 600, "S01 db partitioned"},
		{"not when it had seen the battery in use",
			with(deaf, status(104, "db", "OB"), link(300, "db nas", "cut")), 0, 600, "S01 db"},
		{"news of the outlet that come after that of its effect change nothing",
			moved(with(deaf, link(90, "db nas", "cut")), 0.001, kind(env.Power), between(585, 586)),
			0, 600, "S01 db partitioned"},
		{"a host that hangs on the mains too, and these fail",
			with(calm(), env.Event{Kind: env.Wire, Host: "db", UPS: "a", N: 1}, mains(100, "off"),
				fed(100, "db", "no"), machine(100, "db", Off)), 0, 200, "S01 db config"},
		{"a monitor that the script froze",
			with(deaf, proc(90, "db", "upsmon", "pause")), 0, 600, "S01 db wedged"},
		{"a monitor that the script froze and gave back too late",
			with(deaf, proc(90, "db", "upsmon", "pause"), proc(570, "db", "upsmon", "resume")),
			0, 600, "S01 db wedged"},
		{"not one that was given back in time",
			with(deaf, proc(90, "db", "upsmon", "pause"), proc(400, "db", "upsmon", "resume")),
			0, 600, "L04 db, S01 db"},
		{"not one that had its chance before",
			with(deaf, proc(580, "db", "upsmon", "pause")), 0, 600, "L04 db, S01 db"},
		{"nor one that the cut itself killed",
			with(deaf, proc(585.3, "db", "upsmon", "kill")), 0, 600, "L04 db, S01 db"},
		{"a host declared to stop slower than its primary",
			halts(slow, time.Minute), 0, 600, "S01 db config"},
		{"not when it stays logged in until it is down, so that the primary can wait",
			with(without(halts(slow, time.Minute), host("db"), named("upsmon"), value("exit")),
				setting(20.1, "db", "SHUTDOWNEXIT", -1, "")),
			0, 600, "S01 db"},
		{"a host without any monitor",
			without(deaf,
				func(ev env.Event) bool {
					return ev.Host == "db" && (ev.Prog == "upsmon" || ev.Kind == env.Proc)
				}),
			0, 600, "S01 db config"},
	})
}

func TestExcusesOfStayingOff(t *testing.T) {
	fallback := env.Event{Kind: env.Spec, Host: "db", Name: "fallback", N: 60e9}
	// Mains return when both hosts are down, and the load was never switched off.
	live := with(until(outage(), 565), machine(565.3, "nas", Halted), mains(570, "on"),
		power(570, "input", "line", ""))
	// db alone has gone down by itself, and mains return.
	alone := with(until(slices.Concat(site(), boot(0), failing()), 200),
		link(195, "db nas", "cut"), link(250, "db nas", "heal"),
		comm(200, "db", "lost", ""), decide(215, "db", "power"), notify(215, "db", "SHUTDOWN"),
		shutdowncmd(220, "db"), machine(220, "db", Stopping), machine(240, "db", Halted),
		mains(300, "on"), power(300, "input", "line", ""), status(302, "nas", "OL"),
		upsd(302, env.Logout, "10.0.0.3:4002", 1))
	judgeAll(t, []scene{
		{"nobody told the UPS to cycle the outlet", live, 580, 1000, "L01 db, L01 nas"},
		{"it did not answer when it was to be told",
			with(live, fault(560, "silent", "on"), fault(566, "silent", "off")), 580, 1000,
			"L01 db no-fallback, L01 nas no-fallback"},
		{"its kill-power run was killed",
			with(live, proc(560, "nas", "driver:rack", "kill")), 580, 1000,
			"L01 db no-fallback, L01 nas no-fallback"},
		{"it had not answered long before",
			with(live, fault(200, "silent", "on"), fault(210, "silent", "off")), 580, 1000,
			"L01 db, L01 nas"},
		{"the host declares a fallback that does not come",
			with(live, fallback, fault(560, "silent", "on"), fault(566, "silent", "off")),
			580, 1000, "L01 db, L01 nas no-fallback"},
		{"a secondary went down alone", alone, 310, 900, "L01 db no-fallback"},
	})
}

func TestExcusesOfContradictions(t *testing.T) {
	db := host("db")
	declared := func(h, ups, name string, n int64) env.Event {
		return env.Event{Kind: env.Spec, Host: h, UPS: ups, Name: name, N: n}
	}
	again := with(outage(), machine(1000, "db", Booting), machine(1010, "db", Booting),
		machine(1020, "db", Booting), machine(1030, "db", Booting))
	reboot := machine(523, "nas", Stopping)
	reboot.Why = "reboot"
	stays := without(outage(), db, between(829, 1e6))
	idle := with(until(outage(), 100), upsd(101, env.Served, "OB", 0), status(102, "nas", "OB"),
		status(104, "db", "OB"), power(190, "outlet", "off", "the battery is empty"),
		power(190, "empty", "yes", ""), fed(190, "db", "no"), machine(190, "db", Off))
	judgeAll(t, []scene{
		{"a host boots when the others go down already, and is cut by their kill",
			with(until(outage(), 600), machine(560, "db", Booting), machine(575, "db", Up)), 0, 601,
			"S01 db race"},
		{"not one that was up all the time",
			without(until(outage(), 600), db, kind(env.Machine), value(Halted)), 0, 601,
			"L02 db, S01 db"},
		{"the battery is empty and nobody has heard anything of the UPS, ever",
			without(idle, db, kind(env.Status)), 0, 200, "S01 db unseen"},
		{"not when it was heard", idle, 0, 200, "S01 db"},
		{"a person reboots a host that is shutting down",
			with(until(outage(), 523), reboot, shutdowncmd(524, "nas")), 0, 525,
			"S14 nas interrupted, S15 nas interrupted"},
		{"a halted host whose firmware keeps it off",
			with(stays, declared("db", "", "bios", 1)), 900, 1300, "L01 db bios-last"},
		{"not one whose firmware is to switch it on",
			with(stays, declared("db", "", "bios", 0)), 900, 1300, "L01 db"},
		{"a host that reboots before its UPS has cut",
			with(again, declared("db", "", "fallback", int64(5*time.Second)),
				declared("", "rack", "offdelay", int64(time.Minute))), 900, 1031, "L01 db config"},
		{"a host that another of its UPSes has cycled by then",
			with(again, env.Event{Kind: env.Wire, Host: "db", UPS: "other", N: 1},
				declared("", "other", "offdelay", int64(20*time.Second)),
				declared("", "rack", "offdelay", int64(time.Minute))), 900, 1031, "L01 db config"},
		{"not one whose UPSes are cycled together",
			with(again, env.Event{Kind: env.Wire, Host: "db", UPS: "other", N: 1},
				declared("", "other", "offdelay", int64(time.Minute)),
				declared("", "rack", "offdelay", int64(time.Minute))), 900, 1031, "L01 db"},
	})
}

func TestExcusesOfAnEarlyKill(t *testing.T) {
	killed := func(more ...env.Event) []env.Event {
		return with(until(outage(), 524), append(more, flagFile(525, "nas", "written"),
			shutdowncmd(525.5, "nas"), killpower(526, "sent"))...)
	}
	stale := with(killed(driver(523, "stale"), upsd(523, env.Data, "stale", 0), probe(523.5, "ERR DATA-STALE")))
	late := with(without(killed(), host("db"), kind(env.Login)),
		upsd(523, env.Logout, "10.0.0.3:4002", 1), upsd(524, env.Login, "10.0.0.3:4003", 2))
	judgeAll(t, []scene{
		{"the count was known", without(killed(), kind(env.ShutdownCmd)), 0, 527, "S02 nas"},
		{"nobody could be counted, as upsd had no data", without(stale, kind(env.Notify)), 0, 526.5,
			"S02 nas uncounted, S14 nas"},
		{"the client logged in when FSD was set", without(late, kind(env.ShutdownCmd)), 0, 527,
			"S02 nas late"},
	})
}

func TestOrdersOfAnOperatorAreCounted(t *testing.T) {
	s := scene{events: with(calm(), decide(100, "nas", "operator"), decide(100, "db", "power")), end: 101}
	r := s.judge(0)
	if got := found(r); got != "S04 db, S11 db" || r.Counts[Operator] != 1 {
		t.Errorf("judged %q and %d orders, want S04 db, S11 db and 1", got, r.Counts[Operator])
	}
}

func TestAllowedViolationsAreCounted(t *testing.T) {
	j := New(0)
	j.Allow("S10", "db", "the script runs it by hand")
	j.Allow("S14", "*", "not needed")
	for _, ev := range with(outage(), shutdowncmd(531, "db"), shutdowncmd(532, "db"),
		shutdowncmd(537, "nas")) {
		j.Observe(ev)
	}
	r := j.End()
	if got, want := found(r),
		"S10 db the script runs it by hand, S10 nas, S14 * not needed"; got != want {
		t.Errorf("judged %q, want %q", got, want)
	}
	if n := r.Excuses[0].N; n != 2 {
		t.Errorf("excused %d times, want 2", n)
	}
}

func TestToleranceForgivesLateness(t *testing.T) {
	early := moved(outage(), -0.2, host("db"), kind(env.ShutdownCmd)) // FINALDELAY short by 0.2 s
	for _, tt := range []struct {
		tolerance time.Duration
		want      string
	}{{0, "S14 db"}, {100 * time.Millisecond, "S14 db"}, {250 * time.Millisecond, ""}} {
		if got := found(scene{events: early}.judge(tt.tolerance)); got != tt.want {
			t.Errorf("tolerance %v: judged %q, want %q", tt.tolerance, got, tt.want)
		}
	}
}

func TestRunJudgesARecording(t *testing.T) {
	events := with(without(outage(), host("db"), between(829, 1e6)),
		env.Event{T: sec(1300), Kind: env.Mark, Name: "end"})
	if got := found(Run(events, 0, sec(900))); got != "L01 db" {
		t.Errorf("judged %q, want %q", got, "L01 db")
	}
	if got := found(Run(events, 0, env.Never)); got != "" {
		t.Errorf("without a quiesce phase judged %q, want nothing", got)
	}
}
