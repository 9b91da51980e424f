package service

import (
	"os/exec"
	"testing"
)

// The last word arrives whole, whatever is in it, and nothing in it is run.
func TestScriptsGetTheirLastWordWhole(t *testing.T) {
	for _, last := range []string{"UPS rack on battery", "it's", `a "b" $HOME $(id) \ ;x`, ""} {
		for _, words := range [][]string{{"printf", "%s"}, {"printf %s"}} {
			c := Script(words, last)
			args := c.Args
			if c.Shell != "" {
				args = []string{"/bin/sh", "-c", c.Shell}
			}
			if got, err := exec.Command(args[0], args[1:]...).Output(); err != nil || string(got) != last {
				t.Errorf("%q with %q prints %q (%v)", words, last, got, err)
			}
		}
	}
}
