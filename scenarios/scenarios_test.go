package scenarios_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/drivers"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
	"github.com/blackstart-ups/blackstart/scenarios/script"
)

func files(t testing.TB) []string {
	list, err := filepath.Glob("*.txtar")
	if err != nil || len(list) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	return list
}

func onSim(file string, seed uint64, shuffle bool) script.Result {
	sim := func(seed uint64) (rung.Rung, error) {
		return rung.NewSim(rung.SimOptions{Seed: seed, Shuffle: shuffle}), nil
	}
	return script.Run(file, script.Options{Name: "sim", Seed: seed, Rung: sim, Remake: sim})
}

// Every outage ends in the late script of site.Machine, which asks upsmon -K (UM-F5).
func TestScenariosInVirtualTime(t *testing.T) {
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			res := onSim(file, 1, false)
			if res.Err != nil {
				t.Fatalf("%v\n%s\nagain: go run ./cmd/rehearse run --seed=1 scenarios/%s", res.Err,
					check.Timeline(res.Trace, check.TimelineOptions{}), file)
			}
			t.Logf("%v of the room's time in %v, %d more worlds", res.Virtual.Round(time.Second), res.Real, res.Explored)
		})
	}
}

func TestScenariosHoldForOtherSeedsAndOrders(t *testing.T) {
	last := uint64(6)
	if testing.Short() { // the race detector keeps a megabyte of each world that ever was
		last = 3
	}
	for _, file := range files(t) {
		for seed := uint64(2); seed <= last; seed++ {
			if res := onSim(file, seed, seed%2 == 0); res.Err != nil {
				t.Errorf("%s, seed %d: %v", file, seed, res.Err)
			}
		}
	}
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	for _, file := range files(t) {
		runs := 20
		if testing.Short() {
			runs = 2
		}
		hashes := map[string]int{}
		for i := range runs {
			old := runtime.GOMAXPROCS(1 + i%2)
			hashes[check.Hash(onSim(file, 42, false).Trace)]++
			runtime.GOMAXPROCS(old)
		}
		if len(hashes) != 1 {
			t.Errorf("%s: %d runs of one seed gave %d traces", file, runs, len(hashes))
		}
		if hashes[check.Hash(onSim(file, 43, false).Trace)] > 0 {
			t.Errorf("%s: another seed gave the same trace", file)
		}
	}
}

// programs builds what hosts of processes run into a folder of the test.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+"/", "../cmd/...")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, spec := range drivers.All {
		if err := os.Symlink("upsdrv", filepath.Join(dir, spec.Name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestScenariosTellTheSameStoryWithRealProcesses needs the machine for itself: `make test` runs it
// alone, after all other tests.
func TestScenariosTellTheSameStoryWithRealProcesses(t *testing.T) {
	if os.Getenv("BLACKSTART_PROC") == "" {
		t.Skip("real processes need the machine for themselves: set BLACKSTART_PROC=1, as make test does")
	}
	bin := programs(t)
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			sim := onSim(file, 1, false)
			proc, scale := onProc(t, file, bin, rung.DefaultScale)
			if sim.Err != nil || proc.Err != nil {
				t.Fatalf("sim: %v\nproc: %v\n%s", sim.Err, proc.Err, check.Timeline(proc.Trace, check.TimelineOptions{}))
			}
			if proc.Skipped != "" {
				t.Skip(proc.Skipped)
			}
			c := check.Compare(sim.Trace, proc.Trace, 6*time.Second+time.Duration(scale)*250*time.Millisecond)
			t.Logf("%v of the room's time in %v\n%s", proc.Virtual.Round(time.Second), proc.Real.Round(time.Second), c)
			if !c.OK() {
				t.Error("the two rungs tell different stories")
			}
		})
	}
}

// onProc runs a scenario with processes; when the machine was too busy to keep their clocks, again
// with slower ones.
func onProc(t *testing.T, file, bin string, scale int64) (script.Result, int64) {
	res := script.Run(file, script.Options{Name: "proc", Rung: func(uint64) (rung.Rung, error) {
		return rung.NewProc(rung.ProcOptions{Bin: bin, Scale: scale})
	}})
	if res.Err != nil && res.Late*time.Duration(scale) > time.Second && scale > 2 {
		t.Logf("programs waited %v for a processor; once more with clocks %d times faster", res.Late, scale/2)
		return onProc(t, file, bin, scale/2)
	}
	return res, scale
}

// BenchmarkVirtualHour runs full daemons on n hosts, one of them with upsd and the driver.
func BenchmarkVirtualHour(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var events uint64
			for b.Loop() {
				s, err := rung.Crowd(n)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Wait(time.Hour, func() bool { return false }); err != nil {
					b.Fatal(err)
				}
				events += s.World().Events()
				s.Close()
			}
			b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "virtual-hours/s")
		})
	}
}
