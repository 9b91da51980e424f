package usb

import (
	"context"
	"errors"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// A packet that comes for a task that was stopped meanwhile is not lost.
func TestAPacketOutlivesItsReader(t *testing.T) {
	e, s := machine(t), newSide()
	m := new(mailbox)
	const ep = 0x81
	begun, arrived, got := make(chan bool), make(chan bool), make(chan error)
	own, scope := e.Scope("test")
	own.Go("reader", func(e env.Env) error {
		_, err := s.do(e, env.Never, func(ctx context.Context) (int, error) {
			return 0, m.fetch(ctx, ep, func() ([]byte, error) {
				close(begun)
				<-arrived
				return []byte("late"), nil
			})
		})
		got <- err
		return nil
	})
	<-begun
	scope.Stop()
	if err := <-got; !errors.Is(err, env.ErrStopped) {
		t.Fatalf("%v, want %v", err, env.ErrStopped)
	}
	next := make(chan error)
	go func() { // it must wait for the first transfer, and need none of its own
		next <- m.fetch(context.Background(), ep, func() ([]byte, error) {
			return nil, errors.New("a second transfer")
		})
	}()
	close(arrived)
	if err := <-next; err != nil {
		t.Error(err)
	}
	if p, ok := m.take(ep); !ok || string(p) != "late" {
		t.Errorf("%q, %t", p, ok)
	}
	if p, ok := m.take(ep); ok {
		t.Errorf("%q twice", p)
	}
}

func TestAMailboxIsEmptyAfterAFailureAndADrop(t *testing.T) {
	m := new(mailbox)
	fails := func() ([]byte, error) { return []byte("half"), transport.ErrStall }
	if err := m.fetch(context.Background(), 0x81, fails); !errors.Is(err, transport.ErrStall) {
		t.Error(err)
	}
	comes := func() ([]byte, error) { return nil, nil }
	if err := m.fetch(context.Background(), 0x82, comes); err != nil {
		t.Error(err)
	}
	if _, ok := m.take(0x81); ok {
		t.Error("what failed was kept")
	}
	if p, ok := m.take(0x82); !ok || len(p) != 0 {
		t.Errorf("an empty packet came as %q, %t", p, ok)
	}
	m.fetch(context.Background(), 0x82, comes)
	m.drop()
	if _, ok := m.take(0x82); ok {
		t.Error("a packet survived drop")
	}
}
