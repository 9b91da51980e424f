package megatec_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/nut/transport/devsock"
)

// twins puts two units on the bus that differ in their serial numbers and models.
func twins(t *testing.T, first, second bridge.Options) *bench {
	t.Helper()
	b := bridgedUnits[0].plugIn(t, power.Spec{}, first)
	other := megatec.New(power.New(power.Spec{}), megatec.Options{Model: "OTHER"})
	chip, err := bridge.New("cypress", other, second)
	if err != nil {
		t.Fatal(err)
	}
	b.beside = serve.Ports{"second": serve.NewPlug(chip, serve.Options{Now: b.now, Bus: 2})}
	return b
}

func TestUSBOptionsChooseTheDevice(t *testing.T) {
	for conf, model := range map[string]string{
		"":                                  "SIM-600",
		"serial = A1":                       "SIM-600",
		"serial = B2":                       "OTHER",
		"serial = b.":                       "OTHER", // blind for case
		"serial = (A|B)2":                   "OTHER",
		"serial = [[:alpha:]]2":             "OTHER",
		"bus = 002":                         "OTHER",
		"bus = 00[^1]":                      "OTHER",
		"vendorid = 0665\nserial = B2":      "OTHER",
		"vendor = \"inno tech\"\nbus = .*2": "OTHER",
		"product = USB.*Serial":             "SIM-600",
		"device = 002\nbus = 001":           "SIM-600",
		"busport = 001":                     "SIM-600",
		"busport = 1":                       "SIM-600",
		"langid_fix = 0x4095":               "SIM-600", // means nothing to this bridge
		"noscanlangid\nallow_duplicates":    "SIM-600",
		"subdriver = cypress\nvendorid = 0665\nproductid = 5161\nserial = B2":        "OTHER",
		"protocol = Megatec\nsubdriver = CYPRESS\nvendorid = 0665\nproductid = 5161": "SIM-600",
	} {
		b := twins(t, bridge.Options{Serial: "A1"}, bridge.Options{Serial: "B2"})
		b.conf("nutdrv_qx", conf)
		if got := b.dump("nutdrv_qx")["device.model"]; got != model {
			t.Errorf("%q: device.model %q, want %q", conf, got, model)
		}
	}
}

func TestUSBOptionsThatFindNothing(t *testing.T) {
	for conf, says := range map[string]string{
		"serial = 2": `serial is "A1", not 2`, // the whole of it must match
		"vendorid = 0001": "no such port: no USB device that this driver knows, " +
			"of 1 that are plugged in: 0665:5161",
		"productid = 9999": "no such port: no USB device that this driver knows",
		"bus = 7":          `bus is "001", not 7`,
		"subdriver = cypress": "subdriver = cypress: vendorid and productid are missing: " +
			"want the numbers that lsusb shows for the device",
		"subdriver = cypres": `subdriver: "cypres": want one of cypress, phoenixtec, `,
		"vendor = ((":        `vendor: "((": want a regular expression: `,
		"langid_fix = 409":   `langid_fix: "409": want a language as 0x409 or 0x4095`,
		"langid_fix = 0xzz":  `langid_fix: "0xzz": want a language as 0x409 or 0x4095`,
	} {
		b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{Serial: "A1"})
		b.conf("nutdrv_qx", conf)
		b.wantExit(b.start("nutdrv_qx"), 1)
		if said := strings.Join(b.log, "\n"); !strings.Contains(said, says) {
			t.Errorf("%s: said %q, want %q", conf, said, says)
		}
	}
	b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{ProductID: 0x9999})
	b.conf("nutdrv_qx", "vendorid = 0665")
	b.wantExit(b.start("nutdrv_qx"), 1)
	says := "no bridge is known for these numbers: name one by subdriver, with vendorid and productid"
	if said := strings.Join(b.log, "\n"); !strings.Contains(said, says) {
		t.Errorf("said %q, want %q", said, says)
	}
	b.conf("nutdrv_qx", "vendorid = 0665\nproductid = 9999\nsubdriver = cypress")
	if got := b.dump("nutdrv_qx")["ups.status"]; got != "OL" {
		t.Errorf("with a subdriver: status %q", got)
	}
}

