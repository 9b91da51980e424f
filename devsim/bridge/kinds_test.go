package bridge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/blackstart-ups/blackstart/devsim/bridge"
)

func (h *host) lost(got, want any) {
	h.t.Helper()
	if g, w := fmt.Sprintf("%q", got), fmt.Sprintf("%q", want); g != w {
		h.t.Errorf("got\n%s; want\n%s", g, w)
	}
}

// A chip with a queue keeps what was not fetched, as much as it has room for, and the answer to the
// next command comes behind it.
func TestQueuesKeepWhatWasNotFetched(t *testing.T) {
	for kind, setup := range map[string]string{"cypress": "21 09 0200", "gtec": "21 09 0002"} {
		h := plug(t, kind, newUnit(), bridge.Options{})
		h.send(setup, "Q1\r\x00\x00\x00\x00\x00")
		h.now += 500 * time.Millisecond
		h.send(setup, "F\r\x00\x00\x00\x00\x00\x00")
		got := strings.ReplaceAll(strings.Join(h.read(0x81), ""), "\x00", "")
		if got != q1+f {
			t.Errorf("%s: %q; want both answers", kind, got)
		}
	}
}

func TestAnAnswerLongerThanTheQueue(t *testing.T) {
	u := newUnit()
	long := "(" + strings.Repeat("0123456789", 20) + "\r" // 202 bytes, 26 packets
	u.answers["WH\r"] = long
	h := plug(t, "cypress", u, bridge.Options{})
	h.send("21 09 0200", "WH\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), eights(long)...) // fetched as it comes
	h.send("21 09 0200", "WH\r\x00\x00\x00\x00\x00")
	h.now += 2 * time.Second // left to come in, 16 packets have room
	h.want(h.read(0x81), eights(long)[:16]...)
}

func TestPhoenixLeavesAPacketBehind(t *testing.T) {
	u := newUnit()
	h := plug(t, "phoenix", u, bridge.Options{})
	h.send("21 09 0200", "F\r\x00\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "#230.0 0", "03 024.0", " 50.0\r\x00\x00", " 50.0\r\x00\x00")
}

func TestPhoenixtec(t *testing.T) {
	u := newUnit()
	u.answers["GS\r"] = "(234567 ABCDEFG\r" // 16 bytes: two full packets
	h := plug(t, "phoenixtec", u, bridge.Options{})
	h.send("42 0d 0000", "F\r")
	h.want(h.read(0x81), "#230.0 0", "03 024.0", " 50.0\r")
	h.send("42 0d 0000", "GS\r")
	h.want(h.read(0x81), "(234567 ", "ABCDEFG\r", "")
	h.send("42 0d 0000", "I\r")
	h.now += time.Second
	h.send("42 0d 0000", "F\r") // drops what was not fetched
	h.want(h.read(0x81), "#230.0 0", "03 024.0", " 50.0\r")
}

func TestGtec(t *testing.T) {
	u := newUnit()
	u.answers["Q4\r"] = "(23456 ABCDEFGH\r"
	h := plug(t, "gtec", u, bridge.Options{})
	h.send("21 09 0002", "F\r\x00\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "#230.0 0", "03 024.0", " 50.0\r")
	h.send("21 09 0002", "Q4\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "(23456 A", "BCDEFGH\r", "")
}

// filled is a text with zeros behind it, n bytes.
func filled(text string, n int) string { return text + strings.Repeat("\x00", n-len(text)) }

func TestIppon(t *testing.T) {
	u := newUnit()
	u.answers["WA\r"] = "(" + strings.Repeat("W", 77) + "\r"
	h := plug(t, "ippon", u, bridge.Options{})
	h.send("21 09 0002", "Q1\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), filled(q1, 64))
	h.send("21 09 0002", "S.5R0003", "\r\x00\x00\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), filled("S.5R0003\r", 64))
	h.send("21 09 0002", "WA\r\x00\x00\x00\x00\x00") // one report, and no more
	h.want(h.read(0x81), "("+strings.Repeat("W", 63))
	h.send("21 09 0002", "Q\r\x00\x00\x00\x00\x00\x00") // obeyed in silence
	h.want(h.read(0x81), filled("\x00\r", 64))
	h.send("21 09 0002", "Q\r\x00\x00\x00\x00\x00\x00", "F\r\x00\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), filled(f, 64)) // what waited is dropped
	h.lost(u.heard, []string{"Q1\r", "S.5R0003\r", "WA\r", "Q\r", "Q\r", "F\r"})
}

func TestOmron(t *testing.T) {
	u := newUnit()
	u.answers["a longer command\r"] = strings.Repeat("x", 70) + "\r"
	h := plug(t, "omron", u, bridge.Options{})
	h.send("21 09 0002", filled("Q1\r", 16))
	h.want(h.read(0x81), filled(q1, 64))
	h.send("21 09 0002", "a longer command", filled("\r", 16))
	h.want(h.read(0x81), strings.Repeat("x", 64))
}

func TestSGS(t *testing.T) {
	u := newUnit()
	h := plug(t, "sgs", u, bridge.Options{})
	h.send("21 09 0200", "\x02F\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "\x07#230.0 ", "\x07003 024",
		"\x07.0 50.0", "\x01\r\x00\x00\x00\x00\x00\x00")
	h.send("21 09 0200", "\x07S.5R000", "\x08toolong", "\x023\r\x00\x00\x00\x00\x00")
	h.want(h.read(0x81), "\x07S.5R000", "\x023\r\x00\x00\x00\x00\x00")
}

func TestFuji(t *testing.T) {
	u := newUnit()
	h := plug(t, "fuji", u, bridge.Options{})
	for _, tt := range []struct {
		out  string
		want []string
	}{
		{"\x80\x06\x03\x03Q1\x00\x2f", eights(q1)},
		{"\x80\x06\x02\x03F\x00\x00\x16", eights(f)},
		{"\x80\x06\x02\x03I\x00\x00\x27", eights(id)},
		{"\x80\x06\x04\x03S.5\x00", nil},
		{"\x80\x06\x03\x03QS\x00\x00", nil},             // repeated by the unit, wanted by nobody
		{"\x80\x06\x03\x03Q1\x00\x0a", eights(q1[:10])}, // cut
		{"\x80\x06\x05\x03S.5\x00", nil},                // four characters do not fit
		{"\x80\x07\x03\x03Q1\x00\x2f", nil}, {"", nil},  // nonsense
		{"\x80\x06\x03\x03Q1\x00\x2f", eights(q1)}, // and none of it has harmed
	} {
		if err := h.b.Out(h.now, 2, []byte(tt.out)); err != nil {
			t.Errorf("%q: %v", tt.out, err)
		}
		h.want(h.read(0x81), tt.want...)
	}
	h.lost(u.heard, []string{"Q1\r", "F\r", "I\r", "S.5\r", "QS\r", "Q1\r", "Q1\r"})
}

func TestAblerex(t *testing.T) {
	u := newUnit()
	h := plug(t, "ablerex", u, bridge.Options{})
	fetch := func(after time.Duration, want string) {
		t.Helper()
		h.now += after
		in, err := h.control("a1 01 0305", "")
		if got := string(in); got != filled(want, 47) || err != nil {
			t.Errorf("the report is %q, %v; want %q", got, err, want)
		}
	}
	fetch(0, "")
	h.send("21 09 0305", filled("\x05\x00\x03Q1\r", 47))
	fetch(100*time.Millisecond, "") // it takes 0.2 s
	fetch(400*time.Millisecond, q1)
	h.send("21 09 0305", filled("\x05\x00\x02F\r", 47))
	fetch(0, "")
	fetch(500*time.Millisecond, f)
	fetch(5*time.Second, f)
	h.send("21 09 0305", filled("\x05\x00\x09S.5R0003\r", 47))
	fetch(500*time.Millisecond, "S.5R0003\r")
	h.text(0x03, strings.TrimSuffix(q1, "\r")) // its strings are commands too, without CR
	h.lost(u.heard, []string{"Q1\r", "F\r", "S.5R0003\r", "Q1\r"})
}

// Between two polls of 10 ms come two or three bytes; behind those that count is what was there
// before.
func TestArmac(t *testing.T) {
	u := newUnit()
	u.answers["Q1\r"] = "(231.4\r"
	h := plug(t, "armac", u, bridge.Options{})
	h.send("21 09 0200", "\xa3Q1\r")
	h.want(h.read(0x81), "\xc2(2\x00\x00\x00", "\x8231\x00\x00\x00", "\xc3.4\r\x00\x00",
		"\x80.4\r\x00\x00")
	h.send("21 09 0200", "\xa3T05", "\xb3xxx", "\x03xxx", "\xa1\r\x00\x00")
	h.want(h.read(0x81), "\xc2T0\r\x00\x00", "\x825\r\r\x00\x00", "\xc05\r\r\x00\x00")
	h.lost(u.heard, []string{"Q1\r", "T05\r"})
}

func TestWideArmac(t *testing.T) {
	u := newUnit()
	long := strings.Repeat("0123456789", 7)
	u.answers["QPIGS\r"] = long + "\r"
	h := plug(t, "armac", u, bridge.Options{Wide: true})
	for _, out := range []string{"\xa6QPIGS\r", "\xaftoo short\r", "\xa3Q1\r"} {
		if err := h.b.Out(h.now, 2, []byte(out)); err != nil {
			t.Fatal(err)
		}
		h.now += time.Second
	}
	h.want(h.read(0x82), "\xbf"+long[:63], filled("\x88"+long[63:]+"\r", 64),
		filled("\xaf"+q1, 64))
	if _, err := h.control("21 09 0200", "\xa3Q1\r"); err == nil {
		t.Error("it takes the reports of the narrow one")
	}
}

// text asks for a string in English and checks it. It returns how long that took.
func (h *host) text(index byte, want string) time.Duration {
	h.t.Helper()
	return h.textIn(0x0409, index, want)
}

func (h *host) textIn(lang uint16, index byte, want string) time.Duration {
	h.t.Helper()
	since := h.now
	in, err := h.control(fmt.Sprintf("80 06 03%02x %04x", index, lang), "")
	if got := decode(in); got != want || err != nil {
		h.t.Errorf("string %02x is %q, %v; want %q", index, got, err, want)
	}
	return h.now - since
}

// decode reads a string descriptor.
func decode(p []byte) string {
	if len(p) < 2 || int(p[0]) != len(p) || p[1] != 3 {
		return fmt.Sprintf("no string: % x", p)
	}
	var words []uint16
	for i := 2; i+1 < len(p); i += 2 {
		words = append(words, uint16(p[i])|uint16(p[i+1])<<8)
	}
	return string(utf16.Decode(words))
}

const noAck = "UPS No Ack"

func TestKrauler(t *testing.T) {
	u := newUnit()
	h := plug(t, "krauler", u, bridge.Options{})
	if d := h.text(0x03, q1); d < 200*time.Millisecond || d > 300*time.Millisecond {
		t.Errorf("Q1 takes %v; want the 50 bytes at 2400 baud", d)
	}
	h.text(0x0d, f)
	h.text(0x0c, id)
	h.text(0x13, q1) // the low digit says what
	h.text(0x07, "\r")
	h.text(0x03, "*"+q1[1:])
	h.text(0x03, q1)
	h.text(0x04, "\r")
	h.text(0x05, "\r")
	h.text(0x0b, "\r")
	h.text(0x68, "S01\r")
	h.text(0x0e, noAck)
	h.lost(u.heard, []string{"Q1\r", "F\r", "I\r", "Q1\r", "Q\r", "Q1\r", "Q1\r", "T\r", "TL\r",
		"CT\rC\r", "S01\r"})
}

func TestFabula(t *testing.T) {
	u := newUnit()
	h := plug(t, "fabula", u, bridge.Options{})
	h.text(0x03, strings.TrimSuffix(q1, "\r"))
	h.text(0x0d, strings.TrimSuffix(f, "\r"))
	h.text(0x0c, strings.TrimSuffix(id, "\r"))
	for _, index := range []byte{0x07, 0x0a, 0x18, 0x10, 0x58, 0x50, 0x68, 0x60, 0xf8, 0xf0, 0x08} {
		h.text(index, noAck)
	}
	h.lost(u.heard[3:], []string{"Q\r", "C\r", "S.5\r", "S.5R0000\r", "S.9\r", "S.9R0000\r",
		"S01\r", "S01R0000\r", "S10\r", "S10R0000\r"})
}

const (
	zeroQ1 = "(000.0 000.0 000.0 000 00.0 0.00 00.0 00000000\r"
	zeroF  = "#000.0 0.0 00.00 00.0\r"
)

func TestHunnox(t *testing.T) {
	u := newUnit()
	u.answers["BL\r"] = "BL077\r"
	h := plug(t, "hunnox", u, bridge.Options{})
	h.text(0x03, zeroQ1)
	h.text(0x0d, zeroF)
	h.textIn(0, 0, "\u0409") // as any host does: not the knock
	h.text(0x01, "MEC0003")
	h.text(0x03, zeroQ1)
	h.text(0, "\u0409")
	h.text(0, "\u0409")
	h.text(0x01, "MEC0003")
	h.text(0x03, q1)
	u.answers["Q1\r"] = strings.Replace(q1, "230.1", "229.9", 1)
	h.text(0x03, q1) // unchanged
	h.text(0x0d, f)
	h.text(0x03, u.answers["Q1\r"])
	h.text(0xf3, "BL077\r")
	h.text(0x58, noAck)
	h.text(0x03, u.answers["Q1\r"])
	h.lost(u.heard, []string{"Q1\r", "F\r", "Q1\r", "BL\r", "S.9\r", "Q1\r"})
	h.b.Reset(h.now)
	h.text(0x03, zeroQ1)
}

func TestSNR(t *testing.T) {
	u := newUnit()
	h := plug(t, "snr", u, bridge.Options{})
	h.text(0x03, zeroQ1)
	h.want(h.read(0x81))
	h.text(0x03, q1)
	h.text(0x0d, f)
	h.text(0x0c, id)
	h.now += 10 * time.Second
	h.text(0x03, zeroQ1)
}

func TestLanguage(t *testing.T) {
	for _, kind := range []string{"krauler", "hunnox", "snr"} {
		h := plug(t, kind, newUnit(), bridge.Options{LangID: 0x4095, Product: "MEC0003"})
		h.textIn(0, 0, "\u0009")     // a lie
		h.textIn(9, 0x01, "MEC0003") // so that it is found
		h.textIn(0x4095, 0, "\u0009")
		h.textIn(0x4095, 0, "\u0009")
		h.textIn(0x4095, 1, "MEC0003")
		h.read(0x81)
		h.textIn(0x4095, 0x03, q1)
		for _, lang := range []uint16{0, 9, 0x0409} {
			if in, err := h.control(fmt.Sprintf("80 06 0303 %04x", lang), ""); err == nil {
				t.Errorf("%s: in language %04x it answers % x; want a stall", kind, lang, in)
			}
		}
	}
}

// A unit that was heard has time to answer; one that is silent makes the chip short of patience,
// and it knows the answer when it is asked again.
func TestNoAck(t *testing.T) {
	u := newUnit()
	h := plug(t, "krauler", u, bridge.Options{})
	h.text(0x03, q1)
	u.off = true
	if d := h.text(0x03, noAck); d < 300*time.Millisecond || d > 900*time.Millisecond {
		t.Errorf("noticed after %v; want within the second of the host, not at once", d)
	}
	for range 10 {
		if d := h.text(0x03, noAck); d > 20*time.Millisecond {
			t.Errorf("said again after %v; want at once", d)
		}
	}
	h.text(0x07, noAck)
	u.off = false
	tries := 0
	for h.now += time.Second; ; tries++ {
		in, err := h.control("80 06 0303 0409", "")
		if err != nil || tries > 100 {
			t.Fatal(tries, err)
		}
		if got := decode(in); got != noAck {
			h.lost(got, "*"+q1[1:])
			break
		}
	}
	if tries < 10 {
		t.Errorf("the unit is heard after %d tries; want the time on the wire", tries)
	}
	h.text(0x0d, f)
}

// The chip is powered by the computer.
func TestAUnitWithoutPower(t *testing.T) {
	for _, kind := range bridge.Kinds() {
		u := newUnit()
		u.off = true
		h := plug(t, kind, u, bridge.Options{})
		in, err := h.control("80 06 0100", "")
		if len(in) != 18 || err != nil {
			t.Errorf("%s: device descriptor % x, %v", kind, in, err)
		}
		h.speak(kind, "Q1")
		got := strings.Join(h.read(h.b.Descriptors().Endpoints[0].Address), "")
		if kind == "ippon" {
			got = strings.TrimRight(got, "\x00\r")
		}
		if got != "" {
			t.Errorf("%s hands out %q", kind, got)
		}
		if slices.Contains([]string{"krauler", "fabula"}, kind) {
			h.text(3, noAck)
		}
	}
}

// speak gives a command of two characters to a bridge whose commands are no strings.
func (h *host) speak(kind, cmd string) {
	h.t.Helper()
	cmd += "\r"
	switch kind {
	case "cypress", "phoenix":
		h.send("21 09 0200", filled(cmd, 8))
	case "ippon", "gtec":
		h.send("21 09 0002", filled(cmd, 8))
	case "omron":
		h.send("21 09 0002", filled(cmd, 16))
	case "sgs":
		h.send("21 09 0200", filled("\x03"+cmd, 8))
	case "phoenixtec":
		h.send("42 0d 0000", cmd)
	case "ablerex":
		h.send("21 09 0305", filled("\x05\x00\x03"+cmd, 47))
	case "armac":
		h.send("21 09 0200", "\xa3"+cmd)
	case "fuji":
		if err := h.b.Out(h.now, 2, []byte("\x80\x06\x03\x03"+cmd[:2]+"\x00\x2f")); err != nil {
			h.t.Fatal(err)
		}
	}
}

// A reset loses what waits and what was begun, and the unit does not notice.
func TestReset(t *testing.T) {
	for _, kind := range bridge.Kinds() {
		if slices.Contains([]string{"krauler", "fabula", "hunnox", "snr", "ablerex"}, kind) {
			continue
		}
		u := newUnit()
		h := plug(t, kind, u, bridge.Options{})
		h.speak(kind, "Q1")
		h.now += 100 * time.Millisecond // the rest is on the wire
		h.b.Reset(h.now)
		h.want(h.read(0x81))
		h.speak(kind, "Q1")
		if got := strings.Join(h.read(0x81), ""); !strings.Contains(got, "(") {
			t.Errorf("%s: after the reset %q", kind, got)
		}
		h.lost(u.heard, []string{"Q1\r", "Q1\r"})
	}
}

func TestOptionsThatDoNotFit(t *testing.T) {
	for kind, tt := range map[string]struct {
		o    bridge.Options
		want string
	}{
		"krauler": {bridge.Options{Serial: "X1"}, `"X1"`},
		"cypress": {bridge.Options{LangID: 0x409}, "0409"},
		"fuji":    {bridge.Options{Wide: true}, "armac"},
	} {
		if _, err := bridge.New(kind, newUnit(), tt.o); err == nil ||
			!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), kind) {
			t.Errorf("%s, %+v: the error is %v; want one with %s", kind, tt.o, err, tt.want)
		}
	}
}

// FuzzTransfers throws transfers at each kind: none makes it panic, and what waits has its limits.
func FuzzTransfers(f *testing.F) {
	f.Add(byte(0), []byte("\x00\x21\x09\x00\x02Q1\r\x00"))
	f.Add(byte(5), []byte("\x00\x80\x06\x03\x03\x00\x80\x06\x18\x03"))
	f.Fuzz(func(t *testing.T, which byte, in []byte) {
		kinds := bridge.Kinds()
		kind := kinds[int(which)%len(kinds)]
		h := plug(t, kind, newUnit(), bridge.Options{Wide: kind == "armac" && which > 127})
		for len(in) > 0 {
			step := in[:min(len(in), 16)]
			in = in[len(step):]
			h.fuzz(step)
		}
		ends := h.b.Descriptors().Endpoints
		waiting := 0
		for _, p := range h.read(ends[0].Address) {
			waiting += len(p)
		}
		if waiting > 4096 {
			t.Errorf("%s: %d bytes waited to be fetched", kind, waiting)
		}
	})
}

// fuzz makes one transfer, or waits.
func (h *host) fuzz(step []byte) {
	op, rest := step[0], step[1:]
	switch {
	case op%4 == 0 && len(rest) >= 4:
		setup := fmt.Sprintf("%02x %02x %02x%02x", rest[0], rest[1], rest[3], rest[2])
		h.control(setup, string(rest[4:])) // refused or not
	case op%4 == 1:
		h.b.Out(h.now, 2, rest)
	case op%4 == 2:
		h.b.In(h.now, 0x81)
	case op == 3:
		h.b.Reset(h.now)
	default:
		h.now += time.Duration(op) * time.Millisecond
	}
}
