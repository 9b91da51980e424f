package config

import (
	"reflect"
	"testing"
)

// `upsd.md 7 password = word`, `upsd.md 7 actions = SET`, `upsd.md 7 instcmds =`, `upsd.md 7 upsmon primary`,
// `upsd.md 7 upsmon secondary`, `upsd.md 7 spelling`, `upsd.md 7 duplicate section`.
func TestAccounts(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []User
		problems []string
	}{
		{"the usual file",
			"[admin]\n password = x\n actions = SET\n actions=FSD\n instcmds = ALL\n[mon]\n password y\n upsmon primary\n",
			[]User{{Name: "admin", Password: "x", Actions: []string{"SET",
				"FSD"}, InstCmds: []string{"ALL"}},
				{Name: "mon", Password: "y", Upsmon: Primary}}, nil},
		{"several values", "[a]\nactions = set fsd\ninstcmds = beeper.mute load.off\n",
			[]User{{Name: "a", Actions: []string{"set", "fsd"}, InstCmds: []string{"beeper.mute",
				"load.off"}}}, nil},
		{"every spelling of a role",
			"[a]\nupsmon=master\n[b]\nUPSMON = slave\n[c]\nupsmon Primary\n[d]\nupsmon = secondary\n",
			[]User{{Name: "a", Upsmon: Primary}, {Name: "b", Upsmon: Secondary}, {Name: "c", Upsmon: Primary},
				{Name: "d", Upsmon: Secondary}}, nil},
		{"a quoted password", "[a]\npassword = \"two \\#words\"\n",
			[]User{{Name: "a", Password: "two #words"}}, nil},

		{"the first password counts", "[a]\npassword = x\npassword = y\n",
			[]User{{Name: "a", Password: "x"}},
			[]string{"3:12 error this user has a password already"}},
		{"an empty password", "[a]\npassword = \"\"\n", []User{{Name: "a"}},
			[]string{"2:12 warning an empty password never"}},
		{"a password of two words", "[a]\npassword = x y\n", []User{{Name: "a", Password: "x"}},
			[]string{"2:14 warning a password is one word"}},
		{"a password beyond ASCII is what upsmon sends", "[a]\npassword = pässword\n",
			[]User{{Name: "a", Password: "pssword"}},
			[]string{"2:12 warning text beyond ASCII"}},
		{"no value", "[a]\nupsmon\npassword =\n", []User{{Name: "a"}},
			[]string{"2:1 error has no value", "3:1 error has no value"}},
		{"a role that is none gives no rights", "[a]\nupsmon = primry\n", []User{{Name: "a"}},
			[]string{"2:10 error Unknown upsmon type"}},
		{"two roles", "[a]\nupsmon secondary\nupsmon primary\n",
			[]User{{Name: "a", Upsmon: Primary}},
			[]string{"3:8 warning this user has another role"}},
		{"an action that nothing asks for", "[a]\nactions = SETT\n",
			[]User{{Name: "a", Actions: []string{"SETT"}}}, []string{"2:11 warning nothing asks"}},
		{"obsolete", "[a]\nallowfrom = localhost\n", []User{{Name: "a"}},
			[]string{"2:1 warning allowfrom is no longer used"}},
		{"unknown", "[a]\nrole = x\n", []User{{Name: "a"}},
			[]string{"2:1 error Unrecognized user setting"}},
		{"before any user", "password = x\n[a]\n", []User{{Name: "a"}},
			[]string{"1:1 error stands before any [user]"}},
		{"a second section joins its own user", "[a]\nactions = SET\n[b]\n[a]\nactions = FSD\n",
			[]User{{Name: "a", Actions: []string{"SET", "FSD"}}, {Name: "b"}},
			[]string{"4:1 warning this user has a section already"}},
		{"rights below a broken header go to nobody",
			"[a]\npassword = x\n[my user]\nactions = FSD\n[b\ninstcmds = ALL\n[c]\n",
			[]User{{Name: "a", Password: "x"}, {Name: "c"}},
			[]string{"3:1 error a section name has no blanks",
				"5:1 error not a section header"}},
	} {
		u, problems := ParseUsers("f.conf", []byte(tt.in))
		if !reflect.DeepEqual(u.List, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, u.List, tt.want)
		}
		expect(t, tt.in, problems, tt.problems...)
	}
}

// `upsd.md 7 [name]`.
func TestUserNamesAreCaseSensitive(t *testing.T) {
	u, _ := ParseUsers("f.conf", []byte("[a]\n[A]\n"))
	if len(u.List) != 2 || u.Lookup("A") != &u.List[1] || u.Lookup("b") != nil {
		t.Errorf("users %+v", u.List)
	}
}
