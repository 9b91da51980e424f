package interop

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// closureTypes is how many cables genericups knows.
const closureTypes = 24

// Debian's genericups and ours, on the same emulated contact closures, say the same in an outage and
// switch the load off. A pseudo-terminal has no modem lines: Debian's gets them from a library that
// is loaded with it.
func TestContactClosuresAsDebiansDriverSeesThem(t *testing.T) {
	t.Parallel()
	kits(t)
	library := filepath.Join(t.TempDir(), "closure.so")
	build := exec.Command("gcc", "-shared", "-fPIC", "-o", library, "testdata/closure.c", "-ldl")
	if out, err := build.CombinedOutput(); err != nil {
		missing(t, "gcc: %v %s", err, out)
	}
	var results [closureTypes][2]string
	t.Run("drivers", func(t *testing.T) {
		for i := range closureTypes {
			for j, prog := range []string{"/lib/nut/genericups", binDir + "/genericups"} {
				t.Run(fmt.Sprintf("type %d %s", i, []string{"nut", "ours"}[j]), func(t *testing.T) {
					t.Parallel()
					results[i][j] = closureReport(t, i, prog, []string{library, ""}[j])
				})
			}
		}
	})
	c := newComparison(t, "closure")
	defer c.done()
	for i, r := range results {
		nut, ours := byName(r[0]), byName(r[1])
		names := maps.Clone(nut)
		maps.Copy(names, ours)
		for _, n := range slices.Sorted(maps.Keys(names)) {
			c.compare(fmt.Sprintf("type %d %s", i, n), nut[n], ours[n])
		}
	}
}

// closureReport is what a driver says of a unit of a type through an outage, and what became of its
// kill-power run.
func closureReport(t *testing.T, upstype int, prog, library string) string {
	if _, err := os.Stat(prog); err != nil && library != "" {
		missing(t, "%v", err)
	}
	port := "devsim:@conf@/ups"
	if library != "" {
		port = "@conf@/tty"
	}
	b := newBench(t, map[string]string{
		"ups.conf": fmt.Sprintf("[rack]\n\tdriver = genericups\n\tport = %s\n\tupstype = %d\n", port, upstype),
	})
	sim := b.start(binDir+"/upsim", "serve", "contact", fmt.Sprintf("--type=%d", upstype), "-q",
		"--kill=onbatt-only", "--socket="+b.conf+"/ups", "--control="+b.dir+"/ctl")
	sim.waitFor(t, "is ready on")
	if library != "" {
		b.start(binDir+"/upsim", "serve", "megatec", "-q", "--pty="+b.conf+"/tty").waitFor(t, "is ready on")
	}
	run := func(args ...string) (string, error) {
		cmd := exec.Command(prog, append(asRoot(), append([]string{"-a", "rack"}, args...)...)...)
		cmd.Env, cmd.Dir = b.env(), b.dir
		if library != "" {
			cmd.Env = append(cmd.Env, "LD_PRELOAD="+library, "DEVSIM="+b.conf+"/ups")
		}
		timer := time.AfterFunc(driverLimit, func() { cmd.Process.Kill() })
		defer timer.Stop()
		out, err := cmd.Output()
		return string(out), err
	}
	lever := func(args ...string) string {
		return b.finish(binDir+"/upsim", append([]string{"ctl", b.dir + "/ctl"}, args...)...)
	}
	var report strings.Builder
	for _, step := range []struct{ name, lever string }{
		{"calm", "mains on"}, {"outage", "mains off"}, {"low", "battery 20%"}, {"back", "mains on"},
	} {
		lever(strings.Fields(step.lever)...)
		out, err := run("-d", "1")
		if err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		for name, value := range byName(out) {
			if strings.HasPrefix(name, "ups.") || strings.HasPrefix(name, "device.") {
				fmt.Fprintf(&report, "%s %s: %s\n", step.name, name, value)
			}
		}
	}
	lever("mains", "off")
	_, err := run("-k")
	fmt.Fprintf(&report, "kill: exit 0 %v\n", err == nil)
	outlet := "on"
	for end := time.Now().Add(5 * time.Second); err == nil && time.Now().Before(end); {
		if strings.Contains(lever("state"), "outlet    off") {
			outlet = "off"
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Fprintf(&report, "outlet: %s\n", outlet)
	return report.String()
}
