package upssched_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upssched"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

const files = `CMDSCRIPT script
PIPEFN /run/nut/upssched.pipe
LOCKFN /run/nut/upssched.lock
`

// A bench is a virtual host with upssched and a script that notes what it was called with.
type bench struct {
	t     *testing.T
	w     *world.World
	h     *world.Host
	ran   []string // "seconds name TYPE UPS message"
	slow  map[string]time.Duration
	fails env.ExitStatus // what the script ends with
	any   bool           // every program is the script
	log   strings.Builder
}

func newBench(t *testing.T, rules string) *bench {
	b := &bench{t: t, slow: map[string]time.Duration{}}
	b.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			if b.any && name != "upssched" {
				name = "script"
			}
			return map[string]env.Main{"upssched": upssched.Main, "script": b.script}[name]
		},
		Console: func(_ env.Instant, _, _, line string) { b.log.WriteString(line + "\n") },
	})
	t.Cleanup(func() {
		if err := b.w.Close(); err != nil {
			t.Error(err)
		}
	})
	b.h = b.w.Host("nas")
	b.h.PowerOn()
	b.conf(files + rules)
	return b
}

func (b *bench) conf(text string) { b.h.WriteFile("/etc/nut/upssched.conf", []byte(text)) }

func (b *bench) script(e env.Env, args []string) int {
	get := e.Host().Getenv
	b.ran = append(b.ran, strings.Join([]string{b.clock(), strings.Join(args, " "), get("NOTIFYTYPE"),
		get("UPSNAME"), get("NOTIFYMSG")}, " "))
	e.Sleep(b.slow[args[len(args)-1]])
	return int(b.fails)
}

func (b *bench) clock() string {
	return fmt.Sprintf("%.0f", time.Duration(b.w.Now()).Seconds())
}

// event runs upssched as upsmon does, without waiting for it.
func (b *bench) event(kind, ups string) *world.Process {
	return b.h.Start("upssched", []string{kind + " of " + ups}, "NOTIFYTYPE="+kind, "UPSNAME="+ups)
}

func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	if err := b.w.RunFor(d); err != nil {
		b.t.Fatal(err)
	}
}

// to lets time pass until so many seconds after the beginning.
func (b *bench) to(seconds float64) {
	b.t.Helper()
	b.pass(time.Duration(seconds*float64(time.Second)) - time.Duration(b.w.Now()))
}

func (b *bench) expect(want ...string) {
	b.t.Helper()
	if !slices.Equal(b.ran, want) {
		b.t.Errorf("scripts that ran:\n%s\nwant:\n%s\nlog:\n%s", strings.Join(b.ran, "\n"),
			strings.Join(want, "\n"), b.log.String())
	}
}

const manual = `AT ONBATT * START-TIMER onbattwarn 30
AT ONLINE * CANCEL-TIMER onbattwarn ups-back
AT LOWBATT * EXECUTE lowbatt
`

