package megatec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// recorded lists the transcripts that belong to this dialect in whole or in part, and what their
// replies mean. In those of other protocols of the family Q1, F and I are the same; what differs
// is in commands that this driver does not send. The armac ones came over USB, reassembled.
var recorded = []struct {
	file string
	want []string // in the order of the file
}{
	{"fivestar-gf8048mbw-command-scan.txt", []string{
		"Q1: OL; ; 227.0 0.0 229.9 27 50.1 2.00 49.0",
		"F: 230 21.0 48.0 50",
		`I: {Maker: Serial: Model: Runtime: Firmware:R1.4.016}`,
	}},
	{"drivertable-q1.txt", []string{"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0"}},
	{"drivertable-mecer.txt", []string{
		"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0",
		"F: 230 0.0 24.0 50",
		`I: {Maker:NOT_A_LIVE_UPS Serial: Model:TESTING Runtime: Firmware:TESTING}`,
	}},
	{"drivertable-zinto.txt", []string{
		"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0",
		"F: 230 0.0 24.0 50",
		`FW?: {Maker:NOT_A_LIVE_UPS Serial: Model:TESTING Runtime: Firmware:TESTING}`,
	}},
	{"generic-voltronic-qs-220v.txt", []string{"F: 220 2.0 12.0 50"}},
	{"vultech-gs-1kvas-rk-armac.txt", []string{
		"Q1: OL; ; 238.8 0.0 219.9 20 49.9 2.25 43.0",
		"Q1: OL; ; 238.6 0.0 220.2 19 49.9 2.23 43.0",
	}},
	{"vultech-v2000-armac.txt", []string{"Q1: malformed reply"}}, // cut by the bridge
	{"docexample-voltronic.txt", []string{
		"Q1: OL; ; 209.7 209.7 219.7 20 50.0 41.80 23.3",
		"Q1: OB; ; 2.9 0.0 0.0 0 0.0 2.02 21.0",
		"F: 220 4.0 36.0 50",
	}},
	{"drivertable-innovart31.txt", []string{
		"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0",
		"F: 230 87.0 288.0 50",
		"FW?: malformed reply", // another division of the line
	}},
	{"drivertable-innovatae.txt", []string{
		"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0",
		"F: 230 4.0 24.0 50",
		"I: {Maker: Serial: Model: Runtime: Firmware:R1.00.48}",
	}},
	{"drivertable-omron.txt", []string{"Q1: OL BYPASS; ; 102.5 0.0 102.4 0 49.9 54.50 22.7"}},
	{"drivertable-q6.txt", []string{"Q1: OL; ; 215.0 195.0 230.0 14 49.0 22.70 30.0"}},
	{"salicru-sps-one-voltronic-qs-h.txt", []string{"F: 230 2.0 12.0 50"}},
	{"voltronic-qs-h-0665-5161.txt", []string{"F: 230 3.0 12.0 50"}},
}

func TestRecordings(t *testing.T) {
	folder := captures.Dir(t, "serial")
	for _, r := range recorded {
		t.Run(r.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, r.file))
			if err != nil {
				t.Fatal(err)
			}
			got := decodeTranscript(t, string(text))
			if strings.Join(got, "\n") != strings.Join(r.want, "\n") {
				t.Errorf("decoded\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(r.want, "\n"))
			}
		})
	}
}

// decodeTranscript decodes every reply to Q1, F, I and FW? in a transcript.
func decodeTranscript(t *testing.T, text string) []string {
	t.Helper()
	var got []string
	cmd := ""
	for l := range strings.Lines(text) {
		l = strings.TrimSpace(l)
		if c, ok := strings.CutPrefix(l, "C> "); ok {
			cmd = strings.TrimSuffix(c, `\r`)
			continue
		}
		reply, ok := strings.CutPrefix(l, "S> ")
		if !ok || strings.HasPrefix(reply, "<") {
			continue
		}
		line, err := strconv.Unquote(`"` + strings.ReplaceAll(reply, `"`, `\"`) + `"`)
		if err != nil {
			t.Fatalf("%q: %v", reply, err)
		}
		line, _, _ = strings.Cut(line, "\r")
		if s, ok := decode(cmd, line); ok {
			got = append(got, cmd+": "+s)
		}
	}
	return got
}

func decode(cmd, line string) (string, bool) {
	var err error
	said := ""
	switch cmd {
	case "Q1":
		var s Status
		if s, err = ParseStatus([]byte(line)); err == nil {
			said = show(s)
		}
	case "F":
		var r reading
		if err = ratingLine([]byte(line), &r); err == nil {
			said = numbers(r)
		}
	case "I", "FW?":
		var id Identity
		if id, err = ParseIdentity([]byte(line)); err == nil {
			said = fmt.Sprintf("%+v", id)
		}
	default:
		return "", false
	}
	if errors.Is(err, ErrMalformed) {
		said = "malformed reply"
	}
	return said, true
}
