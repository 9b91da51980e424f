package sockproto

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/state"
)

// Why a line has no effect.
var (
	// ErrUnknown is for a line that is not of this protocol. It is no sign of life either.
	ErrUnknown = errors.New("line is not understood")
	// ErrDropped is for a line that is understood and cannot be followed.
	ErrDropped = errors.New("line is dropped")
)

// handler is what a line of one verb does to the device.
type handler struct {
	args  int // fewest words after the verb
	apply func(d *state.Device, args []string) error
}

func nothing(*state.Device, []string) error { return nil }

var handlers = map[Verb]handler{
	SetInfoVerb:   {2, setInfo},
	DelInfoVerb:   {1, func(d *state.Device, a []string) error { d.Delete(a[0]); return nil }},
	AddEnumVerb:   {2, based(addEnum)},
	DelEnumVerb:   {2, delEnum},
	AddRangeVerb:  {3, based(addRange)},
	DelRangeVerb:  {3, delRange},
	SetAuxVerb:    {2, based(setAux)},
	SetFlagsVerb:  {1, based(setFlags)},
	AddCmdVerb:    {1, func(d *state.Device, a []string) error { d.AddCommand(a[0]); return nil }},
	DelCmdVerb:    {1, func(d *state.Device, a []string) error { d.DelCommand(a[0]); return nil }},
	TrackingVerb:  {2, nothing},
	PIDVerb:       {1, nothing},
	DumpDoneVerb:  {0, nothing},
	DataOKVerb:    {0, nothing},
	DataStaleVerb: {0, nothing},
	PongVerb:      {0, nothing},
	GoodbyeVerb:   {0, nothing},
}

// Apply follows one line of a driver, given as its words, and says which verb it was. Verbs that
// are not about the device's state (DATAOK, PONG, TRACKING ...) are left to the caller.
//
// The error wraps ErrUnknown when the line is not of this protocol; then the verb is empty. It
// wraps ErrDropped when the line names a variable that is not there, or numbers that are none.
func Apply(d *state.Device, words []string) (Verb, error) {
	v := verb(words)
	h, ok := handlers[v]
	if !ok || len(words)-1 < h.args {
		return "", fmt.Errorf("%w: %q", ErrUnknown, words)
	}
	return v, h.apply(d, words[1:])
}

// based wraps what needs a variable that SETINFO has made before.
func based(f func(*state.Device, []string) error) func(*state.Device, []string) error {
	return func(d *state.Device, args []string) error {
		if _, ok := d.Get(args[0]); !ok {
			return fmt.Errorf("%w: base variable (%s) does not exist", ErrDropped, args[0])
		}
		return f(d, args)
	}
}

func addEnum(d *state.Device, args []string) error { d.AddEnum(args[0], args[1]); return nil }
func delEnum(d *state.Device, args []string) error { d.DelEnum(args[0], args[1]); return nil }

func setInfo(d *state.Device, args []string) error {
	if _, ok := d.Get(args[0]); !ok && d.Full() {
		return fmt.Errorf("%w: %s: device has %d variables already",
			ErrDropped, args[0], state.MaxVars)
	}
	d.Set(args[0], args[1])
	return nil
}

func addRange(d *state.Device, args []string) error {
	r, err := parseRange(args)
	if err == nil && r.Min > r.Max {
		err = fmt.Errorf("%w: range %d to %d: want the smaller first", ErrDropped, r.Min, r.Max)
	}
	if err != nil {
		return err
	}
	d.AddRange(args[0], r)
	return nil
}

func delRange(d *state.Device, args []string) error {
	r, err := parseRange(args)
	if err != nil {
		return err
	}
	d.DelRange(args[0], r)
	return nil
}

