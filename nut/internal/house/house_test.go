package house

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTheTreeKeepsTheRules(t *testing.T) {
	for _, b := range Check(readTree(t, moduleRoot(t))) {
		t.Error(b)
	}
}

// moduleRoot walks up from this package to the folder with go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
			dir = parent
			continue
		}
		t.Fatalf("no go.mod above this package: %v", err)
	}
}

// readTree returns all files below root but those of git and those that are built.
func readTree(t *testing.T, root string) []File {
	t.Helper()
	var files []File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (rel == ".git" || rel == "bin"):
			return fs.SkipDir
		case !d.Type().IsRegular() || rel == ".git":
			return nil
		}
		b, err := os.ReadFile(name)
		files = append(files, File{filepath.ToSlash(rel), b})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("%s holds %d files: that is not the tree", root, len(files))
	}
	return files
}

// A module of its own below the root keeps its own dependencies, and its text is still ours.
func TestAModuleBelowTheRootHasItsOwnDependencies(t *testing.T) {
	files := []File{
		{"go.mod", []byte("module " + Module)},
		{"scenarios/other/go.mod", []byte("module other")},
		{"scenarios/other/main.go", []byte("package main\n\nimport _ \"example.org/new\"\n")},
	}
	for _, b := range Check(files) {
		if b.Rule == "foreign" {
			t.Error(b)
		}
	}
	inside := Check([]File{files[0], files[2]})
	if !slices.ContainsFunc(inside, func(b Breach) bool { return b.Rule == "foreign" }) {
		t.Errorf("without its go.mod the same file must be a breach, not %v", inside)
	}
}

