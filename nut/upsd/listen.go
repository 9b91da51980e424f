package upsd

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// An endpoint is one LISTEN line: the addresses that it stands for, of which one must work.
type endpoint struct {
	addr string // as in the file
	port int
	at   []address
}

type address struct{ network, ip string }

// endpoints says where to listen. Without LISTEN that is loopback, of whichever family there is.
func endpoints(listen []config.Listen, only4, only6 bool) []endpoint {
	if len(listen) == 0 {
		e := endpoint{addr: "localhost", port: netproto.Port}
		e.at = []address{{"tcp4", "127.0.0.1"}, {"tcp6", "::1"}}
		return []endpoint{e.filter(only4, only6)}
	}
	var list []endpoint
	for _, l := range listen {
		e := endpoint{addr: l.Addr, port: l.Port}
		if e.port == 0 {
			e.port = netproto.Port
		}
		switch {
		case l.Addr == "*":
			e.at = []address{{"tcp6", "::"}, {"tcp4", "0.0.0.0"}}
		case strings.Contains(l.Addr, ":"):
			e.at = []address{{"tcp6", strings.Trim(l.Addr, "[]")}}
		case strings.Trim(l.Addr, "0123456789.") == "":
			e.at = []address{{"tcp4", l.Addr}}
		default:
			e.at = []address{{"tcp4", l.Addr}, {"tcp6", l.Addr}}
		}
		list = append(list, e.filter(only4, only6))
	}
	return list
}

func (p endpoint) filter(only4, only6 bool) endpoint {
	var at []address
	for _, a := range p.at {
		if !(only4 && a.network == "tcp6" || only6 && a.network == "tcp4") {
			at = append(at, a)
		}
	}
	p.at = at
	return p
}

// listenAll opens all endpoints. It fails when none works, and unless tolerant when one does not.
func (d *daemon) listenAll(e env.Env, list []endpoint, tolerant bool) error {
	failed := 0
	for _, p := range list {
		if err := d.listen(e, p); err != nil {
			failed++
			e.Log().Error(fmt.Sprintf("not listening on %s port %d: %s",
				p.addr, p.port, reason(err)))
		}
	}
	switch {
	case len(d.listeners) == 0:
		return complaint(noListener)
	case failed > 0 && !tolerant:
		return complaint(notAllListen)
	case failed > 0:
		e.Log().Warn(goingOnWithout)
	}
	return nil
}

// listen opens what it can of one endpoint; the error is why nothing of it works.
func (d *daemon) listen(e env.Env, p endpoint) error {
	why := errors.New("-4 or -6 leaves no address of it")
	before := len(d.listeners)
	for _, a := range p.at {
		l, err := e.Net().Listen(e, a.network, net.JoinHostPort(a.ip, strconv.Itoa(p.port)))
		if err != nil {
			why = err
			continue
		}
		d.listeners = append(d.listeners, l)
		if !quietStart(e, "LISTENER") {
			e.Log().Info(fmt.Sprintf("listening on %s port %d", a.ip, p.port))
		}
	}
	if len(d.listeners) == before {
		return why
	}
	return nil
}

const (
	acceptPause = 500 * time.Millisecond // when the system has no descriptors left
	acceptNag   = time.Minute            // between two lines that say so
)

// accept starts a session for each client until the listener is closed.
func (s *server) accept(l env.Listener) func(env.Env) error {
	return func(e env.Env) error {
		var nag env.Instant
		for {
			conn, err := l.Accept(e, env.Never)
			switch {
			case err == nil:
				e.Go("client "+conn.RemoteAddr(), s.serve(conn))
				continue
			case errors.Is(err, env.ErrStopped) || errors.Is(err, env.ErrClosed):
				return nil
			}
			if now := e.Now(); now >= nag {
				nag = now.Add(acceptNag)
				s.do(e, func() {
					s.log(slog.LevelError, "accept on %s: %s", l.Addr(), reason(err))
				})
			}
			if err := e.Sleep(acceptPause); err != nil {
				return err
			}
		}
	}
}
