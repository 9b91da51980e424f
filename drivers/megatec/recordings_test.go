package megatec

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/captures"
)

// transcripts are the recordings by the dialect that they are of, with values that they state.
// Of what a device was asked in vain nothing is decoded.
var transcripts = []struct {
	file    string
	dialect dialect
	want    map[string]string
	broken  []string // queries whose reply is none, or was cut by the recorder
}{
	{"fivestar-gf8048mbw-command-scan.txt", megatec, map[string]string{
		"input.voltage": "227.0", "battery.voltage": "2.00", "ups.load": "27",
		"battery.voltage.nominal": "48.0", "ups.firmware": "R1.4.016"}, nil},
	{"vultech-gs-1kvas-rk-armac.txt", megatec, map[string]string{
		"input.voltage": "238.6", "output.voltage": "220.2", "ups.load": "19"}, nil},
	{"vultech-v2000-armac.txt", megatec, nil, []string{"Q1"}},
	{"drivertable-q1.txt", q1Only, map[string]string{"output.voltage": "230.0"}, nil},
	{"drivertable-mecer.txt", mecer, map[string]string{
		"ups.firmware.aux": p98, "device.mfr": "NOT_A_LIVE_UPS", "ups.load": "14"}, nil},
	{"drivertable-zinto.txt", zinto, map[string]string{
		"device.model": "TESTING", "battery.voltage.nominal": "24.0"}, nil},
	{"drivertable-innovatae.txt", innovatae, map[string]string{
		"ups.firmware": "R1.00.48", "input.current.nominal": "4.0"}, nil},
	{"drivertable-innovart31.txt", innovart31, map[string]string{
		"input.L2-N.voltage": "225.6", "output.voltage": "229.9", "battery.voltage": "327.8",
		"battery.runtime": "6932", "battery.charge": "100", "ups.realpower": "1400.00",
		"output.current": "6.5", "input.bypass.voltage": "230.4", "ups.firmware": "05516-1100",
		"ups.serial": "N05K10KB100004"}, nil},
	{"drivertable-innovart33.txt", innovart33, map[string]string{
		"output.L1-N.voltage": "229.9", "output.L1.realpower": "1400.00", "output.L1.load": "7",
		"input.bypass.L1-N.voltage": "230.4", "ups.load": "7"}, nil},
	{"drivertable-q6.txt", q6, map[string]string{
		"input.L3-N.voltage": "230.0", "output.frequency": "49.9", "ups.temperature": "23.0",
		"experimental.input.topology": "star", "output.L1.current": "6.5"}, nil},
	{"drivertable-omron.txt", omron, map[string]string{
		"battery.charge": "100.0", "battery.runtime": "41940", "battery.temperature": "22.5",
		"output.frequency": "49.9", "ups.serial": "A0Z25110005109G", "ups.firmware": "0.17",
		"ups.firmware.aux": "2.00", "battery.date": "2026-07-30",
		"ups.realpower.nominal": "1125", "ups.power.nominal": "1125",
		"battery.voltage.nominal": "48"}, nil},
	{"drivertable-voltronic_qs_hex.txt", voltronicQSHex, map[string]string{
		"input.voltage": "112.2", "output.voltage": "112.2", "ups.load": "3",
		"output.frequency": "59.8", "battery.voltage": "13.53", "ups.firmware.aux": "PM-P",
		"ups.beeper.status": "enabled"}, nil},
	{"generic-voltronic-qs-220v.txt", voltronicQS, map[string]string{
		"input.voltage": "230.2", "battery.voltage": "13.60", "output.voltage.nominal": "220"}, nil},
	{"salicru-sps-one-voltronic-qs-h.txt", voltronicQS, map[string]string{
		"ups.firmware.aux": "PM-H", "ups.load": "9", "battery.voltage.nominal": "12.0"}, nil},
	{"voltronic-qs-h-0665-5161.txt", voltronicQS, map[string]string{
		"battery.charge": "99", "battery.runtime": "2920", "input.frequency": "50.1",
		"input.transfer.low": "169", "input.transfer.high": "279",
		"ups.beeper.status": "disabled"}, nil},
	{"cyberpower-ol-qgs.txt", voltronic, map[string]string{
		"input.voltage": "220.4", "output.current": "2.8", "battery.voltage": "273.20",
		"ups.type": "online"}, nil},
	{"docexample-voltronic.txt", voltronic, map[string]string{
		"battery.voltage": "26.50", "battery.charge": "68", "battery.runtime": "15300",
		"output.power.minimum.percent": "22", "device.model": "OLHVT1K0",
		"output.powerfactor": "0.8", "ups.power.nominal": "1000", "ups.firmware": "00322.02",
		"input.transfer.high": "242", "input.transfer.low": "218", "input.frequency.low": "47.0",
		"input.L3-N.voltage": "102.3", "input.L2.current": "11", "output.L2.power.percent": "42",
		"output.L1-L3.voltage": "190.0"}, []string{"QWS"}}, // two of its three are of another line
	{"drivertable-voltronic_sunny.txt", axpert, map[string]string{
		"device.firmware": "0X00074.50", "device.firmware.scc1": "0X00000.00", "input.voltage.nominal": "230.0",
		"output.current.nominal": "21.7", "battery.voltage.float": "54.0",
		"battery.charging.current.high": "60.0", "device.model": "INVERTEX5K",
		"input.voltage": "233.5", "output.realpower": "396.0", "ups.load": "9",
		"battery.voltage":   "54.0",
		"ups.beeper.status": "disabled"}, []string{"QDI"}}, // two brackets

	{"mppsolar-pi30revo.txt", axpert, map[string]string{
		"output.voltage": "221.0", "output.realpower": "707.0", "battery.charge": "0.0",
		"device.firmware.aux": "P30"}, nil},
	{"axpert-3kw-2021.txt", axpert, map[string]string{
		"input.voltage": "238.0", "battery.voltage": "27.0", "battery.type": "AGM"}, nil},
}

