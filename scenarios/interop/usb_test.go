package interop

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A bridged UPS is behind a USB bridge, and how a driver is to find it.
type bridged struct {
	prog   string // driver program
	bridge string // kind, of the emulator
	conf   string // lines of ups.conf
}

// String names the case in the table of differences.
func (u bridged) String() string { return u.prog + " " + u.bridge }

// chosenSNR names the one bridge that NUT's table of numbers never finds; it cannot read its
// strings without the language either.
const chosenSNR = "vendorid = 0001\nproductid = 0000\nsubdriver = snr\nlangid_fix = 0x0409\n"

// bridgedUPSes are all bridges that Debian's drivers know.
var bridgedUPSes = []bridged{
	{"nutdrv_qx", "cypress", ""},
	{"nutdrv_qx", "phoenixtec", ""},
	{"nutdrv_qx", "phoenix", ""},
	{"nutdrv_qx", "ippon", ""},
	{"nutdrv_qx", "krauler", ""},
	{"nutdrv_qx", "fabula", ""},
	{"nutdrv_qx", "hunnox", ""},
	{"nutdrv_qx", "fuji", ""},
	{"nutdrv_qx", "sgs", ""},
	{"nutdrv_qx", "snr", chosenSNR},
	{"nutdrv_qx", "ablerex", ""},
	{"nutdrv_qx", "armac", ""},
	{"blazer_usb", "cypress", ""},
	{"blazer_usb", "phoenix", ""},
	{"blazer_usb", "ippon", ""},
	{"blazer_usb", "krauler", ""},
}

// bridgedOrders are given to a running driver, one after the other.
var bridgedOrders = []string{
	"beeper.toggle", "test.battery.start.quick", "test.battery.start.deep", "test.battery.start 600",
	"test.battery.stop", "load.off", "load.on", "shutdown.return", "shutdown.stop",
	"shutdown.stayoff", "shutdown.stop",
}

// newerBridges are those that a later release of NUT knows besides.
var newerBridges = []bridged{
	{"nutdrv_qx", "omron", ""},
	{"nutdrv_qx", "gtec", ""},
}

// Debian's drivers and ours, on the same emulated UPS behind each of the USB bridges, report the
// same, obey the same orders by the same commands, come back when the device is plugged out and in,
// and kill the power. Debian's speak to it by a libusb of ours, ours by a socket.
func TestBridgesAsDebiansDriversSeeThem(t *testing.T) {
	t.Parallel()
	kits(t)
	compareBridges(t, "bridge", bridgedUPSes,
		side{filepath.Dir(debian.dummy), libusb(t)}, side{dir: binDir})
}

// The same with the nutdrv_qx of another release.
func TestBridgesAsAnotherReleaseSeesThem(t *testing.T) {
	kits(t)
	other := os.Getenv(otherDriver)
	if other == "" {
		t.Skipf("%s names no nutdrv_qx of another release than Debian's", otherDriver)
	}
	list := slices.Concat(slices.DeleteFunc(slices.Clone(bridgedUPSes), func(u bridged) bool {
		return u.prog != "nutdrv_qx"
	}), newerBridges)
	compareBridges(t, "newer bridge", list,
		side{filepath.Dir(other), libusb(t)}, side{dir: binDir})
}

// Our driver does the same by real USB, with gousb and a libusb, as by a socket.
func TestBridgesByRealUSB(t *testing.T) {
	t.Parallel()
	kits(t)
	gousb := side{binDir + "/cgo", libusb(t)}
	cmd := exec.Command("go", "build", "-o", gousb.dir+"/", "../../cmd/upsdrv")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		missing(t, "go build upsdrv with cgo: %v\n%s", err, out)
	}
	if err := os.Symlink("upsdrv", gousb.dir+"/nutdrv_qx"); err != nil {
		t.Fatal(err)
	}
	list := slices.DeleteFunc(slices.Clone(bridgedUPSes), func(u bridged) bool {
		return !slices.Contains([]string{"cypress", "krauler", "fuji", "armac"}, u.bridge) ||
			u.prog != "nutdrv_qx"
	})
	compareBridges(t, "real usb", list, side{dir: binDir}, gousb)
}

// A side is a folder with drivers, and the folder of the libusb that they use; none: they look at
// the socket of the device.
type side struct{ dir, libusb string }

