package interop

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// usbOptions are lines of ups.conf for a cypress bridge, 0665:5161 "INNO TECH" "USB to Serial" at
// bus 001, without a serial number.
var usbOptions = []string{
	"",
	"vendorid = 0665\nproductid = 5161",
	"vendorid = 0665\nproductid = 5162",
	"vendorid = 06.5",
	"vendorid = 66",
	"vendorid = 9999",
	"productid = 5161",
	"vendor = INNO.*",
	"vendor = inno.TECH",
	"vendor = NN",
	"vendor = (",
	"product = \"USB to Serial\"",
	"product = nothing",
	"serial = 123",
	"bus = 001",
	"bus = 1",
	"bus = 002",
	"subdriver = cypress",
	"subdriver = cypress\nvendorid = 0665",
	"subdriver = nosuch",
	"subdriver = nosuch\nvendorid = 0665\nproductid = 5161",
	"subdriver = cypress\nvendorid = 0665\nproductid = 5161",
	"subdriver = phoenix\nvendorid = 0665\nproductid = 5161",
	"subdriver = krauler\nvendorid = 0665\nproductid = 5161",
	"subdriver = cypress\nvendorid = 0001\nproductid = 0000",
	"langid_fix = 0x0409",
	"langid_fix = zz",
	"no_such_option = 1",
}

// Options find the same device in Debian's drivers and ours, and where they find none both end with
// the same exit code.
func TestUSBOptionsAsDebiansDriversTakeThem(t *testing.T) {
	t.Parallel()
	kits(t)
	folder := libusb(t)
	progs := []string{"nutdrv_qx", "blazer_usb"}
	results := make([][2]string, len(progs)*len(usbOptions))
	t.Run("drivers", func(t *testing.T) {
		for i := range results {
			prog, options := progs[i/len(usbOptions)], usbOptions[i%len(usbOptions)]
			for j, dir := range []string{filepath.Dir(debian.dummy), binDir} {
				t.Run(fmt.Sprint(prog, " ", options, " ", dir), func(t *testing.T) {
					t.Parallel()
					libraries := []string{folder, ""}[j]
					results[i][j] = tryOptions(t, prog, dir, options, libraries)
				})
			}
		}
	})
	c := newComparison(t, "usboption")
	defer c.done()
	for i, r := range results {
		c.compare(progs[i/len(usbOptions)]+" "+usbOptions[i%len(usbOptions)], r[0], r[1])
	}
}

// tryOptions runs a driver for one dump: what comes of it is its exit code and the status.
func tryOptions(t *testing.T, prog, dir, options, libraries string) string {
	b := bridged{prog, "cypress", options + "\n"}.plugIn(t, libraries)
	args := append(asRoot(), "-a", "rack", "-d", "1")
	cmd := exec.Command(filepath.Join(dir, prog), args...)
	cmd.Env, cmd.Dir = b.env(), b.dir
	cmd.WaitDelay = time.Second
	timer := time.AfterFunc(driverLimit, func() { cmd.Process.Kill() })
	defer timer.Stop()
	out, _ := cmd.Output()
	return fmt.Sprintf("exit %d %s", cmd.ProcessState.ExitCode(), byName(string(out))["ups.status"])
}
