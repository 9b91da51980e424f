package usb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// waits is a call that ends when it is cancelled, as an interrupt transfer does.
func waits(ctx context.Context) (int, error) {
	<-ctx.Done()
	return 3, errCancelled
}

func TestACallIsWaitedFor(t *testing.T) {
	e, s := machine(t), newSide()
	stalls := func(context.Context) (int, error) { return 7, transport.ErrStall }
	n, err := s.do(e, env.Never, stalls)
	if n != 7 || err != transport.ErrStall {
		t.Errorf("%d, %v", n, err)
	}
}

func TestADeadlineCancelsACall(t *testing.T) {
	e, s := machine(t), newSide()
	n, err := s.do(e, e.Now().Add(time.Millisecond), waits)
	if n != 3 || !errors.Is(err, transport.ErrTimeout) {
		t.Errorf("%d, %v; want 3 and a timeout", n, err)
	}
	never := func(context.Context) (int, error) { t.Error("called too late"); return 0, nil }
	if _, err := s.do(e, e.Now(), never); !errors.Is(err, transport.ErrTimeout) {
		t.Errorf("a deadline in the past: %v", err)
	}
	if first, err := s.end(func() {}); !first || err != nil {
		t.Errorf("end: %t, %v", first, err)
	}
}

func TestAStoppedTaskDoesNotWaitForItsCall(t *testing.T) {
	e, s := machine(t), newSide()
	begun, free, got := make(chan bool), make(chan bool), make(chan error)
	own, scope := e.Scope("test")
	own.Go("caller", func(e env.Env) error {
		_, err := s.do(e, env.Never, func(context.Context) (int, error) {
			close(begun)
			<-free
			return 0, nil
		})
		got <- err
		return nil
	})
	<-begun
	scope.Stop()
	if err := <-got; !errors.Is(err, env.ErrStopped) {
		t.Errorf("%v, want %v", err, env.ErrStopped)
	}
	close(free)
	s.end(func() {})
}

func TestClosingEndsACallFirst(t *testing.T) {
	e, s := machine(t), newSide()
	begun, got := make(chan bool), make(chan error)
	ended := false
	e.Go("caller", func(e env.Env) error {
		_, err := s.do(e, env.Never, func(ctx context.Context) (int, error) {
			close(begun)
			n, err := waits(ctx)
			ended = true
			return n, err
		})
		got <- err
		return nil
	})
	<-begun
	if _, err := s.end(func() {
		if !ended {
			t.Error("closed under a call")
		}
	}); err != nil {
		t.Error(err)
	}
	if err := <-got; !errors.Is(err, env.ErrClosed) {
		t.Errorf("%v, want %v", err, env.ErrClosed)
	}
	if _, err := s.do(e, env.Never, waits); !errors.Is(err, env.ErrClosed) {
		t.Errorf("after closing: %v", err)
	}
	if first, err := s.end(func() { t.Error("closed twice") }); first || err != nil {
		t.Errorf("closed again: %t, %v", first, err)
	}
}

func TestAPanicIsAnError(t *testing.T) {
	e, s := machine(t), newSide()
	_, err := s.do(e, env.Never, func(context.Context) (int, error) { panic(transport.ErrBusy) })
	if !errors.Is(err, transport.ErrBusy) {
		t.Errorf("a panic with an error: %v", err)
	}
	_, err = s.do(e, env.Never, func(context.Context) (int, error) { panic("broken") })
	if !contains(err, "broken") {
		t.Errorf("a panic with a text: %v", err)
	}
}

// The library is not asked any more, and the device is not closed under what still runs.
func TestACallThatDoesNotComeBackMakesTheDeviceGone(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the library's grace in real time")
	}
	t.Parallel()
	e, s := machine(t), newSide()
	free, closed := make(chan bool), make(chan bool)
	stuck := func(context.Context) (int, error) { <-free; return 0, nil }
	for range 2 {
		_, err := s.do(e, e.Now().Add(time.Millisecond), stuck)
		if !errors.Is(err, transport.ErrGone) {
			t.Errorf("%v, want %v", err, transport.ErrGone)
		}
	}
	if _, err := s.end(func() { close(closed) }); err == nil {
		t.Error("closing says nothing of a call that does not end")
	}
	select {
	case <-closed:
		t.Error("closed under a call")
	default:
	}
	close(free)
	<-closed // at last
}
