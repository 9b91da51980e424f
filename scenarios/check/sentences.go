package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// notices are the sentences for notifications; %s is the UPS. They are in the past tense and fit
// one host as well as several.
var notices = map[string]string{
	"ONLINE":            "saw %s on line power",
	"ONBATT":            "saw %s on battery",
	"LOWBATT":           "saw the battery of %s low",
	"FSD":               "saw FSD on %s",
	"COMMOK":            "heard from %s again",
	"COMMBAD":           "lost contact with %s",
	"NOCOMM":            "still could not reach %s",
	"SHUTDOWN":          "announced shutdown (SHUTDOWN)",
	"SHUTDOWN_HOSTSYNC": "waited for the secondaries to log out",
	"REPLBATT":          "saw that the battery of %s needs to be replaced",
	"NOPARENT":          "lost the privileged parent of upsmon: no shutdown is possible",
	"CAL":               "saw %s calibrate its battery",
	"NOTCAL":            "saw the calibration of %s end",
	"OFF":               "saw %s switched off or asleep",
	"NOTOFF":            "saw %s switched on again",
	"BYPASS":            "saw %s on bypass",
	"NOTBYPASS":         "saw %s leave bypass",
	"OVER":              "saw %s overloaded",
	"NOTOVER":           "saw %s no longer overloaded",
}

// tell turns one event into a line, or none.
func (s *story) tell(ev env.Event) {
	told := false
	switch ev.Kind {
	case env.Mains, env.Power, env.Fault, env.Link, env.Mark:
		told = s.tellWorld(ev)
	case env.Machine, env.Fed, env.Proc:
		told = s.tellMachine(ev)
	case env.Data, env.FSD, env.LoadKill, env.Cmd, env.Port:
		told = s.tellServer(ev)
	case env.Critical, env.Decide, env.Notify, env.Sync, env.Flag, env.ShutdownCmd:
		told = s.tellMonitor(ev)
	}
	if !told && s.opt.Verbose {
		who := ev.Host
		if who == "" {
			who = ev.UPS
		}
		_, text, _ := strings.Cut(line(ev), " ")
		s.say(who, "%s", text)
	}
}

func (s *story) tellWorld(ev env.Event) bool {
	switch ev.Kind {
	case env.Mains:
		s.say("mains "+ev.Name, "%s", mainsSentence(ev.Value))
	case env.Fault:
		switch {
		case ev.Value == "off":
			s.say(ev.UPS, "fault %s ended", ev.Name)
		case ev.N > 0:
			s.say(ev.UPS, "fault %s began, for %s", ev.Name, span(time.Duration(ev.N)))
		default:
			s.say(ev.UPS, "fault %s began", ev.Name)
		}
	case env.Link:
		return s.tellLink(ev)
	case env.Mark:
		s.say(first(ev.Host, "script"), "mark %s", ev.Name)
	default:
		return s.tellPower(ev)
	}
	return true
}

func mainsSentence(value string) string {
	switch value {
	case "on":
		return "came back"
	case "off":
		return "failed"
	}
	return "changed to " + value
}

func (s *story) tellPower(ev env.Event) bool {
	switch ev.Name + " " + ev.Value {
	case "input battery":
		s.say(ev.UPS, "went on battery%s", because(ev.Why))
	case "input line":
		s.say(ev.UPS, "went back to line power%s", because(ev.Why))
	case "low yes":
		s.say(ev.UPS, "battery became low%s", because(ev.Why))
	case "empty yes":
		s.say(ev.UPS, "battery was empty")
	case "outlet off":
		s.say(ev.UPS, "switched the load off%s%s", because(ev.Why), s.left(ev))
	case "outlet on":
		s.say(ev.UPS, "switched the load on%s", because(ev.Why))
	case "shutdown yes":
		s.say(ev.UPS, "began to count down to load off%s", because(ev.Why))
	case "left halted":
		return s.tellLeft(ev)
	default:
		return false
	}
	return true
}

// tellLeft adds to the line about a host that is down what was left in the battery then.
func (s *story) tellLeft(ev env.Event) bool {
	for i := len(s.lines) - 1; i >= 0 && s.lines[i].t == s.view.Now; i-- {
		e, battery := &s.lines[i], s.view.UPS(ev.UPS).OnBattery
		if e.who[0] == ev.Host && battery && strings.HasPrefix(e.what, downSentence) {
			left := span(time.Duration(ev.N))
			e.what += fmt.Sprintf(", with %s left in the battery of %s", left, ev.UPS)
			return true
		}
	}
	return false
}

// downSentence begins the line about a host that is down.
const downSentence = "went down"

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// left says how much was in the battery when the outlet went off: as told, or worked out from when
// it became low, or from when the outage began with a full battery.
func (s *story) left(ev env.Event) string {
	u := s.view.UPS(ev.UPS)
	left := time.Duration(-1)
	switch {
	case ev.N > 0:
		left = time.Duration(ev.N)
	case !u.OnBattery || u.Exhausted():
		return ""
	case u.Low && u.Declared("low") > 0 && u.LowSince >= u.InputSince:
		left = u.Declared("low") - s.view.Now.Sub(u.LowSince)
	case u.Declared("runtime") > 0:
		left = u.Declared("runtime") - s.view.Now.Sub(u.InputSince)
	}
	if left < 0 {
		return ""
	}
	return fmt.Sprintf(", with about %s left in the battery", span(left))
}

