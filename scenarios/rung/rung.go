// Package rung is the ladder that a scenario climbs: the same data room on virtual hosts in virtual
// time (sim), or with the real programs as processes of this machine (proc). A script speaks to a
// [Rung] and cannot tell which it stands on.
//
// [NewSim] and [NewProc] make one; sim.go and proc*.go are the two implementations. The data room
// itself (power, wiring, the life of computers) is package site and the same on both.
package rung

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/site"
)

// A Rung runs one data room.
type Rung interface {
	// Name is sim or proc.
	Name() string
	// Tolerance is what timing windows of a script are widened by, because real processes take
	// real time.
	Tolerance() time.Duration
	Site() *site.Site
	Now() env.Instant
	// Trace is what happened so far; it grows at its end only.
	Trace() []env.Event
	// Emit records a fact about the world.
	Emit(env.Event)
	// Start installs configurations and cables and gives the site power.
	Start(Plan) error
	// Wait lets time pass until cond holds (true) or max has passed (false). cond is asked whenever
	// something happened.
	Wait(max time.Duration, cond func() bool) (bool, error)
	// Proc does what an operator's kill would: kill, pause, resume, restart or reload a service
	// (driver:NAME, upsd, upsmon) of a host.
	Proc(host, service, action string) error
	// Net cuts, heals or delays the link between two hosts, both ways; "cut-to" only from a to b.
	Net(action, a, b string, d time.Duration) error
	// Run runs a program on a host and waits for it.
	Run(host string, args []string) (Output, error)
	// Exists reports whether a file is in the host's state folder.
	Exists(host, name string) bool
	Close() error
}

// Output is what a program printed and how it ended.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// A Plan is what a script declares besides power: files, cables, links.
type Plan struct {
	Files  []File
	Cables []Cable
	Links  []Link
	// Probe lists where the independent client asks: host and UPS. Derived from ups.conf files.
}

// A File is part of a host's configuration. Placeholders in its text are replaced:
// @addr@ (this host's address), @addr:HOST@ (another's, as seen from here), @halt@ (the command
// that halts this host), @state@ (a folder that survives a boot) and @PORT@ for each cable's port.
type File struct{ Host, Name, Text string }

// A Cable connects a UPS to a named port of a host.
type Cable struct{ UPS, Host, Port string }

// A Link is the network between two hosts, both ways.
type Link struct {
	A, B    string
	Latency time.Duration
	Loss    int // percent
}

// Actions that Proc and Net know.
var (
	ProcActions = []string{"kill", "pause", "resume", "restart", "reload"}
	NetActions  = []string{"cut", "cut-to", "heal", "delay"}
)

// expand replaces the placeholders of a configuration file. An unknown one is an error: it would
// otherwise end up in a path or a command.
func expand(f File, value func(placeholder string) (string, bool)) (string, error) {
	var out strings.Builder
	rest := f.Text
	for {
		before, after, found := strings.Cut(rest, "@")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, tail, closed := strings.Cut(after, "@")
		if v, ok := value(name); closed && ok {
			out.WriteString(v)
			rest = tail
			continue
		}
		if closed && placeholder(name) {
			return "", fmt.Errorf("%s/etc/%s: @%s@: no such placeholder; there are @addr@, @addr:HOST@, @halt@, @state@, "+
				"@usb@ and the ports of this host's cables", f.Host, f.Name, name)
		}
		out.WriteString("@") // as in ups@host
		rest = after
	}
}

// expandAll expands the words of a command line.
func expandAll(host string, args []string, value func(string) (string, bool)) ([]string, error) {
	out := make([]string, len(args))
	var err error
	for i, a := range args {
		if out[i], err = expand(File{Host: host, Text: a}, value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// usbBus is the placeholder for all USB devices that are plugged into a host, among which drivers
// look for theirs.
const usbBus = "usb"

// placeholder reports whether the text between two @ looks like one.
func placeholder(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789:_-") == ""
}

// probes finds what an independent client can ask: each UPS of each host that runs upsd.
func probes(s *site.Site, files []File) []site.Probe {
	var list []site.Probe
	for _, m := range s.Machines() {
		if !slices.Contains(m.Services, "upsd") {
			continue
		}
		for _, f := range files {
			if f.Host != m.Name || f.Name != "ups.conf" {
				continue
			}
			for line := range strings.Lines(f.Text) {
				line = strings.TrimSpace(line)
				if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
					list = append(list, site.Probe{Host: m.Name, UPS: line[1 : len(line)-1]})
				}
			}
		}
	}
	return list
}

// complete adds the files that a script may leave out: an upsd.conf that listens on the host's
// address, and empty ones where a daemon insists on a file.
func complete(s *site.Site, files []File) []File {
	files = slices.Clone(files)
	has := func(host, name string) bool {
		return slices.ContainsFunc(files, func(f File) bool { return f.Host == host && f.Name == name })
	}
	for _, m := range s.Machines() {
		if slices.Contains(m.Services, "upsd") {
			if !has(m.Name, "upsd.conf") {
				files = append(files, File{m.Name, "upsd.conf", "LISTEN @addr@ 3493\n"})
			}
			if !has(m.Name, "upsd.users") {
				files = append(files, File{m.Name, "upsd.users", ""})
			}
		}
	}
	return files
}

// service splits driver:NAME; other services are their own program.
func service(s string) (prog, ups string) {
	if name, ok := strings.CutPrefix(s, "driver:"); ok {
		return "driver", name
	}
	return s, ""
}

// restart starts a service that was killed. One that does not start, as a driver whose device is
// silent, has ended: that is no error of the script.
func restart(r Rung, host, name string) error {
	args := []string{name}
	if prog, ups := service(name); prog == "driver" {
		args = []string{"upsdrvctl", "start", ups}
	}
	out, err := r.Run(host, args)
	if err == nil && out.Code != 0 {
		r.Emit(env.Event{Kind: env.Proc, Host: host, Name: name, Value: "exit", N: int64(out.Code)})
	}
	return err
}

// cutHost takes HOST out of addr:HOST.
func cutHost(placeholder string) (host string, ok bool) {
	return strings.CutPrefix(placeholder, "addr:")
}

// canRestart refuses to start a service on a computer that is not up: its own init does that.
func canRestart(s *site.Site, host, action string) error {
	if m := s.Machine(host); action == "restart" && m.State() != site.Up {
		return fmt.Errorf("%s is %s: nothing can be restarted there", host, m.State())
	}
	return nil
}

// Secrets are the passwords in configuration files: those of upsd.users and of MONITOR lines.
func Secrets(files []File) []string {
	var found []string
	for _, f := range files {
		for line := range strings.Lines(f.Text) {
			words := strings.Fields(strings.Replace(line, "=", " = ", 1))
			switch {
			case len(words) == 3 && words[0] == "password":
				found = append(found, strings.Trim(words[2], `"`))
			case len(words) >= 5 && words[0] == "MONITOR":
				found = append(found, strings.Trim(words[4], `"`))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
