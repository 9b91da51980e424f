package upsdrvctl_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/drivers/dummy"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsdrvctl"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// A bench is a virtual host with the real dummy-ups and a driver that fails as told.
type bench struct {
	t   testing.TB
	w   *world.World
	h   *world.Host
	log []string
	ran []string // "seconds arguments" of the driver toy
	// toy is how the driver ends: nil means at once and well.
	toy func(e env.Env, try int) int
}

func newBench(t testing.TB, conf string) *bench {
	b := &bench{t: t}
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			switch name {
			case "upsdrvctl":
				return upsdrvctl.Main
			case "toy":
				return b.run1
			case "dummy-ups":
				return driver.Main([]driver.Spec{dummy.Spec}, nil, name)
			}
			return nil
		},
		Console: func(_ env.Instant, _, _, line string) { b.log = append(b.log, line) },
	})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.h.WriteFile("/etc/nut/ups.conf", []byte(conf))
	b.h.WriteFile("/etc/nut/lab.dev", []byte("ups.status: OL CHRG\n"))
	b.h.WriteFile("/run/nut/.keep", nil)
	return b
}

func (b *bench) run1(e env.Env, args []string) int {
	b.ran = append(b.ran, fmt.Sprintf("%.0f %s", time.Duration(e.Now()).Seconds(), strings.Join(args, " ")))
	if b.toy == nil {
		return 0
	}
	return b.toy(e, len(b.ran))
}

// ctl runs upsdrvctl, for a minute at most, and returns its exit code and output.
func (b *bench) ctl(args string) (int, string) {
	b.t.Helper()
	before := len(b.log)
	p := b.h.Start("upsdrvctl", strings.Fields(args))
	for range 600 {
		if err := b.w.RunFor(100 * time.Millisecond); err != nil {
			b.t.Fatal(err)
		}
		if status, ended := p.Status(); ended {
			return int(status), strings.Join(b.log[before:], "\n")
		}
	}
	return -1, strings.Join(b.log[before:], "\n")
}

const three = `
[u1]
	driver = toy
	port = a
	sdorder = 1
[u2]
	driver = toy
	port = b
[u3]
	driver = toy
	port = c
	sdorder = -1
`

