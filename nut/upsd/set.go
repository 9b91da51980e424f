package upsd

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// roles are the actions that an upsmon line in upsd.users gives.
var roles = map[config.Role][]string{
	config.Primary:   {"LOGIN", "PRIMARY", "MASTER", "FSD"},
	config.Secondary: {"LOGIN"},
}

// allowed reports whether the client may do one of the actions.
func (c *session) allowed(actions ...string) bool {
	u := c.account()
	if u == nil {
		return false
	}
	for _, a := range actions {
		if slices.Contains(roles[u.Upsmon], a) || containsFold(u.Actions, a) {
			return true
		}
	}
	return false
}

// mayRun reports whether the client may run an instant command.
func (c *session) mayRun(command string) bool {
	u := c.account()
	return u != nil && (containsFold(u.InstCmds, "ALL") || containsFold(u.InstCmds, command))
}

func containsFold(words []string, w string) bool {
	return slices.ContainsFunc(words, func(x string) bool { return strings.EqualFold(x, w) })
}

// set answers SET VAR and SET TRACKING.
func (c *session) set(args []string) {
	switch {
	case len(args) > 1 && strings.EqualFold(args[0], "TRACKING"):
		c.setTracking(args[1])
	case len(args) > 3 && strings.EqualFold(args[0], "VAR"):
		c.setVar(args[1], args[2], args[3])
	default:
		c.err(netproto.InvalidArgument)
	}
}

func (c *session) setTracking(word string) {
	switch strings.ToUpper(word) {
	case "ON":
		c.tracking = true
	case "OFF":
		c.tracking = false
	default:
		c.err(netproto.InvalidArgument)
		return
	}
	c.say("OK")
}

// refusals are the error tokens for the reasons of state.Device.Check (NP section 6).
var refusals = []struct {
	err   error
	token netproto.Err
}{
	{state.ErrNoVar, netproto.VarNotSupported},
	{state.ErrReadOnly, netproto.ReadOnly},
	{state.ErrNoLength, netproto.SetFailed},
	{state.ErrTooLong, netproto.TooLong},
	{state.ErrInvalid, netproto.InvalidValue},
}

func (c *session) setVar(name, variable, value string) {
	u, ok := c.device(name)
	if !ok {
		return
	}
	if !c.allowed("SET") {
		c.err(netproto.AccessDenied)
		return
	}
	if err := u.dev.Check(variable, value); err != nil {
		for _, r := range refusals {
			if errors.Is(err, r.err) {
				c.err(r.token)
			}
		}
		return
	}
	id := c.trackingID()
	if !u.link.out.Put(sockproto.Set(variable, value, id)) {
		c.err(netproto.SetFailed)
		return
	}
	c.s.log(slog.LevelInfo, "Set variable: %s set %s on %s to %s (tracking ID: %s)",
		c.who(), variable, u.name, value, orElse(id, "disabled"))
	c.handedOver(id)
}

// instCmd answers INSTCMD: a UPS, a command and perhaps a value.
func (c *session) instCmd(args []string) {
	if len(args) < 2 {
		c.err(netproto.InvalidArgument)
		return
	}
	u, ok := c.device(args[0])
	command := args[1]
	value, whole := join(args[2:])
	switch {
	case !ok:
		return
	case !u.dev.HasCommand(command):
		c.err(netproto.CmdNotSupported)
		return
	case !c.mayRun(command):
		c.err(netproto.AccessDenied)
		return
	case !whole:
		c.err(netproto.InvalidArgument)
		return
	}
	with := ""
	if len(args) > 2 {
		with = fmt.Sprintf(" with value %s", value)
	}
	id := c.trackingID()
	if !u.link.out.Put(sockproto.InstCmd(command, value, len(args) > 2, id)) {
		c.err(netproto.InstcmdFailed)
		return
	}
	c.s.log(slog.LevelInfo, "Instant command: %s did %s%s on %s (tracking ID: %s)",
		c.who(), command, with, u.name, orElse(id, "disabled"))
	c.handedOver(id)
}

// join is the value that words make. NUT's upscmd sends a value with blanks in it without quotes,
// and then nothing else can follow the command. Around a = nobody knows which blanks there were:
// better no value than another one.
func join(words []string) (value string, whole bool) {
	return strings.Join(words, " "), len(words) < 2 || !slices.Contains(words, "=")
}

// trackingID draws an id when the client wants to follow its requests.
func (c *session) trackingID() string {
	if !c.tracking {
		return ""
	}
	return newID(c.rand)
}

// handedOver says OK: the driver will get the request.
func (c *session) handedOver(id string) {
	if id == "" {
		c.say("OK")
		return
	}
	c.s.tracked.add(id, c.heard, c.s.set.tracking)
	c.say("OK TRACKING " + id)
}
