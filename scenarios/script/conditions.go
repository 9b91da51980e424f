package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A kind of condition: its first words and what they ask.
type condition struct {
	usage string
	help  string
	shape []string // words that must match; "*" is any one word
	ask   func(r *room, args []string) (bool, error)
}

func conditions() []condition {
	return []condition{
		{"ups U status has|lacks|is WORD...", "what clients read", []string{"ups", "*", "status"},
			(*room).askStatus},
		{"ups U outlet is on|off", "whether the load has power", []string{"ups", "*", "outlet", "is"},
			(*room).askOutlet},
		{"ups U seen CMD", "the device received a command (kill: any that cuts the load)",
			[]string{"ups", "*", "seen"}, (*room).askSeen},
		{"host H is STATE", "off, booting, up, stopping, halted", []string{"host", "*", "is"},
			(*room).askState},
		{"host H event TYPE", "its upsmon notified this since the last action",
			[]string{"host", "*", "event"}, (*room).askEvent},
		{"host H count TYPE OP N|count TYPE", "how often, since the start; OP is == != < <= > >=",
			[]string{"host", "*", "count"}, (*room).askCount},
		{"upsd H logins U OP N", "how many are logged in to U", []string{"upsd", "*", "logins"},
			(*room).askLogins},
		{"upsd H reply U TEXT", "what a client that asks for U's status is told",
			[]string{"upsd", "*", "reply"}, (*room).askReply},
		{"driver H:U is ok|stale|dead", "what upsd thinks of the driver", []string{"driver", "*", "is"},
			(*room).askDriver},
		{"file H NAME", "the file is in the host's state folder", []string{"file", "*", "*"},
			(*room).askFile},
	}
}

// parse turns the words of a condition into a question that can be asked again and again.
func (r *room) parse(args []string) (func() bool, error) {
	for _, c := range conditions() {
		if len(args) < len(c.shape) {
			continue
		}
		if !slices.EqualFunc(c.shape, args[:len(c.shape)],
			func(want, got string) bool { return want == "*" || want == got }) {
			continue
		}
		if _, err := c.ask(r, args); err != nil {
			return nil, fmt.Errorf("%s: %w; usage: %s", strings.Join(args, " "), err, c.usage)
		}
		return func() bool {
			r.catchUp()
			ok, _ := c.ask(r, args)
			return ok
		}, nil
	}
	return nil, fmt.Errorf("%q is no condition; there are:\n\t%s", strings.Join(args, " "),
		strings.Join(usages(), "\n\t"))
}

func usages() []string {
	var list []string
	for _, c := range conditions() {
		list = append(list, c.usage)
	}
	return list
}

func (r *room) askStatus(a []string) (bool, error) {
	if r.rung.Site().UPS(a[1]) == nil {
		return false, fmt.Errorf("no ups %s", a[1])
	}
	if len(a) < 5 {
		return false, fmt.Errorf("has, lacks or is what?")
	}
	text := r.seen.status[a[1]]
	served := !strings.HasPrefix(text, "ERR") && text != ""
	words := strings.Fields(text)
	switch a[3] {
	case "has":
		return served && !slices.ContainsFunc(a[4:], func(w string) bool {
			return !slices.Contains(words, w)
		}), nil
	case "lacks":
		return served && !slices.ContainsFunc(a[4:], func(w string) bool {
			return slices.Contains(words, w)
		}), nil
	case "is":
		return text == strings.Join(a[4:], " "), nil
	}
	return false, fmt.Errorf("%q: want has, lacks or is", a[3])
}

func (r *room) askOutlet(a []string) (bool, error) {
	if r.rung.Site().UPS(a[1]) == nil {
		return false, fmt.Errorf("no ups %s", a[1])
	}
	if len(a) != 5 || a[4] != "on" && a[4] != "off" {
		return false, fmt.Errorf("want on or off")
	}
	return r.seen.dark[a[1]] == (a[4] == "off"), nil
}

func (r *room) askSeen(a []string) (bool, error) {
	u := r.rung.Site().UPS(a[1])
	if u == nil {
		return false, fmt.Errorf("no ups %s", a[1])
	}
	if len(a) != 4 {
		return false, fmt.Errorf("which command?")
	}
	return u.Face.Saw(a[3]), nil
}

func (r *room) askState(a []string) (bool, error) {
	if r.rung.Site().Machine(a[1]) == nil {
		return false, fmt.Errorf("no host %s", a[1])
	}
	is := r.seen.machine[a[1]]
	states := []string{"off", "booting", "up", "stopping", "halted"}
	if len(a) != 4 {
		return false, fmt.Errorf("want one of %v", states)
	}
	want := a[3]
	if want == "down" {
		return is == "off" || is == "halted", nil
	}
	if !slices.Contains(states, want) {
		return false, fmt.Errorf("%q: want one of %v", want, states)
	}
	return is == want, nil
}

func (r *room) askEvent(a []string) (bool, error) {
	if r.rung.Site().Machine(a[1]) == nil {
		return false, fmt.Errorf("no host %s", a[1])
	}
	if len(a) != 4 {
		return false, fmt.Errorf("which event?")
	}
	for _, n := range slices.Backward(r.seen.notes) {
		if n.index < r.since {
			break
		}
		if n.host == a[1] && n.name == a[3] {
			return true, nil
		}
	}
	return false, nil
}

