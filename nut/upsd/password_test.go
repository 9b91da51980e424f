package upsd

import (
	"fmt"
	"testing"
	"time"

	"github.com/blackstart-ups/blackstart/nut/env"
)

func TestWrongPasswordsWaitLongerAndLonger(t *testing.T) {
	var g guesses
	at := env.Instant(time.Hour)
	for i, want := range []time.Duration{0, 0, 0, 100, 200, 400, 800, 1600, 2000, 2000} {
		if got := g.wrong("192.0.2.1", at); got != want*time.Millisecond {
			t.Errorf("guess %d waits %v, want %v", i+1, got, want*time.Millisecond)
		}
		at = at.Add(want * time.Millisecond)
	}
	if got := g.wrong("192.0.2.2", at); got != 0 {
		t.Errorf("another address waits %v, want none", got)
	}
	if got := g.wrong("192.0.2.1", at.Add(time.Hour)); got != 0 {
		t.Errorf("an hour later it waits %v, want none", got)
	}
}

func TestManySessionsOfOneAddressGuessNoFasterForIt(t *testing.T) {
	var g guesses
	at, last := env.Instant(time.Hour), time.Duration(0)
	for i := range 10000 {
		// One network of IPv6 is one guesser, whatever its addresses.
		got := g.wrong(fmt.Sprintf("2001:db8::%x", i), at)
		if got < last || got > longestQueue {
			t.Fatalf("guess %d at one instant waits %v after one of %v, want up to %v", i, got, last,
				longestQueue)
		}
		last = got
	}
	if last != longestQueue {
		t.Errorf("the last of 10,000 waits %v, want %v", last, longestQueue)
	}
}

func TestRememberedAddressesAreBounded(t *testing.T) {
	var g guesses
	for i := range 5 * maxGuessers {
		g.wrong(fmt.Sprintf("10.0.%d.%d", i/256, i%256), 0)
	}
	if len(g.by) > maxGuessers || len(g.order) > maxGuessers {
		t.Errorf("%d and %d addresses are remembered, want %d", len(g.by), len(g.order), maxGuessers)
	}
}
