package upslog_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/scenarios/world/upsdtest"
)

const status = "%VAR ups.status%"

func TestTheDaemonGoesToTheBackgroundAndSaysWhoItIs(t *testing.T) {
	r := newRoom(t)
	r.start("-s", "rack@nas", "-l", "/log", "-p", "rack", "-f", "%PID%")
	r.wait(time.Second)
	number, _ := r.desk.File("/run/nut/rack.pid")
	if !r.p.Background() || string(number) != fmt.Sprintln(r.p.Pid()) {
		t.Errorf("background %v, PID file %q, want true, %d", r.p.Background(), number, r.p.Pid())
	}
	r.want("the log", r.lines("/log"), fmt.Sprintf("[%d]", r.p.Pid()))
	r.p.Signal(env.Terminate)
	r.wait(time.Second)
	code, ended := r.p.Status()
	if _, left := r.desk.File("/run/nut/rack.pid"); !ended || code != 0 || left {
		t.Errorf("after TERM: ended %v, exit %d, PID file left %v; want true, 0, false", ended, code, left)
	}
	r.want("what it says", r.log, "[1 Signal 15: exiting]")
}

func TestWhereItRuns(t *testing.T) {
	tests := []struct {
		name, args string
		background bool
	}{
		{"a file is written from the background", "-l /log", true},
		{"-F keeps it in the foreground", "-F -l /log", false},
		{"-D keeps it in the foreground", "-D -l /log", false},
		{"standard output keeps it in the foreground", "-l -", false},
		{"-B sends it away all the same", "-B -D -l -", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t)
			r.start(append([]string{"-s", "rack@nas"}, strings.Fields(tt.args)...)...)
			r.wait(time.Second)
			if r.p.Background() != tt.background {
				t.Errorf("upslog %s: background %v, want %v", tt.args, r.p.Background(), tt.background)
			}
		})
	}
}

// UPSLOG-1, UPSLOG-5.
func TestRoundsKeepTheirTimes(t *testing.T) {
	r := newRoom(t)
	r.start("-s", "rack@nas", "-l", "/log", "-i", "10", "-f", "%TIME @S%")
	r.wait(14 * time.Second)
	r.p.Signal(env.User1) // one more, now
	r.wait(20 * time.Second)
	r.want("the seconds", r.lines("/log"), "[00 10 14 20 30]")
}

// UPSLOG-5, UPSLOG-7.
func TestAFileThatWasMovedAwayIsMadeAnew(t *testing.T) {
	r := newRoom(t)
	r.start("-s", "rack@nas", "-l", "/log", "-i", "10", "-f", status)
	r.wait(time.Second)
	r.desk.WriteFile("/log", nil)
	r.p.Signal(env.Hangup)
	r.wait(10 * time.Second)
	r.want("the log", r.lines("/log"), "[OL]")
	r.want("what it says", r.log[len(r.log)-1], "1 Signal 1: reopening log file")
}

func TestAServerThatRestartsCostsNoLine(t *testing.T) {
	r := newRoom(t)
	r.start("-s", "rack@nas", "-l", "/log", "-i", "10", "-f", status)
	r.wait(5 * time.Second)
	r.serves[r.nas].Kill()
	r.wait(10 * time.Second) // the round at 10 finds nobody
	nas := r.w.Lookup("nas")
	r.serves[r.nas] = nas.StartMain("upsd", upsdtest.Main(r.nas.session))
	r.wait(6 * time.Second) // 20
	r.serves[r.nas].Kill()
	r.serves[r.nas] = nas.StartMain("upsd", upsdtest.Main(r.nas.session))
	r.wait(10 * time.Second) // 30: the old connection is dead, a new one is not
	r.want("the log", r.lines("/log"), "[OL NA OL OL]")
}

func TestASilentServerHoldsUpNobody(t *testing.T) {
	r := newRoom(t)
	r.nas.hung = true
	r.start("-m", "rack@nas,/log", "-m", "shed@far,/log", "-i", "10", "-f", "%TIME @S% "+status)
	r.wait(19 * time.Second)
	r.want("the log", strings.Join(r.lines("/log"), ","), "00 NA,00 OB,10 NA,10 OB")
}

func TestTerminationDoesNotWaitForASilentServer(t *testing.T) {
	r := newRoom(t)
	r.nas.hung = true
	r.start("-s", "rack@nas", "-l", "/log", "-f", status)
	r.wait(time.Second)
	r.p.Signal(env.Terminate)
	r.wait(time.Second)
	if _, ended := r.p.Status(); !ended {
		t.Error("a second after TERM it still runs")
	}
}

// UPSLOG-3, UPSLOG-4, UPSLOG-6.
func TestEachUPSHasItsFile(t *testing.T) {
	r := newRoom(t)
	r.start("-m", "rack@nas,/rack", "-m", "shed@nas,/shed", "-s", "*@far", "-l", "/all", "-i", "10", "-N", "-f", status)
	r.wait(5 * time.Second)
	r.far.list = []string{"old", "shed"} // as after a reload of upsd
	r.wait(10 * time.Second)
	r.want("rack", strings.Join(r.lines("/rack"), ","), "rack@nas\tOL,rack@nas\tOL")
	r.want("shed", strings.Join(r.lines("/shed"), ","), "shed@nas\tOB,shed@nas\tOB")
	r.want("all", strings.Join(r.lines("/all"), ","), "rack@far\tOL,shed@far\tOB,old@far\tNA,shed@far\tOB")
}

func TestConnectionsStayOpenOverShortIntervalsOnly(t *testing.T) {
	for _, tt := range []struct {
		interval    string
		conns, open int
	}{{"30", 1, 1}, {"31", 3, 0}} {
		r := newRoom(t)
		r.start("-s", "rack@nas", "-l", "/log", "-i", tt.interval)
		r.wait(70 * time.Second)
		if r.nas.conns != tt.conns || r.nas.open != tt.open {
			t.Errorf("every %s s: %d connections, %d open after three rounds; want %d, %d",
				tt.interval, r.nas.conns, r.nas.open, tt.conns, tt.open)
		}
	}
}
