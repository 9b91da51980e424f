package kernel

import "iter"

// A coroutine switches between the kernel and one task. It is made with iter.Pull, whose switch
// costs a tenth of a channel's. Its traps: nothing in a task may lock its thread
// (runtime.LockOSThread) or end its goroutine (runtime.Goexit, so no t.FailNow).
type coroutine struct {
	next func() (struct{}, bool)
	out  *func(struct{}) bool
}

func newCoroutine(f func()) coroutine {
	var out func(struct{}) bool
	next, _ := iter.Pull(func(yield func(struct{}) bool) {
		out = yield
		f()
	})
	return coroutine{next: next, out: &out}
}

// resume runs the task until it yields; false means that it has ended.
func (c coroutine) resume() bool {
	_, alive := c.next()
	return alive
}

func (c coroutine) yield() { (*c.out)(struct{}{}) }