// A lost device is not taken for another one like it, and found again wherever it is plugged in.
func TestLostDeviceIsNotMistaken(t *testing.T) {
	b := twins(t, bridge.Options{Serial: "A1"}, bridge.Options{Serial: "B2"})
	b.start("nutdrv_qx")
	b.run(30 * time.Second)
	b.cable.SetFault(b.now(), serve.Unplug, 0)
	b.run(time.Hour)
	if last := b.events[len(b.events)-1]; !strings.HasPrefix(last, "data =stale") {
		t.Errorf("the last event is %q, want stale data", last)
	}
	chip, _ := bridge.New("cypress", b.dev, bridge.Options{Serial: "A1"})
	b.beside["third"] = serve.NewPlug(chip, serve.Options{Now: b.now, Bus: 3})
	b.cable.ClearFault(b.now(), serve.Unplug)
	b.run(20 * time.Second)
	if last := b.events[len(b.events)-1]; !strings.HasPrefix(last, "data =fresh") {
		t.Errorf("the last event is %q, want fresh data", last)
	}
}

// Of two UPSes that look the same a second driver only gets the other one where it may.
func TestDuplicates(t *testing.T) {
	b := twins(t, bridge.Options{}, bridge.Options{})
	var conf strings.Builder
	for _, name := range []string{"office", "strict", "lab\nallow_duplicates", "third\nallow_duplicates"} {
		name, option, _ := strings.Cut(name, "\n")
		fmt.Fprintf(&conf, "[%s]\ndriver = nutdrv_qx\nport = auto\n%s\n", name, option)
	}
	b.h.WriteFile("/etc/nut/ups.conf", []byte(conf.String()))
	for _, tt := range []struct {
		name, says string
		ends       bool
	}{
		{"office", "", false},
		{"strict", "fits, as does the one at 001/002, which cannot be opened: tell one from the other", true},
		{"lab", "", false},
		{"third", "port is in use by another program: no USB device fits", true},
	} {
		b.log = nil
		p := b.h.Start("nutdrv_qx", []string{"-a", tt.name})
		b.run(30 * time.Second)
		_, ended := p.Status()
		if said := strings.Join(b.log, "\n"); ended != tt.ends || !strings.Contains(said, tt.says) {
			t.Errorf("%s: ended %v, want %v with %q\n%s", tt.name, ended, tt.ends, tt.says, said)
		}
	}
}

// NUT's drivers look at no port where an option means USB; such files go on working.
func TestPortThatNamesNoUSBDevice(t *testing.T) {
	for _, prog := range []string{"nutdrv_qx", "blazer_usb"} {
		b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{})
		conf := fmt.Sprintf("[office]\ndriver = %s\nport = /dev/usb/hiddev0\nvendorid = 0665\n", prog)
		b.h.WriteFile("/etc/nut/ups.conf", []byte(conf))
		if got := b.dump(prog); got["ups.status"] != "OL" || got["driver.parameter.vendorid"] != "0665" {
			t.Errorf("%s: %v", prog, got)
		}
		const says = "port = /dev/usb/hiddev0 names no USB device, but vendorid means USB"
		if !slices.ContainsFunc(b.log, func(l string) bool { return strings.Contains(l, says) }) {
			t.Errorf("%s: said %q", prog, b.log)
		}
	}
}

// A port that is a USB device by its name needs no option that says so.
func TestPortThatNamesAUSBDevice(t *testing.T) {
	b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{})
	b.beside = serve.Ports{"/dev/usb7": b.cable}
	b.h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = nutdrv_qx\nport = /dev/usb7\n"))
	if got := b.dump("nutdrv_qx"); got["ups.status"] != "OL" || got["ups.vendorid"] != "0665" {
		t.Errorf("%v", got)
	}
}

