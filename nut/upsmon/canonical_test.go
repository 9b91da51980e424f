package upsmon_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The outages that NUT is known by, told by tables of when what happens on which host. All monitors
// poll at the same times as those that the tables were taken from, and whatever happens must do so
// within POLLFREQ of the table. Ours is sooner where a time limit ends between two polls: NUT waits
// for the next poll, and wants more than the limit to have passed.

const pollFreq = 5.0

// phase is by how much the polls of a primary are later, where it matters.
const phase = 0.01

// zero is the beginning of the tables: monitors that start with the world poll 3 s later.
const zero = 12.0

// at lets time pass until so many seconds of the table.
func (r *room) at(seconds float64) { r.t.Helper(); r.to(zero + seconds) }

// status is what a UPS says from now on.
func (r *room) status(ups, status string) { r.upsd.ups[ups].status = status }

// table compares all that hosts announced and did with rows such as "23.0 nas LOWBATT rack@nas".
// Within POLLFREQ is soon enough; the order on a host counts, and so does what is in no row.
func (r *room) table(rows ...string) {
	r.t.Helper()
	want := map[string][]string{}
	var hosts []string
	for _, row := range rows {
		at, rest, _ := strings.Cut(row, " ")
		host, what, _ := strings.Cut(rest, " ")
		want[host] = append(want[host], at+" "+what)
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	for _, host := range hosts {
		got := slices.DeleteFunc(r.timeline(host), func(s string) bool { return strings.Contains(s, " sync ") })
		for i := range got {
			seconds, what, _ := strings.Cut(got[i], " ")
			at, _ := strconv.ParseFloat(seconds, 64)
			got[i] = fmt.Sprintf("%.1f %s", at-zero, what)
		}
		if !slices.EqualFunc(got, want[host], soonEnough) {
			r.t.Errorf("%s did\n\t%s\nwant, within %v s,\n\t%s", host, strings.Join(got, "\n\t"), pollFreq,
				strings.Join(want[host], "\n\t"))
		}
	}
}

// soonEnough reports whether two rows say the same at about the same time.
func soonEnough(got, want string) bool {
	gotAt, gotWhat, _ := strings.Cut(got, " ")
	wantAt, wantWhat, _ := strings.Cut(want, " ")
	a, errA := strconv.ParseFloat(gotAt, 64)
	b, errB := strconv.ParseFloat(wantAt, 64)
	return errA == nil && errB == nil && gotWhat == wantWhat && math.Abs(a-b) <= pollFreq+0.01
}

// endedWell checks that upsmon on a host came to its end with 0.
func (r *room) endedWell(hosts ...string) {
	r.t.Helper()
	for _, h := range hosts {
		if p := r.monitors[h]; p == nil {
			r.t.Errorf("%s never ran", h)
		} else if code, ended := p.Status(); !ended || code != 0 {
			r.t.Errorf("%s: exit %d, ended %v; want 0", h, code, ended)
		}
	}
}

// `upsmon.md 13.1`, and the steps of a shutdown: `upsmon.md 8 P1`, `upsmon.md 8 P2`, `upsmon.md 8 P3`,
// `upsmon.md 8 P4`, `upsmon.md 8 P5`, `upsmon.md 8 P7`, `upsmon.md 8 P8`. Also
// `upsmon.md 6 SHUTDOWN`, `upsmon.md 6 SHUTDOWN_HOSTSYNC`,
// `upsmon.md 1 after a completed shutdown sequence`.
func TestCanonicalOutage(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("db", conf(secondaryConf))
	r.monitor("web", conf(secondaryConf))
	r.to(phase)
	r.monitor("nas", conf(primaryConf))
	r.at(0)
	r.status("rack", "OB DISCHRG")
	r.at(20)
	r.status("rack", "OB DISCHRG LB")
	r.at(60)
	rows := []string{
		"3.0 nas ONBATT rack@nas", "23.0 nas LOWBATT rack@nas", "23.0 nas decide power", "23.0 nas fsd sent",
		"23.0 nas FSD rack@nas", "23.0 nas SHUTDOWN_HOSTSYNC", "33.0 nas SHUTDOWN",
		"38.0 nas flag written", "38.0 nas shutdowncmd",
	}
	for _, h := range []string{"db", "web"} {
		rows = append(rows, "3.0 "+h+" ONBATT rack@nas", "23.0 "+h+" LOWBATT rack@nas", "28.0 "+h+" FSD rack@nas",
			"28.0 "+h+" decide power", "28.0 "+h+" SHUTDOWN", "33.0 "+h+" flag written", "33.0 "+h+" shutdowncmd")
	}
	r.table(rows...)
	r.endedWell("nas", "db", "web")
	if n := r.upsd.ups["rack"].logins; n != 0 || !r.upsd.ups["rack"].fsd {
		t.Errorf("at the end %d are logged in, FSD is set: %v", n, r.upsd.ups["rack"].fsd)
	}
	for _, h := range []string{"nas", "db", "web"} {
		r.wantLog(h, "Too few UPS(es) are healthy (0<1), initiating forced shutdown")
		r.wantLog(h, "Executing automatic power-fail shutdown")
	}
}

// `upsmon.md 13.2`.
func TestCanonicalReturnOfMains(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.monitor("db", conf(secondaryConf))
	for _, s := range []struct {
		at     float64
		status string
	}{{0, "OB DISCHRG"}, {17, "OL CHRG"}, {27, "OL CHRG LB"}, {36, "OL CHRG"}} {
		r.at(s.at)
		r.status("rack", s.status)
	}
	r.at(600)
	r.table("3.0 nas ONBATT rack@nas", "18.0 nas ONLINE rack@nas", "28.0 nas LOWBATT rack@nas",
		"3.0 db ONBATT rack@nas", "18.0 db ONLINE rack@nas", "28.0 db LOWBATT rack@nas")
	if r.upsd.ups["rack"].logins != 2 || len(r.ran) > 0 {
		t.Errorf("%d are logged in, ran %q", r.upsd.ups["rack"].logins, r.ran)
	}
}

// `upsmon.md 13.3`, and its variants.
func TestCanonicalDeathOfThePrimary(t *testing.T) {
	for _, tt := range []struct {
		name   string
		dies   float64
		die    func(*room)
		lowAt  float64 // 0: never
		rows   []string
		logged string
	}{
		{"its upsmon and upsd vanish", 12, func(r *room) { r.serves.Kill() }, 0, []string{
			"3.0 db ONBATT rack@nas", "13.0 db COMMBAD rack@nas", "28.0 db decide power", "28.0 db SHUTDOWN",
			"33.0 db flag written", "33.0 db shutdowncmd"}, "UPS [rack@nas]: connect failed: "},
		{"its upsmon is gone, upsd and driver live", 10, func(r *room) {
			parent, child := r.halves("nas")
			parent.Kill()
			child.Kill()
		}, 20, []string{
			"3.0 db ONBATT rack@nas", "23.0 db LOWBATT rack@nas", "43.0 db decide power", "43.0 db SHUTDOWN",
			"48.0 db flag written", "48.0 db shutdowncmd"}, "Giving up on the primary for UPS [rack@nas] after 15 sec since last comms"},
		{"its privileged parent is gone", 12, func(r *room) {
			parent, _ := r.halves("nas")
			parent.Kill()
		}, 20, []string{
			"3.0 db ONBATT rack@nas", "23.0 db LOWBATT rack@nas", "28.0 db FSD rack@nas", "28.0 db decide power",
			"28.0 db SHUTDOWN", "33.0 db flag written", "33.0 db shutdowncmd",
			"3.0 nas ONBATT rack@nas", "12.0 nas NOPARENT", "23.0 nas LOWBATT rack@nas", "23.0 nas decide power",
			"23.0 nas fsd sent", "23.0 nas FSD rack@nas", "23.0 nas SHUTDOWN_HOSTSYNC", "33.0 nas SHUTDOWN",
			// Ours tries SHUTDOWNCMD all the same, with what rights there are.
			"38.0 nas flag written", "38.0 nas shutdowncmd"}, ""},
		// NUT's polls one server after the other, each for 10 s (UM-C6), so that its time limits
		// end late: at 38 s here. Ours counts silence from the last good poll, whatever takes time.
		{"its upsd hangs: at 23 s, not at 38 s", 12, func(r *room) { r.upsd.hung = true }, 0, []string{
			"3.0 db ONBATT rack@nas", "18.0 db COMMBAD rack@nas", "23.0 db decide power", "23.0 db SHUTDOWN",
			"28.0 db flag written", "28.0 db shutdowncmd"}, "Giving up on the primary for UPS [rack@nas] after 15 sec since last comms"},
		{"the same with a host that is silent", 12, func(r *room) { r.server.PowerOff() }, 0, []string{
			"3.0 db ONBATT rack@nas", "23.0 db COMMBAD rack@nas", "28.0 db decide power", "28.0 db SHUTDOWN",
			"33.0 db flag written", "33.0 db shutdowncmd"}, "Giving up on the primary for UPS [rack@nas] after "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.monitor("db", conf(secondaryConf))
			r.to(phase)
			r.monitor("nas", conf(primaryConf))
			r.at(0)
			r.status("rack", "OB DISCHRG")
			r.at(tt.dies)
			tt.die(r)
			if tt.lowAt > 0 {
				r.at(tt.lowAt)
				r.status("rack", "OB DISCHRG LB")
			}
			r.at(100)
			r.table(tt.rows...)
			r.wantLog("db", tt.logged)
			r.endedWell("db")
		})
	}
}

