package driver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

const pidFile = "/run/nut/toy-ups-office.pid"

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		conf string
		args string
		edit func(*toy)
		want int
		says string
	}{
		{"help is no error", "", "-h", nil, 0, "Keys of ups.conf"},
		{"version is no error", "", "-V", nil, 0, "Network UPS Tools toy-ups 2.8.5"},
		{"the list of keys is for programs", "", "-L", nil, 0, `VALUE speed "how fast"`},
		{"flags are listed as such", "", "-L", nil, 0, `FLAG fancy "what it says"`},
		{"a UPS must be named", "", "", nil, 1, "is now mandatory"},
		{"-a and -s exclude each other", "", "-a office -s other", nil, 1, "mutually exclusive"},
		{"surplus words are refused", "", "-a office more", nil, 1, `surplus words: ["more"]`},
		{"an unknown flag is refused", "", "-a office -Z", nil, 1, "unknown shorthand flag"},
		{"an unknown section is refused", "", "-a offfice", nil, 1, "section [offfice] not found in ups.conf"},
		{"-i wants seconds", "", "-a office -i 0", nil, 1, "-i 0: want a number of seconds"},
		{"pollinterval must be positive", "pollinterval = 0", "-a office", nil, 1,
			`ups.conf:4:1: pollinterval: "0": want a whole number of seconds, 1 to 86400`},
		{"a misspelt key is named with its line", "sped = 5", "-a office", nil, 1,
			"ups.conf:4:1: sped: no such key for toy-ups; is speed meant?"},
		{"a number out of range is named", "speed = 10", "-a office", nil, 1,
			`ups.conf:4:1: speed: "10": want a whole number, 1 to 9`},
		{"a value that is missing is named", "speed", "-a office", nil, 1, "speed: value is missing"},
		{"what comes later is named", "wings = 2", "-a office", nil, 1, "wings: \"2\": not supported yet: birds"},
		{"every mistake is named", "speed = x\nsped = 5", "-a office", nil, 1, "ups.conf:5:1: sped"},
		{"-x is checked as well", "", "-a office -x speed=0", nil, 1, `-x speed: speed: "0"`},
		{"-x wins over the file", "speed = 4", "-a office -x speed=5 -d 1", nil, 0, "driver.parameter.speed: 5"},
		{"-i wins over the file", "pollinterval = 4", "-a office -i 7 -d 1", nil, 0, "driver.parameter.pollinterval: 7"},
		{"-s needs no file", "", "-s other -x port=here -d 1", nil, 0, "driver.parameter.port: here"},
		{"-s needs a port", "", "-s other", nil, 1, "port is missing: want -x port="},
		{"-s with -c needs none", "", "-s other -c dump", nil, 1, "no driver answers there"},
		{"a dump looks like upsc's", "", "-a office -d 1", nil, 0, "ups.status: OL"},
		{"a flag may be said to be off", "fancy = no", "-a office -d 1", nil, 0, "driver.state: dumping"},
		{"a flag is on or off", "fancy = perhaps", "-a office", nil, 1,
			`fancy: "perhaps": want the word alone, or yes or no`},
		{"flags are published", "fancy", "-a office -d 1", nil, 0, "driver.flag.fancy: enabled"},
		{"an absent device ends the start", "", "-a office", func(d *toy) { d.absent = transport.ErrNoPort }, 1, "no such port"},
		{"ignorelb without anything to go by", "ignorelb", "-a office", nil, 1, "ignorelb: the device gives neither"},
		{"-c to nobody", "", "-a office -c reload-or-error", nil, 1, "no driver answers there"},
		{"-c of an unknown word", "", "-a office -c dance", nil, 1,
			"want dump, reload, reload-or-error, reload-or-exit or exit"},
		{"what only USB drivers use is no mistake",
			"usb_set_altinterface\nusb_hid_ep_in = 0x81\nLIBUSB_DEBUG = 3\nnolock", "-a office -d 1", nil, 0, "ups.status: OL"},
		{"but it is checked", "usb_hid_ep_in = 999", "-a office", nil, 1, "usb_hid_ep_in: \"999\": want a number, 0 to 255"},
		{"what may stand alone is checked where it does not", "usb_set_altinterface = 7x", "-a office", nil, 1,
			"usb_set_altinterface: \"7x\": want a number, 0 to 255"},
		{"what is obsolete stops nothing", "sddelay = 5", "-a office -d 1", nil, 0,
			"ups.conf:4:1: sddelay: obsolete, it is ignored"},
		{"a high debug_min is no mistake", "debug_min = 12", "-a office -d 1", nil, 0, "driver.debug: 12"},
		{"-q leaves notices out", "", "-a office -q -d 1", nil, 0, "ups.status: OL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.conf(tt.conf)
			if tt.edit != nil {
				tt.edit(b.d)
			}
			p := b.h.Start("toy-ups", strings.Fields(tt.args))
			b.run(time.Minute)
			b.wantExit(p, tt.want)
			b.wantInOrder("log", b.log, tt.says)
			b.wantFile(socket, false)
			b.wantFile(pidFile, false)
		})
	}
}

