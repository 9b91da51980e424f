package osenv

import (
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A crowd counts open connections. When most of many have gone it gives their memory back to the
// system, which the runtime on its own would do minutes later and in part.
type crowd struct {
	open, most atomic.Int64 // most since memory was last given back
	pending    atomic.Bool
}

const (
	manyConns = 256         // fewer hold too little to matter
	crowdRest = time.Second // after which the tasks of those who left have ended
)

func (c *crowd) enter() {
	n := c.open.Add(1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
}

func (c *crowd) leave() {
	n := c.open.Add(-1)
	if most := c.most.Load(); most >= manyConns && n <= most/2 && !c.pending.Swap(true) {
		time.AfterFunc(crowdRest, func() {
			c.pending.Store(false)
			c.most.Store(c.open.Load())
			debug.FreeOSMemory()
		})
	}
}