func (r *room) askCount(a []string) (bool, error) {
	if r.rung.Site().Machine(a[1]) == nil {
		return false, fmt.Errorf("no host %s", a[1])
	}
	if len(a) != 6 && !(len(a) == 7 && a[5] == "count") {
		return false, fmt.Errorf("want TYPE OP N, or TYPE OP count TYPE")
	}
	n := r.count(a[1], a[3])
	if len(a) == 7 {
		return compare(n, a[4], r.count(a[1], a[6]))
	}
	m, err := strconv.Atoi(a[5])
	if err != nil {
		return false, fmt.Errorf("%q: want a number", a[5])
	}
	return compare(n, a[4], m)
}

func (r *room) count(host, name string) int {
	n := 0
	for _, note := range r.seen.notes {
		if note.host == host && note.name == name {
			n++
		}
	}
	return n
}

func compare(a int, op string, b int) (bool, error) {
	switch op {
	case "==":
		return a == b, nil
	case "!=":
		return a != b, nil
	case "<":
		return a < b, nil
	case "<=":
		return a <= b, nil
	case ">":
		return a > b, nil
	case ">=":
		return a >= b, nil
	}
	return false, fmt.Errorf("%q: want == != < <= > >=", op)
}

func (r *room) askLogins(a []string) (bool, error) {
	if len(a) != 6 {
		return false, fmt.Errorf("want U OP N")
	}
	want, err := strconv.Atoi(a[5])
	if err != nil {
		return false, fmt.Errorf("%q: want a number", a[5])
	}
	have, err := strconv.Atoi(r.seen.logins[a[1]+" "+a[3]])
	ok, opErr := compare(have, a[4], want)
	return ok && err == nil, opErr
}

func (r *room) askReply(a []string) (bool, error) {
	if len(a) < 5 {
		return false, fmt.Errorf("want U TEXT")
	}
	return strings.HasPrefix(r.seen.replies[a[1]+" "+a[3]], strings.Join(a[4:], " ")), nil
}

func (r *room) askDriver(a []string) (bool, error) {
	state, ok := map[string]string{"ok": "fresh", "stale": "stale", "dead": "lost"}[a[len(a)-1]]
	if !ok || len(a) != 4 {
		return false, fmt.Errorf("want ok, stale or dead")
	}
	return r.seen.drivers[a[1]] == state, nil
}

func (r *room) askFile(a []string) (bool, error) {
	if r.rung.Site().Machine(a[1]) == nil {
		return false, fmt.Errorf("no host %s", a[1])
	}
	return r.rung.Exists(a[1], a[2]), nil
}

// seen is what the events have told so far, ready for questions.
type seen struct {
	n       int               // events read
	status  map[string]string // by UPS: the last reply of any upsd
	replies map[string]string // by "host ups"
	logins  map[string]string // by "host ups"
	drivers map[string]string // by "host:ups"
	machine map[string]string // states of computers
	dark    map[string]bool   // UPSes whose outlet is off
	notes   []note
}

// note is one notification, or another event that scripts name as WHO:WHAT.
type note struct {
	host, name string
	index      int // in the trace
}

func newSeen() seen {
	return seen{status: map[string]string{}, replies: map[string]string{}, logins: map[string]string{},
		drivers: map[string]string{}, machine: map[string]string{}, dark: map[string]bool{}}
}

// catchUp reads the events that are new.
func (r *room) catchUp() {
	trace := r.rung.Trace()
	for ; r.seen.n < len(trace); r.seen.n++ {
		r.seen.take(r.seen.n, trace[r.seen.n])
	}
}

func (s *seen) take(i int, ev env.Event) {
	switch ev.Kind {
	case env.Probe:
		switch key := ev.Host + " " + ev.UPS; ev.Name {
		case "logins":
			s.logins[key] = ev.Value
		case "status": // and not delay, which says how long an answer took
			s.status[ev.UPS], s.replies[key] = ev.Value, ev.Value
		}
	case env.Notify:
		s.notes = append(s.notes, note{ev.Host, ev.Name, i})
	case env.Machine:
		s.machine[ev.Host] = ev.Value
	case env.Power:
		if ev.Name == "outlet" {
			s.dark[ev.UPS] = ev.Value == "off"
		}
	case env.Data:
		if ev.Prog == "upsd" {
			s.drivers[ev.Host+":"+ev.UPS] = ev.Value
		}
	}
}

// is reports whether an event is the one that a script calls WHO:WHAT.
func is(ev env.Event, name string) bool {
	who, what, _ := strings.Cut(name, ":")
	switch ev.Kind {
	case env.Notify:
		return ev.Host == who && ev.Name == what
	case env.Machine:
		return ev.Host == who && ev.Value == what
	case env.Mains:
		return who == "mains" && ev.Name+":"+ev.Value == what
	case env.Power:
		return ev.UPS == who && ev.Name+"-"+ev.Value == what
	case env.Status:
		return ev.UPS == who && slices.Contains(strings.Fields(ev.Value), what)
	case env.ShutdownCmd:
		return ev.Host == who && what == "shutdowncmd"
	case env.Mark:
		return ev.Name == name
	}
	return false
}