// An emulated device at a socket is told from a serial one by what it is.
func TestUSBDeviceAtASocket(t *testing.T) {
	for prog, conf := range map[string]string{
		"nutdrv_qx":  "",
		"megatec":    "vendorid = 0665",
		"blazer_usb": "",
	} {
		b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{})
		b.outside = func(p transport.Ports) transport.Ports { return devsock.Ports{Real: p} }
		b.h.WriteFile("/run/dev/.keep", nil)
		b.h.StartMain("upsim", func(e env.Env, _ []string) int {
			if _, err := serve.NewSocket(e, b.cable, "/run/dev/office"); err != nil {
				t.Error(err)
			}
			e.Sleep(24 * time.Hour)
			return 0
		})
		b.h.WriteFile("/etc/nut/ups.conf",
			[]byte("[office]\ndriver = "+prog+"\nport = devsim:/run/dev/office\n"+conf+"\n"))
		if got := b.dump(prog); got["ups.status"] != "OL" || got["ups.vendorid"] != "0665" {
			t.Errorf("%s: %v", prog, got)
		}
		b.cable.SetFault(b.now(), serve.Denied, 0)
		b.wantExit(b.start(prog), 1)
	}
}

func TestBlazerUSB(t *testing.T) {
	for _, u := range bridgedUnits {
		if !slices.Contains([]string{"cypress", "phoenix", "ippon", "krauler"}, u.kind) {
			continue
		}
		t.Run(u.kind, func(t *testing.T) {
			b := u.plugIn(t, power.Spec{}, bridge.Options{})
			b.conf("blazer_usb", "ondelay = 5\noffdelay = 125")
			got := b.dump("blazer_usb")
			for name, want := range map[string]string{
				"driver.name": "blazer_usb", "ups.status": "OL", "ups.delay.start": "300",
				"ups.delay.shutdown": "120", "ups.mfr": "ACME POWER", "driver.version.data": "",
			} {
				if got[name] != want {
					t.Errorf("%s = %q, want %q", name, got[name], want)
				}
			}
			want := "S02R0005"
			if u.kind == "krauler" {
				want = u.kill // there is one for all
			}
			p := b.start("blazer_usb", "-k")
			b.run(30 * time.Second)
			b.wantExit(p, 0)
			if seen := b.dev.Seen(); !slices.Contains(seen, want) {
				t.Errorf("the unit saw %q, want %s", seen, want)
			}
		})
	}
	b := bridgedUnits[0].plugIn(t, power.Spec{}, bridge.Options{})
	for conf, says := range map[string]string{
		"cablepower = normal": "cablepower: no such key for blazer_usb",
		"subdriver = fabula":  `subdriver: "fabula": want one of cypress, phoenix, ippon, krauler`,
	} {
		b.conf("blazer_usb", conf)
		b.wantExit(b.start("blazer_usb"), 1)
		if said := strings.Join(b.log, "\n"); !strings.Contains(said, says) {
			t.Errorf("%s: said %q, want %q", conf, said, says)
		}
	}
}

func TestHelpFitsTheTerminal(t *testing.T) {
	for _, prog := range []string{"nutdrv_qx", "blazer_ser", "blazer_usb"} {
		b := newBench(t, power.Spec{}, megatec.Options{})
		b.wantExit(b.start(prog, "-h"), 0)
		all := strings.Join(b.log, "\n")
		for _, l := range strings.Split(all, "\n") {
			if len(l) > 100 {
				t.Errorf("%s: a line of %d columns: %s", prog, len(l), l)
			}
		}
		if strings.Contains(all, "not yet") || !strings.Contains(all, "runtimecal") {
			t.Errorf("%s: help %s", prog, all)
		}
	}
}
