package megatec_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/megatec"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
)

// What a raw reply contains may be a CR: 40 W and 0.1 A here, then 13 minutes and 8 seconds with a
// CR as its last byte but one.
func TestRawRepliesContainCR(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "ablerex"})
	b.cable = serve.NewCable(fixed{b.dev, map[string]string{
		"Q5\r": "(\x01\xf3abcd\x05\x0d\x03\xe8\r\r\x00\x00\x00\x0dwxyz\r",
		"At\r": "(\x00\x00\x03\x0d\r",
	}}, serve.Options{Now: b.now})
	b.conf("nutdrv_qx", "protocol = ablerex")
	got := b.dump("nutdrv_qx")
	for name, want := range map[string]string{"output.frequency": "49.9", "output.current": "1.3",
		"battery.voltage": "25.86", "battery.voltage.low": "20.00", "battery.runtime": "781"} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

// A fixed face gives some answers that are always the same.
type fixed struct {
	serve.Face
	answers map[string]string
}

func (f fixed) Receive(now time.Duration, p []byte) []byte {
	if a, ok := f.answers[string(p)]; ok {
		return []byte(a)
	}
	return f.Face.Receive(now, p)
}

// A unit that rejects the raw questions keeps nothing waiting, and is driven without them.
func TestRawQuestionsMayBeUnknown(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "ablerex"})
	b.cable = serve.NewCable(fixed{b.dev, map[string]string{"Q5\r": "Q5\r", "At\r": "(NAK\r"}},
		serve.Options{Now: b.now})
	b.conf("nutdrv_qx", "protocol = ablerex")
	got := b.dump("nutdrv_qx")
	if got["ups.status"] != "OL" || got["output.current"] != "" {
		t.Errorf("status %q, output current %q; want OL and none", got["ups.status"], got["output.current"])
	}
}

// The record of faults is told newest first, each with the uptime at which it happened, and can be
// cleared.
func TestFaultRecord(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "masterguard"})
	got := b.dump("nutdrv_qx")
	for name, want := range map[string]string{
		"experimental.fault_1": "1097286: inverter mode output short-circuit fault (43V)",
		"experimental.fault_2": "957784: overheat fault (71C)",
		"experimental.fault_3": "0: none",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	b.start("nutdrv_qx")
	b.run(20 * time.Second)
	if code := b.command("clear.fault.record"); code != 0 {
		t.Fatalf("clear.fault.record: result %d", code)
	}
	b.start("nutdrv_qx", "-c", "exit")
	if got := b.dump("nutdrv_qx"); got["experimental.fault_1"] != "0: none" {
		t.Errorf("experimental.fault_1 = %q after it was cleared", got["experimental.fault_1"])
	}
}

// The switches of a unit are reset only in standby, and only when the driver starts.
func TestResetToDefault(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "voltronic"})
	b.conf("nutdrv_qx", "reset_to_default")
	b.start("nutdrv_qx")
	b.run(20 * time.Second)
	if text := strings.Join(b.log, "\n"); !strings.Contains(text, "reset_to_default: refused") {
		t.Errorf("a unit that carries its load was reset, or nothing said: %s", text)
	}
	b.start("nutdrv_qx", "-c", "exit")
	b.body.ScheduleOff(b.now(), 0, 0, false)
	b.start("nutdrv_qx")
	b.run(20 * time.Second)
	b.cable.SetFault(b.now(), serve.Unplug, 5*time.Second)
	b.run(time.Minute)
	resets := 0
	for _, cmd := range b.dev.Seen() {
		if cmd == "PF" {
			resets++
		}
	}
	if resets != 1 {
		t.Errorf("the unit was reset %d times, want once: %q", resets, b.dev.Seen())
	}
}

// A solar inverter that knows no warnings is driven without them.
func TestWarningsMayBeUnknown(t *testing.T) {
	b := newBench(t, power.Spec{}, megatec.Options{Dialect: "voltronic-axpert"})
	b.cable = serve.NewCable(fixed{b.dev, map[string]string{"QPIWS\xb4\xda\r": "(NAKss\r"}},
		serve.Options{Now: b.now})
	if got := b.dump("nutdrv_qx"); !slices.Contains(strings.Fields(got["ups.status"]), "OL") {
		t.Errorf("ups.status = %q, want OL", got["ups.status"])
	}
}