// The examples of the manual, SCHED-1 to SCHED-8, SCHED-11. `upssched.md 1 message` and
// `upssched.md 2 EXECUTE`: each script has type, UPS and text of its own event. US-5: on time.
func TestTimersFireOrAreCancelled(t *testing.T) {
	tests := []struct {
		name  string
		rules string
		steps []string // "seconds TYPE UPS"
		want  []string
	}{
		{"upssched.md 5 ONBATT a, ONBATT b, wait 30", manual,
			[]string{"0 ONBATT a", "5 ONBATT b"},
			[]string{"30 onbattwarn ONBATT a ONBATT of a", "35 onbattwarn ONBATT b ONBATT of b"}},
		{"upssched.md 5 ONBATT a, ONBATT b, ONLINE a", manual,
			[]string{"0 ONBATT a", "5 ONBATT b", "10 ONLINE a"}, nil},
		{"upssched.md 5 ONLINE a with nothing pending", manual,
			[]string{"0 ONLINE a"}, []string{"0 ups-back ONLINE a ONLINE of a"}},
		{"upssched.md 2 CANCEL-TIMER: nor any more", manual,
			[]string{"0 ONBATT a", "40 ONLINE a"},
			[]string{"30 onbattwarn ONBATT a ONBATT of a", "40 ups-back ONLINE a ONLINE of a"}},
		{"upssched.md 5 LOWBATT a", manual, []string{"3 LOWBATT a"}, []string{"3 lowbatt LOWBATT a LOWBATT of a"}},
		{"upssched.md 2 AT: another UPS is none of this rule's business", "AT ONBATT a START-TIMER x 3\n",
			[]string{"0 ONBATT b", "0 ONBATT a"}, []string{"3 x ONBATT a ONBATT of a"}},
		{"letter case of the type does not count", "AT onbatt * EXECUTE x\n",
			[]string{"0 ONBATT a"}, []string{"0 x ONBATT a ONBATT of a"}},
		{"all rules that match, in order", "AT ONBATT * EXECUTE x\nAT ONBATT a EXECUTE y\nAT ONBATT * START-TIMER z 1\n",
			[]string{"0 ONBATT a"},
			[]string{"0 x ONBATT a ONBATT of a", "0 y ONBATT a ONBATT of a", "1 z ONBATT a ONBATT of a"}},
		{"0 seconds", "AT ONBATT * START-TIMER x 0\nAT ONBATT * START-TIMER y\n",
			[]string{"0 ONBATT a"}, []string{"0 x ONBATT a ONBATT of a", "0 y ONBATT a ONBATT of a"}},
		{"upssched.md 2 START-TIMER: the same again is a timer of its own", "AT ONBATT * START-TIMER x 9\n",
			[]string{"0 ONBATT a", "2 ONBATT a"},
			[]string{"9 x ONBATT a ONBATT of a", "11 x ONBATT a ONBATT of a"}},
		{"upssched.md 2 START-TIMER-SHARED: a shared one is not", "AT ONBATT * START-TIMER-SHARED x 9\nAT ONLINE * CANCEL-TIMER x\n",
			[]string{"0 ONBATT a", "2 ONBATT b", "3 ONBATT a"},
			[]string{"9 x ONBATT a,b ONBATT of a.\tONBATT of b"}},
		{"upssched.md 2 CANCEL-TIMER-MATCHED: only this UPS's", "AT ONBATT * START-TIMER x 9\nAT ONLINE * CANCEL-TIMER-MATCHED x\n",
			[]string{"0 ONBATT a", "1 ONBATT b", "2 ONLINE a"}, []string{"10 x ONBATT b ONBATT of b"}},
		{"a shared one goes on for the others", "AT ONBATT * START-TIMER-SHARED x 9\nAT ONLINE * CANCEL-TIMER-MATCHED x\n",
			[]string{"0 ONBATT a", "1 ONBATT b", "2 ONLINE a"}, []string{"9 x ONBATT b ONBATT of b"}},
		{"matched by none", "AT ONBATT * START-TIMER x 9\nAT ONLINE * CANCEL-TIMER-MATCHED x none\n",
			[]string{"0 ONBATT b", "2 ONLINE a"},
			[]string{"2 none ONLINE a ONLINE of a", "9 x ONBATT b ONBATT of b"}},
		{"power that flaps starts one timer at a time", manual,
			[]string{"0 ONBATT a", "20 ONLINE a", "25 ONBATT a", "50 ONLINE a", "52 ONBATT a"},
			[]string{"82 onbattwarn ONBATT a ONBATT of a"}},
		{"a year from now comes after the bench is taken down", "AT ONBATT * START-TIMER x 2000000000\n",
			[]string{"0 ONBATT a"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, tt.rules)
			for _, s := range tt.steps {
				var at float64
				var kind, ups string
				fmt.Sscan(s, &at, &kind, &ups)
				b.to(at)
				p := b.event(kind, ups)
				b.pass(10 * time.Millisecond)
				if p.Background() {
					continue
				}
				if code, ended := p.Status(); !ended || code != 0 {
					t.Errorf("%s: upssched ended %v with %d, want 0", s, ended, code)
				}
			}
			b.pass(2 * time.Minute)
			b.expect(tt.want...)
		})
	}
}

