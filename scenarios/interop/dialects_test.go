package interop

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// A spoken dialect is one that the emulator speaks, and how the two drivers are to find it.
type spoken struct {
	prog    string // driver program
	dialect string // of the emulator
	conf    string // further lines of ups.conf
	last    string // of a unit that cannot be switched off: NUT's last word of an outage, else LB
}

// spokenDialects are all that Debian's drivers know, but for masterguard: 2.8.0 has its table and
// never claims a device for it (it looks for a variable that the table calls otherwise).
var spokenDialects = []spoken{
	{prog: "nutdrv_qx", dialect: "megatec"},
	{prog: "nutdrv_qx", dialect: "megatec/old"},
	{prog: "nutdrv_qx", dialect: "mustek"},
	{prog: "nutdrv_qx", dialect: "zinto"},
	{prog: "nutdrv_qx", dialect: "q1"},
	{prog: "nutdrv_qx", dialect: "mecer"},
	{prog: "nutdrv_qx", dialect: "hunnox", conf: "protocol = hunnox\n"},
	{prog: "nutdrv_qx", dialect: "bestups"},
	{prog: "nutdrv_qx", dialect: "ablerex", conf: "protocol = ablerex\n"},
	{prog: "nutdrv_qx", dialect: "voltronic"},
	{prog: "nutdrv_qx", dialect: "voltronic-qs"},
	{prog: "nutdrv_qx", dialect: "voltronic-qs-hex"},
	{prog: "blazer_ser", dialect: "megatec"},
	{prog: "blazer_ser", dialect: "megatec/old"},
	{prog: "blazer_ser", dialect: "mustek"},
}

// newerDialects are those that a later release of NUT knows besides, or finds at last: all but
// innovart33, which 2.8.5 takes for innovart31, and does not find with protocol = innovart33 either
// (it looks for variables that this table has by other names). It finds q2 and q6 only when told,
// because innovatae comes first, which claims whatever knows Q1.
var newerDialects = []spoken{
	{prog: "nutdrv_qx", dialect: "voltronic-qs-h"},
	{prog: "nutdrv_qx", dialect: "voltronic-axpert", last: "OB"},
	{prog: "nutdrv_qx", dialect: "masterguard"},
	{prog: "nutdrv_qx", dialect: "gtec"},
	{prog: "nutdrv_qx", dialect: "q2", conf: "protocol = q2\n"},
	{prog: "nutdrv_qx", dialect: "q6", conf: "protocol = q6\n"},
	{prog: "nutdrv_qx", dialect: "innovart31"},
	{prog: "nutdrv_qx", dialect: "innovatae", conf: "protocol = innovatae\n"},
	{prog: "nutdrv_qx", dialect: "omron", conf: "protocol = omron\n"},
}

// otherDriver is the environment variable that names the nutdrv_qx of another release of NUT than
// Debian's, to be compared with ours.
const otherDriver = "BLACKSTART_OTHER_NUTDRV_QX"

// driverLimit is for one run of a driver: finding a dialect takes up to 30 s.
const driverLimit = 2 * time.Minute

// Debian's drivers and ours, on the same emulated device, find the same dialect, report the same
// variables and kill the power by the same commands.
func TestDialectsAsDebiansDriversSeeThem(t *testing.T) {
	t.Parallel()
	kits(t)
	compareDialects(t, "dialect", spokenDialects, func(prog string) string { return "/lib/nut/" + prog })
}

// The same with the nutdrv_qx of another release.
func TestDialectsAsAnotherReleaseSeesThem(t *testing.T) {
	kits(t)
	other := os.Getenv(otherDriver)
	if other == "" {
		t.Skipf("%s names no nutdrv_qx of another release than Debian's", otherDriver)
	}
	list := slices.Concat(slices.DeleteFunc(slices.Clone(spokenDialects), func(s spoken) bool {
		return s.prog != "nutdrv_qx"
	}), newerDialects)
	compareDialects(t, "newer dialect", list, func(string) string { return other })
}

// compareDialects compares what NUT's drivers and ours say about emulated devices.
func compareDialects(t *testing.T, part string, list []spoken, theirs func(prog string) string) {
	results := make([][2]string, len(list))
	t.Run("drivers", func(t *testing.T) {
		for i, s := range list {
			for j, prog := range []string{theirs(s.prog), binDir + "/" + s.prog} {
				t.Run(strings.Join([]string{s.prog, s.dialect, []string{"nut", "ours"}[j]}, " "),
					func(t *testing.T) {
						t.Parallel()
						results[i][j] = s.report(t, prog)
					})
			}
		}
	})
	c := newComparison(t, part)
	defer c.done()
	for i, s := range list {
		nut, ours := byName(results[i][0]), byName(results[i][1])
		names := maps.Clone(nut)
		maps.Copy(names, ours)
		for _, n := range slices.Sorted(maps.Keys(names)) {
			c.compare(s.prog+" "+s.dialect+" "+n, nut[n], ours[n])
		}
	}
}

