// Package sockproto is the protocol on a driver's socket: lines of text between a driver and those
// who want its state, upsd first of all.
//
// # On the wire
//
//	upsd   > DUMPALL
//	driver > SETINFO battery.charge "90"
//	driver > SETFLAGS battery.charge RW STRING
//	driver > SETAUX battery.charge 8
//	driver > ADDCMD load.off
//	driver > DATAOK
//	driver > DUMPDONE
//	driver > SETINFO battery.charge "89"
//	upsd   > PING
//	driver > PONG
//	upsd   > INSTCMD load.off TRACKING 59DF2263-3F15-4601-8786-9C36E1900437
//	driver > TRACKING 59DF2263-3F15-4601-8786-9C36E1900437 0
//
// After the dump a driver sends changes only. The names of UPS and driver are in the name of the
// socket's file, see [File]; nothing on the wire says them.
//
// Builders return one line with its LF. A line that comes in is taken apart by package line, then
// read by [Apply] (what a driver says) or [ParseRequest] (what a driver is asked).
package sockproto

import (
	"strconv"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/nut/state"
)

// File is the name of a driver's socket within the state folder.
func File(driver, ups string) string { return driver + "-" + ups }

// Verb is the first word of a line.
type Verb string

// What a driver says.
const (
	SetInfoVerb   Verb = "SETINFO"
	DelInfoVerb   Verb = "DELINFO"
	AddEnumVerb   Verb = "ADDENUM"
	DelEnumVerb   Verb = "DELENUM"
	AddRangeVerb  Verb = "ADDRANGE"
	DelRangeVerb  Verb = "DELRANGE"
	SetAuxVerb    Verb = "SETAUX"
	SetFlagsVerb  Verb = "SETFLAGS"
	AddCmdVerb    Verb = "ADDCMD"
	DelCmdVerb    Verb = "DELCMD"
	DumpDoneVerb  Verb = "DUMPDONE"  // the answer to a dump is complete
	DataOKVerb    Verb = "DATAOK"    // the driver hears its device
	DataStaleVerb Verb = "DATASTALE" // and now it does not
	PongVerb      Verb = "PONG"
	TrackingVerb  Verb = "TRACKING" // the result of a SET or INSTCMD
	PIDVerb       Verb = "PID"
	GoodbyeVerb   Verb = "OK" // OK Goodbye
)

// What a driver is asked.
const (
	DumpAllVerb     Verb = "DUMPALL"
	DumpValueVerb   Verb = "DUMPVALUE"
	DumpStatusVerb  Verb = "DUMPSTATUS"
	PingVerb        Verb = "PING"
	GetPIDVerb      Verb = "GETPID"
	SetVerb         Verb = "SET"
	InstCmdVerb     Verb = "INSTCMD"
	NoBroadcastVerb Verb = "NOBROADCAST"
	BroadcastVerb   Verb = "BROADCAST"
	LogoutVerb      Verb = "LOGOUT"
)

// Lines without arguments.
const (
	DumpDone  = "DUMPDONE\n"
	DataOK    = "DATAOK\n"
	DataStale = "DATASTALE\n"
	Pong      = "PONG\n"
	Goodbye   = "OK Goodbye\n"

	DumpAll     = "DUMPALL\n"
	DumpStatus  = "DUMPSTATUS\n"
	Ping        = "PING\n"
	GetPID      = "GETPID\n"
	NoBroadcast = "NOBROADCAST\n"
	Broadcast   = "BROADCAST\n"
	Logout      = "LOGOUT\n"
)

// Code is the result of a SET or INSTCMD, as a driver reports it.
type Code int

// The results. Pending is no driver's word: it stands for "nothing said yet".
const (
	Pending          Code = -1
	Handled          Code = 0
	Unknown          Code = 1
	Invalid          Code = 2
	Failed           Code = 3
	ConversionFailed Code = 4
)

// SetInfo is the line that makes or changes a variable.
func SetInfo(name, value string) string { return quoted(SetInfoVerb, name, value) }

// DelInfo removes a variable.
func DelInfo(name string) string { return plain(DelInfoVerb, name) }

// AddEnum adds a permitted value.
func AddEnum(name, value string) string { return quoted(AddEnumVerb, name, value) }

// DelEnum removes one.
func DelEnum(name, value string) string { return quoted(DelEnumVerb, name, value) }

