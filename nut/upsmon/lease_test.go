package upsmon_test

import (
	"testing"
	"time"
)

// A host that boots into an FSD waits for its end where that is sure to come, and shuts down where
// the FSD may be meant for it.
func TestBootingIntoFSD(t *testing.T) {
	const old, fresh = "600 mon@10.0.0.9 OB LB", "20 mon@10.0.0.9 OB LB"
	for _, tt := range []struct {
		name   string
		status string
		age    string
		rules  string
		later  func(*served)
		down   bool
	}{
		{name: "an old one, mains are back", status: "OL", age: old},
		{name: "with a battery still low", status: "OL CHRG LB", age: old},
		{name: "a shutdown that is under way", status: "OL", age: fresh, down: true},
		{name: "an old one, still on battery", status: "OB", age: old, down: true},
		{name: "a server that does not tell", status: "OL", down: true},
		{name: "a server that tells nonsense", status: "OL", age: "-5 x", down: true},
		{name: "by NUT's rules", status: "OL", age: old, rules: "NUT_RULES yes", down: true},
		{name: "mains go again", status: "OL", age: old, later: func(s *served) { s.status = "OB" }, down: true},
		{name: "FSD is set anew", status: "OL", age: old, later: func(s *served) { s.fsdAge = fresh }, down: true},
		{name: "it is cleared", status: "OL", age: old, later: func(s *served) { s.fsd = false }},
		{name: "the server falls silent", status: "OL", age: old, later: func(s *served) { s.status = "ERR DATA-STALE" }},
		{name: "cleared, and set again, which is news", status: "OL", age: old, later: func(s *served) {
			s.fsd, s.fsdAge = true, fresh
		}, down: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRoom(t, "rack")
			u := r.upsd.ups["rack"]
			u.status, u.fsd, u.fsdAge = tt.status, true, tt.age
			r.monitor("web", conf("MONITOR rack@nas 1 mon secret secondary", tt.rules))
			r.pass(time.Minute)
			if tt.later != nil {
				if len(r.ran) > 0 {
					t.Fatalf("it did not wait: %q", r.ran)
				}
				tt.later(u)
				r.pass(time.Minute)
			}
			if down := len(r.ran) > 0; down != tt.down {
				t.Errorf("shut down: %v, want %v; %q", down, tt.down, r.timeline("web"))
			}
			if !tt.down {
				r.wantLog("web", "from a shutdown before this host booted, and line power: waiting for the server to clear it")
			}
		})
	}
}