// byName are the lines "name: value" of a report.
func byName(report string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(report) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			all[name] = value
		}
	}
	return all
}

// report is what a driver says about an emulated device, the name of the dialect without its
// version, and the last commands of a kill-power run.
func (s spoken) report(t *testing.T, prog string) string {
	if _, err := os.Stat(prog); err != nil {
		missing(t, "%v", err)
	}
	b := newBench(t, map[string]string{
		"ups.conf": fmt.Sprintf("[rack]\n\tdriver = %s\n\tport = @conf@/tty\n%s", s.prog, s.conf),
	})
	sim := b.start(binDir+"/upsim", "serve", "megatec", "--dialect="+s.dialect, "-q",
		"--pty="+b.conf+"/tty", "--control="+b.dir+"/ctl")
	sim.waitFor(t, "is ready on")
	driver := pair{driver: prog}.start(b)
	report := b.dumpUntil(t, s.prog, "ups.status", "OL")
	b.finish(binDir+"/upsim", "ctl", b.dir+"/ctl", "mains", "off")
	b.finish(binDir+"/upsim", "ctl", b.dir+"/ctl", "battery", "10")
	last := "LB"
	if s.last != "" && !strings.HasPrefix(prog, binDir) {
		last = s.last
	}
	for line := range strings.Lines(b.dumpUntil(t, s.prog, "ups.status", last).String()) {
		if strings.HasPrefix(line, "ups.status: ") || strings.HasPrefix(line, "ups.alarm: ") {
			fmt.Fprintf(report, "outage %s", line)
		}
	}
	kill(driver)
	if s.last != "" {
		return report.String()
	}
	b.finish(prog, "-a", "rack", "-k")
	words := strings.Fields(b.finish(binDir+"/upsim", "ctl", b.dir+"/ctl", "seen"))
	fmt.Fprintf(report, "kill: %s\n", strings.Join(words[max(0, len(words)-2):], " "))
	return report.String()
}

// dumpUntil asks a driver's socket until a variable contains a word, and returns all that can be
// compared: variables, commands, what can be set. CHRG and DISCHRG, which ours deduces where the
// device does not say it, and driver variables but the name of the dialect are left out.
func (b *bench) dumpUntil(t *testing.T, prog, variable, word string) *strings.Builder {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < driverLimit; time.Sleep(300 * time.Millisecond) {
		var report strings.Builder
		for _, line := range b.dumpAll(prog) {
			verb, rest, _ := strings.Cut(line, " ")
			name, value, _ := strings.Cut(rest, " ")
			value = strings.TrimSpace(strings.Trim(value, `"`))
			value = strings.TrimSuffix(strings.TrimSuffix(value, " CHRG"), " DISCHRG")
			switch {
			case name == "driver.version.data" && verb == "SETINFO":
				title, _, _ := strings.Cut(value, " ")
				fmt.Fprintf(&report, "%s: %s\n", name, title)
			case strings.HasPrefix(name, "driver.") || name == "shutdown.default":
			case verb == "SETINFO":
				fmt.Fprintf(&report, "%s: %s\n", name, value)
			case verb == "ADDCMD", verb == "ADDENUM", verb == "ADDRANGE", verb == "SETFLAGS":
				fmt.Fprintf(&report, "%s: yes\n", strings.TrimSpace(line))
			}
		}
		if strings.Contains(byName(report.String())[variable], word) {
			return &report
		}
	}
	t.Errorf("%s: %s did not become %s", prog, variable, word)
	return &strings.Builder{}
}

// dumpAll is one DUMPALL.
func (b *bench) dumpAll(prog string) (lines []string) {
	c, err := net.Dial("unix", b.run+"/"+prog+"-rack")
	if err != nil {
		return nil
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, "DUMPALL")
	for r := bufio.NewScanner(c); r.Scan() && r.Text() != "DUMPDONE"; {
		lines = append(lines, r.Text())
	}
	fmt.Fprintln(c, "LOGOUT")
	return lines
}

// finish runs a program to its end and returns what it prints.
func (b *bench) finish(prog string, args ...string) string {
	b.t.Helper()
	if strings.HasPrefix(args[0], "-") {
		args = append(asRoot(), args...)
	}
	cmd := exec.Command(prog, args...)
	cmd.Env, cmd.Dir = b.env(), b.dir
	cmd.WaitDelay = time.Second
	timer := time.AfterFunc(driverLimit, func() { cmd.Process.Kill() })
	defer timer.Stop()
	out, err := cmd.Output()
	if err != nil {
		b.t.Logf("%s %q: %v", prog, args, err)
	}
	return string(out)
}