// `upsmon.md 13.3`, the same loss on line power; `upsmon.md 6 NOCOMM`.
func TestCanonicalLossOnLinePower(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("db", conf(secondaryConf))
	r.at(12)
	r.serves.Kill()
	r.at(1000)
	r.table("13.0 db COMMBAD rack@nas", "308.0 db NOCOMM rack@nas", "613.0 db NOCOMM rack@nas", "918.0 db NOCOMM rack@nas")
	if len(r.ran) > 0 {
		t.Errorf("ran %q", r.ran)
	}
}

// `upsmon.md 13.4`. The primary that cannot count the logins of a stale UPS goes ahead at once with
// NUT; ours can (LIST CLIENT is answered), and waits.
func TestCanonicalStaleDriver(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.monitor("db", conf(secondaryConf))
	r.at(0)
	r.status("rack", "OB DISCHRG")
	r.at(10)
	r.status("rack", "ERR DATA-STALE")
	r.at(100)
	r.table("3.0 nas ONBATT rack@nas", "13.0 nas COMMBAD rack@nas", "28.0 nas decide power", "28.0 nas fsd sent",
		"28.0 nas FSD rack@nas", "28.0 nas SHUTDOWN_HOSTSYNC", "28.0 nas SHUTDOWN", "33.0 nas flag written", "33.0 nas shutdowncmd",
		"3.0 db ONBATT rack@nas", "13.0 db COMMBAD rack@nas", "28.0 db decide power", "28.0 db SHUTDOWN",
		"33.0 db flag written", "33.0 db shutdowncmd")
	for _, h := range []string{"nas", "db"} {
		r.wantLog(h, "Poll UPS [rack@nas] failed - Data stale")
	}
	r.endedWell("nas", "db")
}

