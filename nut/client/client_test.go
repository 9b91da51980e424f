package client_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/netproto"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// upsd is a server that knows its answers by heart. A request that it does not know is not answered;
// the answer "hang up" closes the connection.
type upsd struct {
	answers map[string]string
	heard   []string
}

func (u *upsd) serve(e env.Env, c env.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(e, buf, env.Never)
		if err != nil {
			return
		}
		request := strings.TrimSuffix(string(buf[:n]), "\n")
		if _, own := u.answers[request]; request == "STARTTLS" && !own {
			c.Write(e, []byte("ERR FEATURE-NOT-CONFIGURED\n"), env.Never)
			continue
		}
		u.heard = append(u.heard, request)
		answer, ok := u.answers[request]
		if answer == "hang up" {
			return
		}
		if ok {
			c.Write(e, []byte(answer), env.Never)
		}
	}
}

// talk runs a client against a server in virtual time and returns how long it took.
func talk(t *testing.T, u *upsd, o client.Options, f func(e env.Env, c *client.Conn, err error)) time.Duration {
	t.Helper()
	w := world.New(world.Options{})
	t.Cleanup(func() { w.Close() })
	nas, desk := w.Host("nas"), w.Host("desk")
	nas.PowerOn()
	desk.PowerOn()
	if u != nil {
		nas.StartMain("upsd", upsdtest.Main(u.serve))
	}
	took := time.Duration(-1)
	w.RunFor(time.Second)
	desk.StartMain("client", func(e env.Env, _ []string) int {
		began := e.Now()
		c, err := client.Dial(e, "nas", netproto.Port, o, began.Add(client.ConnectTime))
		f(e, c, err)
		took = e.Now().Sub(began)
		return 0
	})
	if err := w.RunFor(time.Minute); err != nil {
		t.Fatal(err)
	}
	if took < 0 {
		t.Fatal("the client has not ended after a minute")
	}
	return took
}

func answerBy(e env.Env) env.Instant { return e.Now().Add(client.AnswerTime) }

