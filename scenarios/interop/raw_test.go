package interop

import (
	"strings"
	"sync"
	"testing"
)

// serveRaw starts a server over puppets.
func serveRaw(t *testing.T, k kit) *raw {
	t.Helper()
	x := &raw{bench: newBench(t, rawFiles)}
	x.fake = x.puppet("dummy-ups", "fake", rawDump)
	x.puppet("dummy-ups", "bare", bareDump)
	old := x.puppet("dummy-ups", "old", oldDump)
	x.puppet("dummy-ups", "Latch", latchDump)
	x.start(k.upsd, append(asRoot(), "-F")...).waitFor(t, "listening on 127.0.0.1 port "+x.port)
	x.barrier = x.dial()
	old.say("DATASTALE\n")
	x.fresh("fake")
	x.fresh("Latch")
	x.marker = x.dial()
	for _, l := range []string{"USERNAME admin", "PASSWORD admin-pw"} {
		if r := x.marker.ask(l); r != "OK" {
			t.Fatalf("%s: %s", l, r)
		}
	}
	return x
}

// The same lines to both servers over the same data: every byte of the answers, and of what the
// driver gets, is the same, or a row of the table says why not (NP-T1 to NP-T6, NP-T8, NP-C1 to
// NP-C30, NP-L1, NP-L2, NP-L4 to NP-L6, NP-K1 to NP-K3, NP-K5, NP-K7, NP-F1, NP-F3, DS-U6, DS-U7,
// DS-D1 to DS-D12;
// `upsd.md 7 wrong user`). What plays the driver is none of NUT's: upsd serves whoever made the
// socket (DS-L6).
func TestRawLines(t *testing.T) {
	ours, theirs := kits(t)
	c := newComparison(t, "raw")
	// Debian's server waits a little for the acknowledgement of each line: the sets wait together.
	var wg sync.WaitGroup
	nut, mine := make([][]string, len(rawCases)), make([][]string, len(rawCases))
	for i, set := range rawCases {
		oracle, product := serveRaw(t, theirs), serveRaw(t, ours)
		wg.Go(func() { nut[i] = oracle.converseAll(set.as, set.says) })
		wg.Go(func() { mine[i] = product.converseAll(set.as, set.says) })
	}
	wg.Wait()
	said := map[string]bool{}
	for i, set := range rawCases {
		if len(nut[i]) != len(set.says) || len(mine[i]) != len(set.says) {
			t.Fatalf("set %d of %q was not played to its end", i, set.as)
		}
		for j, say := range set.says {
			what := say
			if set.as != "" {
				what = set.as + ": " + say
			}
			if said[what] {
				t.Errorf("%q is there twice", what)
			}
			said[what] = true
			c.compare(what, nut[i][j], mine[i][j])
		}
	}
	c.done()
}

// converseAll plays conversations one after another.
func (x *raw) converseAll(as string, says []string) []string {
	var answers []string
	for _, say := range says {
		answers = append(answers, x.converse(as, strings.Split(say+"\n", "¦")...))
	}
	return answers
}
