package world

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func TestATaskIsWokenAtTheFirstInstantThatItsClockAllows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &Host{drift: rapid.Int64Range(-500_000, 500_000).Draw(t, "drift")}
		want := env.Instant(rapid.Int64Range(0, 1<<60).Draw(t, "deadline"))
		at := env.Instant(h.global(want))
		if got := h.local(at); got < want {
			t.Errorf("at %d the clock shows %d, before %d", at, got, want)
		}
		if got := h.local(at - 1); at > 0 && got >= want {
			t.Errorf("%d is late for %d: one before it the clock shows %d", at, want, got)
		}
	})
}

func TestNeverIsNeverOnEveryClock(t *testing.T) {
	for _, drift := range []int64{-1000, 0, 1000} {
		h := &Host{drift: drift}
		if got := h.global(env.Never); got != int64(env.Never) {
			t.Errorf("drift %d: never is %d", drift, got)
		}
	}
}
