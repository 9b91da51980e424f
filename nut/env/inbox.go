package env

import "sync"

// An Inbox is the only way to wait for several things: producers Put, one consumer Gets, with a
// deadline.
type Inbox[T any] struct {
	w Waiter

	mu      sync.Mutex // guards what follows; never held across a wait
	q       []T
	head    int
	size    int
	dropped int
}

// NewInbox returns an inbox that holds at most size values.
func NewInbox[T any](e Env, size int) *Inbox[T] {
	return &Inbox[T]{w: e.Waiter(), size: size}
}

// Put adds v and wakes the consumer. It never blocks: false means that the inbox was full and v is
// lost and counted.
func (b *Inbox[T]) Put(v T) bool {
	b.mu.Lock()
	if len(b.q)-b.head >= b.size {
		b.dropped++
		b.mu.Unlock()
		return false
	}
	if b.head > 0 && len(b.q) == cap(b.q) { // one that is never empty must not grow
		n := copy(b.q, b.q[b.head:])
		clear(b.q[n:])
		b.q, b.head = b.q[:n], 0
	}
	b.q = append(b.q, v)
	b.mu.Unlock()
	b.w.Wake()
	return true
}

// Get returns the oldest value, waiting for one until the deadline. Its error wraps ErrTimeout or
// ErrStopped.
func (b *Inbox[T]) Get(e Env, until Instant) (T, error) {
	for {
		if v, ok := b.Take(); ok {
			return v, nil
		}
		if err := b.w.Wait(e, until); err != nil {
			var zero T
			return zero, err
		}
	}
}

// Take returns the oldest value if there is one.
func (b *Inbox[T]) Take() (v T, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.head == len(b.q) {
		return v, false
	}
	v = b.q[b.head]
	var zero T
	b.q[b.head] = zero
	b.head++
	if b.head == len(b.q) {
		b.q, b.head = b.q[:0], 0
	}
	return v, true
}

// Dropped is how many values were lost because the inbox was full.
func (b *Inbox[T]) Dropped() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
