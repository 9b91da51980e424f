package dummy_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/nut/captures"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/driver/remote"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bench is a virtual host with a dummy UPS.
type bench struct {
	t        testing.TB
	w        *world.World
	h        *world.Host
	log      []string
	statuses []string // "seconds status"
}

func newBench(t testing.TB, port, text string) *bench {
	b := &bench{t: t}
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main { return driver.Main(drivers.All, nil, name) },
		Console:  func(_ env.Instant, _, _, line string) { b.log = append(b.log, line) },
		Observe: func(ev env.Event) {
			if ev.Kind == env.Status {
				b.statuses = append(b.statuses, time.Duration(ev.T).Round(time.Second/10).String()+" "+ev.Value)
			}
		},
	})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[lab]\ndriver = dummy-ups\nport = "+port+"\n"))
	b.h.WriteFile("/etc/nut/"+port, []byte(text))
	b.h.WriteFile("/run/nut/.keep", nil)
	return b
}

func (b *bench) run(d time.Duration) {
	b.t.Helper()
	if err := b.w.RunFor(d); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) start(args ...string) *world.Process {
	b.t.Helper()
	p := b.h.Start("dummy-ups", append([]string{"-a", "lab"}, args...))
	b.run(100 * time.Millisecond)
	return p
}

func (b *bench) tell(f func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error)) sockproto.Code {
	b.t.Helper()
	code := sockproto.Pending
	b.h.StartMain("client", func(e env.Env, _ []string) int {
		c, err := remote.Dial(e, "/run/nut/dummy-ups-lab")
		if err == nil {
			code, err = f(e, c, e.Now().Add(time.Second))
			c.Close(e)
		}
		if err != nil {
			b.log = append(b.log, err.Error())
		}
		return 0
	})
	b.run(100 * time.Millisecond)
	return code
}

func (b *bench) set(name, value string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
		return c.Set(e, name, value, until)
	})
}

func (b *bench) command(name string) sockproto.Code {
	return b.tell(func(e env.Env, c *remote.Conn, until env.Instant) (sockproto.Code, error) {
		return c.Command(e, name, until)
	})
}

func (b *bench) wantStatuses(want string) {
	b.t.Helper()
	if got := strings.Join(b.statuses, ", "); got != want {
		b.t.Errorf("statuses %q, want %q\n%s", got, want, strings.Join(b.log, "\n"))
	}
}

func TestTimersOfASequence(t *testing.T) {
	b := newBench(t, "lab.seq", "ups.status: OL\nTIMER 5\nups.status: OB\nTIMER 3\nALARM hot\nups.status: OB LB\nTIMER 7\n")
	b.start()
	b.run(19 * time.Second)
	b.wantStatuses("0s OL, 5s OB, 8s ALARM OB LB, 15s OL")
}

func TestDevFileIsReadAgainWhenItChanges(t *testing.T) {
	b := newBench(t, "lab.dev", "ups.status: OL\n")
	b.start()
	b.set("ups.status", "OB")
	b.run(10 * time.Second)
	b.wantStatuses("0s OL, 100ms OB")
	b.h.WriteFile("/etc/nut/lab.dev", []byte("ups.status: OB LB\n"))
	b.run(3 * time.Second)
	b.wantStatuses("0s OL, 100ms OB, 12s OB LB")
}

func TestLoopOverwritesWhatWasSet(t *testing.T) {
	b := newBench(t, "lab.seq", "ups.status: OL\n")
	b.start()
	b.set("ups.status", "OB")
	b.run(3 * time.Second)
	b.wantStatuses("0s OL, 100ms OB, 2s OL")
}

func TestEverythingCanBeSet(t *testing.T) {
	b := newBench(t, "lab.dev", "ups.status: OL\nbattery.charge: 90\nups.id: x\n")
	b.start()
	for name, value := range map[string]string{
		"ups.status": "OB LB", "battery.charge": "15", "ups.id": `a "b" #c \d`, "new.variable": "1",
	} {
		if code := b.set(name, value); code != sockproto.Handled {
			t.Errorf("SET %s %q: result %d, want 0", name, value, code)
		}
	}
	for name, value := range map[string]string{"driver.name": "x", "driver.version.internal": "1", "ups.id": strings.Repeat("x", 33)} {
		if code := b.set(name, value); code == sockproto.Handled {
			t.Errorf("SET %s %q: result 0, want a refusal", name, value)
		}
	}
}

func TestCommandsHaveEffects(t *testing.T) {
	b := newBench(t, "lab.dev", "ups.status: OL\nups.beeper.status: enabled\n")
	b.start()
	for _, name := range []string{"load.off", "load.on", "test.battery.start.quick", "beeper.toggle", "shutdown.default"} {
		want := sockproto.Handled
		if name == "shutdown.default" {
			want = sockproto.Failed
		}
		if code := b.command(name); code != want {
			t.Errorf("%s: result %d, want %d", name, code, want)
		}
	}
	if code := b.command("no.such"); code != sockproto.Unknown {
		t.Errorf("no.such: result %d, want 1", code)
	}
	b.run(20 * time.Second)
	b.wantStatuses("0s OL, 100ms OL OFF, 200ms OL, 300ms OL CAL, 10.3s OL")
}

func TestKillIsNotSupported(t *testing.T) {
	b := newBench(t, "lab.dev", "ups.status: OL\n")
	p := b.start("-k")
	b.run(time.Second)
	if status, ended := p.Status(); !ended || status != 1 {
		t.Errorf("-k: exit status %d, ended %v; want 1", status, ended)
	}
	if text := strings.Join(b.log, "\n"); !strings.Contains(text, "shutdown not supported") {
		t.Errorf("-k says %q", text)
	}
}

func TestMissingFileEndsTheStart(t *testing.T) {
	b := newBench(t, "lab.dev", "")
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[lab]\ndriver = dummy-ups\nport = nope.dev\n"))
	if status, ended := b.start().Status(); !ended || status != 1 {
		t.Errorf("exit status %d, ended %v; want 1", status, ended)
	}
}

// Every recording is published as it was recorded, but for driver.* and bytes that are not text.
func TestRecordingsAreServedAsRecorded(t *testing.T) {
	folder := captures.Dir(t, "dev")
	files := 0
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err == nil {
			files++
			served(t, name, string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d recordings", files)
}

func served(t *testing.T, name, text string) {
	b := newBench(t, "rec.dev", text)
	b.start("-d", "1")
	got := map[string]string{}
	for _, l := range b.log {
		if k, v, ok := strings.Cut(l, ": "); ok {
			got[k] = v
		}
	}
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		k, v, ok := strings.Cut(l, ":")
		if !ok { // LIST VAR instead of upsc
			if k, v, ok = strings.Cut(l, " "); ok {
				v = " " + strings.Trim(v, `"`)
			}
		}
		if !ok || strings.HasPrefix(l, "#") || strings.HasPrefix(k, "driver.") {
			continue
		}
		want := strings.Map(func(r rune) rune {
			if r > '~' {
				return -1
			}
			return r
		}, strings.TrimPrefix(v, " "))
		if g, there := got[k]; !there || g != want {
			t.Errorf("%s: %s = %q (there: %v), want %q", filepath.Base(name), k, g, there, want)
		}
	}
}
