package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/line"
)

// apcKinds are the units that the emulator can be.
var apcKinds = []string{"smart-ups", "old", "matrix", "cs", "unknown"}

// Debian's apcsmart and ours, on the same emulated units, tell the same variables with the same
// permitted values, offer the same commands, carry out settings and commands with the same results,
// and kill the power by the same orders, with the differences that are listed.
func TestAPCAsDebiansDriverSeesIt(t *testing.T) {
	t.Parallel()
	kits(t)
	oracle := filepath.Join(filepath.Dir(debian.dummy), "apcsmart")
	if _, err := os.Stat(oracle); err != nil {
		missing(t, "%v", err)
	}
	results := make([][2]map[string]string, len(apcKinds))
	t.Run("drivers", func(t *testing.T) {
		for i, kind := range apcKinds {
			for j, prog := range []string{oracle, binDir + "/apcsmart"} {
				t.Run(kind+" "+[]string{"nut", "ours"}[j], func(t *testing.T) {
					t.Parallel()
					results[i][j] = map[string]string{}
					apcAlive(t, kind, prog, results[i][j])
					for _, mains := range []string{"on", "off"} {
						apcKill(t, kind, prog, mains, results[i][j])
					}
				})
			}
		}
	})
	for _, kind := range []string{"smart-ups", "old"} {
		apcOlder(t, kind)
	}
	c := newComparison(t, "apc")
	defer c.done()
	for i, kind := range apcKinds {
		nut, ours := results[i][0], results[i][1]
		names := maps.Clone(nut)
		maps.Copy(names, ours)
		for _, n := range slices.Sorted(maps.Keys(names)) {
			c.compare(kind+" "+n, nut[n], ours[n])
		}
	}
}

// apcOlder compares what the program before apcsmart tells of a unit: all must be the same.
func apcOlder(t *testing.T, kind string) {
	var told [2]map[string]string
	for j, dir := range []string{filepath.Dir(debian.dummy), binDir} {
		b := apcBench(t, kind)
		b.write("ups.conf", "[rack]\n\tdriver = apcsmart-old\n\tport = @conf@/tty\n")
		told[j] = byName(b.finish(dir+"/apcsmart-old", "-a", "rack", "-d", "1"))
		maps.DeleteFunc(told[j], func(name, _ string) bool {
			return strings.HasPrefix(name, "driver.") || strings.Contains(name, " ")
		})
	}
	if !maps.Equal(told[0], told[1]) || len(told[0]) < 30 {
		t.Errorf("%s: apcsmart-old of NUT tells\n%v\nours\n%v", kind, told[0], told[1])
	}
}

// apcBench is a bench with an emulated unit.
func apcBench(t *testing.T, kind string) *bench {
	b := newBench(t, map[string]string{
		"ups.conf": "pollinterval = 1\n[rack]\n\tdriver = apcsmart\n\tport = @conf@/tty\n",
	})
	sim := b.start(binDir+"/upsim", "serve", "apcsmart", "--model="+kind, "-q", "--runtime=1h",
		"--pty="+b.conf+"/tty", "--control="+b.dir+"/ctl")
	sim.waitFor(t, "is ready on")
	return b
}

// apcOrders are settings and commands with which a driver is tried. Everything nasty is given once
// only, which must have no effect.
var apcOrders = []string{
	`SET ups.delay.shutdown "600"`, `SET ups.delay.start "060"`, `SET battery.runtime.low "600"`,
	`SET ups.test.interval "604800"`, `SET input.sensitivity "L"`, `SET ups.id "cellar"`,
	`SET battery.date "11/21/26"`, `INSTCMD test.panel.start`, `INSTCMD calibrate.start`,
	`INSTCMD calibrate.stop`, `INSTCMD test.battery.start`, `INSTCMD load.off`,
	`INSTCMD shutdown.return`, `INSTCMD shutdown.stayoff`,
}

// apcAlive is what a running driver tells and does.
func apcAlive(t *testing.T, kind, prog string, result map[string]string) {
	b := apcBench(t, kind)
	d := pair{driver: prog}.start(b)
	c := dialDriver(t, b.run+"/apcsmart-rack")
	for name, value := range c.dump() {
		result[name] = value
	}
	for i, order := range apcOrders {
		word := "command " + strings.Fields(order)[1]
		if strings.HasPrefix(order, "SET") {
			word = "setting " + strings.Fields(order)[1]
		}
		result[word] = c.track(order, fmt.Sprint("id", i))
	}
	after := c.dump()
	for _, name := range []string{"ups.delay.shutdown", "ups.delay.start", "battery.runtime.low",
		"ups.test.interval", "input.sensitivity", "ups.id", "battery.date"} {
		result["afterwards "+name] = after[name]
	}
	c.c.Close()
	kill(d)
	b.tellUnit("mains", "off") // a unit on battery would obey S
	orders, reading := b.unitState()
	result["afterwards ordered"] = strings.Join(orders, " ")
	result["afterwards outlet"] = fmt.Sprint(reading.Outlet, " ", reading.OffIn >= 0)
}

