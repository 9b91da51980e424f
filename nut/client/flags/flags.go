// Package flags is what the command lines of the client programs have in common.
package flags

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// Auth reads the nutauth.conf that a flag -A asks for. Warnings go to standard error.
func Auth(e env.Env, flag string) (*config.Auth, error) {
	c, warnings, err := client.ReadAuth(e, flag)
	for _, w := range warnings {
		fmt.Fprintln(e.Host().Stderr(), "Warning:", w)
	}
	return c, err
}

// AuthHelp is the part of a program's help about nutauth.conf.
const AuthHelp = `
nutauth.conf says who you are to which server, and how to encrypt:
  USER = eve                   before any section: for all servers
  [@nas:3493]                  for one server; [admin@nas:3493] for one user of it
  PASS = secret
  FORCESSL = 1                 refuse to talk in clear
  CERTVERIFY = 1               believe only servers for whom CERTPATH vouches
  CERTPATH = /etc/nut/ca.pem   also CERTHOST, CERTFILE, CERTIDENT_NAME, CERTIDENT_PASS
  INCLUDE other.conf           INCLUDE_REQUIRED when it must be there
The file is the one in NUT_AUTHCONF_FILE, nutauth.conf in the folder NUT_AUTHCONF_PATH,
or else the first of ~/.config/nut/nutauth.conf, ~/.nutauth.conf and
/etc/nut/nutauth.conf. A mistake in it is an error, told by line and column.
`

// JSON writes a value as JSON, on a line of its own.
func JSON(w io.Writer, v any) {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.Encode(v) // of values that can be written; what cannot take them is a stream that is gone
}

// Failed is what a program writes with --json in place of what it could not do.
func Failed(w io.Writer, err error) {
	JSON(w, struct {
		Error string `json:"error"`
	}{err.Error()})
}

// Misuse is what is said about a command line that cannot be read: for flags of one letter in the
// words of getopt, which people know and scripts look for.
func Misuse(prog string, err error) string {
	var unknown *pflag.NotExistError
	var bare *pflag.ValueRequiredError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Sprintf("%s: invalid option -- '%s'", prog, unknown.GetSpecifiedName())
	case errors.As(err, &bare) && bare.GetSpecifiedShortnames() != "":
		return fmt.Sprintf("%s: option requires an argument -- '%s'", prog, bare.GetSpecifiedName())
	}
	return fmt.Sprintf("%s: %v", prog, err)
}