// `upsmon.md 13.4`, the same on line power; `upsmon.md 3 NOCOMMWARNTIME s`.
func TestCanonicalStaleDriverOnLinePower(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf, "NOCOMMWARNTIME 20"))
	r.at(0)
	r.status("rack", "ERR DATA-STALE")
	r.at(70)
	r.status("rack", "OL")
	r.at(100)
	r.table("3.0 nas COMMBAD rack@nas", "18.0 nas NOCOMM rack@nas", "43.0 nas NOCOMM rack@nas",
		"68.0 nas NOCOMM rack@nas", "73.0 nas COMMOK rack@nas")
}

// `upsmon.md 13.5`.
func TestCanonicalTwoUPSes(t *testing.T) {
	r := newRoom(t, "a", "b")
	r.monitor("db", conf("MONITOR b@nas 1 mon secret secondary"))
	r.to(phase)
	r.monitor("nas", conf("MONITOR a@nas 1 mon secret primary", "MONITOR b@nas 1 mon secret primary", "MINSUPPLIES 1"))
	for _, s := range []struct {
		at          float64
		ups, status string
	}{{0, "a", "OB"}, {10, "a", "OB LB"}, {30, "b", "OB"}, {40, "b", "OB LB"}} {
		r.at(s.at)
		r.status(s.ups, s.status)
	}
	r.at(40)
	if r.upsd.ups["a"].fsd || len(r.ran) > 0 {
		t.Errorf("with one UPS left: FSD %v, ran %q", r.upsd.ups["a"].fsd, r.ran)
	}
	r.at(100)
	r.table("3.0 nas ONBATT a@nas", "13.0 nas LOWBATT a@nas", "33.0 nas ONBATT b@nas", "43.0 nas LOWBATT b@nas",
		"43.0 nas decide power", "43.0 nas fsd sent", "43.0 nas FSD b@nas", "43.0 nas fsd sent", "43.0 nas FSD a@nas",
		"43.0 nas SHUTDOWN_HOSTSYNC", "53.0 nas SHUTDOWN", "58.0 nas flag written", "58.0 nas shutdowncmd",
		"33.0 db ONBATT b@nas", "43.0 db LOWBATT b@nas", "48.0 db FSD b@nas", "48.0 db decide power", "48.0 db SHUTDOWN",
		"53.0 db flag written", "53.0 db shutdowncmd")
	r.endedWell("nas", "db")
}

