package site

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// States of a computer, as they appear in events.
const (
	Off      = "off"
	Booting  = "booting"
	Up       = "up"
	Stopping = "stopping"
	Halted   = "halted"
)

// serviceTime bounds one start or stop command: what an init system would wait for.
const serviceTime = 90 * time.Second

// A Supply is a number of power supplies on one UPS outlet or feed.
type Supply struct {
	Source string
	N      int
}

// A Machine is a computer as its owner sees it: what feeds it, how long it takes to boot and to
// halt, and what it runs.
type Machine struct {
	Name     string
	Supplies []Supply
	Need     int           // supplies that must have power
	Boot     time.Duration // from power to the start of services
	Halt     time.Duration // from SHUTDOWNCMD to the late shutdown step
	Fallback time.Duration // reboot so long after the halt when the power stays; 0: stay halted
	Refused  bool          // reboot at once when the UPSes could not be told to cut the load
	BIOS     string        // what it does when power returns: on (always), last (state), off
	Services []string      // driver:NAME, upsd, upsmon; started in the order driver, upsd, upsmon
	// Instead is what it runs in the place of a program: upsmon of another maker, say.
	Instead map[string]string
	// Steady keeps the boot time from being varied by the seed.
	Steady bool

	site     *Site
	fed      bool
	supplied int
	button   *env.Inbox[string]
	state    string
	wasUp    bool // when the power went
	seen     bool // it had power before
}

// AddMachine declares a computer. Zero fields get usual values: need 1, boot 20 s, halt 15 s, BIOS
// on.
func (s *Site) AddMachine(m *Machine) error {
	if s.Machine(m.Name) != nil {
		return fmt.Errorf("host %s is declared twice", m.Name)
	}
	if len(m.Supplies) == 0 {
		return fmt.Errorf("host %s: fedby= is missing: which UPS or feed powers it?", m.Name)
	}
	for _, sup := range m.Supplies {
		if s.UPS(sup.Source) == nil && s.Feed(sup.Source) == nil {
			return fmt.Errorf("host %s: fedby=%s: no such UPS or feed", m.Name, sup.Source)
		}
	}
	m.site, m.state = s, Off
	m.Need = max(m.Need, 1)
	if m.Boot == 0 {
		m.Boot = 20 * time.Second
	}
	if m.Halt == 0 {
		m.Halt = 15 * time.Second
	}
	if m.BIOS == "" {
		m.BIOS = "on"
	}
	s.machines = append(s.machines, m)
	for _, sup := range m.Supplies {
		s.emit(env.Event{Kind: env.Wire, Host: m.Name, UPS: sup.Source, N: int64(sup.N)})
	}
	for _, p := range []struct {
		name string
		n    int64
	}{{"min", int64(m.Need)}, {"boot", int64(m.Boot)}, {"halt", int64(m.Halt)},
		{"fallback", int64(m.Fallback)},
		{"bios", int64(slices.Index([]string{"on", "last", "off"}, m.BIOS))}} {
		s.emit(env.Event{Kind: env.Spec, Host: m.Name, Name: p.name, N: p.n})
	}
	return nil
}

// State is what the computer is doing.
func (m *Machine) State() string {
	m.site.mu.Lock()
	defer m.site.mu.Unlock()
	return m.state
}

func (m *Machine) set(state, why string) {
	m.site.mu.Lock()
	m.state = state
	m.site.mu.Unlock()
	m.site.emit(env.Event{Kind: env.Machine, Host: m.Name, Value: state, Why: why})
	for _, sup := range m.Supplies {
		if u := m.site.UPS(sup.Source); u != nil {
			u.Body.Advance(time.Duration(m.site.now()))
			m.site.emit(env.Event{Kind: env.Power, Host: m.Name, UPS: u.Name, Name: "left",
				Value: state, N: int64(u.Body.Remaining())})
		}
	}
}

// Press asks the running system to "halt" or to "reboot".
func (m *Machine) Press(button string) { m.button.Put(button) }

// Crash takes the computer down without warning and boots it again, as a kernel panic or a reset
// does. One that has no power by then stays as it is.
func (m *Machine) Crash() { m.site.changes.Put(change{crash: m}) }

// crash is the work of Crash. The power task does it, which alone switches computers.
func (m *Machine) crash() {
	m.site.mu.Lock()
	fed := m.fed
	m.site.mu.Unlock()
	if !fed {
		return
	}
	m.site.on.PowerOff(m)
	m.site.dropLines(m)
	m.set(Off, "reset")
	m.site.on.PowerOn(m)
}

// cut is the loss of power.
func (m *Machine) cut() {
	was := m.State()
	m.wasUp = was == Up || was == Booting || was == Stopping
	m.site.on.PowerOff(m)
	m.site.dropLines(m)
	m.set(Off, "power lost")
}

// powerReturns does what the firmware was told to do then.
func (m *Machine) powerReturns() {
	first := !m.seen
	m.seen = true
	if first || m.BIOS == "on" || m.BIOS == "last" && m.wasUp {
		m.site.on.PowerOn(m)
	}
}

