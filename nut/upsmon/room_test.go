package upsmon_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// What the tests of this file share: virtual hosts that run upsmon, and a upsd that says what it is
// told to say.

// A upsd serves UPSes whose state is set by the test.
type upsd struct {
	ups     map[string]*served
	heard   []string          // requests, but polls
	took    int               // connections
	refused map[string]string // answers to requests that are not the usual ones
	hung    bool              // it takes requests and answers nothing
}

// A served is one UPS.
type served struct {
	status string // ERR ... is an error
	alarm  string
	fsd    bool
	fsdAge string // server.fsd; "" is a server that does not know
	logins int
}

func (u *upsd) main(e env.Env, _ []string) int {
	l, err := e.Net().Listen(e, "tcp", "0.0.0.0:3493")
	if err != nil {
		return 1
	}
	for {
		c, err := l.Accept(e, env.Never)
		if err != nil {
			return 0
		}
		u.took++
		e.Go("session", func(e env.Env) error { return u.session(e, c) })
	}
}

func (u *upsd) session(e env.Env, c env.Conn) error {
	var login *served
	defer func() {
		c.Close()
		if login != nil {
			login.logins--
		}
	}()
	buf := make([]byte, 512)
	for {
		n, err := c.Read(e, buf, env.Never)
		if err != nil {
			return nil
		}
		for request := range strings.Lines(string(buf[:n])) {
			words := strings.Fields(request)
			if u.hung {
				continue
			}
			if words[0] == "LOGIN" && login == nil {
				if login = u.ups[words[1]]; login != nil && u.refused[strings.TrimSpace(request)] == "" {
					login.logins++
				} else {
					login = nil
				}
			}
			if _, err := c.Write(e, []byte(u.answer(words)+"\n"), env.Never); err != nil || words[0] == "LOGOUT" {
				return nil
			}
		}
	}
}

func (u *upsd) answer(words []string) string {
	request := strings.Join(words, " ")
	if words[0] == "STARTTLS" {
		return "ERR FEATURE-NOT-CONFIGURED"
	}
	if words[0] != "GET" && words[0] != "LIST" {
		u.heard = append(u.heard, request)
	}
	if a := u.refused[request]; a != "" {
		return a
	}
	if len(words) < 2 || words[0] == "USERNAME" || words[0] == "PASSWORD" {
		return "OK"
	}
	name := words[1]
	if words[0] == "GET" || words[0] == "LIST" {
		name = words[2]
	}
	s := u.ups[name]
	if s == nil {
		return "ERR UNKNOWN-UPS"
	}
	switch {
	case words[0] == "FSD":
		s.fsd = true
		return "OK FSD-SET"
	case words[0] != "GET" && words[0] != "LIST":
		return "OK"
	case words[0] == "LIST":
		return "BEGIN LIST CLIENT " + name + "\n" + strings.Repeat("CLIENT "+name+" 10.0.0.2\n", s.logins) +
			"END LIST CLIENT " + name
	case strings.HasPrefix(s.status, "ERR"):
		return s.status
	case words[1] == "NUMLOGINS":
		return fmt.Sprintf("NUMLOGINS %s %d", name, s.logins)
	case words[3] == "server.fsd" && s.fsdAge != "":
		return fmt.Sprintf("VAR %s server.fsd %q", name, s.fsdAge)
	case words[3] == "server.fsd", words[3] == "ups.alarm" && s.alarm == "":
		return "ERR VAR-NOT-SUPPORTED"
	case words[3] == "ups.alarm":
		return fmt.Sprintf("VAR %s ups.alarm %q", name, s.alarm)
	}
	status := s.status
	if s.fsd {
		status = "FSD " + status
	}
	return fmt.Sprintf("VAR %s ups.status %q", name, status)
}

// A room is a few hosts, one of which serves UPSes.
type room struct {
	t      testing.TB
	w      *world.World
	upsd   *upsd
	server *world.Host // runs upsd
	serves *world.Process
	log    []string      // "host text"
	events []env.Event   // of upsmon
	ran    []string      // "seconds host command arguments" of commands
	walls  int           // how often wall was called
	notify time.Duration // how long NOTIFYCMD takes
	halt   time.Duration // how long SHUTDOWNCMD takes
	halted int           // how often it came to its end

	monitors map[string]*world.Process // by host
}

