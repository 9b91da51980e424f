package serve

import (
	"errors"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Keep lets time pass for a body until the task is stopped: it calls Advance whenever something is
// due. The body's time is that of e.
func Keep(e env.Env, u *power.UPS) error {
	w := e.Waiter()
	u.OnChange(func(c power.Change) {
		if c.Name == power.Timer {
			w.Wake()
		}
	})
	for {
		u.Advance(time.Duration(e.Now()))
		until := env.Never
		if at, ok := u.Next(); ok {
			until = env.Instant(at)
		}
		if err := w.Wait(e, until); err != nil && !isTimeout(err) {
			return err
		}
	}
}

// Announce emits an event for each change of the body, under the name of the UPS.
func Announce(e env.Env, name string, u *power.UPS) {
	u.OnChange(func(c power.Change) {
		switch c.Name {
		case power.Input, power.Low, power.Outlet, power.Empty:
			e.Emit(env.Event{Kind: env.Power, UPS: name, Name: c.Name, Value: c.Value, Why: c.Why})
		}
	})
}

func isTimeout(err error) bool { return errors.Is(err, env.ErrTimeout) }
