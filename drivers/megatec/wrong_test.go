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

// protocols are the values of the option, one for each dialect of the emulator but a variant.
func protocols() []string {
	var all []string
	for _, s := range spokenDialects {
		if s.dialect != "voltronic-qs-h" {
			all = append(all, s.dialect)
		}
	}
	return all
}

// With a wrong protocol the driver does not start, and says which option is wrong, its value, and
// what the device answered to which question. A device of one dialect may speak others besides:
// the questions of one may be a part of another's.
func TestWrongProtocol(t *testing.T) {
	wrong, right := 0, 0
	for _, s := range spokenDialects {
		var spoken []string
		for _, p := range protocols() {
			b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect})
			b.conf("nutdrv_qx", "protocol = "+p)
			process := b.h.Start("nutdrv_qx", []string{"-a", "office", "-d", "1"})
			b.run(15 * time.Second)
			if status, ended := process.Status(); ended && status == 0 {
				spoken = append(spoken, p)
				right++
				continue
			}
			wrong++
			b.wantExit(process, 1)
			last := b.log[len(b.log)-1]
			if !strings.Contains(last, "protocol = "+p+": the device does not speak it: ") ||
				!strings.Contains(last, `the device answers "`) && !strings.Contains(last, "malformed reply") {
				t.Errorf("a %s with protocol = %s: %s", s.dialect, p, last)
			}
		}
		own := strings.TrimSuffix(s.dialect, "-h")
		if !slices.Contains(spoken, own) {
			t.Errorf("a %s does not speak protocol = %s; it speaks %q", s.dialect, own, spoken)
		}
		t.Logf("%-16s speaks %s", s.dialect, strings.Join(spoken, " "))
	}
	t.Logf("%d wrong protocols refused, %d that the device speaks", wrong, right)
}

// A cable on which nothing answers is told as such.
func TestNobodyThere(t *testing.T) {
	for _, conf := range []string{"protocol = gtec", ""} {
		b := newBench(t, power.Spec{}, megatec.Options{})
		b.cable.SetFault(0, serve.Silent, 0)
		b.conf("nutdrv_qx", conf)
		p := b.h.Start("nutdrv_qx", []string{"-a", "office"})
		b.run(2 * time.Minute)
		b.wantExit(p, 1)
		if last := b.log[len(b.log)-1]; !strings.Contains(last, "no answer: ") ||
			!strings.Contains(last, conf) {
			t.Errorf("%q: %s", conf, last)
		}
	}
}

// asksWho and asksRating are the questions that novendor and norating forbid.
var (
	asksWho    = []string{"I", "FW?", "SASV07?", "PSNR", "FWV", "BRR", "QMD", "QMF", "QVFW", "QID"}
	asksRating = []string{"F", "QRI", "UN"}
)

// Without the questions on which some devices hang each dialect is driven all the same, as the
// same or as one that asks for less.
func TestNoVendorNoRating(t *testing.T) {
	for _, s := range spokenDialects {
		b := newBench(t, power.Spec{}, megatec.Options{Dialect: s.dialect})
		b.conf("nutdrv_qx", s.conf+"\nnovendor\nnorating")
		got := b.dump("nutdrv_qx")
		if !slices.Contains(strings.Fields(got["ups.status"]), "OL") {
			t.Errorf("%s: ups.status = %q", s.dialect, got["ups.status"])
		}
		for _, cmd := range b.dev.Seen() {
			if slices.Contains(asksWho, cmd) || slices.Contains(asksRating, cmd) {
				t.Errorf("%s was asked %s", s.dialect, cmd)
			}
		}
	}
}
