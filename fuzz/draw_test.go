package fuzz

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"
)

// A room is a data room and what happens to it: plain data that shrinks, and prints as a scenario.
type room struct {
	seed  int
	feeds int
	upses []ups
	hosts []host
	plan  []step
}

// A ups is served by one host. Times are in seconds.
type ups struct {
	feed, server           int
	driver                 string
	bridge                 string // to USB; empty: a serial port
	runtime, low           int
	kill, reject           string
	stubborn               bool
	poll, offdelay, maxAge int
}

// A host hangs on some UPSes: supplies says how many of its supplies each one feeds.
type host struct {
	supplies []int
	need     int
	boot     int
	halt     int
	fallback int
	bios     string
	drift    int
	latency  int // of its links, ms
	watches  int // the UPS that it watches without hanging on it, plus one
	conf     []string
}

// A step is one thing that happens, or that begins and ends. It comes gap seconds after the step
// before it began.
type step struct {
	gap, length int
	kind        string
	a, b        int // which feed, UPS, host or service: taken modulo how many there are
}

// kinds of steps, the harmless ones first.
var kinds = []string{
	"outage", "outage", "outage", "flicker", "sag", "fault", "cut", "cut-to", "delay", "stall", "kill", "restart",
	"crash", "reboot", "fsd", "reload", "command", "jump", "battery",
}

func seconds(t *rapid.T, name string, least, most int) int {
	return rapid.IntRange(least, most).Draw(t, name)
}

// one draws one of some values; the first is the usual one.
func one[T any](t *rapid.T, name string, values ...T) T {
	return values[rapid.IntRange(0, len(values)-1).Draw(t, name)]
}

func drawRoom(t *rapid.T) room {
	r := room{seed: rapid.IntRange(1, 1000).Draw(t, "seed")}
	nHosts := rapid.IntRange(1, 5).Draw(t, "hosts")
	nUPSes := rapid.IntRange(1, 3).Draw(t, "upses")
	r.feeds = rapid.IntRange(1, 2).Draw(t, "feeds")
	for range nUPSes {
		r.upses = append(r.upses, drawUPS(t, r.feeds, nHosts))
	}
	for i := range nHosts {
		r.hosts = append(r.hosts, drawHost(t, i, r.upses))
	}
	r.plan = rapid.SliceOfN(rapid.Custom(drawStep), 0, 10).Draw(t, "plan")
	return r
}

func drawUPS(t *rapid.T, feeds, hosts int) ups {
	u := ups{
		feed:     rapid.IntRange(0, feeds-1).Draw(t, "feed"),
		server:   rapid.IntRange(0, hosts-1).Draw(t, "server"),
		driver:   one(t, "driver", "nutdrv_qx", "blazer_ser", "megatec", "apcsmart"),
		runtime:  one(t, "runtime", 600, 300, 900, 120, 60),
		kill:     one(t, "kill", "cycle", "cycle", "onbatt-only"),
		reject:   one(t, "reject", "echo", "nak", "nakopen", "ignore"),
		stubborn: rapid.Bool().Draw(t, "stubborn"),
		poll:     one(t, "pollinterval", 2, 1, 5),
		offdelay: one(t, "offdelay", 30, 12, 60, 120),
		maxAge:   one(t, "maxage", 15, 10, 25, 60),
	}
	u.low = u.runtime / one(t, "low", 3, 4, 6, 10)
	usb := map[string]string{"nutdrv_qx": "nutdrv_qx", "blazer_ser": "blazer_usb"}
	if driver := usb[u.driver]; driver != "" {
		u.bridge = one(t, "bridge", "", "", "cypress", "phoenix", "ippon")
		if u.bridge != "" {
			u.driver = driver
		}
	}
	return u
}

func drawHost(t *rapid.T, i int, upses []ups) host {
	h := host{
		boot:     one(t, "boot", 20, 5, 60),
		halt:     one(t, "halt", 15, 2, 40),
		fallback: one(t, "fallback", 0, 60, 300),
		bios:     one(t, "bios", "on", "last"),
		drift:    one(t, "drift", 0, 200, -200),
		latency:  one(t, "latency", 0, 5, 80),
		watches:  rapid.IntRange(0, len(upses)).Draw(t, "watches"),
	}
	sum := 0
	first := rapid.IntRange(0, len(upses)-1).Draw(t, "fed by")
	for n, u := range upses {
		k := rapid.IntRange(0, 2).Draw(t, "supplies")
		if k == 0 && (u.server == i || n == first) {
			k = 1
		}
		h.supplies = append(h.supplies, k)
		sum += k
	}
	h.need = min(one(t, "need", 1, 1, 2, 3), sum)
	set := func(name string, usual int, others ...int) int {
		v := one(t, name, append([]int{usual}, others...)...)
		if v != usual {
			h.conf = append(h.conf, fmt.Sprintf("%s %d", name, v))
		}
		return v
	}
	poll := set("POLLFREQ", 5, 1, 2, 15)
	set("POLLFREQALERT", 5, 1, 2)
	set("HOSTSYNC", 15, 0, 5, 60)
	if dead := one(t, "DEADTIME", 15, 10, 40, 120); dead >= 2*poll && dead != 15 || poll > 7 {
		h.conf = append(h.conf, fmt.Sprintf("DEADTIME %d", max(dead, 3*poll)))
	}
	set("FINALDELAY", 5, 0, 1, 20)
	set("OBLBDURATION", 0, 5, 30)
	set("SHUTDOWNEXIT", 0, 10, -1)
	set("RBWARNTIME", 43200, 60)
	set("NOCOMMWARNTIME", 300, 20)
	return h
}

