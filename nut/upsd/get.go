package upsd

import (
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// get answers GET. What is asked for and of which UPS is checked in the order that clients know;
// surplus words are tolerated.
func (c *session) get(args []string) {
	if len(args) == 0 {
		c.err(netproto.InvalidArgument)
		return
	}
	kind := strings.ToUpper(args[0])
	switch {
	case kind == "TRACKING":
		c.getTracking(args[1:])
	case kind == "VAR" && len(args) > 2:
		c.getVar(args[1], args[2])
	case kind == "TYPE" && len(args) > 2:
		if v, ok := c.variable(args[1], args[2]); ok {
			c.say("TYPE " + args[1] + " " + args[2] + typeWords(v))
		}
	case kind == "DESC" && len(args) > 2:
		if _, ok := c.device(args[1]); ok {
			c.value("DESC", args[1], args[2], c.s.texts.variable(args[2]))
		}
	case kind == "CMDDESC" && len(args) > 2:
		if _, ok := c.device(args[1]); ok {
			c.value("CMDDESC", args[1], args[2], c.s.texts.command(args[2]))
		}
	case kind == "UPSDESC" && len(args) > 1:
		if u, ok := c.ups(args[1]); ok {
			c.out = netproto.AppendText(c.out, "UPSDESC", args[1], u.text("Unavailable"))
		}
	case kind == "NUMLOGINS" && len(args) > 1:
		if u, ok := c.device(args[1]); ok {
			c.out = netproto.AppendPlain(c.out, "NUMLOGINS", args[1], strconv.Itoa(u.logins))
		}
	default:
		c.err(netproto.InvalidArgument)
	}
}

// ups finds a UPS, or answers that there is none of that name.
func (c *session) ups(name string) (*ups, bool) {
	u := c.s.find(name)
	if u == nil {
		c.err(netproto.UnknownUPS)
	}
	return u, u != nil
}

// device finds a UPS about which something is known now.
func (c *session) device(name string) (*ups, bool) {
	u, ok := c.ups(name)
	if ok && u.err() != "" {
		c.err(u.err())
		return nil, false
	}
	return u, ok
}

// variable finds a variable of a UPS.
func (c *session) variable(name, variable string) (*state.Var, bool) {
	u, ok := c.device(name)
	if !ok {
		return nil, false
	}
	v, ok := u.dev.Get(variable)
	if !ok {
		c.err(netproto.VarNotSupported)
	}
	return v, ok
}

func (c *session) value(kind, ups, name, value string) {
	c.out = netproto.AppendValue(c.out, kind, ups, name, value)
}

// serverPrefix begins the variables of upsd itself, for which the UPS's name does not matter.
const serverPrefix = "server."

func (c *session) getVar(name, variable string) {
	n := len(serverPrefix)
	if len(variable) >= n && strings.EqualFold(variable[:n], serverPrefix) {
		c.serverVar(name, variable)
		return
	}
	u, ok := c.device(name)
	if !ok {
		return
	}
	v, ok := u.dev.Get(variable)
	if !ok {
		c.err(netproto.VarNotSupported)
		return
	}
	c.value("VAR", name, variable, u.value(v))
}

// serverVar answers with the variable's own spelling, unlike variables of drivers.
func (c *session) serverVar(name, variable string) {
	switch variable = strings.ToLower(variable); variable {
	case "server.info":
		c.value("VAR", name, variable, banner)
	case "server.version":
		c.value("VAR", name, variable, nut.NUTVersion)
	case "server.fsd":
		if u := c.s.find(name); u != nil && u.fsd.set {
			c.value("VAR", name, variable, u.fsd.text(c.heard))
			return
		}
		c.err(netproto.VarNotSupported)
	default:
		c.err(netproto.VarNotSupported)
	}
}

// typeWords are the words of GET TYPE, each with a blank before it.
func typeWords(v *state.Var) string {
	var words string
	if v.Flags&state.RW != 0 {
		words += " RW"
	}
	if len(v.Enum) > 0 {
		words += " ENUM"
	}
	if len(v.Ranges) > 0 {
		words += " RANGE"
	}
	if v.Flags&state.String != 0 {
		return words + " STRING:" + strconv.Itoa(v.Max)
	}
	return words + " NUMBER"
}

func (c *session) getTracking(args []string) {
	if len(args) == 0 {
		if c.tracking {
			c.say("ON")
		} else {
			c.say("OFF")
		}
		return
	}
	if !c.tracking {
		c.err(netproto.FeatureNotConfigured)
		return
	}
	code, ok := c.s.tracked.get(args[0], c.heard, c.s.set.tracking)
	if !ok {
		c.err(netproto.Unknown)
		return
	}
	c.say(outcomes[code])
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