func TestSectionOfAnotherDriverIsRefused(t *testing.T) {
	b := newBench(t)
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = other\nport = x\n"))
	b.wantExit(b.start(), 1)
	b.wantInOrder("log", b.log, `[office] is for driver "other", and this is "toy-ups"`)
}

func TestKeyBeforeTheFirstSectionIsOnlyAWarning(t *testing.T) {
	b := newBench(t)
	b.h.WriteFile("/etc/nut/ups.conf", []byte("maxretry = 3\nfoo = 1\n[office]\ndriver = toy-ups\nport = x\n"))
	p := b.start()
	if _, ended := p.Status(); ended {
		t.Error("the driver has ended")
	}
	b.wantInOrder("log", b.log, "ups.conf:2:1: foo: means nothing to a driver")
}

// DS-4.
func TestTermLeavesNothingBehind(t *testing.T) {
	for _, s := range []env.Signal{env.Terminate, env.Interrupt, env.Quit} {
		t.Run(string(s), func(t *testing.T) {
			b := newBench(t)
			p := b.start()
			b.wantFile(socket, true)
			b.wantFile(pidFile, true)
			p.Signal(s)
			b.run(time.Second)
			b.wantExit(p, 0)
			b.wantFile(socket, false)
			b.wantFile(pidFile, false)
			if b.d.closed != 1 {
				t.Errorf("the device was closed %d times, want once", b.d.closed)
			}
		})
	}
}

// DS-4, DS-6
func TestForegroundWritesNoPIDFile(t *testing.T) {
	for args, want := range map[string]bool{"-F": false, "-FF": true, "-D": false, "-DB": true, "": true} {
		t.Run(args, func(t *testing.T) {
			b := newBench(t)
			b.start(strings.Fields(args)...)
			b.wantFile(socket, true)
			b.wantFile(pidFile, want)
		})
	}
}

// DS-2, DS-7
func TestOldRemainsStopNoStart(t *testing.T) {
	tests := []struct{ name, pid string }{
		{"nobody has the number", "4711\n"},
		{"another program has the number", "1\n"},
		{"no number", "garbage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			other := b.h.StartMain("editor", func(e env.Env, _ []string) int {
				e.Sleep(time.Hour)
				return 0
			})
			if tt.pid == "1\n" {
				tt.pid = fmt.Sprintln(other.Pid())
			}
			b.h.WriteFile(pidFile, []byte(tt.pid))
			b.start().Kill() // leaves its socket behind
			b.wantFile(socket, true)
			b.h.WriteFile(pidFile, []byte(tt.pid))
			p := b.start()
			if _, ended := p.Status(); ended {
				t.Fatalf("the driver did not start:\n%s", strings.Join(b.log, "\n"))
			}
			b.want("PING", b.client().ask(time.Millisecond, "PING"), "PONG")
			if _, ended := other.Status(); ended {
				t.Error("another program was killed")
			}
		})
	}
}

