package upslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/upslog"
	"github.com/blackstart-ups/blackstart/scenarios/world"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

// A upsd serves UPSes whose variables are set by the test.
type upsd struct {
	vars  map[string]map[string]string // by UPS; nil is a UPS whose data is stale
	list  []string                     // what LIST UPS says
	hung  bool                         // it takes requests and answers none but STARTTLS
	conns int                          // connections made
	open  int                          // and still open
}

func newUpsd() *upsd {
	return &upsd{list: []string{"rack", "shed"}, vars: map[string]map[string]string{
		"rack": {"ups.status": "OL", "battery.charge": "88", "ups.load": "17", "ups.mfr": `Quo"te \ back`},
		"shed": {"ups.status": "OB", "battery.charge": "55"},
		"old":  nil,
	}}
}

func (u *upsd) session(e env.Env, c env.Conn) {
	u.conns++
	u.open++
	defer func() { u.open-- }()
	upsdtest.Each(func(request string) string {
		words := strings.Fields(request)
		if u.hung && words[0] != "STARTTLS" {
			return ""
		}
		return u.answer(words)
	})(e, c)
}

func (u *upsd) answer(words []string) string {
	switch {
	case words[0] == "STARTTLS":
		return "ERR FEATURE-NOT-CONFIGURED\n"
	case words[0] == "LOGOUT":
		return "OK Goodbye\n"
	case words[0] == "LIST":
		rows := "BEGIN LIST UPS\n"
		for _, name := range u.list {
			rows += fmt.Sprintf("UPS %s \"\"\n", name)
		}
		return rows + "END LIST UPS\n"
	}
	vars, known := u.vars[words[2]]
	value, ok := vars[words[3]]
	switch {
	case !known:
		return "ERR UNKNOWN-UPS\n"
	case vars == nil:
		return "ERR DATA-STALE\n"
	case !ok:
		return "ERR VAR-NOT-SUPPORTED\n"
	}
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value)
	return fmt.Sprintf("VAR %s %s \"%s\"\n", words[2], words[3], escaped)
}

// A room is a host that runs upslog, and two that serve UPSes.
type room struct {
	t        testing.TB
	w        *world.World
	desk     *world.Host
	nas, far *upsd
	serves   map[*upsd]*world.Process
	log      []string // what upslog says to the system's log: "seconds text"
	out, err strings.Builder
	p        *world.Process
}

func newRoom(t testing.TB) *room {
	r := &room{t: t, nas: newUpsd(), far: newUpsd(), serves: map[*upsd]*world.Process{}}
	r.w = world.New(world.Options{
		Programs: func(_ *world.Host, name string) env.Main {
			return map[string]env.Main{"upslog": upslog.Main}[name]
		},
		Console: func(now env.Instant, _, _, text string) {
			r.log = append(r.log, fmt.Sprintf("%.0f %s", time.Duration(now).Seconds(), text))
		},
	})
	t.Cleanup(func() { r.w.Close() })
	r.desk = r.w.Host("desk")
	r.desk.PowerOn()
	for name, u := range map[string]*upsd{"nas": r.nas, "far": r.far} {
		h := r.w.Host(name)
		h.PowerOn()
		r.serves[u] = h.StartMain("upsd", upsdtest.Main(u.session))
	}
	return r
}

// start starts upslog; wait lets time pass.
func (r *room) start(args ...string) {
	r.p = r.desk.StartTo(&r.out, &r.err, "upslog", args)
}

// CL-7.
func TestTheBannerCanBeHidden(t *testing.T) {
	r := newRoom(t)
	r.p = r.desk.StartTo(&r.out, &r.err, "upslog", []string{"-s", "rack@nas", "-l", "-", "-d", "1", "-f", "x"},
		"NUT_QUIET_INIT_BANNER=true")
	r.wait(time.Second)
	r.want("stdout", r.out.String(), "logging status of rack@nas to stdout (30s intervals)\nx\n1 loops have elapsed\n")
}

func (r *room) wait(d time.Duration) {
	r.t.Helper()
	if err := r.w.RunFor(d); err != nil {
		r.t.Fatal(err)
	}
}