// `upsmon.md 13.6`, `upsmon.md 1 -c fsd`; zero is 1 s before a poll of the secondary.
func TestCanonicalManualFSD(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	r.to(3)
	r.monitor("db", conf(secondaryConf))
	r.at(0)
	c := r.host("nas").Start("upsmon", []string{"-c", "fsd"})
	r.at(60)
	if code, ended := c.Status(); !ended || code != 0 {
		t.Errorf("upsmon -c fsd: exit %d, ended %v; want 0", code, ended)
	}
	r.table("0.0 nas decide operator", "0.0 nas fsd sent", "0.0 nas FSD rack@nas", "0.0 nas SHUTDOWN_HOSTSYNC",
		"6.3 nas SHUTDOWN", "11.3 nas flag written", "11.3 nas shutdowncmd",
		"1.0 db FSD rack@nas", "1.0 db decide power", "1.0 db SHUTDOWN", "6.0 db flag written", "6.0 db shutdowncmd")
	if got := r.timeline("nas")[1]; got != fmt.Sprintf("%.1f fsd sent", zero) {
		t.Errorf("%q: FSD waited for a poll", got)
	}
	r.wantLog("nas", "Signal 10: User requested FSD")
	r.wantLog("nas", "Got an FSD signal, initiating forced shutdown")
	r.endedWell("nas", "db")
}

// `upsmon.md 13.7 secondary never logs out`.
func TestCanonicalSecondaryThatStays(t *testing.T) {
	r := newRoom(t, "rack")
	r.monitor("nas", conf(primaryConf))
	db := r.monitor("db", conf(secondaryConf))
	r.at(0)
	db.Pause()
	_, child := r.halves("db")
	child.Pause()
	r.status("rack", "OB LB")
	r.at(60)
	r.table("3.0 nas ONBATT rack@nas", "3.0 nas LOWBATT rack@nas", "3.0 nas decide power", "3.0 nas fsd sent",
		"3.0 nas FSD rack@nas", "3.0 nas SHUTDOWN_HOSTSYNC", "18.8 nas SHUTDOWN", "23.8 nas flag written", "23.8 nas shutdowncmd")
	r.wantLog("nas", "Host sync timer expired, forcing shutdown")
}

