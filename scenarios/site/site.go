// Package site is what stands around the computers: mains feeds, emulated UPSes, the wiring from
// their outlets to power supplies, and the life of each computer: boot, services, halt, the late
// shutdown step that may command the UPS to cut the load, and the reboot when it does not.
//
// It is written over env.Env, so that the same code runs in virtual time and, on a real machine,
// around real processes. What differs between the two (how a computer is switched on and off) is
// the [Computers] interface; package rung implements it.
//
// Start at [Site] and its Add functions; [Machine.Live] is a computer's whole life on a page.
package site

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/gadget"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// GoodMains is the voltage of a feed that is on, in mV.
const GoodMains = 230 * 1000

// changeQueue is how many changes of power may wait for the task that acts on them. A flicker of
// one feed gives a handful for each UPS.
const changeQueue = 4096

// Computers is what a rung does to a machine when its power changes.
type Computers interface {
	// PowerOn switches it on and runs Live on it.
	PowerOn(m *Machine)
	// PowerOff takes its power away: everything on it vanishes at once.
	PowerOff(m *Machine)
	// Clear is the end of a halt: it ends all that still runs besides Live, and empties /run.
	Clear(m *Machine)
}

// A Site is one data room.
type Site struct {
	emit func(env.Event)
	on   Computers
	now  func() env.Instant

	changes *env.Inbox[change]

	mu       sync.Mutex // guards what follows; never held while calling out
	feeds    []*Feed
	upses    []*UPS
	machines []*Machine
}

// A Feed is a line from the utility.
type Feed struct {
	Name string
	mV   int
}

// A UPS is an emulated unit: a body, and a face on a cable, or behind a bridge on a USB plug.
type UPS struct {
	Name  string
	Feed  string
	Body  *power.UPS
	Face  Face
	Cable serve.Port
	Host  string // the computer at the other end of the cable
}

// A Face is a protocol in front of a body.
type Face interface {
	serve.Face
	// Seen returns the commands that have arrived, oldest first.
	Seen() []string
	// Saw reports whether a command has arrived: one as it is sent, or any that means kill, cancel,
	// test, stop or beeper.
	Saw(what string) bool
	// OnCommand registers an observer of what arrives and is no query: what it means, as in Saw, and
	// how it came. It is called before the command is obeyed.
	OnCommand(f func(what, cmd string))
}

// Megatec makes a face that speaks Megatec.
func Megatec(body *power.UPS) Face { return megatec.New(body, megatec.Options{}) }

// change is something for the power task: what an outlet did, a computer that crashed, or, when
// empty, a feed that switched.
type change struct {
	ups   *UPS
	at    power.Change
	crash *Machine
}

// New returns an empty site. emit records facts about the world; now is its clock.
func New(on Computers, now func() env.Instant, emit func(env.Event)) *Site {
	return &Site{on: on, now: now, emit: emit}
}

// AddFeed declares a mains feed, which is on.
func (s *Site) AddFeed(name string) error {
	if s.Feed(name) != nil {
		return fmt.Errorf("feed %s is declared twice", name)
	}
	s.feeds = append(s.feeds, &Feed{Name: name, mV: GoodMains})
	s.emit(env.Event{Kind: env.Mains, Name: name, Value: "on"})
	return nil
}

// AddUPS declares a UPS on a feed, with the face that face makes.
func (s *Site) AddUPS(name, feed string, spec power.Spec, face func(*power.UPS) Face,
) (*UPS, error) {
	switch {
	case s.UPS(name) != nil:
		return nil, fmt.Errorf("ups %s is declared twice", name)
	case s.Feed(feed) == nil:
		return nil, fmt.Errorf("ups %s: no feed %q; declare it with: mains %s", name, feed, feed)
	}
	if err := spec.Check(); err != nil {
		return nil, fmt.Errorf("ups %s: %w", name, err)
	}
	u := &UPS{Name: name, Feed: feed, Body: power.New(spec)}
	u.Face = face(u.Body)
	u.Face.OnCommand(func(what, cmd string) {
		s.emit(env.Event{Kind: env.Device, UPS: name, Name: what, Value: cmd})
	})
	u.Cable = serve.NewCable(u.Face, s.options())
	s.upses = append(s.upses, u)
	spec = u.Body.Spec()
	for _, p := range []struct {
		name string
		n    int64
	}{{"runtime", int64(spec.Runtime)}, {"low", int64(spec.Low)}, {"kill", int64(spec.Kill)}} {
		s.emit(env.Event{Kind: env.Spec, UPS: name, Name: p.name, N: p.n})
	}
	return u, nil
}

func (s *Site) options() serve.Options {
	return serve.Options{Now: func() time.Duration { return time.Duration(s.now()) }}
}

