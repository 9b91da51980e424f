package usb

import (
	"context"
	"sync"
)

// A mailbox holds packets of interrupt endpoints between the transfer that fetched them and the
// task that wants them. When that task was stopped in between, the next one that reads gets them: a
// packet is never lost with the task.
type mailbox struct {
	mu    sync.Mutex // guards boxes and their packets
	boxes map[byte]*box
}

// A box is that of one endpoint.
type box struct {
	turn    chan struct{} // holds one value while a transfer fetches
	packets [][]byte
}

func (m *mailbox) box(endpoint byte) *box {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.boxes[endpoint]
	if b == nil {
		b = &box{turn: make(chan struct{}, 1)}
		if m.boxes == nil {
			m.boxes = map[byte]*box{}
		}
		m.boxes[endpoint] = b
	}
	return b
}

// fetch sees to it that there is a packet, with one transfer at most. Of two tasks that read the
// same endpoint one waits until the other's transfer has ended.
func (m *mailbox) fetch(ctx context.Context, endpoint byte, transfer func() ([]byte, error)) error {
	b := m.box(endpoint)
	select {
	case b.turn <- struct{}{}:
		defer func() { <-b.turn }()
	case <-ctx.Done():
		return errCancelled
	}
	m.mu.Lock()
	there := len(b.packets) > 0
	m.mu.Unlock()
	if there {
		return nil
	}
	p, err := transfer()
	if err != nil {
		return err
	}
	m.mu.Lock()
	b.packets = append(b.packets, p)
	m.mu.Unlock()
	return nil
}

// take returns the oldest packet.
func (m *mailbox) take(endpoint byte) (p []byte, ok bool) {
	b := m.box(endpoint)
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(b.packets) == 0 {
		return nil, false
	}
	p, b.packets = b.packets[0], b.packets[1:]
	return p, true
}

// drop empties all boxes.
func (m *mailbox) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.boxes {
		b.packets = nil
	}
}
