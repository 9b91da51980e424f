package check

import (
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// truth is S13: what a monitor announces about a UPS has its cause in what it was told, and is
// announced once: ONBATT and ONLINE, COMMBAD and COMMOK, and each X and NOTX follow each other.
type truth struct{ told map[*Watched]*told }

// told is what one monitor has announced about one UPS, in one life.
type told struct {
	life  int
	on    map[string]bool // types that were announced and not taken back
	force bool            // it has set FSD itself
}

func newTruth() Oracle { return &truth{told: map[*Watched]*told{}} }

func (o *truth) ID() string            { return "S13" }
func (o *truth) Due(*View) []Violation { return nil }

// opposites are the types that take another one back.
var opposites = map[string]string{
	"ONLINE": "ONBATT", "COMMOK": "COMMBAD", "NOTCAL": "CAL", "NOTOFF": "OFF",
	"NOTBYPASS": "BYPASS", "NOTECO": "ECO", "NOTALARM": "ALARM", "NOTOVER": "OVER",
	"NOTTRIM": "TRIM", "NOTBOOST": "BOOST", "NOTOTHER": "OTHER",
}

// reasons are the words that a status must have for a type to be announced, and must lack for its
// opposite.
var reasons = map[string]string{
	"LOWBATT": "LB", "FSD": "FSD", "REPLBATT": "RB", "CAL": "CAL", "OFF": "OFF",
	"BYPASS": "BYPASS", "ECO": "ECO", "ALARM": "ALARM", "OVER": "OVER", "TRIM": "TRIM",
	"BOOST": "BOOST",
}

// repeated are the types that may be announced again: their texts differ, or their time has come.
var repeated = map[string]bool{"ALARM": true, "OTHER": true, "REPLBATT": true, "NOCOMM": true}

func (o *truth) Event(v *View, ev env.Event) []Violation {
	w := lineOf(v, ev)
	if w == nil {
		return nil
	}
	m := &v.Host(ev.Host).Monitor
	t := o.told[w]
	if t == nil || t.life != m.life {
		t = &told{life: m.life, on: map[string]bool{}}
		o.told[w] = t
	}
	switch ev.Kind {
	case env.FSD:
		t.force = t.force || ev.Value == "sent"
	case env.Status:
		t.forget(ev.Value)
	case env.Notify:
		v.judge("S13")
		if why := t.announce(w, ev.Name); why != "" {
			return []Violation{wrong("S13", subject{ev.Host, w.UPS}, v.Now,
				"%s announced %s for %s at %s although %s: %s", ev.Host, ev.Name, w.As,
				stamp(v.Now), why, w.describe("as accepted"))}
		}
	}
	return nil
}

// forget takes back what has no announcement of its end.
func (t *told) forget(status string) {
	for _, name := range [...]string{"LOWBATT", "FSD"} {
		if !has(status, reasons[name]) && !(name == "FSD" && t.force) {
			delete(t.on, name)
		}
	}
}

// announce notes an announcement and says what is wrong with it, "" when nothing is.
func (t *told) announce(w *Watched, name string) string {
	begun, ends := opposites[name]
	switch why := w.untrue(name, begun, t.force); {
	case why != "":
		return why
	case ends && !t.on[begun]:
		return begun + " was not announced before"
	case ends:
		delete(t.on, begun)
		return ""
	case t.on[name] && !repeated[name]:
		return "it was announced already"
	case name == "NOCOMM" && !t.on["COMMBAD"]:
		return "COMMBAD was not announced before"
	}
	t.on[name] = true
	return ""
}

// untrue says why an announcement is not so; begun is the type that it ends.
func (w *Watched) untrue(name, begun string, force bool) string {
	switch name {
	case "ONBATT":
		if !onBattery(w.Status) {
			return "it is not on battery"
		}
	case "ONLINE":
		if onBattery(w.Status) || !has(w.Status, "OL") {
			return "it is not on line power"
		}
	case "COMMBAD", "NOCOMM":
		if w.Comm != "lost" {
			return "communication is good"
		}
	case "COMMOK":
		if w.Comm != "ok" {
			return "communication is not good"
		}
	default:
		if word := reasons[name]; word != "" && !has(w.Status, word) && !(name == "FSD" && force) {
			return fmt.Sprintf("its status has no %s", word)
		}
		if word := reasons[begun]; word != "" && has(w.Status, word) {
			return fmt.Sprintf("its status still has %s", word)
		}
	}
	return ""
}