// lines are those of a log file.
func (r *room) lines(file string) []string {
	b, _ := r.desk.File(file)
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func (r *room) want(what string, got any, want string) {
	r.t.Helper()
	if s := fmt.Sprint(got); s != want {
		r.t.Errorf("%s: %q, want %q", what, s, want)
	}
}

// logged is what upslog has printed after its two opening lines.
func (r *room) logged() string {
	_, after, _ := strings.Cut(r.out.String(), "intervals)\n")
	return after
}

// The table of tokens in section 5 of the notes on the client programs.
func TestWhatALineSays(t *testing.T) {
	at := world.Epoch
	tests := []struct{ name, format, want string }{
		{"text is text", `a\n b`, `a\n b`},
		{"a percent sign", "100%%", "100%"},
		{"a tab", "a%t%b", "a\tb"},
		{"a value", "[%VAR ups.load%]", "[17]"},
		{"a value is unescaped", "%VAR ups.mfr%", `Quo"te \ back`},
		{"values side by side", "%VAR ups.load%%VAR battery.charge%", "1788"},
		{"a value that is not there", "%VAR no.such%", "NA"},
		{"a name with a blank is not there", "%VAR  ups.load%", "NA"},
		{"a name without a dot", "%VAR load%", "INVALID"},
		{"no name", "%VAR%", "INVALID"},
		{"no blank before the name", "%VARups.load%", "INVALID"},
		{"the letter case does not matter", "%var ups.load% %uPShost%", "17 rack@nas"},
		{"the UPS, as given", "%UPSHOST%", "rack@nas"},
		{"this host", "%HOST%", "desk"},
		{"a longer word is the token that it begins with", "%HOSTAGE%", "desk"},
		{"the time in seconds", "%ETIME%", fmt.Sprint(at.Unix())},
		{"the time", "%TIME @Y-@m-@d @H:@M:@S%", at.Format("2006-01-02 15:04:05")},
		{"a time of words", "%TIME text @@ @q%", "text % %q"},
		{"a time without a format", "%TIME%", "INVALID"},
		{"an unknown token", "a%FOO%b", "aINVALIDb"},
		{"a token without an end", "a%HOST", "aINVALIDHOST"},
		{"a lone percent sign", "a%", "aINVALID"},
		{"three of them", "%%%", "%INVALID"},
		{"the default", "", "%TIME% 88 NA 17 [OL] NA NA"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			args := []string{"-s", "rack@nas", "-l", "-", "-d", "1"}
			if tt.format != "" {
				args = append(args, "-f", tt.format)
			}
			r.start(args...)
			r.wait(time.Second)
			if tt.format == "" {
				tt.want = strings.Replace(tt.want, "%TIME%", at.Format("20060102 150405"), 1)
			}
			r.want(tt.format, r.logged(), tt.want+"\n1 loops have elapsed\n")
		})
	}
}

// The C library's own answers, for every conversion that it has in the C locale.
func TestTimeFormats(t *testing.T) {
	const (
		format = "@a|@A|@b|@B|@c|@C|@d|@D|@e|@F|@g|@G|@h|@H|@I|@j|@k|@l|@m|@M|@p|@P|@r|@R|@S|@T|@u|@U|@V|@w|@W|@x|@X|@y|@Y|@z|@Z"
		want   = "Sun|Sunday|Jan|January|Sun Jan  3 09:04:05 2027|20|03|01/03/27| 3|2027-01-03|26|2026|Jan|09|09|003| 9| 9|" +
			"01|04|AM|am|09:04:05 AM|09:04|05|09:04:05|7|01|53|0|00|01/03/27|09:04:05|27|2027|+0000|UTC"
	)
	r := newRoom(t)
	r.desk.JumpWall(time.Date(2027, 1, 3, 9, 4, 5, 0, time.UTC).Sub(world.Epoch))
	r.start("-s", "rack@nas", "-l", "-", "-d", "1", "-f", "%TIME "+format+"%")
	r.wait(time.Second)
	r.want(format, strings.TrimSuffix(r.logged(), "\n1 loops have elapsed\n"), want)
}

