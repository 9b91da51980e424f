package upssched

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// lint carries out -t: what is wrong with the file, and what in it would never have an effect.
func lint(e env.Env, file string) int {
	b, err := e.Host().ReadFile(file)
	if err != nil {
		fmt.Fprintf(e.Host().Stderr(), "Can't open %s: %v\n", file, reason(err))
		return 1
	}
	c, problems := config.ParseUpssched(file, b)
	if name := c.Missing(); name != "" {
		problems = append(problems, config.Problem{File: file, Line: 1, Col: 1,
			Cause: name + " is missing", Want: name + " before the AT lines"})
	}
	problems = append(problems, slack(file, c)...)
	problems = append(problems, runnable(e, file, c)...)
	problems = append(problems, unheard(e, file, c)...)
	code := 0
	for _, p := range problems {
		kind := "error"
		if p.Warning {
			kind = "warning"
		} else {
			code = 1
		}
		fmt.Fprintf(e.Host().Stderr(), "%s: %s\n", p.Error(), kind)
	}
	if code == 0 {
		fmt.Fprintf(e.Host().Stdout(), "%s is good: %d rules\n", file, len(c.Rules))
	}
	return code
}

// slack names timers that nothing cancels, and cancels of timers that nothing starts.
func slack(file string, c *config.Upssched) []config.Problem {
	with := func(name string, verbs ...config.AtVerb) bool {
		return slices.ContainsFunc(c.Rules, func(r config.AtRule) bool {
			return r.Name == name && slices.Contains(verbs, r.Do)
		})
	}
	var all []config.Problem
	warn := func(r config.AtRule, cause, want string) {
		all = append(all, config.Problem{File: file, Line: r.Line, Col: 1, Value: r.Name,
			Cause: cause, Want: want, Warning: true})
	}
	for _, r := range c.Rules {
		switch r.Do {
		case config.StartTimer, config.StartShared:
			if r.After > 0 && !with(r.Name, config.CancelTimer, config.CancelMatched) {
				warn(r, "a timer that no line cancels: it fires although the cause has gone",
					"an AT line with CANCEL-TIMER "+r.Name)
			}
		case config.CancelTimer, config.CancelMatched:
			if r.Else == "" && !with(r.Name, config.StartTimer, config.StartShared) {
				warn(r, "no line starts a timer of this name", "a name that START-TIMER has")
			}
		}
	}
	return all
}

// runnable checks what the file names on this machine.
func runnable(e env.Env, file string, c *config.Upssched) []config.Problem {
	var all []config.Problem
	wrong := func(value, cause, want string) {
		all = append(all, config.Problem{File: file, Line: 1, Col: 1, Value: value, Cause: cause,
			Want: want})
	}
	if len(c.CmdScript) > 0 {
		program := strings.Fields(c.CmdScript[0] + " ")
		if len(program) > 0 && strings.HasPrefix(program[0], "/") {
			info, err := e.Host().Stat(program[0])
			switch {
			case err != nil:
				wrong(program[0], fmt.Sprintf("CMDSCRIPT: %v", reason(err)), "a program that exists")
			case info.Mode.IsDir() || info.Mode&0o111 == 0:
				wrong(program[0], "CMDSCRIPT is not a program", "a file that may be executed: chmod +x")
			}
		}
	}
	for _, f := range []struct{ name, value string }{{"PIPEFN", c.PipeFN}, {"LOCKFN", c.LockFN}} {
		if f.value == "" {
			continue
		}
		if info, err := e.Host().Stat(path.Dir(f.value)); err != nil || !info.Mode.IsDir() {
			wrong(f.value, f.name+": there is no such folder",
				"a folder where the account of upsmon may write")
		}
	}
	return all
}

// unheard compares the rules with upsmon.conf: what upsmon does not say, no rule hears.
func unheard(e env.Env, file string, c *config.Upssched) []config.Problem {
	name := nut.ConfPath(e) + "/upsmon.conf"
	b, err := e.Host().ReadFile(name)
	if err != nil {
		return []config.Problem{{File: file, Line: 1, Col: 1, Warning: true,
			Cause: fmt.Sprintf("not compared with %s: %v", name, reason(err)),
			Want:  "an upsmon.conf with NOTIFYCMD upssched"}}
	}
	m, _ := config.ParseUpsmon(name, b)
	var all []config.Problem
	if !strings.Contains(strings.Join(m.NotifyCmd, " "), "upssched") {
		all = append(all, config.Problem{File: file, Line: 1, Col: 1, Warning: true,
			Cause: "upsmon does not run this program: " + name + " has no NOTIFYCMD upssched",
			Want:  "NOTIFYCMD with the path of upssched"})
	}
	for _, r := range c.Rules {
		if cause, want := silent(m, r); cause != "" {
			all = append(all, config.Problem{File: file, Line: r.Line, Col: 1, Warning: true,
				Value: r.Type + " " + r.UPS, Cause: cause, Want: want})
		}
	}
	return all
}

// silent says why a rule never hears of anything.
func silent(m *config.Upsmon, r config.AtRule) (cause, want string) {
	if f := m.NotifyFlag[r.Type]; !f.Exec || f.Ignore {
		return "upsmon runs no command for this type", "NOTIFYFLAG " + r.Type +
			" with EXEC in upsmon.conf"
	}
	if r.UPS == "*" || r.UPS == "" {
		return "", ""
	}
	var systems []string
	for _, u := range m.Monitors {
		systems = append(systems, u.System)
	}
	if !slices.Contains(systems, r.UPS) {
		return "upsmon watches no UPS of this name", "one of " + strings.Join(systems, ", ") + ", or *"
	}
	return "", ""
}