// NP-X6, NP-L1, and the error texts of NP-X.
func TestReplies(t *testing.T) {
	status := func(e env.Env, c *client.Conn) (string, error) {
		return c.Var(e, answerBy(e), "rack", "ups.status")
	}
	vars := func(e env.Env, c *client.Conn) (string, error) {
		var rows []string
		err := c.List(e, answerBy(e), func(row []string) error {
			rows = append(rows, strings.Join(row, "="))
			return nil
		}, "VAR", "rack")
		return strings.Join(rows, " "), err
	}
	logins := func(e env.Env, c *client.Conn) (string, error) {
		n, err := c.NumLogins(e, answerBy(e), "rack")
		return fmt.Sprint(n), err
	}
	const getStatus, listVar, getLogins = "GET VAR rack ups.status", "LIST VAR rack", "GET NUMLOGINS rack"
	tests := []struct {
		name    string
		request string
		answer  string
		do      func(env.Env, *client.Conn) (string, error)
		want    string
		err     string
	}{
		{"a value is unescaped", getStatus, "VAR rack ups.status \"a \\\"b\\\" \\\\ \\# c\"\n", status, `a "b" \ # c`, ""},
		{"a line may end in CR LF", getStatus, "VAR rack ups.status \"OL\"\r\n", status, "OL", ""},
		{"names may be echoed in another letter case", getStatus, "VAR RACK UPS.STATUS \"OL\"\n", status, "OL", ""},
		{"more words may follow in future", getStatus, "VAR rack ups.status \"OL\" more\n", status, "OL", ""},
		{"an error is an Err", getStatus, "ERR DATA-STALE\n", status, "", "Data stale"},
		{"an error without a text of its own (NP-X5)", getStatus, "ERR INVALID-ARGUMENT\n", status, "", "Unknown error"},
		{"an error of a future server", getStatus, "ERR TOO-MUCH-TEA now\n", status, "", "Unknown error"},
		{"another variable is no answer", getStatus, "VAR rack ups.load \"5\"\n", status, "", "Protocol error"},
		{"another UPS is no answer", getStatus, "VAR shed ups.status \"OL\"\n", status, "", "Protocol error"},
		{"no value is no answer", getStatus, "VAR rack ups.status\n", status, "", "Protocol error"},
		{"an empty line is no answer", getStatus, "\n", status, "", "Protocol error"},
		{"OK is no answer", getStatus, "OK\n", status, "", "Protocol error"},
		{"an endless line is cut off", getStatus, strings.Repeat("x", client.MaxLine+1), status, "", "Protocol error"},
		{"a server that hangs up", getStatus, "hang up", status, "", "Server disconnected"},
		{"a list", listVar, "BEGIN LIST VAR rack\nVAR rack a \"1\"\nVAR rack b \"2 3\"\nEND LIST VAR rack\n", vars, "a=1 b=2 3", ""},
		{"an empty list", listVar, "BEGIN LIST VAR rack\nEND LIST VAR rack\n", vars, "", ""},
		{"a list that is refused", listVar, "ERR UNKNOWN-UPS\n", vars, "", "Unknown UPS"},
		{"a list of another UPS", listVar, "BEGIN LIST VAR shed\nEND LIST VAR shed\n", vars, "", "Protocol error"},
		{"a row of another UPS", listVar, "BEGIN LIST VAR rack\nVAR shed a \"1\"\n", vars, "", "Protocol error"},
		{"an error within a list", listVar, "BEGIN LIST VAR rack\nVAR rack a \"1\"\nERR DATA-STALE\n", vars, "a=1", "Data stale"},
		{"logins are a number", getLogins, "NUMLOGINS rack 3\n", logins, "3", ""},
		{"logins in letters are no number", getLogins, "NUMLOGINS rack many\n", logins, "0", "Protocol error"},
		{"logins are never negative", getLogins, "NUMLOGINS rack -1\n", logins, "0", "Protocol error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := &upsd{answers: map[string]string{tt.request: tt.answer}}
			talk(t, u, client.Options{}, func(e env.Env, c *client.Conn, err error) {
				if err != nil {
					t.Fatal(err)
				}
				got, err := tt.do(e, c)
				if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
					t.Errorf("%s answered with %.60q = %q, %v; want %q, error %q", tt.request, tt.answer, got, err, tt.want, tt.err)
				}
			})
		})
	}
}

// NP-X3.
func TestSilenceEndsAtTheDeadline(t *testing.T) {
	took := talk(t, &upsd{}, client.Options{}, func(e env.Env, c *client.Conn, _ error) {
		_, err := c.Var(e, answerBy(e), "rack", "ups.status")
		if !errors.Is(err, env.ErrTimeout) {
			t.Errorf("a server that says nothing: error %v, want a time-out", err)
		}
	})
	if took < client.AnswerTime || took > client.AnswerTime+time.Second {
		t.Errorf("it took %v, want %v", took, client.AnswerTime)
	}
}

func TestConnecting(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		talk(t, nil, client.Options{}, func(_ env.Env, _ *client.Conn, err error) {
			if err == nil || err.Error() != "Connection failure: Connection refused" {
				t.Errorf("error %v, want Connection failure: Connection refused", err)
			}
		})
	})
	t.Run("FORCESSL fails before a secret is said in clear", func(t *testing.T) {
		u := &upsd{}
		talk(t, u, client.Options{ForceSSL: true}, func(_ env.Env, _ *client.Conn, err error) {
			if err == nil || !strings.HasPrefix(err.Error(), "SSL is not available: ") {
				t.Errorf("error %v, want SSL is not available", err)
			}
		})
		if len(u.heard) > 0 {
			t.Errorf("the server heard %q", u.heard)
		}
	})
}

