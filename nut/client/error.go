package client

import (
	"errors"
	"fmt"
	"io"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
)

// An Error is a failure on the way to the server or in what came back. Its text begins as NUT's
// tools have always begun it.
type Error struct {
	Text string
	Err  error // the cause; nil when Text says all
}

// Error is Text, and the cause where the tools print one.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return e.Text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// The beginnings of an Error's text.
const (
	textNoHost     = "No such host"
	textConnect    = "Connection failure"
	textWrite      = "Write error"
	textRead       = "Read error"
	textHungUp     = "Server disconnected"
	textProtocol   = "Protocol error"
	textNoSSL      = "SSL is not available"
	textSSL        = "SSL error"
	wantEcho       = "want the words of the query again, then its value"
	wantListBegin  = "want BEGIN LIST and the words of the query"
	wantListRow    = "want the words of the query and one more, or END LIST"
	wantOneValue   = "want one value"
	wantOneNumber  = "want a number"
	wantShortLine  = "want a line feed within the longest line"
	wantFewerLines = "want the end of the list within the longest list"
)

// dialError renames an error of Net.Dial.
func dialError(err error) error {
	switch {
	case errors.Is(err, env.ErrStopped):
		return err
	case errors.Is(err, env.ErrNoHost):
		return &Error{Text: textNoHost}
	}
	return &Error{textConnect, err}
}

// readError renames an error of Conn.Read.
func readError(err error) error {
	switch {
	case errors.Is(err, env.ErrStopped):
		return err
	case err == io.EOF, errors.Is(err, env.ErrReset), errors.Is(err, env.ErrClosed):
		return &Error{Text: textHungUp}
	}
	return &Error{textRead, err}
}

// writeError renames an error of Conn.Write.
func writeError(err error) error {
	if errors.Is(err, env.ErrStopped) {
		return err
	}
	return &Error{textWrite, err}
}

// malformed is an Error for a reply that is no answer to the request. It shows no more than the
// beginning of either; asked is the request without its secrets.
func malformed(asked string, got []byte, want string) error {
	const enough = 80
	if asked == "PASSWORD" {
		got = []byte("...")
	}
	if len(got) > enough {
		got = got[:enough]
	}
	return &Error{textProtocol, fmt.Errorf("%s: got %q, %s", asked, got, want)}
}

// numbers are those that NUT's library gives to errors.
var numbers = []struct {
	n   int
	err error
}{
	{1, netproto.VarNotSupported}, {4, netproto.UnknownUPS}, {6, netproto.AccessDenied},
	{7, netproto.PasswordRequired}, {8, netproto.InvalidPassword}, {9, netproto.MissingArgument},
	{10, netproto.DataStale}, {11, netproto.VarUnknown}, {12, netproto.AlreadyLoggedIn},
	{13, netproto.AlreadySetPassword}, {14, netproto.UnknownType}, {16, netproto.ReadOnly},
	{17, netproto.TooLong}, {18, netproto.InvalidValue}, {19, netproto.SetFailed},
	{20, netproto.UnknownInstcmd}, {21, netproto.InstcmdFailed}, {22, netproto.CmdNotSupported},
	{23, netproto.InvalidUsername}, {24, netproto.AlreadySetUsername}, {25, netproto.UnknownCommand},
	{35, netproto.UsernameRequired}, {39, netproto.DriverNotConnected},
}

// textNumbers are those of an Error, by the beginning of its text.
var textNumbers = []struct {
	n    int
	text string
}{
	{2, textNoHost}, {31, textConnect}, {32, textWrite}, {33, textRead}, {36, textNoSSL},
	{37, textSSL}, {38, textHungUp}, {42, textProtocol},
}

// Number is the number that NUT's library gives to an error, for log lines that name it; 0 is an
// unknown one.
func Number(err error) int {
	var own *Error
	if errors.As(err, &own) {
		for _, t := range textNumbers {
			if t.text == own.Text {
				return t.n
			}
		}
	}
	for _, x := range numbers {
		if errors.Is(err, x.err) {
			return x.n
		}
	}
	return 0
}
