package netconn

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// A TLS is an encrypted connection. It is an env.Conn.
type TLS struct {
	raw     env.Conn
	wire    *Conn
	tls     *tls.Conn
	writing atomic.Int32 // calls of Write under way
}

// Server answers the handshake that a client begins on c. When it fails, c is the caller's to
// close; the error is that of crypto/tls, or wraps one of package env.
func Server(e env.Env, c env.Conn, config *tls.Config, until env.Instant) (*TLS, error) {
	return handshake(e, c, config, until, tls.Server)
}

// Client begins a handshake on c; see Server.
func Client(e env.Env, c env.Conn, config *tls.Config, until env.Instant) (*TLS, error) {
	return handshake(e, c, config, until, tls.Client)
}

// undated is a Conn for crypto/tls, which would set deadlines by the clock of the machine.
type undated struct{ *Conn }

func (undated) SetDeadline(time.Time) error      { return nil }
func (undated) SetReadDeadline(time.Time) error  { return nil }
func (undated) SetWriteDeadline(time.Time) error { return nil }

func handshake(e env.Env, c env.Conn, config *tls.Config, until env.Instant,
	side func(net.Conn, *tls.Config) *tls.Conn) (*TLS, error) {

	config = config.Clone()
	config.Time = e.Wall
	wire := New(e, c)
	wire.in.until, wire.out.until = until, until
	t := &TLS{raw: c, wire: wire, tls: side(undated{wire}, config)}
	if err := t.tls.HandshakeContext(context.Background()); err != nil {
		return nil, own(err)
	}
	return t, nil
}

// State tells what was agreed on, and whose certificates were shown.
func (t *TLS) State() tls.ConnectionState { return t.tls.ConnectionState() }

// Read is that of env.Conn.
func (t *TLS) Read(e env.Env, p []byte, until env.Instant) (int, error) {
	t.wire.set(&t.wire.in, call{e, until})
	if t.writing.Load() == 0 { // a read may have to answer the peer
		t.wire.set(&t.wire.out, call{e, until})
	}
	n, err := t.tls.Read(p)
	if n > 0 {
		return n, nil
	}
	return 0, own(err)
}

// Write is that of env.Conn.
func (t *TLS) Write(e env.Env, p []byte, until env.Instant) (int, error) {
	t.writing.Add(1)
	defer t.writing.Add(-1)
	t.wire.set(&t.wire.out, call{e, until})
	n, err := t.tls.Write(p)
	return n, own(err)
}

// Goodbye tells the peer that nothing follows, so that it can tell the end from a cut. Close does
// not: it may be called by any task, to wake the one that waits.
func (t *TLS) Goodbye(e env.Env, until env.Instant) error {
	t.writing.Add(1)
	defer t.writing.Add(-1)
	t.wire.set(&t.wire.out, call{e, until})
	return own(t.tls.CloseWrite())
}

// Close closes the connection below.
func (t *TLS) Close() error { return t.raw.Close() }

// LocalAddr is this end's address.
func (t *TLS) LocalAddr() string { return t.raw.LocalAddr() }

// RemoteAddr is the peer's address.
func (t *TLS) RemoteAddr() string { return t.raw.RemoteAddr() }
