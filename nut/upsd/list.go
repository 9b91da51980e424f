package upsd

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// list answers LIST. An error replaces the whole list (NP-L1); rows have the spelling of the query,
// but for names of UPSes that are the rows themselves.
func (c *session) list(args []string) {
	if len(args) == 0 {
		c.err(netproto.InvalidArgument)
		return
	}
	kind := strings.ToUpper(args[0])
	switch {
	case kind == "UPS":
		c.listUPS()
	case kind == "VAR" && len(args) > 1:
		if u, ok := c.device(args[1]); ok {
			c.listVars(u, args[1])
		}
	case kind == "RW" && len(args) > 1:
		if u, ok := c.device(args[1]); ok {
			c.listRW(u, args[1])
		}
	case kind == "CMD" && len(args) > 1:
		if u, ok := c.device(args[1]); ok {
			c.listCommands(u, args[1])
		}
	case kind == "CLIENT" && len(args) > 1:
		if u, ok := c.ups(args[1]); ok {
			c.listClients(u, args[1])
		}
	case kind == "ENUM" && len(args) > 2:
		if v, ok := c.variable(args[1], args[2]); ok {
			c.listEnum(v, args[1], args[2])
		}
	case kind == "RANGE" && len(args) > 2:
		if v, ok := c.variable(args[1], args[2]); ok {
			c.listRanges(v, args[1], args[2])
		}
	default:
		c.err(netproto.InvalidArgument)
	}
}

func (c *session) begin(query ...string) { c.out = netproto.AppendList(c.out, "BEGIN", query...) }
func (c *session) end(query ...string)   { c.out = netproto.AppendList(c.out, "END", query...) }

func (c *session) listUPS() {
	c.begin("UPS")
	for _, u := range c.s.order {
		c.out = netproto.AppendText(c.out, "UPS", u.name, u.text(unavailable))
	}
	c.end("UPS")
}

func (c *session) listVars(u *ups, name string) {
	c.begin("VAR", name)
	for _, v := range u.dev.Vars() {
		c.value("VAR", name, v.Name, u.value(v))
	}
	c.end("VAR", name)
}

// listRW shows the driver's own values: FSD is upsd's and cannot be set (NP-L6).
func (c *session) listRW(u *ups, name string) {
	c.begin("RW", name)
	for _, v := range u.dev.Vars() {
		if v.Flags&state.RW != 0 {
			c.value("RW", name, v.Name, v.Value)
		}
	}
	c.end("RW", name)
}

func (c *session) listCommands(u *ups, name string) {
	c.begin("CMD", name)
	for _, cmd := range u.dev.Commands() {
		c.out = netproto.AppendPlain(c.out, "CMD", name, cmd)
	}
	c.end("CMD", name)
}

func (c *session) listClients(u *ups, name string) {
	c.begin("CLIENT", name)
	for at := c.s.sessions.Front(); at != nil; at = at.Next() {
		if peer := at.Value.(*session); peer.login == u {
			c.out = netproto.AppendPlain(c.out, "CLIENT", u.name, peer.addr)
		}
	}
	c.end("CLIENT", name)
}

func (c *session) listEnum(v *state.Var, name, variable string) {
	c.begin("ENUM", name, variable)
	for _, e := range v.Enum {
		c.value("ENUM", name, variable, e)
	}
	c.end("ENUM", name, variable)
}

func (c *session) listRanges(v *state.Var, name, variable string) {
	c.begin("RANGE", name, variable)
	for _, r := range v.Ranges {
		c.out = netproto.AppendRange(c.out, name, variable, r.Min, r.Max)
	}
	c.end("RANGE", name, variable)
}
