package serve_test

import (
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/serial"
)

// A device that cries out when something happens is heard by who reads already, on a cable and on a
// pseudo-terminal.
func TestDeviceThatCriesOutWakesItsReader(t *testing.T) {
	e := machine(t, 1)
	ports := map[string]func(c *serve.Cable) (transport.Serial, error){
		"cable": func(c *serve.Cable) (transport.Serial, error) { return c.Open(e) },
		"pty": func(c *serve.Cable) (transport.Serial, error) {
			return serial.Ports{}.Serial(e, plugIn(t, e, c), transport.Mode{})
		},
	}
	for name, open := range ports {
		t.Run(name, func(t *testing.T) {
			body := power.New(power.Spec{})
			s, err := open(serve.NewCable(apcsmart.New(body, apcsmart.Options{}), serve.Options{}))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Write(e, []byte("Y")); err != nil {
				t.Fatal(err)
			}
			if got := read(t, e, s, 4); got != "SM\r\n" {
				t.Fatalf("after Y: %q", got)
			}
			tasks, scope := e.Scope("utility")
			tasks.Go("utility", func(e env.Env) error {
				err := e.Sleep(50 * time.Millisecond)
				body.SetMains(time.Duration(e.Now()), 0)
				return err
			})
			if got := read(t, e, s, 1); got != "!" {
				t.Errorf("the mains fail: %q, want %q", got, "!")
			}
			scope.Wait(e)
		})
	}
}

// read reads so many bytes.
func read(t *testing.T, e env.Env, s transport.Serial, n int) string {
	t.Helper()
	var got []byte
	for until := e.Now().Add(10 * time.Second); len(got) < n; {
		b := make([]byte, n-len(got))
		k, err := s.Read(e, b, until)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		got = append(got, b[:k]...)
	}
	return string(got)
}
