package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Generators of what files can hold. Words have every byte that all programs keep, texts more.
var (
	anyWord = rapid.StringOfN(rapid.RuneFrom([]rune(" \"\\#=[]'%aZ0_.@\x7f~")), 1, 12, -1)
	anyText = rapid.StringOfN(rapid.RuneFrom([]rune(" \"\\#=[]'%aZéß°漢")), 1, 12, -1).
		Filter(func(s string) bool { return s != "=" }) // as the first word, an operator also in quotes
	anyName = rapid.StringMatching(`[a-zA-Z0-9._-]{1,8}`)
	someDur = rapid.Map(rapid.IntRange(1, 1<<20),
		func(n int) time.Duration { return time.Duration(n) * time.Second })
	negDur = rapid.Map(rapid.IntRange(-5, 100),
		func(n int) time.Duration { return time.Duration(n) * time.Second })
	anyRole = rapid.SampledFrom([]Role{Primary, Secondary})
	oddText = rapid.OneOf(rapid.Just(""), anyText)
)

// stable checks that a value survives being written and read, and without a complaint.
func stable[T any](t *rapid.T, want *T, text []byte, parse func(string, []byte) (*T, []Problem)) {
	got, problems := parse("f.conf", text)
	if len(problems) > 0 || !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\nread as %+v, want %+v; problems %v", text, got, want, problems)
	}
}

func TestEveryUpsdConfComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Upsd{
			MaxAge: someDur.Draw(t, "maxage"), FSDLease: someDur.Draw(t, "lease"), TrackingDelay: someDur.Draw(t, "tracking"),
			AllowNoDevice: rapid.Bool().Draw(t, "nodevice"), AllowNotAllListeners: rapid.Bool().Draw(t, "notall"),
			StatePath: oddText.Draw(t, "state"), DataPath: oddText.Draw(t, "data"),
			MaxConn:  rapid.IntRange(0, 9).Draw(t, "maxconn"),
			CertFile: oddText.Draw(t, "certfile"), CertPath: oddText.Draw(t, "certpath"),
			CertRequest: rapid.IntRange(0, 2).Draw(t, "request"), DisableWeakSSL: rapid.Bool().Draw(t, "weak"),
			DebugMin: rapid.IntRange(0, 6).Draw(t, "debug"),
		}
		if rapid.Bool().Draw(t, "ident") {
			c.CertIdent = [2]string{anyText.Draw(t, "nick"), oddText.Draw(t, "password")}
		}
		for range rapid.IntRange(0, 3).Draw(t, "listeners") {
			c.Listen = append(c.Listen, Listen{anyName.Draw(t, "addr"), rapid.IntRange(1, 65535).Draw(t, "port")})
		}
		stable(t, c, c.Text(), ParseUpsd)
	})
}

func TestEveryUpsmonConfComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Upsmon{
			MinSupplies: rapid.IntRange(0, 9).Draw(t, "min"),
			PollFreq:    someDur.Draw(t, "poll"), PollFreqAlert: someDur.Draw(t, "alert"),
			HostSync: someDur.Draw(t, "hostsync"), DeadTime: someDur.Draw(t, "dead"), FinalDelay: someDur.Draw(t, "final"),
			RBWarnTime: someDur.Draw(t, "rb"), NoCommWarnTime: someDur.Draw(t, "nocomm"),
			OffDuration: negDur.Draw(t, "off"), OBLBDuration: negDur.Draw(t, "oblb"), OverDuration: negDur.Draw(t, "over"),
			ShutdownExit:           negDur.Draw(t, "exit"),
			PollFailLogThrottleMax: rapid.IntRange(-1, 9).Draw(t, "throttle"),
			AlarmCritical:          rapid.Bool().Draw(t, "alarm"), NUTRules: rapid.Bool().Draw(t, "nutrules"), CertVerify: rapid.Bool().Draw(t, "verify"),
			ForceSSL: rapid.Bool().Draw(t, "force"), DebugMin: rapid.IntRange(0, 6).Draw(t, "debug"),
			ShutdownCmd: oddText.Draw(t, "shutdown"), PowerdownFlag: oddText.Draw(t, "flag"), RunAsUser: oddText.Draw(t, "user"),
			CertPath: oddText.Draw(t, "certpath"), CertFile: oddText.Draw(t, "certfile"),
			NotifyMsg: map[string]string{}, NotifyFlag: map[string]NotifyFlag{},
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "monitors") {
			c.Monitors = append(c.Monitors, Monitor{System: string(rune('a'+i)) + "@" + anyName.Draw(t, "host"),
				PowerValue: rapid.IntRange(0, 3).Draw(t, "value"), User: anyWord.Draw(t, "name"),
				Password: anyWord.Draw(t, "password"), Role: anyRole.Draw(t, "role"), Line: i + 1})
		}
		for range rapid.IntRange(0, 3).Draw(t, "words") {
			c.NotifyCmd = append(c.NotifyCmd, rapid.OneOf(anyName, rapid.Just("a b")).Draw(t, "word"))
		}
		for range rapid.IntRange(0, 3).Draw(t, "types") {
			name := rapid.SampledFrom(NotifyTypes).Draw(t, "type")
			c.NotifyMsg[name] = strings.ReplaceAll(oddText.Draw(t, "message"), "%", "%%")
			f := NotifyFlag{Syslog: rapid.Bool().Draw(t, "syslog"), Wall: rapid.Bool().Draw(t, "wall"), Exec: true}
			c.NotifyFlag[name] = f
		}
		if rapid.Bool().Draw(t, "host") {
			c.CertHosts = []CertHost{{anyText.Draw(t, "h"), anyText.Draw(t, "n"), rapid.IntRange(-1, 1).Draw(t, "v"), -1}}
		}
		stable(t, c, c.Text(), ParseUpsmon)
	})
}

func TestEveryUpsdUsersComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &Users{}
		for i := range rapid.IntRange(0, 4).Draw(t, "users") {
			u := User{Name: anyName.Draw(t, "name") + string(rune('a'+i)), Password: anyWord.Draw(t, "password"),
				Upsmon: rapid.OneOf(anyRole, rapid.Just(NoRole)).Draw(t, "role")}
			if n := rapid.IntRange(0, 2).Draw(t, "actions"); n > 0 {
				u.Actions = slices.Repeat([]string{"SET", "fsd"}, n)
			}
			for range rapid.IntRange(0, 3).Draw(t, "instcmds") {
				u.InstCmds = append(u.InstCmds, anyName.Draw(t, "instcmd"))
			}
			c.List = append(c.List, u)
		}
		stable(t, c, c.Text(), ParseUsers)
	})
}

// places are left out of the comparison: writing moves lines.
func places(u *UPS) *UPS {
	clear := func(s *Section) {
		s.Line = 0
		for i := range s.Pairs {
			s.Pairs[i].Line, s.Pairs[i].Col = 0, 0
		}
	}
	clear(&u.Global)
	for i := range u.Sections {
		clear(&u.Sections[i])
	}
	return u
}

func TestEveryUpsConfComesBack(t *testing.T) {
	pairs := func(t *rapid.T, keys []string) (list []Pair) {
		for _, k := range keys {
			p := Pair{Key: k, Flag: rapid.Bool().Draw(t, "flag")}
			if !p.Flag {
				p.Value = oddText.Draw(t, "value")
			}
			list = append(list, p)
		}
		return list
	}
	some := rapid.SliceOfNDistinct(rapid.SampledFrom(globals), 0, 3, rapid.ID)
	keys := rapid.SliceOfNDistinct(anyName, 0, 5, rapid.ID)
	rapid.Check(t, func(t *rapid.T) {
		c := &UPS{Global: Section{Pairs: pairs(t, some.Draw(t, "globals"))}}
		for range rapid.IntRange(0, 4).Draw(t, "sections") {
			c.Sections = append(c.Sections, Section{Name: anyName.Draw(t, "name"), Pairs: pairs(t, keys.Draw(t, "keys"))})
		}
		stable(t, c, c.Text(), func(f string, b []byte) (*UPS, []Problem) {
			u, problems := ParseUPS(f, b)
			return places(u), problems
		})
	})
}

// FuzzFiles feeds anything to every parser. Each must name places that exist, and read what it has
// written as it meant it.
func FuzzFiles(f *testing.F) {
	for _, s := range []string{"[a]\ndriver = x\nflag\n", "MONITOR u@h 1 a b primary\n",
		"LISTEN ::1 x\nMAXAGE 5s",
		"[u]\npassword = \"a#\"\n", "MODE=\"a\\$\n", "NOTIFYFLAG CAL EXEC+X\nNOTIFYMSG CAL \"%",
		"[é]\ndesc=\u200b\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		lines := strings.Split(string(text), "\n")
		for _, p := range parsers {
			again, problems := p.parse("f.conf", text)
			for _, q := range problems {
				there := q.Line > 0 && q.Line <= len(lines) && q.Col > 0 && q.Col <= len(lines[q.Line-1])+1
				if !there || q.Cause == "" || q.Want == "" {
					t.Fatalf("%s: %+v in %d lines", p.name, q, len(lines))
				}
			}
			if third, _ := p.parse("f.conf", again); string(third) != string(again) {
				t.Fatalf("%s: written\n%q\nread again\n%q", p.name, again, third)
			}
		}
	})
}

func TestEveryUpsschedConfComesBack(t *testing.T) {
	verb := rapid.SampledFrom([]AtVerb{Execute, StartTimer, StartShared, CancelTimer, CancelMatched})
	rapid.Check(t, func(t *rapid.T) {
		c := &Upssched{PipeFN: "/run/p", LockFN: anyText.Draw(t, "lock"),
			CmdScript: []string{anyText.Draw(t, "script")}, DebugMin: rapid.IntRange(0, 6).Draw(t, "debug")}
		for i := range rapid.IntRange(0, 3).Draw(t, "rules") {
			r := AtRule{Type: rapid.SampledFrom(NotifyTypes).Draw(t, "type"), UPS: anyWord.Draw(t, "ups"),
				Do: verb.Draw(t, "verb"), Name: anyText.Draw(t, "name"), Line: i + 4}
			switch r.Do {
			case StartTimer, StartShared:
				r.After = someDur.Draw(t, "after")
			case CancelTimer, CancelMatched:
				r.Else = oddText.Draw(t, "else")
			}
			c.Rules = append(c.Rules, r)
		}
		stable(t, c, c.Text(), ParseUpssched)
	})
}
