package upsmon

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// magic is the content of a POWERDOWNFLAG file. Late in the shutdown a script finds it and has the
// UPS cut the power; so this program deletes no file that does not begin with it.
const magic = "upsmon-shutdown-file"

// flagPerm lets everybody see that the power is about to go.
const flagPerm fs.FileMode = 0o644

// flagState is what is found at POWERDOWNFLAG.
type flagState int

const (
	flagUnset flagState = iota
	flagSet
	flagForeign
)

// readFlag looks at the file. What cannot be read is not ours.
func readFlag(e env.Env, name string) (flagState, error) {
	b, err := e.Host().ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return flagUnset, nil
	case err != nil:
		return flagForeign, err
	case bytes.HasPrefix(b, []byte(magic)):
		return flagSet, nil
	}
	return flagForeign, nil
}

// lowerFlag prepares POWERDOWNFLAG for this run: a flag of the last shutdown is deleted, and a file
// that is somebody else's stays and disables the feature. It returns the name to use.
func lowerFlag(e env.Env, name string) string {
	if name == "" {
		return ""
	}
	state, err := readFlag(e, name)
	switch {
	case err != nil:
		e.Log().Error(fmt.Sprintf("POWERDOWNFLAG (%s) cannot be read: %v - disabling!", name, err))
	case state == flagForeign:
		e.Log().Error(fmt.Sprintf("POWERDOWNFLAG (%s) does not contain the upsmon magic string "+
			"(not a NUT file) - disabling!", name))
	case state == flagSet:
		if err := e.Host().Remove(name); err != nil {
			e.Log().Error(fmt.Sprintf("POWERDOWNFLAG (%s) is left from the last shutdown and cannot be "+
				"deleted: %v; the next shutdown, whatever its reason, will cut the power", name, err))
			return name
		}
		e.Emit(env.Event{Kind: env.Flag, Name: name, Value: "removed"})
		return name
	default:
		return name
	}
	e.Emit(env.Event{Kind: env.Flag, Name: name, Value: "foreign"})
	return ""
}

// checkFlag carries out -K: exit code 0 when the flag is set.
func checkFlag(e env.Env, name string) int {
	state := flagUnset
	if name != "" {
		var err error
		if state, err = readFlag(e, name); err != nil {
			fmt.Fprintf(e.Host().Stderr(), "POWERDOWNFLAG (%s) cannot be read: %v\n", name, err)
		} else if state == flagForeign {
			fmt.Fprintf(e.Host().Stderr(), "POWERDOWNFLAG (%s) does not contain the upsmon magic string\n", name)
		}
	}
	if state == flagSet {
		e.Emit(env.Event{Kind: env.Flag, Name: name, Value: "set"})
		fmt.Fprintln(e.Host().Stdout(), "Power down flag is set")
		return 0
	}
	e.Emit(env.Event{Kind: env.Flag, Name: name, Value: "unset"})
	fmt.Fprintln(e.Host().Stdout(), "Power down flag is not set")
	return 1
}