// DC-5, DS-4
func TestSecondInstanceTakesOver(t *testing.T) {
	b := newBench(t)
	first := b.start()
	second := b.start()
	b.run(time.Second)
	b.wantExit(first, 0)
	if _, ended := second.Status(); ended {
		t.Fatalf("the second instance has ended:\n%s", strings.Join(b.log, "\n"))
	}
	got := b.client().ask(time.Millisecond, "GETPID")
	b.want("GETPID", got, fmt.Sprintf("PID %d", second.Pid()))
	pid, _ := b.h.File(pidFile)
	if string(pid) != fmt.Sprintln(second.Pid()) {
		t.Errorf("PID file %q, want %d", pid, second.Pid())
	}
}

// Starts at the same time do not see each other's socket yet. DC-5
func TestOfManyStartsOneStays(t *testing.T) {
	b := newBench(t)
	b.d.opening = 2 * time.Second
	all := []*world.Process{b.begin(), b.begin(), b.begin()}
	b.run(20 * time.Second)
	left := 0
	for _, p := range all {
		if code, ended := p.Status(); !ended {
			left++
			got := b.client().ask(time.Millisecond, "GETPID")
			b.want("GETPID", got, fmt.Sprintf("PID %d", p.Pid()))
		} else if code != 0 {
			t.Errorf("exit code %d, want 0", code)
		}
	}
	if left != 1 {
		t.Errorf("%d instances are left, want 1:\n%s", left, strings.Join(b.log, "\n"))
	}
}

// A start that hangs in its device does not keep a driver from being there.
func TestAStartThatHangsStopsNoOther(t *testing.T) {
	b := newBench(t)
	b.d.opening = time.Hour
	b.begin()
	b.run(time.Second)
	b.d.opening = 0
	b.begin()
	b.run(time.Minute)
	b.want("PING", b.client().ask(time.Millisecond, "PING"), "PONG")
	b.wantInOrder("log", b.log, "going on beside a start that does not end")
}

// A frozen instance is as good as dead: its socket accepts and does not answer. DC-5
func TestFrozenInstanceIsKilled(t *testing.T) {
	b := newBench(t)
	first := b.start()
	first.Pause()
	second := b.start()
	b.run(30 * time.Second)
	if _, ended := first.Status(); !ended {
		t.Error("the frozen instance is still there")
	}
	if _, ended := second.Status(); ended {
		t.Errorf("the second instance has ended:\n%s", strings.Join(b.log, "\n"))
	}
}

// DS-B5
func TestStaleAfterToleratedFailures(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	b.d.err = errSilent
	b.run(5 * time.Second)
	b.want("after two failures", c.lines)
	b.run(2 * time.Second)
	b.wantInOrder("after the third", c.lines, "6.0 DATASTALE")
	b.wantInOrder("events", b.events, "6.0 port =gone", "6.0 data =stale no answer")
	b.d.err = nil
	b.run(5 * time.Second)
	b.wantInOrder("recovered", c.lines, "DATASTALE", "DATAOK")
	b.wantInOrder("events", b.events, "=stale", "7.0 port =open", "data =fresh")
	if b.d.opened != 2 || b.d.closed != 1 {
		t.Errorf("opened %d times, closed %d times; want the device opened anew", b.d.opened, b.d.closed)
	}
}

func TestLostDeviceIsFoundAgain(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	b.d.err, b.d.absent = transport.ErrGone, transport.ErrNoPort
	b.run(3 * time.Second)
	b.wantInOrder("lines", c.lines, "2.0 DATASTALE", `driver.reconnect.reason "device is gone"`,
		"driver.reconnect.since \"2", `driver.state "reconnect.trying"`)
	b.want("a command meanwhile fails", c.ask(time.Millisecond, "INSTCMD load.off TRACKING x"), "TRACKING x 3")
	b.run(time.Hour)
	b.d.err, b.d.absent = nil, nil
	b.run(6 * time.Second)
	b.wantInOrder("lines", c.lines, "DATASTALE", `driver.state "reconnect.updateinfo"`,
		"DELINFO driver.reconnect.reason", "DELINFO driver.reconnect.since", `driver.state "quiet"`, "DATAOK")
	b.wantInOrder("log", b.log, "office: lost the device: device is gone", "office: the device is back after 1h0m")
	b.want("PING", c.ask(time.Millisecond, "PING"), "PONG")
	if n := strings.Count(strings.Join(b.log, "\n"), "no such port"); n > 13 {
		t.Errorf("%d log lines in an hour about a device that is away, want one in five minutes", n)
	}
}

