// Package flags is what the command lines of the client programs have in common.
package flags

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

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
