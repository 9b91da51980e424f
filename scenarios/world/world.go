// Package world is virtual computers in virtual time: hosts with files, processes and signals, the
// network between them, and power that can fail, all on a deterministic kernel.
//
// It is the second implementation of env.Env (the first is osenv, the real machine). Programs run
// on it unchanged: their Main is called with the Env of a virtual process. The same seed gives
// the same run, byte for byte.
//
// Start at [New], [World.Host] and [Host.Start]; [World.RunUntil] lets time pass. Files: env.go
// (a task's view), process.go, host.go (files and identity), net.go. What computers are powered by
// and when they boot is not decided here but in scenarios/site.
//
// # What keeps runs equal
//
// Programs must not range over maps into anything observable, select over channels, start
// goroutines, read the real clock or global randomness; a test over the source tree holds that.
// Random streams are keyed by (seed, host, program, task path, occurrence), so that a task more or
// less does not move the draws of the others.
//
// # What power loss is
//
// A host that loses power stops between two instructions: its tasks are unwound without effect, its
// peers get no FIN, its volatile folder (/run) is gone at the next boot and its other files are
// as last written, since env.Host.WriteFile is durable by contract.
package world

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world/kernel"
)

// Epoch is the calendar time at the start of every world.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Options say how New makes a world. The zero value is useful.
type Options struct {
	Seed    uint64
	Shuffle bool // run events of one instant in an order drawn from the seed
	// Programs finds what a host runs under a program name; nil when there is no such program.
	Programs func(h *Host, name string) env.Main
	// Console gets what programs print and log, a line at a time; nil drops it.
	Console func(t env.Instant, host, prog, line string)
	// Observe gets every event as it happens.
	Observe func(env.Event)
}

// A World is a set of virtual hosts and their network.
type World struct {
	k     *kernel.Kernel
	opt   Options
	hosts []*Host
	names map[string]*Host // by name and by address
	links map[[2]*Host]*Link
	occur map[string]uint64 // how often a random stream of that name was made
	trace []env.Event
}

// New returns an empty world at time 0.
func New(o Options) *World {
	w := &World{opt: o, names: map[string]*Host{}, links: map[[2]*Host]*Link{},
		occur: map[string]uint64{}}
	var shuffle *rand.Rand
	if o.Shuffle {
		shuffle = w.stream("shuffle")
	}
	w.k = kernel.New(shuffle)
	return w
}

// Now is the world's time.
func (w *World) Now() env.Instant { return env.Instant(w.k.Now()) }

// Events counts kernel events, the measure of the simulator's speed.
func (w *World) Events() uint64 { return w.k.Events() }

// Trace is what happened so far. It grows at its end only.
func (w *World) Trace() []env.Event { return w.trace }

// RunFor lets time pass.
func (w *World) RunFor(d time.Duration) error { return w.k.Run(int64(w.Now().Add(d))) }

// RunUntil lets time pass until cond holds (true) or max has passed (false). cond is asked again
// after every event that was emitted.
func (w *World) RunUntil(max time.Duration, cond func() bool) (bool, error) {
	return w.k.RunUntil(int64(w.Now().Add(max)), cond)
}

// Close unwinds every task.
func (w *World) Close() error {
	if n := w.k.Close(); n > 0 {
		return fmt.Errorf("%d tasks could not be unwound", n)
	}
	return nil
}

// Emit records an event about the world itself.
func (w *World) Emit(ev env.Event) {
	ev.T = w.Now()
	w.trace = append(w.trace, ev)
	if w.opt.Observe != nil {
		w.opt.Observe(ev)
	}
	w.k.Dirty()
}

func (w *World) console(host, prog, text string) {
	if w.opt.Console == nil {
		return
	}
	for line := range strings.Lines(text) {
		w.opt.Console(w.Now(), host, prog, strings.TrimRight(line, "\n"))
	}
}

// stream returns the random stream of a name; asked again, another one.
func (w *World) stream(name string) *rand.Rand {
	n := w.occur[name]
	w.occur[name] = n + 1
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(w.opt.Seed, h.Sum64()+n))
}

// Rand returns a random stream for the world's own use.
func (w *World) Rand(name string) *rand.Rand { return w.stream("world/" + name) }

// Hosts are all hosts, in the order they were made.
func (w *World) Hosts() []*Host { return w.hosts }

// Lookup returns the host of a name or address, nil when there is none.
func (w *World) Lookup(name string) *Host { return w.names[name] }