// A device that can be opened and never answers is as lost as one that is away.
func TestDeviceThatOpensAndDoesNotAnswerIsStillTheSameLoss(t *testing.T) {
	b := newBench(t)
	b.conf("reconnect_max_tries = 30")
	p := b.start()
	c := b.client()
	b.d.err = transport.ErrGone
	b.run(time.Minute)
	if n := strings.Count(strings.Join(c.lines, "\n"), "SETINFO driver.reconnect.since"); n != 1 {
		t.Errorf("the loss was dated %d times, want once", n)
	}
	if b.d.opened > 20 {
		t.Errorf("opened %d times in a minute, want pauses of 5 s", b.d.opened)
	}
	b.run(10 * time.Minute)
	b.wantExit(p, 1)
}

func TestAnotherDeviceThanTheLostOneIsTold(t *testing.T) {
	b := newBench(t)
	b.d.values = map[string]string{"ups.serial": "A1"}
	b.start()
	b.d.err = transport.ErrGone
	b.run(3 * time.Second)
	b.d.err, b.d.values = nil, map[string]string{"ups.serial": "B2"}
	b.run(5 * time.Second)
	b.wantInOrder("log", b.log, `office: this is another device: ups.serial was "A1" and is "B2"`)
}

// DC-5, DS-2: an instance that is slow to end must not take the socket from its successor.
func TestSlowEndLeavesTheSuccessorsSocketAlone(t *testing.T) {
	b := newBench(t)
	first := b.start("-F")
	first.Pause()
	b.start("-F")
	b.run(30 * time.Second)
	b.want("PING", b.client().ask(time.Millisecond, "PING"), "PONG")
	first.Signal(env.Terminate)
	first.Resume()
	b.run(10 * time.Second)
	b.wantExit(first, 0)
	b.wantFile(socket, true)
	b.want("PING", b.client().ask(time.Millisecond, "PING"), "PONG")
}

// DS-7: after a crash the number in the PID file may be that of the driver of another UPS.
func TestDriverOfAnotherUPSIsNotTakenForAnOlderInstance(t *testing.T) {
	for _, args := range []string{"-s other -x port=x", "-Fsother -x port=x", "-x port=x -FFs other"} {
		t.Run(args, func(t *testing.T) {
			b := newBench(t)
			other := b.h.Start("toy-ups", strings.Fields(args))
			b.run(time.Second)
			b.h.WriteFile(pidFile, []byte(fmt.Sprintln(other.Pid())))
			p := b.start()
			for _, x := range []struct {
				name string
				ups  interface{ Status() (env.ExitStatus, bool) }
			}{{"other", other}, {"office", p}} {
				if _, ended := x.ups.Status(); ended {
					t.Errorf("the driver of %s has ended:\n%s", x.name, strings.Join(b.log, "\n"))
				}
			}
		})
	}
}

// SOCK-1, the state for people: on request and on WINCH.
func TestDumpOfARunningDriver(t *testing.T) {
	b := newBench(t)
	first := b.start()
	p := b.h.Start("toy-ups", []string{"-a", "office", "-c", "dump"})
	b.run(time.Second)
	b.wantExit(p, 0)
	b.wantInOrder("log", b.log, "device.mfr: ACME", "ups.status: OL")
	b.log = nil
	first.Signal(env.Resized)
	b.run(time.Second)
	b.wantInOrder("log", b.log, "office: device.mfr: ACME", "office: ups.status: OL")
}

