package service

import (
	"errors"
	"fmt"

	"github.com/blackstart-ups/blackstart/nut/env"
)

// BuiltIn is the account that NUT's packages make for its daemons.
const BuiltIn = "nut"

// AccountVar names, in the environment, another account than [BuiltIn] for daemons that root starts
// without saying which; root keeps root. Rehearsals and tests use it.
const AccountVar = "BLACKSTART_USER"

// Confine gives up what only the start of a daemon needed: all files outside root, if that is not
// empty, and being root, for the account that was asked for (-u, user =) or else [BuiltIn]. Where
// the latter does not exist, on machines that have no packages of NUT, the daemon stays root and
// says so: what protects them from outages must not fail for want of an account. The account is
// looked up before root is the new one, where there is no list of accounts.
func Confine(e env.Env, root, user string) error {
	wanted := user
	if wanted == "" {
		wanted = e.Host().Getenv(AccountVar)
	}
	if wanted != "" {
		return e.Host().Confine(root, wanted)
	}
	err := e.Host().Confine(root, BuiltIn)
	if !errors.Is(err, env.ErrNoAccount) {
		return err
	}
	e.Log().Warn(fmt.Sprintf("there is no account %s: staying root; make it, or name one with -u or user =",
		BuiltIn))
	if root == "" {
		return nil
	}
	return e.Host().Confine(root, "root")
}