// `upsmon.md 13.7 upsmon started while FSD is latched in upsd`.
func TestCanonicalLatchedFSD(t *testing.T) {
	for role, line := range map[string]string{"primary": primaryConf, "secondary": secondaryConf} {
		t.Run(role, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.upsd.ups["rack"].fsd = true
			r.at(0)
			r.monitor("nas", conf(line))
			r.at(30)
			rows := []string{"0.0 nas FSD rack@nas", "0.0 nas decide power"}
			if role == "primary" {
				rows = append(rows, "0.0 nas fsd sent")
			}
			r.table(append(rows, "0.0 nas SHUTDOWN", "5.0 nas flag written", "5.0 nas shutdowncmd")...)
			if again := slices.Contains(r.upsd.heard, "FSD rack"); again != (role == "primary") {
				t.Errorf("FSD was sent again: %v", again)
			}
		})
	}
}

// `upsmon.md 13.7 OB CAL LB`, `upsmon.md 13.7 OFF OL`, `upsmon.md 13.7 empty ups.status`, and
// `upsmon.md 13.7 status ALARM OL`.
func TestCanonicalOddStatuses(t *testing.T) {
	for _, tt := range []struct {
		name, directive string
		statuses        []string // from 0 s on, each for 20 s
		rows            []string
		logged          string
	}{
		// NUT's warns at each poll; ours when it begins.
		{"OB CAL LB", "", []string{"OB CAL LB"}, []string{"3.0 nas ONBATT rack@nas", "3.0 nas CAL rack@nas", "3.0 nas LOWBATT rack@nas"},
			"also calibrating - not declaring a critical state"},
		{"OFF OL", "OFFDURATION 9", []string{"OFF OL"}, []string{"3.0 nas OFF rack@nas", "13.0 nas decide power", "13.0 nas fsd sent",
			"13.0 nas FSD rack@nas", "13.0 nas SHUTDOWN", "18.0 nas flag written", "18.0 nas shutdowncmd"},
			"UPS [rack@nas] is reported as (administratively) OFF"},
		{"empty ups.status", "", []string{"", "OL"}, []string{"3.0 nas COMMBAD rack@nas", "23.0 nas COMMOK rack@nas"},
			"Communications with UPS rack@nas lost"},
		{"status ALARM OL", "", []string{"ALARM OL"}, []string{"3.0 nas ALARM rack@nas"},
			"UPS rack@nas: one or more active alarms: [n/a]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			r.monitor("nas", conf(primaryConf, tt.directive))
			for i, s := range tt.statuses {
				r.at(float64(20 * i))
				r.status("rack", s)
			}
			r.at(120)
			r.table(tt.rows...)
			r.wantLog("nas", tt.logged)
		})
	}
}

// `upsmon.md 13.7 SHUTDOWNEXIT no`, `upsmon.md 3 SHUTDOWNEXIT yes/no/secs`.
func TestCanonicalStayAfterShutdown(t *testing.T) {
	r := newRoom(t, "rack")
	p := r.monitor("nas", conf(primaryConf, "SHUTDOWNEXIT no"))
	r.at(0)
	r.status("rack", "OB LB")
	r.at(time.Hour.Seconds())
	if _, ended := p.Status(); ended || len(r.ran) != 1 || r.upsd.ups["rack"].logins != 1 {
		t.Errorf("an hour after SHUTDOWNCMD: ended %v, ran %q, logged in %d", ended, r.ran, r.upsd.ups["rack"].logins)
	}
	if code, _, _ := r.outcome(r.server, "-c", "stop"); code != 0 {
		t.Errorf("upsmon -c stop: exit %d", code)
	}
	if code, ended := p.Status(); !ended || code != 0 {
		t.Errorf("after stop: exit %d, ended %v; want 0", code, ended)
	}
}
