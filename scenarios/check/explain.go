package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Explain tells in sentences what the monitor of a host knew at an instant, what it had decided and
// by which rule, and what would have made it decide otherwise. It reads nothing but what the monitor
// itself recorded: its settings, each status it accepted, each rule that began to hold, each step of
// a shutdown.
//
// The error names the hosts that have a record, when this one has none.
func Explain(events []env.Event, host string, at env.Instant) (string, error) {
	m := &mind{host: host, settings: Settings{}, ups: map[string]*belief{}}
	hosts := map[string]bool{}
	for _, ev := range events {
		if ev.Prog != "upsmon" || ev.Host == "" {
			continue
		}
		hosts[ev.Host] = true
		if ev.Host == host && ev.T <= at {
			m.learn(ev)
		}
	}
	switch {
	case len(hosts) == 0:
		return "", errors.New("no monitor has recorded anything: is it a stream of upsmon's events?")
	case !hosts[host]:
		return "", fmt.Errorf("no monitor on a host %q: want %s", host, strings.Join(sorted(hosts), ", "))
	case len(m.order) == 0:
		return "", fmt.Errorf("the monitor of %s had not started at %s", host, stamp(at))
	}
	m.tell(at)
	return m.text.String(), nil
}

func sorted(set map[string]bool) []string {
	var list []string
	for name := range set { //house: order does not matter: sorted below
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// A belief is what a monitor held of one UPS.
type belief struct {
	name     string
	role     string
	power    int64
	status   string
	statusAt env.Instant
	lost     bool
	lostAt   env.Instant
	lostWhy  string
	rule     string
	critical bool
	ruleAt   env.Instant
	why      string
	story    []string // its last changes
}

// remembered is how many changes of a UPS are told.
const remembered = 6

func (b *belief) note(t env.Instant, format string, args ...any) {
	b.story = append(b.story, stamp(t)+"  "+fmt.Sprintf(format, args...))
	b.story = b.story[max(0, len(b.story)-remembered):]
}

// A mind is a monitor as its record shows it.
type mind struct {
	host     string
	settings Settings
	order    []string
	ups      map[string]*belief
	decided  *env.Event
	steps    []env.Event // since the decision
	text     strings.Builder
}

func (m *mind) at(name string) *belief {
	b := m.ups[name]
	if b == nil {
		b = &belief{name: name}
		m.ups[name] = b
		m.order = append(m.order, name)
	}
	return b
}

// learn takes in one event of the monitor.
func (m *mind) learn(ev env.Event) {
	switch ev.Kind {
	case env.Setting:
		m.settings[ev.Name] = Setting{N: ev.N, Text: ev.Value}
		if m.decided != nil { // it began anew, after a reboot
			*m = mind{host: m.host, settings: m.settings, ups: map[string]*belief{}}
		}
	case env.Monitor:
		b := m.at(ev.UPS)
		b.role, b.power = ev.Name, ev.N
	case env.Status:
		b := m.at(ev.UPS)
		b.status, b.statusAt = ev.Value, ev.T
		b.note(ev.T, "status %q", ev.Value)
	case env.Comm:
		b := m.at(ev.UPS)
		b.lost, b.lostAt, b.lostWhy = ev.Value == "lost", ev.T, ev.Why
		if b.lost {
			b.note(ev.T, "silent: %s", ev.Why)
		} else {
			b.note(ev.T, "heard")
		}
	case env.Judge:
		b := m.at(ev.UPS)
		b.rule, b.critical, b.ruleAt, b.why = ev.Name, ev.Value == "yes", ev.T, ev.Why
		b.note(ev.T, "rule %s: %s%s", ev.Name, ev.Why, again(ev))
	case env.Decide:
		m.decided, m.steps = &ev, nil
	case env.FSD, env.Sync, env.Flag, env.ShutdownCmd:
		if m.decided != nil {
			m.steps = append(m.steps, ev)
		}
	}
}

func (m *mind) say(format string, args ...any) { fmt.Fprintf(&m.text, format+"\n", args...) }

// tell writes the explanation.
func (m *mind) tell(at env.Instant) {
	need := m.settings.Duration("MINSUPPLIES")
	healthy, total := int64(0), int64(0)
	for _, name := range m.order {
		b := m.ups[name]
		total += b.power
		if !b.critical {
			healthy += b.power
		}
	}
	switch d := m.decided; {
	case d == nil:
		m.say("%s, %s: not shutting down.", m.host, stamp(at))
		m.say("The UPSes that are not critical add up to a power value of %d, of %d; MINSUPPLIES is %d.",
			healthy, total, int64(need))
	case d.Name == "operator":
		m.say("%s, %s: shutting down since %s, because somebody asked for it (upsmon -c fsd).",
			m.host, stamp(at), stamp(d.T))
	default:
		m.say("%s, %s: shutting down since %s.", m.host, stamp(at), stamp(d.T))
		m.say("The UPSes that were not critical added up to a power value of %d, of %d; MINSUPPLIES is %d.",
			d.N, total, int64(need))
	}
	for _, name := range m.order {
		m.tellUPS(m.ups[name], at)
	}
	m.tellSteps()
}

func (m *mind) tellUPS(b *belief, at env.Instant) {
	verdict := "not critical"
	if b.critical {
		verdict = "CRITICAL"
	}
	m.say("")
	m.say("%s (%s, power value %d): %s.", b.name, b.role, b.power, verdict)
	switch {
	case b.status == "":
		m.say("  Nothing was ever heard from it.")
	default:
		m.say("  Its status is %q, accepted first at %s, %s before.", b.status, stamp(b.statusAt),
			span(at.Sub(b.statusAt)))
	}
	if b.lost {
		m.say("  It is silent: %s (noticed at %s, %s before).", b.lostWhy, stamp(b.lostAt), span(at.Sub(b.lostAt)))
	}
	if b.rule != "" {
		m.say("  Rule %s holds since %s: %s.", b.rule, stamp(b.ruleAt), b.why)
	}
	if len(b.story) > 0 {
		m.say("  What it last recorded:")
		for _, s := range b.story {
			m.say("    %s", s)
		}
	}
	if b.power == 0 {
		m.say("  It feeds nothing of this host (power value 0): it never matters.")
		return
	}
	for _, other := range m.alternatives(b) {
		m.say("  - %s", other)
	}
}

// again says when time alone may turn a rule.
func again(ev env.Event) string {
	if ev.N <= 0 || ev.Value == "yes" {
		return ""
	}
	return "; to be judged again in " + span(time.Duration(ev.N)) + " at the latest"
}

// alternatives says what would turn the verdict on a UPS.
func (m *mind) alternatives(b *belief) []string {
	limit := func(name string) string { return fmt.Sprintf("%s (%s)", name, span(m.settings.Duration(name))) }
	primary := b.role == "primary"
	if b.critical {
		if m.decided != nil {
			return []string{"A shutdown that has begun is never taken back."}
		}
		return []string{"A status without the cause would turn it."}
	}
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	switch b.rule {
	case "unheard":
		add("A UPS that was never heard from is never critical: check its MONITOR line.")
		return all
	case "fsd-bygone":
		add("OB in its status, or a new FSD, would make it critical; the server clears the old one.")
		return all
	case "lost-online":
		add("It was last seen on line power, so silence never makes it critical, however long.")
		return all
	case "cal":
		add("Without CAL in its status it would be critical: OB and LB are expected of a calibration.")
		return all
	case "oblb-wait":
		add("It becomes critical when this has lasted for %s.", limit("OBLBDURATION"))
		return all
	case "primary-wait":
		add("It becomes critical when the primary sets FSD, or stays silent about it for %s.", limit("HOSTSYNC"))
		return all
	}
	switch {
	case onBattery(b.status) && b.lost:
		add("It becomes critical when the silence has lasted for %s since it was last heard.", limit("DEADTIME"))
	case onBattery(b.status) && primary:
		add("LB in its status would make it critical at once; silence would after %s.", limit("DEADTIME"))
	case onBattery(b.status):
		add("FSD by the primary would make it critical at once; LB would after %s, silence after %s.",
			limit("HOSTSYNC"), limit("DEADTIME"))
	case has(b.status, "OL"):
		add("It is on line power: only FSD would make it critical, or OFF for %s.", limit("OFFDURATION"))
	default:
		add("FSD would make it critical, OFF for %s, or silence for %s.", limit("OFFDURATION"), limit("DEADTIME"))
	}
	return all
}

// tellSteps lists what followed the decision.
func (m *mind) tellSteps() {
	if m.decided == nil {
		return
	}
	m.say("")
	m.say("What followed:")
	for _, ev := range m.steps {
		if text := step(ev); text != "" {
			m.say("  %s  %s", stamp(ev.T), text)
		}
	}
	if len(m.steps) == 0 {
		m.say("  nothing yet; FINALDELAY is %s", span(m.settings.Duration("FINALDELAY")))
	}
}

// step is one step of a shutdown, in words.
func step(ev env.Event) string {
	switch string(ev.Kind) + " " + ev.Value {
	case "fsd sent":
		return "FSD was set on " + ev.UPS
	case "fsd refused":
		return "FSD could not be set on " + ev.UPS + because(ev.Why)
	case "sync wait":
		return fmt.Sprintf("waiting for the others on %s: %d logged in", ev.UPS, ev.N)
	case "sync done":
		return "the others on " + ev.UPS + " have logged out"
	case "sync expired":
		return fmt.Sprintf("HOSTSYNC is over, %d still logged in on %s", ev.N, ev.UPS)
	case "flag written":
		return "POWERDOWNFLAG " + ev.Name + " was written"
	}
	if ev.Kind == env.ShutdownCmd {
		return "SHUTDOWNCMD was run: " + ev.Value
	}
	return ""
}

// OnOneClock puts events of programs that ran on real machines on one time scale: there each counts
// from its own start, and says besides what the calendar showed. Instant 0 becomes the first event;
// zero is its calendar time, the zero Time when the events have none.
func OnOneClock(events []env.Event) (zero time.Time) {
	var times []time.Time
	for _, ev := range events {
		t, err := time.Parse(time.RFC3339Nano, ev.Wall)
		if err != nil {
			return time.Time{}
		}
		times = append(times, t)
		if zero.IsZero() || t.Before(zero) {
			zero = t
		}
	}
	for i := range events {
		events[i].T = env.Instant(times[i].Sub(zero))
	}
	copy(events, Merge(events))
	return zero
}
