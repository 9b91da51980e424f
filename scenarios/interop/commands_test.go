package interop

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The command lines that are given to both, one a line, in the language of the shell. $S is the
// server, $P its port.
//
//go:embed commands.txt
var commandLines string

// shop is what the command lines talk about: a UPS with everything that can be set and done, one
// with nothing, one whose data is stale and one whose driver does not run.
var shop = map[string]string{
	"ups.conf": `
[rack]
	driver = dummy-ups
	port = none
	desc = "The \"big\" one"
[desk]
	driver = dummy-ups
	port = none
[stale]
	driver = dummy-ups
	port = none
	desc = "Says nothing new"
[gone]
	driver = dummy-ups
	port = none
`,
	"upsd.conf": "LISTEN 127.0.0.1 @port@\nLISTEN ::1 @port@\nMAXAGE 60\n",
	"upsd.users": `
[admin]
	password = secret
	actions = SET FSD
	instcmds = ALL
[reader]
	password = secret
[tester]
	password = "p \"q\" \\ r"
	instcmds = test.battery.start
`,
}

var goods = map[string]string{
	"rack": `SETINFO battery.charge "42"
SETINFO battery.charge.low "20"
SETFLAGS battery.charge.low RW
ADDRANGE battery.charge.low 10 30
ADDRANGE battery.charge.low 50 60
SETINFO driver.name "dummy-ups"
SETINFO input.sensitivity "high"
SETFLAGS input.sensitivity RW
ADDENUM input.sensitivity "low"
ADDENUM input.sensitivity "high"
SETINFO input.transfer.low "200"
SETFLAGS input.transfer.low RW
ADDENUM input.transfer.low "190"
ADDENUM input.transfer.low "200"
SETINFO input.voltage "229.8"
SETINFO ups.delay.start "12"
SETFLAGS ups.delay.start RW NUMBER
SETINFO ups.id "short"
SETFLAGS ups.id RW STRING
SETAUX ups.id 64
SETINFO ups.mfr "Acme  Power   Works"
SETINFO ups.model "Quo\"te \\ back \# hash"
SETINFO ups.status "OB DISCHRG"
SETINFO ups.test.date ""
SETFLAGS ups.test.date RW STRING
SETAUX ups.test.date 16
ADDCMD beeper.mute
ADDCMD load.off
ADDCMD load.off.delay
ADDCMD test.battery.start
ADDCMD test.failed
ADDCMD test.invalid
ADDCMD test.silent
ADDCMD test.unknown
ADDCMD barrier.reached
DATAOK
DUMPDONE
`,
	"desk":  "SETINFO ups.status \"OL CHRG\"\nSETINFO battery.charge \"99.5\"\nDATAOK\nDUMPDONE\n",
	"stale": "SETINFO ups.status \"OL\"\nDATASTALE\nDUMPDONE\n",
}

// Every command line does the same with Debian's programs and ours, on either server: what is
// printed where, the exit code, the files that are written and what the driver is told. What
// differs is in the table of differences, with its reason.
//
// CL-1 to CL-8, CLI-1, UPSC-1 to UPSC-6, UPSCMD-1 to UPSCMD-4, UPSRW-1 to UPSRW-4, UPSLOG-1 to
// UPSLOG-3, UPSLOG-5, UPSLOG-6, BUG-7.
func TestCommandLines(t *testing.T) {
	t.Parallel()
	ours, theirs := kits(t)
	lines := commands(t)
	table := newComparison(t, "command")
	for _, server := range []kit{theirs, ours} {
		t.Run("upsd of "+server.name, func(t *testing.T) {
			counter := openShop(t, server)
			for _, line := range lines {
				table.explain(line, compareRuns(counter.run(theirs, line), counter.run(ours, line)))
			}
		})
	}
	table.done()
}

// commands are the lines without blank ones and comments.
func commands(t *testing.T) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(commandLines) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if slices.Contains(list, line) {
			t.Errorf("twice: %s", line)
		}
		list = append(list, line)
	}
	return list
}

// A counter is a bench where command lines are given.
type counter struct {
	*bench
	rack  *actor
	count int
}

func openShop(t *testing.T, server kit) *counter {
	b := newBench(t, shop)
	c := &counter{bench: b}
	for ups, dump := range goods {
		p := newActor(b, ups, dump)
		if ups == "rack" {
			c.rack = p
		}
	}
	b.serve(server, "rack", "desk")
	return c
}

// A result is what a command line did.
type result struct {
	streams map[string]string // stdout, stderr, "file NAME"
	code    int
}