// US-1, US-2, `upssched.md 2 LOCKFN file`: one keeper however many begin at once, and it goes when it has nothing to keep.
func TestManyAtOnceLoseNoTimer(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 10\n")
	var want []string
	for i := range 40 {
		b.event("ONBATT", fmt.Sprint("u", i))
		want = append(want, fmt.Sprintf("x ONBATT u%d ONBATT of u%d", i, i))
	}
	b.to(9)
	if n := len(b.h.Find("upssched")); n != 1 {
		t.Errorf("%d processes keep timers, want 1", n)
	}
	b.to(14)
	for i, line := range b.ran {
		_, b.ran[i], _ = strings.Cut(line, " ") // they come one after the other
	}
	slices.Sort(b.ran)
	slices.Sort(want)
	b.expect(want...)
	b.to(24)
	if n := len(b.h.Find("upssched")); n != 1 {
		t.Errorf("14 s after the last timer %d processes stay, want 1", n)
	}
	b.to(27)
	if n := len(b.h.Find("upssched")); n != 0 {
		t.Errorf("%d processes stay without a timer", n)
	}
	if _, ok := b.h.File("/run/nut/upssched.pipe"); ok {
		t.Error("the socket stays behind")
	}
}

// A keeper that is about to go and an event that comes just then: whoever wins, the timer fires.
func TestTheLastMomentOfAKeeper(t *testing.T) {
	for ms := 14900; ms <= 15100; ms += 5 {
		b := newBench(t, "AT ONBATT * START-TIMER x 1\n")
		b.event("ONBATT", "a")
		b.to(1 + float64(ms)/1000)
		b.event("ONBATT", "b")
		b.pass(3 * time.Second)
		if len(b.ran) != 2 {
			t.Fatalf("%d ms after the last timer: %d scripts ran, want 2; log:\n%s", ms, len(b.ran), b.log.String())
		}
	}
}

// US-7.
func TestAKilledKeeperIsNoObstacle(t *testing.T) {
	b := newBench(t, manual)
	b.event("ONBATT", "a")
	b.to(5)
	b.h.Find("upssched")[0].Kill()
	b.event("ONBATT", "b")
	b.to(60)
	b.expect("35 onbattwarn ONBATT b ONBATT of b") // those of the killed one are lost, as ever
}

// US-3, done better: a keeper that hangs is told from one that is not there, and nothing waits for ever.
func TestAHungKeeperIsReplaced(t *testing.T) {
	b := newBench(t, manual)
	b.event("ONBATT", "a")
	b.to(5)
	b.h.Find("upssched")[0].Pause()
	b.event("ONBATT", "b")
	b.to(120)
	if len(b.ran) != 1 || !strings.HasSuffix(b.ran[0], "onbattwarn ONBATT b ONBATT of b") {
		t.Errorf("ran %q; log:\n%s", b.ran, b.log.String())
	}
}

// US-4, done better, and US-6: a slow script delays no timer, and its neighbour of the same instant by 5 s at most.
func TestSlowScripts(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER mail 2\nAT ONBATT * START-TIMER log 2\nAT ONBATT * START-TIMER down 4\n")
	b.slow["mail"] = 10 * time.Minute
	b.event("ONBATT", "a")
	b.to(20)
	b.expect("2 mail ONBATT a ONBATT of a", "4 down ONBATT a ONBATT of a", "7 log ONBATT a ONBATT of a")
}

func (b *bench) output(environ []string, args ...string) (code env.ExitStatus, out string) {
	b.t.Helper()
	var text strings.Builder
	p := b.h.StartTo(&text, &text, "upssched", args, environ...)
	b.pass(time.Second)
	code, ended := p.Status()
	if !ended {
		b.t.Fatalf("upssched %q goes on", args)
	}
	return code, text.String()
}

func TestList(t *testing.T) {
	b := newBench(t, "AT ONBATT * START-TIMER x 30\nAT COMMBAD * START-TIMER-SHARED shr 40\n")
	if code, _ := b.output(nil, "-l"); code != 1 {
		t.Errorf("without a timer: exit status %d, want 1", code)
	}
	b.event("ONBATT", "u1@h")
	b.event("COMMBAD", "u1@h")
	b.event("COMMBAD", "u2@h")
	b.pass(time.Second)
	code, out := b.output(nil, "-l")
	epoch := func(line string) string { return strings.Split(line, "\t")[1] }
	lines := strings.Split(out, "\n")
	want := fmt.Sprintf("x\t%s\t30\tONBATT\tu1@h\tONBATT of u1@h\n"+
		"shr\t%s\t40\tCOMMBAD\tu1@h,u2@h\tCOMMBAD of u1@h.\tCOMMBAD of u2@h\n", epoch(lines[0]), epoch(lines[1]))
	if code != 0 || out != want {
		t.Errorf("exit status %d, list\n%q, want\n%q", code, out, want)
	}
}