func drawStep(t *rapid.T) step {
	return step{
		kind:   one(t, "kind", kinds...),
		gap:    seconds(t, "gap", 0, 400),
		length: one(t, "size", 1, 4, 10, 30) * seconds(t, "length", 1, 40),
		a:      rapid.IntRange(0, 9).Draw(t, "a"), b: rapid.IntRange(0, 9).Draw(t, "b"),
	}
}

// password is that of a user on a host; no event and no log may have it in it.
func password(user string, host int) string { return fmt.Sprintf("pw-%s-h%d-t0ps3cret", user, host) }

// String is the room as a scenario.
func (r room) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# a room that was drawn, and what happened there\nseed %d", r.seed)
	for i := range r.feeds {
		line("mains %s", feed(i))
	}
	for i, u := range r.upses {
		face := " reject=" + u.reject
		switch {
		case u.driver == "apcsmart":
			face = " kind=apcsmart"
		case u.stubborn:
			face += " stubborn=yes"
		}
		if u.bridge != "" {
			face += " bridge=" + u.bridge
		}
		line("ups u%d feed=%s runtime=%ds low=%ds kill=%s%s", i, feed(u.feed), u.runtime, u.low,
			u.kill, face)
	}
	for i, h := range r.hosts {
		var fed []string
		for n, k := range h.supplies {
			if k > 0 {
				fed = append(fed, fmt.Sprintf("u%d:%d", n, k))
			}
		}
		fallback := ""
		if h.fallback > 0 {
			fallback = fmt.Sprintf(" fallback=reboot:%ds", h.fallback)
		}
		line("host h%d fedby=%s min=%d boot=%ds halt=%ds bios=%s%s", i, strings.Join(fed, ","), h.need,
			h.boot, h.halt, h.bios, fallback)
	}
	for i, u := range r.upses {
		line("cable u%d h%d:ser%d", i, u.server, i)
	}
	for i, h := range r.hosts {
		for k := range i {
			if ms := h.latency + r.hosts[k].latency; ms > 0 {
				line("link h%d h%d latency=%dms", k, i, ms)
			}
		}
		line("service h%d %s", i, strings.Join(r.services(i), " "))
		if h.drift != 0 {
			line("clock h%d drift %d", i, h.drift)
		}
	}
	line("start\nafter 2m")
	b.WriteString(r.steps())
	line("quiesce 20m")
	r.files(&b)
	return b.String()
}

func feed(i int) string { return string(rune('a' + i)) }

// services are what a host runs.
func (r room) services(host int) []string {
	var all []string
	for i, u := range r.upses {
		if u.server == host {
			all = append(all, fmt.Sprintf("driver:u%d", i))
		}
	}
	if len(all) > 0 {
		all = append(all, "upsd")
	}
	return append(all, "upsmon")
}

// files are the configuration of all hosts.
func (r room) files(b *strings.Builder) {
	for i, h := range r.hosts {
		if slices.Contains(r.services(i), "upsd") {
			r.server(b, i)
		}
		fmt.Fprintf(b, "-- h%d/etc/upsmon.conf --\n", i)
		for n, u := range r.upses {
			power, role, user := h.supplies[n], "secondary", "sec"
			if u.server == i {
				role, user = "primary", "prim"
			}
			if power == 0 && h.watches != n+1 {
				continue
			}
			at := fmt.Sprintf("@addr:h%d@", u.server)
			if u.server == i {
				at = "@addr@"
			}
			fmt.Fprintf(b, "MONITOR u%d@%s %d %s %s %s\n", n, at, power, user, password(user, u.server), role)
		}
		fmt.Fprintf(b, "MINSUPPLIES %d\nSHUTDOWNCMD \"@halt@\"\nPOWERDOWNFLAG @state@/killpower\n"+
			"NOTIFYCMD /usr/bin/wall\nNOTIFYFLAG ONBATT EXEC\nNOTIFYFLAG SHUTDOWN EXEC\n", h.need)
		for _, l := range h.conf {
			fmt.Fprintln(b, l)
		}
	}
}

