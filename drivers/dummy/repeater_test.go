package dummy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
	"github.com/blackstart-ups/blackstart/nut/upsd"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A relay is a host "nas" with a UPS "src", and a host "db" that repeats it as "lab".
type relay struct {
	t            *testing.T
	w            *world.World
	nas, db      *world.Host
	log          []string
	upsd, source *world.Process
}

func newRelay(t *testing.T, options string) *relay {
	r := &relay{t: t}
	r.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			if name == "upsd" {
				return upsd.Main
			}
			return driver.Main(drivers.All, nil, name)
		},
		Console: func(_ env.Instant, _, _, line string) { r.log = append(r.log, line) },
	})
	t.Cleanup(func() {
		if err := r.w.Close(); err != nil {
			t.Error(err)
		}
	})
	r.nas, r.db = r.w.Host("nas"), r.w.Host("db")
	for _, h := range []*world.Host{r.nas, r.db} {
		h.PowerOn()
		h.WriteFile("/run/nut/.keep", nil)
	}
	r.nas.WriteFile("/etc/nut/ups.conf", []byte("[src]\ndriver = dummy-ups\nport = src.dev\n"))
	r.nas.WriteFile("/etc/nut/src.dev", []byte("ups.status: OL CHRG\nbattery.charge: 90\nups.id: mine\nALARM hot\n"))
	r.nas.WriteFile("/etc/nut/upsd.conf", []byte("LISTEN 0.0.0.0 3493\n"))
	r.nas.WriteFile("/etc/nut/upsd.users", []byte("[op]\npassword = pw\nactions = SET\ninstcmds = ALL\n"))
	r.db.WriteFile("/auth", []byte("[op@nas]\nPASS = pw\n"))
	r.db.WriteFile("/etc/nut/ups.conf", []byte("[lab]\ndriver = dummy-ups\nport = src@nas\n"+options))
	return r
}

func (r *relay) run(d time.Duration) {
	r.t.Helper()
	if err := r.w.RunFor(d); err != nil {
		r.t.Fatal(err)
	}
}

func (r *relay) serve() {
	r.source = r.nas.Start("dummy-ups", []string{"-a", "src"})
	r.upsd = r.nas.Start("upsd", nil)
	r.run(5 * time.Second)
}

// repeat starts the repeater.
func (r *relay) repeat() *world.Process {
	p := r.db.Start("dummy-ups", []string{"-a", "lab"})
	r.run(5 * time.Second)
	return p
}

// ask talks to the repeater's socket.
func (r *relay) ask(f func(e env.Env, c *remote.Conn, until env.Instant) error) {
	r.t.Helper()
	err := fmt.Errorf("no answer")
	r.db.StartMain("client", func(e env.Env, _ []string) int {
		var c *remote.Conn
		if c, err = remote.Dial(e, "/run/nut/dummy-ups-lab"); err == nil {
			err = f(e, c, e.Now().Add(30*time.Second))
			c.Close(e)
		}
		return 0
	})
	r.run(2 * time.Second)
	if err != nil {
		r.t.Errorf("the repeater's socket: %v\n%s", err, strings.Join(r.log, "\n"))
	}
}

// want compares what the repeater knows: "fresh" or "stale", then variables.
func (r *relay) want(freshness string, vars map[string]string) {
	r.t.Helper()
	r.ask(func(e env.Env, c *remote.Conn, until env.Instant) error {
		dev, fresh, err := c.Dump(e, until)
		if err != nil {
			return err
		}
		if fresh != (freshness == "fresh") {
			r.t.Errorf("fresh is %v, want %s", fresh, freshness)
		}
		for name, want := range vars {
			if got := dev.Value(name); got != want {
				r.t.Errorf("%s = %q, want %q", name, got, want)
			}
		}
		return nil
	})
}

func (r *relay) change(text string) {
	r.nas.WriteFile("/etc/nut/src.dev", []byte(text))
	r.run(10 * time.Second)
}

func TestRepeaterShowsWhatTheOtherServerHas(t *testing.T) {
	r := newRelay(t, "username = op\npassword = pw\n")
	r.serve()
	r.repeat()
	r.want("fresh", map[string]string{"ups.status": "ALARM OL CHRG", "ups.alarm": "hot", "battery.charge": "90",
		"ups.id": "mine", "driver.parameter.port": "src@nas", "driver.parameter.mode": "repeater",
		"driver.parameter.password": ""})
	r.change("ups.status: OB\nups.id:\nALARM\n")
	r.want("fresh", map[string]string{"ups.status": "OB", "ups.alarm": "", "ups.id": ""})
}

func TestRepeaterIsStaleWhenItsSourceIs(t *testing.T) {
	tests := []struct {
		name       string
		break_, on func(r *relay)
		reason     string
	}{
		{"the driver there is killed", func(r *relay) { r.source.Kill() }, (*relay).serveDriver, "Driver not connected"},
		{"the driver there hangs", func(r *relay) { r.source.Pause() }, func(r *relay) { r.source.Resume() }, "Data stale"},
		{"the server there is killed", func(r *relay) { r.upsd.Kill() },
			func(r *relay) { r.upsd = r.nas.Start("upsd", nil) }, "Connection refused"},
		{"the server there hangs", func(r *relay) { r.upsd.Pause() }, func(r *relay) { r.upsd.Resume() }, "timed out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, "")
			r.serve()
			p := r.repeat()
			tt.break_(r)
			r.run(time.Minute)
			r.want("stale", map[string]string{"ups.status": "ALARM OL CHRG"})
			if text := strings.Join(r.log, "\n"); !strings.Contains(text, "lost the device: src@nas: ") ||
				!strings.Contains(text, tt.reason) {
				t.Errorf("says %q, want the reason %q", text, tt.reason)
			}
			tt.on(r)
			r.run(time.Minute)
			r.want("fresh", map[string]string{"ups.status": "ALARM OL CHRG"})
			if _, ended := p.Status(); ended {
				t.Error("the repeater has ended")
			}
		})
	}
}

