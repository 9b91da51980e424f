package client

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/blackstart-ups/blackstart/nut"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// What a program's flag -A may say besides the name of a file.
const (
	AuthAny     = ""        // the usual file, if there is one
	AuthDefault = "default" // the usual file, which must be there
	AuthNone    = "none"    // no file
)

// authName is what the usual file is called.
const authName = "nutauth.conf"

// ReadAuth reads the nutauth.conf that a flag -A asks for. The usual file is the one that the
// variable NUT_AUTHCONF_FILE names, or in the folder that NUT_AUTHCONF_PATH names; without them the
// first of ~/.config/nut/nutauth.conf, ~/.nutauth.conf and nutauth.conf among the configuration
// files of NUT. The error is about a file that cannot be read, or holds all that is wrong with it,
// one a line: what was meant for the connection must not be left out in silence. Warnings leave
// nothing out that counts.
func ReadAuth(e env.Env, flag string) (c *config.Auth, warnings []string, err error) {
	name, err := authFile(e, flag)
	if err != nil || name == "" {
		return &config.Auth{}, nil, err
	}
	var open []string // to everybody
	read := func(name string) ([]byte, error) {
		text, err := e.Host().ReadFile(name)
		if err != nil {
			return nil, err
		}
		if info, err := e.Host().Stat(name); err == nil && info.Mode.Perm()&worldReadable != 0 {
			open = append(open, name)
		}
		return text, nil
	}
	text, err := read(name)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read %s: %w", name, reason(err))
	}
	c, problems := config.ParseAuth(name, text, read)
	var wrong []error
	for _, p := range problems {
		if p.Warning {
			warnings = append(warnings, p.Error())
		} else {
			wrong = append(wrong, p)
		}
	}
	if c.Secret() {
		for _, name := range open {
			warnings = append(warnings, name+": everybody on this host can read the password; "+
				"chmod 600 "+name)
		}
	}
	return c, warnings, errors.Join(wrong...)
}

// worldReadable is the permission of everybody to read a file.
const worldReadable = 0o004

// reason is an error without the name of the file.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// authFile is the name of the file to read; empty when there is none and none is needed.
func authFile(e env.Env, flag string) (string, error) {
	switch flag {
	case AuthNone:
		return "", nil
	case AuthAny, AuthDefault:
	default:
		return flag, nil
	}
	h := e.Host()
	if name := h.Getenv("NUT_AUTHCONF_FILE"); name != "" {
		return name, nil
	}
	places := []string{nut.ConfPath(e) + "/" + authName}
	if home := h.Getenv("HOME"); home != "" {
		places = append([]string{home + "/.config/nut/" + authName, home + "/." + authName}, places...)
	}
	if folder := h.Getenv("NUT_AUTHCONF_PATH"); folder != "" {
		places = []string{folder + "/" + authName}
	}
	for _, name := range places {
		if _, err := h.Stat(name); err == nil {
			return name, nil
		}
	}
	if flag == AuthDefault {
		return "", fmt.Errorf("-A default: there is none of %q", places)
	}
	return "", nil
}

// With is o, and what a login says about TLS.
func (o Options) With(l config.Login) Options {
	if l.ForceSSL != nil {
		o.ForceSSL = *l.ForceSSL
	}
	if l.Verify != nil {
		o.Verify = *l.Verify
	}
	for _, s := range []struct {
		to   *string
		from string
	}{
		{&o.CAPath, l.CertPath}, {&o.ServerName, l.CertHost}, {&o.CertFile, l.CertFile},
		{&o.CertName, l.CertName}, {&o.KeyPassword, l.CertPassword},
	} {
		if s.from != "" {
			*s.to = s.from
		}
	}
	return o
}
