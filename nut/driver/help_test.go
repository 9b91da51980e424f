package driver

import (
	"strings"
	"testing"
)

// What people read about a key: what its value is, which values there are, on lines that are not
// too long; and keys that mean nothing take no room.
func TestHelpOfKeys(t *testing.T) {
	var out strings.Builder
	printOptions(&out, []Option{
		{Key: "quiet", Kind: Flag, Help: "say nothing"},
		{Key: "delay", Kind: Seconds, Default: "30", Help: "before it goes"},
		{Key: "speed", OneOf: []string{"slow", "fast"}, Help: "how it goes"},
		{Key: "a_key_that_is_too_long_for_its_column", Help: "goes below itself"},
		{Key: "old_one", Help: withoutEffect}, {Key: "old_two", Kind: Flag, Help: withoutEffect},
	})
	want := `  quiet                        say nothing
  delay=<seconds>              before it goes (30)
  speed=<value>                how it goes; one of slow, fast
  a_key_that_is_too_long_for_its_column=<value>
                               goes below itself
  accepted for compatibility, without effect:
                               old_one, old_two
`
	if got := out.String(); got != want {
		t.Errorf("the help is\n%s\nwant\n%s", got, want)
	}
}