func TestExitCodesAndPlans(t *testing.T) {
	tests := []struct {
		args string
		code int
		says string
		ran  string
	}{
		{"", 0, "usage: upsdrvctl", ""},
		{"-h", 0, "usage: upsdrvctl", ""},
		{"-Q", 0, "unknown shorthand flag: 'Q'", ""},
		{"-V", 0, "UPS driver controller 2.8.5", ""},
		{"dance", 1, "Error: unrecognized command [dance]", ""},
		{"start u1 u2", 1, "surplus words", ""},
		{"start nobody", 1, "UPS nobody not found in ups.conf", ""},
		{"list", 0, "u1\nu2\nu3", ""},
		{"-l u2", 0, "u2", ""},
		{"start", 0, "", "0 -a u1, 0 -a u2, 0 -a u3"},
		{"start u2", 0, "", "0 -a u2"},
		{"-u nut -r /jail start u2", 0, "", "0 -a u2 -u nut -r /jail"},
		{"-DD -d start u2", 0, "", "0 -a u2 -DD"},
		{"-B start u2", 0, "", "0 -a u2 -B"},
		{"shutdown", 0, "", "0 -a u2 -k, 0 -a u1 -k"},
		{"shutdown u3", 0, "", "0 -a u3 -k"},
		{"-c reload u1", 0, "", "0 -a u1 -c reload"},
		{"-t shutdown", 0, "exec:  toy -a u2 -k\nexec:  toy -a u1 -k", ""},
		{"-t start", 0, "exec:  toy -a u1\nexec:  toy -a u2\nexec:  toy -a u3", ""},
		{"-t stop u1", 0, "kill:  -TERM $(cat /run/nut/toy-u1.pid)", ""},
		{"stop u1", 1, "Can't open /run/nut/toy-u1.pid", ""},
		{"status u1", 0, "u1                  \t        toy\tN/A\t-3\tNOT_RESPONSIVE\tN/A\t", ""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			b := newBench(t, three)
			code, out := b.ctl(tt.args)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("upsdrvctl %s: exit code %d, %q; want %d, %q", tt.args, code, out, tt.code, tt.says)
			}
			if got := strings.Join(b.ran, ", "); got != tt.ran {
				t.Errorf("upsdrvctl %s ran %q, want %q", tt.args, got, tt.ran)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	b := newBench(t, "")
	if code, out := b.ctl("start"); code != 1 || !strings.Contains(out, "no UPS definitions") {
		t.Errorf("an empty ups.conf: exit code %d, %q; want 1", code, out)
	}
}

func TestStartIsTriedAgain(t *testing.T) {
	conf := "maxretry = 3\nretrydelay = 4\n[u1]\ndriver = toy\nport = a\n[u2]\ndriver = toy\nport = b\nmaxretry = 1\n"
	tests := []struct {
		name string
		toy  func(e env.Env, try int) int
		code int
		ran  string
	}{
		{"the third try succeeds, and the other driver starts after it",
			func(_ env.Env, try int) int { return b2i(try < 3) }, 0, "0 -a u1, 4 -a u1, 8 -a u1, 8 -a u2"},
		{"all tries fail, and the other driver is tried all the same",
			func(env.Env, int) int { return 1 }, 1, "0 -a u1, 4 -a u1, 8 -a u1, 8 -a u2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, conf)
			b.toy = tt.toy
			code, _ := b.ctl("start")
			if got := strings.Join(b.ran, ", "); code != tt.code || got != tt.ran {
				t.Errorf("exit code %d, ran %q; want %d, %q", code, got, tt.code, tt.ran)
			}
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSlowDriverIsLeftAlone(t *testing.T) {
	b := newBench(t, "maxstartdelay = 10\n[u1]\ndriver = toy\nport = a\n[u2]\ndriver = toy\nport = b\n")
	b.toy = func(e env.Env, try int) int {
		if try == 1 {
			e.Sleep(30 * time.Second)
		}
		return 0
	}
	code, out := b.ctl("start")
	if want := "0 -a u1, 10 -a u2"; code != 1 || strings.Join(b.ran, ", ") != want {
		t.Errorf("exit code %d, ran %q; want 1, %q", code, b.ran, want)
	}
	if !strings.Contains(out, "Startup timer elapsed, continuing...") {
		t.Errorf("says %q", out)
	}
	if n := len(b.h.Find("toy")); n != 1 {
		t.Errorf("%d slow drivers are still starting, want 1", n)
	}
}

func TestNowaitStartsAllAtOnce(t *testing.T) {
	b := newBench(t, "nowait\n"+three)
	b.toy = func(e env.Env, _ int) int {
		e.Sleep(5 * time.Second)
		return 0
	}
	code, _ := b.ctl("start")
	if got, want := strings.Join(b.ran, ", "), "0 -a u1, 0 -a u2, 0 -a u3"; code != 0 || got != want {
		t.Errorf("exit code %d, ran %q; want 0, %q", code, got, want)
	}
	if now := time.Duration(b.w.Now()); now > 6*time.Second {
		t.Errorf("it took %v, want the time of one", now)
	}
}

func TestLifeOfARealDriver(t *testing.T) {
	b := newBench(t, "[lab]\ndriver = dummy-ups\nport = lab.dev\n[gone]\ndriver = dummy-ups\nport = nope.dev\n")
	if code, _ := b.ctl("start lab"); code != 0 {
		t.Errorf("start: exit code %d, want 0", code)
	}
	if code, out := b.ctl("start"); code != 1 || !strings.Contains(out, "UPS gone: Driver failed to start (exit status=1)") {
		t.Errorf("start of all: exit code %d, %q; want 1", code, out)
	}
	pid := b.h.Find("dummy-ups")[0].Pid()
	_, out := b.ctl("status")
	for _, want := range []string{
		"UPSNAME             \t     UPSDRV\tRUNNING\tPF_PID\tS_RESPONSIVE\tS_PID\tS_STATUS",
		fmt.Sprintf("lab                 \t  dummy-ups\tRUNNING\t%d\tRESPONSIVE\t%d\t\"OL CHRG\"", pid, pid),
		"gone                \t  dummy-ups\tN/A\t-3\tNOT_RESPONSIVE\tN/A\t",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("status: %q, want %q", out, want)
		}
	}
	if code, _ := b.ctl("-c reload lab"); code != 0 {
		t.Errorf("-c reload: exit code %d, want 0", code)
	}
	if code, _ := b.ctl("stop lab"); code != 0 {
		t.Errorf("stop: exit code %d, want 0", code)
	}
	if n := len(b.h.Find("dummy-ups")); n != 0 {
		t.Errorf("%d drivers run after stop", n)
	}
	if code, _ := b.ctl("stop"); code != 1 {
		t.Errorf("stop of what does not run: exit code %d, want 1", code)
	}
}

func TestStopOfADriverWithoutPIDFileGoesThroughItsSocket(t *testing.T) {
	b := newBench(t, "[lab]\ndriver = dummy-ups\nport = lab.dev\n")
	p := b.h.Start("dummy-ups", []string{"-a", "lab", "-F"})
	b.w.RunFor(time.Second)
	if code, out := b.ctl("stop"); code != 0 {
		t.Errorf("stop: exit code %d, %q; want 0", code, out)
	}
	b.w.RunFor(time.Second)
	if _, ended := p.Status(); !ended {
		t.Error("the driver still runs")
	}
}

// Drivers that do not listen are ended all the same.
func TestForegroundParentEndsItsDrivers(t *testing.T) {
	b := newBench(t, three)
	b.toy = func(e env.Env, _ int) int {
		e.Sleep(time.Hour)
		return 0
	}
	p := b.h.Start("upsdrvctl", []string{"-F", "start"})
	b.w.RunFor(time.Minute)
	if _, ended := p.Status(); ended || len(b.h.Find("toy")) != 3 {
		t.Fatalf("ended %v, %d drivers run; want 3: %q", ended, len(b.h.Find("toy")), b.log)
	}
	p.Signal(env.Terminate)
	b.w.RunFor(10 * time.Second)
	if _, ended := p.Status(); !ended || len(b.h.Find("toy")) != 0 {
		t.Errorf("after TERM: ended %v, %d drivers run", ended, len(b.h.Find("toy")))
	}
}