// AddRange adds a permitted span.
func AddRange(name string, r state.Range) string { return span(AddRangeVerb, name, r) }

// DelRange removes one.
func DelRange(name string, r state.Range) string { return span(DelRangeVerb, name, r) }

// SetAux declares the greatest length of a string.
func SetAux(name string, n int) string { return plain(SetAuxVerb, name, strconv.Itoa(n)) }

// flagWords are in the order in which drivers send them.
var flagWords = []struct {
	flag state.Flags
	word string
}{
	{state.RW, "RW"},
	{state.String, "STRING"},
	{state.Number, "NUMBER"},
}

// SetFlags replaces the flags of a variable.
func SetFlags(name string, f state.Flags) string {
	words := []string{name}
	for _, fw := range flagWords {
		if f&fw.flag != 0 {
			words = append(words, fw.word)
		}
	}
	return plain(SetFlagsVerb, words...)
}

// AddCmd adds an instant command.
func AddCmd(name string) string { return plain(AddCmdVerb, name) }

// DelCmd removes one.
func DelCmd(name string) string { return plain(DelCmdVerb, name) }

// PID answers GETPID.
func PID(n int) string { return plain(PIDVerb, strconv.Itoa(n)) }

// Result is the outcome of the request with that tracking id.
func Result(id string, c Code) string { return plain(TrackingVerb, id, strconv.Itoa(int(c))) }

// Dump is the answer to DUMPALL: everything about the device.
func Dump(d *state.Device, fresh bool) []byte {
	return dump(d.Vars(), d.Commands(), fresh)
}

// DumpValue is the answer to DUMPVALUE and, for ups.status, to DUMPSTATUS: one variable, or only
// the trailer when there is no such variable.
func DumpValue(d *state.Device, name string, fresh bool) []byte {
	if v, ok := d.Get(name); ok {
		return dump([]*state.Var{v}, nil, fresh)
	}
	return dump(nil, nil, fresh)
}

func dump(vars []*state.Var, commands []string, fresh bool) []byte {
	var b []byte
	if !fresh {
		b = append(b, DataStale...)
	}
	for _, v := range vars {
		b = append(b, SetInfo(v.Name, v.Value)...)
		for _, e := range v.Enum {
			b = append(b, AddEnum(v.Name, e)...)
		}
		for _, r := range v.Ranges {
			b = append(b, AddRange(v.Name, r)...)
		}
		if v.Max != 0 {
			b = append(b, SetAux(v.Name, v.Max)...)
		}
		if v.Flags != 0 {
			b = append(b, SetFlags(v.Name, v.Flags)...)
		}
	}
	for _, c := range commands {
		b = append(b, AddCmd(c)...)
	}
	if fresh {
		b = append(b, DataOK...)
	}
	return append(b, DumpDone...)
}

// Set asks a driver to set a variable. An id of "" asks for no result.
func Set(name, value, id string) string {
	b := []byte("SET ")
	b = netproto.AppendWord(b, name)
	b = append(b, ' ')
	b = line.AppendQuote(b, value)
	return string(tracked(b, id))
}

// InstCmd asks a driver to run an instant command. The value is sent when has is true, quoted if
// it must be, so that it arrives as one word.
func InstCmd(name, value string, has bool, id string) string {
	b := []byte("INSTCMD ")
	b = netproto.AppendWord(b, name)
	if has {
		b = append(b, ' ')
		b = netproto.AppendWord(b, value)
	}
	return string(tracked(b, id))
}

func tracked(b []byte, id string) []byte {
	if id != "" {
		b = append(b, " TRACKING "...)
		b = append(b, id...)
	}
	return append(b, '\n')
}

func quoted(v Verb, name, value string) string {
	b := append([]byte(v), ' ')
	b = netproto.AppendWord(b, name)
	b = append(b, ' ')
	b = line.AppendQuote(b, value)
	return string(append(b, '\n'))
}

func plain(v Verb, words ...string) string {
	return netproto.Request(append([]string{string(v)}, words...)...)
}

func span(v Verb, name string, r state.Range) string {
	return plain(v, name, strconv.Itoa(r.Min), strconv.Itoa(r.Max))
}

// verb is a first word in the spelling of this package: drivers and tools may write it in any.
func verb(words []string) Verb {
	if len(words) == 0 {
		return ""
	}
	return Verb(strings.ToUpper(words[0]))
}
