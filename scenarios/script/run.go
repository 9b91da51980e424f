package script

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/check"
	"github.com/blackstart-ups/blackstart/scenarios/rung"
)

// Options say how to run a scenario.
type Options struct {
	// Rung makes the rung, given the seed that the script or the caller chose.
	Rung func(seed uint64) (rung.Rung, error)
	// Name is the rung's name, for conditions such as [sim].
	Name string
	Seed uint64
	Log  func(line string) // the script's own log, a line at a time; nil drops it
	// Remake lets explore make further worlds; nil where the rung cannot (everywhere but sim).
	Remake func(seed uint64) (rung.Rung, error)
}

// A Result is what a run was.
type Result struct {
	Title    string // the first comment of the script
	Trace    []env.Event
	Report   check.Report
	Measures []Measure
	Explored int
	Virtual  time.Duration // of the room's clock
	Real     time.Duration
	Skipped  string // why, when it was
	// Late is for how long the machine kept programs waiting for a processor, when that was so long
	// that an error may be the machine's.
	Late time.Duration
	Err  error // what failed, with file and line; nil when all went well
}

// A Measure is a number that the script recorded.
type Measure struct {
	Name  string
	Value time.Duration
}

// errSkip carries the reason for a skip through testscript's own T.
type outcome struct {
	failed  bool
	skipped bool
	log     strings.Builder
	sink    func(string)
}

var (
	errFailNow = errors.New("failed")
	errSkipNow = errors.New("skipped")
)

// outcome is a testscript.T outside go test.
func (o *outcome) Skip(args ...any) {
	o.skipped = true
	o.Log(args...)
	panic(errSkipNow)
}
func (o *outcome) Fatal(args ...any) { o.Log(args...); o.FailNow() }
func (o *outcome) Parallel()         {}
func (o *outcome) Verbose() bool     { return true }
func (o *outcome) FailNow()          { o.failed = true; panic(errFailNow) }

func (o *outcome) Log(args ...any) {
	text := fmt.Sprint(args...)
	o.log.WriteString(text + "\n")
	if o.sink != nil {
		for line := range strings.Lines(text) {
			o.sink(strings.TrimRight(line, "\n"))
		}
	}
}

func (o *outcome) Run(_ string, f func(testscript.T)) {
	defer func() {
		if r := recover(); r != nil && r != errFailNow && r != errSkipNow {
			panic(r)
		}
	}()
	f(o)
}

// Run runs one scenario file.
func Run(file string, o Options) Result {
	began := time.Now()
	text, err := os.ReadFile(file)
	if err != nil {
		return Result{Err: err}
	}
	r := &room{opt: o, seed: o.Seed, file: file}
	out := &outcome{sink: o.Log}
	work, err := os.MkdirTemp("", "scenario")
	if err != nil {
		return Result{Err: err}
	}
	defer os.RemoveAll(work)
	func() {
		defer func() {
			if p := recover(); p != nil && p != errFailNow && p != errSkipNow {
				panic(p)
			}
		}()
		testscript.RunT(out, testscript.Params{
			Files:       []string{file},
			WorkdirRoot: work,
			Setup: func(e *testscript.Env) error {
				r.work = e.WorkDir
				return nil
			},
			Condition: r.condition,
			Cmds:      r.commands(),
		})
	}()
	res := r.result(out)
	res.Title = title(text)
	res.Real = time.Since(began)
	return res
}

// title is the first line of the script, which says what it claims.
func title(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSpace(strings.TrimPrefix(line, "#"))
}

// result closes the room and judges what happened in it.
func (r *room) result(out *outcome) Result {
	res := Result{Measures: r.measures, Explored: r.explored}
	var broken string // by what no wait of the script has seen
	if r.rung != nil {
		broken = r.broken()
		r.judgeNew()
		r.judge.Advance(r.rung.Now())
		res.Trace, res.Report = r.rung.Trace(), r.judge.End()
		res.Virtual = time.Duration(r.rung.Now())
		if p, ok := r.rung.(interface{ Late() time.Duration }); ok {
			res.Late = p.Late()
		}
		if err := r.rung.Close(); err != nil {
			res.Err = err
		}
	}
	switch {
	case out.skipped:
		res.Skipped = cmp.Or(r.why, "the script says so")
	case out.failed:
		res.Err = errors.New(r.failure(out.log.String()))
	case broken != "":
		res.Err = fmt.Errorf("%s: never %s: it happened", filepath.Base(r.file), broken)
	case !res.Report.OK():
		res.Err = fmt.Errorf("%s: the oracles found:\n%s", filepath.Base(r.file), res.Report)
	}
	return res
}

// failure takes the reason out of testscript's log: the line that names file and line, and what
// follows.
func (r *room) failure(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "FAIL: ") {
			text := strings.TrimPrefix(strings.Join(lines[i:], "\n"), "FAIL: ")
			if _, rest, ok := strings.Cut(text, filepath.Base(r.file)); ok {
				return filepath.Base(r.file) + rest
			}
			return text
		}
	}
	return strings.Join(lines, "\n")
}
