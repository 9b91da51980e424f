package nut_test

import (
	"testing"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

func TestTheEnvironmentMovesTheFolders(t *testing.T) {
	for _, tt := range []struct {
		name, key              string
		conf, state, pid, alts string
	}{
		{"nothing is set", "", "/etc/nut", "/run/nut", "/run/nut", "/run/nut"},
		{"NUT_CONFPATH", "NUT_CONFPATH", "/x", "/run/nut", "/run/nut", "/run/nut"},
		{"NUT_PIDPATH", "NUT_PIDPATH", "/etc/nut", "/run/nut", "/x", "/run/nut"},
		{"NUT_ALTPIDPATH", "NUT_ALTPIDPATH", "/etc/nut", "/run/nut", "/run/nut", "/x"},
		{"drivers put their PID files beside their sockets", "NUT_STATEPATH", "/etc/nut", "/x", "/run/nut", "/x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, k := range []string{"NUT_CONFPATH", "NUT_STATEPATH", "NUT_PIDPATH", "NUT_ALTPIDPATH"} {
				t.Setenv(k, "")
			}
			if tt.key != "" {
				t.Setenv(tt.key, "/x")
			}
			osenv.Run("test", func(e env.Env, _ []string) int {
				got := [4]string{nut.ConfPath(e), nut.StatePath(e), nut.PidPath(e), nut.AltPidPath(e)}
				if want := [4]string{tt.conf, tt.state, tt.pid, tt.alts}; got != want {
					t.Errorf("conf, state, pid, drivers' pid: %q, want %q", got, want)
				}
				return 0
			})
		})
	}
}
