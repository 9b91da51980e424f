package megatec_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
	"github.com/blackstart-ups/blackstart/devsim/power"
)

// A device that names one language and answers in another is read with langid_fix.
func TestLanguageOfADeviceThatLies(t *testing.T) {
	for _, u := range bridgedUnits {
		if !slices.Contains([]string{"krauler", "hunnox", "snr"}, u.kind) {
			continue
		}
		for _, tt := range []struct {
			lang uint16
			conf string
			want string // status
		}{
			{0x0409, "langid_fix = 0x409", "OL"},
			{0x4095, "langid_fix = 0x4095", "OL"},
			{0x4095, "langid_fix = 0x409", ""},
			{0x4095, "", ""},
		} {
			b := u.plugIn(t, power.Spec{}, bridge.Options{LangID: tt.lang})
			b.conf("nutdrv_qx", u.conf+"\n"+tt.conf)
			p := b.start("nutdrv_qx", "-d", "1")
			b.run(2 * time.Minute)
			b.wantExit(p, map[bool]int{true: 0, false: 1}[tt.want != ""])
			if got := strings.Join(b.log, "\n"); strings.Contains(got, "ups.status: OL") != (tt.want != "") {
				t.Errorf("%s that speaks %04x, %q: %s", u.kind, tt.lang, tt.conf, got)
			}
		}
	}
}
