package upsd

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/service"
)

// read returns a configuration file; its error names the file and the system's reason.
func read(e env.Env, name string) (file string, text []byte, err error) {
	file = nut.ConfPath(e) + "/" + name
	text, err = e.Host().ReadFile(file)
	if err != nil {
		return file, nil, complaintf(cannotOpen, file, reason(err))
	}
	return file, text, nil
}

// readUpsd reads upsd.conf. Entries that are wrong are reported and left out.
func readUpsd(e env.Env) (*config.Upsd, []config.Problem, error) {
	file, text, err := read(e, "upsd.conf")
	if err != nil {
		return nil, nil, err
	}
	c, problems := config.ParseUpsd(file, text)
	return c, problems, nil
}

// readUsers reads upsd.users. Names and passwords are kept as they arrive from clients: without
// what is not ASCII.
func readUsers(e env.Env) (*config.Users, []config.Problem, error) {
	file, text, err := read(e, "upsd.users")
	if err != nil {
		return nil, nil, err
	}
	u, problems := config.ParseUsers(file, text)
	for i := range u.List {
		u.List[i].Name = line.ASCII(u.List[i].Name)
		u.List[i].Password = line.ASCII(u.List[i].Password)
	}
	return u, problems, nil
}

// An inventory is what ups.conf says.
type inventory struct {
	statePath string
	list      []definition
}

// readUPS reads ups.conf.
func readUPS(e env.Env) (inventory, []config.Problem, error) {
	file, text, err := read(e, "ups.conf")
	if err != nil {
		return inventory{}, nil, err
	}
	c, problems := config.ParseUPS(file, text)
	inv, more := takeInventory(file, c)
	return inv, append(problems, more...), nil
}

// takeInventory finds the UPSes that can be served: those with a driver and a port, once each.
func takeInventory(file string, c *config.UPS) (inventory, []config.Problem) {
	var inv inventory
	var problems []config.Problem
	seen := make(map[string]bool)
	inv.statePath, _ = c.Global.Get("statepath")
	for _, sec := range c.Sections {
		get := func(key string) string {
			v, _ := sec.Get(key)
			return line.ASCII(v)
		}
		d := definition{name: line.ASCII(sec.Name)}
		d.driver, d.port, d.desc = get("driver"), get("port"), get("desc")
		_, d.described = sec.Get("desc")
		p := config.Problem{File: file, Line: sec.Line, Col: 1, Value: sec.Name}
		switch key := strings.ToLower(d.name); {
		case d.driver == "" || d.port == "":
			p.Cause = fmt.Sprintf("Warning: ignoring incomplete configuration for UPS [%s]", d.name)
			p.Want = "driver and port"
		case strings.ContainsAny(d.driver+d.name, "/\x00"):
			p.Cause = fmt.Sprintf("UPS [%s] with driver %q would need a socket outside "+
				"the state folder", d.name, d.driver)
			p.Want = "names without a slash"
		case seen[key]:
			p.Cause = fmt.Sprintf("UPS name [%s] is already in use!", d.name)
			p.Want = "another name"
		default:
			seen[key] = true
			inv.list = append(inv.list, d)
			continue
		}
		problems = append(problems, p)
	}
	return inv, problems
}

// fragile warns of descriptions that some clients cannot read, though every one of NUT's can.
func fragile(e env.Env) []config.Problem {
	file, text, err := read(e, "ups.conf")
	if err != nil {
		return nil // and reported already
	}
	var problems []config.Problem
	c, _ := config.ParseUPS(file, text)
	for _, sec := range c.Sections {
		for _, p := range sec.Pairs {
			if p.Key == "desc" && strings.ContainsAny(p.Value, "\"\\") {
				problems = append(problems, config.Problem{File: file, Line: p.Line, Col: p.Col,
					Value: p.Value, Warning: true, Want: "a description without them",
					Cause: "quotes and backslashes in desc confuse some clients"})
			}
		}
	}
	return problems
}

// statePath is where drivers' sockets are: the environment, then ups.conf, then upsd.conf (DS-3).
func statePath(e env.Env, fromUPS, fromUpsd string) string {
	if e.Host().Getenv("NUT_STATEPATH") != "" {
		return nut.StatePath(e)
	}
	return orElse(fromUPS, orElse(fromUpsd, nut.StatePath(e)))
}

// readTexts reads the cmdvartab of a site that has its own; DATAPATH says so.
func readTexts(e env.Env, dataPath string) texts {
	if dataPath == "" {
		return texts{}
	}
	b, err := e.Host().ReadFile(dataPath + "/cmdvartab")
	if err != nil {
		return texts{}
	}
	return parseTexts(b)
}

// complain logs the problems of files, each with its place.
func complain(e env.Env, problems []config.Problem) {
	n := 0
	for _, p := range problems {
		level := slog.LevelWarn
		if !p.Warning {
			level = slog.LevelError
			n++
		}
		e.Log().Log(context.Background(), level, p.Error())
	}
	if n > 0 {
		e.Log().Error(fmt.Sprintf("Encountered %d config errors, those entries were ignored", n))
	}
}

// othersMayRead is the permission bit that a file with passwords should not have.
const othersMayRead fs.FileMode = 0o004

// warnReadable warns of a file with passwords that everybody on this machine may read.
func warnReadable(e env.Env, name string) {
	file := nut.ConfPath(e) + "/" + name
	if fi, err := e.Host().Stat(file); err == nil && fi.Mode&othersMayRead != 0 {
		e.Log().Warn(file + " is world readable (hope you don't have passwords there)")
	}
}

// allow returns a switch of upsd.conf, which the environment variable of the same name overrides.
func allow(e env.Env, name string, inFile bool) bool {
	if v, ok := service.Truth(e.Host().Getenv(name)); ok {
		return v
	}
	return inFile
}
