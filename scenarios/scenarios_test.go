package scenarios_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

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
	for _, file := range files(t) {
		for seed := uint64(2); seed < 7; seed++ {
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
			runs = 4
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

var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bin")
	if err != nil {
		return "", err
	}
	return dir, build(dir)
})

// build makes the programs that hosts of processes run.
func build(dir string) error {
	cmd := exec.Command("go", "build", "-o", dir+"/", "../cmd/...")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	return os.Symlink("upsdrv", filepath.Join(dir, "nutdrv_qx"))
}

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := programs(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func TestScenariosTellTheSameStoryWithRealProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute and a half of real time")
	}
	if runtime.GOOS != "linux" {
		t.Skip("the rung of processes needs Linux")
	}
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files(t) {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			sim := onSim(file, 1, false)
			proc := script.Run(file, script.Options{Name: "proc", Rung: func(uint64) (rung.Rung, error) {
				return rung.NewProc(rung.ProcOptions{Bin: bin})
			}})
			if sim.Err != nil || proc.Err != nil {
				t.Fatalf("sim: %v\nproc: %v\n%s", sim.Err, proc.Err, check.Timeline(proc.Trace, check.TimelineOptions{}))
			}
			c := check.Compare(sim.Trace, proc.Trace, 11*time.Second)
			t.Logf("\n%s", c)
			if !c.OK() {
				t.Error("the two rungs tell different stories")
			}
		})
	}
}
