package apcsmart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/devsim/apcsmart"
	"github.com/blackstart-ups/blackstart/devsim/power"
	"github.com/blackstart-ups/blackstart/devsim/serve"
	"github.com/blackstart-ups/blackstart/nut/driver"
	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/transport"
	"github.com/blackstart-ups/blackstart/scenarios/world"

	driven "github.com/blackstart-ups/blackstart/drivers/apcsmart"
)

// lined are ports with modem lines, of which each setting is kept.
type lined struct {
	serve.Ports
	set *[]string
}

type linedPort struct {
	transport.Serial
	set *[]string
}

func (p lined) Serial(e env.Env, name string, m transport.Mode) (transport.Serial, error) {
	s, err := p.Ports.Serial(e, name, m)
	return linedPort{s, p.set}, err
}

func (p linedPort) SetLines(_ env.Env, dtr, rts bool) error {
	*p.set = append(*p.set, fmt.Sprintf("DTR %v RTS %v", dtr, rts))
	return nil
}

func (p linedPort) Lines(env.Env) (transport.LineState, error) { return transport.LineState{}, nil }
func (p linedPort) Break(env.Env, time.Duration) error         { return nil }

func TestCableSetsTheModemLines(t *testing.T) {
	for conf, want := range map[string][]string{
		"": nil, "cable = 940-0024C": nil, "cable = 940-0095B": {"DTR true RTS false"},
	} {
		cable := serve.NewCable(apcsmart.New(power.New(power.Spec{}), apcsmart.Options{}), serve.Options{})
		var set []string
		w := world.New(world.Options{Programs: func(*world.Host, string) env.Main {
			return driver.Main([]driver.Spec{driven.Spec}, lined{serve.Ports{"/dev/ttyS0": cable}, &set}, "apcsmart")
		}})
		h := w.Host("nas")
		h.PowerOn()
		h.WriteFile("/etc/nut/ups.conf", []byte("[office]\ndriver = apcsmart\nport = /dev/ttyS0\n"+conf+"\n"))
		h.WriteFile("/run/nut/.keep", nil)
		p := h.Start("apcsmart", []string{"-a", "office", "-d", "1"})
		if err := w.RunFor(time.Minute); err != nil {
			t.Fatal(err)
		}
		if status, ended := p.Status(); !ended || status != 0 || !slices.Equal(set, want) {
			t.Errorf("%q: ended %v with %d, the lines were set %q, want %q", conf, ended, status, set, want)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A spoken device answers whole commands by a table.
type spoken map[string]string

func (s spoken) Receive(_ time.Duration, p []byte) []byte {
	if answer, ok := s[string(p)]; ok {
		return []byte(answer + "\r\n")
	}
	return []byte("NA\r\n")
}

// A Symmetra has a second set of commands, in which the frequency of the input is; F is then that of
// the output. Its answers about surroundings are packed.
func TestSecondSetOfCommands(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	b.plug(spoken{"Y": "SM", "Q": "08", "V": "NA", "b": "62.2.D", "a": "#3.!$%+?=#|.FHbT.\x9f:\xd3\xd4",
		"F": "60.01", "\x9f\xd3": "59.98", "\x9f\xd4": "-03.5", "H": "041.0,N/A,039.5", "T": "23.45"})
	got := b.dump()
	for name, want := range map[string]string{
		"input.frequency": "59.98", "output.frequency": "60.01", "battery.current": "-03.5",
		"ambient.1.humidity": "041.0", "ambient.2.humidity": "", "ambient.3.humidity": "039.5",
		"ambient.1.temperature": "23.45", "device.uptime": "", "ups.firmware": "62.2.D",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
}

// A counter counts what goes over the wire in both directions.
type counter struct {
	serve.Face
	sent, got map[string]int // bytes by command
}

func (c counter) Receive(now time.Duration, p []byte) []byte {
	answer := c.Face.Receive(now, p)
	c.sent[string(p)] += len(p)
	c.got[string(p)] += len(answer)
	return answer
}

// A poll costs no byte more than the protocol wants: one for each question, once, and the answers.
func TestPollCostsWhatTheProtocolWants(t *testing.T) {
	b := newBench(t, power.Spec{}, apcsmart.Options{})
	c := counter{b.dev, map[string]int{}, map[string]int{}}
	b.plug(c)
	b.driving()
	clear(c.sent)
	clear(c.got)
	const polls = 60
	b.run(polls * 2 * time.Second)
	total, least, letters := 0, 0, ""
	for cmd, n := range c.sent {
		if n != polls {
			t.Errorf("%s: %d bytes in %d polls, want one each", cmd, n, polls)
		}
		letters += cmd
		total += n + c.got[cmd]
		least += len(cmd) + c.got[cmd]/n // asked once
	}
	sorted := strings.Split(letters, "")
	slices.Sort(sorted)
	if got, want := strings.Join(sorted, ""), "9BCFGLMNOPQXfj"; got != want {
		t.Errorf("asked for %q, want %q", got, want)
	}
	perPoll := total / polls
	t.Logf("%d bytes a poll, %v of 2s on the wire; at least %d: ratio %.2f; the status alone has %d",
		perPoll, time.Duration(perPoll)*time.Second/240, least, float64(perPoll)/float64(least),
		1+c.got["Q"]/polls)
}