// compareBridges compares what the drivers of two sides report.
func compareBridges(t *testing.T, part string, list []bridged, sides ...side) {
	results := make([][2]map[string]string, len(list))
	t.Run("drivers", func(t *testing.T) {
		for i, u := range list {
			for j, s := range sides {
				t.Run(u.String()+" "+[]string{"theirs", "ours"}[j], func(t *testing.T) {
					t.Parallel()
					results[i][j] = u.report(t, s)
				})
			}
		}
	})
	c := newComparison(t, part)
	defer c.done()
	for i, u := range list {
		names := map[string]string{} // a side that failed has none
		for _, r := range results[i] {
			maps.Copy(names, r)
		}
		for _, n := range slices.Sorted(maps.Keys(names)) {
			c.compare(u.String()+" "+n, results[i][0][n], results[i][1][n])
		}
	}
}

// plugIn starts an emulated UPS behind a bridge, and a driver for it in a bench of its own. With a
// folder of a libusb the driver looks at the bus, else at the socket of the device.
func (u bridged) plugIn(t *testing.T, libusb string) *bench {
	t.Helper()
	port := "devsim:@conf@/ups"
	if libusb != "" {
		port = "auto"
	}
	b := newBench(t, map[string]string{
		"ups.conf": fmt.Sprintf("pollinterval = 1\n[rack]\ndriver = %s\nport = %s\n%s",
			u.prog, port, u.conf),
	})
	if libusb != "" {
		b.vars = []string{"LD_LIBRARY_PATH=" + libusb, "DEVSIM=" + b.conf + "/ups"}
	}
	sim := b.start(binDir+"/upsim", "serve", "megatec", "--bridge="+u.bridge, "-q",
		"--socket="+b.conf+"/ups", "--control="+b.dir+"/ctl")
	sim.waitFor(t, "is ready on")
	return b
}

// report is what a driver says and does, and what the UPS hears of it.
func (u bridged) report(t *testing.T, s side) map[string]string {
	prog := filepath.Join(s.dir, u.prog)
	if _, err := os.Stat(prog); err != nil {
		missing(t, "%v", err)
	}
	b := u.plugIn(t, s.libusb)
	driver := b.start(prog, append(asRoot(), "-F", "-a", "rack")...)
	report := byName(b.dumpUntil(t, u.prog, "ups.status", "OL").String())
	b.tellUnit("mains", "off")
	b.tellUnit("battery", "10")
	low := byName(b.dumpUntil(t, u.prog, "ups.status", "LB").String())
	report["outage ups.status"] = low["ups.status"]
	b.tellUnit("mains", "on")
	b.tellUnit("battery", "100")
	b.dumpUntil(t, u.prog, "ups.status", "OL")
	polled := b.heard(nil)
	c := dialDriver(t, b.run+"/"+u.prog+"-rack")
	for i, order := range bridgedOrders {
		before := len(b.heard(polled))
		code := c.track("INSTCMD "+order, fmt.Sprint("id", i))
		report[fmt.Sprintf("order %d %s", i, order)] =
			strings.TrimSpace(code + " " + strings.Join(b.heard(polled)[before:], " "))
	}
	b.tellUnit("fault", "unplug")
	report["unplugged"] = c.await("DATASTALE")
	b.tellUnit("clear", "unplug")
	report["plugged in"] = c.await("DATAOK")
	c.c.Close()
	kill(driver)
	before := len(b.heard(polled))
	b.finish(prog, "-a", "rack", "-k")
	report["kill"] = strings.Join(b.heard(polled)[before:], " ")
	return report
}

// heard are the commands that the unit has got, but those of a list.
func (b *bench) heard(but []string) []string {
	b.t.Helper()
	return slices.DeleteFunc(strings.Fields(b.tellUnit("seen")), func(cmd string) bool {
		return slices.Contains(but, cmd)
	})
}

// await tells whether a driver says a word of its own accord within replugLimit.
func (d *driverConn) await(word string) string {
	d.t.Helper()
	d.c.SetDeadline(time.Now().Add(replugLimit))
	defer d.c.SetDeadline(time.Now().Add(driverLimit))
	for {
		line, err := d.r.ReadString('\n')
		if err != nil {
			return "no " + word
		}
		if strings.TrimSpace(line) == word {
			return word
		}
	}
}

// replugLimit is how long a driver may take to notice that its device has gone or has returned.
const replugLimit = time.Minute
