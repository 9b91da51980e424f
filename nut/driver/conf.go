package driver

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/blackstart-ups/blackstart/nut/config"
)

// Conf holds the options of one UPS, checked and complete. Asking for a key that the Spec does
// not declare, or by the wrong kind, is a bug and panics.
type Conf struct {
	UPS     string // name of the section
	Program string // name under which the driver runs
	Dir     string // folder of the configuration files

	options []Option
	values  map[string]string
	given   []string    // keys that were given, in their order
	vars    []presetVar // default. and override.
	globals map[string]string
	ignored []string // keys before the first section that mean nothing to a driver
}

// A presetVar is a variable whose value comes from ups.conf.
type presetVar struct {
	name, value string
	override    bool
}

// A setting is one key with its value as it was written, and where.
type setting struct {
	key, value string
	flag       bool // a word alone
	global     bool // before the first section
	where      string
}

// compose makes the Conf of one UPS from settings, of which later ones win. Its error names every
// mistake.
func compose(s Spec, prog, ups string, settings []setting) (*Conf, error) {
	c := &Conf{UPS: ups, Program: prog, options: s.options(),
		values: make(map[string]string), globals: make(map[string]string)}
	for _, o := range c.options {
		c.values[o.Key] = o.Default
	}
	var problems []error
	for _, set := range settings {
		if err := c.take(s, set); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", set.where, err))
		}
	}
	return c, errors.Join(problems...)
}

// take applies one setting.
func (c *Conf) take(s Spec, set setting) error {
	if slices.Contains(globals, set.key) {
		c.globals[set.key] = set.value
		return nil
	}
	for _, p := range prefixes {
		if name, ok := strings.CutPrefix(set.key, p.prefix); ok && name != "" && !set.flag {
			c.vars = append(c.vars, presetVar{name, set.value, p.prefix == "override."})
			return nil
		}
	}
	o, ok := s.option(set.key)
	if !ok && set.global {
		c.ignored = append(c.ignored, set.where+": "+set.key+": means nothing to a driver")
		return nil
	}
	if !ok {
		return fmt.Errorf("%s: no such key for %s%s", set.key, c.Program, c.suggest(set.key))
	}
	value := set.value
	switch {
	case o.obsolete:
		c.ignored = append(c.ignored, set.where+": "+set.key+": obsolete, it is ignored")
		return nil
	case o.Kind == Flag && set.flag:
		value = enabled
	case o.Kind == Flag:
		on, ok := truth(value)
		if !ok {
			return fmt.Errorf("%s: %q: want the word alone, or yes or no", set.key, value)
		}
		value = ""
		if on {
			value = enabled
		}
	case set.flag && o.bare:
		value = enabled
	case set.flag:
		return fmt.Errorf("%s: value is missing: want %s = <value>", set.key, set.key)
	}
	value = o.spelled(value)
	if err := o.check(value); err != nil {
		return fmt.Errorf("%s: %q: %w", set.key, set.value, err)
	}
	c.values[set.key] = value
	if !slices.Contains(c.given, set.key) {
		c.given = append(c.given, set.key)
	}
	return nil
}

// suggest names the key that was probably meant.
func (c *Conf) suggest(key string) string {
	best, least := "", 3
	for _, o := range c.options {
		if d := distance(key, o.Key); d < least {
			best, least = o.Key, d
		}
	}
	if best == "" {
		return "; -h lists them"
	}
	return "; is " + best + " meant?"
}

// distance is how many letters must be changed, added or dropped to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// enabled is the value of a flag that was given.
const enabled = "enabled"

func (c *Conf) declared(key string, kinds ...Kind) Option {
	at := slices.IndexFunc(c.options, func(o Option) bool { return o.Key == key })
	if at < 0 || !slices.Contains(kinds, c.options[at].Kind) {
		panic(fmt.Sprintf("driver: option %q is not declared, or is of another kind", key))
	}
	return c.options[at]
}

// Text returns the value of a Text option.
func (c *Conf) Text(key string) string {
	c.declared(key, Text)
	return c.values[key]
}

// Flag reports whether a Flag option is on.
func (c *Conf) Flag(key string) bool {
	c.declared(key, Flag)
	return c.values[key] != ""
}

// Int returns the value of a Whole option, 0 when it has none.
func (c *Conf) Int(key string) int {
	c.declared(key, Whole)
	n, _ := strconv.Atoi(c.values[key]) // checked when it was taken; empty is 0
	return n
}

// Duration returns the value of a Seconds or Minutes option, 0 when it has none.
func (c *Conf) Duration(key string) time.Duration {
	o := c.declared(key, Seconds, Minutes)
	n, _ := strconv.Atoi(c.values[key]) // as in Int
	return time.Duration(n) * units[o.Kind].unit
}

// Given reports whether the key was given, as opposed to its default.
func (c *Conf) Given(key string) bool { return slices.Contains(c.given, key) }

// Port returns the value of port.
func (c *Conf) Port() string { return c.Text("port") }

// restartKeys lists the keys in which another Conf of the same UPS differs and that only a
// restart can change.
func (c *Conf) restartKeys(other *Conf) []string {
	var keys []string
	for _, o := range c.options {
		if !o.live && c.values[o.Key] != other.values[o.Key] {
			keys = append(keys, o.Key)
		}
	}
	if !slices.Equal(c.vars, other.vars) {
		keys = append(keys, "default. or override.")
	}
	return keys
}

// settings are those of ups.conf for one UPS, then those of the command line.
func settings(u *config.UPS, file string, section *config.Section, extra []setting) []setting {
	var all []setting
	add := func(s *config.Section, global bool) {
		for _, p := range s.Pairs {
			all = append(all, setting{key: p.Key, value: p.Value, flag: p.Flag, global: global,
				where: fmt.Sprintf("%s:%d:%d", file, p.Line, p.Col)})
		}
	}
	if u != nil {
		add(&u.Global, true)
	}
	if section != nil {
		add(section, false)
	}
	return append(all, extra...)
}

// extraSettings are the settings of -x, each var=value or a flag.
func extraSettings(args []string) []setting {
	var all []setting
	for _, a := range args {
		key, value, has := strings.Cut(a, "=")
		where := "-x " + cmp.Or(key, a)
		all = append(all, setting{key: key, value: value, flag: !has, where: where})
	}
	return all
}
