package upsd

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
	"github.com/blackstart-ups/blackstart/nut/config"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/line"
	"github.com/blackstart-ups/blackstart/nut/sockproto"
)

// An exchanged is one request of a recorded client with NUT's answer to it, or the beginning of a
// connection, which has no request.
type exchanged struct{ request, reply string }

// recording parses the log of a proxy between a client and NUT's upsd 2.8.0.
func recording(t *testing.T, text string) []exchanged {
	t.Helper()
	var all []exchanged
	for l := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		var said string
		if n := len(rest); kind != "---" && n > 1 {
			said = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\'`, "'").Replace(rest[1 : n-1])
		}
		switch kind {
		case "---":
			if rest == "open" {
				all = append(all, exchanged{})
			}
		case "C":
			if last := &all[len(all)-1]; last.request != "" && unanswered(last.reply) {
				last.request += said // not waiting for the answer
				continue
			}
			all = append(all, exchanged{request: said})
		case "S":
			all[len(all)-1].reply += said
		default:
			t.Fatalf("neither ---, C nor S: %q", l)
		}
	}
	return all
}

// unanswered reports that more of an answer is to come.
func unanswered(reply string) bool {
	return reply == "" || strings.Count(reply, "BEGIN LIST") > strings.Count(reply, "END LIST")
}

// otherwise are the answers that are not those of the recordings, and why.
var otherwise = []struct{ nut, ours, why string }{
	{`^Network UPS Tools upsd 2\.8\.0 - http:`, `^Network UPS Tools upsd \d+\.\d+\.\d+ - https:`, "our version"},
	{`^Commands: HELP VER GET `, `^Commands: HELP VER PROTVER GET `, "PROTVER is listed since 2.8.1"},
	{`^(DESC|CMDDESC) \S+ \S+ ".+"\n$`, `^(DESC|CMDDESC) \S+ \S+ ".+"\n$`, "our own texts"},
}

func excused(nut, ours string) bool {
	for _, o := range otherwise {
		if regexp.MustCompile(o.nut).MatchString(nut) && regexp.MustCompile(o.ours).MatchString(ours) {
			return true
		}
	}
	return false
}

// What clients of many kinds once said to NUT's upsd is answered the same by ours (NP-C1 to NP-C30,
// NP-L1, NP-L2, NP-K2).
func TestRecordedClients(t *testing.T) {
	files := captures.FS(t, "clients")
	names, err := fs.Glob(files, "*.log")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d recordings, %v", len(names), err)
	}
	var all []exchanged
	logs := map[string][]exchanged{}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		logs[name] = recording(t, string(text))
		all = append(all, logs[name]...)
	}
	types := typesOf(all)
	asked, same := 0, 0
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			n, eq := replay(t, logs[name], all, types)
			asked, same = asked+n, same+eq
		})
	}
	t.Logf("%d clients, %d requests: the same answer to %d, excused %d", len(names), asked, same, asked-same)
}

// rows are the lines of all answers that begin with one word, as words.
func rows(all []exchanged, kind string) [][]string {
	var rows [][]string
	for _, x := range all {
		for l := range strings.Lines(x.reply) {
			if words, err := line.Words(l); err == nil && len(words) > 3 && words[0] == kind {
				rows = append(rows, words)
			}
		}
	}
	return rows
}

// typesOf is what a driver must say so that GET TYPE answers as recorded: by UPS and variable.
func typesOf(all []exchanged) map[string]string {
	types := map[string]string{}
	for _, w := range rows(all, "TYPE") {
		name, flags := w[2], ""
		say := ""
		for _, f := range w[3:] {
			if length, ok := strings.CutPrefix(f, "STRING:"); ok {
				flags, say = flags+" STRING", say+"SETAUX "+name+" "+length+"\n"
			} else if f != "NUMBER" {
				flags += " " + f
			}
		}
		types[w[1]+" "+name] = say + "SETFLAGS " + name + flags + "\n"
	}
	return types
}

// replay says the requests of a recording to a server whose drivers say what was true then.
func replay(t *testing.T, log, all []exchanged, types map[string]string) (asked, same int) {
	s, _ := newServed(t)
	s.users, _ = config.ParseUsers("", []byte("[admin]\npassword=adminpw\nactions=SET\ninstcmds=ALL\nupsmon primary\n"+
		"[mon]\npassword=monpw\nupsmon primary\n"))
	s.order = nil
	for name, desc := range map[string]string{"lab": "Lab UPS one", "lab2": "Second UPS"} {
		s.order = append(s.order, newUPS(definition{name: name, driver: "dummy-ups", port: name, desc: desc, described: true}))
	}
	slices.SortFunc(s.order, func(a, b *ups) int { return strings.Compare(a.name, b.name) })
	s.index()
	out := env.NewInbox[string](newEnv(t), maxQueued)
	for _, u := range s.order {
		u.connected(&link{out: out}, 0)
		say(s, u, "ADDCMD load.off\nDATAOK\nDUMPDONE\n")
	}
	tell := func(w []string) {
		if u := s.find(w[1]); u != nil {
			say(s, u, "SETINFO "+w[2]+" "+line.Quote(w[3])+"\n"+types[w[1]+" "+w[2]])
		}
	}
	for _, w := range rows(all, "VAR") {
		tell(w)
	}
	var c *session
	var recorded, drawn string // the tracking id of then and now
	for _, x := range log {
		if x.request == "" {
			if c != nil {
				s.sessions.Remove(c.at)
				c.logout("its end")
			}
			c = newSession(t, s, "127.0.0.1")
			continue
		}
		for _, kind := range []string{"VAR", "RW"} {
			for _, w := range rows([]exchanged{x}, kind) {
				tell(w)
			}
		}
		request := x.request
		if strings.HasPrefix(request, "GET TRACKING "+recorded) && recorded != "" {
			request = strings.Replace(request, recorded, drawn, 1)
			for code, text := range outcomes {
				if code != sockproto.Pending && text+"\n" == x.reply {
					say(s, s.order[0], "TRACKING "+drawn+" "+strconv.Itoa(int(code))+"\n")
				}
			}
		}
		got := talk(c, request)
		if id := uuid.FindString(got); id != "" {
			recorded, drawn = trackingWords.FindString(x.reply), id
		}
		asked++
		want := x.reply
		if strings.HasSuffix(request, "LOGOUT\n") && !strings.HasSuffix(want, "Goodbye\n") {
			want += "OK Goodbye\n" // the client left before
		}
		switch {
		case hideIDs(got) == trackingWords.ReplaceAllString(want, "<id>"):
			same++
		case !excused(want, got):
			t.Errorf("%q\n got: %q\nwant: %q", request, got, want)
		}
	}
	return asked, same
}

// trackingWords finds tracking ids as NUT draws them, of which not all are random UUIDs.
var trackingWords = regexp.MustCompile(`[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}`)

// say lets the driver of a UPS speak.
func say(s *server, u *ups, text string) {
	var p line.Parser
	p.Feed([]byte(text), func(w []string, err error) { s.hear(u, w, err, 0) })
}
