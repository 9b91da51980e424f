package env

import (
	"errors"
	"time"
)

// fullPause is how long Serve waits when the system has no descriptor left.
const fullPause = time.Second

// Serve gives each connection that l accepts a task of its own, until l is closed (nil) or the task
// is stopped. f closes the connection.
func Serve(e Env, l Listener, name string, f func(Env, Conn) error) error {
	for {
		c, err := l.Accept(e, Never)
		switch {
		case err == nil:
			e.Go(name, func(e Env) error { return f(e, c) })
		case errors.Is(err, ErrFull):
			if err := e.Sleep(fullPause); err != nil {
				return err
			}
		case errors.Is(err, ErrClosed):
			return nil
		default:
			return err
		}
	}
}
