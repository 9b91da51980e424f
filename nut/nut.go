// Package nut holds the words of Network UPS Tools that every program shares: the words of
// ups.status ([Status]), what variables and instant commands mean ([Describe], [DescribeCommand]),
// the release whose behaviour we follow, and the folders where files are.
package nut

import "github.com/blackstart-ups/blackstart/nut/env"

// Version is what programs print for -V; NUTVersion is the release whose behaviour we follow.
const (
	NUTVersion = "2.8.5"
	Version    = NUTVersion + " (blackstart 0.1)"
)

// folder returns the first of the environment variables that is set, else the default.
func folder(e env.Env, def string, keys ...string) string {
	for _, k := range keys {
		if v := e.Host().Getenv(k); v != "" {
			return v
		}
	}
	return def
}

// ConfPath is where configuration files are.
func ConfPath(e env.Env) string { return folder(e, "/etc/nut", "NUT_CONFPATH") }

// StatePath is where driver sockets are.
func StatePath(e env.Env) string { return folder(e, "/run/nut", "NUT_STATEPATH") }

// PidPath is where upsd.pid and upsmon.pid are.
func PidPath(e env.Env) string { return folder(e, "/run/nut", "NUT_PIDPATH") }

// AltPidPath is where the PID files of drivers are.
func AltPidPath(e env.Env) string {
	return folder(e, "/run/nut", "NUT_ALTPIDPATH", "NUT_STATEPATH")
}
