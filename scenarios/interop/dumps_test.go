package interop

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// batch is how many dumps are served at once: enough to make one upsd work, few enough for the
// memory of a small machine, since each has two driver processes.
const batch = 100

// A dump is the variables of a real UPS, as somebody recorded them.
type dump struct {
	ups  string // its name on the bench
	path string
	text string
}

// dumps reads the recordings, or skips.
func dumps(t *testing.T) []dump {
	t.Helper()
	var all []dump
	err := filepath.WalkDir(captures.Dir(t, "dev"), func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".dev" {
			return err
		}
		b, err := os.ReadFile(name)
		all = append(all, dump{fmt.Sprintf("u%03d", len(all)), filepath.Base(name), string(b)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every recording, served by our dummy-ups and our upsd and read by Debian's upsc, shows what was
// recorded, and shows it as Debian's dummy-ups and upsd do.
func TestEveryDumpIsServedAsRecorded(t *testing.T) {
	t.Parallel()
	ours, theirs := kits(t)
	all := dumps(t)
	explained := map[string]int{}
	t.Cleanup(func() {
		for _, because := range slices.Sorted(maps.Keys(explained)) {
			t.Logf("%5d times: %s", explained[because], because)
		}
	})
	for begin := 0; begin < len(all); begin += batch {
		part := all[begin:min(begin+batch, len(all))]
		t.Run(part[0].ups, func(t *testing.T) {
			mine, oracle := serveDumps(t, ours, part), serveDumps(t, theirs, part)
			gots, wants := readAll(mine, theirs, part), readAll(oracle, theirs, part)
			for i, d := range part {
				got, want := gots[i], wants[i]
				for _, diff := range compare(got, want) {
					because := why(unlikeDebian, diff, d, got)
					if explained[because]++; because == "" {
						t.Errorf("%s: unlike Debian's dummy-ups: %v", d.path, diff)
					}
				}
				for _, diff := range compare(got, recorded(d.text)) {
					because := why(unlikeText, diff, d, got)
					if explained[because]++; because == "" {
						t.Errorf("%s: unlike the recording: %v", d.path, diff)
					}
				}
			}
		})
	}
}

// readAll reads every UPS of the bench with upsc, several at once: a C client waits more than it
// works.
func readAll(b *bench, k kit, part []dump) []list {
	lists := make([]list, len(part))
	var wg sync.WaitGroup
	const atOnce = 8
	for first := range atOnce {
		wg.Go(func() {
			for i := first; i < len(part); i += atOnce {
				lists[i] = parseList(b.ask(k.upsc, b.ups(part[i].ups)).out)
			}
		})
	}
	wg.Wait()
	return lists
}

// serveDumps puts a driver on each recording and one upsd on all.
func serveDumps(t *testing.T, k kit, part []dump) *bench {
	t.Helper()
	conf := new(strings.Builder)
	files := map[string]string{
		"upsd.conf":  "LISTEN 127.0.0.1 @port@\nMAXAGE 60\n",
		"upsd.users": "",
	}
	var names []string
	for _, d := range part {
		fmt.Fprintf(conf, "[%s]\n\tdriver = dummy-ups\n\tport = %s.dev\n\tdesc = %q\n", d.ups, d.ups, d.path)
		files[d.ups+".dev"] = d.text
		names = append(names, d.ups)
	}
	files["ups.conf"] = conf.String()
	b := newBench(t, files)
	b.drivers(k.dummy, names...)
	b.serve(k, names...)
	return b
}

// recorded is what a dump says, to the letter.
func recorded(text string) list {
	var l list
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if ok && !strings.HasPrefix(line, "#") {
			l = append(l, variable{name, strings.TrimPrefix(value, " ")})
		}
	}
	return l
}

// A reason explains differences of one kind. It sees the difference, the dump, and all that was
// served.
type reason struct {
	why   string
	holds func(diff difference, d dump, served list) bool
}

func why(reasons []reason, diff difference, d dump, served list) string {
	for _, r := range reasons {
		if r.holds(diff, d, served) {
			return r.why
		}
	}
	return ""
}

// always lists what differs from Debian's programs whatever is served.
var always = []reason{
	{"versions differ between programs, and should",
		func(diff difference, _ dump, _ list) bool { return strings.HasPrefix(diff.name, "driver.version") }},
	{"later versions of NUT have these too",
		func(diff difference, _ dump, _ list) bool {
			names := []string{"driver.debug", "driver.state", "driver.flag.allow_killpower"}
			return (diff.want == nothing || diff.got == nothing) && slices.Contains(names, diff.name)
		}},
	{"the C driver turns auto into yes once its socket was full",
		func(diff difference, _ dump, _ list) bool {
			return diff == difference{"driver.parameter.synchronous", `"auto"`, `"yes"`}
		}},
	{"the C driver copies ups.* to device.* with the backslashes of the wire",
		func(diff difference, _ dump, _ list) bool {
			value, err := strconv.Unquote(diff.got)
			wire := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `#`, `\#`).Replace(value)
			return err == nil && strings.HasPrefix(diff.name, "device.") && diff.want == strconv.Quote(wire)
		}},
}

// unlikeDebian lists how we differ from the C dummy-ups of 2.8.0 on purpose.
var unlikeDebian = append(slices.Clip(always), []reason{
	{"a recording is served to the letter; the C program takes it for configuration text",
		func(diff difference, d dump, _ list) bool {
			return diff.got != nothing && diff.got == recorded(d.text).quoted(diff.name)
		}},
	{"no maker, model or serial number is invented for a recording",
		func(diff difference, _ dump, _ list) bool {
			_, name, _ := strings.Cut(diff.name, ".")
			return diff.got == nothing && slices.Contains([]string{"mfr", "model", "serial"}, name)
		}},
	{"device.* follow their namesakes below ups.", follows},
}...)

// unlikeText lists how what is served differs from the text of a recording.
var unlikeText = []reason{
	{"driver.* tell of the driver that serves, not of the one that recorded",
		func(diff difference, _ dump, _ list) bool { return strings.HasPrefix(diff.name, "driver.") }},
	{"device.* follow their namesakes below ups.", follows},
	{"a device is a UPS unless it says something else",
		func(diff difference, _ dump, _ list) bool { return diff == difference{"device.type", `"ups"`, nothing} }},
	{"dummy-ups is on line until it is told otherwise",
		func(diff difference, _ dump, _ list) bool { return diff == difference{"ups.status", `"OL"`, nothing} }},
	{"the protocol is printable ASCII",
		func(diff difference, _ dump, _ list) bool {
			ascii := strings.Map(func(r rune) rune {
				if r > 126 {
					return -1
				}
				return r
			}, diff.want)
			return ascii != diff.want && diff.got == ascii
		}},
	{"upsd sorts the names",
		func(diff difference, _ dump, _ list) bool { return diff.name == order }},
}

// follows reports whether a variable below device. has the value of the one below ups.
func follows(diff difference, _ dump, served list) bool {
	rest, ok := strings.CutPrefix(diff.name, "device.")
	return ok && diff.got == served.quoted("ups."+rest)
}