// planted are breaches, each in a file of its own. The breach stands in the line that ends with
// "// here"; without such a line it is about the file.
var planted = []struct {
	name string
	rule string
	path string
	text string
}{
	{"the stack imports a driver", "layers", "nut/upsd/x.go", `import _ "MODULE/drivers/dummy" // here`},
	{"the stack imports an emulator", "layers", "nut/driver/x.go", `import _ "MODULE/devsim/power" // here`},
	{"a driver imports an emulator", "layers", "drivers/megatec/x.go", `import _ "MODULE/devsim/megatec" // here`},
	{"an emulator imports a driver", "layers", "devsim/megatec/x.go", `import _ "MODULE/drivers/megatec" // here`},
	{"a driver imports the real machine", "layers", "drivers/dummy/x.go", `import _ "MODULE/nut/env/osenv" // here`},
	{"a driver imports the real port", "layers", "drivers/dummy/x.go", `import _ "MODULE/nut/transport/serial" // here`},
	{"the state imports a daemon", "layers", "nut/state/x.go", `import _ "MODULE/nut/upsd" // here`},
	{"one daemon imports another", "layers", "nut/upsmon/x.go", `import _ "MODULE/nut/upsd" // here`},
	{"upsd links the drivers", "layers", "cmd/upsd/x.go", `import _ "MODULE/drivers" // here`},
	{"upsmon links the simulator", "layers", "cmd/upsmon/x.go", `import _ "MODULE/scenarios/world" // here`},
	{"the driver host links an emulator", "layers", "cmd/upsdrv/x.go", `import _ "MODULE/devsim/serve" // here`},
	{"a rehearsal links real USB", "layers", "scenarios/rung/x.go", `import _ "MODULE/nut/transport/usb" // here`},
	{"so does its program", "layers", "cmd/rehearse/x.go", `import _ "MODULE/nut/transport/usb" // here`},
	{"the simulator imports the real machine", "layers", "scenarios/world/x.go", `import _ "MODULE/nut/env/osenv" // here`},
	{"a package that no line names imports upsd", "layers", "misc/x.go", `import _ "MODULE/nut/upsd" // here`},

	{"a driver uses the serial library", "foreign", "drivers/megatec/x.go", `import _ "go.bug.st/serial" // here`},
	{"a driver uses the USB library", "foreign", "drivers/megatec/x.go", `import _ "github.com/google/gousb" // here`},
	{"a new dependency", "foreign", "cmd/upsd/x.go", `import _ "example.org/new" // here`},

	{"the stack imports os", "machine", "nut/upsd/x.go", `import _ "os" // here`},
	{"a driver dials by itself", "machine", "drivers/snmp/x.go", `
		import "net"
		var dial = net.Dial // here`},
	{"a driver hides an import of net", "machine", "drivers/snmp/x.go", `import . "net" // here`},
	{"the stack runs a command", "machine", "nut/upsmon/x.go", `import _ "os/exec" // here`},
	{"the stack imports syscall", "machine", "nut/x.go", `import _ "syscall" // here`},
	{"the stack calls the system", "machine", "nut/x.go", `import _ "golang.org/x/sys/unix" // here`},
	{"the stack wants real randomness", "machine", "nut/x.go", `import _ "crypto/rand" // here`},
	{"the stack logs by itself", "machine", "nut/x.go", `import _ "log" // here`},

	{"the stack reads the clock", "clock", "nut/upsd/x.go", `
		import "time"
		var _ = func() { _ = time.Now() } // here`},
	{"the stack reads the clock under another name", "clock", "nut/upsd/x.go", `
		import clock "time"
		func now() { _ = clock.Now() } // here`},
	{"the clock is passed as a value", "clock", "nut/upsd/x.go", `
		import "time"
		var now = time.Now // here`},
	{"a driver sleeps", "clock", "drivers/x.go", `
		import "time"
		func wait() { time.Sleep(time.Second) } // here`},
	{"a model starts a timer", "clock", "devsim/power/x.go", `
		import "time"
		func wait() { time.AfterFunc(0, nil) } // here`},
	{"the simulator measures real time", "clock", "scenarios/world/x.go", `
		import "time"
		func age(t time.Time) time.Duration { return time.Since(t) } // here`},
	{"a context carries a deadline", "clock", "nut/client/x.go", `
		import "context"
		func f() { context.WithTimeout(context.Background(), 1) } // here`},

	{"the stack starts a goroutine", "tasks", "nut/upsd/x.go", `
		func f() {
			go f() // here
		}`},
	{"a driver selects", "tasks", "drivers/x.go", `
		func f() {
			select {} // here
		}`},
	{"the stack makes a channel", "tasks", "nut/upsd/x.go", `
		type q struct {
			c chan int // here
		}`},
	{"the stack waits on a condition", "tasks", "nut/upsd/x.go", `
		import "sync"
		var c sync.Cond // here`},

	{"the stack draws from the process's numbers", "random", "nut/upsd/x.go", `
		import "math/rand/v2"
		func f() int { return rand.IntN(6) } // here`},
	{"the old generator", "random", "nut/upsd/x.go", `import _ "math/rand" // here`},

	{"a loop over a map prints", "map order", "nut/upsd/x.go", `
		func f(m map[string]int) {
			for k := range m { // here
				println(k)
			}
		}`},
	{"a loop over a field that is a map", "map order", "nut/upsd/x.go", `
		type set map[string]bool
		type server struct{ ups set }
		func (s *server) f() {
			if s != nil {
				for k := range s.ups { // here
					println(k)
				}
			}
		}`},
	{"keys are sorted too late", "map order", "nut/upsd/x.go", `
		import "slices"
		func f(m map[string]int) {
			var ks []string
			for k := range m { // here
				ks = append(ks, k)
			}
			println(ks[0])
			slices.Sort(ks)
		}`},
	{"an iterator over a map", "map order", "nut/upsd/x.go", `
		import "maps"
		func f(m map[string]int) {
			for k := range maps.Keys(m) { // here
				println(k)
			}
		}`},
	{"a mark without a reason", "map order", "nut/upsd/x.go", `
		func f(m map[string]int) {
			//house: order does not matter:
			for k := range m { // here
				println(k)
			}
		}`},

	{"a model counts in floats", "integers", "devsim/power/x.go", `
		type battery struct {
			charge float64 // here
		}`},
	{"a model has a float by inference", "integers", "devsim/power/x.go", `
		func f() {
			half := 0.5 // here
			_ = half
		}`},

	{"no package comment", "package comment", "nut/upsd/x.go", "-"},
	{"a comment that names another package", "package comment", "nut/upsd/x.go", "- // Package upsmon is upsd."},

	{"init", "init", "drivers/x.go", `
		func init() { // here
		}`},
	{"a package variable is assigned", "package variable", "drivers/x.go", `
		var debug int
		func f() {
			debug = 1 // here
		}`},
	{"a package variable counts", "package variable", "drivers/x.go", `
		var polls struct{ n int }
		func f() {
			polls.n++ // here
		}`},
	{"a package table is written", "package variable", "drivers/x.go", `
		var table = map[string]int{}
		func f() {
			table["x"] = 1 // here
		}`},

	{"an exported function without words", "documented", "nut/upsd/x.go", `
		func Main() {} // here`},
	{"an exported method without words", "documented", "nut/upsd/x.go", `
		// Server serves.
		type Server struct{}
		func (s *Server) Close() {} // here`},
	{"an exported type without words", "documented", "nut/upsd/x.go", `
		type (
			Server struct{}
		)`},

	{"a function of 71 lines", "length", "nut/upsd/x.go", "func f() { // here" + strings.Repeat("\n", 70) + "}"},

	{"a line of 101 columns", "width", "nut/upsd/x.go", strings.Repeat(" ", 94) + "// here"},
	{"a line with tabs of four columns", "width", "nut/upsd/x.go",
		strings.Repeat("\t", 24) + "// here"},

	{"a Go file at the root", "top level", "x.go", ""},
	{"a stray folder", "top level", "tmp/x.go", ""},

	{"text that knows where it was written", "text", "nut/upsd/x.go", "// see " + Unsaid[0] + "notes // here"},
}

