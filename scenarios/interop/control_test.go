package interop

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// yard is a configuration with drivers that start, one that does not, and one that is missing.
var yard = map[string]string{
	"ups.conf": `
user = root
maxretry = 1
[a]
	driver = dummy-ups
	port = a.dev
	sdorder = 2
[b]
	driver = dummy-ups
	port = a.dev
	sdorder = 0
[c]
	driver = dummy-ups
	port = a.dev
	sdorder = -1
[absent]
	driver = dummy-ups
	port = absent.dev
[missing]
	driver = nosuchdriver
	port = /dev/null
[slip]
	driver = dummy-ups
	port = a.dev
	bogus = 1
[loose]
	driver = dummy-ups
	port = a.dev
	ignorelb
[blind]
	driver = dummy-ups
	port = blind.dev
	ignorelb
[quick]
	driver = dummy-ups
	port = a.dev
	pollinterval = 0
[old]
	driver = dummy-ups
	port = a.dev
	sddelay = 5
	debug_min = 0
[portless]
	driver = dummy-ups
`,
	"a.dev":     "ups.status: OL\nbattery.charge: 90\nbattery.charge.low: 20\n",
	"blind.dev": "ups.status: OL\n",
}

// controls are command lines of upsdrvctl (ctl) and of dummy-ups (drv). Those of one entry follow
// each other in one room; a line is compared by its exit code, by the fragments below that it
// prints, by what it plans, and by the drivers that run afterwards.
var controls = [][]string{
	{"ctl"}, {"ctl -h"}, {"ctl -V"}, {"ctl -Z"}, {"ctl bogus"}, {"ctl start nobody"}, {"ctl stop nobody"},
	{"ctl shutdown nobody"}, {"ctl start a b"},
	{"ctl start a", "ctl stop a", "ctl stop a", "ctl start a", "ctl stop"}, {"ctl start a", "ctl start a"},
	{"ctl start absent"}, {"ctl start missing"}, {"ctl start slip"}, {"ctl start"}, {"ctl stop"},
	{"ctl -t start a"}, {"ctl -t stop a"}, {"ctl -t shutdown a"}, {"ctl -t shutdown"}, {"ctl -u root -t start a"},
	{"ctl -r /x -t start a"}, {"ctl -D -t start a"}, {"ctl -d -D -t start a"}, {"ctl shutdown a"},
	{"ctl list"}, {"ctl -l"}, {"ctl start a", "ctl status a"}, {"ctl status"}, {"ctl -c reload a"},
	{"ctl start a", "ctl -c reload a"},
	{"drv"}, {"drv -h"}, {"drv -V"}, {"drv -L"}, {"drv -Z"}, {"drv -a"}, {"drv -a nobody"}, {"drv -a missing"},
	{"drv -a portless"}, {"drv -a a extra"}, {"drv -a a -x bogus"}, {"drv -a a -x bogus=1"}, {"drv -a slip"},
	{"drv -a a -i 0"}, {"drv -a quick"}, {"drv -a old -d 1"}, {"drv -a a -x port=absent.dev -d 1"}, {"drv -a a -d 1"},
	{"drv -a a -i 1 -d 2"}, {"drv -s z"}, {"drv -s z -u root -x port=a.dev -d 1"}, {"drv -a a -s z -d 1"}, {"drv -a a -k"},
	{"drv -a a", "drv -a a"}, {"drv -a a", "ctl stop a"}, {"drv -a a -u root", "ctl stop a"}, {"drv -a loose -d 1"},
	{"drv -a blind -d 1"}, {"drv -a a -c reload"}, {"drv -a a -c dump"}, {"drv -a a -q -d 1"},
	{"drv -a a -D -d 1"}, {"drv -a c -DB", "ctl stop c"}, {"drv -a nobody -k"}, {"drv -u nosuchaccount -a a"},
}

// fragments are what people and scripts look for in the output.
var fragments = []string{
	"usage: ", "not found in ups.conf", "unrecognized command", "Can't open", "Can't start", "Driver failed to start",
	"Testing mode: not calling exec/kill", "shutdown not supported", "is now mandatory", "VALUE mode",
	"ups.status: OL", "device.type: ups", "driver.parameter.pollinterval: 1",
	"No such file or directory", "nosuchaccount not found", "kill the driver", "UPSNAME",
}

