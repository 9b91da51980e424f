package driver

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says what values an option takes.
type Kind int

// The kinds of options.
const (
	Text    Kind = iota
	Flag         // stands alone; or yes, no
	Whole        // a whole number
	Seconds      // a whole number of seconds
	Minutes      // a whole number of minutes
)

// An Option is one key of ups.conf: its check, its default and its manual page.
type Option struct {
	Key     string
	Kind    Kind
	Default string
	Help    string
	// Min and Max bound a number, in its own unit, when Max is above Min.
	Min, Max int
	// OneOf lists all values of a Text, when there are only some; their case does not matter.
	OneOf []string
	// Check is a further condition on the value.
	Check func(value string) error
	// Secret values are not published.
	Secret bool
	// Later says why the option is refused although the C driver has it.
	Later string

	hidden bool // not shown as driver.parameter or driver.flag
	bare   bool // a Text that may also stand alone
	live   bool // a reload may change it
	// obsolete options are in old files; they mean nothing and stop nothing.
	obsolete bool
}

// common are the options that every driver has; those that upsdrvctl reads are here so that they
// are not taken for mistakes.
var common = []Option{
	{Key: "driver", Help: "program that drives this UPS", hidden: true},
	{Key: "port", Help: "where the device is: a device file, an address, a file"},
	{Key: "desc", Help: "what people call it; upsd tells clients", hidden: true, live: true},
	{Key: "pollinterval", Kind: Seconds, Default: "2", Min: 1, Max: 86400, live: true,
		Help: "time between two polls"},
	{Key: "synchronous", Default: "auto", OneOf: []string{"yes", "no", "auto"}, live: true,
		Help: "accepted for compatibility: a client never delays the driver"},
	{Key: "sdorder", Kind: Whole, Default: "0", Min: -1, Max: 1 << 30, hidden: true, live: true,
		Help: "upsdrvctl shutdown: lower numbers first, -1 never"},
	{Key: "sdcommands", Default: "shutdown.default", live: true,
		Help: "instant commands that switch the load off, tried in this order, with commas"},
	{Key: "allow_killpower", Kind: Flag, hidden: true, live: true,
		Help: "the command driver.killpower works"},
	{Key: "ignorelb", Kind: Flag,
		Help: "compute LB from battery.charge.low or battery.runtime.low instead of the device's"},
	{Key: "maxstartdelay", Kind: Seconds, Default: "75", Max: 86400, hidden: true, live: true,
		Help: "upsdrvctl: how long a start may take"},
	{Key: "maxretry", Kind: Whole, Default: "1", Max: 1000, hidden: true, live: true,
		Help: "upsdrvctl: how often a start is tried"},
	{Key: "retrydelay", Kind: Seconds, Default: "5", Max: 86400, hidden: true, live: true,
		Help: "upsdrvctl: pause between two tries"},
	{Key: "debug_min", Kind: Whole, Default: "0", Max: 1 << 30, hidden: true, live: true,
		Help: "least level of debug messages"},
	{Key: "reconnect_max_tries", Kind: Whole, Default: "-1", Min: -1, Max: 1 << 30, live: true,
		Help: "give up a lost device after so many tries; -1: never"},
	{Key: "reconnect_report_freq", Kind: Whole, Default: "0", Max: 1 << 30,
		hidden: true, live: true, Help: "log each so many failed tries; 0: once in five minutes"},
	{Key: "sddelay", obsolete: true, hidden: true, Help: "obsolete, and ignored with a warning"},
	{Key: "user", hidden: true, Help: "account under which the driver runs"},
	{Key: "group", hidden: true, Help: "group of the socket: who may connect besides the account"},
	{Key: "nolock", Kind: Flag, hidden: true,
		Help: "accepted for compatibility: no lock file is made, so none is in the way"},
	{Key: "LIBUSB_DEBUG", Kind: Whole, Default: "0", Max: 4, hidden: true, Help: withoutEffect},
	{Key: "usb_set_altinterface", Check: bareNumber, hidden: true, bare: true, Help: quirk},
	{Key: "usb_config_index", Check: number, hidden: true, Help: withoutEffect},
	{Key: "usb_hid_rep_index", Check: number, hidden: true, Help: quirk},
	{Key: "usb_hid_desc_index", Check: number, hidden: true, Help: withoutEffect},
	{Key: "usb_hid_ep_in", Check: number, hidden: true, Help: withoutEffect},
	{Key: "usb_hid_ep_out", Check: number, hidden: true, Help: withoutEffect},
}

// quirk is about options that only mean something to a driver that speaks USB.
const quirk = "for odd USB devices; without effect on other ports"

// number checks a small number in any of C's notations.
func number(value string) error {
	if _, err := strconv.ParseUint(value, 0, 8); err != nil {
		return errors.New("want a number, 0 to 255")
	}
	return nil
}

// bareNumber checks a number that may be left out.
func bareNumber(value string) error {
	if value == enabled {
		return nil
	}
	return number(value)
}

// globals are the keys that may stand before the first section and are not options of one UPS.
var globals = []string{"chroot", "driverpath", "statepath", "nowait"}