// Bridge makes a USB device of a UPS that was just added: the one that make puts in front of it.
func (s *Site) Bridge(u *UPS, make func(serve.Face) (gadget.Gadget, error)) error {
	g, err := make(u.Face)
	if err != nil {
		return fmt.Errorf("ups %s: %w", u.Name, err)
	}
	o := s.options()
	o.Bus = slices.Index(s.upses, u) + 1
	u.Cable = serve.NewPlug(g, o)
	return nil
}

// Feed, UPS and Machine find what was declared, nil when it was not.
func (s *Site) Feed(name string) *Feed {
	return find(s.feeds, func(f *Feed) bool { return f.Name == name })
}

// UPS finds a UPS by name, nil when there is none.
func (s *Site) UPS(name string) *UPS {
	return find(s.upses, func(u *UPS) bool { return u.Name == name })
}

// Machine finds a computer by name, nil when there is none.
func (s *Site) Machine(name string) *Machine {
	return find(s.machines, func(m *Machine) bool { return m.Name == name })
}

// Plug says which computer is at the other end of a UPS's cable.
func (s *Site) Plug(ups, host string) { s.UPS(ups).Host = host }

// dropLines is for a computer that drives its modem lines no more: it has no power, or begins anew.
func (s *Site) dropLines(m *Machine) {
	for _, u := range s.upses {
		if u.Host == m.Name {
			u.Cable.DropLines(time.Duration(s.now()))
		}
	}
}

func find[T any](list []*T, is func(*T) bool) *T {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i]
	}
	return nil
}

// UPSes are all UPSes, and Machines all computers, in the order of their declaration.
func (s *Site) UPSes() []*UPS { return s.upses }

// Machines are all computers, in the order of their declaration.
func (s *Site) Machines() []*Machine { return s.machines }

// Feeds are all mains feeds.
func (s *Site) Feeds() []*Feed { return s.feeds }

// SetMains sets the voltage of a feed; 0 is an outage.
func (s *Site) SetMains(f *Feed, mV int) {
	value := "off"
	if mV > 0 {
		value = "on"
	}
	s.mu.Lock()
	f.mV = mV
	s.mu.Unlock()
	s.emit(env.Event{Kind: env.Mains, Name: f.Name, Value: value, N: int64(mV)})
	for _, u := range s.upses {
		if u.Feed == f.Name {
			u.Body.SetMains(time.Duration(s.now()), mV)
		}
	}
	s.changes.Put(change{}) // computers may hang on the feed itself
}

// Run keeps the site going in tasks of e: batteries empty, outlets switch, and computers follow.
// Every computer that has power is switched on.
func (s *Site) Run(e env.Env) {
	s.changes = env.NewInbox[change](e, changeQueue)
	for _, u := range s.upses {
		u.Body.OnChange(func(c power.Change) {
			if c.Name != power.Timer {
				s.changes.Put(change{ups: u, at: c})
			}
		})
		e.Go("battery of "+u.Name, func(e env.Env) error { return serve.Keep(e, u.Body) })
	}
	for _, m := range s.machines {
		m.button = env.NewInbox[string](e, 16)
	}
	e.Go("power", func(e env.Env) error {
		s.feedAll()
		for {
			c, err := s.changes.Get(e, env.Never)
			if err != nil {
				return err
			}
			var crashed []*Machine
			for ok := true; ok; c, ok = s.changes.Take() { // what happened together is told first
				s.tell(c)
				if c.crash != nil {
					crashed = append(crashed, c.crash)
				}
			}
			s.feedAll()
			for _, m := range crashed {
				m.crash()
			}
		}
	})
}

func (s *Site) tell(c change) {
	if c.ups == nil {
		return
	}
	s.emit(env.Event{Kind: env.Power, UPS: c.ups.Name, Name: c.at.Name, Value: c.at.Value,
		Why: c.at.Why, N: int64(c.ups.Body.Remaining())})
}

// feedAll compares what each computer gets with what it needs, and switches those that changed.
func (s *Site) feedAll() {
	for _, m := range s.machines {
		n := 0
		for _, sup := range m.Supplies {
			if s.hasPower(sup.Source) {
				n += sup.N
			}
		}
		s.mu.Lock()
		was, now := m.fed, n >= m.Need
		changed := n != m.supplied || was != now
		m.fed, m.supplied = now, n
		s.mu.Unlock()
		if !changed {
			continue
		}
		value := "no"
		if now {
			value = "yes"
		}
		s.emit(env.Event{Kind: env.Fed, Host: m.Name, Value: value, N: int64(n)})
		switch {
		case was && !now:
			m.cut()
		case now && !was:
			m.powerReturns()
		}
	}
}

// hasPower reports whether a feed, or the outlet of a UPS, has power.
func (s *Site) hasPower(source string) bool {
	if u := s.UPS(source); u != nil {
		return u.Body.Outlet()
	}
	f := s.Feed(source)
	s.mu.Lock()
	defer s.mu.Unlock()
	return f != nil && f.mV > 0
}
