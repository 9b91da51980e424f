package env_test

import (
	"runtime"
	"testing"

	"github.com/blackstart-ups/blackstart/nut/env"
	"github.com/blackstart-ups/blackstart/nut/env/osenv"
)

// A consumer that is always a little behind must not cost memory for all that it ever got.
func TestAnInboxThatIsNeverEmptyDoesNotGrow(t *testing.T) {
	e, err := osenv.New(osenv.Options{Prog: "t", Emit: func(env.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	in := env.NewInbox[[8]int](e, 4)
	in.Put([8]int{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const rounds = 300_000
	for i := 1; i <= rounds; i++ {
		in.Put([8]int{i})
		if v, ok := in.Take(); !ok || v[0] != i-1 {
			t.Fatalf("took %d, %v; want %d", v[0], ok, i-1)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 1<<20 {
		t.Errorf("grown by %d bytes for one value", grown)
	}
	for in.Put([8]int{}) {
	}
	if in.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", in.Dropped())
	}
	runtime.KeepAlive(in)
}
