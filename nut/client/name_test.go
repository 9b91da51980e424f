package client_test

import (
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/client"
)

// NP-X1 and the errors of identifiers in the same section.
func TestSplitName(t *testing.T) {
	tests := []struct {
		name, in  string
		ups, host string
		port      int
		err       string
	}{
		{name: "a bare name is on this host", in: "rack", ups: "rack", host: "localhost", port: 3493},
		{name: "a host has the usual port", in: "rack@nas", ups: "rack", host: "nas", port: 3493},
		{name: "a port may be given", in: "rack@nas:4000", ups: "rack", host: "nas", port: 4000},
		{name: "IPv6 stands in brackets", in: "rack@[fe80::1]", ups: "rack", host: "fe80::1", port: 3493},
		{name: "IPv6 with a port", in: "rack@[::1]:4000", ups: "rack", host: "::1", port: 4000},
		{name: "the first @ counts", in: "a@b@c", ups: "a", host: "b@c", port: 3493},
		{name: "brackets mean nothing in a name", in: "[::1]", ups: "[::1]", host: "localhost", port: 3493},
		{name: "nothing", in: "", err: "upscli_splitname: can't parse empty string"},
		{name: "no name", in: "@nas", err: "upscli_splitname: got empty upsname string"},
		{name: "no host", in: "rack@", err: "upscli_splitaddr: can't parse empty string"},
		{name: "a port without a host", in: "rack@:3493", err: "no host specified before ':'"},
		{name: "no port after the colon", in: "rack@nas:", err: "upscli_splitaddr: no port specified after ':' separator"},
		{name: "a port in letters", in: "rack@nas:abc", err: "no port specified after ':' separator"},
		{name: "port 0", in: "rack@nas:0", err: "want 1-65535"},
		{name: "a port that is too large", in: "rack@nas:65536", err: "want 1-65535"},
		{name: "an open bracket", in: "rack@[::1", err: "upscli_splitaddr: missing closing bracket in [domain literal]"},
		{name: "bare IPv6", in: "rack@::1", err: "no host specified"},
		{name: "words after the bracket", in: "rack@[::1]4000", err: "no ':' separator"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ups, host, port, err := client.SplitName(tt.in)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("SplitName(%q) = %q, %q, %d, error %v; want error %q", tt.in, ups, host, port, err, tt.err)
				}
				return
			}
			if err != nil || ups != tt.ups || host != tt.host || port != tt.port {
				t.Errorf("SplitName(%q) = %q, %q, %d, %v; want %q, %q, %d", tt.in, ups, host, port, err, tt.ups, tt.host, tt.port)
			}
		})
	}
}