// UM-C1.
func TestLoggingIn(t *testing.T) {
	ok := map[string]string{"USERNAME mon": "OK\n", `PASSWORD "a b\#c"`: "OK\n", "LOGIN rack": "OK\n"}
	tests := []struct {
		name  string
		more  map[string]string
		err   string
		heard []string
	}{
		{"a new server knows PRIMARY", map[string]string{"PRIMARY rack": "OK PRIMARY-GRANTED\n"}, "", []string{"PRIMARY rack"}},
		{"an old server knows MASTER", map[string]string{"PRIMARY rack": "ERR UNKNOWN-COMMAND\n", "MASTER rack": "OK MASTER-GRANTED\n"},
			"", []string{"PRIMARY rack", "MASTER rack"}},
		{"who may not is told so", map[string]string{"PRIMARY rack": "ERR ACCESS-DENIED\n", "MASTER rack": "ERR ACCESS-DENIED\n"},
			"Access denied", []string{"PRIMARY rack", "MASTER rack"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := &upsd{answers: tt.more}
			for k, v := range ok {
				u.answers[k] = v
			}
			talk(t, u, client.Options{}, func(e env.Env, c *client.Conn, _ error) {
				err := c.Authenticate(e, answerBy(e), "mon", "a b#c")
				if err == nil {
					err = c.Login(e, answerBy(e), "rack")
				}
				if err != nil {
					t.Fatal(err)
				}
				err = c.Primary(e, answerBy(e), "rack")
				if fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
					t.Errorf("Primary: error %v, want %q", err, tt.err)
				}
			})
			if want := append([]string{"USERNAME mon", `PASSWORD "a b\#c"`, "LOGIN rack"}, tt.heard...); !slices.Equal(u.heard, want) {
				t.Errorf("the server heard %q, want %q", u.heard, want)
			}
		})
	}
}

// S22.
func TestErrorsHideThePassword(t *testing.T) {
	u := &upsd{answers: map[string]string{"USERNAME mon": "OK\n", "PASSWORD secret": "what is secret\n"}}
	talk(t, u, client.Options{}, func(e env.Env, c *client.Conn, _ error) {
		err := c.Authenticate(e, answerBy(e), "mon", "secret")
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one without the secret", err)
		}
	})
}

func TestRequestsThatActReturnTheirID(t *testing.T) {
	u := &upsd{answers: map[string]string{
		"SET TRACKING ON":                 "OK\n",
		`SET VAR rack ups.id "new name"`:  "OK TRACKING 42\n",
		"INSTCMD rack load.off":           "OK\n",
		"INSTCMD rack load.off.delay 120": "ERR CMD-NOT-SUPPORTED\n",
		"GET TRACKING 42":                 "SUCCESS\n",
		"GET TRACKING 43":                 "ERR FAILED\n",
		"FSD rack":                        "OK FSD-SET\n",
		"LOGOUT":                          "OK Goodbye\n",
	}}
	talk(t, u, client.Options{}, func(e env.Env, c *client.Conn, _ error) {
		steps := []struct {
			name string
			do   func() (string, error)
			want string
			err  error
		}{
			{"Track", func() (string, error) { return "", c.Track(e, answerBy(e)) }, "", nil},
			{"Set", func() (string, error) { return c.Set(e, answerBy(e), "rack", "ups.id", "new name") }, "42", nil},
			{"Command", func() (string, error) { return c.Command(e, answerBy(e), "rack", "load.off", "") }, "", nil},
			{"Command with a value", func() (string, error) { return c.Command(e, answerBy(e), "rack", "load.off.delay", "120") },
				"", netproto.CmdNotSupported},
			{"Tracking", func() (string, error) { return c.Tracking(e, answerBy(e), "42") }, "SUCCESS", nil},
			{"Tracking of a failure", func() (string, error) { return c.Tracking(e, answerBy(e), "43") }, "", netproto.Failed},
			{"FSD", func() (string, error) { return "", c.FSD(e, answerBy(e), "rack") }, "", nil},
			{"Logout", func() (string, error) { return "", c.Logout(e, answerBy(e)) }, "", nil},
		}
		for _, s := range steps {
			if got, err := s.do(); got != s.want || !errors.Is(err, s.err) {
				t.Errorf("%s = %q, %v; want %q, %v", s.name, got, err, s.want, s.err)
			}
		}
	})
}