func TestQuietDriverLogsLess(t *testing.T) {
	for args, want := range map[string]int{"": 1, "-q": 0} {
		b := newBench(t)
		b.start(strings.Fields(args)...)
		b.client().ask(time.Second, "INSTCMD load.off TRACKING x")
		if n := strings.Count(strings.Join(b.log, "\n"), "INSTCMD load.off"); n != want {
			t.Errorf("with %q a command is logged %d times, want %d", args, n, want)
		}
	}
}

func TestDeviceIsGivenUpWhenToldSo(t *testing.T) {
	b := newBench(t)
	b.conf("reconnect_max_tries = 3")
	p := b.start()
	b.d.err, b.d.absent = transport.ErrGone, transport.ErrNoPort
	b.run(time.Minute)
	b.wantExit(p, 1)
	b.wantInOrder("log", b.log, "giving up after 3 tries")
	b.wantFile(socket, false)
}

// DS-B6: a driver whose device has not answered yet is seen as that, not as half started.
func TestFirstPollMayFail(t *testing.T) {
	b := newBench(t)
	b.d.err = errSilent
	b.start()
	c := b.client()
	b.want("DUMPSTATUS", c.ask(time.Millisecond, "DUMPSTATUS"), "DATASTALE", "DUMPDONE")
	b.d.err = nil
	b.run(3 * time.Second)
	b.wantInOrder("lines", c.lines, "DATAOK")
}

func TestOverrideAndDefault(t *testing.T) {
	b := newBench(t)
	b.conf("override.ups.mfr = Mine\noverride.battery.charge.low = 77\ndefault.ups.id = d\ndefault.battery.packs = 2")
	b.start()
	c := b.client()
	for name, want := range map[string]string{
		"ups.mfr":            `SETINFO ups.mfr "Mine"`,
		"device.mfr":         `SETINFO device.mfr "Mine"`,
		"battery.charge.low": `SETINFO battery.charge.low "77"`,
		"ups.id":             `SETINFO ups.id "x"`,
		"battery.packs":      `SETINFO battery.packs "2"`,
		"driver.parameter.override.battery.charge.low": `SETINFO driver.parameter.override.battery.charge.low "77"`,
	} {
		if got := c.ask(time.Millisecond, "DUMPVALUE "+name); len(got) < 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	b.want("SET of an overridden variable", c.ask(time.Millisecond, `SET battery.charge.low 5 TRACKING x`), "TRACKING x 2")
}

func TestReload(t *testing.T) {
	tests := []struct {
		name, conf, command string
		code                int
		exit                int // -1: it runs on
	}{
		{"what can change live does", "pollinterval = 5", "reload", 0, -1},
		{"or-error is content with that", "pollinterval = 5", "reload-or-error", 0, -1},
		{"or-exit as well", "pollinterval = 5", "reload-or-exit", 0, -1},
		{"a port needs a restart, plain reload only says so", "port = elsewhere", "reload", 0, -1},
		{"or-error fails", "port = elsewhere", "reload-or-error", 3, -1},
		{"or-exit exits for the service manager", "port = elsewhere", "reload-or-exit", 3, 138},
		{"a broken file changes nothing", "sped = 1", "reload", 3, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			p := b.start()
			c := b.client()
			b.conf(tt.conf)
			got := c.ask(time.Second, "INSTCMD driver."+tt.command+" TRACKING x")
			b.wantInOrder("answer", got, fmt.Sprintf("TRACKING x %d", tt.code))
			if tt.exit >= 0 {
				b.wantExit(p, tt.exit)
				return
			}
			if _, ended := p.Status(); ended {
				t.Fatal("the driver has ended")
			}
			before := b.d.polls
			b.run(time.Minute)
			want := 30
			if tt.conf == "pollinterval = 5" {
				want = 12
			}
			if n := b.d.polls - before; n < want-1 || n > want+1 {
				t.Errorf("%d polls in a minute after the reload, want %d", n, want)
			}
		})
	}
}

func TestHangupReloads(t *testing.T) {
	b := newBench(t)
	p := b.start()
	b.conf("pollinterval = 20")
	p.Signal(env.Hangup)
	b.run(time.Second)
	b.wantInOrder("log", b.log, "configuration read again")
}

