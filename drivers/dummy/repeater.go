package dummy

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// Limits of a repeater.
const (
	// talkTime is how long the other upsd may take for one answer.
	talkTime = 5 * time.Second
	// trackTime is how long its driver may take for a command or setting.
	trackTime = 10 * time.Second
	// trackPause is between two questions about one.
	trackPause = 200 * time.Millisecond
)

// A repeater shows the UPS of another upsd.
type repeater struct {
	ups      string
	host     string
	port     int
	user     string
	password string
	opt      client.Options
	s        *driver.State

	c     *client.Conn // nil while there is none
	names []string     // variables that are shown, sorted
}

// openRepeater connects to the other upsd. Without strict start it may also do so later.
func openRepeater(e env.Env, s driver.Setup) (driver.Device, error) {
	r := &repeater{s: s.State, user: s.Conf.Text("username"), password: s.Conf.Text("password")}
	var err error
	if !strings.Contains(s.Conf.Port(), "@") {
		return nil, fmt.Errorf("port = %s: want ups@host or ups@host:port", s.Conf.Port())
	}
	if r.ups, r.host, r.port, err = client.SplitName(s.Conf.Port()); err != nil {
		return nil, fmt.Errorf("port = %s: %w", s.Conf.Port(), err)
	}
	if err = r.identify(e, s.Conf.Text("authconf")); err != nil {
		return nil, fmt.Errorf("authconf = %s: %w", s.Conf.Text("authconf"), err)
	}
	s.State.Set("driver.parameter.mode", repeat)
	err = r.connect(e)
	if err != nil && s.Conf.Flag("repeater_disable_strict_start") {
		e.Log().Warn(fmt.Sprintf("%s: %v; tried again at each poll", s.Conf.Port(), err))
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Conf.Port(), err)
	}
	return r, nil
}

// identify takes from a nutauth.conf what the options do not say. Its files are read now, while
// this process still may.
func (r *repeater) identify(e env.Env, authconf string) error {
	if authconf == "" {
		return nil
	}
	auth, warnings, err := client.ReadAuth(e, authconf)
	for _, w := range warnings {
		e.Log().Warn(w)
	}
	if err != nil {
		return err
	}
	login := auth.Lookup(r.user, r.host, r.port)
	if r.user == "" && login.User != nil {
		r.user = *login.User
	}
	if r.password == "" && login.Password != nil {
		r.password = *login.Password
	}
	r.opt, err = client.Options{}.With(login).Load(e)
	return err
}

// connect connects, and asks what can be set and done when somebody may.
func (r *repeater) connect(e env.Env) error {
	c, err := client.Dial(e, r.host, r.port, r.opt, e.Now().Add(talkTime))
	if err != nil {
		return err
	}
	r.c = c
	if r.user == "" {
		return nil
	}
	if err = c.Authenticate(e, e.Now().Add(talkTime), r.user, r.password); err == nil {
		err = r.learn(e)
	}
	if err != nil {
		r.hangUp()
	}
	return err
}

func (r *repeater) hangUp() {
	if r.c != nil {
		r.c.Close() // nothing is lost with it
		r.c = nil
	}
}

// Poll implements driver.Device. A connection that broke is made anew once; what the other upsd
// does not know any more, or knows to be stale, is stale here too.
func (r *repeater) Poll(e env.Env) error {
	var err error
	if r.c != nil {
		err = r.read(e)
		var said netproto.Err
		if err == nil || errors.As(err, &said) || errors.Is(err, errWait) {
			return r.about(err)
		}
		r.hangUp()
	}
	if err = r.connect(e); err == nil {
		err = r.read(e)
	}
	return r.about(err)
}

// about says which UPS an error is about; nil stays nil.
func (r *repeater) about(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s@%s: %w", r.ups, r.host, err)
}

var errNoConn = errors.New("not connected to the other upsd")

// errWait is for data that is not yet complete.
var errWait = errors.New("the other upsd waits for its driver")

// read takes over the variables.
func (r *repeater) read(e env.Env) error {
	var rows [][2]string
	waits := false
	err := r.c.List(e, e.Now().Add(talkTime), func(w []string) error {
		if len(w) != 2 {
			return fmt.Errorf("LIST VAR: %q: want a name and a value", w)
		}
		waits = waits || w[0] == "ups.status" && w[1] == "WAIT"
		rows = append(rows, [2]string{w[0], w[1]})
		return nil
	}, "VAR", r.ups)
	switch {
	case err != nil:
		return err
	case waits: // known only at the end of the list, which must be read
		return errWait
	}
	var names []string
	for _, row := range rows {
		name, value := row[0], row[1]
		if ours(name) || !isName(name) {
			continue
		}
		names = append(names, name)
		if name == "ups.status" {
			r.s.Status(strings.Fields(value)...)
			continue
		}
		r.s.Set(name, value)
	}
	slices.Sort(names)
	for _, name := range r.names {
		if _, still := slices.BinarySearch(names, name); !still {
			r.s.Delete(name)
		}
	}
	r.names = names
	return nil
}