// apcKill is a kill-power run by a fresh process.
func apcKill(t *testing.T, kind, prog, mains string, result map[string]string) {
	b := apcBench(t, kind)
	b.tellUnit("mains", mains)
	cmd := exec.Command(prog, append(asRoot(), "-a", "rack", "-k")...)
	cmd.Env, cmd.Dir = b.env(), b.dir
	cmd.WaitDelay = time.Second
	timer := time.AfterFunc(driverLimit, func() { cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Run()
	orders, reading := b.unitState()
	result["kill with mains "+mains] = fmt.Sprintf("%s, cut %v, said to work %v",
		strings.Join(orders, " "), reading.OffIn >= 0 || !reading.Outlet, err == nil)
}

// tellUnit pulls a lever of the emulated unit.
func (b *bench) tellUnit(words ...string) string {
	b.t.Helper()
	return b.finish(binDir+"/upsim", append([]string{"ctl", b.dir + "/ctl"}, words...)...)
}

// unitReading is a part of the state of an emulated unit.
type unitReading struct {
	Seen   []string `json:"seen"`
	Outlet bool     `json:"outlet"`
	OffIn  int64    `json:"off_in_ns"`
}

// unitState is what an emulated unit was ordered, besides settings, and what became of it.
func (b *bench) unitState() (orders []string, r unitReading) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.tellUnit("state", "json")), &r); err != nil {
		b.t.Fatal(err)
	}
	for _, cmd := range r.Seen {
		if strings.IndexByte("@ADKSUWZ\x0e", cmd[0]) >= 0 {
			orders = append(orders, cmd)
		}
	}
	return orders, r
}

// A driverConn is a conversation with a driver's socket.
type driverConn struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func dialDriver(t *testing.T, path string) *driverConn {
	t.Helper()
	c, err := net.Dial("unix", path)
	for begin := time.Now(); err != nil && time.Since(begin) < startLimit; {
		time.Sleep(20 * time.Millisecond) // its file is there before it listens
		c, err = net.Dial("unix", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(driverLimit))
	return &driverConn{t, c, bufio.NewReader(c)}
}

// until reads lines until one begins with a word, and returns the words of all.
func (d *driverConn) until(first string) [][]string {
	d.t.Helper()
	var all [][]string
	for {
		text, err := d.r.ReadString('\n')
		if err != nil {
			d.t.Fatalf("waiting for %s: %v", first, err)
		}
		words, err := line.Words(strings.TrimSuffix(text, "\n"))
		if err != nil || len(words) == 0 {
			d.t.Fatalf("%q: %v", text, err)
		}
		if all = append(all, words); strings.HasPrefix(strings.Join(words, " "), first) {
			return all
		}
	}
}

// dump is everything that the driver tells of the unit: variables by their names, permitted values
// as "enum NAME", flags as "flags NAME", the commands as "commands".
func (d *driverConn) dump() map[string]string {
	d.t.Helper()
	io.WriteString(d.c, "DUMPALL\n")
	all := map[string]string{}
	add := func(key, value string) { all[key] = strings.TrimSpace(all[key] + " " + value) }
	for _, w := range d.until("DUMPDONE") {
		switch {
		case len(w) < 2 || strings.HasPrefix(w[1], "driver.") || w[1] == "shutdown.default":
		case w[0] == "SETINFO":
			all[w[1]] = w[2]
		case w[0] == "ADDENUM":
			add("enum "+w[1], w[2])
		case w[0] == "SETFLAGS":
			add("flags "+w[1], strings.Join(w[2:], " "))
		case w[0] == "SETAUX":
			add("aux "+w[1], w[2])
		case w[0] == "ADDCMD":
			add("commands", w[1])
		}
	}
	return all
}

// track gives an order and returns the code of its result.
func (d *driverConn) track(order, id string) string {
	d.t.Helper()
	fmt.Fprintf(d.c, "%s TRACKING %s\n", order, id)
	all := d.until("TRACKING " + id)
	return all[len(all)-1][2]
}
