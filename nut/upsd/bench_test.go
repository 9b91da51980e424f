package upsd_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
)

// BenchmarkVirtualHour is an hour of a thousand clients that poll every five seconds.
func BenchmarkVirtualHour(b *testing.B) {
	const clients, every = 1000, 5 * time.Second
	for b.Loop() {
		s := newSite(b, nil)
		s.driver("fake")
		s.start()
		polls := 0
		for i := range clients {
			h := s.w.Host(fmt.Sprintf("h%d", i))
			h.PowerOn()
			h.StartMain("client", func(e env.Env, _ []string) int {
				e.Sleep(time.Duration(i) * every / clients)
				conn, err := e.Net().Dial(e, "tcp", "nas:3493", e.Now().Add(time.Second))
				if err != nil {
					b.Error(err)
					return 1
				}
				buf := make([]byte, 512)
				for {
					conn.Write(e, []byte("GET VAR fake ups.status\n"), e.Now().Add(time.Second))
					if _, err := conn.Read(e, buf, e.Now().Add(time.Second)); err != nil {
						b.Error(err)
						return 1
					}
					polls++
					if e.Sleep(every) != nil {
						return 0
					}
				}
			})
		}
		s.run(time.Hour)
		if want := clients * (int(time.Hour/every) - 1); polls < want {
			b.Errorf("%d polls, want %d", polls, want)
		}
		b.ReportMetric(float64(polls), "polls/op")
	}
}

// BenchmarkHandshake is a client that connects, agrees on TLS, asks once and leaves: the work of both
// ends.
func BenchmarkHandshake(b *testing.B) {
	ca := pkitest.NewCA("test CA")
	cert, key := ca.Issue(pkitest.Leaf{Name: "nas"})
	s := newSite(b, map[string]string{"/etc/nut/upsd.conf": "LISTEN *\nCERTFILE /etc/nut/upsd.pem\n",
		"/etc/nut/upsd.pem": cert + key})
	s.start()
	for b.Loop() {
		k := &tlsTalk{clear: "STARTTLS\n", config: trusting(), secret: []string{"NETVER", "LOGOUT"}}
		if s.converse(k); k.err != nil {
			b.Fatal(k.err)
		}
	}
}