// newRoom makes a room with a server "nas" that serves these UPSes, all on line power.
func newRoom(t testing.TB, upses ...string) *room {
	r := &room{t: t, upsd: &upsd{ups: map[string]*served{}, refused: map[string]string{}},
		monitors: map[string]*world.Process{}}
	for _, name := range upses {
		r.upsd.ups[name] = &served{status: "OL"}
	}
	r.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			switch name {
			case "upsmon":
				return upsmon.Main
			case "wall":
				return func(env.Env, []string) int { r.walls++; return 0 }
			case "halt", "notify":
				return r.command(name)
			}
			return nil
		},
		Console: func(_ env.Instant, host, prog, line string) {
			if strings.HasPrefix(prog, "upsmon") { // also upsmon-root
				r.log = append(r.log, host+" "+line)
			}
		},
		Observe: func(ev env.Event) {
			if ev.Prog == "upsmon" {
				r.events = append(r.events, ev)
			}
		},
	})
	t.Cleanup(func() {
		if err := r.w.Close(); err != nil {
			t.Error(err)
		}
	})
	r.server = r.host("nas")
	r.serve()
	return r
}

func (r *room) host(name string) *world.Host {
	if h := r.w.Lookup(name); h != nil {
		return h
	}
	h := r.w.Host(name)
	h.PowerOn()
	return h
}

func (r *room) serve() { r.serves = r.server.StartMain("upsd", r.upsd.main) }

// command is a program that is noted when it runs.
func (r *room) command(name string) env.Main {
	return func(e env.Env, args []string) int {
		words := []string{e.Host().Name(), name}
		if name == "notify" {
			words = append(words, e.Host().Getenv("NOTIFYTYPE"), e.Host().Getenv("UPSNAME"))
		}
		r.ran = append(r.ran, fmt.Sprintf("%.1f ", time.Duration(r.w.Now()).Seconds())+strings.Join(append(words, args...), " "))
		if name == "notify" {
			e.Sleep(r.notify)
		} else if e.Sleep(r.halt) == nil {
			r.halted++
		}
		return 0
	}
}

// conf is an upsmon.conf with these lines and a command for everything.
func conf(lines ...string) string {
	return "SHUTDOWNCMD halt\nPOWERDOWNFLAG /etc/killpower\n" + strings.Join(lines, "\n") + "\n"
}

// monitor starts upsmon on a host.
func (r *room) monitor(host, conf string, args ...string) *world.Process {
	h := r.host(host)
	h.WriteFile("/etc/nut/upsmon.conf", []byte(conf))
	r.monitors[host] = h.Start("upsmon", args)
	return r.monitors[host]
}

func (r *room) pass(d time.Duration) {
	r.t.Helper()
	if err := r.w.RunFor(d); err != nil {
		r.t.Fatal(err)
	}
}

// to lets time pass until so many seconds after the beginning.
func (r *room) to(seconds float64) {
	r.t.Helper()
	r.pass(time.Duration(seconds*float64(time.Second)) - time.Duration(r.w.Now()))
}

// timeline lists what a host announced and did, as "seconds word word ...".
func (r *room) timeline(host string) []string {
	var list []string
	for _, ev := range r.events {
		if ev.Host != host {
			continue
		}
		s := fmt.Sprintf("%.1f ", time.Duration(ev.T).Seconds())
		switch ev.Kind {
		case env.Notify:
			list = append(list, strings.TrimSpace(s+ev.Name+" "+ev.UPS))
		case env.Decide:
			list = append(list, s+"decide "+ev.Name)
		case env.FSD, env.Sync:
			list = append(list, s+string(ev.Kind)+" "+ev.Value)
		case env.Flag:
			list = append(list, s+"flag "+ev.Value)
		case env.ShutdownCmd:
			list = append(list, s+"shutdowncmd")
		}
	}
	return list
}

// expect compares the timeline of a host.
func (r *room) expect(host string, want ...string) {
	r.t.Helper()
	if got := r.timeline(host); !slices.Equal(got, want) {
		r.t.Errorf("%s did\n\t%s\nwant\n\t%s\nlog:\n\t%s", host, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"),
			strings.Join(r.log, "\n\t"))
	}
}

// logged reports whether a line of a host's log contains a text.
func (r *room) logged(host, text string) bool {
	return slices.ContainsFunc(r.log, func(l string) bool {
		return strings.HasPrefix(l, host+" ") && strings.Contains(l, text)
	})
}

func (r *room) wantLog(host, text string) {
	r.t.Helper()
	if !r.logged(host, text) {
		r.t.Errorf("%s did not log %q; it logged:\n\t%s", host, text, strings.Join(r.log, "\n\t"))
	}
}

// find returns the last event of a kind about a UPS.
func (r *room) find(kind env.Kind, ups string) (env.Event, bool) {
	for _, ev := range slices.Backward(r.events) {
		if ev.Kind == kind && ev.UPS == ups {
			return ev, true
		}
	}
	return env.Event{}, false
}