func TestCalls(t *testing.T) {
	const title = "Network UPS Tools upslog 2.8.5 (blackstart 0.1)\n"
	tests := []struct {
		name, args  string
		out, errOut string
		code        int
	}{
		{"two rounds to standard output", "-s rack@nas -l - -i 1 -d 2 -f %VAR_ups.load%",
			title + "logging status of rack@nas to stdout (1s intervals)\n17\n17\n2 loops have elapsed\n", "", 0},
		{"the words of long ago", "rack@nas - 5 %VAR_ups.load% x", "", "", -1},
		{"the last -s counts", "-s shed@nas -s rack@nas -l - -d 1 -f %VAR_ups.load%",
			title + "logging status of rack@nas to stdout (30s intervals)\n17\n1 loops have elapsed\n", "", 0},
		{"names before the lines", "-N -s rack@nas -l - -d 1 -f x",
			title + "logging status of rack@nas to stdout (30s intervals)\nrack@nas\tx\n1 loops have elapsed\n", "", 0},
		{"all UPSes of a server", "-s *@nas:3493 -l - -d 1 -f %UPSHOST%_%VAR_ups.status%",
			title + "logging status of *@nas:3493 to stdout (30s intervals)\nrack@nas:3493 OL\nshed@nas:3493 OB\n1 loops have elapsed\n", "", 0},
		{"JSON: an object a line", "--json -s *@nas -l - -d 1 -f %VAR_ups.status%_%VAR_ups.load%",
			`{"time":"2026-01-01T00:00:00Z","ups":"rack@nas","values":{"ups.load":"17","ups.status":"OL"}}` + "\n" +
				`{"time":"2026-01-01T00:00:00Z","ups":"shed@nas","values":{"ups.load":null,"ups.status":"OB"}}` + "\n", title + "logging status of *@nas to stdout (30s intervals)\n1 loops have elapsed\n", 0},
		{"stale data is NA", "-s old@nas -l - -d 1 -f %VAR_ups.status%",
			title + "logging status of old@nas to stdout (30s intervals)\nNA\n1 loops have elapsed\n", "", 0},
		{"an unknown UPS is NA", "-s nosuch@nas -l - -d 1 -f %VAR_ups.status%",
			title + "logging status of nosuch@nas to stdout (30s intervals)\nNA\n1 loops have elapsed\n", "", 0},
		{"no server is NA, and a warning", "-s rack@nas:4000 -l - -d 1 -f %VAR_ups.status%",
			title + "logging status of rack@nas:4000 to stdout (30s intervals)\nNA\n1 loops have elapsed\n",
			"Warning: initial connect failed: Connection failure: Connection refused\n", 0},
		{"no UPS", "-l -", title, "No UPS defined for monitoring - use -s <system>\n", 1},
		{"nothing", "", title, "No UPS defined for monitoring - use -s <system>\n", 1},
		{"no file", "-s rack@nas", title, "No filename defined for logging - use -l <file>\n", 1},
		{"half a pair", "-m rack@nas", title, "-m rack@nas: want a UPS, a comma and a file\n", 1},
		{"an interval that is no number", "-i x -s rack@nas -l -", title, "-i x: want a number of seconds, from 1 to 2678400\n", 1},
		{"no interval at all", "-i 0 -s rack@nas -l -", title, "-i 0: want a number of seconds, from 1 to 2678400\n", 1},
		{"no host", "-s rack@ -l -", title, "upscli_splitaddr: can't parse empty string\n" +
			"Error: invalid UPS definition.  Required format: upsname[@hostname[:port]]\n", 1},
		{"credentials that are not there", "-A /no/such -s rack@nas -l -", title, "cannot read /no/such: no such file or directory\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			args := strings.Fields(tt.args)
			for i, a := range args { // blanks in a format
				args[i] = strings.ReplaceAll(a, "_", " ")
			}
			r.start(args...)
			r.wait(12 * time.Second)
			if tt.code < 0 {
				r.want("lines", r.logged(), "17 x \n17 x \n17 x \n")
				return
			}
			status, ended := r.p.Status()
			if !ended || int(status) != tt.code || r.out.String() != tt.out || r.err.String() != tt.errOut {
				t.Errorf("upslog %s: ended %v, exit %d, want %d\nstdout %q\nwant   %q\nstderr %q\nwant   %q",
					tt.args, ended, status, tt.code, r.out.String(), tt.out, r.err.String(), tt.errOut)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	for args, want := range map[string]string{
		"-h": "usage: upslog", "-Z": "usage: upslog", "a": "usage: upslog", "a b": "usage: upslog", "-V": "upslog 2.8.5 (blackstart",
	} {
		r := newRoom(t)
		r.start(strings.Fields(args)...)
		r.wait(time.Second)
		if status, ended := r.p.Status(); !ended || status != 0 || !strings.Contains(r.out.String(), want) {
			t.Errorf("upslog %s: ended %v, exit %d, %q; want 0, %q", args, ended, status, r.out.String(), want)
		}
	}
}
