package operator_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/client/operator"
	"github.com/blackstart-ups/blackstart/nut/env"
)

// A desk is a host with somebody, or a script, at its standard input.
type desk struct {
	env.Host // the rest is never asked for
	account  string
	in       io.Reader
	tty      bool
	secret   string // typed without echo
	out, err strings.Builder
}

func (d *desk) Account() string               { return d.account }
func (d *desk) Stdin() io.Reader              { return d.in }
func (d *desk) Stdout() io.Writer             { return &d.out }
func (d *desk) Stderr() io.Writer             { return &d.err }
func (d *desk) Isatty() bool                  { return d.tty }
func (d *desk) ReadPassword() (string, error) { return d.secret, nil }

func TestAskingWhoItIs(t *testing.T) {
	given := func(s string) *string { return &s }
	tests := []struct {
		name         string
		o            operator.Options
		desk         desk
		user, word   string
		out, problem string
	}{
		{"what is given is not asked for", operator.Options{User: given("admin"), Password: given("x")},
			desk{}, "admin", "x", "", ""},
		{"an empty password that is given is one", operator.Options{User: given("admin"), Password: given("")},
			desk{}, "admin", "", "", ""},
		{"a script answers both", operator.Options{}, desk{account: "root", in: strings.NewReader("admin\na b\\\"\nrest")},
			"admin", `a b\"`, "Username (root): ", ""},
		{"no name is that of the login", operator.Options{}, desk{account: "root", in: strings.NewReader("\r\nx\r\n")},
			"root", "x", "Username (root): ", ""},
		{"a terminal does not show the password", operator.Options{}, desk{account: "root", tty: true, secret: "x", in: strings.NewReader("admin\n")},
			"admin", "x", "Username (root): ", ""},
		{"no input is no name", operator.Options{}, desk{account: "root", in: strings.NewReader("")},
			"", "", "Username (root): ", "Error reading from stdin!"},
		{"no input is no password", operator.Options{User: given("admin")}, desk{in: strings.NewReader("")},
			"", "", "", "Error reading from stdin!"},
		{"an account without a name must be given one", operator.Options{}, desk{in: strings.NewReader("\n")},
			"", "", "Username: ", "No username available"},
		{"an endless name is refused", operator.Options{}, desk{in: strings.NewReader(strings.Repeat("x", 5000))},
			"", "", "Username: ", "longer than 1024 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.o.AskWho(&tt.desk)
			if out := tt.desk.out.String(); out != tt.out {
				t.Errorf("stdout %q, want %q", out, tt.out)
			}
			if tt.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tt.problem) {
					t.Errorf("error %v, want %q", err, tt.problem)
				}
				return
			}
			if err != nil || *tt.o.User != tt.user || *tt.o.Password != tt.word {
				t.Fatalf("error %v, user %q, password %q; want %q, %q", err, *tt.o.User, *tt.o.Password, tt.user, tt.word)
			}
		})
	}
}

func TestNoInputIsNoValue(t *testing.T) {
	if _, err := operator.Ask(&desk{in: strings.NewReader("")}, "?"); !errors.Is(err, operator.ErrNoInput) {
		t.Errorf("error %v, want ErrNoInput", err)
	}
}
