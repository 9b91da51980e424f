package client_test

import (
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/client"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/pki/pkitest"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// CLI-3, CL-4: where nutauth.conf is looked for, and what is wrong when it cannot be used.
func TestTheNutauthConfThatIsRead(t *testing.T) {
	say := func(user string) string { return "USER = " + user + "\n" }
	all := map[string]string{
		"/home/eve/.config/nut/nutauth.conf": say("config"), "/home/eve/.nutauth.conf": say("home"),
		"/etc/nut/nutauth.conf": say("site"), "/named": say("named"), "/named.d/nutauth.conf": say("folder"),
		"/bad": "USRE = x\nPASS = secret\n", "/secret": "PASS = secret\n", "/includes": "INCLUDE_REQUIRED secret\n",
	}
	without := func(names ...string) map[string]string {
		files := map[string]string{}
		for name, text := range all {
			files[name] = text
		}
		for _, name := range names {
			delete(files, name)
		}
		return files
	}
	const home = "HOME=/home/eve"
	tests := []struct {
		name          string
		flag          string
		files         map[string]string
		vars          []string
		user, problem string // parts of a warning or of the error
	}{
		{"the user's own first", "", all, []string{home}, "config", ""},
		{"then the one in the home folder", "", without("/home/eve/.config/nut/nutauth.conf"), []string{home}, "home", ""},
		{"then that of the site", "", all, nil, "site", ""},
		{"a variable names the file", "", all, []string{home, "NUT_AUTHCONF_FILE=/named", "NUT_AUTHCONF_PATH=/named.d"}, "named", ""},
		{"a variable names the folder", "", all, []string{home, "NUT_AUTHCONF_PATH=/named.d"}, "folder", ""},
		{"a folder that is named is the only one", "", all, []string{home, "NUT_AUTHCONF_PATH=/empty"}, "", ""},
		{"the flag names the file", "/named", all, []string{home, "NUT_AUTHCONF_FILE=/bad"}, "named", ""},
		{"the flag wants none", "none", all, []string{home}, "", ""},
		{"none is needed", "", nil, []string{home}, "", ""},
		{"the flag wants one", "default", nil, []string{home}, "",
			`-A default: there is none of ["/home/eve/.config/nut/nutauth.conf" "/home/eve/.nutauth.conf" "/etc/nut/nutauth.conf"]`},
		{"a file that is named must be there", "/missing", all, nil, "", "cannot read /missing: no such file or directory"},
		{"a file in a variable must be there", "", all, []string{"NUT_AUTHCONF_FILE=/missing"}, "", "cannot read /missing: "},
		{"a mistake has its place", "/bad", all, nil, "", `/bad:1:1: "USRE": no setting of this file; want USER, PASS, `},
		{"everybody can read the password", "/secret", all, nil, "", "/secret: everybody on this host can read the password"},
		{"also in a file that is included", "/includes", all, nil, "", "/secret: everybody on this host can read the password"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := world.New(world.Options{Programs: func(*world.Host, string) env.Main {
				return func(e env.Env, _ []string) int {
					e.Host().Chmod("/secret", 0o644)
					c, warnings, err := client.ReadAuth(e, tt.flag)
					problem := strings.Join(warnings, "\n")
					if err != nil {
						problem += err.Error()
					}
					if !strings.HasPrefix(problem, tt.problem) || tt.problem == "" && problem != "" || strings.Contains(problem, "= secret") {
						t.Errorf("problem %q, want %q", problem, tt.problem)
					}
					user := ""
					if c != nil {
						if l := c.Lookup("", "nas", 3493); l.User != nil {
							user = *l.User
						}
					}
					if user != tt.user {
						t.Errorf("user %q, want %q", user, tt.user)
					}
					return 0
				}
			}})
			defer w.Close()
			desk := w.Host("desk")
			for name, text := range tt.files {
				desk.WriteFile(name, []byte(text))
			}
			desk.PowerOn()
			desk.Start("probe", nil, tt.vars...)
			if err := w.RunFor(1e9); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// CLI-3, and NP-S7: what nutauth.conf says about TLS is what happens.
func TestNutauthConfSaysHowToEncrypt(t *testing.T) {
	ours, others := pkitest.NewCA("our CA"), pkitest.NewCA("another CA")
	for _, tt := range []struct {
		name, auth, err string
	}{
		{"verified", "[@nas]\nCERTVERIFY = 1\nCERTPATH = /etc/nut/ca.pem\n", ""},
		{"by another CA", "[@nas]\nCERTVERIFY = 1\nCERTPATH = /etc/nut/others.pem\n",
			"Error: SSL error: x509: certificate signed by unknown authority"},
		{"for another server only", "[@far]\nCERTVERIFY = 1\nCERTPATH = /etc/nut/others.pem\n", ""},
		{"made out to somebody else", "CERTVERIFY = 1\nCERTPATH = /etc/nut/ca.pem\nCERTHOST = db\n",
			"Error: SSL error: the certificate is made out to "},
		{"with its own certificate", "CERTFILE = /etc/nut/desk.pem\nCERTIDENT_NAME = me\n",
			"Error: SSL error: CERTFILE /etc/nut/desk.pem holds the certificate of CN=desk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "CERTFILE /etc/nut/upsd.pem\n", map[string]string{
				"/etc/nut/upsd.pem": pair(ours, pkitest.Leaf{Name: "nas", DNS: []string{"nas"}}),
				"/etc/nut/desk.pem": pair(ours, pkitest.Leaf{Name: "desk"}),
				"/etc/nut/ca.pem":   ours.PEM(), "/etc/nut/others.pem": others.PEM()})
			r.desk.WriteFile("/etc/nut/nutauth.conf", []byte(tt.auth))
			var out, errOut strings.Builder
			p := r.desk.StartTo(&out, &errOut, "upsc", []string{"-l", "nas"})
			r.run(20 * time.Second)
			status, ended := p.Status()
			if !ended || (status == 0) != (tt.err == "") || !strings.Contains(errOut.String(), tt.err) {
				t.Errorf("ended %v, exit %d, %q; want %q", ended, status, errOut.String(), tt.err)
			}
		})
	}
}
