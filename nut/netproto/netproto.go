// Package netproto is the protocol between upsd and its clients: TCP port 3493, one line a request,
// one or more lines a reply.
//
//	C: GET VAR rack ups.status
//	S: VAR rack ups.status "OL CHRG"
//	C: LIST CMD rack
//	S: BEGIN LIST CMD rack
//	S: CMD rack load.off
//	S: END LIST CMD rack
//	C: GET VAR rack nonsense
//	S: ERR VAR-NOT-SUPPORTED
//
// It holds the words of the protocol and what builds its lines; it sends nothing. Lines are taken
// apart by package line, whose grammar both sides use. Every line built here ends in LF.
//
// # What the protocol cannot tell
//
// A reply does not say which request it answers: replies come in the order of the requests. OK
// after SET or INSTCMD means that the driver was told, not that the device obeyed; see TRACKING.
// The protocol is described in RFC 9271.
package netproto

import (
	"strings"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// Version is what NETVER and PROTVER answer.
const Version = "1.3"

// Port is the port that IANA gave to upsd.
const Port = 3493

// Err is an error token: what a server says after the word ERR.
type Err string

// The tokens that servers send, and some that only old ones did.
const (
	AccessDenied         Err = "ACCESS-DENIED"
	AlreadyLoggedIn      Err = "ALREADY-LOGGED-IN"
	AlreadySetPassword   Err = "ALREADY-SET-PASSWORD"
	AlreadySetUsername   Err = "ALREADY-SET-USERNAME"
	AlreadySSLMode       Err = "ALREADY-SSL-MODE"
	CmdNotSupported      Err = "CMD-NOT-SUPPORTED"
	DataStale            Err = "DATA-STALE"
	DriverNotConnected   Err = "DRIVER-NOT-CONNECTED"
	Failed               Err = "FAILED" // only as the result of a tracked request
	FeatureNotConfigured Err = "FEATURE-NOT-CONFIGURED"
	FeatureNotSupported  Err = "FEATURE-NOT-SUPPORTED"
	InstcmdFailed        Err = "INSTCMD-FAILED"
	InvalidArgument      Err = "INVALID-ARGUMENT"
	InvalidPassword      Err = "INVALID-PASSWORD" // legacy
	InvalidUsername      Err = "INVALID-USERNAME" // legacy
	InvalidValue         Err = "INVALID-VALUE"
	MissingArgument      Err = "MISSING-ARGUMENT" // legacy
	PasswordRequired     Err = "PASSWORD-REQUIRED"
	ReadOnly             Err = "READONLY"
	SetFailed            Err = "SET-FAILED"
	TooLong              Err = "TOO-LONG"
	Unknown              Err = "UNKNOWN" // only as the result of a tracked request
	UnknownCommand       Err = "UNKNOWN-COMMAND"
	UnknownInstcmd       Err = "UNKNOWN-INSTCMD" // legacy
	UnknownType          Err = "UNKNOWN-TYPE"    // legacy
	UnknownUPS           Err = "UNKNOWN-UPS"
	UsernameRequired     Err = "USERNAME-REQUIRED"
	VarNotSupported      Err = "VAR-NOT-SUPPORTED"
	VarUnknown           Err = "VAR-UNKNOWN" // legacy
)

// texts are what the client programs have always printed for a token; scripts look for them.
var texts = map[Err]string{
	AccessDenied:       "Access denied",
	AlreadyLoggedIn:    "Already logged in",
	AlreadySetPassword: "Already set password",
	AlreadySetUsername: "Already set username",
	CmdNotSupported:    "Instant command not supported",
	DataStale:          "Data stale",
	DriverNotConnected: "Driver not connected",
	InstcmdFailed:      "Instant command failed",
	InvalidPassword:    "Invalid password",
	InvalidUsername:    "Invalid username",
	InvalidValue:       "Invalid value for variable",
	MissingArgument:    "Missing argument",
	PasswordRequired:   "Password required",
	ReadOnly:           "Read-only variable",
	SetFailed:          "Set command failed",
	TooLong:            "New value is too long",
	UnknownCommand:     "Unknown command",
	UnknownInstcmd:     "Unknown instant command",
	UnknownType:        "Unknown variable type",
	UnknownUPS:         "Unknown UPS",
	UsernameRequired:   "Username required",
	VarNotSupported:    "Variable not supported by UPS",
	VarUnknown:         "Variable unknown",
}

// Error is the text that the client programs print. Tokens that they have no text for, and those
// of a future server, are "Unknown error" there; the token itself is string(e).
func (e Err) Error() string {
	if t, ok := texts[e]; ok {
		return t
	}
	return "Unknown error"
}

// AsError returns the Err that a reply is, and whether it is one. More words may follow the token
// in future and are ignored.
func AsError(words []string) (Err, bool) {
	if len(words) == 0 || words[0] != "ERR" {
		return "", false
	}
	if len(words) == 1 {
		return "", true
	}
	return Err(words[1]), true
}

// Request builds the line of a request. Words are quoted only where they must be, as the C clients
// do: with a blank in them, or empty.
func Request(words ...string) string {
	var b []byte
	for i, w := range words {
		if i > 0 {
			b = append(b, ' ')
		}
		b = AppendWord(b, w)
	}
	return string(append(b, '\n'))
}

// AppendWord appends a word so that the other side reads it back as one word.
func AppendWord(b []byte, w string) []byte {
	plain := line.Escape(w)
	if plain == "" || strings.ContainsAny(plain, " =") {
		return line.AppendQuote(b, w)
	}
	return append(b, plain...)
}
