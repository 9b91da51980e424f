package megatec

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"
)

// run runs f in a virtual host.
func run(t *testing.T, f func(env.Env)) time.Duration {
	t.Helper()
	w := world.New(world.Options{})
	defer w.Close()
	h := w.Host("nas")
	h.PowerOn()
	done := time.Duration(-1)
	h.StartMain("test", func(e env.Env, _ []string) int {
		start := e.Now()
		f(e)
		done = e.Now().Sub(start)
		return 0
	})
	if err := w.RunFor(24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	if done < 0 {
		t.Fatal("not done after a day")
	}
	return done
}

func newLink(kind string, usb transport.USB, o bridgeOptions) *link {
	b := bridges[slices.IndexFunc(bridges, func(b bridge) bool { return b.name == kind })]
	return &link{usb: usb, in: b.in, talker: b.start(o), debug: func(int, string, ...any) {}}
}

// wide is text as a string descriptor.
func wide(text string) string {
	b := []byte{byte(2 + 2*len(text)), 3}
	for _, c := range []byte(text) {
		b = append(b, c, 0)
	}
	return fmt.Sprintf("%+q", b)
}

const aStatus = "(230.1 230.1 229.8 014 50.0 27.3 25.0 00001001"

// q1In8 is aStatus in packets of eight bytes.
const q1In8 = `
	in 81 8 -> "(230.1 2"
	in 81 8 -> "30.1 229"
	in 81 8 -> ".8 014 5"
	in 81 8 -> "0.0 27.3"
	in 81 8 -> " 25.0 00"
	in 81 8 -> "001001\r\x00"`

// output is what cypress and its like get for Q1, and for S.5R0003.
const (
	q1Out8 = `
	control 21 09 0200 0000 "Q1\r\x00\x00\x00\x00\x00"`
	s5Out8 = `
	control 21 09 0200 0000 "S.5R0003"
	control 21 09 0200 0000 "\r\x00\x00\x00\x00\x00\x00\x00"`
)

func zeros(n int) string { return strings.Repeat(`\x00`, n) }

// A carriedCommand is one exchange: the options, the command, what goes over the wire, and what
// comes back as its line, or silence.
type carriedCommand struct {
	bridge  string
	options bridgeOptions
	cmd     string
	wire    string
	line    string
	silent  bool
	takes   time.Duration
	refused bool // the bridge cannot carry it
}

// carried are written out from the notes on the bridges (megatec-qx.md 7).
var carried = []carriedCommand{
	{bridge: "cypress", cmd: "Q1", wire: q1Out8 + q1In8, line: aStatus},
	{bridge: "cypress", cmd: "S.5R0003", wire: s5Out8 + `
		in 81 8 -> timeout`, silent: true, takes: time.Second},
	{bridge: "phoenix", cmd: "Q1", line: aStatus, takes: time.Second,
		wire: "in 81 8 -> \"an older\"\nin 81 8 -> timeout" + q1Out8 + q1In8},
	{bridge: "phoenix", cmd: "S.5R0003", silent: true, takes: time.Second,
		wire: "in 81 8 -> stall\nclear 81" + s5Out8 + "\nin 81 8 -> timeout"},
	{bridge: "ippon", cmd: "Q1", line: aStatus, wire: `
		control 21 09 0002 0000 "Q1\r\x00\x00\x00\x00\x00"
		in 81 64 -> "` + aStatus + `\r` + zeros(17) + `"`},
	{bridge: "ippon", cmd: "F", line: "#230.0 004 024.0 50.0", wire: `
		control 21 09 0002 0000 "F\r\x00\x00\x00\x00\x00\x00"
		in 81 64 -> "#230.0 004 024.0 50.0` + zeros(43) + `"`},
	{bridge: "ippon", cmd: "S.5R0003", silent: true, wire: `
		control 21 09 0002 0000 "S.5R0003"
		control 21 09 0002 0000 "\r\x00\x00\x00\x00\x00\x00\x00"
		in 81 64 -> "\x00\r` + zeros(62) + `"`},
	{bridge: "omron", cmd: "Q1", line: aStatus, wire: `
		control 21 09 0002 0000 "Q1\r` + zeros(13) + `"
		in 81 64 -> "` + aStatus + `\r` + zeros(17) + `"`},
	{bridge: "omron", cmd: "S.5R0003", line: "OK", wire: `
		control 21 09 0002 0000 "S.5R0003\r` + zeros(7) + `"
		in 81 64 -> "OK\r` + zeros(61) + `"`},
	{bridge: "gtec", cmd: "Q1", line: aStatus, wire: `
		control 21 09 0002 0000 "Q1\r\x00\x00\x00\x00\x00"
		in 81 128 -> "` + aStatus + `\r"`},
	{bridge: "gtec", cmd: "S.5R0003", silent: true, takes: time.Second, wire: `
		control 21 09 0002 0000 "S.5R0003"
		control 21 09 0002 0000 "\r\x00\x00\x00\x00\x00\x00\x00"
		in 81 128 -> timeout`},
	{bridge: "phoenixtec", cmd: "Q1", line: aStatus, wire: `
		control 42 0d 0000 0000 "Q1\r"
		in 81 511 -> "(230.1 230.1 229.8"
		in 81 511 -> " 014 50.0 27.3 25.0 00001001\r"`},
	{bridge: "phoenixtec", cmd: "S.5R0003", silent: true, wire: `
		control 42 0d 0000 0000 "S.5R0003\r"`},
	{bridge: "phoenixtec", cmd: "MSO", line: "00", wire: `
		control 42 0d 0000 0000 "MSO\r"
		in 81 511 -> "00\r"`},
	{bridge: "sgs", cmd: "Q1", line: aStatus, takes: time.Second, wire: `
		control 21 09 0200 0000 "\x03Q1\r\x00\x00\x00\x00"
		in 81 8 -> "\x07(230.1 "
		in 81 8 -> "\x07230.1 2"
		in 81 8 -> "\x0729.8 01"
		in 81 8 -> "\x074 50.0 "
		in 81 8 -> "\x0727.3 25"
		in 81 8 -> "\x07.0 0000"
		in 81 8 -> "\x041001\x00\x00\x00"
		in 81 8 -> timeout`},
	{bridge: "sgs", cmd: "S.5R0003", silent: true, takes: time.Second, wire: `
		control 21 09 0200 0000 "\aS.5R000"
		control 21 09 0200 0000 "\x023\r\x00\x00\x00\x00\x00"
		in 81 8 -> timeout`},
	{bridge: "krauler", cmd: "Q1", line: aStatus, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0303 0409 255 -> ` + wide("!"+aStatus[1:]+"\r")},
	{bridge: "krauler", options: bridgeOptions{lang: 0x4095}, cmd: "F", line: "#230.0 004 024.0 50.0", wire: `
		control 80 06 030d 4095 511 -> "\x2e\x03short"
		control 80 06 030d 4095 511 -> ` + wide(noAck+"\r") + `
		control 80 06 030d 4095 511 -> ` + wide("#230.0 004 024.0 50.0\r")},
	{bridge: "krauler", cmd: "T", line: "", wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0304 0409 255 -> ` + wide("?\r")},
	{bridge: "krauler", cmd: "S.5R0003", line: "", wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0368 0409 255 -> ` + wide("\r")},
	{bridge: "krauler", cmd: "S.5R0000", refused: true},
	{bridge: "krauler", options: bridgeOptions{lang: 0x409}, cmd: "I", silent: true, wire: strings.Repeat(`
		control 80 06 030c 0409 511 -> `+wide("UPS NO ACK"), 10)},
	{bridge: "fabula", cmd: "Q1", line: aStatus, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0303 0409 255 -> ` + wide(aStatus+"\r")},
	{bridge: "fabula", cmd: "S.5R0003", silent: true, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0318 0409 255 -> ` + wide(noAck)},
	{bridge: "fabula", cmd: "S.9R0000", silent: true, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0350 0409 255 -> ` + wide(noAck)},
	{bridge: "fabula", cmd: "S10", silent: true, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 03f8 0409 255 -> ` + wide(noAck)},
	{bridge: "fabula", cmd: "S00R0000", silent: true, wire: `
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 0310 0409 255 -> ` + wide(noAck)},
	{bridge: "fabula", cmd: "SS?", refused: true},
	{bridge: "hunnox", options: bridgeOptions{lang: 0x409}, cmd: "S.5R0003", silent: true,
		takes: 10 * time.Millisecond, wire: `
		control 80 06 0300 0409 1026 -> "\x04\x03\t\x04"
		control 80 06 0300 0409 1026 -> stall
		control 80 06 0301 0409 1026 -> "\x02\x03"
		control 80 06 0318 0409 102 -> ` + wide(noAck)},
	{bridge: "hunnox", cmd: "BL", line: "BL100", takes: 10 * time.Millisecond, wire: `
		control 80 06 0300 0409 1026 -> "\x04\x03\t\x04"
		control 80 06 0300 0409 1026 -> "\x04\x03\t\x04"
		control 80 06 0301 0409 1026 -> "\x02\x03"
		control 80 06 0300 0000 4 -> "\x04\x03\t\x04"
		control 80 06 03f3 0409 255 -> ` + wide("BL100\r")},
	{bridge: "hunnox", cmd: "Q1", options: bridgeOptions{lang: 0x4095}, line: aStatus,
		takes: 10 * time.Millisecond, wire: `
		control 80 06 0300 4095 1026 -> "\x04\x03\t\x04"
		control 80 06 0300 4095 1026 -> "\x04\x03\t\x04"
		control 80 06 0301 4095 1026 -> "\x02\x03"
		control 80 06 0303 4095 102 -> ` + wide(aStatus+"\r")},
	{bridge: "snr", cmd: "Q1", line: aStatus, takes: time.Second, wire: `
		in 81 102 -> timeout
		control 80 06 0303 0409 102 -> ` + wide("?"+aStatus[1:])},
	{bridge: "snr", options: bridgeOptions{lang: 0x4095}, cmd: "S.5R0003", refused: true},
	{bridge: "fuji", cmd: "Q1", line: aStatus, wire: `
		out 02 "\x80\x06\x03\x03Q1\x00/"` + q1In8},
	{bridge: "fuji", cmd: "I", line: "#ACME", wire: `
		out 02 "\x80\x06\x02\x03I\x00\x00'"
		in 81 8 -> "#ACME\r\x00\x00"`},
	{bridge: "fuji", cmd: "S.5R0003", silent: true, takes: time.Second, wire: `
		out 02 "\x80\x06\x04\x03S.5\x00"
		in 81 8 -> timeout`},
	{bridge: "fuji", cmd: "S.5R0000", refused: true},
	{bridge: "ablerex", cmd: "Q1", line: aStatus, takes: time.Second, wire: `
		control 21 09 0305 0000 "\x05\x00\x03Q1\r` + zeros(41) + `"
		control a1 01 0305 0000 47 -> "(230.1\r` + zeros(40) + `"
		control 21 09 0305 0000 "\x05\x00\x03Q1\r` + zeros(41) + `"
		control a1 01 0305 0000 47 -> "` + aStatus + `\r"`},
	{bridge: "ablerex", cmd: "S.5R0003", silent: true, takes: time.Second / 2, wire: `
		control 21 09 0305 0000 "\x05\x00\tS.5R0003\r` + zeros(35) + `"
		control a1 01 0305 0000 47 -> "` + zeros(47) + `"`},
	{bridge: "armac", cmd: "Q1", line: aStatus, takes: 102 * time.Millisecond, wire: `
		control 80 06 0200 0000 255 -> stall
		in 81 8 -> "\x02\x30\x0d"
		in 81 8 -> timeout
		control 21 09 0200 0000 "\xa3Q1\r"
		in 81 8 -> "\x85(230."
		in 81 8 -> "\x861 230"
		in 81 8 -> "\x05.1 22"
		in 81 8 -> "\x059.8 0"
		in 81 8 -> "\x0514 50"
		in 81 8 -> "\x05.0 27"
		in 81 8 -> "\x05.3 25"
		in 81 8 -> "\x05.0 00"
		in 81 8 -> "\x0500100"
		in 81 8 -> "\x021\r"`},
	{bridge: "armac", cmd: "S.5R0003", silent: true, takes: 1102 * time.Millisecond, wire: `
		control 80 06 0200 0000 255 -> stall
		in 81 8 -> timeout
		control 21 09 0200 0000 "\xa3S.5"
		control 21 09 0200 0000 "\xa3R00"
		control 21 09 0200 0000 "\xa303\r"
		in 81 8 -> timeout`},
	{bridge: "armac", cmd: "QGS", refused: true},
	{bridge: "armac", cmd: "Q1", line: aStatus, takes: 2 * time.Millisecond, wire: `
		control 80 06 0200 0000 255 -> "\t\x02\x20\x00\x01\x01\x00\x80\x32\t\x04\x00\x00\x02\x03\x00\x00\x00\a\x05\x82\x03\x40\x00\n\a\x05\x02\x03\x40\x00\n"
		out 02 "\xa3Q1\r"
		in 82 64 -> "\x2f` + aStatus + `\r"`},
}

func TestExchanges(t *testing.T) {
	for _, x := range carried {
		t.Run(x.bridge+" "+x.cmd, func(t *testing.T) {
			tape := newTape(x.wire)
			var line []byte
			var err error
			took := run(t, func(e env.Env) { line, err = newLink(x.bridge, tape, x.options).exchange(e, x.cmd, 0) })
			silent := errors.Is(err, transport.ErrTimeout)
			if errors.Is(err, errRefused) != x.refused {
				t.Errorf("error %v, want refused %v", err, x.refused)
			}
			if silent != x.silent || err != nil && !silent && !x.refused || string(line) != x.line {
				t.Errorf("line %q, error %v; want %q, silent %v", line, err, x.line, x.silent)
			}
			if len(tape.lines) > 0 {
				t.Errorf("not done: %q", tape.lines)
			}
			if took -= took % time.Millisecond; took != 0 && x.takes != 0 && took < x.takes || took > x.takes+time.Second/100 {
				t.Errorf("took %v, want %v", took, x.takes)
			}
		})
	}
	for _, b := range bridges {
		for _, cmd := range []string{"Q1", "S.5R0003"} {
			if !slices.ContainsFunc(carried, func(x carriedCommand) bool {
				return x.bridge == b.name && x.cmd == cmd
			}) {
				t.Errorf("no exchange of %s over %s is written out", cmd, b.name)
			}
		}
	}
}

// An armac that was too slow to tell its endpoints is asked again, or one with packets of 64 bytes
// would be taken for another until it is opened anew.
func TestArmacThatTellsItsEndpointsLate(t *testing.T) {
	const config = "80 06 0200 0000 255"
	tape := newTape(`
		control ` + config + ` -> timeout
		in 81 8 -> timeout
		control 21 09 0200 0000 "\xa3Q1\r" -> timeout
		control ` + config + ` -> "\t\x02\x20\x00\x01\x01\x00\x80\x32\t\x04\x00\x00\x02\x03\x00\x00\x00\a\x05\x82\x03\x40\x00\n\a\x05\x02\x03\x40\x00\n"
		in 82 64 -> timeout
		out 02 "\xa3Q1\r"
		in 82 64 -> "\x2f` + aStatus + `\r"`)
	l := newLink("armac", tape, bridgeOptions{})
	run(t, func(e env.Env) {
		if line, err := l.exchange(e, "Q1", 0); !errors.Is(err, transport.ErrTimeout) {
			t.Errorf("line %q, error %v; want a timeout", line, err)
		}
		if line, err := l.exchange(e, "Q1", 0); err != nil || string(line) != aStatus {
			t.Errorf("line %q, error %v; want %q", line, err, aStatus)
		}
	})
}

// A hunnox wants a text that is not asked for before each that is.
func TestTurnsOfHunnox(t *testing.T) {
	tape := newTape(`
		control 80 06 0300 0409 1026 -> "\x04\x03\t\x04"
		control 80 06 0300 0409 1026 -> "\x04\x03\t\x04"
		control 80 06 0301 0409 1026 -> "\x02\x03"
		control 80 06 0303 0409 102 -> ` + wide("(1") + `
		control 80 06 030d 0409 102 -> timeout
		control 80 06 0303 0409 102 -> ` + wide("(2") + `
		control 80 06 0303 0409 102 -> ` + wide("(3") + `
		control 80 06 030c 0409 102 -> ` + wide("#") + `
		control 80 06 0303 0409 102 -> ` + wide("(4") + `
		control 80 06 030d 0409 102 -> ` + wide("#5"))
	l := newLink("hunnox", tape, bridgeOptions{lang: 0x409})
	var got []string
	run(t, func(e env.Env) {
		for _, cmd := range []string{"Q1", "Q1", "Q1", "Q1", "F"} {
			line, err := l.exchange(e, cmd, 0)
			if err != nil {
				t.Error(err)
			}
			got = append(got, string(line))
		}
	})
	if want := []string{"(1", "(2", "(3", "(4", "#5"}; !slices.Equal(got, want) || len(tape.lines) > 0 {
		t.Errorf("lines %q, want %q; not done: %q", got, want, tape.lines)
	}
}

// What is done about transfers that fail, and whether the device is opened anew afterwards.
func TestErrorsOfTransfers(t *testing.T) {
	ask := func(result string) string { return q1Out8 + "\n in 81 8 -> " + result + "\n" }
	drain := "in 81 64 -> timeout\n"
	good := q1Out8 + q1In8
	tests := []struct {
		name, bridge, wire string
		last               error // of the last exchange
		n                  int
	}{
		{"silence is silence", "cypress", ask("timeout"), transport.ErrTimeout, 1},
		{"what came too late is dropped", "cypress", ask("timeout") + `in 81 64 -> "(too late"` + "\n" + drain + good, nil, 2},
		{"a stall is cleared", "cypress", ask("stall") + "clear 81\n" + drain + good, nil, 2},
		{"a stall that cannot be cleared", "cypress", ask("stall") + "clear 81 -> else\nreset", transport.ErrGone, 1},
		{"stalls without end", "cypress", ask("stall") + "clear 81\n" + drain + ask("stall") + "clear 81\n" + drain +
			ask("stall") + "reset", transport.ErrGone, 3},
		{"two overflows", "cypress", ask("overflow") + drain + ask("overflow") + drain + good, nil, 3},
		{"overflows without end", "cypress", ask("overflow") + drain + ask("overflow") + drain + ask("overflow") + "reset",
			transport.ErrGone, 3},
		{"an error that is none of these", "cypress", ask("else") + drain + good, nil, 2},
		{"stalls of strings are answers", "fabula", strings.Repeat("control 80 06 0300 0000 4 -> stall\nclear 81\n", 5),
			transport.ErrStall, 5},
		{"gone after the command", "cypress", ask("gone"), errVanished, 1},
		{"gone while it gets the command", "cypress", strings.TrimSuffix(strings.TrimSpace(q1Out8), "\n") + " -> gone", errVanished, 1},
		{"gone, and gone again", "fabula", strings.Repeat("control 80 06 0300 0000 4 -> gone\n", 2), transport.ErrGone, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tape := newTape(tt.wire)
			var err error
			run(t, func(e env.Env) {
				l := newLink(tt.bridge, tape, bridgeOptions{})
				for range tt.n {
					_, err = l.exchange(e, "Q1", 0)
				}
			})
			if !errors.Is(err, tt.last) || errors.Is(err, errVanished) != (tt.last == errVanished) {
				t.Errorf("error %v, want %v", err, tt.last)
			}
			if len(tape.lines) > 0 {
				t.Errorf("not done: %q", tape.lines)
			}
		})
	}
}

// A babbler is a USB device that answers all with noise.
type babbler struct{ rng *rand.Rand }

func (b babbler) noise(data []byte) (int, error) {
	for i := range data {
		data[i] = byte(b.rng.Uint32()) & [...]byte{0xff, 0x0f}[b.rng.IntN(2)]
	}
	if b.rng.IntN(40) == 0 {
		return 0, []error{transport.ErrTimeout, transport.ErrStall, transport.ErrOverflow, errElse}[b.rng.IntN(4)]
	}
	return b.rng.IntN(len(data) + 1), nil
}

func (b babbler) ID() transport.USBID           { return transport.USBID{} }
func (b babbler) Close() error                  { return nil }
func (b babbler) ClearHalt(env.Env, byte) error { return nil }
func (b babbler) Reset(env.Env) error           { return nil }
func (b babbler) Interrupt(_ env.Env, _ byte, data []byte, _ env.Instant) (int, error) {
	return b.noise(data)
}

func (b babbler) Control(_ env.Env, s transport.USBSetup, data []byte, _ env.Instant) (int, error) {
	if !s.In() {
		return len(data), nil
	}
	return b.noise(data)
}

// Whatever a device sends, it is a line of a bounded length or an error.
func TestNoiseOverEachBridge(t *testing.T) {
	for _, b := range bridges {
		t.Run(b.name, func(t *testing.T) {
			usb := babbler{rand.New(rand.NewPCG(1, 2))}
			lines := 0
			run(t, func(e env.Env) {
				for i := range 3000 {
					l := newLink(b.name, usb, bridgeOptions{lang: uint16(i % 2)})
					line, err := l.exchange(e, []string{"Q1", "F", "QS", "S.5"}[i%4], i%2*20)
					if err == nil {
						lines++
					}
					if len(line) > maxReply+512 {
						t.Errorf("a line of %d bytes", len(line))
					}
				}
			})
			t.Logf("%d lines", lines)
		})
	}
}

// A bridge that takes nothing is waited for five seconds once, and one second from then on.
func TestPatienceWithABridge(t *testing.T) {
	silent := strings.TrimSpace(q1Out8) + " -> timeout\n"
	tape := newTape(silent + "in 81 64 -> timeout\n" + silent + "in 81 64 -> timeout\n" + q1Out8 + q1In8 + q1Out8 + q1In8)
	var times []string
	run(t, func(e env.Env) {
		l := newLink("cypress", tape, bridgeOptions{})
		for range 4 {
			begin := e.Now()
			l.exchange(e, "Q1", 0)
			times = append(times, e.Now().Sub(begin).Round(10*time.Millisecond).String())
		}
	})
	if want := []string{"5s", "1.1s", "100ms", "0s"}; !slices.Equal(times, want) || len(tape.lines) > 0 {
		t.Errorf("exchanges took %v, want %v; not done: %q", times, want, tape.lines)
	}
}
