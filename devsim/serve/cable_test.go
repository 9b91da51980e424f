package serve_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/porttest"
)

// machine is this machine with a clock that runs scale times faster.
func machine(t *testing.T, scale int64) env.Env {
	t.Helper()
	e, err := osenv.New(osenv.Options{
		Prog:  t.Name(),
		Clock: &osenv.Clock{Scale: scale, Epoch: time.Now()},
		Log:   slog.DiscardHandler,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCableIsASerialPort(t *testing.T) {
	e := machine(t, 10)
	porttest.Run(t, e, func(t *testing.T) porttest.Line {
		c := serve.NewCable(new(porttest.Device), serve.Options{})
		s, err := c.Open(e)
		if err != nil {
			t.Fatal(err)
		}
		return porttest.Line{
			Serial: s,
			Unplug: func() { c.SetFault(time.Duration(e.Now()), serve.Unplug, 0) },
			Again:  func() (transport.Serial, error) { return c.Open(e) },
		}
	})
}
