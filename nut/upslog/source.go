package upslog

import (
	"errors"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// stdout is the name of a file that means standard output.
const stdout = "-"

// A source is a UPS, or all those of a server, and the file that their lines go to. It belongs to
// one task at a time: that of the round, else the main one.
type source struct {
	given string // name[@host[:port]], as on the command line
	file  string
	host  string
	port  int
	opt   client.Options
	all   bool     // the name is *
	names []string // of the UPSes; of all, those of the last answer

	conn *client.Conn // nil: not connected
	said []reading    // of the round
}

// A reading is what a server said about a UPS.
type reading struct {
	ups  string // as it would have been given
	vars map[string]string
}

// identity is a UPS as the command line would have named it.
func (s *source) identity(name string) string {
	if !s.all {
		return s.given
	}
	return name + strings.TrimPrefix(s.given, "*")
}

// secure takes from nutauth.conf how to encrypt. The files that it names are read now, while this
// process still may.
func (s *source) secure(e env.Env, auth *config.Auth) (err error) {
	s.opt, err = client.Options{}.With(auth.Lookup("", s.host, s.port)).Load(e)
	return err
}

// connect connects, unless that is done.
func (s *source) connect(e env.Env, limit time.Duration) error {
	if s.conn != nil {
		return nil
	}
	c, err := client.Dial(e, s.host, s.port, s.opt, client.Until(e, limit))
	if err == nil {
		s.conn = c
	}
	return err
}

// hangUp ends the connection: with a word, unless it has failed.
func (s *source) hangUp(e env.Env, polite bool) {
	if s.conn == nil {
		return
	}
	if polite {
		s.conn.Logout(e, e.Now().Add(client.ByeTime))
	} else {
		s.conn.Close()
	}
	s.conn = nil
}

// ask does something over the connection. One that had been open and fails is opened again, once:
// the server may have restarted since the last round.
func (s *source) ask(e env.Env, limit time.Duration, do func(until env.Instant) error) error {
	for open := s.conn != nil; ; open = false {
		err := s.connect(e, limit)
		if err != nil {
			return err
		}
		err = do(e.Now().Add(client.AnswerTime))
		if err == nil || refused(err) {
			return err
		}
		s.hangUp(e, false)
		if !open || errors.Is(err, env.ErrStopped) || errors.Is(err, env.ErrTimeout) {
			return err
		}
	}
}

func refused(err error) bool {
	var token netproto.Err
	return errors.As(err, &token)
}

// read asks the server for these variables of each UPS. What cannot be had is left out.
func (s *source) read(e env.Env, limit time.Duration, vars []string) {
	s.said = nil
	var lost error // set: the server is not asked again in this round
	if s.all {
		lost = s.look(e, limit)
	}
	for _, name := range s.names {
		r := reading{ups: s.identity(name), vars: map[string]string{}}
		for _, v := range vars {
			if lost != nil {
				break
			}
			err := s.ask(e, limit, func(until env.Instant) error {
				value, err := s.conn.Var(e, until, name, v)
				if err == nil {
					r.vars[v] = value
				}
				return err
			})
			if err != nil && !refused(err) {
				lost = err
			}
		}
		s.said = append(s.said, r)
	}
}

// look asks the server which UPSes there are.
func (s *source) look(e env.Env, limit time.Duration) error {
	var names []string
	err := s.ask(e, limit, func(until env.Instant) error {
		names = nil
		return s.conn.List(e, until, func(row []string) error {
			names = append(names, row[0])
			return nil
		}, "UPS")
	})
	if err == nil {
		s.names = names
	}
	return err
}
