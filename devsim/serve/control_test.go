package serve_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// desk is a controlled UPS and the function that sends it requests.
type desk struct {
	body *power.UPS
	dev  *megatec.Device
	quit atomic.Int32
	ask  func(request string) (string, error)
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	e := machine(t, 1)
	d := &desk{body: power.New(power.Spec{})}
	d.dev = megatec.New(d.body, megatec.Options{})
	socket := filepath.Join(t.TempDir(), "ctl")
	l, err := e.Net().Listen(e, "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	tasks, scope := e.Scope("control")
	c := &serve.Control{Name: "rack", Body: d.body, Cable: serve.NewCable(d.dev, serve.Options{}),
		Seen: d.dev.Seen, Quit: func() { d.quit.Add(1) }}
	tasks.Go("control", func(e env.Env) error { return c.Serve(e, l) })
	t.Cleanup(func() {
		l.Close()
		scope.Stop()
		scope.Wait(e)
	})
	d.ask = func(request string) (string, error) {
		return serve.Ask(e, socket, request, e.Now().Add(20*time.Second))
	}
	return d
}

func (d *desk) state(t *testing.T) (s serve.State) {
	t.Helper()
	text, err := d.ask("state")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("state %q: %v", text, err)
	}
	return s
}

func TestLevers(t *testing.T) {
	tests := []struct {
		requests []string
		claim    string
		is       func(serve.State) bool
	}{
		{nil, "the UPS has its name and good mains",
			func(s serve.State) bool { return s.UPS == "rack" && !s.OnBattery && s.Input == 230_000 }},
		{[]string{"mains off"}, "the mains are off",
			func(s serve.State) bool { return s.OnBattery && s.Input == 0 }},
		{[]string{"mains off", "mains on"}, "the mains are back",
			func(s serve.State) bool { return !s.OnBattery && s.Input == 230_000 }},
		{[]string{"mains 190"}, "190 V are boosted",
			func(s serve.State) bool { return s.Boost && s.Input == 190_000 }},
		{[]string{"battery 20%"}, "the battery is at 20 %",
			func(s serve.State) bool { return s.Charge == 20 && s.Low }},
		{[]string{"load 55"}, "the load is 55 %", func(s serve.State) bool { return s.Load == 55 }},
		{[]string{"fault mute for=1h"}, "answers are lost", has("mute")},
		{[]string{"fault mute", "fault slow", "clear mute"}, "one of two faults is left", has("slow")},
		{[]string{"fault mute", "fault slow", "clear all"}, "no fault is left", has()},
		{[]string{"unplug"}, "the port is gone", has("unplug")},
		{[]string{"unplug", "plug"}, "the port is back", has()},
		{[]string{"stuck-low on"}, "the sensor is stuck",
			func(s serve.State) bool { return s.Low && s.Charge == 100 }},
		{[]string{"stuck-low on", "stuck-low off"}, "it is repaired",
			func(s serve.State) bool { return !s.Low }},
	}
	for _, tt := range tests {
		t.Run(tt.claim, func(t *testing.T) {
			d := newDesk(t)
			for _, r := range tt.requests {
				if text, err := d.ask(r); text != "" || err != nil {
					t.Fatalf("%s: %q, %v; want no text and no error", r, text, err)
				}
			}
			if s := d.state(t); !tt.is(s) {
				t.Errorf("after %q: %+v", tt.requests, s)
			}
		})
	}
}

func has(faults ...string) func(serve.State) bool {
	return func(s serve.State) bool { return strings.Join(s.Faults, " ") == strings.Join(faults, " ") }
}

func TestBadRequestsSayWhatIsWanted(t *testing.T) {
	tests := []struct{ request, want string }{
		{"", "empty request; try help"},
		{"reboot", "reboot: no such request; try help"},
		{"mains", "mains: want mains off|on|VOLTS"},
		{"mains 99999", "mains 99999: want off, on, or 0 to 1000 volts"},
		{"battery full", "battery full: want 0 to 100 percent"},
		{"battery -1", "battery -1: want 0 to 100 percent"},
		{"fault", "fault: want fault KIND [for=TIME]"},
		{"fault fire", `fault fire: fault "fire": want one of ` + strings.Join(serve.FaultNames(), ", ")},
		{"fault mute 30s", "fault mute 30s: want fault KIND [for=TIME]"},
		{"fault mute for=ever", `fault mute for=ever: for "ever": want a time such as 30s or 5m`},
		{"stuck-low maybe", "stuck-low maybe: want stuck-low on|off"},
	}
	d := newDesk(t)
	for _, tt := range tests {
		if text, err := d.ask(tt.request); err == nil || err.Error() != tt.want {
			t.Errorf("%q: %q, %v; want the error %q", tt.request, text, err, tt.want)
		}
	}
}

func TestButtonSeenAndQuit(t *testing.T) {
	d := newDesk(t)
	d.dev.Receive(0, []byte("Q1\rS00R0000\r\xbe\r"))
	if d.state(t).Outlet {
		t.Fatal("the outlet is on")
	}
	if _, err := d.ask("button"); err != nil || !d.state(t).Outlet {
		t.Errorf("after the button: %v", err)
	}
	if text, err := d.ask("seen"); text != "Q1\nS00R0000\n\\xbe\n" || err != nil {
		t.Errorf("seen = %q, %v", text, err)
	}
	if text, err := d.ask("help"); !strings.Contains(text, "stuck-low on|off") || err != nil {
		t.Errorf("help = %q, %v", text, err)
	}
	if _, err := d.ask("quit"); err != nil || d.quit.Load() != 1 {
		t.Errorf("quit was obeyed %d times, %v", d.quit.Load(), err)
	}
}

func TestKeepLetsTimePass(t *testing.T) {
	e := machine(t, 500)
	u := power.New(power.Spec{})
	tasks, scope := e.Scope("keeper")
	outlets := env.NewInbox[string](e, 10)
	u.OnChange(func(c power.Change) {
		if c.Name == power.Outlet {
			outlets.Put(c.Value)
		}
	})
	tasks.Go("keeper", func(e env.Env) error { return serve.Keep(e, u) })
	now := time.Duration(e.Now())
	u.ScheduleOff(now, 30*time.Second, time.Minute, true)
	for _, want := range []string{"off", "on"} {
		if got, err := outlets.Get(e, e.Now().Add(time.Hour)); got != want || err != nil {
			t.Fatalf("the outlet goes %q, %v; want %q", got, err, want)
		}
	}
	scope.Stop()
	scope.Wait(e)
}
