package kernel

import "fmt"

// Reason says why a wait ended.
type Reason uint8

// Reasons for the end of a wait.
const (
	Woken   Reason = iota // somebody called Wake
	Expired               // the deadline came
)

// A Group is a set of tasks that can be frozen together, as SIGSTOP freezes a process.
type Group struct {
	frozen bool
	held   []*Task
}

// Freeze keeps the group's tasks from running until Thaw.
func (g *Group) Freeze() { g.frozen = true }

// Thaw lets them run again; what became due meanwhile is due now.
func (g *Group) Thaw() {
	g.frozen = false
	held := g.held
	g.held = nil
	for _, t := range held {
		if t.state == ready {
			t.k.push(event{at: t.k.now, task: t})
		}
	}
}

type state uint8

const (
	ready   state = iota // an event that resumes it is queued, or held by a frozen group
	running              // it is the current task
	parked               // it waits
	done
)

// A Task is one flow of control.
type Task struct {
	k      *Kernel
	name   string
	group  *Group
	co     coroutine
	state  state
	killed bool
	reason Reason
	index  int // in k.tasks

	deadline Time // of the present wait
	queued   Time // time of the timer event that counts, Never when none
}

// unwound is what a wait panics with in a task that was killed.
type unwound struct{}

// Spawn starts a task; it runs for the first time as an event of this instant.
func (k *Kernel) Spawn(name string, g *Group, f func(*Task)) *Task {
	t := &Task{k: k, name: name, group: g, queued: Never, index: len(k.tasks)}
	k.tasks = append(k.tasks, t)
	t.co = newCoroutine(func() {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(unwound); !ok {
					k.fail(t, r)
				}
			}
		}()
		f(t)
	})
	k.push(event{at: k.now, task: t})
	return t
}

// Name is the task's name.
func (t *Task) Name() string { return t.name }

// Killed reports that the task is being unwound: it must wait no more.
func (t *Task) Killed() bool { return t.killed }

// Park waits until Wake or a time. Only the running task may call it.
func (t *Task) Park(until Time) Reason {
	if t.k.cur != t {
		panic(fmt.Sprintf("task %s waits in the name of task %s: an Env was handed to another task",
			t.k.curName(), t.name))
	}
	if t.killed {
		panic(unwound{})
	}
	until = max(until, t.k.now)
	if t.deadline = until; until < t.queued {
		t.queued = until
		t.k.push(event{at: until, task: t, timer: true})
	}
	t.state = parked
	t.co.yield()
	if t.killed {
		panic(unwound{})
	}
	return t.reason
}

func (k *Kernel) curName() string {
	if k.cur == nil {
		return "(none)"
	}
	return k.cur.name
}

// Wake ends the task's wait; a task that does not wait is left alone.
func (t *Task) Wake() {
	if t.state != parked {
		return
	}
	t.state, t.reason = ready, Woken
	t.k.push(event{at: t.k.now, task: t})
}

// WakeNow is Wake for callbacks: the task runs within this event instead of in one of its own,
// which saves a turn through the queue for each message that arrives.
func (t *Task) WakeNow() {
	if t.state != parked {
		return
	}
	t.state, t.reason = ready, Woken
	if t.k.cur != nil || t.k.shuffle != nil {
		t.k.push(event{at: t.k.now, task: t})
		return
	}
	t.resume()
}

// Kill unwinds the task at its present wait, or at its next when it is running.
func (t *Task) Kill() {
	if t.killed || t.state == done {
		return
	}
	t.killed = true
	switch {
	case t.state == parked:
		t.state = ready
		t.k.push(event{at: t.k.now, task: t})
	case t.state == ready && t.group != nil && t.group.frozen:
		t.k.push(event{at: t.k.now, task: t})
	}
}

// ring handles a timer event. A wait that was prolonged, or replaced by a longer one, has left an
// early event behind: it is queued again for the time that counts now. So each task has one event
// in the queue, however many waits it makes.
func (t *Task) ring(at Time) {
	if at != t.queued {
		return
	}
	t.queued = Never
	if t.state != parked || t.deadline == Never {
		return
	}
	if t.deadline > t.k.now {
		t.queued = t.deadline
		t.k.push(event{at: t.deadline, task: t, timer: true})
		return
	}
	t.state, t.reason = ready, Expired
	t.resume()
}

// resume runs the task until its next wait or its end.
func (t *Task) resume() {
	if t.state != ready {
		return
	}
	if t.group != nil && t.group.frozen && !t.killed {
		t.group.held = append(t.group.held, t)
		return
	}
	k := t.k
	k.cur, t.state = t, running
	k.running.Store(t)
	k.beat.Add(1)
	alive := t.co.resume()
	k.running.Store(nil)
	k.cur = nil
	if !alive {
		k.bury(t)
	}
}

func (k *Kernel) bury(t *Task) {
	t.state = done
	last := k.tasks[len(k.tasks)-1]
	k.tasks[t.index], last.index = last, t.index
	k.tasks[len(k.tasks)-1] = nil
	k.tasks = k.tasks[:len(k.tasks)-1]
}
