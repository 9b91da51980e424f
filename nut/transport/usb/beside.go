package usb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
)

// Limits in real time.
const (
	// grace is how much later than it was told to the library may come back.
	grace = 2 * time.Second
	// closeLimit bounds the wait for calls that run while their device is closed.
	closeLimit = 3 * time.Second
)

// A side runs calls of the library beside the tasks that want them, so that a task can be stopped
// and have deadlines in its own time.
type side struct {
	life context.Context // ends with end
	kill context.CancelFunc

	mu      sync.Mutex // guards what follows
	closed  bool
	hung    bool // a call has not come back
	running sync.WaitGroup
}

func newSide() *side {
	s := new(side)
	s.life, s.kill = context.WithCancel(context.Background())
	return s
}

// outcome is what a call returned.
type outcome struct {
	n   int
	err error
}

// A call is something that may block in the library.
type call func(context.Context) (int, error)

// do makes a call and waits for it. At the deadline, when the task is stopped and when the side
// ends, the call's context ends and it must return soon. A stopped task does not wait for that;
// what the call does then must not touch the task's memory.
func (s *side) do(e env.Env, until env.Instant, f call) (int, error) {
	ctx, cancel, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer cancel()
	if e.Now() >= until {
		s.running.Done()
		return 0, transport.ErrTimeout
	}
	w := e.Waiter()
	done := make(chan outcome, 1)
	go func() {
		defer s.running.Done()
		n, err := guarded(ctx, f)
		done <- outcome{n, err}
		w.Wake()
	}()
	err = w.Wait(e, until)
	if errors.Is(err, env.ErrTimeout) {
		cancel()
		err = w.Wait(e, e.Now().Add(grace))
	}
	switch {
	case errors.Is(err, env.ErrTimeout):
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hung = true
		return 0, fmt.Errorf("%w: the USB library does not come back", transport.ErrGone)
	case err != nil:
		return 0, err // the task was stopped
	}
	o := <-done
	if errors.Is(o.err, errCancelled) {
		return o.n, s.cancelled()
	}
	return o.n, o.err
}

// enter counts one call, unless the side has ended.
func (s *side) enter() (context.Context, context.CancelFunc, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, env.ErrClosed
	}
	if s.hung {
		return nil, nil, fmt.Errorf("%w: the USB library has not come back", transport.ErrGone)
	}
	s.running.Add(1)
	ctx, cancel := context.WithCancel(s.life)
	return ctx, cancel, nil
}

// cancelled is why a call was cancelled whose task was not stopped.
func (s *side) cancelled() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return env.ErrClosed
	}
	return transport.ErrTimeout
}

// guarded turns a panic into an error.
func guarded(ctx context.Context, f call) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the USB library failed: %v", r)
			if cause, ok := r.(error); ok {
				err = fmt.Errorf("the USB library failed: %w", cause)
			}
		}
	}()
	return f(ctx)
}

// end cancels the calls that run, waits for them and runs last. first is false when the side had
// ended before. The error says that a call does not come back; last is run when it does.
func (s *side) end(last func()) (first bool, err error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false, nil
	}
	s.closed = true
	s.mu.Unlock()
	s.kill()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		guarded(s.life, func(context.Context) (int, error) { last(); return 0, nil })
		close(done)
	}()
	select {
	case <-done:
		return true, nil
	case <-time.After(closeLimit):
		return true, fmt.Errorf("%w: a transfer did not end", transport.ErrTimeout)
	}
}
