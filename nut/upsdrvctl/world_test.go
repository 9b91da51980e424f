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
		{"-c dump u1", 0, "", "0 -a u1 -c dump"},
		{"--json list u2", 0, `"driver": "toy"`, ""},
		{"-t shutdown", 0, "exec:  toy -a u2 -k\nexec:  toy -a u1 -k", ""},
		{"-t start", 0, "exec:  toy -a u1\nexec:  toy -a u2\nexec:  toy -a u3", ""},
		{"-t -FF start u1", 0, "exec:  toy -a u1 -FF", ""},
		{"-t stop u1", 0, "kill:  -TERM $(cat /run/nut/toy-u1.pid)", ""},
		{"stop u1", 1, "UPS u1: Can't open /run/nut/toy-u1.pid", ""},
		{"status u1", 1, "u1                  \t        toy\tN/A\t-3\tNOT_RESPONSIVE\tN/A\t", ""},
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

// DC-1, DC-3
func TestStartIsTriedAgain(t *testing.T) {
	conf := "maxretry = 3\nretrydelay = 4\n[u1]\ndriver = toy\nport = a\n[u2]\ndriver = toy\nport = b\nmaxretry = 1\n"
	tests := []struct {
		name string
		toy  func(e env.Env, try int) int
		code int
		ran  string
	}{
		{"the third try succeeds, and the other driver does not wait for it",
			func(e env.Env, _ int) int { return b2i(e.Now() < env.Instant(8*time.Second)) }, 1,
			"0 -a u1, 0 -a u2, 4 -a u1, 8 -a u1"},
		{"what fails once may succeed the next time",
			func(_ env.Env, try int) int { return b2i(try == 1) }, 0, "0 -a u1, 0 -a u2, 4 -a u1"},
		{"all tries fail",
			func(env.Env, int) int { return 1 }, 1, "0 -a u1, 0 -a u2, 4 -a u1, 8 -a u1"},
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

// DC-2
func TestSlowDriverIsLeftAlone(t *testing.T) {
	b := newBench(t, "maxstartdelay = 10\n[u1]\ndriver = toy\nport = a\n[u2]\ndriver = toy\nport = b\n")
	b.toy = func(e env.Env, try int) int {
		if try == 1 {
			e.Sleep(30 * time.Second)
		}
		return 0
	}
	code, out := b.ctl("start")
	if want := "0 -a u1, 0 -a u2"; code != 1 || strings.Join(b.ran, ", ") != want {
		t.Errorf("exit code %d, ran %q; want 1, %q", code, b.ran, want)
	}
	if !strings.Contains(out, "Startup timer elapsed, continuing...") {
		t.Errorf("says %q", out)
	}
	if n := len(b.h.Find("toy")); n != 1 {
		t.Errorf("%d slow drivers are still starting, want 1", n)
	}
}

// DC-1, DC-4
func TestNowaitWatchesForASecond(t *testing.T) {
	tests := []struct {
		name string
		toy  func(e env.Env, try int) int
		code int
	}{
		{"slow drivers are not waited for", func(e env.Env, _ int) int { e.Sleep(time.Hour); return 1 }, 0},
		{"what fails at once is told", func(_ env.Env, try int) int { return b2i(try == 2) }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "nowait\n"+three)
			b.toy = tt.toy
			code, _ := b.ctl("start")
			if got, want := strings.Join(b.ran, ", "), "0 -a u1, 0 -a u2, 0 -a u3"; code != tt.code || got != want {
				t.Errorf("exit code %d, ran %q; want %d, %q", code, got, tt.code, want)
			}
			if now := time.Duration(b.w.Now()); now > 2*time.Second {
				t.Errorf("it took %v, want about a second", now)
			}
		})
	}
}

func TestWhatFailsIsToldByNameWithItsLastWords(t *testing.T) {
	tests := []struct {
		name, conf string
		toy        func(e env.Env, try int) int
		want       string
	}{
		{"a driver that tells the cause", "[u1]\ndriver = toy\nport = a\n", func(e env.Env, _ int) int {
			fmt.Fprintln(e.Host().Stdout(), "Network UPS Tools - Toy driver 1.0")
			fmt.Fprint(e.Host().Stderr(), "Can't open /dev/ttyS9: No such file\n\n")
			return 1
		}, "UPS u1: Driver failed to start (exit status=1): Can't open /dev/ttyS9: No such file"},
		{"a C driver that gives up with status 0", "[u1]\ndriver = toy\nport = a\n", func(e env.Env, _ int) int {
			fmt.Fprint(e.Host().Stdout(), "\nFatal error: 'bogus' is not a valid variable name for this driver.\n\n")
			return 0
		}, "UPS u1: Driver failed to start (exit status=0): Fatal error: 'bogus'"},
		{"a driver that is killed", "[u1]\ndriver = toy\nport = a\n", func(env.Env, int) int { return 139 },
			"UPS u1: driver was ended by signal 11"},
		{"a driver that is missing", "[u1]\ndriver = nothere\nport = a\n", nil,
			"UPS u1: Can't start nothere: No such file or directory (driverpath in ups.conf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.conf)
			b.toy = tt.toy
			if code, out := b.ctl("start"); code != 1 || !strings.Contains(out, tt.want) {
				t.Errorf("exit code %d, %q; want 1, %q", code, out, tt.want)
			}
		})
	}
}