// plant makes the text of a Go file. A text that begins with "-" has no package comment of its own.
func plant(path, text string) File {
	dir := filepath.Base(filepath.Dir(path))
	comment := "// Package " + dir + " is planted."
	if t, ok := strings.CutPrefix(text, "-"); ok {
		comment, text = strings.TrimSpace(t), ""
	}
	text = strings.ReplaceAll(text, "MODULE", Module)
	return File{path, []byte(comment + "\npackage " + dir + "\n" + text)}
}

func TestEveryRuleCatchesItsBreach(t *testing.T) {
	caught := map[string]bool{}
	for _, tt := range planted {
		t.Run(tt.name, func(t *testing.T) {
			f := plant(tt.path, tt.text)
			got := Check([]File{f})
			i := slices.IndexFunc(got, func(b Breach) bool { return b.Rule == tt.rule })
			if i < 0 {
				t.Fatalf("rule %q saw nothing wrong in\n%s\nall breaches: %v", tt.rule, f.Text, got)
			}
			before, _, marked := strings.Cut(string(f.Text), "// here")
			if line := strings.Count(before, "\n") + 1; marked && got[i].Line != line {
				t.Errorf("%v: line %d, want %d", got[i], got[i].Line, line)
			}
			if !strings.HasPrefix(got[i].String(), tt.path+":") || got[i].Remedy == "" {
				t.Errorf("%v: want file, line and remedy", got[i])
			}
			caught[tt.rule] = true
		})
	}
	for _, r := range rules {
		if !caught[r.name] {
			t.Errorf("rule %q has no planted breach that it catches", r.name)
		}
	}
}

func TestLawfulCodePasses(t *testing.T) {
	for _, tt := range []struct{ name, path, text string }{
		{"durations are values", "nut/upsd/x.go", `
			import "time"
			const maxAge = 15 * time.Second
			func late(d time.Duration, at time.Time) bool { return d > maxAge && at.Year() > 2000 }`},
		{"addresses are only words", "nut/upsd/x.go", `
			import "net"
			func f() string { return net.JoinHostPort("::1", "3493") }`},
		{"a variable called time", "nut/upsd/x.go", `
			type clock struct{}
			func (clock) Now() int { return 0 }
			func f() { var time clock; _ = time.Now() }`},
		{"keys are sorted at once", "nut/upsd/x.go", `
			import "slices"
			func f(m map[string]int) (ks []string) {
				for k := range m {
					ks = append(ks, k)
				}
				slices.Sort(ks)
				return ks
			}`},
		{"sorted keys", "nut/upsd/x.go", `
			import ("maps"; "slices")
			func f(m map[string]int) {
				for _, k := range slices.Sorted(maps.Keys(m)) {
					println(k)
				}
			}`},
		{"a reason is given", "nut/upsd/x.go", `
			func f(m map[string]int) (sum int) {
				//house: order does not matter: a sum
				for _, n := range m {
					sum += n
				}
				return sum
			}`},
		{"a local variable changes", "nut/upsd/x.go", `
			var table = []int{1}
			func f() int { table := []int{2}; table[0]++; n := table[0]; n = 3; return n }`},
		{"a generator with a seed", "nut/env/x.go", `
			import "math/rand/v2"
			func f() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }`},
		{"the adapter is the machine", "nut/env/osenv/x.go", `
			import ("os"; "time")
			func f() { go os.Exit(time.Now().Second()) }`},
		{"tests meet everything", "nut/upsd/x_test.go", `
			import _ "MODULE/devsim/power"
			import "time"
			func init() { time.Sleep(1) }`},
		{"the simulator sees all", "cmd/rehearse/x.go", `
			import (
				_ "MODULE/devsim/megatec"
				_ "MODULE/nut/env/osenv"
				_ "MODULE/scenarios/world"
			)`},
		{"a float outside the models", "drivers/x.go", `var volts float64 = 0.5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, b := range Check([]File{plant(tt.path, tt.text)}) {
				t.Error(b)
			}
		})
	}
}

func TestTypesReachAcrossPackages(t *testing.T) {
	files := []File{
		plant("nut/state/state.go", `
			// Device has variables.
			type Device struct{ Vars map[string]string }
			// All are the devices.
			var All []string
			// List lists.
			func (d *Device) List() map[string]string { return d.Vars }`),
		plant("nut/upsd/x.go", `
			import "MODULE/nut/state"
			func f(d *state.Device) {
				state.All = nil
				for k := range d.Vars { println(k) }
				for k := range d.List() { println(k) }
			}`),
	}
	var got []string
	for _, b := range Check(files) {
		got = append(got, b.Rule)
	}
	if want := []string{"package variable", "map order", "map order"}; !slices.Equal(got, want) {
		t.Errorf("rules broken = %q, want %q", got, want)
	}
}

// Every part of the tables exists or is planned in the design; a typing error would open a door.
func TestTablesNameEachOther(t *testing.T) {
	for _, l := range Layers {
		for _, may := range strings.Fields(l.May) {
			if partOf(may) != may {
				t.Errorf("Layers: %s may import %q, which has no line of its own", l.Part, may)
			}
		}
	}
}
