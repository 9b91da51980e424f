// Package upsdtest is the ear of a server that a client's test plays: the test says what is
// answered.
package upsdtest

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Main is a program that listens on NUT's port and gives each connection a task of its own. The
// connection is closed when its session returns.
func Main(session func(env.Env, env.Conn)) env.Main {
	return func(e env.Env, _ []string) int {
		l, err := e.Net().Listen(e, "tcp", "0.0.0.0:3493")
		if err != nil {
			return 1
		}
		for {
			c, err := l.Accept(e, env.Never)
			if err != nil {
				return 0
			}
			e.Go("session", func(e env.Env) error {
				defer c.Close()
				session(e, c)
				return nil
			})
		}
	}
}

// Each is a session in which every request, given without its line feed, gets the answer as it is;
// "" is silence.
func Each(answer func(request string) string) func(env.Env, env.Conn) {
	return func(e env.Env, c env.Conn) {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(e, buf, env.Never)
			if err != nil {
				return
			}
			if reply := answer(strings.TrimSuffix(string(buf[:n]), "\n")); reply != "" {
				c.Write(e, []byte(reply), env.Never)
			}
		}
	}
}
