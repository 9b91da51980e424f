package service

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// Script is the call of a site's own program (NOTIFYCMD, CMDSCRIPT) with one more word: the program
// and arguments that the configuration names, run without a shell. A single word with blanks in it
// is a line for the shell, as it was before NUT 2.8.6.
func Script(words []string, last string) env.Command {
	if len(words) == 1 && strings.ContainsAny(words[0], " \t") {
		return env.Command{Shell: words[0] + " '" + strings.ReplaceAll(last, "'", `'\''`) + "'"}
	}
	return env.Command{Args: append(append([]string(nil), words...), last)}
}
