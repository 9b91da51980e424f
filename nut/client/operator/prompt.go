package operator

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// ErrNoInput is that standard input ended before an answer. Nothing is done then: silence is
// neither a name nor a value.
var ErrNoInput = errors.New("Error reading from stdin!") //lint:ignore ST1005 as ever

// maxAnswer is the longest answer to a question, more than a line of the protocol can hold.
const maxAnswer = 1024

// AskWho asks for what neither -u and -p nor nutauth.conf gave.
func (o *Options) AskWho(h env.Host) error {
	if o.User == nil {
		o.User = o.login.User
	}
	if o.Password == nil {
		o.Password = o.login.Password
	}
	if o.User == nil {
		name, err := askName(h)
		if err != nil {
			return err
		}
		o.User = &name
	}
	if o.Password == nil {
		word, err := askPassword(h)
		if err != nil {
			return err
		}
		o.Password = &word
	}
	return nil
}

// askName asks for a name; no name is that of the account.
func askName(h env.Host) (string, error) {
	login := h.Account()
	question := "Username: "
	if login != "" {
		question = fmt.Sprintf("Username (%s): ", login)
	}
	name, err := Ask(h, question)
	switch {
	case err != nil:
		return "", err
	case name != "":
		return name, nil
	case login == "":
		return "", errors.New("No username available: want -u NAME")
	}
	return login, nil
}

// askPassword asks for a password, on a terminal without showing it.
func askPassword(h env.Host) (string, error) {
	fmt.Fprint(h.Stderr(), "Password: ")
	if !h.Isatty() {
		return readLine(h.Stdin())
	}
	word, err := h.ReadPassword()
	fmt.Fprintln(h.Stderr())
	if err != nil {
		return "", fmt.Errorf("getpass failed: %w", err)
	}
	return word, nil
}

// Ask prints a question and reads the answer.
func Ask(h env.Host, question string) (string, error) {
	fmt.Fprint(h.Stdout(), question)
	return readLine(h.Stdin())
}

// readLine reads a line and not a byte more: who reads next finds the rest.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); len(line) < maxAnswer; {
		n, err := r.Read(b)
		switch {
		case n == 1 && b[0] == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		case n == 1:
			line = append(line, b[0])
		case err != nil && len(line) == 0:
			return "", ErrNoInput
		case err != nil:
			return string(line), nil
		}
	}
	return "", fmt.Errorf("Error: the answer is longer than %d bytes", maxAnswer)
}