// Every recording decodes to what it states.
func TestEveryRecordingDecodes(t *testing.T) {
	folder := captures.Dir(t, "serial")
	replies := 0
	for _, tr := range transcripts {
		t.Run(tr.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(folder, tr.file))
			if err != nil {
				t.Fatal(err)
			}
			got, broken := map[string]string{}, map[string]bool{}
			exchanges(t, string(text), func(cmd, line string) {
				q, ok := tr.dialect.query(cmd)
				if !ok || rejects(cmd, line) {
					return
				}
				var r reading
				if err := q.read([]byte(line), &r); err != nil {
					if !errors.Is(err, ErrMalformed) {
						t.Errorf("%s: %v", cmd, err)
					}
					broken[cmd] = true
					return
				}
				replies++
				for _, v := range r.values {
					got[v.variable] = v.text
				}
			})
			for name, want := range tr.want {
				if got[name] != want {
					t.Errorf("%s = %q, want %q", name, got[name], want)
				}
			}
			if b := slices.Sorted(maps.Keys(broken)); !slices.Equal(b, tr.broken) {
				t.Errorf("malformed were the replies to %q, want %q", b, tr.broken)
			}
		})
	}
	t.Logf("%d recordings, %d replies decoded", len(transcripts), replies)
}

// query finds a question of the dialect by its text.
func (d dialect) query(send string) (query, bool) {
	all := slices.Concat([]query{d.status}, d.also, d.slow, d.once, d.claim)
	at := slices.IndexFunc(all, func(q query) bool { return q.send == send })
	if at < 0 {
		return query{}, false
	}
	return all[at], true
}

// exchanges calls f for each question and reply of a transcript, both without CR and checksum.
func exchanges(t *testing.T, text string, f func(cmd, line string)) {
	t.Helper()
	cmd := ""
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		if c, ok := strings.CutPrefix(l, "C> "); ok {
			cmd, _, _ = strings.Cut(c, `\r`)
			cmd = withoutChecksum(unquoted(t, cmd))
			continue
		}
		reply, ok := strings.CutPrefix(l, "S> ")
		if !ok || strings.HasPrefix(reply, "<") {
			continue
		}
		line, _, _ := strings.Cut(unquoted(t, strings.TrimSuffix(reply, `<crc>\r`)), "\r")
		f(cmd, withoutChecksum(line))
	}
}

func withoutChecksum(line string) string {
	for n := len(line) - 1; n >= 2 && n >= len(line)-2; n-- {
		if body, ok := strings.CutSuffix(line, checksum(line[:n])); ok && len(body) == n {
			return body
		}
	}
	return line
}

func unquoted(t *testing.T, s string) string {
	t.Helper()
	line, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return line
}
