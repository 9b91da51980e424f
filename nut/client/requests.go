package client

import (
	"errors"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// Get asks for one thing, such as "VAR", "rack", "ups.status", and returns the words that follow
// the query in the reply.
func (c *Conn) Get(e env.Env, until env.Instant, query ...string) ([]string, error) {
	c.scratch = append(c.scratch[:0], "GET "...)
	c.scratch = append(c.scratch, netproto.Request(query...)...)
	reply, err := c.Ask(e, until, c.scratch)
	if err != nil {
		return nil, err
	}
	return ParseGet(reply, query...)
}

// ParseGet takes apart the reply to a GET of these words.
func ParseGet(reply []byte, query ...string) ([]string, error) {
	asked := "GET " + strings.Join(query, " ")
	words, err := parse(asked, reply)
	if err != nil {
		return nil, err
	}
	rest, ok := echoes(words, query)
	if !ok {
		return nil, malformed(asked, reply, wantEcho)
	}
	if len(rest) == 0 {
		return nil, malformed(asked, reply, wantOneValue)
	}
	return rest, nil
}

// Var returns the value of a variable.
func (c *Conn) Var(e env.Env, until env.Instant, ups, name string) (string, error) {
	v, err := c.Get(e, until, "VAR", ups, name)
	if err != nil {
		return "", err
	}
	return v[0], nil
}

// NumLogins returns how many clients are logged in to a UPS.
func (c *Conn) NumLogins(e env.Env, until env.Instant, ups string) (int, error) {
	v, err := c.Get(e, until, "NUMLOGINS", ups)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(v[0])
	if err != nil || n < 0 {
		return 0, malformed("GET NUMLOGINS "+ups, []byte(v[0]), wantOneNumber)
	}
	return n, nil
}

// Clients returns how many clients are logged in to a UPS, as LIST CLIENT shows them: unlike
// NumLogins a server tells that of a UPS without data, too.
func (c *Conn) Clients(e env.Env, until env.Instant, ups string) (int, error) {
	n := 0
	err := c.List(e, until, func([]string) error { n++; return nil }, "CLIENT", ups)
	return n, err
}

// List asks for a list, such as "VAR", "rack", and calls row with the words of each row that follow
// those of the query, as they come. An error of row ends the list and the connection's use.
func (c *Conn) List(e env.Env, until env.Instant, row func(words []string) error,
	query ...string) error {

	asked := "LIST " + strings.Join(query, " ")
	c.scratch = append(c.scratch[:0], "LIST "...)
	c.scratch = append(c.scratch, netproto.Request(query...)...)
	reply, err := c.Ask(e, until, c.scratch)
	if err != nil {
		return err
	}
	words, err := parse(asked, reply)
	if err != nil {
		return err
	}
	framed := append([]string{"LIST"}, query...)
	if rest, ok := echoes(words, append([]string{"BEGIN"}, framed...)); !ok || len(rest) > 0 {
		return malformed(asked, reply, wantListBegin)
	}
	end := append([]string{"END"}, framed...)
	for rows, size := 0, 0; rows < MaxRows && size < MaxList; rows, size = rows+1, size+len(reply) {
		if reply, err = c.readLine(e, until); err != nil {
			return err
		}
		if words, err = parse(asked, reply); err != nil {
			return err
		}
		if _, ok := echoes(words, end); ok {
			return nil
		}
		rest, ok := echoes(words, query)
		if !ok || len(rest) == 0 {
			return malformed(asked, reply, wantListRow)
		}
		if err := row(rest); err != nil {
			return err
		}
	}
	return malformed(asked, reply, wantFewerLines)
}

// Authenticate says who the client is. The server verifies it only when a right is needed.
func (c *Conn) Authenticate(e env.Env, until env.Instant, user, password string) error {
	if err := c.tell(e, until, 1, "USERNAME", user); err != nil {
		return err
	}
	return c.tell(e, until, 1, "PASSWORD", password)
}

// Login counts this connection among those that the UPS feeds.
func (c *Conn) Login(e env.Env, until env.Instant, ups string) error {
	return c.tell(e, until, all, "LOGIN", ups)
}

// Primary asks for the rights of the host that manages the UPS. Servers before 2.8 know only the
// old word for it, which is tried second.
func (c *Conn) Primary(e env.Env, until env.Instant, ups string) error {
	err := c.tell(e, until, all, "PRIMARY", ups)
	var refused netproto.Err
	if !errors.As(err, &refused) {
		return err
	}
	if c.tell(e, until, all, "MASTER", ups) == nil {
		return nil
	}
	return err
}

// FSD tells the server that everything this UPS feeds is going to be shut down.
func (c *Conn) FSD(e env.Env, until env.Instant, ups string) error {
	return c.tell(e, until, all, "FSD", ups)
}

// Set changes a variable. The id, when the server tracks the request, is what Tracking takes.
func (c *Conn) Set(e env.Env, until env.Instant, ups, name, value string) (id string, err error) {
	return c.submit(e, until, 4, "SET", "VAR", ups, name, value)
}

// Command runs an instant command; value may be empty. For id see Set.
func (c *Conn) Command(e env.Env, until env.Instant, ups, name, value string,
) (id string, err error) {
	words := []string{"INSTCMD", ups, name}
	if value != "" {
		words = append(words, value)
	}
	return c.submit(e, until, all, words...)
}

// Track asks the server to follow the requests of this connection up to the device.
func (c *Conn) Track(e env.Env, until env.Instant) error {
	return c.tell(e, until, all, "SET", "TRACKING", "ON")
}

// Tracking returns how a tracked request fares: "PENDING", "SUCCESS", or a netproto.Err.
func (c *Conn) Tracking(e env.Env, until env.Instant, id string) (string, error) {
	words, err := c.ask(e, until, all, "GET", "TRACKING", id)
	if err != nil || len(words) == 0 {
		return "", err
	}
	return words[0], nil
}

// Logout says goodbye, so that the server need not find out, and closes the connection.
func (c *Conn) Logout(e env.Env, until env.Instant) error {
	_, err := c.ask(e, until, all, "LOGOUT")
	c.c.Close()
	return err
}

// tell sends a request whose success is told by OK.
func (c *Conn) tell(e env.Env, until env.Instant, shown int, words ...string) error {
	_, err := c.submit(e, until, shown, words...)
	return err
}

// submit is tell for requests whose OK may carry the id of a tracked request.
func (c *Conn) submit(e env.Env, until env.Instant, shown int, words ...string,
) (id string, err error) {
	got, err := c.ask(e, until, shown, words...)
	if err != nil {
		return "", err
	}
	if len(got) == 0 || got[0] != "OK" {
		asked := strings.Join(words[:min(shown, len(words))], " ")
		return "", malformed(asked, []byte(strings.Join(got, " ")), "want OK")
	}
	if len(got) == 3 && got[1] == "TRACKING" {
		return got[2], nil
	}
	return "", nil
}
