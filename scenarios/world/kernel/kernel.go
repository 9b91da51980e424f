// Package kernel is a deterministic discrete-event kernel: tasks that read like ordinary blocking
// code, one of which runs at a time, in virtual time.
//
// Events are ordered by (time, sequence number); a task that becomes runnable is an event at the
// present instant; nothing runs re-entrantly. The same program therefore does the same thing in
// every run, whatever GOMAXPROCS is and however loaded the machine.
//
// Start at [Kernel.Spawn], [Task.Park] and [Kernel.Run]. A task is a coroutine (see switch.go).
// What breaks determinism in such a kernel, and what hangs it, is listed in the package comment of
// scenarios/world, which builds computers and networks on top of this.
package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Time is virtual nanoseconds since the start of the world.
type Time = int64

// Never is a time that does not come.
const Never Time = math.MaxInt64

// stepLimit is how many events one instant may have before the world is declared to spin without
// making progress. A thousand hosts that all wake in one instant need some ten thousand.
const stepLimit = 2_000_000

// A Kernel runs tasks in virtual time. It is not safe for concurrent use: the goroutine that calls
// Run owns it.
type Kernel struct {
	now     Time
	seq     uint64
	heap    []event
	ready   []event // events of this instant, in order; a queue with its head at first
	first   int
	cur     *Task
	tasks   []*Task
	shuffle *rand.Rand
	steps   int // in this instant
	total   uint64
	dirty   bool
	err     error
	beat    atomic.Uint64
	busy    atomic.Bool
	leash   leash
	running atomic.Pointer[Task]
}

// event resumes a task, lets its timer ring, or calls fn.
type event struct {
	at    Time
	seq   uint64
	task  *Task
	fn    func()
	timer bool
}

// New returns a kernel at time 0. With a non-nil shuffle, events of one instant run in an order
// drawn from it: other seeds explore other orders, the same seed replays.
func New(shuffle *rand.Rand) *Kernel {
	k := &Kernel{shuffle: shuffle}
	k.unleash()
	return k
}

// Now is the present instant.
func (k *Kernel) Now() Time { return k.now }

// Events is how many events have run.
func (k *Kernel) Events() uint64 { return k.total }

// Err is what made the world fail: a panic in a task, or an instant without progress.
func (k *Kernel) Err() error { return k.err }

// Current is the task that is running, nil outside tasks.
func (k *Kernel) Current() *Task { return k.cur }

// Dirty tells RunUntil that its condition may have changed.
func (k *Kernel) Dirty() { k.dirty = true }

// At calls fn at a time, or now when that is past. fn must not wait.
func (k *Kernel) At(at Time, fn func()) { k.push(event{at: at, fn: fn}) }

func (k *Kernel) push(ev event) {
	k.seq++
	ev.seq = k.seq
	if k.shuffle != nil {
		ev.seq = k.shuffle.Uint64()
	} else if ev.at <= k.now {
		ev.at = k.now
		k.ready = append(k.ready, ev)
		return
	}
	if ev.at < k.now {
		ev.at = k.now
	}
	k.heapPush(ev)
}

// pop takes the next event not later than until.
func (k *Kernel) pop(until Time) (event, bool) {
	if k.first < len(k.ready) {
		head := &k.ready[k.first]
		if len(k.heap) == 0 || k.heap[0].at > k.now || k.heap[0].seq > head.seq {
			ev := *head
			*head = event{}
			k.first++
			if k.first == len(k.ready) {
				k.ready, k.first = k.ready[:0], 0
			}
			return ev, true
		}
		return k.heapPop(), true
	}
	if len(k.heap) == 0 || k.heap[0].at > until {
		return event{}, false
	}
	return k.heapPop(), true
}

// Run lets the world go on until a time, and stops there.
func (k *Kernel) Run(until Time) error {
	_, err := k.RunUntil(until, nil)
	return err
}

// RunUntil lets the world go on until cond holds (true) or a time is reached (false). cond is
// asked at the start and whenever Dirty was called.
func (k *Kernel) RunUntil(until Time, cond func() bool) (bool, error) {
	k.busy.Store(true)
	defer k.busy.Store(false)
	k.dirty = true
	for k.err == nil {
		if cond != nil && k.dirty {
			k.dirty = false
			if cond() {
				return true, nil
			}
		}
		ev, ok := k.pop(until)
		if !ok {
			if until != Never && until > k.now {
				k.now = until
			}
			return false, k.err
		}
		k.step(ev)
	}
	return false, k.err
}

func (k *Kernel) step(ev event) {
	if ev.at > k.now {
		k.now, k.steps = ev.at, 0
	}
	k.total++
	if k.steps++; k.steps > stepLimit {
		k.err = fmt.Errorf("at %v: %d events in one instant; last %s", time.Duration(k.now), k.steps,
			ev.name())
		return
	}
	switch {
	case ev.fn != nil:
		ev.fn()
	case ev.timer:
		ev.task.ring(ev.at)
	default:
		ev.task.resume()
	}
}

func (ev event) name() string {
	if ev.task != nil {
		return ev.task.name
	}
	return "callback"
}

// Close unwinds every task: their deferred code runs, their waits panic with a private value. It
// returns how many could not be unwound, which is a bug.
func (k *Kernel) Close() int {
	k.leash.pull()
	for _, t := range k.tasks {
		t.Kill()
	}
	k.err, k.steps = nil, 0 // also after an instant that did not end
	k.busy.Store(true)
	defer k.busy.Store(false)
	for range 1000 { // a task may start others while it is unwound
		ev, ok := k.pop(k.now)
		for ; ok; ev, ok = k.pop(k.now) {
			k.step(ev)
		}
		if len(k.tasks) == 0 {
			break
		}
		for _, t := range k.tasks {
			t.Kill()
		}
	}
	return len(k.tasks)
}

// fail records what a task's panic said.
func (k *Kernel) fail(t *Task, r any) {
	if k.err == nil {
		k.err = fmt.Errorf("at %v: task %s: panic: %v\n%s", time.Duration(k.now), t.name, r,
			debug.Stack())
	}
}

func less(a, b *event) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

func (k *Kernel) heapPush(ev event) {
	h := append(k.heap, ev)
	i := len(h) - 1
	for i > 0 {
		p := (i - 1) / 4
		if !less(&ev, &h[p]) {
			break
		}
		h[i] = h[p]
		i = p
	}
	h[i] = ev
	k.heap = h
}

func (k *Kernel) heapPop() event {
	h := k.heap
	top := h[0]
	last := h[len(h)-1]
	h[len(h)-1] = event{}
	h = h[:len(h)-1]
	k.heap = h
	if len(h) == 0 {
		return top
	}
	i := 0
	for {
		c := 4*i + 1
		if c >= len(h) {
			break
		}
		for j := c + 1; j < min(c+4, len(h)); j++ {
			if less(&h[j], &h[c]) {
				c = j
			}
		}
		if !less(&h[c], &last) {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = last
	return top
}