func TestExitCodesAndComplaints(t *testing.T) {
	event := []string{"NOTIFYTYPE=ONBATT", "UPSNAME=a"}
	tests := []struct {
		name string
		conf string
		env  []string
		args []string
		code env.ExitStatus
		want string
	}{
		{"upssched.md 1 environment needed", files + manual, nil, []string{"x"}, 1,
			"Error: environment variables UPSNAME and NOTIFYTYPE must be set."},
		{"an empty UPSNAME is one", files + manual, []string{"NOTIFYTYPE=SHUTDOWN", "UPSNAME="}, nil, 0, ""},
		{"upssched.md 1 configuration", "-", event, nil, 1, "Can't open /etc/nut/upssched.conf: "},
		{"no CMDSCRIPT", "PIPEFN /run/p\nLOCKFN /run/l\nAT ONBATT * EXECUTE x\n", event, nil, 1,
			"CMDSCRIPT must be set before any ATs in the config file!"},
		{"no PIPEFN", "CMDSCRIPT x\nLOCKFN /run/l\nAT ONBATT * EXECUTE x\n", event, nil, 1,
			"PIPEFN must be set before any ATs in the config file!"},
		{"wrong lines are left out, aloud", files + "FOO bar\nAT ONBATT * EXECUTE x\n", event, nil, 0,
			"/etc/nut/upssched.conf:4:1: \"FOO\": invalid directive"},
		{"... and counted", files + "FOO bar\nAT ONBATT * DANCE x\n", event, nil, 0,
			"Encountered 2 config errors, those entries were ignored"},
		{"a timer before now", files + "AT ONBATT * START-TIMER x -5\n", event, nil, 0,
			"bogus offset for a timer"},
		{"upssched.md 1 flags", files, event, []string{"-Z"}, 1, "usage: upssched"},
		{"help", files, nil, []string{"-h"}, 0, "START-TIMER-SHARED"},
		{"version", files, nil, []string{"-V"}, 0, "Network UPS Tools upssched 2.8.5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, "")
			if tt.conf != "-" {
				b.conf(tt.conf)
			} else {
				b.h.PowerOff()
				b.h = b.w.Host("other")
				b.h.PowerOn()
			}
			code, out := b.output(tt.env, tt.args...)
			if all := out + b.log.String(); code != tt.code || !strings.Contains(all, tt.want) {
				t.Errorf("exit status %d, want %d; said\n%s\nwant %q", code, tt.code, all, tt.want)
			}
		})
	}
}

func TestLint(t *testing.T) {
	b := newBench(t, "")
	b.h.WriteFile("/opt/script", nil)
	b.h.WriteFile("/etc/nut/upsmon.conf", []byte("MONITOR rack@nas 1 u p primary\n"+
		"NOTIFYCMD /sbin/upssched\nNOTIFYFLAG ONBATT EXEC\nNOTIFYFLAG ONLINE EXEC\n"))
	b.conf(`AT ONBATT * START-TIMER forgotten 30
CMDSCRIPT /opt/script
PIPEFN /nowhere/pipe
LOCKFN /run/nut/lock
AT ONLINE * CANCEL-TIMER forgoten
AT ONBATT desk@nas EXECUTE x
AT LOWBATT * EXECUTE low
AT ONBATTERY * EXECUTE y
AT ONBATT * START-TIMER ten 10s
AT ONLINE * CANCEL-TIMER ten
`)
	code, out := b.output(nil, "-t")
	for _, want := range []string{
		`:1:1: "AT": CMDSCRIPT must be set before any ATs`,
		`:1:1: "forgotten": a timer that no line cancels`,
		`:5:1: "forgoten": no line starts a timer of this name`,
		`:6:1: "ONBATT desk@nas": upsmon watches no UPS of this name; want one of rack@nas, or *`,
		`:7:1: "LOWBATT *": upsmon runs no command for this type; want NOTIFYFLAG LOWBATT with EXEC`,
		`:8:4: "ONBATTERY": `,
		`"/opt/script": CMDSCRIPT is not a program; want a file that may be executed: chmod +x`,
		`"/nowhere/pipe": PIPEFN: there is no such folder`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %s", want)
		}
	}
	if code != 1 || t.Failed() {
		t.Errorf("exit status %d, want 1; said\n%s", code, out)
	}
}
