package driver

import (
	"slices"
	"sync"

	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// A hub holds what was last published, and who listens.
type hub struct {
	mu    sync.Mutex // guards what follows; never held across a call that takes an Env
	dev   *state.Device
	fresh bool
	conns []*conn
}

func newHub() *hub { return &hub{dev: state.New()} }

// publish makes next known and sends what changed.
func (h *hub) publish(next *state.Device) {
	h.mu.Lock()
	defer h.mu.Unlock()
	lines := changes(h.dev, next)
	if len(lines) == 0 {
		return
	}
	h.dev = copyOf(next)
	h.tell(lines)
}

// setFresh says whether the data is fresh; false when that was known.
func (h *hub) setFresh(fresh bool) (changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fresh == fresh {
		return false
	}
	h.fresh = fresh
	if fresh {
		h.tell([]byte(sockproto.DataOK))
	} else {
		h.tell([]byte(sockproto.DataStale))
	}
	return true
}

// tell sends lines to all who listen. The caller holds the lock.
func (h *hub) tell(lines []byte) {
	for _, c := range h.conns {
		if c.listens {
			c.send(lines)
		}
	}
}

// answer sends what reply makes of the published state, in order with the broadcasts.
func (h *hub) answer(c *conn, reply func(dev *state.Device, fresh bool) []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.send(reply(h.dev, h.fresh))
}

// published returns what was last published. It is not changed any more.
func (h *hub) published() *state.Device {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dev
}

// listen says whether a connection gets broadcasts.
func (h *hub) listen(c *conn, on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.listens = on
}

// add takes a connection in; false when there are too many.
func (h *hub) add(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.conns) >= maxConns {
		return false
	}
	h.conns = append(h.conns, c)
	return true
}

func (h *hub) remove(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns = slices.DeleteFunc(h.conns, func(x *conn) bool { return x == c })
}

// text prints the variables as upsc does.
func text(d *state.Device) []byte {
	var b []byte
	for _, v := range d.Vars() {
		b = append(b, v.Name+": "+v.Value+"\n"...)
	}
	return b
}

// changes are the lines that make a copy of old into one of next.
func changes(old, next *state.Device) []byte {
	var b []byte
	for _, v := range old.Vars() {
		if _, ok := next.Get(v.Name); !ok {
			b = append(b, sockproto.DelInfo(v.Name)...)
		}
	}
	for _, v := range next.Vars() {
		was, ok := old.Get(v.Name)
		if !ok {
			was = &state.Var{Name: v.Name}
		}
		b = append(b, varChanges(was, v, !ok)...)
	}
	for _, c := range old.Commands() {
		if !next.HasCommand(c) {
			b = append(b, sockproto.DelCmd(c)...)
		}
	}
	for _, c := range next.Commands() {
		if !old.HasCommand(c) {
			b = append(b, sockproto.AddCmd(c)...)
		}
	}
	return b
}

func varChanges(old, next *state.Var, isNew bool) []byte {
	var b []byte
	if isNew || old.Value != next.Value {
		b = append(b, sockproto.SetInfo(next.Name, next.Value)...)
	}
	for _, e := range old.Enum {
		if !slices.Contains(next.Enum, e) {
			b = append(b, sockproto.DelEnum(next.Name, e)...)
		}
	}
	for _, e := range next.Enum {
		if !slices.Contains(old.Enum, e) {
			b = append(b, sockproto.AddEnum(next.Name, e)...)
		}
	}
	for _, r := range old.Ranges {
		if !slices.Contains(next.Ranges, r) {
			b = append(b, sockproto.DelRange(next.Name, r)...)
		}
	}
	for _, r := range next.Ranges {
		if !slices.Contains(old.Ranges, r) {
			b = append(b, sockproto.AddRange(next.Name, r)...)
		}
	}
	if old.Max != next.Max {
		b = append(b, sockproto.SetAux(next.Name, next.Max)...)
	}
	if old.Flags != next.Flags {
		b = append(b, sockproto.SetFlags(next.Name, next.Flags)...)
	}
	return b
}

// copyOf returns a device of its own with the same content.
func copyOf(d *state.Device) *state.Device {
	c := state.New()
	for _, v := range d.Vars() {
		c.Set(v.Name, v.Value)
		c.SetFlags(v.Name, v.Flags)
		c.SetMax(v.Name, v.Max)
		for _, e := range v.Enum {
			c.AddEnum(v.Name, e)
		}
		for _, r := range v.Ranges {
			c.AddRange(v.Name, r)
		}
	}
	for _, name := range d.Commands() {
		c.AddCommand(name)
	}
	return c
}