// learn asks which variables can be set, and for the commands.
func (r *repeater) learn(e env.Env) error {
	if err := r.read(e); err != nil {
		return err
	}
	var writable, commands []string
	collect := func(to *[]string) func([]string) error {
		return func(w []string) error { *to = append(*to, w[0]); return nil }
	}
	until := e.Now().Add(talkTime)
	if err := r.c.List(e, until, collect(&writable), "RW", r.ups); err != nil {
		return err
	}
	if err := r.c.List(e, until, collect(&commands), "CMD", r.ups); err != nil {
		return err
	}
	for _, name := range writable {
		if ours(name) {
			continue
		}
		form, err := r.form(e, name)
		if err != nil {
			return err
		}
		r.s.Writable(name, form)
	}
	for _, name := range commands {
		if !ours(name) {
			r.s.Offer(name)
		}
	}
	return nil
}

// form asks what a variable may be set to.
func (r *repeater) form(e env.Env, name string) (f driver.Form, err error) {
	until := e.Now().Add(talkTime)
	types, err := r.c.Get(e, until, "TYPE", r.ups, name)
	if err != nil {
		return f, err
	}
	for _, t := range types {
		length, isString := strings.CutPrefix(t, "STRING:")
		switch {
		case isString:
			f.Max = state.Int(length)
		case t == "ENUM":
			err = r.c.List(e, until, func(w []string) error {
				f.Enum = append(f.Enum, w[0])
				return nil
			}, "ENUM", r.ups, name)
		case t == "RANGE":
			err = r.c.List(e, until, func(w []string) error {
				if len(w) == 2 {
					f.Ranges = append(f.Ranges, state.Range{Min: state.Int(w[0]), Max: state.Int(w[1])})
				}
				return nil
			}, "RANGE", r.ups, name)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// Set implements driver.Device: the other upsd is asked.
func (r *repeater) Set(e env.Env, name, value string) (driver.Outcome, error) {
	return r.forward(e, func(until env.Instant) (string, error) {
		return r.c.Set(e, until, r.ups, name, value)
	})
}

// Command implements driver.Device.
func (r *repeater) Command(e env.Env, name, value string) (driver.Outcome, error) {
	return r.forward(e, func(until env.Instant) (string, error) {
		return r.c.Command(e, until, r.ups, name, value)
	})
}

// forward passes a request on and follows it to the device. When an answer stays away the connection
// is given up: it would come later, and be taken for that to the next request.
func (r *repeater) forward(e env.Env, ask func(until env.Instant) (id string, err error)) (
	driver.Outcome, error) {
	if r.user == "" {
		return driver.Outcome{}, fmt.Errorf("%w: without username and password, or authconf, "+
			"in ups.conf a repeater only shows", driver.ErrUnknown)
	}
	if r.c == nil {
		return driver.Outcome{}, errNoConn
	}
	tracked := r.c.Track(e, e.Now().Add(talkTime)) // older ones cannot
	if tracked != nil && !answered(tracked) {
		r.hangUp()
		return driver.Outcome{}, tracked
	}
	id, err := ask(e.Now().Add(talkTime))
	if err != nil {
		return driver.Outcome{}, r.meaning(err)
	}
	if tracked != nil || id == "" {
		return driver.Outcome{}, nil
	}
	for end := e.Now().Add(trackTime); e.Now() < end; {
		word, err := r.c.Tracking(e, e.Now().Add(talkTime), id)
		switch {
		case err != nil:
			return driver.Outcome{}, r.meaning(err)
		case word != "PENDING":
			return driver.Outcome{Acknowledged: true}, nil
		}
		if err := e.Sleep(trackPause); err != nil {
			return driver.Outcome{}, err
		}
	}
	return driver.Outcome{}, errors.New("the other driver has not answered in " + trackTime.String())
}

// answered reports whether an error is what the other upsd said.
func answered(err error) bool {
	var said netproto.Err
	return errors.As(err, &said)
}

// meaning makes the other upsd's refusal one of this driver, and hangs up if it said nothing.
func (r *repeater) meaning(err error) error {
	if !answered(err) {
		r.hangUp()
	}
	var said netproto.Err
	if errors.As(err, &said) {
		switch said {
		case netproto.CmdNotSupported, netproto.VarNotSupported, netproto.Unknown:
			return fmt.Errorf("%w: the other upsd says %s", driver.ErrUnknown, said)
		case netproto.InvalidArgument, netproto.InvalidValue, netproto.TooLong,
			netproto.ReadOnly:
			return fmt.Errorf("%w: the other upsd says %s", driver.ErrInvalid, said)
		}
	}
	return err
}

// Shutdown implements driver.Device.
func (r *repeater) Shutdown(env.Env) (driver.Outcome, error) {
	return driver.Outcome{}, errors.New("shutdown not supported: the UPS belongs to " +
		r.host + ":" + strconv.Itoa(r.port))
}

// Close implements driver.Device.
func (r *repeater) Close() error {
	r.hangUp()
	return nil
}
