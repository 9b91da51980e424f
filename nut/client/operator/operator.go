// Package operator is what upscmd and upsrw share: a person or a script gives a UPS an order, says
// who gives it, and wants to know what became of it.
//
// Who it is comes from -u and -p, else from nutauth.conf, else from the terminal. What became of
// it: without -w, that upsd took the order; with -w, what the device made of it, which upsd is
// asked until it knows.
//
// An order that was tracked and failed is an error like any other. (NUT's programs exit with 0 once
// there is a result, whatever it is.)
package operator

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/client/flags"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// Options are the flags that both programs have.
type Options struct {
	User, Password *string // nil: to be asked for
	Track          bool    // -w
	Limit          time.Duration
	JSON           bool // --json: results on standard output, one object a line
	Help, Version  bool

	limit string // -t
	wait  string // -W
	auth  string // -A
	debug int
	login config.Login // of nutauth.conf
}

// defaultLimit is what -w waits without -t.
const defaultLimit = 10 * time.Second

// Register adds the flags to a program's own.
func (o *Options) Register(f *pflag.FlagSet) {
	f.FuncP("user", "u", "", func(s string) error { o.User = &s; return nil })
	f.FuncP("password", "p", "", func(s string) error { o.Password = &s; return nil })
	f.BoolVarP(&o.Track, "wait-result", "w", false, "")
	f.StringVarP(&o.limit, "limit", "t", "", "")
	f.StringVarP(&o.wait, "wait", "W", "", "")
	f.StringVarP(&o.auth, "auth", "A", "", "")
	f.BoolVar(&o.JSON, "json", false, "")
	f.CountVarP(&o.debug, "debug", "D", "")
	f.BoolVarP(&o.Help, "help", "h", false, "")
	f.BoolVarP(&o.Version, "version", "V", false, "")
	f.Lookup("limit").DefValue = "10"
}

// errLimit is what the C programs say about -t; its words are theirs.
var errLimit = errors.New("Could not convert the provided value for timeout " +
	"('-t' option) to unsigned int: Invalid argument")

// Check judges the values of the flags. f is the set that was parsed.
func (o *Options) Check(f *pflag.FlagSet) error {
	o.Limit = defaultLimit
	if f.Changed("limit") {
		n, err := strconv.ParseUint(o.limit, 10, 32)
		if err != nil {
			return errLimit
		}
		o.Limit = time.Duration(n) * time.Second
	}
	return nil
}

// Dial connects to the server of a UPS given as name[@host[:port]]. Errors are complete sentences.
func (o *Options) Dial(e env.Env, name string) (c *client.Conn, ups string, err error) {
	ups, host, port, err := client.SplitName(name)
	if err != nil {
		return nil, "", fmt.Errorf("%w\nError: invalid UPS definition.  "+
			"Required format: upsname[@hostname[:port]]", err)
	}
	auth, err := flags.Auth(e, o.auth)
	if err != nil {
		return nil, "", fmt.Errorf("Error: %w", err)
	}
	user := ""
	if o.User != nil {
		user = *o.User
	}
	o.login = auth.Lookup(user, host, port)
	limit, problem := client.Wait(e, o.wait)
	if problem != "" {
		fmt.Fprintln(e.Host().Stderr(), problem)
	}
	c, err = client.Dial(e, host, port, client.Options{}.With(o.login), client.Until(e, limit))
	if err != nil {
		return nil, "", fmt.Errorf("Error: %w", err)
	}
	return c, ups, nil
}

// Soon is when an answer must have come.
func Soon(e env.Env) env.Instant { return e.Now().Add(client.AnswerTime) }

// ListTime is what a whole list may take, with all that is asked about its rows.
const ListTime = time.Minute

// An Order is what is to be done, and what it is called in sentences.
type Order struct {
	Track string // "command": Enabling command status tracking failed
	Name  string // "Instant command": Instant command failed
	Send  func(until env.Instant) (id string, err error)
}

// Give says who the operator is, gives the order and prints what became of it. The result is OK
// when upsd took it and SUCCESS when the device has carried it out. The errors are complete
// sentences.
func (o *Options) Give(e env.Env, c *client.Conn, w Order) (result string, err error) {
	if err := c.Authenticate(e, Soon(e), *o.User, *o.Password); err != nil {
		return "", fmt.Errorf("Authentication failed: %w", err)
	}
	if o.Track {
		if err := c.Track(e, Soon(e)); err != nil {
			return "", failed("Enabling "+w.Track+" status tracking failed", ". upsd answered: ", err)
		}
	}
	id, err := w.Send(Soon(e))
	if token, ok := refusal(err); ok {
		return "", errors.New("Unexpected response from upsd: " + token)
	} else if err != nil {
		return "", fmt.Errorf("%s failed: %w", w.Name, err)
	}
	if id == "" {
		o.taken(e)
		return accepted, nil
	}
	if err := o.follow(e, c, id); err != nil {
		return "", err
	}
	fmt.Fprintln(e.Host().Stderr(), succeeded)
	return succeeded, nil
}

// failed is an error with the server's token, or with what went wrong on the way.
func failed(what, answered string, err error) error {
	if token, ok := refusal(err); ok {
		return errors.New(what + answered + token)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// refusal is the line with which a server refused something.
func refusal(err error) (string, bool) {
	var token netproto.Err
	if !errors.As(err, &token) {
		return "", false
	}
	return "ERR " + string(token), true
}

// quietVar hides what taken says besides OK.
const quietVar = "NUT_QUIET_OK_NOTRACKING"

// accepted is the result of an order that upsd took.
const accepted = "OK"

// taken says that upsd took the order, and what this does not mean.
func (o *Options) taken(e env.Env) {
	fmt.Fprintln(e.Host().Stderr(), accepted)
	if !o.Track && e.Host().Getenv(quietVar) != "true" {
		fmt.Fprint(e.Host().Stderr(), untracked)
	}
}

const untracked = `The order was given to the driver. Whether the device carries it out was not
asked: use -w to wait for its answer, or ` + quietVar + `=true to
hide this note.
`

// pause is the time between two questions about an order: short beside what a device takes.
const pause = 200 * time.Millisecond

// succeeded is the result of an order that the device has carried out.
const succeeded = "SUCCESS"

// follow asks how an order fares until there is a result. Its error is nil when that is success.
func (o *Options) follow(e env.Env, c *client.Conn, id string) error {
	const what = "Can't receive status tracking information"
	for until := e.Now().Add(o.Limit); ; {
		outcome, err := c.Tracking(e, Soon(e), id)
		if token, ok := refusal(err); ok {
			return errors.New(token)
		} else if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		switch {
		case outcome == succeeded:
			return nil
		case outcome != "PENDING":
			return fmt.Errorf("%s: got %q, want SUCCESS, PENDING or ERR", what, outcome)
		case e.Now() >= until:
			return errors.New(what + ": timeout")
		}
		if err := e.Sleep(min(pause, until.Sub(e.Now()))); err != nil {
			return err
		}
	}
}
