package upsd

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/line"
)

// unavailable is the description of what has none.
const unavailable = "Description unavailable"

// upstream begins the variables that a driver took from another one; they are described as those.
const upstream = "upstream."

// texts are the descriptions of a cmdvartab file, which come before our own.
type texts struct{ variables, commands map[string]string }

func (t *texts) variable(name string) string {
	name = strings.TrimPrefix(strings.ToLower(name), upstream)
	if text, ok := t.variables[name]; ok {
		return text
	}
	return orElse(nut.Describe(name), unavailable)
}

func (t *texts) command(name string) string {
	name = strings.ToLower(name)
	if text, ok := t.commands[name]; ok {
		return text
	}
	return orElse(nut.DescribeCommand(name), unavailable)
}

// parseTexts reads a cmdvartab file: lines of VARDESC or CMDDESC, a name and a text. Other lines
// are not ours to judge.
func parseTexts(b []byte) texts {
	t := texts{variables: make(map[string]string), commands: make(map[string]string)}
	var p line.Parser
	p.Feed(append(b, '\n'), func(words []string, err error) {
		switch {
		case err != nil || len(words) < 3:
		case words[0] == "VARDESC":
			t.variables[strings.ToLower(words[1])] = words[2]
		case words[0] == "CMDDESC":
			t.commands[strings.ToLower(words[1])] = words[2]
		}
	})
	return t
}