// bound reads an end of a range. Clients are told integers, so a fraction is left out.
func bound(word string) (int, error) {
	whole, fraction, _ := strings.Cut(word, ".")
	if strings.Trim(fraction, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(whole)
}

func parseRange(args []string) (state.Range, error) {
	low, err1 := bound(args[1])
	high, err2 := bound(args[2])
	if err1 != nil || err2 != nil {
		return state.Range{}, fmt.Errorf("%w: range %q: want two integers", ErrDropped, args[1:3])
	}
	return state.Range{Min: low, Max: high}, nil
}

func setAux(d *state.Device, args []string) error {
	n, err := strconv.Atoi(args[1])
	if err != nil || n < 0 {
		return fmt.Errorf("%w: length %q of %s: want a whole number", ErrDropped, args[1], args[0])
	}
	d.SetMax(args[0], n)
	return nil
}

func setFlags(d *state.Device, args []string) error {
	var f state.Flags
	for _, w := range args[1:] {
		for _, fw := range flagWords {
			if strings.EqualFold(w, fw.word) {
				f |= fw.flag
			}
		}
	}
	d.SetFlags(args[0], f)
	return nil
}

// ParseResult reads the words of a TRACKING line. A code that is no number is Unknown: taking it
// for 0 would report success for a command of which nothing is known.
func ParseResult(words []string) (id string, c Code, err error) {
	if verb(words) != TrackingVerb || len(words) < 3 {
		return "", Unknown, fmt.Errorf("%w: %q", ErrUnknown, words)
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < int(Handled) || n > int(ConversionFailed) {
		return words[1], Unknown, nil
	}
	return words[1], Code(n), nil
}

// A Request is what upsd or a tool asks of a driver.
type Request struct {
	Verb     Verb
	Name     string // of the variable or command
	Value    string
	HasValue bool   // INSTCMD came with a value
	ID       string // tracking id, "" when no result is wanted
}

// ParseRequest reads the words of a line that came to a driver. Its error wraps ErrUnknown for a
// line that is not of this protocol, ErrDropped for a malformed SET or INSTCMD.
func ParseRequest(words []string) (Request, error) {
	r := Request{Verb: verb(words)}
	args := words[min(1, len(words)):]
	switch r.Verb {
	case DumpAllVerb, DumpStatusVerb, PingVerb, GetPIDVerb, NoBroadcastVerb, LogoutVerb:
		return r, nil
	case BroadcastVerb:
		if len(args) > 0 && state.Int(args[0]) < 1 {
			r.Verb = NoBroadcastVerb
		}
		return r, nil
	case DumpValueVerb:
		if len(args) > 0 {
			r.Name = args[0]
			return r, nil
		}
	case SetVerb:
		return r.set(args)
	case InstCmdVerb:
		return r.instCmd(args)
	}
	return Request{}, fmt.Errorf("%w: %q", ErrUnknown, words)
}

// set takes a bad tail for no tracking: the value is what was asked for.
func (r Request) set(args []string) (Request, error) {
	if len(args) < 2 {
		return Request{}, fmt.Errorf("%w: SET %q: want a name and a value", ErrDropped, args)
	}
	r.Name, r.Value, r.HasValue = args[0], args[1], true
	r.ID, _ = tail(args[2:])
	return r, nil
}

func (r Request) instCmd(args []string) (Request, error) {
	if len(args) == 2 || len(args) == 4 {
		r.Value, r.HasValue = args[1], true
		args = append([]string{args[0]}, args[2:]...)
	}
	id, ok := "", len(args) == 1
	if !ok && len(args) > 0 {
		id, ok = tail(args[1:])
	}
	if !ok {
		return Request{}, fmt.Errorf("%w: INSTCMD %q: want a name, perhaps a value, "+
			"perhaps TRACKING and an id", ErrDropped, args)
	}
	r.Name, r.ID = args[0], id
	return r, nil
}

func tail(words []string) (id string, ok bool) {
	if len(words) == 2 && strings.EqualFold(words[0], string(TrackingVerb)) {
		return words[1], true
	}
	return "", false
}