// A driver that has crashed is started again; one that left in peace is not; one that never worked is
// given up.
func TestForegroundParentKeepsItsDriversAlive(t *testing.T) {
	b := newBench(t, "maxretry = 2\n[u1]\ndriver = toy\nport = a\n[lab]\ndriver = dummy-ups\nport = lab.dev\n"+
		"[bad]\ndriver = dummy-ups\nport = nope.dev\n")
	b.toy = func(env.Env, int) int { return 0 }
	p := b.h.Start("upsdrvctl", []string{"-F", "start"})
	for range 5 {
		b.w.RunFor(30 * time.Second)
		if running := b.h.Find("dummy-ups"); len(running) == 1 {
			running[0].Kill()
			continue
		}
		t.Fatalf("%d drivers run, want 1:\n%s", len(b.h.Find("dummy-ups")), strings.Join(b.log, "\n"))
	}
	if got := strings.Join(b.ran, ", "); got != "0 -a u1 -F" {
		t.Errorf("the driver that left in peace ran %q, want once", got)
	}
	b.w.RunFor(10 * time.Second)
	p.Signal(env.Terminate)
	b.w.RunFor(10 * time.Second)
	if status, ended := p.Status(); !ended || status != 1 || len(b.h.Find("dummy-ups")) != 0 {
		t.Errorf("after TERM: ended %v, status %d, %d drivers run; want 1, since one never worked", ended, status,
			len(b.h.Find("dummy-ups")))
	}
	if out := strings.Join(b.log, "\n"); !strings.Contains(out, "UPS bad: Driver failed to start (exit status=1): dummy-ups: Can't open /etc/nut/nope.dev: No such file") {
		t.Errorf("says %q", out)
	}
}

func TestStatusTellsWhyADriverDoesNotAnswer(t *testing.T) {
	const conf = "[lab]\ndriver = dummy-ups\nport = lab.dev\n"
	tests := []struct {
		name string
		do   func(b *bench)
		code int
		want []string
	}{
		{"it was not started", func(*bench) {}, 1, []string{"N/A\t-3\tNOT_RESPONSIVE", "UPS lab: the driver does not run"}},
		{"it was killed", func(b *bench) { b.h.Find("dummy-ups")[0].Kill() }, 1,
			[]string{"STOPPED\t-1\tNOT_RESPONSIVE", "UPS lab: the driver is dead: process"}},
		{"it hangs", func(b *bench) { b.h.Find("dummy-ups")[0].Pause() }, 1,
			[]string{"RUNNING\t", "\tNOT_RESPONSIVE", "UPS lab: the driver runs as process"}},
		{"its number is another's now", func(b *bench) {
			b.h.Find("dummy-ups")[0].Kill()
			b.h.Start("dummy-ups", []string{"-s", "other", "-x", "port=lab.dev"})
			b.w.RunFor(time.Second)
			b.h.WriteFile("/run/nut/dummy-ups-lab.pid", []byte(fmt.Sprintln(b.h.Find("dummy-ups")[0].Pid())))
		}, 1, []string{"STOPPED\t-1\tNOT_RESPONSIVE", "UPS lab: the driver is dead"}},
		{"its device is lost", func(b *bench) {
			b.h.Remove("/etc/nut/lab.dev")
			b.w.RunFor(5 * time.Second)
		}, 0, []string{"RESPONSIVE", "UPS lab: the device is lost since 20", "lab.dev"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, conf)
			if tt.name != "it was not started" {
				b.ctl("start")
			}
			tt.do(b)
			code, out := b.ctl("status")
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.want {
				if !strings.Contains(out, want) {
					t.Errorf("says %q, want %q", out, want)
				}
			}
		})
	}
}

func TestStatusAsJSON(t *testing.T) {
	b := newBench(t, "[lab]\ndriver = dummy-ups\nport = lab.dev\n")
	b.ctl("start")
	_, out := b.ctl("--json status")
	pid := b.h.Find("dummy-ups")[0].Pid()
	want := fmt.Sprintf(`[
  {
    "ups": "lab",
    "driver": "dummy-ups",
    "running": "RUNNING",
    "pid_file": %[1]d,
    "responsive": true,
    "pid": %[1]d,
    "status": "OL CHRG",
    "fresh": true
  }
]`, pid)
	if strings.TrimSpace(out) != want {
		t.Errorf("%s\nwant\n%s", out, want)
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

// A device without a driver of ours is driven by NUT's, where that is installed.
func TestDriversOfNUTAreFound(t *testing.T) {
	b := newBench(t, "[ours]\ndriver = toy\nport = a\n[theirs]\ndriver = usbhid-ups\nport = auto\n"+
		"[nobodys]\ndriver = nothere\nport = a\n")
	b.h.WriteFile("/opt/bs/toy", nil)
	b.h.WriteFile("/lib/nut/toy", nil)
	b.h.WriteFile("/lib/nut/usbhid-ups", nil)
	var out strings.Builder
	p := b.h.StartTo(&out, &out, "upsdrvctl", []string{"-t", "start"}, "BLACKSTART_BINDIR=/opt/bs")
	if err := b.w.RunFor(time.Second); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"/opt/bs/toy -a ours", "/lib/nut/usbhid-ups -a theirs",
		"UPS nobodys: Can't start /opt/bs/nothere: No such file"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("does not say %q:\n%s", want, out.String())
		}
	}
	if code, ended := p.Status(); !ended || code != 1 {
		t.Errorf("exit code %d (ended %v), want 1", code, ended)
	}
}