// server are the files of a host that serves UPSes.
func (r room) server(b *strings.Builder, host int) {
	fmt.Fprintf(b, "-- h%d/etc/ups.conf --\n", host)
	age := 15
	for i, u := range r.upses {
		if u.server != host {
			continue
		}
		fmt.Fprintf(b, "[u%d]\n\tdriver = %s\n\tport = @ser%d@\n\tpollinterval = %d\n",
			i, u.driver, i, u.poll)
		if u.driver != "apcsmart" {
			fmt.Fprintf(b, "\toffdelay = %d\n", u.offdelay)
		}
		age = max(u.maxAge, 3*u.poll)
	}
	fmt.Fprintf(b, "-- h%d/etc/upsd.conf --\nLISTEN @addr@ 3493\nMAXAGE %d\n", host, age)
	fmt.Fprintf(b, "-- h%d/etc/upsd.users --\n", host)
	for _, u := range []struct{ name, rights string }{
		{"prim", "upsmon primary"}, {"sec", "upsmon secondary"}, {"admin", "instcmds = ALL\n\tactions = SET"},
	} {
		fmt.Fprintf(b, "[%s]\n\tpassword = %s\n\t%s\n", u.name, password(u.name, host), u.rights)
	}
}

// A turn is a line of the script and when it comes.
type turn struct {
	at   int
	line string
}

// steps are the plan as lines.
func (r room) steps() string {
	var turns []turn
	at := 0
	for _, s := range r.plan {
		at += s.gap
		begin, end := r.lines(s)
		turns = append(turns, turn{at, begin})
		if end != "" {
			turns = append(turns, turn{at + s.length, end})
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return a.at - b.at })
	var b strings.Builder
	now := 0
	for _, t := range turns {
		if t.at > now {
			fmt.Fprintf(&b, "after %v\n", time.Duration(t.at-now)*time.Second)
			now = t.at
		}
		fmt.Fprintln(&b, t.line)
	}
	fmt.Fprintln(&b, "after 1m")
	return b.String()
}

// lines are how a step begins and ends; the end is empty when it needs none.
func (r room) lines(s step) (begin, end string) {
	f, u := feed(s.a%r.feeds), s.a%len(r.upses)
	h, other := s.a%len(r.hosts), (s.a+1+s.b%max(1, len(r.hosts)-1))%len(r.hosts)
	services := r.services(h)
	service := services[s.b%len(services)]
	if h == other && (s.kind == "cut" || s.kind == "cut-to" || s.kind == "delay") {
		s.kind = "outage"
	}
	proc := func(action string) string { return fmt.Sprintf("try proc h%d %s %s", h, service, action) }
	pair := fmt.Sprintf("h%d h%d", h, other)
	switch s.kind {
	case "outage":
		return "mains " + f + " off", "mains " + f + " on"
	case "flicker":
		return fmt.Sprintf("mains %s flicker %d %dms", f, 1+s.b, 100+200*s.b), ""
	case "sag":
		return "mains " + f + " sag 150", "mains " + f + " on"
	case "fault":
		kind := []string{"silent", "garbage", "mute", "truncate", "slow", "unplug"}[s.b%6]
		if r.upses[u].bridge != "" && s.b > 5 {
			kind = []string{"halt", "overflow", "reset", "eperm"}[s.b%4]
		}
		return fmt.Sprintf("ups u%d fault %s for %ds", u, kind, s.length), ""
	case "cut", "cut-to":
		return "net " + s.kind + " " + pair, "net heal " + pair
	case "delay":
		return fmt.Sprintf("net delay %s %dms", pair, 100+100*s.b), "net heal " + pair
	case "stall":
		return proc("pause"), proc("resume")
	case "kill":
		return proc("kill"), proc("restart")
	case "restart":
		return proc("restart"), ""
	case "crash", "reboot":
		return fmt.Sprintf("host h%d %s", h, s.kind), ""
	case "fsd":
		return fmt.Sprintf("try run h%d upsmon -c fsd", h), ""
	case "reload":
		return fmt.Sprintf("try run h%d %s -c reload", h, []string{"upsd", "upsmon"}[s.b%2]), ""
	case "command":
		cmd := []string{"beeper.toggle", "test.battery.start.quick", "test.battery.start.deep",
			"test.battery.stop"}[s.b%4]
		server := r.upses[u].server
		return fmt.Sprintf("try run h%d upscmd -u admin -p %s u%d@h%d %s", h, password("admin", server), u,
			server, cmd), ""
	case "jump":
		return fmt.Sprintf("clock h%d jump %s", h, []string{"1h", "-1h", "240h", "-90s", "7s"}[s.b%5]), ""
	}
	return fmt.Sprintf("ups u%d battery %d%%", u, 10*(1+s.b)), ""
}