// prefixes begin the keys that set a variable.
var prefixes = []struct{ prefix, help string }{
	{"default.", "value of a variable that the device does not supply"},
	{"override.", "value of a variable, whatever the device says"},
}

// options are all options of a driver; its own declaration of a common key wins.
func (s Spec) options() []Option {
	all := slices.Clone(common)
	for _, o := range s.Options {
		at := slices.IndexFunc(all, func(c Option) bool { return c.Key == o.Key })
		if at < 0 {
			all = append(all, o)
			continue
		}
		all[at] = o
	}
	return all
}

func (s Spec) option(key string) (Option, bool) {
	for _, o := range s.options() {
		if o.Key == key {
			return o, true
		}
	}
	return Option{}, false
}

var units = map[Kind]struct {
	unit time.Duration
	noun string
}{Seconds: {time.Second, " of seconds"}, Minutes: {time.Minute, " of minutes"}, Whole: {1, ""}}

// spelled is a value as OneOf has it; NUT does not mind the case of such words.
func (o Option) spelled(value string) string {
	for _, word := range o.OneOf {
		if strings.EqualFold(word, value) {
			return word
		}
	}
	return value
}

// check reports what is wrong with a value.
func (o Option) check(value string) error {
	switch {
	case o.Later != "":
		return fmt.Errorf("not supported yet: %s", o.Later)
	case o.Kind == Whole || o.Kind == Seconds || o.Kind == Minutes:
		n, err := strconv.Atoi(value)
		if err != nil || o.Max > o.Min && (n < o.Min || n > o.Max) || n < o.Min {
			return fmt.Errorf("want a whole number%s%s", units[o.Kind].noun, o.bounds())
		}
	case len(o.OneOf) > 0 && !slices.Contains(o.OneOf, value):
		return fmt.Errorf("want one of %s", strings.Join(o.OneOf, ", "))
	}
	if o.Check != nil {
		return o.Check(value)
	}
	return nil
}

// truth reads the value that some people give a flag.
func truth(value string) (on, ok bool) {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on", "enabled":
		return true, true
	case "0", "no", "false", "off", "disabled":
		return false, true
	}
	return false, false
}

func (o Option) bounds() string {
	switch {
	case o.Max <= o.Min:
		return fmt.Sprintf(", at least %d", o.Min)
	case o.Max >= 1<<30:
		return fmt.Sprintf(", %d or more", o.Min)
	}
	return fmt.Sprintf(", %d to %d", o.Min, o.Max)
}

// list prints the driver's own options for programs that read them (-L).
func (s Spec) list(w io.Writer) {
	for _, o := range s.Options {
		if o.Later != "" || o.Key == "port" {
			continue
		}
		word := "VALUE"
		if o.Kind == Flag {
			word = "FLAG"
		}
		fmt.Fprintf(w, "%s %s %q\n", word, o.Key, o.Help)
	}
}

// manual prints all options for people.
func (s Spec) manual(w io.Writer) {
	fmt.Fprintln(w, "\nKeys of ups.conf, also for -x, of this driver:")
	printOptions(w, s.Options)
	fmt.Fprintln(w, "\nand of every driver:")
	printOptions(w, common)
	for _, p := range prefixes {
		printOption(w, p.prefix+"<variable>=<value>", p.help)
	}
}

// withoutEffect is the help of options that are only taken because files have them.
const withoutEffect = "accepted for compatibility"

// values are what stands for the value of an option.
var values = map[Kind]string{Flag: "", Text: "=<value>", Whole: "=<number>",
	Seconds: "=<seconds>", Minutes: "=<minutes>"}

func printOptions(w io.Writer, options []Option) {
	var idle []string
	for _, o := range options {
		if o.Help == withoutEffect {
			idle = append(idle, o.Key)
			continue
		}
		key, help := o.Key+values[o.Kind], o.Help
		if len(o.OneOf) > 0 {
			help += "; one of " + strings.Join(o.OneOf, ", ")
		}
		if o.Default != "" && o.Default != "0" {
			help += " (" + o.Default + ")"
		}
		if o.Later != "" {
			help += " [not yet: " + o.Later + "]"
		}
		printOption(w, key, help)
	}
	if len(idle) > 0 {
		fmt.Fprintln(w, "  "+withoutEffect+", without effect:")
		printOption(w, "", strings.Join(idle, ", "))
	}
}

// helpWidth is how many columns the help has, helpIndent how many stand before it.
const (
	helpWidth  = 100
	helpIndent = 30
)

// printOption prints a key with its help, which goes on below itself; its lines remain lines.
func printOption(w io.Writer, key, help string) {
	line := fmt.Sprintf("  %-28s", key)
	if len(line) > helpIndent {
		fmt.Fprintln(w, line)
		line = strings.Repeat(" ", helpIndent)
	}
	for text := range strings.SplitSeq(help, "\n") {
		for _, word := range strings.Fields(text) {
			if len(line)+1+len(word) > helpWidth {
				fmt.Fprintln(w, line)
				line = strings.Repeat(" ", helpIndent)
			}
			line += " " + word
		}
		fmt.Fprintln(w, line)
		line = strings.Repeat(" ", helpIndent)
	}
}