func (r *relay) serveDriver() { r.source = r.nas.Start("dummy-ups", []string{"-a", "src"}) }

func TestRepeaterStartsWithoutItsSourceOnlyWhenAllowed(t *testing.T) {
	strict := newRelay(t, "")
	if status, ended := strict.repeat().Status(); !ended || status != 1 {
		t.Errorf("strict start: status %d, ended %v; want 1", status, ended)
	}
	lax := newRelay(t, "repeater_disable_strict_start\n")
	if _, ended := lax.repeat().Status(); ended {
		t.Fatalf("the repeater has ended:\n%s", strings.Join(lax.log, "\n"))
	}
	lax.want("stale", nil)
	lax.serve()
	lax.run(time.Minute)
	lax.want("fresh", map[string]string{"battery.charge": "90"})
}

func TestRepeaterPassesSettingsAndCommandsOn(t *testing.T) {
	tests := []struct {
		name, options string
		do            func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error)
		want          sockproto.Code
		then          map[string]string
	}{
		{"a setting", "username = op\npassword = pw\n", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Set(e, "ups.id", "yours", until)
		}, sockproto.Handled, map[string]string{"ups.id": "yours"}},
		{"a setting of who nutauth.conf says", "authconf = /auth\n", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Set(e, "ups.id", "yours", until)
		}, sockproto.Handled, map[string]string{"ups.id": "yours"}},
		{"a command", "username = op\npassword = pw\n", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Command(e, "load.off", until)
		}, sockproto.Handled, map[string]string{"ups.status": "ALARM OL CHRG OFF"}},
		{"an unknown command", "username = op\npassword = pw\n", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Command(e, "make.coffee", until)
		}, sockproto.Unknown, nil},
		{"a wrong password", "username = op\npassword = no\n", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Set(e, "ups.id", "yours", until)
		}, sockproto.Failed, map[string]string{"ups.id": "mine"}},
		{"nobody's command", "", func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
			return c.Command(e, "load.off", until)
		}, sockproto.Unknown, map[string]string{"ups.status": "ALARM OL CHRG"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRelay(t, tt.options)
			r.serve()
			r.repeat()
			r.ask(func(e env.Env, c *remote.Conn, until env.Instant) error {
				code, err := tt.do(e, c, until)
				if code != tt.want {
					t.Errorf("result %d, want %d\n%s", code, tt.want, strings.Join(r.log, "\n"))
				}
				return err
			})
			r.run(10 * time.Second)
			r.want("fresh", tt.then)
		})
	}
}

// What the other server answers too late is not the answer to the next request.
func TestRepeaterTakesNoAnswerForAnother(t *testing.T) {
	r := newRelay(t, "username = op\npassword = pw\npollinterval = 3600\n")
	r.serve()
	r.repeat()
	r.upsd.Pause()
	var codes []sockproto.Code
	r.db.StartMain("client", func(e env.Env, _ []string) int {
		c, err := remote.Dial(e, "/run/nut/dummy-ups-lab")
		if err != nil {
			t.Error(err)
			return 1
		}
		for _, request := range []func(until env.Instant) (sockproto.Code, error){
			func(until env.Instant) (sockproto.Code, error) { return c.Set(e, "ups.id", "yours", until) },
			func(until env.Instant) (sockproto.Code, error) { return c.Command(e, "make.coffee", until) },
		} {
			code, err := request(e.Now().Add(time.Minute))
			if err != nil {
				t.Error(err)
			}
			codes = append(codes, code)
			r.upsd.Resume()
			e.Sleep(time.Second)
		}
		return 0
	})
	r.run(2 * time.Minute)
	for i, code := range codes {
		if code == sockproto.Handled {
			t.Errorf("request %d has succeeded\n%s", i+1, strings.Join(r.log, "\n"))
		}
	}
	if len(codes) != 2 {
		t.Errorf("%d results, want 2", len(codes))
	}
}

func TestRepeaterDoesNotStartWithoutTheNutauthConfThatIsNamed(t *testing.T) {
	r := newRelay(t, "authconf = /no/such\n")
	r.serve()
	status, ended := r.repeat().Status()
	if said := strings.Join(r.log, "\n"); !ended || status != 1 || !strings.Contains(said, "authconf = /no/such: cannot read /no/such: ") {
		t.Errorf("ended %v, exit %d; want exit 1 and the file\n%s", ended, status, said)
	}
}

func TestRepeaterKnowsWhatCanBeSet(t *testing.T) {
	r := newRelay(t, "username = op\npassword = pw\n")
	r.serve()
	r.repeat()
	r.ask(func(e env.Env, c *remote.Conn, until env.Instant) error {
		dev, _, err := c.Dump(e, until)
		if v, ok := dev.Get("ups.id"); !ok || v.Flags != state.RW|state.String || v.Max != 32 {
			t.Errorf("ups.id: %+v, want RW STRING of 32", v)
		}
		if !dev.HasCommand("load.off") {
			t.Errorf("commands %v, want load.off among them", dev.Commands())
		}
		return err
	})
}

func TestRepeaterWantsAHost(t *testing.T) {
	r := newRelay(t, "")
	for _, port := range []string{"src@nas:x", "src"} {
		r.db.WriteFile("/etc/nut/ups.conf", []byte("[lab]\ndriver = dummy-ups\nmode = repeater\nport = "+port+"\n"))
		if status, ended := r.repeat().Status(); !ended || status != 1 {
			t.Errorf("port = %s: status %d, ended %v; want 1", port, status, ended)
		}
	}
}
