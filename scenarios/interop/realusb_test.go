package interop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// bridgesOfOurs are USB bridges of the simulator that our nutdrv_qx knows.
var bridgesOfOurs = []string{"cypress", "phoenixtec", "phoenix", "ippon", "krauler", "fabula",
	"hunnox", "fuji", "sgs", "snr", "ablerex", "armac"}

// builtWithUSB is the folder of our drivers with real USB.
var builtWithUSB = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(binDir, "usb")
	cmd := exec.Command("go", "build", "-o", dir+"/", "../../cmd/upsdrv")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return string(out), err
	}
	return dir, os.Symlink("upsdrv", dir+"/nutdrv_qx")
})

// Our driver with all that it needs for a real bus, libusb excepted, reports of a UPS behind each
// bridge what it reports by way of the simulator's socket, and finds it again after a replug.
func TestOurDriverOnARealBus(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real processes: not with -short")
	}
	t.Parallel()
	folder := libusb(t)
	dir, err := builtWithUSB()
	if err != nil {
		missing(t, "libusb-1.0-0-dev with pkg-config: %v\n%s", err, dir)
	}
	if _, err := built(); err != nil {
		t.Fatal(err)
	}
	for _, bridge := range bridgesOfOurs {
		t.Run(bridge, func(t *testing.T) {
			t.Parallel()
			onARealBus(t, bridge, folder, filepath.Join(dir, "nutdrv_qx"))
		})
	}
}

func onARealBus(t *testing.T, bridge, folder, prog string) {
	chosen := "vendorid = ....\n"
	if bridge == "snr" {
		chosen = chosenSNR
	}
	chosen += "driver = nutdrv_qx\nprotocol = megatec\n"
	b := newBench(t, map[string]string{"ups.conf": "pollinterval = 1\n" +
		"[bus]\nport = auto\n" + chosen + "[socket]\nport = devsim:@conf@/ups\n" + chosen})
	onBus := filepath.Join(b.dir, "nutdrv_qx")
	script := "#!/bin/sh\nLD_LIBRARY_PATH=" + folder + " DEVSIM=" + b.conf + "/ups exec " + prog +
		` "$@"` + "\n"
	if err := os.WriteFile(onBus, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	sim := b.start(binDir+"/upsim", "serve", "megatec", "--bridge="+bridge, "-q", "--runtime=1h",
		"--socket="+b.conf+"/ups", "--control="+b.dir+"/ctl")
	sim.waitFor(t, "is ready on")

	real, err := variables(b.ask(onBus, "-a", "bus", "-d", "1"))
	if err != nil {
		t.Fatalf("on the bus: %v", err)
	}
	emulated, err := variables(b.ask(prog, "-a", "socket", "-d", "1"))
	if err != nil {
		t.Fatalf("at the socket: %v", err)
	}
	if !strings.Contains(real, "ups.status: OL\n") || real != emulated {
		t.Errorf("on the bus:\n%s\nat the socket:\n%s", real, emulated)
	}

	b.drivers(onBus, "bus")
	driver := b.daemons[len(b.daemons)-1]
	b.tellUnit("fault", "unplug")
	driver.waitFor(t, "lost the device")
	b.tellUnit("clear", "unplug")
	driver.waitFor(t, "the device is back")
}

// variables are those that a driver has printed, but for where it looked for its device.
func variables(a answer) (string, error) {
	if a.code != 0 {
		return "", errors.New(a.String())
	}
	var kept strings.Builder
	for line := range strings.Lines(a.out) {
		name, _, _ := strings.Cut(line, ":")
		if name != "driver.parameter.port" && name != "driver.version.usb" {
			kept.WriteString(line)
		}
	}
	return kept.String(), nil
}
