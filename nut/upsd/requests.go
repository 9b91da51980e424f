package upsd

import (
	"log/slog"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// A request is one word that clients begin a line with.
type request struct {
	auth   bool // wants USERNAME and PASSWORD before, right or not
	answer func(c *session, args []string)
}

// requests is the vocabulary, by word in upper case (NP-C1 to NP-C30). Answers run under the lock.
func requests(word string) (request, bool) {
	switch strings.ToUpper(word) {
	case "GET":
		return request{answer: (*session).get}, true
	case "LIST":
		return request{answer: (*session).list}, true
	case "USERNAME":
		return request{answer: (*session).username}, true
	case "PASSWORD":
		return request{answer: (*session).password}, true
	case "LOGIN":
		return request{auth: true, answer: (*session).logIn}, true
	case "LOGOUT":
		return request{answer: (*session).logOut}, true
	case "PRIMARY":
		return request{auth: true, answer: (*session).primary}, true
	case "MASTER": // its name until protocol 1.3
		return request{auth: true, answer: (*session).master}, true
	case "FSD":
		return request{auth: true, answer: (*session).setFSD}, true
	case "SET":
		return request{auth: true, answer: (*session).set}, true
	case "INSTCMD":
		return request{auth: true, answer: (*session).instCmd}, true
	case "STARTTLS":
		return request{answer: (*session).startTLS}, true
	case "VER":
		return constant(banner), true
	case "NETVER", "PROTVER":
		return constant(netproto.Version), true
	case "HELP":
		return constant(help), true
	}
	return request{}, false
}

// banner is what VER answers and server.info holds.
const banner = "Network UPS Tools upsd " + nut.NUTVersion + " - https://www.networkupstools.org/"

const help = "Commands: HELP VER PROTVER GET LIST SET INSTCMD LOGIN LOGOUT " +
	"USERNAME PASSWORD STARTTLS"

func constant(text string) request {
	return request{answer: func(c *session, args []string) {
		if len(args) > 0 {
			c.err(netproto.InvalidArgument)
			return
		}
		c.say(text)
	}}
}

// request answers the words of one line; a blank line is an unknown command as well (NP-T8).
func (c *session) request(words []string) {
	if len(words) == 0 {
		c.err(netproto.UnknownCommand)
		return
	}
	r, ok := requests(words[0])
	switch {
	case !ok:
		c.err(netproto.UnknownCommand)
	case r.auth && !c.hasUser:
		c.err(netproto.UsernameRequired)
	case r.auth && !c.hasPass:
		c.err(netproto.PasswordRequired)
	default:
		r.answer(c, words[1:])
	}
}

func (c *session) username(args []string) {
	switch {
	case len(args) != 1:
		c.err(netproto.InvalidArgument)
	case c.hasUser:
		c.grumble("Client %s tried to set a username twice", c.who())
		c.err(netproto.AlreadySetUsername)
	default:
		c.user, c.hasUser = args[0], true
		c.say("OK")
	}
}

func (c *session) password(args []string) {
	switch {
	case len(args) != 1:
		c.err(netproto.InvalidArgument)
	case c.hasPass && !c.hasUser:
		c.grumble("Client on %s tried to set a password twice", c.addr)
		c.err(netproto.AlreadySetPassword)
	case c.hasPass:
		c.grumble("Client %s tried to set a password twice", c.who())
		c.err(netproto.AlreadySetPassword)
	default:
		c.pass, c.hasPass = args[0], true
		c.say("OK")
	}
}

// logIn counts the client as one that the UPS feeds.
func (c *session) logIn(args []string) {
	if len(args) == 1 && c.login != nil {
		c.grumble("Client %s tried to login twice", c.who())
		c.err(netproto.AlreadyLoggedIn)
		return
	}
	u, ok := c.privileged(args, "LOGIN")
	if !ok {
		return
	}
	c.login = u
	u.logins++
	c.s.log(slog.LevelInfo, "User %s logged into UPS [%s]%s", c.who(), u.name, c.overSSL())
	c.s.event(env.Event{Kind: env.Login, UPS: u.name, Name: c.peer, Value: c.addr,
		N: int64(u.logins)})
	c.say("OK")
}

func (c *session) logOut(args []string) {
	if len(args) != 0 {
		c.err(netproto.InvalidArgument)
		return
	}
	if c.login != nil {
		c.s.log(slog.LevelInfo, "User %s logged out from UPS [%s]%s", c.who(), c.login.name,
			c.overSSL())
	}
	c.logout("LOGOUT") // before the answer: who has read it counts no more
	c.say("OK Goodbye")
	c.bye = true
}

func (c *session) primary(args []string) {
	if u, ok := c.privileged(args, "PRIMARY", "MASTER"); ok {
		c.returned(u)
		c.say("OK PRIMARY-GRANTED")
	}
}

func (c *session) master(args []string) {
	if u, ok := c.privileged(args, "PRIMARY", "MASTER"); ok {
		c.returned(u)
		c.say("OK MASTER-GRANTED")
	}
}

// setFSD tells every client of this UPS to shut down (NP-F2); see lease.
func (c *session) setFSD(args []string) {
	u, ok := c.privileged(args, "FSD")
	if !ok {
		return
	}
	c.s.log(slog.LevelInfo, "Client %s set FSD on UPS [%s]", c.who(), u.name)
	c.take(u)
	c.say("OK FSD-SET")
}

// privileged finds the UPS that is the only argument of a request, and checks that the client's
// user has one of the rights. It works on a UPS without data as well: a shutdown must not depend on
// the driver.
func (c *session) privileged(args []string, rights ...string) (*ups, bool) {
	if len(args) != 1 {
		c.err(netproto.InvalidArgument)
		return nil, false
	}
	u := c.s.find(args[0])
	if u == nil {
		c.err(netproto.UnknownUPS)
		return nil, false
	}
	if !c.allowed(rights...) {
		c.err(netproto.AccessDenied)
		return nil, false
	}
	return u, true
}