func TestTellTheRunningDriver(t *testing.T) {
	b := newBench(t)
	p := b.start()
	reload := b.h.Start("toy-ups", []string{"-a", "office", "-c", "reload"})
	b.run(time.Second)
	b.wantExit(reload, 0)
	b.wantInOrder("log", b.log, "configuration read again")
	exit := b.h.Start("toy-ups", []string{"-a", "office", "-c", "exit"})
	b.run(time.Second)
	b.wantExit(exit, 0)
	b.wantExit(p, 0)
}

func TestKillThroughTheRunningDriver(t *testing.T) {
	b := newBench(t)
	p := b.start()
	kill := b.h.Start("toy-ups", []string{"-a", "office", "-k"})
	b.run(time.Second)
	b.wantExit(kill, 0)
	b.wantInOrder("the device", b.d.did, "shutdown")
	b.wantInOrder("events", b.events, "kill shutdown.default=sent DOWN")
	b.wantInOrder("the lock", b.client().ask(time.Millisecond, "DUMPVALUE driver.flag.allow_killpower"), `"0"`)
	if _, ended := p.Status(); ended {
		t.Error("the running driver has ended")
	}
	if b.d.opened != 1 {
		t.Errorf("the device was opened %d times, want once", b.d.opened)
	}
}

func TestKillAlone(t *testing.T) {
	tests := []struct {
		name string
		conf string
		edit func(*toy)
		exit int
		want string
	}{
		{"the driver's own way", "", nil, 0, "kill shutdown.default=sent DOWN"},
		{"the first of sdcommands that works", "sdcommands = \"nope, load.off, shutdown.default\"", nil, 0,
			"kill load.off=accepted OFF"},
		{"a refusal is an error", "", func(d *toy) { d.err = errors.New("refused") }, 1, "kill shutdown.default=refused refused"},
		{"an absent device is an error", "", func(d *toy) { d.absent = transport.ErrNoPort }, 1, ""},
		{"killpower within killpower ends", "sdcommands = driver.killpower", nil, 1, "kill driver.killpower=refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.conf(tt.conf)
			if tt.edit != nil {
				tt.edit(b.d)
			}
			p := b.start("-k")
			b.run(5 * time.Second) // for a device that is away
			b.wantExit(p, tt.exit)
			if tt.want != "" {
				b.wantInOrder("events", b.events, tt.want)
			}
		})
	}
}

// The running driver has lost the device: the new process removes it and tries for itself.
func TestKillGoesOnWithoutTheRunningDriver(t *testing.T) {
	b := newBench(t)
	p := b.start()
	b.d.err, b.d.absent = transport.ErrGone, transport.ErrNoPort
	b.run(10 * time.Second)
	b.d.err, b.d.absent = nil, nil
	kill := b.h.Start("toy-ups", []string{"-a", "office", "-k"})
	b.run(10 * time.Second)
	b.wantExit(kill, 0)
	b.wantInOrder("the device", b.d.did, "shutdown")
	b.wantExit(p, 0)
}

func TestAllowedKillpowerByCommand(t *testing.T) {
	b := newBench(t)
	b.conf("allow_killpower = 1")
	b.start()
	got := b.client().ask(time.Second, "INSTCMD driver.killpower TRACKING x")
	b.wantInOrder("answer", got, `SETINFO driver.state "fsd.killpower"`, "TRACKING x 0")
	b.wantInOrder("the device", b.d.did, "shutdown")
}

func TestFullQueueOfRequestsIsAnswered(t *testing.T) {
	b := newBench(t)
	b.start()
	c := b.client()
	b.d.delay = 20 * time.Second
	b.run(3 * time.Second)
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("INSTCMD load.off TRACKING id%d", i))
	}
	refused := c.ask(time.Millisecond, lines...)
	if len(refused) != 8 {
		t.Errorf("%d of 40 requests were refused at once, want 8: 32 wait", len(refused))
	}
	b.d.delay = 0
	b.run(30 * time.Second)
	if n := strings.Count(strings.Join(c.lines, "\n"), "TRACKING"); n != 40 {
		t.Errorf("%d results for 40 requests", n)
	}
}
