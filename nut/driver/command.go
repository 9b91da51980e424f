package driver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// coreCommands are the instant commands that every driver has. driver.exit is not listed: it is
// for other instances and for upsdrvctl.
var coreCommands = []string{
	"driver.killpower", "driver.reload", "driver.reload-or-error", "driver.reload-or-exit",
	"shutdown.default",
}

// killLock must be 1 for driver.killpower to work.
const killLock = "driver.flag.allow_killpower"

// errLost is for commands while there is no device to give them to.
var errLost = errors.New("the device is lost")

// code is the number by which a client learns of an error.
func code(err error) sockproto.Code {
	switch {
	case err == nil:
		return sockproto.Handled
	case errors.Is(err, ErrUnknown):
		return sockproto.Unknown
	case errors.Is(err, ErrInvalid):
		return sockproto.Invalid
	}
	return sockproto.Failed
}

// obey carries out a request and reports the result.
func (r *runner) obey(e env.Env, req request) {
	var out Outcome
	var err error
	if req.Verb == sockproto.SetVerb {
		out, err = r.set(e, req.Name, req.Value)
	} else {
		out, err = r.command(e, req.Name, req.Value)
	}
	if errors.Is(err, env.ErrStopped) {
		return
	}
	r.commit(e)
	said := describe(out, err)
	e.Log().Info(fmt.Sprintf("%s%s %s %q: %s", r.name(), req.Verb, req.Name, req.Value, said))
	e.Emit(env.Event{Kind: env.Cmd, UPS: r.conf.UPS, Name: req.Name, Value: req.Value, Why: said})
	req.conn.result(req.ID, code(err))
	switch {
	case r.restart && req.conn != nil:
		req.conn.finish(func() { r.quit(exitRestart) })
	case r.restart:
		r.quit(exitRestart)
	}
}

// describe puts the outcome of a command into words.
func describe(out Outcome, err error) string {
	said := "done"
	switch {
	case err != nil:
		return "failed: " + err.Error()
	case out.Acknowledged:
		said = "accepted"
	case out.Wire != "":
		said = "sent"
	}
	if out.Wire != "" {
		said += fmt.Sprintf(" (%s)", strings.TrimSpace(out.Wire))
	}
	return said
}

// set carries out a SET.
func (r *runner) set(e env.Env, name, value string) (Outcome, error) {
	if _, overridden := r.st.Has(name); overridden {
		return Outcome{}, fmt.Errorf("%s: %w: ups.conf overrides it", name, ErrInvalid)
	}
	switch err := r.st.dev.Check(name, value); {
	case err == nil, errors.Is(err, state.ErrNoVar): // the device may make it
	default:
		return Outcome{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch strings.ToLower(name) {
	case "driver.debug", killLock:
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 9 {
			return Outcome{}, fmt.Errorf("%s: %w: %q, want 0 to 9", name, ErrInvalid, value)
		}
		if name == "driver.debug" {
			r.debug.Store(int32(n))
		}
		r.st.SetInt(name, n)
		return Outcome{}, nil
	}
	if r.dev == nil {
		return Outcome{}, errLost
	}
	return r.dev.Set(e, name, value)
}

// command carries out an INSTCMD.
func (r *runner) command(e env.Env, name, value string) (Outcome, error) {
	switch strings.ToLower(name) {
	case "driver.killpower":
		if r.st.Value(killLock) != "1" {
			return Outcome{}, fmt.Errorf("%w: %s is not 1", ErrInvalid, killLock)
		}
		r.lock() // who unlocks does not leave it unlocked for others
		return r.kill(e)
	case "driver.reload", "driver.reload-or-error", "driver.reload-or-exit":
		return Outcome{}, r.reload(e, strings.TrimPrefix(strings.ToLower(name), "driver."))
	}
	if r.dev == nil {
		return Outcome{}, errLost
	}
	if strings.EqualFold(name, "shutdown.default") {
		return r.dev.Shutdown(e)
	}
	return r.dev.Command(e, name, value)
}

// kill switches the load off: the first of the sdcommands that works ends it.
func (r *runner) kill(e env.Env) (Outcome, error) {
	if r.dev == nil {
		return Outcome{}, errLost
	}
	r.say(e, "fsd.killpower")
	var errs []error
	for _, name := range r.conf.sdCommands() {
		out, err := r.killBy(e, name)
		r.tellKill(e, name, out, err)
		if err == nil {
			return out, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
		if errors.Is(err, env.ErrStopped) {
			break
		}
	}
	return Outcome{}, errors.Join(errs...)
}

func (r *runner) killBy(e env.Env, name string) (Outcome, error) {
	switch {
	case strings.EqualFold(name, "shutdown.default"):
		return r.dev.Shutdown(e)
	case strings.HasPrefix(strings.ToLower(name), "driver."):
		return Outcome{}, ErrUnknown // killpower within killpower would not end
	}
	if k, ok := r.dev.(Killer); ok {
		return k.KillBy(e, name)
	}
	return r.dev.Command(e, name, "")
}

func (r *runner) tellKill(e env.Env, name string, out Outcome, err error) {
	ev := env.Event{Kind: env.LoadKill, UPS: r.conf.UPS, Name: name, Value: "sent", Why: out.Wire}
	switch {
	case err != nil:
		ev.Value, ev.Why = "refused", err.Error()
	case out.Acknowledged:
		ev.Value = "accepted"
	}
	e.Emit(ev)
	said := describe(out, err)
	e.Log().Info(fmt.Sprintf("%sswitching the load off by %s: %s", r.name(), name, said))
}

// exitRestart is the exit code after a reload that needs a restart: 128 and the number of
// SIGUSR1, so that a service manager starts the driver again.
const exitRestart = 128 + 10

// reload reads the configuration again and applies what can be applied.
func (r *runner) reload(e env.Env, how string) error {
	defer r.say(e, r.st.Value("driver.state"))
	r.say(e, "reloading")
	next, err := r.reread(e)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	restart := r.conf.restartKeys(next)
	if len(restart) > 0 && how != "reload" {
		r.restart = how == "reload-or-exit"
		return fmt.Errorf("reload: a restart is needed for %s", strings.Join(restart, ", "))
	}
	for _, o := range r.conf.options {
		if o.live {
			r.conf.values[o.Key] = next.values[o.Key]
		}
	}
	r.conf.given = next.given
	r.debug.Store(max(r.debug.Load(), int32(r.conf.Int("debug_min"))))
	r.parameters()
	r.commit(e)
	e.Log().Info(r.name() + "configuration read again")
	for _, key := range restart {
		e.Log().Warn(r.name() + key + " has changed; it takes effect at the next start")
	}
	return nil
}