// tellLink tells what happened to the link between two hosts; cut-to is one direction.
func (s *story) tellLink(ev env.Event) bool {
	from, to, ok := strings.Cut(ev.Name, " ")
	if !ok {
		return false
	}
	switch ev.Value {
	case "cut":
		s.say("network", "between %s and %s was cut", from, to)
	case "cut-to":
		s.say("network", "from %s to %s was cut", from, to)
	case "heal":
		s.say("network", "between %s and %s healed", from, to)
	case "delay":
		s.say("network", "between %s and %s took %s each way", from, to, span(time.Duration(ev.N)))
	default:
		return false
	}
	return true
}

func (s *story) tellMachine(ev env.Event) bool {
	h := s.view.Host(ev.Host)
	switch ev.Kind {
	case env.Fed:
		if ev.Value == "no" {
			s.cutAt[h] = s.view.Now
			s.say(h.Name, "lost power%s", s.while(h))
		}
		return ev.Value == "no"
	case env.Proc:
		return s.tellProc(h, ev)
	}
	switch ev.Value {
	case Booting:
		s.say(h.Name, "booted")
	case Up:
		if at, fell := s.fell[h]; fell {
			s.say(h.Name, "came up again, %s after it went down", span(s.view.Now.Sub(at)))
		} else {
			s.say(h.Name, "came up")
		}
	case Stopping:
		s.say(h.Name, "began to stop%s", because(ev.Why))
	case Halted:
		s.say(h.Name, "%s%s", downSentence, because(ev.Why))
	case Off:
		if h.Boots == 0 || s.cutAt[h] == s.view.Now {
			return h.Boots > 0 // never was anything else, or told already
		}
		s.say(h.Name, "was off%s", because(ev.Why))
	default:
		return false
	}
	return true
}

// while says what a machine was doing when it lost its power.
func (s *story) while(h *Host) string {
	switch h.Machine {
	case Up, Stopping:
		return " while it was " + h.Machine
	case Halted:
		return fmt.Sprintf(", %s after it went down", span(s.view.Now.Sub(h.Since)))
	}
	return ""
}

func (s *story) tellProc(h *Host, ev env.Event) bool {
	name := ev.Name
	if ev.UPS != "" {
		name += " of " + ev.UPS
	}
	switch ev.Value {
	case "kill":
		s.say(h.Name, "%s was killed%s", name, because(ev.Why))
	case "pause":
		s.say(h.Name, "%s was frozen", name)
	case "resume":
		s.say(h.Name, "%s ran on", name)
	case "restart":
		s.say(h.Name, "%s was killed and started again", name)
	case "reload":
		s.say(h.Name, "%s was told to reload", name)
	case "start":
		if ev.N == 0 {
			return false
		}
		s.say(h.Name, "%s did not start: code %d", name, ev.N)
	case "exit":
		if ev.N == 0 {
			return false
		}
		s.say(h.Name, "%s ended with code %d%s", name, ev.N, because(ev.Why))
	default:
		return false
	}
	return true
}

func (s *story) tellServer(ev env.Event) bool {
	switch ev.Kind {
	case env.LoadKill:
		s.say(ev.Host, "told %s to switch the load off (%s): %s%s",
			ev.UPS, ev.Name, ev.Value, because(ev.Why))
		return true
	case env.Cmd:
		s.say(ev.Host, "sent %s %s to %s%s", ev.Name, ev.Value, ev.UPS, because(ev.Why))
		return true
	case env.Port:
		if ev.Value == "gone" {
			s.say(ev.Host, "the driver lost the port of %s%s", ev.UPS, because(ev.Why))
		}
		return ev.Value == "gone"
	}
	switch string(ev.Kind) + " " + ev.Value {
	case "data lost":
		s.say(ev.Host, "upsd lost the driver of %s%s", ev.UPS, because(ev.Why))
	case "data stale":
		if ev.Prog != "upsd" {
			return false
		}
		s.say(ev.Host, "upsd called the data of %s stale%s", ev.UPS, because(ev.Why))
	case "fsd set":
		s.say(ev.Host, "upsd set FSD on %s%s", ev.UPS, because(ev.Why))
	case "fsd cleared":
		s.say(ev.Host, "upsd took FSD of %s back%s", ev.UPS, because(ev.Why))
	case "fsd refused":
		s.say(ev.Host, "was refused FSD on %s%s", ev.UPS, because(ev.Why))
	default:
		return false
	}
	return true
}

func (s *story) tellMonitor(ev env.Event) bool {
	ups := baseName(ev.UPS)
	switch ev.Kind {
	case env.Critical:
		if ev.Value != "yes" {
			return false
		}
		s.say(ev.Host, "called %s critical%s", ups, because(first(ev.Why, ev.Name)))
	case env.Decide:
		s.say(ev.Host, "decided to shut down%s", because(first(ev.Why, ev.Name)))
	case env.Notify:
		if text, ok := notices[ev.Name]; ok {
			s.say(ev.Host, "%s", strings.Replace(text, "%s", ups, 1))
		} else {
			s.say(ev.Host, "notified %s%s", ev.Name, because(ev.Value))
		}
	case env.Sync:
		switch ev.Value {
		case "done":
			s.say(ev.Host, "found that all secondaries of %s had logged out", ups)
		case "expired":
			s.say(ev.Host, "waited no longer (HOSTSYNC): %s of %s left",
				plural(ev.N, "login", "logins"), ups)
		default:
			return false
		}
	case env.Flag:
		switch ev.Value {
		case "written":
			s.say(ev.Host, "wrote POWERDOWNFLAG %s", ev.Name)
		case "removed":
			s.say(ev.Host, "removed POWERDOWNFLAG %s", ev.Name)
		case "foreign":
			s.say(ev.Host, "found a file of somebody else at POWERDOWNFLAG %s", ev.Name)
		default:
			return false
		}
	case env.ShutdownCmd:
		s.say(ev.Host, "ran SHUTDOWNCMD%s", because(ev.Value))
	}
	return true
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