// A drill is a kit's two programs for the same jobs.
type drill struct{ ctl, drv string }

func TestDriverCommandLines(t *testing.T) {
	t.Parallel()
	ours, theirs := kits(t)
	if os.Getuid() != 0 {
		t.Skip("the drivers run as root here, so that their folders need not be everybody's")
	}
	nut := drill{"/sbin/upsdrvctl", theirs.dummy}
	mine := drill{filepath.Dir(ours.dummy) + "/upsdrvctl", ours.dummy}
	c := newComparison(t, "control")
	// C drivers sleep more than they work, so that several rooms may be open at a time.
	const rooms = 4
	want, got := make([][]string, len(controls)), make([][]string, len(controls))
	var wg sync.WaitGroup
	for first := range rooms {
		wg.Go(func() {
			for i := first; i < len(controls); i += rooms {
				want[i], got[i] = nut.runAll(t, controls[i]), mine.runAll(t, controls[i])
			}
		})
	}
	wg.Wait()
	for n, lines := range controls {
		for i := range lines {
			c.compare(strings.Join(lines[:i+1], "; "), want[n][i], got[n][i])
		}
	}
	c.done()
}

// runAll runs command lines one after the other, and ends what they have started.
func (d drill) runAll(t *testing.T, lines []string) []string {
	t.Helper()
	b := newBench(t, yard)
	defer func() {
		for _, pid := range b.running() {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}()
	var all []string
	for _, l := range lines {
		words := strings.Fields(l)
		prog := map[string]string{"ctl": d.ctl, "drv": d.drv}[words[0]]
		a := b.ask(prog, words[1:]...)
		switch {
		case slices.Contains(words, "-t"):
		case slices.Contains(words, "stop"):
			b.settle(func() bool { return len(b.running()) == 0 })
		case l == "ctl start": // the last of a, b and c is not waited for
			b.settle(func() bool { return len(b.running()) >= 3 })
		case a.code == 0 && (words[0] == "drv" || slices.Contains(words, "start")) &&
			!slices.ContainsFunc([]string{"-d", "-h", "-V", "-L"}, func(f string) bool { return slices.Contains(words, f) }):
			b.settle(func() bool { return len(b.running()) > 0 })
		}
		all = append(all, b.essence(a))
	}
	return all
}

// running are the processes that PID files name and that live, by UPS.
func (b *bench) running() map[string]int {
	pids := map[string]int{}
	files, _ := filepath.Glob(b.run + "/dummy-ups-*.pid")
	for _, f := range files {
		text, _ := os.ReadFile(f)
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && pid > 1 && lives(pid) {
			_, ups, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".pid"), "dummy-ups-")
			pids[ups] = pid
		}
	}
	return pids
}

// lives reports whether a process runs and is no zombie.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// plan finds what upsdrvctl would run.
var plan = regexp.MustCompile(`exec: +\S*/(\S+)(.*)`)

// essence is what is compared of a command line.
func (b *bench) essence(a answer) string {
	text := a.out + a.err
	var seen []string
	for _, f := range fragments {
		if strings.Contains(text, f) {
			seen = append(seen, strings.TrimSpace(f))
		}
	}
	for _, m := range plan.FindAllStringSubmatch(text, -1) {
		words := strings.Fields(m[2])
		slices.Sort(words) // the order of flags is nobody's business
		seen = append(seen, "plans "+m[1]+" "+strings.Join(words, " "))
	}
	seen = append(seen, "runs: "+strings.Join(slices.Sorted(maps.Keys(b.running())), " "))
	return fmt.Sprintf("exit %d\n%s", a.code, strings.Join(seen, "\n"))
}

// settle waits a while for drivers that were told to end, or to start: the C programs return before
// that is so.
func (b *bench) settle(done func() bool) {
	for begin := time.Now(); !done() && time.Since(begin) < stopLimit; {
		time.Sleep(20 * time.Millisecond)
	}
}
