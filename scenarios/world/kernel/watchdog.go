package kernel

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// patience is how much real time one task may take between two waits. A lock held across a wait, or
// a plain channel between two tasks, would otherwise hang the world in silence.
const patience = 5 * time.Second

// leash ends the watchdog; it is nil when that was done.
type leash chan struct{}

func (l *leash) pull() {
	if *l != nil {
		close(*l)
		*l = nil
	}
}

// unleash starts the watchdog.
func (k *Kernel) unleash() {
	k.leash = make(leash)
	go k.watch(k.leash)
}

// watch ends the process when a task does not come back: nothing else can, since a task that is
// stuck outside the kernel cannot be unwound. It looks twice before it bites, until done is closed.
func (k *Kernel) watch(done <-chan struct{}) {
	tick := time.NewTicker(patience)
	defer tick.Stop()
	var last uint64
	for stuck := false; ; {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		t, beat := k.running.Load(), k.beat.Load()
		still := k.busy.Load() && t != nil && beat == last
		if still && stuck {
			bite(t)
		}
		stuck, last = still, beat
	}
}

func bite(t *Task) {
	buf := make([]byte, 1<<20)
	fmt.Fprintf(os.Stderr, "watchdog: task %s has not come back to the kernel for %v; it waits for "+
		"something that is not part of the world (a lock, a channel)\n%s\n",
		t.name, patience, buf[:runtime.Stack(buf, true)])
	os.Exit(2)
}
