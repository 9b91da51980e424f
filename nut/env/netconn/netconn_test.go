package netconn_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/netconn"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// meet runs the two ends of one connection in virtual time, until both have returned.
func meet(t *testing.T, server, client func(e env.Env, c env.Conn)) {
	t.Helper()
	w := world.New(world.Options{})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	left := 2
	h.StartMain("server", func(e env.Env, _ []string) int {
		l, err := e.Net().Listen(e, "tcp", "127.0.0.1:1")
		if err != nil {
			t.Error(err)
			return 1
		}
		c, err := l.Accept(e, env.Never)
		if err != nil {
			t.Error(err)
			return 1
		}
		server(e, c)
		left--
		c.Close()
		return 0
	})
	h.StartMain("client", func(e env.Env, _ []string) int {
		c, err := e.Net().Dial(e, "tcp", "127.0.0.1:1", env.Never)
		if err != nil {
			t.Error(err)
			return 1
		}
		client(e, c)
		left--
		c.Close()
		return 0
	})
	if err := w.RunFor(time.Hour); err != nil {
		t.Fatal(err)
	}
	if left > 0 {
		t.Fatalf("%d ends have not returned after an hour", left)
	}
}

// in is d from now.
func in(e env.Env, d time.Duration) env.Instant { return e.Now().Add(d) }

func TestDeadlinesOfTheCalendarAreInstants(t *testing.T) {
	meet(t, func(e env.Env, c env.Conn) {
		e.Sleep(time.Minute)
		c.Write(e, []byte("late"), env.Never)
	}, func(e env.Env, c env.Conn) {
		nc := netconn.New(e, c)
		began := e.Now()
		nc.SetReadDeadline(e.Wall().Add(7 * time.Second))
		_, err := nc.Read(make([]byte, 10))
		var passing net.Error
		if !errors.Is(err, env.ErrTimeout) || !errors.As(err, &passing) || !passing.Timeout() {
			t.Errorf("error %v, want env.ErrTimeout as a net.Error", err)
		}
		if took := e.Now().Sub(began); took != 7*time.Second {
			t.Errorf("it took %v, want 7s", took)
		}
		nc.SetDeadline(time.Time{})
		if n, err := nc.Read(make([]byte, 10)); n != 4 || err != nil {
			t.Errorf("after the deadline was taken away: %d, %v", n, err)
		}
	})
}

// secured runs two ends over TLS.
func secured(t *testing.T, server, client func(e env.Env, c *netconn.TLS)) {
	t.Helper()
	cert, key := pkitest.NewCA("CA").Issue(pkitest.Leaf{Name: "nas"})
	id, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	side := func(shake func(env.Env, env.Conn, *tls.Config, env.Instant) (*netconn.TLS, error),
		config *tls.Config, then func(env.Env, *netconn.TLS)) func(env.Env, env.Conn) {

		return func(e env.Env, c env.Conn) {
			secure, err := shake(e, c, config, in(e, 10*time.Second))
			if err != nil {
				t.Error(err)
				return
			}
			then(e, secure)
		}
	}
	meet(t, side(netconn.Server, &tls.Config{Certificates: []tls.Certificate{id}}, server),
		side(netconn.Client, &tls.Config{InsecureSkipVerify: true}, client))
}

func TestATimeOutOfAReadDoesNotEndTheStream(t *testing.T) {
	secured(t, func(e env.Env, c *netconn.TLS) {
		e.Sleep(10 * time.Second)
		c.Write(e, []byte("late"), env.Never)
	}, func(e env.Env, c *netconn.TLS) {
		b := make([]byte, 10)
		for range 3 {
			if _, err := c.Read(e, b, in(e, time.Second)); err != env.ErrTimeout {
				t.Errorf("error %v, want env.ErrTimeout", err)
			}
		}
		if n, err := c.Read(e, b, in(e, time.Minute)); err != nil || string(b[:n]) != "late" {
			t.Errorf("then %q, %v", b[:n], err)
		}
	})
}

func TestOneTaskReadsWhileAnotherWrites(t *testing.T) {
	const size = 1 << 20 // more than fits on the way: the writers wait for the readers
	both := func(e env.Env, c *netconn.TLS) {
		sub, tasks := e.Scope("both")
		got := 0
		sub.Go("reader", func(e env.Env) error {
			b := make([]byte, 3000)
			for got < size {
				n, err := c.Read(e, b, in(e, time.Minute))
				if err != nil {
					t.Error(err)
					return nil
				}
				got += n
			}
			return nil
		})
		sub.Go("writer", func(e env.Env) error {
			if _, err := c.Write(e, bytes.Repeat([]byte("x"), size), in(e, time.Minute)); err != nil {
				t.Error(err)
			}
			return nil
		})
		tasks.Wait(e)
		if got != size {
			t.Errorf("%d bytes came, want %d", got, size)
		}
	}
	secured(t, both, both)
}

func TestHowAStreamEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(e env.Env, c *netconn.TLS)
		want   error
		second error // of the read after it
	}{
		{"with a good-bye", func(e env.Env, c *netconn.TLS) { c.Goodbye(e, in(e, time.Second)) }, io.EOF, io.EOF},
		{"without", func(_ env.Env, c *netconn.TLS) { c.Close() }, io.EOF, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			secured(t, tt.end, func(e env.Env, c *netconn.TLS) {
				for _, want := range []error{tt.want, tt.second} {
					if _, err := c.Read(e, make([]byte, 10), in(e, time.Minute)); err != want {
						t.Errorf("error %v, want %v", err, want)
					}
				}
			})
		})
	}
}

func TestClosingWakesTheReader(t *testing.T) {
	secured(t, func(e env.Env, c *netconn.TLS) { c.Read(e, make([]byte, 1), env.Never) }, func(e env.Env, c *netconn.TLS) {
		e.Go("closer", func(e env.Env) error {
			e.Sleep(time.Second)
			return c.Close()
		})
		began := e.Now()
		if _, err := c.Read(e, make([]byte, 1), env.Never); err != env.ErrClosed {
			t.Errorf("error %v, want env.ErrClosed", err)
		}
		if took := e.Now().Sub(began); took != time.Second {
			t.Errorf("it woke after %v, want 1s", took)
		}
	})
}

func TestStoppingTheScopeWakesTheReader(t *testing.T) {
	secured(t, func(e env.Env, c *netconn.TLS) { c.Read(e, make([]byte, 1), env.Never) }, func(e env.Env, c *netconn.TLS) {
		sub, tasks := e.Scope("reader")
		var err error
		sub.Go("reader", func(e env.Env) error {
			_, err = c.Read(e, make([]byte, 1), env.Never)
			return nil
		})
		e.Sleep(time.Second)
		tasks.Stop()
		tasks.Wait(e)
		if err != env.ErrStopped {
			t.Errorf("error %v, want env.ErrStopped", err)
		}
	})
}

func TestAWriterThatIsNotReadEndsAtItsDeadline(t *testing.T) {
	secured(t, func(e env.Env, c *netconn.TLS) { e.Sleep(time.Minute) }, func(e env.Env, c *netconn.TLS) {
		began := e.Now()
		_, err := c.Write(e, bytes.Repeat([]byte("x"), 1<<20), in(e, 5*time.Second))
		if err != env.ErrTimeout || e.Now().Sub(began) != 5*time.Second {
			t.Errorf("error %v after %v, want env.ErrTimeout after 5s", err, e.Now().Sub(began))
		}
		if _, err := c.Write(e, []byte("x"), in(e, time.Second)); err == nil {
			t.Error("a stream that lost bytes takes more")
		}
	})
}

func TestAHandshakeEndsAtItsDeadline(t *testing.T) {
	meet(t, func(e env.Env, c env.Conn) {
		for range 20 { // a little now and then buys no time
			c.Write(e, []byte{0x16}, env.Never)
			e.Sleep(time.Second)
		}
	}, func(e env.Env, c env.Conn) {
		began := e.Now()
		_, err := netconn.Client(e, c, &tls.Config{InsecureSkipVerify: true}, in(e, 9*time.Second))
		if took := e.Now().Sub(began); took > 9*time.Second || err == nil {
			t.Errorf("error %v after %v, want one after at most 9s", err, took)
		}
	})
}

func TestACutWithinARecordIsAReset(t *testing.T) {
	meet(t, func(e env.Env, c env.Conn) { c.Write(e, []byte("\x16\x03\x03\x01"), env.Never) }, func(e env.Env, c env.Conn) {
		_, err := netconn.Client(e, c, &tls.Config{InsecureSkipVerify: true}, in(e, 9*time.Second))
		if err != env.ErrReset {
			t.Errorf("error %v, want env.ErrReset", err)
		}
	})
}

func TestAddressesAreThoseBelow(t *testing.T) {
	secured(t, func(env.Env, *netconn.TLS) {}, func(_ env.Env, c *netconn.TLS) {
		if !strings.HasPrefix(c.LocalAddr(), "127.0.0.1:") || c.RemoteAddr() != "127.0.0.1:1" {
			t.Errorf("from %s to %s", c.LocalAddr(), c.RemoteAddr())
		}
	})
}
