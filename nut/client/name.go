package client

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// defaultHost is where a UPS is that is named without a host.
const defaultHost = "localhost"

// SplitName takes apart the identifier of a UPS: name[@host[:port]], with IPv6 addresses in
// brackets. The texts of its errors are what NUT's tools print before they give up.
func SplitName(s string) (ups, host string, port int, err error) {
	if s == "" {
		return "", "", 0, errors.New("upscli_splitname: can't parse empty string")
	}
	ups, addr, remote := strings.Cut(s, "@")
	if ups == "" {
		return "", "", 0, fmt.Errorf("upscli_splitname: got empty upsname string in %q", s)
	}
	if !remote {
		return ups, defaultHost, netproto.Port, nil
	}
	host, port, err = SplitAddr(addr)
	return ups, host, port, err
}

// SplitAddr takes apart the address of a server: host[:port], with IPv6 addresses in brackets.
func SplitAddr(s string) (host string, port int, err error) {
	if s == "" {
		return "", 0, errors.New("upscli_splitaddr: can't parse empty string")
	}
	host, rest, colon := strings.Cut(s, ":")
	if literal, ok := strings.CutPrefix(s, "["); ok {
		var closed bool
		host, rest, closed = strings.Cut(literal, "]")
		if !closed {
			return "", 0, fmt.Errorf("upscli_splitaddr: missing closing bracket in [domain literal]: %q", s)
		}
		rest, colon = strings.CutPrefix(rest, ":")
		if !colon && rest != "" {
			return "", 0, fmt.Errorf("upscli_splitaddr: no ':' separator after the bracket in %q", s)
		}
	}
	if host == "" {
		return "", 0, fmt.Errorf("upscli_splitaddr: no host specified before ':' separator in %q", s)
	}
	if !colon {
		return host, netproto.Port, nil
	}
	port, err = strconv.Atoi(strings.TrimSpace(rest))
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("upscli_splitaddr: no port specified after ':' separator in %q, "+
			"want 1-65535", s)
	}
	return host, port, nil
}

// address is the form that Net.Dial takes.
func address(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
