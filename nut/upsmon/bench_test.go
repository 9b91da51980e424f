package upsmon_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upsmon"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// BenchmarkHour is an uneventful hour of a thousand monitors of one server: 720,000 polls.
func BenchmarkHour(b *testing.B) {
	for range b.N {
		u := &upsd{ups: map[string]*served{"rack": {status: "OL CHRG"}}, refused: map[string]string{}}
		w := world.New(world.Options{Programs: func(_ *world.Host, name string) env.Main {
			return map[string]env.Main{"upsmon": upsmon.Main}[name]
		}})
		nas := w.Host("nas")
		nas.PowerOn()
		nas.StartMain("upsd", u.cheap)
		for i := range 1000 {
			h := w.Host(fmt.Sprintf("h%d", i))
			h.PowerOn()
			h.WriteFile("/etc/nut/upsmon.conf", []byte("MONITOR rack@nas 1 mon secret secondary\nPOLLFREQ 5\n"))
			h.Start("upsmon", nil)
		}
		if err := w.RunFor(time.Hour); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(w.Events()), "events/op")
		w.Close()
	}
}

// cheap answers every poll without thinking, so that the time measured is the monitors'.
func (u *upsd) cheap(e env.Env, _ []string) int {
	l, err := e.Net().Listen(e, "tcp", "0.0.0.0:3493")
	if err != nil {
		return 1
	}
	ok, status := []byte("OK\n"), []byte("VAR rack ups.status \"OL CHRG\"\n")
	for {
		c, err := l.Accept(e, env.Never)
		if err != nil {
			return 0
		}
		e.Go("session", func(e env.Env) error {
			buf := make([]byte, 64)
			for {
				n, err := c.Read(e, buf, env.Never)
				if err != nil {
					return nil
				}
				reply := ok
				if n > 3 && string(buf[:3]) == "GET" {
					reply = status
				}
				c.Write(e, reply, env.Never)
			}
		})
	}
}