// Live is the computer's life from power-on, as its init system would write it down. e is a machine
// on which the programs of the stack run.
func (m *Machine) Live(e env.Env) error {
	for why := "power on"; ; {
		m.forgetButtons()
		m.site.dropLines(m)
		m.set(Booting, why)
		boot := m.Boot
		if !m.Steady {
			boot += time.Duration(e.Rand().Int64N(int64(time.Second)))
		}
		if err := e.Sleep(boot); err != nil {
			return err
		}
		failed := m.startServices(e, m.plan())
		m.set(Up, "")
		button, err := m.serve(e, failed)
		if err != nil {
			return err
		}
		m.set(Stopping, button)
		m.stopServices(e)
		if err := e.Sleep(m.Halt); err != nil {
			return err
		}
		refused := !m.lateShutdown(e)
		m.site.on.Clear(m)
		if why = "reboot"; button == "reboot" {
			continue
		}
		if why = "the UPS keeps the load on"; refused && m.Refused {
			continue
		}
		m.set(Halted, "")
		if m.Fallback == 0 {
			return nil
		}
		if err := e.Sleep(m.Fallback); err != nil {
			return err
		}
		why = "the power did not go away"
	}
}

// forgetButtons drops what was pressed when the computer was going down already, or down: the next
// boot must not take it for its own.
func (m *Machine) forgetButtons() {
	for ok := true; ok; {
		_, ok = m.button.Take()
	}
}

// restartAfter is how long a service that did not start is left alone before the next try.
const restartAfter = 15 * time.Second

// starts are the commands that start services, in the order of their start.
var starts = []start{
	{"driver", []string{"upsdrvctl", "start"}},
	{"upsd", []string{"upsd"}},
	{"upsmon", []string{"upsmon"}},
}

// has reports whether the computer runs a service.
func (m *Machine) has(what string) bool {
	for _, s := range m.Services {
		if s == what || strings.HasPrefix(s, what+":") {
			return true
		}
	}
	return false
}

// A start is a command that starts a service.
type start struct {
	name string
	args []string
}

// plan are the starts of the services that the computer runs. Each of several drivers is a service
// of its own, so that one that does not start keeps no other from its work.
func (m *Machine) plan() []start {
	var all, own []start
	for _, s := range m.Services {
		if name, ok := strings.CutPrefix(s, "driver:"); ok {
			own = append(own, start{s, []string{"upsdrvctl", "start", name}})
		}
	}
	for _, s := range starts {
		switch {
		case s.name == "driver" && len(own) > 1:
			all = append(all, own...)
		case m.has(s.name):
			all = append(all, s)
		}
	}
	return all
}

// startServices starts all services and returns those that did not start.
func (m *Machine) startServices(e env.Env, all []start) (failed []start) {
	for _, s := range all {
		if !m.startService(e, s.name, s.args) {
			failed = append(failed, s)
		}
	}
	return failed
}

func (m *Machine) startService(e env.Env, name string, args []string) bool {
	code := m.command(e, args...)
	m.site.emit(env.Event{Kind: env.Proc, Host: m.Name, Name: name, Value: "start", N: int64(code)})
	return code == 0
}

// serve waits for a button; meanwhile it tries again to start what did not start, as service
// managers do.
func (m *Machine) serve(e env.Env, failed []start) (button string, err error) {
	for {
		until := env.Never
		if len(failed) > 0 {
			until = e.Now().Add(restartAfter)
		}
		button, err = m.button.Get(e, until)
		if !errors.Is(err, env.ErrTimeout) {
			return button, err
		}
		failed = m.startServices(e, failed)
	}
}

func (m *Machine) stopServices(e env.Env) {
	for _, s := range []struct {
		name string
		args []string
	}{
		{"upsmon", []string{"upsmon", "-c", "stop"}},
		{"upsd", []string{"upsd", "-c", "stop"}},
		{"driver", []string{"upsdrvctl", "stop"}},
	} {
		if m.has(s.name) {
			m.command(e, s.args...)
			m.site.emit(env.Event{Kind: env.Proc, Host: m.Name, Name: s.name, Value: "exit"})
		}
	}
}

// lateShutdown is the last thing a halting system does: when upsmon left its flag, the UPS is told
// to cut the load. It is false when that was to be done and did not work.
func (m *Machine) lateShutdown(e env.Env) bool {
	return m.command(e, "upsmon", "-K") != 0 || m.command(e, "upsdrvctl", "shutdown") == 0
}

// command runs a program to its end, or to its going to the background.
func (m *Machine) command(e env.Env, args ...string) int {
	if other, ok := m.Instead[args[0]]; ok {
		args = append([]string{other}, args[1:]...)
	}
	st, err := e.Host().Run(e, env.Command{Args: args}, e.Now().Add(serviceTime))
	if err != nil {
		e.Log().Error(fmt.Sprintf("init: %s: %v", strings.Join(args, " "), err))
		return 1
	}
	return int(st)
}