// run gives a command line with the programs of a kit, in a folder of its own.
func (c *counter) run(k kit, line string) result {
	c.t.Helper()
	c.count++
	dir := filepath.Join(c.dir, fmt.Sprint("run", c.count))
	if err := os.Mkdir(dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", c.arguments(line)...)
	var out, errOut bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errOut
	cmd.Env = append(c.env(), "PATH="+k.path(c.t)+":"+os.Getenv("PATH"), "TZ=UTC", "USER=root", "HOME="+dir,
		"S=127.0.0.1:"+c.port, "P="+c.port, "NUT_PIDPATH=/run/nut", "NUT_ALTPIDPATH=/run/nut")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal to ask for a password
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		c.t.Errorf("%s, of %s: %v, %v\n%s%s", line, k.name, err, ctx.Err(), &out, &errOut)
		return result{code: -1}
	}
	r := result{code: cmd.ProcessState.ExitCode(), streams: map[string]string{
		"stdout": c.plain(out.String()), "stderr": c.plain(errOut.String()),
	}}
	c.collect(r, dir)
	r.streams["driver"] = c.told()
	return r
}

// prelude is what every command line can use. once runs upslog until the first line is in the log;
// either runs a program until it ends, or complains of its first mistake; has waits for the lines of a file.
const prelude = `
once() {
	upslog -F -s "rack@$S" -l log -i 60 -u root "$@" & p=$!
	until [ -s log ] || ! kill -0 $p 2>/dev/null; do sleep 0.02; done
	[ -s log ] && cp log first
	kill $p 2>/dev/null; wait $p; ended=$?
	[ -s first ] && mv first log
	return $ended
}
either() {
	"$@" >said 2>err & p=$!
	until [ -s err ] || ! kill -0 $p 2>/dev/null; do sleep 0.02; done
	if [ -s err ]; then
		kill -KILL $p 2>/dev/null; wait $p 2>/dev/null
		head -n 1 err >&2; rm -f -- ./-* said err
		return 1
	fi
	wait $p; ended=$?
	cat said; rm said err
	return $ended
}
has() { until [ -e "$1" ] && [ $(wc -l <"$1") -ge $2 ]; do sleep 0.02; done; }
`

// arguments are those of unshare for a shell with a /run of its own, whose processes all end with
// it, also those that went to the background.
func (c *counter) arguments(line string) []string {
	c.t.Helper()
	args := []string{"--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		args = append(args, "--map-root-user")
	}
	shell := func(text string) []string {
		return append(slices.Clone(args), "sh", "-c", "mount -t tmpfs none /run && mkdir /run/nut\n"+text)
	}
	if c.count == 1 {
		if out, err := exec.Command("unshare", shell("")...).CombinedOutput(); err != nil {
			missing(c.t, "cannot give command lines a /run of their own: %v: %s", err, out)
		}
	}
	return shell(prelude + line)
}

// collect reads the files that a command line has written.
func (c *counter) collect(r result, dir string) {
	c.t.Helper()
	names, err := os.ReadDir(dir)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, d := range names {
		text, err := os.ReadFile(filepath.Join(dir, d.Name()))
		if err != nil {
			c.t.Fatal(err)
		}
		r.streams["file "+d.Name()] = c.plain(string(text))
	}
}

// told is what the driver of rack has been told by a command line. upsd answers before it has told
// the driver; an order of our own that comes through marks the end.
func (c *counter) told() string {
	c.t.Helper()
	c.talk("USERNAME admin\nPASSWORD secret\nINSTCMD rack barrier.reached\n")
	heard := strings.Join(c.rack.until("barrier.reached"), "\n")
	if heard != "" {
		heard += "\n"
	}
	return heard
}

var (
	version = regexp.MustCompile(`(?m)^(Network UPS Tools \w+) \d.*$`)
	initSSL = regexp.MustCompile(`(?m)^Init SSL without certificate database\n`) // CL-6
	usage   = regexp.MustCompile(`(?s)\A.*\nusage: .*\z`)
)

// plain is a text without what must differ: versions, ports, and the words of a help.
func (c *counter) plain(text string) string {
	text = initSSL.ReplaceAllString(text, "")
	if usage.MatchString(text) {
		return "(help)\n"
	}
	text = version.ReplaceAllString(text, "$1 (version)")
	return strings.ReplaceAll(strings.ReplaceAll(text, "127.0.0.1:"+c.port, "$S"), c.port, "$P")
}
